"""Voltage-gated Na⁺, K⁺ and Ca²⁺ channels of a pyramidal cell's soma and dendrites, and the K⁺ channels that Ca²⁺ opens.

The kinetics were published per millisecond; here they are per second.
"""

from typing import ClassVar

import jax
import jax.numpy as jnp

from jaxion import thermo
from jaxion._types import PerCell
from jaxion.cycle import Cycle
from jaxion.mechanisms.base import AbstractGated, MembraneView, parameter

_PER_MS = 1e3
_DOC = "conductance with all gates open"
_TYPICAL = (1.0, 1000.0)
_CA_0 = 9.98e-5  # mM of Ca²⁺ below which the K⁺ channels that it opens are shut


class PRSodium(AbstractGated):
    r"""Transient Na⁺ channel of the soma with instantaneous activation and an inactivation gate `h`.

    $$I = g\,m_\infty^2 h\,(V - E_\mathrm{Na}), \qquad m_\infty = \frac{\alpha_m}{\alpha_m + \beta_m}$$
    $$\alpha_m = \frac{0.32\,(V+46.9)}{1 - e^{-(V+46.9)/4}}, \quad \beta_m = \frac{0.28\,(V+19.9)}{e^{(V+19.9)/5} - 1}$$
    $$\alpha_h = 0.128\,e^{-(V+43)/18}, \quad \beta_h = \frac{4}{1 + e^{-(V+20)/5}} \quad [\mathrm{ms}^{-1}]$$

    Args:
        g: Conductance of the whole membrane, all gates open, nS; typical 1 to 1000 nS.

    Source: Pinsky & Rinzel (1994) J Comput Neurosci 1:39, as in Sætra et al. (2021) PLoS Comput Biol 17:e1008143.
    """

    g: PerCell = parameter("nS", _DOC, _TYPICAL)
    cycle: ClassVar[Cycle] = Cycle(outward={"Na": 1})
    gates: ClassVar[tuple[str, ...]] = ("h",)

    def gating(self, m: MembraneView) -> dict[str, tuple[PerCell, PerCell]]:
        """Rates of inactivation `h`, 1/s."""
        return {"h": (_PER_MS * 0.128 * jnp.exp(-(m.V + 43.0) / 18.0), _PER_MS * 4.0 * jax.nn.sigmoid((m.V + 20.0) / 5.0))}

    def rate(self, m: MembraneView) -> PerCell:
        """Ions that leave, fmol/s."""
        # 0.32 x/(1 − e^{−x/4}) is 1.28 times a Bernoulli function, 0.28 x/(e^{x/5} − 1) 1.4 times one: both smooth at x = 0
        alpha, beta = 1.28 * thermo.bernoulli(-(m.V + 46.9) / 4.0), 1.4 * thermo.bernoulli((m.V + 19.9) / 5.0)
        return self.g * (alpha / (alpha + beta)) ** 2 * m.own["h"] * (m.V - m.E("Na")) / m.F


class PRPotassium(AbstractGated):
    r"""Delayed rectifier K⁺ channel of the soma with an activation gate `n`.

    $$I = g\,n\,(V - E_\mathrm{K})$$
    $$\alpha_n = \frac{0.016\,(V+24.9)}{1 - e^{-(V+24.9)/5}}, \quad \beta_n = 0.25\,e^{-(V+40)/40} \quad [\mathrm{ms}^{-1}]$$

    Args:
        g: Conductance of the whole membrane, all gates open, nS; typical 1 to 1000 nS.

    Source: Pinsky & Rinzel (1994) J Comput Neurosci 1:39, as in Sætra et al. (2021) PLoS Comput Biol 17:e1008143.
    """

    g: PerCell = parameter("nS", _DOC, _TYPICAL)
    cycle: ClassVar[Cycle] = Cycle(outward={"K": 1})
    gates: ClassVar[tuple[str, ...]] = ("n",)

    def gating(self, m: MembraneView) -> dict[str, tuple[PerCell, PerCell]]:
        """Rates of activation `n`, 1/s."""
        return {"n": (_PER_MS * 0.08 * thermo.bernoulli(-(m.V + 24.9) / 5.0), _PER_MS * 0.25 * jnp.exp(-(m.V + 40.0) / 40.0))}

    def rate(self, m: MembraneView) -> PerCell:
        """Ions that leave, fmol/s."""
        return self.g * m.own["n"] * (m.V - m.E("K")) / m.F


class PRCalcium(AbstractGated):
    r"""Ca²⁺ channel of the dendrites with an activation gate `s` and a slow inactivation gate `z`.

    $$I = g\,s^2 z\,(V - E_\mathrm{Ca}), \qquad J = \frac{I}{2F}$$
    $$\alpha_s = \frac{1.6}{1 + e^{-0.072\,(V-5)}}, \quad \beta_s = \frac{0.02\,(V+8.9)}{e^{(V+8.9)/5} - 1} \quad [\mathrm{ms}^{-1}],
    \qquad \frac{dz}{dt} = \frac{1}{1\,\mathrm{s}}\left(\frac{1}{1+e^{V+30}} - z\right)$$

    Args:
        g: Conductance of the whole membrane, all gates open, nS; typical 1 to 1000 nS.

    Source: Pinsky & Rinzel (1994) J Comput Neurosci 1:39, with the gate z of Sætra et al. (2021) PLoS Comput Biol 17:e1008143.
    """

    g: PerCell = parameter("nS", _DOC, _TYPICAL)
    cycle: ClassVar[Cycle] = Cycle(outward={"Ca": 1})
    gates: ClassVar[tuple[str, ...]] = ("s", "z")

    def gating(self, m: MembraneView) -> dict[str, tuple[PerCell, PerCell]]:
        """Rates of activation `s` and inactivation `z`, 1/s."""
        opened = (_PER_MS * 1.6 * jax.nn.sigmoid(0.072 * (m.V - 5.0)), _PER_MS * 0.1 * thermo.bernoulli((m.V + 8.9) / 5.0))
        return {"s": opened, "z": (jax.nn.sigmoid(-(m.V + 30.0)), jax.nn.sigmoid(m.V + 30.0))}

    def rate(self, m: MembraneView) -> PerCell:
        """Ions that leave, fmol/s."""
        return self.g * m.own["s"] ** 2 * m.own["z"] * (m.V - m.E("Ca")) / (2.0 * m.F)


class PRPotassiumC(AbstractGated):
    r"""K⁺ channel of the dendrites that both a gate `c` and inner Ca²⁺ open, at once.

    $$I = g\,c\,\chi\,(V - E_\mathrm{K}), \qquad
    \chi = \min\left(1,\;\max\left(0,\;\frac{Ca_i - 0.0998\,\mathrm{µM}}{0.25\,\mathrm{µM}}\right)\right)$$
    $$\alpha_c = 0.0527\,e^{(V+50)/11 - (V+53.5)/27}, \quad \alpha_c + \beta_c = 2\,e^{-(V+53.5)/27} \quad [\mathrm{ms}^{-1}]$$

    up to −10 mV; beyond, $\beta_c = 0$. The paper lets $\chi$ fall below zero, where Ca²⁺ hardly ever is.

    Args:
        g: Conductance of the whole membrane, all gates open, nS; typical 1 to 1000 nS.

    Source: Pinsky & Rinzel (1994) J Comput Neurosci 1:39, as in Sætra et al. (2021) PLoS Comput Biol 17:e1008143.
    """

    g: PerCell = parameter("nS", _DOC, _TYPICAL)
    cycle: ClassVar[Cycle] = Cycle(outward={"K": 1})
    gates: ClassVar[tuple[str, ...]] = ("c",)
    senses: ClassVar[tuple[str, ...]] = ("Ca",)

    def gating(self, m: MembraneView) -> dict[str, tuple[PerCell, PerCell]]:
        """Rates of activation `c`, 1/s."""
        both, low = _PER_MS * 2.0 * jnp.exp(-(m.V + 53.5) / 27.0), m.V <= -10.0
        # The branch not taken sees −10 mV, where its exponential is small.
        V = jnp.where(low, m.V, -10.0)
        alpha = jnp.where(low, _PER_MS * 0.0527 * jnp.exp((V + 50.0) / 11.0 - (V + 53.5) / 27.0), both)
        return {"c": (alpha, both - alpha)}

    def rate(self, m: MembraneView) -> PerCell:
        """Ions that leave, fmol/s."""
        chi = jnp.clip((m.inside["Ca"] - _CA_0) / 2.5e-4, 0.0, 1.0)
        return self.g * m.own["c"] * chi * (m.V - m.E("K")) / m.F


class PRPotassiumAHP(AbstractGated):
    r"""K⁺ channel of the dendrites with a slow gate `q` that inner Ca²⁺ opens: the long hyperpolarisation after spikes.

    $$I = g\,q\,(V - E_\mathrm{K})$$
    $$\alpha_q = \min\left(10,\;\max\left(0,\;20\,\frac{Ca_i - 0.0998\,\mathrm{µM}}{1\,\mathrm{µM}}\right)\right), \quad \beta_q = 1
    \quad [\mathrm{s}^{-1}]$$

    The paper lets $\alpha_q$ fall below zero, where Ca²⁺ hardly ever is.

    Args:
        g: Conductance of the whole membrane, all gates open, nS; typical 1 to 1000 nS.

    Source: Pinsky & Rinzel (1994) J Comput Neurosci 1:39, as in Sætra et al. (2021) PLoS Comput Biol 17:e1008143.
    """

    g: PerCell = parameter("nS", _DOC, _TYPICAL)
    cycle: ClassVar[Cycle] = Cycle(outward={"K": 1})
    gates: ClassVar[tuple[str, ...]] = ("q",)
    senses: ClassVar[tuple[str, ...]] = ("Ca",)

    def gating(self, m: MembraneView) -> dict[str, tuple[PerCell, PerCell]]:
        """Rates of activation `q`, 1/s."""
        alpha = jnp.clip(2e4 * (m.inside["Ca"] - _CA_0), 0.0, 10.0)
        return {"q": (alpha, jnp.ones_like(alpha))}

    def rate(self, m: MembraneView) -> PerCell:
        """Ions that leave, fmol/s."""
        return self.g * m.own["q"] * (m.V - m.E("K")) / m.F
