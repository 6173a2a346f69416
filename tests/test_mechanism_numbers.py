"""Mechanisms against published numbers, rates worked out by hand, and each other."""

import dataclasses
import math
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from mechanism_cases import (
    IONS,
    REST,
    State,
    draw,
    each_pump,
    rate,
    uniform,
    variants,
    view,
)
from reference import mechanisms as reference
from reference import thermodynamics

from jaxion import mechanisms, thermo
from jaxion.ions import VALENCE, WATER
from jaxion.mechanisms import AbstractMechanism
from jaxion.units import BODY_RT_F, FARADAY


def build(name: str, **arguments: Any) -> AbstractMechanism:
    return getattr(mechanisms, name)(**arguments)


def state_with(inside: dict[str, float], outside: dict[str, float], V: float = -70.0) -> State:
    return uniform(REST, inside=REST.inside | inside, outside=REST.outside | outside, V=V)


@pytest.mark.parametrize("form", reference.PUMP_FORMS.values(), ids=reference.PUMP_FORMS.keys())
def test_pump_forms_run_at_the_published_fraction(form: reference.PumpForm):
    pump = build(form.mechanism, v_max=1.0, **form.parameters)
    for (Na, K), printed in zip(reference.PUMP_STATES, form.fractions, strict=True):
        assert float(rate(pump, state_with({"Na": Na}, {"K": K}))) == pytest.approx(printed.value, abs=printed.half_unit, rel=0)


def test_cubic_pump_carries_the_current_of_the_resting_neuron():
    P, Na_i, Na_o, printed = reference.DUESTERWALD_PUMP
    found = rate(build("NaKATPaseCubic", v_max=P), state_with({"Na": Na_i}, {"Na": Na_o}))
    assert float(found) == pytest.approx(printed.value, abs=printed.half_unit)


@pytest.mark.parametrize(("V", "printed"), reference.VOLTAGE_FACTOR, ids=lambda x: str(x))
def test_voltage_speeds_the_luo_rudy_pump_up_by_the_published_factor(V: float, printed: reference.Digits):
    # Na inside and K outside so high that they saturate it to rounding.
    state = state_with({"Na": 1e12}, {"Na": reference.VOLTAGE_FACTOR_NA_O, "K": 1e18}, V)
    seen = dataclasses.replace(view(state), RT_F=jnp.asarray(reference.KALIA_RT_F))
    assert float(build("NaKATPaseLuoRudy", v_max=1.0).rate(seen)) == pytest.approx(printed.value, abs=printed.half_unit, rel=0)


@pytest.mark.parametrize(("V", "printed"), reference.KALIA_PUMP, ids=["neuron", "astrocyte"])
def test_luo_rudy_pump_carries_the_current_of_the_published_baseline(V: float, printed: reference.Digits):
    state = state_with({"Na": 13.0}, {"Na": reference.VOLTAGE_FACTOR_NA_O, "K": 3.0}, V)
    seen = dataclasses.replace(view(state), RT_F=jnp.asarray(reference.KALIA_RT_F))
    assert float(build("NaKATPaseLuoRudy", v_max=reference.KALIA_PUMP_MAX).rate(seen)) == pytest.approx(
        printed.value, abs=printed.half_unit, rel=0
    )


@each_pump
def test_pumps_do_3_to_2_and_scale_with_their_maximal_rate_or_number(pump):
    assert (pump.cycle.count("Na"), pump.cycle.count("K"), pump.cycle.ATP, pump.cycle.charge) == (3, -2, 1, 1)
    assert float(rate(pump, REST)) > 0
    most = "N" if hasattr(pump, "N") else "v_max"
    double = eqx.tree_at(lambda m: getattr(m, most), pump, 2 * getattr(pump, most))
    assert float(rate(double, REST)) == pytest.approx(2 * float(rate(pump, REST)), rel=1e-14)


@pytest.mark.parametrize("flux", thermodynamics.GHK_FLUXES, ids=lambda f: f"z={f.z},V={f.V}")
def test_GHK_leak_has_the_constant_field_flux(flux):
    ion = {1: "Na", -1: "Cl"}[flux.z]
    found = rate(build("GHKLeak", ion=ion, P=1.0), state_with({ion: flux.inside}, {ion: flux.outside}, flux.V))
    assert float(found) == pytest.approx(flux.J.value, abs=flux.J.tolerance)


@pytest.mark.parametrize("row", thermodynamics.ROWS, ids=["Na_i=15", "Na_i=12", "Na_i=10"])
@pytest.mark.parametrize("ion", IONS)
def test_leak_carries_its_conductance_times_its_driving_force(row, ion):
    state = state_with(row.inside, row.outside, thermodynamics.V)
    current = VALENCE[ion] * FARADAY * float(rate(build("Leak", ion=ion, g=2.0), state))
    assert current == pytest.approx(2.0 * (thermodynamics.V - getattr(row, f"E_{ion}").value), abs=2e-4)


@pytest.mark.parametrize("ion", IONS)
def test_GHK_and_ohmic_leak_agree_in_slope_at_equilibrium(ion):
    # Between equal solutions g = P c z² F / (RT/F): both are the same conductor there.
    P, c = 0.01, 80.0
    g = P * c * FARADAY / BODY_RT_F
    found = [
        float(jax.jit(jax.grad(lambda V, m=m: rate(m, state_with({ion: c}, {ion: c})._replace(V=V))))(0.0))
        for m in (build("GHKLeak", ion=ion, P=P), build("Leak", ion=ion, g=g))
    ]
    assert found[0] == pytest.approx(found[1], rel=1e-13)


@pytest.mark.parametrize(
    ("equilibrium", "name"),
    [(e, name) for e in reference.EQUILIBRIA.values() for name in e.mechanisms],
    ids=lambda x: x if isinstance(x, str) else "",
)
def test_cotransporters_stand_still_at_the_published_chloride(equilibrium: reference.Equilibrium, name: str):
    (transporter,) = variants(getattr(mechanisms, name))
    at = lambda Cl, V=-70.0: float(rate(transporter, state_with(equilibrium.inside | {"Cl": Cl}, equilibrium.outside, V)))  # noqa: E731
    printed = equilibrium.Cl
    # The rate changes sign within the last digit printed, at any potential.
    below, above = at(printed.value - printed.half_unit), at(printed.value + printed.half_unit)
    assert below * above < 0
    assert at(2.0, V=0.0) == at(2.0, V=-100.0)
    outward = transporter.cycle.count("Cl") > 0
    assert (above > 0) == outward


def test_KCC2_equilibrates_where_chloride_and_potassium_share_their_potential():
    e, printed = reference.EQUILIBRIA["K-Cl"], reference.KCC2_EQUILIBRIUM_POTENTIAL
    seen = view(state_with(e.inside | {"Cl": e.outside["K"] * e.outside["Cl"] / e.inside["K"]}, e.outside))
    assert float(seen.E("K")) == pytest.approx(printed.value, abs=printed.half_unit)
    assert float(seen.E("Cl")) == pytest.approx(float(seen.E("K")), rel=1e-14)


@pytest.mark.parametrize("case", reference.BY_HAND, ids=lambda case: case.mechanism)
def test_rates_worked_out_by_hand(case: reference.Rate):
    found = rate(build(case.mechanism, **case.arguments), state_with(case.inside, case.outside, case.V))
    assert float(found) == pytest.approx(case.rate, rel=1e-14)


def test_log_forms_are_proportional_to_the_logarithm_of_the_ratio():
    state = state_with({"Na": 12.0, "K": 140.0, "Cl": 7.0}, {"Na": 145.0, "K": 3.5, "Cl": 120.0})
    assert float(rate(build("KCC2Log", u=0.3), state)) == pytest.approx(0.3 * math.log(140 * 7 / (3.5 * 120)), rel=1e-13)
    ratio = 145 * 3.5 * 120**2 / (12 * 140 * 7**2)
    assert float(rate(build("NKCC1Log", u=0.3), state)) == pytest.approx(0.3 * math.log(ratio), rel=1e-13)


def test_KCC2_as_a_conductance_is_the_log_form_at_its_thermal_voltage(rng):
    states = draw(rng, 100)
    conductance, log = build("KCC2", g=0.2), build("KCC2Log", u=0.2 * BODY_RT_F / FARADAY)
    np.testing.assert_allclose(rate(conductance, states), rate(log, states), rtol=1e-10, atol=1e-14)


def test_water_follows_the_osmolarity():
    water = build("Water", P=0.01)
    assert float(rate(water, uniform(REST, osmolarity_inside=310.0, osmolarity_outside=300.0))) == pytest.approx(0.1, rel=1e-13)
    assert water.cycle.count(WATER) == -1


def test_affinity_of_a_view_is_that_of_the_closed_form():
    cycle = build("NKCC1Log", u=1.0).cycle
    found = view(REST).affinity(cycle)
    assert float(found) == float(thermo.affinity(cycle, REST.inside, REST.outside, REST.V, BODY_RT_F))
