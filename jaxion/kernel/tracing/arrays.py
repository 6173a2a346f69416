"""Arrays of nodes: what the rules of tracing are written in."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from jaxion.kernel.graph.nodes import Graph, Node

Rule = Callable[[Graph, Any, list[np.ndarray]], list[np.ndarray]]
"""Outputs of an equation of a jaxpr for its inputs, at least one of them an object array of nodes, the others known."""


class UnknownPrimitive(Exception):
    """A function uses a primitive of JAX that has no meaning on a graph.

    Args:
        name: Of the primitive, and what about it has no meaning.
        where: File and line in the user's code.
    """

    def __init__(self, name: str, where: str | None = None):
        super().__init__(name, where)
        self.name, self.where = name, where

    def __str__(self) -> str:
        return f"`{self.name}`" + (f" ({self.where})" if self.where else "")


def as_nodes(graph: Graph, value: np.ndarray | Node) -> np.ndarray:
    """An array of nodes, of constants where the value is known."""
    if isinstance(value, Node):
        return np.array(value, dtype=object)
    if value.dtype == object:
        return value
    if np.issubdtype(value.dtype, np.complexfloating):
        raise UnknownPrimitive("complex numbers")
    out = np.empty(value.shape, dtype=object)
    for index in np.ndindex(out.shape):
        out[index] = graph.constant(value[index].item())
    return out


def each(operation: Callable[..., Node], graph: Graph, inputs: Sequence[np.ndarray | Node]) -> np.ndarray:
    """An operation on nodes, entry by entry; a single number goes with every entry."""
    arrays = np.broadcast_arrays(*(as_nodes(graph, value) for value in inputs))
    out = np.empty(arrays[0].shape, dtype=object)
    for index in np.ndindex(out.shape):
        out[index] = operation(*(array[index] for array in arrays))
    return out


def selected(graph: Graph, condition: Node, then: np.ndarray, otherwise: np.ndarray) -> np.ndarray:
    """One array of nodes where the condition is true, else the other."""
    return each(lambda a, b: graph.select(condition, a, b), graph, [then, otherwise])


def chosen(graph: Graph, index: Node, cases: Sequence[np.ndarray]) -> np.ndarray:
    """Of several arrays of nodes the one with a number that is not known yet; the first and the last stand for all beyond them."""
    if len(cases) == 1:
        return cases[0]
    if index.op == "constant":
        return cases[min(max(int(index.args[0]), 0), len(cases) - 1)]
    if index.op == "select" and all(arg.op == "constant" for arg in index.args[1:]):
        condition, *numbers = index.args
        return selected(graph, condition, *(chosen(graph, number, cases) for number in numbers))
    middle = len(cases) // 2
    below = graph.call("lt", index, float(middle))
    low, high = chosen(graph, index, cases[:middle]), chosen(graph, index - float(middle), cases[middle:])
    return selected(graph, below, low, high)
