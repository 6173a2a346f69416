"""Optimistix's root-finders on the canonical cell, vmapped and compiled by XLA; sensitivities by the implicit function theorem and JAX's derivatives."""

from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np
import optimistix as optx
from canonical_reduced import residual, start, state

jax.config.update("jax_enable_x64", True)

TOLERANCE = 1e-10
"""Step at which a search ends: the next one is at rounding, as jaxion's is."""

PIECE = 512
"""Cells vmapped together."""


def prepare(theta: np.ndarray, solver: str) -> Callable[[], tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Function that solves all cells; returns states `(16, cells)`, sensitivities `(16, 25, cells)` and what the solver claims."""
    method = getattr(optx, solver)(rtol=TOLERANCE, atol=TOLERANCE)

    @jax.jit
    @jax.vmap
    def solve(x: jax.Array, p: jax.Array):
        found = optx.root_find(residual, method, x, p, max_steps=256, throw=False)
        # By hand and not by the library's adjoint, which raises for all cells when one has diverged, and is slower.
        by_x, by_p = jax.jacrev(residual, argnums=(0, 1))(found.value, p)
        y_by_x, y_by_p = jax.jacrev(state, argnums=(0, 1))(found.value, p)
        return state(found.value, p), y_by_p - y_by_x @ jnp.linalg.solve(by_x, by_p), found.result == optx.RESULTS.successful

    pieces = [(jnp.asarray(start(part).T), jnp.asarray(part.T)) for part in np.split(theta, range(PIECE, theta.shape[1], PIECE), axis=1)]

    def run() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        y, S, claimed = zip(*[jax.tree.map(np.asarray, solve(*piece)) for piece in pieces], strict=True)
        return np.concatenate(y).T, np.moveaxis(np.concatenate(S), 0, -1), np.concatenate(claimed)

    return run
