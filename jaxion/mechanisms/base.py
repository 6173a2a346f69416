"""What a mechanism is: a cycle declared as data, and a rate in plain JAX."""

import abc
import dataclasses
import math
from collections.abc import Mapping
from typing import Any, ClassVar, TypeVar

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array

from jaxion import thermo
from jaxion._types import PerCell, per_cell
from jaxion.cycle import Cycle
from jaxion.ions import valence
from jaxion.ranges import Range

Part = TypeVar("Part", bound=eqx.Module)


def parameter(
    unit: str,
    doc: str,
    typical: tuple[float, float] | None = None,
    *,
    allowed: Range = "not negative",
    optional: bool = False,
    **options: Any,
) -> Any:
    """Field of a mechanism that may vary from cell to cell, be swept, differentiated and fitted.

    Args:
        unit: Unit as `jaxion.paths` prints it; empty for a dimensionless number.
        doc: What it is, in a few words.
        typical: Range in which published values lie, in `unit`.
        allowed: Which values are possible; `"positive"` where zero would be divided by.
        optional: Whether it may be `None`: a mechanism that has none then has no such parameter.
        **options: Passed to `equinox.field`, such as `default`.
    """
    metadata = {"unit": unit, "doc": doc, "typical": typical, "allowed": allowed, "optional": optional}
    return eqx.field(converter=_per_cell_or_none if optional else per_cell, metadata=metadata, **options)


def _per_cell_or_none(value: Any) -> Array | None:
    return None if value is None else per_cell(value)


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

    ATP that a cycle hydrolyses or makes is taken from, or added to, the adenylates of the inside if these are solutes there.
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

    gates: eqx.AbstractVar[tuple[str, ...]]

    @abc.abstractmethod
    def gating(self, m: MembraneView) -> dict[str, tuple[PerCell, PerCell]]:
        """Opening and closing rate of each gate, 1/s; they may depend on everything but gates."""


def gates(mechanism: AbstractMechanism) -> tuple[str, ...]:
    """Names of a mechanism's gates; most have none."""
    return mechanism.gates if isinstance(mechanism, AbstractGated) else ()


def part(prefix: str) -> Any:
    """Field of a mechanism that holds another one, or a modulator, whose parameters bear its own names behind a prefix."""
    return eqx.field(metadata={"prefix": prefix})


def parameters(of: type[eqx.Module] | eqx.Module) -> dict[str, dataclasses.Field]:
    """Fields of a mechanism or modulator that are parameters, by name; of an instance, those of its parts as well."""
    found = {}
    for field in dataclasses.fields(of):
        if "unit" in field.metadata:
            if isinstance(of, type) or getattr(of, field.name) is not None:
                found[field.name] = field
        elif "prefix" in field.metadata and not isinstance(of, type):
            found |= {field.metadata["prefix"] + name: inner for name, inner in parameters(getattr(of, field.name)).items()}
    return found


def get_parameter(of: eqx.Module, name: str) -> Any:
    """Value of a parameter by its name in `parameters`."""
    for field in dataclasses.fields(of):
        if "prefix" in field.metadata and name.startswith(field.metadata["prefix"]):
            inner, rest = getattr(of, field.name), name.removeprefix(field.metadata["prefix"])
            if rest in parameters(inner):
                return get_parameter(inner, rest)
    return getattr(of, name)


def with_parameters(of: Part, values: Mapping[str, Any]) -> Part:
    """A mechanism or modulator with other values of parameters, by their names in `parameters`."""
    return eqx.tree_at(lambda o: [get_parameter(o, name) for name in values], of, [per_cell(value) for value in values.values()])
