r"""Tangents of a step by the variational equations $\dot z = J z + f_\theta \dot\theta$ along its course, on the nodes of a graph.

They are solved over the same step by `esdirk43`, whose systems all directions share; of each direction there are a few products. Exact
tangents of a Rosenbrock step take derivatives of J as well, which is more than twice as much. What comes out is as good as the steps are
for the tangents: nearly as good as for the state, except where that rests and its tangents set out for another rest.
"""

from collections.abc import Iterator

from jaxion.kernel.graph.derivatives import Pushforward
from jaxion.kernel.graph.elimination import factorised, solver
from jaxion.kernel.graph.nodes import Node
from jaxion.kernel.methods import esdirk43
from jaxion.kernel.programs.program import Nodes
from jaxion.kernel.programs.step import Passed, Stages, total
from jaxion.kernel.system import SystemGraph


def push_variation(push: Pushforward, source: SystemGraph, s: Stages, course: Passed, longer: Node) -> None:
    """Let the tangents of the end of a step and of its dense output be known, where its length grows at the rate `longer`."""
    graph, rows = s.h.graph, range(len(course.y))
    d_y = push(course.y)
    shift = 1.0 / (s.h * esdirk43.GAMMA)
    growth = longer * graph.select(s.none, 0.0, 1.0 / s.h)
    z, m = [], []
    for j, (J, g) in enumerate(_linearised(push, source, s, course, growth)):
        known = [d_y[i] + total(graph, esdirk43.A[j], [x[i] for x in m]) for i in rows]
        rate = list(g)
        for (p, q), entry in J.items():
            rate[p] = rate[p] + entry * known[q]
        if j == 0:
            z.append(known)
            m.append([s.h * x for x in rate])
        else:
            W = {place: -value for place, value in J.items()} | {(i, i): shift - J[i, i] if (i, i) in J else shift for i in rows}
            own = solver(factorised(W, len(rows)))(rate)
            z.append([a + b for a, b in zip(known, own, strict=True)])
            m.append([(1.0 / esdirk43.GAMMA) * x for x in own])
    # In the form of `rodas5p.interpolate`, where K₁ + K₂ follows from the slope at the end and K₁ + c K₂ from the second stage.
    c, none = esdirk43.C[1], [graph.constant(0.0)] * len(rows)
    change = [a - b for a, b in zip(z[-1], d_y, strict=True)]
    bent = [(z[1][i] - d_y[i] - c * change[i]) * (1.0 / (c * (1.0 - c))) for i in rows]
    both = [a - b for a, b in zip(change, m[-1], strict=True)]
    second = [(a - b) * (1.0 / (1.0 - c)) for a, b in zip(both, bent, strict=True)]
    first = [a - b for a, b in zip(both, second, strict=True)]
    push.set(course.y1, z[-1])
    for K, found in zip(course.K, (first, second, none), strict=True):
        push.set(K, found)


def _linearised(
    push: Pushforward, source: SystemGraph, s: Stages, course: Passed, growth: Node
) -> Iterator[tuple[dict[tuple[int, int], Node], Nodes]]:
    """At each stage ∂f/∂y at the places where it is not zero, and the tangent of f where rows do not move, with what the length's `growth` adds."""
    graph = s.h.graph
    moving = [course.t, s.h, *course.theta]
    tangents = Pushforward(moving, [*push([course.t]), growth * s.h, *push(course.theta)])
    for part in esdirk43.C:
        time, at = course.t + part * s.h if part else course.t, course.at(part)
        tangents.still(at)
        given = [time, *at, *s.lasting]
        values = source.steps.slopes(graph, given)
        f, J = values[: len(at)], dict(zip(source.steps.places, values[len(at) :], strict=False))
        yield J, [a + growth * b for a, b in zip(tangents(source.steps.rates(graph, given)), f, strict=True)]
