"""Diffrax's Kvaerno3, vmapped over the cells, differentiated backwards through its own steps and compiled by XLA."""

from collections.abc import Callable

import diffrax
import jax
import jax.numpy as jnp
import numpy as np
from canonical import SCALE, WORKLOADS, f
from gradients_loss import WORKLOAD, WRT, loss

jax.config.update("jax_enable_x64", True)


def prepare(y0: np.ndarray, theta: np.ndarray, mode: str, rtol: float) -> Callable[[], tuple[np.ndarray, ...]]:
    """Function that solves all cells; returns losses, which cells the solver claims to have solved, and gradients `(25, cells)`."""
    task = WORKLOADS[WORKLOAD]
    # With steps longer than 2 s the gradients of many cells are not finite.
    control = diffrax.PIDController(rtol=rtol, atol=jnp.asarray(rtol * SCALE), pcoeff=0.3, icoeff=0.4, dtmax=2.0)
    adjoint = diffrax.ForwardMode() if mode == "loss" else diffrax.RecursiveCheckpointAdjoint()

    def one(free: jax.Array, fixed: jax.Array, start: jax.Array) -> tuple[jax.Array, jax.Array]:
        found = diffrax.diffeqsolve(
            diffrax.ODETerm(lambda t, y, theta: f(jnp.asarray(t), y, theta)),
            diffrax.Kvaerno3(),
            0.0,
            task.duration,
            None,
            start,
            jnp.concatenate([free, fixed]),
            saveat=diffrax.SaveAt(ts=jnp.asarray(task.times)),
            stepsize_controller=control,
            adjoint=adjoint,
            max_steps=100_000,
            throw=False,
        )
        assert found.ys is not None
        return loss(found.ys, start), found.result == diffrax.RESULTS.successful

    solve = jax.jit(jax.vmap(one if mode == "loss" else jax.value_and_grad(one, has_aux=True)))
    given = tuple(jnp.asarray(x.T) for x in (theta[:WRT], theta[WRT:], y0))

    def run() -> tuple[np.ndarray, ...]:
        if mode == "loss":
            return tuple(np.asarray(x) for x in solve(*given))
        (losses, claimed), gradient = jax.tree.map(np.asarray, solve(*given))
        return losses, claimed, gradient.T

    return run
