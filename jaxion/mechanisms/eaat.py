"""EAAT, the excitatory amino acid transporters that take glutamate up."""

from typing import ClassVar

import jax.numpy as jnp

from jaxion import thermo
from jaxion._types import PerCell
from jaxion.cycle import Cycle
from jaxion.mechanisms.base import AbstractMechanism, MembraneView, parameter


class EAAT(AbstractMechanism):
    r"""Uptake of glutamate with 3 Na⁺ and 1 H⁺ for 1 K⁺, as a conductance.

    $$I = g\,(V - E), \qquad E = \frac{RT}{2F}\ln\left[\left(\frac{Na_o}{Na_i}\right)^3\frac{K_i}{K_o}\,\frac{H_o}{H_i}\,\frac{Glu_o}{Glu_i}\right],
    \qquad J = -\frac{I}{2F}$$

    Args:
        g: Conductance of the whole membrane, nS; typical 1e-3 to 10 nS.

    Source: Conte, Lee, Sarkar & Terman (2017), public code, ModelDB 235377, there with a fixed proton ratio of 0.5.
    """

    g: PerCell = parameter("nS", "conductance", (1e-3, 10.0))
    cycle: ClassVar[Cycle] = Cycle(inward={"Na": 3, "H": 1, "Glu": 1}, outward={"K": 1})

    def rate(self, m: MembraneView) -> PerCell:
        """Glutamate that enters, fmol/s."""
        E = thermo.reversal(self.cycle, m.inside.concentrations, m.outside.concentrations, m.RT_F)
        return self.g * (m.V - E) / (self.cycle.charge * m.F)


class EAATLog(AbstractMechanism):
    r"""Uptake of glutamate with 3 Na⁺ for 1 K⁺, driven by gradients alone at a fixed proton ratio.

    $$J = u\,\ln\left[\left(\frac{Na_o}{Na_i}\right)^3\frac{K_i}{K_o}\,h\,\frac{Glu_o}{Glu_i}\right]$$

    The charge that it moves meets no field, as published: it does work against the potential for
    nothing. Powered from outside of the model in that; `EAAT` and `EAATAffinity` are consistent forms.

    Args:
        u: Turnover per unit of RT, fmol/s; typical 1e-3 to 1 fmol/s.
        h: Proton ratio $H_o/H_i$, dimensionless; published 0.66.

    Source: public code of Kalia et al. (2021) PLoS Comput Biol 17:e1009019.
    """

    u: PerCell = parameter("fmol/s", "turnover per RT", (1e-3, 1.0))
    h: PerCell = parameter("", "proton ratio outside/inside", (0.3, 1.0), allowed="positive", default=0.66)
    cycle: ClassVar[Cycle] = Cycle(inward={"Na": 3, "Glu": 1}, outward={"K": 1})
    passive: ClassVar[bool] = False

    def rate(self, m: MembraneView) -> PerCell:
        """Glutamate that enters, fmol/s."""
        gradients = thermo.affinity(self.cycle, m.inside.concentrations, m.outside.concentrations, 0.0, m.RT_F)
        return self.u * (gradients + jnp.log(self.h))


class EAATAffinity(AbstractMechanism):
    r"""Uptake of glutamate with 3 Na⁺ for 1 K⁺, proportional to its affinity.

    $$J = u\left\{\ln\left[\left(\frac{Na_o}{Na_i}\right)^3\frac{K_i}{K_o}\,\frac{Glu_o}{Glu_i}\right] - \frac{VF}{RT}\right\}$$

    for models without protons: those that a turnover takes along are left out, of its charge too.

    Args:
        u: Turnover per unit of RT, fmol/s; typical 1e-3 to 1 fmol/s.

    Source: the gradients of the public code of Kalia et al. (2021) PLoS Comput Biol 17:e1009019; the potential is added so that the
    second law holds.
    """

    u: PerCell = parameter("fmol/s", "turnover per RT", (1e-3, 1.0))
    cycle: ClassVar[Cycle] = EAATLog.cycle

    def rate(self, m: MembraneView) -> PerCell:
        """Glutamate that enters, fmol/s."""
        return self.u * m.affinity(self.cycle)
