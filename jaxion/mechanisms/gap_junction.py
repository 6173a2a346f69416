"""Gap junctions, the channels that join the insides of two neighbouring cells."""

from collections.abc import Mapping
from typing import Any, ClassVar, Final

import equinox as eqx

from jaxion._types import PerCell
from jaxion.cycle import Cycle
from jaxion.errors import ConservationError
from jaxion.ions import valence
from jaxion.mechanisms.base import AbstractMechanism, MembraneView, parameter

DIFFUSION: Final = {"Na": 1.33, "K": 1.96, "Cl": 2.03, "Ca": 0.71}
"""Diffusion constants in water, µm²/ms. Source: Halnes et al. (2013) PLoS Comput Biol 9:e1003386; Ca²⁺ Sætra et al. (2021)."""


class GapJunction(AbstractMechanism):
    r"""Passage of one ion from cell to cell, driven by the difference of its electrochemical potentials.

    $$J_X = \frac{g}{z_X F}\left[(V_a - V_b) + \frac{RT}{z_X F}\ln\frac{c_a}{c_b}\right]$$

    from the cell a inside of the link to the cell b outside of it. On a link of two cells in the same
    solution the current charges both; along a chain of nodes it takes part in the balance of currents.
    `Electrodiffusion` and `GHKLeak` may take its place: for small differences the three agree at
    $P = g\,RT/(z_X^2 F^2 c)$.

    Args:
        ion: The ion that passes, such as `"K"`.
        g: Conductance of the junction for this ion, nS; typical 0.1 to 100 nS.

    Source: the electrodiffusive driving force of Hodgkin & Huxley (1952) J Physiol 117:500, eq. 3 to 5, between two insides.
    """

    ion: str = eqx.field(static=True)
    g: PerCell = parameter("nS", "conductance", (0.1, 100.0))
    cycle: Cycle = eqx.field(init=False, static=True)
    affine: ClassVar[bool] = True

    def __post_init__(self):
        self.cycle = Cycle(outward={self.ion: 1})

    def rate(self, m: MembraneView) -> PerCell:
        """Ions that go from inside to outside, fmol/s."""
        return self.g * (m.V - m.E(self.ion)) / (valence(self.ion) * m.F)


def gap_junctions(g: Any, concentrations: Mapping[str, Any]) -> dict[str, AbstractMechanism]:
    r"""Junctions for every ion, which share one conductance as ions in water do: $g_X \propto z_X^2 D_X c_X$.

    Args:
        g: Conductance of all ions together, nS.
        concentrations: Concentration of each ion that passes, such as the mean of the two cells, mM.

    Example:
        >>> sorted(gap_junctions(10.0, {"Na": 15.0, "K": 100.0, "Cl": 5.0}))
        ['gap_Cl', 'gap_K', 'gap_Na']
    """
    for ion in concentrations:
        if ion not in DIFFUSION:
            raise ConservationError(
                f"No diffusion constant of {ion} is known, only of {', '.join(DIFFUSION)}; give its junction by itself."
            )
    shares = {ion: valence(ion) ** 2 * DIFFUSION[ion] * c for ion, c in concentrations.items()}
    return {f"gap_{ion}": GapJunction(ion, g * share / sum(shares.values())) for ion, share in shares.items()}
