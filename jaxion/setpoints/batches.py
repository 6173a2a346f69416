"""Large batches outside of any transformation: blocks on threads, stragglers gathered and searched again.

One slow cell would hold up every cell beside it. So each block runs a Newton iteration with a short
limit, and the few cells that it leaves are gathered into dense blocks and searched for longer.
"""

import functools
from collections.abc import Callable, Hashable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array

from jaxion.kernel import cores, lowered
from jaxion.model import Model
from jaxion.setpoints.machine_code import search_natively
from jaxion.setpoints.reduction import Unknowns
from jaxion.setpoints.search import Found, attempt, needs_rescue, search

BLOCK: Final = 1024
"""Cells side by side: their working set fits the second-level cache."""

SMALLEST: Final = 64
"""Fewest cells in a block: smaller ones would each be compiled, to save next to nothing."""

SHORT: Final = 24
"""Newton iterations of the first round; nine cells in ten need fewer."""


def search_lowered(
    model: Model, start: Unknowns, max_steps: int, lowering: str, portably: Callable[[Model, Unknowns, int], Found]
) -> Found:
    """`search` by machine code or portably; the same outcome for every cell, whatever the batch it is in."""
    return lowered(
        lowering, lambda: search_natively(model, start, max_steps), lambda: portably(model, start, max_steps), "Set-points are sought"
    )


def search_by_xla(model: Model, start: Unknowns, max_steps: int) -> Found:
    """The search by `jax.numpy`."""
    if start.ndim == 1:
        found = run_compiled(_first, (model, start), max_steps)
        return run_compiled(_search, (model, start), max_steps) if bool(needs_rescue(found)) else found
    found = run_in_blocks(_first, (model, start), min(SHORT, max_steps))
    left = np.flatnonzero(needs_rescue(found))
    if left.size:
        again = run_in_blocks(_search, (model, start), max_steps, cells=left)
        found = jax.tree.map(lambda all_, new: _scatter(all_, new, left), found, again)
    return found


def _first(given: tuple[Model, Unknowns], max_steps: int) -> Found:
    model, start = given
    return attempt(model, start, jnp.ones(start.shape[1:], bool), max_steps)


def _search(given: tuple[Model, Unknowns], max_steps: int) -> Found:
    return search(*given, max_steps)


def run_compiled(function: Callable, given: Any, *static: Hashable) -> Any:
    """`function(given, *static)`, compiled."""
    leaves, tree = jax.tree.flatten(given)
    return _compiled(function, tree, static)(leaves)


def run_in_blocks(function: Callable, given: Any, *static: Hashable, cells: np.ndarray | None = None) -> Any:
    """`function(given, *static)`, compiled, over blocks of cells on as many threads as there are cores.

    Args:
        function: A function of a pytree whose leaves have the cells axis last, or the shape `()`; its outputs have the cells axis last.
        given: The pytree, of concrete arrays.
        *static: Further arguments, hashable.
        cells: Numbers of the cells to run, in order; default all.
    """
    leaves, tree = jax.tree.flatten(given)
    leaves = [np.asarray(leaf) for leaf in leaves]
    run = _compiled(function, tree, static)
    number = max(leaf.shape[-1] for leaf in leaves if leaf.ndim) if cells is None else cells.size
    # Sizes are powers of two, so that any batch compiles for a few shapes only; padding repeats a cell.
    size = min(BLOCK, max(SMALLEST, 1 << (number - 1).bit_length()))

    def one(begin: int) -> Any:
        # All cells in order are slices, without a copy.
        block = slice(begin, begin + size) if cells is None else cells[begin : begin + size]
        # NumPy's own arrays: JAX takes them faster than any conversion.
        return jax.tree.map(np.asarray, run([_padded(leaf[..., block], size) if leaf.ndim else leaf for leaf in leaves]))

    first = one(0)  # alone, so that it is compiled once
    whole = jax.tree.map(lambda leaf: np.empty((*leaf.shape[:-1], number), leaf.dtype), first)

    def put(begin: int, block: Any) -> None:
        for all_, leaf in zip(jax.tree.leaves(whole), jax.tree.leaves(block), strict=True):
            all_[..., begin : begin + size] = leaf[..., : number - begin]

    put(0, first)
    if number > size:
        with ThreadPoolExecutor(cores()) as pool:
            list(pool.map(lambda begin: put(begin, one(begin)), range(size, number, size)))
    return jax.tree.map(jnp.asarray, whole)


@functools.lru_cache(maxsize=256)
def _compiled(function: Callable, tree: Hashable, static: tuple[Hashable, ...]) -> Callable[[list[Any]], Any]:
    # Of bare leaves: a model is taken apart once for all blocks, and not by every call.
    return jax.jit(lambda leaves: function(jax.tree.unflatten(tree, leaves), *static))  # pyright: ignore[reportArgumentType]


def _padded(leaf: np.ndarray, size: int) -> np.ndarray:
    lacking = size - leaf.shape[-1]
    return np.concatenate([leaf, np.repeat(leaf[..., -1:], lacking, axis=-1)], axis=-1) if lacking else leaf


def _scatter(everything: Array, new: Array, cells: np.ndarray) -> Array:
    # On the host: the number of cells differs from call to call, and each would be compiled.
    filled = np.array(everything)
    filled[..., cells] = new
    return jnp.asarray(filled)
