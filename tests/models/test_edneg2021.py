"""Sætra, Einevoll & Halnes 2021: its equations written by hand, its rest, its firing, and where fast firing ends."""

import edneg_by_hand as by_hand
import jax.numpy as jnp
import numpy as np
import pytest
from model_cases import rebuilt
from reference import edneg as published

import jaxion
from jaxion import Protocol, inject, maximum, rest, spikes
from jaxion.protocols.targets import with_injections

LAYERS = ("soma", "dendrite")
ROWS = (
    *(f"{layer}.{domain}.n_{ion}" for domain, ion in by_hand.AMOUNTS for layer in LAYERS),
    *published.GATES,
    *(f"{layer}.{domain}.volume" for domain in by_hand.DOMAINS for layer in LAYERS),
)
"""Rows of the model in the order of those written by hand."""
UNITS = np.array([1e6] * 22 + [1.0] * 6 + [1e9] * 6)
"""fmol per nmol, and pL per cm³."""
INJECTED = "soma.neuron.inject_K.I"


@pytest.fixture(scope="module")
def model():
    return jaxion.models.edneg2021()


@pytest.fixture(scope="module")
def point(model):
    return jaxion.setpoint(model)


def rows(model, y):
    """State rows of a state by hand."""
    named = dict(zip(ROWS, (y.T * UNITS).T, strict=True))
    return jnp.stack([jnp.asarray(named[row]) for row in model.rows])


# The equations


def scattered(rng, cells=50):
    """States by hand: ions and volumes vary by 20 %, potentials from −100 to 50 mV, calcium up to tenfold."""
    y = by_hand.start()[:, None] * np.exp(rng.normal(0, 0.2, (34, cells)))
    y[22:28] = rng.uniform(0.01, 0.99, (6, cells))
    calcium = [i for i, row in enumerate(ROWS) if row.endswith("neuron.n_Ca")]
    y[calcium] = by_hand.start()[calcium][:, None] * np.exp(rng.uniform(0.5, 2.3, (2, cells)))
    # K⁺ brings each membrane to its potential.
    for domain in ("neuron", "astrocyte"):
        V = by_hand.potentials(by_hand.unpack(y)[0])[domain]
        lacking = (rng.uniform(-100, 50, (2, cells)) - V) * by_hand.C * by_hand.AREA / by_hand.F
        y[[ROWS.index(f"{layer}.{domain}.n_K") for layer in LAYERS]] += lacking
    assert (y > 0).all()
    return y


@pytest.mark.parametrize("current", [0.0, 36.0])
def test_moves_as_its_equations_say(model, current, rng):
    y = scattered(rng)
    stimulated = jaxion.replace(with_injections(model, [INJECTED]), {INJECTED: current})
    found = dict(zip(model.rows, stimulated.rhs(rows(model, y)), strict=True))
    wanted = 1e3 * (by_hand.rates(0.0, y, 1e-6 * current).T * UNITS).T
    for row, rate in zip(ROWS, wanted, strict=True):
        np.testing.assert_allclose(found[row], rate, rtol=1e-8, atol=1e-10 * np.abs(rate).max(), err_msg=row)


def test_starts_from_the_papers_initial_state(model):
    np.testing.assert_allclose(model.pack(model.baseline())[:22], rows(model, by_hand.start())[:22], rtol=1e-12)
    assert float(model["soma.neuron.V"]) == pytest.approx(-66.9, abs=1e-9)
    assert float(model["dendrite.astrocyte.V"]) == pytest.approx(-83.9, abs=1e-9)
    # The paper's q is that of the rest, where the dendrites have 0.4 % more calcium than at the start.
    for path, value in published.GATES.items():
        assert path.endswith(".q") or float(model[path]) == pytest.approx(value, abs=5e-5), path


@pytest.mark.slow
def test_keeps_the_laws_but_for_what_it_says_is_driven(model):
    found = jaxion.check(model)
    assert found.ok, str(found)
    driven = [line.split()[0] for line in str(found).splitlines() if "driven from outside" in line]
    assert {path.rpartition(".")[2] for path in driven} == {"water", "extrusion"}
    # Three ions of all six compartments, calcium of four, two volumes, and the charge of each layer.
    assert len(found.totals) == 3 + 1 + 2 + 2


def test_layers_stay_neutral(model, rng):
    snapshot = model.unpack(rows(model, scattered(rng)))
    change = dict(zip(model.rows, model.rhs(model.pack(snapshot)), strict=True))
    for total in model.structure.balances:
        drift = sum(w * np.asarray(change[row]) for row, w in total.weights)
        gross = sum(abs(w) * np.abs(np.asarray(change[row])) for row, w in total.weights)
        assert np.max(np.abs(drift) / gross) < 1e-12


# The rest


@pytest.mark.slow
def test_rests_where_published(model, point):
    assert point.ok
    assert bool(point.certificate.stable)
    for path, value in published.REST.items():
        assert float(point[path]) == pytest.approx(value, rel=published.STEADY), path
    assert float(point["soma.ecs.dV"]) == pytest.approx(published.REST_OUTER, abs=5e-5)
    for domain, change in published.REST_SWELLING.items():
        ratio = float(point[f"soma.{domain}.volume"] / model[f"soma.{domain}.volume"])
        assert 100 * (ratio - 1) == pytest.approx(change, abs=5e-5)


@pytest.mark.slow
def test_rests_where_its_equations_lead(model, point):
    _, y = by_hand.course([(6e7, 0.0)])
    np.testing.assert_allclose(model.pack(point.snapshot), rows(model, y[:, -1]), rtol=1e-6)


@pytest.mark.slow
def test_every_sensitivity_of_the_rest_is_finite(model):
    wrt = [path.name for path in jaxion.paths(model) if path.kind == "parameter" and path.name.endswith((".g", ".v_max", ".P", ".u"))]
    found = jaxion.sensitivity(model, of=("soma.neuron.V", "soma.ecs.K", "dendrite.astrocyte.volume"), wrt=tuple(wrt))
    assert np.isfinite(found.matrix).all()
    assert (np.abs(found.matrix).max(axis=1) > 1e-2).all()


# Transients


MEASURES = {"spikes": spikes("soma.neuron.V", published.THRESHOLD), "K": maximum("soma.ecs.K")}


def begun(model):
    """Rows of the paper's initial state, with its gates."""
    return rows(model, by_hand.start())


@pytest.mark.slow
def test_fires_as_published(model):
    around = np.linspace(10.08, 10.12, 401)
    sol = jaxion.solve(model, dict(model.published)["firing"], start=begun(model), save=[*around, 20.0], measure=MEASURES, rtol=1e-9)
    assert float(sol.measures["spikes"]) == published.FIRING_SPIKES
    first, second, last = published.FIRING_TIMES
    assert float(sol.measures["spikes.first"]) == pytest.approx(first, rel=1e-6)
    assert float(sol.measures["spikes.last"]) == pytest.approx(last, rel=1e-6)
    V = np.asarray(sol["soma.neuron.V"])[:-1]
    (up,) = np.flatnonzero((V[:-1] < published.THRESHOLD) & (V[1:] >= published.THRESHOLD))
    assert around[up] <= second <= around[up + 1]
    for path, value in published.FIRING_AT_20.items():
        assert float(sol[path][-1]) == pytest.approx(value, rel=published.STEADY), path
    assert float(sol.measures["K"]) == pytest.approx(published.FIRING_MAXIMUM, rel=published.STEADY)


@pytest.mark.slow
def test_fires_alike_from_steady_gates(model):
    sol = jaxion.solve(model, dict(model.published)["firing"], measure=MEASURES, rtol=1e-9)
    assert float(sol.measures["spikes"]) == published.FIRING_SPIKES
    for name, time in (("spikes.first", published.FIRING_TIMES[0]), ("spikes.last", published.FIRING_TIMES[-1])):
        assert float(sol.measures[name]) == pytest.approx(time, rel=published.EVENT)
    assert float(sol.measures["K"]) == pytest.approx(published.FIRING_MAXIMUM, rel=published.STEADY)


@pytest.mark.slow
def test_fast_firing_ends_in_a_depolarisation_block(model, rng):
    """Starts that differ by 1e-9 end with other counts of spikes: a single course is one draw of many, and their mean is compared."""
    protocol = dict(model.published)["depolarisation_block"]
    starts = np.asarray(begun(model))[:, None] * (1 + 1e-9 * rng.normal(size=(len(model.rows), 32)))
    sol = jaxion.solve(model, protocol, start=starts, save=[20.0, 30.0], measure=MEASURES, rtol=1e-9)
    assert sol.ok.all()
    fewest, most = published.BLOCK_SPIKES
    assert fewest <= float(sol.measures["spikes"].mean()) <= most
    np.testing.assert_allclose(sol.measures["spikes.first"], published.BLOCK_FIRST, rtol=published.EVENT)
    earliest, latest = published.BLOCK_LAST
    assert earliest <= float(sol.measures["spikes.last"].mean()) <= latest
    start = float(model["soma.ecs.volume"])
    for i, (time, values) in enumerate(published.BLOCK.items()):
        for path, value in values.items():
            assert float(sol[path][i].mean()) == pytest.approx(value, rel=published.BLOCKED), path
        swelling = 100 * (float(sol["soma.ecs.volume"][i].mean()) / start - 1)
        assert swelling == pytest.approx(published.BLOCK_SWELLING[time], abs=0.02)
    # Potassium still rises after the end of the stimulus.
    np.testing.assert_array_equal(sol.measures["K.time"], 30.0)


@pytest.mark.slow
def test_spikes_are_those_of_its_equations(model):
    phases = (0.05, 0.0), (0.2, 36.0), (0.05, 0.0)
    times = np.linspace(0.0, 0.3, 31)
    protocol = Protocol(*(inject("soma.neuron", current, duration) for duration, current in phases))
    sol = jaxion.solve(model, protocol, start=begun(model), save=times, measure=MEASURES, rtol=1e-9)
    assert float(sol.measures["spikes"]) >= 2
    t, y = by_hand.course([(1e3 * duration, 1e-6 * current) for duration, current in phases])
    V = by_hand.potentials(by_hand.unpack(y)[0])["neuron"]
    # Between steps of BDF the potential runs along a line.
    for layer, course in zip(LAYERS, V, strict=True):
        np.testing.assert_allclose(sol[f"{layer}.neuron.V"], np.interp(1e3 * times, t, course), atol=0.02)


@pytest.mark.slow
def test_both_closures_give_one_course(model):
    protocol = Protocol(inject("soma.neuron", 150.0, 0.02), rest(0.02))
    ends = [jaxion.solve(m, protocol, rtol=1e-10).final for m in (model, rebuilt(model, "state"))]
    for path in ("soma.neuron.V", "soma.ecs.K", "dendrite.neuron.Ca", "soma.ecs.dV"):
        assert float(ends[0][path]) == pytest.approx(float(ends[1][path]), rel=1e-5), path
