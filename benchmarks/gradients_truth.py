"""The gradients that count, and how far they are from differences of losses that another integrator finds."""

import numpy as np
import rounds
from gradients_loss import WORKLOAD, WRT, loss

STEP = 3e-3
"""Relative step of the differences, at which what they leave out and what rounding adds are both about 1e-8."""


def answer(y0: np.ndarray, theta: np.ndarray, cells: int, processes: int) -> np.ndarray:
    """Gradients `(25, cells)` of the first cells: variational equations by CVODE at rtol 1e-11, which share no step with any contender."""
    judge = rounds.Contender("reference", "gradients_sundials", ("gradient", 1e-11), cells, processes)
    return rounds.once(judge, (y0, theta))[2]


def differences(y0: np.ndarray, theta: np.ndarray, processes: int) -> np.ndarray:
    """Gradients `(25, cells)` from central differences of fourth order, of losses by LSODA at rtol 1e-12."""
    cells = theta.shape[1]
    factors = np.ones((theta.shape[0], WRT, 4, cells))
    for k in range(WRT):
        factors[k, k] += STEP * np.array([-2, -1, 1, 2])[:, None]
    displaced = (theta[:, None, None] * factors).reshape(len(theta), -1)
    starts = np.broadcast_to(y0[:, None, None], (len(y0), WRT, 4, cells)).reshape(len(y0), -1)
    all_of_them = rounds.Contender("differences", "transients_scipy", ("odeint", WORKLOAD, 1e-12), displaced.shape[1], processes)
    found = loss(rounds.once(all_of_them, (starts, displaced))[0], starts).reshape(WRT, 4, cells)
    weighted = np.array([1, -8, 8, -1])[:, None] / (12 * STEP)
    return (found * weighted).sum(axis=1) / theta[:WRT]


def error(gradients: np.ndarray, wanted: np.ndarray, theta: np.ndarray) -> np.ndarray:
    """Error of each cell: the largest over parameters, each changed by the same fraction, relative to the cell's largest response."""
    scaled, exact = gradients * theta[:WRT], wanted * theta[:WRT]
    return np.abs(scaled - exact).max(axis=0) / np.abs(exact).max(axis=0)
