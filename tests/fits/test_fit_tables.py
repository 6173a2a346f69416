"""Fits of formulas to tables: published pump and channel data, methods, starts, what the data cannot tell."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from fit_cases import AB, EXPERIMENTS, SODIUM, X, cubic, hill_fit, line, of_potassium, straight
from reference import fits as reference

import jaxion
from jaxion import FitError, FitProblem, Recording, Status
from jaxion.mechanisms import NaKATPaseKager

# Published data


@pytest.mark.slow
def test_hill_fit_of_the_pump_over_sodium_is_that_of_least_squares():
    fit = hill_fit()
    for name in fit.values:
        assert fit.values[name] == pytest.approx(reference.NAKAO_HILL_NA[name], rel=1e-5)
    assert fit.sse["I"] == pytest.approx(reference.NAKAO_HILL_NA["sse"], rel=1e-4)
    assert fit.sd["K"] == pytest.approx(reference.NAKAO_HILL_NA_SD["K"], abs=0.005)
    assert fit.sd["n"] == pytest.approx(reference.NAKAO_HILL_NA_SD["n"], abs=0.005)
    assert fit.ok
    assert fit.rank == 3
    assert "determine all 3 parameters" in fit.statement


@pytest.mark.slow
def test_hill_fit_of_the_pump_over_potassium_is_that_of_least_squares():
    table = Recording.read(EXPERIMENTS / "fit_sodium_pump" / "over_potassium.csv")
    table = Recording({"K_o": table.columns["K"], "I": table.columns["I"]})
    free = {"I_max": jaxion.positive(1.0), "K": jaxion.positive(2.0), "n": jaxion.positive(1.0)}
    fit = jaxion.fit(FitProblem(of_potassium, None, table, free))
    assert fit.values == pytest.approx({k: v for k, v in reference.NAKAO_HILL_K.items() if k != "sse"}, rel=1e-5)
    assert fit.sse["I"] == pytest.approx(reference.NAKAO_HILL_K["sse"], rel=1e-4)
    assert fit.sd["K"] == pytest.approx(reference.NAKAO_HILL_K_SD["K"], abs=0.005)
    assert fit.sd["n"] == pytest.approx(reference.NAKAO_HILL_K_SD["n"], abs=0.005)


@pytest.mark.slow
def test_cubic_fit_by_a_formula_and_by_the_mechanism_agree():
    free = {"I_max": jaxion.positive(1.0), "K": jaxion.positive(5.0)}
    by_formula = jaxion.fit(FitProblem(cubic, None, SODIUM, free, {"I": 1.0}))
    assert by_formula.values == pytest.approx({k: v for k, v in reference.NAKAO_CUBIC_NA.items() if k != "sse"}, rel=1e-5)
    assert 2 * by_formula.loss == pytest.approx(reference.NAKAO_CUBIC_NA["sse"], rel=1e-4)
    data = Recording.read(SODIUM)
    table = {"inside.Na": data.columns["Na"], "rate": data.columns["I"]}
    pump = NaKATPaseKager(1.0, K_Na=5.0, K_K=2.0)
    free = {"v_max": jaxion.positive(), "K_Na": jaxion.positive()}
    fit = jaxion.fit(FitProblem(pump, None, table, free, {"rate": 1.0}, at={"outside.K": "5.4 mM"}))
    assert fit.values["K_Na"] == pytest.approx(by_formula.values["K"], rel=1e-7)
    assert fit.values["v_max"] * (5.4 / 7.4) ** 2 == pytest.approx(by_formula.values["I_max"], rel=1e-7)
    assert float(fit.model.K_Na) == fit.values["K_Na"]


# Methods and starts


@pytest.mark.slow
def test_all_methods_come_to_the_same_place():
    problem = hill_fit().problem
    quasi_newton = jaxion.fit(problem, method="lbfgs")
    adam = jaxion.fit(problem, optax.adam(optax.cosine_decay_schedule(0.1, 400)), steps=400)
    for other in (quasi_newton, adam):
        assert other.loss == pytest.approx(hill_fit().loss, abs=1e-3)
        assert other.values == pytest.approx(hill_fit().values, rel=1e-2)
    assert quasi_newton.values == pytest.approx(hill_fit().values, rel=1e-5)
    assert len(adam.history) == 401


@pytest.mark.slow
def test_any_optax_optimiser_works_with_clipping_and_a_line_search():
    problem = straight(2 * X - 1)
    clipped = jaxion.fit(problem, optax.chain(optax.clip_by_global_norm(1.0), optax.sgd(0.02, momentum=0.9)), steps=300, starts=3)
    searched = jaxion.fit(problem, optax.lbfgs(), steps=30)
    for fit in (clipped, searched):
        assert fit.values == pytest.approx({"a": 2.0, "b": -1.0}, abs=1e-4)


def test_a_start_does_not_depend_on_how_many_there_are():
    problem = hill_fit().problem
    few = jaxion.fit(problem, starts=3)
    np.testing.assert_array_equal(few.initial, hill_fit().initial[:3])
    np.testing.assert_allclose(few.losses, hill_fit().losses[:3], rtol=1e-12)
    assert len(np.unique(hill_fit().initial[:, 0])) == 16


def test_starts_that_fail_have_a_status_and_spoil_no_other():
    def cliff(x, a):
        return jnp.where(a > 5.0, jnp.nan, a) * x

    free = {"a": jaxion.positive(1.0)}
    problem = FitProblem(cliff, None, {"x": X, "y": 3.0 * X}, free, {"y": 1.0})
    fit = jaxion.fit(problem, starts=64, spread=2.0)
    failed = fit.initial[:, 0] > 5.0
    assert 4 < failed.sum() < 60
    assert np.all(np.isnan(fit.losses[failed]))
    assert np.all(fit.statuses[failed] == Status.not_finite)
    assert np.all(fit.statuses[~failed] == Status.ok)
    np.testing.assert_allclose(fit.final[~failed, 0], 3.0, rtol=1e-6)
    # A gradient step that ends beyond the cliff is taken back.
    steep = jaxion.fit(problem, optax.sgd(optax.exponential_decay(0.1, 10, 0.3)), steps=60)
    assert np.all(np.isfinite(steep.history))
    assert steep.values["a"] == pytest.approx(3.0, rel=1e-3)
    assert "not_finite" in str(fit)


def test_a_failed_simulation_never_reads_as_a_perfect_fit():
    def broken(x, a):
        return a * x * jnp.nan

    problem = FitProblem(broken, None, {"x": X, "y": 3.0 * X}, {"a": jaxion.positive(1.0)}, {"y": 1.0})
    assert np.isnan(float(problem.loss({"a": 1.0})))
    assert np.all(np.isnan(np.asarray(problem.residuals({"a": 1.0}))))
    with pytest.raises(FitError, match=r"^The start cannot be computed \(not_finite\)"):
        jaxion.fit(problem)
    fit = jaxion.fit(problem, starts=2, throw=False)
    assert fit.status == Status.not_finite
    assert np.isnan(fit.loss)
    assert np.isnan(fit.values["a"])
    assert "not finite" in str(fit)


@pytest.mark.slow
def test_a_start_that_no_longer_improves_ends_early():
    adam = optax.adam(optax.exponential_decay(0.3, 40, 0.5))
    fit = jaxion.fit(straight(2 * X - 1), adam, steps=1000, patience=20, tolerance=1e-8)
    assert len(fit.history) < 500
    assert fit.values == pytest.approx({"a": 2.0, "b": -1.0}, abs=0.05)
    unfinished = jaxion.fit(hill_fit().problem, steps=1)
    assert unfinished.status == Status.max_steps
    assert not unfinished.ok


# The loss in plain JAX


@pytest.mark.slow
def test_the_loss_composes_with_jit_vmap_and_grad():
    problem = straight(2 * X - 1, noise=0.5)
    values = {"a": jnp.asarray(1.0), "b": jnp.asarray(0.0)}
    r = (X - 2 * X + 1) / 0.5
    assert float(jax.jit(problem.loss)(values)) == pytest.approx(np.sum(r**2) / 2)
    gradient = jax.grad(problem.loss)(values)
    assert float(gradient["a"]) == pytest.approx(np.sum(r * X / 0.5))
    assert float(gradient["b"]) == pytest.approx(np.sum(r / 0.5))
    many = jax.vmap(problem.loss)({"a": jnp.arange(3.0), "b": jnp.zeros(3)})
    assert many.shape == (3,)
    assert float(many[1]) == pytest.approx(np.sum(r**2) / 2)
    assert jax.hessian(problem.loss)(values)["a"]["a"] == pytest.approx(np.sum(X**2) / 0.25)


# Identifiability


def test_what_the_data_cannot_tell_apart_is_said():
    def product(x, a, b, c):
        return a * b * x + c

    free = {"a": jaxion.positive(1.0), "b": jaxion.positive(2.0), "c": jaxion.unbounded(0.0)}
    fit = jaxion.fit(FitProblem(product, None, {"x": X, "y": 3 * X + 1}, free, {"y": 0.1}), starts=8)
    assert fit.rank == 2
    assert fit.identifiable == {"a": False, "b": False, "c": True}
    assert np.isinf(fit.sd["a"])
    assert np.isfinite(fit.sd["c"])
    *_, last = fit.directions
    assert not last.identifiable
    assert last.coefficients["a"] == pytest.approx(-last.coefficients["b"])
    assert last.coefficients["c"] == 0.0
    assert "2 of 3 combinations" in fit.statement
    assert "`a` falls by 1 % and `b` rises by 1 %" in fit.statement or "`a` rises by 1 % and `b` falls by 1 %" in fit.statement
    assert "Determined by themselves: `c`." in fit.statement
    # Every start keeps a product of 3, and stays near where it began.
    np.testing.assert_allclose(fit.final[:, 0] * fit.final[:, 1], 3.0, rtol=1e-6)


def test_fewer_values_than_parameters_are_flagged():
    fit = jaxion.fit(FitProblem(line, None, {"x": [1.0], "y": [2.0]}, AB, {"y": 1.0}))
    assert fit.rank == 1
    assert "1 values cannot determine 2 parameters" in fit.statement or "1 value cannot determine 2 parameters" in fit.statement


def test_derivatives_are_held_against_differences():
    assert hill_fit().audit < 1e-5

    @jax.custom_jvp
    def wrong(a):
        return a

    wrong.defjvp(lambda primals, tangents: (primals[0], 0.5 * tangents[0]))
    problem = FitProblem(lambda x, a: wrong(a) * x, None, {"x": X, "y": 2 * X}, {"a": jaxion.positive(1.0)}, {"y": 1.0})
    fit = jaxion.fit(problem)
    assert fit.audit == pytest.approx(1.0, rel=1e-2)
    assert "Derivatives and differences disagree" in fit.statement


def test_starts_are_a_labelled_dataset():
    ds = hill_fit().starts
    assert ds.sizes == {"start": 16, "step": len(hill_fit().history)}
    assert ds["status"].attrs["flag_meanings"].split()[1] == "ok"
    assert float(ds["K"][ds.attrs["best"]]) == hill_fit().values["K"]
    assert np.all(np.diff(ds["history"].values, axis=0) <= 0)


@pytest.mark.slow
def test_a_sample_on_a_jump_hides_nothing_that_the_others_determine():
    """Its slope by the time of the jump is a trillion times all others, which are no less certain for that."""
    steep = 1e13

    def response(t, base, height, at):
        return base + height * jax.nn.sigmoid(steep * (t - at))

    t = np.linspace(0.0, 10.0, 11)
    free = {"base": jaxion.positive(1.0), "height": jaxion.positive(3.0), "at": jaxion.positive(4.0)}
    table = {"t": t, "y": np.asarray(response(t, 1.0, 3.0, 4.0))}
    fit = jaxion.fit(jaxion.FitProblem(response, None, table, free=free, noise={"y": 0.1}), steps=1)
    assert fit.rank == 3
    assert fit.sd["base"] == pytest.approx(0.1 / np.sqrt(4), rel=1e-6)
    assert fit.sd["height"] == pytest.approx(0.1 * np.sqrt(1 / 4 + 1 / 6), rel=1e-6)
    assert fit.sd["at"] == pytest.approx(4 * np.hypot(0.1, 0.5 * np.hypot(0.05, 0.1 / np.sqrt(6))) / (3 * steep), rel=1e-6)
