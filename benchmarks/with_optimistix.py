"""Optimistix's root-finders, vmapped over the cells and compiled by XLA; sensitivities by the implicit function theorem and JAX's derivatives."""

from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np
import optimistix as optx
from neuron import BATH_IMPERMEANT, RT_F, START, F

jax.config.update("jax_enable_x64", True)

SOLVERS = {"Newton": optx.Newton, "Dogleg": optx.Dogleg, "LevenbergMarquardt": optx.LevenbergMarquardt}
TOLERANCE = 1e-10
"""Step at which a search ends: the next one is at rounding, as jaxion's is."""

PIECE = 4096
"""Cells vmapped together: the fastest of 1024 to 16384, as their working set would leave the cache otherwise."""


def prepare(theta: np.ndarray, solver: str) -> Callable[[], tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Function that solves all cells; returns states `(5, cells)`, sensitivities `(5, parameters, cells)` and what the solver claims."""
    method = SOLVERS[solver](rtol=TOLERANCE, atol=TOLERANCE)

    @jax.jit
    @jax.vmap
    def solve(p: jax.Array):
        found = optx.root_find(residual, method, jnp.asarray(START), p, max_steps=256, throw=False)
        # By hand and not by the library's adjoint, which raises for all cells when one has diverged, and is slower.
        by_y, by_p = jax.jacfwd(residual, argnums=(0, 1))(found.value, p)
        x_by_y, x_by_p = jax.jacrev(state, argnums=(0, 1))(found.value, p)
        S = x_by_p - x_by_y @ jnp.linalg.solve(by_y, by_p)
        # A replaced volume takes the impermeants along: both the area's reference and n_X change.
        S = S.at[:, 9].add(S[:, 10] * p[10] / p[9])
        return state(found.value, p), S, found.result == optx.RESULTS.successful

    pieces = [jnp.asarray(theta.T[begin : begin + PIECE]) for begin in range(0, theta.shape[1], PIECE)]

    def run() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        x, S, claimed = zip(*[jax.tree.map(np.asarray, solve(piece)) for piece in pieces], strict=True)
        return np.concatenate(x).T, np.moveaxis(np.concatenate(S), 0, -1), np.concatenate(claimed)

    return run


def state(y: jax.Array, p: jax.Array) -> jax.Array:
    """What the unknowns say: V, Na, K, Cl and volume."""
    Na, K, Cl = jnp.exp(y[:3])
    return jnp.stack([RT_F * y[3], Na, K, Cl, p[10] / (p[6] + p[7] + p[8] + BATH_IMPERMEANT - Na - K - Cl)])


def residual(y: jax.Array, p: jax.Array) -> jax.Array:
    """Balances of Na, K and Cl (fmol/s) and of charge (mM) at the unknowns `y`: the same as SciPy is given."""
    g_Na, g_K, g_Cl, g_KCC2, v_max, z, Na_o, K_o, Cl_o, w0, n_X, C = p
    (Na, K, Cl), V = jnp.exp(y[:3]), RT_F * y[3]
    E_Na, E_K, E_Cl = RT_F * (jnp.log(Na_o) - y[0]), RT_F * (jnp.log(K_o) - y[1]), RT_F * (y[2] - jnp.log(Cl_o))
    pump, kcc2 = v_max * (Na / Na_o) ** 3, g_KCC2 * (E_Cl - E_K) / F
    X = Na_o + K_o + Cl_o + BATH_IMPERMEANT - Na - K - Cl
    root = jnp.where(X > 0, jnp.sqrt(jnp.where(X > 0, X, 1.0) / (n_X * w0)), 0.0)
    return jnp.stack(
        [
            g_Na * (V - E_Na) / F + 3 * pump,
            g_K * (V - E_K) / F + kcc2 - 2 * pump,
            g_Cl * (E_Cl - V) / F + kcc2,
            Na + K - Cl + z * X - C * V * root / (1e3 * F),
        ]
    )
