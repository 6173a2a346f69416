"""One turn of the lanes together with its tangent along one direction, as a straight line of operations on numbers.

The tangent of a number of a lane has its name behind `d_`. A step is frozen as a part of its phase, as in `replay`.
"""

from collections.abc import Iterable
from typing import Final

from jaxion.kernel.derive import pushforward
from jaxion.kernel.graph import Graph, Node, sorted_nodes
from jaxion.kernel.unrolled import Layout, Program, Unrolled, moving, of_phase, sampled
from jaxion.kernel.unrolled_step import rates

TANGENTS: Final = ("t", "y", "theta", "reduced", "begin", "end", "before", "K", "from", "length", "sample")
"""Numbers of a lane that have one."""


class UnrolledTangent:
    """The programs of `Unrolled` with their tangents, the layout of a lane, and that of a record of an accepted step."""

    def __init__(self, forward: Unrolled):
        self.record, self.single = forward.record, False
        self.layout = Layout({**forward.layout.sizes, **{f"d_{name}": forward.layout.sizes[name] for name in TANGENTS}})
        graph = Graph()
        program, h = forward.turned(graph)
        t, y, theta = moving(graph, forward.system)
        begin, end = graph.input("begin"), graph.input("end")
        _, part = of_phase(graph, t, h, begin, end)
        longer = part * (graph.input("d_end") - graph.input("d_begin"))
        turn = _with_tangents(graph, program, {h: longer})
        # A phase without duration changes nothing, but its derivative in the duration is the rate.
        none = graph.call("le", h, 0.0)
        for i, rate in enumerate(rates(forward.source, graph, t, y, theta)):
            turn["d_y", i] = turn["d_y", i] + graph.select(none, longer * rate, 0.0)
        self.turn = turn
        graph = Graph()
        self.enter = _with_tangents(graph, forward.entered(graph))
        graph = Graph()
        self.sample = _with_tangents(graph, sampled(graph, forward.system.rows))


def _with_tangents(graph: Graph, program: Program, known: dict[Node, Node] | None = None) -> Program:
    """A program that writes the tangents of what it writes as well; those of some nodes in it are known."""
    wrt = [node for node in _inputs(program) if node.args[0] in TANGENTS]
    directions = [graph.input(f"d_{node.args[0]}", node.args[1]) for node in wrt]
    places = [place for place in program if place[0] in TANGENTS]
    known = known or {}
    pushed = pushforward([program[place] for place in places], [*wrt, *known], [*directions, *known.values()])
    return {**program, **{(f"d_{name}", i): node for (name, i), node in zip(places, pushed, strict=True)}}


def _inputs(program: Program) -> Iterable[Node]:
    return (node for node in sorted_nodes(program.values()) if node.op == "input")
