"""Which saturation by sodium and by potassium do measured pump currents support, and how well do they determine it?"""

import sys
from pathlib import Path

import jaxion

HERE = Path(__file__).parent
PUBLISHED = {"Kager 2000": 10.0, "Huguet 2016": 7.7, "Aminzare & Kay 2024": 3.56}
"""Dissociation constants of inner Na⁺ in published models with three equal sites, mM."""


def over_sodium(Na, I_max, K, n):
    return I_max * Na**n / (Na**n + K**n)


def over_potassium(K, I_max, half, n):
    return I_max * K**n / (K**n + half**n)


def three_sites(Na, I_max, K):
    return I_max * (Na / (Na + K)) ** 3


def run(figures: Path | None = None) -> dict:
    """Parameters with standard errors and sums of squares of each form."""
    start = jaxion.positive(1.0)
    hill = {"I_max": start, "K": jaxion.positive(5.0), "n": start}
    problems = {
        "Hill over sodium": jaxion.FitProblem(over_sodium, None, HERE / "over_sodium.csv", hill),
        "three sites over sodium": jaxion.FitProblem(three_sites, None, HERE / "over_sodium.csv", {"I_max": start, "K": start}),
        "Hill over potassium": jaxion.FitProblem(
            over_potassium, None, HERE / "over_potassium.csv", {"I_max": start, "half": start, "n": start}
        ),
    }
    for name, K in PUBLISHED.items():
        free = {"I_max": start, "K": jaxion.fixed(K)}
        problems[f"three sites, {name}"] = jaxion.FitProblem(three_sites, None, HERE / "over_sodium.csv", free)
    fits = {name: jaxion.fit(problem, starts=16) for name, problem in problems.items()}
    if figures:
        jaxion.plot(fits["Hill over sodium"], figures / "over_sodium.png")
        jaxion.plot(fits["Hill over potassium"], figures / "over_potassium.png")
    return {name: {"values": fit.values, "sd": fit.sd, "sse": fit.sse["I"], "rank": fit.rank} for name, fit in fits.items()}


if __name__ == "__main__":
    # What the experiments share lies beside their folders.
    sys.path.append(str(HERE.parent))
    from expected import main

    main(run, HERE, __doc__)
