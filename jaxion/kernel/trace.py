"""From plain JAX to a graph: the jaxpr of a function of one cell, run on arrays of nodes.

Elementwise primitives act on nodes one by one. Structural ones only move entries about: they are
run on the entries' positions instead. What is known at build time is computed by JAX itself.
"""

from collections.abc import Callable, Sequence
from typing import Any, Final

import jax
import jax.numpy as jnp
import numpy as np
from jax.extend.core import ClosedJaxpr

from jaxion.kernel.graph import ARITHMETIC, COMPARISONS, FUNCTIONS, Graph, Node


class UnknownPrimitive(Exception):
    """A function uses a JAX primitive that has no meaning on a graph; its name is the argument."""


LONGEST_LOOP: Final = 16
"""Loops with a known number of turns are unrolled up to this many: more would be compiled for longer than they save."""


def trace(function: Callable[..., Any], graph: Graph, *args: Sequence[Node] | Node) -> list[Node]:
    """Nodes of the outputs of `function`, called with numbers (nodes) and vectors (sequences of nodes).

    Args:
        function: Plain JAX, from numbers and vectors to a vector or number.
        graph: Where new nodes are made.
        *args: Nodes for each argument.

    Raises:
        UnknownPrimitive: The function uses a primitive that cannot be put into a graph.
    """
    arrays = [np.array(arg, dtype=object) for arg in args]
    shapes = [jax.ShapeDtypeStruct(array.shape, jnp.result_type(float)) for array in arrays]
    closed = jax.make_jaxpr(function)(*shapes)
    outputs = _run(graph, closed.jaxpr, closed.consts, arrays)
    return [node for out in outputs for node in _as_nodes(graph, out).ravel()]


def _run(graph: Graph, jaxpr: Any, consts: Sequence[Any], args: Sequence[Any]) -> list[np.ndarray]:
    """Outputs of a jaxpr; every value is an object array of nodes, or a NumPy array that is known."""
    values: dict[Any, np.ndarray] = {}

    def read(atom: Any) -> np.ndarray:
        return np.asarray(atom.val) if hasattr(atom, "val") else values[atom]

    values |= dict(zip(jaxpr.constvars, (np.asarray(c) for c in consts), strict=True))
    values |= dict(zip(jaxpr.invars, args, strict=True))
    for eqn in jaxpr.eqns:
        inputs = [read(atom) for atom in eqn.invars]
        outputs = _apply(graph, eqn, inputs)
        values |= dict(zip(eqn.outvars, outputs, strict=True))
    return [read(atom) for atom in jaxpr.outvars]


def _apply(graph: Graph, eqn: Any, inputs: list[np.ndarray]) -> list[np.ndarray]:
    name = eqn.primitive.name
    inner = _inner_jaxpr(eqn)
    if inner is not None:
        return _run(graph, inner.jaxpr, inner.consts, inputs)
    if not any(value.dtype == object for value in inputs):
        return _known(eqn, inputs)
    if name == "scan":
        return _unrolled(graph, eqn.params, inputs)
    if name in _ELEMENTWISE:
        operation = _ELEMENTWISE[name]
        return [_each(lambda *nodes: operation(graph, eqn.params, *nodes), graph, inputs)]
    if name in _REDUCTIONS:
        return [_reduced(graph, _REDUCTIONS[name], inputs[0], eqn.params["axes"])]
    if name == "dot_general":
        return [_dot(graph, *inputs, *eqn.params["dimension_numbers"])]
    if name in _MOVES:
        return [_MOVES[name](eqn.params, *(_as_nodes(graph, value) for value in inputs))]
    if name == "split":
        return np.split(inputs[0], np.cumsum(eqn.params["sizes"])[:-1], axis=eqn.params["axis"])
    if name in _POSITIONAL:
        return [_moved(graph, eqn, inputs)]
    raise UnknownPrimitive(name)


def _inner_jaxpr(eqn: Any) -> Any:
    """Jaxpr of a call that is only a wrapper."""
    if eqn.primitive.name in ("pjit", "jit", "closed_call", "core_call", "custom_jvp_call", "custom_vjp_call", "remat2", "checkpoint"):
        found = next(eqn.params[key] for key in ("jaxpr", "call_jaxpr", "fun_jaxpr") if key in eqn.params)
        return found if hasattr(found, "consts") else ClosedJaxpr(found, ())
    return None


def _known(eqn: Any, inputs: list[np.ndarray]) -> list[np.ndarray]:
    # A graph may be built while JAX traces something else.
    with jax.ensure_compile_time_eval():
        outputs = eqn.primitive.bind(*(jnp.asarray(value) for value in inputs), **eqn.params)
    return [np.asarray(out) for out in (outputs if eqn.primitive.multiple_results else [outputs])]


def _each(operation: Callable[..., Node], graph: Graph, inputs: list[np.ndarray]) -> np.ndarray:
    arrays = np.broadcast_arrays(*(_as_nodes(graph, value) for value in inputs))
    out = np.empty(arrays[0].shape, dtype=object)
    for index in np.ndindex(out.shape):
        out[index] = operation(*(array[index] for array in arrays))
    return out


def _as_nodes(graph: Graph, value: np.ndarray) -> np.ndarray:
    if value.dtype == object:
        return value
    out = np.empty(value.shape, dtype=object)
    for index in np.ndindex(out.shape):
        out[index] = graph.constant(value[index].item())
    return out


def _integer_power(graph: Graph, params: dict[str, Any], x: Node) -> Node:
    """A whole power by repeated squaring, which vectorises and has an exact derivative."""
    exponent, result, square = abs(params["y"]), None, x
    while exponent:
        if exponent & 1:
            result = square if result is None else result * square
        exponent >>= 1
        if exponent:
            square = square * square
    if result is None:
        return graph.constant(1.0)
    return 1.0 / result if params["y"] < 0 else result


def _converted(graph: Graph, params: dict[str, Any], x: Node) -> Node:
    if x.op in (*COMPARISONS, "and", "or", "not") and params["new_dtype"] != jnp.bool_:
        return graph.select(x, 1.0, 0.0)
    if not jnp.issubdtype(params["new_dtype"], jnp.floating) and params["new_dtype"] != jnp.bool_:
        raise UnknownPrimitive("convert_element_type to integers")
    return x


def _not(graph: Graph, _: Any, x: Node) -> Node:
    return graph.call("not", x)


_ELEMENTWISE: Final[dict[str, Callable[..., Node]]] = {
    **{name: lambda g, _, *args, name=name: getattr(g, name)(*args) for name in ARITHMETIC},
    **{name: lambda g, _, *args, name=name: g.call(name, *args) for name in FUNCTIONS if name not in ("mod", "pow")},
    **{name: lambda g, _, *args, name=name: g.call(name, *args) for name in ("lt", "le", "eq", "and", "or", "pow", "max", "min")},
    "rem": lambda g, _, a, b: g.call("mod", a, b),
    "add_any": lambda g, _, a, b: g.add(a, b),
    "gt": lambda g, _, a, b: g.call("lt", b, a),
    "ge": lambda g, _, a, b: g.call("le", b, a),
    "ne": lambda g, _, a, b: g.call("not", g.call("eq", a, b)),
    "not": _not,
    "is_finite": lambda g, _, x: g.call("finite", x),
    "square": lambda g, _, x: x * x,
    "rsqrt": lambda g, _, x: 1.0 / g.call("sqrt", x),
    "integer_pow": _integer_power,
    "convert_element_type": _converted,
    "stop_gradient": lambda g, _, x: g.call("hold", x),
    "copy": lambda g, _, x: x,
    "reduce_precision": lambda g, _, x: x,
    "optimization_barrier": lambda g, _, x: x,
    # select_n(which, case 0, case 1)
    "select_n": lambda g, _, which, *cases: g.select(which, *reversed(cases)) if len(cases) == 2 else _refuse("select_n"),
    "clamp": lambda g, _, low, x, high: g.call("min", g.call("max", x, low), high),
    "cbrt": lambda g, _, x: g.call("sign", x) * g.call("pow", g.call("abs", x), 1.0 / 3.0),
    "exp2": lambda g, _, x: g.call("exp", x * float(np.log(2.0))),
    "sinh": lambda g, _, x: 0.5 * (g.call("expm1", x) - g.call("expm1", -x)),
    "cosh": lambda g, _, x: 0.5 * (g.call("exp", x) + g.call("exp", -x)),
    "tan": lambda g, _, x: g.call("sin", x) / g.call("cos", x),
}
_REDUCTIONS: Final[dict[str, Callable[[Graph, Node, Node], Node]]] = {
    "reduce_sum": lambda g, a, b: g.add(a, b),
    "reduce_prod": lambda g, a, b: g.mul(a, b),
    "reduce_max": lambda g, a, b: g.call("max", a, b),
    "reduce_min": lambda g, a, b: g.call("min", a, b),
    "reduce_and": lambda g, a, b: g.call("and", a, b),
    "reduce_or": lambda g, a, b: g.call("or", a, b),
}
# The frequent ones by NumPy: JAX would compile each for every position.
_MOVES: Final[dict[str, Callable[..., np.ndarray]]] = {
    "reshape": lambda p, x: x.reshape(p["new_sizes"]),
    "squeeze": lambda p, x: np.squeeze(x, tuple(p["dimensions"])),
    "slice": lambda p, x: x[tuple(map(slice, p["start_indices"], p["limit_indices"], p["strides"] or (1,) * x.ndim))],
    "transpose": lambda p, x: np.transpose(x, p["permutation"]),
    "rev": lambda p, x: np.flip(x, p["dimensions"]),
    "concatenate": lambda p, *xs: np.concatenate(xs, axis=p["dimension"]),
    "stack": lambda p, *xs: np.stack(xs, axis=p["axis"]),
    "broadcast_in_dim": lambda p, x: _broadcast(x, p["shape"], p["broadcast_dimensions"]),
}
_POSITIONAL: Final = frozenset({"gather", "dynamic_slice", "dynamic_update_slice", "pad", "scatter", "expand_dims"})


def _refuse(name: str) -> Node:
    raise UnknownPrimitive(name)


def _broadcast(x: np.ndarray, shape: tuple[int, ...], dimensions: tuple[int, ...]) -> np.ndarray:
    sizes = [1] * len(shape)
    for axis, size in zip(dimensions, x.shape, strict=True):
        sizes[axis] = size
    return np.broadcast_to(x.reshape(sizes), shape)


def _moved(graph: Graph, eqn: Any, inputs: list[np.ndarray]) -> np.ndarray:
    """A primitive that moves entries, run on their numbers; indices must be known."""
    entries: list[Any] = []
    numbered: list[np.ndarray] = []
    for value, atom in zip(inputs, eqn.invars, strict=True):
        if value.dtype == object or jnp.issubdtype(atom.aval.dtype, jnp.floating):
            numbered.append(np.arange(len(entries), len(entries) + value.size).reshape(value.shape))
            entries += list(_as_nodes(graph, value).ravel())
        else:
            numbered.append(value)
    with jax.ensure_compile_time_eval():
        places = np.asarray(eqn.primitive.bind(*map(jnp.asarray, numbered), **eqn.params))
    if places.size and (places.min() < 0 or places.max() >= len(entries)):
        raise UnknownPrimitive(f"{eqn.primitive.name} out of bounds")
    out = np.empty(places.shape, dtype=object)
    for index in np.ndindex(places.shape):
        out[index] = entries[places[index]]
    return out


def _reduced(graph: Graph, combine: Callable[[Graph, Node, Node], Node], x: np.ndarray, axes: tuple[int, ...]) -> np.ndarray:
    kept = [axis for axis in range(x.ndim) if axis not in axes]
    rows = np.transpose(x, [*kept, *axes]).reshape([x.shape[axis] for axis in kept] + [-1])
    out = np.empty(rows.shape[:-1], dtype=object)
    for index in np.ndindex(out.shape):
        first, *rest = rows[index]
        for node in rest:
            first = combine(graph, first, node)
        out[index] = first
    return out


def _dot(graph: Graph, a: np.ndarray, b: np.ndarray, contracted: Any, batch: Any) -> np.ndarray:
    if any(batch):
        raise UnknownPrimitive("dot_general with batch dimensions")
    a, b = np.moveaxis(_as_nodes(graph, a), contracted[0], range(-len(contracted[0]), 0)), _as_nodes(graph, b)
    b = np.moveaxis(b, contracted[1], range(len(contracted[1])))
    left, right = a.shape[: a.ndim - len(contracted[0])], b.shape[len(contracted[1]) :]
    count = int(np.prod(a.shape[a.ndim - len(contracted[0]) :]))
    product = np.empty((int(np.prod(left)), int(np.prod(right))), dtype=object)
    for i, row in enumerate(a.reshape(-1, count)):
        for j, column in enumerate(b.reshape(count, -1).T):
            product[i, j] = sum((x * y for x, y in zip(row, column, strict=True)), start=graph.constant(0.0))
    return product.reshape(left + right)


def _unrolled(graph: Graph, params: dict[str, Any], inputs: list[np.ndarray]) -> list[np.ndarray]:
    turns, consts, carries = params["length"], params["num_consts"], params["num_carry"]
    if turns > LONGEST_LOOP:
        raise UnknownPrimitive(f"scan of {turns} turns")
    fixed, carry, sequences = inputs[:consts], inputs[consts : consts + carries], inputs[consts + carries :]
    collected = []
    for turn in reversed(range(turns)) if params["reverse"] else range(turns):
        body = params["jaxpr"]
        outputs = _run(graph, body.jaxpr, body.consts, [*fixed, *carry, *(np.asarray(sequence[turn]) for sequence in sequences)])
        carry = outputs[:carries]
        collected.append(outputs[carries:])
    if params["reverse"]:
        collected.reverse()
    return [*carry, *(np.stack([_as_nodes(graph, out) for out in series]) for series in zip(*collected, strict=True))]
