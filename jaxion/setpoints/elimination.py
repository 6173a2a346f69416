"""Which rows follow from the others: conserved totals and the capacitor law, eliminated exactly.

A root-finder on all rows finds steady states with wrong totals. The reduced problem has as many
unknowns as there are independent rows, so that its Jacobian is regular at an isolated set-point.
"""

import dataclasses
import functools
from collections.abc import Iterable
from fractions import Fraction

import numpy as np

from jaxion.ions import valence
from jaxion.structure import Structure


@dataclasses.dataclass(frozen=True)
class Dependent:
    """A row that follows: row = Σ constraint weight × constraint value + Σ row weight × independent row."""

    row: str
    constraints: tuple[tuple[str, float], ...]
    rows: tuple[tuple[str, float], ...]


@dataclasses.dataclass(frozen=True)
class Elimination:
    """Independent rows, the unknowns, and the dependent ones.

    Attributes:
        amounts: Independent amount rows.
        volumes: Independent volume rows.
        dependent_amounts: Amounts that follow from totals and capacitor laws.
        dependent_volumes: Volumes that follow from totals.
    """

    amounts: tuple[str, ...]
    volumes: tuple[str, ...]
    dependent_amounts: tuple[Dependent, ...]
    dependent_volumes: tuple[Dependent, ...]


@functools.lru_cache(maxsize=256)
def eliminate(structure: Structure, capacitor_law: bool) -> Elimination:
    """Choose dependent rows: the balancing ion of each membrane, then for each total a row of an outer compartment.

    Constraints are named: a capacitor law by its membrane, a total by its own name. Without the law
    only the totals count.
    """
    outer = {membrane.outside for membrane in structure.membranes}

    def preference(row: str) -> tuple[bool, str]:
        return (row.rpartition(".")[0] not in outer, row)

    capacitors = []
    for membrane in structure.membranes if capacitor_law else ():
        ions = dict(structure.compartments)[membrane.inside]
        weights = {f"{membrane.inside}.n_{ion}": valence(ion) for ion in ions if valence(ion)}
        capacitors.append((membrane.inside, weights, [f"{membrane.inside}.n_{membrane.balance}"]))
    totals = [(total.name, dict(total.weights), sorted(dict(total.weights), key=preference)) for total in structure.conserved]
    of_volumes = [total for total in totals if set(total[1]) <= set(structure.volumes)]
    of_amounts = [total for total in totals if total not in of_volumes]
    volumes, dependent_volumes = _solve(structure.volumes, of_volumes)
    amounts, dependent_amounts = _solve(structure.amounts, capacitors + of_amounts)
    return Elimination(amounts, volumes, dependent_amounts, dependent_volumes)


def _solve(rows: tuple[str, ...], constraints: Iterable[tuple[str, dict[str, int], list[str]]]):
    """Solve the constraints for one row each, in exact arithmetic; redundant constraints are left out."""
    solved: list[tuple[str, dict[str, Fraction], dict[str, Fraction]]] = []
    for name, weights, preferred in constraints:
        # The constraint as: Σ left × row = Σ right × constraint value, with the rows solved so far put in.
        left = {row: Fraction(w) for row, w in weights.items()}
        right = {name: Fraction(1)}
        for row, row_left, row_right in solved:
            factor = left.pop(row, Fraction(0))
            _add(left, row_left, factor)
            _add(right, row_right, -factor)
        pivot = next((row for row in [*preferred, *sorted(left)] if left.get(row)), None)
        if pivot is None:
            continue
        scale = left.pop(pivot)
        new = (pivot, {row: -w / scale for row, w in left.items() if w}, {c: w / scale for c, w in right.items() if w})
        for _, row_left, row_right in solved:
            factor = row_left.pop(pivot, Fraction(0))
            _add(row_left, new[1], factor)
            _add(row_right, new[2], factor)
        solved.append(new)
    chosen = {row for row, _, _ in solved}
    dependents = tuple(Dependent(row, _floats(right), _floats(left)) for row, left, right in solved)
    return tuple(row for row in rows if row not in chosen), dependents


def _add(target: dict[str, Fraction], terms: dict[str, Fraction], factor: Fraction) -> None:
    for key, weight in terms.items():
        target[key] = target.get(key, Fraction(0)) + factor * weight


def _floats(terms: dict[str, Fraction]) -> tuple[tuple[str, float], ...]:
    return tuple((key, float(np.float64(weight))) for key, weight in sorted(terms.items()) if weight)
