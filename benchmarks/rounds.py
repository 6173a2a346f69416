"""Contenders in processes of their own, run in turn: each has its own peak memory, and a busy machine slows all of them alike."""

import dataclasses
import importlib
import importlib.util
import math
import multiprocessing
import os
import resource
import statistics
import sys
import time
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import numpy as np

Results = tuple[np.ndarray, ...]
"""Arrays with the cells last."""


@dataclasses.dataclass(frozen=True)
class Contender:
    """One way to solve the cells.

    Attributes:
        name: What the report calls it.
        module: Module with `prepare(*arrays, *arguments)`, which returns a function that solves all cells.
        arguments: Which of the module's solvers, and how.
        cells: How many of the cells it is given.
        processes: Over how many processes the cells are shared out; a library that uses all cores by itself has one.
        needs: Package without which it cannot run.
        turns: How many turns it is given at most, besides its first: few, if one takes many minutes.
    """

    name: str
    module: str
    arguments: tuple[Any, ...]
    cells: int
    processes: int = 1
    needs: str = "numpy"
    turns: float = math.inf

    @property
    def absent(self) -> bool:
        """Whether its package is not installed."""
        return importlib.util.find_spec(self.needs) is None


@dataclasses.dataclass(frozen=True)
class Measured:
    """What came of a contender: its results, what the report says of every contender, and what its device is."""

    contender: Contender
    results: Results
    entry: dict[str, Any]
    device: dict[str, Any]


def confine(cores: int) -> None:
    """Pin this process and all that it starts to so many cores. Before any child starts: what they load counts the cores it may use."""
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:cores])
    for library in ("OMP", "OPENBLAS", "MKL"):
        os.environ[f"{library}_NUM_THREADS"] = "1"  # SciPy's share of the cores is one process each
    # Equinox's libraries raise for all cells when one diverges; NaN serves them better.
    os.environ["EQX_ON_ERROR"] = "nan"
    source = Path(__file__).parents[1]
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [str(source), os.environ.get("PYTHONPATH")]))


def measure(contenders: list[Contender], arrays: tuple[np.ndarray, ...], repeats: int) -> list[Measured]:
    """Give every contender its turn, `repeats` times over, after a first turn that does not count."""
    running = [Running(contender, arrays) for contender in contenders]
    for turn in range(repeats):
        for runner in running:
            if turn < runner.contender.turns:
                runner.seconds.append(runner.turn())
    return [runner.finish() for runner in running]


def once(contender: Contender, arrays: tuple[np.ndarray, ...]) -> Results:
    """Results of a contender that is not timed."""
    return Running(contender, arrays).finish().results


def cold(function: Callable[..., Any], *arguments: Any) -> Any:
    """What a function returns in a process of its own, in which nothing has been compiled and no memory was used."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(function, arguments)


class Running:
    """A contender whose processes wait for their next turn; it has had its first."""

    def __init__(self, contender: Contender, arrays: tuple[np.ndarray, ...]):
        self.contender = contender
        # Spawned and not forked: XLA's threads do not survive a fork, and memory would be counted twice.
        context = multiprocessing.get_context("spawn")
        self._pipes: list[Connection] = []
        self._processes = []
        shares = [np.array_split(array[..., : contender.cells], contender.processes, axis=-1) for array in arrays]
        for share in zip(*shares, strict=True):
            here, there = context.Pipe()
            process = context.Process(target=_serve, args=(there, contender.module, (*share, *contender.arguments)), daemon=True)
            process.start()
            there.close()
            self._pipes.append(here)
            self._processes.append(process)
        self.prepared = max(self._ask("prepare"))
        self.first = self.turn()
        self.seconds: list[float] = []

    def turn(self) -> float:
        """Seconds to solve all of its cells once."""
        begin = time.perf_counter()
        self._ask("run")
        return time.perf_counter() - begin

    def finish(self) -> Measured:
        """Collect what came of it, and end its processes."""
        parts = self._ask("results")
        facts = self._ask("facts")
        for pipe, process in zip(self._pipes, self._processes, strict=True):
            pipe.close()
            process.join()
        joined = tuple(np.concatenate(arrays, axis=-1) for arrays in zip(*parts, strict=True))
        return Measured(self.contender, joined, self._timings() | {"peak_MiB": sum(peak for peak, _ in facts)}, facts[0][1])

    def _timings(self) -> dict[str, Any]:
        """Median, fastest and slowest turn; compilation is what preparing took, and what the first turn took longer."""
        median = statistics.median(self.seconds or [self.first])
        return {
            "cells": self.contender.cells,
            "processes": self.contender.processes,
            "seconds": median,
            "seconds_fastest": min(self.seconds, default=median),
            "seconds_slowest": max(self.seconds, default=median),
            "compile_seconds": self.prepared + max(0.0, self.first - median),
            "cells_per_second": self.contender.cells / median,
        }

    def _ask(self, word: str) -> list[Any]:
        for pipe in self._pipes:
            pipe.send(word)
        return [pipe.recv() for pipe in self._pipes]


def _serve(pipe: Connection, module: str, given: tuple[Any, ...]) -> None:
    prepare = importlib.import_module(module).prepare
    run: Any = None
    results: Any = None
    try:
        while True:
            match pipe.recv():
                case "prepare":
                    begin = time.perf_counter()
                    run = prepare(*given)
                    pipe.send(time.perf_counter() - begin)
                case "run":
                    results = run()
                    pipe.send(None)
                case "results":
                    pipe.send(results)
                case "facts":
                    pipe.send((peak_memory(), _device()))
    except EOFError:
        return


def peak_memory() -> float:
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
