"""One step of Rodas5P on the nodes of a graph, as in `xla.step`, its tangents, and its reverse."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from jaxion.kernel.graph.derivatives import Pushforward, pullback
from jaxion.kernel.graph.elimination import Factors, Place, factorised, growth, solved_transposed, solver
from jaxion.kernel.graph.nodes import Graph, Node
from jaxion.kernel.methods import rodas5p as method
from jaxion.kernel.programs.program import Nodes
from jaxion.kernel.system import SystemGraph


class Stages(NamedTuple):
    """What a step is made of.

    Attributes:
        h: Its length; `INSTANT` where there is `none`.
        k: Solution of each stage.
        at: Rows at which each stage takes the rates.
        times: When it does so.
        rates: Rates of each stage.
        held: What earlier stages pass to each, before it is divided by h.
        right: Right side of the linear system of each.
        J: Entries of ∂f/∂y at the begin of the step.
        f_t: ∂f/∂t there.
        W: 1/(hγ) − J.
        factors: Its elimination.
        solve: Solves a system with it.
        lasting: Parameters, and what depends on these alone: computed once.
    """

    none: Node
    h: Node
    k: list[Nodes]
    at: list[Nodes]
    times: Nodes
    rates: list[Nodes]
    held: list[Nodes]
    right: list[Nodes]
    J: dict[Place, Node]
    f_t: Nodes
    W: dict[Place, Node]
    factors: Factors
    solve: Callable[[Sequence[Node]], Nodes]
    lasting: Nodes


class Passed(NamedTuple):
    """Where a step passes.

    Attributes:
        t: When it begins.
        y: Rows there.
        y1: Rows at its end.
        K: Coefficients of its dense output.
        theta: Parameters.
    """

    t: Node
    y: Nodes
    y1: Nodes
    K: list[Nodes]
    theta: Nodes

    def at(self, part: float) -> Nodes:
        """Rows after a part of the step."""
        if part in (0.0, 1.0):
            return self.y1 if part else self.y
        return [method.interpolate(part, *numbers) for numbers in zip(self.y, self.y1, zip(*self.K, strict=True), strict=True)]


class Pulled(NamedTuple):
    """Cotangents of time, length, rows and parameters of a step."""

    t: Node
    h: Node
    y: Nodes
    theta: Nodes


def stages(source: SystemGraph, graph: Graph, t: Node, h: Node, y: Nodes, theta: Nodes) -> Stages:
    """All stages of a step."""
    rows = range(len(y))
    none = graph.call("le", h, 0.0)
    h = graph.select(none, method.INSTANT, h)
    lasting = source.steps.lasting(graph, theta)
    values = source.steps.slopes(graph, [t, *y, *lasting])
    first, J, f_t = values[: len(y)], dict(zip(source.steps.places, values[len(y) :], strict=False)), values[-len(y) :]
    shift, inverse_h = 1.0 / (h * method.GAMMA), 1.0 / h
    W = {place: -value for place, value in J.items()}
    W |= {(i, i): shift - J[i, i] if (i, i) in J else shift for i in rows}
    factors = factorised(W, len(y))
    found = Stages(none, h, [], [], [], [], [], [], J, f_t, W, factors, solver(factors), lasting)
    for stage in range(method.STAGES):
        at = [y[i] + graph.call("wide", total(graph, method.A[stage], [x[i] for x in found.k])) for i in rows]
        time = t + method.ALPHA[stage] * h if stage else t
        rate = source.steps.rates(graph, [time, *at, *lasting]) if stage else first
        held = [total(graph, method.C[stage], [x[i] for x in found.k]) for i in rows]
        right = [rate[i] + inverse_h * held[i] + (method.D[stage] * h) * f_t[i] for i in rows]
        found.at.append(at)
        found.times.append(time)
        found.rates.append(rate)
        found.held.append(held)
        found.right.append(right)
        found.k.append(found.solve(right))
    return found


def combined(graph: Graph, s: Stages, y: Nodes) -> tuple[Nodes, list[Nodes]]:
    """Rows at the end of a step, and coefficients of the dense output."""

    def of_stages(weights: np.ndarray, i: int) -> Node:
        return graph.select(s.none, 0.0, total(graph, weights, [k[i] for k in s.k]))

    rows = range(len(y))
    return [y[i] + graph.call("wide", of_stages(method.B, i)) for i in rows], [
        [of_stages(weights, i) for i in rows] for weights in method.H
    ]


def step(source: SystemGraph, graph: Graph, s: Stages, t: Node, y: Nodes, rounding: float) -> tuple[Nodes, Nodes, Nodes, list[Nodes]]:
    """Rows at the end of a step, both estimates of the error, coefficients of the dense output, where numbers have such a `rounding`."""
    rows = range(len(y))
    y1, K = combined(graph, s, y)
    middle = Passed(t, y, y1, K, []).at(0.5)
    rate = source.steps.rates(graph, [t + 0.5 * s.h, *middle, *s.lasting])
    lacking = [rate[i] - method.interpolated_rate(y[i], y1[i], [row[i] for row in K], s.h) for i in rows]
    # Without pivoting a matrix may lose all its digits; then no error is small enough.
    lost = graph.call("lt", 1.0 / rounding, growth(s.W, s.factors))
    error = [graph.select(lost, np.inf, s.k[-1][0]), *s.k[-1][1:]]

    def absent(nodes: Nodes) -> Nodes:
        """Nothing where the step has no length."""
        return [graph.select(s.none, 0.0, node) for node in nodes]

    return y1, absent(error), absent(s.solve(lacking)), K


def push_stages(push: Pushforward, s: Stages) -> None:
    r"""Let the tangents of the stages be known: of $W k_i = b_i$ they are $W^{-1} (\dot b_i - \dot W k_i)$, so that no elimination is differentiated."""
    changes = dict(zip(s.W, push(list(s.W.values())), strict=True))
    for k, right in zip(s.k, s.right, strict=True):
        changed = push(right)
        for (p, q), change in changes.items():
            changed[p] = changed[p] - change * k[q]
        push.set(k, s.solve(changed))


def reverse(graph: Graph, s: Stages, y: Nodes, theta: Nodes, bar_y1: Nodes, bar_K: list[Nodes]) -> Pulled:
    r"""Cotangents of a step from those of its end and of the coefficients of its dense output.

    Of $W k_i = b_i$ they are $\lambda_i = W^{-\top} \bar k_i$ for $b_i$, and $-\sum_i \lambda_i k_i^\top$ for W: no elimination is reversed.
    """
    rows, zero = range(len(y)), graph.constant(0.0)
    inverse_h = 1.0 / s.h

    def present(node: Node) -> Node:
        return graph.select(s.none, 0.0, node)

    bar_k = [
        [present(method.B[i] * bar_y1[p] + total(graph, method.H[:, i], [bar[p] for bar in bar_K])) for p in rows]
        for i in range(method.STAGES)
    ]
    bar_J, bar_f_t = dict.fromkeys(s.J, zero), [zero for _ in rows]
    bar_t, bar_h, bar_inverse, bar_shift = zero, zero, zero, zero
    bar_y, bar_lasting = list(bar_y1), [zero for _ in s.lasting]
    solve = solver(s.factors, solved_transposed)
    for i in reversed(range(method.STAGES)):
        right = solve(bar_k[i])
        bar_J = {(p, q): bar + right[p] * s.k[i][q] for (p, q), bar in bar_J.items()}
        bar_shift = bar_shift - dot(graph, right, s.k[i])
        if method.D[i]:
            bar_f_t = [bar + (method.D[i] * s.h) * x for bar, x in zip(bar_f_t, right, strict=True)]
            bar_h = bar_h + method.D[i] * dot(graph, right, s.f_t)
        bar_inverse = bar_inverse + dot(graph, right, s.held[i])
        passed = [inverse_h * x for x in right]
        outputs, bars = s.rates[i], right
        if i == 0:
            outputs, bars = [*outputs, *s.J.values(), *s.f_t], [*bars, *bar_J.values(), *bar_f_t]
        pulled = pullback(outputs, bars, [s.times[i], *s.at[i], *s.lasting])
        bar_t, bar_h = bar_t + pulled[0], bar_h + method.ALPHA[i] * pulled[0] if i else bar_h
        moved = pulled[1 : len(y) + 1]
        bar_y = [a + b for a, b in zip(bar_y, moved, strict=True)]
        bar_lasting = [a + b for a, b in zip(bar_lasting, pulled[len(y) + 1 :], strict=True)]
        for j in range(i):
            a, c = float(method.A[i, j]), float(method.C[i, j])
            bar_k[j] = [bar + a * moved[p] + c * passed[p] for p, bar in enumerate(bar_k[j])]
    bar_theta = pullback(s.lasting, bar_lasting, theta)
    # h itself, and what was made of it: 1/h and the shift 1/(hγ).
    bar_h = bar_h - inverse_h * inverse_h * (bar_inverse + bar_shift * (1.0 / method.GAMMA))
    return Pulled(bar_t, present(bar_h), bar_y, bar_theta)


def rates(source: SystemGraph, graph: Graph, t: Node, y: Nodes, theta: Nodes) -> Nodes:
    """Rates f."""
    return source.steps.rates(graph, [t, *y, *source.steps.lasting(graph, theta)])


def total(graph: Graph, weights: np.ndarray, nodes: Nodes) -> Node:
    """Weighted sum of the first nodes, without those of weight zero."""
    found = graph.constant(0.0)
    for weight, node in zip(weights.tolist(), nodes, strict=False):
        found = found + weight * node if weight else found
    return found


def dot(graph: Graph, a: Nodes, b: Nodes) -> Node:
    """Sum of products."""
    found = graph.constant(0.0)
    for x, y in zip(a, b, strict=True):
        found = found if _is_zero(x) or _is_zero(y) else found + x * y
    return found


def _is_zero(node: Node) -> bool:
    return node.op == "constant" and node.args[0] == 0.0
