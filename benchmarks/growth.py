"""How compilation, memory and time of jaxion's transients and of their gradients grow with states and with cells.

    python benchmarks/growth.py --of states
    python benchmarks/growth.py --of cells

prints one sentence a kernel, each compiled and run in a process of its own, and writes them with their surroundings as JSON. See README.md.
"""

import argparse
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import report
import rounds

STATES = ("duesterwald2018", "huebel2016", "canonical", "halnes2013-4")
"""What grows in states: 5, 11, 16 and 32 of them; the last is a column of tissue in 4 nodes of 8 states each."""

CELLS = (100, 1_000, 10_000, 100_000, 1_000_000)

PUBLISHED = {
    "duesterwald2018": ("pump_block", "neuron.leak_K.g"),
    "huebel2016": ("pump_block", "neuron.leak_K.g"),
    "halnes2013": ("buffering", "node0.astrocyte.leak_Na.g"),
}
"""Protocol of each published model, and the parameter that differs from cell to cell."""


def main() -> None:
    """Run the benchmark."""
    arguments = _arguments()
    rounds.confine(arguments.cores)
    entries = []
    for system in arguments.systems:
        for cells in arguments.cells:
            for kernel in arguments.kernels:
                entry = rounds.cold(_one, system, cells, kernel)
                entries.append(entry)
                print(_line(entry), flush=True)
    record = {"benchmark": "growth", "of": arguments.of, **report.surroundings(), "cores": arguments.cores, "entries": entries}
    report.write(record, arguments.out or Path(__file__).parent / "results" / f"growth-{arguments.of}-cores{arguments.cores}.json")


def _one(system: str, cells: int, kernel: str) -> dict[str, Any]:
    """Time of a first and of a second call, and peak memory, of one kernel."""
    import jax
    import numpy as np

    import jaxion

    jaxion.enable_x64()
    states, course, free = _canonical(cells) if system == "canonical" else _published(system, cells)

    def total(free: Any) -> tuple[Any, Any]:
        ends, ok = course(free)
        return jax.numpy.where(ok, ends, 0.0).sum(), ok

    compiled = jax.jit(total if kernel == "transient" else jax.value_and_grad(total, has_aux=True))

    def run() -> tuple[float, int]:
        began = time.perf_counter()
        found = jax.block_until_ready(compiled(free))
        ok = found[1] if kernel == "transient" else found[0][1]
        return time.perf_counter() - began, int((~np.asarray(ok)).sum())

    first, _ = run()
    seconds, failed = run()
    return {
        **{"system": system, "states": states, "cells": cells, "kernel": kernel, "seconds": seconds, "cells_per_second": cells / seconds},
        **{"compile_seconds": max(0.0, first - seconds), "peak_MiB": rounds.peak_memory(), "failed": failed},
    }


Task = tuple[int, Callable[[Any], tuple[Any, Any]], Any]
"""Number of states; from what is differentiated to a number for each cell and whether it was solved; and what is differentiated."""


def _published(system: str, cells: int) -> Task:
    """A model of `jaxion.models`, the sum of what its state holds at the end, in one parameter."""
    import jax.numpy as jnp

    import jaxion

    name, _, nodes = system.partition("-")
    protocol, path = PUBLISHED[name]
    build = getattr(jaxion.models, name)
    model = build(nodes=int(nodes)) if nodes else build()
    drawn = jaxion.Population.sample(model, {path: jaxion.LogNormal(cv=0.2)}, size=cells, seed=1).model()[path]

    def course(free: Any) -> tuple[Any, Any]:
        changed = jaxion.replace(model, {path: free})
        solution = jaxion.solve(changed, protocol, start="baseline", measure={"end": jaxion.final()}, throw=False)
        return jnp.stack(list(solution.measures.values())).sum(axis=0), solution.ok

    return len(model.rows), course, drawn


def _canonical(cells: int) -> Task:
    """The canonical stiff cell through anoxia, its loss at the end, in its 25 parameters."""
    import jax.numpy as jnp
    from canonical import SCALE, STATES, WORKLOADS, draw, driven, f, start
    from gradients_loss import WRT, loss

    from jaxion import Status, kernel

    theta, task = draw(cells, 1), WORKLOADS["anoxia"]
    y0 = start(theta)
    theta = driven(theta, task.drive)
    system = kernel.System(f, rows=len(STATES), params=len(theta))

    def course(free: Any) -> tuple[Any, Any]:
        whole = jnp.concatenate([free, theta[WRT:]])
        found = kernel.integrate(system, y0, whole, [0.0, task.duration], scale=SCALE, rtol=task.rtol)
        return loss(found.final[None], y0), found.status == Status.ok

    return len(STATES), course, jnp.asarray(theta[:WRT])


def _line(entry: dict[str, Any]) -> str:
    return (
        f"{entry['system']}, {entry['states']} states, {entry['kernel']}: {report.rate(entry)}, second call {entry['seconds']:.3g} s, "
        f"{entry['failed']} failed."
    )


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--of", choices=["states", "cells"], default="states", help="what is varied unless given below")
    parser.add_argument("--systems", nargs="+", help=f"default: {' '.join(STATES)}, or duesterwald2018 in growing numbers")
    parser.add_argument("--cells", type=int, nargs="+", help=f"numbers of cells; default 256, or {CELLS}")
    parser.add_argument("--kernels", nargs="+", choices=["transient", "gradient"], default=["transient", "gradient"])
    parser.add_argument("--cores", type=int, default=1, help="cores that it is pinned to")
    parser.add_argument("--out", type=Path, help="where to write the JSON")
    arguments = parser.parse_args()
    arguments.systems = arguments.systems or (STATES if arguments.of == "states" else ("duesterwald2018",))
    arguments.cells = arguments.cells or ((256,) if arguments.of == "states" else CELLS)
    report.check_cores(parser, arguments.cores)
    return arguments


if __name__ == "__main__":
    main()
