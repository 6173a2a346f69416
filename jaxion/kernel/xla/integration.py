"""The portable lowering: arrays over lanes, a loop of steps, finished lanes refilled from the queue of cells."""

from typing import NamedTuple

import equinox.internal as eqxi
import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int

from jaxion.errors import Status
from jaxion.kernel.methods.lane import Counts, Progress
from jaxion.kernel.methods.rodas5p import interpolate
from jaxion.kernel.methods.step_control import first_control, reason_to_stop
from jaxion.kernel.problem import Course, Given, Plan
from jaxion.kernel.xla.algebra import select
from jaxion.kernel.xla.step import Step, attempt, begin_reductions, fold, samples

Lane = Float[Array, " lanes"]
Rows = Float[Array, "rows lanes"]


class Lanes(NamedTuple):
    """Everything that a run needs to go on: the lanes, the queue, and the results so far."""

    cell: Int[Array, " lanes"]
    at: Progress
    counts: Counts
    theta: Float[Array, "params lanes"]
    scale: Rows
    save: Int[Array, " lanes"]
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
    at, theta, scale = _load(plan, given, jnp.arange(width), zero)
    first = jnp.full(width, jnp.sum(given.saves <= given.edges[0, 0]))
    return Lanes(jnp.arange(width), at, Counts(zero, zero), theta, scale, first, jnp.asarray(width), jnp.asarray(0), course)


def _theta(given: Given, cell: Array, phase: Array) -> Array:
    """Parameters of cells in their phases."""
    return jnp.concatenate([given.theta[:, cell], jnp.moveaxis(given.drive[phase, :, cell], -1, 0)])


def _load(plan: Plan, given: Given, cell: Array, phase: Array, y: Rows | None = None) -> tuple[Progress, Array, Rows]:
    """Lanes at the begin of a phase of their cells, their parameters and scales; the rows are those of the cells' start by default."""
    cell = jnp.minimum(cell, given.y.shape[1] - 1)
    t, scale, theta = given.edges[phase, cell], given.scale[:, cell], _theta(given, cell, phase)
    y = given.y[:, cell] if y is None else y
    control = first_control(plan.system.rate(t, y, theta), y, scale, given.edges[phase + 1, cell] - t)
    return Progress(phase, t, y, control, begin_reductions(plan, t, y, theta)), theta, scale


def advance(plan: Plan, given: Given, lanes: Lanes, turns: int | None = None) -> Lanes:
    """Up to `turns` further steps in every lane; all of them if None."""
    cells = given.y.shape[1]

    def live(lanes: Lanes) -> Bool[Array, " lanes"]:
        return lanes.cell < cells

    def body(lanes: Lanes) -> Lanes:
        cell, at, counts = jnp.minimum(lanes.cell, cells - 1), lanes.at, lanes.counts
        end = given.edges[at.phase + 1, cell]
        done, h, last, good, control = attempt(plan, at, end, lanes.theta, lanes.scale)
        t1 = jnp.where(last, end, at.t + h)
        keep = good & live(lanes)
        reduced, course, save = at.reduced, lanes.course, lanes.save
        if plan.reductions:
            reduced = fold(plan, reduced, at.t, h, samples(plan, at.t, h, at.y, lanes.theta, done), keep)
        if given.saves.size:
            course, save = _save(given, lanes, done, h, t1, keep)
        counts = Counts(counts.tries + live(lanes).astype(int), counts.accepted + keep.astype(int))
        duration = end - given.edges[at.phase, cell]
        stop = reason_to_stop(good, at.t, h, duration, done.y1, plan.system.positive, counts.tries, plan.max_steps)
        phase = at.phase + (good & last).astype(int)
        finished = phase == given.edges.shape[0] - 1
        stop = jnp.where(finished, Status.ok, stop)
        t, y = jnp.where(good, t1, at.t), jnp.where(good[None], done.y1, at.y)
        at = Progress(jnp.where(finished, 0, phase), t, y, control, reduced)
        lanes = lanes._replace(at=at, counts=counts, save=save, turn=lanes.turn + 1, course=course)
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
    results = [r.result(state) for r, state in zip(plan.reductions, lanes.at.reduced, strict=True)]
    course = lanes.course._replace(
        reduced=tuple(
            tuple(put(whole, jnp.where(ok, lane, jnp.nan)) for whole, lane in zip(wholes, outputs, strict=True))
            for wholes, outputs in zip(lanes.course.reduced, results, strict=True)
        ),
        final=put(lanes.course.final, jnp.where(ok[None], lanes.at.y, jnp.nan)),
        status=put(lanes.course.status, stop.astype(lanes.course.status.dtype)),
        steps=put(lanes.course.steps, lanes.counts.tries),
        accepted=put(lanes.course.accepted, lanes.counts.accepted),
    )
    cell = jnp.where(over, lanes.queue + jnp.cumsum(over) - 1, lanes.cell)
    inside = jnp.minimum(cell, cells - 1)
    y = jnp.where(over[None], given.y[:, inside], lanes.at.y)
    new, theta, scale = _load(plan, given, cell, jnp.where(over, 0, lanes.at.phase), y)
    load = lambda mask, new, old: jax.tree.map(lambda a, b: select(mask, a, b), new, old)  # noqa: E731
    first = jnp.sum(given.saves[:, None] <= given.edges[0, inside][None], axis=0)
    at = load(over, new, lanes.at)
    # A phase that is new begins as a cell does, but for its reductions.
    return lanes._replace(
        cell=cell,
        at=at._replace(control=load(over | edge, new.control, lanes.at.control)),
        counts=load(over, jax.tree.map(jnp.zeros_like, lanes.counts), lanes.counts),
        theta=load(over | edge, theta, lanes.theta),
        scale=load(over, scale, lanes.scale),
        save=load(over, first, lanes.save),
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
        at = (times[jnp.minimum(save, len(times) - 1)] - lanes.at.t) / h
        values = interpolate(at[None], lanes.at.y, done.y1, done.K)
        place = jnp.where(now, save, len(times)), slice(None), lanes.cell
        return saved.at[place].set(values.T, mode="drop"), save + now.astype(int)

    state = (lanes.course.saved, lanes.save)
    saved, save = jax.lax.while_loop(lambda s: eqxi.unvmap_any(due(s[1])), body, state)
    return lanes.course._replace(saved=saved), save
