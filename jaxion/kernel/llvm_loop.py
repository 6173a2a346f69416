"""The loop around a turn in LLVM's intermediate language: saves, results, new phases, and new cells from the queue.

It only compares and copies: all arithmetic is in the programs that it calls.
"""

import math
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from llvmlite import ir

from jaxion.errors import Status
from jaxion.kernel.llvm import POINTER, emit_program
from jaxion.kernel.llvm_vectors import DOUBLE, INT
from jaxion.kernel.unrolled import Layout, Unrolled

Value = Any
ARRAYS: Final = ("y", "theta", "drive", "edges", "scale", "saves", "saved", "reduced", "final", "status", "steps", "accepted")
"""Addresses of what is given and of the results, cells last, as in `Given` and `Course`; `reduced` are the states of the reductions."""
COUNTS: Final = ("cells", "phases", "driven", "times", "chunk")
"""Sizes, and how many cells are taken from the queue at once."""
FRAME: Final = (*ARRAYS, *COUNTS, "queue", "next", "limit")
"""What a run is called with, one integer each: `queue` is the address of the first cell that nobody has taken, and
`next` and `limit` are the cells that this run has taken and not begun."""


def emit_run(module: ir.Module, unrolled: Unrolled, width: int) -> None:
    """The function `run` of the lanes, the frame and a number of turns; it returns how many lanes are at work."""
    # Lanes begin and try together; they save each for itself.
    widths = {"enter": width, "turn": width, "sample": 1}
    programs = {name: emit_program(module, name, getattr(unrolled, name), unrolled.layout, w, width) for name, w in widths.items()}
    function = ir.Function(module, ir.FunctionType(INT, [POINTER, POINTER, INT]), "run")
    _Loop(function, unrolled.layout, width, programs).emit()


class _Loop:
    def __init__(self, function: ir.Function, layout: Layout, width: int, programs: dict[str, ir.Function]):
        self.lanes, self.frame, self.turns = function.args
        self.layout, self.width, self.programs = layout, width, programs
        self.b = ir.IRBuilder(function.append_basic_block("entry"))
        self.counters = ir.IRBuilder(function.append_basic_block("counters"))
        self.given = {name: self.b.load(self._field(name), typ=INT) for name in FRAME}
        self.pointers = {name: self.b.inttoptr(self.given[name], POINTER) for name in (*ARRAYS, "queue")}

    def emit(self) -> None:
        """Turn after turn, until no lane is at work or the number of turns is reached."""
        b, counters_block = self.b, self.counters.block
        begin = b.function.append_basic_block("begin")
        b.branch(counters_block)
        left, live, fresh = (self.counters.alloca(INT) for _ in range(3))
        b.position_at_end(begin)
        b.store(self.turns, left)
        turn = b.append_basic_block("turn")
        b.branch(turn)
        b.position_at_end(turn)
        b.store(_int(0), live)
        b.store(_int(0), fresh)
        with self._over(_int(0), _int(self.width)) as lane:
            with b.if_then(self._less(self._whole("cell", lane), _int(0))):
                self._take(lane)
            with b.if_then(self._positive("fresh", lane)):
                self._enter_phase(lane)
                b.store(_int(1), fresh)
            with b.if_then(b.not_(self._less(self._whole("cell", lane), _int(0)))):
                b.store(b.add(b.load(live, typ=INT), _int(1)), live)
        with b.if_then(self._less(_int(0), b.load(fresh, typ=INT))):
            b.call(self.programs["enter"], [self.lanes])
        done = b.or_(self._less(b.load(live, typ=INT), _int(1)), self._less(b.load(left, typ=INT), _int(1)))
        with b.if_then(done):
            b.ret(b.load(live, typ=INT))
        b.store(b.sub(b.load(left, typ=INT), _int(1)), left)
        b.call(self.programs["turn"], [self.lanes])
        with self._over(_int(0), _int(self.width)) as lane, b.if_then(b.not_(self._less(self._whole("cell", lane), _int(0)))):
            with b.if_then(self._positive("good", lane)):
                self._save(lane)
            self._settle(lane)
        b.branch(turn)
        self.counters.branch(begin)

    def _take(self, lane: Value) -> None:
        """The next cell of the queue, if there is one."""
        b = self.b
        following, limit = self._field("next"), self._field("limit")
        with b.if_then(b.not_(self._less(b.load(following, typ=INT), b.load(limit, typ=INT)))):
            first = b.atomic_rmw("add", self.pointers["queue"], self.given["chunk"], "monotonic")
            end = b.add(first, self.given["chunk"])
            b.store(first, following)
            b.store(b.select(self._less(end, self.given["cells"]), end, self.given["cells"]), limit)
        cell = b.load(following, typ=INT)
        with b.if_then(self._less(cell, b.load(limit, typ=INT))):
            b.store(b.add(cell, _int(1)), following)
            self._put("cell", lane, b.sitofp(cell, DOUBLE))
            for name in ("phase", "tries", "accepted", "save"):
                self._put(name, lane, _number(0.0))
            self._put("fresh", lane, _number(2.0))
            self._put("t", lane, self._array("edges", cell))
            for name in ("y", "scale"):
                with self._over(_int(0), _int(self.layout.sizes[name])) as row:
                    self._put(name, lane, self._array(name, self._at(row, cell)), row)
            with self._over(_int(0), b.sub(_int(self.layout.sizes["theta"]), self.given["driven"])) as row:
                self._put("theta", lane, self._array("theta", self._at(row, cell)), row)
            # Saves at the begin are the start itself; before it there is nothing.
            with self._while(lambda: self._is_due(lane)):
                begins = b.fcmp_ordered("==", self._next_save(lane), self._get("t", lane))
                self._write_save(lane, cell, "y", begins)

    def _enter_phase(self, lane: Value) -> None:
        """Edges and drive of the phase that a lane is in."""
        b = self.b
        cell, phase, driven = self._whole("cell", lane), self._whole("phase", lane), self.given["driven"]
        self._put("begin", lane, self._array("edges", self._at(phase, cell)))
        self._put("end", lane, self._array("edges", self._at(b.add(phase, _int(1)), cell)))
        first = b.sub(_int(self.layout.sizes["theta"]), driven)
        with self._over(_int(0), driven) as row:
            place = self._at(b.add(b.mul(phase, driven), row), cell)
            self._put("theta", lane, self._array("drive", place), b.add(first, row))

    def _save(self, lane: Value) -> None:
        """Rows at the times that the turn has passed."""
        cell, known = self._whole("cell", lane), ir.Constant(ir.IntType(1), 1)
        with self._while(lambda: self._is_due(lane)):
            self._put("due", lane, self._next_save(lane))
            self.b.call(self.programs["sample"], [self._pointer(lane)])
            self._write_save(lane, cell, "sample", known)

    def _settle(self, lane: Value) -> None:
        """After a turn: the cell is over, or its phase is, or it goes on."""
        b = self.b
        edge = b.and_(self._positive("good", lane), self._positive("last", lane))
        following = b.add(self._whole("phase", lane), _int(1))
        ok = b.and_(edge, b.icmp_signed("==", following, self.given["phases"]))
        status = b.select(ok, _int(int(Status.ok)), self._whole("stop", lane))
        over = b.icmp_signed("!=", status, _int(int(Status.not_run)))
        with b.if_else(over) as (then, otherwise):
            with then:
                self._write_down(lane, ok, status)
            with otherwise, b.if_then(edge):
                self._put("phase", lane, b.sitofp(following, DOUBLE))
                self._put("fresh", lane, _number(1.0))

    def _write_down(self, lane: Value, ok: Value, status: Value) -> None:
        """Results of a cell that is over, NaN for what it did not reach."""
        b, cell, nan = self.b, self._whole("cell", lane), _number(math.nan)
        for name, source in (("final", "y"), ("reduced", "reduced")):
            with self._over(_int(0), _int(self.layout.sizes[source])) as row:
                b.store(b.select(ok, self._get(source, lane, row), nan), self._place(name, self._at(row, cell)))
        for name, value in (("status", status), ("steps", self._whole("tries", lane)), ("accepted", self._whole("accepted", lane))):
            b.store(value, b.gep(self.pointers[name], [cell], source_etype=INT))
        with self._while(lambda: self._less(self._whole("save", lane), self.given["times"])):
            self._write_save(lane, cell, "y", ir.Constant(ir.IntType(1), 0))
        self._put("cell", lane, _number(-1.0))

    def _is_due(self, lane: Value) -> Value:
        """Whether the next save is not later than the lane's time."""
        b, save = self.b, self._whole("save", lane)
        # The last time is read again where there is none: no branch, and no address beyond the end.
        more = self._less(save, self.given["times"])
        some = self._less(_int(0), self.given["times"])
        at = b.select(more, save, _int(0))
        pointer = b.select(some, self._place("saves", at), self._lane_place("t", lane))
        return b.and_(more, b.fcmp_ordered("<=", b.load(pointer, typ=DOUBLE), self._get("t", lane)))

    def _next_save(self, lane: Value) -> Value:
        return self._array("saves", self._whole("save", lane))

    def _write_save(self, lane: Value, cell: Value, source: str, known: Value) -> None:
        """Save the rows, or NaN, and go on to the next time."""
        b, save, rows = self.b, self._whole("save", lane), _int(self.layout.sizes["y"])
        with self._over(_int(0), rows) as row:
            value = b.select(known, self._get(source, lane, row), _number(math.nan))
            b.store(value, self._place("saved", self._at(b.add(b.mul(save, rows), row), cell)))
        self._put("save", lane, b.sitofp(b.add(save, _int(1)), DOUBLE))

    def _at(self, row: Value, cell: Value) -> Value:
        """Place of a cell in a row of an array."""
        return self.b.add(self.b.mul(row, self.given["cells"]), cell)

    def _place(self, name: str, index: Value) -> Value:
        return self.b.gep(self.pointers[name], [index], source_etype=DOUBLE)

    def _array(self, name: str, index: Value) -> Value:
        return self.b.load(self._place(name, index), typ=DOUBLE)

    def _field(self, name: str) -> Value:
        return self.b.gep(self.frame, [_int(FRAME.index(name))], source_etype=INT)

    def _lane_place(self, name: str, lane: Value, row: Value | None = None) -> Value:
        first = self.b.add(lane, _int(self.layout.place(name) * self.width)) if self.layout.sizes[name] else lane
        index = first if row is None else self.b.add(first, self.b.mul(row, _int(self.width)))
        return self._pointer(index)

    def _pointer(self, index: Value) -> Value:
        return self.b.gep(self.lanes, [index], source_etype=DOUBLE)

    def _get(self, name: str, lane: Value, row: Value | None = None) -> Value:
        return self.b.load(self._lane_place(name, lane, row), typ=DOUBLE)

    def _put(self, name: str, lane: Value, value: Value, row: Value | None = None) -> None:
        self.b.store(value, self._lane_place(name, lane, row))

    def _whole(self, name: str, lane: Value) -> Value:
        return self.b.fptosi(self._get(name, lane), INT)

    def _positive(self, name: str, lane: Value) -> Value:
        return self.b.fcmp_ordered(">", self._get(name, lane), _number(0.0))

    def _less(self, a: Value, b: Value) -> Value:
        return self.b.icmp_signed("<", a, b)

    @contextmanager
    def _over(self, first: Value, end: Value) -> Iterator[Value]:
        """A loop over the integers from `first` to before `end`."""
        b, counter = self.b, self.counters.alloca(INT)
        b.store(first, counter)
        with self._while(lambda: self._less(b.load(counter, typ=INT), end)):
            index = b.load(counter, typ=INT)
            yield index
            b.store(b.add(index, _int(1)), counter)

    @contextmanager
    def _while(self, condition: Any) -> Iterator[None]:
        """A loop as long as the condition, built at its head, is true."""
        b = self.b
        head, body, end = (b.append_basic_block(name) for name in ("head", "body", "end"))
        b.branch(head)
        b.position_at_end(head)
        b.cbranch(condition(), body, end)
        b.position_at_end(body)
        yield
        b.branch(head)
        b.position_at_end(end)


def _int(value: int) -> Value:
    return ir.Constant(INT, value)


def _number(value: float) -> Value:
    return ir.Constant(DOUBLE, value)
