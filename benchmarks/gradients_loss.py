"""The number that is differentiated: how far anoxia moves a cell from where it started."""

from typing import Any

import numpy as np
from canonical import PARAMETERS, SCALE

WORKLOAD = "anoxia"
WRT = len(PARAMETERS)
"""The first so many rows of θ are those that the loss is differentiated by; the drive that follows is the same for all cells."""


def loss(saved: Any, y0: Any) -> Any:
    """Mean over saved times and states of ((y − y₀) / scale)²: saved `(times, 16, *cells)`, y₀ `(16, *cells)`; NumPy or JAX."""
    return (((saved - y0[None]) / _scale(y0)) ** 2).mean(axis=(0, 1))


def by_saved(saved: np.ndarray, y0: np.ndarray) -> np.ndarray:
    """Derivative of the loss by each saved number, for those that are given no more than derivatives of states."""
    return 2 * (saved - y0[None]) / _scale(y0) ** 2 / (saved.shape[0] * saved.shape[1])


def _scale(y0: Any) -> np.ndarray:
    return SCALE.reshape(1, -1, *[1] * (y0.ndim - 1))
