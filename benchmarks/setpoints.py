"""Set-points with all sensitivities of a heterogeneous population: jaxion against root-finders on the same cells in the same run.

    python benchmarks/setpoints.py --neuron pump-leak --cores 1
    python benchmarks/setpoints.py --neuron canonical --cores 1

prints one sentence a contender and one for the ratio, and writes them with their surroundings as JSON. See README.md.
"""

import argparse
import dataclasses
import os
from pathlib import Path
from typing import Any

import neuron
import numpy as np
import report
import rounds
from agreement import agreement

ENOUGH = 0.95
"""Fraction of cells in which a rival must find the set-point to count."""


@dataclasses.dataclass(frozen=True)
class Problem:
    """What is to be solved, by whom, and the judge's answer.

    Attributes:
        of: Names of the states.
        wrt: Names of the parameters.
        theta: Parameters of each cell.
        exact: States of each cell, from the first on.
        sensitivities: Their derivatives; without any, jaxion's are what the others are compared with.
        contenders: Who takes part; jaxion first if it does.
    """

    of: tuple[str, ...]
    wrt: tuple[str, ...]
    theta: np.ndarray
    exact: np.ndarray
    sensitivities: np.ndarray | None
    contenders: list[rounds.Contender]


def main() -> None:
    """Run the benchmark."""
    arguments = _arguments()
    problem = PROBLEMS[arguments.neuron](arguments)
    rounds.confine(arguments.cores)
    measured = rounds.measure(problem.contenders, (problem.theta,), arguments.repeats)
    wanted = measured[0].results[1] if problem.sensitivities is None else problem.sensitivities
    entries = {one.contender.name: _entry(one, problem, wanted) for one in measured}
    print(
        f"Set-points of {arguments.cells} {arguments.neuron} neurons with all {len(problem.of)} × {len(problem.wrt)} sensitivities, "
        f"cores: {arguments.cores}."
    )
    for name, entry in entries.items():
        print(_line(name, entry))
    record = {
        "benchmark": "setpoints",
        "neuron": arguments.neuron,
        **report.surroundings(),
        **next((one.device for one in measured if one.device), {}),
        "cores": arguments.cores,
        "cells": arguments.cells,
        "repeats": arguments.repeats,
        "cv": arguments.cv,
        "seed": arguments.seed,
        "of": list(problem.of),
        "wrt": list(problem.wrt),
        "contenders": entries,
        **_ratio(entries),
    }
    if "ratio" in record:
        print(
            f"jaxion solves {record['ratio']:.1f} times as many cells a second as the fastest rival that finds at least "
            f"{100 * ENOUGH:.0f} % of the set-points ({record['best_rival']})."
        )
    name = "setpoints" if arguments.neuron == "pump-leak" else f"setpoints-{arguments.neuron}"
    report.write(record, arguments.out or Path(__file__).parent / "results" / f"{name}-cores{arguments.cores}.json")


def _pump_leak(arguments: argparse.Namespace) -> Problem:
    """The slow contenders are given the first of the cells only, and their rates are per cell."""
    cells, cores = arguments.cells, arguments.cores
    theta = neuron.draw(cells, arguments.cv, arguments.seed)
    contenders = [
        rounds.Contender("jaxion", "with_jaxion", ("setpoint",), cells),
        rounds.Contender("SciPy fsolve", "with_scipy", ("fsolve",), min(cells, 4096), cores),
        rounds.Contender("SciPy root(lm)", "with_scipy", ("lm",), min(cells, 4096), cores),
        rounds.Contender("optimistix Newton", "with_optimistix", ("Newton",), cells),
        rounds.Contender("optimistix Dogleg", "with_optimistix", ("Dogleg",), min(cells, 2048)),
        rounds.Contender("optimistix LevenbergMarquardt", "with_optimistix", ("LevenbergMarquardt",), min(cells, 2048)),
    ]
    return Problem(neuron.OF, tuple(neuron.NOMINAL), theta, neuron.closed_form(theta), None, contenders)


def _canonical(arguments: argparse.Namespace) -> Problem:
    # Each contender's process imports this file first, and JAX would count as memory of those who do without.
    import canonical
    import canonical_truth

    cells, cores = arguments.cells, arguments.cores
    theta = canonical.draw(cells, arguments.seed)
    judged = theta[:, : min(cells, 1024)]
    exact, sensitivities = canonical_truth.answer(judged, len(os.sched_getaffinity(0)))
    given = judged.shape[1]
    contenders = [
        rounds.Contender("jaxion", "canonical_jaxion", ("setpoint",), cells),
        rounds.Contender("SciPy fsolve", "canonical_scipy", ("fsolve",), given, cores),
        rounds.Contender("SciPy root(lm)", "canonical_scipy", ("lm",), given, cores),
        rounds.Contender("optimistix Newton", "canonical_optimistix", ("Newton",), given),
        rounds.Contender("optimistix Dogleg", "canonical_optimistix", ("Dogleg",), given),
        rounds.Contender("optimistix LevenbergMarquardt", "canonical_optimistix", ("LevenbergMarquardt",), given),
    ]
    return Problem(canonical.STATES, tuple(canonical.PARAMETERS), theta, exact, sensitivities, contenders)


PROBLEMS = {"pump-leak": _pump_leak, "canonical": _canonical}


def _entry(one: rounds.Measured, problem: Problem, wanted: np.ndarray) -> dict[str, Any]:
    states, sensitivities, claimed = one.results
    judged = min(states.shape[-1], problem.exact.shape[-1])
    found = agreement(states[..., :judged], sensitivities[..., :judged], problem.exact, wanted, problem.theta)
    return {**one.entry, "claimed_fraction": float(claimed.mean()), **found}


def _line(name: str, entry: dict[str, Any]) -> str:
    return (
        f"{name}: {report.rate(entry)}, the same set-point in {100 * entry['same_fraction']:.2f} % of cells, "
        f"states to {entry['state_error']:.0e}, sensitivities to {entry['sensitivity_error']:.0e}."
    )


def _ratio(entries: dict[str, Any]) -> dict[str, Any]:
    rivals = {name: entry for name, entry in entries.items() if name != "jaxion" and entry["same_fraction"] >= ENOUGH}
    if not rivals or "jaxion" not in entries:
        return {}
    best = max(rivals, key=lambda name: rivals[name]["cells_per_second"])
    return {"best_rival": best, "ratio": entries["jaxion"]["cells_per_second"] / rivals[best]["cells_per_second"]}


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--neuron", choices=list(PROBLEMS), default="pump-leak")
    parser.add_argument("--cells", type=int, default=16384, help="size of the population")
    parser.add_argument("--repeats", type=int, default=7, help="turns of each contender; medians are reported")
    parser.add_argument("--cores", type=int, default=1, help="cores that the whole benchmark is pinned to")
    parser.add_argument("--cv", type=float, default=0.5, help="coefficient of variation of the pump-leak neuron's conductances and pump")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, help="where to write the JSON")
    arguments = parser.parse_args()
    report.check_cores(parser, arguments.cores)
    return arguments


if __name__ == "__main__":
    main()
