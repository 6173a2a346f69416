"""Cotangents of batches as machine code: a range of cells forward onto a tape, then back over it."""

import ctypes
import functools
from typing import Final

import numpy as np
from llvmlite import ir

from jaxion.kernel.llvm_adjoint import FRAME, emit_sweep
from jaxion.kernel.machine import Machine
from jaxion.kernel.native import TURNS, Kernel, possible
from jaxion.kernel.problem import Plan
from jaxion.kernel.threads import aligned, over_cells
from jaxion.kernel.unrolled_adjoint import UnrolledAdjoint

RANGE: Final = 512
"""Cells that go forward together: many times the lanes, so that they are rarely idle, and few enough that their tape is small."""

FIRST: Final = 1 << 14
"""Records that a tape has room for at first."""

LARGE: Final = 1 << 28
"""Bytes of a tape beyond which no further cell of the range is begun before those on it have gone back."""


class AdjointKernel:
    """Machine code for the reverse sweep of a system and its reductions."""

    def __init__(self, kernel: Kernel):
        unrolled = UnrolledAdjoint(kernel.unrolled)
        module = ir.Module()
        emit_sweep(module, unrolled, kernel.unrolled.record, kernel.width)
        self.layout, self.width = unrolled.layout, kernel.width
        self._machine = Machine(module)
        self._run = ctypes.CFUNCTYPE(ctypes.c_int64, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int64)(self._machine.address("run"))

    def lanes(self) -> np.ndarray:
        """Idle lanes."""
        lanes = aligned(self.layout.size, self.width)
        lanes[:] = 0.0
        lanes[self.layout.place("cell")] = -1.0
        return lanes

    def advance(self, lanes: np.ndarray, frame: np.ndarray) -> bool:
        """Some turns more; whether there is work left."""
        return self._run(lanes.ctypes.data, frame.ctypes.data, TURNS) > 0


@functools.lru_cache(maxsize=64)
def compiled_adjoint(kernel: Kernel) -> AdjointKernel:
    """The reverse of a kernel, compiled once."""
    return AdjointKernel(kernel)


def pull_back(plan: Plan, given: dict[str, np.ndarray], bars: dict[str, np.ndarray], out: dict[str, np.ndarray], threads: int) -> None:
    """Cotangents of what is given, from those of the results; exactly zero for cells that do not finish.

    Args:
        plan: The fixed part.
        given: The numbers, by the names of `Given`.
        bars: Cotangents of `saved` and `final`, and of the states `reduced` of all reductions.
        out: Where those of `y`, `theta`, `drive` and `edges` are written.
        threads: Threads at most.
    """
    forward = possible(plan)
    back = compiled_adjoint(forward)
    rows, cells = given["y"].shape
    nobody = np.full(1, cells)
    counts = {"cells": cells, "phases": given["edges"].shape[0] - 1, "chunk": 0}
    for array in out.values():
        array[:] = 0.0
    ends = np.empty(cells, np.int64)
    scratch = {"reduced": np.empty((sum(forward.unrolled.sizes_reduced), cells)), "final": np.empty((rows, cells))}
    scratch |= {name: np.empty(cells, np.int64) for name in ("status", "steps", "accepted")}
    first = {**given, **scratch, "saved": nobody, "ends": ends}
    last = {name: given[name] for name in ("theta", "drive", "edges", "saves")} | {"ends": ends}
    last |= {f"bar_{name}": array for name, array in bars.items()}
    last |= {"y": out["y"], "lasting": out["theta"], "driven": out["drive"], "times": out["edges"]}

    def one(begin: int, end: int) -> None:
        tape = _Tape(forward.unrolled.record.size)
        while begin < end:
            sizes = {**counts, "driven": given["drive"].shape[1], "times": 0, "used": 0, "capacity": tape.capacity}
            frame = _Frame(forward.fields, {**first, "tape": tape.records, "queue": nobody}, {**sizes, "next": begin, "limit": end})
            lanes, limit = forward.lanes(plan), end
            while forward.advance(lanes, frame.numbers):
                if frame["used"] + forward.width > tape.capacity:
                    tape.grow(frame["used"])
                    frame["tape"], frame["capacity"] = tape.records.ctypes.data, tape.capacity
                if frame["used"] * tape.records.itemsize * tape.records.shape[1] > LARGE:
                    limit = frame["limit"] = min(frame["next"], limit)
            sizes = {**counts, "drives": given["drive"].shape[1], "saved": len(given["saves"])}
            frame = _Frame(FRAME, {**last, "tape": tape.records, "queue": nobody}, {**sizes, "next": begin, "limit": limit})
            lanes = back.lanes()
            while back.advance(lanes, frame.numbers) or frame["next"] < limit:
                pass
            begin = limit

    over_cells(one, cells, forward.width, threads, RANGE)


class _Tape:
    def __init__(self, size: int):
        self.records = np.empty((FIRST, size))

    @property
    def capacity(self) -> int:
        return len(self.records)

    def grow(self, used: int) -> None:
        larger = np.empty((2 * self.capacity, self.records.shape[1]))
        larger[:used] = self.records[:used]
        self.records = larger


class _Frame:
    """Integers of a frame, by name; keeps the arrays alive whose addresses they are."""

    def __init__(self, fields: tuple[str, ...], arrays: dict[str, np.ndarray], counts: dict[str, int]):
        self._fields, self._arrays = fields, arrays
        values = {name: array.ctypes.data for name, array in arrays.items()} | counts
        self.numbers = np.array([values[name] for name in fields], np.int64)

    def __getitem__(self, name: str) -> int:
        return int(self.numbers[self._fields.index(name)])

    def __setitem__(self, name: str, value: int) -> None:
        self.numbers[self._fields.index(name)] = value
