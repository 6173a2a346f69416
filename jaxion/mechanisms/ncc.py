"""NCC, the Na⁺–Cl⁻ cotransporter."""

from typing import ClassVar

from jaxion._types import PerCell
from jaxion.cycle import Cycle
from jaxion.mechanisms.base import AbstractMechanism, MembraneView, parameter


class NCC(AbstractMechanism):
    r"""Na⁺–Cl⁻ cotransport by mass action.

    $$J = P\,(Na_o\,Cl_o - Na_i\,Cl_i)$$

    Args:
        P: Rate constant of the whole membrane, fmol/(s·mM²); typical 1e-7 to 1e-3.

    Source: Yurinskaya & Vereninov (2021) Front Cell Dev Biol 9:735228; Aminzare & Kay (2024).
    """

    P: PerCell = parameter("fmol/s/mM2", "rate constant", (1e-7, 1e-3))
    cycle: ClassVar[Cycle] = Cycle(inward={"Na": 1, "Cl": 1})

    def rate(self, m: MembraneView) -> PerCell:
        """Na⁺–Cl⁻ pairs that enter, fmol/s."""
        return self.P * m.mass_action(self.cycle)
