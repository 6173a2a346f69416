"""Water flux through the membrane, driven by the difference of osmolarity."""

from typing import ClassVar

from jaxion._types import PerCell
from jaxion.cycle import Cycle
from jaxion.ions import WATER
from jaxion.mechanisms.base import AbstractMechanism, MembraneView, parameter


class Water(AbstractMechanism):
    r"""Osmotic water flux; every solute counts, the impermeants of both sides included.

    $$\frac{dw}{dt} = P\,(\pi_i - \pi_o)$$

    Args:
        P: Osmotic permeability of the whole membrane, pL/(s·mM); typical 1e-5 to 0.1.

    Source: Kedem & Katchalsky (1958) Biochim Biophys Acta 27:229, with reflection coefficients of one.
    """

    P: PerCell = parameter("pL/s/mM", "osmotic permeability", (1e-5, 0.1))
    cycle: ClassVar[Cycle] = Cycle(inward={WATER: 1})

    def rate(self, m: MembraneView) -> PerCell:
        """Water that enters, pL/s."""
        return self.P * m.affinity(self.cycle)
