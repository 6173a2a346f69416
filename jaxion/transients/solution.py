"""Solution: what came out of a transient, by path."""

import dataclasses
from collections.abc import Sequence
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int

from jaxion.errors import PathError, Status, nearest
from jaxion.model import Model
from jaxion.paths import lookup, observe
from jaxion.protocols import Drive, course, driven
from jaxion.transients.equations import over_cells


class State(eqx.Module):
    """Rows of a model at one instant, by path: `state["neuron.V"]`; usable as the `start` of `solve`.

    Attributes:
        model: The model, as the protocol left it at that instant.
        rows: Amounts (fmol), volumes (pL), gates and potentials (mV), in the order of `model.rows`.
    """

    model: Model
    rows: Float[Array, "rows *cells"]

    def __getitem__(self, path: str) -> Array:
        return self.read([path])[path]

    def read(self, paths: Sequence[str]) -> dict[str, Array]:
        """Several paths at once: where the potential of zero current has to be sought, it is sought once."""
        return observe(self.model, self.model.unpack(self.rows), paths)


class Solution(eqx.Module):
    """Transient of one cell (shape `()`) or of a batch (shape `(cells,)`).

    `sol["neuron.E_Cl"]` reads any path at the saved times, shape `(times, *cells)`. A cell that did
    not finish is NaN from where it stopped on, and adds exactly zero to every derivative.

    Attributes:
        t: Saved times from the protocol's start, s.
        saved: State rows at the saved times.
        measures: Measures by name.
        units: Unit of each measure.
        status: `Status` code of each cell.
        stats: `steps` tried and `accepted` in each cell.
        drive: The protocol as numbers.
        final_rows: State rows at the end of the protocol.
        tangents: Derivatives of all numbers above in the paths of `wrt`, along a first axis; None without `wrt`.
        wrt: Paths that `derivative` knows.
    """

    t: Float[Array, " times"]
    saved: Float[Array, "times rows *cells"]
    measures: dict[str, Array]
    status: Int[Array, "*cells"]
    stats: dict[str, Array]
    drive: Drive
    final_rows: Float[Array, "rows *cells"]
    units: dict[str, str] = eqx.field(static=True)
    tangents: "Solution | None" = None
    wrt: tuple[str, ...] = eqx.field(static=True, default=())

    @property
    def model(self) -> Model:
        """The model that was integrated."""
        return self.drive.model

    @property
    def ok(self) -> Bool[Array, "*cells"]:
        """Cells that finished."""
        return self.status == Status.ok

    @property
    def final(self) -> State:
        """State at the end of the protocol; NaN in cells that did not finish."""
        return final_state(self.drive, self.final_rows, self.status.shape)

    def __getitem__(self, path: str) -> Array:
        return self.read([path])[path]

    def read(self, names: Sequence[str]) -> dict[str, Array]:
        """Several paths at the saved times at once, each `(times, *cells)`; rates at an edge are those of the phase that begins."""
        for name in names:
            lookup(self.model, name)
        cells = self.status.shape
        times = self.t.reshape(-1, *[1] * len(cells))
        model = driven_at(self.drive, jnp.broadcast_to(times, (len(self.t), *cells)), cells)
        rows = jnp.moveaxis(self.saved, 1, 0)
        # A state that is not there is NaN in whatever follows from it, parameters too.
        there = jnp.all(jnp.isfinite(rows), axis=0)
        safe = jnp.where(there[None], rows, 1.0)
        values = observe(model, model.unpack(safe), names)
        return {name: jnp.where(there, jnp.broadcast_to(value, there.shape), jnp.nan) for name, value in values.items()}

    def derivative(self, of: str, wrt: str) -> Array:
        """∂/∂`wrt` of a path at the saved times, `(times, *cells)`, or of a measure, `(*cells,)`; in their own units.

        Raises:
            PathError: `wrt` was not asked for in `solve`.
        """
        if wrt not in self.wrt or self.tangents is None:
            known = ", ".join(f"`{name}`" for name in self.wrt) or "none"
            raise PathError(f"No derivative in `{wrt}` was asked for: `solve(..., wrt=...)` was given {known}.{nearest(wrt, self.wrt)}")
        tangent = jax.tree.map(lambda x: x[self.wrt.index(wrt)], self.tangents)
        if of in self.measures:
            return tangent.measures[of]
        floats, rest = eqx.partition(dataclasses.replace(self, tangents=None, wrt=()), eqx.is_inexact_array)
        moved = eqx.filter(tangent, eqx.is_inexact_array)
        return jax.jvp(lambda s: eqx.combine(s, rest)[of], (floats,), (moved,))[1]

    def __str__(self) -> str:
        """Status, and the measures."""
        duration = float(np.max(np.asarray(self.drive.edges)))
        codes, counts = np.unique(np.asarray(self.status), return_counts=True)
        outcome = ", ".join(f"{count} {Status(int(code)).name}" for code, count in zip(codes, counts, strict=True))
        cells = "one cell" if self.status.ndim == 0 else f"{self.status.size} cells"
        lines = [
            f"Transient of {cells} of {self.model.name} over {duration:g} s: {outcome if self.status.ndim else Status(int(codes[0])).name}."
        ]
        lines.append(f"  {int(np.sum(self.stats['accepted'])):,} steps, {len(self.t)} saved times")
        for name, value in self.measures.items():
            lines.append(f"  {name:<24} {_shown(value)} {self.units.get(name, '')}".rstrip())
        return "\n".join(lines)


def final_state(drive: Drive, rows: Float[Array, "rows *cells"], cells: tuple[int, ...]) -> State:
    """State at the end of a drive, with the model as the last phase has it."""
    last = jnp.broadcast_to(jax.lax.stop_gradient(drive.edges[-1]), cells)
    return State(driven_at(drive, last[None], cells, time=0), rows)


def driven_at(drive: Drive, times: Float[Array, "times *cells"], cells: tuple[int, ...], time: int | None = None) -> Model:
    """The model at given times: driven leaves have the shape `(times, *cells)`; of one time only, `(*cells,)`."""
    edges = jax.lax.stop_gradient(over_cells(drive.edges, 1, cells))
    # At an edge the phase that begins counts; phases without duration are passed over.
    phase = jnp.clip(jnp.sum(edges[:, None] <= times[None], axis=0) - 1, 0, len(edges) - 2)

    def of_phase(array: Array, rank: int) -> Array:
        """The entry of each time's phase, with the time first and the cells last."""
        wide = over_cells(array, rank, cells)
        index = phase.reshape(phase.shape[0], *[1] * (rank - 1), *cells)
        return jnp.take_along_axis(wide, jnp.broadcast_to(index, (phase.shape[0], *wide.shape[1:])), axis=0)

    begin = jnp.take_along_axis(over_cells(drive.edges, 1, cells), phase, axis=0)
    slope = None if drive.slope is None else jnp.moveaxis(of_phase(drive.slope, 2), 1, 0)
    logistic: Any = None if drive.logistic is None else tuple(jnp.moveaxis(of_phase(part, 3), 0, 2) for part in drive.logistic)
    values = course(times - begin, jnp.moveaxis(of_phase(drive.value, 2), 1, 0), slope, logistic)
    if time is not None:
        return driven(drive.model, drive.paths, values[:, time])
    # Leaves of a batch get the axis of the times as well.
    model = jax.tree.map(lambda leaf: leaf[None] if leaf.ndim else leaf, drive.model)
    return driven(model, drive.paths, values)


def _shown(value: Any) -> str:
    value = np.asarray(value)
    if value.ndim == 0:
        return f"{float(value):.6g}"
    good = value[np.isfinite(value)]
    if not good.size:
        return "none"
    low, middle, high = np.percentile(good, [5, 50, 95])
    return f"median {middle:.5g} (90 % within {low:.5g} to {high:.5g}; {good.size} of {value.size} cells)"
