r"""Sparse elimination without pivoting on the nodes of a graph: ordered when the kernel is built, then unrolled.

Meant for $1/(h\gamma) - J$, whose diagonal is shifted. Pivots are taken from the diagonal, the one first that may
fill in least (Markowitz), so that rows which hang on few others, like gates, are eliminated at almost no cost.
"""

import functools
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from jaxion.kernel.graph.nodes import Graph, Node
from jaxion.kernel.graph.procedures import Procedure

Place = tuple[int, int]


class Factors(NamedTuple):
    """An eliminated matrix: multipliers below, rows above, reciprocal pivots, in the order of elimination."""

    order: tuple[int, ...]
    entries: dict[Place, Node]
    inverse_pivots: dict[int, Node]


def elimination_order(places: Iterable[Place], size: int) -> tuple[int, ...]:
    """Order of diagonal pivots that keeps the product of the other entries in their row and column small.

    Example:
        An arrow: its head is last, so that nothing fills in.

        >>> elimination_order([(0, 0), (0, 1), (0, 2), (1, 0), (1, 1), (2, 0), (2, 2)], 3)
        (1, 0, 2)
    """
    columns = [{j for i, j in places if i == row} - {row} for row in range(size)]
    rows = [{i for i, j in places if j == column} - {column} for column in range(size)]
    left, order = set(range(size)), []
    while left:
        pivot = min(left, key=lambda k: (len(rows[k]) * len(columns[k]), len(rows[k]) + len(columns[k]), k))
        left.remove(pivot)
        order.append(pivot)
        for i in rows[pivot]:
            columns[i] = (columns[i] | columns[pivot]) - {i, pivot}
        for j in columns[pivot]:
            rows[j] = (rows[j] | rows[pivot]) - {j, pivot}
    return tuple(order)


def factorised(matrix: dict[Place, Node], size: int) -> Factors:
    """The elimination of a matrix given by its entries that are not zero; the diagonal must be among them."""
    order = elimination_order(tuple(matrix), size)
    entries, inverse_pivots = dict(matrix), {}
    for turn, k in enumerate(order):
        rest = order[turn + 1 :]
        inverse_pivots[k] = 1.0 / entries[k, k]
        for i in (i for i in rest if (i, k) in entries):
            multiplier = entries[i, k] = entries[i, k] * inverse_pivots[k]
            for j in (j for j in rest if (k, j) in entries):
                change = multiplier * entries[k, j]
                entries[i, j] = entries[i, j] - change if (i, j) in entries else -change
    return Factors(order, entries, inverse_pivots)


def solved(factors: Factors, right: Sequence[Node]) -> list[Node]:
    """Solution of one linear system."""
    order, entries, x = factors.order, factors.entries, list(right)
    for turn, k in enumerate(order):
        for i in (i for i in order[turn + 1 :] if (i, k) in entries):
            x[i] = x[i] - entries[i, k] * x[k]
    for turn, k in reversed(list(enumerate(order))):
        for j in (j for j in order[turn + 1 :] if (k, j) in entries):
            x[k] = x[k] - entries[k, j] * x[j]
        x[k] = x[k] * factors.inverse_pivots[k]
    return x


def solved_transposed(factors: Factors, right: Sequence[Node]) -> list[Node]:
    """Solution of one linear system with the transposed matrix."""
    order, entries, x = factors.order, factors.entries, list(right)
    for turn, k in enumerate(order):
        x[k] = x[k] * factors.inverse_pivots[k]
        for j in (j for j in order[turn + 1 :] if (k, j) in entries):
            x[j] = x[j] - entries[k, j] * x[k]
    for turn, k in reversed(list(enumerate(order))):
        for i in (i for i in order[turn + 1 :] if (i, k) in entries):
            x[k] = x[k] - entries[i, k] * x[i]
    return x


def solver(factors: Factors, solution: Callable[[Factors, Sequence[Node]], list[Node]] = solved) -> Callable[[Sequence[Node]], list[Node]]:
    """`solved` or `solved_transposed` for many right sides of one matrix, as a procedure."""
    own, size = Graph(), len(factors.order)
    right = [own.input("right", i) for i in range(size)]
    entries = {place: own.input("entry", i) for i, place in enumerate(factors.entries)}
    inverse_pivots = {k: own.input("inverse_pivot", k) for k in factors.inverse_pivots}
    outputs = solution(Factors(factors.order, entries, inverse_pivots), right)
    procedure = Procedure(outputs, [*right, *entries.values(), *inverse_pivots.values()])
    given = [*factors.entries.values(), *factors.inverse_pivots.values()]
    return lambda right: procedure(given[0].graph, [*right, *given])


def growth(matrix: dict[Place, Node], factors: Factors) -> Node:
    """Largest ratio of a diagonal entry to the pivot that became of it: near 1/rounding, elimination has lost all digits."""
    graph = factors.inverse_pivots[0].graph
    ratios = [graph.call("abs", matrix[k, k] * inverse) for k, inverse in factors.inverse_pivots.items()]
    return functools.reduce(functools.partial(graph.call, "max"), ratios)
