"""jaxion's integrator under `jax.value_and_grad`, one call for all cells."""

from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np
from canonical import SCALE, STATES, WORKLOADS, f
from gradients_loss import WORKLOAD, WRT, loss

import jaxion
from jaxion import kernel
from jaxion.errors import Status

jaxion.enable_x64()


def prepare(y0: np.ndarray, theta: np.ndarray, mode: str, rtol: float) -> Callable[[], tuple[np.ndarray, ...]]:
    """Function that solves all cells; returns losses, which cells the solver claims to have solved, and gradients `(25, cells)`."""
    task = WORKLOADS[WORKLOAD]
    system = kernel.System(f, rows=len(STATES), params=len(theta))

    def total(free: jax.Array, fixed: jax.Array, start: jax.Array) -> tuple[jax.Array, tuple[jax.Array, jax.Array]]:
        whole = jnp.concatenate([free, fixed])
        course = kernel.integrate(system, start, whole, [0.0, task.duration], saves=task.times, scale=SCALE, rtol=rtol)
        losses, ok = loss(course.saved, start), course.status == Status.ok
        # A cell that failed is NaN and must not be part of a sum.
        return jnp.where(ok, losses, 0.0).sum(), (losses, ok)

    given = (jnp.asarray(theta[:WRT]), jnp.asarray(theta[WRT:]), jnp.asarray(y0))
    solve = jax.jit(total if mode == "loss" else jax.value_and_grad(total, has_aux=True))

    def run() -> tuple[np.ndarray, ...]:
        if mode == "loss":
            return tuple(np.asarray(x) for x in solve(*given)[1])
        (_, (losses, ok)), gradient = solve(*given)
        return np.asarray(losses), np.asarray(ok), np.where(ok, gradient, np.nan)

    return run
