r"""The reduced problem: unknowns $y$, and the residual $G(y, \theta)$ that a set-point makes zero.

Unknowns are log-amounts, log-volumes and $V F/RT$: no step can leave the physical domain, and one
unit is one e-fold of each. Solutes that may run out have $x = \operatorname{arsinh}(n/s)$ in place of $\ln n$,
with s the baseline's amount: a logarithm above it, linear below, so that a set-point may have none of them. The residual is their rate of change, 1/s. Gates stand at their steady
values, since at a set-point they do; an ion that is held stays at its baseline.
"""

from collections.abc import Iterable, Mapping
from typing import Final

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float

from jaxion.compartment import Membrane
from jaxion.dynamics import derivative
from jaxion.ions import VANISHING, kind
from jaxion.model import Model
from jaxion.setpoints.elimination import Dependent, Elimination, eliminate
from jaxion.snapshot import Snapshot, area_ratio, capacitor_charge, list_gates, name_gates, with_steady_gates

Unknowns = Float[Array, "unknowns *cells"]

HELD: Final = 1e3
"""Rate at which a set-point's held ion returns to its baseline, 1/s: any would do, since no other unknown moves it."""


EMPTY: Final = 1e-6
"""Part of its baseline by which an amount that may run out may be negative on the way to a set-point."""


def _elimination(model: Model) -> Elimination:
    return eliminate(model.structure, model.has_capacitor_law)


def unknown_rows(model: Model) -> tuple[str, ...]:
    """Names of the unknowns: independent amounts, independent volumes, potentials."""
    e = _elimination(model)
    return e.amounts + e.volumes + model.structure.potentials


def reduce(model: Model, snapshot: Snapshot) -> Unknowns:
    """Unknowns of a snapshot; what its dependent rows hold is ignored."""
    e, rows = _elimination(model), _rows(snapshot)
    scales = _vanishing_scales(model)
    logs = [jnp.arcsinh(rows[row] / scales[row]) if row in scales else jnp.log(rows[row]) for row in e.amounts + e.volumes]
    potentials = [rows[row] / model.RT_F for row in model.structure.potentials]
    # Leaves of a batch may be shared: every row gets the shape of the batch.
    return jnp.stack([jnp.broadcast_to(row, jnp.broadcast_shapes(jnp.shape(row), model.cells)) for row in logs + potentials])


def expand(model: Model, y: Unknowns, ok: Bool[Array, "*cells"] | None = None) -> Snapshot:
    """Snapshot of the unknowns, with the dependent rows from the totals and the capacitor law.

    Args:
        model: Supplies the totals through its baseline.
        y: Unknowns.
        ok: Cells to be evaluated as they are; in the others every dependent row is set to one, so
            that their derivatives are finite (they are then multiplied by zero).
    """
    e, s = _elimination(model), model.structure
    values = dict(zip(unknown_rows(model), list(y), strict=True))
    scales = _vanishing_scales(model)
    rows = {row: scales[row] * jnp.sinh(values[row]) if row in scales else jnp.exp(values[row]) for row in e.amounts + e.volumes}
    potentials = {membrane.inside: values[f"{membrane.inside}.V"] * model.RT_F for membrane in s.membranes}
    constraints = _totals(model)
    for dependent in e.dependent_volumes:
        rows[dependent.row] = _solve(dependent, constraints, rows, ok)
    volumes = {name: rows[f"{name}.volume"] for name, _ in s.compartments}
    for name, membrane in model.membranes.items() if model.has_capacitor_law else ():
        constraints[name] = _held_charge(model, membrane, volumes, potentials)
    for dependent in e.dependent_amounts:
        rows[dependent.row] = _solve(dependent, constraints, rows, ok)
    amounts = {name: {ion: rows[f"{name}.n_{ion}"] for ion in ions} for name, ions in s.compartments}
    return with_steady_gates(model, Snapshot(amounts, volumes, potentials))


def residual(model: Model, y: Unknowns, ok: Bool[Array, "*cells"] | None = None) -> Unknowns:
    """Rate of change of the unknowns, 1/s; see `expand` for `ok`."""
    return rate_of_change(model, expand(model, y, ok), y)


def rate_of_change(model: Model, snapshot: Snapshot, y: Unknowns) -> Unknowns:
    """Rate of change of the unknowns `y` at a snapshot of theirs whose gates may be anywhere, 1/s."""
    rates, sizes = rates_and_sizes(model, snapshot, y)
    # What is divided by is held: it cancels in every implicit derivative.
    return rates / jax.lax.stop_gradient(sizes)


def rates_and_sizes(model: Model, snapshot: Snapshot, y: Unknowns) -> tuple[Unknowns, Unknowns]:
    """Rates of change of the amounts (fmol/s), volumes (pL/s) and potentials (mV/s) of the unknowns `y`, and what a unit of each holds."""
    now, change, e = _rows(snapshot), _rows(derivative(model, snapshot)), _elimination(model)
    rates = {row: change[row] for row in e.amounts + e.volumes}
    scales = _vanishing_scales(model)
    sizes = {row: jnp.hypot(now[row], scales[row]) if row in scales else now[row] for row in rates}
    for row, held in held_amounts(model).items():
        if row in rates:
            back = HELD * jnp.log(_rows(model.baseline())[row] / now[row])
            rates[row], sizes[row] = jnp.where(held, back, rates[row]), jnp.where(held, 1.0, sizes[row])
    for row in model.structure.potentials:
        rates[row], sizes[row] = change[row], model.RT_F
    # A constant pump's row has the shape () in a batch: rates have that of the unknowns.
    together = [jnp.stack([jnp.broadcast_to(row, y.shape[1:]) for row in rows.values()]) for rows in (rates, sizes)]
    return together[0], together[1]


def extended_rate_of_change(model: Model, z: Float[Array, "extended *cells"]) -> Float[Array, "extended *cells"]:
    """Rate of change of the unknowns and, between volumes and potentials, the gates, 1/s."""
    s = model.structure
    potentials, gates = len(s.potentials), len(s.gates)
    split = z.shape[0] - potentials - gates
    y = jnp.concatenate([z[:split], z[split + gates :]])
    snapshot = expand(model, y)
    snapshot = Snapshot(snapshot.amounts, snapshot.volumes, snapshot.potentials, name_gates(s, z[split : split + gates]))
    slow = rate_of_change(model, snapshot, y)
    fast = [jnp.broadcast_to(rate, y.shape[1:]) for rate in list_gates(s, derivative(model, snapshot).gates)]
    return jnp.concatenate([slow[:split], jnp.stack(fast), slow[split:]])


def extend(model: Model, y: Unknowns) -> Float[Array, "extended *cells"]:
    """The unknowns with the steady gates among them, as `extended_rate_of_change` takes them."""
    split = y.shape[0] - len(model.structure.potentials)
    gates = list_gates(model.structure, expand(model, y).gates)
    return jnp.concatenate([y[:split], jnp.stack([jnp.broadcast_to(gate, y.shape[1:]) for gate in gates]), y[split:]])


def dependents(model: Model, y: Unknowns) -> Float[Array, "dependents *cells"]:
    """What a step must keep positive beside exponentials: rows that were eliminated, and amounts that may run out but for a trace."""
    e, rows = _elimination(model), _rows(expand(model, y))
    found = [rows[d.row] for d in e.dependent_amounts + e.dependent_volumes]
    found += [rows[row] + EMPTY * scale for row, scale in _vanishing_scales(model).items()]
    return jnp.stack([jnp.broadcast_to(row, y.shape[1:]) for row in found]) if found else jnp.zeros((0, *y.shape[1:]), y.dtype)


def positive(model: Model, snapshot: Snapshot) -> Bool[Array, "*cells"]:
    """Whether every volume of a snapshot is positive, and every amount that may not run out."""
    rows, s = _rows(snapshot), model.structure
    signs = [rows[row] > 0 for row in s.amounts + s.volumes if not _may_vanish(row)]
    return jnp.all(jnp.stack(jnp.broadcast_arrays(*signs)), axis=0)


def physical(model: Model) -> Bool[Array, "*cells"]:
    """Whether all that a set-point starts from is: amounts and volumes of the baseline, and concentrations of the baths, are positive."""
    signs = [positive(model, model.baseline())]
    signs += [concentration > 0 for bath in model.baths.values() for concentration in bath.concentrations.values()]
    return jnp.all(jnp.stack(jnp.broadcast_arrays(*signs)), axis=0)


def _may_vanish(row: str) -> bool:
    return row.partition(".n_")[2] in VANISHING


def _vanishing_scales(model: Model) -> dict[str, Array]:
    """Unit of each unknown amount that may run out: the baseline's, or, where that has none, all that its compartment holds of its kind."""
    rows = [row for row in _elimination(model).amounts if _may_vanish(row)]
    if not rows:
        return {}
    amounts, found = model.baseline().amounts, {}
    for row in rows:
        name, _, solute = row.partition(".n_")
        kindred = _sum((1.0, n) for other, n in amounts[name].items() if kind(other) == kind(solute))
        found[row] = jnp.where(amounts[name][solute] > 0, amounts[name][solute], kindred)
    return found


def totals(model: Model, snapshot: Snapshot) -> dict[str, Array]:
    """Value of each conserved total of a snapshot, and of the charge of each node of a chain, by name (fmol or pL)."""
    rows = _rows(snapshot)
    return {total.name: _sum((w, rows[row]) for row, w in total.weights) for total in model.structure.conserved}


def _totals(model: Model) -> dict[str, Array]:
    return totals(model, model.baseline()) if model.structure.conserved else {}


def held_amounts(model: Model) -> dict[str, Array]:
    """Amounts that may be held, and whether they are."""
    shares = {row: [model.membranes[name].mobile[key] for name, key in movers] for row, movers in model.structure.held.items()}
    return {row: jnp.all(jnp.stack(jnp.broadcast_arrays(*found)) == 0, axis=0) for row, found in shares.items()}


def _held_charge(model: Model, membrane: Membrane, volumes: Mapping[str, Array], potentials: Mapping[str, Array]) -> Array:
    """Charge of the mobile ions inside that the capacitor law asks for, fmol."""
    area = area_ratio(model, Snapshot({}, dict(volumes), {}), membrane)
    compartment = model.compartments[membrane.inside]
    return capacitor_charge(model, membrane, potentials[membrane.inside], area) - compartment.z * compartment.impermeant


def _solve(dependent: Dependent, constraints: Mapping[str, Array], rows: Mapping[str, Array], ok) -> Array:
    value = _sum([*((w, constraints[c]) for c, w in dependent.constraints), *((w, rows[row]) for row, w in dependent.rows)])
    return value if ok is None else jnp.where(ok, value, 1.0)


def _sum(terms: Iterable[tuple[float, Array]]) -> Array:
    return sum((weight * value for weight, value in terms), start=jnp.zeros(()))


def _rows(snapshot: Snapshot) -> dict[str, Array]:
    rows = {f"{name}.n_{ion}": n for name, amounts in snapshot.amounts.items() for ion, n in amounts.items()}
    rows |= {f"{name}.volume": volume for name, volume in snapshot.volumes.items()}
    return rows | {f"{name}.V": V for name, V in snapshot.potentials.items()}
