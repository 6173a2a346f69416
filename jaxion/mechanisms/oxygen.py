"""Consumption of oxygen by the cells of a tissue, on demand of what uses ATP."""

from typing import ClassVar

import equinox as eqx

from jaxion._types import PerCell
from jaxion.cycle import Cycle
from jaxion.mechanisms.base import AbstractMechanism, MembraneView, parameter

_CYCLES = {"inside": Cycle(consumed={"O2": 1}), "outside": Cycle(inward={"O2": 1}, consumed={"O2": 1})}


class TissueRespiration(AbstractMechanism):
    r"""Oxygen used to make the ATP that the other mechanisms of a membrane or link use, in tissue that is full of such cells.

    $$J = \frac{w}{y}\,\frac{J_\mathrm{ATP}}{v}\,\frac{O_2}{O_2 + K_{O_2}}$$

    with v the volume of the inside: every pL of tissue uses as much as a pL of the inside does.
    Powered from outside of the model, by substrates that are not accounted for. Below $K_{O_2}$ the ATP comes from elsewhere.

    Args:
        w: Volume of tissue that the oxygen is dissolved in, pL; typical 0.1 to 10 pL.
        y: ATP made from each O₂, dimensionless; published 5 to 6.04, of which 5.17 is that of glucose with glycolysis.
        K_O2: O₂ at half saturation, mM; typical 1e-5 to 3e-3 mM, of which the upper end (UNVERIFIED) is that of the respiratory chain.
        side: Side on which the oxygen is, `"inside"` or `"outside"`.

    Source: Attwell & Laughlin (2001) for 31 ATP from 6 O₂; Wei, Ullah & Schiff (2014) J Neurosci 34:11733 for demand per volume.
    """

    w: PerCell = parameter("pL", "volume of tissue that the oxygen is dissolved in", (0.1, 10.0), allowed="positive")
    y: PerCell = parameter("", "ATP made from each O2", (5.0, 6.04), allowed="positive", default=31 / 6)
    K_O2: PerCell = parameter("mM", "O2 at half saturation", (1e-5, 3e-3), allowed="positive", default=1e-3)
    side: str = eqx.field(static=True, default="inside")
    cycle: Cycle = eqx.field(init=False, static=True)
    passive: ClassVar[bool] = False
    on_demand: ClassVar[bool] = True

    def __post_init__(self):
        if self.side not in _CYCLES:
            raise ValueError(f"Argument `side` must be one of inside, outside, but it is `{self.side}`.")
        self.cycle = _CYCLES[self.side]

    def rate(self, m: MembraneView) -> PerCell:
        """Oxygen that is used, fmol/s."""
        O2 = (m.inside if self.side == "inside" else m.outside)["O2"]
        return self.w * m.ATP / (self.y * m.inside.volume) * O2 / (O2 + self.K_O2)
