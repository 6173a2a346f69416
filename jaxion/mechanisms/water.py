"""Water flux through the membrane: driven by the difference of osmolarity, or towards a volume that it sets."""

from typing import ClassVar

import jax.numpy as jnp

from jaxion._types import PerCell
from jaxion.cycle import Cycle
from jaxion.ions import WATER
from jaxion.mechanisms.base import AbstractMechanism, MembraneView, parameter


class Water(AbstractMechanism):
    r"""Osmotic water flux; every solute counts, the impermeants of both sides included.

    $$\frac{dw}{dt} = P\,(\pi_i - \pi_o)$$

    Args:
        P: Osmotic permeability of the whole membrane, pL/(s·mM); typical 1e-5 to 0.1.

    Source: Kedem & Katchalsky (1958) Biochim Biophys Acta 27:229, with reflection coefficients of one.
    """

    P: PerCell = parameter("pL/s/mM", "osmotic permeability", (1e-5, 0.1))
    cycle: ClassVar[Cycle] = Cycle(inward={WATER: 1})

    def rate(self, m: MembraneView) -> PerCell:
        """Water that enters, pL/s."""
        return self.P * m.affinity(self.cycle)


class WaterRelaxation(AbstractMechanism):
    r"""Water flux that brings the cell, at first order, to a volume that the difference of osmolarity sets.

    $$\frac{dw}{dt} = \frac{\hat w - w}{\tau}, \qquad \hat w = w_0\left[1 + a\left(1 - e^{(\pi_o - \pi_i)/s_\pi}\right)\right]$$

    The cell swells by the share a at most, whatever the difference, as if its walls were elastic.
    Breaks the second law: near a volume other than $w_0$ water may flow against the difference.

    Args:
        w_0: Volume of the cell without a difference of osmolarity, pL; typical 0.1 to 10 pL.
        a: Largest share of swelling, dimensionless; published 0.1029.
        s_pi: Difference of osmolarity that counts, mM; published 20 mM.
        tau: Time constant, s; published 0.25 s.

    Source: Wei, Ullah & Schiff (2014) J Neurosci 34:11733.
    """

    w_0: PerCell = parameter("pL", "volume without a difference of osmolarity", (0.1, 10.0), allowed="positive")
    a: PerCell = parameter("", "largest share of swelling", (0.05, 0.2), default=0.1029)
    s_pi: PerCell = parameter("mM", "difference of osmolarity that counts", (10.0, 40.0), allowed="positive", default=20.0)
    tau: PerCell = parameter("s", "time constant", (0.1, 1.0), allowed="positive", default=0.25)
    cycle: ClassVar[Cycle] = Cycle(inward={WATER: 1})
    passive: ClassVar[bool] = False

    def rate(self, m: MembraneView) -> PerCell:
        """Water that enters, pL/s."""
        wanted = self.w_0 * (1.0 - self.a * jnp.expm1((m.outside.osmolarity - m.inside.osmolarity) / self.s_pi))
        return (wanted - m.inside.volume) / self.tau


class WaterMobile(AbstractMechanism):
    r"""Osmotic water flux in which impermeants of both sides count as a constant difference, however a side swells.

    $$\frac{dw}{dt} = P\left[\sum_X c_{X,i} + \Delta M - \sum_X c_{X,o}\right]$$

    over all solutes that are no impermeants. Breaks the second law: the flux vanishes where the osmolarities differ.

    Args:
        P: Osmotic permeability of the whole membrane, pL/(s·mM); typical 1e-5 to 0.1.
        M: What impermeants add inside beyond those outside $\Delta M$, mM; typical 10 to 300 mM.

    Source: Sætra, Einevoll & Halnes (2021) PLoS Comput Biol 17:e1008143, where the difference balances the initial state.
    """

    P: PerCell = parameter("pL/s/mM", "osmotic permeability", (1e-5, 0.1))
    M: PerCell = parameter("mM", "difference of impermeants", (10.0, 300.0))
    cycle: ClassVar[Cycle] = Cycle(inward={WATER: 1})
    passive: ClassVar[bool] = False

    def rate(self, m: MembraneView) -> PerCell:
        """Water that enters, pL/s."""
        inside, outside = (side.osmolarity - side.impermeant for side in (m.inside, m.outside))
        return self.P * (inside + self.M - outside)
