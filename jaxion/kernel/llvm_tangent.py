"""The loop around a turn with tangents along many directions, which share the course.

Programs that go over many lanes side by side leave the slopes of each lane; its pushes go over many of its directions side by side.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from llvmlite import ir

from jaxion.kernel.llvm_loop import ARRAYS, COUNTS, RunLoop
from jaxion.kernel.llvm_loops import number, whole
from jaxion.kernel.llvm_programs import Area, emit_program
from jaxion.kernel.llvm_vectors import DOUBLE
from jaxion.kernel.unrolled import Layout
from jaxion.kernel.unrolled_tangent import UnrolledTangent

Value = Any
DIRECTIONS: Final = ("d_y", "d_theta", "d_drive", "d_edges")
"""Addresses of the directions, which come first, cells last; what is written are tangents of `saved`, `reduced` and `final`, alike."""


class TangentLoop(RunLoop):
    """The function `run` for the tangents of the results; zero where a cell failed.

    Behind what the lanes hold there is room for the slopes of one lane, one after the other, and then for the directions: of each lane
    as many groups as it takes, of as many directions side by side as there are lanes.
    """

    def __init__(self, module: ir.Module, unrolled: UnrolledTangent, width: int):
        super().__init__(module, unrolled, width, (*ARRAYS, *DIRECTIONS), (*COUNTS, "directions"))
        self._direction, self._slopes, self._slopes_of = unrolled.direction, unrolled.layout.sizes["still"], unrolled.slopes
        areas = [Area(Layout({"still": self._slopes}), 1), Area(unrolled.direction, width)]
        self._pushes = {name: emit_program(module, f"push_{name}", push, areas, width) for name, push in unrolled.pushes.items()}

    def room(self, directions: int) -> int:
        """Numbers of each lane that are needed for so many directions."""
        return self.layout.size + self._slopes + -(-directions // self.width) * self.width * self._direction.size

    def take(self, lane: Value, cell: Value) -> None:
        """Fill a lane with a cell and its directions."""
        with self._each() as k:
            self._copy_in(k, lane, "d_t", "d_edges", whole(0), whole(1), cell, self._edges())
            self._copy_in(k, lane, "d_y", "d_y", whole(0), self._rows("d_y"), cell, self._rows("d_y"))
            self._copy_in(k, lane, "d_theta", "d_theta", whole(0), self.lasting(), cell, self.lasting())
        super().take(lane, cell)

    def enter_phase(self, lane: Value) -> None:
        """Edges and drive of the phase that a lane is in, and their directions."""
        super().enter_phase(lane)
        b = self.b
        cell, phase, driven = self.whole("cell", lane), self.whole("phase", lane), self.given["driven"]
        with self._each() as k:
            self._copy_in(k, lane, "d_begin", "d_edges", phase, whole(1), cell, self._edges())
            self._copy_in(k, lane, "d_end", "d_edges", b.add(phase, whole(1)), whole(1), cell, self._edges())
            rows = b.mul(self.given["phases"], driven)
            self._copy_in(k, lane, "d_theta", "d_drive", b.mul(phase, driven), driven, cell, rows, self.lasting())

    def enter(self) -> None:
        """First steps and reductions of new phases and cells, and their tangents."""
        super().enter()
        self._push_all("enter")

    def turn(self) -> None:
        """A step that is tried in all lanes, and its tangents."""
        super().turn()
        self._push_all("turn")

    def sample(self, lane: Value) -> None:
        """The rows at the time that is due, and their tangents."""
        super().sample(lane)
        self._push("sample", lane)

    def write(self, name: str, row: Value, cell: Value, lane: Value, source: str, index: Value, known: Value) -> None:
        """A row of the tangents of a result, or zero where that is not `known`."""
        b = self.b
        rows = {"saved": b.mul(self.given["times"], self._rows("d_y")), "reduced": self._rows("d_reduced"), "final": self._rows("d_y")}[
            name
        ]
        with self._each() as k:
            value = b.select(known, b.load(self._place(k, lane, f"d_{source}", index), typ=DOUBLE), number(0.0))
            b.store(value, self.place(name, self.at(b.add(b.mul(k, rows), row), cell)))

    def _push_all(self, name: str) -> None:
        if name in self._pushes:
            with self.over(whole(0), whole(self.width)) as lane, self.b.if_then(self.b.not_(self.is_idle(lane))):
                self._push(name, lane)

    def _push(self, name: str, lane: Value) -> None:
        """Tangents of what a program has written in a lane, by its slopes."""
        b, slopes = self.b, self.pointer(whole(self.layout.size * self.width))
        with self.over(whole(0), whole(self._slopes_of[name])) as row:
            b.store(self.get("still", lane, row), b.gep(slopes, [row], source_etype=DOUBLE))
        with self.over(whole(0), self._groups()) as group:
            b.call(self._pushes[name], [slopes, self.pointer(self._group(lane, group))])

    def _copy_in(
        self, k: Value, lane: Value, name: str, source: str, first: Value, count: Value, cell: Value, rows: Value, into: Value | None = None
    ) -> None:
        """Numbers of a direction from those rows of its array, of so many, that begin with `first`."""
        b = self.b
        with self.over(whole(0), count) as row:
            value = self.array(source, self.at(b.add(b.mul(k, rows), b.add(first, row)), cell))
            b.store(value, self._place(k, lane, name, row if into is None else b.add(into, row)))

    @contextmanager
    def _each(self) -> Iterator[Value]:
        with self.over(whole(0), self.given["directions"]) as k:
            yield k

    def _edges(self) -> Value:
        return self.b.add(self.given["phases"], whole(1))

    def _rows(self, name: str) -> Value:
        return whole(self._direction.sizes[name])

    def _groups(self) -> Value:
        """Groups of directions in a lane."""
        return self.b.udiv(self.b.add(self.given["directions"], whole(self.width - 1)), whole(self.width))

    def _group(self, lane: Value, group: Value) -> Value:
        """Index of the first number of a group of directions, among all that lanes hold."""
        b = self.b
        number = b.add(b.mul(lane, self._groups()), group)
        return b.add(whole((self.layout.size + self._slopes) * self.width), b.mul(number, whole(self._direction.size * self.width)))

    def _place(self, k: Value, lane: Value, name: str, row: Value) -> Value:
        """Address of a number of a direction."""
        b, width = self.b, whole(self.width)
        first = b.add(self._group(lane, b.udiv(k, width)), b.urem(k, width))
        return self.pointer(b.add(first, b.mul(b.add(whole(self._direction.first(name)), row), width)))
