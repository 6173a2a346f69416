"""The portable lowering: arrays over lanes, a loop of steps, finished lanes refilled from the queue of cells."""

from typing import NamedTuple

import equinox.internal as eqxi
import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int

from jaxion.errors import Status
from jaxion.kernel.lanes import first_step, reason_to_stop
from jaxion.kernel.problem import Course, Given, Plan
from jaxion.kernel.reductions import State
from jaxion.kernel.rosenbrock import interpolate
from jaxion.kernel.steps import Step, attempt, begin_reductions, fold, samples

Lane = Float[Array, " lanes"]
Rows = Float[Array, "rows lanes"]


class Lanes(NamedTuple):
    """Everything that a run needs to go on: the lanes, the queue, and the results so far."""

    cell: Int[Array, " lanes"]
    phase: Int[Array, " lanes"]
    t: Lane
    h: Lane
    y: Rows
    theta: Float[Array, "params lanes"]
    scale: Rows
    rejected: Bool[Array, " lanes"]
    tries: Int[Array, " lanes"]
    accepted: Int[Array, " lanes"]
    save: Int[Array, " lanes"]
    reductions: tuple[State, ...]
    queue: Int[Array, ""]
    turn: Int[Array, ""]
    course: Course


def begin(plan: Plan, given: Given, width: int) -> Lanes:
    """Lanes with the first cells of the queue in them."""
    rows, cells = given.y.shape
    nan = jnp.full(cells, jnp.nan, given.y.dtype)
    zero = jnp.zeros(width, int)
    saved = jnp.full((len(given.saves), rows, cells), jnp.nan, given.y.dtype)
    saved = jnp.where((given.saves[:, None] == given.edges[0][None])[:, None], given.y[None], saved)
    course = Course(
        saved=saved,
        reduced=tuple(tuple(nan for _ in r.outputs) for r in plan.reductions),
        final=jnp.full_like(given.y, jnp.nan),
        status=jnp.zeros(cells, int),
        steps=jnp.zeros(cells, int),
        accepted=jnp.zeros(cells, int),
    )
    t, y, theta, scale, h = _load(plan, given, jnp.arange(width), zero)
    reductions = begin_reductions(plan, t, y, theta)
    first = jnp.full(width, jnp.sum(given.saves <= given.edges[0, 0]))
    return Lanes(
        jnp.arange(width), zero, t, h, y, theta, scale, zero > 0, zero, zero, first, reductions, jnp.asarray(width), jnp.asarray(0), course
    )


def _theta(given: Given, cell: Array, phase: Array) -> Array:
    """Parameters of cells in their phases."""
    return jnp.concatenate([given.theta[:, cell], jnp.moveaxis(given.drive[phase, :, cell], -1, 0)])


def _load(plan: Plan, given: Given, cell: Array, phase: Array) -> tuple[Array, ...]:
    cell = jnp.minimum(cell, given.y.shape[1] - 1)
    t, y, scale = given.edges[phase, cell], given.y[:, cell], given.scale[:, cell]
    theta = _theta(given, cell, phase)
    duration = given.edges[phase + 1, cell] - t
    return t, y, theta, scale, first_step(plan.system.rate(t, y, theta), y, scale, duration)


def advance(plan: Plan, given: Given, lanes: Lanes, turns: int | None = None) -> Lanes:
    """Up to `turns` further steps in every lane; all of them if None."""
    cells = given.y.shape[1]

    def live(lanes: Lanes) -> Bool[Array, " lanes"]:
        return lanes.cell < cells

    def body(lanes: Lanes) -> Lanes:
        at = jnp.minimum(lanes.cell, cells - 1)
        end = given.edges[lanes.phase + 1, at]
        tried = attempt(plan, end, lanes.t, lanes.h, lanes.y, lanes.theta, lanes.scale, lanes.rejected)
        done, h, last, good, factor = tried
        t1 = jnp.where(last, end, lanes.t + h)
        keep = good & live(lanes)
        reductions, course, save = lanes.reductions, lanes.course, lanes.save
        if plan.reductions:
            reductions = fold(plan, reductions, lanes.t, h, samples(plan, lanes.t, h, lanes.y, lanes.theta, done), keep)
        if given.saves.size:
            course, save = _save(given, lanes, done, h, t1, keep)
        tries = lanes.tries + live(lanes).astype(int)
        duration = end - given.edges[lanes.phase, at]
        stop = reason_to_stop(good, lanes.t, h, duration, done.y1, plan.system.positive, tries, plan.max_steps)
        phase = lanes.phase + (good & last).astype(int)
        finished = phase == given.edges.shape[0] - 1
        stop = jnp.where(finished, Status.ok, stop)
        lanes = lanes._replace(
            phase=jnp.where(finished, 0, phase),
            t=jnp.where(good, t1, lanes.t),
            h=h * factor,
            y=jnp.where(good[None], done.y1, lanes.y),
            rejected=~good,
            tries=tries,
            accepted=lanes.accepted + keep.astype(int),
            save=save,
            reductions=reductions,
            turn=lanes.turn + 1,
            course=course,
        )
        over, edge = live(lanes) & (stop != Status.not_run), keep & last
        return jax.lax.cond(eqxi.unvmap_any(over | edge), lambda l: _turn_over(plan, given, l, over, stop, edge), lambda l: l, lanes)

    def unfinished(lanes: Lanes) -> Bool[Array, ""]:
        more = eqxi.unvmap_any(live(lanes))
        return more if turns is None else more & eqxi.unvmap_any(lanes.turn < turns)

    lanes = jax.lax.while_loop(unfinished, body, lanes)
    return lanes._replace(turn=jnp.zeros_like(lanes.turn))


def _turn_over(plan: Plan, given: Given, lanes: Lanes, over: Array, stop: Array, edge: Array) -> Lanes:
    """Write down the cells that are over, load the next ones from the queue, and enter new phases."""
    cells = given.y.shape[1]
    target = jnp.where(over, lanes.cell, cells)
    ok = stop == Status.ok
    put = lambda all_, lane: all_.at[..., target].set(lane, mode="drop")  # noqa: E731
    results = [r.result(state) for r, state in zip(plan.reductions, lanes.reductions, strict=True)]
    course = lanes.course._replace(
        reduced=tuple(
            tuple(put(whole, jnp.where(ok, lane, jnp.nan)) for whole, lane in zip(wholes, outputs, strict=True))
            for wholes, outputs in zip(lanes.course.reduced, results, strict=True)
        ),
        final=put(lanes.course.final, jnp.where(ok[None], lanes.y, jnp.nan)),
        status=put(lanes.course.status, stop.astype(lanes.course.status.dtype)),
        steps=put(lanes.course.steps, lanes.tries),
        accepted=put(lanes.course.accepted, lanes.accepted),
    )
    cell = jnp.where(over, lanes.queue + jnp.cumsum(over) - 1, lanes.cell)
    phase = jnp.where(over, 0, lanes.phase)
    t, y, theta, scale, _ = _load(plan, given, cell, phase)
    y = jnp.where(over[None], y, lanes.y)
    at = jnp.minimum(cell, cells - 1)
    duration = given.edges[phase + 1, at] - given.edges[phase, at]
    h = first_step(plan.system.rate(t, y, theta), y, scale, duration)
    fresh = over | edge
    begun = begin_reductions(plan, t, y, theta)
    load = lambda new, old: jnp.where(over, new, old)  # noqa: E731
    first = jnp.sum(given.saves[:, None] <= given.edges[0, at][None], axis=0)
    return lanes._replace(
        cell=cell,
        phase=phase,
        t=load(t, lanes.t),
        h=jnp.where(fresh, h, lanes.h),
        y=y,
        theta=jnp.where(fresh[None], theta, lanes.theta),
        scale=jnp.where(over[None], scale, lanes.scale),
        rejected=lanes.rejected & ~fresh,
        tries=load(0, lanes.tries),
        accepted=load(0, lanes.accepted),
        save=load(first, lanes.save),
        reductions=jax.tree.map(load, begun, lanes.reductions),
        queue=lanes.queue + jnp.sum(over),
        course=course,
    )


def _save(given: Given, lanes: Lanes, done: Step, h: Lane, t1: Lane, keep: Array) -> tuple[Course, Array]:
    """Save the rows at all times that the step passes."""
    times = given.saves

    def due(save: Array) -> Array:
        return keep & (save < len(times)) & (times[jnp.minimum(save, len(times) - 1)] <= t1)

    def body(state: tuple[Array, Array]) -> tuple[Array, Array]:
        saved, save = state
        now = due(save)
        at = (times[jnp.minimum(save, len(times) - 1)] - lanes.t) / h
        values = interpolate(at[None], lanes.y, done.y1, done.K)
        place = jnp.where(now, save, len(times)), slice(None), lanes.cell
        return saved.at[place].set(values.T, mode="drop"), save + now.astype(int)

    state = (lanes.course.saved, lanes.save)
    saved, save = jax.lax.while_loop(lambda s: eqxi.unvmap_any(due(s[1])), body, state)
    return lanes.course._replace(saved=saved), save
