"""The set-points of the canonical cell that count: those which each cell comes to by itself, with their sensitivities.

From the end of a long transient, whose own error is too large, by Newton's method in NumPy with JAX's derivatives.
"""

import jax
import jax.numpy as jnp
import numpy as np
import rounds
from canonical import REST, driven
from canonical import start as neutral
from canonical_reduced import residual, state, unknowns

NEAR = 1e-2
"""Largest relative difference between a long transient's end and the set-point that it has come to."""


def answer(theta: np.ndarray, processes: int) -> tuple[np.ndarray, np.ndarray]:
    """States `(16, cells)` and their derivatives by the parameters `(16, 25, cells)`; NaN where a cell has come to no rest."""
    at_rest = rounds.Contender("rest", "transients_sundials", ("rest", 1e-9), theta.shape[1], processes)
    end = rounds.once(at_rest, (neutral(theta), driven(theta, REST)))[0][-1]
    jax.config.update("jax_enable_x64", True)
    x, p = jnp.asarray(unknowns(end).T), jnp.asarray(theta.T)
    balance, all_states = jax.jit(jax.vmap(residual)), jax.jit(jax.vmap(state))
    by_x, by_p = (jax.jit(jax.vmap(jax.jacfwd(residual, argnums=k))) for k in (0, 1))
    for _ in range(10):
        x -= jnp.linalg.solve(by_x(x, p), balance(x, p)[..., None])[..., 0]
    y_by_x, y_by_p = (jax.jit(jax.vmap(jax.jacfwd(state, argnums=k)))(x, p) for k in (0, 1))
    y = np.asarray(all_states(x, p)).T
    sensitivities = np.moveaxis(np.asarray(y_by_p - y_by_x @ jnp.linalg.solve(by_x(x, p), by_p(x, p))), 0, -1)
    there = np.max(np.abs(y / end - 1), axis=0) < NEAR
    return np.where(there, y, np.nan), np.where(there, sensitivities, np.nan)
