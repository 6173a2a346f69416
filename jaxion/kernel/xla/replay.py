"""The same trajectory as a differentiable function: accepted steps with frozen lengths, forward and reverse, at every order.

A segment first runs ahead without derivatives to find its steps, then takes the accepted ones again
with derivatives. No rejected trial is ever differentiated, and reverse mode keeps one state a segment.
A step is frozen as a part of its phase, so that derivatives in the edges of phases are exact as well.
"""

from typing import Final, NamedTuple

import equinox.internal as eqxi
import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int

from jaxion.kernel.methods.lane import Progress
from jaxion.kernel.methods.reductions import ReductionState
from jaxion.kernel.methods.rodas5p import interpolate
from jaxion.kernel.methods.step_control import Control, first_control
from jaxion.kernel.problem import Given, Plan
from jaxion.kernel.xla.step import attempt, begin_reductions, fold, samples, step

Lane = Float[Array, " lanes"]
Rows = Float[Array, "rows lanes"]

SEGMENT: Final = 256
"""Accepted steps of a segment."""

BLOCK: Final = 64
"""Cells that are replayed side by side."""


class Replayed(NamedTuple):
    """Saved rows, states of the reductions and final rows, cells last."""

    saved: Float[Array, "times rows cells"]
    reduced: tuple[ReductionState, ...]
    final: Float[Array, "rows cells"]


class _Place(NamedTuple):
    """Where a lane is; its time, rows and reductions carry derivatives, the rest is control."""

    at: Progress
    live: Bool[Array, " lanes"]


def replay(plan: Plan, given: Given, ok: Bool[Array, " cells"]) -> Replayed:
    """Saved rows, measures and end of every cell that is `ok`; the others hold the numbers of one that is, without derivatives."""
    # A failed cell's own numbers may have derivatives that are not finite, and zero times those is not zero.
    sample = jnp.argmax(ok)
    given = given.of_cells(lambda x: jnp.where(_over(ok, x), x, jax.lax.stop_gradient(x[..., sample])[..., None]))
    cells = given.y.shape[1]
    if cells <= BLOCK:
        return _replay_block(plan, given)
    blocks = -(-cells // BLOCK)

    def split(x: Array) -> Array:
        padded = jnp.concatenate([x, jnp.repeat(x[..., -1:], blocks * BLOCK - cells, axis=-1)], axis=-1)
        return jnp.moveaxis(padded.reshape(*x.shape[:-1], blocks, BLOCK), -2, 0)

    parts = given.of_cells(split)
    out = jax.lax.map(lambda part: _replay_block(plan, Given(*part, saves=given.saves)), tuple(parts[:-1]))
    return jax.tree.map(lambda x: jnp.moveaxis(x, 0, -2).reshape(*x.shape[1:-1], blocks * BLOCK)[..., :cells], out)


def _over(lanes: Array, x: Array) -> Array:
    """Something of each lane, with leading axes of length one like those of `x`."""
    return lanes.reshape((1,) * (x.ndim - 1) + lanes.shape)


def _replay_block(plan: Plan, given: Given) -> Replayed:
    width = given.y.shape[1]
    zero = jnp.zeros(width, int)
    t, y, theta = given.edges[0], given.y, _theta(given, zero)
    control = jax.lax.stop_gradient(first_control(plan.system.rate(t, y, theta), y, given.scale, given.edges[1] - t))
    place = _Place(Progress(zero, t, y, control, begin_reductions(plan, t, y, theta)), zero == 0)
    first = (given.saves[:, None] == t[None])[:, None]
    # What is saved is summed up outside of what is computed again, so that reverse mode keeps no copy of it for each segment.
    saved, hit = jnp.where(first, y[None], 0.0), first

    def onward(carry: tuple[_Place, Array, Array]) -> tuple[_Place, Array, Array]:
        place, saved, hit = carry
        place, more, inside = jax.checkpoint(lambda place: _segment(plan, given, place))(place)
        return place, saved + more, hit | inside

    def segment(carry: tuple[_Place, Array, Array], _: None) -> tuple[tuple[_Place, Array, Array], None]:
        return jax.lax.cond(eqxi.unvmap_any(carry[0].live), onward, lambda c: c, carry), None

    turns = -(-plan.max_steps // SEGMENT)
    (place, saved, hit), _ = jax.lax.scan(segment, (place, saved, hit), None, length=turns)
    saved = jnp.where(hit, saved, jnp.nan)
    return Replayed(saved, place.at.reduced, place.at.y)


def _theta(given: Given, phase: Int[Array, " lanes"]) -> Array:
    driven = jnp.take_along_axis(given.drive, phase[None, None], axis=0)[0]
    return jnp.concatenate([given.theta, driven])


def _edge(given: Given, phase: Int[Array, " lanes"]) -> Lane:
    return jnp.take_along_axis(given.edges, phase[None], axis=0)[0]


def _segment(plan: Plan, given: Given, place: _Place) -> tuple[_Place, Array, Array]:
    """Where a segment ends, its saved rows with zeros for the others, and which those are."""
    parts, lasts, count, ahead = _look_ahead(plan, jax.lax.stop_gradient(given), jax.lax.stop_gradient(place))

    def again(carry: tuple[Lane, Rows, tuple[ReductionState, ...], Array], k: Array) -> tuple[tuple, tuple]:
        return jax.lax.cond(eqxi.unvmap_any(k < count), lambda c: _again(plan, given, parts[k], lasts[k], k < count, c), _idle, carry)

    begun = place.at
    carry = (begun.t, begun.y, begun.reduced, begun.phase)
    (t, y, reduced, phase), steps = jax.lax.scan(jax.checkpoint(again), carry, jnp.arange(SEGMENT))
    saved = jnp.zeros((len(given.saves), *y.shape), y.dtype)
    inside = jnp.zeros((len(given.saves), 1, y.shape[1]), bool)
    if given.saves.size:
        saved, inside = _save(given, begun.t, steps, count)
    return _Place(Progress(phase, t, y, ahead.at.control, reduced), ahead.live), saved, inside


def _look_ahead(plan: Plan, given: Given, place: _Place) -> tuple[Array, Array, Array, _Place]:
    """Up to `SEGMENT` accepted steps of each lane: their parts of the phase, whether they end it, their number, and where they end."""
    width = place.at.t.shape[0]
    parts = jnp.zeros((SEGMENT + 1, width), place.at.t.dtype)
    lasts = jnp.zeros((SEGMENT + 1, width), bool)
    lane = jnp.arange(width)

    def moving(count: Array, place: _Place) -> Array:
        return place.live & (count < SEGMENT)

    def body(state: tuple[Array, Array, Array, _Place]) -> tuple[Array, Array, Array, _Place]:
        parts, lasts, count, place = state
        at = place.at
        begin, end, theta = _edge(given, at.phase), _edge(given, at.phase + 1), _theta(given, at.phase)
        done, h, last, accepted, control = attempt(plan, at, end, theta, given.scale)
        good = accepted & moving(count, place)
        slot = jnp.where(good, count, SEGMENT)
        parts = parts.at[slot, lane].set(h / jnp.where(end > begin, end - begin, 1.0))
        lasts = lasts.at[slot, lane].set(last)
        phase = at.phase + (good & last).astype(int)
        over = phase == given.edges.shape[0] - 1
        phase = jnp.where(over, 0, phase)
        y, t = jnp.where(good[None], done.y1, at.y), jnp.where(good, jnp.where(last, end, at.t + h), at.t)

        def entered(_: Control) -> Control:
            rate = plan.system.rate(t, y, _theta(given, phase))
            return first_control(rate, y, given.scale, _edge(given, phase + 1) - _edge(given, phase))

        def chosen(lanes: Array, new: Control, old: Control) -> Control:
            return jax.tree.map(lambda a, b: jnp.where(lanes, a, b), new, old)

        control = chosen(moving(count, place), control, at.control)
        fresh = good & last
        control = chosen(fresh, jax.lax.cond(eqxi.unvmap_any(fresh), entered, lambda c: c, control), control)
        place = _Place(at._replace(phase=phase, t=t, y=y, control=control), place.live & ~(fresh & over))
        return parts, lasts, count + good.astype(int), place

    state = (parts, lasts, jnp.zeros(width, int), place)
    return jax.lax.while_loop(lambda s: eqxi.unvmap_any(moving(s[2], s[3])), body, state)


def _again(plan: Plan, given: Given, part: Lane, last: Array, active: Array, carry: tuple) -> tuple[tuple, tuple]:
    """One accepted step with derivatives; lanes that wait take a short step from their start, of which nothing is kept."""
    t, y, reductions, phase = carry
    phase = jnp.where(active, phase, 0)
    begin, end = _edge(given, phase), _edge(given, phase + 1)
    t_safe, y_safe = jnp.where(active, t, begin), jnp.where(active[None], y, given.y)
    h = jnp.where(active, jnp.where(last, end - t_safe, part * (end - begin)), 1e-9 * (end - begin))
    theta = _theta(given, phase)
    done = step(plan.system, t_safe, h, y_safe, theta)
    # A phase without duration changes nothing, but its derivative in the duration is the rate.
    rate = jnp.where((h > 0)[None], 0.0, plan.system.rate(t_safe, y_safe, theta))
    done = done._replace(y1=done.y1 + h[None] * rate)
    if plan.reductions:
        reductions = fold(plan, reductions, t_safe, h, samples(plan, t_safe, h, y_safe, theta, done), active)
    t1 = jnp.where(active, jnp.where(last, end, t_safe + h), t)
    y1 = jnp.where(active[None], done.y1, y)
    phase = phase + last.astype(int)
    over = phase == given.edges.shape[0] - 1
    new = jnp.where(active, jnp.where(over, 0, phase), carry[3])
    return (t1, y1, reductions, new), (t1, h, y_safe, done.y1, done.K)


def _idle(carry: tuple) -> tuple[tuple, tuple]:
    t, y = carry[:2]
    return carry, (t, jnp.ones_like(t), y, y, jnp.zeros((3, *y.shape), y.dtype))


def _save(given: Given, t0: Lane, steps: tuple, count: Array) -> tuple[Array, Array]:
    """Rows at the saved times within a segment that began at t0, zeros at the others, and which those are."""
    t1, h, y, y1, K = steps
    times = given.saves[:, None]
    real = jnp.arange(SEGMENT)[:, None] < count[None]
    ends = jax.lax.stop_gradient(jnp.where(real, t1, jnp.inf))
    # The step that ends at or after the time.
    index = jax.vmap(lambda column: jnp.searchsorted(column, given.saves), in_axes=1, out_axes=1)(ends).astype(int)
    inside = (times > jax.lax.stop_gradient(t0)[None]) & (index < count[None])
    index = jnp.minimum(index, SEGMENT - 1)
    of_lane = lambda x: jnp.take_along_axis(x, index.reshape(index.shape[0], *[1] * (x.ndim - 2), -1), axis=0)  # noqa: E731
    at = (times - of_lane(t1)) / of_lane(h) + 1.0
    at = jnp.where(inside, at, 0.0)[:, None]
    values = interpolate(at, of_lane(y), of_lane(y1), jnp.moveaxis(of_lane(K), 1, 0))
    return jnp.where(inside[:, None], values, 0.0), inside[:, None]
