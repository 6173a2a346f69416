"""`jaxion.fit`: Levenberg–Marquardt from all starts as one batch, with Jacobians forward through jaxion's integrator."""

from collections.abc import Callable
from typing import Any

import fits_problem as task
import jax.numpy as jnp
import numpy as np
from canonical import SCALE, STATES, WORKLOADS, f

import jaxion
from jaxion import kernel

jaxion.enable_x64()


def prepare(starts: np.ndarray, recorded: np.ndarray, rest: np.ndarray, seed: int, rtol: float) -> Callable[[], tuple[np.ndarray, ...]]:
    """Function that fits from all starts `(25, starts)`; returns losses and values `(25, starts)`."""
    drive = np.array(WORKLOADS[task.WORKLOAD].drive)
    system = kernel.System(f, rows=len(STATES), params=len(starts) + len(drive))

    def course(theta: Any) -> Any:
        limits = {"rtol": rtol, "scale": SCALE, "max_steps": task.MOST_STEPS}
        # Tangents as `jaxion.fit` has them for its own models.
        whole, span = jnp.concatenate([theta, drive]), [0.0, task.TIMES[-1]]
        return kernel.integrate(system, rest, whole, span, saves=task.TIMES, **limits, tangents="variational").saved

    return fitted(course, starts, recorded, seed)


def fitted(course: Callable[[Any], Any], starts: np.ndarray, recorded: np.ndarray, seed: int) -> Callable[[], tuple[np.ndarray, ...]]:
    """The fit of a course, however it is integrated."""
    problem = task.problem(course, recorded)

    def run() -> tuple[np.ndarray, ...]:
        fit = jaxion.fit(problem, starts=starts.shape[1], seed=seed, steps=task.STEPS, tolerance=task.TOLERANCE)
        np.testing.assert_allclose(fit.initial.T, starts, rtol=1e-12)  # all contenders have the same ones
        return fit.losses, fit.final.T

    return run
