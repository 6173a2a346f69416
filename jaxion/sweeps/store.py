"""The store: a Zarr v3 directory with one variable a path, of which every chunk is written whole.

A chunk's data are written before its status. So a run that is killed at any moment leaves no set
status without its data, and the checksum of each file tells one that was cut short.
"""

import contextlib
import dataclasses
import os
import shutil
import uuid
import warnings
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np

from jaxion.errors import StoreError
from jaxion.sweeps.variables import STATUS, Variable

FORMAT: Final = 1
"""Version of the format, in the attribute `jaxion_store`."""


@dataclasses.dataclass(frozen=True, eq=False)
class Store:
    """A store that exists; made by `create` or `open_folder`.

    Attributes:
        path: Its folder.
        attrs: Attributes of the whole store.
        arrays: Its Zarr arrays that have the dimension `cell`, by name, the status last.
    """

    path: Path
    attrs: dict[str, Any]
    arrays: dict[str, Any]

    @property
    def chunk(self) -> int:
        """Cells a chunk."""
        return self.arrays[STATUS].chunks[0]

    @property
    def cells(self) -> int:
        """Number of cells."""
        return self.arrays[STATUS].shape[0]

    @property
    def chunks(self) -> int:
        """Number of chunks."""
        return -(-self.cells // self.chunk)

    def span(self, index: int) -> slice:
        """Cells of a chunk."""
        return slice(index * self.chunk, min((index + 1) * self.chunk, self.cells))

    def file(self, name: str, index: int) -> Path:
        """File of a variable's chunk."""
        return self.path.joinpath(name, "c", str(index), *["0"] * (self.arrays[name].ndim - 1))

    def write(self, index: int, values: Mapping[str, np.ndarray]) -> None:
        """Write a chunk, the status after everything else."""
        try:
            for name, array in self.arrays.items():
                array[self.span(index)] = values[name]
        except OSError as error:
            raise StoreError(
                f"`{self.path}` cannot be written ({error.strerror or error}); `jaxion resume {self.path}` continues it."
            ) from None

    def forget(self, index: int) -> None:
        """Take back the status of a chunk, so that its data no longer count."""
        self.file(STATUS, index).unlink(missing_ok=True)

    def read(self, name: str, index: int) -> np.ndarray | None:
        """Values of a variable in a chunk; None if its file is missing, cut short, or fails its checksum."""
        if not self.file(name, index).is_file():
            return None
        try:
            return self.arrays[name][self.span(index)]
        except (ValueError, OSError):
            return None

    def clean(self) -> None:
        """Remove the unfinished files that a killed run left; only while the store is `locked`."""
        for left in self.path.glob("*/c/**/*.partial"):
            left.unlink(missing_ok=True)

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """Keep other processes of this machine from writing; the lock ends with the process, however it ends."""
        try:
            import fcntl
        except ImportError:  # no such locks on Windows
            yield
            return
        handle = os.open(self.path, os.O_RDONLY)
        try:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise StoreError(f"`{self.path}` is being written by another process.") from None
            except OSError:  # a file system without locks
                pass
            yield
        finally:
            os.close(handle)


def create(
    path: Path,
    variables: tuple[Variable, ...],
    coordinates: Mapping[str, tuple[Any, dict[str, Any]]],
    cells: int,
    chunk: int,
    attrs: dict[str, Any],
) -> Store:
    """Make an empty store; it appears under its name only when it is whole."""
    check_free(path)
    new = path.parent / f".{path.name}.{uuid.uuid4().hex}.new"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _build(new, variables, coordinates, cells, chunk, attrs)
        new.replace(path)
    except OSError as error:
        check_free(path)  # another process may have been faster
        raise StoreError(f"`{path}` cannot be written ({error.strerror or error}); choose another place.") from None
    finally:
        shutil.rmtree(new, ignore_errors=True)
    for left in path.parent.glob(f".{path.name}.*.new"):
        # Of a run that was killed right here, or is too late to take this name.
        shutil.rmtree(left, ignore_errors=True)
    return open_folder(path, write=True)


def _build(
    folder: Path,
    variables: tuple[Variable, ...],
    coordinates: Mapping[str, tuple[Any, dict[str, Any]]],
    cells: int,
    chunk: int,
    attrs: dict[str, Any],
) -> None:
    import zarr
    from zarr.codecs import Crc32cCodec

    sizes = {"cell": cells, **{name: len(values) for name, (values, _) in coordinates.items()}}
    codecs: dict[str, Any] = {"filters": [], "compressors": [Crc32cCodec()]}
    with quiet():
        group = zarr.create_group(folder, zarr_format=3, attributes={"jaxion_store": FORMAT, **attrs})
        for v in variables:
            group.create_array(
                v.name,
                shape=tuple(sizes[dim] for dim in v.dims),
                chunks=tuple(chunk if dim == "cell" else sizes[dim] for dim in v.dims),
                dtype=v.dtype,
                fill_value=0 if v.name == STATUS else float("nan"),
                dimension_names=v.dims,
                attributes=v.attrs,
                **codecs,
            )
        for name, (values, about) in coordinates.items():
            shape, text = (len(values),), isinstance(values[0], str)
            array = group.create_array(
                name, shape=shape, chunks=shape, dtype=str if text else "float64", dimension_names=(name,), attributes=about, **codecs
            )
            array[:] = np.array(values, dtype=object if text else float)
        # One file with all metadata opens the store at once.
        zarr.consolidate_metadata(group.store)


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Leave out Zarr's warnings that text labels and consolidated metadata are no part of its standard yet."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def check_free(path: Path) -> None:
    """Raise `StoreError` unless a store can be made at `path`; an empty folder is free."""
    if not path.exists() or (path.is_dir() and not any(path.iterdir())):
        return
    try:
        open_folder(path)
    except StoreError:
        raise StoreError(f"`{path}` exists and is no store that could be continued; choose another name.") from None
    raise StoreError(f"`{path}` holds a sweep already: `jaxion resume {path}` continues it, or choose another name.")


def open_folder(path: Path, write: bool = False) -> Store:
    """Open a store; raises `StoreError` if there is none, or none that this version can read."""
    if not path.exists():
        raise StoreError(f"There is no store `{path}`.")
    try:
        attrs, arrays = _read(path, "r+" if write else "r")
    except PermissionError as error:
        raise StoreError(f"`{path}` cannot be opened ({error.strerror}).") from None
    except Exception:  # whatever Zarr makes of a folder that is something else, or damaged beyond reading
        raise StoreError(f"`{path}` is no store of jaxion.") from None
    if attrs["jaxion_store"] != FORMAT:
        raise StoreError(f"`{path}` has the store format {attrs['jaxion_store']}, but this version of jaxion reads {FORMAT} only.")
    for name in arrays:
        if not (path / name / "zarr.json").is_file():
            raise StoreError(f"The store `{path}` has lost its variable `{name}`.")
    return Store(path, attrs, arrays)


def _read(path: Path, mode: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    import zarr

    # A chunk of nothing but NaN, where every cell failed, must leave its files all the same: so each array is opened here.
    with quiet(), zarr.config.set({"array.write_empty_chunks": True}):
        group = zarr.open_group(path, mode=mode, zarr_format=3, use_consolidated=True)
        attrs = group.attrs.asdict()
        # A store of another version may have other arrays.
        arrays: dict[str, Any] = dict(group.arrays()) if attrs["jaxion_store"] == FORMAT else {}
    names = [name for name, array in arrays.items() if array.metadata.dimension_names[0] == "cell" and name != STATUS]
    return attrs, {name: arrays[name] for name in (*sorted(names), *(() if not arrays else (STATUS,)))}
