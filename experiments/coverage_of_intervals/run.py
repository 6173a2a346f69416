"""Do 95 % intervals of fitted parameters hold the true ones in 95 of 100 recordings?"""

import argparse
import concurrent.futures
import functools
import json
import multiprocessing
import os
from pathlib import Path

import numpy as np

import jaxion

HERE = Path(__file__).parent
REPETITIONS, CHECKED, STARTS = 100, 4, 16
TRUTH, SPREAD = 0.2, 0.3
"""Standard deviations of ln θ: of true parameters around the published ones, and of the starts of a search around those."""
LEAKS = ("neuron.leak_Na.g", "neuron.leak_K.g", "neuron.leak_Cl.g")
EXPERIMENTS = {
    "pump block": (
        functools.cache(jaxion.models.duesterwald2018),
        jaxion.Protocol(jaxion.rest(60), jaxion.block("neuron.nka", 0.9, 300), jaxion.rest(600)),
        "30:960:32",
        ("neuron.nka.v_max", *LEAKS, "neuron.kcc2.g"),
        {"neuron.V": 0.5, "neuron.Na": 0.5, "neuron.Cl": 0.1},
    ),
    "anoxia": (
        functools.cache(lambda: jaxion.models.zandt2011(gates="qss")),
        jaxion.Protocol(jaxion.rest(10), jaxion.anoxia(90)),
        "2.5:100:40",
        ("neuron.nka.v_max", *LEAKS, "neuron.na.g"),
        {"neuron.V": 1.0, "neuron.Na": 1.0, "ecs.K": 1.0},
    ),
}
"""Model, protocol, times of samples (s), free parameters, and scatter of what is recorded; that of the second is estimated as well."""
RESTS_BELOW = -50.0
"""Potential of a cell that is recorded, before anything is done to it, mV."""
CHI2 = 11.0705
"""95 % quantile of χ² with five degrees of freedom."""


def repetition(name: str, number: int) -> dict:
    """Another cell with another noise: how far its fit is off, in standard deviations, and which intervals hold the truth."""
    jaxion.enable_x64()
    make, protocol, save, paths, noise = EXPERIMENTS[name]
    model, random = make(), np.random.default_rng(number)
    truth, course, draws = {}, None, 0
    # A cell that does not rest, or rests depolarised, would not have been recorded.
    while course is None or not course.ok or course["neuron.V"][0] > RESTS_BELOW:
        truth = {path: float(model[path]) * float(np.exp(TRUTH * random.standard_normal())) for path in paths}
        course, draws = jaxion.solve(jaxion.replace(model, truth), protocol, start="setpoint", save=save, throw=False), draws + 1
    recording = jaxion.Recording.of(course, list(noise), sd=noise, seed=number)
    free = {path: jaxion.positive() for path in paths}
    known = {path: jaxion.estimated() if path == "neuron.Na" else sd for path, sd in noise.items()}
    problem = jaxion.FitProblem(model, protocol, recording, free, known, start="setpoint")
    fit = jaxion.fit(problem, starts=STARTS, seed=number, spread=SPREAD, steps=80)
    ends = fit.interval
    return {
        "draws": draws,
        "z": [round(float(np.log(fit.values[path] / truth[path]) / (fit.sd[path] / fit.values[path])), 4) for path in paths],
        "inside": [bool(ends[path][0] <= truth[path] <= ends[path][1]) for path in paths],
        "truth_above": round(float(problem.loss(truth)) - fit.loss, 4),
        "reached": int(np.sum(fit.losses <= fit.loss + 0.01)),
        "relative_sd": [round(fit.sd[path] / fit.values[path], 4) if np.isfinite(fit.sd[path]) else None for path in paths],
    }


def run(repetitions: int, workers: int = 1) -> dict:
    """All repetitions of both experiments, and the share of intervals that hold the truth."""
    tasks = [(name, number) for name in EXPERIMENTS for number in range(repetitions)]
    if workers == 1:
        results = [repetition(*task) for task in tasks]
    else:
        with concurrent.futures.ProcessPoolExecutor(workers, multiprocessing.get_context("spawn")) as pool:
            results = list(pool.map(repetition, *zip(*tasks, strict=True)))
    return {name: summary(name, results[i * repetitions : (i + 1) * repetitions]) for i, name in enumerate(EXPERIMENTS)}


def summary(name: str, results: list[dict]) -> dict:
    """Shares with their binomial error at the nominal 95 %, and the repetitions; intervals of one fit do not hold or miss independently."""
    paths, inside = EXPERIMENTS[name][3], np.array([one["inside"] for one in results])
    above = np.array([one["truth_above"] for one in results])
    return {
        "coverage": dict(zip(paths, inside.mean(axis=0).tolist(), strict=True)),
        "error": float(np.sqrt(0.95 * 0.05 / len(results))),
        "total": float(inside.mean()),
        "total_error": float(np.std(inside.mean(axis=1)) / np.sqrt(len(results))),
        "joint": float(np.mean((above >= 0) & (2 * above <= CHI2))),
        "other_minima": int(np.sum(above < 0)),
        "undetermined": sum(None in one["relative_sd"] for one in results),
        "repetitions": results,
    }


def figure(found: dict, file: Path) -> None:
    """Shares with binomial errors, and deviations of all parameters against the normal distribution."""
    import matplotlib.pyplot as plt
    from scipy.special import ndtri

    fig, (left, right) = plt.subplots(1, 2, figsize=(9, 3.8), layout="constrained")
    labels = []
    for colour, (name, of) in zip(("C0", "C1"), found.items(), strict=True):
        shares: dict = {**of["coverage"], "all five at once": of["joint"]}
        rows = np.arange(len(labels), len(labels) + len(shares))
        left.errorbar([100 * share for share in shares.values()], rows, xerr=100 * of["error"], fmt="o", color=colour, capsize=3)
        labels += [path.removeprefix("neuron.") for path in shares]
        z = np.sort(np.concatenate([one["z"] for one in of["repetitions"]]))
        quantiles = ndtri((np.arange(len(z)) + 0.5) / len(z))
        right.plot(quantiles, z, ".", ms=4, color=colour, label=f"{name}, {np.sum(np.abs(z) > 5)} of {len(z)} beyond the frame")
    left.axvline(95, color="0.6", lw=1)
    left.set(yticks=range(len(labels)), yticklabels=labels, xlim=(80, 102), xlabel="intervals that hold the truth [%]")
    left.invert_yaxis()
    right.axline((0, 0), slope=1, color="0.6", lw=1)
    right.set(ylim=(-5, 5), xlabel="normal quantile", ylabel="(fitted − true) / standard deviation")
    right.legend(frameon=False, loc="upper left")
    for axes in (left, right):
        axes.spines[["top", "right"]].set_visible(False)
    fig.savefig(file, dpi=150)


def same(found: dict, expected: dict) -> bool:
    """Whether the first repetitions came out as they did, to a hundredth of a standard deviation, and the shares are the nominal ones."""
    for name, of in expected.items():
        for mine, theirs in zip(found[name]["repetitions"], of["repetitions"], strict=False):
            if mine["inside"] != theirs["inside"] or not np.allclose(mine["z"], theirs["z"], rtol=0, atol=0.01):
                return False
        again = {key: value for key, value in summary(name, of["repetitions"]).items() if key != "repetitions"}
        nominal = [abs(share - 0.95) <= 3 * of["error"] for share in (*of["coverage"].values(), of["joint"])]
        if any(of[key] != value for key, value in again.items()) or not all(nominal) or abs(of["total"] - 0.95) > 3 * of["total_error"]:
            return False
    return True


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="repeat a few and compare with expected.json instead of writing it")
    arguments = parser.parse_args()
    if arguments.check:
        raise SystemExit(not same(run(CHECKED), json.loads((HERE / "expected.json").read_text())))
    found = run(REPETITIONS, os.cpu_count() or 1)
    figure(found, HERE / "figure.png")
    (HERE / "expected.json").write_text(json.dumps(found, indent=1) + "\n")
    for name, of in found.items():
        print(f"{name}: {100 * of['total']:.1f} % of all intervals, {100 * of['joint']:.1f} % of all five at once; {of['coverage']}")
