"""Sweep: what a sweep found, in memory or in a store."""

import functools
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from jaxion.errors import Status
from jaxion.sweeps.inspection import Inspection, inspect
from jaxion.sweeps.store import Store, quiet
from jaxion.sweeps.variables import Variable

if TYPE_CHECKING:
    import xarray


class Sweep:
    """Result of a sweep; made by `jaxion.sweep`, `jaxion.resume` and `jaxion.open_store`.

    Values of a cell are NaN unless its status is `ok`, or `unstable` for those of a set-point; mask by `sweep.ok`.

    Attributes:
        path: Folder of its store; None if it is in memory only.
        status: `Status` code of each cell, shape `(cells,)`; `not_run` in chunks that are missing or damaged.
        missing_chunks: Numbers of the chunks that are not complete.
        damaged_chunks: Those of them that were complete, but whose files are missing or fail their checksum.
    """

    def __init__(self, inspection: Inspection, store: Store | None = None, ds: "xarray.Dataset | None" = None):
        self._inspection, self._store = inspection, store
        self.path: Path | None = None if store is None else store.path
        self.status: np.ndarray = inspection.status
        self.missing_chunks, self.damaged_chunks = inspection.missing, inspection.damaged
        if ds is not None:
            self.ds = ds

    @functools.cached_property
    def ds(self) -> "xarray.Dataset":
        """The variables by name, with units and sources in their attributes; those of a store are read when they are used."""
        import xarray

        with quiet():
            return xarray.open_zarr(self.path, chunks=None)

    @property
    def cells(self) -> int:
        """Number of cells."""
        return self.status.size

    def __len__(self) -> int:
        return self.cells

    @property
    def ok(self) -> np.ndarray:
        """Cells with a certified, stable set-point that went through their protocol, if there is one; shape `(cells,)`."""
        return self.status == Status.ok

    def summary(self) -> dict[str, Any]:
        """Counts: `cells`, `done`, `ok`, `failed` by name of the status, and `missing_chunks`."""
        return self._inspection.summary()

    def __str__(self) -> str:
        """Counts by status, median and range of each path over the cells that are ok, and advice on the others."""
        counts = self._inspection.counts
        found = ", ".join(f"{count:,} {status.name}" for status, count in counts.items())
        lines = [f"Sweep of {self.cells:,} {'cell' if self.cells == 1 else 'cells'} of {self.ds.attrs['model']}: {found}."]
        for name, array in self.ds.data_vars.items():
            if array.attrs.get("role") in ("setpoint", "measure") and self.ok.any():
                lines.append(_summary(str(name), array.attrs["units"], self._good(str(name))))
        lines += [
            f"{count:,} {status.name}: {status.advice}" for status, count in counts.items() if status not in (Status.ok, Status.not_run)
        ]
        if self.missing_chunks:
            damage = f" ({len(self.damaged_chunks)} of them damaged)" if self.damaged_chunks else ""
            chunks = "1 chunk is" if len(self.missing_chunks) == 1 else f"{len(self.missing_chunks)} chunks are"
            lines.append(f"{chunks} missing{damage}; `jaxion resume {self.path}` goes on.")
        return "\n".join(lines)

    def _good(self, name: str) -> np.ndarray:
        """Values of a variable in the cells that are ok."""
        if self._store is None:
            return self.ds[name].values[self.ok]
        # Chunk by chunk, since a damaged one cannot be read.
        whole = [index for index in range(self._store.chunks) if index not in self.missing_chunks]
        parts = [(self._store.read(name, index), self.ok[self._store.span(index)]) for index in whole]
        return np.concatenate([values[ok] for values, ok in parts if values is not None])


def _summary(name: str, unit: str, values: np.ndarray) -> str:
    """One line: median and range; a measure that is undefined in a cell, such as a time that never comes, does not count."""
    defined = values[~np.isnan(values)]
    if not defined.size:
        return f"  {name:<20} in no cell"
    low, middle, high = np.percentile(defined, [5, 50, 95])
    line = f"  {name:<20} median {middle:>11.5f} {unit:<4} (90 % within {low:.5g} to {high:.5g})"
    return line if defined.size == values.size else f"{line} in {defined.size:,} of {values.size:,} cells"


def of_store(store: Store) -> Sweep:
    """The result that a store holds, be it complete or not."""
    return Sweep(inspect(store), store)


def in_memory(
    variables: tuple[Variable, ...], coordinates: Mapping[str, tuple[Any, dict[str, Any]]], values: dict[str, np.ndarray], attrs: Any
) -> Sweep:
    """The same result without a store."""
    import xarray

    arrays = {v.name: (v.dims, values[v.name], v.attrs) for v in sorted(variables, key=lambda v: v.name)}
    ds = xarray.Dataset(arrays, coords={name: (name, list(given), about) for name, (given, about) in coordinates.items()}, attrs=attrs)
    return Sweep(Inspection(ds["status"].values), ds=ds)
