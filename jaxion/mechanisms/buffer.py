"""Uptake of K⁺ from the extracellular space by glia that are no compartment of their own."""

from typing import ClassVar

import jax

from jaxion._types import PerCell
from jaxion.cycle import Cycle
from jaxion.mechanisms.base import AbstractMechanism, MembraneView, parameter

_CYCLE = Cycle(outward={"K": 1})


class GlialUptake(AbstractMechanism):
    r"""Uptake of extracellular K⁺ that switches on beyond a concentration, never to return.

    $$J = \frac{v_\mathrm{max}}{1 + e^{(K_K - K)/s_K}}$$

    with K on the inside of the link. Powered from outside of the model, by the glia's metabolism.

    Args:
        v_max: Uptake at saturation, fmol/s; typical 0.1 to 100 fmol/s.
        K_K: K⁺ at half activation, mM; published 18 mM.
        s_K: Width of the activation, mM; published 2.5 mM.

    Source: Cressman et al. (2009) J Comput Neurosci 26:159; Zandt et al. (2011) PLoS ONE 6:e22127.
    """

    v_max: PerCell = parameter("fmol/s", "uptake at saturation", (0.1, 100.0))
    K_K: PerCell = parameter("mM", "K at half activation", (15.0, 20.0), allowed="positive", default=18.0)
    s_K: PerCell = parameter("mM", "width of the activation", (1.0, 5.0), allowed="positive", default=2.5)
    cycle: ClassVar[Cycle] = _CYCLE
    passive: ClassVar[bool] = False

    def rate(self, m: MembraneView) -> PerCell:
        """K⁺ taken up, fmol/s."""
        return self.v_max * jax.nn.sigmoid((m.inside["K"] - self.K_K) / self.s_K)


class GlialBuffer(AbstractMechanism):
    r"""Binding of extracellular K⁺ to a finite number of glial sites, faster the more there is of it.

    $$J = k \left[\frac{K\,(B_0 - K_b)}{K_d\,\big(1 + e^{(K_K - K)/s_K}\big)} - K_b\right]$$

    with K on the inside of the link and $K_b$ bound K⁺, on its outside. Powered from outside of the
    model, by the glia's metabolism. With $\Delta k = -K_b$ this is the paper's
    $\Delta k' = -k_1 \Delta k - k_2 K\,(B_0 + \Delta k)$, $k_2 = k_1/(1 + e^{(15 - K)/1.09})$.

    Args:
        k: Release, the rate constant $k_1$ times the volume of the sites, pL/s; typical 1e-6 to 1e-3 pL/s.
        B_0: Concentration of sites, mM; published 500 mM.
        K_K: K⁺ at half activation of the binding, mM; published 15 mM.
        s_K: Width of the activation, mM; published 1.09 mM.
        K_d: Dissociation constant at full activation, mM; published 1 mM.

    Source: Hübel & Dahlem (2014) PLoS Comput Biol 10:e1003941.
    """

    k: PerCell = parameter("pL/s", "release rate constant times volume", (1e-6, 1e-3))
    B_0: PerCell = parameter("mM", "concentration of sites", (500.0, 500.0), default=500.0)
    K_K: PerCell = parameter("mM", "K at half activation", (9.0, 15.0), allowed="positive", default=15.0)
    s_K: PerCell = parameter("mM", "width of the activation", (1.0, 1.2), allowed="positive", default=1.09)
    K_d: PerCell = parameter("mM", "dissociation constant at full activation", (1.0, 1.0), allowed="positive", default=1.0)
    cycle: ClassVar[Cycle] = _CYCLE
    passive: ClassVar[bool] = False

    def rate(self, m: MembraneView) -> PerCell:
        """K⁺ bound, fmol/s."""
        K, bound = m.inside["K"], m.outside["K"]
        return self.k * (jax.nn.sigmoid((K - self.K_K) / self.s_K) * K * (self.B_0 - bound) / self.K_d - bound)
