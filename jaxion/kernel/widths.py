"""How many lanes run side by side, and on how many cores."""

import os
from typing import Final

import jax

CPU: Final = 64
"""On a CPU: the working set of a step fits the second-level cache."""

SMALL: Final = 8
"""For a few cells: one vector register of the widest kind."""

ACCELERATOR: Final = 16384
"""On a GPU: enough to keep it busy."""


def lane_width(cells: int) -> int:
    """Lanes for a batch of so many cells on the default device."""
    if jax.default_backend() != "cpu":
        return min(ACCELERATOR, max(SMALL, 1 << (cells - 1).bit_length()))
    return SMALL if cells <= SMALL else CPU


def cores() -> int:
    """Cores that this process may use, which may be fewer than there are."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
