"""Rules of tracing for reductions, products of arrays and linear algebra, written out entry by entry."""

import functools
import math
from collections.abc import Callable, Mapping
from typing import Any, Final

import numpy as np

from jaxion.kernel.graph.derivatives import jacobian
from jaxion.kernel.graph.nodes import Graph, Node
from jaxion.kernel.tracing.arrays import Rule, UnknownPrimitive, as_nodes

Combine = Callable[[Graph, Node, Node], Node]

_COMBINED: Final[Mapping[str, tuple[Combine, float | bool]]] = {
    "sum": (lambda g, a, b: g.add(a, b), 0.0),
    "prod": (lambda g, a, b: g.mul(a, b), 1.0),
    "max": (lambda g, a, b: g.call("max", a, b), -math.inf),
    "min": (lambda g, a, b: g.call("min", a, b), math.inf),
    "and": (lambda g, a, b: g.call("and", a, b), True),
    "or": (lambda g, a, b: g.call("or", a, b), False),
}
"""How two entries become one, and what there is of none."""


def _reduction(combine: Combine, none: float | bool) -> Rule:
    def rule(graph: Graph, eqn: Any, inputs: list[np.ndarray]) -> list[np.ndarray]:
        x, axes = inputs[0], eqn.params["axes"]
        kept = [axis for axis in range(x.ndim) if axis not in axes]
        shape, count = tuple(x.shape[axis] for axis in kept), math.prod(x.shape[axis] for axis in axes)
        rows = np.transpose(x, [*kept, *axes]).reshape(*shape, count)
        out = np.empty(shape, dtype=object)
        for index in np.ndindex(shape):
            nodes = list(rows[index])
            if nodes and nodes[0].truth and not isinstance(none, bool):
                raise UnknownPrimitive(f"{eqn.primitive.name} of truth values")
            out[index] = functools.reduce(lambda a, b: combine(graph, a, b), nodes) if nodes else graph.constant(none)
        return [out]

    return rule


def _cumulative(combine: Combine) -> Rule:
    def rule(graph: Graph, eqn: Any, inputs: list[np.ndarray]) -> list[np.ndarray]:
        axis, step = eqn.params["axis"], -1 if eqn.params["reverse"] else 1
        parts = list(np.moveaxis(inputs[0], axis, 0))[::step]
        gathered = parts[:1]
        for part in parts[1:]:
            pairs = np.vectorize(lambda a, b: combine(graph, a, b), otypes=[object])
            gathered.append(pairs(gathered[-1], part))
        return [np.stack([np.asarray(part, dtype=object) for part in gathered[::step]], axis)]

    return rule


def _dot_general(graph: Graph, eqn: Any, inputs: list[np.ndarray]) -> list[np.ndarray]:
    """Σ over contracted axes; batch axes come first in what it gives, then those of the left, then those of the right."""
    (left, right), (left_batch, right_batch) = eqn.params["dimension_numbers"]
    a, b = (as_nodes(graph, value) for value in inputs)
    own_a = [axis for axis in range(a.ndim) if axis not in (*left, *left_batch)]
    own_b = [axis for axis in range(b.ndim) if axis not in (*right, *right_batch)]
    batches, rows, columns = (tuple(x.shape[axis] for axis in axes) for x, axes in ((a, left_batch), (a, own_a), (b, own_b)))
    count = math.prod(a.shape[axis] for axis in left)
    a = np.transpose(a, [*left_batch, *own_a, *left]).reshape(math.prod(batches), math.prod(rows), count)
    b = np.transpose(b, [*right_batch, *own_b, *right]).reshape(math.prod(batches), math.prod(columns), count)
    out = np.empty((len(a), a.shape[1], b.shape[1]), dtype=object)
    for batch, i, j in np.ndindex(out.shape):
        out[batch, i, j] = sum((x * y for x, y in zip(a[batch, i], b[batch, j], strict=True)), start=graph.constant(0.0))
    return [out.reshape(batches + rows + columns)]


def solved(graph: Graph, product: Callable[[list[Node]], list[Node]], right: list[Node]) -> list[Node]:
    """Solution x of `product(x)` = right side, where the product is linear, by elimination with the largest pivot of each column.

    Only entries that are not zero by structure take part. Derivatives of every order are those of the elimination.
    """
    unknowns = [graph.input("unknown of a linear system", i) for i in range(len(right))]
    rows, b, n = [dict(row) for row in jacobian(product(unknowns), unknowns)], list(right), len(right)
    zero = graph.constant(0.0)
    for k in range(n):
        candidates = [i for i in range(k, n) if k in rows[i]]
        if not candidates:
            return [graph.constant(math.nan)] * n
        first = candidates[0]
        rows[k], rows[first], b[k], b[first] = rows[first], rows[k], b[first], b[k]
        for i in candidates[1:]:
            larger = graph.call("lt", graph.call("abs", rows[k][k]), graph.call("abs", rows[i][k]))
            entries = sorted({*rows[k], *rows[i]})
            upper = {j: graph.select(larger, rows[i].get(j, zero), rows[k].get(j, zero)) for j in entries}
            lower = {j: graph.select(larger, rows[k].get(j, zero), rows[i].get(j, zero)) for j in entries}
            rows[k], rows[i] = upper, lower
            b[k], b[i] = graph.select(larger, b[i], b[k]), graph.select(larger, b[k], b[i])
        for i in range(k + 1, n):
            if k in rows[i]:
                factor = rows[i].pop(k) / rows[k][k]
                for j, entry in rows[k].items():
                    if j > k:
                        rows[i][j] = rows[i].get(j, zero) - factor * entry
                b[i] = b[i] - factor * b[k]
    x: list[Node] = [zero] * n
    for k in reversed(range(n)):
        x[k] = (b[k] - sum((entry * x[j] for j, entry in sorted(rows[k].items()) if j > k), start=zero)) / rows[k][k]
    return x


def _each_matrix(function: Callable[..., tuple[np.ndarray, ...]]) -> Rule:
    """A rule from a function of matrices, for each of a batch."""

    def rule(graph: Graph, eqn: Any, inputs: list[np.ndarray]) -> list[np.ndarray]:
        arrays = [as_nodes(graph, value) for value in inputs]
        batches = arrays[0].shape[:-2]
        results = {batch: function(graph, eqn.params, *(array[batch] for array in arrays)) for batch in np.ndindex(batches)}
        outputs = []
        for place, variable in enumerate(eqn.outvars):
            out = np.empty(variable.aval.shape, dtype=object)
            for batch, parts in results.items():
                out[batch] = parts[place]
            outputs.append(out)
        return outputs

    return rule


def _lu(graph: Graph, _: Any, given: np.ndarray) -> tuple[np.ndarray, ...]:
    """Both factors in one matrix, the row that each step changes places with, and the order of the rows."""
    a, (m, n) = given.copy(), given.shape
    order, pivots = np.array([graph.constant(i) for i in range(m)], dtype=object), []
    for k in range(min(m, n)):
        pivot, largest = graph.constant(k), graph.call("abs", a[k, k])
        for i in range(k + 1, m):
            larger = graph.call("lt", largest, graph.call("abs", a[i, k]))
            pivot, largest = graph.select(larger, float(i), pivot), graph.select(larger, graph.call("abs", a[i, k]), largest)
        for i in range(k + 1, m):
            here = graph.call("eq", pivot, float(i))
            for array in (*a.T, order):
                array[k], array[i] = graph.select(here, array[i], array[k]), graph.select(here, array[k], array[i])
        pivots.append(pivot)
        for i in range(k + 1, m):
            a[i, k] = a[i, k] / a[k, k]
            for j in range(k + 1, n):
                a[i, j] = a[i, j] - a[i, k] * a[k, j]
    return a, np.array(pivots, dtype=object), order


def _cholesky(graph: Graph, _: Any, a: np.ndarray) -> tuple[np.ndarray, ...]:
    n, zero = len(a), graph.constant(0.0)
    low = np.full((n, n), zero, dtype=object)
    for j in range(n):
        low[j, j] = graph.call("sqrt", a[j, j] - sum((x * x for x in low[j, :j]), start=zero))
        for i in range(j + 1, n):
            low[i, j] = (a[i, j] - sum((x * y for x, y in zip(low[i, :j], low[j, :j], strict=True)), start=zero)) / low[j, j]
    return (low,)


def _triangular_solve(graph: Graph, params: Mapping[str, Any], a: np.ndarray, b: np.ndarray) -> tuple[np.ndarray, ...]:
    lower = params["lower"] != params["transpose_a"]
    a = a.T if params["transpose_a"] else a
    if not params["left_side"]:
        a, b, lower = a.T, b.T, not lower
    x, zero = b.copy(), graph.constant(0.0)
    order = range(len(a)) if lower else range(len(a) - 1, -1, -1)
    for column in x.T:
        done: list[int] = []
        for i in order:
            rest = column[i] - sum((a[i, j] * column[j] for j in done), start=zero)
            column[i] = rest if params["unit_diagonal"] else rest / a[i, i]
            done.append(i)
    return (x if params["left_side"] else x.T,)


RULES: Final[Mapping[str, Rule]] = {
    **{f"reduce_{name}": _reduction(*pair) for name, pair in _COMBINED.items()},
    **{f"cum{name}": _cumulative(combine) for name, (combine, none) in _COMBINED.items() if not isinstance(none, bool)},
    "dot_general": _dot_general,
    "lu": _each_matrix(_lu),
    "cholesky": _each_matrix(_cholesky),
    "triangular_solve": _each_matrix(_triangular_solve),
}
