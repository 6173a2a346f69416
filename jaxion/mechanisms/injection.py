"""Current through an electrode, carried by an ion that it takes from one side of the membrane to the other."""

import equinox as eqx

from jaxion._types import PerCell
from jaxion.cycle import Cycle
from jaxion.ions import valence
from jaxion.mechanisms.base import AbstractMechanism, MembraneView, parameter


class Injection(AbstractMechanism):
    r"""Injected current; a positive one depolarises, whatever the ion that carries it.

    $$J = \frac{I}{|z|\,F}$$

    inward for a cation, outward for an anion. Moving an ion, and not charge alone, keeps mass and charge closed.
    Powered from outside of the model, by the stimulator.

    Args:
        ion: The ion that carries the current, such as `"K"`.
        I: Current, pA; typical 1 to 1000 pA, positive depolarises.

    Source: sign as an electrophysiologist's stimulator has it; K⁺ as the carrier as in Sætra et al. (2021) PLoS Comput Biol 17:e1008143.
    """

    ion: str = eqx.field(static=True)
    I: PerCell = parameter("pA", "injected current", (1.0, 1000.0), allowed="any")
    cycle: Cycle = eqx.field(init=False, static=True)
    passive = False

    def __post_init__(self):
        self.cycle = Cycle(inward={self.ion: 1}) if valence(self.ion) > 0 else Cycle(outward={self.ion: 1})

    def rate(self, m: MembraneView) -> PerCell:
        """Ions that are moved, fmol/s."""
        return self.I / (abs(valence(self.ion)) * m.F)
