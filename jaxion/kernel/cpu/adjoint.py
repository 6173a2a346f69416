"""Cotangents of batches as machine code: a range of cells forward onto a tape, then back over it."""

import numpy as np
from llvmlite import ir

from jaxion.kernel.cpu import tapes
from jaxion.kernel.cpu.integration import Kernel, possible
from jaxion.kernel.cpu.runner import Frame, Runner
from jaxion.kernel.cpu.tapes import Stretch, recall, tape
from jaxion.kernel.cpu.threads import over_cells
from jaxion.kernel.llvm.adjoint_loop import FRAME, emit_sweep
from jaxion.kernel.llvm.engine import Machine, compiled_once
from jaxion.kernel.problem import Plan
from jaxion.kernel.programs.adjoint import AdjointPrograms
from jaxion.kernel.widths import vector_width


@compiled_once
def compiled_adjoint(kernel: Kernel) -> Runner:
    """The reverse sweep of a kernel, compiled once."""
    programs, module, width = AdjointPrograms(kernel.programs), ir.Module(), vector_width()
    emit_sweep(module, programs, kernel.programs.record, width)
    return Runner(Machine(module), programs.layout, FRAME, width)


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
        lanes = adjoint.idle()
        while adjoint.advance(lanes, frame) or frame["next"] < stretch.end:
            pass

    kept = recall(plan, given)
    if kept:
        over_cells(lambda first, _: back(kept[first]), len(kept), 1, threads, 1)
        return
    # Nobody looks at the results again.
    unseen = {"saved": np.empty(0), "reduced": np.empty((sum(kernel.programs.sizes_reduced), cells)), "final": np.empty((rows, cells))}
    unseen |= {name: np.empty(cells, np.int64) for name in ("status", "steps", "accepted", "ends")}

    def forth_and_back(begin: int, end: int) -> None:
        while begin < end:
            stretch = tape(kernel, plan, given, unseen, begin, end)
            back(stretch)
            begin = stretch.end

    over_cells(forth_and_back, cells, kernel.runner.width, threads, tapes.RANGE)
