"""How far two sets of set-points and sensitivities agree."""

from typing import Any

import numpy as np

SAME = 1e-6
"""Largest relative difference of any part of a state at which two set-points are the same."""


def agreement(states: np.ndarray, sensitivities: np.ndarray, exact: np.ndarray, wanted: np.ndarray, theta: np.ndarray) -> dict[str, Any]:
    """How many cells have the judge's set-point, with sensitivities, and how far those are from the ones wanted.

    Differences of sensitivities count relative to the cell's largest response of the same path to any parameter, each
    parameter changed by the same fraction: an entry that ought to be zero has no relative error of its own.
    """
    exact, wanted, theta = (array[..., : states.shape[-1]] for array in (exact, wanted, theta))
    exists = np.isfinite(exact).all(axis=0)
    with np.errstate(invalid="ignore"):
        off = np.max(np.abs(states / exact - 1), axis=0)
    same = exists & (off <= SAME) & np.isfinite(sensitivities).all(axis=(0, 1))
    with np.errstate(over="ignore", invalid="ignore"):
        scaled, wanted = sensitivities * theta, wanted * theta
    error = np.abs(scaled - wanted) / np.max(np.abs(wanted), axis=1, keepdims=True)
    return {
        "cells_with_setpoint": int(exists.sum()),
        "same_fraction": float(same.sum() / exists.sum()),
        "state_error": float(off[same].max(initial=0.0)),
        "sensitivity_error": float(error[..., same].max(initial=0.0)),
    }
