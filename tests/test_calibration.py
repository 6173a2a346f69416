"""Baselines that are exact set-points."""

import jax
import jax.numpy as jnp
import pytest

import jaxion

LEAKS = [f"neuron.leak_{ion}.g" for ion in ("Na", "K", "Cl")]


@pytest.fixture(scope="module")
def cell():
    """A neuron whose baseline is its set-point."""
    model = jaxion.models.duesterwald2018()
    point = jaxion.setpoint(model)
    return jaxion.replace(model, {f"neuron.{what}": float(point[f"neuron.{what}"]) for what in ("Na", "Cl", "V", "volume", "impermeant")})


def test_at_a_set_point_the_leaks_are_those_that_led_to_it(cell):
    found = jaxion.calibrate(jaxion.replace(cell, dict.fromkeys(LEAKS, 0.3)), solve_for=LEAKS)
    for path in LEAKS:
        assert float(found[path]) == pytest.approx(float(cell[path]), rel=1e-8)


def test_nothing_changes_at_a_calibrated_baseline(cell):
    off = jaxion.replace(cell, dict.fromkeys(LEAKS, 0.3))
    still = jaxion.calibrate(off, at={"neuron.Na": 15.0}, solve_for=LEAKS)
    assert float(still["neuron.Na"]) == pytest.approx(15.0, rel=1e-14)
    assert float(jnp.max(jnp.abs(still.rhs(still.pack(still.baseline()))))) < 1e-8
    # What the leaks were before does not matter.
    again = jaxion.calibrate(cell, at={"neuron.Na": 15.0}, solve_for=LEAKS)
    for path in LEAKS:
        assert float(still[path]) == pytest.approx(float(again[path]), rel=1e-12)


def test_calibration_is_differentiable(cell):
    def leak(Na):
        return jaxion.calibrate(cell, at={"neuron.Na": Na}, solve_for=LEAKS)["neuron.leak_Na.g"]

    slope = float(jax.jit(jax.grad(leak))(15.0))
    assert slope == pytest.approx(float(leak(15.0 + 1e-4) - leak(15.0 - 1e-4)) / 2e-4, rel=1e-7)


def test_batches_are_calibrated_cell_by_cell(cell):
    many = jaxion.calibrate(cell, at={"neuron.Na": jnp.asarray([14.5, 15.0])}, solve_for=LEAKS)
    for i, Na in enumerate((14.5, 15.0)):
        one = jaxion.calibrate(cell, at={"neuron.Na": Na}, solve_for=LEAKS)
        assert float(many["neuron.leak_K.g"][i]) == pytest.approx(float(one["neuron.leak_K.g"]), rel=1e-12)


@pytest.mark.parametrize(
    ("at", "paths", "message"),
    [
        (
            {"neuron.V": -120.0},
            ["neuron.leak_Na.g", "neuron.leak_K.g"],
            r"^No positive parameters keep the baseline of `huebel_dahlem2014` .*`neuron.leak_K.g` would have to be -",
        ),
        (
            {},
            ["neuron.leak_Na.g"],
            r"^The baseline of `huebel_dahlem2014` is no equilibrium: `.*` changes at .* and no parameter balances it\.$",
        ),
        ({}, ["neuron.leak_Na.g", "neuron.na.g"], "must name parameters that balance different ions"),
        ({}, ["neuron.kdr.phi"], "that a rate is proportional to, but `neuron.kdr.phi` is none at this baseline"),
        ({}, ["neuron.leak_Na.activity", "neuron.nka.K_Na"], "that a rate is proportional to, but `neuron.nka.K_Na` is none"),
        ({}, ["neuron.C"], "must name parameters of mechanisms, but `neuron.C` is none"),
    ],
)
def test_what_cannot_be_calibrated_is_refused(at, paths, message):
    cell = jaxion.models.huebel_dahlem2014()
    with pytest.raises(ValueError, match=message):
        jaxion.calibrate(cell, at=at or {"neuron.Na": 20.0}, solve_for=paths)
