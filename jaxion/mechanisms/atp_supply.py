"""How far ATP feeds a pump."""

import equinox as eqx

from jaxion._types import PerCell, PerCellOrNone
from jaxion.mechanisms.base import MembraneView, parameter
from jaxion.mechanisms.modulation import AbstractModulator

_SIDES = ("inside", "outside")


class ATPSupply(AbstractModulator):
    r"""Saturation of a pump's site for ATP, which ADP competes for.

    $$f = \frac{ATP}{ATP + K_{ATP}\,(1 + ADP/K_i)}$$

    Args:
        K_ATP: ATP at half saturation without ADP, mM; published 8e-3 mM, of the site of high affinity; 0.1 to 0.6 mM is what the turnover
            of a pump as a whole follows.
        K_i: ADP that binds as well as ATP does at K_ATP, mM; published 0.1 mM. `None` leaves the competition out.
        side: Side on which the adenylates are: `"inside"`, or `"outside"` for a pool that cells share, as for `SharedHydrolysis`.
        of: Name of the parameter that is multiplied; by default the whole rate.

    Source: Zhou et al. (2009) after Cortassa et al., cardiac, as publicly coded; the range for whole pumps as in the pump of four states.
    """

    K_ATP: PerCell = parameter("mM", "ATP at half saturation", (8e-3, 0.6), allowed="positive", default=8e-3)
    K_i: PerCellOrNone = parameter("mM", "ADP that competes half of ATP away", (0.01, 1.0), allowed="positive", optional=True, default=0.1)
    side: str = eqx.field(static=True, default="inside")
    of: str = eqx.field(static=True, default="", kw_only=True)
    senses: tuple[str, ...] = eqx.field(init=False, static=True)
    senses_outside: tuple[str, ...] = eqx.field(init=False, static=True)

    def __post_init__(self):
        if self.side not in _SIDES:
            raise ValueError(f"Argument `side` must be one of {', '.join(_SIDES)}, but it is `{self.side}`.")
        needed = ("ATP",) if self.K_i is None else ("ADP", "ATP")
        self.senses, self.senses_outside = (needed, ()) if self.side == "inside" else ((), needed)

    def factor(self, m: MembraneView) -> PerCell:
        """What the rate is multiplied by."""
        side = m.inside if self.side == "inside" else m.outside
        competition = 1.0 if self.K_i is None else 1.0 + side["ADP"] / self.K_i
        return side["ATP"] / (side["ATP"] + self.K_ATP * competition)
