"""Voltage-gated Na⁺, K⁺, Cl⁻ and Ca²⁺ channels with Goldman–Hodgkin–Katz currents.

The kinetics were published per millisecond; here they are per second.
"""

from typing import ClassVar

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array

from jaxion import thermo
from jaxion._types import PerCell
from jaxion.cycle import Cycle
from jaxion.ions import valence
from jaxion.mechanisms.base import AbstractGated, AbstractMechanism, MembraneView, parameter

_PER_MS = 1e3
_TYPICAL = (1e-3, 10.0)
_DOC = "permeability with all gates open"


def _flux(ion: str, P: Array, m: MembraneView) -> Array:
    return thermo.ghk_flux(P, m.V, m.inside[ion], m.outside[ion], valence(ion), m.RT_F)


class GHKSodium(AbstractGated):
    r"""Transient Na⁺ channel with an activation gate `m` and an inactivation gate `h`.

    $$J = m^3 h\,J_\mathrm{GHK}(P)$$
    $$\alpha_m = \frac{0.32\,(V+52)}{1 - e^{-(V+52)/4}}, \quad \beta_m = \frac{0.28\,(V+25)}{e^{(V+25)/5}-1}, \quad
    \alpha_h = 0.128\,e^{-(V+53)/18}, \quad \beta_h = \frac{4}{1 + e^{-(V+30)/5}} \quad [\mathrm{ms}^{-1}]$$

    Args:
        P: Permeability of the whole membrane, all gates open, pL/s; typical 1e-3 to 10 pL/s.

    Source: Dijkstra et al. (2016) J Neurosci 36:11881, as in the public code of Kalia et al. (2021) PLoS Comput Biol 17:e1009019.
    """

    P: PerCell = parameter("pL/s", _DOC, _TYPICAL)
    cycle: ClassVar[Cycle] = Cycle(outward={"Na": 1})
    gates: ClassVar[tuple[str, ...]] = ("h", "m")

    def gating(self, m: MembraneView) -> dict[str, tuple[PerCell, PerCell]]:
        """Rates of activation `m` and inactivation `h`, 1/s."""
        V = m.V
        # 0.32 x/(1 − e^{−x/4}) is 1.28 times a Bernoulli function, 0.28 x/(e^{x/5} − 1) 1.4 times one: both smooth at x = 0
        activate = (_PER_MS * 1.28 * thermo.bernoulli(-(V + 52.0) / 4.0), _PER_MS * 1.4 * thermo.bernoulli((V + 25.0) / 5.0))
        return {"h": (_PER_MS * 0.128 * jnp.exp(-(V + 53.0) / 18.0), _PER_MS * 4.0 * jax.nn.sigmoid((V + 30.0) / 5.0)), "m": activate}

    def rate(self, m: MembraneView) -> PerCell:
        """Ions that leave, fmol/s."""
        return m.own["m"] ** 3 * m.own["h"] * _flux("Na", self.P, m)


class GHKPotassium(AbstractGated):
    r"""Delayed rectifier K⁺ channel with an activation gate `n`.

    $$J = n^2\,J_\mathrm{GHK}(P)$$
    $$\alpha_n = \frac{0.016\,(V+35)}{1 - e^{-(V+35)/5}}, \quad \beta_n = 0.25\,e^{-(V+50)/40} \quad [\mathrm{ms}^{-1}]$$

    Args:
        P: Permeability of the whole membrane, all gates open, pL/s; typical 1e-3 to 10 pL/s.

    Source: Dijkstra et al. (2016) J Neurosci 36:11881, as in the public code of Kalia et al. (2021) PLoS Comput Biol 17:e1009019.
    """

    P: PerCell = parameter("pL/s", _DOC, _TYPICAL)
    cycle: ClassVar[Cycle] = Cycle(outward={"K": 1})
    gates: ClassVar[tuple[str, ...]] = ("n",)

    def gating(self, m: MembraneView) -> dict[str, tuple[PerCell, PerCell]]:
        """Rates of activation `n`, 1/s."""
        return {"n": (_PER_MS * 0.08 * thermo.bernoulli(-(m.V + 35.0) / 5.0), _PER_MS * 0.25 * jnp.exp(-(m.V + 50.0) / 40.0))}

    def rate(self, m: MembraneView) -> PerCell:
        """Ions that leave, fmol/s."""
        return m.own["n"] ** 2 * _flux("K", self.P, m)


class GHKChloride(AbstractMechanism):
    r"""Cl⁻ channel that depolarisation opens at once, the path of chloride into a swelling neuron (SLC26A11).

    $$J = \frac{J_\mathrm{GHK}(P)}{1 + e^{-(V+10)/10}}$$

    Args:
        P: Permeability of the whole membrane, fully open, pL/s; typical 1e-3 to 10 pL/s.

    Source: Dijkstra et al. (2016) J Neurosci 36:11881, as in the public code of Kalia et al. (2021) PLoS Comput Biol 17:e1009019.
    """

    P: PerCell = parameter("pL/s", _DOC, _TYPICAL)
    cycle: ClassVar[Cycle] = Cycle(outward={"Cl": 1})

    def rate(self, m: MembraneView) -> PerCell:
        """Ions that leave, fmol/s."""
        return jax.nn.sigmoid((m.V + 10.0) / 10.0) * _flux("Cl", self.P, m)


class GHKCalcium(AbstractMechanism):
    r"""Ca²⁺ channel with the gates of the Na⁺ channel.

    $$J = m^2 h\,J_\mathrm{GHK}(P)$$

    Args:
        P: Permeability of the whole membrane, all gates open, pL/s; typical 1e-7 to 0.1 pL/s.
        partner: Key of the Na⁺ channel on the same membrane.

    Source: public code of Kalia et al. (2021) PLoS Comput Biol 17:e1009019.
    """

    P: PerCell = parameter("pL/s", _DOC, (1e-7, 0.1))
    partner: str = eqx.field(static=True, default="na")
    reads: tuple[tuple[str, str], ...] = eqx.field(init=False, static=True)
    cycle: ClassVar[Cycle] = Cycle(outward={"Ca": 1})

    def __post_init__(self):
        self.reads = ((self.partner, "h"), (self.partner, "m"))

    def rate(self, m: MembraneView) -> PerCell:
        """Ions that leave, fmol/s."""
        gates = m.gates[self.partner]
        return gates["m"] ** 2 * gates["h"] * _flux("Ca", self.P, m)
