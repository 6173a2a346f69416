"""The loop of the reverse sweep in LLVM's intermediate language: from a cell's last record to its first, then the next cell."""

from typing import Any, Final

from llvmlite import ir

from jaxion.kernel.llvm.lane_loop import LaneLoop, frame_of
from jaxion.kernel.llvm.loops import number, whole
from jaxion.kernel.llvm.memory import Area
from jaxion.kernel.llvm.program import emit_program
from jaxion.kernel.llvm.vectors import DOUBLE, INT
from jaxion.kernel.programs.adjoint import MOMENTS, AdjointPrograms
from jaxion.kernel.programs.program import Layout

Value = Any
ARRAYS: Final = (
    *("theta", "drive", "edges", "saves"),
    *("tape", "ends"),
    *("bar_saved", "bar_reduced", "bar_final"),
    *("y", "lasting", "driven", "times"),
)
"""Addresses of what is given, of the tape, of the cotangents of results, and of those that come out, which begin as zeros."""
COUNTS: Final = ("cells", "phases", "drives", "saved", "chunk")
"""Sizes: of `drives` parameters in each phase and `saved` times; and how many cells are taken from the queue at once."""
FRAME: Final = frame_of(ARRAYS, COUNTS)
"""What a reverse sweep is called with."""


def emit_sweep(module: ir.Module, programs: AdjointPrograms, record: Layout, width: int) -> None:
    """The function `run` of the lanes, the frame and a number of turns; it returns how many lanes are at work."""
    functions = {
        name: emit_program(module, name, getattr(programs, name), [Area(programs.layout, width)], w)
        for name, w in (("back", width), ("first", 1))
    }
    _Sweep(module, programs.layout, record, width, functions).emit()


class _Sweep(LaneLoop):
    def __init__(self, module: ir.Module, layout: Layout, record: Layout, width: int, functions: dict[str, ir.Function]):
        super().__init__(module, layout, width, ARRAYS, COUNTS)
        self.record, self.functions = record, functions
        self.drives = self.given["drives"]
        self.lasting = self.b.sub(whole(layout.sizes["theta"]), self.drives)

    def take(self, lane: Value, cell: Value) -> None:
        b = self.b
        row = b.load(self.count_place("ends", cell), typ=INT)
        with b.if_else(self.less(row, whole(0))) as (failed, done):
            with failed:
                # Its cotangents stay zero.
                self.release(lane)
            with done:
                self.put("row", lane, b.sitofp(row, DOUBLE))
                self.put("phase", lane, number(-1.0))
                self.copy_in(lane, "theta", cell, self.lasting)
                self.copy_in(lane, "bar_y", cell, source="bar_final")
                self.copy_in(lane, "bar_reduced", cell)
                self._clear(lane, "bar_theta", "bar_begin", "bar_end", "moments", "saves")
                self.put("save", lane, b.sitofp(b.sub(self.given["saved"], whole(1)), DOUBLE))
                end = self.array("edges", self.at(self.given["phases"], cell))
                with self.while_(lambda: self._saved_after(lane, end)):
                    self._next_save(lane)

    def prepare(self, lane: Value) -> None:
        b = self.b
        with b.if_then(b.not_(self.is_idle(lane))):
            for name in ("t", "h", "y", "reduced"):
                with self.over(whole(0), whole(self.record.sizes[name])) as row:
                    self.put(name, lane, self._recorded(lane, name, row), row)
            phase = self._recorded(lane, "phase")
            with b.if_then(b.fcmp_ordered("!=", phase, self.get("phase", lane))):
                with b.if_then(b.not_(self.less(self.whole("phase", lane), whole(0)))):
                    self._leave_phase(lane)
                self.put("phase", lane, phase)
                self._enter_phase(lane)
            with b.if_then(self.positive("saves", lane)):
                self._clear(lane, "moments", "saves")
            with self.while_(lambda: self._saved_after(lane, self.get("t", lane))):
                self._gather(lane)

    def turn(self) -> None:
        self.b.call(self.functions["back"], [self.lanes])

    def settle(self, lane: Value) -> None:
        """The step before, or, at the start of the cell, its results."""
        b = self.b
        before = self._recorded(lane, "link")
        self.put("row", lane, before)
        with b.if_then(b.fcmp_ordered("<", before, number(0.0))):
            b.call(self.functions["first"], [self.pointer(lane)])
            cell = self.whole("cell", lane)
            with self.while_(lambda: b.not_(self.less(self.whole("save", lane), whole(0)))):
                # Rows saved at the start are the start itself; what was saved before it is nothing.
                at_start = b.fcmp_ordered("==", self._save_time(lane), self.get("t", lane))
                with self.over(whole(0), whole(self.layout.sizes["y"])) as row:
                    bar = b.select(at_start, self._bar_saved(lane, cell, row), number(0.0))
                    self._add("bar_y", lane, bar, row)
                self._next_save(lane)
            self._leave_phase(lane)
            for name, source, rows in (("y", "bar_y", whole(self.layout.sizes["y"])), ("lasting", "bar_theta", self.lasting)):
                with self.over(whole(0), rows) as row:
                    b.store(self.get(source, lane, row), self.place(name, self.at(row, cell)))
            self.release(lane)

    def _enter_phase(self, lane: Value) -> None:
        """Edges and drive of the phase that a lane is in."""
        b = self.b
        cell, phase = self.whole("cell", lane), self.whole("phase", lane)
        self.put("begin", lane, self.array("edges", self.at(phase, cell)))
        self.put("end", lane, self.array("edges", self.at(b.add(phase, whole(1)), cell)))
        with self.over(whole(0), self.drives) as row:
            self.put("theta", lane, self.array("drive", self._drive_place(phase, row, cell)), b.add(self.lasting, row))

    def _leave_phase(self, lane: Value) -> None:
        """Write down the cotangents of the edges and the drive of the phase that a lane was in."""
        b = self.b
        cell, phase = self.whole("cell", lane), self.whole("phase", lane)
        for name, edge in (("bar_begin", phase), ("bar_end", b.add(phase, whole(1)))):
            place = self.place("times", self.at(edge, cell))
            b.store(b.fadd(b.load(place, typ=DOUBLE), self.get(name, lane)), place)
        with self.over(whole(0), self.drives) as row:
            source = b.add(self.lasting, row)
            b.store(self.get("bar_theta", lane, source), self.place("driven", self._drive_place(phase, row, cell)))
            self.put("bar_theta", lane, number(0.0), source)
        self._clear(lane, "bar_begin", "bar_end")

    def _gather(self, lane: Value) -> None:
        """Add a save within the step to the moments."""
        b, rows = self.b, self.layout.sizes["y"]
        cell = self.whole("cell", lane)
        at = b.fdiv(b.fsub(self._save_time(lane), self.get("t", lane)), self.get("h", lane))
        with self.over(whole(0), whole(rows)) as row:
            bar = self._bar_saved(lane, cell, row)
            for power in range(MOMENTS):
                self._add("moments", lane, bar, b.add(whole(power * rows), row))
                bar = b.fmul(bar, at)
        self.put("saves", lane, number(1.0))
        self._next_save(lane)

    def _saved_after(self, lane: Value, t: Value) -> Value:
        """Whether the lane's next save, from the last one down, is there and later than a time."""
        b = self.b
        more = b.not_(self.less(self.whole("save", lane), whole(0)))
        some = self.less(whole(0), self.given["saved"])
        at = b.select(more, self.whole("save", lane), whole(0))
        # Without saves a number of the lane is read instead: no branch, and no address beyond the end.
        pointer = b.select(some, self.place("saves", at), self.lane_place("t", lane))
        return b.and_(more, b.fcmp_ordered(">", b.load(pointer, typ=DOUBLE), t))

    def _save_time(self, lane: Value) -> Value:
        return self.array("saves", self.whole("save", lane))

    def _next_save(self, lane: Value) -> None:
        self.put("save", lane, self.b.fsub(self.get("save", lane), number(1.0)))

    def _bar_saved(self, lane: Value, cell: Value, row: Value) -> Value:
        place = self.b.add(self.b.mul(self.whole("save", lane), whole(self.layout.sizes["y"])), row)
        return self.array("bar_saved", self.at(place, cell))

    def _drive_place(self, phase: Value, row: Value, cell: Value) -> Value:
        return self.at(self.b.add(self.b.mul(phase, self.drives), row), cell)

    def _recorded(self, lane: Value, name: str, row: Value | None = None) -> Value:
        """A number of the record that a lane is at."""
        b = self.b
        place = b.add(b.mul(self.whole("row", lane), whole(self.record.size)), whole(self.record.first(name)))
        return self.array("tape", place if row is None else b.add(place, row))

    def _add(self, name: str, lane: Value, value: Value, row: Value) -> None:
        self.put(name, lane, self.b.fadd(self.get(name, lane, row), value), row)

    def _clear(self, lane: Value, *names: str) -> None:
        for name in names:
            with self.over(whole(0), whole(self.layout.sizes[name])) as row:
                self.put(name, lane, number(0.0), row)
