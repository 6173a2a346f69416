"""Voltage-gated Na⁺ and K⁺ channels of Hodgkin–Huxley type, as the models of ion homeostasis after Cressman et al. have them.

The kinetics were published per millisecond; here they are per second.
"""

from typing import ClassVar

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array

from jaxion import thermo
from jaxion._types import PerCell
from jaxion.cycle import Cycle
from jaxion.mechanisms.base import AbstractGated, AbstractMechanism, MembraneView, parameter

_PER_MS = 1e3
_TYPICAL = (10.0, 1000.0)


def _activation(V: Array) -> Array:
    # α_m = 0.1 (V+30) / (1 − e^{−0.1 (V+30)}), smooth at V = −30 mV
    alpha = thermo.bernoulli(-0.1 * (V + 30.0))
    return alpha / (alpha + 4.0 * jnp.exp(-(V + 55.0) / 18.0))


class HHSodium(AbstractGated):
    r"""Transient Na⁺ channel with instantaneous activation and an inactivation gate `h`.

    $$I = g\,m_\infty^3 h\,(V - E_\mathrm{Na}), \qquad m_\infty = \frac{\alpha_m}{\alpha_m + \beta_m}$$
    $$\alpha_m = \frac{0.1\,(V+30)}{1 - e^{-0.1 (V+30)}}, \quad \beta_m = 4\,e^{-(V+55)/18}$$
    $$\alpha_h = 0.07\,\phi\,e^{-(V+44)/20}, \quad \beta_h = \frac{\phi}{1 + e^{-0.1 (V+14)}} \quad [\mathrm{ms}^{-1}]$$

    Args:
        g: Conductance of the whole membrane, all gates open, nS; typical 10 to 1000 nS.
        phi: Factor on the gating rates, dimensionless; published 3.

    Source: Cressman et al. (2009) J Comput Neurosci 26:159; Zandt et al. (2011) PLoS ONE 6:e22127.
    """

    g: PerCell = parameter("nS", "conductance with all gates open", _TYPICAL)
    phi: PerCell = parameter("", "factor on the gating rates", (3.0, 3.0), allowed="positive", default=3.0)
    cycle: ClassVar[Cycle] = Cycle(outward={"Na": 1})
    gates: ClassVar[tuple[str, ...]] = ("h",)

    def gating(self, m: MembraneView) -> dict[str, tuple[PerCell, PerCell]]:
        """Rates of inactivation `h`, 1/s."""
        rate = _PER_MS * self.phi
        return {"h": (rate * 0.07 * jnp.exp(-(m.V + 44.0) / 20.0), rate * jax.nn.sigmoid(0.1 * (m.V + 14.0)))}

    def rate(self, m: MembraneView) -> PerCell:
        """Ions that leave, fmol/s."""
        return self.g * _activation(m.V) ** 3 * m.own["h"] * (m.V - m.E("Na")) / m.F


class HHSodiumSlaved(AbstractMechanism):
    r"""Transient Na⁺ channel whose inactivation follows the gate `n` of the delayed rectifier.

    $$I = g\,m_\infty^3\,h(n)\,(V - E_\mathrm{Na}), \qquad h(n) = 1 - \frac{1}{1 + e^{-6.5\,(n - 0.35)}}$$

    with $m_\infty(V)$ of `HHSodium`. It saves a gate, since h and n run along a line in the full model.

    Args:
        g: Conductance of the whole membrane, all gates open, nS; typical 10 to 1000 nS.
        partner: Key of the delayed rectifier on the same membrane.

    Source: Hübel & Dahlem (2014) PLoS Comput Biol 10:e1003941.
    """

    g: PerCell = parameter("nS", "conductance with all gates open", _TYPICAL)
    partner: str = eqx.field(static=True, default="kdr")
    reads: tuple[tuple[str, str], ...] = eqx.field(init=False, static=True)
    cycle: ClassVar[Cycle] = Cycle(outward={"Na": 1})

    def __post_init__(self):
        self.reads = ((self.partner, "n"),)

    def rate(self, m: MembraneView) -> PerCell:
        """Ions that leave, fmol/s."""
        h = jax.nn.sigmoid(-6.5 * (m.gates[self.partner]["n"] - 0.35))
        return self.g * _activation(m.V) ** 3 * h * (m.V - m.E("Na")) / m.F


class HHPotassium(AbstractGated):
    r"""Delayed rectifier K⁺ channel with an activation gate `n`.

    $$I = g\,n^4\,(V - E_\mathrm{K})$$
    $$\alpha_n = \frac{0.01\,\phi\,(V+34)}{1 - e^{-0.1 (V+34)}}, \quad \beta_n = 0.125\,\phi\,e^{-(V+44)/80} \quad [\mathrm{ms}^{-1}]$$

    Args:
        g: Conductance of the whole membrane, all gates open, nS; typical 10 to 1000 nS.
        phi: Factor on the gating rates, dimensionless; published 3.

    Source: Cressman et al. (2009) J Comput Neurosci 26:159; Hübel & Dahlem (2014) PLoS Comput Biol 10:e1003941.
    """

    g: PerCell = parameter("nS", "conductance with all gates open", _TYPICAL)
    phi: PerCell = parameter("", "factor on the gating rates", (3.0, 3.0), allowed="positive", default=3.0)
    cycle: ClassVar[Cycle] = Cycle(outward={"K": 1})
    gates: ClassVar[tuple[str, ...]] = ("n",)

    def gating(self, m: MembraneView) -> dict[str, tuple[PerCell, PerCell]]:
        """Rates of activation `n`, 1/s."""
        rate = _PER_MS * self.phi
        # 0.01 x / (1 − e^{−0.1 x}) is 0.1 times the Bernoulli function, smooth at V = −34 mV
        return {"n": (rate * 0.1 * thermo.bernoulli(-0.1 * (m.V + 34.0)), rate * 0.125 * jnp.exp(-(m.V + 44.0) / 80.0))}

    def rate(self, m: MembraneView) -> PerCell:
        """Ions that leave, fmol/s."""
        return self.g * m.own["n"] ** 4 * (m.V - m.E("K")) / m.F
