"""Electrodiffusion of one ion between neighbouring compartments of the same kind."""

from typing import ClassVar

import equinox as eqx
import jax.numpy as jnp

from jaxion import thermo
from jaxion._types import PerCell
from jaxion.cycle import Cycle
from jaxion.ions import valence
from jaxion.mechanisms.base import AbstractMechanism, MembraneView, parameter

_TYPICAL = (1e-3, 10.0)


class Electrodiffusion(AbstractMechanism):
    r"""Diffusion down the gradient and drift in the field of one ion, as Nernst and Planck have it, between two well-mixed solutions.

    $$J = P\left[c_i - c_o + z\,\bar c\,\frac{V}{RT/F}\right], \qquad P = \frac{D A}{\lambda^2\,\Delta x}, \qquad
    \bar c = \frac{c_i - c_o}{\ln(c_i/c_o)}$$

    with V the potential of the inside minus that of the outside. With this mean the flux is $P\,\bar c$ times the
    affinity: it vanishes at the Nernst potential and is downhill in every state.

    Args:
        ion: The ion that moves, such as `"K"`.
        P: Permeability, from the diffusion constant D, the cross-section A, the tortuosity λ and the distance Δx, pL/s;
            typical 1e-3 to 10 pL/s.

    Source: Halnes et al. (2013) PLoS Comput Biol 9:e1003386; the logarithmic mean at the interface is chosen so that the second law holds.
    """

    ion: str = eqx.field(static=True)
    P: PerCell = parameter("pL/s", "permeability", _TYPICAL)
    cycle: Cycle = eqx.field(init=False, static=True)
    affine: ClassVar[bool] = True

    def __post_init__(self):
        self.cycle = Cycle(outward={self.ion: 1})

    def rate(self, m: MembraneView) -> PerCell:
        """Ions that go from inside to outside, fmol/s."""
        # (c_i − c_o)/ln(c_i/c_o) = c_o (e^x − 1)/x, smooth at c_i = c_o
        mean = m.outside[self.ion] / thermo.bernoulli(jnp.log(m.inside[self.ion] / m.outside[self.ion]))
        return self.P * mean * m.affinity(self.cycle)


class ElectrodiffusionArithmetic(AbstractMechanism):
    r"""Electrodiffusion of one ion with the arithmetic mean of the two concentrations in the drift.

    $$J = P\left[c_i - c_o + z\,\frac{c_i + c_o}{2}\,\frac{V}{RT/F}\right], \qquad P = \frac{D A}{\lambda^2\,\Delta x}$$

    Breaks the second law near equilibrium, by an error of the third order in $\ln(c_i/c_o)$; `Electrodiffusion` does not.

    Args:
        ion: The ion that moves, such as `"K"`.
        P: Permeability, from the diffusion constant D, the cross-section A, the tortuosity λ and the distance Δx, pL/s;
            typical 1e-3 to 10 pL/s.

    Source: Sætra et al. (2021) PLoS Comput Biol 17:e1008143.
    """

    ion: str = eqx.field(static=True)
    P: PerCell = parameter("pL/s", "permeability", _TYPICAL)
    cycle: Cycle = eqx.field(init=False, static=True)
    passive: ClassVar[bool] = False
    affine: ClassVar[bool] = True

    def __post_init__(self):
        self.cycle = Cycle(outward={self.ion: 1})

    def rate(self, m: MembraneView) -> PerCell:
        """Ions that go from inside to outside, fmol/s."""
        inside, outside = m.inside[self.ion], m.outside[self.ion]
        return self.P * (inside - outside + valence(self.ion) * 0.5 * (inside + outside) * m.V / m.RT_F)
