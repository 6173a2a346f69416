r"""The reverse of an accepted step as a straight line of operations on numbers: what the adjoint's machine code is made from.

Cotangents (`bar_…`) go back through $y_1, K, s_1 = \mathrm{step}(t, h, y, \theta, s)$ with the states s of the reductions.
A step is frozen as a part of its phase, $t = b + c\,(e - b)$ and $h = p\,(e - b)$, as in `replay`, so that edges have exact
derivatives as well. Rows saved within the step, at fractions $\vartheta$ of it, come as moments $M_p = \sum \vartheta^p \bar y$
of their cotangents: the dense output is a polynomial in ϑ, so that these say all, however many saves there are.
"""

import numpy as np

from jaxion.kernel.graph.derivatives import pullback
from jaxion.kernel.graph.nodes import Graph
from jaxion.kernel.programs.integration import IntegrationPrograms, moving, of_phase
from jaxion.kernel.programs.program import Layout, Nodes, Program, inputs, written
from jaxion.kernel.programs.step import combined, dot, reverse, stages, total

MOMENTS = 5
"""Powers of the fraction of a step, from 0, in the dense output."""

_WEIGHTS = np.array([[1, -1, 0, 0, 0], [0, 1, 0, 0, 0], [0, 1, -1, 0, 0], [0, 0, 1, -1, 0], [0, 0, 0, 1, -1]], float)
"""Coefficients of the powers of ϑ that multiply y, y₁, K₁, K₂ and K₃ in the dense output (`rodas5p.interpolate`)."""


class AdjointPrograms:
    """The programs of the reverse sweep, and the layout of its lanes.

    `back` takes the cotangents at the end of a step to its begin, and adds to those of parameters and edges.
    `first` adds what the begin of the reductions passes to the start.
    """

    def __init__(self, forward: IntegrationPrograms):
        rows, params, states = forward.system.rows, forward.system.params, sum(forward.sizes_reduced)
        self._forward = forward
        self.layout = Layout(
            {
                **dict.fromkeys(("t", "h", "begin", "end"), 1),
                **{"y": rows, "theta": params, "reduced": states},
                **{"bar_y": rows, "bar_theta": params, "bar_reduced": states, "bar_begin": 1, "bar_end": 1},
                "moments": MOMENTS * rows,
                # What belongs to the loop.
                **dict.fromkeys(("cell", "phase", "row", "save", "saves"), 1),
            }
        )
        self.back = self._back()
        self.first = self._first()

    def _back(self) -> Program:
        forward, graph = self._forward, Graph()
        rows = range(forward.system.rows)
        t, y, theta = moving(graph, forward.system)
        h, begin, end = (graph.input(name) for name in ("h", "begin", "end"))
        bar_y = inputs(graph, "bar_y", len(rows))
        moments = [inputs(graph, "moments", len(rows), p * len(rows)) for p in range(MOMENTS)]
        s = stages(forward.source, graph, t, h, y, theta)
        y1, K = combined(graph, s, y)
        folded = forward.folded(graph, t, h, y, y1, K, theta)
        states = inputs(graph, "reduced", len(folded))

        parts = [y, y1, *K]
        # What is folded into reductions and what is saved passes to the parts of the dense output, and the step back from these.
        flat = [node for part in parts for node in part]
        watched = pullback(folded, inputs(graph, "bar_reduced", len(folded)), [t, h, *flat, *theta, *states]) or _zeros(
            graph, 2 + len(flat) + len(theta)
        )
        bar_t, bar_h, rest = watched[0], watched[1], watched[2:]
        saved = [total(graph, _WEIGHTS[m], [moment[i] for moment in moments]) for m in range(MOMENTS) for i in rows]
        bars = [a + b for a, b in zip(saved, rest, strict=False)]
        bar_parts = [bars[m * len(rows) : (m + 1) * len(rows)] for m in range(MOMENTS)]
        bar_y1 = [a + b for a, b in zip(bar_y, bar_parts[1], strict=True)]
        pulled = reverse(graph, s, y, theta, bar_y1, bar_parts[2:])
        bar_t, bar_h = bar_t + pulled.t, bar_h + pulled.h
        back_y = [a + b for a, b in zip(pulled.y, bar_parts[0], strict=True)]
        back_theta = [a + b for a, b in zip(pulled.theta, rest[len(flat) :], strict=False)]

        # A fraction ϑ = (s − t)/h of a step that moves, ∂ϑ/∂t = −1/h and ∂ϑ/∂h = −ϑ/h, for saves at fixed times s.
        inverse = graph.select(s.none, 0.0, 1.0 / s.h)
        for shift in (0, 1):
            slope = graph.constant(0.0)
            for m, part in enumerate(parts):
                weights = _slopes(m, shift)
                slope = slope + dot(graph, part, [total(graph, weights, [x[i] for x in moments]) for i in rows])
            if shift:
                bar_h = bar_h - slope * inverse
            else:
                bar_t = bar_t - slope * inverse
        # A phase without duration changes nothing, but its derivative in the duration is the rate.
        bar_h = bar_h + graph.select(s.none, dot(graph, bar_y1, s.rates[0]), 0.0)
        at, part = of_phase(graph, t, h, begin, end)
        return {
            **written("bar_y", back_y),
            **written("bar_theta", [graph.input("bar_theta", i) + bar for i, bar in enumerate(back_theta)]),
            **written("bar_reduced", watched[len(watched) - len(states) :]),
            ("bar_begin", 0): graph.input("bar_begin") + (bar_t - (at * bar_t + part * bar_h)),
            ("bar_end", 0): graph.input("bar_end") + (at * bar_t + part * bar_h),
        }

    def _first(self) -> Program:
        forward, graph = self._forward, Graph()
        t, y, theta = moving(graph, forward.system)
        begun = [node for state in forward.begun(graph, t, y, theta) for node in state]
        pulled = pullback(begun, inputs(graph, "bar_reduced", len(begun)), [t, *y, *theta])
        names = [("bar_begin", 0), *(("bar_y", i) for i in range(len(y))), *(("bar_theta", i) for i in range(len(theta)))]
        return {name: graph.input(*name) + node for name, node in zip(names, pulled, strict=False)}


def _zeros(graph: Graph, count: int) -> Nodes:
    return [graph.constant(0.0) for _ in range(count)]


def _slopes(part: int, shift: int) -> np.ndarray:
    """Coefficients of the moments in the derivative of the weight of a part in ϑ, times ϑ to the power `shift`."""
    slopes = np.zeros(MOMENTS)
    slopes[shift : MOMENTS - 1 + shift] = _WEIGHTS[part, 1:] * np.arange(1, MOMENTS)
    return slopes
