"""jaxion's integrator, from arrays to arrays."""

from collections.abc import Callable

import numpy as np
from canonical import SCALE, STATES, WORKLOADS, f

import jaxion
from jaxion import kernel
from jaxion.errors import Status

jaxion.enable_x64()


def prepare(y0: np.ndarray, theta: np.ndarray, lowering: str, workload: str, rtol: float) -> Callable[[], tuple[np.ndarray, np.ndarray]]:
    """Function that integrates all cells; returns states `(times, 16, cells)` and which cells the solver claims to have solved."""
    task = WORKLOADS[workload]
    system = kernel.System(f, rows=len(STATES), params=len(theta))

    def run() -> tuple[np.ndarray, np.ndarray]:
        course = kernel.integrate(system, y0, theta, [0.0, task.duration], saves=task.times, scale=SCALE, rtol=rtol, lowering=lowering)
        return np.asarray(course.saved), np.asarray(course.status) == Status.ok

    return run
