"""Time and memory of batches that grow from a hundred to a million cells, measures only: a pump block of a published neuron.

    python benchmarks/million.py

prints one sentence a size, each run in a process of its own, and writes them with their surroundings as JSON. See README.md.
"""

import argparse
import time
from pathlib import Path
from typing import Any

import report
import rounds

SIZES = (100, 10_000, 100_000, 1_000_000)


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES, help="numbers of cells")
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "results" / "million.json")
    arguments = parser.parse_args()
    entries = []
    for size in arguments.sizes:
        entry = rounds.cold(_one, size)
        entries.append(entry)
        print(
            f"{size:,} cells: {entry['cells_per_second']:,.0f} cells/s, first call {entry['first_seconds']:.1f} s, "
            f"peak {entry['peak_MiB']:,.0f} MiB, {entry['failed']} failed"
        )
    report.write({"benchmark": "million", **report.surroundings(), "cores": report.cores(), "entries": entries}, arguments.out)


def _one(size: int) -> dict[str, Any]:
    """Time of a second call, and peak memory, of one batch."""
    import jaxion

    jaxion.enable_x64()
    model = jaxion.models.duesterwald2018()
    spread = {"neuron.kcc2.g": jaxion.LogNormal(cv=0.3), "neuron.leak_Na.g": jaxion.LogNormal(cv=0.2)}
    cells = jaxion.Population.sample(model, spread, size=size, seed=1).model()
    protocol = jaxion.Protocol(jaxion.rest(60), jaxion.block("neuron.nka", 0.9, 300), jaxion.rest(600))
    measure = {"t": jaxion.crossing("neuron.V", -70.0), "ATP": jaxion.integral("neuron.nka.ATP"), "end": jaxion.final()}

    def run() -> tuple[float, int]:
        began = time.perf_counter()
        solution = jaxion.solve(cells, protocol, start="baseline", measure=measure)
        return time.perf_counter() - began, int((~solution.ok).sum())

    first, _ = run()
    seconds, failed = run()
    peak = rounds.peak_memory()
    return {"cells": size, "cells_per_second": size / seconds, "first_seconds": first, "peak_MiB": peak, "failed": failed}


if __name__ == "__main__":
    main()
