"""Where programs read and write the numbers of lanes."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from llvmlite import ir

from jaxion.kernel.llvm.vectors import INT, WIDE, Format, Vectors
from jaxion.kernel.programs.program import Layout
from jaxion.kernel.widths import ALIGNMENT

Value = Any


class Area(NamedTuple):
    """Memory of lanes.

    Attributes:
        layout: Names and order of the numbers of a lane.
        pitch: How many lanes lie side by side: place k of the layout is so many numbers after place k − 1.
        format: Of the numbers.
        shared: Whether one lane's numbers are read for a whole vector.
    """

    layout: Layout
    pitch: int
    format: Format = WIDE
    shared: bool = False


class Memory:
    """Vectors in some areas, to which there are as many pointers."""

    def __init__(self, areas: Sequence[Area], width: int, format: Format = WIDE):
        self._width, self._format, self._areas = width, format, areas
        self.type, self.alignment = ir.VectorType(format.type, width), _alignment(width, format)

    def vectors(self, builder: Any) -> Vectors:
        """Operations on what is there."""
        return Vectors(builder, self._width, contract=True, format=self._format)

    def read(self, builder: Any, pointers: Sequence[Value], name: str, index: int) -> Value:
        """A vector, by name and index."""
        place, area = self._place(builder, pointers, name, index)
        vectors = Vectors(builder, self._width, format=area.format)
        if area.shared:
            found = vectors.repeated(builder.load(place, typ=area.format.type))
        else:
            found = builder.load(place, typ=vectors.type, align=_alignment(self._width, area.format))
        return found if area.format is self._format else self.vectors(builder).converted(found)

    def write(self, builder: Any, pointers: Sequence[Value], name: str, index: int, value: Value) -> None:
        """Put a vector down, by name and index."""
        place, area = self._place(builder, pointers, name, index)
        if area.format is not self._format:
            value = Vectors(builder, self._width, format=area.format).converted(value)
        builder.store(value, place, align=_alignment(self._width, area.format))

    def load(self, builder: Any, place: Value) -> Value:
        """A vector, in the format in which is computed, at an address."""
        return builder.load(place, typ=self.type, align=self.alignment)

    def store(self, builder: Any, place: Value, value: Value) -> None:
        """Put such a vector down at an address."""
        builder.store(value, place, align=self.alignment)

    def _place(self, builder: Any, pointers: Sequence[Value], name: str, index: int) -> tuple[Value, Area]:
        pointer, area = next((p, area) for p, area in zip(pointers, self._areas, strict=True) if name in area.layout.sizes)
        place = builder.gep(pointer, [ir.Constant(INT, area.pitch * area.layout.place(name, index))], source_etype=area.format.type)
        return place, area


def _alignment(width: int, format: Format) -> int:
    """Bytes that a vector is aligned to: its own, or those of the widest vector that there is."""
    return min(width * format.bits // 8, ALIGNMENT)


def opened(function: ir.Function, alignment: int) -> Any:
    """Begin a function of the pointers to areas, such as a module calls by itself; where its instructions are added."""
    function.linkage = "internal"
    # Areas are apart from each other: without saying so, compilation takes half as long again.
    for pointer in function.args:
        pointer.add_attribute("noalias")
    # Most values live on the stack for a while; a vector that crosses a cache line is read twice.
    function.attributes.alignstack = alignment
    function.attributes.add("noinline")
    return ir.IRBuilder(function.append_basic_block())
