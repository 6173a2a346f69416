"""From graph to LLVM's intermediate language: operations on numbers become operations on vectors, one number for each lane."""

from collections.abc import Callable
from typing import Any, Final

from llvmlite import ir

from jaxion.kernel.graph.nodes import Node, sorted_nodes
from jaxion.kernel.graph.verify import verify
from jaxion.kernel.llvm.functions import FUNCTIONS
from jaxion.kernel.llvm.vectors import NARROW, Format, Vectors
from jaxion.kernel.programs.program import Program

Value = Any


def emit_operations(
    vectors: Vectors,
    program: Program,
    read: Callable[[str, int], Value],
    write: Callable[[str, int, Value], None],
    call: Callable[[Node, Callable[[Node], Value]], dict[int, Value]] | None = None,
    single: bool = False,
) -> None:
    """The operations of a program on `vectors`, which are read and written by name and index.

    A `call` of a procedure takes its node and what gives the values of its arguments to those of its outputs, by number. If `single`,
    vectors are of double precision, and what is none of the `wide_nodes` is computed in single precision.

    Raises:
        TypeError: An operation acts on a number in place of a truth value, or the other way round.
    """
    verify(program.values())
    wide, narrow = vectors, Vectors(vectors.builder, vectors.width, contract=True, format=NARROW)
    nodes = sorted_nodes(program.values())
    # What nobody reads is written as soon as it can be, so that nothing need be kept for it.
    kept = {node.args[0] for node in nodes if node.op == "input"}
    early: dict[int, list[tuple[str, int]]] = {}
    for place, node in program.items():
        if place[0] not in kept and node.op not in ("constant", "input"):
            early.setdefault(node.number, []).append(place)
    nodes = promptly(nodes, [node for (name, _), node in program.items() if name in kept])
    doubles = wide_nodes(nodes) if single else None
    outputs: dict[int, dict[int, Value]] = {}
    values: dict[tuple[int, Format], Value] = {}

    def value(node: Node, vectors: Vectors) -> Value:
        """A number in the format of some vectors, or a truth value."""
        key, other = (node.number, vectors.format), (node.number, (narrow if vectors is wide else wide).format)
        if key not in values:
            if node.op == "input":
                # Not before it is used: what is loaded too early has to be put aside.
                values[node.number, wide.format] = read(*node.args)
            if node.op == "constant":
                known = node.args[0]
                values[key] = vectors.truth(known) if isinstance(known, bool) else vectors.number(known)
            elif key not in values:
                given = values[other]
                values[key] = vectors.converted(given) if given.type in (wide.type, narrow.type) else given
        return values[key]

    written: set[tuple[str, int]] = set()
    for node in nodes:
        v = wide if doubles is None or node.number in doubles else narrow
        key = (node.number, v.format)
        if node.op == "invoke":
            assert call is not None
            outputs[node.number] = call(node, lambda arg: value(arg, wide))
        elif node.op == "result":
            values[node.number, wide.format] = outputs[node.args[0].number][node.args[1]]
        elif node.op not in ("constant", "input"):
            values[key] = operation(v, node, [value(arg, v) for arg in node.args])
        for place in early.pop(node.number, []):
            write(*place, value(node, wide))
            written.add(place)
    for place, node in program.items():
        if place not in written:
            write(*place, value(node, wide))


def promptly(nodes: list[Node], outputs: list[Node]) -> list[Node]:
    """Sorted nodes in an order in which whatever the outputs do not need comes as soon as there is what it needs itself."""
    needed = {node.number for node in sorted_nodes(outputs)}
    waiting = {node.number: {arg.number for arg in node.args if isinstance(arg, Node)} for node in nodes}
    users: dict[int, list[Node]] = {}
    for node in nodes:
        for number in waiting[node.number]:
            users.setdefault(number, []).append(node)
    order: list[Node] = []

    for node in nodes:
        if node.number not in needed and any(isinstance(arg, Node) for arg in node.args):
            continue
        # A list and no recursion: what follows from one number may be thousands of operations deep.
        ready = [node]
        while ready:
            order.append(ready.pop())
            for user in users.get(order[-1].number, []):
                waiting[user.number].discard(order[-1].number)
                if user.number not in needed and not waiting[user.number]:
                    ready.append(user)
    return order


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


LIBRARY: Final = ("asin", "acos", "atan", "atan2", "asinh", "acosh", "atanh", "erf", "erfc")
"""Functions that are left to the mathematical library of C."""
_SUMS: Final = ("add", "sub", "neg", "abs", "max", "min", "select", "hold", "lt", "le", "eq", "finite")
_OPERATIONS: Final[dict[str, Callable[..., Value]]] = {
    "add": Vectors.add,
    "sub": Vectors.sub,
    "mul": Vectors.mul,
    "div": Vectors.div,
    "neg": Vectors.neg,
    "hold": lambda v, x: x,
    "wide": lambda v, x: x,
    "sqrt": lambda v, x: v.intrinsic("sqrt", x),
    # Rare in physics of cells.
    "sin": lambda v, x: v.intrinsic("sin", x),
    "cos": lambda v, x: v.intrinsic("cos", x),
    **{name: lambda v, *args, name=name: v.by_library(name, *args) for name in LIBRARY},
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
