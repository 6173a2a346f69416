"""Set-points of a large batch outside of any transformation: blocks on threads, stragglers gathered and searched again.

One slow cell would hold up every cell beside it. So each block runs a Newton iteration with a short
limit, and the few cells that it leaves are gathered into dense blocks for the longer roads.
"""

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array

from jaxion.model import Model
from jaxion.setpoints.reduction import Unknowns
from jaxion.setpoints.search import Found, attempt, needs_rescue, search

BLOCK: Final = 2048
"""Cells side by side: their working set fits the second-level cache."""

SHORT: Final = 24
"""Newton iterations of the first round; nine cells in ten need fewer."""


def search_batch(model: Model, start: Unknowns, max_steps: int) -> Found:
    """`search` for concrete numbers; the same outcome for every cell, whatever the batch it is in."""
    if start.ndim == 1:
        found = _first(model, start, max_steps)
        return _search(model, start, max_steps) if bool(needs_rescue(found)) else found
    cells = start.shape[1]
    leaves, build = _host(model, cells)
    guess = np.asarray(start)
    found = _blocks(_first, leaves, build, guess, np.arange(cells), min(SHORT, max_steps))
    left = np.flatnonzero(needs_rescue(found))
    if left.size:
        again = _blocks(_search, leaves, build, guess, left, max_steps)
        found = jax.tree.map(lambda all_, new: _scatter(all_, new, left), found, again)
    return found


@eqx.filter_jit
def _first(model: Model, start: Unknowns, max_steps: int) -> Found:
    return attempt(model, start, jnp.ones(start.shape[1:], bool), max_steps)


@eqx.filter_jit
def _search(model: Model, start: Unknowns, max_steps: int) -> Found:
    return search(model, start, max_steps)


def _host(model: Model, cells: int) -> tuple[list[np.ndarray], Callable[[list[Any]], Model]]:
    leaves, tree = jax.tree.flatten(model)
    return [np.asarray(leaf) for leaf in leaves], lambda chosen: jax.tree.unflatten(tree, chosen)


def _blocks(run: Callable, leaves: list[np.ndarray], build: Callable, start: np.ndarray, cells: np.ndarray, max_steps: int) -> Found:
    """Run `run` over blocks of the chosen cells on as many threads as there are cores."""
    # Sizes are powers of two, so that any batch compiles for a few shapes only; padding repeats a cell.
    size = min(BLOCK, 1 << max(0, int(cells.size - 1).bit_length()))
    padded = np.concatenate([cells, np.full(-cells.size % size, cells[-1])])

    def one(block: np.ndarray) -> Found:
        part = build([jnp.asarray(leaf[block]) if leaf.ndim else jnp.asarray(leaf) for leaf in leaves])
        return jax.tree.map(np.asarray, run(part, jnp.asarray(start[:, block]), max_steps))

    blocks = padded.reshape(-1, size)
    first = one(blocks[0])  # alone, so that it is compiled once
    if len(blocks) == 1:
        parts = [first]
    else:
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            parts = [first, *pool.map(one, blocks[1:])]
    return jax.tree.map(lambda *xs: jnp.asarray(np.concatenate(xs, axis=-1)[..., : cells.size]), *parts)


def _scatter(everything: Array, new: Array, cells: np.ndarray) -> Array:
    # On the host: the number of cells differs from call to call, and each would be compiled.
    filled = np.array(everything)
    filled[..., cells] = new
    return jnp.asarray(filled)
