"""Compiled functions for the rivals: jaxion's tracer turns plain JAX into straight-line code, Numba compiles it.

So there is one text of every equation, and each rival gets it in the fastest form that it can take: shared
subexpressions, and the exact sparse Jacobian that jaxion's own kernel uses.
"""

from collections.abc import Callable
from typing import Any

import numba

import jaxion
from jaxion.kernel.graph.derivatives import jacobian
from jaxion.kernel.graph.nodes import Graph, Node, sorted_nodes
from jaxion.kernel.tracing.jaxprs import trace

# A traced number is rounded to JAX's precision at that time: in single precision every constant would be off by up to 6e-8.
jaxion.enable_x64()

_FORMS = {
    **{"add": "{} + {}", "sub": "{} - {}", "mul": "{} * {}", "div": "{} / {}", "neg": "-{}"},
    **{name: f"math.{name}({{}})" for name in ("exp", "expm1", "log", "log1p", "sqrt", "tanh")},
    **{"max": "max({}, {})", "abs": "abs({})", "lt": "{} < {}", "le": "{} <= {}", "eq": "{} == {}", "select": "{1} if {0} else {2}"},
}


def function(f: Callable[..., Any], **sizes: int | None) -> Callable[..., None]:
    """Compiled `(*arguments, out)` of a function of numbers (size None) and vectors; the order of arguments is that of `sizes`."""
    graph, inputs = _inputs(sizes)
    outputs = trace(f, graph, *inputs.values())
    return _compile(inputs, {f"out[{i}]": node for i, node in enumerate(outputs)})


def derivative(f: Callable[..., Any], wrt: str, **sizes: int | None) -> Callable[..., None]:
    """Compiled `(*arguments, out)` of the Jacobian of `f` by one of its vectors; entries that are zero by structure are not written."""
    graph, inputs = _inputs(sizes)
    rows = jacobian(trace(f, graph, *inputs.values()), inputs[wrt])
    return _compile(inputs, {f"out[{i}, {j}]": node for i, row in enumerate(rows) for j, node in row.items()})


def _inputs(sizes: dict[str, int | None]) -> tuple[Graph, dict[str, Any]]:
    graph = Graph()
    return graph, {name: graph.input(name) if n is None else [graph.input(name, i) for i in range(n)] for name, n in sizes.items()}


def _compile(inputs: dict[str, Any], outputs: dict[str, Node]) -> Callable[..., None]:
    lines = [f"def compiled({', '.join(inputs)}, out):"]
    for node in sorted_nodes(outputs.values()):
        lines.append(f"    v{node.number} = {_text(node, inputs)}")
    lines += [f"    {place} = v{node.number}" for place, node in outputs.items()]
    space: dict[str, Any] = {}
    exec("import math\n" + "\n".join(lines), space)
    return numba.njit(fastmath=True, error_model="numpy")(space["compiled"])


def _text(node: Node, inputs: dict[str, Any]) -> str:
    if node.op == "constant":
        return repr(node.args[0])
    if node.op == "input":
        name, index = node.args
        return name if isinstance(inputs[name], Node) else f"{name}[{index}]"
    return _FORMS[node.op].format(*(f"v{arg.number}" for arg in node.args))
