"""A fit of 25 parameters to ten minutes of a stiff cell, from many starts: jaxion against the same fit through diffrax and SciPy.

    python benchmarks/fits.py

prints one sentence a contender, with the losses it reached beside its rate, and writes them with their surroundings as JSON. See README.md.
"""

import argparse
import os
from pathlib import Path
from typing import Any

import fits_problem as task
import fits_truth
import numpy as np
import report
import rounds

SAME = "jaxion, the first quarter of the starts"
"""The row that rivals are compared with that are given no later starts."""


def main() -> None:
    """Run the benchmark."""
    arguments = _arguments()
    load = os.getloadavg()[0]
    truth, rest, recorded = fits_truth.recorded(arguments.seed)
    starts = task.starts(arguments.starts, arguments.seed)
    rounds.confine(arguments.cores)
    contenders = _contenders(arguments, recorded, rest)
    absent = sorted({contender.needs for contender in contenders if contender.absent})
    measured = rounds.measure([contender for contender in contenders if not contender.absent], (starts,), arguments.repeats)
    judged = [fits_truth.losses(one.results[1], recorded, rest, arguments.cores) for one in measured]
    polished = fits_truth.polished(
        np.concatenate([truth, *(_leading(*pair) for pair in zip(measured, judged, strict=True))], axis=1), recorded, rest, arguments.cores
    )
    least = float(np.nanmin(polished[0]))
    entries = [_entry(one, losses, least) for one, losses in zip(measured, judged, strict=True)]
    whole, some = (next(entry["fits_per_hour"] for entry in entries if entry["name"] == name) for name in ("jaxion", SAME))
    for entry in entries:
        ours = whole if entry["starts"] == arguments.starts else some
        entry["jaxion_ratio"] = ours / entry["fits_per_hour"] if entry["fits_per_hour"] else None
    print(f"{len(starts)} parameters fitted to {recorded.size} values from {arguments.starts} starts, cores: {arguments.cores}.")
    for entry in entries:
        print(_line(entry))
    for package in absent:
        print(f"Left out, as it is not installed: {package}.")
    record = {
        "benchmark": "fits",
        "workload": task.WORKLOAD,
        **report.surroundings(),
        **measured[0].device,
        "load_at_start": load,
        "cores": arguments.cores,
        "rtol": arguments.rtol,
        "parameters": len(starts),
        "values": recorded.size,
        "starts": arguments.starts,
        "repeats": arguments.repeats,
        "seed": arguments.seed,
        "loss_of_truth": float(fits_truth.losses(truth, recorded, rest, 1)[0]),
        "least_loss": least,
        "polished_losses": polished[0].tolist(),
        "absent": absent,
        "contenders": entries,
    }
    report.write(record, arguments.out or Path(__file__).parent / "results" / f"fits-cores{arguments.cores}.json")


def _contenders(arguments: argparse.Namespace, recorded: np.ndarray, rest: np.ndarray) -> list[rounds.Contender]:
    """Jaxion first; the slow ones are given the first of the starts only, and their rates are per start."""
    given, rtol, seed = (recorded, rest), arguments.rtol, arguments.seed

    def rival(name: str, module: str, own: tuple[Any, ...], divisor: int, needs: str = "numpy", **how: Any) -> rounds.Contender:
        how = {"processes": arguments.cores, **how}
        return rounds.Contender(name, module, (*given, *own, rtol), max(how["processes"], arguments.starts // divisor), needs=needs, **how)

    return [
        rival("jaxion", "fits_jaxion", (seed,), 1, processes=1),
        rival("diffrax Kvaerno3, jaxion's optimiser", "fits_diffrax", (seed,), 1, processes=1, turns=1),
        # In a batch of all starts diffrax waits for the one whose trial spikes.
        rival(SAME, "fits_jaxion", (seed,), 4, processes=1),
        rival("diffrax Kvaerno3, the first eighth", "fits_diffrax", (seed,), 8, processes=1),
        rival("SciPy least_squares, differences of numbalsoda LSODA", "fits_scipy", ("numbalsoda", "lm"), 4, needs="numbalsoda"),
        rival("SciPy least_squares, differences of odeint", "fits_scipy", ("odeint", "lm"), 8),
        rival("SciPy least_squares, differences of solve_ivp LSODA", "fits_scipy", ("LSODA", "lm"), 32),
        rival("SciPy least_squares, variational equations by CVODE", "fits_sundials", ("lm",), 8),
    ]


def _leading(one: rounds.Measured, losses: np.ndarray) -> np.ndarray:
    """Values of the best start of a contender, `(25, 1)`, or none."""
    return one.results[1][:, [int(np.nanargmin(losses))]] if np.isfinite(losses).any() else one.results[1][:, :0]


def _entry(one: rounds.Measured, losses: np.ndarray, least: float) -> dict[str, Any]:
    timings = {name: value for name, value in one.entry.items() if name not in ("cells", "cells_per_second")}
    reached = int(np.sum(losses <= least + task.REACHED))
    return {
        "name": one.contender.name,
        "starts": len(losses),
        **timings,
        "reached": reached,
        "fits_per_hour": 3600 * reached / one.entry["seconds"],
        "seconds_per_start": one.entry["seconds"] / len(losses),
        "failed": int(np.isnan(losses).sum()),
        "above_least": np.sort(losses - least).tolist(),
        "loss_error": float(np.nanmax(np.abs(one.results[0] - losses), initial=0.0)),
    }


def _line(entry: dict[str, Any]) -> str:
    compared = (
        ""
        if entry["name"].startswith("jaxion")
        else f"; jaxion is {entry['jaxion_ratio']:.1f} times as fast"
        if entry["jaxion_ratio"]
        else ""
    )
    return (
        f"{entry['name']}: {entry['fits_per_hour']:,.0f} fits/h, {entry['seconds_per_start']:.3g} s a start, "
        f"{entry['reached']} of {entry['starts']} starts to the optimum (compile {entry['compile_seconds']:.1f} s, "
        f"peak {entry['peak_MiB']:,.0f} MiB){compared}."
    )


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--starts", type=int, default=64, help="starts of a search")
    parser.add_argument("--rtol", type=float, default=1e-6, help="relative tolerance of every contender's integrator")
    parser.add_argument("--repeats", type=int, default=3, help="turns of each contender; medians are reported")
    parser.add_argument("--cores", type=int, default=1, help="cores that the contenders are pinned to")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", type=Path, help="where to write the JSON")
    arguments = parser.parse_args()
    report.check_cores(parser, arguments.cores)
    return arguments


if __name__ == "__main__":
    main()
