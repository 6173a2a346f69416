r"""Measures that are reduced while a trajectory is computed, so that no trajectory has to be kept.

Within one step an observable q is the quartic through its values at five equally spaced instants of the
dense output; a reduction folds one step after the other. Each is differentiable in the values of q, in
the time and in the length of the step.
"""

import dataclasses
from typing import Any, ClassVar, Final

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

Lane = Float[Array, " lanes"]
Samples = Float[Array, "nodes lanes"]
ReductionState = tuple[Array, ...]

NODES: Final = np.linspace(0.0, 1.0, 5)
"""Fractions of a step at which an observable is sampled."""

_QUARTIC: Final = np.linalg.inv(np.vander(NODES, increasing=True))
_BOOLE: Final = np.array([7.0, 32.0, 12.0, 32.0, 7.0]) / 90.0


@dataclasses.dataclass(frozen=True)
class Reduction:
    """Something that is folded over the steps of a trajectory.

    Args:
        index: Which observable.

    Attributes:
        outputs: What `result` gives, by name; the first one, "", is the measure itself.
    """

    index: int
    outputs: ClassVar[tuple[str, ...]] = ("",)

    def begin(self, q: Lane) -> ReductionState:
        """State before the first step, where the observable is `q`."""
        raise NotImplementedError

    def fold(self, state: ReductionState, t: Lane, h: Lane, q: Samples) -> ReductionState:
        """State after a step of length h from t with the samples `q`."""
        raise NotImplementedError

    def result(self, state: ReductionState) -> ReductionState:
        """The outputs, in the order of `outputs`."""
        raise NotImplementedError


@dataclasses.dataclass(frozen=True)
class Integral(Reduction):
    r"""$\int q\,dt$, by Boole's rule in each step."""

    def begin(self, q: Lane) -> ReductionState:
        """Nothing yet."""
        return (jnp.zeros_like(q),)

    def fold(self, state: ReductionState, t: Lane, h: Lane, q: Samples) -> ReductionState:
        """Add the step's integral."""
        return (state[0] + h * _combine(_BOOLE, q),)

    def result(self, state: ReductionState) -> ReductionState:
        """The integral."""
        return state


@dataclasses.dataclass(frozen=True)
class Mean(Reduction):
    """Time average of q."""

    def begin(self, q: Lane) -> ReductionState:
        """Nothing yet."""
        return jnp.zeros_like(q), jnp.zeros_like(q)

    def fold(self, state: ReductionState, t: Lane, h: Lane, q: Samples) -> ReductionState:
        """Add the step's integral and its length."""
        return state[0] + h * _combine(_BOOLE, q), state[1] + h

    def result(self, state: ReductionState) -> ReductionState:
        """Integral over time."""
        return (state[0] / state[1],)


@dataclasses.dataclass(frozen=True)
class Extremum(Reduction):
    """Largest (sign 1) or smallest (sign −1) value of q, between the steps as well as at their ends, and its time."""

    sign: float = 1.0
    outputs: ClassVar[tuple[str, ...]] = ("", "time")

    def begin(self, q: Lane) -> ReductionState:
        """Beyond any value, so that the first sample counts."""
        return jnp.full_like(q, -jnp.inf), jnp.zeros_like(q)

    def fold(self, state: ReductionState, t: Lane, h: Lane, q: Samples) -> ReductionState:
        """Take the step's largest value, at the stationary point next to its largest sample."""
        q = self.sign * q
        c = _coefficients(q)
        at, top = jnp.full_like(q[0], float(NODES[0])), q[0]
        for node, value in zip(NODES[1:], q[1:], strict=True):
            at, top = jnp.where(value > top, float(node), at), jnp.maximum(value, top)
        low, high = jnp.maximum(at - 0.25, 0.0), jnp.minimum(at + 0.25, 1.0)

        def closer(at: Lane) -> Lane:
            slope, bend = _value(_slope(c), at), _value(_slope(_slope(c)), at)
            # Where the curve bends downwards only: elsewhere the largest sample itself is the answer.
            return jnp.clip(at - jnp.where(bend < 0, slope / jnp.where(bend < 0, bend, -1.0), 0.0), low, high)

        # The last two iterations carry the derivatives, of first and second order.
        at = closer(closer(jax.lax.stop_gradient(closer(closer(at)))))
        value = _value(c, at)
        larger = value > state[0]
        return jnp.where(larger, value, state[0]), jnp.where(larger, t + at * h, state[1])

    def result(self, state: ReductionState) -> ReductionState:
        """Value and time."""
        return self.sign * state[0], state[1]


@dataclasses.dataclass(frozen=True)
class Crossing(Reduction):
    """Time at which q passes `level`, upwards (sign 1) or downwards (sign −1): the first or the last; NaN if never."""

    level: float = 0.0
    sign: float = 1.0
    last: bool = False

    def begin(self, q: Lane) -> ReductionState:
        """Never so far; the value before the first step."""
        return jnp.full_like(q, jnp.nan), q

    def fold(self, state: ReductionState, t: Lane, h: Lane, q: Samples) -> ReductionState:
        """Look at each quarter of the step, and at a jump at its beginning."""
        found, before = state
        for crossed, when in crossings(self, before, t, h, q):
            keep = crossed if self.last else crossed & jnp.isnan(found)
            found = jnp.where(keep, when, found)
        return found, q[-1]

    def result(self, state: ReductionState) -> ReductionState:
        """The time."""
        return state[:1]


@dataclasses.dataclass(frozen=True)
class Spikes(Reduction):
    """Upward passages of `level`: their number, the time of the first and of the last (NaN if none)."""

    level: float = 0.0
    sign: ClassVar[float] = 1.0
    outputs: ClassVar[tuple[str, ...]] = ("", "first", "last")

    def begin(self, q: Lane) -> ReductionState:
        """None so far; the value before the first step."""
        return jnp.zeros_like(q), jnp.full_like(q, jnp.nan), jnp.full_like(q, jnp.nan), q

    def fold(self, state: ReductionState, t: Lane, h: Lane, q: Samples) -> ReductionState:
        """Count the passages in the step."""
        count, first, last, before = state
        for crossed, when in crossings(self, before, t, h, q):
            first = jnp.where(crossed & (count == 0), when, first)
            last = jnp.where(crossed, when, last)
            count = count + jnp.where(crossed, 1.0, 0.0)
        return count, first, last, q[-1]

    def result(self, state: ReductionState) -> ReductionState:
        """Number, first, last."""
        return state[:3]


def crossings(passage: Crossing | Spikes, before: Lane, t: Lane, h: Lane, q: Samples) -> list[tuple[Array, Lane]]:
    """Whether and when the level is passed: by a jump at the beginning of a step, and in each quarter of it."""
    s = passage.sign * (q - passage.level)
    jump = (passage.sign * (before - passage.level) < 0) & (s[0] >= 0)
    # The quarters side by side, along a first axis.
    crossed = (s[:-1] < 0) & (s[1:] >= 0)
    low, high = (jnp.asarray(nodes, q.dtype)[:, None] for nodes in (NODES[:-1], NODES[1:]))
    c = [coefficient[None] for coefficient in _coefficients(s)]
    at = jax.lax.stop_gradient(low + (high - low) * jnp.where(crossed, s[:-1] / jnp.where(crossed, s[:-1] - s[1:], 1.0), 0.0))

    def closer(at: Array) -> Array:
        slope = _value(_slope(c), at)
        rising = crossed & (slope > 0)
        return jnp.clip(at - jnp.where(rising, _value(c, at) / jnp.where(rising, slope, 1.0), 0.0), low, high)

    # The last two iterations carry the derivatives, of first and second order.
    at = closer(closer(jax.lax.stop_gradient(jax.lax.fori_loop(0, 4, lambda _, at: jax.lax.stop_gradient(closer(at)), at))))
    times = t[None] + at * h[None]
    return [(jump, t), *((crossed[j], times[j]) for j in range(len(NODES) - 1))]


def _combine(weights: np.ndarray, q: Samples) -> Lane:
    # Written out: XLA's reduction over a leading axis is no vector operation.
    return sum((float(w) * q[j] for j, w in enumerate(weights) if w), start=jnp.zeros_like(q[0]))


def _coefficients(q: Samples) -> list[Lane]:
    """Coefficients of the quartic through the samples, constant term first."""
    return list(jnp.tensordot(jnp.asarray(_QUARTIC, q.dtype), q, axes=1))


def _slope(c: list[Array]) -> list[Array]:
    return [m * c[m] for m in range(1, len(c))]


def _value(c: list[Array], at: Any) -> Array:
    value = c[-1]
    for coefficient in reversed(c[:-1]):
        value = value * at + coefficient
    return value
