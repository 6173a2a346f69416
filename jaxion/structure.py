"""What a model is apart from its numbers: rows, processes, the integer matrix S and what it conserves.

Everything here is plain Python and NumPy, derived once from names and cycles, so that no row
order depends on a dictionary and the conserved totals are exact integers.
"""

import dataclasses
import functools
from fractions import Fraction

import numpy as np

from jaxion.cycle import Cycle
from jaxion.ions import WATER, valence

Cycles = tuple[tuple[str, Cycle], ...]
"""Key and cycle of each mechanism of a membrane or link, sorted by key."""


@dataclasses.dataclass(frozen=True)
class MembraneShape:
    """The static part of a membrane: its sides, area law, balancing ion, the cycles on it, gates (key, gates) and held keys."""

    inside: str
    outside: str
    area: str
    balance: str
    cycles: Cycles
    gates: tuple[tuple[str, tuple[str, ...]], ...] = ()
    held: tuple[str, ...] = ()


@dataclasses.dataclass(frozen=True)
class LinkShape:
    """The static part of a link or an axial connection: its ends and the cycles on it."""

    inside: str
    outside: str
    cycles: Cycles


@dataclasses.dataclass(frozen=True)
class Total:
    """A conserved total: an integer combination of amount or volume rows."""

    name: str
    weights: tuple[tuple[str, int], ...]


@dataclasses.dataclass(frozen=True)
class Structure:
    """Rows, processes and stoichiometry of a model.

    Attributes:
        compartments: Name and sorted ions of each finite compartment.
        membranes: Static part of each membrane, sorted by its inside compartment.
        links: Static part of each link, likewise.
        axials: Static part of each axial connection, likewise.
    """

    compartments: tuple[tuple[str, tuple[str, ...]], ...]
    membranes: tuple[MembraneShape, ...]
    links: tuple[LinkShape, ...] = ()
    axials: tuple[LinkShape, ...] = ()

    @property
    def boundaries(self) -> tuple[MembraneShape | LinkShape, ...]:
        """Membranes, links, then axial connections: all that has cycles."""
        return (*self.membranes, *self.links, *self.axials)

    @functools.cached_property
    def amounts(self) -> tuple[str, ...]:
        """Amount rows, such as `neuron.n_Na` (fmol)."""
        return tuple(f"{name}.n_{ion}" for name, ions in self.compartments for ion in ions)

    @functools.cached_property
    def volumes(self) -> tuple[str, ...]:
        """Volume rows, such as `neuron.volume` (pL)."""
        return tuple(f"{name}.volume" for name, _ in self.compartments)

    @functools.cached_property
    def gates(self) -> tuple[str, ...]:
        """Gate rows, such as `neuron.kdr.n` (open fraction)."""
        return tuple(f"{m.inside}.{key}.{gate}" for m in self.membranes for key, gates in m.gates for gate in gates)

    @functools.cached_property
    def potentials(self) -> tuple[str, ...]:
        """Potential rows, such as `neuron.V` (mV)."""
        return tuple(f"{membrane.inside}.V" for membrane in self.membranes)

    @functools.cached_property
    def processes(self) -> tuple[tuple[str, str], ...]:
        """(membrane, link or axial connection, key) of each process, the columns of S."""
        return tuple((boundary.inside, key) for boundary in self.boundaries for key, _ in boundary.cycles)

    @functools.cached_property
    def S(self) -> np.ndarray:
        """Integer stoichiometry (amount rows then volume rows, processes): what one turnover adds to each row."""
        rows = {row: i for i, row in enumerate(self.amounts + self.volumes)}
        S = np.zeros((len(rows), len(self.processes)), dtype=int)
        column = 0
        for boundary in self.boundaries:
            for _, cycle in boundary.cycles:
                for species in cycle.changed:
                    for side in (boundary.inside, boundary.outside):
                        row = f"{side}.volume" if species == WATER else f"{side}.n_{species}"
                        if row in rows:
                            S[rows[row], column] += cycle.gain(species, inside=side == boundary.inside)
                column += 1
        return S

    @functools.cached_property
    def held(self) -> dict[str, tuple[tuple[str, str], ...]]:
        """Amount rows that held mechanisms alone would move, with these mechanisms."""
        keys = {(membrane.inside, key) for membrane in self.membranes for key in membrane.held}
        found = {}
        for row, counts in zip(self.amounts, self.S, strict=False):
            movers = tuple(process for process, count in zip(self.processes, counts, strict=True) if count)
            if movers and set(movers) <= keys:
                found[row] = movers
        return found

    @functools.cached_property
    def totals(self) -> tuple[Total, ...]:
        """Conserved totals: the integer left null space of S, amounts and volumes apart."""
        split = len(self.amounts)
        blocks = ((self.amounts, self.S[:split]), (self.volumes, self.S[split:]))
        return tuple(_named(rows, vector) for rows, block in blocks for vector in _left_null_space(block))

    @functools.cached_property
    def balances(self) -> tuple[Total, ...]:
        """Charge of the mobile ions of each node of a chain: since no net current flows from node to node, it is conserved as well."""
        outer = {membrane.inside: membrane.outside for membrane in self.membranes}
        nodes = sorted({outer.get(end, end) for axial in self.axials for end in (axial.inside, axial.outside)})
        along = {(axial.inside, key) for axial in self.axials for key, _ in axial.cycles}
        across = [column for column, process in enumerate(self.processes) if process not in along]
        found = []
        for node in nodes:
            held = [(name, ions) for name, ions in self.compartments if outer.get(name, name) == node]
            charges = {f"{name}.n_{ion}": valence(ion) for name, ions in held for ion in ions}
            vector = [charges.get(row, 0) for row in self.amounts]
            # A link that takes charge to a bath leaves nothing to conserve.
            if not (np.array(vector) @ self.S[: len(vector), across]).any():
                found.append(_named(self.amounts, vector))
        return tuple(found)

    @property
    def conserved(self) -> tuple[Total, ...]:
        """All that stays: the totals, and the charge of each node of a chain."""
        return (*self.totals, *self.balances)


def _left_null_space(S: np.ndarray) -> list[list[int]]:
    """Integer basis of the vectors w with w·S = 0, by exact elimination on [S | 1]."""
    rows = [[Fraction(int(x)) for x in row] + [Fraction(int(i == j)) for j in range(len(S))] for i, row in enumerate(S)]
    width, done = S.shape[1], 0
    for column in range(width):
        pivot = next((i for i in range(done, len(rows)) if rows[i][column]), None)
        if pivot is None:
            continue
        rows[done], rows[pivot] = rows[pivot], rows[done]
        for i in range(len(rows)):
            if i != done and rows[i][column]:
                factor = rows[i][column] / rows[done][column]
                rows[i] = [a - factor * b for a, b in zip(rows[i], rows[done], strict=True)]
        done += 1
    basis = []
    for row in rows[done:]:
        vector = row[width:]
        scale = np.lcm.reduce([x.denominator for x in vector])
        integers = [int(x * int(scale)) for x in vector]
        divisor = np.gcd.reduce([abs(x) for x in integers if x])
        sign = 1 if next(x for x in integers if x) > 0 else -1
        basis.append([sign * x // int(divisor) for x in integers])
    return basis


def _named(rows: tuple[str, ...], vector: list[int]) -> Total:
    weights = tuple((row, w) for row, w in zip(rows, vector, strict=True) if w)
    terms = [("+" if w > 0 else "-", "" if abs(w) == 1 else f"{abs(w)} ", row) for row, w in weights]
    name = " ".join(f"{sign} {factor}{row}" for sign, factor, row in terms).removeprefix("+ ")
    return Total(name, weights)
