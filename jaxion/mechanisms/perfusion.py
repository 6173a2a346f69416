"""Clearance of extracellular K⁺ that stops where the blood brings no oxygen: diffusion to vessels, and uptake by glia."""

from typing import ClassVar

import jax

from jaxion._types import PerCell
from jaxion.cycle import Cycle
from jaxion.mechanisms.base import AbstractMechanism, MembraneView, parameter
from jaxion.mechanisms.buffer import GlialUptake
from jaxion.mechanisms.exchange import Exchange

_OXYGEN = ("O2",)


def _K_O2():
    return parameter("mM", "O2 of the bath at half activation", (0.03, 0.3), allowed="positive", default=0.078125)


def _s_O2():
    return parameter("mM", "width of the O2 activation", (1e-3, 0.02), allowed="positive", default=6.25e-3)


class PerfusedUptake(AbstractMechanism):
    r"""Uptake of extracellular K⁺ by glia that switches on beyond a concentration, and off without oxygen.

    $$J = \frac{v_\mathrm{max}}{\left(1+e^{(K_{O_2}-O_2)/s_{O_2}}\right)\left(1 + e^{(K_K - K)/s_K}\right)}$$

    with K⁺ on the inside of the link, and the oxygen on its outside. Powered from outside of the model, by the glia's metabolism.

    Args:
        v_max: Uptake at saturation, fmol/s; typical 0.1 to 100 fmol/s.
        K_K: K⁺ at half activation, mM; published 18 mM.
        s_K: Width of the activation, mM; published 2.5 mM.
        K_O2: O₂ of the bath at half activation, mM; published 0.078125 mM; there 2.5 mg/L.
        s_O2: Width of the O₂ activation, mM; published 6.25e-3 mM; there 0.2 mg/L.

    Source: Wei, Ullah & Schiff (2014) J Neurosci 34:11733.
    """

    v_max: PerCell = parameter("fmol/s", "uptake at saturation", (0.1, 100.0))
    K_K: PerCell = parameter("mM", "K at half activation", (15.0, 20.0), allowed="positive", default=18.0)
    s_K: PerCell = parameter("mM", "width of the activation", (1.0, 5.0), allowed="positive", default=2.5)
    K_O2: PerCell = _K_O2()
    s_O2: PerCell = _s_O2()
    cycle: ClassVar[Cycle] = GlialUptake.cycle
    passive: ClassVar[bool] = False
    senses_outside: ClassVar[tuple[str, ...]] = _OXYGEN

    def rate(self, m: MembraneView) -> PerCell:
        """K⁺ taken up, fmol/s."""
        supplied = GlialUptake(self.v_max, self.K_K, self.s_K).rate(m)
        return supplied * jax.nn.sigmoid((m.outside["O2"] - self.K_O2) / self.s_O2)


class PerfusedExchange(AbstractMechanism):
    r"""Diffusion of K⁺ to a bath, through an extracellular space that swollen cells close, and with oxygen only.

    $$J = \frac{P\,(K_i - K_o)}{\left(1+e^{(K_{O_2}-O_2)/s_{O_2}}\right)\left(1+e^{(r-r_0)/s_r}\right)}, \qquad r = \frac{w}{v} - 1$$

    with the extracellular space of volume v on the inside of the link, and r the ratio of the cells' volume to it;
    in a field K⁺ moves as through `GHKLeak`, as in `Exchange`.

    Args:
        P: Permeability, the rate constant of exchange times the volume it is meant for, pL/s; typical 1e-3 to 10 pL/s.
        w: Volume of the cells and the extracellular space together, pL; typical 0.1 to 10 pL.
        r_0: Ratio at which half of the way is closed, dimensionless; published 20.
        s_r: Width of the closure, dimensionless; published 2.
        K_O2: O₂ of the bath at half activation, mM; published 0.078125 mM; there 2.5 mg/L.
        s_O2: Width of the O₂ activation, mM; published 6.25e-3 mM; there 0.2 mg/L.

    Source: Wei, Ullah & Schiff (2014) J Neurosci 34:11733.
    """

    P: PerCell = parameter("pL/s", "permeability", (1e-3, 10.0))
    w: PerCell = parameter("pL", "volume of the cells and the extracellular space", (0.1, 10.0), allowed="positive")
    r_0: PerCell = parameter("", "ratio at which half of the way is closed", (10.0, 30.0), default=20.0)
    s_r: PerCell = parameter("", "width of the closure", (1.0, 4.0), allowed="positive", default=2.0)
    K_O2: PerCell = _K_O2()
    s_O2: PerCell = _s_O2()
    cycle: ClassVar[Cycle] = Cycle(outward={"K": 1})
    senses_outside: ClassVar[tuple[str, ...]] = _OXYGEN

    def rate(self, m: MembraneView) -> PerCell:
        """K⁺ that leaves, fmol/s."""
        open_ = jax.nn.sigmoid((self.r_0 + 1.0 - self.w / m.inside.volume) / self.s_r)
        supplied = jax.nn.sigmoid((m.outside["O2"] - self.K_O2) / self.s_O2)
        return Exchange(self.P * supplied * open_, ions=("K",)).rate(m)
