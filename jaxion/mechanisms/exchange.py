"""Diffusion of ions between two solutions, such as the extracellular space and a bath."""

import math

import equinox as eqx

from jaxion import thermo
from jaxion._types import PerCell
from jaxion.cycle import Cycle
from jaxion.mechanisms.base import AbstractMechanism, MembraneView, Side, parameter


class Exchange(AbstractMechanism):
    r"""Diffusion of a salt, driven by the difference of its mean concentration; or of one ion alone.

    $$J = P\,(\bar c_i - \bar c_o), \qquad \bar c = \Big(\prod_X c_X\Big)^{1/n}$$

    for the $n$ ions that move together. A combination that is neutral, as by default, keeps both
    solutions neutral. One ion alone, as several papers have it, leaves a net charge behind; in a
    field it moves as `GHKLeak`, of which this is the limit at V = 0.

    Args:
        P: Permeability, the rate constant of exchange times the volume it is meant for, pL/s; typical 1e-3 to 10 pL/s.
        ions: Ions that move together, one of each.

    Source: Zandt et al. (2011) PLoS ONE 6:e22127 and Hübel & Dahlem (2014) PLoS Comput Biol 10:e1003941 for K⁺ alone; the mean of
    several is chosen so that exchange stops at equilibrium.
    """

    P: PerCell = parameter("pL/s", "permeability", (1e-3, 10.0))
    ions: tuple[str, ...] = eqx.field(static=True, default=("K", "Cl"))
    cycle: Cycle = eqx.field(init=False, static=True)

    def __post_init__(self):
        self.cycle = Cycle(outward=dict.fromkeys(self.ions, 1))

    def _mean(self, side: Side) -> PerCell:
        product = math.prod((side[ion] for ion in self.ions[1:]), start=side[self.ions[0]])
        return product if len(self.ions) == 1 else product ** (1.0 / len(self.ions))

    def rate(self, m: MembraneView) -> PerCell:
        """Turnovers from inside to outside, fmol/s."""
        inside, outside = self._mean(m.inside), self._mean(m.outside)
        if self.cycle.charge == 0:
            return self.P * (inside - outside)
        return thermo.ghk_flux(self.P, self.cycle.charge * m.V / len(self.ions), inside, outside, 1, m.RT_F)
