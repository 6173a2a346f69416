"""Voltage-gated Na⁺ and K⁺ channels of Hodgkin–Huxley type, as Wei, Ullah & Schiff have them.

The kinetics were published per millisecond; here they are per second.
"""

from typing import ClassVar

import jax
import jax.numpy as jnp

from jaxion import thermo
from jaxion._types import PerCell
from jaxion.cycle import Cycle
from jaxion.mechanisms.base import AbstractGated, MembraneView, parameter

_PER_MS = 1e3
_DOC = "conductance with all gates open"
_TYPICAL = (10.0, 1000.0)


class HHSodiumWei(AbstractGated):
    r"""Transient Na⁺ channel with an activation gate `m` and an inactivation gate `h`.

    $$I = g\,m^3 h\,(V - E_\mathrm{Na})$$
    $$\alpha_m = \frac{0.32\,(V+54)}{1 - e^{-(V+54)/4}}, \quad \beta_m = \frac{0.28\,(V+27)}{e^{(V+27)/5} - 1} \quad [\mathrm{ms}^{-1}]$$
    $$\alpha_h = 0.128\,e^{-(V+50)/18}, \quad \beta_h = \frac{4}{1 + e^{-(V+27)/5}} \quad [\mathrm{ms}^{-1}]$$

    Args:
        g: Conductance of the whole membrane, all gates open, nS; typical 10 to 1000 nS.

    Source: Wei, Ullah & Schiff (2014) J Neurosci 34:11733.
    """

    g: PerCell = parameter("nS", _DOC, _TYPICAL)
    cycle: ClassVar[Cycle] = Cycle(outward={"Na": 1})
    gates: ClassVar[tuple[str, ...]] = ("h", "m")

    def gating(self, m: MembraneView) -> dict[str, tuple[PerCell, PerCell]]:
        """Rates of inactivation `h` and activation `m`, 1/s."""
        V = m.V
        # 0.32 x / (1 − e^{−x/4}) is 1.28 times the Bernoulli function of −x/4, smooth at its zero; β_m likewise
        return {
            "h": (_PER_MS * 0.128 * jnp.exp(-(V + 50.0) / 18.0), _PER_MS * 4.0 * jax.nn.sigmoid((V + 27.0) / 5.0)),
            "m": (_PER_MS * 1.28 * thermo.bernoulli(-(V + 54.0) / 4.0), _PER_MS * 1.4 * thermo.bernoulli((V + 27.0) / 5.0)),
        }

    def rate(self, m: MembraneView) -> PerCell:
        """Ions that leave, fmol/s."""
        return self.g * m.own["m"] ** 3 * m.own["h"] * (m.V - m.E("Na")) / m.F


class HHPotassiumWei(AbstractGated):
    r"""Delayed rectifier K⁺ channel with an activation gate `n`.

    $$I = g\,n^4\,(V - E_\mathrm{K})$$
    $$\alpha_n = \frac{0.032\,(V+52)}{1 - e^{-(V+52)/5}}, \quad \beta_n = 0.5\,e^{-(V+57)/40} \quad [\mathrm{ms}^{-1}]$$

    Args:
        g: Conductance of the whole membrane, all gates open, nS; typical 10 to 1000 nS.

    Source: Wei, Ullah & Schiff (2014) J Neurosci 34:11733.
    """

    g: PerCell = parameter("nS", _DOC, _TYPICAL)
    cycle: ClassVar[Cycle] = Cycle(outward={"K": 1})
    gates: ClassVar[tuple[str, ...]] = ("n",)

    def gating(self, m: MembraneView) -> dict[str, tuple[PerCell, PerCell]]:
        """Rates of activation `n`, 1/s."""
        return {"n": (_PER_MS * 0.16 * thermo.bernoulli(-(m.V + 52.0) / 5.0), _PER_MS * 0.5 * jnp.exp(-(m.V + 57.0) / 40.0))}

    def rate(self, m: MembraneView) -> PerCell:
        """Ions that leave, fmol/s."""
        return self.g * m.own["n"] ** 4 * (m.V - m.E("K")) / m.F
