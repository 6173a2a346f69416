"""The loop around a turn in LLVM's intermediate language: saves, results, new phases, and new cells from the queue.

It only compares and copies: all arithmetic is in the programs that it calls.
"""

import math
from collections.abc import Callable, Sequence
from typing import Any, Final

from llvmlite import ir

from jaxion.errors import Status
from jaxion.kernel.llvm.lane_loop import LaneLoop
from jaxion.kernel.llvm.loops import number, whole
from jaxion.kernel.llvm.memory import Area
from jaxion.kernel.llvm.program import emit_program
from jaxion.kernel.llvm.vectors import DOUBLE, INT
from jaxion.kernel.methods.lane import BEGIN_AT_ZERO
from jaxion.kernel.problem import Course, Given
from jaxion.kernel.programs.integration import IntegrationPrograms
from jaxion.kernel.programs.tangent import TangentPrograms

Value = Any
ARRAYS: Final = (*Given._fields, *Course._fields, "tape", "ends")
"""Addresses of what is given and of the results, cells last; `reduced` are the states of the reductions.

A tape has a record of each accepted step, linked to the one before it in the same cell; `ends` are the last ones, −1 where a cell failed.
"""
COUNTS: Final = ("cells", "phases", "driven", "times", "chunk", "capacity", "used")
"""Sizes, how many cells are taken from the queue at once, records that a tape has room for (0: there is no tape), and how many it has."""


class RunLoop(LaneLoop):
    """The function `run`: cells from their start to their end."""

    def __init__(
        self,
        module: ir.Module,
        programs: IntegrationPrograms | TangentPrograms,
        width: int,
        arrays: tuple[str, ...] = ARRAYS,
        counts: tuple[str, ...] = COUNTS,
        besides: Callable[[int], Sequence[Area]] = lambda width: (),
    ):
        # Lanes begin and try together; they save each for itself.
        widths = {"enter": width, "turn": width, "sample": 1}
        self.functions = {
            name: emit_program(
                module, name, getattr(programs, name), [Area(programs.layout, width), *besides(w)], w, programs.single and name == "turn"
            )
            for name, w in widths.items()
        }
        super().__init__(module, programs.layout, width, arrays, counts)
        self.record, self.fresh = programs.record, self.counters.alloca(INT)
        self.b.store(whole(0), self.fresh)

    def memory(self, lane: Value | None = None) -> list[Value]:
        """Pointers that programs are given: to all lanes, or to one."""
        return [self.lanes if lane is None else self.pointer(lane)]

    def room(self, directions: int) -> int:
        """Numbers of each lane that are needed; there are no directions."""
        return self.layout.size

    def take(self, lane: Value, cell: Value) -> None:
        """Fill a lane with the numbers of a cell."""
        b = self.b
        for name in (*BEGIN_AT_ZERO, "save"):
            self.put(name, lane, number(0.0))
        self.put("tail", lane, number(-1.0))
        self.put("fresh", lane, number(2.0))
        self.put("t", lane, self.array("edges", cell))
        for name in ("y", "scale"):
            self.copy_in(lane, name, cell)
        self.copy_in(lane, "theta", cell, self.lasting())
        # Saves at the begin are the start itself; before it there is nothing.
        with self.while_(lambda: self._is_due(lane)):
            begins = b.fcmp_ordered("==", self._next_save(lane), self.get("t", lane))
            self._write_save(lane, cell, "y", begins)

    def prepare(self, lane: Value) -> None:
        """Edges and drive of a new phase."""
        with self.b.if_then(self.positive("fresh", lane)):
            self.enter_phase(lane)
            self.b.store(whole(1), self.fresh)

    def ready(self) -> None:
        """First steps of new phases, and begins of the reductions of new cells."""
        b = self.b
        with b.if_then(self.less(whole(0), b.load(self.fresh, typ=INT))):
            self.enter()
        b.store(whole(0), self.fresh)

    def enter(self) -> None:
        """First steps and reductions of new phases and cells."""
        self.b.call(self.functions["enter"], self.memory())

    def full(self) -> Value:
        """Whether the tape may not hold all steps of a turn."""
        used = self.b.load(self.field("used"), typ=INT)
        return self.b.and_(self._taped(), self.less(self.given["capacity"], self.b.add(used, whole(self.width))))

    def turn(self) -> None:
        """A step that is tried in all lanes."""
        self.b.call(self.functions["turn"], self.memory())

    def settle(self, lane: Value) -> None:
        """The cell is over, or its phase is, or it goes on."""
        b = self.b
        with b.if_then(self.positive("good", lane)):
            self._save(lane)
            with b.if_then(self._taped()):
                self._record(lane)
        edge = b.and_(self.positive("good", lane), self.positive("last", lane))
        following = b.add(self.whole("phase", lane), whole(1))
        ok = b.and_(edge, b.icmp_signed("==", following, self.given["phases"]))
        status = b.select(ok, whole(int(Status.ok)), self.whole("stop", lane))
        over = b.icmp_signed("!=", status, whole(int(Status.not_run)))
        with b.if_else(over) as (then, otherwise):
            with then:
                self._write_down(lane, ok, status)
            with otherwise, b.if_then(edge):
                self.put("phase", lane, b.sitofp(following, DOUBLE))
                self.put("fresh", lane, number(1.0))

    def enter_phase(self, lane: Value) -> None:
        """Edges and drive of the phase that a lane is in."""
        b = self.b
        cell, phase, driven = self.whole("cell", lane), self.whole("phase", lane), self.given["driven"]
        self.put("begin", lane, self.array("edges", self.at(phase, cell)))
        self.put("end", lane, self.array("edges", self.at(b.add(phase, whole(1)), cell)))
        with self.over(whole(0), driven) as row:
            place = self.at(b.add(b.mul(phase, driven), row), cell)
            self.put("theta", lane, self.array("drive", place), b.add(self.lasting(), row))

    def lasting(self) -> Value:
        """Number of parameters that are the same in all phases."""
        return self.b.sub(whole(self.layout.sizes["theta"]), self.given["driven"])

    def sample(self, lane: Value) -> None:
        """The rows at the time that is due."""
        self.b.call(self.functions["sample"], self.memory(lane))

    def write(self, name: str, row: Value, cell: Value, lane: Value, source: str, index: Value, known: Value) -> None:
        """A row of a result: a number of a lane, or nothing where that is not `known`."""
        value = self.b.select(known, self.get(source, lane, index), number(math.nan))
        self.b.store(value, self.place(name, self.at(row, cell)))

    def _save(self, lane: Value) -> None:
        """Rows at the times that the turn has passed."""
        cell, known = self.whole("cell", lane), ir.Constant(ir.IntType(1), 1)
        with self.while_(lambda: self._is_due(lane)):
            self.put("due", lane, self._next_save(lane))
            self.sample(lane)
            self._write_save(lane, cell, "sample", known)

    def _taped(self) -> Value:
        return self.less(whole(0), self.given["capacity"])

    def _record(self, lane: Value) -> None:
        """Write the step to the tape."""
        b = self.b
        record = b.load(self.field("used"), typ=INT)
        b.store(b.add(record, whole(1)), self.field("used"))
        first = b.mul(record, whole(self.record.size))
        sources = {"link": "tail", "t": "from", "h": "length", "phase": "phase", "y": "before", "reduced": "reduced_before"}
        for name, source in sources.items():
            with self.over(whole(0), whole(self.record.sizes[name])) as row:
                place = b.add(first, b.add(row, whole(self.record.first(name))))
                b.store(self.get(source, lane, row), self.place("tape", place))
        self.put("tail", lane, b.sitofp(record, DOUBLE))

    def _write_down(self, lane: Value, ok: Value, status: Value) -> None:
        """Results of a cell that is over, nothing for what it did not reach."""
        b, cell = self.b, self.whole("cell", lane)
        for name, source in (("final", "y"), ("reduced", "reduced")):
            with self.over(whole(0), whole(self.layout.sizes[source])) as row:
                self.write(name, row, cell, lane, source, row, ok)
        for name, value in (("status", status), ("steps", self.whole("tries", lane)), ("accepted", self.whole("accepted", lane))):
            b.store(value, self.count_place(name, cell))
        with b.if_then(self._taped()):
            b.store(b.select(ok, self.whole("tail", lane), whole(-1)), self.count_place("ends", cell))
        with self.while_(lambda: self.less(self.whole("save", lane), self.given["times"])):
            self._write_save(lane, cell, "y", ir.Constant(ir.IntType(1), 0))
        self.release(lane)

    def _is_due(self, lane: Value) -> Value:
        """Whether the next save is not later than the lane's time."""
        b, save = self.b, self.whole("save", lane)
        # The last time is read again where there is none: no branch, and no address beyond the end.
        more = self.less(save, self.given["times"])
        some = self.less(whole(0), self.given["times"])
        at = b.select(more, save, whole(0))
        pointer = b.select(some, self.place("saves", at), self.lane_place("t", lane))
        return b.and_(more, b.fcmp_ordered("<=", b.load(pointer, typ=DOUBLE), self.get("t", lane)))

    def _next_save(self, lane: Value) -> Value:
        return self.array("saves", self.whole("save", lane))

    def _write_save(self, lane: Value, cell: Value, source: str, known: Value) -> None:
        """Save the rows, or nothing, and go on to the next time."""
        b, save, rows = self.b, self.whole("save", lane), whole(self.layout.sizes["y"])
        with self.over(whole(0), rows) as row:
            self.write("saved", b.add(b.mul(save, rows), row), cell, lane, source, row, known)
        self.put("save", lane, b.sitofp(b.add(save, whole(1)), DOUBLE))
