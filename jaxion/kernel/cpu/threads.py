"""Threads that share work on cells, and memory as machine code wants it."""

import math
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final

import numpy as np

from jaxion.kernel.widths import ALIGNMENT

RANGE: Final = 4096
"""Cells of one call that goes over a range: a fraction of a second."""


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

    together(work, min(threads, -(-cells // size)))


def together(work: Callable[[threading.Event], None], threads: int) -> None:
    """The same work in some threads, which an interrupt stops by an event; in this one if it is to be the only one."""
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
