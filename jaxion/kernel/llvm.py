"""From graph to LLVM's intermediate language: a program becomes a function that reads and writes the lanes' numbers in memory."""

from collections.abc import Callable
from typing import Any, Final

from llvmlite import ir

from jaxion.kernel.graph import Node, sorted_nodes
from jaxion.kernel.llvm_functions import FUNCTIONS
from jaxion.kernel.llvm_vectors import DOUBLE, INT, Vectors
from jaxion.kernel.procedures import Procedure
from jaxion.kernel.trace import UnknownPrimitive
from jaxion.kernel.unrolled import Layout, Program

Value = Any
POINTER = ir.PointerType()


def emit_program(module: ir.Module, name: str, program: Program, layout: Layout, width: int, lanes: int) -> ir.Function:
    """A function of a pointer to `width` neighbours of so many `lanes`: place k of the layout is `lanes` numbers after place k − 1.

    Raises:
        UnknownPrimitive: An operation has no vector form.
    """
    function = ir.Function(module, ir.FunctionType(ir.VoidType(), [POINTER]), name)
    function.linkage = "internal"
    # Most values live on the stack for a while; a vector that crosses a cache line is read twice.
    function.attributes.alignstack = 8 * width
    function.attributes.add("noinline")
    builder = ir.IRBuilder(function.append_basic_block())

    def place(builder: Any, lanes_of: Value, name: str, index: int) -> Value:
        return builder.gep(lanes_of, [ir.Constant(INT, lanes * layout.place(name, index))], source_etype=DOUBLE)

    nodes = sorted_nodes(program.values())
    calls = Calls(function, builder, nodes, width, place)
    emit_operations(builder, program, lambda *at: place(builder, function.args[0], *at), width, 8 * width, calls)
    builder.ret_void()
    return function


class Calls:
    """The procedures of a program: functions beside its own, and the memory through which they are called.

    An argument that is the same in all calls is written once, or is read where it lies if it is a number of the lane.
    """

    def __init__(self, function: ir.Function, builder: Any, nodes: list[Node], width: int, place: Callable[..., Value]):
        self._function, self._builder, self._width, self._place = function, builder, width, place
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
        function.attributes.alignstack = 8 * self._width
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
        emit_operations(builder, program, at, self._width, 8 * self._width)
        builder.ret_void()
        memory = self._builder.alloca(ir.VectorType(DOUBLE, self._width), len(procedure.inputs) + len(self._outputs[procedure]))
        memory.align = 8 * self._width
        return function, memory

    def _common(self, procedure: Procedure, index: int) -> Node | None:
        """The argument that all calls have."""
        first, *rest = (site.args[1 + index] for site in self._sites[procedure])
        return first if all(arg is first for arg in rest) else None

    def _slot(self, builder: Any, memory: Value, index: int) -> Value:
        return builder.gep(memory, [ir.Constant(INT, index)], source_etype=ir.VectorType(DOUBLE, self._width))

    def emit(self, site: Node, values: dict[int, Value]) -> dict[int, Value]:
        """A call, with values of nodes by their numbers; what it computes, by the number of the output."""
        procedure, *args = site.args
        function, memory = self._memory[procedure]
        for i, arg in enumerate(args):
            common = self._common(procedure, i)
            if common is None or (common.op != "input" and site is self._sites[procedure][0]):
                self._builder.store(values[arg.number], self._slot(self._builder, memory, i), align=8 * self._width)
        self._builder.call(function, [self._function.args[0], memory])
        slots = {output: self._slot(self._builder, memory, len(args) + i) for i, output in enumerate(self._outputs[procedure])}
        vector = ir.VectorType(DOUBLE, self._width)
        return {output: self._builder.load(slot, typ=vector, align=8 * self._width) for output, slot in slots.items()}


def emit_operations(
    builder: Any, program: Program, at: Callable[[str, int], Value], width: int, alignment: int, calls: Calls | None = None
) -> None:
    """The operations of a program on vectors, which are read and written `at` their addresses.

    Raises:
        UnknownPrimitive: An operation has no vector form.
    """
    vectors = Vectors(builder, width, contract=True)
    nodes = sorted_nodes(program.values())
    outputs: dict[int, dict[int, Value]] = {}
    values: dict[int, Value] = {}
    for node in nodes:
        if node.op == "input":
            values[node.number] = builder.load(at(*node.args), typ=vectors.type, align=alignment)
        elif node.op == "constant":
            value = node.args[0]
            values[node.number] = vectors.truth(value) if isinstance(value, bool) else vectors.number(value)
        elif node.op == "invoke":
            assert calls is not None
            outputs[node.number] = calls.emit(node, values)
        elif node.op == "result":
            values[node.number] = outputs[node.args[0].number][node.args[1]]
        else:
            values[node.number] = operation(vectors, node, [values[arg.number] for arg in node.args])
    for (name, index), node in program.items():
        builder.store(values[node.number], at(name, index), align=alignment)


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
    if f"vector_{name}" in module.globals:
        return module.globals[f"vector_{name}"]
    function = ir.Function(module, ir.FunctionType(v.type, [v.type] * arity), f"vector_{name}")
    function.linkage = "internal"
    function.attributes.add("alwaysinline")
    builder = ir.IRBuilder(function.append_basic_block())
    # Without contraction: these count on each rounding.
    builder.ret(FUNCTIONS[name](Vectors(builder, v.width), *function.args))
    return function


def _sign(v: Vectors, x: Value) -> Value:
    zero = v.number(0.0)
    return v.select(v.less(zero, x), v.number(1.0), v.select(v.less(x, zero), v.number(-1.0), x))


_OF_TRUTHS: Final = ("eq", "and", "or", "not", "select")
_OPERATIONS: Final[dict[str, Callable[..., Value]]] = {
    "add": Vectors.add,
    "sub": Vectors.sub,
    "mul": Vectors.mul,
    "div": Vectors.div,
    "neg": Vectors.neg,
    "hold": lambda v, x: x,
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
