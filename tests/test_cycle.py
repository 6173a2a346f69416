"""Cycles: what is derived from a declaration, and which declarations are refused."""

import dataclasses

import hypothesis.strategies as st
import pytest
from hypothesis import given

from jaxion.cycle import Cycle
from jaxion.errors import ConservationError
from jaxion.ions import VALENCE, WATER, valence


@pytest.mark.parametrize(
    ("cycle", "charge", "text"),
    [
        (Cycle(outward={"Na": 3}, inward={"K": 2}, ATP=1), 1, "3 Na out, 2 K in, 1 ATP"),
        (Cycle(outward={"K": 1, "Cl": 1}), 0, "1 Cl out, 1 K out"),
        (Cycle(inward={"Na": 1, "K": 1, "Cl": 2}), 0, "1 K in, 1 Na in, 2 Cl in"),
        (Cycle(outward={"K": 1}, inward={"Na": 3, "H": 1, "Glu": 1}), -2, "1 K out, 1 Glu in, 1 H in, 3 Na in"),
        (Cycle(outward={"Ca": 1}, inward={"Na": 3}), -1, "1 Ca out, 3 Na in"),
        (Cycle(inward={"Na": 1, "HCO3": 2}), 1, "1 Na in, 2 HCO3 in"),
        (Cycle(inward={"Na": 2, "Glc": 1}), -2, "1 Glc in, 2 Na in"),
        (Cycle(inward={"Na": 2, "Cl": 1, "GABA": 1}), -1, "1 Cl in, 1 GABA in, 2 Na in"),
        (Cycle(inward={"water": 1}), 0, "1 water in"),
        (Cycle(ATP=1), 0, "1 ATP"),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)
def test_charge_and_text(cycle: Cycle, charge: int, text: str):
    assert cycle.charge == charge
    assert str(cycle) == text


def test_counts_are_outward_and_net():
    pump = Cycle(outward={"Na": 3}, inward={"K": 2}, ATP=1)
    assert [pump.count(ion) for ion in ("Na", "K", "Cl")] == [3, -2, 0]
    assert pump.counts == (("K", -2), ("Na", 3))
    exchange = Cycle(outward={"Na": 3, "K": 1}, inward={"Na": 1, "K": 1})
    assert exchange.counts == (("Na", 2),)  # what only returns is not moved
    assert exchange.species == ("Na",)


def test_water_is_moved_but_is_no_solute():
    cycle = Cycle(outward={"K": 1, "Cl": 1, WATER: 5})
    assert cycle.species == ("Cl", "K", "water")
    assert cycle.solutes == (("Cl", 1), ("K", 1))
    assert cycle.count(WATER) == 5
    assert cycle.charge == 0


def test_order_of_declaration_does_not_matter():
    one, other = Cycle(inward={"Na": 1, "K": 1, "Cl": 2}), Cycle(inward={"Cl": 2, "K": 1, "Na": 1})
    assert one == other
    assert hash(one) == hash(other)
    assert one != Cycle(inward={"Na": 1, "K": 2, "Cl": 3})
    assert one != Cycle(inward={"Na": 1, "K": 1, "Cl": 2}, ATP=1)


def test_cycle_cannot_be_changed():
    with pytest.raises(dataclasses.FrozenInstanceError):
        Cycle(ATP=1).ATP = 2  # type: ignore[misc]


@pytest.mark.parametrize(
    ("outward", "inward", "message"),
    [
        ({"Kalium": 1}, {}, "Unknown species `Kalium`; known are Na, K, Cl,"),
        ({"na": 1}, {}, "Did you mean `Na`?"),
        ({}, {"hco3": 1}, "Did you mean `HCO3`?"),
        ({"Water": 1}, {}, "Unknown species `Water`"),
        ({}, {"K": -1}, "must be whole and not negative, but `K` has -1."),
    ],
)
def test_wrong_declarations_are_refused(outward: dict, inward: dict, message: str):
    with pytest.raises(ConservationError) as refusal:
        Cycle(outward=outward, inward=inward)
    assert message in str(refusal.value)


def test_fractional_counts_are_refused():
    # A run-time type checker, where one is installed, refuses them first, with a TypeError.
    with pytest.raises((ConservationError, TypeError), match=r"1\.5"):
        Cycle(outward={"Na": 1.5})  # type: ignore[dict-item]


sides = st.dictionaries(st.sampled_from([*VALENCE, WATER]), st.integers(0, 4))


@given(outward=sides, inward=sides)
def test_reversed_cycle_moves_the_opposite(outward: dict, inward: dict):
    forward, backward = Cycle(outward, inward), Cycle(inward, outward)
    assert forward.charge == -backward.charge
    assert forward.counts == tuple((species, -count) for species, count in backward.counts)
    assert forward.charge == sum((outward.get(ion, 0) - inward.get(ion, 0)) * valence(ion) for ion in VALENCE)
    assert all(count for _, count in forward.counts)


# Reactions inside


def test_a_turnover_may_turn_species_inside_into_others():
    release = Cycle(outward={"Glu": 1}, consumed={"Glu_R3": 1}, produced={"Glu": 1})
    assert (release.gain("Glu", inside=True), release.gain("Glu", inside=False)) == (0, 1)
    assert (release.gain("Glu_R3", inside=True), release.gain("Glu_R3", inside=False)) == (-1, 0)
    assert release.charge == -1
    assert str(release) == "1 Glu out, -1 Glu_R3 inside, +1 Glu inside"
    assert Cycle(consumed={"Glu": 1}, produced={"Glu": 1}).reaction == ()


def test_a_reaction_that_makes_charge_is_refused():
    with pytest.raises(ConservationError, match=r"^A reaction must conserve charge, but it makes \+1 GABA, -1 Glu\.$"):
        Cycle(consumed={"Glu": 1}, produced={"GABA": 1})
