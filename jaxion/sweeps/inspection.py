"""What of a store is there: cells that are done, chunks that are missing, and chunks that are damaged."""

import dataclasses
from typing import Any

import numpy as np

from jaxion.errors import Status
from jaxion.sweeps.store import Store
from jaxion.sweeps.variables import STATUS


@dataclasses.dataclass(frozen=True, eq=False)
class Inspection:
    """State of a store, by cell and by chunk.

    Attributes:
        status: Code of each cell; `not_run` throughout a chunk that is not complete.
        missing: Numbers of the chunks that are not complete.
        damaged: Those of them that have a status, but whose data are missing or fail their checksum.
    """

    status: np.ndarray
    missing: tuple[int, ...] = ()
    damaged: tuple[int, ...] = ()

    @property
    def counts(self) -> dict[Status, int]:
        """Number of cells of each status that occurs, in the order of the codes."""
        codes, counts = np.unique(self.status, return_counts=True)
        return {Status(int(code)): int(count) for code, count in zip(codes, counts, strict=True)}

    def summary(self) -> dict[str, Any]:
        """Plain numbers: cells, those done and ok, the failed ones by status, and the chunks that are not complete."""
        failed = {status.name: count for status, count in self.counts.items() if status not in (Status.not_run, Status.ok)}
        ok = self.counts.get(Status.ok, 0)
        return {
            "cells": self.status.size,
            "done": ok + sum(failed.values()),
            "ok": ok,
            "failed": failed,
            "missing_chunks": len(self.missing),
        }


def inspect(store: Store) -> Inspection:
    """Read every chunk of a store, so that each checksum is verified."""
    status = np.full(store.cells, Status.not_run, np.uint8)
    missing, damaged = [], []
    for index in range(store.chunks):
        found = _chunk(store, index)
        if found is not None:
            status[store.span(index)] = found
            continue
        missing.append(index)
        if store.file(STATUS, index).is_file():
            damaged.append(index)
    return Inspection(status, tuple(missing), tuple(damaged))


def _chunk(store: Store, index: int) -> np.ndarray | None:
    """Status of a complete chunk; None if anything of it is missing or damaged."""
    status = store.read(STATUS, index)
    if status is None or not np.isin(status, [code for code in Status if code != Status.not_run]).all():
        return None
    return status if all(store.read(name, index) is not None for name in store.arrays if name != STATUS) else None
