"""NBC, the electrogenic Na⁺–HCO₃⁻ cotransporter."""

import equinox as eqx

from jaxion import thermo
from jaxion._types import PerCell
from jaxion.cycle import Cycle
from jaxion.mechanisms.base import AbstractMechanism, MembraneView, parameter


class NBC(AbstractMechanism):
    r"""Na⁺–HCO₃⁻ cotransport with n HCO₃⁻ for each Na⁺, as a conductance.

    $$I = g\,(V - E), \qquad E = \frac{1}{n-1}\,\frac{RT}{F}\ln\frac{Na_i\,HCO_{3,i}^n}{Na_o\,HCO_{3,o}^n}, \qquad J = -\frac{I}{(n-1)\,F}$$

    outward with J. `thermo.bicarbonate` gives HCO₃⁻ for a pH.

    Args:
        g: Conductance of the whole membrane, nS; typical 0.1 to 100 nS.
        n_HCO3: HCO₃⁻ for each Na⁺, 2 or 3.

    Source: Thapaliya et al. (2023) Cells 12:2675, NBCe1 of astrocytes with n = 2; n = 3 as in the kidney.
    """

    g: PerCell = parameter("nS", "conductance", (0.1, 100.0))
    n_HCO3: int = eqx.field(static=True, default=2)
    cycle: Cycle = eqx.field(init=False, static=True)

    def __post_init__(self):
        if self.n_HCO3 not in (2, 3):
            raise ValueError(f"Argument `n_HCO3` must be 2 or 3, but it is {self.n_HCO3}.")
        self.cycle = Cycle(outward={"Na": 1, "HCO3": self.n_HCO3})

    def rate(self, m: MembraneView) -> PerCell:
        """Cycles that leave, fmol/s."""
        E = thermo.reversal(self.cycle, m.inside.concentrations, m.outside.concentrations, m.RT_F)
        return self.g * (m.V - E) / (self.cycle.charge * m.F)
