"""Creatine kinase, which keeps ATP up as long as there is phosphocreatine."""

from typing import ClassVar

from jaxion._types import PerCell
from jaxion.cycle import Cycle
from jaxion.mechanisms.base import AbstractMechanism, MembraneView, parameter


class CreatineKinase(AbstractMechanism):
    r"""Phosphate passed from phosphocreatine to ADP and back, by mass action.

    $$J = k\left(PCr\cdot ADP - \frac{Cr\cdot ATP}{K}\right)$$

    It stands still at its equilibrium constant, which says what pays for a turnover: $K = Cr\,ATP/(PCr\,ADP)$ at the pH that is meant.

    Args:
        k: Rate constant, fmol/(s·mM²); typical 1e-3 to 100.
        K: Equilibrium constant, dimensionless; typical 10 to 1000 (UNVERIFIED).

    Source: mass action, chosen as the simplest reversible form (2026); kinetic constants of the enzyme are UNVERIFIED.
    """

    k: PerCell = parameter("fmol/s/mM2", "rate constant", (1e-3, 100.0))
    K: PerCell = parameter("", "equilibrium constant", (10.0, 1000.0), allowed="positive")
    cycle: ClassVar[Cycle] = Cycle(consumed={"PCr": 1, "ADP": 1}, produced={"Cr": 1, "ATP": 1})
    passive: ClassVar[bool] = False

    def rate(self, m: MembraneView) -> PerCell:
        """ATP that is made, fmol/s."""
        s = m.inside
        return self.k * (s["PCr"] * s["ADP"] - s["Cr"] * s["ATP"] / self.K)
