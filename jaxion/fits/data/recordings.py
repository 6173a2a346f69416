"""Recording: measured columns with their units, and what of them is missing."""

import csv
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np

from jaxion.errors import ConfigError, UnitError, nearest
from jaxion.paths import lookup
from jaxion.transients import Solution
from jaxion.units import quantity

TIME: Final = "t"
"""Column of the times of a course."""

_HEADER: Final = re.compile(r"(?:sd\((?P<of>[^()]+)\)|(?P<name>[^\[\]()]+?))\s*(?:\[(?P<unit>[^\[\]]*)\])?")


class Recording:
    """Columns of measured values, all of the same length: a course in time, set-points, or a table such as an I–V curve.

    Args:
        columns: Values of each column, by path (`"neuron.Na"`), by `"t"` for times, or by the name of a table's column. A pair
            `(values, sd)` gives standard deviations as well; single numbers are columns of length one.
        units: Unit of each column; one that is left out is in the path's own unit.
        missing: Where values are missing: a mask for each column that has such places. They may hold anything, NaN too.

    Raises:
        ValueError: The columns differ in length, hold NaN where nothing is said to be missing, or times do not increase.

    Attributes:
        columns: Values by column, each of shape `(samples,)`; 0 where they are missing.
        units: Unit by column, as far as it was given.
        there: Mask of the values that are there, by column.
        sd: Standard deviations by column, as far as they were given.

    Example:
        >>> course = Recording({"t": [0, 30, 60], "neuron.Na": ([14.0, 15.1, 0.0], 0.5)}, missing={"neuron.Na": [False, False, True]})
        >>> print(course)
        Recording of 3 samples: t, neuron.Na (1 missing)
    """

    def __init__(
        self,
        columns: Mapping[str, Any],
        units: Mapping[str, str] | None = None,
        missing: Mapping[str, Any] | None = None,
    ):
        self.columns: dict[str, np.ndarray] = {}
        self.units = dict(units or {})
        self.there: dict[str, np.ndarray] = {}
        self.sd: dict[str, np.ndarray] = {}
        for name, given in columns.items():
            values, sd = given if isinstance(given, tuple) and len(given) == 2 else (given, None)
            self.columns[name] = _column(name, values)
            if sd is not None:
                self.sd[name] = np.broadcast_to(_column(f"sd({name})", sd), self.columns[name].shape)
        if not self.columns:
            raise ValueError("A recording must have at least one column, but it has none.")
        self._check_length()
        for argument, given in (("units", self.units), ("missing", missing or {})):
            for name in given:
                if name not in self.columns:
                    raise ValueError(f"Argument `{argument}` names `{name}`, which is no column.{nearest(name, self.columns)}")
        for name, values in self.columns.items():
            gone = np.broadcast_to(np.asarray((missing or {}).get(name, False), bool), values.shape)
            bad = np.flatnonzero(~np.isfinite(values) & ~gone)
            if bad.size:
                raise ValueError(
                    f"Column `{name}` must be finite, but {name}[{bad[0]}] is {values[bad[0]]}: "
                    f"leave its cell in the file empty, or flag it by `missing`, if it was not measured."
                )
            self.there[name] = ~gone
            self.columns[name] = np.where(gone, 0.0, values)
            if name in self.sd and not np.all((self.sd[name] > 0) & np.isfinite(self.sd[name]) | gone):
                raise ValueError(f"The standard deviations of `{name}` must be positive, but one of them is not.")
        if TIME in self.columns:
            self._check_times()

    def __len__(self) -> int:
        return len(next(iter(self.columns.values())))

    def __str__(self) -> str:
        """Samples, and columns."""
        names = [name + (f" ({int((~mask).sum())} missing)" if not mask.all() else "") for name, mask in self.there.items()]
        return f"Recording of {len(self)} {'sample' if len(self) == 1 else 'samples'}: {', '.join(names)}"

    @classmethod
    def read(cls, file: str | Path) -> "Recording":
        """Read a CSV file whose header names columns with their units, such as `t [s],neuron.Na [mM],sd(neuron.Na) [mM]`.

        An empty cell is a missing value.

        Args:
            file: The file.

        Raises:
            ConfigError: The file cannot be read, its header is no such header, or a cell is no number.
        """
        return _read(Path(file))

    @classmethod
    def of(cls, solution: Solution, paths: Sequence[str], sd: Mapping[str, float] | None = None, seed: int = 0) -> "Recording":
        """What an experiment with a solution of one cell would have recorded at its saved times.

        Args:
            solution: A solution with saved times.
            paths: What is recorded.
            sd: Standard deviation of the normal scatter that is added to each path, in its own unit.
            seed: Of the scatter.
        """
        random, columns = np.random.default_rng(seed), {TIME: np.asarray(solution.t)}
        for path, values in solution.read(list(paths)).items():
            columns[path] = np.asarray(values) + (sd or {}).get(path, 0.0) * random.standard_normal(len(columns[TIME]))
        return cls(columns)

    def scale(self, name: str, unit: str) -> float:
        """Factor that takes a column to `unit`, in which the model has it; `UnitError` if there is none."""
        if name not in self.units or self.units[name] == unit:
            return 1.0
        if not self.units[name]:
            raise UnitError(f"Column `{name}` has no unit in the header: write `{name} [{unit}]`.")
        return quantity(f"1 {self.units[name]}", unit, name)

    def converted(self, name: str, unit: str) -> np.ndarray:
        """Values of a column in `unit`."""
        return self.columns[name] * self.scale(name, unit)

    def _check_length(self) -> None:
        length = len(self)
        for name, values in self.columns.items():
            if len(values) != length:
                raise ValueError(
                    f"All columns must have the same length, but `{next(iter(self.columns))}` has {length} values and `{name}` {len(values)}."
                )

    def _check_times(self) -> None:
        t = self.columns[TIME]
        if not self.there[TIME].all():
            raise ValueError("Times cannot be missing: leave out the sample.")
        falls = np.flatnonzero(np.diff(t) <= 0)
        if falls.size:
            i, unit = int(falls[0]), self.units.get(TIME) or "s"
            raise ValueError(f"Times must increase, but t[{i}]={t[i]:g} {unit} is followed by {t[i + 1]:g} {unit}.")


def check_paths(recording: Recording, model: Any, besides: Sequence[str] = ()) -> None:
    """Raise `PathError` for a column that is no path of the model, naming the nearest."""
    for name in recording.columns:
        if name not in besides:
            lookup(model, name)


def as_recording(given: Any) -> Recording:
    """A recording, from itself, from columns, or from a CSV file."""
    if isinstance(given, Recording):
        return given
    if isinstance(given, Mapping):
        return Recording(given)
    if isinstance(given, str | Path):
        return Recording.read(given)
    raise ValueError(f"Argument `recording` must be a Recording, a mapping of columns or a CSV file, but it is `{given}`.")


def _column(name: str, values: Any) -> np.ndarray:
    try:
        column = np.atleast_1d(np.asarray(values, float))
    except (TypeError, ValueError):
        raise ValueError(f"Column `{name}` must be numbers, but it is `{values}`.") from None
    if column.ndim != 1:
        raise ValueError(f"Column `{name}` must be a list of numbers, but its shape is {column.shape}.")
    return column


def _read(file: Path) -> Recording:
    try:
        with file.open(newline="", encoding="utf-8-sig") as stream:
            header, *rows = [row for row in csv.reader(stream) if any(cell.strip() for cell in row)] or [[]]
    except OSError as error:
        raise ConfigError(f"The recording `{file}` cannot be read ({error.strerror}).") from None
    except (UnicodeDecodeError, csv.Error):
        raise ConfigError(f"The recording `{file}` is no table in UTF-8.") from None
    if not rows:
        raise ConfigError(f"The recording `{file}` needs a header such as `t [s],neuron.Na [mM]` and rows of numbers below it.")
    keys = [_key(file, cell) for cell in header]
    names = [name for name, _, _ in keys]
    table = np.full((len(rows), len(names)), np.nan)
    for i, row in enumerate(rows):
        if len(row) != len(names):
            raise ConfigError(f"`{file}`, row {i + 2}: there are {len(row)} cells, but the header has {len(names)}.")
        for j, cell in enumerate(row):
            if cell.strip():
                table[i, j] = _number(file, i + 2, names[j], cell.strip())
    empty = np.isnan(table)
    columns, missing, units = {}, {}, {}
    for j, (name, unit, is_sd) in enumerate(keys):
        if not is_sd:
            if name in columns:
                raise ConfigError(f"`{file}` has two columns `{name}`.")
            columns[name], missing[name], units[name] = table[:, j], empty[:, j], unit
    for j, (name, unit, is_sd) in enumerate(keys):
        if is_sd and name not in columns:
            raise ConfigError(f"`{file}` has a column `sd({name})`, but no column `{name}`.{nearest(name, columns)}")
        if is_sd and unit != units[name]:
            raise ConfigError(f"`{file}`: column `{name}` is in `{units[name]}`, but `sd({name})` in `{unit}`.")
        if is_sd:
            columns[name] = (columns[name], table[:, j])
    try:
        return Recording(columns, units, missing)
    except ValueError as error:
        raise ConfigError(f"`{file}`: {error}") from None


def _key(file: Path, cell: str) -> tuple[str, str, bool]:
    """Name and unit of a header's cell, and whether it holds standard deviations."""
    match = _HEADER.fullmatch(cell.strip())
    if match is None:
        raise ConfigError(f"`{file}`: the header's cell `{cell}` must be a name with a unit, such as `neuron.Na [mM]`.")
    return (match["of"] or match["name"]).strip(), (match["unit"] or "").strip(), match["of"] is not None


def _number(file: Path, row: int, name: str, cell: str) -> float:
    try:
        number = float(cell)
    except ValueError:
        number = np.nan
    if not np.isfinite(number):
        raise ConfigError(f"`{file}`, row {row}, column `{name}`: `{cell}` is no finite number; leave the cell empty if it is missing.")
    return number
