"""Exact derivatives of a graph, entry by entry: only what is not structurally zero exists."""

import math
from collections.abc import Sequence
from typing import Any

from jaxion.kernel.graph.nodes import Graph, Node, sorted_nodes, zero_derivative

Tangents = dict[int, dict[int, Node]]
"""Derivatives of nodes, by their numbers, in each of several directions, where they are not zero."""


def jacobian(outputs: Sequence[Node], wrt: Sequence[Node]) -> list[dict[int, Node]]:
    """Forward derivatives: for each output, the entries ∂output/∂wrt[k] that are not zero, by k.

    For a solver, which needs the slope of what it computes: they pass through `hold`.
    """
    tangents: Tangents = {node.number: {k: node.graph.constant(1.0)} for k, node in enumerate(wrt)}
    for node in sorted_nodes(outputs):
        if node.number not in tangents:
            flat = zero_derivative(node.op) and node.op != "hold"
            tangents[node.number] = {} if flat else _push(node, tangents)
    return [tangents[output.number] for output in outputs]


def pushforward(outputs: Sequence[Node], wrt: Sequence[Node], directions: Sequence[Node]) -> list[Node]:
    """Forward derivative along one direction: Σ ∂output/∂wrt[k] · direction[k] for each output."""
    return Pushforward(wrt, directions)(outputs)


class Pushforward:
    """Forward derivatives along one direction, of nodes asked for one after the other.

    Args:
        wrt: Nodes that have a direction.
        directions: Those.
    """

    def __init__(self, wrt: Sequence[Node], directions: Sequence[Node]):
        self._tangents: Tangents = {}
        self.set(wrt, directions)

    def set(self, nodes: Sequence[Node], tangents: Sequence[Node]) -> None:
        """Say what the tangents of some nodes are, whatever they are computed from."""
        for node, tangent in zip(nodes, tangents, strict=True):
            self._tangents[node.number] = {0: tangent}

    def still(self, nodes: Sequence[Node]) -> None:
        """Say that some nodes do not move, whatever they are computed from."""
        for node in nodes:
            self._tangents[node.number] = {}

    def __call__(self, outputs: Sequence[Node]) -> list[Node]:
        """Tangent of each output."""
        for node in sorted_nodes(outputs, self._tangents):
            self._tangents[node.number] = {} if zero_derivative(node.op) else _push(node, self._tangents)
        return [self._tangents[output.number].get(0, output.graph.constant(0.0)) for output in outputs]


def pullback(outputs: Sequence[Node], cotangents: Sequence[Node], wrt: Sequence[Node]) -> list[Node]:
    """Reverse derivatives: Σ cotangent · ∂output/∂wrt[k] for each k; they may be any nodes, and count as independent of each other."""
    if not outputs:
        return []
    graph, nodes = outputs[0].graph, sorted_nodes(outputs)
    # Only what depends on `wrt` carries a cotangent.
    independent = {node.number for node in wrt}
    moving = set(independent)
    for node in nodes:
        if any(isinstance(arg, Node) and arg.number in moving for arg in node.args) and not zero_derivative(node.op):
            moving.add(node.number)
    gathered: dict[int, Node] = {}

    def give(node: Node, value: Node) -> None:
        if node.number in moving:
            gathered[node.number] = gathered[node.number] + value if node.number in gathered else value

    for output, cotangent in zip(outputs, cotangents, strict=True):
        give(output, cotangent)
    asked: dict[int, dict[int, Node]] = {}
    for node in reversed(nodes):
        if node.number in asked:
            procedure, *args = node.args
            passive = tuple(i for i, arg in enumerate(args) if arg.number in moving)
            for i, bar in zip(passive, procedure.pulled(node, asked[node.number], passive), strict=True):
                give(args[i], bar)
        elif node.number in gathered and node.number not in independent and not zero_derivative(node.op):
            bar = gathered[node.number]
            if node.op == "result":
                call, index = node.args
                asked.setdefault(call.number, {})[index] = bar
            elif node.op == "select":
                condition, then, otherwise = node.args
                zero = graph.constant(0.0)
                give(then, graph.select(condition, bar, zero))
                give(otherwise, graph.select(condition, zero, bar))
            else:
                for arg, partial in zip(node.args, partials(node), strict=True):
                    give(arg, bar * partial)
    return [gathered.get(node.number, graph.constant(0.0)) for node in wrt]


def _push(node: Node, tangents: Tangents) -> dict[int, Node]:
    graph, pushed = node.graph, {}
    if node.op == "result":
        call, output = node.args
        procedure, *args = call.args
        for k in sorted({k for arg in args for k in tangents[arg.number]}):
            directions = {i: tangents[arg.number][k] for i, arg in enumerate(args) if k in tangents[arg.number]}
            pushed[k] = procedure.pushed(call, directions)[output]
    elif node.op == "select":
        condition, then, otherwise = node.args
        a, b, zero = tangents[then.number], tangents[otherwise.number], graph.constant(0.0)
        pushed = {k: graph.select(condition, a.get(k, zero), b.get(k, zero)) for k in sorted({*a, *b})}
    elif node.op != "invoke" and any(tangents[arg.number] for arg in node.args):
        for arg, partial in zip(node.args, partials(node), strict=True):
            for k, tangent in tangents[arg.number].items():
                term = partial * tangent
                pushed[k] = pushed[k] + term if k in pushed else term
    return {k: value for k, value in pushed.items() if not (value.op == "constant" and value.args[0] == 0.0)}


def partials(node: Node) -> list[Node]:
    """Derivative of an operation in each of its arguments."""
    graph, one = node.graph, node.graph.constant(1.0)
    a: Any = node.args[0]
    b: Any = node.args[-1]
    match node.op:
        case "add":
            return [one, one]
        case "sub":
            return [one, -one]
        case "mul":
            return [b, a]
        case "div":
            return [node, -(node * node)]
        case "neg":
            return [-one]
        case "hold" | "wide":
            return [one]
        case "exp":
            return [node]
        case "expm1":
            return [node + 1.0]
        case "log":
            return [1.0 / a]
        case "log1p":
            return [1.0 / (a + 1.0)]
        case "sqrt":
            return [0.5 / node]
        case "tanh":
            return [1.0 - node * node]
        case "logistic":
            return [node * (1.0 - node)]
        case "sin":
            return [graph.call("cos", a)]
        case "cos":
            return [-graph.call("sin", a)]
        case "asin" | "acos":
            slope = 1.0 / graph.call("sqrt", (1.0 - a) * (1.0 + a))
            return [slope if node.op == "asin" else -slope]
        case "atan":
            return [1.0 / (1.0 + a * a)]
        case "atan2":
            inverse = 1.0 / (a * a + b * b)
            return [b * inverse, -(a * inverse)]
        case "asinh":
            return [1.0 / graph.call("sqrt", a * a + 1.0)]
        case "acosh":
            return [1.0 / graph.call("sqrt", (a - 1.0) * (a + 1.0))]
        case "atanh":
            return [1.0 / ((1.0 - a) * (1.0 + a))]
        case "erf" | "erfc":
            slope = (2.0 / math.sqrt(math.pi)) * graph.call("exp", -(a * a))
            return [slope if node.op == "erf" else -slope]
        case "abs":
            return [graph.select(graph.call("lt", a, 0.0), -1.0, 1.0)]
        case "pow":
            return _power(graph, node, a, b)
        case "max" | "min":
            return _extremum(graph, node.op, a, b)
        case "mod":
            return [one, -_truncated(graph, graph.quotient(a, b))]
    raise NotImplementedError(node.op)


def _power(graph: Graph, node: Node, a: Node, b: Node) -> list[Node]:
    slope = b * graph.call("pow", a, b - 1.0)
    if b.op == "constant":
        return [slope, graph.constant(0.0)]
    # 0^b is flat in b for b > 0; log 0 must not spoil it.
    positive = graph.call("lt", graph.constant(0.0), a)
    logarithm = graph.call("log", graph.select(positive, a, 1.0))
    return [slope, graph.select(positive, node * logarithm, 0.0)]


def _extremum(graph: Graph, op: str, a: Node, b: Node) -> list[Node]:
    """The larger (smaller) argument passes the derivative; equal ones share it, as JAX has it."""
    below = graph.call("lt", *((b, a) if op == "max" else (a, b)))
    share = graph.select(graph.call("eq", a, b), 0.5, 0.0)
    first = graph.select(below, 1.0, share)
    return [first, 1.0 - first]


def _truncated(graph: Graph, x: Node) -> Node:
    return graph.call("sign", x) * graph.call("floor", graph.call("abs", x))
