"""Cotangents of batches as machine code: a range of cells forward onto a tape, then back over it."""

import ctypes

import numpy as np
from llvmlite import ir

from jaxion.kernel import tapes
from jaxion.kernel.llvm_adjoint import FRAME, emit_sweep
from jaxion.kernel.machine import Machine, compiled_once, vector_width
from jaxion.kernel.native import TURNS, Kernel, possible
from jaxion.kernel.problem import Plan
from jaxion.kernel.tapes import Frame, Stretch, recall, tape
from jaxion.kernel.threads import aligned, over_cells
from jaxion.kernel.unrolled_adjoint import UnrolledAdjoint


class AdjointKernel:
    """Machine code for the reverse sweep of a system and its reductions."""

    def __init__(self, kernel: Kernel):
        unrolled = UnrolledAdjoint(kernel.unrolled)
        module = ir.Module()
        emit_sweep(module, unrolled, kernel.unrolled.record, vector_width())
        self.layout, self.width = unrolled.layout, vector_width()
        self._machine = Machine(module)
        self._run = ctypes.CFUNCTYPE(ctypes.c_int64, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int64)(self._machine.address("run"))

    def lanes(self) -> np.ndarray:
        """Idle lanes."""
        lanes = aligned(self.layout.size, self.width)
        lanes[:] = 0.0
        lanes[self.layout.place("cell")] = -1.0
        return lanes

    def advance(self, lanes: np.ndarray, frame: np.ndarray) -> bool:
        """Some turns more; whether there is work left."""
        return self._run(lanes.ctypes.data, frame.ctypes.data, TURNS) > 0


@compiled_once
def compiled_adjoint(kernel: Kernel) -> AdjointKernel:
    """The reverse of a kernel, compiled once."""
    return AdjointKernel(kernel)


def pull_back(plan: Plan, given: dict[str, np.ndarray], bars: dict[str, np.ndarray], out: dict[str, np.ndarray], threads: int) -> None:
    """Cotangents of what is given, from those of the results; exactly zero for cells that do not finish.

    Args:
        plan: The fixed part.
        given: The numbers, by the names of `Given`.
        bars: Cotangents of `saved` and `final`, and of the states `reduced` of all reductions.
        out: Where those of `y`, `theta`, `drive` and `edges` are written.
        threads: Threads at most.
    """
    kernel = possible(plan)
    adjoint, (rows, cells) = compiled_adjoint(kernel), given["y"].shape
    for array in out.values():
        array[:] = 0.0

    def back(stretch: Stretch) -> None:
        arrays = {name: given[name] for name in ("theta", "drive", "edges", "saves")} | {
            f"bar_{name}": array for name, array in bars.items()
        }
        arrays |= {"y": out["y"], "lasting": out["theta"], "driven": out["drive"], "times": out["edges"]}
        arrays |= {"tape": stretch.records, "ends": stretch.ends, "queue": np.full(1, cells)}
        sizes = {"cells": cells, "phases": len(given["edges"]) - 1, "drives": given["drive"].shape[1], "saved": len(given["saves"])}
        frame = Frame(FRAME, arrays, {**sizes, "chunk": 0, "next": stretch.begin, "limit": stretch.end})
        lanes = adjoint.lanes()
        while adjoint.advance(lanes, frame.numbers) or frame["next"] < stretch.end:
            pass

    kept = recall(plan, given)
    if kept:
        over_cells(lambda first, _: back(kept[first]), len(kept), 1, threads, 1)
        return
    # Nobody looks at the results again.
    unseen = {"saved": np.empty(0), "reduced": np.empty((sum(kernel.unrolled.sizes_reduced), cells)), "final": np.empty((rows, cells))}
    unseen |= {name: np.empty(cells, np.int64) for name in ("status", "steps", "accepted", "ends")}

    def forth_and_back(begin: int, end: int) -> None:
        while begin < end:
            stretch = tape(kernel, plan, given, unseen, begin, end)
            back(stretch)
            begin = stretch.end

    over_cells(forth_and_back, cells, kernel.width, threads, tapes.RANGE)
