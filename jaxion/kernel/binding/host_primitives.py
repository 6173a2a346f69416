"""JAX primitives that functions of NumPy arrays compute on the host, many cells at once."""

import functools
from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.core import ShapedArray
from jax.extend.core import Primitive
from jax.interpreters import batching, mlir
from jaxtyping import Array

from jaxion.kernel.binding import ffi
from jaxion.kernel.cpu.threads import aligned


def host_primitive(
    name: str,
    shaped: Callable[..., list[ShapedArray]],
    host: Callable[[Any, list[np.ndarray], list[np.ndarray]], None],
    shared: Mapping[int, str] | None = None,
) -> Primitive:
    """A primitive that a host function computes, eager, in compiled programs and in batches; bound with the operands and a `task`.

    Args:
        name: Of the primitive.
        shaped: From the task, which is hashable, and the operands to what the results are like.
        host: From the task and the operands to the results, which it fills in; it may not touch JAX.
        shared: Operands that all cells share, by number, with their names; of the others and the results the last axis is the cells.
    """
    primitive = Primitive(name)
    primitive.multiple_results = True
    primitive.def_abstract_eval(lambda *operands, task: shaped(task, *operands))

    def eager(*operands: Any, task: Hashable) -> list[Array]:
        # Nobody else holds these arrays: JAX need not copy them.
        results = [aligned(*like.shape).view(like.dtype) for like in shaped(task, *operands)]
        host(task, [np.ascontiguousarray(operand) for operand in operands], results)
        return [jax.device_put(result, may_alias=True) for result in results]

    primitive.def_impl(eager)

    @functools.cache
    def number(task: Hashable) -> int:
        return ffi.numbered(functools.partial(host, task))

    mlir.register_lowering(primitive, lambda ctx, *operands, task: ffi.call(ctx, operands, number(task)), platform="cpu")
    batching.primitive_batchers[primitive] = functools.partial(batched, primitive, shared or {})
    return primitive


def batched(
    primitive: Primitive,
    shared: Mapping[int, str],
    operands: Sequence[Array],
    axes: Sequence[int | None],
    *,
    task: Hashable,
    cells: int = -1,
) -> tuple[list[Array], list[int]]:
    """Batching rule of a primitive that has such shared operands: a batch of batches is a larger batch.

    Of the results the cells are the axis `cells`, the first or the last one.
    """
    size = next(x.shape[axis] for x, axis in zip(operands, axes, strict=True) if axis is not None)
    for i, name in shared.items():
        if axes[i] is not None:
            raise ValueError(f"Argument `{name}` must be the same in all of a batch.")

    def merged(x: Array, axis: int | None) -> Array:
        x = jnp.broadcast_to(x[..., None, :], (*x.shape[:-1], size, x.shape[-1])) if axis is None else jnp.moveaxis(x, axis, -2)
        return x.reshape(*x.shape[:-2], size * x.shape[-1])

    pairs = enumerate(zip(operands, axes, strict=True))
    results = primitive.bind(*(x if i in shared else merged(x, axis) for i, (x, axis) in pairs), task=task)
    at = [cells % x.ndim for x in results]
    split = [x.reshape(*x.shape[:i], size, x.shape[i] // size, *x.shape[i + 1 :]) for x, i in zip(results, at, strict=True)]
    return split, at
