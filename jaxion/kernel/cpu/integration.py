"""Batches as machine code: whole trajectories, lanes refilled from one queue of cells that all threads share."""

import numpy as np
from llvmlite import ir

from jaxion.kernel.cpu.runner import Runner
from jaxion.kernel.llvm.engine import Machine, compiled_once
from jaxion.kernel.llvm.integration_loop import RunLoop
from jaxion.kernel.llvm.tangent_loop import TangentLoop
from jaxion.kernel.methods.reductions import Reduction
from jaxion.kernel.problem import Plan
from jaxion.kernel.programs.integration import IntegrationPrograms
from jaxion.kernel.programs.tangent import TangentPrograms
from jaxion.kernel.system import System
from jaxion.kernel.widths import vector_width


class Kernel:
    """Machine code for a system and its reductions, or for the tangents of their results along any directions, for any numbers.

    Args:
        programs: Of the system and its reductions.
        tangents: Which tangents, if it is for those.
    """

    def __init__(self, programs: IntegrationPrograms, tangents: str | None = None):
        # Numbers in single precision take half the place.
        width = vector_width() * (2 if programs.single and tangents is None else 1)
        module = ir.Module()
        loop = RunLoop(module, programs, width) if tangents is None else TangentLoop(module, TangentPrograms(programs, tangents), width)
        loop.emit()
        self.programs, self._room = programs, loop.room
        self.runner = Runner(Machine(module), loop.layout, loop.fields, width)

    def idle(self, plan: Plan, directions: int = 0) -> np.ndarray:
        """Lanes without a cell, with room for so many directions."""
        return self.runner.idle(self._room(directions), rtol=plan.rtol, max_steps=plan.max_steps)


@compiled_once
def compiled(system: System, reductions: tuple[Reduction, ...], single: bool) -> Kernel:
    """The kernel of a system and its reductions in some precision, compiled once."""
    return Kernel(IntegrationPrograms(system, reductions, single))


def possible(plan: Plan) -> Kernel:
    """The kernel of a plan.

    Raises:
        UnknownPrimitive: The equations, their observables or a reduction have an operation that has no machine code.
    """
    return compiled(plan.system, plan.reductions, plan.single)


@compiled_once
def compiled_tangent(kernel: Kernel, tangents: str) -> Kernel:
    """The tangent of a kernel, one of `TANGENTS`, compiled once."""
    return Kernel(kernel.programs, tangents)


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
    kernel.runner.run(lambda: kernel.idle(plan, directions), arrays, counts, threads)
