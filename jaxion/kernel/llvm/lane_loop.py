"""The loop over lanes that take cells from a queue, in LLVM's intermediate language."""

from typing import Any

from llvmlite import ir

from jaxion.kernel.llvm.loops import Loops, number, whole
from jaxion.kernel.llvm.vectors import DOUBLE, INT, POINTER
from jaxion.kernel.programs.program import Layout

Value = Any


class LaneLoop(Loops):
    """Turns of lanes, each with the numbers of one cell, refilled from a queue that several loops may share.

    `run(lanes, frame, turns)` returns how many lanes are at work. A frame has one integer each: addresses of `arrays` (cells last),
    then `counts`, of which "cells" and "chunk" (how many cells are taken at once) must be two, then the address of the first cell
    that nobody has taken, and the cells that this run has taken and not begun.

    Args:
        module: Where the function `run` is added.
        layout: Of a lane; "cell" is the number of its cell, negative where it is idle.
        width: Number of lanes.
        arrays: Names of the arrays.
        counts: Names of the counts.
    """

    def __init__(self, module: ir.Module, layout: Layout, width: int, arrays: tuple[str, ...], counts: tuple[str, ...]):
        function = ir.Function(module, ir.FunctionType(INT, [POINTER, POINTER, INT]), "run")
        super().__init__(function)
        self.lanes, self.frame, self.turns = function.args
        self.layout, self.width, self.fields = layout, width, frame_of(arrays, counts)
        self.given = {name: self.b.load(self.field(name), typ=INT) for name in self.fields}
        self.pointers = {name: self.b.inttoptr(self.given[name], POINTER) for name in (*arrays, "queue")}
        self.opened()

    def take(self, lane: Value, cell: Value) -> None:
        """Fill a lane with the numbers of a cell."""
        raise NotImplementedError

    def prepare(self, lane: Value) -> None:
        """What a lane needs before a turn."""

    def turn(self) -> None:
        """One turn of all lanes."""
        raise NotImplementedError

    def settle(self, lane: Value) -> None:
        """After a turn, in a lane that has a cell."""
        raise NotImplementedError

    def ready(self) -> None:
        """What all lanes need before a turn."""

    def full(self) -> Value:
        """Whether there is no room for what a turn writes: then Python has to make some."""
        return ir.Constant(ir.IntType(1), 0)

    def emit(self) -> None:
        """Turn after turn, until no lane is at work or the number of turns is reached."""
        b = self.b
        left, live = self.counters.alloca(INT), self.counters.alloca(INT)
        b.store(self.turns, left)
        turn = b.append_basic_block("turn")
        b.branch(turn)
        b.position_at_end(turn)
        b.store(whole(0), live)
        with self.over(whole(0), whole(self.width)) as lane:
            with b.if_then(self.is_idle(lane)):
                self._refill(lane)
            self.prepare(lane)
            with b.if_then(b.not_(self.is_idle(lane))):
                b.store(b.add(b.load(live, typ=INT), whole(1)), live)
        self.ready()
        done = b.or_(self.less(b.load(live, typ=INT), whole(1)), self.less(b.load(left, typ=INT), whole(1)))
        done = b.or_(done, self.full())
        with b.if_then(done):
            b.ret(b.load(live, typ=INT))
        b.store(b.sub(b.load(left, typ=INT), whole(1)), left)
        self.turn()
        with self.over(whole(0), whole(self.width)) as lane, b.if_then(b.not_(self.is_idle(lane))):
            self.settle(lane)
        b.branch(turn)
        self.closed()

    def _refill(self, lane: Value) -> None:
        """The next cell of the queue, if there is one."""
        b = self.b
        following, limit = self.field("next"), self.field("limit")
        with b.if_then(b.not_(self.less(b.load(following, typ=INT), b.load(limit, typ=INT)))):
            first = b.atomic_rmw("add", self.pointers["queue"], self.given["chunk"], "monotonic")
            end = b.add(first, self.given["chunk"])
            b.store(first, following)
            b.store(b.select(self.less(end, self.given["cells"]), end, self.given["cells"]), limit)
        cell = b.load(following, typ=INT)
        with b.if_then(self.less(cell, b.load(limit, typ=INT))):
            b.store(b.add(cell, whole(1)), following)
            self.put("cell", lane, b.sitofp(cell, DOUBLE))
            self.take(lane, cell)

    def is_idle(self, lane: Value) -> Value:
        """Whether a lane has no cell."""
        return self.less(self.whole("cell", lane), whole(0))

    def release(self, lane: Value) -> None:
        """A lane has done with its cell."""
        self.put("cell", lane, number(-1.0))

    def copy_in(self, lane: Value, name: str, cell: Value, rows: Value | None = None, source: str | None = None) -> None:
        """The first rows, by default all that a lane has of that name, of a cell's array of the same name or another."""
        with self.over(whole(0), whole(self.layout.sizes[name]) if rows is None else rows) as row:
            self.put(name, lane, self.array(source or name, self.at(row, cell)), row)

    def copy_out(self, lane: Value, name: str, cell: Value) -> None:
        """All that a lane has of a name to a cell's array of the same name."""
        with self.over(whole(0), whole(self.layout.sizes[name])) as row:
            self.b.store(self.get(name, lane, row), self.place(name, self.at(row, cell)))

    def at(self, row: Value, cell: Value) -> Value:
        """Place of a cell in a row of an array."""
        return self.b.add(self.b.mul(row, self.given["cells"]), cell)

    def place(self, name: str, index: Value) -> Value:
        """Address of a number of an array."""
        return self.b.gep(self.pointers[name], [index], source_etype=DOUBLE)

    def array(self, name: str, index: Value) -> Value:
        """A number of an array."""
        return self.b.load(self.place(name, index), typ=DOUBLE)

    def count_place(self, name: str, index: Value) -> Value:
        """Address of an integer of an array."""
        return self.b.gep(self.pointers[name], [index], source_etype=INT)

    def lane_place(self, name: str, lane: Value, row: Value | None = None) -> Value:
        """Address of a number of a lane."""
        first = self.b.add(lane, whole(self.layout.first(name) * self.width))
        index = first if row is None else self.b.add(first, self.b.mul(row, whole(self.width)))
        return self.pointer(index)

    def pointer(self, index: Value) -> Value:
        """Address of a lane, or of a number among all that lanes hold."""
        return self.b.gep(self.lanes, [index], source_etype=DOUBLE)

    def get(self, name: str, lane: Value, row: Value | None = None) -> Value:
        """A number of a lane."""
        return self.b.load(self.lane_place(name, lane, row), typ=DOUBLE)

    def put(self, name: str, lane: Value, value: Value, row: Value | None = None) -> None:
        """Set a number of a lane."""
        self.b.store(value, self.lane_place(name, lane, row))

    def whole(self, name: str, lane: Value) -> Value:
        """A number of a lane as an integer."""
        return self.b.fptosi(self.get(name, lane), INT)

    def positive(self, name: str, lane: Value) -> Value:
        """Whether a number of a lane is positive."""
        return self.b.fcmp_ordered(">", self.get(name, lane), number(0.0))

    def field(self, name: str) -> Value:
        """Address of an integer of the frame."""
        return self.b.gep(self.frame, [whole(self.fields.index(name))], source_etype=INT)


def frame_of(arrays: tuple[str, ...], counts: tuple[str, ...]) -> tuple[str, ...]:
    """Names of the integers of a frame, in order."""
    return (*arrays, *counts, "queue", "next", "limit")
