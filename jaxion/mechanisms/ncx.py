"""NCX, the Na⁺/Ca²⁺ exchanger."""

from typing import ClassVar

import jax.numpy as jnp
from jaxtyping import Array

from jaxion._types import PerCell
from jaxion.cycle import Cycle
from jaxion.mechanisms.base import AbstractMechanism, MembraneView, parameter

_TYPICAL = (0.1, 100.0)


def _current(m: MembraneView, P: Array) -> Array:
    # Luo's and Rudy's formula, multiplied out so that no concentration is divided by another.
    u, K_Na, K_Ca = m.V / m.RT_F, 87.5, 1.38
    backward = jnp.exp(-0.65 * u)
    forward = m.inside["Na"] ** 3 * m.outside["Ca"] * jnp.exp(0.35 * u) - m.outside["Na"] ** 3 * m.inside["Ca"] * backward
    return P * forward / ((K_Na**3 + m.outside["Na"] ** 3) * (K_Ca + m.outside["Ca"]) * (1.0 + 0.1 * backward))


class NCX(AbstractMechanism):
    r"""Exchange of 3 Na⁺ for 1 Ca²⁺ that runs either way.

    $$I = P\,\frac{Na_o^3}{K_{Na}^3+Na_o^3}\,\frac{Ca_o}{K_{Ca}+Ca_o}\,
    \frac{(Na_i/Na_o)^3\,e^{0.35\,VF/RT} - (Ca_i/Ca_o)\,e^{-0.65\,VF/RT}}{1+0.1\,e^{-0.65\,VF/RT}}, \qquad J = \frac{I}{F}$$

    with $K_{Na}$ = 87.5 mM and $K_{Ca}$ = 1.38 mM; it reverses at $3E_{Na} - 2E_{Ca}$.

    Args:
        P: Current at saturation, pA; typical 0.1 to 100 pA.

    Source: Luo & Rudy (1994), as in the public code of Kalia et al. (2021) PLoS Comput Biol 17:e1009019, there with P = 5.7 pA.
    """

    P: PerCell = parameter("pA", "current at saturation", _TYPICAL)
    cycle: ClassVar[Cycle] = Cycle(outward={"Na": 3}, inward={"Ca": 1})

    def rate(self, m: MembraneView) -> PerCell:
        """Ca²⁺ that enters, fmol/s."""
        return _current(m, self.P) / m.F


class NCXKalia(AbstractMechanism):
    r"""The exchanger with the bookkeeping of one published code: 6 Na⁺ for 1 Ca²⁺.

    $$J = \frac{I}{2F}$$

    with the current $I$ of `NCX`. For each charge of that current 3 Na⁺ leave and half a Ca²⁺ enters,
    so that two charges move and the exchanger stands still away from equilibrium.
    Powered from outside of the model, where it runs uphill; for a model of your own take `NCX`.

    Args:
        P: Current at saturation, pA; typical 0.1 to 100 pA.

    Source: public code of Kalia et al. (2021) PLoS Comput Biol 17:e1009019, with P = 5.7 pA.
    """

    P: PerCell = parameter("pA", "current at saturation", _TYPICAL)
    cycle: ClassVar[Cycle] = Cycle(outward={"Na": 6}, inward={"Ca": 1})
    passive: ClassVar[bool] = False

    def rate(self, m: MembraneView) -> PerCell:
        """Ca²⁺ that enters, fmol/s."""
        return _current(m, self.P) / (2.0 * m.F)
