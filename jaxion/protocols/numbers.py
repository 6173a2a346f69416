"""Numbers as a protocol takes them: Python numbers, texts with units, arrays of one number a cell, traced values."""

from typing import Any

import equinox as eqx
import jax
import numpy as np
from jax.core import Tracer

from jaxion.ranges import Range, check_range
from jaxion.units import quantity


class Text(eqx.Module):
    """A text such as `"8 mM"`, whose unit is known only beside a model; it has no leaf, so that all leaves of a protocol are numbers."""

    text: str = eqx.field(static=True)


def number(name: str, value: Any, unit: str, allowed: Range = "any") -> Any:
    """A number of `unit`, or one for each cell; checked unless it is traced.

    Args:
        name: Argument that it is given to, for the error message.
        value: A number, a text with a unit, or an array of shape `()` or `(cells,)`.
        unit: Unit that a text is converted to.
        allowed: Which values the argument takes.
    """
    if isinstance(value, str):
        value = quantity(value, unit, name)
    if isinstance(value, bool):
        raise ValueError(f"`{name}` must be a number, but it is `{value}`.")
    check_range(name, value, unit, allowed)
    if np.ndim(value) > 1:
        raise ValueError(f"`{name}` must be one number or one for each cell, but it has the shape {np.shape(value)}.")
    if isinstance(value, jax.Array):
        return value
    # Plain floats can be hashed: a model holds its published protocols as static data.
    return float(value) if np.ndim(value) == 0 else np.asarray(value, dtype=float)


def fraction(name: str, value: Any) -> Any:
    """A number between 0 and 1, or one for each cell."""
    value = number(name, value, "", "not negative")
    if not isinstance(value, Tracer) and np.any(np.asarray(value) > 1):
        raise ValueError(f"`{name}` must lie between 0 and 1, but it is {np.max(value):g}.")
    return value


def given(value: Any) -> Any:
    """A value whose unit depends on the path that it is for: a text is kept until the model is known."""
    return Text(value) if isinstance(value, str) else number("value", value, "")


def in_unit(value: Any, unit: str, path: str) -> Any:
    """The number that was `given` for a path, in the path's own unit."""
    return quantity(value.text, unit, path) if isinstance(value, Text) else value


def text(value: Any, unit: str = "") -> str:
    """A few characters that show a number."""
    if isinstance(value, Text):
        return value.text
    if isinstance(value, Tracer):
        return "traced"
    if np.ndim(value):
        return f"({np.shape(value)[-1]} cells)"
    return f"{float(value):.6g} {unit}".rstrip()
