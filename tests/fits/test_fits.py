"""Fits of models: set-points and transients, shared parameters, what a single steady state can and cannot tell."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

import jaxion
from jaxion import FitError, FitProblem, PathError, Protocol, Recording, Status, UnitError

REST = ("neuron.V", "neuron.Na", "neuron.K", "neuron.Cl")
PUMP_BLOCK = Protocol(jaxion.block("neuron.nka", 1.0, 60))
TIMES = np.array([1.0, 20.0, 60.0])


@functools.cache
def cell():
    return jaxion.models.duesterwald2018()


def at_rest(model, sd=1.0, paths=REST):
    point = jaxion.setpoint(model)
    return {path: (float(point[path]), sd) for path in paths}


@functools.cache
def resting_fit():
    truth = jaxion.replace(cell(), {"neuron.kcc2.g": 2.0})
    free = {p: jaxion.positive() for p in ("neuron.kcc2.g", "neuron.leak_Na.g", "neuron.leak_K.g", "neuron.nka.v_max")}
    return jaxion.fit(FitProblem(cell(), None, at_rest(truth), free), starts=8)


@functools.cache
def transient():
    truth = jaxion.replace(cell(), {"neuron.leak_Na.g": 0.2})
    recorded = jaxion.solve(truth, PUMP_BLOCK, save=TIMES)
    recording = Recording.of(recorded, ["neuron.V", "neuron.Na"])
    free = {"neuron.leak_Na.g": jaxion.positive()}
    return FitProblem(cell(), PUMP_BLOCK, recording, free, {"neuron.V": 0.1, "neuron.Na": "0.1 mM"})


@pytest.mark.slow
def test_a_set_point_finds_what_made_it_and_says_what_it_cannot_tell():
    fit = resting_fit()
    assert np.all(fit.statuses == Status.ok)
    assert np.all(fit.losses < 1e-12)
    assert fit.values["neuron.kcc2.g"] == pytest.approx(2.0, rel=1e-6)
    assert fit.rank == 3
    assert fit.identifiable["neuron.kcc2.g"]
    assert "3 of 4 combinations" in fit.statement
    assert float(fit.model["neuron.kcc2.g"]) == fit.values["neuron.kcc2.g"]
    rest = jaxion.setpoint(fit.model)
    for channel in fit.channels:
        assert channel["model"][0] == pytest.approx(float(rest[channel["name"]]), abs=1e-8)


def test_the_jacobian_of_a_set_point_is_that_of_its_sensitivities():
    problem, values = resting_fit().problem, resting_fit().values
    s = jaxion.sensitivity(resting_fit().model, of=REST, wrt=problem.names, scaled=False)
    jacobian = np.asarray(resting_fit()._at[1].jacobian)
    np.testing.assert_allclose(jacobian, np.asarray(s.matrix) * np.array(list(values.values()))[None], rtol=1e-6, atol=1e-9)


@pytest.mark.slow
def test_a_set_point_that_does_not_exist_is_a_status():
    # A leaky cell that swells without end.
    factors = {"neuron.leak_Na.g": 15.0, "neuron.leak_K.g": 0.2, "neuron.leak_Cl.g": 3.5, "neuron.nka.v_max": 6.0}
    dead = jaxion.replace(cell(), {path: factor * float(cell()[path]) for path, factor in factors.items()})
    value = {"neuron.nka.v_max": float(dead["neuron.nka.v_max"])}
    problem = FitProblem(dead, None, at_rest(cell(), paths=("neuron.V",)), {"neuron.nka.v_max": jaxion.positive()})
    found = problem.evaluate(value)
    assert np.isnan(float(found.loss))
    assert int(found.status) == Status.no_setpoint
    assert float(jax.grad(problem.loss)(value)["neuron.nka.v_max"]) == 0.0
    with pytest.raises(FitError, match=r"^The start cannot be computed \(no_setpoint\)"):
        jaxion.fit(problem)


@pytest.mark.slow
def test_a_transient_finds_what_made_it():
    fit = jaxion.fit(transient())
    assert fit.values["neuron.leak_Na.g"] == pytest.approx(0.2, rel=1e-4)
    assert fit.identifiable == {"neuron.leak_Na.g": True}
    step = 1e-3
    up, down = (
        jaxion.solve(jaxion.replace(fit.model, {"neuron.leak_Na.g": 0.2 * (1 + d)}), PUMP_BLOCK, save=TIMES, rtol=1e-9)
        for d in (step, -step)
    )
    slope = np.concatenate([(np.asarray(up[p]) - np.asarray(down[p])) / (2 * step) for p in ("neuron.V", "neuron.Na")]) / 0.1
    assert fit.sd["neuron.leak_Na.g"] == pytest.approx(0.2 / np.linalg.norm(slope), rel=1e-3)


@pytest.mark.slow
def test_a_transient_is_fitted_by_gradient_descent():
    fit = jaxion.fit(transient(), optax.adam(0.03), steps=60)
    assert fit.values["neuron.leak_Na.g"] == pytest.approx(0.2, rel=2e-2)
    assert fit.history[-1, 0] < 1e-2 * fit.history[0, 0]


@pytest.mark.slow
def test_starts_of_a_transient_that_have_no_set_point_spoil_no_other():
    factors = {"neuron.leak_K.g": 0.2, "neuron.leak_Cl.g": 3.5, "neuron.nka.v_max": 6.0}
    frail = jaxion.replace(cell(), {path: factor * float(cell()[path]) for path, factor in factors.items()})
    recording = {"t": TIMES, "neuron.V": [-40.0, -35.0, -30.0]}
    free = {"neuron.leak_Na.g": jaxion.positive()}
    problem = FitProblem(frail, PUMP_BLOCK, recording, free, {"neuron.V": 1.0}, start="setpoint")
    fit = jaxion.fit(problem, optax.adam(0.05), steps=20, starts=8, spread=3.0)
    failed = fit.statuses == Status.no_setpoint
    assert 0 < failed.sum() < 8
    assert np.all(np.isnan(fit.losses[failed]))
    assert np.all(fit.losses[~failed] <= fit.history[0, ~failed])
    assert fit.ok


@pytest.mark.slow
def test_starts_that_take_too_many_steps_hold_up_no_other():
    # The more sodium leaks in while the pump is blocked, the more steps a course takes: 17 to 31.
    data, free = {"t": TIMES, "neuron.V": [-69.0, -68.0, -66.0]}, {"neuron.leak_Na.g": jaxion.positive()}
    whole, limited = (
        jaxion.fit(FitProblem(cell(), PUMP_BLOCK, data, free, {"neuron.V": 1.0}, max_steps=most), starts=8, spread=3.0)
        for most in (1000, 20)
    )
    failed = limited.statuses == Status.max_steps
    assert 0 < failed.sum() < 8
    assert np.all(np.isnan(limited.losses[failed]))
    np.testing.assert_array_equal(limited.history[0, ~failed], whole.history[0, ~failed])
    assert limited.loss == pytest.approx(whole.loss, rel=1e-6)


@pytest.mark.slow
def test_experiments_on_different_models_share_what_is_common():
    # The same cell in two baths: what one set-point leaves open, two determine.
    free = {p: jaxion.positive() for p in ("neuron.kcc2.g", "neuron.leak_Cl.g")}
    baths = [cell(), jaxion.replace(cell(), {"bath.K": 6.0})]
    truths = [jaxion.replace(one, {"neuron.kcc2.g": 2.0, "neuron.leak_Cl.g": 0.1}) for one in baths]
    parts = [FitProblem(one, None, at_rest(truth), free) for one, truth in zip(baths, truths, strict=True)]
    fit = jaxion.fit(parts)
    assert fit.values == pytest.approx({"neuron.kcc2.g": 2.0, "neuron.leak_Cl.g": 0.1}, rel=1e-5)
    assert [float(model["bath.K"]) for model in fit.models] == [3.5, 6.0]


FREE = {"neuron.nka.v_max": jaxion.positive()}
WRONG = [
    ({"recording": {"neuron.v": -70.0}}, PathError, r"No path `neuron.v` in model `duesterwald2018`. Did you mean `neuron.V`"),
    ({"free": {"neuron.nka.vmax": jaxion.positive()}}, PathError, r"Did you mean `neuron.nka.v_max`"),
    ({"free": {"neuron.E_Cl": jaxion.positive()}}, PathError, r"follows from the state"),
    ({"free": {"neuron.z": jaxion.positive()}}, ValueError, r"`neuron.z` cannot begin at -0.85: positive\(\) needs a positive one"),
    (
        {"free": {"neuron.nka.v_max": jaxion.unbounded()}},
        ValueError,
        r"^`neuron.nka.v_max` must not be negative, but unbounded\(\) leads beyond 0: use positive\(\), or interval\(a, b\) from 0 on\.$",
    ),
    (
        {"free": {"bath.K": jaxion.interval("-5 mM", "30 mM")}},
        ValueError,
        r"^`bath.K` must be positive, but interval\(-5, 30\) leads to -5 mM: use positive",
    ),
    (
        {"free": {**FREE, "neuron.kcc2.g": jaxion.tied("neuron.nka.v_max", -1.0)}},
        ValueError,
        r"^`neuron.kcc2.g` must not be negative, but tied\('neuron.nka.v_max', -1\) leads beyond 0",
    ),
    ({"free": {"neuron.kcc2.g": jaxion.fixed(-1.0), **FREE}}, ValueError, r"`neuron.kcc2.g` must not be negative, but it is -1 nS"),
    ({"free": {"bath.K": jaxion.positive("3 mV")}}, UnitError, r"`bath.K` is in mM"),
    ({"recording": {"neuron.V": -70.0}, "noise": None}, ValueError, r"noise of `neuron.V` cannot be estimated"),
    ({"recording": {"t": [0.0, 1.0], "neuron.V": [-70.0, -71.0]}}, ValueError, r"has times, so that it needs a `protocol`"),
    ({"recording": Recording({"neuron.V": [-70.0]}, units={"neuron.V": "mM"})}, UnitError, r"units do not match"),
    (
        {"recording": Recording({"neuron.V": [-70.0]}, units={"neuron.V": ""})},
        UnitError,
        r"has no unit in the header: write `neuron.V \[mV\]`",
    ),
    ({"protocol": PUMP_BLOCK}, ValueError, r"must have a column `t` of times to go with a protocol"),
    (
        {"protocol": PUMP_BLOCK, "recording": {"t": [0.0, 61.0], "neuron.V": [-70.0, -71.0]}},
        ValueError,
        r"must lie within the protocol, 0 to 60 s, but t\[1\] is 61 s",
    ),
    (
        {"protocol": PUMP_BLOCK, "recording": {"t": [0.0, 10.0, 5.0], "neuron.V": [-70.0, -71.0, -70.0]}},
        ValueError,
        r"Times must increase, but t\[1\]=10 s is followed by 5 s",
    ),
    (
        {"protocol": PUMP_BLOCK, "recording": {"t": [0.0, 1.0], "neuron.V": [-70.0, -71.0]}, "max_steps": 0},
        ValueError,
        r"^Argument `max_steps` must be a whole number of 1 or more, but it is `0`\.$",
    ),
    (
        {"protocol": PUMP_BLOCK, "recording": {"t": [0.0, 1.0], "neuron.V": [-70.0, -71.0]}, "rtol": 0.1},
        ValueError,
        r"^Argument `rtol` must lie between 1e-12 and 1e-4, but it is 0\.1",
    ),
    ({"scale": "neuron.V"}, ValueError, r"unknown scale or offset of `neuron.V` needs a course"),
    ({"at": {"V": 1.0}}, ValueError, r"goes with mechanisms and functions"),
]


@pytest.mark.parametrize(("change", "error", "message"), WRONG, ids=[message[:30] for _, _, message in WRONG])
def test_wrong_problems_are_refused_in_one_sentence(change, error, message):
    given = {"protocol": None, "recording": {"neuron.V": -70.0}, "free": FREE, "noise": {"neuron.V": 1.0}, **change}
    with pytest.raises(error, match=message) as refusal:
        FitProblem(cell(), **given)
    text = str(refusal.value)
    assert text.endswith((".", "?"))
    assert "\n" not in text


def test_what_may_be_of_either_sign_is_not_refused():
    free = {"neuron.z": jaxion.unbounded(), "neuron.kcc2.g": jaxion.interval(0.0, 1.0), "bath.K": jaxion.interval("0 mM", "10 mM")}
    assert FitProblem(cell(), None, {"neuron.V": -70.0}, free, {"neuron.V": 1.0}).names == tuple(free)


def test_a_batch_cannot_be_fitted():
    batch = jaxion.replace(cell(), {"bath.K": np.array([3.0, 4.0])})
    with pytest.raises(ValueError, match="must be one cell, but it has 2 cells"):
        FitProblem(batch, None, {"neuron.V": -70.0}, FREE, {"neuron.V": 1.0})


def test_times_are_converted():
    recording = Recording({"t": [0.1, 0.9], "neuron.V": [-70.0, -71.0]}, units={"t": "min"})
    problem = FitProblem(cell(), PUMP_BLOCK, recording, FREE, {"neuron.V": 1.0})
    assert problem.channels[0].axis.values.tolist() == pytest.approx([6.0, 54.0])


@pytest.mark.slow
def test_starts_that_are_done_are_left_to_fail_unless_the_function_may_loop_for_ever():
    def plain(x, a, b):
        return a * x**b

    def looping(x, a, b):
        return jax.lax.while_loop(lambda s: jnp.any(jnp.isnan(s)), lambda s: s, a * x**b)

    table = {"x": np.array([1.0, 2.0, 3.0]), "y": np.array([2.0, 8.0, 18.5])}
    free = {"a": jaxion.positive(1.0), "b": jaxion.positive(1.0)}
    found = [jaxion.fit(jaxion.FitProblem(f, None, table, free, {"y": 0.1}), starts=8, spread=0.5) for f in (plain, looping)]
    np.testing.assert_array_equal(found[0].losses, found[1].losses)
    np.testing.assert_array_equal(found[0].history, found[1].history)
