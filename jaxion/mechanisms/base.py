"""What a mechanism is: a cycle declared as data, and a rate in plain JAX."""

import abc
import dataclasses
import math
from collections.abc import Mapping
from typing import Any, ClassVar

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array

from jaxion import thermo
from jaxion._types import PerCell, per_cell
from jaxion.cycle import Cycle
from jaxion.ions import valence
from jaxion.ranges import Range


def parameter(unit: str, doc: str, typical: tuple[float, float] | None = None, *, allowed: Range = "not negative", **options: Any) -> Any:
    """Field of a mechanism that may vary from cell to cell, be swept, differentiated and fitted.

    Args:
        unit: Unit as `jaxion.paths` prints it; empty for a dimensionless number.
        doc: What it is, in a few words.
        typical: Range in which published values lie, in `unit`.
        allowed: Which values are possible; `"positive"` where zero would be divided by.
        **options: Passed to `equinox.field`, such as `default`.
    """
    return eqx.field(converter=per_cell, metadata={"unit": unit, "doc": doc, "typical": typical, "allowed": allowed}, **options)


@dataclasses.dataclass(frozen=True)
class Side:
    """Solution on one side of a membrane.

    Attributes:
        concentrations: Concentration of each solute, mM; of a buffered one that of its free part.
        osmolarity: Concentration of all that counts for osmosis, mM: impermeants and what buffers bind included.
        volume: Volume, pL; a bath has no end of it.
        impermeant: Concentration of the impermeants, mM.
    """

    concentrations: dict[str, Array]
    osmolarity: Array
    volume: Array | float = math.inf
    impermeant: Array | float = 0.0

    def __getitem__(self, ion: str) -> Array:
        return self.concentrations[ion]


@dataclasses.dataclass(frozen=True)
class MembraneView:
    """What a mechanism sees of its membrane or link.

    Attributes:
        inside: Solution inside.
        outside: Solution outside.
        V: Potential inside minus that outside, mV; 0 on a link.
        RT_F: Thermal voltage, mV.
        F: Faraday constant, pA·s/fmol.
        gates: Open fractions of all gates of the membrane, by mechanism key and gate.
        own: Those of the mechanism itself, by gate.
        ATP: What the other mechanisms of the membrane or link use, fmol/s, for a mechanism that works on demand.
    """

    inside: Side
    outside: Side
    V: Array
    RT_F: Array
    F: Array
    gates: Mapping[str, Mapping[str, Array]] = dataclasses.field(default_factory=dict)
    own: Mapping[str, Array] = dataclasses.field(default_factory=dict)
    ATP: Array | float = 0.0

    def of(self, key: str) -> "MembraneView":
        """What the mechanism `key` sees: the same, and its own gates."""
        return dataclasses.replace(self, own=self.gates[key]) if key in self.gates else self

    def E(self, ion: str) -> Array:
        """Nernst potential of an ion, mV."""
        return thermo.nernst(self.inside[ion], self.outside[ion], valence(ion), self.RT_F)

    def affinity(self, cycle: Cycle) -> Array:
        """Driving force of a cycle in units of RT (for water RT·fmol/pL); positive when downhill as it reads."""
        return thermo.affinity(
            cycle,
            self.inside.concentrations,
            self.outside.concentrations,
            self.V,
            self.RT_F,
            osmolarity_inside=self.inside.osmolarity,
            osmolarity_outside=self.outside.osmolarity,
        )

    def mass_action(self, cycle: Cycle) -> Array:
        r"""$\prod_\mathrm{start} c^n - \prod_\mathrm{end} c^n$ of an electroneutral cycle, mM to the power of its order."""
        start = end = jnp.ones(())
        for species, count in cycle.solutes:
            origin, goal = (self.inside, self.outside) if count > 0 else (self.outside, self.inside)
            start = start * origin[species] ** abs(count)
            end = end * goal[species] ** abs(count)
        return start - end


class AbstractMechanism(eqx.Module):
    """One physical process across a membrane, or along a link or an axial connection.

    A subclass declares its `cycle` (what one turnover moves and consumes), its parameters, and
    its `rate`. Everything else is derived. `passive` says that the second law applies without
    an energy source: rate × affinity ≥ 0 in every state; generic tests hold each class to it.
    `affine` says that the rate is an affine function of V, which axial connections need. `reads`
    names the gates of other mechanisms that the rate depends on, as (key, gate); `senses` and
    `senses_outside` the solutes of either side that it depends on besides those of its cycle.
    `on_demand` says that it depends on the ATP that the other mechanisms beside it use.
    """

    cycle: eqx.AbstractVar[Cycle]
    passive: ClassVar[bool] = True
    affine: ClassVar[bool] = False
    reads: ClassVar[tuple[tuple[str, str], ...]] = ()
    senses: ClassVar[tuple[str, ...]] = ()
    senses_outside: ClassVar[tuple[str, ...]] = ()
    on_demand: ClassVar[bool] = False

    @abc.abstractmethod
    def rate(self, m: MembraneView) -> PerCell:
        """Turnovers per second of the whole membrane at its baseline area, fmol/s (pL/s for water)."""


class AbstractGated(AbstractMechanism):
    r"""A mechanism with gates, each open for a fraction $x$ of the time.

    $$\frac{dx}{dt} = \alpha\,(1 - x) - \beta\,x, \qquad x_\infty = \frac{\alpha}{\alpha + \beta}$$

    Its `rate` finds the open fractions in `m.own`.
    """

    gates: eqx.AbstractClassVar[tuple[str, ...]]

    @abc.abstractmethod
    def gating(self, m: MembraneView) -> dict[str, tuple[PerCell, PerCell]]:
        """Opening and closing rate of each gate, 1/s; they may depend on everything but gates."""


def parameters(mechanism: type[AbstractMechanism] | AbstractMechanism) -> dict[str, dataclasses.Field]:
    """Fields of a mechanism that are parameters, by name."""
    return {field.name: field for field in dataclasses.fields(mechanism) if "unit" in field.metadata}
