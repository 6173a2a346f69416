"""Batches as machine code: whole trajectories, lanes refilled from one queue of cells that all threads share."""

import ctypes
import functools
from typing import Final

import jax
import jax.numpy as jnp
import numpy as np
from llvmlite import ir

from jaxion.errors import Status
from jaxion.kernel.llvm_loop import FRAME, emit_run
from jaxion.kernel.machine import Machine, vector_width
from jaxion.kernel.problem import Course, Given, Plan
from jaxion.kernel.reductions import Reduction
from jaxion.kernel.system import System
from jaxion.kernel.threads import aligned, run_lanes
from jaxion.kernel.trace import UnknownPrimitive
from jaxion.kernel.unrolled import Unrolled

TURNS: Final = 20_000
"""Turns after which Python looks up: a fraction of a second."""


class Kernel:
    """Machine code for a system and its reductions, for any numbers."""

    def __init__(self, system: System, reductions: tuple[Reduction, ...]):
        self.width = vector_width()
        unrolled = Unrolled(system, reductions)
        module = ir.Module()
        emit_run(module, unrolled, self.width)
        self.layout, self.sizes_reduced = unrolled.layout, unrolled.sizes_reduced
        self._machine = Machine(module)
        self._run = ctypes.CFUNCTYPE(ctypes.c_int64, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int64)(self._machine.address("run"))

    def lanes(self, plan: Plan) -> np.ndarray:
        """Idle lanes."""
        lanes = aligned(self.layout.size, self.width)
        lanes[:] = 0.0
        for name, value in (("rtol", plan.rtol), ("max_steps", plan.max_steps), ("cell", -1.0)):
            lanes[self.layout.place(name)] = value
        return lanes

    def advance(self, lanes: np.ndarray, frame: np.ndarray) -> bool:
        """Some turns more; whether there is work left."""
        return self._run(lanes.ctypes.data, frame.ctypes.data, TURNS) > 0


@functools.lru_cache(maxsize=64)
def compiled(system: System, reductions: tuple[Reduction, ...]) -> Kernel | UnknownPrimitive:
    """The kernel of a system and its reductions, compiled once; what stands in the way if there can be none."""
    try:
        return Kernel(system, reductions)
    except UnknownPrimitive as unknown:
        return unknown


def run_natively(plan: Plan, given: Given, threads: int) -> Course:
    """All cells of concrete numbers; the same bits whatever the number and order of the cells and the threads.

    Raises:
        UnknownPrimitive: The equations, their observables or a reduction have an operation that has no machine code.
    """
    kernel = compiled(plan.system, plan.reductions)
    if isinstance(kernel, UnknownPrimitive):
        raise kernel
    numbers = {name: np.ascontiguousarray(leaf, float) for name, leaf in given._asdict().items()}
    rows, cells = given.y.shape
    results = {
        "saved": aligned(len(given.saves), rows, cells),
        "reduced": aligned(sum(kernel.sizes_reduced), cells),
        "final": aligned(rows, cells),
        **{name: np.zeros(cells, np.int64) for name in ("status", "steps", "accepted")},
    }
    counts = {"phases": given.edges.shape[0] - 1, "driven": given.drive.shape[1], "times": len(given.saves)}
    run_lanes(kernel.advance, lambda: kernel.lanes(plan), FRAME, {**numbers, **results}, {"cells": cells, **counts}, kernel.width, threads)
    return _course(plan, kernel, results)


def _course(plan: Plan, kernel: Kernel, results: dict[str, np.ndarray]) -> Course:
    # Nobody else holds these arrays: JAX need not copy them.
    arrays = {name: jax.device_put(array, may_alias=True) for name, array in results.items()}
    states, reduced, ok = arrays.pop("reduced"), [], arrays["status"] == Status.ok
    first = 0
    for reduction, size in zip(plan.reductions, kernel.sizes_reduced, strict=True):
        outputs = reduction.result(tuple(states[first : first + size]))
        reduced.append(tuple(jnp.where(ok, output, jnp.nan) for output in outputs))
        first += size
    return Course(**arrays, reduced=tuple(reduced))
