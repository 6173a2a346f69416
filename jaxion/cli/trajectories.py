"""Saved trajectories as files: a table with units in its header, or Zarr that xarray reads."""

import csv
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Array

from jaxion.errors import ConfigError, Status, StoreError
from jaxion.paths import lookup
from jaxion.protocols import Protocol, plain
from jaxion.sweeps.provenance import versions
from jaxion.sweeps.store import quiet
from jaxion.transients import Solution


def check_place(file: Path) -> None:
    """Raise if the file's ending is unknown, or if there is such a file already."""
    if file.suffix not in (".csv", ".zarr"):
        raise ConfigError(f"Option `--out` must end with `.zarr` or `.csv`, but it is `{file}`.")
    if file.exists():
        raise StoreError(f"`{file}` exists already; choose another name.")


def write(file: Path, solution: Solution, saved: Mapping[str, Array], protocol: Protocol) -> Path:
    """Write saved paths of one cell, and into Zarr its measures as well; returns the file.

    Args:
        file: A file that `check_place` let pass.
        solution: What was solved.
        saved: The paths that are written, each of shape `(times,)`.
        protocol: What the cell went through.
    """
    file.parent.mkdir(parents=True, exist_ok=True)
    if file.suffix == ".csv":
        _write_table(file, solution, saved)
    else:
        with quiet():
            dataset(solution, saved, protocol).to_zarr(file, mode="w-", zarr_format=3, consolidated=True)
    return file


def dataset(solution: Solution, saved: Mapping[str, Array], protocol: Protocol) -> Any:
    """Saved paths by time, and measures and status beside them, with units in their attributes."""
    import xarray

    arrays: dict[str, Any] = {path: ("time", np.asarray(value), _about(solution, path)) for path, value in saved.items()}
    for name, value in solution.measures.items():
        arrays[name] = ((), np.asarray(value), {"role": "measure", "units": solution.units[name] or "1"})
    flags = {"flag_values": [int(code) for code in Status], "flag_meanings": " ".join(code.name for code in Status)}
    arrays["status"] = ((), np.uint8(solution.status), {"role": "status", "long_name": "outcome", **flags})
    time = ("time", np.asarray(solution.t), {"units": "s", "long_name": "time since the protocol began"})
    model = solution.model
    attrs = {
        "title": f"Transient of {model.name}",
        "model": model.name,
        "source": model.source,
        "protocol": json.dumps(plain(protocol)),
        "versions": json.dumps(versions()),
    }
    return xarray.Dataset(arrays, coords={"time": time}, attrs=attrs)


def _about(solution: Solution, path: str) -> dict[str, str]:
    entry = lookup(solution.model, path)
    return {"role": "course", "units": entry.unit or "1", "long_name": entry.doc, "path": path}


def _write_table(file: Path, solution: Solution, saved: Mapping[str, Array]) -> None:
    units = {path: lookup(solution.model, path).unit for path in saved}
    header = ["t [s]", *(f"{path} [{unit}]" if unit else path for path, unit in units.items())]
    columns = np.stack([np.asarray(solution.t), *map(np.asarray, saved.values())], axis=1)
    with file.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream)
        writer.writerow(header)
        writer.writerows(columns.tolist())
