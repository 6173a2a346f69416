r"""Model: compartments and baths joined by membranes, with $dn/dt = S\,v(x, \theta)$."""

import functools
from collections.abc import Mapping
from typing import Any, Final

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array

from jaxion import units
from jaxion._types import PerCell, Rows, per_cell
from jaxion.compartment import AREA_EXPONENT, Bath, Compartment, Membrane, check_membrane
from jaxion.errors import ConservationError, nearest
from jaxion.ions import valence
from jaxion.snapshot import Snapshot, area_ratio, capacitor_charge, inside_charge, membrane_current, rates
from jaxion.structure import MembraneShape, Structure

CLOSURES: Final = ("state", "difference", "electroneutral")
"""How the voltage is closed: a row of its own, from the net charge, or from zero net current (C → 0)."""


class Model(eqx.Module):
    r"""A cell, or a batch of cells: every number is a leaf of shape `()` or `(cells,)`.

    Args:
        compartments: Finite compartments by name.
        baths: Held solutions by name.
        membranes: Membranes; each bears the name of its inside compartment.
        name: Name of the model.
        source: Publication that the model is from.
        closure: `"state"`, `"difference"` or `"electroneutral"`; see `CLOSURES`.
        RT_F: Thermal voltage RT/F, mV.
        F: Faraday constant, pA·s/fmol.

    `model["neuron.kcc2.g"]` reads a parameter or a baseline value; `jaxion.replace` changes it.

    Raises:
        ConservationError: A mechanism moves an ion that one of its sides lacks.
    """

    compartments: dict[str, Compartment]
    baths: dict[str, Bath]
    membranes: dict[str, Membrane]
    RT_F: PerCell
    F: PerCell
    name: str = eqx.field(static=True)
    source: str = eqx.field(static=True)
    closure: str = eqx.field(static=True)

    def __init__(
        self,
        compartments: Mapping[str, Compartment],
        baths: Mapping[str, Bath],
        membranes: tuple[Membrane, ...] | list[Membrane],
        name: str = "model",
        source: str = "",
        closure: str = "state",
        RT_F: Any = units.BODY_RT_F,
        F: Any = units.FARADAY,
    ):
        if closure not in CLOSURES:
            raise ValueError(f"Argument `closure` must be one of {', '.join(CLOSURES)}, but it is `{closure}`.{nearest(closure, CLOSURES)}")
        solutions = {**compartments, **baths}
        if len(solutions) < len(compartments) + len(baths):
            raise ConservationError("A compartment and a bath bear the same name.")
        for membrane in membranes:
            check_membrane(membrane, solutions)
        if len({membrane.inside for membrane in membranes}) < len(membranes):
            raise ConservationError("Two membranes have the same inside; put their mechanisms on one.")
        self.compartments = {key: compartments[key] for key in sorted(compartments)}
        self.baths = {key: baths[key] for key in sorted(baths)}
        self.membranes = {m.inside: m for m in sorted(membranes, key=lambda m: m.inside)}
        self.RT_F, self.F = per_cell(RT_F), per_cell(F)
        self.name, self.source, self.closure = name, source, closure

    @property
    def solutions(self) -> dict[str, Compartment | Bath]:
        """Compartments and baths by name."""
        return {**self.compartments, **self.baths}

    @property
    def structure(self) -> Structure:
        """Rows, processes, S and conserved totals, derived from the names and cycles alone."""
        return _structure(
            tuple((name, tuple(sorted(c.concentrations))) for name, c in sorted(self.compartments.items())),
            tuple(
                MembraneShape(
                    m.inside,
                    m.outside,
                    m.area,
                    m.balance,
                    tuple((key, m.mechanisms[key].cycle.counts, m.mechanisms[key].cycle.charge) for key in sorted(m.mechanisms)),
                )
                for _, m in sorted(self.membranes.items())
            ),
        )

    @property
    def rows(self) -> tuple[str, ...]:
        """State rows: amounts (fmol), volumes (pL), and potentials (mV) when the closure is `"state"`."""
        s = self.structure
        return s.amounts + s.volumes + (s.potentials if self.closure == "state" else ())

    @property
    def cells(self) -> tuple[int, ...]:
        """Shape of the batch: `()` for one cell, `(cells,)` for many."""
        shapes = {jnp.shape(leaf) for leaf in jax.tree.leaves(self)}
        try:
            return jnp.broadcast_shapes(*shapes)
        except ValueError:
            counts = " and ".join(str(shape[0]) for shape in sorted(shapes) if shape)
            raise ValueError(f"Every batch in model `{self.name}` must have the same number of cells, but there are {counts}.") from None

    def __getitem__(self, path: str) -> Array:
        """Read a parameter or baseline value by its dotted path."""
        from jaxion.paths import read

        return read(self, path)

    def baseline(self) -> Snapshot:
        """The baseline, with the capacitor law of every membrane repaired by its balancing ion."""
        amounts = {
            name: {ion: c * compartment.volume for ion, c in sorted(compartment.concentrations.items())}
            for name, compartment in self.compartments.items()
        }
        volumes = {name: compartment.volume for name, compartment in self.compartments.items()}
        potentials = {name: membrane.V for name, membrane in self.membranes.items()}
        snapshot = Snapshot(amounts, volumes, potentials)
        for name, membrane in self.membranes.items():
            lacking = capacitor_charge(self, membrane, membrane.V, 1.0) - inside_charge(self, snapshot, name)
            ion = membrane.balance
            amounts[name][ion] = amounts[name][ion] + lacking / valence(ion)
        return snapshot

    def pack(self, snapshot: Snapshot) -> Rows:
        """Stack a snapshot into state rows."""
        s = self.structure
        values = [snapshot.amounts[name][ion] for name, ions in s.compartments for ion in ions]
        values += [snapshot.volumes[name] for name, _ in s.compartments]
        if self.closure == "state":
            values += [snapshot.potentials[m.inside] for m in s.membranes]
        return jnp.stack(jnp.broadcast_arrays(*values))

    def unpack(self, state: Rows) -> Snapshot:
        """Name the rows of a state; the closure gives the potentials that are no rows."""
        s = self.structure
        if len(state) != len(self.rows):
            raise ValueError(f"Argument `state` must have {len(self.rows)} rows ({', '.join(self.rows)}), but it has {len(state)}.")
        rows = iter(list(state))
        amounts = {name: {ion: next(rows) for ion in ions} for name, ions in s.compartments}
        volumes = {name: next(rows) for name, _ in s.compartments}
        if self.closure == "state":
            return Snapshot(amounts, volumes, {m.inside: next(rows) for m in s.membranes})
        snapshot = Snapshot(amounts, volumes, {name: membrane.V for name, membrane in self.membranes.items()})
        close = _from_charge if self.closure == "difference" else _from_zero_current
        return Snapshot(amounts, volumes, {name: close(self, snapshot, m) for name, m in self.membranes.items()})

    def rhs(self, state: Rows) -> Rows:
        r"""Time derivative of the state rows, per second.

        $dn/dt = S\,v$ for amounts and volumes; $d(C V)/dt = -10^3\,I$ for potentials, where a
        capacitance that grows with the volume dilutes the charge that it holds.
        """
        return self.pack(derivative(self, self.unpack(state)))

    def fluxes(self, state: Rows) -> Array:
        """Turnovers of each process (columns of `structure.S`), fmol/s, shape `(processes, *cells)`."""
        found = rates(self, self.unpack(state))
        return jnp.stack(jnp.broadcast_arrays(*(found[process] for process in self.structure.processes)))


@functools.lru_cache(maxsize=256)
def _structure(compartments, membranes) -> Structure:
    return Structure(compartments, membranes)


def derivative(model: Model, snapshot: Snapshot) -> Snapshot:
    """Rates of change of every amount (fmol/s), volume (pL/s) and potential (mV/s)."""
    s, found = model.structure, rates(model, snapshot)
    turnovers = [found[process] for process in s.processes]
    zero = jnp.zeros_like(snapshot.volumes[s.compartments[0][0]])
    change = iter([sum((int(c) * v for c, v in zip(row, turnovers, strict=True) if c), start=zero) for row in s.S])
    amounts = {name: {ion: next(change) for ion in ions} for name, ions in s.compartments}
    volumes = {name: next(change) for name, _ in s.compartments}
    potentials = {}
    for name, membrane in model.membranes.items():
        area, V = area_ratio(model, snapshot, membrane), snapshot.potentials[name]
        stretch = AREA_EXPONENT[membrane.area] * volumes[name] / snapshot.volumes[name]
        potentials[name] = -units.MILLI * membrane_current(model, membrane, found) / (area * membrane.C) - V * stretch
    return Snapshot(amounts, volumes, potentials)


def _from_charge(model: Model, snapshot: Snapshot, membrane: Membrane) -> Array:
    held = inside_charge(model, snapshot, membrane.inside) - membrane.charge
    return units.MILLI * model.F * held / (area_ratio(model, snapshot, membrane) * membrane.C)


def _from_zero_current(model: Model, snapshot: Snapshot, membrane: Membrane) -> Array:
    """Potential at which the net current vanishes; differentiable through the implicit function theorem."""
    name = membrane.inside

    def current(V):
        found = rates(model, eqx.tree_at(lambda s: s.potentials[name], snapshot, V))
        return membrane_current(model, membrane, found)

    def newton(f, V):
        def step(_, V):
            value, slope = jax.jvp(f, (V,), (jnp.ones_like(V),))
            # The current may be flat far away: no step is longer than two thermal voltages.
            return V - jnp.clip(value / slope, -2 * model.RT_F, 2 * model.RT_F)

        return jax.lax.fori_loop(0, 60, step, V)

    def tangent_solve(linear, y):
        return y / linear(jnp.ones_like(y))

    start = jnp.broadcast_to(membrane.V, jnp.broadcast_shapes(jnp.shape(snapshot.volumes[name]), model.cells))
    return jax.lax.custom_root(current, start, newton, tangent_solve)
