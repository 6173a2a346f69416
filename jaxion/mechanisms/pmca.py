"""PMCA, the Ca²⁺-ATPase of the plasma membrane."""

from typing import ClassVar

from jaxion._types import PerCell
from jaxion.cycle import Cycle
from jaxion.mechanisms.base import AbstractMechanism, MembraneView, parameter


class PMCA(AbstractMechanism):
    r"""Pump with one Ca²⁺ site: 1 Ca²⁺ out, 1 ATP per turnover.

    $$J = v_\mathrm{max}\,\frac{Ca_i}{Ca_i + K_{Ca}}$$

    Args:
        v_max: Turnover at saturation, fmol/s; typical 1e-3 to 10 fmol/s.
        K_Ca: Inner Ca²⁺ at half saturation, mM; published 6.9e-3 mM.

    Source: Kager, Wadman & Somjen (2007), public code, ModelDB 113446, there with 0.352 mM/s at saturation and relative to the rate at rest.
    """

    v_max: PerCell = parameter("fmol/s", "turnover at saturation", (1e-3, 10.0))
    K_Ca: PerCell = parameter("mM", "inner Ca at half saturation", (1e-4, 1e-2), allowed="positive", default=6.9e-3)
    cycle: ClassVar[Cycle] = Cycle(outward={"Ca": 1}, ATP=1)
    passive: ClassVar[bool] = False

    def rate(self, m: MembraneView) -> PerCell:
        """Pump cycles, fmol/s."""
        return self.v_max * m.inside["Ca"] / (m.inside["Ca"] + self.K_Ca)
