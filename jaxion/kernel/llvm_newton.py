"""The loop around Newton's turns in LLVM's intermediate language."""

from typing import Any, Final

from llvmlite import ir

from jaxion.kernel.llvm_loops import LaneLoop, frame_of, number
from jaxion.kernel.llvm_programs import Area, emit_program
from jaxion.kernel.newton import FIRST
from jaxion.kernel.unrolled_newton import UnrolledNewton

Value = Any
ARRAYS: Final = ("start", "theta", "x", "stop", "tries")
"""Addresses of what is given and of the results, cells last."""
COUNTS: Final = ("cells", "chunk")
FRAME: Final = frame_of(ARRAYS, COUNTS)
"""What a run is called with."""


def emit_newton(module: ir.Module, unrolled: UnrolledNewton, width: int) -> None:
    """The function `run` of the lanes, the frame and a number of turns; it returns how many lanes are at work."""
    _Loop(module, unrolled, width, emit_program(module, "turn", unrolled.turn, [Area(unrolled.layout, width)], width)).emit()


class _Loop(LaneLoop):
    def __init__(self, module: ir.Module, unrolled: UnrolledNewton, width: int, turn: ir.Function):
        super().__init__(module, unrolled.layout, width, ARRAYS, COUNTS)
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
