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
from jaxion.mechanisms import (
    AbstractGated,
    AbstractMechanism,
    AbstractModulator,
    HHSodium,
    Leak,
    MembraneView,
    Modulated,
    NaKATPaseKager,
    Side,
    Temperature,
)
from jaxion.mechanisms.base import gates, parameters
from jaxion.units import BODY_RT_F, FARADAY

IONS = ("Na", "K", "Cl")
"""Values of a field `ion`."""

COMBINATIONS = (("K", "Cl"), ("K",), ("Cl",), ("Na", "Ca"))
"""Values of a field `ions`."""

STOICHIOMETRIES = {"n_Na": (1, 2), "n_HCO3": (2, 3), "coupling": ("2Na:1Cl", "3Na:1Cl"), "bound": (0, 1, 2), "side": ("inside", "outside")}
"""Values of fields that choose a stoichiometry, by field."""


def concrete(kind: type) -> list[type]:
    """All public classes of a kind that are not abstract."""
    members = inspect.getmembers(mechanisms, inspect.isclass)
    return [member for _, member in members if issubclass(member, kind) and not inspect.isabstract(member)]


CLASSES = concrete(AbstractMechanism)
MODULATORS = concrete(AbstractModulator)

each_class = pytest.mark.parametrize("cls", CLASSES, ids=lambda cls: cls.__name__)
each_documented = pytest.mark.parametrize("cls", [*CLASSES, *MODULATORS], ids=lambda cls: cls.__name__)


def typical(field: dataclasses.Field) -> float:
    """Middle of a parameter's typical range; geometric, since most span decades."""
    low, high = field.metadata["typical"]
    return math.sqrt(low * high) if low > 0 else (low + high) / 2


def numbers(cls: type) -> dict[str, float]:
    """Typical parameters of a mechanism or modulator."""
    return {name: typical(field) for name, field in parameters(cls).items()}


def modulated() -> list[AbstractMechanism]:
    """A pump or, where the rate as a whole is modulated, a leak by each modulator; gates; and two modulators of one mechanism."""
    by = [one for cls in MODULATORS for one in variants(cls)]
    pump, leak = NaKATPaseKager(**numbers(NaKATPaseKager)), Leak("K", **numbers(Leak))
    found: list[AbstractMechanism] = [Modulated(pump if one.of else leak, by=one) for one in by]
    warm: dict[str, Any] = numbers(Temperature)
    found.append(Modulated(HHSodium(**numbers(HHSodium)), by=Temperature(**warm, of="phi")))
    return [*found, Modulated(found[0], by=Temperature(**warm))]


def variants(cls: type) -> list[Any]:
    """Instances of a mechanism or modulator at typical parameters, one for each value of a field that chooses what a turnover moves."""
    if cls is Modulated:
        return modulated()
    given = numbers(cls)
    free = {f.name for f in dataclasses.fields(cls) if f.init and f.default is dataclasses.MISSING} - set(given)
    assert free <= {"ion"}, f"`variants` cannot fill in the fields {sorted(free - {'ion'})} of {cls.__name__}: teach it how."
    fields = {f.name for f in dataclasses.fields(cls)}
    choices = {"ion": IONS, "ions": COMBINATIONS, **STOICHIOMETRIES}
    arguments: list[dict[str, Any]] = [{name: one} for name in sorted(fields & set(choices)) for one in choices[name]]
    arguments = arguments or [{}]
    # One without what may be left out.
    optional = {name: None for name, field in parameters(cls).items() if field.metadata["optional"]}
    return [cls(**(given | more)) for more in [*arguments, *([arguments[0] | optional] if optional else [])]]


INSTANCES = [instance for cls in CLASSES for instance in variants(cls)]


def identity(mechanism: AbstractMechanism | AbstractModulator) -> str:
    if isinstance(mechanism, Modulated):
        return f"{identity(mechanism.mechanism)}-by-{identity(mechanism.by)}"
    ion = getattr(mechanism, "ion", None)
    ions = [ion] if ion else getattr(mechanism, "ions", ())
    chosen = [str(getattr(mechanism, field)) for field in STOICHIOMETRIES if hasattr(mechanism, field)]
    left_out = ["less"] if len(parameters(mechanism)) < len(parameters(type(mechanism))) else []
    return "-".join([type(mechanism).__name__, *ions, *chosen, *left_out])


each_instance = pytest.mark.parametrize("mechanism", INSTANCES, ids=identity)
each_passive = pytest.mark.parametrize("mechanism", [m for m in INSTANCES if m.passive], ids=identity)
each_pump = pytest.mark.parametrize("pump", [m for m in INSTANCES if type(m).__name__.startswith("NaKATPase")], ids=identity)


GATES = tuple(sorted({gate for instance in INSTANCES for gate in gates(instance)}))
"""Names of all gates; one of a name serves as a mechanism's own and as its partners'."""


class State(NamedTuple):
    """Everything that a rate may look at: mM, open fractions, pL, fmol/s, mV."""

    inside: dict[str, Any]
    outside: dict[str, Any]
    gates: dict[str, Any]
    volume_inside: Any
    volume_outside: Any
    ATP: Any
    V: Any
    osmolarity_inside: Any
    osmolarity_outside: Any


def view(state: State) -> MembraneView:
    return MembraneView(
        inside=Side(state.inside, state.osmolarity_inside, state.volume_inside),
        outside=Side(state.outside, state.osmolarity_outside, state.volume_outside),
        ATP=state.ATP,
        V=state.V,
        RT_F=jnp.asarray(BODY_RT_F),
        F=jnp.asarray(FARADAY),
        gates={partner: state.gates for instance in INSTANCES for partner, _ in instance.reads},
        own=state.gates,
    )


def rate(mechanism: AbstractMechanism, state: State) -> Array:
    return mechanism.rate(view(state))


def opening(mechanism: AbstractGated, gate: str, state: State) -> Array:
    """Rate of change of a gate, 1/s."""
    alpha, beta = mechanism.gating(view(state))[gate]
    return alpha * (1.0 - state.gates[gate]) - beta * state.gates[gate]


def affinity(mechanism: AbstractMechanism, state: State) -> Array:
    return view(state).affinity(mechanism.cycle)


def draw(rng: np.random.Generator, *shape: int, low: float = 1e-3, high: float = 1e3, ions: Iterable[str] = VALENCE) -> State:
    """Log-uniform concentrations (mM) of solutes, of oxygen a hundredth of them, gates anywhere, V within ±150 mV."""

    def between(low: float, high: float) -> Array:
        return jnp.asarray(np.exp(rng.uniform(np.log(low), np.log(high), shape)))

    def concentrations() -> dict[str, Array]:
        return {ion: between(low, high) * (0.01 if ion == "O2" else 1.0) for ion in ions}

    V, *osmolarities = (jnp.asarray(rng.uniform(lowest, highest, shape)) for lowest, highest in ((-150, 150), (100, 600), (100, 600)))
    gates = {gate: jnp.asarray(rng.uniform(0, 1, shape)) for gate in GATES}
    sizes = between(0.1, 10.0), between(0.1, 10.0), between(0.01, 100.0)
    return State(concentrations(), concentrations(), gates, *sizes, V, osmolarities[0], osmolarities[1])


def uniform(state: State, **changes: Any) -> State:
    """The state as float arrays of shape `()`."""
    return jax.tree.map(lambda x: jnp.asarray(x, float), state._replace(**changes))


REST = uniform(
    State(
        inside={ion: 1.0 for ion in VALENCE} | {"Na": 12.0, "K": 135.0, "Cl": 7.0, "Ca": 1e-4, "H": 6e-5, "HCO3": 12.0},
        outside={ion: 0.1 for ion in VALENCE} | {"Na": 145.0, "K": 3.5, "Cl": 119.0, "Ca": 1.5, "H": 4e-5, "HCO3": 24.0},
        gates=dict.fromkeys(GATES, 0.3),
        volume_inside=2.0,
        volume_outside=0.5,
        ATP=1.0,
        V=-70.0,
        osmolarity_inside=290.0,
        osmolarity_outside=300.0,
    )
)
