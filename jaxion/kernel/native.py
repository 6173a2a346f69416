"""Batches as machine code: whole trajectories, lanes refilled from one queue of cells that all threads share."""

import ctypes
from typing import Final

import numpy as np
from llvmlite import ir

from jaxion.kernel.llvm_loop import RunLoop
from jaxion.kernel.llvm_tangent import TangentLoop
from jaxion.kernel.machine import Machine, compiled_once, vector_width
from jaxion.kernel.problem import Plan
from jaxion.kernel.reductions import Reduction
from jaxion.kernel.system import System
from jaxion.kernel.threads import aligned, run_lanes
from jaxion.kernel.trace_arrays import UnknownPrimitive
from jaxion.kernel.unrolled import Unrolled
from jaxion.kernel.unrolled_tangent import UnrolledTangent

TURNS: Final = 20_000
"""Turns after which Python looks up: a fraction of a second."""


class Kernel:
    """Machine code for a system and its reductions, or for the tangents of their results along any directions, for any numbers."""

    def __init__(self, unrolled: Unrolled, tangents: str | None = None):
        # Numbers in single precision take half the place.
        self.width, self.unrolled = vector_width() * (2 if unrolled.single and tangents is None else 1), unrolled
        module = ir.Module()
        if tangents is None:
            loop = RunLoop(module, unrolled, self.width)
        else:
            loop = TangentLoop(module, UnrolledTangent(unrolled, tangents), self.width)
        loop.emit()
        self.layout, self.fields, self._room = loop.layout, loop.fields, loop.room
        self._machine = Machine(module)
        self._run = ctypes.CFUNCTYPE(ctypes.c_int64, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int64)(self._machine.address("run"))

    def lanes(self, plan: Plan, directions: int = 0) -> np.ndarray:
        """Idle lanes, with room for so many directions."""
        lanes = aligned(self._room(directions), self.width)
        lanes[:] = 0.0
        for name, value in (("rtol", plan.rtol), ("max_steps", plan.max_steps), ("cell", -1.0)):
            lanes[self.layout.place(name)] = value
        return lanes

    def advance(self, lanes: np.ndarray, frame: np.ndarray) -> bool:
        """Some turns more; whether there is work left."""
        return self._run(lanes.ctypes.data, frame.ctypes.data, TURNS) > 0


@compiled_once
def compiled(system: System, reductions: tuple[Reduction, ...], single: bool) -> Kernel | UnknownPrimitive:
    """The kernel of a system and its reductions in some precision, compiled once; what stands in the way if there can be none."""
    try:
        return Kernel(Unrolled(system, reductions, single))
    except UnknownPrimitive as unknown:
        return unknown


def possible(plan: Plan) -> Kernel:
    """The kernel of a plan.

    Raises:
        UnknownPrimitive: The equations, their observables or a reduction have an operation that has no machine code.
    """
    kernel = compiled(plan.system, plan.reductions, plan.single)
    if isinstance(kernel, UnknownPrimitive):
        raise kernel
    return kernel


@compiled_once
def compiled_tangent(kernel: Kernel, tangents: str) -> Kernel:
    """The tangent of a kernel, one of `TANGENTS`, compiled once."""
    return Kernel(kernel.unrolled, tangents)


def run_into(kernel: Kernel, plan: Plan, given: dict[str, np.ndarray], results: dict[str, np.ndarray], threads: int) -> None:
    """All cells; the same bits whatever the number and order of the cells and the threads.

    Args:
        kernel: Of the plan, or its tangent.
        plan: The fixed part.
        given: The numbers, by the names of `Given`, and for a tangent its directions, which come first.
        results: Where results are written, by the names of `Course`; `reduced` are the states of the reductions.
        threads: Threads at most.
    """
    sizes = {
        "cells": given["y"].shape[1],
        "phases": len(given["edges"]) - 1,
        "driven": given["drive"].shape[1],
        "times": len(given["saves"]),
    }
    directions = len(given["d_y"]) if "d_y" in given else 0
    untaped = dict.fromkeys(("tape", "ends"), np.empty(0))
    arrays, counts = {**given, **results, **untaped}, {**sizes, "capacity": 0, "used": 0, "directions": directions}
    run_lanes(kernel.advance, lambda: kernel.lanes(plan, directions), kernel.fields, arrays, counts, kernel.width, threads)
