r"""How observables of a steady state respond to what shifts it, by the implicit function theorem.

$$\frac{dq}{d\delta} = \frac{\partial q}{\partial \delta} - \frac{\partial q}{\partial x}
  \left(\frac{\partial f}{\partial x}\right)^{-1} \frac{\partial f}{\partial \delta}, \qquad f(x, \theta, \delta) = 0$$
"""

import functools

from jaxion.kernel.graph.derivatives import jacobian
from jaxion.kernel.graph.elimination import factorised, growth, solved
from jaxion.kernel.graph.nodes import Graph, Node, substitute
from jaxion.kernel.problem import Response
from jaxion.kernel.programs.program import Layout, Nodes, Program, inputs, written
from jaxion.kernel.tracing.jaxprs import trace


class ResponseProgram:
    """The program of a response: `values` of the observables, their `matrix` of derivatives row by row, and the `growth` of pivots."""

    def __init__(self, response: Response):
        graph, (n, k) = Graph(), (response.rows, response.shifts)
        x, theta, shifts = inputs(graph, "x", n), inputs(graph, "theta", response.params), inputs(graph, "shifts", k)
        q = trace(response.observe, graph, x, theta, shifts)
        f = trace(response.rates, graph, x, theta, shifts) if k else []
        program: Program = written("values", q)
        if k:
            matrix, lost = _matrix(graph, q, f, x, shifts)
            program |= {**written("matrix", matrix), ("growth", 0): lost}
        given = {"x": x, "theta": theta, "shifts": [graph.constant(0.0)] * k}
        nodes = substitute(list(program.values()), graph, lambda name, i: given[name][i])
        self.program: Program = dict(zip(program, nodes, strict=True))
        self.asked = Layout({"x": n, "theta": response.params})
        self.told = Layout({"values": len(q), "matrix": len(q) * k, "growth": int(k > 0)})


def _matrix(graph: Graph, q: Nodes, f: Nodes, x: Nodes, shifts: Nodes) -> tuple[Nodes, Node]:
    zero = graph.constant(0.0)
    f_x, f_d, q_x, q_d = (jacobian(outputs, wrt) for outputs in (f, q) for wrt in (x, shifts))
    W = {(i, j): value for i, row in enumerate(f_x) for j, value in row.items()}
    W |= {(i, i): zero for i in range(len(x)) if (i, i) not in W}
    factors = factorised(W, len(x))
    if len(q) < len(shifts):
        # As many systems as there are observables, of the transposed matrix.
        transposed = factorised({(j, i): value for (i, j), value in W.items()}, len(x))
        weights = [solved(transposed, [row.get(j, zero) for j in range(len(x))]) for row in q_x]
        indirect = [[_dot(zero, {i: f_d[i][k] for i in range(len(x)) if k in f_d[i]}, w) for k in range(len(shifts))] for w in weights]
        factors = transposed
    else:
        moved = [solved(factors, [row.get(k, zero) for row in f_d]) for k in range(len(shifts))]
        indirect = [[_dot(zero, row, moved[k]) for k in range(len(shifts))] for row in q_x]
    matrix = [q_d[i].get(k, zero) - indirect[i][k] for i in range(len(q)) for k in range(len(shifts))]
    return matrix, growth(W, factors)


def _dot(zero: Node, sparse: dict[int, Node], dense: Nodes) -> Node:
    return functools.reduce(lambda total, item: total + item[1] * dense[item[0]], sparse.items(), zero)
