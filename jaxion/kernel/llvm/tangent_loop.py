"""The loop around a turn with tangents along many directions, which share the course.

Programs that go over many lanes side by side leave their slopes; the pushes of a lane go over many of its directions side by side, and
read each of its slopes for all of them.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from llvmlite import ir

from jaxion.kernel.llvm.integration_loop import ARRAYS, COUNTS, RunLoop
from jaxion.kernel.llvm.loops import number, whole
from jaxion.kernel.llvm.memory import Area
from jaxion.kernel.llvm.program import emit_program
from jaxion.kernel.llvm.vectors import DOUBLE, NARROW, WIDE, Vectors
from jaxion.kernel.programs.tangent import TangentPrograms

Value = Any
DIRECTIONS: Final = ("d_y", "d_theta", "d_drive", "d_edges")
"""Addresses of the directions, which come first, cells last; what is written are tangents of `saved`, `reduced` and `final`, the cells
first and the directions last, so that those of a cell lie side by side."""


class TangentLoop(RunLoop):
    """The function `run` for the tangents of the results; zero where a cell failed.

    Behind what the lanes hold there is room for their slopes, side by side and once more lane by lane, and then for the directions: of each
    lane as many groups as it takes, of as many directions side by side as there are lanes, or twice as many in single precision.
    """

    def __init__(self, module: ir.Module, programs: TangentPrograms, width: int):
        # In single precision twice as many lie side by side in the same room.
        self._format, self._side = (NARROW, 2 * width) if programs.variational else (WIDE, width)
        slopes = Area(programs.slopes, 1, self._format)
        arrays, counts = (*ARRAYS, *DIRECTIONS), (*COUNTS, "directions")
        super().__init__(module, programs, width, arrays, counts, lambda width: [slopes._replace(pitch=width)])
        self._direction, self._slopes = programs.direction, -(-programs.slopes.size // width) * width
        areas = [slopes._replace(shared=True), Area(programs.direction, self._side, self._format)]
        self._pushes = {
            name: emit_program(module, f"push_{name}", push, areas, self._side, format=self._format)
            for name, push in programs.pushes.items()
        }

    def memory(self, lane: Value | None = None) -> list[Value]:
        """Pointers that programs are given: to all lanes and their slopes, or to one and its own."""
        first = whole(0) if lane is None else self.b.mul(self.b.add(lane, whole(self.width)), whole(self._slopes))
        return [*super().memory(lane), self._slope(first)]

    def room(self, directions: int) -> int:
        """Numbers of each lane that are needed for so many directions."""
        return self.layout.size + 2 * self._slopes + -(-directions // self._side) * self.width * self._direction.size

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
        self._part_slopes()
        self._push_all("enter")

    def turn(self) -> None:
        """A step that is tried in all lanes, and its tangents."""
        super().turn()
        self._part_slopes()
        # A step that is not taken moves nothing.
        self._push_all("turn", only="good")

    def sample(self, lane: Value) -> None:
        """The rows at the time that is due, and their tangents."""
        super().sample(lane)
        self._push("sample", lane)

    def write(self, name: str, row: Value, cell: Value, lane: Value, source: str, index: Value, known: Value) -> None:
        """A row of the tangents of a result, or zero where that is not `known`."""
        b, narrow, directions = self.b, self._format is NARROW, self.given["directions"]
        rows = {"saved": b.mul(self.given["times"], self._rows("d_y")), "reduced": self._rows("d_reduced"), "final": self._rows("d_y")}[
            name
        ]
        to = b.mul(b.add(b.mul(cell, rows), row), directions)
        with self.over(whole(0), self._groups()) as group:
            first = b.mul(group, whole(self._side))
            left = b.sub(directions, first)
            held = self._held(lane, group, f"d_{source}", index)
            with self.over(whole(0), b.select(self.less(left, whole(self._side)), left, whole(self._side))) as k:
                value = b.load(b.gep(held, [k], source_etype=self._format.type), typ=self._format.type)
                value = b.select(known, b.fpext(value, DOUBLE) if narrow else value, number(0.0))
                b.store(value, self.place(name, b.add(to, b.add(first, k))))

    def _part_slopes(self) -> None:
        """Lay the slopes of each lane one after the other."""
        b, v = self.b, Vectors(self.b, self.width, format=self._format)
        aligned = self.width * self._format.bits // 8
        with self.over(whole(0), whole(self._slopes), self.width) as row:
            places = [self._slope(b.mul(b.add(row, whole(i)), whole(self.width))) for i in range(self.width)]
            of_lanes = v.transposed([b.load(place, typ=v.type, align=aligned) for place in places])
            for lane, slopes in enumerate(of_lanes):
                b.store(slopes, self._slope(b.add(whole((self.width + lane) * self._slopes), row)), align=aligned)

    def _slope(self, index: Value) -> Value:
        """Address of a slope, by its number among all that there are of all lanes."""
        first = self.pointer(whole(self.layout.size * self.width))
        return self.b.gep(first, [index], source_etype=self._format.type)

    def _push_all(self, name: str, only: str | None = None) -> None:
        if name in self._pushes:
            with self.over(whole(0), whole(self.width)) as lane:
                at_work = self.b.not_(self.is_idle(lane))
                with self.b.if_then(self.b.and_(at_work, self.positive(only, lane)) if only else at_work):
                    self._push(name, lane)

    def _push(self, name: str, lane: Value) -> None:
        """Tangents of what a program has written in a lane, by its slopes."""
        _, slopes = self.memory(lane)
        with self.over(whole(0), self._groups()) as group:
            self.b.call(self._pushes[name], [slopes, self.pointer(self._group(lane, group))])

    def _copy_in(
        self, k: Value, lane: Value, name: str, source: str, first: Value, count: Value, cell: Value, rows: Value, into: Value | None = None
    ) -> None:
        """Numbers of a direction from those rows of its array, of so many, that begin with `first`."""
        b = self.b
        with self.over(whole(0), count) as row:
            value = self.array(source, self.at(b.add(b.mul(k, rows), b.add(first, row)), cell))
            value = b.fptrunc(value, self._format.type) if self._format is NARROW else value
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
        return self.b.udiv(self.b.add(self.given["directions"], whole(self._side - 1)), whole(self._side))

    def _group(self, lane: Value, group: Value) -> Value:
        """Index of the first number of a group of directions, among all that lanes hold."""
        b = self.b
        number = b.add(b.mul(lane, self._groups()), group)
        return b.add(whole((self.layout.size + 2 * self._slopes) * self.width), b.mul(number, whole(self._direction.size * self.width)))

    def _place(self, k: Value, lane: Value, name: str, row: Value) -> Value:
        """Address of a number of a direction."""
        b, side = self.b, whole(self._side)
        return b.gep(self._held(lane, b.udiv(k, side), name, row), [b.urem(k, side)], source_etype=self._format.type)

    def _held(self, lane: Value, group: Value, name: str, row: Value) -> Value:
        """Address of a number of a group of directions, which lie side by side."""
        b = self.b
        index = b.mul(b.add(whole(self._direction.first(name)), row), whole(self._side))
        return b.gep(self.pointer(self._group(lane, group)), [index], source_etype=self._format.type)
