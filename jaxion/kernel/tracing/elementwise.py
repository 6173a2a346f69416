"""Rules of tracing for primitives that act on entries one by one."""

import math
from collections.abc import Callable, Mapping
from typing import Any, Final

import jax.numpy as jnp
import numpy as np

from jaxion.kernel.graph.nodes import ARITHMETIC, FUNCTIONS, Graph, Node
from jaxion.kernel.tracing.arrays import Rule, UnknownPrimitive, chosen, each

Operation = Callable[..., Node]
"""Of the graph, the equation, and one node of each input."""


def truncated(graph: Graph, x: Node) -> Node:
    """A number without its fraction."""
    return graph.call("sign", x) * graph.call("floor", graph.call("abs", x))


def _is_whole(variable: Any) -> bool:
    return jnp.issubdtype(variable.aval.dtype, jnp.integer)


def _quotient(graph: Graph, eqn: Any, a: Node, b: Node) -> Node:
    return truncated(graph, graph.quotient(a, b)) if _is_whole(eqn.outvars[0]) else graph.div(a, b)


def _integer_power(graph: Graph, eqn: Any, x: Node) -> Node:
    """A whole power by repeated squaring, which vectorises and has an exact derivative."""
    power = eqn.params["y"]
    exponent, result, square = abs(power), None, x
    while exponent:
        if exponent & 1:
            result = square if result is None else result * square
        exponent >>= 1
        if exponent:
            square = square * square
    if result is None:
        return graph.constant(1.0)
    return 1.0 / result if power < 0 else result


def _converted(graph: Graph, eqn: Any, x: Node) -> Node:
    kind = eqn.params["new_dtype"]
    if kind == jnp.bool_:
        return x if x.truth else graph.call("not", graph.call("eq", x, 0.0))
    if jnp.issubdtype(kind, jnp.complexfloating):
        raise UnknownPrimitive("convert_element_type to complex numbers")
    if x.truth:
        return graph.select(x, 1.0, 0.0)
    if jnp.issubdtype(kind, jnp.integer) and not _is_whole(eqn.invars[0]):
        return truncated(graph, x)
    return x


def _rounded(graph: Graph, eqn: Any, x: Node) -> Node:
    """The nearest whole number; of two the even one, or the one further from zero."""
    if int(eqn.params["rounding_method"]) == 0:
        return graph.call("sign", x) * graph.call("floor", graph.call("abs", x) + 0.5)
    below = graph.call("floor", x)
    rest, above = x - below, below + 1.0
    even = graph.call("eq", graph.call("mod", below, 2.0), 0.0)
    return graph.select(
        graph.call("lt", rest, 0.5), below, graph.select(graph.call("lt", 0.5, rest), above, graph.select(even, below, above))
    )


def _logic(name: str) -> Operation:
    def operation(graph: Graph, _: Any, *args: Node) -> Node:
        if not all(arg.truth for arg in args):
            raise UnknownPrimitive(f"{name} of the bits of whole numbers")
        return graph.call("not", graph.call("eq", *args)) if name == "xor" else graph.call(name, *args)

    return operation


def _shifted(factor: Callable[[float], float]) -> Operation:
    def operation(graph: Graph, _: Any, x: Node, count: Node) -> Node:
        if count.op != "constant":
            raise UnknownPrimitive("shift by a number of bits that is not known")
        return graph.call("floor", x * factor(count.args[0]))

    return operation


def _select_n(graph: Graph, _: Any, which: Node, *cases: Node) -> Node:
    """`select_n(which, case 0, case 1, …)`; a truth value chooses between two."""
    if which.truth:
        return graph.select(which, cases[1], cases[0])
    return chosen(graph, which, [np.array(case, dtype=object) for case in cases]).item()


def _plain(name: str) -> Operation:
    return lambda graph, _, *args: graph.call(name, *args)


def _number(graph: Graph, x: Node) -> Node:
    return graph.select(x, 1.0, 0.0) if x.truth else x


def _ordered(name: str, swapped: bool = False) -> Operation:
    """A comparison; of truth values, false comes before true."""

    def operation(graph: Graph, _: Any, a: Node, b: Node) -> Node:
        a, b = _number(graph, a), _number(graph, b)
        return graph.call(name, *((b, a) if swapped else (a, b)))

    return operation


def _of_numbers(operation: Operation) -> Operation:
    """The operation, which is refused for truth values."""

    def checked(graph: Graph, eqn: Any, *args: Node) -> Node:
        if any(arg.truth for arg in args):
            raise UnknownPrimitive(f"{eqn.primitive.name} of truth values")
        return operation(graph, eqn, *args)

    return checked


def _polynomial(graph: Graph, _: Any, x: Node, *coefficients: Node) -> Node:
    """Σ cₙ xⁿ by Horner's rule."""
    *lower, total = coefficients
    for coefficient in reversed(lower):
        total = total * x + coefficient
    return total


def _same(graph: Graph, _: Any, x: Node) -> Node:
    return x


def _rule(operation: Operation) -> Rule:
    return lambda graph, eqn, inputs: [each(lambda *nodes: operation(graph, eqn, *nodes), graph, inputs)]


# Graph functions that JAX has under another name, or has not.
_OTHER_NAMES: Final = ("mod", "hold", "wide")
_NUMBERS: Final[Mapping[str, Operation]] = {
    **{name: lambda g, _, *args, name=name: getattr(g, name)(*args) for name in ARITHMETIC},
    **{name: _plain(name) for name in FUNCTIONS if name not in _OTHER_NAMES},
    "div": _quotient,
    "rem": _plain("mod"),
    "add_any": lambda g, _, a, b: g.add(a, b),
    "square": lambda g, _, x: x * x,
    "one_minus_square": lambda g, _, x: (1.0 - x) * (1.0 + x),
    "polynomial": _polynomial,
    "rsqrt": lambda g, _, x: 1.0 / g.call("sqrt", x),
    "integer_pow": _integer_power,
    "is_finite": _plain("finite"),
    "clamp": lambda g, _, low, x, high: g.call("min", g.call("max", x, low), high),
    "round": _rounded,
    "ceil": lambda g, _, x: -g.call("floor", -x),
    "shift_left": _shifted(lambda count: 2.0**count),
    **dict.fromkeys(("shift_right_logical", "shift_right_arithmetic"), _shifted(lambda count: 2.0**-count)),
    "cbrt": lambda g, _, x: g.call("sign", x) * g.call("pow", g.call("abs", x), 1.0 / 3.0),
    "exp2": lambda g, _, x: g.call("exp", x * math.log(2.0)),
    "log2": lambda g, _, x: g.call("log", x) * (1.0 / math.log(2.0)),
    "sinh": lambda g, _, x: 0.5 * (g.call("expm1", x) - g.call("expm1", -x)),
    "cosh": lambda g, _, x: 0.5 * (g.call("exp", x) + g.call("exp", -x)),
    "tan": lambda g, _, x: g.call("sin", x) / g.call("cos", x),
}
_ANY: Final[Mapping[str, Operation]] = {
    # In an order "to", which sorting and searching use, NaN has a place; here it has none.
    **dict.fromkeys(("lt", "lt_to"), _ordered("lt")),
    **dict.fromkeys(("le", "le_to"), _ordered("le")),
    "gt": _ordered("lt", swapped=True),
    "ge": _ordered("le", swapped=True),
    "eq": _plain("eq"),
    "ne": lambda g, _, a, b: g.call("not", g.call("eq", a, b)),
    **{name: _logic(name) for name in ("and", "or", "not", "xor")},
    "convert_element_type": _converted,
    "select_n": _select_n,
    "stop_gradient": lambda g, _, x: x if x.truth else g.call("hold", x),
    **dict.fromkeys(("copy", "reduce_precision", "name"), _same),
}
RULES: Final[Mapping[str, Rule]] = {
    **{name: _rule(_of_numbers(operation)) for name, operation in _NUMBERS.items()},
    **{name: _rule(operation) for name, operation in _ANY.items()},
    **dict.fromkeys(("optimization_barrier", "device_put"), lambda graph, eqn, inputs: inputs),
}
