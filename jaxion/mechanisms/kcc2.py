"""KCC2, the neuronal K⁺–Cl⁻ cotransporter that keeps intracellular chloride low."""

from typing import ClassVar

from jaxion._types import PerCell
from jaxion.cycle import Cycle
from jaxion.mechanisms.base import AbstractMechanism, MembraneView, parameter

_CYCLE = Cycle(outward={"K": 1, "Cl": 1})


class KCC2(AbstractMechanism):
    r"""K⁺–Cl⁻ cotransport with a rate that is linear in its driving force, as a conductance.

    $$J = \frac{g\,(E_\mathrm{Cl} - E_\mathrm{K})}{F}$$

    Args:
        g: Equivalent conductance of the whole membrane, nS; typical 0.01 to 1 nS.

    Source: Doyon et al. (2011) PLoS Comput Biol 7:e1002149; Düsterwald et al. (2018) eLife 7:e39575.
    """

    g: PerCell = parameter("nS", "equivalent conductance", (0.01, 1.0))
    cycle: ClassVar[Cycle] = _CYCLE

    def rate(self, m: MembraneView) -> PerCell:
        """K⁺–Cl⁻ pairs that leave, fmol/s."""
        return self.g * (m.E("Cl") - m.E("K")) / m.F


class KCC2Log(AbstractMechanism):
    r"""K⁺–Cl⁻ cotransport with a rate proportional to its affinity.

    $$J = u\,\ln\frac{K_i\,Cl_i}{K_o\,Cl_o}$$

    Args:
        u: Turnover per unit of RT, fmol/s; typical 1e-3 to 1 fmol/s.

    Source: Wei, Ullah & Schiff (2014) J Neurosci 34:11733; Sætra et al. (2021) PLoS Comput Biol 17:e1008143.
    """

    u: PerCell = parameter("fmol/s", "turnover per RT", (1e-3, 1.0))
    cycle: ClassVar[Cycle] = _CYCLE

    def rate(self, m: MembraneView) -> PerCell:
        """K⁺–Cl⁻ pairs that leave, fmol/s."""
        return self.u * m.affinity(self.cycle)


class KCC2MassAction(AbstractMechanism):
    r"""K⁺–Cl⁻ cotransport by mass action.

    $$J = P\,(K_i\,Cl_i - K_o\,Cl_o)$$

    Args:
        P: Rate constant of the whole membrane, fmol/(s·mM²); typical 1e-7 to 1e-3.

    Source: Fraser & Huang (2004) J Physiol 559:459.
    """

    P: PerCell = parameter("fmol/s/mM2", "rate constant", (1e-7, 1e-3))
    cycle: ClassVar[Cycle] = _CYCLE

    def rate(self, m: MembraneView) -> PerCell:
        """K⁺–Cl⁻ pairs that leave, fmol/s."""
        return self.P * m.mass_action(self.cycle)
