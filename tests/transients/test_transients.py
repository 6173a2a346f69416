"""Transients of published models: the published course, on every road."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from reference import transients as published
from scipy.integrate import solve_ivp

import jaxion
from jaxion import Protocol, anoxia, bath, block, crossing, final, maximum, rest


@pytest.fixture(scope="module")
def cell():
    return jaxion.models.duesterwald2018()


@pytest.fixture(scope="module")
def set_point(cell):
    return jaxion.setpoint(cell)


def by_scipy(model, start, phases, times, method="Radau", rtol=1e-9):
    """State rows at times by SciPy: each phase is a model and a duration. None of jaxion's integration takes part."""
    rate = jax.jit(lambda model, y: model.rhs(y))
    slope = jax.jit(jax.jacfwd(lambda model, y: model.rhs(y), argnums=1))
    y, t, found = np.asarray(start), 0.0, []
    # Ends, maxima and the like of rows that are amounts: absolute tolerances follow each row's size.
    size = 1e-3 * rtol * (np.abs(y) + 1e-3)
    for changed, duration in phases:
        end = t + duration
        wanted = [x for x in times if t <= x < end]
        done = solve_ivp(
            lambda _, y, m=changed: np.asarray(rate(m, y)),
            (t, end),
            y,
            method=method,
            jac=(lambda _, y, m=changed: np.asarray(slope(m, y))) if method in ("Radau", "BDF") else None,
            t_eval=np.array([*wanted, end]),
            rtol=rtol,
            atol=size,
        )
        assert done.success, done.message
        found += list(done.y.T[:-1])
        y, t = done.y[:, -1], end
    return np.array([*found, y] if times[-1] == t else found)


def blocked(model, fraction):
    return jaxion.replace(model, {"neuron.nka.activity": 1.0 - fraction})


# Pump block of Düsterwald's neuron


@pytest.mark.parametrize("backend", ["kernel", pytest.param("diffrax", marks=pytest.mark.slow)])
def test_pump_block_runs_down_as_published(cell, set_point, backend):
    times = sorted({t for t, *_ in [*published.PUMP_BLOCK_V, *published.PUMP_BLOCK_OTHER]})
    levels = {f"V{i}": crossing("neuron.V", level) for i, (level, _) in enumerate(published.PUMP_BLOCK_CROSSINGS)}
    protocol = Protocol(block("neuron.nka", 1.0, "4 h"))
    sol = jaxion.solve(cell, protocol, start=set_point, save=[0.0, *times], measure=levels, backend=backend)
    assert sol["neuron.V"][0] == pytest.approx(-72.58811, abs=1e-4)
    at = {t: k + 1 for k, t in enumerate(times)}
    for t, V in published.PUMP_BLOCK_V:
        assert float(sol["neuron.V"][at[t]]) == pytest.approx(V, rel=1e-4)
    for t, path, value in published.PUMP_BLOCK_OTHER:
        relative = float(sol[path][0]) if path.endswith("volume") else 1.0
        assert float(sol[path][at[t]]) / relative == pytest.approx(value, rel=2e-4)
    for i, (_, t) in enumerate(published.PUMP_BLOCK_CROSSINGS):
        assert float(sol.measures[f"V{i}"]) == pytest.approx(t, rel=1e-3)


@pytest.mark.slow
@pytest.mark.parametrize(("fraction", "duration"), [(1.0, 300.0), (0.5, 900.0), (0.93, 47.0)])
def test_other_blocks_agree_with_scipy(cell, set_point, fraction, duration):
    protocol = Protocol(rest(60.0), block("neuron.nka", fraction, duration), rest(1200.0))
    times = np.linspace(0.0, 1260.0 + duration, 43)
    sol = jaxion.solve(cell, protocol, start=set_point, save=times, rtol=1e-8)
    start = set_point.model.pack(set_point.snapshot)
    rows = by_scipy(cell, start, [(cell, 60.0), (blocked(cell, fraction), duration), (cell, 1200.0)], times)
    np.testing.assert_allclose(sol.saved, rows, rtol=1e-6)


def test_rates_at_an_edge_are_those_of_the_phase_that_begins(cell, set_point):
    protocol = Protocol(rest(10.0), block("neuron.nka", 1.0, 10.0), rest(10.0))
    sol = jaxion.solve(cell, protocol, start=set_point, save=[0.0, 9.99, 10.0, 19.99, 20.0, 30.0])
    rate = np.asarray(sol["neuron.nka.rate"])
    assert rate[2] == 0.0
    assert rate[3] == 0.0
    assert rate[4] > 0.9 * rate[0]
    V = np.asarray(sol["neuron.V"])
    assert V[1] == pytest.approx(V[2], abs=1e-3)


@pytest.mark.parametrize("closure", ["difference", pytest.param("electroneutral", marks=pytest.mark.slow)])
def test_closures_agree_in_time(cell, closure):
    protocol = Protocol(block("neuron.nka", 1.0, 600.0))
    other = jaxion.solve(jaxion.models.duesterwald2018(closure=closure), protocol, start="setpoint", save=[1.0, 300.0, 600.0])
    sol = jaxion.solve(cell, protocol, start="setpoint", save=[1.0, 300.0, 600.0])
    np.testing.assert_allclose(other["neuron.V"], sol["neuron.V"], rtol=1e-4)
    np.testing.assert_allclose(other["neuron.Na"], sol["neuron.Na"], rtol=1e-4)


@pytest.mark.slow
def test_an_electroneutral_cell_moves_as_its_own_equations_say():
    """The kernel takes the limit of a small capacitance; diffrax the potential of zero current at every moment."""
    cell = jaxion.models.duesterwald2018(closure="electroneutral")
    protocol = Protocol(rest(10.0), block("neuron.nka", 1.0, 60.0), bath(60.0, K=12.0))
    options = {
        "start": "setpoint",
        "save": [0.0, 5.0, 10.0, 20.0, 70.0, 90.0, 130.0],
        "measure": {"top": maximum("neuron.V")},
        "rtol": 1e-9,
    }
    kernel, diffrax = (jaxion.solve(cell, protocol, backend=backend, **options) for backend in ("kernel", "diffrax"))
    assert kernel.saved.shape == diffrax.saved.shape
    for path in ("neuron.V", "neuron.Na", "neuron.K", "neuron.Cl", "neuron.volume", "neuron.nka.rate"):
        np.testing.assert_allclose(kernel[path], diffrax[path], rtol=1e-7, atol=1e-12)
    assert float(kernel.measures["top"]) == pytest.approx(float(diffrax.measures["top"]), rel=1e-7)
    assert float(kernel.final["neuron.V"]) == pytest.approx(float(kernel["neuron.V"][-1]), rel=1e-9)

    def chloride(K, lowering):
        return jaxion.solve(jaxion.replace(cell, {"bath.K": K}), protocol, start="setpoint", rtol=1e-8, lowering=lowering).final[
            "neuron.Cl"
        ]

    slope, h = float(jax.grad(chloride)(4.0, "llvm")), 1e-3
    difference = (chloride(4.0 + h, "llvm") - chloride(4.0 - h, "llvm")) / (2 * h)
    assert slope == pytest.approx(float(difference), rel=1e-5)


# Spreading depolarisation of Hübel's and Dahlem's neuron


@pytest.fixture(scope="module")
def closed():
    return jaxion.models.huebel_dahlem2014(reservoir="closed")


@pytest.mark.slow
def test_pump_off_depolarises_and_agrees_with_scipy(closed):
    rest_state = jaxion.setpoint(closed)
    protocol = Protocol(block("neuron.nka", 1.0, 4.6))
    times = np.linspace(0.0, 4.6, 24)
    sol = jaxion.solve(closed, protocol, start=rest_state, save=times, rtol=1e-8, measure={"up": crossing("neuron.V", -50.0)})
    assert float(sol.measures["up"]) == pytest.approx(published.PUMP_OFF_CROSSING, rel=1e-3)
    rows = by_scipy(closed, rest_state.model.pack(rest_state.snapshot), [(blocked(closed, 1.0), 4.6)], times, "Radau", 1e-10)
    # The last rows are the gate and V; in the first spikes a difference in time of 1e-7 s shows.
    np.testing.assert_allclose(sol.saved[:-1, :-2], rows[:-1, :-2], rtol=1e-6)
    np.testing.assert_allclose(sol["neuron.V"][:-2], rows[:-2, -1], rtol=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize("reservoir", ["glia", "bath"])
def test_a_short_pump_block_triggers_spreading_depolarisation(reservoir):
    wanted = published.SPREADING_DEPOLARISATION[reservoir]
    measures = {
        "first": crossing("neuron.V", -40.0),
        "last": crossing("neuron.V", -40.0, "down", "last"),
        "K": maximum("ecs.K"),
        "Na": maximum("neuron.Na"),
    }
    protocol = Protocol(rest(20.0), block("neuron.nka", 1.0, 9.5), rest(200.0))
    sol = jaxion.solve(jaxion.models.huebel_dahlem2014(reservoir=reservoir), protocol, measure=measures)
    assert float(sol.measures["first"]) == pytest.approx(wanted["first"], rel=1e-3)
    low, high = wanted["last"]
    assert 0.97 * low < float(sol.measures["last"]) < 1.03 * high
    assert float(sol.measures["K"]) == pytest.approx(wanted["K"], rel=2e-4)
    if "Na" in wanted:
        assert float(sol.measures["K.time"]) == pytest.approx(wanted["K.time"], rel=1e-3)
        assert float(sol.measures["Na"]) == pytest.approx(wanted["Na"], rel=2e-4)


@pytest.mark.slow
def test_spreading_depolarisation_agrees_with_scipy():
    model = jaxion.models.huebel_dahlem2014(reservoir="bath")
    protocol = Protocol(rest(20.0), block("neuron.nka", 1.0, 9.5), rest(10.5))
    sol = jaxion.solve(model, protocol, measure={"first": crossing("neuron.V", -40.0), "K": maximum("ecs.K")}, rtol=1e-7)
    times = np.concatenate([np.linspace(0.0, 24.0, 25), np.linspace(24.8, 24.9, 2001), np.linspace(30.0, 40.0, 1001)])
    phases = [(model, 20.0), (blocked(model, 1.0), 9.5), (model, 10.5)]
    rows = dict(zip(model.rows, by_scipy(model, model.pack(model.baseline()), phases, times, "LSODA", 1e-8).T, strict=True))
    first = times[np.flatnonzero(rows["neuron.V"] >= -40.0)[0]]
    assert float(sol.measures["first"]) == pytest.approx(first, abs=2e-4)
    assert float(sol.measures["K"]) == pytest.approx(np.max(rows["ecs.n_K"] / rows["ecs.volume"]), rel=1e-5)


@pytest.mark.slow
def test_spreading_depolarisation_begins_when_diffrax_says():
    model, times = jaxion.models.huebel_dahlem2014(reservoir="bath"), np.linspace(24.8, 24.9, 2001)
    protocol = Protocol(rest(20.0), block("neuron.nka", 1.0, 4.9))
    kernel, diffrax = (jaxion.solve(model, protocol, save=times, rtol=1e-7, backend=road) for road in ("kernel", "diffrax"))
    first, other = (times[np.flatnonzero(np.asarray(sol["neuron.V"]) >= -40.0)[0]] for sol in (kernel, diffrax))
    assert first == pytest.approx(other, abs=2e-4)
    np.testing.assert_allclose(diffrax["ecs.K"][:500], kernel["ecs.K"][:500], rtol=1e-5)


@pytest.mark.slow
def test_quasi_steady_gates_end_where_full_gates_end(closed):
    protocol = Protocol(block("neuron.nka", 1.0, "2 h"))
    qss = jaxion.solve(
        jaxion.models.huebel_dahlem2014(reservoir="closed", gates="qss"), protocol, start="setpoint", measure={"end": final()}
    )
    full = jaxion.solve(closed, protocol, start="setpoint", measure={"end": final()})
    for path in ("neuron.V", "neuron.Na", "ecs.K"):
        assert float(qss.measures[f"end.{path}"]) == pytest.approx(float(full.measures[f"end.{path}"]), rel=1e-4)
    assert float(qss.measures["end.neuron.V"]) == pytest.approx(-22.86836, rel=1e-4)
    assert int(qss.stats["accepted"]) < 0.05 * int(full.stats["accepted"])


# Anoxia of Zandt's neuron


@pytest.mark.slow
def test_anoxia_ends_in_the_wave_of_death():
    model = jaxion.models.zandt2011()
    times = sorted({t for t, *_ in published.ANOXIA})
    levels = {f"V{i}": crossing("neuron.V", level) for i, (level, _) in enumerate(published.ANOXIA_CROSSINGS)}
    sol = jaxion.solve(model, Protocol(anoxia(1500.0)), start="setpoint", save=times, measure={**levels, "peak": maximum("neuron.V")})
    for i, (_, t) in enumerate(published.ANOXIA_CROSSINGS):
        assert float(sol.measures[f"V{i}"]) == pytest.approx(t, rel=1e-4)
    assert float(sol.measures["peak"]) == pytest.approx(published.ANOXIA_PEAK, abs=0.006)
    for t, path, value in published.ANOXIA:
        assert float(sol[path][times.index(t)]) == pytest.approx(value, rel=1e-4)


@pytest.mark.slow
@pytest.mark.parametrize("left", [0.0, 0.2])
def test_anoxia_agrees_with_scipy_and_diffrax_until_it_depolarises(left):
    model = jaxion.models.zandt2011()
    rest_state = jaxion.setpoint(model)
    protocol = Protocol(rest(5.0), anoxia(25.0, left=left))
    times = np.linspace(0.0, 30.0, 31)
    kernel, diffrax = (
        jaxion.solve(model, protocol, start=rest_state, save=times, backend=backend, rtol=1e-8) for backend in ("kernel", "diffrax")
    )
    activities = {path: left for _, path, _ in model.anoxia[:-1]}
    without = jaxion.replace(model, {**activities, model.anoxia[-1][1]: 1.0})
    rows = by_scipy(model, model.pack(rest_state.snapshot), [(model, 5.0), (without, 25.0)], times, "Radau", 1e-9)
    np.testing.assert_allclose(kernel.saved, rows, rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(diffrax.saved, rows, rtol=1e-4, atol=1e-4)


def test_a_state_is_a_start(cell, set_point):
    whole = jaxion.solve(cell, Protocol(block("neuron.nka", 1.0, 60.0), rest(60.0)), start=set_point)
    first = jaxion.solve(cell, Protocol(block("neuron.nka", 1.0, 60.0)), start=set_point)
    second = jaxion.solve(cell, Protocol(rest(60.0)), start=first.final)
    np.testing.assert_allclose(second.final.rows, whole.final.rows, rtol=1e-7)
    assert float(first.final["neuron.nka.rate"]) == 0.0
    assert jnp.shape(first.final["neuron.V"]) == ()


WRONG = [
    ({"save": [1.0, 5.0, 4.0]}, r"^Argument `save` must be increasing, but save\[1\]=5 s is followed by 4 s\.$"),
    ({"save": [11.0]}, r"^Argument `save` must lie within the protocol, 0 to 10 s, but save\[0\] is 11 s\.$"),
    ({"start": "setpont"}, r"^Argument `start` must be .*Did you mean `setpoint`\?$"),
    ({"start": [1.0, 2.0]}, r"^Argument `start` must have 5 rows \(neuron\.n_Cl, .*\), but its shape is \(2,\)\.$"),
    ({"backend": "kernl"}, r"^Argument `backend` must be one of .*Did you mean `kernel`\?$"),
    ({"solver": 1}, r"^Argument `solver` goes with `backend=\"diffrax\"` only\.$"),
    ({"lowering": "lvm"}, r"^Argument `lowering` must be one of auto, llvm, xla, but it is `lvm`\. Did you mean `llvm`\?$"),
    ({"lowering": "xla", "backend": "diffrax"}, r"^Argument `lowering` goes with `backend=\"kernel\"` only, but it is `xla` for"),
    (
        {"tangents": "variational", "backend": "diffrax"},
        r"^Argument `tangents` goes with `backend=\"kernel\"` only, but it is `variational`",
    ),
    ({"tangents": "exct"}, r"^Argument `tangents` must be one of exact, variational, but it is `exct`\. Did you mean `exact`"),
    ({"rtol": 1e-2}, r"^Argument `rtol` must lie between 1e-12 and 1e-4, but it is 0\.01"),
    ({"measure": {"a": 3}}, r"^Measure `a` must be one such as .*, but it is `3`\.$"),
    ({"measure": {"a": maximum("neuron.Vm")}}, r"^No path `neuron\.Vm` .*Did you mean `neuron\.V`"),
    ({"wrt": "neuron.nka.vmax"}, r"^No path `neuron\.nka\.vmax` .*Did you mean `neuron\.nka\.v_max`"),
    ({"protocol": "pump_blok"}, r"has no protocol `pump_blok`; .*Did you mean `pump_block`\?$"),
    ({"protocol": [1]}, r"^Argument `protocol` must be a Protocol or the name of one, but it is `\[1\]`\.$"),
    ({"model": "cell"}, r"^Argument `model` must be a Model or a Population, but it is `cell`\.$"),
]


@pytest.mark.parametrize(("change", "message"), WRONG, ids=lambda x: "" if isinstance(x, str) else next(iter(x)))
def test_wrong_input_is_refused_by_name(cell, change, message):
    with pytest.raises((ValueError, jaxion.JaxionError), match=message):
        jaxion.solve(**{"model": cell, "protocol": Protocol(rest(10.0)), **change})
