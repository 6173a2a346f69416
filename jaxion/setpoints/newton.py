r"""Pseudo-transient Newton on the reduced problem, all cells side by side.

$$\left(\tfrac{1}{\tau} - J\right)\,dy = G(y)$$

A small $\tau$ follows the cell's own dynamics, an infinite one is Newton's method; $\tau$ grows as
steps shrink. Unlike a bare Newton iteration it tends to leave unstable states.
"""

from collections.abc import Callable
from typing import Final, NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int

from jaxion.kernel.dense import identity, select, solve
from jaxion.model import Model
from jaxion.setpoints.reduction import Unknowns, dependents, residual

TRUST: Final = 1.0
"""Longest step of any unknown: one e-fold, or one thermal voltage."""

STEP_TOLERANCE: Final = 0.07
"""Full Newton steps below this have converged; the next one, still taken, is at rounding. In roots of the machine epsilon: 1e-9 in double precision."""

LONGEST: Final = 1e14
"""Largest pseudo-time step, s: the shift it leaves is below rounding of any rate that matters."""


def jacobian(model: Model, y: Unknowns, ok: Bool[Array, "*cells"] | None = None) -> tuple[Unknowns, Float[Array, "n n *cells"]]:
    """Residual and its Jacobian ∂G_i/∂y_j, 1/s."""
    return jacobian_of(lambda y: residual(model, y, ok), y)


def jacobian_of(f: Callable[[Array], Array], y: Float[Array, "n *cells"]) -> tuple[Float[Array, "n *cells"], Float[Array, "n n *cells"]]:
    """Value and Jacobian ∂f_i/∂y_j of a function of each cell's rows, exact, one tangent a row shared by all cells."""
    value, push = jax.linearize(f, y)
    columns = jax.vmap(push)(identity(y.shape[0], y.shape[1:], y.dtype))
    return value, jnp.swapaxes(columns, 0, 1)


LOST: Final = 60.0
"""E-folds of an amount or volume from the start beyond which a cell is given up: it swells or empties without end."""


def is_lost(model: Model, y: Unknowns, start: Unknowns) -> Bool[Array, "*cells"]:
    """Cells to give up. Potentials do not count: a strong pump drives a cell of ohmic leaks through volts and back."""
    rows = y.shape[0] - len(model.structure.potentials)
    return jnp.max(jnp.abs(y - start)[:rows], axis=0) > LOST


class _State(NamedTuple):
    y: Unknowns
    previous: Unknowns
    tau: Float[Array, "*cells"]
    converged: Bool[Array, "*cells"]
    done: Bool[Array, "*cells"]
    turn: Int[Array, ""]


def newton(
    model: Model, start: Unknowns, active: Bool[Array, "*cells"], max_steps: int = 100, tau: float = 100.0
) -> tuple[Unknowns, Bool[Array, "*cells"]]:
    """Iterate from `start` until every active cell has converged; returns unknowns and who converged.

    Args:
        model: Cells to solve; not differentiated here.
        start: First guess of the unknowns.
        active: Cells that take part; the others keep their start and count as converged.
        max_steps: Iterations at most.
        tau: First pseudo-time step, s: as long as the cell itself takes to settle; from 1 s on it takes three iterations more.
    """
    n, cells = start.shape[0], start.shape[1:]
    unit = identity(n, cells, start.dtype)

    def body(state: _State) -> _State:
        y, previous, tau, converged, done, turn = state
        G, J = jacobian(model, y)
        step = solve(unit / tau[None, None] - J, G[:, None])[:, 0]
        rest, change = jax.jvp(lambda y: dependents(model, y), (y,), (step,))
        # Eliminated rows are not logarithms: the weight keeps a third of each at the longest step.
        length = jnp.maximum(jnp.max(jnp.abs(step), axis=0), 1.5 * jnp.max(jnp.abs(change / rest), axis=0))
        valid = jnp.all(jnp.isfinite(G), axis=0) & jnp.all(rest > 0, axis=0) & jnp.isfinite(length)
        trial = y + step * jnp.minimum(1.0, TRUST / length)[None]
        arrived = valid & (length < STEP_TOLERANCE * jnp.finfo(y.dtype).eps ** 0.5) & (tau >= LONGEST)
        lost = is_lost(model, y, start)
        growth = jnp.select([length < 1e-2, length < 0.3, length < 1.0, length < 10.0], [1e5, 20.0, 4.0, 1.0], 0.3)
        # A step into the void (a dependent row below zero, an overflow) is taken back, and τ shortened.
        new_tau = jnp.where(valid, jnp.minimum(tau * growth, LONGEST), tau * 0.05)
        moving = ~done
        return _State(
            y=select(moving, select(valid, trial, previous), y),
            previous=select(moving & valid, y, previous),
            tau=jnp.where(moving, new_tau, tau),
            converged=converged | (moving & arrived),
            done=done | arrived | lost,
            turn=turn + 1,
        )

    def unfinished(state: _State) -> Array:
        return (state.turn < max_steps) & ~jnp.all(state.done)

    first = _State(start, start, jnp.full(cells, tau, start.dtype), ~active, ~active, jnp.zeros((), int))
    last = jax.lax.while_loop(unfinished, body, first)
    return last.y, last.converged
