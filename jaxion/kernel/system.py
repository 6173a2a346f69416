"""A system of ordinary differential equations of one cell, and its derivatives for many cells side by side."""

import dataclasses
import functools
from collections.abc import Callable
from typing import Any, Final

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from jaxion.kernel.graph.derivatives import jacobian
from jaxion.kernel.graph.nodes import Graph, Node, evaluate, substitute
from jaxion.kernel.graph.procedures import Procedure, hoisted
from jaxion.kernel.tracing.arrays import UnknownPrimitive
from jaxion.kernel.tracing.jaxprs import trace

Lane = Float[Array, " lanes"]
Rows = Float[Array, "rows lanes"]
Params = Float[Array, "params lanes"]


@dataclasses.dataclass(frozen=True, eq=False)
class System:
    r"""$dy/dt = f(t, y, \theta)$ of one cell, in plain JAX.

    Compiled once each: keep the object, and use it for every batch.

    Args:
        f: From a number and vectors of shape `(rows,)` and `(params,)` to a vector `(rows,)`.
        rows: Number of rows of y.
        params: Number of parameters θ.
        observe: Optional further function of the same arguments, to a vector of observables that measures reduce.
        positive: Rows that must stay positive: a step that would take one to zero is not accepted.

    Example:
        >>> import jax.numpy as jnp
        >>> decay = System(lambda t, y, theta: -theta * y, rows=1, params=1)
        >>> decay.entries
        ((0, 0),)
    """

    f: Callable[[Any, Any, Any], Any]
    rows: int
    params: int
    observe: Callable[[Any, Any, Any], Any] | None = None
    positive: tuple[int, ...] = ()

    @functools.cached_property
    def graph(self) -> "SystemGraph | UnknownPrimitive":
        """The system as a graph; what stands in the way if it cannot be one."""
        try:
            return SystemGraph(self)
        except UnknownPrimitive as unknown:
            return unknown

    @property
    def entries(self) -> tuple[tuple[int, int], ...]:
        """Places (row, column) where the Jacobian ∂f/∂y is not zero by structure."""
        if isinstance(self.graph, UnknownPrimitive):
            return tuple((i, j) for i in range(self.rows) for j in range(self.rows))
        return tuple((i, j) for i, row in enumerate(self.graph.J) for j in row)

    def rate(self, t: Lane, y: Rows, theta: Params) -> Rows:
        """Rates f in every lane."""
        return jax.vmap(self.f, in_axes=(0, 1, 1), out_axes=1)(t, y, theta)

    def observables(self, t: Lane, y: Rows, theta: Params) -> Float[Array, "observables lanes"]:
        """The observables in every lane."""
        if self.observe is None:
            return jnp.zeros((0, *t.shape))
        return jax.vmap(self.observe, in_axes=(0, 1, 1), out_axes=1)(t, y, theta)

    def slopes(self, t: Lane, y: Rows, theta: Params) -> tuple[Float[Array, "rows rows lanes"], Rows]:
        """∂f/∂y and ∂f/∂t in every lane."""
        if isinstance(self.graph, UnknownPrimitive):
            return _slopes_by_jax(self, t, y, theta)
        return _slopes_by_graph(self.graph, t, y, theta)


class SystemGraph:
    """Nodes of f, and of its derivatives that are not zero by structure."""

    def __init__(self, system: System):
        self.graph = Graph()
        self.t = self.graph.input("t")
        self.y = [self.graph.input("y", i) for i in range(system.rows)]
        self.theta = [self.graph.input("theta", i) for i in range(system.params)]
        self.f = trace(system.f, self.graph, self.t, self.y, self.theta)
        self.J = jacobian(self.f, self.y)
        self.f_t = [row.get(0) for row in jacobian(self.f, [self.t])]

    @functools.cached_property
    def steps(self) -> "StepGraph":
        """What a step computes of them."""
        return StepGraph(self)


class StepGraph:
    """Procedures of time, rows, and what lasts: parameters, and whatever of the system depends on these alone.

    Attributes:
        places: Where ∂f/∂y is not zero by structure, in order.
        rates: The rates f.
        slopes: The rates, then ∂f/∂y at its places, then ∂f/∂t.
    """

    def __init__(self, system: SystemGraph):
        self.places = [(i, j) for i, row in enumerate(system.J) for j in sorted(row)]
        slopes = [system.J[i][j] for i, j in self.places] + [system.graph.constant(0.0) if node is None else node for node in system.f_t]
        outputs, lasting, self._lasting = hoisted([*system.f, *slopes], [system.t, *system.y])
        graph = outputs[0].graph
        inputs = [graph.input(*node.args) for node in (system.t, *system.y)] + lasting
        self.rates = Procedure(outputs[: len(system.f)], inputs)
        self.slopes = Procedure(outputs, inputs)

    def lasting(self, graph: Graph, theta: list[Node]) -> list[Node]:
        """Parameters that are needed, and what depends on parameters alone."""
        return substitute(self._lasting, graph, lambda _, i: theta[i])


def _slopes_by_graph(g: SystemGraph, t: Lane, y: Rows, theta: Params) -> tuple[Array, Array]:
    given = {"t": lambda _: t, "y": lambda i: y[i], "theta": lambda i: theta[i]}
    nodes: list[Node] = [node for row in _sorted(g.J) for node in row.values()] + [node for node in g.f_t if node is not None]
    values = iter([jnp.broadcast_to(value, t.shape) for value in evaluate(nodes, lambda name, i: given[name](i), LANES)])
    zero = jnp.zeros_like(t)
    J = jnp.stack([jnp.stack([next(values) if j in row else zero for j in range(len(y))]) for row in _sorted(g.J)])
    return J, jnp.stack([zero if node is None else next(values) for node in g.f_t])


def _sorted(J: list[dict[int, Node]]) -> list[dict[int, Node]]:
    return [dict(sorted(row.items())) for row in J]


def _slopes_by_jax(system: System, t: Lane, y: Rows, theta: Params) -> tuple[Array, Array]:
    unit = jnp.broadcast_to(jnp.eye(system.rows, dtype=y.dtype)[:, :, None], (system.rows, *y.shape))
    _, push = jax.linearize(lambda t, y: system.rate(t, y, theta), t, y)
    columns = jax.vmap(lambda dy: push(jnp.zeros_like(t), dy))(unit)
    return jnp.swapaxes(columns, 0, 1), push(jnp.ones_like(t), jnp.zeros_like(y))


LANES: Final[dict[str, Callable[..., Any]]] = {
    **{name: getattr(jnp, name) for name in ("exp", "expm1", "log", "log1p", "sqrt", "tanh", "sin", "cos", "abs", "sign", "floor")},
    "logistic": jax.nn.sigmoid,
    **{name: getattr(jnp, name) for name in ("asin", "acos", "atan", "atan2", "asinh", "acosh", "atanh")},
    "erf": jax.lax.erf,
    "erfc": jax.lax.erfc,
    "hold": jax.lax.stop_gradient,
    "wide": lambda x: x,
    "pow": jnp.power,
    "max": jnp.maximum,
    "min": jnp.minimum,
    "mod": jax.lax.rem,
    "lt": lambda a, b: a < b,
    "le": lambda a, b: a <= b,
    "eq": lambda a, b: a == b,
    "finite": jnp.isfinite,
    "and": lambda a, b: a & b,
    "or": lambda a, b: a | b,
    "not": lambda a: ~a,
    "select": jnp.where,
}
"""What the operations of a graph mean for arrays of lanes."""
