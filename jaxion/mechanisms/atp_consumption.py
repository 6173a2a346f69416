"""ATP used up by all that is not a pump of the model, in a compartment, or by its pumps in a pool that is shared."""

from typing import ClassVar

from jaxion._types import PerCell
from jaxion.cycle import Cycle
from jaxion.mechanisms.base import AbstractMechanism, MembraneView, parameter


class ATPConsumption(AbstractMechanism):
    r"""Hydrolysis of ATP for whatever else the inside lives by.

    $$J = v_\mathrm{max}\,\frac{ATP}{ATP + K_{ATP}}$$

    Args:
        v_max: ATP used at saturation, fmol/s; typical 1e-3 to 10 fmol/s.
        K_ATP: ATP at half saturation, mM; typical 0.01 to 1 mM (UNVERIFIED).

    Source: a saturation in ATP, chosen as the simplest form (2026).
    """

    v_max: PerCell = parameter("fmol/s", "ATP used at saturation", (1e-3, 10.0))
    K_ATP: PerCell = parameter("mM", "ATP at half saturation", (0.01, 1.0), allowed="positive")
    cycle: ClassVar[Cycle] = Cycle(ATP=1)
    passive: ClassVar[bool] = False
    senses: ClassVar[tuple[str, ...]] = ("ATP",)

    def rate(self, m: MembraneView) -> PerCell:
        """ATP that is used, fmol/s."""
        ATP = m.inside["ATP"]
        return self.v_max * ATP / (ATP + self.K_ATP)


class SharedHydrolysis(AbstractMechanism):
    r"""ATP that the other mechanisms of a membrane use, taken from a pool of the outside that several cells share.

    $$J = n\,J_\mathrm{ATP}$$

    For tissue whose adenylates are one solute of the extracellular compartment, confined to a volume of their own,
    while those that use them count them only. Powered from outside of the model, by what makes ATP there.

    Args:
        n: Number of cells like this one that live by the pool, dimensionless; typical 0.1 to 10.

    Source: chosen as `TissueRespiration` takes oxygen, after Wei, Ullah & Schiff (2014) J Neurosci 34:11733.
    """

    n: PerCell = parameter("", "number of such cells that live by the pool", (0.1, 10.0), default=1.0)
    cycle: ClassVar[Cycle] = Cycle(inward={"ATP": 1}, outward={"ADP": 1}, consumed={"ATP": 1}, produced={"ADP": 1})
    passive: ClassVar[bool] = False
    on_demand: ClassVar[bool] = True

    def rate(self, m: MembraneView) -> PerCell:
        """ATP that is used, fmol/s."""
        return self.n * m.ATP
