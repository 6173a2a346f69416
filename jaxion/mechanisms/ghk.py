"""Goldman–Hodgkin–Katz leak of one ion."""

import equinox as eqx

from jaxion import thermo
from jaxion._types import PerCell
from jaxion.cycle import Cycle
from jaxion.ions import valence
from jaxion.mechanisms.base import AbstractMechanism, MembraneView, parameter


class GHKLeak(AbstractMechanism):
    r"""Electrodiffusive leak of one ion in a constant field.

    $$J_X = P\left[c_i\,\frac{u}{1-e^{-u}} - c_o\,\frac{u}{e^{u}-1}\right], \qquad u = \frac{z_X V F}{RT}$$

    Args:
        ion: The ion that leaks, such as `"Na"`.
        P: Permeability of the whole membrane (permeability coefficient × area), pL/s; typical 1e-4 to 0.1 pL/s.

    Source: Goldman (1943) J Gen Physiol 27:37; Hodgkin & Katz (1949) J Physiol 108:37, appendix A.
    """

    ion: str = eqx.field(static=True)
    P: PerCell = parameter("pL/s", "permeability", (1e-4, 0.1))
    cycle: Cycle = eqx.field(init=False, static=True)

    def __post_init__(self):
        self.cycle = Cycle(outward={self.ion: 1})

    def rate(self, m: MembraneView) -> PerCell:
        """Ions that leave, fmol/s."""
        return thermo.ghk_flux(self.P, m.V, m.inside[self.ion], m.outside[self.ion], valence(self.ion), m.RT_F)
