"""The dynamics of a model: how fast everything changes at a snapshot, and which potential the closure gives."""

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array

from jaxion import units
from jaxion.compartment import AREA_EXPONENT, Membrane
from jaxion.declaration import Declaration
from jaxion.snapshot import Gates, Snapshot, area_ratio, gating, inside_charge, membrane_current, moved, rates, with_steady_gates


def derivative(model: Declaration, snapshot: Snapshot) -> Snapshot:
    """Rates of change of every amount (fmol/s), volume (pL/s), potential (mV/s) and gate (1/s)."""
    s, found = model.structure, rates(model, snapshot)
    moving = moved(model, found)
    turnovers = [moving[process] for process in s.processes]
    zero = jnp.zeros_like(snapshot.volumes[s.compartments[0][0]])
    change = iter([sum((int(c) * v for c, v in zip(row, turnovers, strict=True) if c), start=zero) for row in s.S])
    amounts = {name: {ion: next(change) for ion in ions} for name, ions in s.compartments}
    volumes = {name: next(change) for name, _ in s.compartments}
    potentials = {}
    for name, membrane in model.membranes.items():
        area, V = area_ratio(model, snapshot, membrane), snapshot.potentials[name]
        stretch = AREA_EXPONENT[membrane.area] * volumes[name] / snapshot.volumes[name]
        potentials[name] = -units.MILLI * membrane_current(model, membrane, found) / (area * membrane.C) - V * stretch
    return Snapshot(amounts, volumes, potentials, _gate_rates(model, snapshot) if model.gates == "full" else {})


def _gate_rates(model: Declaration, snapshot: Snapshot) -> Gates:
    opening: Gates = {}
    for name, mechanisms in gating(model, snapshot).items():
        now = snapshot.gates[name]
        opening[name] = {
            key: {gate: a * (1.0 - now[key][gate]) - b * now[key][gate] for gate, (a, b) in g.items()} for key, g in mechanisms.items()
        }
    return opening


def potential_from_charge(model: Declaration, snapshot: Snapshot, membrane: Membrane) -> Array:
    """Potential that the capacitor law gives to the net charge inside, mV."""
    held = inside_charge(model, snapshot, membrane.inside) - membrane.charge
    return units.MILLI * model.F * held / (area_ratio(model, snapshot, membrane) * membrane.C)


@eqx.filter_jit
def potential_from_zero_current(model: Declaration, snapshot: Snapshot, membrane: Membrane) -> Array:
    """Potential at which the net current vanishes, mV; differentiable through the implicit function theorem."""
    name = membrane.inside

    def current(V):
        at = eqx.tree_at(lambda s: s.potentials[name], snapshot, V)
        return membrane_current(model, membrane, rates(model, at if model.gates == "full" else with_steady_gates(model, at)))

    def newton(f, V):
        def step(_, state):
            V, low, high = state
            value, slope = jax.jvp(f, (V,), (jnp.ones_like(V),))
            low, high = jnp.where(value < 0, V, low), jnp.where(value > 0, V, high)
            # The current may be flat far away: no step is longer than two thermal voltages. Where gated
            # channels make it fall with V, Newton's step leaves the bracket of the root: halve that instead.
            new = V - jnp.clip(value / slope, -2 * model.RT_F, 2 * model.RT_F)
            middle = jnp.where(jnp.isfinite(high - low), (low + high) / 2, V - 2 * model.RT_F * jnp.sign(value))
            return jnp.where((new >= low) & (new <= high), new, middle), low, high

        return jax.lax.fori_loop(0, 60, step, (V, jnp.full_like(V, -jnp.inf), jnp.full_like(V, jnp.inf)))[0]

    def tangent_solve(linear, y):
        return y / linear(jnp.ones_like(y))

    start = jnp.broadcast_to(membrane.V, jnp.broadcast_shapes(jnp.shape(snapshot.volumes[name]), model.cells))
    return jax.lax.custom_root(current, start, newton, tangent_solve)
