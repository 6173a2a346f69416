"""Procedures: parts of a program that it goes through more than once, each a function of its own in machine code.

A step evaluates the rates eight times and solves ten linear systems. Written out, it would grow so long that compiling
it takes most of the time. A procedure's derivatives are procedures, too.
"""

import functools
from collections.abc import Sequence
from typing import Final

from jaxion.kernel.derive import pullback, pushforward
from jaxion.kernel.graph import COMPARISONS, FUNCTIONS, LOGIC, Graph, Node, sorted_nodes, substitute

SHORT: Final = 700
"""Operations below which what would be a procedure is written out after all: a call passes its numbers through memory, which costs time."""

COSTLY: Final = frozenset(FUNCTIONS) - {"abs", "sign", "floor", "max", "min", "hold", "wide"} | {"div"}
"""Operations whose results a derivative takes over from the call that it belongs to."""


class Procedure:
    """Outputs as a function of inputs, in a graph of their own.

    Args:
        outputs: What it computes.
        inputs: What it computes them from: all inputs of the graph that the outputs need.
        order: Of the derivative that it is.
    """

    def __init__(self, outputs: Sequence[Node], inputs: Sequence[Node], order: int = 0):
        nodes = sorted_nodes(outputs)
        needed = {node.number for node in nodes}
        self._short = len(nodes) < SHORT
        self._needed = [i for i, node in enumerate(inputs) if node.number in needed]
        self.inputs = tuple(inputs[i] for i in self._needed)
        self._asked, self._costly = len(outputs), [node for node in nodes if node.op in COSTLY]
        # What is costly comes after what is asked for; nothing is computed that no one takes.
        self.outputs = (*outputs, *self._costly)
        self._order = order
        self._derivative = functools.cache(self._derive)

    def __call__(self, graph: Graph, args: Sequence[Node]) -> list[Node]:
        """The outputs for arguments in place of the inputs, as nodes of the arguments' graph."""
        given = [args[i] for i in self._needed]
        if self._short:
            named = {node.args: arg for node, arg in zip(self.inputs, given, strict=True)}
            return substitute(list(self.outputs[: self._asked]), graph, lambda *name: named[name])
        known = {node.number: arg for node, arg in zip(self.inputs, given, strict=True)}
        call = graph.invoke(self, given)

        def result(i: int, node: Node) -> Node:
            if node.op == "constant":
                return graph.constant(node.args[0])
            return known[node.number] if node.number in known else graph.result(call, i)

        return [result(i, node) for i, node in enumerate(self.outputs[: self._asked])]

    def pushed(self, call: Node, directions: dict[int, Node]) -> list[Node]:
        """Tangents of the outputs of a call along directions of some of its arguments, by number."""
        return self._derived(call, self._derivative(tuple(sorted(directions)), None), directions)

    def pulled(self, call: Node, bars: dict[int, Node], moving: tuple[int, ...]) -> list[Node]:
        """Cotangents of the arguments `moving` of a call from those of some of its outputs, by number."""
        return self._derived(call, self._derivative(moving, tuple(sorted(bars))), bars)

    def _derived(self, call: Node, derivative: "Procedure", extra: dict[int, Node]) -> list[Node]:
        costly = [call.graph.result(call, self._asked + i) for i in range(len(self._costly))]
        return derivative(call.graph, [*call.args[1:], *(extra[i] for i in sorted(extra)), *costly])

    def _derive(self, moving: tuple[int, ...], asked: tuple[int, ...] | None) -> "Procedure":
        """Procedure of the inputs, directions of those `moving` or cotangents of the outputs `asked`, and what was costly."""
        graph, wrt = self.inputs[0].graph, [self.inputs[i] for i in moving]
        extra = [graph.input(f"extra {self._order}", i) for i in (moving if asked is None else asked)]
        if asked is None:
            outputs = pushforward(self.outputs[: self._asked], wrt, extra)
        else:
            outputs = pullback([self.outputs[i] for i in asked], extra, wrt)
        own = Graph()
        costly = [own.input(f"costly {self._order}", i) for i in range(len(self._costly))]
        known = {node.number: new for node, new in zip(self._costly, costly, strict=True)}
        inputs = [own.input(*node.args) for node in (*self.inputs, *extra)]
        return Procedure(substitute(outputs, own, own.input, known), [*inputs, *costly], self._order + 1)


def hoisted(outputs: Sequence[Node], moving: Sequence[Node]) -> tuple[list[Node], list[Node], list[Node]]:
    """Outputs that take as inputs whatever does not depend on what is `moving` and is no input itself.

    Returns:
        The outputs in a new graph, those inputs there, and the nodes that they stand for in the old graph.
    """
    nodes, depends = sorted_nodes(outputs), {node.number for node in moving}
    for node in nodes:
        # Only numbers are inputs: what is true is found out again.
        if node.op in COMPARISONS or node.op in LOGIC or any(isinstance(arg, Node) and arg.number in depends for arg in node.args):
            depends.add(node.number)
    used = [arg for node in nodes if node.number in depends for arg in node.args if isinstance(arg, Node)]
    still = {arg.number: arg for arg in [*used, *outputs] if arg.number not in depends and arg.op not in ("input", "constant")}
    cut = [still[number] for number in sorted(still)]
    graph = Graph()
    inputs = [graph.input("still", i) for i in range(len(cut))]
    known = {node.number: new for node, new in zip(cut, inputs, strict=True)}
    return substitute(list(outputs), graph, graph.input, known), inputs, cut
