"""The tripartite synapse of Kalia et al. (2021): its baseline, and what energy deprivation does to it."""

from typing import Any

import jax.numpy as jnp
import numpy as np
import pytest
from reference import kalia as published
from reference.mechanisms import Digits

import jaxion
from jaxion import Protocol, crossing, smooth_block

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def model():
    return jaxion.models.kalia2021()


def test_baseline_has_the_published_derived_quantities(model):
    for cell, leaks in published.LEAKS.items():
        for ion, P in leaks.items():
            assert float(model[f"{cell}.leak_{ion}.P"]) * 1e-3 == pytest.approx(float(P), rel=3e-7)
    for name, anions in published.ANIONS.items():
        X, z = float(model[f"{name}.impermeant"]), float(model[f"{name}.z"])
        assert X * (1 - z) / 2 == pytest.approx(anions.value, abs=anions.half_unit)
        assert X * (1 + z) / 2 == pytest.approx(published.CATIONS[name].value, abs=published.CATIONS[name].half_unit)
    for cell, I in published.PUMP.items():
        assert float(model[f"{cell}.nka.I"]) == pytest.approx(I.value, abs=I.half_unit)
    for pool, amount in published.POOLS.items():
        assert float(model[f"neuron.n_{pool}"]) == pytest.approx(amount, rel=1e-9)


def test_baseline_is_an_equilibrium(model):
    start = model.pack(model.baseline())
    assert float(jnp.max(jnp.abs(model.rhs(start)))) < 1e-7
    assert float(model["neuron.V"]) == pytest.approx(-65.5, abs=1e-9)
    assert float(model["astrocyte.V"]) == pytest.approx(-80.0, abs=1e-9)


def test_what_runs_against_its_force_is_said_to(model):
    assert "astrocyte.kir          1 K out                      charge +1 (driven from outside of the model)" in str(jaxion.check(model))


@pytest.fixture(scope="module")
def consistent():
    return jaxion.models.kalia2021(consistent=True)


def test_the_consistent_variant_keeps_every_law(consistent):
    found = jaxion.check(consistent)
    assert found.ok, str(found)
    driven = {line.split()[0] for line in str(found).splitlines() if "driven from outside" in line}
    # What fills and empties vesicles runs on a gradient of protons that is no part of the model.
    assert driven == {f"neuron.{key}" for key in ("docking", "priming", "binding_1", "binding_2", "binding_3", "fusion", "filling")}


def test_the_consistent_variant_rests_where_published_on_leaks_that_differ_where_it_does(model, consistent):
    assert float(jnp.max(jnp.abs(consistent.rhs(consistent.pack(consistent.baseline()))))) < 1e-7
    for cell in ("neuron", "astrocyte"):
        assert float(consistent[f"{cell}.eaat.rate"]) == pytest.approx(float(model[f"{cell}.eaat.rate"]), rel=1e-12)
        assert float(consistent[f"{cell}.ncx.I"]) == pytest.approx(float(model[f"{cell}.ncx.I"]) / 2, rel=1e-12)
        assert float(consistent[f"{cell}.ncx.J_Na"]) == pytest.approx(float(model[f"{cell}.ncx.J_Na"]), rel=1e-12)
        for ion in ("Na", "Cl", "Glu"):
            assert float(consistent[f"{cell}.leak_{ion}.P"]) == pytest.approx(float(model[f"{cell}.leak_{ion}.P"]), rel=1e-9)
    # K⁺ leaves through Kir, above its equilibrium at -87.7 mV, and not through the leak.
    assert float(consistent["astrocyte.kir.I"]) == pytest.approx(-float(model["astrocyte.kir.I"]), rel=1e-12)
    assert float(consistent["astrocyte.kir.I"]) > 0
    less = float(model["astrocyte.leak_K.I"] - consistent["astrocyte.leak_K.I"])
    assert less == pytest.approx(2 * float(consistent["astrocyte.kir.I"]), rel=1e-7)
    # The other ions' leaks are small enough to feel that twice as much Ca²⁺ leaves by NCX.
    assert float(consistent["astrocyte.leak_Ca.P"]) == pytest.approx(2 * float(model["astrocyte.leak_Ca.P"]), rel=1e-9)


POOLS = [f"neuron.Glu_{pool}" for pool in ("D", "N", "R", "R1", "R2", "R3")]


def test_every_cell_has_a_set_point_and_many_have_empty_vesicles(rng):
    model = jaxion.models.kalia2021(gates="qss")
    activities = [path.name for path in jaxion.paths(model) if path.name.endswith(".activity")]
    cells = jaxion.replace(model, {path: np.exp(rng.normal(0, 0.1, 200)) for path in activities})
    point = jaxion.setpoint(cells)
    assert point.ok.all()
    docked = np.asarray(point["neuron.Glu_D"]) / float(model["neuron.Glu_D"])
    empty = np.abs(docked) < 1e-12
    assert 20 < empty.sum() < 180
    assert (docked[~empty] > 1e-3).all()
    for pool in POOLS:
        assert (np.abs(np.asarray(point[pool])[empty]) < 1e-12).all()


def test_empty_vesicles_are_a_set_point_that_filling_leaves():
    model = jaxion.models.kalia2021(alpha_e=0.8, gates="qss")
    point = jaxion.setpoint(model, start=dict.fromkeys(POOLS, 0.0), throw=False)
    # A trace of glutamate in a vesicle would grow, by 2e-6 of it per second.
    assert point.status == jaxion.Status.unstable
    rows = dict(zip(model.rows, model.pack(point.snapshot), strict=True))
    assert float(point["neuron.V"]) == pytest.approx(published.LARGE_ECS_V, abs=5e-5)
    for row, amount in published.LARGE_ECS_START.items():
        if row in rows:
            assert float(rows[row]) == pytest.approx(amount, rel=3e-9)


def deprivation(model, left, start: Any = "baseline", rtol=1e-8):
    course = smooth_block(("neuron.nka", "astrocyte.nka"), 1 - left, 2400.0, begin=60 * 5.7361, end=60 * (10 - 0.7361), width=15.0)
    up = {"up": crossing("neuron.V", -45.0)}
    sol = jaxion.solve(model, Protocol(course), start=start, save=[0.0, 600.0, 2400.0], measure=up, rtol=rtol)

    def value(path, minute):
        rows = np.asarray(sol[path])
        return float(rows[{10: 1, 40: 2}[minute]]) * (100.0 / float(rows[0]) if path.endswith("volume") else 1.0)

    return float(sol.measures["up"]) / 60, value


@pytest.mark.parametrize(("gates", "left"), published.DEPRIVATION)
def test_energy_deprivation_leaves_a_small_space_depolarised(gates, left):
    minute, rows = published.DEPRIVATION[gates, left]
    up, value = deprivation(jaxion.models.kalia2021(gates=gates), left)
    assert up == pytest.approx(minute, rel=1e-3)
    for path, at, printed in rows:
        known = Digits(printed)
        assert value(path, at) == pytest.approx(known.value, rel=1e-4, abs=known.half_unit), (path, at)


def test_the_consistent_variant_fails_alike():
    for left, minute in ((0.0, published.DEPRIVATION["qss", 0.0][0]), (0.5, published.DEPRIVATION["qss", 0.5][0])):
        up, value = deprivation(jaxion.models.kalia2021(gates="qss", consistent=True), left, rtol=1e-6)
        assert up == pytest.approx(minute, rel=2e-3)
        assert value("neuron.V", 40) == pytest.approx(-33.75, abs=0.1)


@pytest.mark.parametrize("start", published.LARGE_ECS)
def test_energy_deprivation_in_a_large_space(start):
    model = jaxion.models.kalia2021(alpha_e=0.8, gates="qss")
    rows = model.pack(model.baseline())
    if start == "empty":
        rows = empty(model)
        # Nine digits of 290 fmol of K leave the potential free by 2 µV; at V = -65.0566 mV nothing else moves.
        assert float(model.unpack(rows).potentials["neuron"]) == pytest.approx(published.LARGE_ECS_V, abs=5e-3)
        assert float(jnp.max(jnp.abs(model.rhs(rows)))) < 5e-4
    minute, values = published.LARGE_ECS[start]
    up, value = deprivation(model, 0.5, start=rows)
    assert up == pytest.approx(minute, rel=1e-3)
    for path, printed in values.items():
        known = Digits(printed)
        assert value(path, 40) == pytest.approx(known.value, rel=1e-4, abs=known.half_unit), path


def empty(model):
    """The state with empty vesicles; the extracellular space holds what the baseline's totals leave for it."""
    rows = dict(zip(model.rows, model.pack(model.baseline()), strict=True))
    new = {row: 0.0 for row in rows if ".n_Glu_" in row} | published.LARGE_ECS_START
    for row in rows:
        if row.startswith("ecs."):
            solute = row.removeprefix("ecs.")
            gained = sum(new[r] - rows[r] for r in new if r.split(".", 1)[1] == solute or (solute == "n_Glu" and ".n_Glu_" in r))
            new[row] = rows[row] - gained
    return jnp.stack([jnp.asarray(new[row], float) for row in rows])
