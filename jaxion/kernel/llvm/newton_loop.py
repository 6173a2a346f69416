"""The loop around Newton's turns in LLVM's intermediate language."""

from typing import Any, Final

from llvmlite import ir

from jaxion.kernel.llvm.lane_loop import LaneLoop, frame_of
from jaxion.kernel.llvm.loops import number
from jaxion.kernel.llvm.memory import Area
from jaxion.kernel.llvm.program import emit_program
from jaxion.kernel.methods.pseudo_newton import FIRST
from jaxion.kernel.programs.newton import NewtonPrograms

Value = Any
ARRAYS: Final = ("start", "theta", "x", "stop", "tries")
"""Addresses of what is given and of the results, cells last."""
COUNTS: Final = ("cells", "chunk")
FRAME: Final = frame_of(ARRAYS, COUNTS)
"""What a run is called with."""


def emit_newton(module: ir.Module, programs: NewtonPrograms, width: int) -> None:
    """The function `run` of the lanes, the frame and a number of turns; it returns how many lanes are at work."""
    _Loop(module, programs, width, emit_program(module, "turn", programs.turn, [Area(programs.layout, width)], width)).emit()


class _Loop(LaneLoop):
    def __init__(self, module: ir.Module, programs: NewtonPrograms, width: int, turn: ir.Function):
        super().__init__(module, programs.layout, width, ARRAYS, COUNTS)
        self._turn = turn

    def take(self, lane: Value, cell: Value) -> None:
        for name in ("start", "theta"):
            self.copy_in(lane, name, cell)
        for name in ("x", "previous"):
            self.copy_in(lane, name, cell, source="start")
        self.put("tau", lane, number(FIRST))
        self.put("tries", lane, number(0.0))

    def turn(self) -> None:
        self.b.call(self._turn, [self.lanes])

    def settle(self, lane: Value) -> None:
        with self.b.if_then(self.positive("stop", lane)):
            cell = self.whole("cell", lane)
            for name in ("x", "stop", "tries"):
                self.copy_out(lane, name, cell)
            self.release(lane)
