"""From graph to LLVM's intermediate language: a program becomes a function that reads and writes the lanes' numbers in memory."""

from collections import Counter
from collections.abc import Callable
from typing import Any, Final

from llvmlite import ir

from jaxion.kernel.graph import Node, sorted_nodes
from jaxion.kernel.llvm_functions import FUNCTIONS
from jaxion.kernel.llvm_vectors import DOUBLE, INT, Vectors
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

    def at(name: str, index: int) -> Value:
        return builder.gep(function.args[0], [ir.Constant(INT, lanes * layout.place(name, index))], source_etype=DOUBLE)

    emit_operations(builder, program, at, width, alignment=8 * width)
    builder.ret_void()
    return function


def emit_operations(builder: Any, program: Program, at: Callable[[str, int], Value], width: int, alignment: int) -> None:
    """The operations of a program on vectors, which are read and written `at` their addresses.

    Raises:
        UnknownPrimitive: An operation has no vector form.
    """
    vectors = Vectors(builder, width, contract=True)
    nodes = sorted_nodes(program.values())
    divisions = Counter(node.args[1].number for node in nodes if node.op == "div")
    values: dict[int, Value] = {}
    inverses: dict[int, Value] = {}
    for node in nodes:
        if node.op == "input":
            values[node.number] = builder.load(at(*node.args), typ=vectors.type, align=alignment)
        elif node.op == "constant":
            value = node.args[0]
            values[node.number] = vectors.truth(value) if isinstance(value, bool) else vectors.number(value)
        elif node.op == "div" and divisions[node.args[1].number] > 1:
            # A division takes as long as a dozen products: those by one number, often a volume, share its inverse.
            above, below = (values[arg.number] for arg in node.args)
            if node.args[1].number not in inverses:
                inverses[node.args[1].number] = vectors.div(vectors.number(1.0), below)
            values[node.number] = vectors.mul(above, inverses[node.args[1].number])
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
