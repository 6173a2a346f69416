"""SGLT, the Na⁺–glucose cotransporters."""

import equinox as eqx

from jaxion._types import PerCell
from jaxion.cycle import Cycle
from jaxion.mechanisms.base import AbstractMechanism, MembraneView, parameter
from jaxion.mechanisms.carrier import saturation


class SGLT(AbstractMechanism):
    r"""Na⁺–glucose cotransport, 2:1 as SGLT1 has it or 1:1 as SGLT2.

    $$J = v_\mathrm{max}\,\frac{a}{1+a+b}\left(1 - e^{\Delta G/RT}\right), \qquad
    a = e^{-nVF/2RT}\left(\frac{Na_o}{K_{Na}}\right)^n\frac{Glc_o}{K_{Glc}}, \quad b = e^{nVF/2RT}\left(\frac{Na_i}{K_{Na}}\right)^n\frac{Glc_i}{K_{Glc}}$$

    It stands still at the ratio $Glc_i/Glc_o = (Na_o/Na_i)^n e^{-nVF/RT}$.

    Args:
        v_max: Turnover at saturation, fmol/s; typical 1e-3 to 10 fmol/s.
        K_Na: Half-saturation of Na⁺, mM; typical 1 to 100 mM.
        K_Glc: Half-saturation of glucose, mM; typical 0.1 to 10 mM.
        n_Na: Na⁺ for each glucose, 2 or 1.

    Source: stoichiometries as reviewed in Wright, Loo & Hirayama (2011) Physiol Rev 91:733 (page UNVERIFIED); the saturation is chosen
    so that the flux vanishes at equilibrium.
    """

    v_max: PerCell = parameter("fmol/s", "turnover at saturation", (1e-3, 10.0))
    K_Na: PerCell = parameter("mM", "half-saturation of Na", (1.0, 100.0), allowed="positive", default=10.0)
    K_Glc: PerCell = parameter("mM", "half-saturation of glucose", (0.1, 10.0), allowed="positive", default=1.0)
    n_Na: int = eqx.field(static=True, default=2)
    cycle: Cycle = eqx.field(init=False, static=True)

    def __post_init__(self):
        if self.n_Na not in (1, 2):
            raise ValueError(f"Argument `n_Na` must be 1 or 2, but it is {self.n_Na}.")
        self.cycle = Cycle(inward={"Na": self.n_Na, "Glc": 1})

    def rate(self, m: MembraneView) -> PerCell:
        """Cycles that enter, fmol/s."""
        return self.v_max * saturation(m, self.cycle, {"Na": self.K_Na, "Glc": self.K_Glc})
