"""Does the shift of resting sodium by phospholemman ask for more than the pump: for an entry of sodium that falls as sodium rises?"""

import math
import sys
from pathlib import Path
from typing import Any, ClassVar

import jax.numpy as jnp

import jaxion
from jaxion import Cycle, Membrane, Model
from jaxion.mechanisms import FXYD1, Modulated, NaKATPaseKager
from jaxion.mechanisms.base import AbstractMechanism, MembraneView, parameter

HERE = Path(__file__).parent
MEASURED = {0.0: (12.5, 1.8), 1.0: (10.5, 1.4)}
"""Resting Na⁺ and its standard error, mM, by phosphorylation of FXYD1: without and with isoproterenol; Despa et al. (2005)."""


class Entry(AbstractMechanism):
    r"""Na⁺ that enters at a rate of $J_0\,(\mathrm{14\,mM}/Na_i)^f$; with f = 0 the flux is clamped."""

    J0: Any = parameter("fmol/s", "entry at 14 mM")
    f: Any = parameter("", "feedback exponent", allowed="any")
    cycle: ClassVar[Cycle] = Cycle(inward={"Na": 1})
    passive: ClassVar[bool] = False

    def rate(self, m: MembraneView) -> Any:
        return self.J0 * jnp.exp(-self.f * jnp.log(m.inside["Na"] / 14.0))


def cell(phosphorylation: float, feedback: bool, K_Na: float = 13.6) -> Model:
    """The cell of Düsterwald et al. (2018) with a pump of three sites and FXYD1, and an ohmic or a falling entry of Na⁺."""
    base = jaxion.models.duesterwald2018()
    membrane = base.membranes["neuron"]
    J0 = -float(base["neuron.leak_Na.J_Na"])
    # As strong as at rest in the original, where one turnover moves three Na⁺ and K_Na is 10 mM.
    v_max = J0 / 3 * (1 + 10 / 14) ** 3 * (1 + 2 / 3.5) ** 2
    mechanisms = {**membrane.mechanisms, "nka": Modulated(NaKATPaseKager(v_max, K_Na=K_Na, K_K=2.0), by=FXYD1(phosphorylation))}
    if feedback:
        mechanisms["leak_Na"] = Entry(J0, 0.1)
    return Model(
        base.compartments, base.baths, [Membrane("neuron", "bath", mechanisms, C=membrane.C, V=membrane.V)], RT_F=base.RT_F, F=base.F
    )


def run(figures: Path | None = None) -> dict:
    """Each model's best values, its elasticity of Na⁺ between the two states, and what is left of the data."""
    ohmic = jaxion.sensitivity(cell(1.0, False, K_Na=10.0), of=("neuron.Na",), wrt=("neuron.nka.K_Na",)).matrix
    found: dict = {"elasticity of the ohmic cell at 10 mM": float(ohmic[0, 0])}
    for name, more in (("ohmic", {}), ("feedback", {"neuron.leak_Na.f": jaxion.unbounded(0.1)})):
        free = {"neuron.nka.v_max": jaxion.positive(), **more}
        parts = [jaxion.FitProblem(cell(phos, bool(more)), None, {"neuron.Na": data}, free) for phos, data in MEASURED.items()]
        fit = jaxion.fit(parts)
        # What the other one misses is nothing.
        if figures and name == "ohmic":
            jaxion.plot(fit, figures / "ohmic.png")
        high, low = (float(channel["model"][0]) for channel in fit.channels)
        found[name] = {
            "values": fit.values,
            "sd": fit.sd,
            "Na": [high, low],
            "elasticity": math.log(low / high) / math.log(13.6 / 18.8),
            "chi2": 2 * fit.loss,
            "rank": fit.rank,
            # By profile likelihood; an end that the data leave open is None.
            "interval": {k: [end if math.isfinite(end) else None for end in ends] for k, ends in jaxion.profile(fit).interval.items()},
        }
    return found


if __name__ == "__main__":
    # What the experiments share lies beside their folders.
    sys.path.append(str(HERE.parent))
    from expected import main

    main(run, HERE, __doc__)
