"""`seek`: steady states of a batch by machine code, with the cells' own dynamics for what Newton leaves."""

import dataclasses
import functools
from collections.abc import Callable
from typing import Any, Final, NamedTuple

import numpy as np
from jax.core import ShapedArray
from jaxtyping import Array, Float, Int

from jaxion.errors import Status
from jaxion.kernel.hosts import host_primitive
from jaxion.kernel.native import possible, run_into
from jaxion.kernel.native_newton import Ended, Solver, solver
from jaxion.kernel.newton import Equilibrium
from jaxion.kernel.problem import Plan
from jaxion.kernel.system import System
from jaxion.kernel.trace_arrays import UnknownPrimitive
from jaxion.kernel.widths import cores

HORIZON: Final = 1e10
"""Time to integrate, s: three centuries, longer than any homeostatic time constant."""

RTOL: Final = 1e-4
"""Relative tolerance on the way: it is to arrive, not to be quoted."""

TIGHT: Final = 1e-6
"""Relative tolerance for the cells that the loose one loses: a row that follows from larger ones may be as small as their errors."""

STEPS: Final = 20_000
"""Steps on the way at most."""

Judge = Callable[[Ended, np.ndarray], np.ndarray]
"""From ends and parameters to `Status` codes, in NumPy alone; one object for all batches."""


class Sought(NamedTuple):
    """Where each cell ended, and what is to be said of it, as in `Ended`."""

    x: Float[Array, "rows cells"]
    residual: Float[Array, " cells"]
    condition: Float[Array, " cells"]
    unstable: Float[Array, " cells"]
    evidence: Float[Array, "evidence cells"]
    status: Int[Array, " cells"]


@dataclasses.dataclass(frozen=True)
class _Task:
    equilibrium: Equilibrium
    judge: Judge
    max_steps: int


def seek(equilibrium: Equilibrium, start: Any, theta: Any, max_steps: int, judge: Judge) -> Sought:
    """Newton from the start of each cell; where that leads to nothing or to an unstable state, Newton again from where the cell's own dynamics lead.

    Composes with `jit`, `vmap` and `scan`; it has no derivative, as what is found depends on the equations alone.

    Args:
        equilibrium: The equations.
        start: First guesses, `(rows, cells)`.
        theta: Parameters, `(params, cells)`.
        max_steps: Iterations of Newton at most.
        judge: Says what became of each cell. The second end counts if it is `ok`.

    Raises:
        UnknownPrimitive: The equations have an operation that has no machine code.
    """
    _solver(equilibrium)
    return Sought(*_seek.bind(start, theta, task=_Task(equilibrium, judge, max_steps)))


def _solver(equilibrium: Equilibrium) -> Solver:
    machine = solver(equilibrium)
    if isinstance(machine, UnknownPrimitive):
        raise machine
    return machine


def _shaped(task: _Task, start: Any, theta: Any) -> list[ShapedArray]:
    del theta
    cells, evidence = start.shape[1], _solver(task.equilibrium).told.sizes["evidence"]
    shapes = [start.shape, (cells,), (cells,), (cells,), (evidence, cells)]
    return [*(ShapedArray(shape, start.dtype) for shape in shapes), ShapedArray((cells,), np.dtype(np.int64))]


def _sought(task: _Task, operands: list[np.ndarray], results: list[np.ndarray]) -> None:
    (start, theta), machine = operands, _solver(task.equilibrium)
    ended = machine.find(start, theta, task.max_steps, cores())
    status = task.judge(ended, theta)
    left = np.flatnonzero((status == Status.no_setpoint) | (status == Status.unstable))
    if left.size:
        of_left = np.ascontiguousarray(theta[:, left])
        again = machine.find(_settled(task.equilibrium, start[:, left], of_left), of_left, task.max_steps, cores())
        new = task.judge(again, of_left)
        better = np.flatnonzero(new == Status.ok)
        for all_, of_some in ((status, new), *zip(ended, again, strict=True)):
            all_[..., left[better]] = of_some[..., better]
    found = (ended.x, ended.residual, ended.condition, ended.unstable, ended.evidence, status)
    for result, values in zip(results, found, strict=True):
        result[...] = values


_seek: Final = host_primitive("jaxion_seek", _shaped, _sought)


def _settled(equilibrium: Equilibrium, start: np.ndarray, theta: np.ndarray) -> np.ndarray:
    """Unknowns that the cells' own dynamics lead to."""
    final, status = _integrated(equilibrium, start, theta, RTOL)
    lost = np.flatnonzero(status != Status.ok)
    if lost.size:
        final[:, lost] = _integrated(equilibrium, start[:, lost], theta[:, lost], TIGHT)[0]
    return final


def _integrated(equilibrium: Equilibrium, start: np.ndarray, theta: np.ndarray, rtol: float) -> tuple[np.ndarray, np.ndarray]:
    """Unknowns at the horizon, and `Status` codes."""
    rows, cells = start.shape
    given = {"y": start, "theta": theta, "drive": np.empty((1, 0, cells)), "saves": np.empty(0), "scale": np.ones((rows, cells))}
    given["edges"] = np.repeat(np.array([[0.0], [HORIZON]]), cells, axis=1)
    results = {"saved": np.empty(0), "reduced": np.empty(0), "final": np.empty((rows, cells))}
    results |= {name: np.empty(cells, np.int64) for name in ("status", "steps", "accepted")}
    plan = Plan(_dynamics(equilibrium), (), rtol, STEPS)
    run_into(possible(plan), plan, {name: np.ascontiguousarray(array) for name, array in given.items()}, results, cores())
    return results["final"], results["status"]


@functools.lru_cache(maxsize=128)
def _dynamics(equilibrium: Equilibrium) -> System:
    def f(t: Any, x: Any, theta: Any) -> Any:
        return equilibrium.rates(x, theta) / equilibrium.sizes(x, theta)

    return System(f, equilibrium.rows, equilibrium.params)
