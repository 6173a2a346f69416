"""SciPy's `least_squares` from one start after the other, with Jacobians by finite differences of compiled integrators.

The differences are taken here, with a step that suits the integrator's tolerance: SciPy's own, made for exact functions, would
tell noise only.
"""

from collections.abc import Callable
from typing import Any

import fits_problem as task
import numpy as np
import transients_scipy
from canonical import WORKLOADS
from scipy.optimize import least_squares

STEP = 1e-3
"""Step in ln θ of the differences."""


def prepare(
    starts: np.ndarray, recorded: np.ndarray, rest: np.ndarray, solver: str, method: str, rtol: float
) -> Callable[[], tuple[np.ndarray, ...]]:
    """Function that fits from all starts `(25, starts)`; returns losses and values `(25, starts)`."""
    drive = np.array(WORKLOADS[task.WORKLOAD].drive)
    if solver == "numbalsoda":
        import transients_numbalsoda

        integrate = transients_numbalsoda.integrator(task.TIMES, rtol)
    else:
        integrate = transients_scipy.integrator(solver, task.TIMES, rtol)

    def several(x: np.ndarray) -> np.ndarray:
        """Residuals at several points, `(points, residuals)`; NaN where the solver gave up."""
        theta = np.concatenate([np.exp(x), np.tile(drive, (len(x), 1))], axis=1)
        saved, claimed = integrate(np.tile(rest, (len(x), 1)), theta)
        found = np.stack([task.residuals(one, recorded, at) for one, at in zip(saved, x, strict=True)])
        return np.where(claimed[:, None], found, np.nan)

    def jacobian(x: np.ndarray) -> np.ndarray:
        found = several(np.concatenate([x[None], x + STEP * np.eye(len(x))]))
        return (found[1:] - found[0]).T / STEP

    return searched(lambda x: several(x[None])[0], jacobian, starts, method)


def searched(
    residuals: Callable[[np.ndarray], np.ndarray],
    jacobian: Any,
    starts: np.ndarray,
    method: str,
    tolerance: float = task.TOLERANCE,
) -> Callable[[], tuple[np.ndarray, ...]]:
    """The searches, one after the other, with residuals and their Jacobian as functions of ln θ."""

    def run() -> tuple[np.ndarray, ...]:
        losses, values = np.full(starts.shape[1], np.nan), np.full(starts.shape, np.nan)
        for i, start in enumerate(starts.T):
            try:
                found = least_squares(
                    residuals, np.log(start), jacobian, method=method, ftol=tolerance, xtol=1e-9, gtol=1e-9, max_nfev=task.STEPS
                )
            except ValueError:  # that residuals are not finite
                continue
            losses[i], values[:, i] = found.cost, np.exp(found.x)
        return losses, values

    return run
