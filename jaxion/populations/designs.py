"""Designs: which values the varied paths take in which cell, computed for any slice of cells."""

import abc
import dataclasses
import math
from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
from jaxtyping import Float

from jaxion.model import Model
from jaxion.paths import Path, check_settable
from jaxion.populations.correlations import Matrix, correlated, correlation_matrix, pairs
from jaxion.populations.distributions import Distribution, in_unit, standard_normal
from jaxion.populations.draws import MOST_CELLS, check_seed, uniforms
from jaxion.ranges import check_range
from jaxion.units import quantity

Table = dict[str, Float[np.ndarray, " cells"]]
"""Values of the varied paths, by path, in the paths' own units."""

_ENDS: Final = (2.0**-54, 1 - 2.0**-53)
"""The smallest and the largest uniform draw there can be."""

_SLICE: Final = 2**16
"""Cells that are drawn at a time when all have to be looked at."""


class Design(abc.ABC):
    """Which values the varied paths take in which cell."""

    paths: tuple[str, ...]
    size: int

    @abc.abstractmethod
    def values(self, i0: int, i1: int) -> Table:
        """Values of the cells i0…i1, in double precision."""

    @abc.abstractmethod
    def record(self) -> dict[str, Any]:
        """The design as plain data that can be written to a file."""

    @abc.abstractmethod
    def __str__(self) -> str:
        """A few words, then one line a path."""


@dataclasses.dataclass(frozen=True, eq=False)
class Grid(Design):
    """Every combination of some values of each path; the last path varies fastest."""

    axes: Table
    units: tuple[str, ...]

    @property
    def paths(self) -> tuple[str, ...]:
        """Varied paths, the slowest first."""
        return tuple(self.axes)

    @property
    def size(self) -> int:
        """Number of cells."""
        return math.prod(len(axis) for axis in self.axes.values())

    def values(self, i0: int, i1: int) -> Table:
        """Values of the cells i0…i1."""
        places = np.unravel_index(np.arange(i0, i1), [len(axis) for axis in self.axes.values()])
        return {path: axis[place] for (path, axis), place in zip(self.axes.items(), places, strict=True)}

    def record(self) -> dict[str, Any]:
        """The design as plain data."""
        return {"design": "grid", "values": {path: axis.tolist() for path, axis in self.axes.items()}}

    def __str__(self) -> str:
        """The number of values of each path, and their range."""
        lines = ["grid"]
        for (path, axis), unit in zip(self.axes.items(), self.units, strict=True):
            count = "1 value" if len(axis) == 1 else f"{len(axis)} values"
            lines.append(f"  {path:<24} {count} from {axis.min():.6g} to {axis.max():.6g} {unit}".rstrip())
        return "\n".join(lines)


@dataclasses.dataclass(frozen=True, eq=False)
class Sample(Design):
    """Draws of each path, independent unless a correlation matrix is given."""

    distributions: dict[str, Distribution]
    nominal: dict[str, float]
    units: tuple[str, ...]
    size: int
    seed: int
    correlation: Matrix | None = None

    @property
    def paths(self) -> tuple[str, ...]:
        """Varied paths."""
        return tuple(self.distributions)

    def values(self, i0: int, i1: int) -> Table:
        """Values of the cells i0…i1."""
        draws = {path: uniforms(self.seed, path, i0, i1) for path in self.paths}
        if self.correlation is None:
            return {path: d.quantile(draws[path], self.nominal[path]) for path, d in self.distributions.items()}
        normal = correlated([standard_normal(u) for u in draws.values()], np.linalg.cholesky(self.correlation))
        return {path: d.at(z, self.nominal[path]) for (path, d), z in zip(self.distributions.items(), normal, strict=True)}

    def record(self) -> dict[str, Any]:
        """The design as plain data."""
        vary = {path: {type(d).__name__: dataclasses.asdict(d), "nominal": self.nominal[path]} for path, d in self.distributions.items()}
        # Absent without one, as it was in every store before there were correlations.
        correlation = {} if self.correlation is None else {"correlation": self.correlation.tolist()}
        return {"design": "sample", "size": self.size, "seed": self.seed, "vary": vary, **correlation}

    def __str__(self) -> str:
        """Each path's distribution and the range that holds nine cells in ten."""
        lines = [f"sample, seed {self.seed}"]
        for (path, d), unit in zip(self.distributions.items(), self.units, strict=True):
            low, high = np.sort(d.quantile(np.array([0.05, 0.95]), self.nominal[path]))
            lines.append(f"  {path:<24} {d}, nominal {self.nominal[path]:.6g} {unit}".rstrip() + f" (90 % within {low:.4g} to {high:.4g})")
        if self.correlation is not None:
            lines += [f"  correlation of {a} and {b}: {r:.3g}" for (a, b), r in pairs(self.correlation, self.paths).items() if r]
        return "\n".join(lines)


def grid(model: Model, values: Mapping[str, Any]) -> Grid:
    """Grid over some values of each path: numbers, or strings with a unit such as `"8 mM"`."""
    check_one_cell(model)
    _check_paths(values)
    entries = {path: check_settable(model, path) for path in values}
    design = Grid({path: _axis(entry, values[path]) for path, entry in entries.items()}, tuple(entry.unit for entry in entries.values()))
    _check_size(design.size)
    return design


def sample(model: Model, distributions: Mapping[str, Any], size: int, seed: int, correlation: Any = None) -> Sample:
    """Sample of draws of each path, independent unless correlations are given."""
    check_one_cell(model)
    _check_paths(distributions)
    _check_size(size)
    check_seed(seed)
    entries = {path: check_settable(model, path) for path in distributions}
    for path, d in distributions.items():
        if not isinstance(d, Distribution):
            raise ValueError(
                f"`{path}` must have a distribution such as LogNormal(cv=0.3), but it has `{d}`; a value that all cells share is set by `replace`."
            )
    known = {path: in_unit(d, entries[path].unit, path) for path, d in distributions.items()}
    nominal = {path: float(model[path]) for path in known}
    matrix = None if correlation is None else correlation_matrix(correlation, tuple(known))
    design = Sample(known, nominal, tuple(entry.unit for entry in entries.values()), int(size), int(seed), matrix)
    for entry in entries.values():
        _check_range(design, entry)
    return design


def check_one_cell(model: Model) -> None:
    """Raise `ValueError` if the model is a batch: a population varies a model of one cell."""
    if model.cells:
        raise ValueError(f"A population is made of one cell, but the model `{model.name}` holds {model.cells[0]} already.")


def _axis(entry: Path, given: Any) -> Float[np.ndarray, " values"]:
    alone = isinstance(given, str) or np.ndim(given) == 0
    listed: Sequence[Any] = [given] if alone else list(given)
    if not listed:
        raise ValueError(f"`{entry.name}` must have at least one value in the grid, but it has none.")
    axis = []
    for value in listed:
        if not isinstance(value, str) and np.ndim(value) > 0:
            raise ValueError(
                f"`{entry.name}` must have a plain list of values in the grid, but one of them has the shape {np.shape(value)}."
            )
        number = quantity(value, entry.unit, entry.name) if isinstance(value, str) else float(value)
        check_range(entry.name, number, entry.unit, entry.range)
        axis.append(number)
    return np.array(axis)


def _check_paths(paths: Mapping[str, Any]) -> None:
    if not paths:
        raise ValueError("A population must vary at least one path, but none is given.")


def _check_size(size: int) -> None:
    if not 1 <= size <= MOST_CELLS:
        raise ValueError(f"A population must have between 1 and {MOST_CELLS} cells, but this one has {size}.")


def _check_range(design: Sample, entry: Path) -> None:
    """Refuse a distribution that leaves the range of its parameter, naming a cell that leaves it."""
    path, d = entry.name, design.distributions[entry.name]
    if d.multiple and design.nominal[path] == 0:
        raise ValueError(
            f"`{path}` is 0 in the model, so that {d} would leave it at 0 in every cell; set it to another value first, or use Uniform."
        )
    try:
        for end in d.quantile(np.array(_ENDS), design.nominal[path]):
            check_range(path, float(end), entry.unit, entry.range)
        return
    except ValueError as error:
        if d.bounded:
            raise ValueError(f"{d} does not fit: {error}") from None
    # Its tails leave the range: whether a draw does is seen by drawing, a slice at a time.
    for i0 in range(0, design.size, _SLICE):
        i1 = min(i0 + _SLICE, design.size)
        drawn = design.values(i0, i1)[path]
        for cell in (int(np.argmin(drawn)), int(np.argmax(drawn))):
            try:
                check_range(path, float(drawn[cell]), entry.unit, entry.range)
            except ValueError as error:
                hint = "choose a smaller `sd`, or LogNormal, which keeps the sign"
                raise ValueError(f"{str(error).removesuffix('.')} in cell {i0 + cell}: {hint}.") from None
