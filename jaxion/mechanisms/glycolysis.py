"""Glycolysis: ATP without oxygen."""

from typing import ClassVar

from jaxion._types import PerCell
from jaxion.cycle import Cycle
from jaxion.mechanisms.base import AbstractMechanism, MembraneView, parameter


class Glycolysis(AbstractMechanism):
    r"""ATP made from ADP without oxygen.

    $$J = v_\mathrm{max}\,\frac{ADP}{ADP + K_{ADP}}$$

    Powered from outside of the model, by glucose that is not accounted for.

    Args:
        v_max: ATP made at saturation, fmol/s; typical 1e-3 to 10 fmol/s.
        K_ADP: ADP at half saturation, mM; typical 0.01 to 1 mM (UNVERIFIED).

    Source: a saturation in ADP, chosen as the simplest form; of 31 ATP from a glucose, those that need no oxygen: Attwell & Laughlin (2001).
    """

    v_max: PerCell = parameter("fmol/s", "ATP made at saturation", (1e-3, 10.0))
    K_ADP: PerCell = parameter("mM", "ADP at half saturation", (0.01, 1.0), allowed="positive")
    cycle: ClassVar[Cycle] = Cycle(ATP=-1)
    passive: ClassVar[bool] = False
    senses: ClassVar[tuple[str, ...]] = ("ADP",)

    def rate(self, m: MembraneView) -> PerCell:
        """ATP that is made, fmol/s."""
        ADP = m.inside["ADP"]
        return self.v_max * ADP / (ADP + self.K_ADP)
