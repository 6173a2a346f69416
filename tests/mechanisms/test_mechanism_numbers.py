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


def test_logistic_pump_has_the_published_density_at_saturation():
    rho, r, printed = reference.CRESSMAN_DENSITY
    area, volume = 4 * math.pi * r**2, 4e-3 / 3 * math.pi * r**3
    saturated = rate(build("NaKATPaseSigmoid", v_max=rho * volume), state_with({"Na": 1e3}, {"K": 1e3}))
    # 1e8 µm²/cm² and 1e-6 µA/pA; the constant of the paper has one digit less than SI's.
    assert float(saturated) * 96.4853399 / area * 1e2 == pytest.approx(printed.value, abs=printed.half_unit)


def test_saturating_KCC2_transports_what_its_published_code_says():
    K_i, K_o, Cl_o, printed = 140.0, 3.5, 120.0, reference.RAIMONDO_KCC2
    u = 0.117 / math.log(56 * K_i / (K_o * Cl_o))
    found = rate(build("KCC2Saturating", u=u), state_with({"K": K_i, "Cl": 5.0}, {"K": K_o, "Cl": Cl_o}))
    assert float(found) == pytest.approx(printed.value, abs=printed.half_unit)


@pytest.mark.parametrize("case", reference.HALTS.values(), ids=reference.HALTS.keys())
def test_electrogenic_transporters_stand_still_at_the_published_potential(case: reference.Halt):
    (transporter,) = [m for m in variants(getattr(mechanisms, case.mechanism)) if all(getattr(m, k) == v for k, v in case.options.items())]
    below, above = (
        float(rate(transporter, state_with(case.inside, case.outside, case.V.value + side * case.V.half_unit))) for side in (-1, 1)
    )
    assert below * above < 0
    # Depolarisation drives positive charge out.
    assert (above > 0) == (transporter.cycle.charge > 0)


@pytest.mark.parametrize("row", thermodynamics.ROWS, ids=["Na_i=15", "Na_i=12", "Na_i=10"])
@pytest.mark.parametrize("n", [1, 2])
def test_SGLT_accumulates_glucose_as_far_as_published(n: int, row: thermodynamics.Ionic):
    printed = {1: row.glucose_1Na, 2: row.glucose_2Na}[n]

    def at(ratio: float) -> float:
        return float(
            rate(build("SGLT", v_max=1.0, n_Na=n), state_with(row.inside | {"Glc": ratio}, row.outside | {"Glc": 1.0}, thermodynamics.V))
        )

    assert at(printed.value - printed.tolerance) > 0 > at(printed.value + printed.tolerance)


def test_reversal_of_GAT_moves_with_each_gradient_as_with_three_sodium():
    cycle = {coupling: mechanisms.GAT(1.0, coupling=coupling).cycle for coupling in ("2Na:1Cl", "3Na:1Cl")}
    RT_F = 1e3 * 8.314462618 * 297.15 / 96485.33212

    def slope(coupling: str, ion: str) -> float:
        E = [float(thermo.reversal(cycle[coupling], REST.inside, REST.outside | {ion: c * REST.outside[ion]}, RT_F)) for c in (1.0, 10.0)]
        return E[1] - E[0]

    for ion, (measured, error) in reference.GAT_SLOPES.items():
        assert slope("3Na:1Cl", ion) == pytest.approx(measured, abs=1.5 * error)
        assert abs(slope("2Na:1Cl", ion) - measured) > 5 * error


def test_kir_conducts_at_rest_as_named_and_grows_with_outer_potassium():
    E_K0 = BODY_RT_F * math.log(3.082 / 99.959)
    at = lambda name, V, K_o, **more: float(  # noqa: E731
        FARADAY * rate(build(name, g=2.0, **more), state_with({"K": 99.959}, {"K": K_o}, V))
    )
    # A microvolt above E_K the first form conducts g, and with four times the outer K⁺ twice that but for the factor of the potential.
    assert at("KirOstby", E_K0 + 1e-3, 3.082) == pytest.approx(2e-3, rel=5e-5)
    E_K = BODY_RT_F * math.log(4 * 3.082 / 99.959)
    open_ = (1 + math.exp(-(118.6 + E_K0) / 44.1)) / (1 + math.exp(-(118.6 + E_K) / 44.1))
    assert at("KirOstby", E_K + 1e-3, 4 * 3.082) == pytest.approx(4e-3 * open_, rel=5e-5)
    # The second reverses 14.83 mV below E_K, and is half as open 34 mV above it.
    assert at("KirSibille", E_K0 - 14.83, 3.082) == pytest.approx(0.0, abs=1e-12)
    assert at("KirSibille", BODY_RT_F * math.log(4 / 99.959) + 34.0, 4.0) == pytest.approx(2.0 * 2.0 * 48.83 / 2, rel=1e-13)
    # The third is half open at E_K, and conducts half as well with four times the outer K⁺.
    assert at("KirKager", E_K0 + 1e-5, 3.082) == pytest.approx(1e-5 / math.sqrt(3.082), rel=1e-4)
    assert at("KirKager", BODY_RT_F * math.log(4 / 99.959) - 50.0, 4.0) == pytest.approx(-2.0 / 2 * 50.0, rel=1e-13)
