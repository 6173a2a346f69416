"""What one turnover of a mechanism moves and consumes, declared as data.

Mass, charge, water, ATP, current and driving force are all derived from this declaration, so
that no mechanism can move an ion that it does not account for.
"""

import dataclasses
from collections.abc import Mapping
from types import MappingProxyType

from jaxion.errors import ConservationError
from jaxion.ions import HYDROLYSIS, WATER, valence


@dataclasses.dataclass(frozen=True, init=False)
class Cycle:
    """Stoichiometry of one turnover across a membrane.

    Args:
        outward: Counts per turnover of the species that leave the inside compartment.
        inward: Counts per turnover of the species that enter it.
        ATP: Molecules of ATP hydrolysed inside per turnover; negative where it is made of ADP and phosphate. Where the
            inside holds them as solutes it takes or makes them there, elsewhere it is counted only.
        consumed: Counts per turnover of the species that a reaction inside takes.
        produced: Counts per turnover of the species that it makes there, with the same charge.

    Counts are whole numbers; `water` counts picolitres. A rate is positive as the cycle reads.

    Example:
        >>> pump = Cycle(outward={"Na": 3}, inward={"K": 2}, ATP=1)
        >>> pump.charge, pump.count("K")
        (1, -2)
    """

    counts: tuple[tuple[str, int], ...]
    ATP: int
    reaction: tuple[tuple[str, int], ...]

    def __init__(
        self,
        outward: Mapping[str, int] = MappingProxyType({}),
        inward: Mapping[str, int] = MappingProxyType({}),
        ATP: int = 0,
        *,
        consumed: Mapping[str, int] = MappingProxyType({}),
        produced: Mapping[str, int] = MappingProxyType({}),
    ):
        if not isinstance(ATP, int):
            raise ConservationError(f"Counts of a cycle must be whole, but `ATP` has {ATP}.")
        made = _net(produced, consumed)
        if sum(valence(species) * count for species, count in made):
            raise ConservationError(f"A reaction must conserve charge, but it makes {', '.join(f'{c:+d} {s}' for s, c in made)}.")
        object.__setattr__(self, "counts", _net(outward, inward))
        object.__setattr__(self, "ATP", ATP)
        object.__setattr__(self, "reaction", made)

    def count(self, species: str) -> int:
        """Net count of a species that leaves the inside per turnover (negative: enters)."""
        return dict(self.counts).get(species, 0)

    @property
    def species(self) -> tuple[str, ...]:
        """Names of everything that a turnover moves, sorted."""
        return tuple(species for species, _ in self.counts)

    @property
    def changed(self) -> tuple[str, ...]:
        """Names of everything that a turnover moves, makes or uses up, sorted; what ATP is made of or into counts where it is a solute."""
        return tuple(sorted({*self.species, *dict(self.reaction), *(HYDROLYSIS if self.ATP else ())}))

    def gain(self, species: str, inside: bool) -> int:
        """What one turnover adds to the amount of a species inside, or outside."""
        made = dict(self.reaction).get(species, 0) + self.ATP * HYDROLYSIS.get(species, 0)
        return made - self.count(species) if inside else self.count(species)

    @property
    def solutes(self) -> tuple[tuple[str, int], ...]:
        """Species other than water with their outward counts."""
        return tuple((s, c) for s, c in self.counts if s != WATER)

    @property
    def charge(self) -> int:
        """Net elementary charges that leave the inside per turnover."""
        return sum(count * valence(species) for species, count in self.solutes)

    def __str__(self) -> str:
        """The cycle as a reaction: `3 Na out, 2 K in, 1 ATP`."""
        parts = [f"{abs(c)} {s} {'out' if c > 0 else 'in'}" for s, c in sorted(self.counts, key=lambda item: -item[1])]
        parts += [f"{c:+d} {s} inside" for s, c in sorted(self.reaction, key=lambda item: item[1])]
        if self.ATP:
            parts.append(f"{self.ATP} ATP" if self.ATP > 0 else f"makes {-self.ATP} ATP")
        return ", ".join(parts)


def _net(positive: Mapping[str, int], negative: Mapping[str, int]) -> tuple[tuple[str, int], ...]:
    net: dict[str, int] = {}
    for side, sign in ((positive, 1), (negative, -1)):
        for species, count in side.items():
            if species != WATER:
                valence(species)
            _check_count(species, count)
            net[species] = net.get(species, 0) + sign * int(count)
    return tuple(sorted((s, c) for s, c in net.items() if c))


def _check_count(species: str, count: int) -> None:
    if not isinstance(count, int) or count < 0:
        raise ConservationError(f"Counts of a cycle must be whole and not negative, but `{species}` has {count}.")
