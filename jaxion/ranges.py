"""Which values a quantity may take, and the sentence that refuses others."""

from typing import Any, Literal

import numpy as np
from jax.core import Tracer

Range = Literal["any", "not negative", "positive", "fraction"]


def check_range(name: str, value: Any, unit: str = "", allowed: Range = "any") -> None:
    """Raise `ValueError` if a concrete value is no number, not finite, or outside its range; traced values pass."""
    if isinstance(value, Tracer):
        return
    array = np.asarray(value)
    if array.dtype.kind not in "fiub":
        raise ValueError(f"`{name}` must be a number or an array of numbers, but it is `{value}`.")
    bad, rule = ~np.isfinite(array), "be finite"
    if allowed == "positive":
        bad, rule = bad | ~(array > 0), "be positive"
    elif allowed == "not negative":
        bad, rule = bad | ~(array >= 0), "not be negative"
    elif allowed == "fraction":
        bad, rule = bad | ~((array >= 0) & (array <= 1)), "be between 0 and 1"
    if bad.any():
        cell = "" if array.ndim == 0 else f" in cell {int(np.flatnonzero(bad)[0])}"
        raise ValueError(f"`{name}` must {rule}, but it is {array[bad].flat[0]:g} {unit}".rstrip() + f"{cell}.")
