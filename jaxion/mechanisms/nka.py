"""Na⁺/K⁺-ATPase in the algebraic forms of the literature: 3 Na⁺ out, 2 K⁺ in, 1 ATP per turnover.

At a resting neuron's concentrations these forms differ 500-fold in the fraction of `v_max` that
they run at, so the form is a choice to make against data, not a detail.
"""

from typing import ClassVar

import jax
import jax.numpy as jnp

from jaxion._types import PerCell
from jaxion.cycle import Cycle
from jaxion.mechanisms.base import AbstractMechanism, MembraneView, parameter

_CYCLE = Cycle(outward={"Na": 3}, inward={"K": 2}, ATP=1)
_TYPICAL = (0.1, 100.0)


class NaKATPaseConstant(AbstractMechanism):
    r"""Pump at a constant rate, whatever the concentrations.

    $$J = v_\mathrm{max}$$

    Args:
        v_max: Turnover of the whole membrane, fmol/s; typical 0.1 to 100 fmol/s.

    Source: Keener & Sneyd, Mathematical Physiology, chapter 2; Düsterwald et al. (2018) eLife 7:e39575, constant variant.
    """

    v_max: PerCell = parameter("fmol/s", "turnover", _TYPICAL)
    cycle: ClassVar[Cycle] = _CYCLE
    passive: ClassVar[bool] = False

    def rate(self, m: MembraneView) -> PerCell:
        """Pump cycles, fmol/s."""
        return self.v_max


class NaKATPaseLinear(AbstractMechanism):
    r"""Pump proportional to the sodium ratio.

    $$J = v_\mathrm{max}\,\frac{Na_i}{Na_o}$$

    Args:
        v_max: Turnover at Na_i = Na_o, fmol/s; typical 0.1 to 100 fmol/s.

    Source: Düsterwald et al. (2018) eLife 7:e39575, linear variant.
    """

    v_max: PerCell = parameter("fmol/s", "turnover at equal sodium", _TYPICAL)
    cycle: ClassVar[Cycle] = _CYCLE
    passive: ClassVar[bool] = False

    def rate(self, m: MembraneView) -> PerCell:
        """Pump cycles, fmol/s."""
        return self.v_max * m.inside["Na"] / m.outside["Na"]


class NaKATPaseCubic(AbstractMechanism):
    r"""Pump with the cube of the sodium ratio.

    $$J = v_\mathrm{max}\left(\frac{Na_i}{Na_o}\right)^3$$

    Args:
        v_max: Turnover at Na_i = Na_o, fmol/s; typical 0.1 to 100 fmol/s.

    Source: Keener & Sneyd, Mathematical Physiology, chapter 2; Düsterwald et al. (2018) eLife 7:e39575.
    """

    v_max: PerCell = parameter("fmol/s", "turnover at equal sodium", _TYPICAL)
    cycle: ClassVar[Cycle] = _CYCLE
    passive: ClassVar[bool] = False

    def rate(self, m: MembraneView) -> PerCell:
        """Pump cycles, fmol/s."""
        return self.v_max * (m.inside["Na"] / m.outside["Na"]) ** 3


class NaKATPaseKager(AbstractMechanism):
    r"""Pump with three independent Na⁺ sites inside and two K⁺ sites outside.

    $$J = v_\mathrm{max}\left(1+\frac{K_K}{K_o}\right)^{-2}\left(1+\frac{K_{Na}}{Na_i}\right)^{-3}$$

    Args:
        v_max: Turnover at saturation, fmol/s; typical 0.1 to 100 fmol/s.
        K_Na: Dissociation constant of inner Na⁺, mM; published 3.56 to 10 mM.
        K_K: Dissociation constant of outer K⁺, mM; published 0.883 to 3.5 mM.

    Source: Kager, Wadman & Somjen (2000) J Neurophysiol 84:495; Aminzare & Kay (2024).
    """

    v_max: PerCell = parameter("fmol/s", "turnover at saturation", _TYPICAL)
    K_Na: PerCell = parameter("mM", "dissociation constant of inner Na", (3.56, 10.0), allowed="positive", default=10.0)
    K_K: PerCell = parameter("mM", "dissociation constant of outer K", (0.883, 3.5), allowed="positive", default=2.0)
    cycle: ClassVar[Cycle] = _CYCLE
    passive: ClassVar[bool] = False

    def rate(self, m: MembraneView) -> PerCell:
        """Pump cycles, fmol/s."""
        Na, K = m.inside["Na"], m.outside["K"]
        return self.v_max * (K / (K + self.K_K)) ** 2 * (Na / (Na + self.K_Na)) ** 3


class NaKATPaseSigmoid(AbstractMechanism):
    r"""Pump with logistic dependence on inner Na⁺ and outer K⁺.

    $$J = \frac{v_\mathrm{max}}{\left(1+e^{(K_{Na}-Na_i)/s_{Na}}\right)\left(1+e^{K_K-K_o}\right)}$$

    The rate does not vanish without Na⁺ or K⁺, so that concentrations may be driven to zero.

    Args:
        v_max: Turnover at saturation, fmol/s; typical 0.1 to 100 fmol/s.
        K_Na: Inner Na⁺ at half activation, mM; published 15 to 25 mM.
        K_K: Outer K⁺ at half activation, mM; published 3.5 to 5.5 mM.
        s_Na: Width of the Na⁺ activation, mM; published 3 mM. The width of the K⁺ activation is 1 mM.

    Source: Cressman et al. (2009) J Comput Neurosci 26:159; Hübel & Dahlem (2014) PLoS Comput Biol 10:e1003941.
    """

    v_max: PerCell = parameter("fmol/s", "turnover at saturation", _TYPICAL)
    K_Na: PerCell = parameter("mM", "inner Na at half activation", (15.0, 25.0), allowed="positive", default=25.0)
    K_K: PerCell = parameter("mM", "outer K at half activation", (3.5, 5.5), allowed="positive", default=5.5)
    s_Na: PerCell = parameter("mM", "width of the Na activation", (3.0, 3.0), allowed="positive", default=3.0)
    cycle: ClassVar[Cycle] = _CYCLE
    passive: ClassVar[bool] = False

    def rate(self, m: MembraneView) -> PerCell:
        """Pump cycles, fmol/s."""
        # `sigmoid` and not 1/(1+exp): the exponential would overflow to NaN in the gradient.
        return self.v_max * jax.nn.sigmoid((m.inside["Na"] - self.K_Na) / self.s_Na) * jax.nn.sigmoid(m.outside["K"] - self.K_K)


class NaKATPaseOstby(AbstractMechanism):
    r"""Glial pump with a Hill exponent of 1.5 for Na⁺ and Michaelis–Menten K⁺.

    $$J = v_\mathrm{max}\,\frac{Na_i^{1.5}}{Na_i^{1.5}+K_{Na}^{1.5}}\,\frac{K_o}{K_o+K_K}$$

    Args:
        v_max: Turnover at saturation, fmol/s; typical 0.1 to 100 fmol/s.
        K_Na: Inner Na⁺ at half saturation, mM; published 10 mM.
        K_K: Outer K⁺ at half saturation, mM; published 1.5 mM.

    Source: Østby et al. (2009) PLoS Comput Biol 5:e1000272; Halnes et al. (2013) PLoS Comput Biol 9:e1003386.
    """

    v_max: PerCell = parameter("fmol/s", "turnover at saturation", _TYPICAL)
    K_Na: PerCell = parameter("mM", "inner Na at half saturation", (5.0, 20.0), allowed="positive", default=10.0)
    K_K: PerCell = parameter("mM", "outer K at half saturation", (0.5, 3.0), allowed="positive", default=1.5)
    cycle: ClassVar[Cycle] = _CYCLE
    passive: ClassVar[bool] = False

    def rate(self, m: MembraneView) -> PerCell:
        """Pump cycles, fmol/s."""
        K = m.outside["K"]
        return self.v_max * _hill_1_5(m.inside["Na"], self.K_Na) * K / (K + self.K_K)


class NaKATPaseHamada(AbstractMechanism):
    r"""Pump of sensory neurons: two independent populations, of high and of low affinity for inner Na⁺.

    $$J = \frac{v_\mathrm{max}}{2.62}\left[\frac{1.62}{1+(K_{Na}/Na_i)^3}+\frac{1}{1+(K_{low}/Na_i)^3}\right]$$

    Outer K⁺ is taken to saturate.

    Args:
        v_max: Turnover at saturation, fmol/s; typical 0.1 to 100 fmol/s.
        K_Na: Inner Na⁺ at half saturation of the population of high affinity, mM; published 6.7 mM.
        K_low: Inner Na⁺ at half saturation of the population of low affinity, mM; published 67.6 mM.

    Source: the form of Hamada et al. among the pumps of Düsterwald et al. (2018) eLife 7:e39575, public code; the original is UNVERIFIED.
    """

    v_max: PerCell = parameter("fmol/s", "turnover at saturation", _TYPICAL)
    K_Na: PerCell = parameter("mM", "inner Na at half saturation, high affinity", (5.0, 10.0), allowed="positive", default=6.7)
    K_low: PerCell = parameter("mM", "inner Na at half saturation, low affinity", (50.0, 100.0), default=67.6)
    cycle: ClassVar[Cycle] = _CYCLE
    passive: ClassVar[bool] = False

    def rate(self, m: MembraneView) -> PerCell:
        """Pump cycles, fmol/s."""
        Na = m.inside["Na"] ** 3
        return self.v_max * (1.62 * Na / (Na + self.K_Na**3) + Na / (Na + self.K_low**3)) / 2.62


class NaKATPaseLuoRudy(AbstractMechanism):
    r"""Pump that depolarisation speeds up: outer Na⁺ in the membrane's field competes with the step that carries charge.

    $$J = v_\mathrm{max}\,f(V)\,\frac{Na_i^{1.5}}{Na_i^{1.5}+K_{Na}^{1.5}}\,\frac{K_o}{K_o+K_K}$$
    $$f(V) = \frac{1}{1 + 0.1245\,e^{-0.1\,VF/RT} + 0.0365\,\sigma\,e^{-VF/RT}}, \qquad \sigma = \tfrac17\left(e^{Na_o/67.3\,\mathrm{mM}}-1\right)$$

    Args:
        v_max: Turnover at saturation and V far above 0, fmol/s; typical 0.1 to 100 fmol/s.
        K_Na: Inner Na⁺ at half saturation, mM; published 13 mM.
        K_K: Outer K⁺ at half saturation, mM; published 0.2 mM.

    Source: voltage factor of Luo & Rudy, as in Zhou et al. (2009), cardiac, and in the public code of Kalia et al. (2021), neuron and astrocyte.
    """

    v_max: PerCell = parameter("fmol/s", "turnover at saturation and high potential", _TYPICAL)
    K_Na: PerCell = parameter("mM", "inner Na at half saturation", (5.0, 20.0), allowed="positive", default=13.0)
    K_K: PerCell = parameter("mM", "outer K at half saturation", (0.1, 3.0), allowed="positive", default=0.2)
    cycle: ClassVar[Cycle] = _CYCLE
    passive: ClassVar[bool] = False

    def rate(self, m: MembraneView) -> PerCell:
        """Pump cycles, fmol/s."""
        K, u = m.outside["K"], m.V / m.RT_F
        sigma = jnp.expm1(m.outside["Na"] / 67.3) / 7
        f = 1 / (1 + 0.1245 * jnp.exp(-0.1 * u) + 0.0365 * sigma * jnp.exp(-u))
        return self.v_max * f * _hill_1_5(m.inside["Na"], self.K_Na) * K / (K + self.K_K)


def _hill_1_5(c, K):
    """Saturation with a Hill exponent of 1.5, by square roots: they are exact and cheap where a power is neither."""
    bound, free = jnp.sqrt(c) * c, jnp.sqrt(K) * K
    return bound / (bound + free)
