r"""Integrate the cell's equations until they settle, with error control. Used where Newton does not converge.

A linearly implicit Euler step of $h$ and two of $h/2$ are compared; their extrapolation has order two
and is L-stable. It is used to arrive, not to be quoted: a loose tolerance keeps it in the right basin.
"""

from typing import Final, NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int

from jaxion.kernel import identity, pseudo_newton, select, solve
from jaxion.model import Model
from jaxion.setpoints.newton import bounded, jacobian
from jaxion.setpoints.reduction import Unknowns, expand, positive

TOLERANCE: Final = 1e-3
"""Local error allowed in any unknown, in e-folds."""

SHORTEST: Final = 1e-14
"""Step below which a cell is given up, s."""


class _State(NamedTuple):
    y: Unknowns
    h: Float[Array, "*cells"]
    t: Float[Array, "*cells"]
    done: Bool[Array, "*cells"]
    turn: Int[Array, ""]


def integrate(model: Model, start: Unknowns, active: Bool[Array, "*cells"], max_steps: int = 3000) -> Unknowns:
    """Unknowns of each active cell after `pseudo_newton.HORIZON`, or where its step limit ended; the others keep their start."""
    unit = identity(start.shape[0], start.shape[1:], start.dtype)

    def euler(G: Array, J: Array, h: Array) -> Array:
        return solve(unit / h[None, None] - J, G[:, None])[:, 0]

    def body(state: _State) -> _State:
        y, h, t, done, turn = state
        G, J = jacobian(model, y)
        once = y + euler(G, J, h)
        half = y + euler(G, J, h / 2)
        twice = half + euler(*jacobian(model, half), h / 2)
        error = jnp.max(jnp.abs(twice - once), axis=0) / TOLERANCE
        better = 2 * twice - once
        valid = jnp.isfinite(error) & positive(model, expand(model, better))
        accept = ~done & valid & (error <= 1.0)
        factor = jnp.where(valid, jnp.clip(0.9 / jnp.sqrt(jnp.maximum(error, 1e-6)), 0.2, 5.0), 0.1)
        t = jnp.where(accept, t + h, t)
        over = (t >= pseudo_newton.HORIZON) | (h < SHORTEST) | pseudo_newton.is_lost(y, start, bounded(model, start))
        return _State(select(accept, better, y), jnp.where(done, h, h * factor), t, done | over, turn + 1)

    def unfinished(state: _State) -> Array:
        return (state.turn < max_steps) & ~jnp.all(state.done)

    cells = start.shape[1:]
    first = _State(start, jnp.full(cells, 1e-3, start.dtype), jnp.zeros(cells, start.dtype), ~active, jnp.zeros((), int))
    return jax.lax.while_loop(unfinished, body, first).y
