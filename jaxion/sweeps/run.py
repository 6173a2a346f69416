"""`sweep` and what continues, opens and examines its store."""

import json
import sys
import warnings
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from jaxion.errors import Status, StoreError
from jaxion.populations import Population
from jaxion.precision import check_precision
from jaxion.protocols import Protocol
from jaxion.sweeps.chunks import Plan, Values, plan
from jaxion.sweeps.inspection import Inspection, inspect
from jaxion.sweeps.provenance import attributes, difference
from jaxion.sweeps.result import Sweep, in_memory, of_store
from jaxion.sweeps.runs import check_run, of_record
from jaxion.sweeps.store import Store, create, open_folder
from jaxion.sweeps.variables import STATUS, check_request


def sweep(
    cells: Population,
    protocol: Protocol | str | None = None,
    measure: Mapping[str, Any] | None = None,
    save: Any = None,
    of: Sequence[str] | str | None = None,
    wrt: Sequence[str] | str | None = None,
    out: Path | str | None = None,
    chunk: int | None = None,
    progress: bool | None = None,
    paths: Sequence[str] | str | None = None,
    start: str = "setpoint",
    rtol: float = 1e-6,
) -> Sweep:
    """Set-points of every cell of a population, their sensitivities, and what a protocol makes of them.

    A cell that fails is NaN and keeps the status that says why; it never ends the sweep. A cell's
    numbers are the same to the last bit whatever the size of the chunks.

    Args:
        cells: The population.
        protocol: What is done to each cell, or the name of one in `jaxion.protocols.of`; None for set-points only.
        measure: Measures by name, such as `{"end": jaxion.final()}`, which is the default where nothing is saved.
        save: Times at which paths are saved: increasing, in s, or `"t0:t1:n"`; None saves none.
        of: Paths whose sensitivities at the set-point are kept, such as `("neuron.V", "neuron.Cl")`; needs `wrt`.
        wrt: Paths of the parameters that they are taken to; scaled as by `jaxion.sensitivity`.
        out: Folder of the store to make (Zarr, which `xarray.open_zarr` reads); None keeps the result in memory.
        chunk: Cells a chunk of the store, each variable's in one file. Default: 16384, with a protocol 2048, or all if they are fewer.
        progress: Whether to show a progress bar on stderr. Default: if that is a terminal.
        paths: Paths that are saved; default the whole state.
        start: Where each cell starts: at its own `"setpoint"`, or at the `"baseline"` of its model.
        rtol: Relative tolerance of the integration.

    Returns:
        Sweep, whose `ds` is an `xarray.Dataset` with a variable for each path and measure.

    Raises:
        PathError: A path names nothing.
        ValueError: The protocol differs between cells, or what is asked does not fit it.
        StoreError: The store exists already, or cannot be written.
        PrecisionError: JAX, or the model, is in single precision.

    Example:
        >>> import jaxion
        >>> model = jaxion.models.duesterwald2018()
        >>> cells = jaxion.Population.grid(model, {"bath.K": ["3 mM", "6 mM", "12 mM"]})
        >>> jaxion.sweep(cells).ds["neuron.V"].values.round(1).tolist()
        [-76.1, -60.5, -45.1]
    """
    run = check_run(cells.base, protocol, measure, save, paths, start, rtol)
    return execute(plan(cells, check_request(cells.base, of, wrt, run), chunk), None if out is None else Path(out), progress)


def execute(plan: Plan, out: Path | None, progress: bool | None, **config: Any) -> Sweep:
    """Carry out a plan; `config` goes to `attributes`."""
    check_precision(plan.cells.base, "float64")
    if out is None:
        parts = [values for _, values in _computed(plan, Inspection(np.zeros(len(plan.cells), np.uint8)), range(plan.chunks), progress)]
        values = {v.name: np.concatenate([part[v.name] for part in parts]) for v in plan.variables}
        return in_memory(plan.variables, plan.request.coordinates, values, attributes(plan, **config))
    store = create(out, plan.variables, plan.request.coordinates, len(plan.cells), plan.chunk, attributes(plan, **config))
    return _complete(plan, store, progress)


def resume(path: Path | str, cells: Population | None = None, progress: bool | None = None) -> Sweep:
    """Complete a store whose sweep was ended early, however it ended; damaged chunks are computed again.

    On one platform the files are then byte for byte those of a sweep that was never ended.

    Args:
        path: Folder of the store.
        cells: The population; a store that was made from a sweep file knows it.
        progress: Whether to show a progress bar on stderr. Default: if that is a terminal.

    Raises:
        StoreError: There is no such store, another process writes it, its population is not known
            or is not the one that it was made of.
        ConfigError: Its sweep file names a model that is not there any more.

    Example:
        >>> import jaxion, tempfile
        >>> cells = jaxion.Population.grid(jaxion.models.duesterwald2018(), {"bath.K": [3.0, 6.0, 12.0]})
        >>> store = tempfile.mkdtemp()
        >>> bool(jaxion.sweep(cells, out=store).ok.all())
        True
        >>> len(jaxion.resume(store, cells))
        3
    """
    store = open_folder(Path(path), write=True)
    found = of_store(store)
    if cells is None and not found.missing_chunks:
        return found
    return _complete(_plan_of(store, cells), store, progress)


def open_store(path: Path | str) -> Sweep:
    """Open the store of a sweep to read it, be it complete or not.

    Args:
        path: Folder of the store.

    Raises:
        StoreError: There is none, or none that this version of jaxion can read.
    """
    return of_store(open_folder(Path(path)))


def store_status(path: Path | str) -> dict[str, Any]:
    """Counts of a store: `cells`, `done`, `ok`, `failed` by name of the status, and `missing_chunks`.

    Every checksum is verified; a damaged chunk counts as missing, and its cells are not done.

    Args:
        path: Folder of the store.

    Raises:
        StoreError: There is none, or none that this version of jaxion can read.
    """
    return inspect(open_folder(Path(path))).summary()


def run_file(config_path: Path | str, out: Path | str | None = None, progress: bool | None = None, chunk: int | None = None) -> Sweep:
    """Carry out the sweep that a sweep file (TOML) describes; the store keeps its text, so that `resume` needs nothing else.

    Args:
        config_path: The sweep file.
        out: Folder of the store to make; None keeps the result in memory.
        progress: Whether to show a progress bar on stderr. Default: if that is a terminal.
        chunk: Cells a chunk of the store, in place of the file's.

    Raises:
        ConfigError: The file is not what a sweep file has to be; the message names the key.
        StoreError: The store exists already, or cannot be written.
    """
    from jaxion.sweeps.config import read_config

    config = read_config(config_path)
    return execute(config.plan(chunk), None if out is None else Path(out), progress, config=config.text, file=config.file)


def _plan_of(store: Store, cells: Population | None) -> Plan:
    """The plan that a store was made by, checked against its hash."""
    from jaxion.sweeps.config import stored_config

    attrs = store.attrs
    config = stored_config(attrs)
    if cells is not None:
        if cells.base.name != attrs.get("model"):
            # The paths asked for may not even exist in it.
            raise StoreError(
                f"`{store.path}` belongs to another sweep: `model` is {attrs.get('model')} in the store and {cells.base.name} now."
            )
        run = of_record(cells.base, json.loads(attrs["run"]), str(store.path)) if "run" in attrs else None
        found = plan(cells, check_request(cells.base, attrs.get("of"), attrs.get("wrt"), run), store.chunk)
    elif config is not None:
        found = config.plan(store.chunk)
    else:
        raise StoreError(f"`{store.path}` was made in Python and does not know its population: give it as `jaxion.resume(path, cells)`.")
    now = attributes(found)
    if now["sweep_hash"] != attrs.get("sweep_hash"):
        raise StoreError(f"`{store.path}` belongs to another sweep: {difference(attrs, now)}.")
    for name in ("versions", "device"):
        if now[name] != attrs.get(name):
            text = f"`{store.path}` was begun with other {name} ({attrs.get(name)}) than it is continued with ({now[name]})"
            warnings.warn(f"{text}: the last digits of its cells may differ.", stacklevel=3)
    return found


def _complete(plan: Plan, store: Store, progress: bool | None) -> Sweep:
    check_precision(plan.cells.base, "float64")
    with store.locked():
        store.clean()
        before = inspect(store)
        for index in before.damaged:
            store.forget(index)
        for index, values in _computed(plan, before, before.missing, progress):
            store.write(index, values)
    return of_store(store)


def _computed(plan: Plan, before: Inspection, todo: Sequence[int], progress: bool | None) -> Iterator[tuple[int, Values]]:
    """Number and values of each chunk to do, under a progress bar that counts cells."""
    from tqdm import tqdm

    done = before.summary()
    failed = sum(done["failed"].values())
    hidden = None if progress is None else not progress
    with tqdm(total=done["cells"], initial=done["done"], desc="sweep", unit=" cells", file=sys.stderr, disable=hidden) as bar:
        for index in todo:
            values = plan.compute(index)
            yield index, values
            failed += int(np.count_nonzero(values[STATUS] != Status.ok))
            bar.set_postfix_str(f"{failed:,} failed", refresh=False)
            bar.update(values[STATUS].size)
