"""The state of a model at one instant, by name, and the rates that it implies."""

import dataclasses
from collections.abc import Iterable

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array

from jaxion.compartment import AREA_EXPONENT, Axial, Bath, Boundary, Link, Membrane, law
from jaxion.declaration import Declaration
from jaxion.ions import valence
from jaxion.mechanisms.base import AbstractGated, MembraneView, Side
from jaxion.structure import Structure
from jaxion.units import MILLI

Gates = dict[str, dict[str, dict[str, Array]]]
"""A number for each gate, by membrane, mechanism key and gate."""


class Snapshot(eqx.Module):
    """Amounts (fmol) and volumes (pL) by compartment, potentials (mV) and open fractions of gates by membrane; each of shape `(*cells,)`."""

    amounts: dict[str, dict[str, Array]]
    volumes: dict[str, Array]
    potentials: dict[str, Array]
    gates: Gates = eqx.field(default_factory=dict)


def list_gates(structure: Structure, gates: Gates) -> list[Array]:
    """Numbers of all gates in the order of the gate rows."""
    return [gates[m.inside][key][gate] for m in structure.membranes for key, names in m.gates for gate in names]


def name_gates(structure: Structure, numbers: Iterable[Array]) -> Gates:
    """The inverse of `list_gates`."""
    rows = iter(numbers)
    return {m.inside: {key: {gate: next(rows) for gate in names} for key, names in m.gates} for m in structure.membranes if m.gates}


def side(model: Declaration, snapshot: Snapshot, name: str) -> Side:
    """Concentrations and osmolarity of a compartment or bath."""
    solution = model.solutions[name]
    if isinstance(solution, Bath):
        outer: Array = solution.impermeant
        return Side(solution.concentrations, sum(solution.concentrations.values(), start=outer), impermeant=outer)
    volume, amounts = snapshot.volumes[name], snapshot.amounts[name]
    concentrations = {ion: amount / solution.space(ion, volume) for ion, amount in amounts.items()}
    impermeant = solution.impermeant / volume
    osmotic = [amount / volume for ion, amount in amounts.items() if ion not in solution.confined]
    return Side(concentrations, sum(osmotic, start=impermeant), volume, impermeant)


def view(model: Declaration, snapshot: Snapshot, boundary: Boundary) -> MembraneView:
    """What the mechanisms of a membrane, link or axial connection see."""
    inside, outside = side(model, snapshot, boundary.inside), side(model, snapshot, boundary.outside)
    if isinstance(boundary, Axial):
        return MembraneView(inside, outside, axial_potential(model, snapshot, boundary), model.RT_F, model.F)
    if isinstance(boundary, Link):
        return MembraneView(inside, outside, link_potential(model, snapshot, boundary), model.RT_F, model.F)
    name = boundary.inside
    return MembraneView(inside, outside, snapshot.potentials[name], model.RT_F, model.F, snapshot.gates.get(name, {}))


def joins_cells(model: Declaration, link: Link) -> bool:
    """Whether a link joins the insides of two cells; both are then in the same solution."""
    return link.inside in model.membranes and link.outside in model.membranes


def link_potential(model: Declaration, snapshot: Snapshot, link: Link) -> Array:
    """Potential of the inside of a link minus that of its outside, mV: none but between two cells."""
    return snapshot.potentials[link.inside] - snapshot.potentials[link.outside] if joins_cells(model, link) else jnp.zeros(())


def axial_potential(model: Declaration, snapshot: Snapshot, axial: Axial) -> Array:
    """Potential of the inside of an axial connection minus that of its outside, mV, at which no current flows from node to node."""
    ends = _extracellular(model, axial)
    sides = [
        (other, _membrane_difference(model, snapshot, other)) for other in model.axials.values() if _extracellular(model, other) == ends
    ]

    def current(between: Array) -> Array:
        flows = []
        for other, difference in sides:
            inside, outside = side(model, snapshot, other.inside), side(model, snapshot, other.outside)
            seen = MembraneView(inside, outside, between + difference, model.RT_F, model.F)
            flows += [m.cycle.charge * other.activity[key] * m.rate(seen) for key, m in other.mechanisms.items() if m.cycle.charge]
        return sum(flows, start=jnp.zeros(()))

    # Every rate is affine in the potential: one step of Newton is exact.
    excess, conductance = jax.jvp(current, (jnp.zeros(()),), (jnp.ones(()),))
    blocked = conductance == 0.0
    return _membrane_difference(model, snapshot, axial) - jnp.where(blocked, 0.0, excess / jnp.where(blocked, 1.0, conductance))


def _extracellular(model: Declaration, axial: Axial) -> tuple[str, str]:
    """The extracellular compartments of the two nodes that a connection joins."""
    inside, outside = (model.membranes[name].outside if name in model.membranes else name for name in (axial.inside, axial.outside))
    return inside, outside


def _membrane_difference(model: Declaration, snapshot: Snapshot, axial: Axial) -> Array:
    """Membrane potential at the inside of a connection minus that at its outside, mV."""
    if axial.inside not in model.membranes:
        return jnp.zeros(())
    return snapshot.potentials[axial.inside] - snapshot.potentials[axial.outside]


def gating(model: Declaration, snapshot: Snapshot) -> dict[str, dict[str, dict[str, tuple[Array, Array]]]]:
    """Opening and closing rate of every gate, 1/s, by membrane, mechanism key and gate."""
    found = {}
    for name, membrane in model.membranes.items():
        gated = {key: m for key, m in membrane.mechanisms.items() if isinstance(m, AbstractGated) and m.gates}
        if gated:
            seen = view(model, snapshot, membrane)
            found[name] = {key: mechanism.gating(seen) for key, mechanism in gated.items()}
    return found


def with_steady_gates(model: Declaration, snapshot: Snapshot) -> Snapshot:
    """The snapshot with every gate at its steady value."""
    steady = {
        name: {key: {gate: a / (a + b) for gate, (a, b) in rates_.items()} for key, rates_ in mechanisms.items()}
        for name, mechanisms in gating(model, snapshot).items()
    }
    return Snapshot(snapshot.amounts, snapshot.volumes, snapshot.potentials, steady)


def area_ratio(model: Declaration, snapshot: Snapshot, membrane: Membrane) -> Array | float:
    """Area over baseline area, by the membrane's law of the inside volume."""
    return _growth(model, snapshot, membrane.inside, membrane.area)


def _growth(model: Declaration, snapshot: Snapshot, name: str, by: str) -> Array | float:
    """Factor by which a compartment that is larger than at the baseline has more of what grows by a law."""
    exponent = AREA_EXPONENT[by]
    if exponent == 0.0:
        return 1.0
    ratio = snapshot.volumes[name] / model.compartments[name].volume
    return ratio if exponent == 1.0 else ratio**exponent


def rates(model: Declaration, snapshot: Snapshot) -> dict[tuple[str, str], Array]:
    """Turnovers of every process, fmol/s (pL/s for water), keyed by (membrane, link or axial connection, key)."""
    found = {}
    for boundary in model.boundaries:
        name, seen = boundary.inside, view(model, snapshot, boundary)
        # Those that work on demand come last, when the demand is known.
        for key, mechanism in sorted(boundary.mechanisms.items(), key=lambda item: item[1].on_demand):
            if mechanism.on_demand:
                used = [m.cycle.ATP * found[name, k] for k, m in boundary.mechanisms.items() if m.cycle.ATP > 0 and not m.on_demand]
                seen = dataclasses.replace(seen, ATP=sum(used, start=jnp.zeros(())))
            growth = _growth(model, snapshot, name, law(boundary, key))
            found[name, key] = boundary.activity[key] * growth * mechanism.rate(seen.of(key))
    return found


def moved(model: Declaration, found: dict[tuple[str, str], Array]) -> dict[tuple[str, str], Array]:
    """Of the turnovers of every process those whose ions move: of held mechanisms the mobile share, of others all."""
    shares = {(name, key): share for name, membrane in model.membranes.items() for key, share in membrane.mobile.items()}
    return {process: shares[process] * rate if process in shares else rate for process, rate in found.items()}


def inside_charge(model: Declaration, snapshot: Snapshot, name: str) -> Array:
    """Net charge of a compartment, impermeants included, fmol of elementary charges."""
    compartment = model.compartments[name]
    mobile = [valence(ion) * amount for ion, amount in snapshot.amounts[name].items()]
    return sum(mobile, start=compartment.z * compartment.impermeant)


def capacitor_charge(model: Declaration, membrane: Membrane, V: Array, area: Array | float) -> Array:
    """Charge that the capacitor law asks of the inside at potential V, fmol of elementary charges."""
    if model.closure == "electroneutral":
        return membrane.charge
    return membrane.charge + area * membrane.C * V / (MILLI * model.F)


def membrane_current(model: Declaration, membrane: Membrane, found: dict[tuple[str, str], Array]) -> Array:
    """Net current out of the inside of a membrane, pA, also to other cells; `silent` mechanisms do not count."""
    charged = [
        mechanism.cycle.charge * found[membrane.inside, key]
        for key, mechanism in membrane.mechanisms.items()
        if mechanism.cycle.charge and key not in membrane.silent
    ]
    for joint in (*model.axials.values(), *(link for link in model.links.values() if joins_cells(model, link))):
        direction = (joint.inside == membrane.inside) - (joint.outside == membrane.inside)
        if direction:
            charged += [direction * m.cycle.charge * found[joint.inside, key] for key, m in joint.mechanisms.items() if m.cycle.charge]
    return model.F * sum(charged, start=jnp.zeros(()))


def baseline(model: Declaration) -> Snapshot:
    """The baseline, with the capacitor law of every membrane repaired by its balancing ion and gates at their steady values."""
    amounts = {
        name: {ion: c * compartment.space(ion, compartment.volume) for ion, c in sorted(compartment.concentrations.items())}
        for name, compartment in model.compartments.items()
    }
    volumes = {name: compartment.volume for name, compartment in model.compartments.items()}
    potentials = {name: membrane.V for name, membrane in model.membranes.items()}
    snapshot = Snapshot(amounts, volumes, potentials)
    for name, membrane in model.membranes.items() if model.has_capacitor_law else ():
        lacking = capacitor_charge(model, membrane, membrane.V, 1.0) - inside_charge(model, snapshot, name)
        ion = membrane.balance
        amounts[name][ion] = amounts[name][ion] + lacking / valence(ion)
    return with_steady_gates(model, snapshot)
