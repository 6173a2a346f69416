"""jaxion on several versions of Python and JAX, or several versions of jaxion: the same cells in turn, so that a busy machine slows all alike.

    python benchmarks/versions.py --python OLD/bin/python NEW/bin/python
    python benchmarks/versions.py --checkout BEFORE . --out results/checkouts-cores1.json

prints one sentence a workload and version, with what it lacks or gains against the first, and writes them as JSON. Each program
needs jaxion's core packages only; the one that runs this script needs the extra `dev`, for the rest from which cells start.
"""

import argparse
import importlib
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
import report
import rounds

HERE: Final = Path(__file__).parent
PACKAGES: Final = ("jax", "jaxlib", "llvmlite", "numpy", "equinox")


class Workload(NamedTuple):
    """What is timed: `prepare` of a module, its arguments, the arrays it is given and the number of cells."""

    module: str
    arguments: tuple[Any, ...]
    arrays: str
    cells: int


WORKLOADS: Final = {
    "transients, anoxia": Workload("transients_jaxion", ("llvm", "anoxia", 1e-6), "anoxia", 1024),
    "transients, spiking": Workload("transients_jaxion", ("llvm", "spiking", 1e-6), "spiking", 64),
    "set-points of the canonical cell with 400 sensitivities": Workload("canonical_jaxion", ("setpoint",), "canonical", 16384),
    "set-points of a pump–leak neuron with 60 sensitivities": Workload("with_jaxion", ("setpoint",), "pump-leak", 16384),
    "gradients in 25 parameters": Workload("gradients_jaxion", ("gradient", 1e-6), "anoxia", 512),
}


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--python", nargs="+", default=[sys.executable], help="programs, the one that others are compared with first")
    parser.add_argument(
        "--checkout", nargs="+", type=Path, default=[HERE.parent], help="folders of jaxion, each run with its own benchmarks"
    )
    parser.add_argument("--repeats", type=int, default=9, help="turns of each program; medians are reported")
    parser.add_argument("--out", type=Path, default=HERE / "results" / "versions-cores1.json")
    parser.add_argument("--serve", metavar="FOLDER", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.serve:
        _serve(arguments.serve)
        return
    rounds.confine(1)
    entries = []
    with tempfile.TemporaryDirectory() as folder:
        for name, workload in WORKLOADS.items():
            given = Path(folder) / name.replace(" ", "_")
            given.mkdir()
            np.savez(given / "arrays.npz", *(array[..., : workload.cells] for array in _arrays(workload)))
            (given / "workload.json").write_text(json.dumps([workload.module, workload.arguments]))
            contenders = [(python, checkout.resolve()) for python in arguments.python for checkout in arguments.checkout]
            entries += _measured(name, workload, given, contenders, arguments.repeats)
    for entry in entries:
        print(_line(entry))
    report.write(
        {"benchmark": "versions", **report.surroundings(), "cores": 1, "repeats": arguments.repeats, "entries": entries}, arguments.out
    )


def _arrays(workload: Workload) -> tuple[np.ndarray, ...]:
    import canonical
    import neuron

    if workload.arrays == "pump-leak":
        return (neuron.draw(workload.cells, 0.5, 0),)
    parameters = canonical.draw(workload.cells, 1)
    if workload.arrays == "canonical":
        return (parameters,)
    at_rest = rounds.Contender("rest", "transients_sundials", ("rest", 1e-9), workload.cells)
    y0 = rounds.once(at_rest, (canonical.start(parameters), canonical.driven(parameters, canonical.REST)))[0][-1]
    return y0, canonical.driven(parameters, canonical.WORKLOADS[workload.arrays].drive)


def _measured(name: str, workload: Workload, folder: Path, contenders: list[tuple[str, Path]], repeats: int) -> list[dict[str, Any]]:
    """Every program with every checkout in turn, each in a process of its own, which lives until all are done."""

    def start(program: str, checkout: Path) -> subprocess.Popen[str]:
        command = [program, str(checkout / "benchmarks" / Path(__file__).name), "--serve", str(folder)]
        # Before whatever is installed.
        environment = {**os.environ, "PYTHONPATH": str(checkout)}
        return subprocess.Popen(command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    running = [start(*contender) for contender in contenders]

    def ask(process: subprocess.Popen[str], word: str) -> Any:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(word + "\n")
        process.stdin.flush()
        return json.loads(process.stdout.readline())

    first = [ask(process, "run") for process in running]
    turns = [[ask(process, "run") for process in running] for _ in range(repeats)]
    facts = [ask(process, f"save {folder / str(i)}.npz") for i, process in enumerate(running)]
    for process in running:
        process.communicate()
    results = [[np.asarray(array, float) for array in np.load(folder / f"{i}.npz").values()] for i in range(len(contenders))]
    entries = []
    for i, fact in enumerate(facts):
        seconds = [turn[i] for turn in turns]
        entries.append(
            {
                "workload": name,
                "revision": report.revision(contenders[i][1]),
                **fact,
                "cells": workload.cells,
                "cells_per_second": workload.cells / statistics.median(seconds),
                "compile_seconds": first[i] - statistics.median(seconds),
                # Of each pair of turns, one right after the other.
                "ratio": statistics.median(turn[0] / turn[i] for turn in turns),
                "difference": max(_difference(a, b) for a, b in zip(results[i], results[0], strict=True)),
            }
        )
    return entries


def _difference(a: np.ndarray, b: np.ndarray) -> float:
    """Largest difference of two results, of the largest number of their row over all cells."""
    scale = np.nanmax(np.abs(b), axis=-1, keepdims=True)
    return float(np.nanmax(np.abs(a - b) / np.where(scale == 0, 1.0, scale)))


def _line(entry: dict[str, Any]) -> str:
    versions = f"jaxion {entry['revision'][:7]}, Python {entry['python']}, JAX {entry['versions']['jax']}"
    return (
        f"{entry['workload']}, {versions}: {entry['cells_per_second']:,.0f} cells/s, {entry['ratio']:.3f} times the first, "
        f"compile {entry['compile_seconds']:.1f} s, numbers differ by {entry['difference']:.0e}."
    )


def _serve(folder: Path) -> None:
    """Answer each line of stdin with a line of JSON: seconds of a run, or the versions once results are saved."""
    arrays = list(np.load(folder / "arrays.npz").values())
    module, given = json.loads((folder / "workload.json").read_text())
    run, results = None, ()
    for line in sys.stdin:
        word, _, argument = line.strip().partition(" ")
        if word == "run":
            begin = time.perf_counter()
            run = run or importlib.import_module(module).prepare(*arrays, *given)
            results = run()
            print(json.dumps(time.perf_counter() - begin), flush=True)
        else:
            np.savez(argument, *results)
            versions = report.surroundings()
            print(
                json.dumps(
                    {
                        "python": versions["python"],
                        "versions": {name: versions["versions"][name] for name in PACKAGES if name in versions["versions"]},
                    }
                ),
                flush=True,
            )


if __name__ == "__main__":
    main()
