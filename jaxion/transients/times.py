"""Times at which a transient is saved."""

from typing import Any

import numpy as np
from jax.core import Tracer

from jaxion.errors import UnitError
from jaxion.units import quantity


def save_times(save: Any, duration: Any) -> np.ndarray:
    """Increasing times, s, from None, a sequence, or a text `"t0:t1:n"`; inside the protocol.

    Args:
        save: What the user gave.
        duration: Length of the protocol, s, `()` or `(cells,)`; not looked at when traced.

    Raises:
        ValueError: The times do not increase, are not finite, or lie outside the protocol.
    """
    if save is None:
        return np.zeros(0)
    times = _from_text(save) if isinstance(save, str) else np.atleast_1d(np.asarray(save, float))
    if times.ndim != 1:
        raise ValueError(f'Argument `save` must be increasing times, or a text such as "0:600:61", but its shape is {times.shape}.')
    if not np.all(np.isfinite(times)):
        raise ValueError(f"Argument `save` must be finite, but save[{int(np.flatnonzero(~np.isfinite(times))[0])}] is not.")
    falls = np.flatnonzero(np.diff(times) <= 0)
    if falls.size:
        i = int(falls[0])
        raise ValueError(f"Argument `save` must be increasing, but save[{i}]={times[i]:g} s is followed by {times[i + 1]:g} s.")
    if times.size and not isinstance(duration, Tracer):
        longest = float(np.max(np.asarray(duration)))
        # A text such as 0:0.3:4 may end a rounding error after the protocol.
        times = np.where(np.abs(times - longest) <= 1e-12 * longest, longest, times)
        outside = np.flatnonzero((times < 0) | (times > longest))
        if outside.size:
            i = int(outside[0])
            raise ValueError(f"Argument `save` must lie within the protocol, 0 to {longest:g} s, but save[{i}] is {times[i]:g} s.")
    return times


def _from_text(text: str) -> np.ndarray:
    parts = text.split(":")
    try:
        first, last = (quantity(part, "s", "save") for part in parts[:2])
        count = int(parts[2])
        if len(parts) != 3 or count < 1:
            raise ValueError
    except (UnitError, ValueError, IndexError):
        raise ValueError(f'Argument `save` must be a text "t0:t1:n" such as "0:600:61", but it is `{text}`.') from None
    return np.linspace(first, last, count)
