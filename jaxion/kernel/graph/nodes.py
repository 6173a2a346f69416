"""A scalar program as a graph: each node one operation on numbers, equal expressions one node.

The graph is what every lowering starts from. Building it simplifies (constants, neutral elements,
signs) and shares, so that derivatives written entry by entry cost little more than the function.
"""

import functools
import math
from collections.abc import Callable, Container, Hashable, Iterable, Mapping, Sequence
from typing import Any, Final

import numpy as np


class Node:
    """One operation on nodes; made by a `Graph` alone.

    Attributes:
        op: Name of the operation.
        args: Nodes that it acts on; of a leaf, its value or name.
        number: In the order in which nodes were made.
        graph: Where it was made.
        truth: Whether it is a truth value, and no number.
    """

    __slots__ = ("args", "graph", "number", "op", "truth")

    def __init__(self, op: str, args: tuple[Any, ...], number: int, graph: "Graph"):
        self.op, self.args, self.number, self.graph = op, args, number, graph
        self.truth: bool = args[1].truth if op == "select" else isinstance(args[0], bool) if op == "constant" else op in _TRUTHS

    def __add__(self, other: "Node | float") -> "Node":
        return self.graph.add(self, other)

    def __radd__(self, other: float) -> "Node":
        return self.graph.add(other, self)

    def __sub__(self, other: "Node | float") -> "Node":
        return self.graph.sub(self, other)

    def __rsub__(self, other: float) -> "Node":
        return self.graph.sub(other, self)

    def __mul__(self, other: "Node | float") -> "Node":
        return self.graph.mul(self, other)

    def __rmul__(self, other: float) -> "Node":
        return self.graph.mul(other, self)

    def __truediv__(self, other: "Node | float") -> "Node":
        return self.graph.div(self, other)

    def __rtruediv__(self, other: float) -> "Node":
        return self.graph.div(other, self)

    def __neg__(self) -> "Node":
        return self.graph.neg(self)

    def __repr__(self) -> str:
        inner = ", ".join(f"#{a.number}" if isinstance(a, Node) else repr(a) for a in self.args)
        return f"#{self.number} = {self.op}({inner})"


ARITHMETIC: Final = ("add", "sub", "mul", "div", "neg")
FUNCTIONS: Final[dict[str, Callable[..., Any]]] = {
    "exp": np.exp,
    "expm1": np.expm1,
    "log": np.log,
    "log1p": np.log1p,
    "sqrt": np.sqrt,
    "tanh": np.tanh,
    "logistic": lambda x: 0.5 * (1.0 + np.tanh(0.5 * x)) if x > -20 else np.exp(x) / (1.0 + np.exp(x)),
    "sin": np.sin,
    "cos": np.cos,
    "abs": np.abs,
    "sign": np.sign,
    "floor": np.floor,
    "asin": np.arcsin,
    "acos": np.arccos,
    "atan": np.arctan,
    "atan2": np.arctan2,
    "asinh": np.arcsinh,
    "acosh": np.arccosh,
    "atanh": np.arctanh,
    "erf": math.erf,
    "erfc": math.erfc,
    "pow": np.power,
    "max": np.maximum,
    "min": np.minimum,
    "mod": np.fmod,
    "hold": lambda x: x,
    "wide": lambda x: x,
}
"""Functions of numbers, with what they mean for floats.

`hold` is the number itself, through which no derivative passes; `wide` is the number itself, in double precision where that differs.
"""
COMPARISONS: Final[dict[str, Callable[..., Any]]] = {"lt": np.less, "le": np.less_equal, "eq": np.equal, "finite": np.isfinite}
LOGIC: Final[dict[str, Callable[..., Any]]] = {"and": np.logical_and, "or": np.logical_or, "not": np.logical_not}
"""Operations on truth values; with `select(condition, then, otherwise)` they are all that the graph knows."""
_TRUTHS: Final = frozenset(COMPARISONS) | frozenset(LOGIC)


class Graph:
    """Owner of nodes; its methods build them, simplified and shared."""

    def __init__(self) -> None:
        self._known: dict[tuple[Any, ...], Node] = {}

    @property
    def size(self) -> int:
        """How many nodes there are."""
        return len(self._known)

    def constant(self, value: float | int | bool) -> Node:
        """A number or truth value that is known now."""
        kind = bool if isinstance(value, bool | np.bool_) else float
        value = kind(value)
        # 0.0 and -0.0 are equal as keys, but not as numbers; a NaN is equal to nothing.
        return self._node("constant", (value,), ("constant", kind, repr(value)))

    def input(self, name: str, index: int = 0) -> Node:
        """A number that is given when the program runs."""
        return self._node("input", (name, index))

    def add(self, a: Any, b: Any) -> Node:
        """Sum a + b."""
        a, b = self._nodes(a, b)
        if _is(a, 0.0):
            return b
        if _is(b, 0.0):
            return a
        if b.op == "neg":
            return self.sub(a, b.args[0])
        if a.op == "neg":
            return self.sub(b, a.args[0])
        return self._fold("add", *_ordered(a, b), lambda x, y: x + y)

    def sub(self, a: Any, b: Any) -> Node:
        """Difference a − b."""
        a, b = self._nodes(a, b)
        if _is(b, 0.0):
            return a
        if _is(a, 0.0):
            return self.neg(b)
        if b.op == "neg":
            return self.add(a, b.args[0])
        return self._fold("sub", a, b, lambda x, y: x - y)

    def mul(self, a: Any, b: Any) -> Node:
        """Product a · b."""
        a, b = self._nodes(a, b)
        for x, y in ((a, b), (b, a)):
            if _is(x, 1.0):
                return y
            if _is(x, -1.0):
                return self.neg(y)
            if x.op == "neg":
                return self.neg(self.mul(x.args[0], y))
        if b.op == "constant":
            a, b = b, a
        if a.op == "constant" and b.op == "mul" and b.args[0].op == "constant":
            return self.mul(a.args[0] * b.args[0].args[0], b.args[1])
        return self._fold("mul", *_ordered(a, b), lambda x, y: x * y)

    def div(self, a: Any, b: Any) -> Node:
        """Ratio a / b, as a · (1/b): a division takes as long as a dozen products, and those by one number share its inverse."""
        a, b = self._nodes(a, b)
        if _is(a, 1.0) or (a.op == "constant" and b.op == "constant"):
            return self.quotient(a, b)
        return self.mul(a, self.quotient(1.0, b))

    def quotient(self, a: Any, b: Any) -> Node:
        """Quotient a / b, rounded once; differentiable where a is one."""
        return self._fold("div", *self._nodes(a, b), _divide)

    def neg(self, a: Any) -> Node:
        """−a."""
        (a,) = self._nodes(a)
        if a.op == "neg":
            return a.args[0]
        if a.op == "constant":
            return self.constant(-a.args[0])
        if a.op == "sub":
            return self.sub(a.args[1], a.args[0])
        return self._node("neg", (a,))

    def call(self, op: str, *args: Any) -> Node:
        """A function, comparison or logical operation by name."""
        meaning = FUNCTIONS.get(op) or COMPARISONS.get(op) or LOGIC[op]
        return self._fold(op, *self._nodes(*args), meaning)

    def select(self, condition: Node, then: Any, otherwise: Any) -> Node:
        """`then` where the condition is true, else `otherwise`."""
        then, otherwise = self._nodes(then, otherwise)
        if condition.op == "constant":
            return then if condition.args[0] else otherwise
        if then is otherwise:
            return then
        if then.truth and then.op == otherwise.op == "constant":
            return condition if then.args[0] else self.call("not", condition)
        return self._node("select", (condition, then, otherwise))

    def invoke(self, procedure: Hashable, args: Sequence[Node]) -> Node:
        """A call of a procedure, from which `result` takes what it computes."""
        return self._node("invoke", (procedure, *args))

    def result(self, invoked: Node, index: int) -> Node:
        """One output of a call."""
        return self._node("result", (invoked, index))

    def _nodes(self, *values: Any) -> tuple[Node, ...]:
        return tuple(value if isinstance(value, Node) else self.constant(value) for value in values)

    def _fold(self, op: str, *rest: Any) -> Node:
        *args, meaning = rest
        if all(arg.op == "constant" for arg in args):
            with np.errstate(all="ignore"):
                value = meaning(*(arg.args[0] for arg in args))
            return self.constant(value.item() if isinstance(value, np.generic) else value)
        return self._node(op, tuple(args))

    def _node(self, op: str, args: tuple[Any, ...], key: tuple[Any, ...] | None = None) -> Node:
        key = key or (op, *(arg.number if isinstance(arg, Node) else arg for arg in args))
        node = self._known.get(key)
        if node is None:
            node = self._known[key] = Node(op, args, len(self._known), self)
        return node


def zero_derivative(op: str) -> bool:
    """Whether an operation is flat wherever it has a derivative, or has truth values."""
    return op in _TRUTHS or op in ("sign", "floor", "hold", "constant", "input")


def sorted_nodes(outputs: Iterable[Node], known: Container[int] = ()) -> list[Node]:
    """All nodes that the outputs need, each after its arguments, without those `known` by number and what these alone need."""
    # Numbers grow as nodes are made, and arguments are made first.
    found: dict[int, Node] = {}
    stack = list(outputs)
    while stack:
        node = stack.pop()
        if node.number not in found and node.number not in known:
            found[node.number] = node
            stack += [arg for arg in node.args if isinstance(arg, Node)]
    return [found[number] for number in sorted(found)]


def evaluate(
    outputs: list[Node],
    inputs: Callable[[str, int], Any],
    functions: dict[str, Callable[..., Any]],
    known: Mapping[int, Any] | None = None,
) -> list[Any]:
    """Values of the outputs.

    Args:
        outputs: Nodes wanted.
        inputs: Value of an input by name and index; numbers or arrays of one shape.
        functions: What `select`, the functions, comparisons and logic (and `invoke` and `result`, if there are procedures) mean for
            these values; arithmetic is their own.
        known: Values of some nodes, by their numbers.
    """
    values: dict[int, Any] = dict(known or {})
    for node in sorted_nodes(outputs):
        if node.number in values:
            continue
        if node.op == "constant":
            value = node.args[0]
        elif node.op == "input":
            value = inputs(*node.args)
        else:
            args = [values[arg.number] if isinstance(arg, Node) else arg for arg in node.args]
            value = _ARITHMETIC[node.op](*args) if node.op in _ARITHMETIC else functions[node.op](*args)
        values[node.number] = value
    return [values[node.number] for node in outputs]


def substitute(
    outputs: list[Node], graph: Graph, inputs: Callable[[str, int], Node], known: Mapping[int, Node] | None = None
) -> list[Node]:
    """The outputs as nodes of `graph`, with other nodes in place of the inputs, and of those `known` by number."""
    calls: dict[str, Callable[..., Any]] = {name: functools.partial(graph.call, name) for name in (*FUNCTIONS, *COMPARISONS, *LOGIC)}

    def invoke(procedure: Hashable, *args: Any) -> Node:
        return graph.invoke(procedure, [arg if isinstance(arg, Node) else graph.constant(arg) for arg in args])

    values = evaluate(outputs, inputs, {**calls, "select": graph.select, "invoke": invoke, "result": graph.result}, known)
    return [value if isinstance(value, Node) else graph.constant(value) for value in values]


_ARITHMETIC: Final[dict[str, Callable[..., Any]]] = {
    "add": lambda a, b: a + b,
    "sub": lambda a, b: a - b,
    "mul": lambda a, b: a * b,
    "div": lambda a, b: a / b,
    "neg": lambda a: -a,
}


def _is(node: Node, value: float) -> bool:
    return node.op == "constant" and node.args[0] == value and not node.truth


def _ordered(a: Node, b: Node) -> tuple[Node, Node]:
    """Arguments of a commutative operation in one order, constants first, so that a·b and b·a are one node."""
    if b.op == "constant" or (a.op != "constant" and a.number > b.number):
        return b, a
    return a, b


def _divide(a: float, b: float) -> float:
    if b:
        return a / b
    return math.nan if a == 0 or math.isnan(a) else math.copysign(math.inf, a) * math.copysign(1.0, b)
