"""Gradients of a loss over whole transients, in a heterogeneous batch of stiff cells: jaxion against sensitivities by other means.

    python benchmarks/gradients.py

prints one sentence a contender, with its error beside its rate and the time of the same run without derivatives, and writes
them with their surroundings as JSON. See README.md.
"""

import argparse
import os
from pathlib import Path
from typing import Any

import gradients_truth
import numpy as np
import report
import rounds
from canonical import REST, WORKLOADS, draw, driven, start
from gradients_loss import WORKLOAD


def main() -> None:
    """Run the benchmark."""
    arguments = _arguments()
    y0, theta, reference, reference_error = _truth(arguments)
    rounds.confine(arguments.cores)
    contenders = [c for rtol in arguments.rtol for c in _contenders(rtol, arguments.cells, arguments.cores)]
    absent = sorted({contender.needs for contender in contenders if contender.absent})
    measured = rounds.measure([contender for contender in contenders if not contender.absent], (y0, theta), arguments.repeats)
    alone = {_who(one): one.entry for one in measured if one.contender.arguments[0] == "loss"}
    derived = [one for one in measured if one.contender.arguments[0] != "loss"]
    entries = [_entry(one, alone[_who(one)], reference, theta) for one in derived]
    ours = {entry["rtol"]: entry["cells_per_second"] for entry in entries if entry["name"] == "jaxion"}
    for entry in entries:
        entry["jaxion_ratio"] = ours[entry["rtol"]] / entry["cells_per_second"]
    print(f"Gradients of {arguments.cells} losses over {WORKLOAD} in {len(reference)} parameters each, cores: {arguments.cores}.")
    for entry in entries:
        print(_line(entry))
    for package in absent:
        print(f"Left out, as it is not installed: {package}.")
    record = {
        "benchmark": "gradients",
        "workload": WORKLOAD,
        **report.surroundings(),
        **measured[0].device,
        "cores": arguments.cores,
        "cells": arguments.cells,
        "judged_cells": reference.shape[1],
        "repeats": arguments.repeats,
        "seed": arguments.seed,
        "reference_error": reference_error,
        "absent": absent,
        "contenders": entries,
    }
    report.write(record, arguments.out or Path(__file__).parent / "results" / f"gradients-cores{arguments.cores}.json")


def _truth(arguments: argparse.Namespace) -> tuple[np.ndarray, np.ndarray, np.ndarray, float]:
    """Each cell's own rest from which all start, parameters and drive, the gradients of the judged cells, and how exact they are."""
    parameters, cores = draw(arguments.cells, arguments.seed), len(os.sched_getaffinity(0))
    at_rest = rounds.Contender("rest", "transients_sundials", ("rest", 1e-9), arguments.cells, cores)
    y0 = rounds.once(at_rest, (start(parameters), driven(parameters, REST)))[0][-1]
    theta = driven(parameters, WORKLOADS[WORKLOAD].drive)
    reference = gradients_truth.answer(y0, theta, min(arguments.cells, arguments.judged), cores)
    few = theta[:, : min(4, reference.shape[1])]
    checked = gradients_truth.differences(y0[:, : few.shape[1]], few, cores)
    return y0, theta, reference, float(gradients_truth.error(checked, reference[:, : few.shape[1]], few).max())


def _contenders(rtol: float, cells: int, cores: int) -> list[rounds.Contender]:
    """Each with derivatives and without; the slow ones are given the first of the cells only, and their rates are per cell."""

    def rival(name: str, module: str, mode: str, divisor: int, needs: str = "numpy") -> list[rounds.Contender]:
        given = max(cores, cells // divisor)
        return [rounds.Contender(name, module, (which, rtol), given, cores, needs) for which in (mode, "loss")]

    return [
        *(rounds.Contender("jaxion", "gradients_jaxion", (mode, rtol), cells) for mode in ("gradient", "loss")),
        *rival("scikit-sundae CVODE, variational equations", "gradients_sundials", "gradient", 16),
        *rival("CasADi CVODES, forward", "gradients_casadi", "forward", 16, needs="casadi"),
        *rival("CasADi CVODES, adjoint", "gradients_casadi", "adjoint", 32, needs="casadi"),
        *rival("myokit CVODES, forward", "gradients_myokit", "gradient", 32, needs="myokit"),
        *rival("diffrax Kvaerno3, checkpointed", "gradients_diffrax", "gradient", 64),
    ]


def _who(one: rounds.Measured) -> tuple[str, float]:
    return one.contender.name, one.contender.arguments[1]


def _entry(one: rounds.Measured, alone: dict[str, Any], reference: np.ndarray, theta: np.ndarray) -> dict[str, Any]:
    _, claimed, gradients = one.results
    judged = min(gradients.shape[1], reference.shape[1])
    error = gradients_truth.error(gradients[:, :judged], reference[:, :judged], theta[:, :judged])
    return {
        "name": one.contender.name,
        "rtol": one.contender.arguments[1],
        **one.entry,
        "loss_seconds": alone["seconds"],
        "gradient_over_loss": one.entry["seconds"] / alone["seconds"],
        "claimed_fraction": float(claimed.mean()),
        "judged_cells": judged,
        "unfinished_cells": int(np.isnan(error).sum()),
        "error_median": _of_finished(np.nanmedian, error),
        "error_worst": _of_finished(np.nanmax, error),
    }


def _of_finished(measure: Any, error: np.ndarray) -> float | None:
    return float(measure(error)) if np.isfinite(error).any() else None


def _line(entry: dict[str, Any]) -> str:
    failed = f", {entry['unfinished_cells']} without a gradient" if entry["unfinished_cells"] else ""
    error = (
        ""
        if entry["error_median"] is None
        else f", error {entry['error_median']:.1e} in the median and {entry['error_worst']:.1e} at worst"
    )
    compared = "" if entry["name"] == "jaxion" else f"; jaxion is {entry['jaxion_ratio']:.1f} times as fast at this rtol"
    return (
        f"{entry['name']}, rtol {entry['rtol']:.0e}: {report.rate(entry)}{error} of {entry['judged_cells']} cells{failed}, "
        f"{entry['gradient_over_loss']:.1f} times as long as without derivatives{compared}."
    )


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--rtol", type=float, nargs="+", default=[WORKLOADS[WORKLOAD].rtol], help="relative tolerances, for every contender"
    )
    parser.add_argument("--cells", type=int, default=512, help="size of the batch")
    parser.add_argument("--judged", type=int, default=32, help="number of cells whose errors are measured")
    parser.add_argument("--repeats", type=int, default=5, help="turns of each contender; medians are reported")
    parser.add_argument("--cores", type=int, default=1, help="cores that the contenders are pinned to")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", type=Path, help="where to write the JSON")
    arguments = parser.parse_args()
    report.check_cores(parser, arguments.cores)
    return arguments


if __name__ == "__main__":
    main()
