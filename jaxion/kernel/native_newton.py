"""Steady states of a batch as machine code: Newton in lanes that are refilled, and evidence for where each cell ended."""

import ctypes
from collections.abc import Callable
from typing import Any, Final, NamedTuple

import numpy as np
from llvmlite import ir

from jaxion.kernel.llvm_dense import JUDGEMENT, emit_judge
from jaxion.kernel.llvm_map import emit_map
from jaxion.kernel.llvm_newton import FRAME, emit_newton
from jaxion.kernel.machine import Machine, compiled_once, vector_width
from jaxion.kernel.newton import CONVERGED, Equilibrium
from jaxion.kernel.threads import aligned, over_cells, run_lanes
from jaxion.kernel.trace_arrays import UnknownPrimitive
from jaxion.kernel.unrolled import Layout
from jaxion.kernel.unrolled_newton import UnrolledNewton

TURNS: Final = 20_000
"""Turns after which Python looks up: a fraction of a second."""

BLOCK: Final = 100_000
"""Numbers of the matrices that are in memory at once: they stay in the second-level cache."""


class Ended(NamedTuple):
    """Where each cell's iteration ended, and what is to be said of it.

    Attributes:
        x: Unknowns, `(rows, cells)`.
        converged: Whether they are a steady state's.
        residual: Largest rate of an unknown over its largest partial derivative.
        condition: Condition number (∞-norm) of the Jacobian with its rows scaled to one.
        unstable: Number of growing modes; −1 where it cannot be told.
        evidence: The equilibrium's own, `(evidence, cells)`.
    """

    x: np.ndarray
    converged: np.ndarray
    residual: np.ndarray
    condition: np.ndarray
    unstable: np.ndarray
    evidence: np.ndarray


class Solver:
    """Machine code for an equilibrium, for any numbers."""

    def __init__(self, equilibrium: Equilibrium):
        self.width = vector_width()
        unrolled = UnrolledNewton(equilibrium)
        self.layout = unrolled.layout
        names = [name for name, _ in unrolled.evidence]
        self.told = Layout({name: names.count(name) for name in ("residual", "J", "A", "evidence")})
        self.asked = Layout({name: unrolled.layout.sizes[name] for name in ("x", "theta")})
        module = ir.Module()
        emit_newton(module, unrolled, self.width)
        emit_map(module, "evidence", unrolled.evidence, self.asked, self.told, self.width)
        emit_judge(module, "judge", equilibrium.rows, round(self.told.sizes["A"] ** 0.5), self.width)
        self._machine = Machine(module)
        self._run = ctypes.CFUNCTYPE(ctypes.c_int64, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int64)(self._machine.address("run"))
        self._evidence, self._judge = (function_of_cells(self._machine.address(name)) for name in ("evidence", "judge"))

    def find(self, start: np.ndarray, theta: np.ndarray, max_steps: int, threads: int) -> Ended:
        """Newton from the start of each cell, and what is to be said of its end."""
        cells = start.shape[1]
        results = {"x": aligned(*start.shape), "stop": aligned(1, cells), "tries": aligned(1, cells)}

        def idle() -> np.ndarray:
            lanes = aligned(self.layout.size, self.width)
            lanes[:] = 0.0
            for name, value in (("max_steps", max_steps), ("cell", -1.0)):
                lanes[self.layout.place(name)] = value
            return lanes

        def advance(lanes: np.ndarray, frame: np.ndarray) -> bool:
            return self._run(lanes.ctypes.data, frame.ctypes.data, TURNS) > 0

        run_lanes(advance, idle, FRAME, {"start": start, "theta": theta, **results}, {"cells": cells}, self.width, threads)
        return self._told(results["x"], theta, results["stop"][0] == CONVERGED, threads)

    def _told(self, x: np.ndarray, theta: np.ndarray, converged: np.ndarray, threads: int) -> Ended:
        cells, size = x.shape[1], self.told.sizes["evidence"]
        rows, block = aligned(3 + size, cells), max(self.width, BLOCK // self.told.size)

        def one(begin: int, end: int) -> None:
            for first in range(begin, end, block):
                self._block(x, theta, rows, first, min(first + block, end))

        over_cells(one, cells, self.width, threads)
        return Ended(x, converged, rows[0], rows[1], rows[2], rows[3:])

    def _block(self, x: np.ndarray, theta: np.ndarray, rows: np.ndarray, first: int, last: int) -> None:
        number = last - first
        cells = max(number, self.width)
        given, told, judged = aligned(self.asked.size, cells), aligned(self.told.size, cells), aligned(len(JUDGEMENT), cells)
        given[: len(x), :number], given[len(x) :, :number] = x[:, first:last], theta[:, first:last]
        given[:, number:] = given[:, number - 1 : number]
        self._evidence(given.ctypes.data, told.ctypes.data, cells, 0, cells)
        matrices = told[self.told.place("J") :]
        self._judge(matrices.ctypes.data, judged.ctypes.data, cells, 0, cells)
        rows[0, first:last], rows[1:3, first:last] = told[0, :number], judged[:, :number]
        rows[3:, first:last] = told[self.told.size - len(rows) + 3 :, :number]


def function_of_cells(address: int) -> Callable[..., Any]:
    """A function such as `emit_map` makes."""
    return ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int64, ctypes.c_int64, ctypes.c_int64)(address)


@compiled_once
def solver(equilibrium: Equilibrium) -> Solver | UnknownPrimitive:
    """The machine code of an equilibrium, compiled once; what stands in the way if there can be none."""
    try:
        return Solver(equilibrium)
    except UnknownPrimitive as unknown:
        return unknown
