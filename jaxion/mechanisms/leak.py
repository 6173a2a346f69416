"""Ohmic leak of one ion."""

import equinox as eqx

from jaxion._types import PerCell
from jaxion.cycle import Cycle
from jaxion.ions import valence
from jaxion.mechanisms.base import AbstractMechanism, MembraneView, parameter


class Leak(AbstractMechanism):
    r"""Ohmic leak of one ion, driven by its distance from equilibrium.

    $$I = g\,(V - E_X), \qquad J_X = \frac{I}{z_X F}$$

    Args:
        ion: The ion that leaks, such as `"Na"`.
        g: Conductance of the whole membrane, nS; typical 0.01 to 10 nS.

    Source: Hodgkin & Huxley (1952) J Physiol 117:500, eq. 3 to 5, for each ion alone.
    """

    ion: str = eqx.field(static=True)
    g: PerCell = parameter("nS", "conductance", (0.01, 10.0))
    cycle: Cycle = eqx.field(init=False, static=True)

    def __post_init__(self):
        self.cycle = Cycle(outward={self.ion: 1})

    def rate(self, m: MembraneView) -> PerCell:
        """Ions that leave, fmol/s."""
        return self.g * (m.V - m.E(self.ion)) / (valence(self.ion) * m.F)
