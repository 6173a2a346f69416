"""The diffrax backend: the same equations through any diffrax solver, step controller and adjoint."""

from collections.abc import Sequence
from typing import Any

import diffrax
import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax.core import Tracer
from jaxtyping import Array, Bool

from jaxion.errors import Status
from jaxion.kernel import NODES, Course, Reduction, ReductionState, System


def integrate_by_diffrax(
    system: System,
    y0: Array,
    theta: Array,
    edges: Array,
    drive: Array,
    saves: np.ndarray,
    scale: Array,
    reductions: Sequence[Reduction],
    rtol: float,
    max_steps: int,
    solver: diffrax.AbstractSolver | None = None,
    controller: diffrax.AbstractStepSizeController | None = None,
    adjoint: diffrax.AbstractAdjoint | None = None,
) -> Course:
    """What `jaxion.kernel.integrate` does, by diffrax: vmapped over cells, one solve a phase.

    Args:
        system: As there, and so are `y0`, `theta`, `edges`, `drive`, `saves`, `scale`, `reductions` and `rtol`; all with a cells axis or none.
        y0: Start.
        theta: Parameters that last.
        edges: Begin of each phase, and the end of the last.
        drive: Parameters of each phase.
        saves: Times at which the rows are saved.
        scale: Size of each row.
        reductions: Measures.
        rtol: Relative tolerance.
        solver: Default `Kvaerno5`.
        controller: Default `PIDController` with `rtol`, `rtol × scale` as each row's absolute tolerance, and the
            coefficients (0.3, 0.4) that stiff work needs: with its own default two thirds of the steps are rejected.
        adjoint: Default `RecursiveCheckpointAdjoint`: reverse mode; for forward mode give `ForwardMode`.
        max_steps: Steps of a phase at most; fewer in a batch with measures, see `MOST_STEPS`.
    """
    solver = diffrax.Kvaerno5() if solver is None else solver
    adjoint = diffrax.RecursiveCheckpointAdjoint() if adjoint is None else adjoint
    if reductions:
        max_steps = min(max_steps, max(FEWEST_STEPS, MOST_STEPS // (1 if y0.ndim == 1 else y0.shape[1])))

    def one(y0: Array, theta: Array, edges: Array, drive: Array, scale: Array) -> Course:
        control = diffrax.PIDController(rtol=rtol, atol=rtol * scale, pcoeff=0.3, icoeff=0.4) if controller is None else controller
        return _one(system, y0, theta, edges, drive, jnp.asarray(saves), tuple(reductions), max_steps, solver, control, adjoint)

    given = (y0, theta, edges, drive, scale)
    if y0.ndim == 1:
        return eqx.filter_jit(one)(*given)
    batch = eqx.filter_jit(jax.vmap(one, in_axes=-1, out_axes=-1))
    if any(isinstance(leaf, Tracer) for leaf in given):
        # A cell that fails must not be differentiated: it runs with the numbers of one that does not, and is NaN.
        ok = batch(*jax.lax.stop_gradient(given)).status == Status.ok
        good = jnp.argmax(ok)
        course = batch(*(jnp.where(ok, x, jax.lax.stop_gradient(x[..., good])[..., None]) for x in given))
        failed = batch(*jax.lax.stop_gradient(given))
        return jax.tree.map(lambda a, b: jnp.where(ok, a, b), course, failed)
    return batch(*given)


MOST_STEPS, FEWEST_STEPS = 262_144, 4_096
"""Steps of a phase, of all cells together and of each, that memory is held for where there are measures: diffrax keeps every step's dense output."""


def _one(system, y0, theta, edges, drive, saves, reductions, max_steps, solver, control, adjoint) -> Course:
    y, status, steps, accepted = y0, jnp.asarray(int(Status.ok)), jnp.asarray(0), jnp.asarray(0)
    saved = jnp.where((saves == edges[0])[:, None], y0[None], jnp.nan)
    states: tuple[ReductionState, ...] | None = None
    term = diffrax.ODETerm(system.f)
    for phase in range(edges.shape[0] - 1):
        t0, t1 = edges[phase], edges[phase + 1]
        parameters = jnp.concatenate([theta, drive[phase]])
        wanted = {"end": diffrax.SubSaveAt(t1=True)}
        if saves.size:
            wanted["saved"] = diffrax.SubSaveAt(ts=jnp.clip(saves, t0, t1))
        if reductions:
            wanted["steps"] = diffrax.SubSaveAt(t0=True, steps=True)
        solution = diffrax.diffeqsolve(
            term,
            solver,
            t0,
            t1,
            None,
            y,
            parameters,
            saveat=diffrax.SaveAt(subs=wanted, dense=bool(reductions)),
            stepsize_controller=control,
            adjoint=adjoint,
            max_steps=max_steps,
            throw=False,
        )
        results = solution.ys or {}
        if saves.size:
            saved = jnp.where(((saves > t0) & (saves <= t1))[:, None], results["saved"], saved)
        if reductions:
            if states is None:
                q = system.observables(t0[None], y[:, None], parameters[:, None])
                states = tuple(r.begin(q[r.index]) for r in reductions)
            states = _fold(system, reductions, states, solution, parameters)
        y = results["end"][-1]
        steps, accepted = steps + solution.stats["num_steps"], accepted + solution.stats["num_accepted_steps"]
        status = jnp.where(status == Status.ok, _status(system, solution.result, y), status)
    ok = status == Status.ok
    reduced = () if states is None else tuple(r.result(s) for r, s in zip(reductions, states, strict=True))
    return Course(
        saved=jnp.where(jnp.isfinite(saved), saved, jnp.nan),
        reduced=jax.tree.map(lambda x: jnp.where(ok, x[0], jnp.nan), reduced),
        final=jnp.where(ok, y, jnp.nan),
        status=status,
        steps=steps,
        accepted=accepted,
    )


def _fold(
    system: System, reductions: tuple[Reduction, ...], states: tuple[ReductionState, ...], solution: Any, theta: Array
) -> tuple[ReductionState, ...]:
    """Fold every step of a phase into the reductions."""
    times = solution.ts["steps"]
    real = jnp.isfinite(times[1:])
    begins = jnp.where(real, times[:-1], times[0])
    lengths = jnp.where(real, times[1:] - begins, 0.0)

    def step(states: tuple[ReductionState, ...], given: tuple[Array, Array, Bool[Array, ""]]) -> tuple[tuple[ReductionState, ...], None]:
        t, h, keep = given

        def sample(at: Array) -> Array:
            y = solution.evaluate(t + at * h)
            return system.observables((t + at * h)[None], y[:, None], theta[:, None])

        q = jax.vmap(sample)(jnp.asarray(NODES))
        new = tuple(r.fold(s, t[None], h[None], q[:, r.index]) for r, s in zip(reductions, states, strict=True))
        return jax.tree.map(lambda a, b: jnp.where(keep, a, b), new, states), None

    return jax.lax.scan(step, states, (begins, lengths, real))[0]


def _status(system: System, result: Any, y: Array) -> Array:
    positive = jnp.all(y[np.asarray(system.positive, int)] > 0) if system.positive else jnp.asarray(True)
    stopped = jnp.where(result == diffrax.RESULTS.max_steps_reached, Status.max_steps, Status.step_too_small)
    stopped = jnp.where(jnp.all(jnp.isfinite(y)), stopped, jnp.where(stopped == Status.max_steps, stopped, Status.not_finite))
    return jnp.where(result == diffrax.RESULTS.successful, jnp.where(positive, Status.ok, Status.not_positive), stopped)
