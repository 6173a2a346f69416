"""From graph to LLVM's intermediate language: a program becomes a function that reads and writes the lanes' numbers in memory."""

from collections.abc import Callable
from typing import Any, Final

from llvmlite import ir

from jaxion.kernel.graph import Node, sorted_nodes
from jaxion.kernel.llvm_functions import FUNCTIONS
from jaxion.kernel.llvm_vectors import DOUBLE, INT, NARROW, WIDE, Format, Vectors
from jaxion.kernel.procedures import Procedure
from jaxion.kernel.threads import ALIGNMENT
from jaxion.kernel.trace import UnknownPrimitive
from jaxion.kernel.unrolled import Layout, Program

Value = Any
POINTER = ir.PointerType()


def emit_program(
    module: ir.Module, name: str, program: Program, layout: Layout, width: int, lanes: int, single: bool = False
) -> ir.Function:
    """A function of a pointer to `width` neighbours of so many `lanes`: place k of the layout is `lanes` numbers after place k − 1.

    It computes in double precision, or in `single` precision as far as that is enough.

    Raises:
        UnknownPrimitive: An operation has no vector form.
    """
    function = ir.Function(module, ir.FunctionType(ir.VoidType(), [POINTER]), name)
    function.linkage = "internal"
    # Most values live on the stack for a while; a vector that crosses a cache line is read twice.
    function.attributes.alignstack = alignment(width)
    function.attributes.add("noinline")
    builder = ir.IRBuilder(function.append_basic_block())

    def place(builder: Any, lanes_of: Value, name: str, index: int) -> Value:
        return builder.gep(lanes_of, [ir.Constant(INT, lanes * layout.place(name, index))], source_etype=DOUBLE)

    nodes = sorted_nodes(program.values())
    calls = Calls(function, builder, nodes, width, place, single)
    emit_operations(builder, program, lambda *at: place(builder, function.args[0], *at), width, alignment(width), calls, single)
    builder.ret_void()
    return function


def alignment(width: int) -> int:
    """Bytes that so many numbers are aligned to: a vector's, or those of the widest vector that there is."""
    return min(8 * width, ALIGNMENT)


class Calls:
    """The procedures of a program: functions beside its own, and the memory through which they are called.

    An argument that is the same in all calls is written once, or is read where it lies if it is a number of the lane.
    """

    def __init__(self, function: ir.Function, builder: Any, nodes: list[Node], width: int, place: Callable[..., Value], single: bool):
        self._function, self._builder, self._width, self._place, self._single = function, builder, width, place, single
        self._alignment = alignment(width)
        self._sites: dict[Procedure, list[Node]] = {}
        self._outputs: dict[Procedure, list[int]] = {}
        for node in nodes:
            if node.op == "invoke":
                self._sites.setdefault(node.args[0], []).append(node)
            elif node.op == "result":
                (procedure, *_), output = node.args[0].args, node.args[1]
                self._outputs[procedure] = sorted({output, *self._outputs.get(procedure, [])})
        self._memory = {procedure: self._emit(i, procedure) for i, procedure in enumerate(self._sites)}

    def _emit(self, number: int, procedure: Procedure) -> tuple[ir.Function, Value]:
        """A procedure's function of the lanes and its own memory, and that."""
        module, caller = self._function.module, self._function
        function = ir.Function(module, ir.FunctionType(ir.VoidType(), [POINTER, POINTER]), f"{caller.name}_{number}")
        function.linkage = "internal"
        function.attributes.alignstack = self._alignment
        function.attributes.add("noinline")
        builder = ir.IRBuilder(function.append_basic_block())
        lanes, own = function.args
        where = {node.args: i for i, node in enumerate(procedure.inputs)}

        def at(name: str, index: int) -> Value:
            if name == "output":
                return self._slot(builder, own, len(procedure.inputs) + index)
            given = self._common(procedure, where[name, index])
            if given is not None and given.op == "input":
                return self._place(builder, lanes, *given.args)
            return self._slot(builder, own, where[name, index])

        program = {("output", i): procedure.outputs[output] for i, output in enumerate(self._outputs[procedure])}
        emit_operations(builder, program, at, self._width, self._alignment, single=self._single)
        builder.ret_void()
        memory = self._builder.alloca(ir.VectorType(DOUBLE, self._width), len(procedure.inputs) + len(self._outputs[procedure]))
        memory.align = self._alignment
        return function, memory

    def _common(self, procedure: Procedure, index: int) -> Node | None:
        """The argument that all calls have."""
        first, *rest = (site.args[1 + index] for site in self._sites[procedure])
        return first if all(arg is first for arg in rest) else None

    def _slot(self, builder: Any, memory: Value, index: int) -> Value:
        return builder.gep(memory, [ir.Constant(INT, index)], source_etype=ir.VectorType(DOUBLE, self._width))

    def emit(self, site: Node, value: Callable[[Node], Value]) -> dict[int, Value]:
        """A call, from nodes to their values; what it computes, by the number of the output."""
        procedure, *args = site.args
        function, memory = self._memory[procedure]
        for i, arg in enumerate(args):
            common = self._common(procedure, i)
            if common is None or (common.op != "input" and site is self._sites[procedure][0]):
                self._builder.store(value(arg), self._slot(self._builder, memory, i), align=self._alignment)
        self._builder.call(function, [self._function.args[0], memory])
        slots = {output: self._slot(self._builder, memory, len(args) + i) for i, output in enumerate(self._outputs[procedure])}
        vector = ir.VectorType(DOUBLE, self._width)
        return {output: self._builder.load(slot, typ=vector, align=self._alignment) for output, slot in slots.items()}


def emit_operations(
    builder: Any,
    program: Program,
    at: Callable[[str, int], Value],
    width: int,
    alignment: int,
    calls: Calls | None = None,
    single: bool = False,
) -> None:
    """The operations of a program on vectors, which are read and written `at` their addresses.

    Numbers lie in memory in double precision; `single` operations compute in single precision what is none of the `wide_nodes`.

    Raises:
        UnknownPrimitive: An operation has no vector form.
    """
    wide, narrow = Vectors(builder, width, contract=True), Vectors(builder, width, contract=True, format=NARROW)
    nodes = sorted_nodes(program.values())
    doubles = wide_nodes(nodes) if single else None
    outputs: dict[int, dict[int, Value]] = {}
    values: dict[tuple[int, Format], Value] = {}

    def value(node: Node, vectors: Vectors) -> Value:
        """A number in the format of some vectors, or a truth value."""
        key, other = (node.number, vectors.format), (node.number, NARROW if vectors is wide else WIDE)
        if key not in values:
            if node.op == "constant":
                known = node.args[0]
                values[key] = vectors.truth(known) if isinstance(known, bool) else vectors.number(known)
            else:
                given = values[other]
                values[key] = vectors.converted(given) if given.type in (wide.type, narrow.type) else given
        return values[key]

    for node in nodes:
        v = wide if doubles is None or node.number in doubles else narrow
        key = (node.number, v.format)
        if node.op == "input":
            values[key] = builder.load(at(*node.args), typ=wide.type, align=alignment)
        elif node.op == "invoke":
            assert calls is not None
            outputs[node.number] = calls.emit(node, lambda arg: value(arg, wide))
        elif node.op == "result":
            values[node.number, WIDE] = outputs[node.args[0].number][node.args[1]]
        elif node.op != "constant":
            values[key] = operation(v, node, [value(arg, v) for arg in node.args])
    for (name, index), node in program.items():
        builder.store(value(node, wide), at(name, index), align=alignment)


STEADY: Final = ("theta", "still")
"""Inputs that change neither in time nor with the state."""


def wide_nodes(nodes: list[Node]) -> set[int]:
    """Numbers of those nodes that are computed in double precision where all else is in single.

    These are inputs, and sums and differences of them: charge and time would cancel to nothing in single precision.
    """
    wide: set[int] = set()
    steady: set[int] = set()
    for node in nodes:
        args = [arg for arg in node.args if isinstance(arg, Node) and arg.op != "constant"]
        if node.op == "select":
            args = [arg for arg in node.args[1:] if arg.op != "constant"]
        if (node.op == "input" and node.args[0] in STEADY) or (args and all(arg.number in steady for arg in args)):
            steady.add(node.number)
        linear = node.op in _SUMS or (node.op == "mul" and (len(args) == 1 or node.number in steady))
        if node.op in ("input", "wide") or (linear and args and all(arg.number in wide for arg in args)):
            wide.add(node.number)
    return wide


def operation(v: Vectors, node: Node, args: list[Value]) -> Value:
    """One operation of a graph on vectors."""
    if node.op in FUNCTIONS:
        return v.builder.call(_function(v, node.op, len(args)), args)
    if node.op not in _OPERATIONS or (node.op not in _OF_TRUTHS and any(arg.type != v.type for arg in args)):
        raise UnknownPrimitive(node.op)
    return _OPERATIONS[node.op](v, *args)


def _function(v: Vectors, name: str, arity: int) -> ir.Function:
    """A function of vectors, defined once in a module."""
    module = v.builder.module
    called = f"vector_{name}_{v.format.suffix}"
    if called in module.globals:
        return module.globals[called]
    function = ir.Function(module, ir.FunctionType(v.type, [v.type] * arity), called)
    function.linkage = "internal"
    function.attributes.add("alwaysinline")
    builder = ir.IRBuilder(function.append_basic_block())
    # Without contraction: these count on each rounding.
    builder.ret(FUNCTIONS[name](Vectors(builder, v.width, format=v.format), *function.args))
    return function


def _sign(v: Vectors, x: Value) -> Value:
    zero = v.number(0.0)
    return v.select(v.less(zero, x), v.number(1.0), v.select(v.less(x, zero), v.number(-1.0), x))


_SUMS: Final = ("add", "sub", "neg", "abs", "max", "min", "select", "hold", "lt", "le", "eq", "finite")
_OF_TRUTHS: Final = ("eq", "and", "or", "not", "select")
_OPERATIONS: Final[dict[str, Callable[..., Value]]] = {
    "add": Vectors.add,
    "sub": Vectors.sub,
    "mul": Vectors.mul,
    "div": Vectors.div,
    "neg": Vectors.neg,
    "hold": lambda v, x: x,
    "wide": lambda v, x: x,
    "sqrt": lambda v, x: v.intrinsic("sqrt", x),
    # Rare in physics of cells: the mathematical library, lane by lane.
    "sin": lambda v, x: v.intrinsic("sin", x),
    "cos": lambda v, x: v.intrinsic("cos", x),
    "mod": Vectors.rem,
    "abs": Vectors.abs,
    "sign": _sign,
    "floor": Vectors.floor,
    "max": Vectors.larger,
    "min": Vectors.smaller,
    "lt": Vectors.less,
    "le": Vectors.at_most,
    "eq": Vectors.equal,
    "finite": lambda v, x: v.less(v.abs(x), v.number(float("inf"))),
    "and": Vectors.both,
    "or": Vectors.either,
    "not": Vectors.inverted,
    "select": Vectors.select,
}
