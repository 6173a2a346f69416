"""The turn of the lanes together with its tangents along many directions, as straight lines of operations on numbers.

The tangent of a number of a lane has its name behind `d_`. Whatever does not depend on a direction is computed once: a program of
`IntegrationPrograms` that has tangents also writes the slopes, `still`, that its `push` along each direction takes. A step is frozen as a part
of its phase, as in `replay`.
"""

from collections.abc import Callable
from typing import Final

from jaxion.kernel.graph.derivatives import Pushforward
from jaxion.kernel.graph.nodes import Graph, Node, sorted_nodes
from jaxion.kernel.graph.procedures import hoisted
from jaxion.kernel.methods import rodas5p as method
from jaxion.kernel.programs.integration import IntegrationPrograms, due, moving, of_phase, sampled
from jaxion.kernel.programs.program import Layout, Program, written
from jaxion.kernel.programs.step import push_stages, rates
from jaxion.kernel.programs.variation import push_variation

MOVING: Final = ("t", "y", "theta", "reduced", "begin", "end", "before", "K", "from", "length", "sample")
"""Numbers of a lane that have one."""


class TangentPrograms:
    """The programs of `IntegrationPrograms` with slopes, their pushes, and the layouts of a lane, its slopes, one direction of it, and a record of a step.

    Args:
        forward: What they are tangents of.
        tangents: One of `problem.TANGENTS`.

    Attributes:
        variational: Whether they are those of the variational equations, in single precision.
        pushes: By the name of the program that comes before: the tangents of what that one writes, if any of that has one.
    """

    def __init__(self, forward: IntegrationPrograms, tangents: str):
        self.record, self.single, self.variational = forward.record, False, tangents == "variational"
        self.layout, self.direction = forward.layout, Layout({f"d_{name}": forward.layout.sizes[name] for name in MOVING})
        self.pushes: dict[str, Program] = {}
        self.turn = self._split("turn", *self._turned(forward))
        self.enter = self._split("enter", forward.entered(Graph()), _pushed)
        self.sample = self._split("sample", sampled(Graph(), forward.system.rows), _pushed_sample)
        programs = (self.turn, self.enter, self.sample)
        self.slopes = Layout({"still": max(sum(name == "still" for name, _ in program) for program in programs)})

    def _turned(self, forward: IntegrationPrograms) -> tuple[Program, Callable[[Program, Pushforward], Program]]:
        graph = Graph()
        program, h, s, passed = forward.turned(graph)
        t, y, theta = moving(graph, forward.system)
        begin, end = graph.input("begin"), graph.input("end")
        _, part = of_phase(graph, t, h, begin, end)
        longer = part * (graph.input("d_end") - graph.input("d_begin"))

        def pushed(program: Program, push: Pushforward) -> Program:
            push.set([h], [longer])
            if self.variational:
                push_variation(push, forward.source, s, passed, longer)
            else:
                push_stages(push, s)
            turn = _pushed(program, push)
            # A phase without duration changes nothing, but its derivative in the duration is the rate.
            none = graph.call("le", h, 0.0)
            for i, rate in enumerate(rates(forward.source, graph, t, y, theta)):
                turn["d_y", i] = turn["d_y", i] + graph.select(none, longer * rate, 0.0)
            return turn

        return program, pushed

    def _split(self, name: str, program: Program, pushed: Callable[[Program, Pushforward], Program]) -> Program:
        """A program that writes slopes as well; its push is kept."""
        wrt = [node for node in sorted_nodes(program.values()) if node.op == "input" and node.args[0] in MOVING]
        push = pushed(program, Pushforward(wrt, [node.graph.input(f"d_{node.args[0]}", node.args[1]) for node in wrt]))
        outputs, _, slopes = hoisted(list(push.values()), [n for n in sorted_nodes(push.values()) if n.op == "input" and _of_direction(n)])
        if push:
            self.pushes[name] = dict(zip(push, outputs, strict=True))
        return {**program, **written("still", slopes)}


def _pushed_sample(program: Program, push: Pushforward) -> Program:
    """Tangents of the rows at the time that is due, after a part of the step that changes as the step does."""
    graph = program["sample", 0].graph
    at, passed = due(graph, len(program))
    # By themselves: with what each row begins and ends with they would be large, and cancel.
    push.still([at])
    tangents = _pushed(program, push)
    moved = (graph.input("d_from") + at * graph.input("d_length")) * (1.0 / graph.input("length"))
    for i, numbers in enumerate(passed):
        tangents["d_sample", i] = tangents["d_sample", i] - moved * method.slope(at, *numbers)
    return tangents


def _of_direction(node: Node) -> bool:
    return node.args[0].startswith("d_")


def _pushed(program: Program, push: Pushforward) -> Program:
    """Tangents of what a program writes."""
    places = [place for place in program if place[0] in MOVING]
    return {(f"d_{name}", i): node for (name, i), node in zip(places, push([program[place] for place in places]), strict=True)}
