"""Measures: what is reduced from each cell's trajectory, so that a million cells need no trajectories."""

import dataclasses
from typing import Any

from jaxion.errors import nearest
from jaxion.kernel import Crossing, Extremum, Integral, Mean, Reduction, Spikes


@dataclasses.dataclass(frozen=True)
class Measure:
    """A number of each cell, or several, reduced from its trajectory; made by `maximum`, `crossing` and the like."""

    path: str

    def reduction(self, index: int) -> Reduction:
        """What the kernel folds over the steps, of the observable with this number."""
        raise NotImplementedError

    def unit(self, path_unit: str, output: str) -> str:
        """Unit of an output of the reduction, given that of the path."""
        return "s" if output in ("time", "first", "last") else path_unit

    @property
    def plain(self) -> dict[str, Any]:
        """The measure as plain data, from which `parse_measures` makes the same one."""
        raise NotImplementedError


@dataclasses.dataclass(frozen=True)
class Final:
    """Values of paths at the end of the protocol; None for the whole state."""

    paths: tuple[str, ...] | None = None

    @property
    def plain(self) -> Any:
        """The measure as plain data, from which `parse_measures` makes the same one."""
        return "final" if self.paths is None else {"final": list(self.paths)}


@dataclasses.dataclass(frozen=True)
class _Extremum(Measure):
    sign: float = 1.0

    def reduction(self, index: int) -> Reduction:
        return Extremum(index, self.sign)

    @property
    def plain(self) -> dict[str, Any]:
        return {"maximum" if self.sign > 0 else "minimum": self.path}


@dataclasses.dataclass(frozen=True)
class _Mean(Measure):
    def reduction(self, index: int) -> Reduction:
        return Mean(index)

    @property
    def plain(self) -> dict[str, Any]:
        return {"mean": self.path}


@dataclasses.dataclass(frozen=True)
class _Integral(Measure):
    def reduction(self, index: int) -> Reduction:
        return Integral(index)

    @property
    def plain(self) -> dict[str, Any]:
        return {"integral": self.path}

    def unit(self, path_unit: str, output: str) -> str:
        return path_unit.removesuffix("/s") if path_unit.endswith("/s") else f"{path_unit} s".strip()


@dataclasses.dataclass(frozen=True)
class _Crossing(Measure):
    level: float
    sign: float
    last: bool

    def reduction(self, index: int) -> Reduction:
        return Crossing(index, self.level, self.sign, self.last)

    @property
    def plain(self) -> dict[str, Any]:
        direction, which = "up" if self.sign > 0 else "down", "last" if self.last else "first"
        return {"crossing": self.path, "level": self.level, "direction": direction, "which": which}

    def unit(self, path_unit: str, output: str) -> str:
        return "s"


@dataclasses.dataclass(frozen=True)
class _Spikes(Measure):
    level: float

    def reduction(self, index: int) -> Reduction:
        return Spikes(index, self.level)

    @property
    def plain(self) -> dict[str, Any]:
        return {"spikes": self.path, "level": self.level}

    def unit(self, path_unit: str, output: str) -> str:
        return "s" if output else ""


def final(paths: tuple[str, ...] | list[str] | None = None) -> Final:
    """Values at the end of the protocol, one measure a path: `end` gives `end.neuron.V` and so on.

    Args:
        paths: Paths wanted; default all potentials, concentrations, volumes and gates.
    """
    return Final(None if paths is None else tuple(paths))


def maximum(path: str) -> Measure:
    """Largest value of a path, between steps as well; its time is the further measure `NAME.time`, s."""
    return _Extremum(path)


def minimum(path: str) -> Measure:
    """Smallest value of a path, between steps as well; its time is the further measure `NAME.time`, s."""
    return _Extremum(path, -1.0)


def mean(path: str) -> Measure:
    """Time average of a path over the protocol."""
    return _Mean(path)


def integral(path: str) -> Measure:
    """Integral of a path over the protocol: of `neuron.nka.ATP` the ATP used, fmol; of a current the charge, pA·s."""
    return _Integral(path)


def crossing(path: str, level: float, direction: str = "up", which: str = "first") -> Measure:
    """Time at which a path passes a level, s; NaN if it never does. Differentiable.

    Args:
        path: Path that is watched.
        level: In the path's unit.
        direction: `"up"` or `"down"`.
        which: `"first"` or `"last"`.
    """
    _choose("direction", direction, ("up", "down"))
    _choose("which", which, ("first", "last"))
    return _Crossing(path, float(level), 1.0 if direction == "up" else -1.0, which == "last")


def spikes(path: str, level: float = 0.0) -> Measure:
    """Number of upward passages of a level; `NAME.first` and `NAME.last` are the times of the first and last, s."""
    return _Spikes(path, float(level))


def _choose(name: str, given: str, allowed: tuple[str, ...]) -> None:
    if given not in allowed:
        raise ValueError(
            f"Argument `{name}` must be {' or '.join(f'`{a}`' for a in allowed)}, but it is `{given}`.{nearest(str(given), allowed)}"
        )
