"""Set-points with all sensitivities of a heterogeneous population: jaxion against root-finders on the same cells in the same run.

    python benchmarks/setpoints.py --cores 1

prints one sentence a contender and one for the ratio, and writes them with their surroundings as JSON. See README.md.
"""

import argparse
import os
from pathlib import Path
from typing import Any

import report
import rounds
from neuron import NOMINAL, OF, closed_form, draw

ENOUGH = 0.95
"""Fraction of cells in which a rival must find the set-point to count."""


def main() -> None:
    """Run the benchmark."""
    arguments = _arguments()
    # Before any child starts: what they load counts the cores that it may use.
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[: arguments.cores])
    for library in ("OMP", "OPENBLAS", "MKL"):
        os.environ[f"{library}_NUM_THREADS"] = "1"  # SciPy's share of the cores is one process each
    # Optimistix raises for all cells when one diverges; NaN serves it better.
    os.environ["EQX_ON_ERROR"] = "nan"
    source = Path(__file__).parents[1]
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [str(source), os.environ.get("PYTHONPATH")]))
    theta = draw(arguments.cells, arguments.cv, arguments.seed)
    exact = closed_form(theta)
    running = [rounds.Running(contender, theta) for contender in _contenders(arguments.cells, arguments.cores)]
    rounds.interleave(running, arguments.repeats)
    entries: dict[str, Any] = {}
    facts: dict[str, Any] = {}
    ours = None
    for runner in running:
        (states, sensitivities, claimed), peak, said = runner.finish()
        ours = sensitivities if ours is None else ours
        entries[runner.contender.name] = {
            "cells": runner.contender.cells,
            "processes": runner.contender.processes,
            **rounds.timings(runner),
            "peak_MiB": peak,
            "claimed_fraction": float(claimed.mean()),
            **report.agreement(states, sensitivities, exact, ours, theta),
        }
        facts = facts or said
    print(f"Set-points of {arguments.cells} neurons with all {len(OF)} × {len(NOMINAL)} sensitivities, cores: {arguments.cores}.")
    for name, entry in entries.items():
        print(report.line(name, entry))
    best, ratio = _ratio(entries)
    print(
        f"jaxion solves {ratio:.1f} times as many cells a second as the fastest rival that finds at least {100 * ENOUGH:.0f} % "
        f"of the set-points ({best})."
    )
    record = {
        "benchmark": "setpoints",
        **report.surroundings(),
        **facts,
        "cores": arguments.cores,
        "cells": arguments.cells,
        "repeats": arguments.repeats,
        "cv": arguments.cv,
        "seed": arguments.seed,
        "of": list(OF),
        "wrt": list(NOMINAL),
        "contenders": entries,
        "best_rival": best,
        "ratio": ratio,
    }
    out = arguments.out or Path(__file__).parent / "results" / f"setpoints-cores{arguments.cores}.json"
    report.write(record, out)


def _contenders(cells: int, cores: int) -> list[rounds.Contender]:
    """jaxion first; the slow ones are given the first of the cells only, and their rates are per cell."""
    return [
        rounds.Contender("jaxion", "with_jaxion", "setpoint", cells),
        rounds.Contender("SciPy fsolve", "with_scipy", "fsolve", min(cells, 4096), cores),
        rounds.Contender("SciPy root(lm)", "with_scipy", "lm", min(cells, 4096), cores),
        rounds.Contender("optimistix Newton", "with_optimistix", "Newton", cells),
        rounds.Contender("optimistix Dogleg", "with_optimistix", "Dogleg", min(cells, 2048)),
        rounds.Contender("optimistix LevenbergMarquardt", "with_optimistix", "LevenbergMarquardt", min(cells, 2048)),
    ]


def _ratio(entries: dict[str, Any]) -> tuple[str, float]:
    rivals = {name: entry for name, entry in entries.items() if name != "jaxion" and entry["same_fraction"] >= ENOUGH}
    best = max(rivals, key=lambda name: rivals[name]["cells_per_second"])
    return best, entries["jaxion"]["cells_per_second"] / rivals[best]["cells_per_second"]


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cells", type=int, default=16384, help="size of the population")
    parser.add_argument("--repeats", type=int, default=7, help="turns of each contender; medians are reported")
    parser.add_argument("--cores", type=int, default=1, help="cores that the whole benchmark is pinned to")
    parser.add_argument("--cv", type=float, default=0.5, help="coefficient of variation of conductances and pump")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, help="where to write the JSON")
    arguments = parser.parse_args()
    if arguments.cores > len(os.sched_getaffinity(0)):
        parser.error(f"Argument `--cores` must not exceed the {len(os.sched_getaffinity(0))} cores that this process may use.")
    return arguments


if __name__ == "__main__":
    main()
