"""Cells joined by gap junctions: how far a disturbance spreads, what is conserved, and how they share their ions."""

import itertools
import math

import numpy as np
import pytest
from mechanism_cases import REST, draw, rate, uniform
from reference.mechanisms import JUNCTIONS, Digits

import jaxion
from jaxion import Bath, Compartment, ConservationError, Link, Membrane, Model, Protocol, inject
from jaxion.mechanisms import Electrodiffusion, GapJunction, GHKLeak, Leak, gap_junctions
from jaxion.units import BODY_RT_F, FARADAY

pytestmark = pytest.mark.slow

BATH = {"Na": 145.0, "K": 3.5, "Cl": 119.0}


def row(cells: int, g: float) -> Model:
    """Cells in a row, of one leak each and so large that their concentrations stay."""
    names = [f"cell{k}" for k in range(cells)]
    cell = Compartment({"K": 100.0}, volume=1e6, impermeant=1e8)
    return Model(
        dict.fromkeys(names, cell),
        {"bath": Bath({"K": 4.0})},
        [Membrane(name, "bath", {"leak_K": Leak("K", 1.0)}, C=1.0, V=BODY_RT_F * math.log(4 / 100)) for name in names],
        links=[Link(a, b, {"gap_K": GapJunction("K", g)}) for a, b in itertools.pairwise(names)],
    )


@pytest.mark.parametrize(("r", "printed"), JUNCTIONS, ids=str)
def test_a_steady_disturbance_falls_from_cell_to_cell_as_published(r: float, printed: Digits):
    n = 5
    model = row(n, 1 / r)
    sol = jaxion.solve(model, Protocol(inject("cell0", 1.0, 100.0)), save=[0.0, 100.0], rtol=1e-11)
    shift = [float(sol[f"cell{k}.V"][1] - sol[f"cell{k}.V"][0]) for k in range(n)]
    # An inner cell is between λ and 1/λ of its neighbours' mean, and the last one shuts the row.
    decay = [math.acosh((a + c) / (2 * b)) for a, b, c in zip(shift, shift[1:], shift[2:], strict=False)]
    assert np.exp([-x for x in decay]) == pytest.approx(printed.value, abs=printed.half_unit)
    ends = [math.cosh((n - 0.5 - k) * decay[0]) for k in range(n)]
    np.testing.assert_allclose(np.array(shift) / shift[0], np.array(ends) / ends[0], rtol=1e-4)


def pair(closure: str = "state", g: float = 5.0) -> Model:
    """Two neurons of Düsterwald et al. in one bath, joined by a junction of all ions."""
    one = jaxion.models.duesterwald2018()
    m = one.membranes["neuron"]
    inside = one.compartments["neuron"].concentrations
    return Model(
        {"a": one.compartments["neuron"], "b": one.compartments["neuron"]},
        one.baths,
        [Membrane(name, "bath", m.mechanisms, C=m.C, V=m.V, area=m.area) for name in ("a", "b")],
        links=[Link("a", "b", gap_junctions(g, inside))],
        closure=closure,
        RT_F=one.RT_F,
        F=one.F,
    )


def test_the_total_conductance_is_shared_by_mobility_and_concentration():
    found = gap_junctions(10.0, {"Na": 15.0, "K": 100.0, "Cl": 5.0, "Ca": 1.0})
    g = {key: float(m.g) for key, m in found.items() if isinstance(m, GapJunction)}
    assert sum(g.values()) == pytest.approx(10.0, rel=1e-14)
    assert g["gap_K"] / g["gap_Na"] == pytest.approx(1.96 * 100 / (1.33 * 15), rel=1e-13)
    assert g["gap_Ca"] / g["gap_Cl"] == pytest.approx(4 * 0.71 / (2.03 * 5), rel=1e-13)
    with pytest.raises(ConservationError, match="No diffusion constant of Glu is known"):
        gap_junctions(10.0, {"Glu": 1.0})


def test_electrodiffusive_forms_agree_for_small_differences(rng):
    states = draw(rng, 50, low=1.0, high=100.0)
    near = states._replace(outside={ion: c * 1.0001 for ion, c in states.inside.items()}, V=1e-3 * states.V)
    for ion, z in (("K", 1), ("Cl", -1), ("Ca", 2)):
        found = rate(GapJunction(ion, 2.0), near)
        P = 2.0 * BODY_RT_F / (z**2 * FARADAY * states.inside[ion])
        for other in (Electrodiffusion, GHKLeak):
            np.testing.assert_allclose(rate(other(ion, P), near), found, rtol=0.02)


def test_nothing_passes_between_equal_cells_and_each_rests_as_alone():
    joined, alone = jaxion.setpoint(pair()), jaxion.setpoint(jaxion.models.duesterwald2018())
    for path in ("V", "Na", "K", "Cl", "volume"):
        for name in ("a", "b"):
            assert float(joined[f"{name}.{path}"]) == pytest.approx(float(alone[f"neuron.{path}"]), rel=1e-8)
    for ion in ("Na", "K", "Cl"):
        assert abs(float(joined[f"a.gap_{ion}.I"])) < 1e-7


def test_a_poisoned_cell_lives_on_its_neighbour():
    alone = jaxion.replace(jaxion.models.duesterwald2018(), {"neuron.nka.activity": 0.2})
    weak, strong = jaxion.setpoint(alone), jaxion.setpoint(jaxion.models.duesterwald2018())
    joined = jaxion.setpoint(jaxion.replace(pair(), {"b.nka.activity": 0.2}))
    assert float(strong["neuron.Na"]) < float(joined["a.Na"]) < float(joined["b.Na"]) < float(weak["neuron.Na"])
    assert float(joined["a.gap_Na.J_Na"]) < 0 < float(joined["a.gap_K.J_K"])
    assert float(joined["a.dV"]) == pytest.approx(float(joined["a.V"] - joined["b.V"]), rel=1e-12)
    # At rest the junction's current leaves the one cell as it enters the other, and both are in balance.
    assert float(joined.certificate.residual) < 1e-9


@pytest.mark.parametrize("closure", ["state", "difference"])
def test_joined_cells_keep_the_laws(closure: str):
    found = jaxion.check(pair(closure))
    assert found.ok, str(found)
    assert "a.gap_K                1 K out                      charge +1 (junction to b)" in str(found)


def test_both_closures_of_joined_cells_give_one_course():
    ends = []
    for closure in ("state", "difference"):
        model = jaxion.replace(pair(closure), {"b.nka.activity": 0.2})
        ends.append(jaxion.solve(model, Protocol(jaxion.rest(300)), rtol=1e-9).final)
    for path in ("a.V", "b.V", "a.Na", "b.Cl"):
        assert float(ends[0][path]) == pytest.approx(float(ends[1][path]), rel=1e-6)


def test_what_joined_cells_alone_share_is_conserved():
    cell = Compartment({"Na": 10.0, "K": 100.0}, volume=1.0, impermeant=110.0)
    model = Model(
        {"a": cell, "b": cell},
        {"bath": Bath({"K": 4.0})},
        [Membrane(name, "bath", {"leak_K": Leak("K", 1.0)}, C=10.0) for name in ("a", "b")],
        links=[Link("a", "b", {"gap_Na": GapJunction("Na", 2.0)})],
    )
    assert [total.name for total in model.structure.totals if "Na" in total.name] == ["a.n_Na + b.n_Na"]
    uneven = jaxion.replace(model, {"a.Na": 25.0})
    point = jaxion.setpoint(uneven)
    assert float(point["a.Na"] + point["b.Na"]) == pytest.approx(35.0, rel=1e-9)
    # Nothing but the junction moves sodium: its electrochemical potential is the same in both.
    V, Na = ([float(point[f"{name}.{path}"]) for name in ("a", "b")] for path in ("V", "Na"))
    assert V[0] - V[1] == pytest.approx(BODY_RT_F * math.log(Na[1] / Na[0]), abs=1e-8)


def test_joined_cells_must_be_in_one_solution():
    cell = Compartment({"K": 100.0}, volume=1.0, impermeant=100.0)
    baths = {"bath": Bath({"K": 4.0}), "other": Bath({"K": 4.0})}
    membranes = [Membrane(name, bath, {"leak_K": Leak("K", 1.0)}, C=10.0) for name, bath in (("a", "bath"), ("b", "other"))]
    links = [Link("a", "b", {"gap_K": GapJunction("K", 1.0)})]
    with pytest.raises(ConservationError, match="joins the cells `a` in `bath` and `b` in `other`: use an axial connection"):
        Model({"a": cell, "b": cell}, baths, membranes, links=links)
    with pytest.raises(ValueError, match="`state` or `difference` for cells that are joined"):
        pair("electroneutral")


def test_the_junction_stands_still_at_the_nernst_potential():
    state = uniform(REST, inside={"K": 4.0}, outside={"K": 3.0}, V=-BODY_RT_F * math.log(4 / 3))
    assert abs(float(rate(GapJunction("K", 2.0), state))) < 1e-15
