"""Links: solutions joined without a membrane, what they move, and how models with them are named, counted and told apart."""

import equinox as eqx
import jax.numpy as jnp
import numpy as np
import pytest
from mechanism_cases import draw, uniform, view

import jaxion
from jaxion import Bath, Compartment, ConservationError, Link, Membrane, Model
from jaxion.ions import VALENCE
from jaxion.mechanisms import Exchange, GHKLeak, GlialBuffer, GlialUptake, HHPotassium, Leak, NaKATPaseKager, Water
from jaxion.structure import LinkShape

BATH = {"Na": 145.0, "K": 3.5, "Cl": 119.0}


def tissue(mechanisms=None, outside="bath"):
    compartments = {
        "neuron": Compartment({"Na": 14.0, "K": 123.0, "Cl": 5.2}, volume=2.0, impermeant=300.0, z=-0.85),
        "ecs": Compartment(BATH, volume=1.0, impermeant=29.5),
        "glia": Compartment({"K": 1.0}, volume=1.0, impermeant=1.0),
    }
    leaks = {f"leak_{ion}": Leak(ion, g) for ion, g in (("Na", 0.16), ("K", 0.55), ("Cl", 0.16))}
    membrane = Membrane("neuron", "ecs", leaks | {"nka": NaKATPaseKager(1.0)}, C=16.0)
    links = [] if mechanisms is None else [Link("ecs", outside, mechanisms)]
    return Model(compartments, {"bath": Bath(BATH)}, [membrane], links=links)


def change(model, **concentrations):
    """Rate of change of every row, with some concentrations of the extracellular space changed."""
    snapshot = model.baseline()
    for ion, c in concentrations.items():
        snapshot.amounts["ecs"][ion] = jnp.asarray(c) * snapshot.volumes["ecs"]
    return dict(zip(model.rows, model.rhs(model.pack(snapshot)), strict=True))


# What links do


def test_a_link_moves_what_its_cycle_says_and_charges_nothing():
    alone, linked = tissue(), tissue({"exchange": Exchange(0.3, ions=("K",))})
    without, with_ = change(alone, K=9.5), change(linked, K=9.5)
    assert float(with_["ecs.n_K"] - without["ecs.n_K"]) == pytest.approx(-0.3 * 6.0, rel=1e-12)
    assert {row for row in linked.rows if float(with_[row]) != float(without[row])} == {"ecs.n_K"}


def test_a_link_between_compartments_conserves():
    buffer = GlialBuffer(1e-3)
    model = tissue({"buffer": buffer}, "glia")
    found = change(model, K=30.0)
    rate = 1e-3 * (30.0 * 499.0 / (1 + np.exp((15 - 30) / 1.09)) - 1.0)
    assert float(found["glia.n_K"]) == pytest.approx(rate, rel=1e-12)
    assert float(found["ecs.n_K"] + found["glia.n_K"] + found["neuron.n_K"]) == pytest.approx(0.0, abs=1e-14 * rate)
    assert "ecs.n_K + glia.n_K + neuron.n_K" in {total.name for total in model.structure.totals}


def test_an_open_link_has_no_total_of_an_ion_and_a_set_point_at_the_bath():
    model = tissue({"exchange": Exchange(0.3), "exchange_Na": Exchange(0.3, ions=("Na", "Cl"))})
    # Salts leave the charge of cell and extracellular space as it is.
    charge = "ecs.n_Cl - ecs.n_K - ecs.n_Na + neuron.n_Cl - neuron.n_K - neuron.n_Na"
    volumes = ["ecs.volume", "glia.volume", "neuron.volume"]
    assert [total.name for total in model.structure.totals] == ["glia.n_K", charge, *volumes]
    point = jaxion.setpoint(model)
    for ion in ("K", "Na"):
        assert float(point[f"ecs.{ion}"] * point["ecs.Cl"]) == pytest.approx(BATH[ion] * BATH["Cl"], rel=1e-10)
    assert float(point["ecs.exchange.rate"]) == pytest.approx(0.0, abs=1e-10)


def test_a_link_sees_no_potential(rng):
    states = draw(rng, 20)
    at_zero = view(states._replace(V=jnp.zeros(20)))
    np.testing.assert_allclose(Exchange(0.5, ions=("K",)).rate(at_zero), 0.5 * (states.inside["K"] - states.outside["K"]), rtol=1e-13)
    # In a field one ion alone is the constant-field leak.
    np.testing.assert_allclose(Exchange(0.5, ions=("Ca",)).rate(view(states)), GHKLeak("Ca", 0.5).rate(view(states)), rtol=1e-12)
    model = tissue({"leak": Leak("K", 2.0)})
    assert float(model["ecs.leak.rate"]) == pytest.approx(0.0, abs=1e-14)
    warm = jaxion.replace(model, {"bath.K": 7.0})
    assert float(warm["ecs.leak.rate"]) == pytest.approx(-2.0 * float(model.RT_F) * np.log(2.0) / float(model.F), rel=1e-12)


def test_exchange_of_a_salt_keeps_both_solutions_neutral():
    model = tissue({"exchange": Exchange(0.3)})
    alone, found = change(tissue(), K=9.5), change(model, K=9.5)
    assert Exchange(0.3).cycle.charge == 0
    drift = sum(VALENCE[ion] * float(found[f"ecs.n_{ion}"] - alone[f"ecs.n_{ion}"]) for ion in BATH)
    assert abs(drift) < 1e-13
    mean = 0.3 * (np.sqrt(9.5 * 119.0) - np.sqrt(3.5 * 119.0))
    assert float(found["ecs.n_K"] - alone["ecs.n_K"]) == pytest.approx(-mean, rel=1e-12)


def test_glial_uptake_saturates():
    uptake = GlialUptake(2.0)
    rate = lambda K: float(uptake.rate(view(uniform(draw(np.random.default_rng(0)), inside={"K": K}))))  # noqa: E731
    assert rate(18.0) == pytest.approx(1.0, rel=1e-14)
    assert rate(20.5) == pytest.approx(2.0 / (1 + np.exp(-1)), rel=1e-13)
    assert rate(200.0) == pytest.approx(2.0, rel=1e-12)


# Names


def test_links_are_read_and_set_by_path():
    model = tissue({"exchange": Exchange(0.3, ions=("K",))})
    names = [path.name for path in jaxion.paths(model)]
    assert {"ecs.exchange.activity", "ecs.exchange.P", "ecs.exchange.rate", "ecs.exchange.J_K", "ecs.exchange.I"} <= set(names)
    assert len(names) == len(set(names))
    open_ = jaxion.replace(model, {"bath.K": 8.0, "ecs.exchange.activity": 0.5, "ecs.exchange.P": "2 pL/s"})
    assert float(open_["ecs.exchange.rate"]) == pytest.approx(0.5 * 2.0 * (3.5 - 8.0), rel=1e-12)
    assert float(open_["ecs.exchange.J_K"]) == float(open_["ecs.exchange.rate"])
    with pytest.raises(jaxion.PathError, match=r"Did you mean `ecs\.exchange\.rate`"):
        model["ecs.exchange.rat"]


def test_structure_and_check_and_population_count_links():
    one, other = tissue({"exchange": Exchange(0.3)}), tissue({"exchange": Exchange(0.3, ions=("K",))})
    alone = tissue()
    assert one.structure.links == (LinkShape("ecs", "bath", (("exchange", jaxion.Cycle(outward={"Cl": 1, "K": 1})),)),)
    assert one.structure.processes[-1] == ("ecs", "exchange")
    assert one.fluxes(one.pack(one.baseline())).shape == (len(one.structure.processes),)
    found = jaxion.check(other)
    assert found.ok
    assert "ecs.exchange           1 K out                      charge +1 (link to bath)" in str(found)
    prints = {jaxion.Population.grid(m, {"bath.K": [3.0]}).fingerprint for m in (alone, one, other)}
    assert len(prints) == 3
    gates = {jaxion.Population.grid(jaxion.models.zandt2011(gates=g), {"bath.K": [3.0]}).fingerprint for g in ("full", "qss")}
    assert len(gates) == 2


def test_check_sees_a_link_that_breaks_the_second_law():
    class Uphill(Exchange):
        def rate(self, m):
            return -super().rate(m)

    found = jaxion.check(tissue({"exchange": Uphill(0.3)}))
    assert [name for name, law in found.laws.items() if not law.holds] == ["second_law"]
    assert found.laws["second_law"].culprit == "ecs.exchange"


def test_anoxia_paths_can_be_driven_and_are_the_models_own():
    for name in jaxion.models.__all__:
        model = getattr(jaxion.models, name)()
        for kind, path, value in model.anoxia:
            assert kind in ("scale", "set")
            jaxion.replace(model, {path: value})
        hash((model.anoxia, model.breaks, model.published))


def test_held_ions_carry_a_current_and_stay_until_they_are_mobile():
    leaks = {"leak_K": Leak("K", 1.0), "leak_Cl": Leak("Cl", 1.0)}
    cell = Compartment({"K": 100.0, "Cl": 20.0}, volume=1.0, impermeant=80.0)
    model = Model({"neuron": cell}, {"bath": Bath({"K": 4.0, "Cl": 4.0})}, [Membrane("neuron", "bath", leaks, C=10.0, held=("leak_Cl",))])
    free = jaxion.replace(model, {"neuron.leak_Cl.mobile": 1.0})
    ordinary = Model({"neuron": cell}, model.baths, [Membrane("neuron", "bath", leaks, C=10.0)])
    state = model.pack(model.baseline())
    held, moving, usual = (dict(zip(m.rows, m.rhs(state), strict=True)) for m in (model, free, ordinary))
    assert moving == usual
    assert (float(held["neuron.n_Cl"]), float(held["neuron.V"])) == (0.0, float(usual["neuron.V"]))
    assert float(model["neuron.leak_Cl.I"]) == float(free["neuron.leak_Cl.I"]) != 0.0
    assert (float(model["neuron.leak_Cl.J_Cl"]), float(free["neuron.leak_Cl.J_Cl"])) == (0.0, float(usual["neuron.n_Cl"]) * -1)
    assert model.structure.held == {"neuron.n_Cl": (("neuron", "leak_Cl"),)}


# Refusals


@pytest.mark.parametrize(
    ("links", "error", "message"),
    [
        (
            [Link("ecs", "bath", {"exchange": Exchange(1.0, ions=("Ca",))})],
            ConservationError,
            r"`ecs.exchange` \(Exchange\) moves Ca, but `ecs`",
        ),
        ([Link("ecs", "bahth", {})], ConservationError, r"A link names `bahth`, .* Did you mean `bath`\?"),
        ([Link("bath", "ecs", {})], ConservationError, "inside of a link must be a compartment, but `bath` is a bath"),
        ([Link("ecs", "ecs", {})], ConservationError, "A link must lie between two solutions"),
        ([Link("ecs", "bath", {}), Link("ecs", "glia", {})], ConservationError, "Two links have the same inside"),
        (
            [Link("neuron", "bath", {"nka": Exchange(1.0)})],
            ConservationError,
            "membrane and the link of `neuron` both have a mechanism `nka`",
        ),
        ([Link("ecs", "bath", {"kdr": HHPotassium(1.0)})], ValueError, r"`ecs.kdr` \(HHPotassium\) has gates: it belongs on a membrane"),
    ],
)
def test_links_that_cannot_be_are_refused(links, error, message):
    base = tissue()
    with pytest.raises(error, match=message):
        Model(base.compartments, base.baths, [*base.membranes.values()], links=links)


def test_water_flows_along_a_link():
    model = tissue({"water": Water(0.01)})
    thick = eqx.tree_at(lambda m: m.compartments["ecs"].impermeant, model, jnp.asarray(59.0))
    change = dict(zip(thick.rows, thick.rhs(thick.pack(thick.baseline())), strict=True))
    assert float(change["ecs.volume"]) == pytest.approx(0.01 * 59.0, rel=1e-9)
