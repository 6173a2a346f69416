"""Na⁺/K⁺-ATPase with the Hill curves that are fitted to its currents."""

from typing import ClassVar

import jax
import jax.numpy as jnp
from jaxtyping import Array

from jaxion._types import PerCell
from jaxion.cycle import Cycle
from jaxion.mechanisms.base import AbstractMechanism, MembraneView, parameter


class NaKATPaseHill(AbstractMechanism):
    r"""Pump with Hill curves of free exponents for inner Na⁺ and outer K⁺.

    $$J = v_\mathrm{max}\,\frac{Na_i^{h_{Na}}}{Na_i^{h_{Na}}+K_{Na}^{h_{Na}}}\,\frac{K_o^{h}}{K_o^{h}+K_K^{h}}, \qquad n = n_{Na},\; h = h_K$$

    Args:
        v_max: Turnover at saturation, fmol/s; typical 0.1 to 100 fmol/s.
        K_Na: Inner Na⁺ at half saturation, mM; published 10.5 mM.
        K_K: Outer K⁺ at half saturation, mM; published 1.1 mM.
        h_Na: Hill exponent of Na⁺, dimensionless; published 1.3.
        h_K: Hill exponent of K⁺, dimensionless; published 1.15.

    Source: currents of Nakao & Gadsby (1989), fitted in the public code github.com/caljohnson/astrocyte_ion_concentrations.
    """

    v_max: PerCell = parameter("fmol/s", "turnover at saturation", (0.1, 100.0))
    K_Na: PerCell = parameter("mM", "inner Na at half saturation", (5.0, 20.0), default=10.5)
    K_K: PerCell = parameter("mM", "outer K at half saturation", (0.5, 3.0), default=1.1)
    h_Na: PerCell = parameter("", "Hill exponent of Na", (1.0, 3.0), default=1.3)
    h_K: PerCell = parameter("", "Hill exponent of K", (0.9, 2.0), default=1.15)
    cycle: ClassVar[Cycle] = Cycle(outward={"Na": 3}, inward={"K": 2}, ATP=1)
    passive: ClassVar[bool] = False

    def rate(self, m: MembraneView) -> PerCell:
        """Pump cycles, fmol/s."""
        return self.v_max * _hill(m.inside["Na"], self.K_Na, self.h_Na) * _hill(m.outside["K"], self.K_K, self.h_K)


def _hill(c: Array, K: Array, h: Array) -> Array:
    return jax.nn.sigmoid(h * jnp.log(c / K))
