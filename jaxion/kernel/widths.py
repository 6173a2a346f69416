"""How many numbers and lanes lie side by side, and how many cores work on them."""

import functools
import os
from typing import Final

import jax

CPU: Final = 64
"""On a CPU: the working set of a step fits the second-level cache."""

SMALL: Final = 8
"""For a few cells: one vector register of the widest kind."""

ACCELERATOR: Final = 16384
"""On a GPU: enough to keep it busy."""

ALIGNMENT: Final = 64
"""Bytes, of the widest vector; JAX takes arrays so aligned without a copy."""


def lane_width(cells: int) -> int:
    """Lanes for a batch of so many cells on the default device."""
    if jax.default_backend() != "cpu":
        return min(ACCELERATOR, max(SMALL, 1 << (cells - 1).bit_length()))
    return SMALL if cells <= SMALL else CPU


def cores() -> int:
    """Cores that this process may use, which may be fewer than there are."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@functools.cache
def vector_width() -> int:
    """Numbers in the widest vector that the processor computes with at once."""
    # Not before it is needed: LLVM is large, and `import jaxion` is light.
    import llvmlite.binding as llvm

    features = llvm.get_host_cpu_features()
    widths = (("avx512f", 8), ("avx2", 4), ("avx", 4), ("sse2", 2), ("neon", 2))
    return next((width for feature, width in widths if features.get(feature)), 1)
