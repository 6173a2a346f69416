"""Cells that live by ATP of their own: what uses it and makes it, what is conserved, and what stops without oxygen."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from mechanism_cases import REST, draw, rate, view
from model_cases import rebuilt, scattered

import jaxion
from jaxion import Bath, Compartment, ConservationError, Cycle, Membrane, Model, Protocol, anoxia, rest
from jaxion.mechanisms import (
    AbstractMechanism,
    ATPConsumption,
    ATPSupply,
    CreatineKinase,
    Glycolysis,
    Leak,
    Modulated,
    NaKATPaseConstant,
    NaKATPaseFourState,
    OxidativePhosphorylation,
    SharedHydrolysis,
)
from jaxion.snapshot import view as membrane_view

pytestmark = pytest.mark.slow

POOL = {"ATP": 2.4, "ADP": 0.1, "PCr": 7.0, "Cr": 2.0, "Pi": 1.0}
"""mM; 2 to 3 mM of ATP and 5 to 10 mM of phosphocreatine are usual (UNVERIFIED)."""


def cell(pump: AbstractMechanism | None = None, without: tuple[str, ...] = ()) -> Model:
    """The neuron of Düsterwald et al. (2018) with oxygen outside and metabolism inside; the latter's constants are made up."""
    base = jaxion.models.duesterwald2018()
    membrane, used, volume = base.membranes["neuron"], float(base["neuron.nka.ATP"]), float(base["neuron.volume"])
    mechanisms = {
        **membrane.mechanisms,
        "nka": pump or Modulated(membrane.mechanisms["nka"], by=ATPSupply(K_ATP=0.2)),
        "respiration": OxidativePhosphorylation(0.5 * used, K_ADP=0.05),
        "creatine_kinase": CreatineKinase(5.0 * used, K=100.0),
        "other": ATPConsumption(0.3 * used, K_ATP=0.1),
    }
    kept = {key: m for key, m in mechanisms.items() if key not in without}
    inside = {"Na": 14.0, "K": 123.0, "Cl": 5.2, **POOL}
    return Model(
        {"neuron": Compartment(inside, volume=volume, impermeant=float(base["neuron.impermeant"]) - 12 * volume, z=-0.92)},
        {"bath": Bath({"Na": 145.0, "K": 3.5, "Cl": 119.0, "O2": 0.05}, impermeant=29.5)},
        [Membrane("neuron", "bath", kept, C=membrane.C, V=-72.0, area="cylinder")],
        name="fed",
        RT_F=base.RT_F,
        F=base.F,
        anoxia=(("set", "bath.O2", 1e-9),),
    )


def four_state() -> NaKATPaseFourState:
    return NaKATPaseFourState(N=0.03, MgATP=None, MgADP=None, Pi=None)


@pytest.fixture(scope="module")
def fed():
    return cell()


@pytest.fixture(scope="module")
def deprived(fed):
    """A quarter of an hour without oxygen."""
    measure = {"half": jaxion.crossing("neuron.ATP", 1.2, direction="down")}
    measure |= {key: jaxion.integral(f"neuron.{key}.ATP") for key in ("nka", "respiration", "other")}
    return jaxion.solve(fed, Protocol(rest(10), anoxia(900)), start="setpoint", save="0:910:92", measure=measure, rtol=1e-9)


# Bookkeeping


def column(model: Model, key: str) -> dict[str, int]:
    s = model.structure
    column = s.S[:, s.processes.index(("neuron", key))]
    return {row: int(count) for row, count in zip(s.amounts + s.volumes, column, strict=True) if count}


def test_a_pump_takes_ATP_where_it_is_a_solute_and_counts_it_elsewhere(fed):
    ions = {"neuron.n_Na": -3, "neuron.n_K": 2}
    assert column(fed, "nka") == ions | {"neuron.n_ATP": -1, "neuron.n_ADP": 1, "neuron.n_Pi": 1}
    plain = jaxion.models.duesterwald2018()
    assert column(plain, "nka") == ions
    assert float(plain["neuron.nka.ATP"]) == float(plain["neuron.nka.rate"])


def test_oxygen_makes_five_ATP_and_is_used_at_once(fed):
    assert column(fed, "respiration") == {"neuron.n_ATP": 5, "neuron.n_ADP": -5, "neuron.n_Pi": -5}
    assert float(fed["neuron.respiration.J_O2"]) == -float(fed["neuron.respiration.rate"])
    assert float(fed["neuron.respiration.ATP"]) == -5 * float(fed["neuron.respiration.rate"])
    assert str(Cycle(ATP=-5)) == "makes 5 ATP"


def test_adenylate_creatine_and_phosphate_are_totals(fed):
    found = {total.name: dict(total.weights) for total in fed.structure.totals}
    assert "neuron.n_ADP + neuron.n_ATP" in found
    assert "neuron.n_Cr + neuron.n_PCr" in found
    # Phosphate: ATP + PCr + Pi is (ADP + ATP) + (Cr + PCr) − (ADP + Cr − Pi).
    assert found["neuron.n_ADP + neuron.n_Cr - neuron.n_Pi"] == {"neuron.n_ADP": 1, "neuron.n_Cr": 1, "neuron.n_Pi": -1}
    assert len(found) == 3


def test_ATP_without_ADP_is_refused(fed):
    compartment = fed.compartments["neuron"]
    lacking = {ion: c for ion, c in compartment.concentrations.items() if ion != "ADP"}
    membrane = Membrane("neuron", "bath", {"nka": NaKATPaseConstant(0.1)}, C=20.0)
    with pytest.raises(ConservationError, match=r"`neuron\.nka` \(NaKATPaseConstant\) turns ATP into ADP or back: `neuron` must hold both"):
        Model({"neuron": Compartment(lacking, volume=2.0)}, fed.baths, [membrane])
    plain = Compartment({"Na": 14.0, "K": 123.0, "Cl": 5.2}, volume=2.0)
    for mechanism, solute in ((Glycolysis(0.1, 0.1), "ADP"), (Modulated(NaKATPaseConstant(0.1), by=ATPSupply()), "ADP")):
        with pytest.raises(ConservationError, match=f"senses {solute}, but `neuron` has only"):
            Model({"neuron": plain}, fed.baths, [Membrane("neuron", "bath", {"x": mechanism}, C=20.0)])
    assert four_state().senses == ("ATP", "ADP", "Pi")
    with pytest.raises(ConservationError, match="senses ATP, but `neuron` has only"):
        Model({"neuron": plain}, fed.baths, [Membrane("neuron", "bath", {"nka": four_state()}, C=20.0)])


def test_laws_hold_with_metabolism_inside(fed):
    found = jaxion.check(fed)
    assert found.ok, str(found)


# Rates


def test_ATP_and_ADP_compete_for_the_pump():
    at = REST._replace(inside=REST.inside | {"ATP": jnp.asarray(2.0), "ADP": jnp.asarray(0.3)})
    assert float(ATPSupply(K_ATP=0.4, K_i=0.1).factor(view(at))) == pytest.approx(2.0 / (2.0 + 0.4 * 4.0), rel=1e-14)
    assert float(ATPSupply(K_ATP=0.4, K_i=None).factor(view(at))) == pytest.approx(2.0 / 2.4, rel=1e-14)
    assert float(ATPSupply(K_ATP=0.4, K_i=None, side="outside").factor(view(at))) == pytest.approx(0.1 / 0.5, rel=1e-14)


def test_creatine_kinase_goes_to_its_equilibrium(rng):
    states, kinase = draw(rng, 100), CreatineKinase(1.0, K=100.0)
    s = states.inside
    assert bool(jnp.all(rate(kinase, states) * (jnp.log(100.0 * s["PCr"] * s["ADP"]) - jnp.log(s["Cr"] * s["ATP"])) >= 0))
    balanced = states._replace(inside=s | {"ADP": s["Cr"] * s["ATP"] / (100.0 * s["PCr"])})
    assert float(jnp.max(jnp.abs(rate(kinase, balanced)) / (s["Cr"] * s["ATP"]))) < 1e-15


def test_a_pump_on_the_solutes_is_the_pump_at_held_metabolites(rng):
    states = draw(rng, 50)
    held = NaKATPaseFourState(0.03, MgATP=states.inside["ATP"], MgADP=states.inside["ADP"], Pi=states.inside["Pi"])
    np.testing.assert_array_equal(rate(four_state(), states), rate(held, states))


def test_oxygen_on_an_unknown_side_is_refused():
    for make in (lambda side: OxidativePhosphorylation(0.1, 0.1, side=side), lambda side: ATPSupply(side=side)):
        with pytest.raises(ValueError, match="must be one of inside, outside, but it is `beside`"):
            make("beside")


# Set-points


def test_a_set_point_makes_what_it_uses_and_is_certified(fed):
    point = jaxion.setpoint(fed)
    assert bool(point.ok)
    totals = point.certificate.totals
    assert {name for name in totals if "ADP" in name or "Cr" in name} == {total.name for total in fed.structure.totals}
    assert max(abs(float(error)) for error in totals.values()) < 1e-13
    found = jaxion.ledger(point)
    assert abs(float(found.error)) < 1e-10
    assert set(found.used) == {"neuron.nka", "neuron.other"}
    assert float(found.ATP) == pytest.approx(-float(point["neuron.respiration.ATP"]), rel=1e-12)
    ratio = point["neuron.Cr"] * point["neuron.ATP"] / (point["neuron.PCr"] * point["neuron.ADP"])
    assert float(ratio) == pytest.approx(100.0, rel=1e-9)


def test_set_point_moves_with_metabolism_as_differences_say(fed):
    of, wrt = ("neuron.ATP", "neuron.PCr", "neuron.Na"), ("neuron.respiration.v_max", "bath.O2", "neuron.nka.by.K_ATP")
    found = jaxion.sensitivity(fed, of=of, wrt=wrt, scaled=False)
    for path in wrt:
        step = 1e-4 * float(fed[path])
        above, below = (jaxion.setpoint(jaxion.replace(fed, {path: float(fed[path]) + sign * step})) for sign in (1, -1))
        for response in of:
            difference = float(above[response] - below[response]) / (2 * step)
            assert float(found[response, path]) == pytest.approx(difference, rel=1e-5), (response, path)


def test_without_oxygen_for_good_there_is_no_ATP_and_the_cell_is_at_Donnan_equilibrium(fed):
    dead = jaxion.setpoint(jaxion.replace(fed, {"neuron.respiration.activity": 0.0}))
    assert abs(float(dead["neuron.ATP"])) + abs(float(dead["neuron.PCr"])) < 1e-8
    assert float(dead["neuron.nka.rate"]) < 1e-12
    assert float(dead["neuron.Na"] / dead["bath.Na"]) == pytest.approx(float(dead["bath.Cl"] / dead["neuron.Cl"]), rel=1e-9)


# Transients


def test_solutes_of_metabolism_are_conserved_through_anoxia(fed, deprived):
    start, end = (dict(zip(fed.rows, deprived.saved[when], strict=True)) for when in (0, -1))
    for total in fed.structure.totals:
        kept, gross = (sum(f(w) * float(start[row]) for row, w in total.weights) for f in (float, abs))
        assert sum(w * float(end[row]) for row, w in total.weights) == pytest.approx(kept, abs=1e-12 * gross), total.name


def test_ATP_lasts_for_minutes_and_what_is_left_pays_for_nothing(deprived):
    half = float(deprived.measures["half"]) - 10.0
    assert 60.0 < half < 600.0
    ATP, sodium, V = (np.asarray(deprived[f"neuron.{path}"]) for path in ("ATP", "Na", "V"))
    assert ATP[-1] < 1e-3 * ATP[0]
    assert sodium[-1] > 3.0 * sodium[0]
    assert V[-1] > V[0] + 10.0
    assert float(deprived.final["neuron.nka.rate"]) < 0.1 * float(deprived["neuron.nka.rate"][0])


def test_energy_that_is_used_is_what_the_pools_lose(fed, deprived):
    used = sum(float(deprived.measures[key]) for key in ("nka", "respiration", "other"))
    stored = {solute: deprived[f"neuron.n_{solute}"] for solute in ("ATP", "PCr")}
    lost = sum(float(amount[0] - amount[-1]) for amount in stored.values())
    assert used == pytest.approx(lost, rel=1e-7)
    found = jaxion.ledger(fed, Protocol(rest(10), anoxia(900)), start="setpoint", rtol=1e-9)
    assert abs(float(found.error)) < 1e-7


def test_phosphocreatine_buys_time():
    measure = {"half": jaxion.crossing("neuron.ATP", 1.2, direction="down")}
    times = []
    for without in ((), ("creatine_kinase",)):
        model = jaxion.replace(cell(without=without), {"neuron.respiration.activity": 0.0})
        times.append(float(jaxion.solve(model, Protocol(rest(600)), measure=measure).measures["half"]))
    assert times[0] > 2.0 * times[1] > 0.0


def test_pump_of_four_states_stops_where_ATP_no_longer_pays_and_then_makes_it():
    model = cell(four_state())
    run = jaxion.solve(model, Protocol(rest(10), anoxia(900)), start="setpoint", save="0:910:911", rtol=1e-9)
    pumped = np.asarray(run["neuron.nka.rate"])
    pump = model.membranes["neuron"].mechanisms["nka"]
    assert isinstance(pump, NaKATPaseFourState)
    energies = np.asarray(pump.affinity(membrane_view(model, model.unpack(run.saved.T), model.membranes["neuron"])))
    assert pumped[0] > 0 > pumped.min()
    # The sign of the rate is that of the free energy, and the pump stands still where it vanishes.
    decided = np.abs(energies) > 1e-6
    assert (np.sign(pumped) == np.sign(energies))[decided].all()
    turn = int(np.flatnonzero(pumped < 0)[0])
    assert abs(pumped[turn]) < 1e-2 * pumped[0]
    # While it runs backwards, ATP is made from the sodium gradient.
    assert float(run["neuron.nka.ATP"][turn + 10]) < 0


def test_gradient_of_a_transient_is_that_of_differences(fed):
    def ATP(k):
        return jaxion.solve(jaxion.replace(fed, {"neuron.creatine_kinase.k": k}), Protocol(anoxia(60)), rtol=1e-9).final["neuron.ATP"]

    k = float(fed["neuron.creatine_kinase.k"])
    difference = float(ATP(k * (1 + 1e-4)) - ATP(k * (1 - 1e-4))) / (2e-4 * k)
    assert float(jax.grad(ATP)(k)) == pytest.approx(difference, rel=1e-5)


def test_kernel_and_diffrax_agree_on_anoxia(fed):
    runs = [jaxion.solve(fed, Protocol(anoxia(120)), save="0:120:5", rtol=1e-9, backend=backend) for backend in ("kernel", "diffrax")]
    np.testing.assert_allclose(runs[0].saved, runs[1].saved, rtol=1e-7)


# A pool that several cells share


def tissue() -> Model:
    """A neuron and an astrocyte that live by one pool of the tissue, confined to 1 pL of the extracellular compartment."""
    supplied = Modulated(NaKATPaseConstant(0.01), by=ATPSupply(0.2, K_i=None, side="outside"))
    cells = {
        name: Compartment({"Na": 14.0, "K": 123.0, "Cl": 5.2}, volume=1.0, impermeant=131.8, z=-1.0) for name in ("neuron", "astrocyte")
    }
    pool = {"ATP": 2.4, "ADP": 0.1}
    outside = Compartment({"Na": 145.0, "K": 3.5, "Cl": 148.5} | pool, volume=0.5, confined=dict.fromkeys(pool, 1.0))
    mechanisms = {"leak_Na": Leak("Na", 0.1), "leak_K": Leak("K", 1.0), "nka": supplied, "hydrolysis": SharedHydrolysis(2.0)}
    return Model({**cells, "ecs": outside}, {}, [Membrane(name, "ecs", mechanisms, C=10.0) for name in cells])


def test_cells_that_share_a_pool_use_it_up_together(rng):
    model = tissue()
    states = scattered(model, rng)
    change = dict(zip(model.rows, model.rhs(states), strict=True))
    fluxes = dict(zip(model.structure.processes, model.fluxes(states), strict=True))
    used = 2.0 * (fluxes["neuron", "nka"] + fluxes["astrocyte", "nka"])
    np.testing.assert_allclose(change["ecs.n_ATP"], -used, rtol=1e-14)
    np.testing.assert_allclose(change["ecs.n_ADP"], used, rtol=1e-14)
    assert "ecs.n_ADP + ecs.n_ATP" in {total.name for total in model.structure.totals}
    assert rebuilt(model, "difference").structure.totals == model.structure.totals
