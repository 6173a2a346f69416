"""Glutamate of a nerve terminal on its way through the vesicles, by calcium from the depot to the cleft and back.

`Glu` is free in the cytosol, `Glu_D` in the depot, `Glu_N` in vesicles that are docked, `Glu_R` in vesicles
that are ready, `Glu_R1` to `Glu_R3` in ready ones with 1 to 3 Ca²⁺ bound. Calcium is sensed, not taken up.
The energy of filling and priming is not accounted for: all these are powered from outside of the model.
The kinetics were published per millisecond; here they are per second.
"""

from typing import ClassVar

import equinox as eqx

from jaxion._types import PerCell
from jaxion.cycle import Cycle
from jaxion.mechanisms.base import AbstractMechanism, MembraneView, parameter

_POOLS = ("Glu_R", "Glu_R1", "Glu_R2", "Glu_R3")


def _volume():
    return parameter("pL", "volume of the terminal", (1e-4, 1e-2), allowed="positive", default=1e-3)


class VesicleDocking(AbstractMechanism):
    r"""Vesicles of the depot dock, the faster the more calcium there is, and undock.

    $$J = w\left(k\,\frac{Ca}{Ca + K_M}\,D - k_b\,N\right)$$

    Powered from outside of the model.

    Args:
        k: Rate constant at saturation, 1/s; published 1000.
        k_b: Rate constant of undocking, 1/s; published 0.05.
        K_M: Ca²⁺ at half saturation, mM; published 2.3e-3 mM.
        w: Volume of the terminal, pL; published 1e-3 pL.

    Source: Kalia et al. (2021) PLoS Comput Biol 17:e1009019, public code.
    """

    k: PerCell = parameter("1/s", "rate constant at saturation", (100.0, 1e4), default=1000.0)
    k_b: PerCell = parameter("1/s", "rate constant of undocking", (5e-3, 0.5), default=0.05)
    K_M: PerCell = parameter("mM", "Ca at half saturation", (1e-3, 1e-2), allowed="positive", default=2.3e-3)
    w: PerCell = _volume()
    cycle: ClassVar[Cycle] = Cycle(consumed={"Glu_D": 1}, produced={"Glu_N": 1})
    passive: ClassVar[bool] = False
    senses: ClassVar[tuple[str, ...]] = ("Ca",)

    def rate(self, m: MembraneView) -> PerCell:
        """Glutamate that docks, fmol/s."""
        Ca = m.inside["Ca"]
        return self.w * (self.k * Ca / (Ca + self.K_M) * m.inside["Glu_D"] - self.k_b * m.inside["Glu_N"])


class VesiclePriming(AbstractMechanism):
    r"""Docked vesicles become ready, and back; calcium catalyses both.

    $$J = w\left(1 + \frac{k_{cat}}{k}\,\frac{Ca}{Ca + K_{DV}}\right)(k\,N - k_b\,R)$$

    Powered from outside of the model.

    Args:
        k: Rate constant without Ca²⁺, 1/s; published 0.021.
        k_b: Rate constant back without Ca²⁺, 1/s; published 0.017.
        k_cat: What Ca²⁺ adds at saturation, 1/s; published 20.
        K_DV: Ca²⁺ at half saturation, mM; published 0.1 mM.
        w: Volume of the terminal, pL; published 1e-3 pL.

    Source: Kalia et al. (2021) PLoS Comput Biol 17:e1009019, public code.
    """

    k: PerCell = parameter("1/s", "rate constant without Ca", (1e-3, 1.0), default=0.021)
    k_b: PerCell = parameter("1/s", "rate constant back without Ca", (1e-3, 1.0), default=0.017)
    k_cat: PerCell = parameter("1/s", "what Ca adds at saturation", (1.0, 100.0), default=20.0)
    K_DV: PerCell = parameter("mM", "Ca at half saturation", (0.01, 1.0), allowed="positive", default=0.1)
    w: PerCell = _volume()
    cycle: ClassVar[Cycle] = Cycle(consumed={"Glu_N": 1}, produced={"Glu_R": 1})
    passive: ClassVar[bool] = False
    senses: ClassVar[tuple[str, ...]] = ("Ca",)

    def rate(self, m: MembraneView) -> PerCell:
        """Glutamate that becomes ready, fmol/s."""
        Ca = m.inside["Ca"]
        catalysis = 1.0 + self.k_cat / self.k * Ca / (Ca + self.K_DV)
        return self.w * catalysis * (self.k * m.inside["Glu_N"] - self.k_b * m.inside["Glu_R"])


class VesicleCalcium(AbstractMechanism):
    r"""Ready vesicles bind one more of their three Ca²⁺, each site by itself, and lose it.

    $$J = w\left[(3-s)\,k\,Ca\,R_s - (s+1)\,k_b\,R_{s+1}\right]$$

    Powered from outside of the model.

    Args:
        k: Rate constant of binding, 1/s/mM; published 4400.
        k_b: Rate constant of unbinding, 1/s; published 56.
        w: Volume of the terminal, pL; published 1e-3 pL.
        bound: Ca²⁺ that are bound before, s = 0, 1 or 2.

    Source: Kalia et al. (2021) PLoS Comput Biol 17:e1009019, public code.
    """

    k: PerCell = parameter("1/s/mM", "rate constant of binding", (100.0, 1e5), default=4400.0)
    k_b: PerCell = parameter("1/s", "rate constant of unbinding", (1.0, 1000.0), default=56.0)
    w: PerCell = _volume()
    bound: int = eqx.field(static=True, default=0)
    cycle: Cycle = eqx.field(init=False, static=True)
    passive: ClassVar[bool] = False
    senses: ClassVar[tuple[str, ...]] = ("Ca",)

    def __post_init__(self):
        if self.bound not in (0, 1, 2):
            raise ValueError(f"Argument `bound` must be 0, 1 or 2, but it is {self.bound}.")
        self.cycle = Cycle(consumed={_POOLS[self.bound]: 1}, produced={_POOLS[self.bound + 1]: 1})

    def rate(self, m: MembraneView) -> PerCell:
        """Glutamate in vesicles that bind, fmol/s."""
        free, taken = m.inside[_POOLS[self.bound]], m.inside[_POOLS[self.bound + 1]]
        return self.w * ((3 - self.bound) * self.k * m.inside["Ca"] * free - (self.bound + 1) * self.k_b * taken)


class VesicleFusion(AbstractMechanism):
    r"""Vesicles with three Ca²⁺ empty themselves into the cleft.

    $$J = w\,k\,R_3$$

    Powered from outside of the model.

    Args:
        k: Rate constant, 1/s; published 1450.
        w: Volume of the terminal, pL; published 1e-3 pL.

    Source: Kalia et al. (2021) PLoS Comput Biol 17:e1009019, public code.
    """

    k: PerCell = parameter("1/s", "rate constant", (100.0, 1e4), default=1450.0)
    w: PerCell = _volume()
    cycle: ClassVar[Cycle] = Cycle(outward={"Glu": 1}, consumed={"Glu_R3": 1}, produced={"Glu": 1})
    passive: ClassVar[bool] = False

    def rate(self, m: MembraneView) -> PerCell:
        """Glutamate that is set free, fmol/s."""
        return self.w * self.k * m.inside["Glu_R3"]


class VesicleFilling(AbstractMechanism):
    r"""Glutamate of the cytosol is packed into the vesicles of the depot, in proportion to both.

    $$J = \frac{w^2}{\tau}\,Glu\,D$$

    Powered from outside of the model.

    Args:
        tau: Amount times time of filling, fmol·s; published 0.03 fmol·s.
        w: Volume of the terminal, pL; published 1e-3 pL.

    Source: Kalia et al. (2021) PLoS Comput Biol 17:e1009019, public code, there 30 fmol·ms.
    """

    tau: PerCell = parameter("fmol·s", "amount times time of filling", (3e-3, 0.3), allowed="positive", default=0.03)
    w: PerCell = _volume()
    cycle: ClassVar[Cycle] = Cycle(consumed={"Glu": 1}, produced={"Glu_D": 1})
    passive: ClassVar[bool] = False

    def rate(self, m: MembraneView) -> PerCell:
        """Glutamate that is packed, fmol/s."""
        return self.w**2 / self.tau * m.inside["Glu"] * m.inside["Glu_D"]
