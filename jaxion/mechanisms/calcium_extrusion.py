"""Extrusion of Ca²⁺ towards a resting concentration, whatever transports it."""

from typing import ClassVar

from jaxion._types import PerCell
from jaxion.cycle import Cycle
from jaxion.mechanisms.base import AbstractMechanism, MembraneView, parameter


class CalciumExtrusion(AbstractMechanism):
    r"""Electroneutral exchange of inner Ca²⁺ for 2 Na⁺, in proportion to what is there beyond the resting concentration.

    $$J = P\,(Ca_i - Ca_0)$$

    Powered from outside of the model, by whatever sets the resting concentration.

    Args:
        P: Rate constant times the volume that Ca²⁺ is dissolved in, pL/s; typical 1 to 1e5 pL/s.
        Ca_0: Resting concentration of inner Ca²⁺, mM; published 1e-4 mM.

    Source: Sætra, Einevoll & Halnes (2021) PLoS Comput Biol 17:e1008143, there 75 per second.
    """

    P: PerCell = parameter("pL/s", "rate constant", (1.0, 1e5))
    Ca_0: PerCell = parameter("mM", "resting inner Ca", (5e-5, 2e-4), default=1e-4)
    cycle: ClassVar[Cycle] = Cycle(outward={"Ca": 1}, inward={"Na": 2})
    passive: ClassVar[bool] = False

    def rate(self, m: MembraneView) -> PerCell:
        """Ca²⁺ that leaves, fmol/s."""
        return self.P * (m.inside["Ca"] - self.Ca_0)
