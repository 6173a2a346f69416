"""FXYD proteins, the small subunits that set how well the Na⁺/K⁺-ATPase binds its ions."""

import equinox as eqx

from jaxion._types import PerCell
from jaxion.mechanisms.base import MembraneView, parameter
from jaxion.mechanisms.modulation import AbstractModulator

_S1 = 18.8 / 13.6 - 1.0


class FXYD(AbstractModulator):
    r"""A subunit that shifts an affinity of the pump in proportion to the share of pumps that it is bound to and active on.

    $$K = K_0\,(1 + s\,\theta)$$

    The sign of s is that of the effect: positive where the subunit lowers the affinity, as unphosphorylated FXYD1 does and
    FXYD2 is said to do (UNVERIFIED), negative where it raises it, as FXYD4 is said to do (UNVERIFIED).

    Args:
        theta: Share of the pumps that it acts on, dimensionless; typical 0 to 1.
        s: Relative shift where it acts on all, dimensionless; published 0.26 to 0.38 for FXYD1. It must exceed −1.
        of: Name of the constant that it shifts.

    Source: Despa et al. (2005) Circ Res: K_Na of 18.8 and 13.6 mM in myocytes, of 16.2 and 12.9 mM in their membranes.
    """

    theta: PerCell = parameter("", "share of the pumps that the subunit acts on", (0.0, 1.0), allowed="fraction")
    s: PerCell = parameter("", "relative shift where the subunit acts on all pumps", (0.25, 0.39), allowed="any", default=_S1)
    of: str = eqx.field(static=True, default="K_Na", kw_only=True)

    def factor(self, m: MembraneView) -> PerCell:
        """What the constant is multiplied by."""
        return 1.0 + self.s * self.theta


class FXYD1(AbstractModulator):
    r"""Phospholemman, which raises K_Na of the pump until it is phosphorylated.

    $$K_{Na} = K_{Na}^\mathrm{phos}\,\left(1 + s\,(1 - \phi)\right)$$

    with $\phi$ the phosphorylated share, and the pump's own K_Na that of the phosphorylated subunit: 13.6 mM in myocytes,
    against 18.8 mM without. Phosphorylation lowers K_Na, and with it the resting Na⁺; v_max and K_K do not change.

    Args:
        phosphorylation: Phosphorylated share, dimensionless; typical 0 to 1.
        s: Relative shift without phosphorylation, dimensionless; published 0.26 to 0.38.
        of: Name of the constant that it shifts.

    Source: Despa et al. (2005) Circ Res: 18.8 ± 1.4 mM, and 13.6 ± 1.5 mM with isoproterenol.
    """

    phosphorylation: PerCell = parameter("", "phosphorylated share of FXYD1", (0.0, 1.0), allowed="fraction")
    s: PerCell = parameter("", "relative shift without phosphorylation", (0.25, 0.39), allowed="any", default=_S1)
    of: str = eqx.field(static=True, default="K_Na", kw_only=True)

    def factor(self, m: MembraneView) -> PerCell:
        """What the constant is multiplied by."""
        return 1.0 + self.s * (1.0 - self.phosphorylation)
