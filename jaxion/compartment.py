"""Where solutes are: compartments (finite), baths (held), and the membranes between them."""

from collections.abc import Mapping
from typing import Any, Final

import equinox as eqx
from jaxtyping import Array

from jaxion._types import PerCell, per_cell
from jaxion.errors import ConservationError, nearest
from jaxion.ions import WATER, valence
from jaxion.mechanisms.base import AbstractMechanism
from jaxion.ranges import check_range

AREA_EXPONENT: Final = {"fixed": 0.0, "cylinder": 1 / 2, "sphere": 2 / 3}
"""Area laws: the membrane's area grows with this power of the inside volume."""


def _sorted_cells(values: Mapping[str, Any]) -> dict[str, Array]:
    # JAX rebuilds dicts with sorted keys: sorting here too means that order never changes.
    for ion in values:
        valence(ion)
    return {ion: per_cell(values[ion]) for ion in sorted(values)}


def _check_concentrations(concentrations: Mapping[str, Array]) -> None:
    for ion, value in concentrations.items():
        check_range(ion, value, "mM", "positive")


class Compartment(eqx.Module):
    """A finite, well-mixed solution at its baseline.

    Args:
        concentrations: Baseline concentration of each ion, mM.
        volume: Baseline volume, pL.
        impermeant: Amount of impermeant solute, fmol.
        z: Mean charge number of the impermeant solute.
    """

    concentrations: dict[str, PerCell] = eqx.field(converter=_sorted_cells)
    volume: PerCell = eqx.field(converter=per_cell)
    impermeant: PerCell = eqx.field(converter=per_cell, default=0.0)
    z: PerCell = eqx.field(converter=per_cell, default=-1.0)

    def __check_init__(self):
        _check_concentrations(self.concentrations)
        check_range("volume", self.volume, "pL", "positive")
        check_range("impermeant", self.impermeant, "fmol", "not negative")
        check_range("z", self.z)


class Bath(eqx.Module):
    """A solution so large that its concentrations are held.

    Args:
        concentrations: Concentration of each ion, mM.
        impermeant: Concentration of impermeant solute, mM; it counts for osmosis only.
    """

    concentrations: dict[str, PerCell] = eqx.field(converter=_sorted_cells)
    impermeant: PerCell = eqx.field(converter=per_cell, default=0.0)

    def __check_init__(self):
        _check_concentrations(self.concentrations)
        check_range("impermeant", self.impermeant, "mM", "not negative")


class Membrane(eqx.Module):
    r"""A membrane between two solutions, its mechanisms and its capacitor law.

    $$10^3\,F\left(\sum_X z_X n_X + z\,n_\mathrm{imp} - q\right) = C\,V$$

    with $q$ the excess `charge`. A baseline that breaks the law is repaired by the ion `balance`.
    Rates, capacitance and permeabilities are values of the whole membrane at the baseline volume
    and scale with its area.

    Args:
        inside: Name of the compartment whose potential `V` is; the membrane bears the same name.
        outside: Name of the compartment or bath on the other side.
        mechanisms: Mechanisms by key, such as `{"kcc2": KCC2(g=0.2)}`.
        C: Capacitance, pF.
        V: Baseline potential, mV.
        charge: Excess charge that the capacitor law leaves out, fmol of elementary charges.
        area: Area law of the inside volume: `"fixed"`, `"cylinder"` or `"sphere"`.
        balance: Ion that repairs the baseline's charge.
        silent: Keys of mechanisms that move ions but do not charge the membrane, as some papers have it.
    """

    inside: str = eqx.field(static=True)
    outside: str = eqx.field(static=True)
    mechanisms: dict[str, AbstractMechanism]
    activity: dict[str, PerCell]
    C: PerCell
    V: PerCell
    charge: PerCell
    area: str = eqx.field(static=True)
    balance: str = eqx.field(static=True)
    silent: tuple[str, ...] = eqx.field(static=True)

    def __init__(
        self,
        inside: str,
        outside: str,
        mechanisms: Mapping[str, AbstractMechanism],
        C: Any,
        V: Any = -70.0,
        charge: Any = 0.0,
        area: str = "fixed",
        balance: str = "K",
        silent: tuple[str, ...] = (),
    ):
        if area not in AREA_EXPONENT:
            raise ValueError(
                f"Argument `area` must be one of {', '.join(AREA_EXPONENT)}, but it is `{area}`.{nearest(area, AREA_EXPONENT)}"
            )
        for key in silent:
            if key not in mechanisms:
                raise ValueError(f"Argument `silent` names `{key}`, which is no mechanism of this membrane.{nearest(key, mechanisms)}")
        self.inside, self.outside = inside, outside
        self.mechanisms = {key: mechanisms[key] for key in sorted(mechanisms)}
        # A dimensionless factor on each rate: blocks, drugs and tipping act on it.
        self.activity = {key: per_cell(1.0) for key in self.mechanisms}
        self.C, self.V, self.charge = per_cell(C), per_cell(V), per_cell(charge)
        self.area, self.balance, self.silent = area, balance, silent


def check_membrane(membrane: Membrane, solutions: Mapping[str, Compartment | Bath]) -> None:
    """Raise `ConservationError` if a mechanism moves what one of its two sides lacks."""
    for side in (membrane.inside, membrane.outside):
        if side not in solutions:
            raise ConservationError(f"A membrane names `{side}`, but the model has {', '.join(solutions)}.{nearest(side, solutions)}")
    if membrane.inside == membrane.outside:
        raise ConservationError(f"A membrane must lie between two solutions, but both of its sides are `{membrane.inside}`.")
    inside = solutions[membrane.inside]
    if not isinstance(inside, Compartment):
        raise ConservationError(f"The inside of a membrane must be a compartment, but `{membrane.inside}` is a bath.")
    if membrane.balance not in inside.concentrations:
        raise ConservationError(
            f"The ion `{membrane.balance}` that balances the charge of `{membrane.inside}` is not in it; it has {', '.join(inside.concentrations)}."
        )
    for key, mechanism in membrane.mechanisms.items():
        for species in mechanism.cycle.species:
            for side in (membrane.inside, membrane.outside):
                ions = solutions[side].concentrations
                if species != WATER and species not in ions:
                    raise ConservationError(
                        f"Mechanism `{membrane.inside}.{key}` ({type(mechanism).__name__}) moves {species}, "
                        f"but `{side}` has only {', '.join(ions)}."
                    )
