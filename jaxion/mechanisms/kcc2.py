"""KCC2, the neuronal K⁺–Cl⁻ cotransporter that keeps intracellular chloride low."""

from typing import ClassVar

from jaxion._types import PerCell
from jaxion.cycle import Cycle
from jaxion.mechanisms.base import AbstractMechanism, MembraneView, Side, parameter

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


class KCC2RandomBinding(AbstractMechanism):
    r"""K⁺–Cl⁻ cotransport by a carrier that binds its ions in any order, in rapid equilibrium.

    $$J = \frac{v_\mathrm{max}}{K_{KCl}}\,\frac{K_i\,Cl_i - K_o\,Cl_o}{b_i + b_o}, \qquad
    b = \left(1+\frac{K\,Cl}{K_{KCl}}\right)\left(1+\frac{K}{K_K}\right)\left(1+\frac{Cl}{K_{Cl}}\right)$$

    Args:
        v_max: Turnover per unit of the saturation, fmol/s; typical 1e-3 to 10 fmol/s.
        K_KCl: Dissociation constant of the pair, mM2; published 54 mM2.
        K_K: Dissociation constant of K⁺, mM; published 9 mM.
        K_Cl: Dissociation constant of Cl⁻, mM; published 6 mM.

    Source: public code of a model of neuronal chloride, read in 2026; the original publication of the constants is UNVERIFIED.
    """

    v_max: PerCell = parameter("fmol/s", "turnover per saturation", (1e-3, 10.0))
    K_KCl: PerCell = parameter("mM2", "dissociation constant of the pair", (10.0, 300.0), allowed="positive", default=54.0)
    K_K: PerCell = parameter("mM", "dissociation constant of K", (1.0, 50.0), allowed="positive", default=9.0)
    K_Cl: PerCell = parameter("mM", "dissociation constant of Cl", (1.0, 50.0), allowed="positive", default=6.0)
    cycle: ClassVar[Cycle] = _CYCLE

    def _binding(self, side: Side) -> PerCell:
        K, Cl = side["K"], side["Cl"]
        return (1.0 + K * Cl / self.K_KCl) * (1.0 + K / self.K_K) * (1.0 + Cl / self.K_Cl)

    def rate(self, m: MembraneView) -> PerCell:
        """K⁺–Cl⁻ pairs that leave, fmol/s."""
        return self.v_max / self.K_KCl * m.mass_action(self.cycle) / (self._binding(m.inside) + self._binding(m.outside))


class KCC2Saturating(AbstractMechanism):
    r"""K⁺–Cl⁻ cotransport proportional to its affinity, and saturating in inner Cl⁻.

    $$J = u\,\frac{Cl_i}{Cl_i+K_{Cl}}\,\ln\frac{K_i\,Cl_i}{K_o\,Cl_o}$$

    The published form measures the logarithm in units of its value at $Cl_i$ = 56 mM,
    $u = 0.117\,v_\mathrm{max}/\ln(56\,\mathrm{mM}\;K_i/(K_o\,Cl_o))$, which is constant while the three are, and singular
    where they make the cotransporter stand still at 56 mM.

    Args:
        u: Turnover per unit of RT at saturation, fmol/s; typical 1e-3 to 1 fmol/s.
        K_Cl: Inner Cl⁻ at half saturation, mM; published 15 mM.

    Source: form of Raimondo et al. among the cotransporters of Düsterwald et al. (2018) eLife 7:e39575, public code; the original is
    UNVERIFIED. A later code of the same laboratory has 29.8 mM.
    """

    u: PerCell = parameter("fmol/s", "turnover per RT at saturation", (1e-3, 1.0))
    K_Cl: PerCell = parameter("mM", "inner Cl at half saturation", (15.0, 29.8), default=15.0)
    cycle: ClassVar[Cycle] = _CYCLE

    def rate(self, m: MembraneView) -> PerCell:
        """K⁺–Cl⁻ pairs that leave, fmol/s."""
        Cl = m.inside["Cl"]
        return self.u * Cl / (Cl + self.K_Cl) * m.affinity(self.cycle)
