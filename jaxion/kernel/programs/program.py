"""What a program is: results of operations by name and index, and where a lane keeps such numbers."""

import dataclasses
from collections.abc import Callable, Sequence
from typing import Any

from jaxion.kernel.graph.nodes import Graph, Node
from jaxion.kernel.tracing.jaxprs import trace

Nodes = list[Node]

Program = dict[tuple[str, int], Node]
"""What is written, by name and index: results of operations on inputs by name and index."""


@dataclasses.dataclass(frozen=True)
class Layout:
    """Where a lane keeps its numbers.

    Args:
        sizes: How many there are of each, by name.
    """

    sizes: dict[str, int]

    @property
    def size(self) -> int:
        """How many there are in all."""
        return sum(self.sizes.values())

    def place(self, name: str, index: int = 0) -> int:
        """Number of one of them."""
        if not 0 <= index < self.sizes[name]:
            raise IndexError(f"{name}[{index}]")
        return self.first(name) + index

    def first(self, name: str) -> int:
        """Number of the first of a name, or of what follows if there are none."""
        names = list(self.sizes)
        return sum(self.sizes[before] for before in names[: names.index(name)])


def inputs(graph: Graph, name: str, size: int, first: int = 0) -> Nodes:
    """Inputs of one name, numbered."""
    return [graph.input(name, i) for i in range(first, first + size)]


def written(name: str, nodes: Nodes) -> Program:
    """Nodes written under one name, numbered."""
    return {(name, i): node for i, node in enumerate(nodes)}


def in_lane(function: Callable[..., Any], graph: Graph, *args: Node | Sequence[Node]) -> Nodes:
    """Nodes of what a function of arrays with the lanes last gives in one lane."""
    return trace(lambda *arrays: function(*(array[..., None] for array in arrays)), graph, *args)
