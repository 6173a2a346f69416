"""SciPy's `least_squares` with variational equations by SUNDIALS' CVODE, from one start after the other; also the judge, at tight tolerances."""

from collections.abc import Callable

import fits_problem as task
import numpy as np
from canonical import WORKLOADS
from fits_scipy import searched
from gradients_sundials import variational


def prepare(
    starts: np.ndarray, recorded: np.ndarray, rest: np.ndarray, method: str, rtol: float, tolerance: float = task.TOLERANCE
) -> Callable[[], tuple[np.ndarray, ...]]:
    """Function that fits from all starts `(25, starts)`; returns losses and values `(25, starts)`."""
    drive, solve = np.array(WORKLOADS[task.WORKLOAD].drive), variational(task.TIMES, rtol)

    def both(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Residuals, and their Jacobian in ln θ; NaN where the solver gave up."""
        saved, moved, claimed = solve(rest, np.concatenate([np.exp(x), drive]))
        if not claimed:
            size = len(task.TIMES) * len(task.ROWS) + len(x)
            return np.full(size, np.nan), np.full((size, len(x)), np.nan)
        by_values = np.moveaxis(moved, 1, -1)[:, task.ROWS] / task.SD[:, None]
        return task.residuals(saved, recorded, x), np.concatenate([by_values.reshape(-1, len(x)), np.diag(1 / task.SPREAD)])

    return searched(lambda x: both(x)[0], lambda x: both(x)[1], starts, method, tolerance)
