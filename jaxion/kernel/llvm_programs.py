"""Programs as functions in LLVM's intermediate language, which read and write the lanes' numbers in memory, and their procedures."""

import functools
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from llvmlite import ir

from jaxion.kernel.graph import Node, sorted_nodes
from jaxion.kernel.llvm import POINTER, emit_operations
from jaxion.kernel.llvm_vectors import INT, WIDE, Format, Vectors
from jaxion.kernel.procedures import Procedure
from jaxion.kernel.threads import ALIGNMENT
from jaxion.kernel.unrolled import Layout, Program

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


def emit_program(
    module: ir.Module, name: str, program: Program, areas: Sequence[Area], width: int, single: bool = False, format: Format = WIDE
) -> ir.Function:
    """A function of pointers to `width` neighbours, one for each area, each of which has other names than the rest.

    It computes in some format, or in `single` precision as far as that is enough.

    Raises:
        UnknownPrimitive: An operation has no vector form.
    """
    function = ir.Function(module, ir.FunctionType(ir.VoidType(), [POINTER] * len(areas)), name)
    memory = Memory(areas, width, format)
    builder = _begun(function, memory.alignment)
    nodes = sorted_nodes(program.values())
    calls = Calls(function, builder, nodes, memory, single)
    read, write = (functools.partial(access, builder, function.args) for access in (memory.read, memory.write))
    emit_operations(memory.vectors(builder), program, read, write, calls.emit, single)
    builder.ret_void()
    return function


def _begun(function: ir.Function, alignment: int) -> Any:
    function.linkage = "internal"
    # Areas are apart from each other: without saying so, compilation takes half as long again.
    for pointer in function.args:
        pointer.add_attribute("noalias")
    # Most values live on the stack for a while; a vector that crosses a cache line is read twice.
    function.attributes.alignstack = alignment
    function.attributes.add("noinline")
    return ir.IRBuilder(function.append_basic_block())


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


class Calls:
    """The procedures of a program: functions beside its own, and the memory through which they are called.

    An argument that is the same in all calls is written once, or is read where it lies if it is a number of the lane.
    """

    def __init__(self, function: ir.Function, builder: Any, nodes: list[Node], memory: Memory, single: bool):
        self._function, self._builder, self._memory, self._single = function, builder, memory, single
        self._sites: dict[Procedure, list[Node]] = {}
        self._outputs: dict[Procedure, list[int]] = {}
        for node in nodes:
            if node.op == "invoke":
                self._sites.setdefault(node.args[0], []).append(node)
            elif node.op == "result":
                (procedure, *_), output = node.args[0].args, node.args[1]
                self._outputs[procedure] = sorted({output, *self._outputs.get(procedure, [])})
        self._emitted = {procedure: self._emit(i, procedure) for i, procedure in enumerate(self._sites)}

    def _emit(self, number: int, procedure: Procedure) -> tuple[ir.Function, Value]:
        """A procedure's function of the caller's pointers and one to its own memory, and that."""
        module, caller = self._function.module, self._function
        function = ir.Function(module, ir.FunctionType(ir.VoidType(), [POINTER] * (1 + len(caller.args))), f"{caller.name}_{number}")
        builder = _begun(function, self._memory.alignment)
        *pointers, own = function.args
        where = {node.args: i for i, node in enumerate(procedure.inputs)}

        def read(name: str, index: int) -> Value:
            given = self._common(procedure, where[name, index])
            if given is not None and given.op == "input":
                return self._memory.read(builder, pointers, *given.args)
            return self._memory.load(builder, self._slot(builder, own, where[name, index]))

        def write(_: str, index: int, value: Value) -> None:
            self._memory.store(builder, self._slot(builder, own, len(procedure.inputs) + index), value)

        program = {("output", i): procedure.outputs[output] for i, output in enumerate(self._outputs[procedure])}
        emit_operations(self._memory.vectors(builder), program, read, write, single=self._single)
        builder.ret_void()
        slots = self._builder.alloca(self._memory.type, len(procedure.inputs) + len(self._outputs[procedure]))
        slots.align = self._memory.alignment
        return function, slots

    def _common(self, procedure: Procedure, index: int) -> Node | None:
        """The argument that all calls have."""
        first, *rest = (site.args[1 + index] for site in self._sites[procedure])
        return first if all(arg is first for arg in rest) else None

    def _slot(self, builder: Any, slots: Value, index: int) -> Value:
        return builder.gep(slots, [ir.Constant(INT, index)], source_etype=self._memory.type)

    def emit(self, site: Node, value: Callable[[Node], Value]) -> dict[int, Value]:
        """A call, from nodes to their values; what it computes, by the number of the output."""
        procedure, *args = site.args
        function, slots = self._emitted[procedure]
        for i, arg in enumerate(args):
            common = self._common(procedure, i)
            if common is None or (common.op != "input" and site is self._sites[procedure][0]):
                self._memory.store(self._builder, self._slot(self._builder, slots, i), value(arg))
        self._builder.call(function, [*self._function.args, slots])
        places = {output: self._slot(self._builder, slots, len(args) + i) for i, output in enumerate(self._outputs[procedure])}
        return {output: self._memory.load(self._builder, place) for output, place in places.items()}
