"""Large batches outside of any transformation: slices of cells on all cores, each interrupted often enough that Ctrl-C works."""

import functools
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final

import jax
import jax.numpy as jnp
import numpy as np

from jaxion.kernel.problem import Course, Given, Plan
from jaxion.kernel.widths import cores, lane_width
from jaxion.kernel.xla.integration import Lanes, advance, begin

SLICE: Final = 512
"""Cells a call: many times the lanes, so that they are rarely idle. Batches with fewer for each core go lanes by lanes: no third size is compiled."""

TURNS: Final = 2000
"""Steps of every lane before Python looks up: a fraction of a second."""


def run_by_xla(plan: Plan, given: Given) -> Course:
    """All cells of concrete numbers by `jax.numpy`; the same bits whatever the number, order and slices of the cells."""
    given = jax.tree.map(np.asarray, given)
    cells = given.y.shape[1]
    width = lane_width(cells)
    first, onward = _compiled(plan, width)
    stop = threading.Event()

    size = max(SLICE, width) if cells > max(SLICE * (cores() - 1), width) else width

    def one(begin: int) -> Course:
        part = _slice(given, begin, size)
        lanes = first(part)
        while not stop.is_set() and bool((lanes.cell < size).any()):
            lanes = onward(part, lanes)
        return jax.tree.map(lambda x: np.asarray(x)[..., : cells - begin], lanes.course)

    begins = range(0, cells, size)
    if len(begins) == 1:
        parts = [one(0)]
    else:
        with ThreadPoolExecutor(cores()) as pool:
            futures = [pool.submit(one, begin) for begin in begins]
            try:
                parts = [future.result() for future in futures]
            except BaseException:
                stop.set()
                for future in futures:
                    future.cancel()
                raise
    return jax.tree.map(lambda *xs: jnp.asarray(np.concatenate(xs, axis=-1)), *parts)


@functools.lru_cache(maxsize=64)
def _compiled(plan: Plan, width: int) -> tuple[Callable[[Given], Lanes], Callable[[Given, Lanes], Lanes]]:
    first = jax.jit(lambda given: begin(plan, given, width))
    onward = jax.jit(lambda given, lanes: advance(plan, given, lanes, TURNS), donate_argnums=1)
    return first, onward


def _slice(given: Given, begin: int, size: int) -> Given:
    """Some cells, padded with the last of them."""

    def cut(x: np.ndarray) -> np.ndarray:
        part = x[..., begin : begin + size]
        lacking = size - part.shape[-1]
        return np.concatenate([part, np.repeat(part[..., -1:], lacking, axis=-1)], axis=-1) if lacking else part

    return given.of_cells(cut)
