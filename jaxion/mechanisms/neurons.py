"""Exchange of K⁺ for Na⁺ with neurons that are no compartment of their own."""

from typing import ClassVar

from jaxion._types import PerCell
from jaxion.cycle import Cycle
from jaxion.mechanisms.base import AbstractMechanism, MembraneView, parameter


class NeuronalRelease(AbstractMechanism):
    r"""Release of K⁺ into the extracellular space by active neurons, which take up as much Na⁺.

    $$J = \mathrm{const.}$$

    with the extracellular space on the inside of the link. Powered from outside of the model, by the neurons' activity.

    Args:
        J: K⁺ released, fmol/s; typical 0.1 to 100 fmol/s.

    Source: Halnes et al. (2013) PLoS Comput Biol 9:e1003386.
    """

    J: PerCell = parameter("fmol/s", "K released", (0.1, 100.0))
    cycle: ClassVar[Cycle] = Cycle(inward={"K": 1}, outward={"Na": 1})
    passive: ClassVar[bool] = False

    def rate(self, m: MembraneView) -> PerCell:
        """K⁺ that enters the extracellular space, fmol/s."""
        return self.J


class NeuronalUptake(AbstractMechanism):
    r"""Uptake of extracellular K⁺ by the neurons' pumps, proportional to its excess, for as much Na⁺.

    $$J = P\,(K_i - K_o)$$

    with the extracellular space on the inside of the link and its resting concentration on the outside.
    Powered from outside of the model, by the neurons' metabolism.

    Args:
        P: Rate constant, pL/s; typical 1e-3 to 10 pL/s.

    Source: Halnes et al. (2013) PLoS Comput Biol 9:e1003386.
    """

    P: PerCell = parameter("pL/s", "rate constant", (1e-3, 10.0))
    cycle: ClassVar[Cycle] = Cycle(outward={"K": 1}, inward={"Na": 1})
    passive: ClassVar[bool] = False

    def rate(self, m: MembraneView) -> PerCell:
        """K⁺ taken up, fmol/s."""
        return self.P * (m.inside["K"] - m.outside["K"])
