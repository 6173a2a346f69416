"""First guesses for the search."""

from collections.abc import Mapping
from typing import Any

import jax
import jax.numpy as jnp

from jaxion.ions import valence
from jaxion.model import Model
from jaxion.paths import check_settable, replace, state_paths
from jaxion.setpoints.point import SetPoint
from jaxion.setpoints.reduction import Unknowns, reduce
from jaxion.snapshot import Snapshot


def unknowns_of(model: Model, start: SetPoint | Mapping[str, Any] | None) -> Unknowns:
    """Unknowns of a start: the baseline, another set-point, or baseline values by path."""
    if isinstance(start, SetPoint):
        y = jax.lax.stop_gradient(start.y)
        return jnp.broadcast_to(y.reshape(y.shape[:1] + (1,) * (len(model.cells) - (y.ndim - 1)) + y.shape[1:]), (y.shape[0], *model.cells))
    if start is None:
        return reduce(model, _charged(model))
    if not isinstance(start, Mapping):
        raise ValueError(f"Argument `start` must be None, a SetPoint, or values of baseline paths, but it is `{start}`.")
    for path in start:
        check_settable(model, path)
        if path not in state_paths(model):
            raise ValueError(f"Argument `start` is a first guess of the state, but `{path}` is a parameter; set it by `replace`.")
    return reduce(model, _charged(replace(model, start)))


def _charged(model: Model) -> Snapshot:
    """The baseline, with anions added where the balancing cation would have to be negative.

    A mean impermeant charge that is positive asks for more anions than the baseline holds. This
    is a guess only: the totals that a set-point keeps are those of the baseline itself.
    """
    snapshot = model.baseline()
    if not model.has_capacitor_law:
        return snapshot
    amounts = {name: dict(ions) for name, ions in snapshot.amounts.items()}
    for name, membrane in model.membranes.items():
        held, compartment = amounts[name], model.compartments[name]
        declared = compartment.concentrations[membrane.balance] * compartment.space(membrane.balance, compartment.volume)
        lacking = jnp.maximum(0.1 * declared - held[membrane.balance], 0.0)
        sign = valence(membrane.balance)
        counter = next((ion for ion in held if valence(ion) * sign < 0), None)
        if counter is not None:
            held[counter] = held[counter] + lacking * sign / -valence(counter)
    return Snapshot(amounts, snapshot.volumes, snapshot.potentials)
