"""Oxidative phosphorylation: ATP from oxygen, on demand of ADP."""

from typing import ClassVar

import equinox as eqx

from jaxion._types import PerCell
from jaxion.cycle import Cycle
from jaxion.mechanisms.base import AbstractMechanism, MembraneView, parameter

_SIDES = ("inside", "outside")


class OxidativePhosphorylation(AbstractMechanism):
    r"""ATP made in the inside from its ADP with oxygen, which is dissolved there or comes from the outside as fast as it is used.

    $$J = v_\mathrm{max}\,\frac{O_2}{O_2 + K_{O_2}}\,\frac{ADP}{ADP + K_{ADP}}$$

    One turnover uses one O₂ and makes y ATP. Powered from outside of the model, by substrates that are not accounted for.

    Args:
        v_max: O₂ used at saturation, fmol/s; typical 1e-3 to 10 fmol/s.
        K_ADP: ADP at half saturation, mM; typical 0.01 to 1 mM (UNVERIFIED).
        K_O2: O₂ at half saturation, mM; typical 1e-3 to 3e-3 mM (UNVERIFIED).
        y: ATP made from each O₂, a whole number; 5 is a P/O ratio of 2.5.
        side: Side on which the oxygen is, `"inside"` or `"outside"`.

    Source: Attwell & Laughlin (2001) J Cereb Blood Flow Metab 21:1133 for ATP from oxygen; the rate is the common form of two saturations.
    """

    v_max: PerCell = parameter("fmol/s", "O2 used at saturation", (1e-3, 10.0))
    K_ADP: PerCell = parameter("mM", "ADP at half saturation", (0.01, 1.0), allowed="positive")
    K_O2: PerCell = parameter("mM", "O2 at half saturation", (1e-3, 3e-3), allowed="positive", default=1e-3)
    y: int = eqx.field(static=True, default=5)
    side: str = eqx.field(static=True, default="outside")
    cycle: Cycle = eqx.field(init=False, static=True)
    passive: ClassVar[bool] = False
    senses: ClassVar[tuple[str, ...]] = ("ADP",)

    def __post_init__(self):
        if self.side not in _SIDES:
            raise ValueError(f"Argument `side` must be one of {', '.join(_SIDES)}, but it is `{self.side}`.")
        self.cycle = Cycle(inward={"O2": 1} if self.side == "outside" else {}, consumed={"O2": 1}, ATP=-self.y)

    def rate(self, m: MembraneView) -> PerCell:
        """Oxygen that is used, fmol/s."""
        O2, ADP = (m.inside if self.side == "inside" else m.outside)["O2"], m.inside["ADP"]
        return self.v_max * O2 / (O2 + self.K_O2) * ADP / (ADP + self.K_ADP)
