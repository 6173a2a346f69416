"""NHE, the Na⁺/H⁺ exchanger."""

from typing import ClassVar

from jaxion._types import PerCell
from jaxion.cycle import Cycle
from jaxion.mechanisms.base import AbstractMechanism, MembraneView, parameter


class NHE(AbstractMechanism):
    r"""Electroneutral exchange of outer Na⁺ for inner H⁺, proportional to its affinity.

    $$J = u\,\ln\frac{Na_o\,H_i}{Na_i\,H_o}$$

    Args:
        u: Turnover per unit of RT, fmol/s; typical 1e-3 to 1 fmol/s.

    Source: driving force of Thapaliya et al. (2023) Cells 12:2675, without the potential that its public code adds to it.
    """

    u: PerCell = parameter("fmol/s", "turnover per RT", (1e-3, 1.0))
    cycle: ClassVar[Cycle] = Cycle(inward={"Na": 1}, outward={"H": 1})

    def rate(self, m: MembraneView) -> PerCell:
        """Na⁺ that enters, fmol/s."""
        return self.u * m.affinity(self.cycle)
