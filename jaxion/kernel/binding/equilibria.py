"""Steady states as a JAX primitive: Newton in lanes, then the cells' own dynamics for what Newton leaves."""

import dataclasses
import functools
from typing import Any, Final

import numpy as np
from jax.core import ShapedArray

from jaxion.errors import Status
from jaxion.kernel.binding.host_primitives import host_primitive
from jaxion.kernel.cpu.equilibria import solver
from jaxion.kernel.cpu.integration import possible, run_into
from jaxion.kernel.methods.pseudo_newton import HORIZON
from jaxion.kernel.problem import Equilibrium, Judge, Plan, Sought
from jaxion.kernel.system import System
from jaxion.kernel.widths import cores

RTOL: Final = 1e-4
"""Relative tolerance on the way: it is to arrive, not to be quoted."""

TIGHT: Final = 1e-6
"""Relative tolerance for the cells that the loose one loses: a row that follows from larger ones may be as small as their errors."""

STEPS: Final = 20_000
"""Steps on the way at most."""


@dataclasses.dataclass(frozen=True)
class _Task:
    equilibrium: Equilibrium
    judge: Judge
    max_steps: int


def seek(equilibrium: Equilibrium, start: Any, theta: Any, max_steps: int, judge: Judge) -> Sought:
    """What `jaxion.kernel.seek` says."""
    solver(equilibrium)
    return Sought(*_seek.bind(start, theta, task=_Task(equilibrium, judge, max_steps)))


def _shaped(task: _Task, start: Any, theta: Any) -> list[ShapedArray]:
    del theta
    cells, evidence = start.shape[1], solver(task.equilibrium).told.sizes["evidence"]
    shapes = [start.shape, (cells,), (cells,), (cells,), (evidence, cells)]
    return [*(ShapedArray(shape, start.dtype) for shape in shapes), ShapedArray((cells,), np.dtype(np.int64))]


def _sought(task: _Task, operands: list[np.ndarray], results: list[np.ndarray]) -> None:
    (start, theta), machine = operands, solver(task.equilibrium)
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
