"""AE, the Cl⁻/HCO₃⁻ (anion) exchanger."""

from typing import ClassVar

from jaxion._types import PerCell
from jaxion.cycle import Cycle
from jaxion.mechanisms.base import AbstractMechanism, MembraneView, parameter


class AE(AbstractMechanism):
    r"""Electroneutral exchange of outer Cl⁻ for inner HCO₃⁻, proportional to its affinity.

    $$J = u\,\ln\frac{Cl_o\,HCO_{3,i}}{Cl_i\,HCO_{3,o}}$$

    Args:
        u: Turnover per unit of RT, fmol/s; typical 1e-3 to 1 fmol/s (UNVERIFIED).

    Source: the thermodynamic driving force, chosen in the form that Thapaliya et al. (2023) Cells 12:2675 give other exchangers.
    """

    u: PerCell = parameter("fmol/s", "turnover per RT", (1e-3, 1.0))
    cycle: ClassVar[Cycle] = Cycle(inward={"Cl": 1}, outward={"HCO3": 1})

    def rate(self, m: MembraneView) -> PerCell:
        """Cl⁻ that enters, fmol/s."""
        return self.u * m.affinity(self.cycle)
