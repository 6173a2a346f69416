"""NKCC1, the Na⁺–K⁺–2Cl⁻ cotransporter that loads cells with chloride."""

from typing import ClassVar

import jax

from jaxion._types import PerCell
from jaxion.cycle import Cycle
from jaxion.mechanisms.base import AbstractMechanism, MembraneView, parameter

_CYCLE = Cycle(inward={"Na": 1, "K": 1, "Cl": 2})


class NKCC1Log(AbstractMechanism):
    r"""Na⁺–K⁺–2Cl⁻ cotransport with a rate proportional to its affinity.

    $$J = u\,\ln\frac{Na_o\,K_o\,Cl_o^2}{Na_i\,K_i\,Cl_i^2}$$

    Args:
        u: Turnover per unit of RT, fmol/s; typical 1e-3 to 1 fmol/s.

    Source: Østby et al. (2009) PLoS Comput Biol 5:e1000272; Kalia et al. (2021) PLoS Comput Biol 17:e1009019.
    """

    u: PerCell = parameter("fmol/s", "turnover per RT", (1e-3, 1.0))
    cycle: ClassVar[Cycle] = _CYCLE

    def rate(self, m: MembraneView) -> PerCell:
        """Cycles that enter, fmol/s."""
        return self.u * m.affinity(self.cycle)


class NKCC1MassAction(AbstractMechanism):
    r"""Na⁺–K⁺–2Cl⁻ cotransport by mass action.

    $$J = P\,(Na_o\,K_o\,Cl_o^2 - Na_i\,K_i\,Cl_i^2)$$

    Args:
        P: Rate constant of the whole membrane, fmol/(s·mM⁴); typical 1e-11 to 1e-6.

    Source: Yurinskaya & Vereninov (2021) Front Cell Dev Biol 9:735228; Aminzare & Kay (2024).
    """

    P: PerCell = parameter("fmol/s/mM4", "rate constant", (1e-11, 1e-6))
    cycle: ClassVar[Cycle] = _CYCLE

    def rate(self, m: MembraneView) -> PerCell:
        """Cycles that enter, fmol/s."""
        return self.P * m.mass_action(self.cycle)


class NKCC1LogActivated(AbstractMechanism):
    r"""Na⁺–K⁺–2Cl⁻ cotransport proportional to its affinity, and activated by outer K⁺.

    $$J = \frac{u}{1+e^{K_K-K_o}}\,\ln\frac{Na_o\,K_o\,Cl_o^2}{Na_i\,K_i\,Cl_i^2}$$

    Args:
        u: Turnover per unit of RT when activated, fmol/s; typical 1e-3 to 1 fmol/s.
        K_K: Outer K⁺ at half activation, mM; published 16 mM. The width of the activation is 1 mM.

    Source: Wei, Ullah & Schiff (2014) J Neurosci 34:11733; Sætra et al. (2021) PLoS Comput Biol 17:e1008143.
    """

    u: PerCell = parameter("fmol/s", "turnover per RT when activated", (1e-3, 1.0))
    K_K: PerCell = parameter("mM", "outer K at half activation", (10.0, 20.0), allowed="positive", default=16.0)
    cycle: ClassVar[Cycle] = _CYCLE

    def rate(self, m: MembraneView) -> PerCell:
        """Cycles that enter, fmol/s."""
        return self.u * jax.nn.sigmoid(m.outside["K"] - self.K_K) * m.affinity(self.cycle)
