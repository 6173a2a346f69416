"""The state of a model at one instant, by name, and the rates that it implies."""

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array

from jaxion.compartment import AREA_EXPONENT, Bath, Membrane
from jaxion.ions import valence
from jaxion.mechanisms.base import MembraneView, Side
from jaxion.units import MILLI


class Snapshot(eqx.Module):
    """Amounts (fmol) and volumes (pL) by compartment, potentials (mV) by membrane; each of shape `(*cells,)`."""

    amounts: dict[str, dict[str, Array]]
    volumes: dict[str, Array]
    potentials: dict[str, Array]


def side(model, snapshot: Snapshot, name: str) -> Side:
    """Concentrations and osmolarity of a compartment or bath."""
    solution = model.solutions[name]
    if isinstance(solution, Bath):
        concentrations, impermeant = solution.concentrations, solution.impermeant
    else:
        volume = snapshot.volumes[name]
        concentrations = {ion: amount / volume for ion, amount in snapshot.amounts[name].items()}
        impermeant = solution.impermeant / volume
    return Side(concentrations, sum(concentrations.values(), start=impermeant))


def view(model, snapshot: Snapshot, membrane: Membrane) -> MembraneView:
    """What the mechanisms of a membrane see."""
    return MembraneView(
        inside=side(model, snapshot, membrane.inside),
        outside=side(model, snapshot, membrane.outside),
        V=snapshot.potentials[membrane.inside],
        RT_F=model.RT_F,
        F=model.F,
    )


def area_ratio(model, snapshot: Snapshot, membrane: Membrane) -> Array | float:
    """Area over baseline area, by the membrane's law of the inside volume."""
    exponent = AREA_EXPONENT[membrane.area]
    if exponent == 0.0:
        return 1.0
    return (snapshot.volumes[membrane.inside] / model.compartments[membrane.inside].volume) ** exponent


def rates(model, snapshot: Snapshot) -> dict[tuple[str, str], Array]:
    """Turnovers of every process, fmol/s (pL/s for water), keyed by (membrane, key)."""
    found = {}
    for name, membrane in model.membranes.items():
        seen, area = view(model, snapshot, membrane), area_ratio(model, snapshot, membrane)
        for key, mechanism in membrane.mechanisms.items():
            found[name, key] = membrane.activity[key] * area * mechanism.rate(seen)
    return found


def inside_charge(model, snapshot: Snapshot, name: str) -> Array:
    """Net charge of a compartment, impermeants included, fmol of elementary charges."""
    compartment = model.compartments[name]
    mobile = [valence(ion) * amount for ion, amount in snapshot.amounts[name].items()]
    return sum(mobile, start=compartment.z * compartment.impermeant)


def capacitor_charge(model, membrane: Membrane, V: Array, area: Array | float) -> Array:
    """Charge that the capacitor law asks of the inside at potential V, fmol of elementary charges."""
    if model.closure == "electroneutral":
        return membrane.charge
    return membrane.charge + area * membrane.C * V / (MILLI * model.F)


def membrane_current(model, membrane: Membrane, found: dict[tuple[str, str], Array]) -> Array:
    """Net current out of the inside of a membrane, pA; `silent` mechanisms do not count."""
    charged = [
        mechanism.cycle.charge * found[membrane.inside, key]
        for key, mechanism in membrane.mechanisms.items()
        if mechanism.cycle.charge and key not in membrane.silent
    ]
    return model.F * sum(charged, start=jnp.zeros(()))
