"""Kir4.1, the inwardly rectifying K⁺ channel of astrocytes, in the forms of the literature."""

from typing import ClassVar

import jax
import jax.numpy as jnp
from jaxtyping import Array

from jaxion._types import PerCell
from jaxion.cycle import Cycle
from jaxion.mechanisms.base import AbstractMechanism, MembraneView, parameter

_CYCLE = Cycle(outward={"K": 1})
_TYPICAL = (0.1, 100.0)


def _current(m: MembraneView, g: Array, K_o0: Array, K_i0: Array) -> Array:
    """Current of Østby's channel, pA, without its rectification in the driving force."""
    E_K0 = m.RT_F * jnp.log(K_o0 / K_i0)
    # A sigmoid in place of 1/(1+exp), whose exponential would overflow.
    open_ = jax.nn.sigmoid((118.6 + m.V) / 44.1) * (1.0 + jnp.exp(-(118.6 + E_K0) / 44.1))
    return g * jnp.sqrt(m.outside["K"] / K_o0) * open_ * (m.V - m.E("K"))


class KirOstby(AbstractMechanism):
    r"""Rectification in the driving force and in the potential, conductance with the root of outer K⁺.

    $$I = g\,\sqrt{\frac{K_o}{K_{o0}}}\;\frac{1+e^{18.5/42.4}}{1+e^{(V-E_K+18.5)/42.4}}\;
    \frac{1+e^{-(118.6+E_{K0})/44.1}}{1+e^{-(118.6+V)/44.1}}\,(V - E_K), \qquad E_{K0} = \frac{RT}{F}\ln\frac{K_{o0}}{K_{i0}}$$

    Args:
        g: Conductance of the whole membrane at rest, nS; typical 0.1 to 100 nS.
        K_o0: Outer K⁺ at rest, mM; published 3.082 mM.
        K_i0: Inner K⁺ at rest, mM; published 99.959 mM.

    Source: Østby et al. (2009) PLoS Comput Biol 5:e1000272; Halnes et al. (2013) PLoS Comput Biol 9:e1003386, there with 16.96 S/m².
    """

    g: PerCell = parameter("nS", "conductance at rest", _TYPICAL)
    K_o0: PerCell = parameter("mM", "outer K at rest", (2.5, 4.0), allowed="positive", default=3.082)
    K_i0: PerCell = parameter("mM", "inner K at rest", (80.0, 130.0), allowed="positive", default=99.959)
    cycle: ClassVar[Cycle] = _CYCLE

    def rate(self, m: MembraneView) -> PerCell:
        """K⁺ that leaves, fmol/s."""
        driven = jax.nn.sigmoid(-(m.V - m.E("K") + 18.5) / 42.4) * (1.0 + jnp.exp(18.5 / 42.4))
        return driven * _current(m, self.g, self.K_o0, self.K_i0) / m.F


class KirSaetra(AbstractMechanism):
    r"""`KirOstby` with the constants that one published code has in place of 18.5 and 42.4 mV, once each: near rest it carries 0.1 % less.

    $$I = g\,\sqrt{\frac{K_o}{K_{o0}}}\;\frac{1+e^{18.4/42.4}}{1+e^{(V-E_K+18.5)/42.5}}\;
    \frac{1+e^{-(118.6+E_{K0})/44.1}}{1+e^{-(118.6+V)/44.1}}\,(V - E_K), \qquad E_{K0} = \frac{RT}{F}\ln\frac{K_{o0}}{K_{i0}}$$

    Args:
        g: Conductance of the whole membrane at rest, nS; typical 0.1 to 100 nS.
        K_o0: Outer K⁺ at rest, mM; published 3.082 mM.
        K_i0: Inner K⁺ at rest, mM; published 99.959 mM.

    Source: public code of Sætra, Einevoll & Halnes (2021) PLoS Comput Biol 17:e1008143, there with 1.696 mS/cm².
    """

    g: PerCell = parameter("nS", "conductance at rest", _TYPICAL)
    K_o0: PerCell = parameter("mM", "outer K at rest", (2.5, 4.0), default=3.082)
    K_i0: PerCell = parameter("mM", "inner K at rest", (80.0, 130.0), default=99.959)
    cycle: ClassVar[Cycle] = _CYCLE

    def rate(self, m: MembraneView) -> PerCell:
        """K⁺ that leaves, fmol/s."""
        driven = jax.nn.sigmoid(-(m.V - m.E("K") + 18.5) / 42.5) * (1.0 + jnp.exp(18.4 / 42.4))
        return driven * _current(m, self.g, self.K_o0, self.K_i0) / m.F


class KirKager(AbstractMechanism):
    r"""Channel that shuts within millivolts above $E_K$, conductance with the inverse root of outer K⁺.

    $$I = g\,\sqrt{\frac{1\,\mathrm{mM}}{K_o}}\;\frac{V-E_K}{1+e^{(V-E_K)/s}}$$

    Args:
        g: Conductance of the whole membrane with the channel open, at 1 mM of outer K⁺, nS; typical 0.1 to 100 nS.
        s: Width of the rectification, mV; published 1 mV, and up to 42.4 mV in other forms.

    Source: glia of Kager, Wadman & Somjen (2007), public code, ModelDB 113446, there with 25 mS/cm².
    """

    g: PerCell = parameter("nS", "conductance at 1 mM outside, open", _TYPICAL)
    s: PerCell = parameter("mV", "width of the rectification", (1.0, 42.4), default=1.0)
    cycle: ClassVar[Cycle] = _CYCLE

    def rate(self, m: MembraneView) -> PerCell:
        """K⁺ that leaves, fmol/s."""
        force = m.V - m.E("K")
        return self.g / jnp.sqrt(m.outside["K"]) * jax.nn.sigmoid(-force / self.s) * force / m.F


class KirSteep(AbstractMechanism):
    r"""Steep rectification, saturating in outer K⁺.

    $$J = \frac{g}{F}\,\frac{1}{2+e^{1.62\,(V-E_K)F/RT}}\,\frac{K_o}{K_o+K_K}\,(V - E_K)$$

    Args:
        g: Conductance of the whole membrane, nS; typical 0.1 to 100 nS.
        K_K: Outer K⁺ at half saturation, mM; published 13 mM.

    Source: public code of Kalia et al. (2021) PLoS Comput Biol 17:e1009019, with the sign that a channel must have.
    """

    g: PerCell = parameter("nS", "conductance", _TYPICAL)
    K_K: PerCell = parameter("mM", "outer K at half saturation", (5.0, 30.0), default=13.0)
    cycle: ClassVar[Cycle] = _CYCLE

    def rate(self, m: MembraneView) -> PerCell:
        """K⁺ that leaves, fmol/s."""
        return _steep(m, self.g, self.K_K)


class KirKalia(AbstractMechanism):
    r"""Steep rectification with the sign of its public code: K⁺ enters where $V > E_K$.

    $$J = -\frac{g}{F}\,\frac{1}{2+e^{1.62\,(V-E_K)F/RT}}\,\frac{K_o}{K_o+K_K}\,(V - E_K)$$

    out of the cell. A channel cannot do that. Powered from outside of the model, and kept for
    the one published model that has it; for a model of your own take `KirSteep`.

    Args:
        g: Conductance of the whole membrane, nS; typical 0.1 to 100 nS.
        K_K: Outer K⁺ at half saturation, mM; published 13 mM.

    Source: public code of Kalia et al. (2021) PLoS Comput Biol 17:e1009019, there with 0.286102 nS.
    """

    g: PerCell = parameter("nS", "conductance", _TYPICAL)
    K_K: PerCell = parameter("mM", "outer K at half saturation", (5.0, 30.0), allowed="positive", default=13.0)
    cycle: ClassVar[Cycle] = _CYCLE
    passive: ClassVar[bool] = False

    def rate(self, m: MembraneView) -> PerCell:
        """K⁺ that leaves, fmol/s."""
        return -_steep(m, self.g, self.K_K)


def _steep(m: MembraneView, g: Array, K_K: Array) -> Array:
    force, K = m.V - m.E("K"), m.outside["K"]
    return g / (2.0 + jnp.exp(1.62 * force / m.RT_F)) * K / (K + K_K) * force / m.F


class KirSibille(AbstractMechanism):
    r"""Current–voltage relation fitted to astrocytes, conductance with the root of outer K⁺.

    $$I = g\,\sqrt{\frac{K_o}{1\,\mathrm{mM}}}\;\frac{V - E_K + 14.83}{1+e^{(V-E_K-34)/19.2}}$$

    The fit reverses 14.83 mV below $E_K$. Powered from outside of the model, in between.

    Args:
        g: Conductance of the whole membrane at 1 mM of outer K⁺, nS; typical 0.1 to 100 nS.

    Source: Sibille, Dao Duc, Holcman & Rouach (2015) PLoS Comput Biol 11:e1004137 (page UNVERIFIED), there 60 pS a channel.
    """

    g: PerCell = parameter("nS", "conductance at 1 mM outside", _TYPICAL)
    cycle: ClassVar[Cycle] = _CYCLE
    passive: ClassVar[bool] = False

    def rate(self, m: MembraneView) -> PerCell:
        """K⁺ that leaves, fmol/s."""
        force = m.V - m.E("K")
        return self.g * jnp.sqrt(m.outside["K"]) * (force + 14.83) * jax.nn.sigmoid(-(force - 34.0) / 19.2) / m.F
