"""Steady states of a batch as machine code: Newton in lanes that are refilled, and evidence for where each cell ended."""

from typing import Final

import numpy as np
from llvmlite import ir

from jaxion.kernel.cpu.runner import CellFunction, Runner, stacked
from jaxion.kernel.cpu.threads import aligned, over_cells
from jaxion.kernel.llvm.engine import Machine, compiled_once
from jaxion.kernel.llvm.map import emit_map
from jaxion.kernel.llvm.modes import JUDGEMENT, emit_judge
from jaxion.kernel.llvm.newton_loop import FRAME, emit_newton
from jaxion.kernel.methods.pseudo_newton import CONVERGED
from jaxion.kernel.problem import Ended, Equilibrium
from jaxion.kernel.programs.newton import NewtonPrograms
from jaxion.kernel.programs.program import Layout
from jaxion.kernel.widths import vector_width

BLOCK: Final = 100_000
"""Numbers of the matrices that are in memory at once: they stay in the second-level cache."""


class Solver:
    """Machine code for an equilibrium, for any numbers."""

    def __init__(self, equilibrium: Equilibrium):
        programs, module, width = NewtonPrograms(equilibrium), ir.Module(), vector_width()
        names = [name for name, _ in programs.evidence]
        self.told = Layout({name: names.count(name) for name in ("residual", "J", "A", "evidence")})
        asked = Layout({name: programs.layout.sizes[name] for name in ("x", "theta")})
        emit_newton(module, programs, width)
        emit_map(module, "evidence", programs.evidence, asked, self.told, width)
        emit_judge(module, "judge", equilibrium.rows, round(self.told.sizes["A"] ** 0.5), width)
        machine = Machine(module)
        self._runner = Runner(machine, programs.layout, FRAME, width)
        self._evidence, self._judge = (CellFunction(machine, name) for name in ("evidence", "judge"))

    def find(self, start: np.ndarray, theta: np.ndarray, max_steps: int, threads: int) -> Ended:
        """Newton from the start of each cell, and what is to be said of its end."""
        cells = start.shape[1]
        results = {"x": aligned(*start.shape), "stop": aligned(1, cells), "tries": aligned(1, cells)}
        arrays = {"start": start, "theta": theta, **results}
        self._runner.run(lambda: self._runner.idle(max_steps=max_steps), arrays, {"cells": cells}, threads)
        return self._told(results["x"], theta, results["stop"][0] == CONVERGED, threads)

    def _told(self, x: np.ndarray, theta: np.ndarray, converged: np.ndarray, threads: int) -> Ended:
        cells, size = x.shape[1], self.told.sizes["evidence"]
        rows, block = aligned(3 + size, cells), max(self._runner.width, BLOCK // self.told.size)

        def one(begin: int, end: int) -> None:
            for first in range(begin, end, block):
                self._block(x, theta, rows, first, min(first + block, end))

        over_cells(one, cells, self._runner.width, threads)
        return Ended(x, converged, rows[0], rows[1], rows[2], rows[3:])

    def _block(self, x: np.ndarray, theta: np.ndarray, rows: np.ndarray, first: int, last: int) -> None:
        given = stacked((x[:, first:last], theta[:, first:last]), self._runner.width)
        number, cells = last - first, given.shape[1]
        told, judged = aligned(self.told.size, cells), aligned(len(JUDGEMENT), cells)
        self._evidence(given, told)
        self._judge(told[self.told.place("J") :], judged)
        rows[0, first:last], rows[1:3, first:last] = told[0, :number], judged[:, :number]
        rows[3:, first:last] = told[self.told.size - len(rows) + 3 :, :number]


@compiled_once
def solver(equilibrium: Equilibrium) -> Solver:
    """The machine code of an equilibrium, compiled once."""
    return Solver(equilibrium)
