"""KCC, the K⁺–Cl⁻ cotransporter of cells other than neurons."""

from typing import ClassVar

from jaxion._types import PerCell
from jaxion.cycle import Cycle
from jaxion.mechanisms.base import AbstractMechanism, MembraneView, parameter


class KCC(AbstractMechanism):
    r"""K⁺–Cl⁻ cotransport by mass action, written as influx.

    $$J = P\,(K_o\,Cl_o - K_i\,Cl_i)$$

    Args:
        P: Rate constant of the whole membrane, fmol/(s·mM²); typical 1e-7 to 1e-3.

    Source: Yurinskaya & Vereninov (2021) Front Cell Dev Biol 9:735228; Aminzare & Kay (2024).
    """

    P: PerCell = parameter("fmol/s/mM2", "rate constant", (1e-7, 1e-3))
    cycle: ClassVar[Cycle] = Cycle(inward={"K": 1, "Cl": 1})

    def rate(self, m: MembraneView) -> PerCell:
        """K⁺–Cl⁻ pairs that enter, fmol/s."""
        return self.P * m.mass_action(self.cycle)
