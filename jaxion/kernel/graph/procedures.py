"""Procedures: parts of a program that it goes through more than once, each a function of its own in machine code.

A step evaluates the rates eight times and solves ten linear systems. Written out, it would grow so long that compiling
it takes most of the time. A procedure's derivatives are procedures, too.
"""

import functools
from collections.abc import Sequence
from typing import Final

from jaxion.kernel.graph.derivatives import pullback, pushforward
from jaxion.kernel.graph.nodes import FUNCTIONS, Graph, Node, sorted_nodes, substitute

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
        self._pushforward, self._pullback = functools.cache(self._push), functools.cache(self._pull)

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
        slopes, tangents = self._pushforward(tuple(sorted(directions)))
        # Slopes do not depend on the direction: who asks for many directions computes them once.
        found = slopes(call.graph, self._passed_on(call)) if slopes else []
        return tangents(call.graph, [*(directions[i] for i in sorted(directions)), *found])

    def pulled(self, call: Node, bars: dict[int, Node], moving: tuple[int, ...]) -> list[Node]:
        """Cotangents of the arguments `moving` of a call from those of some of its outputs, by number."""
        return self._pullback(moving, tuple(sorted(bars)))(call.graph, [*self._passed_on(call), *(bars[i] for i in sorted(bars))])

    def _passed_on(self, call: Node) -> list[Node]:
        """The arguments of a call, and what in it was costly."""
        return [*call.args[1:], *(call.graph.result(call, self._asked + i) for i in range(len(self._costly)))]

    def _push(self, moving: tuple[int, ...]) -> "tuple[Procedure | None, Procedure]":
        """Procedures of what is passed on to slopes, if there are any, and of directions of inputs and these to tangents."""
        graph, wrt = self.inputs[0].graph, [self.inputs[i] for i in moving]
        directions = [graph.input(f"direction {self._order}", i) for i in moving]
        outputs, still, slopes = hoisted(pushforward(self.outputs[: self._asked], wrt, directions), directions)
        own = [still[0].graph.input(*node.args) for node in directions] if still else directions
        return self._after(slopes) if slopes else None, Procedure(outputs, [*own, *still], self._order + 1)

    def _pull(self, moving: tuple[int, ...], asked: tuple[int, ...]) -> "Procedure":
        """Procedure of what is passed on and of cotangents of the outputs `asked`."""
        graph = self.inputs[0].graph
        bars = [graph.input(f"bar {self._order}", i) for i in asked]
        return self._after(pullback([self.outputs[i] for i in asked], bars, [self.inputs[i] for i in moving]), bars)

    def _after(self, outputs: Sequence[Node], extra: Sequence[Node] = ()) -> "Procedure":
        """Procedure of what is passed on, and of extra inputs."""
        own = Graph()
        costly = [own.input(f"costly {self._order}", i) for i in range(len(self._costly))]
        known = {node.number: new for node, new in zip(self._costly, costly, strict=True)}
        inputs = [own.input(*node.args) for node in self.inputs]
        return Procedure(
            substitute(list(outputs), own, own.input, known),
            [*inputs, *costly, *(own.input(*node.args) for node in extra)],
            self._order + 1,
        )


def hoisted(outputs: Sequence[Node], moving: Sequence[Node]) -> tuple[list[Node], list[Node], list[Node]]:
    """Outputs in two parts: what depends on nodes that are `moving`, and whatever it takes that does not.

    Returns:
        The outputs in a new graph, as functions of `moving` inputs and of others, called "still"; these; and what they stand for in the
        old graph. Only numbers are inputs: what is true is passed as one, what is not as zero.
    """
    nodes, depends = sorted_nodes(outputs), {node.number for node in moving}
    for node in nodes:
        if any(isinstance(arg, Node) and arg.number in depends for arg in node.args):
            depends.add(node.number)
    used = [arg for node in nodes if node.number in depends for arg in node.args if isinstance(arg, Node)]
    still = {arg.number: arg for arg in [*used, *outputs] if arg.number not in depends and arg.op not in ("constant", "invoke")}
    graph, known, cut = Graph(), {}, []
    inputs = [graph.input("still", i) for i in range(len(still))]
    for own, number in zip(inputs, sorted(still), strict=True):
        node = still[number]
        known[number] = graph.call("lt", 0.0, own) if node.truth else own
        cut.append(node.graph.select(node, 1.0, 0.0) if node.truth else node)
    return substitute(list(outputs), graph, graph.input, known), inputs, cut
