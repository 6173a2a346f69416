r"""Control of a step in lanes that are independent: each has its own time, its own step and its own error.

A step is accepted if the root mean square over rows of $e_i / \big(r\,(s_i + \max(|y_i|, |y_{1,i}|))\big)$ is
at most one, with the relative tolerance r and the scale s of each row, at its end and for the dense output.
"""

import functools
from typing import Final, NamedTuple

import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Num

from jaxion.errors import Status
from jaxion.kernel.methods import rodas5p

Lane = Float[Array, " lanes"]
Rows = Float[Array, "rows lanes"]
Number = int | float | Num[Array, ""]

SAFETY: Final = 0.9
SHRINK: Final = 0.2
"""Smallest factor by which a step changes; also after a step that left the domain."""
GROW: Final = 6.0
"""Largest factor by which a step grows."""
FIRST: Final = 1e-2
"""Change of any row, in units of its scale and size, that the first step of a phase may make."""
EARLY: Final = 1e-3
"""Part of a phase that its first step takes at most."""

SHORTEST: Final = 1e-20
"""Part of a phase below which a step is too small, wherever the phase begins."""
ROUNDING: Final = 1e-10
"""Part of a step by which it may be stretched to end at an edge: a rest would be shorter than rounding."""
LEFT: Final = 0.25
"""Factor on a step that is accurate and yet leaves the domain."""


class Control(NamedTuple):
    """What the control of a lane remembers from one step to the next: numbers, which each lowering keeps beside the rows.

    Attributes:
        h: Length of the next step.
        rejected: One if the last step was not accepted, else zero.
    """

    h: Lane
    rejected: Lane


def first_control(rate: Rows, y: Rows, scale: Rows, duration: Lane) -> Control:
    """Control at the begin of a phase."""
    change = jnp.max(jnp.abs(rate) / (scale + jnp.abs(y)), axis=0)
    # A rate that is not finite is left to the step, which then fails for that reason.
    change = jnp.where(jnp.isfinite(change), change, 0.0)
    h = jnp.minimum(FIRST / jnp.maximum(change, jnp.finfo(duration.dtype).tiny), EARLY * duration)
    return Control(h, jnp.zeros_like(h))


def within_phase(end: Lane, t: Lane, h: Lane) -> tuple[Bool[Array, " lanes"], Lane]:
    """Whether a step of length h comes to the end of the phase, and its length within it."""
    last = h >= (end - t) * (1 - ROUNDING)
    return last, jnp.where(last, end - t, h)


def judged(
    control: Control, h: Lane, errors: tuple[Rows, ...], y: Rows, y1: Rows, scale: Rows, rtol: Number, positive: tuple[int, ...]
) -> tuple[Bool[Array, " lanes"], Control]:
    """Whether a step of length h is accepted, and the control of the next one.

    Args:
        control: As it was before the step.
        h: Length of the step.
        errors: Estimates of its error.
        y: Rows at its begin.
        y1: Rows at its end.
        scale: Size of each row.
        rtol: Relative tolerance.
        positive: Rows that must be positive.
    """
    norm = functools.reduce(jnp.maximum, (error_norm(error, y, y1, scale, rtol) for error in errors))
    small, inside = norm <= 1.0, in_domain(y1, positive)
    good = small & inside
    factor = jnp.where(small & ~inside, LEFT, step_factor(norm, control))
    return good, Control(h * factor, jnp.where(good, 0.0, 1.0).astype(h.dtype))


def error_norm(error: Rows, y: Rows, y1: Rows, scale: Rows, rtol: Number) -> Lane:
    """Error of a step over what is allowed; infinite where a number is not finite."""
    ratio = error / (rtol * (scale + jnp.maximum(jnp.abs(y), jnp.abs(y1))))
    # Row by row: XLA's reduction over a leading axis is no vector operation.
    total = sum((ratio[i] * ratio[i] for i in range(1, len(ratio))), start=ratio[0] * ratio[0])
    norm = jnp.sqrt(total / len(ratio))
    return jnp.where(jnp.isfinite(norm), norm, jnp.inf)


def step_factor(norm: Lane, control: Control) -> Lane:
    """Length of the next step over that of the one with this error; right after a rejection it does not grow."""
    factor = SAFETY * jnp.maximum(norm, 1e-8) ** (-1.0 / rodas5p.ORDER)
    return jnp.clip(factor, SHRINK, jnp.where(control.rejected > 0, 1.0, GROW))


def in_domain(y: Rows, positive: tuple[int, ...]) -> Bool[Array, " lanes"]:
    """Whether the rows that must be positive are."""
    inside = jnp.ones(y.shape[1:], bool)
    for row in positive:
        inside &= y[row] > 0
    return inside


def reason_to_stop(
    good: Bool[Array, " lanes"],
    t: Lane,
    h: Lane,
    duration: Lane,
    y1: Rows,
    positive: tuple[int, ...],
    tries: Num[Array, " lanes"],
    max_steps: Number,
) -> Num[Array, " lanes"]:
    """Status of lanes that cannot go on after a step, accepted (`good`) or not; `not_run` for those that can."""
    tiny = h <= 8 * jnp.finfo(t.dtype).eps * jnp.abs(t) + SHORTEST * duration
    finite = jnp.all(jnp.isfinite(y1), axis=0)
    cause = jnp.where(finite, jnp.where(in_domain(y1, positive), Status.step_too_small, Status.not_positive), Status.not_finite)
    stopped = jnp.where(tries >= max_steps, Status.max_steps, Status.not_run)
    return jnp.where(tiny & ~good, cause, stopped).astype(tries.dtype)
