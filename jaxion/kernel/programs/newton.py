"""Newton's iteration, and what is told about where it ends, as straight lines of operations on numbers."""

import jax.numpy as jnp

from jaxion.kernel.graph.derivatives import jacobian
from jaxion.kernel.graph.elimination import Place, factorised, solved
from jaxion.kernel.graph.nodes import Graph, Node, substitute
from jaxion.kernel.methods.pseudo_newton import CONVERGED, GIVEN_UP, Iterate, moved
from jaxion.kernel.problem import Equilibrium
from jaxion.kernel.programs.program import Layout, Nodes, Program, in_lane, inputs, written
from jaxion.kernel.tracing.jaxprs import trace


class NewtonPrograms:
    """The programs of an equilibrium, and the layout of a lane.

    `turn` takes a step. `evidence` computes what unknowns are judged by: the residual, the Jacobians of the unknowns and of the
    dynamics (row by row), and the equilibrium's own evidence.
    """

    def __init__(self, equilibrium: Equilibrium):
        self._equilibrium = equilibrium
        graph = Graph()
        self._x, self._theta = inputs(graph, "x", equilibrium.rows), inputs(graph, "theta", equilibrium.params)
        self._rates, self._sizes, self._kept = (
            trace(function, graph, self._x, self._theta) for function in (equilibrium.rates, equilibrium.sizes, equilibrium.kept)
        )
        self.layout = Layout(
            {
                **dict.fromkeys(("x", "previous", "start"), equilibrium.rows),
                "theta": equilibrium.params,
                **dict.fromkeys(("tau", "tries", "max_steps", "stop", "cell"), 1),
            }
        )
        self.turn = self._turn(graph)
        self.evidence = self._evidence(graph)

    def _turn(self, graph: Graph) -> Program:
        equilibrium, rows = self._equilibrium, range(self._equilibrium.rows)
        previous, start = inputs(graph, "previous", equilibrium.rows), inputs(graph, "start", equilibrium.rows)
        tau, tries, max_steps = (graph.input(name) for name in ("tau", "tries", "max_steps"))
        W: dict[Place, Node] = {(i, j): -value for i, row in enumerate(jacobian(self._rates, self._x)) for j, value in row.items()}
        for i in rows:
            shift = self._sizes[i] / tau
            W[i, i] = W[i, i] + shift if (i, i) in W else shift
        step = solved(factorised(W, equilibrium.rows), self._rates)
        zero = graph.constant(0.0)
        change = [sum((slope * step[j] for j, slope in row.items()), start=zero) for row in jacobian(self._kept, self._x)]

        def move(*given):
            x, previous, tau, start, rates, step, kept, change = given
            at = Iterate(x, previous, tau, jnp.zeros_like(tau))
            return jnp.concatenate([jnp.atleast_2d(part) for part in moved(at, start, rates, step, kept, change, equilibrium.bounded)])

        *rest, tau, stop = in_lane(move, graph, self._x, previous, tau, start, self._rates, step, self._kept, change)
        tries = tries + 1.0
        # A cell that does not arrive is given up in the end.
        tired = graph.call("le", max_steps, tries)
        stop = graph.select(graph.call("and", tired, graph.call("not", graph.call("eq", stop, CONVERGED))), GIVEN_UP, stop)
        n = equilibrium.rows
        return {
            **written("x", rest[:n]),
            **written("previous", rest[n:]),
            **{("tau", 0): tau, ("tries", 0): tries, ("stop", 0): stop},
        }

    def _evidence(self, graph: Graph) -> Program:
        equilibrium, x, theta = self._equilibrium, self._x, self._theta
        zero = graph.constant(0.0)
        J = [{j: value / self._sizes[i] for j, value in row.items()} for i, row in enumerate(jacobian(self._rates, x))]
        residual, scaled = zero, []
        for row, rate, size in zip(J, self._rates, self._sizes, strict=True):
            slope = zero
            for value in row.values():
                slope = graph.call("max", slope, graph.call("abs", value))
            # A row that nothing moves is at rest everywhere: its condition number tells, not its residual.
            safe = graph.select(graph.call("eq", slope, 0.0), 1.0, slope)
            residual = graph.call("max", residual, graph.call("abs", rate / size) / safe)
            scaled.append({j: value / slope for j, value in row.items()})
        return {
            ("residual", 0): residual,
            **written("J", _dense(scaled, zero)),
            **written("A", _dense(self._dynamics(graph), zero)),
            **written("evidence", trace(equilibrium.evidence, graph, x, theta)),
        }

    def _dynamics(self, graph: Graph) -> list[dict[int, Node]]:
        """Jacobian of the dynamics of the rows that have any."""
        equilibrium = self._equilibrium
        at = trace(equilibrium.extend, graph, self._x, self._theta)
        apart = Graph()
        z, theta = inputs(apart, "z", len(at)), inputs(apart, "theta", equilibrium.params)
        rows = jacobian(trace(equilibrium.dynamics, apart, z, theta), z)
        places = [(i, j) for i, row in enumerate(rows) for j in row]
        given = {"z": at, "theta": self._theta}
        values = substitute([rows[i][j] for i, j in places], graph, lambda name, k: given[name][k])
        A = dict(zip(places, values, strict=True))
        m, silent = len(at) - equilibrium.silent, equilibrium.silent
        if silent:
            zero = graph.constant(0.0)
            inner = factorised({(i - m, j - m): value for (i, j), value in A.items() if i >= m and j >= m}, silent)
            for j in range(m):
                follows = solved(inner, [A.get((m + k, j), zero) for k in range(silent)])
                for i in range(m):
                    A[i, j] = A.get((i, j), zero) - sum((A[i, m + k] * follows[k] for k in range(silent) if (i, m + k) in A), start=zero)
        return [{j: A[i, j] for j in range(m) if (i, j) in A} for i in range(m)]


def _dense(rows: list[dict[int, Node]], zero: Node) -> Nodes:
    return [row.get(j, zero) for row in rows for j in range(len(rows))]
