"""`integrate`: trajectories of many cells, eager or under any JAX transformation."""

import functools
from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.core import Tracer
from jaxtyping import Array

from jaxion.errors import Status, nearest
from jaxion.kernel.lowerings import check_lowering, run_lowered
from jaxion.kernel.methods.reductions import Reduction, ReductionState
from jaxion.kernel.problem import TANGENTS, Course, Given, Plan
from jaxion.kernel.system import System
from jaxion.kernel.widths import lane_width
from jaxion.kernel.xla.batches import run_by_xla
from jaxion.kernel.xla.integration import advance, begin
from jaxion.kernel.xla.replay import replay

SINGLE = 1e-5
"""Tightest relative tolerance in single precision: below it the error of a step is rounding."""


def integrate(
    system: System,
    y0: Any,
    theta: Any,
    edges: Any,
    drive: Any = None,
    saves: Any = (),
    scale: Any = 1.0,
    reductions: Sequence[Reduction] = (),
    rtol: float = 1e-6,
    max_steps: int = 1_000_000,
    lowering: str = "auto",
    precision: str = "float64",
    tangents: str = "exact",
) -> Course:
    r"""Integrate $dy/dt = f(t, y, \theta)$ of each cell with Rodas5P, adaptive and independent in every cell.

    Time is cut into phases at `edges`, which no step straddles; θ is `theta` followed by what `drive`
    holds for the phase. Differentiable in `y0`, `theta`, `drive` and `edges`, forward and reverse, at
    every order, and composes with `jit`, `vmap` and `scan`. A cell that fails is NaN with a status and
    adds exactly zero to any derivative.

    Args:
        system: The equations of one cell; keep the object, as what is compiled belongs to it.
        y0: Start, `(rows, cells)`; leave the cells axis out everywhere for one cell.
        theta: Parameters, `(params, cells)` less those of `drive`.
        edges: Times at which phases begin, and the end: `(phases + 1, cells)`, increasing.
        drive: Parameters of each phase, `(phases, driven, cells)`.
        saves: Times at which the rows are saved, increasing; the same for all cells.
        scale: Size of each row, from which the absolute tolerance `rtol × scale` follows: a number, `(rows,)` or `(rows, cells)`.
        reductions: Measures of the system's observables.
        rtol: Relative tolerance; looser than 1e-4 is refused.
        max_steps: Steps tried in a cell at most. Reverse mode keeps a state for each 256 of them, taken or not.
        lowering: What runs: machine code (`"llvm"`), `jax.numpy` (`"xla"`), or whichever is the faster one that is possible (`"auto"`).
            Derivatives of derivatives are always those of `jax.numpy`, as is everything where `saves` are traced.
        precision: `"float64"`, or `"float32"`: machine code then computes the stages of a step in single precision, twice as many cells
            at once; time, rows and sums of them stay in double precision. For `rtol` of 1e-5 or more.
        tangents: Forward derivatives of machine code: of the steps that were taken, as all others are (`"exact"`), or, several times as fast
            along many directions, solutions of the variational equations over the same steps, of order four and in single precision
            (`"variational"`). Those are about as exact as the course where that moves; where a cell rests, steps are long, and the first tangents
            after a change of what it rests by are wrong by up to a hundredth of the largest.

    Returns:
        `Course`: `saved` `(times, rows, cells)`, `reduced`, `final` `(rows, cells)`, `status`, `steps`.

    Raises:
        ValueError: An argument's shape does not fit, `rtol` is not between 1e-12 and 1e-4 (1e-5 in single precision), or there is no such
            precision, tangents or lowering, or that is not possible.

    Example:
        Robertson's reaction, stiff over eleven decades of time:

        >>> import jax, jax.numpy as jnp
        >>> jax.config.update("jax_enable_x64", True)
        >>> def robertson(t, y, k):
        ...     slow, fast = k[0] * y[0] - k[2] * y[1] * y[2], k[1] * y[1] ** 2
        ...     return jnp.stack([-slow, slow - fast, fast])
        >>> system = System(robertson, rows=3, params=3)
        >>> end = integrate(system, [1.0, 0.0, 0.0], [0.04, 3e7, 1e4], [0.0, 1e11], scale=jnp.array([1e-6, 1e-12, 1.0])).final
        >>> print("{:.4e}".format(float(end[0])))
        2.0833e-08

    Source: Steinebach (2023) BIT Numer Math 63:27 for the method.
    """
    check_limits(rtol, max_steps)
    check_tangents(tangents)
    single = is_single(precision)
    if rtol < SINGLE and (single or jnp.result_type(float) != jnp.float64):
        raise ValueError(f"Argument `rtol` must be {SINGLE:g} or more in single precision, but it is {rtol:g}.")
    y0, theta, edges = (jnp.asarray(x, float) for x in (y0, theta, edges))
    one = y0.ndim == 1
    cells = 1 if one else y0.shape[1]

    def spread(name: str, value: Any, rank: int, size: int | None) -> Array:
        value = jnp.asarray(value, float)
        value = value[..., None] if value.ndim < rank + 1 else value
        if value.ndim != rank + 1 or value.shape[-1] not in (1, cells) or (size is not None and value.shape[rank - 1] != size):
            raise ValueError(f"Argument `{name}` does not fit {cells} cells of {y0.shape[0]} rows: its shape is {value.shape}.")
        return jnp.broadcast_to(value, (*value.shape[:-1], cells))

    edges = spread("edges", edges, 1, None)
    phases = edges.shape[0] - 1
    if phases < 1:
        raise ValueError("Argument `edges` must hold a begin and an end.")
    drive = jnp.zeros((phases, 0, cells)) if drive is None else spread("drive", drive, 2, None)
    scale = jnp.asarray(scale, float)
    scale = jnp.broadcast_to(scale, y0.shape[:1]) if scale.ndim == 0 else scale
    given = Given(
        y=spread("y0", y0, 1, system.rows),
        theta=spread("theta", theta, 1, system.params - drive.shape[1]),
        drive=drive,
        edges=edges,
        scale=spread("scale", scale, 1, system.rows),
        saves=jnp.asarray(saves, float),
    )
    plan = Plan(system, tuple(reductions), float(rtol), max_steps, single, tangents)
    check_lowering(lowering)
    if isinstance(saves, Tracer):
        # What machine code saves is the same for all cells, which a tracer does not say.
        lowering = "xla"
    portably = _traced if any(isinstance(leaf, Tracer) for leaf in given) else run_by_xla
    course = run_lowered(plan, given, lowering, portably)
    return jax.tree.map(lambda x: x[..., 0], course) if one else course


def check_limits(rtol: Any, max_steps: Any) -> None:
    """Raise `ValueError` if cells cannot be integrated with such a tolerance or so few steps."""
    if not isinstance(rtol, int | float | np.number):
        raise ValueError(f"Argument `rtol` must be a number between 1e-12 and 1e-4, but it is `{rtol}`.")
    if not 1e-12 <= rtol <= 1e-4:
        raise ValueError(f"Argument `rtol` must lie between 1e-12 and 1e-4, but it is {rtol:g}: a looser one gives no useful result.")
    if not isinstance(max_steps, int | np.integer) or isinstance(max_steps, bool) or max_steps < 1:
        raise ValueError(f"Argument `max_steps` must be a whole number of 1 or more, but it is `{max_steps}`.")


def check_tangents(tangents: str) -> None:
    """Raise `ValueError` if there are no such tangents."""
    if tangents not in TANGENTS:
        raise ValueError(f"Argument `tangents` must be one of {', '.join(TANGENTS)}, but it is `{tangents}`.{nearest(tangents, TANGENTS)}")


def is_single(precision: str) -> bool:
    """Whether a precision is the single one; raises `ValueError` if it is not the double one either."""
    if precision not in ("float64", "float32"):
        raise ValueError(f"Argument `precision` must be `float64` or `float32`, but it is `{precision}`.")
    return precision == "float32"


@functools.partial(jax.jit, static_argnums=0)
def _traced(plan: Plan, given: Given) -> Course:
    return _differentiable(plan, given)


@functools.partial(jax.custom_jvp, nondiff_argnums=(0,))
def _differentiable(plan: Plan, given: Given) -> Course:
    lanes = begin(plan, given, lane_width(given.y.shape[1]))
    return advance(plan, given, lanes).course


@_differentiable.defjvp
def _differentiable_jvp(plan: Plan, primals: tuple[Given], tangents: tuple[Given]) -> tuple[Course, Course]:
    (given,), (change,) = primals, tangents
    course = _differentiable(plan, given)
    ok = course.status == Status.ok

    def replayed(moving: Given) -> tuple[Array, list[ReductionState], Array]:
        found = replay(plan, moving._replace(saves=given.saves, scale=given.scale), ok)
        return found.saved, [r.result(state) for r, state in zip(plan.reductions, found.reduced, strict=True)], found.final

    _, (saved, reduced, final) = jax.jvp(replayed, (given,), (change,))

    def isolated(tangent: Array) -> Array:
        return jnp.where(ok, tangent, 0.0)

    def unmoved(counts: Array) -> Any:
        return jax.custom_derivatives.zero_from_primal(counts)

    return course, Course(
        saved=isolated(saved),
        reduced=jax.tree.map(isolated, tuple(reduced)),
        final=isolated(final),
        status=unmoved(course.status),
        steps=unmoved(course.steps),
        accepted=unmoved(course.accepted),
    )
