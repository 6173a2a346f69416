"""How strongly do currents through Kir4.1 of astrocytes rectify, and where do they reverse?"""

import math
import sys
from pathlib import Path

import jax.numpy as jnp
import numpy as np

import jaxion

HERE = Path(__file__).parent
E_K = 8.314 * 310 / 96485 * 1e3 * math.log(5 / 130)
"""Nernst potential with 5 mM of K⁺ outside and 130 mM inside at 310 K, mV."""

CONDUCTANCE = {"K": np.array([2.974985, 9.913160, 19.91785]), "g": np.array([27.18563, 56.64671, 87.54491])}
"""Conductance of astrocytes, in the units of the figure, over outer K⁺, mM: Ransom & Sontheimer (1995), digitised like the curves."""


def current(V, g, shift, width):
    force = V - E_K - shift
    return g * force / (1 + jnp.exp(force / width))


def power(ln_K, ln_g1, exponent):
    return ln_g1 + exponent * ln_K


def run(figures: Path | None = None) -> dict:
    """Parameters with standard errors, sums of squares, and 95 % intervals by profile."""
    found = {}
    for name in ("chai_2017", "seifert_2009"):
        free = {"g": jaxion.positive(0.05), "shift": jaxion.unbounded(0.0, scale=10.0), "width": jaxion.positive(100.0)}
        fit = jaxion.fit(jaxion.FitProblem(current, None, HERE / f"{name}.csv", free), starts=16)
        if figures:
            jaxion.plot(fit, figures / f"{name}.png")
        interval = jaxion.profile(fit).interval
        found[name] = {"values": fit.values, "sd": fit.sd, "sse": fit.sse["I"], "rank": fit.rank, "interval": interval}
    logs = {"ln_K": np.log(CONDUCTANCE["K"]), "ln_g": np.log(CONDUCTANCE["g"])}
    free = {"ln_g1": jaxion.unbounded(0.0), "exponent": jaxion.positive(0.5)}
    found["exponent of outer potassium"] = jaxion.fit(jaxion.FitProblem(power, None, logs, free)).values["exponent"]
    return found


if __name__ == "__main__":
    # What the experiments share lies beside their folders.
    sys.path.append(str(HERE.parent))
    from expected import main

    main(run, HERE, __doc__)
