r"""Steady states of one cell's equations by pseudo-transient Newton: the control of an iteration.

$$\left(\frac{s}{\tau} - \frac{\partial f}{\partial x}\right)\,dx = f(x, \theta), \qquad s\,\frac{dx}{dt} = f$$

A small $\tau$ follows the cell's own dynamics, an infinite one is Newton's method; $\tau$ grows as steps shrink.
Unlike a bare Newton iteration it tends to leave unstable states. The sizes $s$ are not differentiated: Newton on
$dn/dt$, near linear in log n for leaks, takes half the steps of Newton on $(dn/dt)/n$.
"""

from typing import Final, NamedTuple

import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Num

Lane = Float[Array, "*lanes"]
Rows = Float[Array, "rows *lanes"]

TRUST: Final = 1.0
"""Longest step of any unknown: one e-fold, or one thermal voltage."""

STEP_TOLERANCE: Final = 0.07
"""Full Newton steps below this have converged; the next one, still taken, is at rounding. In roots of the machine epsilon: 1e-9 in double precision."""

FIRST: Final = 100.0
"""First pseudo-time step, s: as long as a cell itself takes to settle; from 1 s on it takes three iterations more."""

LONGEST: Final = 1e14
"""Largest pseudo-time step, s: the shift it leaves is below rounding of any rate that matters."""

HORIZON: Final = 1e10
"""How long a cell's own dynamics are followed where Newton leads nowhere, s: three centuries, longer than any homeostatic time constant."""

LOST: Final = 60.0
"""Distance of an unknown from the start, in e-folds, beyond which a cell is given up: it swells or empties without end."""

GOES_ON, CONVERGED, GIVEN_UP = 0.0, 1.0, 2.0


class Iterate(NamedTuple):
    """Where an iteration stands.

    Attributes:
        x: Unknowns.
        previous: The last unknowns from which a step could be taken.
        tau: Pseudo-time step.
        stop: `GOES_ON`, `CONVERGED` or `GIVEN_UP`.
    """

    x: Rows
    previous: Rows
    tau: Lane
    stop: Num[Array, "*lanes"]


def moved(
    at: Iterate, start: Rows, rates: Rows, step: Rows, kept: Float[Array, "kept *lanes"], change: Float[Array, "kept *lanes"], bounded: int
) -> Iterate:
    """The iterate after a step, shortened to what is trusted; a step into the void is taken back, and τ shortened.

    Args:
        at: Where the iteration stands.
        start: Where it began.
        rates: Rates at x.
        step: The whole step from x.
        kept: Numbers at x that must stay positive.
        change: What the step adds to them, to first order.
        bounded: So many leading unknowns must not get lost.
    """
    x, previous, tau, _ = at
    length = jnp.max(jnp.abs(step), axis=0)
    valid = jnp.all(jnp.isfinite(rates), axis=0)
    if len(kept):
        # They are not logarithms: the weight keeps a third of each at the longest step.
        length = jnp.maximum(length, 1.5 * jnp.max(jnp.abs(change / kept), axis=0))
        valid &= jnp.all(kept > 0, axis=0)
    valid &= jnp.isfinite(length)
    trial = x + step * jnp.minimum(1.0, TRUST / length)[None]
    arrived = valid & (length < STEP_TOLERANCE * jnp.finfo(x.dtype).eps ** 0.5) & (tau >= LONGEST)
    lost = is_lost(x, start, bounded)
    growth = jnp.where(length < 1.0, jnp.where(length < 0.3, jnp.where(length < 1e-2, 1e5, 20.0), 4.0), jnp.where(length < 10.0, 1.0, 0.3))
    return Iterate(
        x=jnp.where(valid[None], trial, previous),
        previous=jnp.where(valid[None], x, previous),
        tau=jnp.where(valid, jnp.minimum(tau * growth, LONGEST), tau * 0.05),
        stop=jnp.where(arrived, CONVERGED, jnp.where(lost, GIVEN_UP, GOES_ON)),
    )


def is_lost(x: Rows, start: Rows, bounded: int) -> Bool[Array, "*lanes"]:
    """Cells to give up, by their leading unknowns."""
    if not bounded:
        return jnp.zeros(x.shape[1:], bool)
    return jnp.max(jnp.abs(x - start)[:bounded], axis=0) > LOST
