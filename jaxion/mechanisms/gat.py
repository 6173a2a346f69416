"""GAT, the Na⁺-coupled GABA transporters."""

from typing import Final

import equinox as eqx

from jaxion._types import PerCell
from jaxion.cycle import Cycle
from jaxion.errors import nearest
from jaxion.mechanisms.base import AbstractMechanism, MembraneView, parameter
from jaxion.mechanisms.carrier import saturation

_INWARD: Final = {
    "2Na:1Cl": {"Na": 2, "Cl": 1, "GABA": 1},
    "3Na:1Cl": {"Na": 3, "Cl": 1, "GABA": 1},
}


class GAT(AbstractMechanism):
    r"""GABA uptake with Na⁺ and Cl⁻, in one of the stoichiometries that have been found; `GATSodium` is the one without Cl⁻.

    $$J = v_\mathrm{max}\,\frac{a}{1+a+b}\left(1 - e^{\Delta G/RT}\right), \qquad
    a = e^{-qVF/2RT}\prod_X\left(\frac{X_o}{K_X}\right)^{n_X}, \quad b = e^{qVF/2RT}\prod_X\left(\frac{X_i}{K_X}\right)^{n_X}$$

    with the charge $q = n_{Na} - n_{Cl}$ that enters with each GABA.

    Args:
        v_max: Turnover at saturation, fmol/s; typical 1e-4 to 1 fmol/s.
        K_Na: Half-saturation of Na⁺, mM; typical 1 to 100 mM.
        K_Cl: Half-saturation of Cl⁻, mM; typical 1 to 100 mM.
        K_GABA: Half-saturation of GABA, mM; typical 1e-3 to 0.1 mM.
        coupling: `"2Na:1Cl"` or `"3Na:1Cl"`, for each GABA.

    Source: 2 Na : 1 Cl from reversal potentials in giant patches of GAT-1 (Lu & Hilgemann 1999, citation UNVERIFIED); 3 Na : 1 Cl from
    newer reversal slopes (authors UNVERIFIED); the saturation is chosen so that the flux vanishes at equilibrium.
    """

    v_max: PerCell = parameter("fmol/s", "turnover at saturation", (1e-4, 1.0))
    K_Na: PerCell = parameter("mM", "half-saturation of Na", (1.0, 100.0), allowed="positive", default=20.0)
    K_Cl: PerCell = parameter("mM", "half-saturation of Cl", (1.0, 100.0), allowed="positive", default=20.0)
    K_GABA: PerCell = parameter("mM", "half-saturation of GABA", (1e-3, 0.1), allowed="positive", default=0.01)
    coupling: str = eqx.field(static=True, default="2Na:1Cl")
    cycle: Cycle = eqx.field(init=False, static=True)

    def __post_init__(self):
        if self.coupling not in _INWARD:
            raise ValueError(
                f"Argument `coupling` must be one of {', '.join(_INWARD)}, but it is `{self.coupling}`.{nearest(self.coupling, _INWARD)}"
            )
        self.cycle = Cycle(inward=_INWARD[self.coupling])

    def rate(self, m: MembraneView) -> PerCell:
        """Cycles that enter, fmol/s."""
        return self.v_max * saturation(m, self.cycle, {"Na": self.K_Na, "Cl": self.K_Cl, "GABA": self.K_GABA})


class GATSodium(AbstractMechanism):
    r"""GABA uptake with two Na⁺ alone.

    $$J = v_\mathrm{max}\,\frac{a}{1+a+b}\left(1 - e^{\Delta G/RT}\right), \qquad
    a = e^{-VF/RT}\frac{\mathrm{GABA}_o}{K_\mathrm{GABA}}\left(\frac{Na_o}{K_{Na}}\right)^2, \quad
    b = e^{VF/RT}\frac{\mathrm{GABA}_i}{K_\mathrm{GABA}}\left(\frac{Na_i}{K_{Na}}\right)^2$$

    Args:
        v_max: Turnover at saturation, fmol/s; typical 1e-4 to 1 fmol/s.
        K_Na: Half-saturation of Na⁺, mM; typical 1 to 100 mM.
        K_GABA: Half-saturation of GABA, mM; typical 1e-3 to 0.1 mM.

    Source: the coupling is a simplification (UNVERIFIED): reversal potentials of GAT-1 (Lu & Hilgemann 1999, citation UNVERIFIED) include
    one Cl⁻ as well; the saturation is chosen so that the flux vanishes at equilibrium.
    """

    v_max: PerCell = parameter("fmol/s", "turnover at saturation", (1e-4, 1.0))
    K_Na: PerCell = parameter("mM", "half-saturation of Na", (1.0, 100.0), allowed="positive", default=20.0)
    K_GABA: PerCell = parameter("mM", "half-saturation of GABA", (1e-3, 0.1), allowed="positive", default=0.01)
    cycle: Cycle = eqx.field(init=False, static=True, default=Cycle(inward={"Na": 2, "GABA": 1}))

    def rate(self, m: MembraneView) -> PerCell:
        """Cycles that enter, fmol/s."""
        return self.v_max * saturation(m, self.cycle, {"Na": self.K_Na, "GABA": self.K_GABA})
