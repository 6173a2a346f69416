"""Closed forms against reference numbers and against each other."""

import math

import hypothesis.strategies as st
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from reference import thermodynamics as reference
from reference.thermodynamics import Ionic, Printed

from jaxion import thermo
from jaxion.cycle import Cycle
from jaxion.errors import ConservationError
from jaxion.ions import VALENCE
from jaxion.units import thermal_energy, thermal_voltage

RT_F = reference.RT_F
SGLT2 = Cycle(inward={"Na": 2, "Glc": 1})
SGLT1 = Cycle(inward={"Na": 1, "Glc": 1})
GLUT = Cycle(inward={"Glc": 1})
PUMP = Cycle(outward={"Na": 3}, inward={"K": 2}, ATP=1)
EAAT = Cycle(outward={"K": 1}, inward={"Na": 3, "H": 1, "Glu": 1})


def assert_printed(computed: jax.Array, printed: Printed) -> None:
    assert computed.shape == ()
    assert float(computed) == pytest.approx(printed.value, abs=printed.tolerance, rel=0)


rows = pytest.mark.parametrize("row", reference.ROWS, ids=["Na_i=15", "Na_i=12", "Na_i=10"])


# Reference numbers


@rows
@pytest.mark.parametrize("ion", ["Na", "K", "Cl"])
def test_nernst(row: Ionic, ion: str):
    z = VALENCE[ion]
    assert_printed(thermo.nernst(row.inside[ion], row.outside[ion], z, RT_F), getattr(row, f"E_{ion}"))


def test_bicarbonate_is_a_buffer_of_dissolved_carbon_dioxide():
    """The textbook's blood: 24 mM at pH 7.4 and 40 mmHg; ten times as much for one unit of pH, as much again for twice the CO₂."""
    assert float(thermo.bicarbonate(7.4, 40.0)) == pytest.approx(24.0, abs=0.1)
    assert float(thermo.bicarbonate(7.1)) == pytest.approx(0.03 * 39 * 10, rel=1e-12)
    assert float(thermo.bicarbonate(8.1) / thermo.bicarbonate(7.1)) == pytest.approx(10.0, rel=1e-12)
    assert float(jax.grad(thermo.bicarbonate)(7.1)) == pytest.approx(math.log(10) * 11.7, rel=1e-12)
    assert thermo.bicarbonate(jnp.array([7.1, 7.4])).shape == (2,)


@rows
@pytest.mark.parametrize("ion", ["Na", "K"])
def test_energy_of_influx(row: Ionic, ion: str):
    energy = thermo.transport_energy(Cycle(inward={ion: 1}), row.inside, row.outside, reference.V, reference.T)
    assert_printed(energy, getattr(row, f"{ion}_influx"))


@rows
def test_pump_work_per_ATP(row: Ionic):
    work = thermo.pump_work(PUMP, row.inside, row.outside, reference.V, reference.T)
    assert_printed(work, row.pump_work)
    assert 40 < work < 50
    double = Cycle(outward={"Na": 6}, inward={"K": 4}, ATP=2)
    assert thermo.pump_work(double, row.inside, row.outside, reference.V, reference.T) == pytest.approx(float(work), rel=1e-14)


@rows
@pytest.mark.parametrize(("cycle", "name"), [(SGLT2, "glucose_2Na"), (SGLT1, "glucose_1Na")])
def test_glucose_accumulation(row: Ionic, cycle: Cycle, name: str):
    assert_printed(thermo.max_accumulation(cycle, "Glc", row.inside, row.outside, reference.V, RT_F), getattr(row, name))


@rows
def test_glutamate_accumulation(row: Ionic):
    inside, outside = row.inside | {"H": reference.PROTON["inside"]}, row.outside | {"H": reference.PROTON["outside"]}
    assert_printed(thermo.max_accumulation(EAAT, "Glu", inside, outside, reference.V, RT_F), row.glutamate)


def energy_of_GABA(row: Ionic, **ions: int) -> jax.Array:
    inside, outside = row.inside | {"GABA": reference.GABA["inside"]}, row.outside | {"GABA": reference.GABA["outside"]}
    return thermo.transport_energy(Cycle(inward={"GABA": 1} | ions), inside, outside, reference.V, reference.T)


@rows
def test_energy_of_GABA_uptake(row: Ionic):
    assert_printed(energy_of_GABA(row, Na=2), row.GABA_2Na)
    assert_printed(energy_of_GABA(row, Na=2, Cl=1), row.GABA_2Na_1Cl)
    assert_printed(energy_of_GABA(row), reference.RT_LN_1E4)


@pytest.mark.parametrize(
    ("row", "energy"), [(reference.ROWS[0], reference.GABA_3NA_1CL[0]), (reference.ROWS[2], reference.GABA_3NA_1CL[1])]
)
def test_energy_of_GABA_uptake_with_a_third_sodium(row: Ionic, energy: Printed):
    # Two digits are printed, so that half a unit of the last is coarser than 1e-4 relative.
    assert float(energy_of_GABA(row, Na=3, Cl=1)) == pytest.approx(energy.value, abs=0.005)
    third_sodium = thermo.transport_energy(Cycle(inward={"Na": 1}), row.inside, row.outside, reference.V, reference.T)
    assert energy_of_GABA(row, Na=3, Cl=1) == pytest.approx(float(energy_of_GABA(row, Na=2, Cl=1) + third_sodium), rel=1e-13)


@rows
def test_steady_potentials(row: Ionic):
    P = {"K": 1.0, "Na": 0.04}
    assert_printed(thermo.ghk_voltage(P | {"Cl": 0.45}, row.inside, row.outside, RT_F), row.GHK)
    assert_printed(thermo.ghk_voltage(P, row.inside, row.outside, RT_F), row.GHK_no_Cl)
    assert_printed(thermo.mullins_noda(P, row.inside, row.outside, RT_F), row.mullins_noda)


@pytest.mark.parametrize("flux", reference.GHK_FLUXES, ids=lambda f: f"z={f.z},V={f.V}")
def test_ghk_flux(flux: reference.Flux):
    computed = thermo.ghk_flux(1.0, flux.V, flux.inside, flux.outside, flux.z, RT_F)
    assert_printed(computed, flux.J)
    if flux.V == 0:
        assert computed == flux.inside - flux.outside


@pytest.mark.parametrize("cell", reference.DONNAN_CELLS, ids=lambda c: f"zX={c.zX}")
def test_donnan(cell: reference.DonnanCell):
    computed = thermo.donnan(cell.zX, reference.SALT, RT_F)
    assert_printed(computed.cation, cell.cation)
    assert_printed(computed.anion, cell.anion)
    assert_printed(computed.V, cell.V)
    assert computed.cation * computed.anion == pytest.approx(22500, rel=1e-14)


@pytest.mark.parametrize("name", reference.REVERSALS)
def test_reversal_potentials(name: str):
    case = reference.REVERSALS[name]
    cycle = Cycle(
        outward={s: n for s, n in case.counts.items() if n > 0},
        inward={s: -n for s, n in case.counts.items() if n < 0},
    )
    E = thermo.reversal(cycle, case.inside, case.outside, RT_F)
    assert_printed(E, case.E)
    assert thermo.affinity(cycle, case.inside, case.outside, E, RT_F) == pytest.approx(0, abs=1e-13)


# Laws


def test_electrogenic_share_reaches_its_bound_and_never_exceeds_it():
    P = {"K": 1.0, "Na": 0.04}

    def share(inside: dict, outside: dict) -> float:
        return float(thermo.mullins_noda(P, inside, outside, RT_F) - thermo.ghk_voltage(P, inside, outside, RT_F))

    bound = reference.MAX_ELECTROGENIC_SHIFT
    # All outward leak is K and all inward leak is Na: the pump shows in full.
    assert share({"Na": 0.0, "K": 140.0}, {"Na": 145.0, "K": 0.0}) == pytest.approx(-bound.value, abs=bound.tolerance)
    for row in reference.ROWS:
        assert -bound.value < share(row.inside, row.outside) < 0


def test_mullins_noda_with_an_electroneutral_pump_is_ghk():
    row = reference.ROWS[0]
    P = {"K": 1.0, "Na": 0.04}
    neutral = thermo.mullins_noda(P, row.inside, row.outside, RT_F, r=1.0)
    assert neutral == thermo.ghk_voltage(P, row.inside, row.outside, RT_F)


def test_ghk_voltage_of_one_ion_is_its_nernst_potential():
    row = reference.ROWS[0]
    for ion in ("Na", "K", "Cl"):
        E = thermo.nernst(row.inside[ion], row.outside[ion], VALENCE[ion], RT_F)
        assert thermo.ghk_voltage({ion: 2.0}, row.inside, row.outside, RT_F) == pytest.approx(float(E), rel=1e-13)


def test_currents_cancel_at_the_ghk_voltage():
    row = reference.ROWS[1]
    P = {"K": 1.0, "Na": 0.04, "Cl": 0.45}
    V = thermo.ghk_voltage(P, row.inside, row.outside, RT_F)
    currents = [VALENCE[ion] * thermo.ghk_flux(P[ion], V, row.inside[ion], row.outside[ion], VALENCE[ion], RT_F) for ion in P]
    assert sum(currents) == pytest.approx(0, abs=1e-12)


def test_maximal_accumulation_is_equilibrium():
    row = reference.ROWS[1]
    ratio = float(thermo.max_accumulation(SGLT2, "Glc", row.inside, row.outside, reference.V, RT_F))
    inside, outside = row.inside | {"Glc": 1e-3 * ratio}, row.outside | {"Glc": 1e-3}
    assert thermo.affinity(SGLT2, inside, outside, reference.V, RT_F) == pytest.approx(0, abs=1e-13)
    # Below it glucose still enters, above it leaves.
    assert thermo.affinity(SGLT2, inside | {"Glc": 0.9e-3 * ratio}, outside, reference.V, RT_F) > 0
    assert thermo.affinity(SGLT2, inside | {"Glc": 1.1e-3 * ratio}, outside, reference.V, RT_F) < 0


def test_lowest_ratio_of_an_exporter():
    KCC2 = Cycle(outward={"K": 1, "Cl": 1})
    ratio = thermo.max_accumulation(KCC2, "Cl", {"K": 140.0}, {"K": 3.5}, 12.3, RT_F)
    # Cl_i = K_o Cl_o / K_i, whatever the potential.
    assert 120 * ratio == pytest.approx(3.0, rel=1e-14)


def test_affinity_of_an_electroneutral_cycle_ignores_the_potential():
    NKCC1 = Cycle(inward={"Na": 1, "K": 1, "Cl": 2})
    outside = {"Na": 145.0, "K": 3.5, "Cl": 120.0}
    inside = {"Na": 12.0, "K": 140.0, "Cl": math.sqrt(145 * 3.5 * 120**2 / (12 * 140))}
    assert inside["Cl"] == pytest.approx(65.95, abs=0.005)
    for V in (-70.0, 30.0):
        assert thermo.affinity(NKCC1, inside, outside, V, RT_F) == pytest.approx(0, abs=1e-14)


def test_affinity_of_water_is_the_osmotic_difference():
    water = Cycle(inward={"water": 1})
    assert thermo.affinity(water, {}, {}, -70.0, RT_F, osmolarity_inside=310.0, osmolarity_outside=297.0) == 13
    mixed = Cycle(outward={"K": 1, "Cl": 1, "water": 2})
    solution = {"K": 1.0, "Cl": 1.0}
    assert thermo.affinity(mixed, solution, solution, -70.0, RT_F, osmolarity_inside=310.0, osmolarity_outside=297.0) == -26


def test_affinity_of_a_cycle_that_moves_nothing_is_zero():
    assert thermo.affinity(Cycle(ATP=1), {}, {}, -70.0, RT_F) == 0


def test_energy_is_affinity_in_kilojoules():
    row = reference.ROWS[0]
    energy = thermo.transport_energy(PUMP, row.inside, row.outside, reference.V, T=298.15)
    assert energy == -thermal_energy(298.15) * thermo.affinity(PUMP, row.inside, row.outside, reference.V, thermal_voltage(298.15))


positive = st.floats(1e-6, 1e3)
voltage = st.floats(-300, 300)


@settings(deadline=None)
@given(V=voltage, inside=positive, outside=positive, ion=st.sampled_from(["Na", "Cl", "Ca", "Glc"]))
def test_ghk_flux_is_downhill(V: float, inside: float, outside: float, ion: str):
    z = VALENCE[ion]
    flux = thermo.ghk_flux(1.0, V, inside, outside, z, RT_F)
    force = thermo.affinity(Cycle(outward={ion: 1}), {ion: inside}, {ion: outside}, V, RT_F)
    # Rounding may cost the sign where the two unidirectional fluxes balance.
    unidirectional = (inside + outside) * (1 + abs(z * V) / RT_F)
    assert flux * force >= -1e-13 * unidirectional


@settings(deadline=None)
@given(inside=positive, outside=positive, ion=st.sampled_from(["Na", "Cl", "Ca"]))
def test_no_driving_force_and_no_flux_at_the_nernst_potential(inside: float, outside: float, ion: str):
    z = VALENCE[ion]
    E = thermo.nernst(inside, outside, z, RT_F)
    assert thermo.affinity(Cycle(outward={ion: 1}), {ion: inside}, {ion: outside}, E, RT_F) == pytest.approx(0, abs=1e-13)
    assert thermo.reversal(Cycle(outward={ion: 1}), {ion: inside}, {ion: outside}, RT_F) == pytest.approx(float(E), rel=1e-13)
    unidirectional = (inside + outside) * (1 + abs(z * E) / RT_F)
    assert abs(thermo.ghk_flux(1.0, E, inside, outside, z, RT_F)) < 1e-13 * unidirectional


@settings(deadline=None)
@given(zX=st.floats(-1e6, 1e6), salt=st.floats(1e-3, 1e3))
def test_donnan_is_electroneutral_with_equal_products(zX: float, salt: float):
    cell = thermo.donnan(zX, salt, RT_F)
    assert cell.cation * cell.anion == pytest.approx(salt**2, rel=1e-13)
    assert cell.cation - cell.anion == pytest.approx(-zX, abs=1e-13 * (salt + abs(zX)))
    assert thermo.nernst(cell.cation, salt, 1, RT_F) == pytest.approx(float(cell.V), abs=1e-12)
    assert thermo.nernst(cell.anion, salt, -1, RT_F) == pytest.approx(float(cell.V), abs=1e-12)


# Batches


def test_everything_broadcasts_over_cells_under_jit_and_vmap():
    V = jnp.array([-70.0, 0.0, 1e-9, 40.0])
    inside, outside = {"Na": jnp.array([15.0, 12.0, 10.0, 8.0]), "K": jnp.full(4, 140.0)}, {"Na": 145.0, "K": 4.0}
    P = {"K": 1.0, "Na": 0.04}

    def everything(V, inside):
        return {
            "nernst": thermo.nernst(inside["Na"], outside["Na"], 1, RT_F),
            "ghk_voltage": thermo.ghk_voltage(P, inside, outside, RT_F),
            "mullins_noda": thermo.mullins_noda(P, inside, outside, RT_F),
            "ghk_flux": thermo.ghk_flux(0.1, V, inside["Na"], outside["Na"], 1, RT_F),
            "donnan": thermo.donnan(-inside["Na"], 150.0, RT_F),
            "affinity": thermo.affinity(PUMP, inside, outside, V, RT_F),
            "reversal": thermo.reversal(PUMP, inside, outside, RT_F),
            "pump_work": thermo.pump_work(PUMP, inside, outside, V),
            "accumulation": thermo.max_accumulation(SGLT2, "Glc", inside, outside, V, RT_F),
        }

    batch = jax.jit(everything)(V, inside)
    assert all(leaf.shape == (4,) for leaf in jax.tree.leaves(batch))
    mapped = jax.jit(jax.vmap(everything))(V, inside)
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-14), batch, mapped)
    one = everything(V[1], {ion: c[1] for ion, c in inside.items()})
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a[1], b, rtol=1e-14), batch, one)


def test_gradients_of_the_closed_forms_are_central_differences():
    def objective(x):
        inside, outside = {"Na": x[0], "K": x[1], "Cl": x[2]}, {"Na": 145.0, "K": x[3], "Cl": 120.0}
        P = {"K": 1.0, "Na": x[4], "Cl": 0.45}
        return jnp.stack(
            [
                thermo.nernst(x[2], 120.0, -1, RT_F),
                thermo.ghk_voltage(P, inside, outside, RT_F),
                thermo.mullins_noda(P, inside, outside, RT_F),
                thermo.pump_work(PUMP, inside, outside, 1e3 * x[4]),
                thermo.donnan(-x[1], x[0], RT_F).cation,
                thermo.max_accumulation(SGLT1, "Glc", inside, outside, -70.0, RT_F),
            ]
        )

    x = jnp.array([12.0, 140.0, 7.0, 4.0, 0.04])
    objective = jax.jit(objective)
    forward = jax.jit(jax.jacfwd(objective))(x)
    np.testing.assert_allclose(forward, jax.jit(jax.jacrev(objective))(x), rtol=1e-12, atol=1e-15)
    steps = 1e-5 * np.diag(np.asarray(x))
    differences = np.stack([(objective(x + h) - objective(x - h)) / (2 * h.sum()) for h in steps], axis=-1)
    np.testing.assert_allclose(forward, differences, rtol=1e-7, atol=1e-7)


# Wrong input

SIDE = {"Na": 10.0, "K": 140.0, "Ca": 1.0, "GABA": 1.0}


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: thermo.nernst(1.0, 2.0, 0, RT_F), "charge number 0 has no Nernst potential"),
        (lambda: thermo.ghk_voltage({"Ca": 1.0}, SIDE, SIDE, RT_F), "univalent ions only, but `Ca` has charge number 2"),
        (lambda: thermo.ghk_voltage({"GABA": 1.0}, SIDE, SIDE, RT_F), "univalent ions only, but `GABA` has charge number 0"),
        (lambda: thermo.ghk_voltage({"K": 1.0, "Cl": 1.0}, SIDE, SIDE, RT_F), "`outside` has no `Cl`; it has Ca, GABA, K, Na"),
        (lambda: thermo.ghk_voltage({"Kalium": 1.0}, SIDE, SIDE, RT_F), "Unknown species `Kalium`"),
        (lambda: thermo.mullins_noda({"K": 1.0}, SIDE, SIDE, RT_F), "`P` has no `Na`; it has K"),
        (lambda: thermo.affinity(PUMP, SIDE, {}, -70.0, RT_F), "`outside` has no `K`; it has nothing"),
        (
            lambda: thermo.affinity(Cycle(inward={"water": 1}), SIDE, SIDE, -70.0, RT_F),
            "moves water: its affinity needs `osmolarity_inside`",
        ),
        (lambda: thermo.reversal(GLUT, SIDE, SIDE, RT_F), "moves no net charge"),
        (lambda: thermo.pump_work(SGLT1, SIDE, SIDE, -70.0), "hydrolyses no ATP"),
        (lambda: thermo.max_accumulation(SGLT1, "GABA", SIDE, SIDE, -70.0, RT_F), "does not move `GABA`"),
        (lambda: thermo.max_accumulation(PUMP, "K", SIDE, SIDE, -70.0, RT_F), "driven by ATP"),
    ],
)
def test_wrong_input_is_refused(call, message: str):
    with pytest.raises(ValueError, match=message):
        call()


def test_unknown_ion_is_a_jaxion_error():
    with pytest.raises(ConservationError):
        thermo.ghk_voltage({"Kalium": 1.0}, SIDE, SIDE, RT_F)
