"""Heterogeneous batches of every published model through its own protocol: rates, compilation, and what became of the cells.

    python benchmarks/models.py

prints one sentence a model and protocol, each run in a process of its own, and writes them with their surroundings as JSON. See README.md.
"""

import argparse
import time
from pathlib import Path
from typing import Any

import report
import rounds

FIRST = 32
"""Size of the first batch, which is compiled with."""

QUASI_STEADY = {"kalia2021": ("qss", "full")}
"""Models that run with their gates at their steady values as well."""

SHORT: dict[str, dict[str, Any]] = {"halnes2013": {"nodes": 4}}
"""Arguments of models that would take minutes to compile as they come."""

PUBLISHED_EQUATIONS_SECONDS = 92.0
"""One run of kalia2021 for 40 min with full gates, its public equations by SciPy's BDF; quoted, not measured here."""


def main() -> None:
    """Run the benchmark."""
    arguments = _arguments()
    entries = []
    for task in tasks(arguments.models):
        entry = rounds.cold(_one, *task, arguments.cells, arguments.cv, arguments.seconds)
        entries.append(entry)
        print(_line(entry), flush=True)
    record = {"benchmark": "models", **report.surroundings(), "cores": report.cores(), "cv": arguments.cv}
    report.write(record | {"public_code_seconds": PUBLISHED_EQUATIONS_SECONDS, "entries": entries}, arguments.out)


def tasks(names: list[str]) -> list[tuple[str, str, str]]:
    """Model, protocol and gates of each batch: the published protocols, or anoxia or the pump block where there are none."""
    import jaxion

    jaxion.enable_x64()
    found = []
    for name in names or jaxion.models.__all__:
        model = getattr(jaxion.models, name)(**SHORT.get(name, {}))
        *_, last = jaxion.protocols.of(model)
        own = list(dict(model.published)) or [last]
        found += [(name, protocol, gates) for protocol in own if protocol != "rest" for gates in QUASI_STEADY.get(name, (model.gates,))]
    return found


def _one(name: str, protocol: str, gates: str, most: int, cv: float, seconds: float) -> dict[str, Any]:
    """Compilation, and rate of a batch as large as it may be, judged by a small one."""
    import numpy as np

    import jaxion
    from jaxion.errors import Status

    jaxion.enable_x64()
    arguments = SHORT.get(name, {}) | ({"gates": gates} if name in QUASI_STEADY else {})
    model = getattr(jaxion.models, name)(**arguments)
    course = jaxion.protocols.of(model)[protocol]
    strengths = [path.name for path in jaxion.paths(model) if path.name.endswith(".activity") and float(model[path.name]) > 0]
    population = jaxion.Population.sample(model, {path: jaxion.LogNormal(cv=cv) for path in strengths}, size=most, seed=1)

    def run(cells: int) -> tuple[float, Any]:
        batch = population.model(0, cells)
        began = time.perf_counter()
        solution = jaxion.solve(batch, course, start="baseline", measure={"end": jaxion.final()}, throw=False)
        np.asarray(solution.status)
        return time.perf_counter() - began, solution

    cells = min(FIRST, most)
    first, _ = run(cells)
    took, solution = run(cells)
    compiled = first - took
    larger = min(most, int(cells * seconds / took))
    if larger > cells:
        cells = larger
        run(cells)  # a size that is new has its own small operations compiled
        took, solution = run(cells)
    status = np.asarray(solution.status)
    ends = np.stack([np.broadcast_to(value, status.shape) for value in solution.measures.values()])
    return {
        "model": name,
        "protocol": protocol,
        "gates": gates,
        "arguments": arguments,
        "states": len(model.rows),
        "protocol_seconds": float(jaxion.protocols.resolve(course, model).edges[-1]),
        "cells": cells,
        "seconds": took,
        "cells_per_second": cells / took,
        "compile_seconds": compiled,
        "statuses": {Status(int(code)).name: int(np.sum(status == code)) for code in np.unique(status)},
        "ok_fraction": float(np.mean(status == Status.ok)),
        "silent_failures": int(np.sum((status == Status.ok) & ~np.isfinite(ends).all(axis=0))),
        "peak_MiB": rounds.peak_memory(),
    }


def _line(entry: dict[str, Any]) -> str:
    failed = ", ".join(f"{count} {status}" for status, count in entry["statuses"].items() if status != "ok")
    quoted = ""
    if entry["model"] == "kalia2021":
        quoted = f"; {PUBLISHED_EQUATIONS_SECONDS * entry['cells_per_second']:,.0f} cells in the time of one run of its public equations by SciPy's BDF, full gates (quoted)"
    return (
        f"{entry['model']} ({entry['states']} states, gates {entry['gates']}), {entry['protocol']} of {entry['protocol_seconds']:g} s: "
        f"{report.rate(entry)}, {100 * entry['ok_fraction']:.3g} % ok{f' ({failed})' if failed else ''}{quoted}."
    )


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--models", nargs="+", default=[], help="names of models; default all")
    parser.add_argument("--cells", type=int, default=1000, help="size of the batches")
    parser.add_argument("--cv", type=float, default=0.1, help="coefficient of variation of every mechanism's activity")
    parser.add_argument(
        "--seconds", type=float, default=150.0, help="what a batch may take; smaller ones, recorded, where it would take longer"
    )
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "results" / "models.json")
    return parser.parse_args()


if __name__ == "__main__":
    main()
