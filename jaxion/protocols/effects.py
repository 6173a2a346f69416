"""Effects: what one phase does to the paths of a model, starting from the model's own values."""

import abc
from typing import Any, NamedTuple

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array

from jaxion._types import per_cell
from jaxion.errors import PathError, nearest
from jaxion.ions import valence
from jaxion.model import Model
from jaxion.paths import Path
from jaxion.protocols.numbers import in_unit, text
from jaxion.protocols.targets import activity, drivable, injection_of, own
from jaxion.ranges import check_range


class Course(NamedTuple):
    r"""Course of one path through a phase: a line, plus logistic terms.

    Attributes:
        value: Value at the beginning, without the terms.
        end: Value that the line reaches at the end of the phase; None if it is level.
        terms: (amplitude, centre, width) of each term $a\,\sigma((\tau - c)/w)$, seconds since the phase began.
    """

    value: Array
    end: Array | None = None
    terms: tuple[tuple[Array, Array, Array], ...] = ()


class AbstractEffect(eqx.Module):
    """Something that happens for the length of a phase; prints as a few words."""

    @property
    @abc.abstractmethod
    def named(self) -> tuple[str, ...]:
        """Paths that the user named."""

    @abc.abstractmethod
    def courses(self, model: Model) -> list[tuple[str, Course]]:
        """Course of each path that it drives."""

    @abc.abstractmethod
    def __str__(self) -> str:
        """A few words for figures and lists."""


class Set(AbstractEffect):
    """A path is set to a value, in its own unit."""

    path: str = eqx.field(static=True)
    value: Any

    @property
    def named(self) -> tuple[str, ...]:
        """The path."""
        return (self.path,)

    def courses(self, model: Model) -> list[tuple[str, Course]]:
        """The value."""
        entry = drivable(model, self.path)
        return [(self.path, Course(_checked(entry, in_unit(self.value, entry.unit, self.path))))]

    def __str__(self) -> str:
        """The path and its value."""
        injected = injection_of(self.path)
        if injected is not None:
            return f"{text(self.value, 'pA')} into {injected[0]} ({injected[1]})"
        return f"{self.path} = {text(self.value)}"


class Scale(AbstractEffect):
    """A path is multiplied by a factor."""

    path: str = eqx.field(static=True)
    factor: Any

    @property
    def named(self) -> tuple[str, ...]:
        """The path."""
        return (self.path,)

    def courses(self, model: Model) -> list[tuple[str, Course]]:
        """The model's own value times the factor."""
        entry = drivable(model, self.path)
        return [(self.path, Course(_checked(entry, own(model, self.path) * per_cell(self.factor))))]

    def __str__(self) -> str:
        """The path and its factor."""
        return f"{self.path} × {text(self.factor)}"


class Ramp(AbstractEffect):
    """A path runs along a line from one value to another."""

    path: str = eqx.field(static=True)
    first: Any
    last: Any

    @property
    def named(self) -> tuple[str, ...]:
        """The path."""
        return (self.path,)

    def courses(self, model: Model) -> list[tuple[str, Course]]:
        """The line."""
        entry = drivable(model, self.path)
        first, last = (_checked(entry, in_unit(value, entry.unit, self.path)) for value in (self.first, self.last))
        return [(self.path, Course(first, last))]

    def __str__(self) -> str:
        """The path and both ends."""
        return f"{self.path} = {text(self.first)} … {text(self.last)}"


class Block(AbstractEffect):
    """A fraction of a mechanism is blocked."""

    process: str = eqx.field(static=True)
    fraction: Any

    @property
    def named(self) -> tuple[str, ...]:
        """None: it names a mechanism."""
        return ()

    def courses(self, model: Model) -> list[tuple[str, Course]]:
        """Its activity times 1 − fraction."""
        path = activity(model, self.process)
        return [(path, Course(own(model, path) * (1.0 - per_cell(self.fraction))))]

    def __str__(self) -> str:
        """The mechanism and the fraction."""
        return f"block {self.process} {text(self.fraction)}"


class SmoothBlock(AbstractEffect):
    """A fraction of a mechanism is blocked and released along logistic courses."""

    process: str = eqx.field(static=True)
    fraction: Any
    begin: Any
    end: Any
    width: Any

    @property
    def named(self) -> tuple[str, ...]:
        """None: it names a mechanism."""
        return ()

    def courses(self, model: Model) -> list[tuple[str, Course]]:
        r"""Activity times $1 - f\,\sigma((\tau-b)/w) + f\,\sigma((\tau-e)/w)$."""
        path = activity(model, self.process)
        whole = own(model, path)
        blocked, width = whole * per_cell(self.fraction), per_cell(self.width)
        down, up = (-blocked, per_cell(self.begin), width), (blocked, per_cell(self.end), width)
        return [(path, Course(whole, None, (down, up)))]

    def __str__(self) -> str:
        """The mechanism and the fraction."""
        return f"smooth block {self.process} {text(self.fraction)}"


class Bath(AbstractEffect):
    """Concentrations of a bath are changed, taken as given or in exchange for another one."""

    name: str = eqx.field(static=True)
    concentrations: dict[str, Any]
    replacing: str | None = eqx.field(static=True)

    @property
    def named(self) -> tuple[str, ...]:
        """None: it names ions."""
        return ()

    def courses(self, model: Model) -> list[tuple[str, Course]]:
        """The new concentrations; the one replaced makes up for them, so that their sum stays the same."""
        if self.name not in model.baths:
            raise PathError(f"Model `{model.name}` has no bath `{self.name}`.{nearest(self.name, model.baths)}")
        found, gained = [], jnp.zeros(())
        for ion, value in self.concentrations.items():
            path = f"{self.name}.{ion}"
            new = _checked(drivable(model, path), value)
            gained = gained + (new - own(model, path))
            found.append((path, Course(new)))
        if self.replacing is not None:
            path = f"{self.name}.{self.replacing}"
            entry = drivable(model, path)
            self._check_valence()
            found.append((path, Course(_checked(entry, own(model, path) - gained))))
        return found

    def _check_valence(self) -> None:
        # Impermeants of a bath carry no charge of their own: they stand for ions that do not pass.
        known = {name: valence(name) for name in (*self.concentrations, self.replacing) if name is not None and name != "impermeant"}
        for ion in self.concentrations:
            if ion in known and self.replacing in known and known[ion] != known[self.replacing]:
                raise ValueError(f"Argument `replacing` must name an ion of the same charge as {ion}, but {self.replacing} has another.")

    def __str__(self) -> str:
        """The new concentrations."""
        changes = ", ".join(f"{ion} {text(value, 'mM')}" for ion, value in self.concentrations.items())
        return f"{self.name} {changes}" + (f" for {self.replacing}" if self.replacing else "")


class Anoxia(AbstractEffect):
    """What the model declares to happen without oxygen."""

    left: Any

    @property
    def named(self) -> tuple[str, ...]:
        """None: it names nothing."""
        return ()

    def courses(self, model: Model) -> list[tuple[str, Course]]:
        """What is scaled lies between its value without oxygen and the model's own, by what is left; what is set, is set."""
        if not model.anoxia:
            raise ValueError(f'Model `{model.name}` declares no anoxia; block its pump instead, as by block("neuron.nka", 1.0, 300).')
        left, found = per_cell(self.left), []
        for kind, path, value in model.anoxia:
            entry, normal = drivable(model, path), own(model, path)
            reached = normal * (left + (1.0 - left) * value) if kind == "scale" else jnp.broadcast_to(per_cell(value), jnp.shape(normal))
            found.append((path, Course(_checked(entry, reached))))
        return found

    def __str__(self) -> str:
        """What is left, if anything."""
        left = text(self.left)
        return "anoxia" if left == "0" else f"anoxia, {left} left"


def _checked(entry: Path, value: Any) -> Array:
    check_range(entry.name, value, entry.unit, entry.range)
    return per_cell(value)
