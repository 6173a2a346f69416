"""Compiled functions at work: lanes that advance turn by turn, and functions of ranges of cells."""

import ctypes
import threading
from collections.abc import Callable, Sequence
from typing import Final

import numpy as np

from jaxion.kernel.cpu.threads import aligned, together
from jaxion.kernel.llvm.engine import Machine
from jaxion.kernel.programs.program import Layout

TURNS: Final = 20_000
"""Turns after which Python looks up: a fraction of a second."""

CHUNK: Final = 64
"""Most cells that a thread takes at once: neighbours in the results belong to one thread."""

Arrays = dict[str, np.ndarray]


class Frame:
    """The integers that a run is called with, by name; keeps the arrays alive whose addresses they are.

    Args:
        fields: Names of the integers, in order.
        arrays: Arrays, whose addresses are given.
        counts: The other integers.
    """

    def __init__(self, fields: tuple[str, ...], arrays: Arrays, counts: dict[str, int]):
        self._fields, self._arrays = fields, arrays
        values = {name: array.ctypes.data for name, array in arrays.items()} | counts
        self.numbers = np.array([values[name] for name in fields], np.int64)

    def __getitem__(self, name: str) -> int:
        return int(self.numbers[self._fields.index(name)])

    def __setitem__(self, name: str, value: int) -> None:
        self.numbers[self._fields.index(name)] = value


class Runner:
    """The function `run` of a module: it advances lanes that take cells from a queue.

    Args:
        machine: The compiled module.
        layout: Of a lane.
        fields: Names of the integers of a frame.
        width: Number of lanes.
    """

    def __init__(self, machine: Machine, layout: Layout, fields: tuple[str, ...], width: int):
        self.layout, self.fields, self.width, self._machine = layout, fields, width, machine
        self._run = ctypes.CFUNCTYPE(ctypes.c_int64, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int64)(machine.address("run"))

    def idle(self, room: int | None = None, **known: float | int) -> np.ndarray:
        """Lanes without a cell, in which some numbers are `known`, with room for so many numbers each; default the layout's."""
        lanes = aligned(self.layout.size if room is None else room, self.width)
        lanes[:] = 0.0
        for name, value in {**known, "cell": -1.0}.items():
            lanes[self.layout.place(name)] = value
        return lanes

    def advance(self, lanes: np.ndarray, frame: Frame) -> bool:
        """Some turns more; whether there is work left."""
        return self._run(lanes.ctypes.data, frame.numbers.ctypes.data, TURNS) > 0

    def run(self, idle: Callable[[], np.ndarray], arrays: Arrays, counts: dict[str, int], threads: int) -> None:
        """Run until no cell is left, on threads that share one queue; an interrupt stops all.

        Args:
            idle: Makes the lanes of a thread, without a cell.
            arrays: What is given, and the results, by name.
            counts: Sizes by name, "cells" among them.
            threads: Threads at most.
        """
        queue, cells = np.zeros(1, np.int64), counts["cells"]
        threads = max(1, min(threads, -(-cells // self.width)))
        shared = {**counts, "chunk": min(CHUNK, -(-cells // threads)), "next": 0, "limit": 0}

        def work(stop: threading.Event) -> None:
            lanes, frame = idle(), Frame(self.fields, {**arrays, "queue": queue}, shared)
            while self.advance(lanes, frame) and not stop.is_set():
                pass

        together(work, threads)


class CellFunction:
    """A function of a module that goes over a range of cells, such as `emit_map` makes.

    Args:
        machine: The compiled module.
        name: Of the function.
    """

    def __init__(self, machine: Machine, name: str):
        self._machine = machine
        arguments = (ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int64, ctypes.c_int64, ctypes.c_int64)
        self._function = ctypes.CFUNCTYPE(None, *arguments)(machine.address(name))

    def __call__(self, given: np.ndarray, results: np.ndarray, begin: int = 0, end: int | None = None) -> None:
        """From rows of numbers to rows of results, which it fills in, of the cells from `begin` to before `end`; default all."""
        cells = given.shape[1]
        self._function(given.ctypes.data, results.ctypes.data, cells, begin, cells if end is None else end)


def stacked(parts: Sequence[np.ndarray], width: int) -> np.ndarray:
    """The rows of all parts one after the other, for a `CellFunction`: the last cell is repeated if there are fewer than `width`."""
    number = parts[0].shape[1]
    rows = aligned(sum(map(len, parts)), max(number, width))
    np.concatenate(parts, out=rows[:, :number])
    rows[:, number:] = rows[:, number - 1 : number]
    return rows
