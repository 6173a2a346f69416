"""Rules of tracing for primitives that move entries about, at places that are known or that depend on nodes."""

import functools
import itertools
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import jax
import jax.numpy as jnp
import numpy as np
from jax.lax import GatherScatterMode

from jaxion.kernel.graph.nodes import Graph, Node
from jaxion.kernel.tracing.arrays import Rule, UnknownPrimitive, as_nodes, chosen, each, selected

Combine = Callable[..., Node]


def _broadcast(p: Mapping[str, Any], x: np.ndarray) -> np.ndarray:
    sizes = [1] * len(p["shape"])
    for axis, size in zip(p["broadcast_dimensions"], x.shape, strict=True):
        sizes[axis] = size
    return np.broadcast_to(x.reshape(sizes), p["shape"])


_MOVES: Final[Mapping[str, Callable[..., np.ndarray]]] = {
    "reshape": lambda p, x: x.reshape(p["new_sizes"]),
    "squeeze": lambda p, x: np.squeeze(x, tuple(p["dimensions"])),
    "slice": lambda p, x: x[tuple(map(slice, p["start_indices"], p["limit_indices"], p["strides"] or (1,) * x.ndim))],
    "transpose": lambda p, x: np.transpose(x, p["permutation"]),
    "rev": lambda p, x: np.flip(x, p["dimensions"]),
    "concatenate": lambda p, *xs: np.concatenate(xs, axis=p["dimension"]),
    "stack": lambda p, *xs: np.stack(xs, axis=p["axis"]),
    "tile": lambda p, x: np.tile(x, p["reps"]),
    "broadcast_in_dim": _broadcast,
}


def _move(move: Callable[..., np.ndarray]) -> Rule:
    return lambda graph, eqn, inputs: [move(eqn.params, *(as_nodes(graph, value) for value in inputs))]


def _split(_: Graph, eqn: Any, inputs: list[np.ndarray]) -> list[np.ndarray]:
    return np.split(inputs[0], np.cumsum(eqn.params["sizes"])[:-1], axis=eqn.params["axis"])


def _unstack(_: Graph, eqn: Any, inputs: list[np.ndarray]) -> list[np.ndarray]:
    return [np.asarray(part, dtype=object) for part in np.moveaxis(inputs[0], eqn.params["axis"], 0)]


def _pad(graph: Graph, eqn: Any, inputs: list[np.ndarray]) -> list[np.ndarray]:
    """Run by JAX on the numbers of entries: it may cut as well, and leave gaps."""
    x, filling = (as_nodes(graph, value) for value in inputs)
    with jax.ensure_compile_time_eval():
        numbers = jnp.arange(1, x.size + 1).reshape(x.shape)
        places = np.asarray(jax.lax.pad(numbers, jnp.zeros((), numbers.dtype), eqn.params["padding_config"]))
    return [np.array([filling.item(), *x.ravel()], dtype=object)[places]]


def _place(index: Any) -> Any:
    """An index as a whole number if it is known."""
    if not isinstance(index, Node):
        return int(index)
    return int(index.args[0]) if index.op == "constant" else index


def _taken(graph: Graph, x: np.ndarray, starts: Sequence[Any], sizes: Sequence[int]) -> np.ndarray:
    """A window of an array; one that would reach beyond the array is moved into it."""
    for axis, (start, size) in enumerate(zip(starts, sizes, strict=True)):
        last = x.shape[axis] - size
        if isinstance(start, Node):
            cases = [np.take(x, range(first, first + size), axis) for first in range(last + 1)]
            x = chosen(graph, start, cases)
        else:
            first = min(max(start, 0), last)
            x = np.take(x, range(first, first + size), axis)
    return x


def _within(graph: Graph, starts: Sequence[Any], lasts: Sequence[int]) -> Node:
    """Whether each start lies between zero and the last possible one."""
    inside = graph.constant(True)
    for start, last in zip(starts, lasts, strict=True):
        if isinstance(start, Node):
            inside = graph.call("and", inside, graph.call("and", graph.call("le", 0.0, start), graph.call("le", start, float(last))))
        elif not 0 <= start <= last:
            return graph.constant(False)
    return inside


def _written(graph: Graph, out: np.ndarray, starts: Sequence[Any], window: np.ndarray, combine: Combine, dropped: bool) -> None:
    """Combine a window with the entries of an array; one that reaches beyond it is dropped, or moved into it."""
    lasts = [size - part for size, part in zip(out.shape, window.shape, strict=True)]
    inside = _within(graph, starts, lasts) if dropped else graph.constant(True)
    if any(last < 0 for last in lasts) or (inside.op == "constant" and not inside.args[0]):
        return
    old = out.copy()
    possible = [
        range(last + 1) if isinstance(start, Node) else [min(max(start, 0), last)] for start, last in zip(starts, lasts, strict=True)
    ]
    for corner in itertools.product(*possible):
        here = inside
        for start, first, last in zip(starts, corner, lasts, strict=True):
            if isinstance(start, Node):
                nearest = graph.call("min", graph.call("max", start, 0.0), float(last))
                here = graph.call("and", here, graph.call("eq", nearest, float(first)))
        for offset in np.ndindex(window.shape):
            at = tuple(map(sum, zip(corner, offset, strict=True)))
            out[at] = graph.select(here, combine(old[at], window[offset]), out[at])


def _dynamic_slice(graph: Graph, eqn: Any, inputs: list[np.ndarray]) -> list[np.ndarray]:
    x, *starts = inputs
    return [_taken(graph, as_nodes(graph, x), [_place(start.item()) for start in starts], eqn.params["slice_sizes"])]


def _dynamic_update_slice(graph: Graph, eqn: Any, inputs: list[np.ndarray]) -> list[np.ndarray]:
    x, window, *starts = inputs
    out = as_nodes(graph, x).copy()
    _written(graph, out, [_place(start.item()) for start in starts], as_nodes(graph, window), lambda _, new: new, dropped=False)
    return [out]


def _drops(eqn: Any) -> bool:
    return GatherScatterMode.from_any(eqn.params["mode"]) == GatherScatterMode.FILL_OR_DROP


def _gather(graph: Graph, eqn: Any, inputs: list[np.ndarray]) -> list[np.ndarray]:
    x, indices = as_nodes(graph, inputs[0]), inputs[1]
    names, sizes = eqn.params["dimension_numbers"], eqn.params["slice_sizes"]
    batches = indices.shape[:-1]
    kept = [axis for axis in range(x.ndim) if axis not in names.collapsed_slice_dims and axis not in names.operand_batching_dims]
    found = np.empty(batches + tuple(sizes[axis] for axis in kept), dtype=object)
    filling = eqn.params["fill_value"]
    for batch in np.ndindex(batches):
        starts = _starts(
            x.ndim, batch, indices[batch], names.start_index_map, names.operand_batching_dims, names.start_indices_batching_dims
        )
        window = _taken(graph, x, starts, sizes)
        if _drops(eqn):
            inside = _within(graph, starts, [whole - part for whole, part in zip(x.shape, sizes, strict=True)])
            filled = as_nodes(graph, np.full(window.shape, np.nan if filling is None else filling))
            window = selected(graph, inside, window, filled)
        found[(*batch, ...)] = window.reshape([sizes[axis] for axis in kept])
    axes = [int(axis) for axis in names.offset_dims]
    return [np.moveaxis(found, range(len(batches), found.ndim), axes)]


def _scatter(combine: Callable[[Graph], Combine]) -> Rule:
    def rule(graph: Graph, eqn: Any, inputs: list[np.ndarray]) -> list[np.ndarray]:
        out, indices, updates = as_nodes(graph, inputs[0]).copy(), inputs[1], as_nodes(graph, inputs[2])
        names = eqn.params["dimension_numbers"]
        updates = np.moveaxis(updates, [int(axis) for axis in names.update_window_dims], range(-len(names.update_window_dims), 0))
        single = (*names.inserted_window_dims, *names.operand_batching_dims)
        for batch in np.ndindex(indices.shape[:-1]):
            window = np.expand_dims(np.asarray(updates[batch], dtype=object), tuple(sorted(int(axis) for axis in single)))
            starts = _starts(
                *(out.ndim, batch, indices[batch], names.scatter_dims_to_operand_dims),
                *(names.operand_batching_dims, names.scatter_indices_batching_dims),
            )
            _written(graph, out, starts, window, combine(graph), _drops(eqn))
        return [out]

    return rule


def _starts(ndim: int, batch: tuple[int, ...], index: np.ndarray, axes: Any, batched: Any, batched_indices: Any) -> list[Any]:
    """First index of a window along each axis of an array."""
    starts: list[Any] = [0] * ndim
    for axis, at in zip(batched, batched_indices, strict=True):
        starts[axis] = batch[at]
    for axis, start in zip(axes, index, strict=True):
        starts[axis] = _place(start)
    return starts


_COMBINED: Final[Mapping[str, Callable[[Graph], Combine]]] = {
    "scatter": lambda graph: lambda _, new: new,
    "scatter-add": lambda graph: graph.add,
    "scatter-sub": lambda graph: graph.sub,
    "scatter-mul": lambda graph: graph.mul,
    "scatter-min": lambda graph: functools.partial(graph.call, "min"),
    "scatter-max": lambda graph: functools.partial(graph.call, "max"),
}


def _extreme_index(larger: bool) -> Rule:
    """Index of the first largest or smallest entry along an axis."""

    def rule(graph: Graph, eqn: Any, inputs: list[np.ndarray]) -> list[np.ndarray]:
        (axis,) = eqn.params["axes"]
        first, *others = np.moveaxis(each(lambda x: graph.select(x, 1.0, 0.0) if x.truth else x, graph, inputs), axis, 0)
        best, place = as_nodes(graph, np.asarray(first)), as_nodes(graph, np.zeros(np.shape(first)))
        for i, other in enumerate(others, 1):
            other = np.asarray(other, dtype=object)
            better = each(lambda a, b: graph.call("lt", *((a, b) if larger else (b, a))), graph, [best, other])
            best, place = (
                each(graph.select, graph, [better, other, best]),
                each(graph.select, graph, [better, np.full(place.shape, float(i)), place]),
            )
        return [place]

    return rule


def _sort(graph: Graph, eqn: Any, inputs: list[np.ndarray]) -> list[np.ndarray]:
    """Neighbours in the wrong order change places until there are none; equal ones stay. The first input is what is compared."""
    if eqn.params["num_keys"] != 1:
        raise UnknownPrimitive("sort by more than one key")
    axis = eqn.params["dimension"]
    columns = [list(np.moveaxis(as_nodes(graph, value), axis, 0)) for value in inputs]
    length = len(columns[0])
    for end in range(length - 1, 0, -1):
        for i in range(end):
            wrong = each(lambda a, b: graph.call("lt", b, a), graph, [columns[0][i], columns[0][i + 1]])
            for column in columns:
                low, high = column[i], column[i + 1]
                column[i], column[i + 1] = each(graph.select, graph, [wrong, high, low]), each(graph.select, graph, [wrong, low, high])
    return [np.stack(column, axis) for column in columns]


RULES: Final[Mapping[str, Rule]] = {
    **{name: _move(move) for name, move in _MOVES.items()},
    "split": _split,
    "unstack": _unstack,
    "pad": _pad,
    "gather": _gather,
    "dynamic_slice": _dynamic_slice,
    "dynamic_update_slice": _dynamic_update_slice,
    **{name: _scatter(combine) for name, combine in _COMBINED.items()},
    "argmax": _extreme_index(larger=True),
    "argmin": _extreme_index(larger=False),
    "sort": _sort,
}
