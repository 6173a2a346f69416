"""One turn of the lanes as a straight line of operations on numbers, in place of arrays: what machine code is made from.

The formulae of the step are those of `xla.step`; its control is traced from `step_control`, reductions from their own `fold`.
"""

from typing import Any

import jax.numpy as jnp
import numpy as np

from jaxion.kernel.graph.nodes import Graph, Node, substitute
from jaxion.kernel.methods import rodas5p as method
from jaxion.kernel.methods.lane import numbers
from jaxion.kernel.methods.reductions import NODES, Reduction
from jaxion.kernel.methods.step_control import Control, first_control, judged, reason_to_stop, within_phase
from jaxion.kernel.programs.program import Layout, Nodes, Program, in_lane, inputs, written
from jaxion.kernel.programs.step import Passed, Stages, rates, stages, step
from jaxion.kernel.system import System
from jaxion.kernel.tracing.arrays import UnknownPrimitive
from jaxion.kernel.tracing.jaxprs import trace


class IntegrationPrograms:
    """The programs of a system and its reductions, the layout of a lane, and that of a record of an accepted step.

    `turn` tries a step and moves on if it is accepted. `enter` prepares lanes whose phase (`fresh` = 1) or cell
    (`fresh` = 2) is new. In a `single` kernel `turn` is computed in single precision as far as that is enough. `sample` interpolates the rows at the time `due` within the step. Truth values are kept as zero and one.
    """

    def __init__(self, system: System, reductions: tuple[Reduction, ...], single: bool = False):
        if isinstance(system.graph, UnknownPrimitive):
            raise system.graph
        self.system, self.source, self._reductions, self.single = system, system.graph, reductions, single
        self._watched = Graph()
        self._observables = _observed(system, self._watched) if reductions else []
        graph = Graph()
        self.sizes_reduced = tuple(map(len, self.begun(graph, *moving(graph, system))))
        rows, reduced = system.rows, sum(self.sizes_reduced)
        self.layout = Layout(
            {
                **numbers(rows, reduced),
                # What a turn is given besides.
                **{"scale": rows, "theta": system.params},
                **dict.fromkeys(("begin", "end", "rtol", "max_steps"), 1),
                # What a turn tells about its step.
                **{"before": rows, "K": 3 * rows, "reduced_before": reduced},
                **dict.fromkeys(("from", "length", "good", "last", "stop"), 1),
                # What belongs to the loop.
                **dict.fromkeys(("cell", "fresh", "save", "due", "tail"), 1),
                "sample": rows,
            }
        )
        self.record = Layout({"link": 1, "t": 1, "h": 1, "phase": 1, "y": rows, "reduced": reduced})
        self.enter = self.entered(Graph())
        self.turn, *_ = self.turned(Graph())
        self.sample = sampled(Graph(), system.rows)

    def entered(self, graph: Graph) -> Program:
        """What lanes begin with that have a new phase or cell."""
        system = self.system
        t, y, theta = moving(graph, system)
        fresh = graph.input("fresh")
        new, cell = graph.call("lt", 0.0, fresh), graph.call("lt", 1.0, fresh)
        rate = rates(self.source, graph, t, y, theta)
        duration = graph.input("end") - graph.input("begin")
        first = controlled(in_lane(first_control, graph, rate, y, inputs(graph, "scale", system.rows), duration))
        states = [node for state in self.begun(graph, t, y, theta) for node in state]
        return {
            **{(name, 0): graph.select(new, number, graph.input(name)) for name, number in first.items()},
            ("fresh", 0): graph.constant(0.0),
            **written("reduced", [graph.select(cell, s, graph.input("reduced", i)) for i, s in enumerate(states)]),
        }

    def turned(self, graph: Graph) -> tuple[Program, Node, Stages, Passed]:
        """A step that is tried, its length, its stages, and where it passes."""
        system = self.system
        t, y, theta = moving(graph, system)
        scale = inputs(graph, "scale", system.rows)
        control = controlled([graph.input(name) for name in Control._fields])
        begin, end, tries, accepted, rtol, max_steps = (
            graph.input(name) for name in ("begin", "end", "tries", "accepted", "rtol", "max_steps")
        )
        last, h = in_lane(within_phase, graph, end, t, control["h"])
        s = stages(self.source, graph, t, h, y, theta)
        y1, error, between, K = step(self.source, graph, s, t, y, float(np.finfo(np.float32 if self.single else float).eps))

        def judge(h: Any, error: Any, between: Any, y: Any, y1: Any, scale: Any, rtol: Any, *control: Any) -> Any:
            return judged(Control(*control), h, (error, between), y, y1, scale, rtol[0], system.positive)

        good, *following = in_lane(judge, graph, h, error, between, y, y1, scale, rtol, *control.values())
        tries = tries + 1.0

        def stopped(good: Any, t: Any, h: Any, duration: Any, y1: Any, tries: Any, max_steps: Any) -> Any:
            return reason_to_stop(good > 0, t, h, duration, y1, system.positive, tries, max_steps[0])

        one = graph.select(good, 1.0, 0.0)
        (stop,) = in_lane(stopped, graph, one, t, h, end - begin, y1, tries, max_steps)
        moved = {
            "t": [graph.select(last, end, t + h)],
            "y": y1,
            "reduced": self.folded(graph, t, h, y, y1, K, theta),
        }
        told = {**controlled(following), "tries": tries, "accepted": accepted + one, "from": t, "length": h}
        program = {
            **{(name, i): graph.select(good, node, graph.input(name, i)) for name, nodes in moved.items() for i, node in enumerate(nodes)},
            **{(name, 0): node for name, node in told.items()},
            **{("good", 0): one, ("last", 0): graph.select(last, 1.0, 0.0), ("stop", 0): stop},
            **written("before", y),
            **written("reduced_before", inputs(graph, "reduced", sum(self.sizes_reduced))),
            **written("K", [node for row in K for node in row]),
        }
        return program, h, s, Passed(t, y, y1, K, theta)

    def begun(self, graph: Graph, t: Node, y: Nodes, theta: Nodes) -> list[Nodes]:
        """State of each reduction before the first step."""
        q = self._watch(graph, t, y, theta)
        return [in_lane(r.begin, graph, q[r.index]) for r in self._reductions]

    def folded(self, graph: Graph, t: Node, h: Node, y: Nodes, y1: Nodes, K: list[Nodes], theta: Nodes) -> Nodes:
        """States of all reductions after a step."""
        if not self._reductions:
            return []
        samples, passed = [], Passed(t, y, y1, K, theta)
        for at in NODES.tolist():
            samples.append(self._watch(graph, t + at * h, passed.at(at), theta))
        states, first = [], 0
        for r, size in zip(self._reductions, self.sizes_reduced, strict=True):
            state = inputs(graph, "reduced", size, first)
            states += in_lane(lambda t, h, q, *s, r=r: r.fold(s, t, h, q), graph, t, h, [q[r.index] for q in samples], *state)
            first += size
        return states

    def _watch(self, graph: Graph, t: Node, y: Nodes, theta: Nodes) -> Nodes:
        given = {"t": [t], "y": y, "theta": theta}
        return substitute(self._observables, graph, lambda name, i: given[name][i])


def controlled(nodes: Nodes) -> dict[str, Node]:
    """The numbers of a `Control`, by name."""
    return dict(zip(Control._fields, nodes, strict=True))


def sampled(graph: Graph, rows: int) -> Program:
    """The rows at the time that is due."""
    at, passed = due(graph, rows)
    return written("sample", [method.interpolate(at, *numbers) for numbers in passed])


def due(graph: Graph, rows: int) -> tuple[Node, list[tuple[Node, Node, Nodes]]]:
    """The part of the step after which a time is due, and what each row's dense output is made of."""
    y, y1, K = inputs(graph, "before", rows), inputs(graph, "y", rows), inputs(graph, "K", 3 * rows)
    at = (graph.input("due") - graph.input("from")) / graph.input("length")
    return at, [(y[i], y1[i], K[i::rows]) for i in range(rows)]


def of_phase(graph: Graph, t: Node, h: Node, begin: Node, end: Node) -> Nodes:
    """Where in its phase a step begins, and its length, as parts of the phase; all of one without duration."""
    none = graph.call("le", end, begin)
    inverse = 1.0 / graph.select(none, 1.0, end - begin)
    return [graph.select(none, 0.0, (t - begin) * inverse), graph.select(none, 1.0, h * inverse)]


def _observed(system: System, graph: Graph) -> Nodes:
    return trace(system.observe or (lambda t, y, theta: jnp.zeros(0)), graph, *moving(graph, system))


def moving(graph: Graph, system: System) -> tuple[Node, Nodes, Nodes]:
    """Time, rows and parameters of a lane."""
    return graph.input("t"), inputs(graph, "y", system.rows), inputs(graph, "theta", system.params)
