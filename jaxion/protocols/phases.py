"""Phases: one stretch of time after another in which paths of a model are driven."""

import abc
from typing import Any

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array

from jaxion._types import per_cell
from jaxion.model import Model
from jaxion.protocols.effects import AbstractEffect, Course
from jaxion.protocols.numbers import text
from jaxion.protocols.targets import drivable, injection_path
from jaxion.ranges import check_range


class AbstractPhases(eqx.Module):
    """One phase, or several that belong together; every array that they give has the phases axis first."""

    @property
    @abc.abstractmethod
    def named(self) -> tuple[str, ...]:
        """Paths that the user named; that of an injected current adds an injection to the model."""

    @property
    @abc.abstractmethod
    def count(self) -> int:
        """Number of phases."""

    @property
    @abc.abstractmethod
    def durations(self) -> Array:
        """Length of each phase in s, shape `(phases, *cells)`."""

    @abc.abstractmethod
    def courses(self, model: Model) -> list[tuple[str, Course]]:
        """Course of each path that is driven, with arrays of shape `(1 or phases, *cells)`."""

    @abc.abstractmethod
    def __str__(self) -> str:
        """A few words for figures and lists."""


class Phase(AbstractPhases):
    """One phase: its length, and all that happens meanwhile.

    Args:
        duration: Length, s.
        effects: What happens; nothing in a rest.
    """

    duration: Any
    effects: tuple[AbstractEffect, ...] = ()

    @property
    def named(self) -> tuple[str, ...]:
        """Those of its effects."""
        return tuple(path for effect in self.effects for path in effect.named)

    @property
    def count(self) -> int:
        """One."""
        return 1

    @property
    def durations(self) -> Array:
        """Its length."""
        return per_cell(self.duration)[None]

    def courses(self, model: Model) -> list[tuple[str, Course]]:
        """Those of all its effects."""
        found = [pair for effect in self.effects for pair in effect.courses(model)]
        return [(path, _stacked(course)) for path, course in found]

    def __str__(self) -> str:
        """Its effects."""
        return "; ".join(map(str, self.effects)) or "rest"


class Train(AbstractPhases):
    """Pulses of an injected current: each is a phase, and so is the pause after it.

    Args:
        membrane: Membrane that the current crosses.
        ion: Ion that carries it.
        current: Current of a pulse, pA.
        width: Length of a pulse, s.
        period: Time from one pulse to the next, s.
        pulses: Number of pulses.
    """

    membrane: str = eqx.field(static=True)
    ion: str = eqx.field(static=True)
    current: Any
    width: Any
    period: Any
    pulses: int = eqx.field(static=True)

    @property
    def named(self) -> tuple[str, ...]:
        """That of the current."""
        return (injection_path(self.membrane, self.ion),)

    @property
    def count(self) -> int:
        """Two for each pulse."""
        return 2 * self.pulses

    @property
    def durations(self) -> Array:
        """Pulse, pause, pulse, pause and so on."""
        return self._alternating(per_cell(self.width), per_cell(self.period) - per_cell(self.width))

    def courses(self, model: Model) -> list[tuple[str, Course]]:
        """The current, and none in the pauses."""
        current = per_cell(self.current)
        return [(path, Course(self._alternating(current, jnp.zeros_like(current)))) for path in self.named]

    def _alternating(self, first: Array, second: Array) -> Array:
        pair = jnp.stack(jnp.broadcast_arrays(first, second))
        return jnp.tile(pair, (self.pulses, *(1,) * (pair.ndim - 1)))

    def __str__(self) -> str:
        """Number of pulses, current and carrier."""
        return f"{self.pulses} pulses of {text(self.current, 'pA')} into {self.membrane} ({self.ion})"


class Recording(AbstractPhases):
    """A path that follows samples, straight from one to the next: a phase between any two.

    Args:
        path: The path.
        times: Times of the samples, s, shape `(samples,)`; the first one is the beginning.
        values: Samples in the path's own unit, shape `(samples,)` or `(samples, cells)`.
    """

    path: str = eqx.field(static=True)
    times: Any
    values: Any

    @property
    def named(self) -> tuple[str, ...]:
        """The path."""
        return (self.path,)

    @property
    def count(self) -> int:
        """One less than there are samples."""
        return len(self.times) - 1

    @property
    def durations(self) -> Array:
        """Time between the samples."""
        return jnp.diff(per_cell(self.times))

    def courses(self, model: Model) -> list[tuple[str, Course]]:
        """Lines between the samples."""
        entry, values = drivable(model, self.path), per_cell(self.values)
        for extreme in (jnp.min(values), jnp.max(values)):
            check_range(self.path, extreme, entry.unit, entry.range)
        return [(self.path, Course(values[:-1], values[1:]))]

    def __str__(self) -> str:
        """The path and the number of samples."""
        return f"{self.path}, {len(self.times)} samples"


def _stacked(course: Course) -> Course:
    """The course of one phase with a phases axis of length one."""
    terms = tuple((amplitude[None], centre[None], width[None]) for amplitude, centre, width in course.terms)
    return Course(course.value[None], None if course.end is None else course.end[None], terms)
