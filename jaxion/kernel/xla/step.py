"""One step in every lane, and what reductions make of it: arrays with the lanes last, in jax.numpy."""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float

from jaxion.kernel.methods import rodas5p as method
from jaxion.kernel.methods.lane import Progress
from jaxion.kernel.methods.reductions import NODES, ReductionState
from jaxion.kernel.methods.step_control import Control, judged, within_phase
from jaxion.kernel.problem import Plan
from jaxion.kernel.system import System
from jaxion.kernel.xla.algebra import apply, combine, inverse

Lane = Float[Array, " lanes"]
Rows = Float[Array, "rows lanes"]


class Step(NamedTuple):
    """One step: the rows at its end, estimates of the error there and of the dense output, and the coefficients of that."""

    y1: Rows
    error: Rows
    between: Rows
    K: Float[Array, "3 rows lanes"]


def step(system: System, t: Lane, h: Lane, y: Rows, theta: Array) -> Step:
    """One step of Rodas5P in every lane; none, and no error, where h is zero: a phase may have no duration."""
    none = h <= 0
    h = jnp.where(none, method.INSTANT, h)
    J, f_t = system.slopes(t, y, theta)
    unit = jnp.eye(system.rows, dtype=y.dtype)[:, :, None]
    X = inverse(unit / (h * method.GAMMA)[None, None] - J, False)
    A, C, alpha, D, B, H = (jnp.asarray(x, y.dtype) for x in (method.A, method.C, method.ALPHA, method.D, method.B, method.H))
    following = jnp.concatenate([A[1:], jnp.zeros_like(A[:1])])

    # The stages in a loop, so that f is compiled once; the argument of f is carried from one turn to the
    # next, as XLA would otherwise compute it again for every use of it.
    def stage(i: Any, carry: tuple[Array, Array]) -> tuple[Array, Array]:
        k, at = carry
        b = system.rate(t + alpha[i] * h, at, theta) + combine(C[i], k) / h[None] + D[i] * h[None] * f_t
        k = k.at[i].set(apply(X, b))
        return k, y + combine(following[i], k)

    k, _ = jax.lax.fori_loop(0, method.STAGES, stage, (jnp.zeros((method.STAGES, *y.shape), y.dtype), y))
    k = jnp.where(none[None, None], 0.0, k)
    y1, K = y + combine(B, k), jnp.stack([combine(row, k) for row in H])
    # What the dense output lacks of the rate in the middle, times about (1/hγ − J)⁻¹: a very stiff row that follows
    # a slow drive is exact at the ends of long steps, and wrong between them by orders of magnitude more.
    between = system.rate(t + 0.5 * h, method.interpolate(0.5, y, y1, K), theta) - method.interpolated_rate(y, y1, K, h[None])
    return Step(y1, k[-1], jnp.where(none[None], 0.0, apply(X, between)), K)


class Attempt(NamedTuple):
    """A step that was tried: its length, whether it ends the phase, whether it is accepted, and the control of the next one."""

    step: Step
    h: Lane
    last: Bool[Array, " lanes"]
    good: Bool[Array, " lanes"]
    control: Control


def attempt(plan: Plan, at: Progress, end: Lane, theta: Array, scale: Rows) -> Attempt:
    """Try the next step, to the end of the phase at most."""
    last, h = within_phase(end, at.t, at.control.h)
    done = step(plan.system, at.t, h, at.y, theta)
    good, control = judged(at.control, h, (done.error, done.between), at.y, done.y1, scale, plan.rtol, plan.system.positive)
    return Attempt(done, h, last, good, control)


def samples(plan: Plan, t: Lane, h: Lane, y: Rows, theta: Array, done: Step) -> Float[Array, "nodes observables lanes"]:
    """Observables at the nodes of a step."""
    nodes = jnp.asarray(NODES, t.dtype)
    return jax.vmap(lambda at: plan.system.observables(t + at * h, method.interpolate(at, y, done.y1, done.K), theta))(nodes)


def fold(
    plan: Plan, states: tuple[ReductionState, ...], t: Lane, h: Lane, q: Array, keep: Bool[Array, " lanes"]
) -> tuple[ReductionState, ...]:
    """All reductions after a step, in the lanes to keep."""
    new = tuple(r.fold(state, t, h, q[:, r.index]) for r, state in zip(plan.reductions, states, strict=True))
    return jax.tree.map(lambda a, b: jnp.where(keep, a, b), new, states)


def begin_reductions(plan: Plan, t: Lane, y: Rows, theta: Array) -> tuple[ReductionState, ...]:
    """All reductions before the first step."""
    q = plan.system.observables(t, y, theta)
    return tuple(r.begin(q[r.index]) for r in plan.reductions)
