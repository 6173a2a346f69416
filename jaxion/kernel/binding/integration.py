r"""Machine code as JAX primitives: a run, its tangents along any number of directions, and the adjoint, the transpose of one of them.

They compose with `jit`, `vmap`, `grad`, `jvp` and `scan`; derivatives of derivatives are those of `replay`, in plain JAX. Results of a
run are those of machine code with the states of the reductions in one array: `saved`, `reduced`, `final`, `status`, `steps`, `accepted`.
"""

import functools
from collections.abc import Callable, Sequence
from typing import Any, Final

import jax
import jax.numpy as jnp
import numpy as np
from jax.core import ShapedArray
from jax.extend.core import Primitive
from jax.interpreters import ad, batching
from jaxtyping import Array

from jaxion.errors import Status
from jaxion.kernel.binding.host_primitives import batched, host_primitive
from jaxion.kernel.cpu.adjoint import pull_back
from jaxion.kernel.cpu.integration import compiled_tangent, possible, run_into
from jaxion.kernel.cpu.tapes import record
from jaxion.kernel.problem import Course, Given, Plan
from jaxion.kernel.widths import cores
from jaxion.kernel.xla.replay import replay

MOVING: tuple[str, ...] = ("y", "theta", "drive", "edges")
"""What a run is differentiable in, of what is given."""
RESULTS: tuple[str, ...] = ("saved", "reduced", "final")
"""What is differentiable of a run's results."""
COUNTS: tuple[str, ...] = ("status", "steps", "accepted")
"""What is not."""
SHARED = {Given._fields.index("saves"): "saves"}
"""Operands that are the same for all cells."""


def run(plan: Plan, given: Given) -> Course:
    """All cells by machine code, under any transformation.

    Raises:
        UnknownPrimitive: The equations, their observables or a reduction have an operation that has no machine code.
    """
    sizes = possible(plan).programs.sizes_reduced
    saved, reduced, final, status, steps, accepted = _run.bind(*given, task=plan)
    ok = status == Status.ok
    outputs, first = [], 0
    for reduction, size in zip(plan.reductions, sizes, strict=True):
        # What a failed cell has reduced may have no derivative.
        states = [jnp.where(ok, reduced[first + i], 1.0) for i in range(size)]
        outputs.append(tuple(jnp.where(ok, output, jnp.nan) for output in reduction.result(tuple(states))))
        first += size
    return Course(saved, tuple(outputs), final, status, steps, accepted)


def _shapes(plan: Plan, y: Any, saves: Any) -> dict[str, tuple[int, ...]]:
    rows, cells = y.shape
    return {"saved": (saves.shape[0], rows, cells), "reduced": (sum(possible(plan).programs.sizes_reduced), cells), "final": (rows, cells)}


def _run_shaped(plan: Plan, y: Any, *rest: Any) -> list[ShapedArray]:
    floats = [ShapedArray(shape, y.dtype) for shape in _shapes(plan, y, rest[4]).values()]
    return [*floats, *[ShapedArray(y.shape[1:], np.dtype(np.int64))] * 3]


def _run_host(plan: Plan, operands: list[np.ndarray], results: list[np.ndarray]) -> None:
    named = dict(zip((*RESULTS, *COUNTS), results, strict=True))
    run_into(possible(plan), plan, dict(zip(Given._fields, operands, strict=True)), named, cores())


def _taped_run_host(plan: Plan, operands: list[np.ndarray], results: list[np.ndarray]) -> None:
    record(plan, dict(zip(Given._fields, operands, strict=True)), dict(zip((*RESULTS, *COUNTS), results, strict=True)), cores())


def _tangent_shaped(plan: Plan, y: Any, *rest: Any) -> list[ShapedArray]:
    # Cells first, directions last, as machine code writes them, and as a least-squares search takes them.
    directions = rest[-len(MOVING)].shape[0]
    return [ShapedArray((shape[-1], *shape[:-1], directions), y.dtype) for shape in _shapes(plan, y, rest[4]).values()]


def _tangent_host(plan: Plan, operands: list[np.ndarray], results: list[np.ndarray]) -> None:
    given, directions = operands[: -len(MOVING)], operands[-len(MOVING) :]
    # A search asks for no derivatives of cells that it has done with.
    moved = functools.reduce(np.logical_or, (np.any(x, axis=tuple(range(x.ndim - 1))) for x in directions))
    found = results
    if not moved.all():
        given = [x if i in SHARED else np.ascontiguousarray(x[..., moved]) for i, x in enumerate(given)]
        directions = [np.ascontiguousarray(x[..., moved]) for x in directions]
        found = [np.empty((int(moved.sum()), *x.shape[1:])) for x in results]
    named = dict(zip(Given._fields, given, strict=True)) | {f"d_{name}": x for name, x in zip(MOVING, directions, strict=True)}
    # What it counts again is not given back.
    counts = {name: np.empty(len(found[0]), np.int64) for name in COUNTS}
    run_into(compiled_tangent(possible(plan), plan.tangents), plan, named, dict(zip(RESULTS, found, strict=True)) | counts, cores())
    # Nor what a cell that failed had saved before.
    failed = np.flatnonzero(counts["status"] != Status.ok)
    for tangents, part in zip(results, found, strict=True):
        part[failed] = 0.0
        if part is not tangents:
            tangents[~moved] = 0.0
            tangents[moved] = part


def _adjoint_shaped(plan: Plan, y: Any, theta: Any, drive: Any, edges: Any, *rest: Any) -> list[ShapedArray]:
    del plan, rest
    return [ShapedArray(x.shape, x.dtype) for x in (y, theta, drive, edges)]


def _adjoint_host(plan: Plan, operands: list[np.ndarray], results: list[np.ndarray]) -> None:
    given, bars = operands[: len(Given._fields)], operands[-len(RESULTS) :]
    named = dict(zip(Given._fields, given, strict=True)), dict(zip(RESULTS, bars, strict=True)), dict(zip(MOVING, results, strict=True))
    pull_back(plan, *named, cores())


_run: Final = host_primitive("jaxion_run", _run_shaped, _run_host, SHARED)
_taped_run: Final = host_primitive("jaxion_taped_run", _run_shaped, _taped_run_host, SHARED)
_tangent: Final = host_primitive("jaxion_run_tangent", _tangent_shaped, _tangent_host, SHARED)
_adjoint: Final = host_primitive("jaxion_run_adjoint", _adjoint_shaped, _adjoint_host, SHARED)


def _replayed(plan: Plan, given: Given, moving: Sequence[Array]) -> list[Array]:
    """The differentiable results of a run, as a function in plain JAX of what moves."""
    ok = _run.bind(*map(jax.lax.stop_gradient, given), task=plan)[len(RESULTS)] == Status.ok
    found = replay(plan, given._replace(**dict(zip(MOVING, moving, strict=True))), ok)
    states = [state for reduction in found.reduced for state in reduction]
    reduced = jnp.stack(states) if states else jnp.zeros((0, *ok.shape))
    return [jnp.where(ok, x, 0.0) for x in (found.saved, reduced, found.final)]


def _parts(operands: Sequence[Array]) -> tuple[Given, Sequence[Array], Sequence[Array]]:
    """What is given, what of it moves, and the rest of the operands of a derivative."""
    given = Given(*operands[: len(Given._fields)])
    return given, given[: len(MOVING)], operands[len(given) :]


def _tangent_portably(*operands: Array, task: Plan) -> list[Array]:
    given, moving, directions = _parts(operands)

    def along(*direction: Array) -> list[Array]:
        tangents = jax.jvp(lambda *moving: _replayed(task, given, moving), tuple(moving), direction)[1]
        return [jnp.moveaxis(tangent, -1, 0) for tangent in tangents]

    return jax.vmap(along, out_axes=-1)(*directions)


def _adjoint_portably(*operands: Array, task: Plan) -> list[Array]:
    given, moving, bars = _parts(operands)
    return list(jax.vjp(lambda *moving: _replayed(task, given, moving), *moving)[1](list(bars)))


def _derivative_by_jax(portably: Callable[..., list[Array]], primitive: Primitive) -> None:
    """Let derivatives of a primitive be those of a function in plain JAX that does the same."""

    def rule(primals: Sequence[Array], tangents: Sequence[Any], *, task: Plan) -> Any:
        k = [i for i, tangent in enumerate(tangents) if type(tangent) is not ad.Zero]

        def of_moving(*moving: Array) -> list[Array]:
            operands = list(primals)
            for i, value in zip(k, moving, strict=True):
                operands[i] = value
            return portably(*operands, task=task)

        results, moved = jax.jvp(of_moving, tuple(primals[i] for i in k), tuple(tangents[i] for i in k))
        return results, moved

    ad.primitive_jvps[primitive] = rule


def _run_jvp(primals: Sequence[Array], tangents: Sequence[Any], *, task: Plan) -> Any:
    # A run that is differentiated keeps its tape for the reverse; forward, nobody may ask for it, and compiled programs leave it out.
    results = _taped_run.bind(*primals, task=task)
    moving = [ad.instantiate_zeros(tangent)[None] for tangent in tangents[: len(MOVING)]]
    moved = _tangent.bind(*primals, *moving, task=task)
    return results, [
        *(jnp.moveaxis(tangent[..., 0], 0, -1) for tangent in moved),
        *(ad.Zero(jax.typeof(count).to_tangent_aval()) for count in results[len(RESULTS) :]),
    ]


def _tangent_transpose(bars: Sequence[Any], *operands: Any, task: Plan) -> list[Any]:
    known = operands[: len(Given._fields)]

    def back(*bars: Array) -> list[Array]:
        return _adjoint.bind(*known, *(jnp.moveaxis(bar, 0, -1) for bar in bars), task=task)

    pulled = jax.vmap(back, in_axes=-1)(*(ad.instantiate_zeros(bar) for bar in bars))
    directions = operands[len(known) :]
    return [None] * len(known) + [bar if ad.is_undefined_primal(x) else None for bar, x in zip(pulled, directions, strict=True)]


def _tangent_batched(operands: Sequence[Array], axes: Sequence[int | None], *, task: Plan) -> tuple[list[Array], list[int]]:
    """More directions of the same cells, or more cells."""
    known = len(operands) - len(MOVING)
    if any(axis is not None for axis in axes[:known]):
        return batched(_tangent, SHARED, operands, axes, cells=0, task=task)
    size = next(x.shape[axis] for x, axis in zip(operands, axes, strict=True) if axis is not None)

    def merged(x: Array, axis: int | None) -> Array:
        x = jnp.broadcast_to(x, (size, *x.shape)) if axis is None else jnp.moveaxis(x, axis, 0)
        return x.reshape(size * x.shape[1], *x.shape[2:])

    directions = map(merged, operands[known:], axes[known:])
    results = _tangent.bind(*operands[:known], *directions, task=task)
    return [x.reshape(*x.shape[:-1], size, x.shape[-1] // size) for x in results], [x.ndim - 1 for x in results]


batching.primitive_batchers[_tangent] = _tangent_batched
ad.primitive_jvps[_run] = ad.primitive_jvps[_taped_run] = _run_jvp
ad.primitive_transposes[_tangent] = _tangent_transpose
_derivative_by_jax(_tangent_portably, _tangent)
_derivative_by_jax(_adjoint_portably, _adjoint)
