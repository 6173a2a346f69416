"""Machine code on all cores: threads that share one queue of cells, or take ranges of them."""

import math
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final

import numpy as np

CHUNK: Final = 64
"""Most cells that a thread takes at once: neighbours in the results belong to one thread."""

RANGE: Final = 4096
"""Cells of one call that goes over a range: a fraction of a second."""

ALIGNMENT: Final = 64
"""Bytes, of the widest vector; JAX takes arrays so aligned without a copy."""


def run_lanes(
    advance: Callable[[np.ndarray, np.ndarray], bool],
    idle: Callable[[], np.ndarray],
    fields: tuple[str, ...],
    arrays: dict[str, np.ndarray],
    counts: dict[str, int],
    width: int,
    threads: int,
) -> None:
    """Run lanes until no cell is left; an interrupt stops all.

    Args:
        advance: Some turns of lanes with a frame; whether there is work left.
        idle: Makes lanes without a cell.
        fields: Names of a frame's integers.
        arrays: What is given, and the results, by name.
        counts: Sizes by name, "cells" among them.
        width: Lanes of one thread.
        threads: Threads at most.
    """
    queue, cells = np.zeros(1, np.int64), counts["cells"]
    threads = max(1, min(threads, -(-cells // width)))
    addresses = {name: array.ctypes.data for name, array in {**arrays, "queue": queue}.items()}
    frame = {**addresses, **counts, "chunk": min(CHUNK, -(-cells // threads)), "next": 0, "limit": 0}

    def work(stop: threading.Event) -> None:
        lanes, own = idle(), np.array([frame[name] for name in fields], np.int64)
        while advance(lanes, own) and not stop.is_set():
            pass

    _together(work, threads)


def over_cells(call: Callable[[int, int], None], cells: int, width: int, threads: int, largest: int = RANGE) -> None:
    """Call with the first cell and the end of one range after another, until all cells have been in one; an interrupt stops all."""
    size = min(largest, max(width, -(-cells // threads)))
    begins = iter(range(0, cells, size))
    lock = threading.Lock()

    def work(stop: threading.Event) -> None:
        while not stop.is_set():
            with lock:
                begin = next(begins, None)
            if begin is None:
                return
            call(begin, min(begin + size, cells))

    _together(work, min(threads, -(-cells // size)))


def _together(work: Callable[[threading.Event], None], threads: int) -> None:
    stop = threading.Event()
    if threads == 1:
        work(stop)
        return
    with ThreadPoolExecutor(threads) as pool:
        futures = [pool.submit(work, stop) for _ in range(threads)]
        try:
            for future in futures:
                future.result()
        except BaseException:
            stop.set()
            raise


def aligned(*shape: int) -> np.ndarray:
    """Numbers that begin at a multiple of `ALIGNMENT`."""
    size = math.prod(shape)
    memory = np.empty(size + ALIGNMENT // 8)
    first = -memory.ctypes.data % ALIGNMENT // 8
    return memory[first : first + size].reshape(shape)
