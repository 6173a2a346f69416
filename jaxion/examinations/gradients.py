"""Derivatives of a transient and of a set-point by three roads: reverse, forward, and central differences of values."""

from collections.abc import Callable
from typing import Any, Final

import jax
import jax.numpy as jnp
import numpy as np

from jaxion.examinations.outcomes import Finding, Procedure
from jaxion.models import duesterwald2018
from jaxion.paths import replace
from jaxion.protocols import Protocol, block, rest
from jaxion.sensitivities import sensitivity
from jaxion.setpoints import setpoint
from jaxion.transients import solve

OF: Final = "neuron.V"
WRT: Final = ("neuron.nka.v_max", "neuron.kcc2.g", "bath.K")

STEP: Final = 1e-3
"""Relative displacement of a parameter."""

BOUND: Final = 1e-6
"""Largest disagreement, relative to the largest derivative: differences have no more digits."""


def examinations() -> list[Procedure]:
    """Gradients of a transient, by the length of its pump block too, and of a set-point."""
    return [Procedure("gradient of a transient", BOUND, _transient), Procedure("gradient of a set-point", BOUND, _setpoint)]


def _transient() -> Finding:
    model = duesterwald2018()

    def V(x: Any) -> Any:
        protocol = Protocol(rest(10.0), block("neuron.nka", 0.9, 60.0 * x[-1]))
        return solve(_scaled(model, x), protocol, rtol=1e-10).final[OF]

    x = jnp.ones(len(WRT) + 1)
    return _audit(V, jax.grad(V)(x), jax.jacfwd(V)(x), "after a pump block")


def _setpoint() -> Finding:
    model = duesterwald2018()

    def V(x: Any) -> Any:
        return setpoint(_scaled(model, x))[OF]

    forward = sensitivity(model, of=(OF,), wrt=WRT).matrix[0]
    return _audit(V, jax.grad(V)(jnp.ones(len(WRT))), forward, "at rest")


def _scaled(model: Any, x: Any) -> Any:
    """The model with each parameter times a factor, so that derivatives are all in mV per e-fold."""
    return replace(model, {path: model[path] * x[k] for k, path in enumerate(WRT)})


def _audit(function: Callable, reverse: Any, forward: Any, where: str) -> Finding:
    differences = np.array([_difference(function, k, len(forward)) for k in range(len(forward))])
    size = np.abs(differences).max()
    modes, values = (np.abs(np.asarray(found) - forward).max() / size for found in (reverse, differences))
    what = f"{len(forward)} derivatives of {OF} {where}"
    return Finding(float(np.max([modes, values])), f"{what}: reverse against forward {modes:.0e}, central differences {values:.0e}")


def _difference(function: Callable, k: int, count: int) -> float:
    """Central difference of fourth order."""
    there = {h: float(function(jnp.ones(count).at[k].add(h * STEP))) for h in (-2, -1, 1, 2)}
    return (8.0 * (there[1] - there[-1]) - (there[2] - there[-2])) / (12.0 * STEP)
