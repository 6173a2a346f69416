"""Contenders in processes of their own, run in turn: each has its own peak memory, and a busy machine slows all of them alike."""

import dataclasses
import importlib
import multiprocessing
import resource
import statistics
import sys
import time
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import numpy as np

Results = tuple[np.ndarray, np.ndarray, np.ndarray]
"""States `(5, cells)`, sensitivities `(5, parameters, cells)`, and which cells the solver claims to have solved."""


@dataclasses.dataclass(frozen=True)
class Contender:
    """One way to solve the cells.

    Attributes:
        name: What the report calls it.
        module: Module with `prepare(theta, solver)`.
        solver: Which of the module's solvers.
        cells: How many of the cells it is given.
        processes: Over how many processes the cells are shared out; a library that uses all cores by itself has one.
    """

    name: str
    module: str
    solver: str
    cells: int
    processes: int = 1


class Running:
    """A contender whose processes wait for their next turn."""

    def __init__(self, contender: Contender, theta: np.ndarray):
        self.contender = contender
        # Spawned and not forked: XLA's threads do not survive a fork, and memory would be counted twice.
        context = multiprocessing.get_context("spawn")
        self._pipes: list[Connection] = []
        self._processes = []
        for part in np.array_split(theta[:, : contender.cells], contender.processes, axis=1):
            here, there = context.Pipe()
            process = context.Process(target=_serve, args=(there, contender.module, contender.solver, part), daemon=True)
            process.start()
            there.close()
            self._pipes.append(here)
            self._processes.append(process)
        self._ask("ready")
        self.first = self.turn()
        self.seconds: list[float] = []

    def turn(self) -> float:
        """Seconds to solve all of its cells once."""
        begin = time.perf_counter()
        self._ask("run")
        return time.perf_counter() - begin

    def finish(self) -> tuple[Results, float, dict[str, Any]]:
        """Its results, its peak memory in MiB (all processes together), and what it says of itself; ends its processes."""
        parts = self._ask("results")
        facts = self._ask("facts")
        for pipe, process in zip(self._pipes, self._processes, strict=True):
            pipe.close()
            process.join()
        joined = tuple(np.concatenate(arrays, axis=-1) for arrays in zip(*parts, strict=True))
        return joined, sum(peak for peak, _ in facts), facts[0][1]  # pyright: ignore[reportReturnType]

    def _ask(self, word: str) -> list[Any]:
        for pipe in self._pipes:
            pipe.send(word)
        return [pipe.recv() for pipe in self._pipes]


def interleave(running: list[Running], repeats: int) -> None:
    """Give every contender its turn, `repeats` times over."""
    for _ in range(repeats):
        for contender in running:
            contender.seconds.append(contender.turn())


def timings(running: Running) -> dict[str, float]:
    """Median, fastest and slowest turn, and what the first one took longer: compilation."""
    median = statistics.median(running.seconds)
    return {
        "seconds": median,
        "seconds_fastest": min(running.seconds),
        "seconds_slowest": max(running.seconds),
        "compile_seconds": max(0.0, running.first - median),
        "cells_per_second": running.contender.cells / median,
    }


def _serve(pipe: Connection, module: str, solver: str, theta: np.ndarray) -> None:
    run = importlib.import_module(module).prepare(theta, solver)
    results: Any = None
    try:
        while True:
            match pipe.recv():
                case "run":
                    results = run()
                    pipe.send(None)
                case "results":
                    pipe.send(results)
                case "facts":
                    pipe.send((_peak_memory(), _device()))
                case _:
                    pipe.send(None)
    except EOFError:
        return


def _peak_memory() -> float:
    """Peak resident memory of this process, MiB."""
    status = Path("/proc/self/status")
    if status.exists():  # `ru_maxrss` would count the parent's memory too
        return next(int(line.split()[1]) / 1024 for line in status.read_text().splitlines() if line.startswith("VmHWM"))
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _device() -> dict[str, Any]:
    # Asked only of those who have loaded JAX anyway: it would count as memory of the others.
    if "jax" not in sys.modules:
        return {}
    jax = sys.modules["jax"]
    return {"platform": jax.default_backend(), "device": jax.devices()[0].device_kind, "dtype": str(jax.numpy.zeros(()).dtype)}
