"""Na⁺/K⁺-ATPases that fail without oxygen: of a neuron, and of glia that are no compartment of their own."""

from typing import ClassVar

import jax

from jaxion._types import PerCell
from jaxion.cycle import Cycle
from jaxion.mechanisms.base import AbstractMechanism, MembraneView, parameter
from jaxion.mechanisms.nka import NaKATPaseSigmoid

_TYPICAL = (0.1, 100.0)


def _K_O2():
    return parameter("mM", "O2 at half activation", (0.1, 1.0), allowed="positive", default=0.625)


def _s_O2():
    return parameter("mM", "width of the O2 activation", (0.01, 0.2), allowed="positive", default=0.09375)


class NaKATPaseOxygen(AbstractMechanism):
    r"""Pump with logistic dependence on inner Na⁺, outer K⁺ and the oxygen outside.

    $$J = \frac{v_\mathrm{max}}{1+e^{(K_{O_2}-O_2)/s_{O_2}}}\,
    \frac{1}{\left(1+e^{(K_{Na}-Na_i)/s_{Na}}\right)\left(1+e^{K_K-K_o}\right)}$$

    The rate does not vanish without Na⁺, K⁺ or oxygen. The oxygen that it takes is for `TissueRespiration` to count.

    Args:
        v_max: Turnover at saturation, fmol/s; typical 0.1 to 100 fmol/s.
        K_Na: Inner Na⁺ at half activation, mM; published 25 mM.
        K_K: Outer K⁺ at half activation, mM; published 3.5 mM.
        s_Na: Width of the Na⁺ activation, mM; published 3 mM. The width of the K⁺ activation is 1 mM.
        K_O2: O₂ at half activation, mM; published 0.625 mM; there 20 mg/L.
        s_O2: Width of the O₂ activation, mM; published 0.09375 mM; there 3 mg/L.

    Source: Wei, Ullah & Schiff (2014) J Neurosci 34:11733.
    """

    v_max: PerCell = parameter("fmol/s", "turnover at saturation", _TYPICAL)
    K_Na: PerCell = parameter("mM", "inner Na at half activation", (15.0, 25.0), allowed="positive", default=25.0)
    K_K: PerCell = parameter("mM", "outer K at half activation", (3.5, 5.5), allowed="positive", default=3.5)
    s_Na: PerCell = parameter("mM", "width of the Na activation", (3.0, 3.0), allowed="positive", default=3.0)
    K_O2: PerCell = _K_O2()
    s_O2: PerCell = _s_O2()
    cycle: ClassVar[Cycle] = NaKATPaseSigmoid.cycle
    passive: ClassVar[bool] = False
    senses_outside: ClassVar[tuple[str, ...]] = ("O2",)

    def rate(self, m: MembraneView) -> PerCell:
        """Pump cycles, fmol/s."""
        supplied = NaKATPaseSigmoid(self.v_max, self.K_Na, self.K_K, self.s_Na).rate(m)
        return supplied * jax.nn.sigmoid((m.outside["O2"] - self.K_O2) / self.s_O2)


class GlialPump(AbstractMechanism):
    r"""Pump of glia: takes K⁺ from the extracellular space, as it and the oxygen there allow.

    $$J = \frac{v_\mathrm{max}}{\left(1+e^{(K_{O_2}-O_2)/s_{O_2}}\right)\left(1+e^{K_K-K}\right)}$$

    with K⁺ and O₂ on the inside of the link, never to return. Na⁺ inside the glia is taken to be
    constant, and what leaves them is not counted.

    Args:
        v_max: Turnover at saturation with K⁺ and O₂, fmol/s; typical 1e-3 to 1 fmol/s.
        K_K: K⁺ at half activation, mM; published 3.5 mM. The width of the activation is 1 mM.
        K_O2: O₂ at half activation, mM; published 0.625 mM; there 20 mg/L.
        s_O2: Width of the O₂ activation, mM; published 0.09375 mM; there 3 mg/L.

    Source: Wei, Ullah & Schiff (2014) J Neurosci 34:11733.
    """

    v_max: PerCell = parameter("fmol/s", "turnover at saturation with K and O2", (1e-3, 1.0))
    K_K: PerCell = parameter("mM", "K at half activation", (3.5, 5.5), allowed="positive", default=3.5)
    K_O2: PerCell = _K_O2()
    s_O2: PerCell = _s_O2()
    cycle: ClassVar[Cycle] = Cycle(outward={"K": 2}, ATP=1)
    passive: ClassVar[bool] = False
    senses: ClassVar[tuple[str, ...]] = ("O2",)

    def rate(self, m: MembraneView) -> PerCell:
        """Pump cycles, fmol/s."""
        return self.v_max * jax.nn.sigmoid((m.inside["O2"] - self.K_O2) / self.s_O2) * jax.nn.sigmoid(m.inside["K"] - self.K_K)
