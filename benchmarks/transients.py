"""Transients of a heterogeneous batch of stiff cells: jaxion against other integrators on the same cells in the same run.

    python benchmarks/transients.py --workload anoxia
    python benchmarks/transients.py --workload spiking

prints one sentence a contender, with its error beside its rate, and writes them with their surroundings as JSON. See README.md.
"""

import argparse
import os
from pathlib import Path
from typing import Any

import numpy as np
import report
import rounds
from canonical import REST, SCALE, STATES, WORKLOADS, Workload, draw, driven, start

CELLS = {"anoxia": 1024, "spiking": 256}
"""Default size of the batch."""


def main() -> None:
    """Run the benchmark."""
    arguments = _arguments()
    task = WORKLOADS[arguments.workload]
    theta, y0, reference = _truth(arguments)
    rounds.confine(arguments.cores)
    contenders = [c for rtol in arguments.rtol for c in _contenders(arguments.workload, rtol, arguments.cells, arguments.cores)]
    absent = sorted({contender.needs for contender in contenders if contender.absent})
    measured = rounds.measure([contender for contender in contenders if not contender.absent], (y0, theta), arguments.repeats)
    errors = [_errors(one.results[0], reference, task) for one in measured]
    entries = [_entry(one, error) for one, error in zip(measured, errors, strict=True)]
    for entry, error in zip(entries, errors, strict=True):
        if entry["name"] != "jaxion":
            entry |= _ratios(entry, error, [(e, x) for e, x in zip(entries, errors, strict=True) if e["name"] == "jaxion"])
    print(f"{arguments.cells} cells through {arguments.workload}: {task.duration:g} s, {task.saves} saves, cores: {arguments.cores}.")
    for entry in entries:
        print(_line(entry))
    for package in absent:
        print(f"Left out, as it is not installed: {package}.")
    record = {
        "benchmark": "transients",
        "workload": arguments.workload,
        **report.surroundings(),
        **measured[0].device,
        "cores": arguments.cores,
        "cells": arguments.cells,
        "judged_cells": reference.shape[-1],
        "repeats": arguments.repeats,
        "seed": arguments.seed,
        "reference_error": _reference_error(y0, theta, reference, arguments.workload),
        "absent": absent,
        "contenders": entries,
    }
    out = arguments.out or Path(__file__).parent / "results" / f"transients-{arguments.workload}-cores{arguments.cores}.json"
    report.write(record, out)


def _truth(arguments: argparse.Namespace) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Parameters and drive, each cell's own rest from which all start, and the reference of the cells that are judged."""
    parameters, cores = draw(arguments.cells, arguments.seed), len(os.sched_getaffinity(0))
    at_rest = rounds.Contender("rest", "transients_sundials", ("rest", 1e-9), arguments.cells, cores)
    y0 = rounds.once(at_rest, (start(parameters), driven(parameters, REST)))[0][-1]
    theta = driven(parameters, WORKLOADS[arguments.workload].drive)
    judge = rounds.Contender("reference", "transients_sundials", (arguments.workload, 1e-10), min(arguments.cells, arguments.judged), cores)
    return theta, y0, rounds.once(judge, (y0, theta))[0]


def _reference_error(y0: np.ndarray, theta: np.ndarray, reference: np.ndarray, workload: str) -> float:
    """Largest difference between the reference and an integrator of another family, as tight, in the first cells."""
    other = rounds.Contender("check", "transients_scipy", ("odeint", workload, 1e-10), min(reference.shape[-1], 8))
    return float(_errors(rounds.once(other, (y0, theta))[0], reference, WORKLOADS[workload]).max())


def _contenders(workload: str, rtol: float, cells: int, cores: int) -> list[rounds.Contender]:
    """jaxion first; the slow ones are given the first of the cells only, and their rates are per cell: numbalsoda, the fastest, gets all."""

    def rival(name: str, module: str, arguments: tuple[str, ...], divisor: int, needs: str = "numpy") -> rounds.Contender:
        return rounds.Contender(name, module, (*arguments, workload, rtol), max(cores, cells // divisor), cores, needs)

    return [
        rounds.Contender("jaxion", "transients_jaxion", ("llvm", workload, rtol), cells),
        rounds.Contender("jaxion by XLA", "transients_jaxion", ("xla", workload, rtol), cells),
        rival("numbalsoda LSODA", "transients_numbalsoda", (), 1, needs="numbalsoda"),
        rival("scikit-sundae CVODE", "transients_sundials", (), 4),
        rival("SciPy odeint", "transients_scipy", ("odeint",), 4),
        rival("SciPy solve_ivp LSODA", "transients_scipy", ("LSODA",), 8),
        rival("SciPy solve_ivp BDF", "transients_scipy", ("BDF",), 16),
        rival("diffrax Kvaerno3", "transients_diffrax", ("Kvaerno3",), 16),
        rival("diffrax Kvaerno5", "transients_diffrax", ("Kvaerno5",), 16),
    ]


def _errors(saved: np.ndarray, reference: np.ndarray, task: Workload) -> np.ndarray:
    """Error of each judged cell: the largest over times and states, relative to size and scale; NaN where it was not finished."""
    cells = min(saved.shape[-1], reference.shape[-1])
    saved, reference = saved[..., :cells], reference[..., :cells]
    error = np.abs(saved - reference) / (SCALE[:, None] + np.abs(reference))
    return error[:, [STATES.index(state) for state in task.judged]].max(axis=(0, 1))


def _entry(one: rounds.Measured, error: np.ndarray) -> dict[str, Any]:
    return {
        "name": one.contender.name,
        "rtol": one.contender.arguments[-1],
        **one.entry,
        "claimed_fraction": float(one.results[1].mean()),
        "judged_cells": len(error),
        "unfinished_cells": int(np.isnan(error).sum()),
        "error_median": float(np.nanmedian(error)),
        "error_worst": float(np.nanmax(error)),
    }


def _ratios(entry: dict[str, Any], error: np.ndarray, ours: list[tuple[dict[str, Any], np.ndarray]]) -> dict[str, float | None]:
    """By how much jaxion is faster at the same tolerance; and where, in the same cells, neither its median nor its worst error is larger."""

    def fastest(rows: list[dict[str, Any]]) -> float | None:
        return max((row["cells_per_second"] / entry["cells_per_second"] for row in rows), default=None)

    def as_accurate(mine: np.ndarray) -> bool:
        mine = mine[: len(error)]
        return bool(np.median(mine) <= np.nanmedian(error) and np.max(mine) <= np.nanmax(error))

    return {
        "jaxion_ratio": fastest([row for row, _ in ours if row["rtol"] == entry["rtol"]]),
        "jaxion_ratio_as_accurate": fastest([row for row, mine in ours if as_accurate(mine)]),
    }


def _line(entry: dict[str, Any]) -> str:
    failed = f", {entry['unfinished_cells']} unfinished" if entry["unfinished_cells"] else ""
    ratio = entry.get("jaxion_ratio_as_accurate")
    compared = "" if entry["name"] == "jaxion" else f"; jaxion is {entry['jaxion_ratio']:.1f} times as fast at this rtol"
    compared += f", {ratio:.1f} times where it is as accurate" if ratio else ""
    return (
        f"{entry['name']}, rtol {entry['rtol']:.0e}: {report.rate(entry)}, error {entry['error_median']:.1e} in the median and "
        f"{entry['error_worst']:.1e} at worst of {entry['judged_cells']} cells{failed}{compared}."
    )


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--workload", choices=list(CELLS), default="anoxia")
    parser.add_argument("--rtol", type=float, nargs="+", help="relative tolerances, each given to every contender; default: the workload's")
    parser.add_argument("--cells", type=int, help=f"size of the batch; default {CELLS}")
    parser.add_argument("--judged", type=int, default=64, help="number of cells whose errors are measured")
    parser.add_argument("--repeats", type=int, default=5, help="turns of each contender; medians are reported")
    parser.add_argument("--cores", type=int, default=1, help="cores that the contenders are pinned to")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", type=Path, help="where to write the JSON")
    arguments = parser.parse_args()
    arguments.rtol = arguments.rtol or [WORKLOADS[arguments.workload].rtol]
    arguments.cells = arguments.cells or CELLS[arguments.workload]
    report.check_cores(parser, arguments.cores)
    return arguments


if __name__ == "__main__":
    main()
