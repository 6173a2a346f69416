"""Tapes of accepted steps, over which the reverse sweep goes back; those of the last run are kept for it."""

import hashlib
import threading
from typing import Final, NamedTuple

import numpy as np

from jaxion.kernel.cpu.integration import Kernel, possible
from jaxion.kernel.cpu.runner import Arrays, Frame
from jaxion.kernel.cpu.threads import over_cells
from jaxion.kernel.problem import Plan

RANGE: Final = 512
"""Cells that go forward together: many times the lanes, so that they are rarely idle, and few enough that their tape is small."""

FIRST: Final = 1 << 14
"""Records that a tape has room for at first."""

LARGE: Final = 1 << 28
"""Bytes of a tape beyond which no further cell of the range is begun before those on it have gone back."""

KEPT: Final = 1 << 28
"""Bytes of tapes that are kept at most: with more, the reverse runs forward again."""


class Stretch(NamedTuple):
    """Tape of the cells from `begin` to before `end`, and the last record of each cell of the batch."""

    begin: int
    end: int
    records: np.ndarray
    ends: np.ndarray


def tape(kernel: Kernel, plan: Plan, given: Arrays, results: Arrays, begin: int, end: int) -> Stretch:
    """Run cells of a range, as many as the tape should hold; `given` and `results` as for `run_into`, whole."""
    cells, records, ends = given["y"].shape[1], np.empty((FIRST, kernel.programs.record.size)), results["ends"]
    nobody = np.full(1, cells)
    sizes = {"cells": cells, "phases": len(given["edges"]) - 1, "driven": given["drive"].shape[1], "times": len(results["saved"])}
    counts = {**sizes, "chunk": 0, "used": 0, "capacity": len(records), "next": begin, "limit": end}
    frame = Frame(kernel.runner.fields, {**given, **results, "tape": records, "queue": nobody}, counts)
    lanes = kernel.idle(plan)
    while kernel.runner.advance(lanes, frame):
        used = frame["used"]
        if used + kernel.runner.width > len(records):
            larger = np.empty((2 * len(records), records.shape[1]))
            larger[:used] = records[:used]
            records = larger
            frame["tape"], frame["capacity"] = records.ctypes.data, len(records)
        if records[:used].nbytes > LARGE:
            end = frame["limit"] = min(frame["next"], end)
    return Stretch(begin, end, records[: frame["used"]], ends)


def record(plan: Plan, given: Arrays, results: Arrays, threads: int) -> None:
    """Run as `run_into` does, and keep the tapes, unless they are too large, until the next run or the reverse of this one."""
    kernel, cells = possible(plan), given["y"].shape[1]
    taped: list[Stretch] = []
    outputs = {**results, "ends": np.empty(cells, np.int64)}

    def one(begin: int, end: int) -> None:
        while begin < end:
            stretch = tape(kernel, plan, given, outputs, begin, end)
            # Beyond what will be kept, memory is not held any longer than needed.
            taped.append(stretch if sum(other.records.nbytes for other in taped) <= KEPT else stretch._replace(records=stretch.records[:0]))
            begin = stretch.end

    with _lock:
        _kept.clear()
    over_cells(one, cells, kernel.runner.width, threads, RANGE)
    if sum(stretch.records.nbytes for stretch in taped) <= KEPT:
        with _lock:
            _kept[_fingerprint(plan, given)] = taped


def recall(plan: Plan, given: Arrays) -> list[Stretch]:
    """Tapes of the run of these numbers, if it was the last one; they are kept no longer."""
    with _lock:
        return _kept.pop(_fingerprint(plan, given), [])


_kept: dict[bytes, list[Stretch]] = {}
_lock = threading.Lock()


def _fingerprint(plan: Plan, given: Arrays) -> bytes:
    digest = hashlib.blake2b(repr((hash(plan), *((name, array.shape) for name, array in given.items()))).encode())
    for array in given.values():
        digest.update(np.ascontiguousarray(array).data)
    return digest.digest()
