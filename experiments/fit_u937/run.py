"""What do a steady state, and then the course under ouabain, tell about the seven transport parameters of U937 cells?"""

import math
import sys
from pathlib import Path

import jaxion

HERE = Path(__file__).parent
FREE = ("cell.leak_Na.P", "cell.leak_K.P", "cell.leak_Cl.P", "cell.ncc.P", "cell.kcc.P", "cell.nkcc1.P", "cell.nka.v_max")
REST = {"cell.Na": 37.9998, "cell.K": 147.0019, "cell.Cl": 44.9940, "cell.V": -45.0420}
"""Steady state at the published parameters, mM and mV; the measured one is 38, 147, 45 and −45."""

ACCURACY = 0.05
"""Scatter of all values, relative to those measured: chosen."""

OUABAIN = {
    "t": [10.0, 60.0, 240.0],
    "cell.Na": [51.0124, 103.1114, 164.4137],
    "cell.K": [133.5645, 80.0477, 11.9277],
    "cell.Cl": [46.5516, 51.7497, 76.7482],
    "cell.V": [-33.8200, -26.6573, -10.3456],
}
"""Course without a pump from there, min, mM and mV, by the published model as well."""


def run(figures: Path | None = None) -> dict:
    """Rank, spectrum and best-known parameters of the steady state alone, and of both together."""
    cell = jaxion.models.bez_u937()
    free = {path: jaxion.positive() for path in FREE}
    noise = {"cell.Na": ACCURACY * 38, "cell.K": ACCURACY * 147, "cell.Cl": ACCURACY * 45, "cell.V": ACCURACY * 45}
    rest = jaxion.FitProblem(cell, None, REST, free, noise)
    course = jaxion.Recording(OUABAIN, units={"t": "min"})
    ouabain = jaxion.FitProblem(cell, dict(cell.published)["ouabain"], course, free, noise, start="setpoint")
    found = {}
    for name, problem in (("steady state", rest), ("steady state and ouabain", [rest, ouabain])):
        fit = jaxion.fit(problem)
        if figures and fit.identifiable:
            jaxion.plot(fit, figures / "figure.png")
        # Per e-fold of a parameter and per relative change of a value.
        spectrum = (ACCURACY * fit.information.singular_values).tolist()
        relative = {path: fit.sd[path] / fit.values[path] for path in FREE}
        found[name] = {
            "rank": fit.rank,
            "spectrum": spectrum[: fit.rank],
            "relative sd": {path: value if math.isfinite(value) else None for path, value in relative.items()},
            "statement": fit.statement,
        }
    return found


if __name__ == "__main__":
    # What the experiments share lies beside their folders.
    sys.path.append(str(HERE.parent))
    from expected import main

    main(run, HERE, __doc__)
