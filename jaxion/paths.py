"""Dotted paths: one name for whatever can vary or be read, in Python, files and on the command line.

`neuron.nka.v_max`, `bath.K`, `neuron.volume` are parameters and baseline values, which `replace`
changes; `neuron.E_Cl`, `neuron.nka.J_Na` follow from the state and can only be read.
"""

import dataclasses
import functools
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal, TypeVar

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array

from jaxion import thermo
from jaxion._types import per_cell
from jaxion.declaration import Declaration
from jaxion.errors import PathError, nearest
from jaxion.ions import VANISHING, WATER, valence
from jaxion.mechanisms.base import gates, get_parameter, parameters
from jaxion.ranges import Range, check_range
from jaxion.snapshot import Snapshot, axial_potential, baseline, joins_cells, link_potential, moved, rates, side
from jaxion.units import quantity

M = TypeVar("M", bound=Declaration)


@dataclasses.dataclass(frozen=True)
class Path:
    """One entry of `jaxion.paths`.

    Attributes:
        name: The dotted path.
        unit: Its unit; empty for a dimensionless number.
        doc: What it is.
        kind: `"parameter"` (can be replaced), or `"derived"` (follows from the state).
        range: What values a parameter may take.
        source: Where the value is from.
    """

    name: str
    unit: str
    doc: str
    kind: Literal["parameter", "derived"]
    range: Range = "any"
    source: str = ""


@dataclasses.dataclass(frozen=True)
class _Parameter(Path):
    where: Callable[[Any], Any] = dataclasses.field(kw_only=True)


@dataclasses.dataclass(frozen=True)
class _Derived(Path):
    read: Callable[["_Observer"], Array] = dataclasses.field(kw_only=True)


def _parameters(model: Declaration) -> dict[str, _Parameter]:
    found: list[_Parameter] = []

    def add(name: str, unit: str, doc: str, allowed: Range, where: Callable[[Any], Any]) -> None:
        found.append(_Parameter(name, unit, doc, "parameter", allowed, model.source, where=where))

    for name, bath in model.baths.items():
        for ion in bath.concentrations:
            add(f"{name}.{ion}", "mM", f"concentration of {ion}", "positive", lambda m, n=name, i=ion: m.baths[n].concentrations[i])
        add(f"{name}.impermeant", "mM", "concentration of impermeants", "not negative", lambda m, n=name: m.baths[n].impermeant)
    for name, compartment in model.compartments.items():
        for ion in compartment.concentrations:
            where = lambda m, n=name, i=ion: m.compartments[n].concentrations[i]  # noqa: E731
            add(f"{name}.{ion}", "mM", f"concentration of {ion}", "not negative" if ion in VANISHING else "positive", where)
        for ion in compartment.free:
            add(f"{name}.free_{ion}", "", f"share of {ion} that is free", "positive", lambda m, n=name, i=ion: m.compartments[n].free[i])
        add(f"{name}.volume", "pL", "volume", "positive", lambda m, n=name: m.compartments[n].volume)
        add(f"{name}.impermeant", "fmol", "amount of impermeants", "not negative", lambda m, n=name: m.compartments[n].impermeant)
        add(f"{name}.z", "", "mean charge number of the impermeants", "any", lambda m, n=name: m.compartments[n].z)

    def add_processes(kind: str, name: str) -> None:
        """Activities and parameters of the mechanisms of a membrane, link or axial connection; `kind` is the model's field that holds it."""
        for key, mechanism in getattr(model, kind)[name].mechanisms.items():
            where = lambda m, k=key: getattr(m, kind)[name].activity[k]  # noqa: E731
            add(f"{name}.{key}.activity", "", f"factor on the rate of {key}", "not negative", where)
            for parameter, field in parameters(mechanism).items():
                where = lambda m, k=key, p=parameter: get_parameter(getattr(m, kind)[name].mechanisms[k], p)  # noqa: E731
                about = field.metadata
                add(f"{name}.{key}.{parameter}", about["unit"], f"{about['doc']} of {key}", about["allowed"], where)

    for name, membrane in model.membranes.items():
        add(f"{name}.V", "mV", "membrane potential", "any", lambda m, n=name: m.membranes[n].V)
        add(f"{name}.C", "pF", "capacitance", "positive", lambda m, n=name: m.membranes[n].C)
        add(f"{name}.charge", "fmol", "excess charge", "any", lambda m, n=name: m.membranes[n].charge)
        add_processes("membranes", name)
        for key in membrane.mobile:
            doc = f"share of the ions of {key} that move with its current"
            add(f"{name}.{key}.mobile", "", doc, "not negative", lambda m, n=name, k=key: m.membranes[n].mobile[k])
    for kind in ("links", "axials"):
        for name in getattr(model, kind):
            add_processes(kind, name)
    add("RT_F", "mV", "thermal voltage RT/F", "positive", lambda m: m.RT_F)
    return {path.name: path for path in found}


class _Observer:
    """Reads derived paths of one snapshot; the rates are computed once, when first asked for."""

    def __init__(self, model: Declaration, snapshot: Snapshot):
        self.model, self.snapshot = model, snapshot

    @functools.cached_property
    def rates(self) -> dict[tuple[str, str], Array]:
        return rates(self.model, self.snapshot)

    @functools.cached_property
    def moved(self) -> dict[tuple[str, str], Array]:
        return moved(self.model, self.rates)

    def concentration(self, name: str, ion: str) -> Array:
        return self.snapshot.amounts[name][ion] / self.model.compartments[name].space(ion, self.snapshot.volumes[name])

    def E(self, name: str, ion: str) -> Array:
        m = self.model.membranes[name]
        inside, outside = side(self.model, self.snapshot, m.inside), side(self.model, self.snapshot, m.outside)
        return thermo.nernst(inside[ion], outside[ion], valence(ion), self.model.RT_F)


def _derived(model: Declaration) -> dict[str, _Derived]:
    found: list[_Derived] = []

    def add(name: str, unit: str, doc: str, read: Callable[[_Observer], Array]) -> None:
        found.append(_Derived(name, unit, doc, "derived", read=read))

    for name, compartment in model.compartments.items():
        for ion in compartment.concentrations:
            add(f"{name}.{ion}", "mM", f"concentration of {ion}", lambda o, n=name, i=ion: o.concentration(n, i))
            add(f"{name}.n_{ion}", "fmol", f"amount of {ion}", lambda o, n=name, i=ion: o.snapshot.amounts[n][i])
        add(f"{name}.volume", "pL", "volume", lambda o, n=name: o.snapshot.volumes[n])
        add(f"{name}.X", "mM", "concentration of impermeants", lambda o, n=name: o.model.compartments[n].impermeant / o.snapshot.volumes[n])
        add(f"{name}.osmolarity", "mM", "concentration of all solutes", lambda o, n=name: side(o.model, o.snapshot, n).osmolarity)
    for name, membrane in model.membranes.items():
        add(f"{name}.V", "mV", "membrane potential", lambda o, n=name: o.snapshot.potentials[n])
        shared = set(model.solutions[membrane.inside].concentrations) & set(model.solutions[membrane.outside].concentrations)
        for ion in sorted(ion for ion in shared if valence(ion)):
            add(f"{name}.E_{ion}", "mV", f"Nernst potential of {ion}", lambda o, n=name, i=ion: o.E(n, i))
            add(f"{name}.DF_{ion}", "mV", f"driving force V − E of {ion}", lambda o, n=name, i=ion: o.snapshot.potentials[n] - o.E(n, i))
        for key, mechanism in membrane.mechanisms.items():
            for gate in gates(mechanism):
                add(
                    f"{name}.{key}.{gate}",
                    "",
                    f"open fraction of {key}'s gate {gate}",
                    lambda o, n=name, k=key, g=gate: o.snapshot.gates[n][k][g],
                )
    for name, axial in model.axials.items():
        doc = f"potential of {name} minus that of {axial.outside}"
        add(f"{name}.dV", "mV", doc, lambda o, n=name: axial_potential(o.model, o.snapshot, o.model.axials[n]))
    for name, link in model.links.items():
        if joins_cells(model, link):
            doc = f"potential of {name} minus that of {link.outside}"
            add(f"{name}.dV", "mV", doc, lambda o, n=name: link_potential(o.model, o.snapshot, o.model.links[n]))
    for boundary in model.boundaries:
        for key, mechanism in boundary.mechanisms.items():
            name, cycle, process = boundary.inside, mechanism.cycle, (boundary.inside, key)
            water = cycle.species == (WATER,)
            add(f"{name}.{key}.rate", "pL/s" if water else "fmol/s", f"turnovers of {key}", lambda o, p=process: o.rates[p])
            for species, count in cycle.solutes:
                add(f"{name}.{key}.J_{species}", "fmol/s", f"{species} out by {key}", lambda o, p=process, c=count: c * o.moved[p])
            if cycle.charge:
                add(f"{name}.{key}.I", "pA", f"current out by {key}", lambda o, p=process, z=cycle.charge: z * o.model.F * o.rates[p])
            if cycle.ATP:
                doc = f"ATP {'used' if cycle.ATP > 0 else 'made (negative)'} by {key}"
                add(f"{name}.{key}.ATP", "fmol/s", doc, lambda o, p=process, c=cycle.ATP: c * o.rates[p])
    return {path.name: path for path in found}


@functools.lru_cache(maxsize=256)
def _tables(structure: Any) -> tuple[dict[str, _Parameter], dict[str, _Derived]]:
    """Parameters and derived paths by name: they follow from a model's names and mechanisms, not from its numbers."""
    model = jax.tree.unflatten(structure, [0.0] * structure.num_leaves)
    return _parameters(model), _derived(model)


class PathTable(tuple[Path, ...]):
    """Paths of a model with unit, value and source; prints as a table."""

    model: Declaration

    def __str__(self) -> str:
        """One line a path: name, baseline value, unit, what it is."""
        width = max(len(path.name) for path in self)
        return "\n".join(f"{p.name:<{width}}  {_format(read(self.model, p.name)):>12} {p.unit:<12} {p.doc}" for p in self)


def _format(value: Array) -> str:
    return f"{float(value):.6g}" if jnp.ndim(value) == 0 else f"({value.size} cells)"


def paths(model: Declaration) -> PathTable:
    """All paths of a model: parameters and baseline values first, then what follows from the state."""
    settable, derived = _tables(jax.tree.structure(model))
    table = PathTable([*settable.values(), *(path for name, path in derived.items() if name not in settable)])
    table.model = model
    return table


def state_paths(model: Declaration) -> tuple[str, ...]:
    """Paths that say a whole state: the potentials, then concentrations and volumes of every compartment."""
    s = model.structure
    return (*s.potentials, *(f"{name}.{ion}" for name, ions in s.compartments for ion in ions), *s.volumes)


def lookup(model: Declaration, path: str) -> Path:
    """The entry of a path; raises `PathError` naming the nearest right ones."""
    settable, derived = _tables(jax.tree.structure(model))
    if path in settable:
        return settable[path]
    if path in derived:
        return derived[path]
    raise PathError(f"No path `{path}` in model `{model.name}`.{nearest(path, [*settable, *derived])}")


def observe(model: Declaration, snapshot: Snapshot, names: Sequence[str]) -> dict[str, Array]:
    """Values of paths at a snapshot of a model; parameters are read from the model."""
    observer, (settable, derived) = _Observer(model, snapshot), _tables(jax.tree.structure(model))
    found = {}
    for name in names:
        if name not in derived and name not in settable:
            lookup(model, name)  # raises
        found[name] = derived[name].read(observer) if name in derived else settable[name].where(model)
    return found


def read(model: Declaration, path: str) -> Array:
    """Value of a path at the model's baseline."""
    settable, derived = _tables(jax.tree.structure(model))
    if path in settable and path not in derived:
        return settable[path].where(model)  # a number of the model's own: the baseline, whose gates take time, has no part in it
    return observe(model, baseline(model), [path])[path]


def check_settable(model: Declaration, path: str) -> Path:
    """The entry of a path that `replace` can change; raises `PathError` otherwise."""
    entry = lookup(model, path)
    if entry.kind != "parameter":
        raise PathError(f"`{path}` follows from the state of model `{model.name}` and cannot be set.")
    for name, membrane in model.membranes.items() if model.has_capacitor_law else ():
        if path == f"{name}.{membrane.balance}":
            raise PathError(
                f"`{path}` balances the charge of `{name}` and cannot be set: it follows from the other ions, "
                f"`{name}.V`, `{name}.z` and `{name}.charge`."
            )
    return entry


def replace(model: M, values: Mapping[str, Any]) -> M:
    """Model with other values of parameters or baseline quantities; differentiable in the values.

    A replaced volume keeps all concentrations, that of the impermeants included. Bath changes are
    taken as given. The capacitor law is applied again, so that a change of `z`, `impermeant`, `C`
    or `V` changes the balancing ion of the baseline.

    Args:
        model: Declaration to start from; it is not changed.
        values: New value of each path: a number, an array of shape `(cells,)`, or a string with a unit such as `"8 mM"`.

    Raises:
        PathError: A path names nothing, or something that follows from the state.
        ValueError: A value is not finite or outside its range.
        UnitError: The unit of a string does not fit.

    Example:
        >>> import jaxion
        >>> weak = jaxion.replace(jaxion.models.duesterwald2018(), {"neuron.kcc2.g": 0.0, "bath.K": "8 mM"})
        >>> float(weak["bath.K"])
        8.0
    """
    settable, _ = _tables(jax.tree.structure(model))
    # Volumes first: an amount of impermeants given beside a volume is then taken as it is.
    for path in sorted(values, key=lambda p: not p.endswith(".volume")):
        entry, value = check_settable(model, path), values[path]
        if isinstance(value, str):
            value = quantity(value, entry.unit, path)
        check_range(path, value, entry.unit, entry.range)
        value = per_cell(value)
        if jnp.ndim(value) > 1:
            raise ValueError(f"`{path}` must be one number or one for each cell, but it has the shape {jnp.shape(value)}.")
        if path.endswith(".volume"):
            name = path.removesuffix(".volume")
            old = model.compartments[name]
            model = eqx.tree_at(lambda m, n=name: m.compartments[n].impermeant, model, old.impermeant * value / old.volume)
        model = eqx.tree_at(settable[path].where, model, value)
    return model
