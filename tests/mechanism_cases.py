"""Every mechanism that there is, at typical parameters, and states to put it in."""

import dataclasses
import inspect
import math
from collections.abc import Iterable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jaxtyping import Array

from jaxion import mechanisms
from jaxion.ions import VALENCE
from jaxion.mechanisms import AbstractMechanism, MembraneView, Side
from jaxion.mechanisms.base import parameters
from jaxion.units import BODY_RT_F, FARADAY

IONS = ("Na", "K", "Cl")
"""Values of a field `ion`."""

CLASSES = [
    member
    for _, member in inspect.getmembers(mechanisms, inspect.isclass)
    if issubclass(member, AbstractMechanism) and not inspect.isabstract(member)
]

each_class = pytest.mark.parametrize("cls", CLASSES, ids=lambda cls: cls.__name__)


def typical(field: dataclasses.Field) -> float:
    """Middle of a parameter's typical range; geometric, since most span decades."""
    low, high = field.metadata["typical"]
    return math.sqrt(low * high) if low > 0 else (low + high) / 2


def variants(cls: type[AbstractMechanism]) -> list[AbstractMechanism]:
    """Instances at typical parameters, one for each ion if the class has a field `ion`."""
    numbers = {name: typical(field) for name, field in parameters(cls).items()}
    free = {f.name for f in dataclasses.fields(cls) if f.init and f.default is dataclasses.MISSING} - set(numbers)
    assert free <= {"ion"}, f"`variants` cannot fill in the fields {sorted(free - {'ion'})} of {cls.__name__}: teach it how."
    arguments: list[dict[str, Any]] = [{"ion": ion} for ion in IONS] if free else [{}]
    return [cls(**numbers, **more) for more in arguments]


INSTANCES = [instance for cls in CLASSES for instance in variants(cls)]


def identity(mechanism: AbstractMechanism) -> str:
    return "-".join([type(mechanism).__name__, *([mechanism.ion] if hasattr(mechanism, "ion") else [])])  # type: ignore[attr-defined]


each_instance = pytest.mark.parametrize("mechanism", INSTANCES, ids=identity)
each_passive = pytest.mark.parametrize("mechanism", [m for m in INSTANCES if type(m).passive], ids=identity)
each_pump = pytest.mark.parametrize("pump", [m for m in INSTANCES if type(m).__name__.startswith("NaKATPase")], ids=identity)


class State(NamedTuple):
    """Everything that a rate may look at: mM, mV."""

    inside: dict[str, Any]
    outside: dict[str, Any]
    V: Any
    osmolarity_inside: Any
    osmolarity_outside: Any


def view(state: State) -> MembraneView:
    return MembraneView(
        inside=Side(state.inside, state.osmolarity_inside),
        outside=Side(state.outside, state.osmolarity_outside),
        V=state.V,
        RT_F=jnp.asarray(BODY_RT_F),
        F=jnp.asarray(FARADAY),
    )


def rate(mechanism: AbstractMechanism, state: State) -> Array:
    return mechanism.rate(view(state))


def affinity(mechanism: AbstractMechanism, state: State) -> Array:
    return view(state).affinity(mechanism.cycle)


def draw(rng: np.random.Generator, *shape: int, low: float = 1e-3, high: float = 1e3, ions: Iterable[str] = VALENCE) -> State:
    """Log-uniform concentrations (mM) of solutes, V within ±150 mV."""

    def concentrations() -> dict[str, Array]:
        return {ion: jnp.asarray(np.exp(rng.uniform(np.log(low), np.log(high), shape))) for ion in ions}

    V, *osmolarities = (jnp.asarray(rng.uniform(lowest, highest, shape)) for lowest, highest in ((-150, 150), (100, 600), (100, 600)))
    return State(concentrations(), concentrations(), V, osmolarities[0], osmolarities[1])


def uniform(state: State, **changes: Any) -> State:
    """The state as float arrays of shape `()`."""
    return jax.tree.map(lambda x: jnp.asarray(x, float), state._replace(**changes))


REST = uniform(
    State(
        inside={ion: 1.0 for ion in VALENCE} | {"Na": 12.0, "K": 135.0, "Cl": 7.0, "Ca": 1e-4, "H": 6e-5, "HCO3": 12.0},
        outside={ion: 0.1 for ion in VALENCE} | {"Na": 145.0, "K": 3.5, "Cl": 119.0, "Ca": 1.5, "H": 4e-5, "HCO3": 24.0},
        V=-70.0,
        osmolarity_inside=290.0,
        osmolarity_outside=300.0,
    )
)
