"""Every published model, its parts in other combinations, and states to put it in."""

import functools
import inspect
from collections.abc import Callable, Mapping
from typing import Any

import equinox as eqx
import jax.numpy as jnp
import numpy as np
import pytest
from jaxtyping import Array

import jaxion
from jaxion import Compartment, Model
from jaxion.compartment import AREA_EXPONENT
from jaxion.declaration import CLOSURES
from jaxion.ions import VALENCE, kind
from jaxion.snapshot import area_ratio, capacitor_charge, inside_charge
from jaxion.structure import Structure

each_model = pytest.mark.parametrize("name", jaxion.models.__all__)
LARGEST = ("edneg2021", "kalia2021")
"""Models of so many rows or gates that `jax.numpy` takes minutes to compile the search for a set-point."""
each_model_large_ones_slow = pytest.mark.parametrize(
    "name",
    [pytest.param(name, marks=pytest.mark.slow) if name in (*LARGEST, "halnes2013") else name for name in jaxion.models.__all__],
)
each_model_compiled = pytest.mark.parametrize(
    "name",
    [
        name if name == "duesterwald2018" else pytest.param(name, marks=pytest.mark.slow)
        for name in jaxion.models.__all__
        if name not in LARGEST
    ],
)
CHAINS = ("state", "layered")
"""Closures that a chain of nodes may have."""
each_closure = pytest.mark.parametrize("closure", [closure for closure in CLOSURES if closure != "as published"])

UNITS = {
    "mM",
    "M",
    "mV",
    "V",
    "nS",
    "µS",
    "mS",
    "S",
    "pA",
    "µA",
    "A",
    "C",
    "pF",
    "µF",
    "F",
    "cm",
    "dm",
    "m",
    "mol",
    "µm",
    "mg",
    "g",
    "L",
    "ms",
    "s",
    "min",
    "pL",
    "fmol",
    "nmol",
    "µPa",
}


SHORT = {"halnes2013": {"nodes": 2}}
"""Chains that have every kind of node and connection, but no more of them than needed."""


SPREAD = {"kalia2021": 0.01}
"""Factor on random spreads of a model function's arguments, where it has a baseline only nearby.

Two leaks of `kalia2021` are calibrated to small differences of large fluxes: a few per mille more of another number, and one would have
to be negative.
"""


def function(name: str) -> Callable[..., Model]:
    published = getattr(jaxion.models, name)
    return functools.wraps(published)(functools.partial(published, **SHORT[name])) if name in SHORT else published


def numbers(name: str) -> dict[str, float]:
    """Arguments of a model function that are numbers, with their defaults."""
    defaults = {key: p.default for key, p in inspect.signature(function(name)).parameters.items()}
    return {key: default for key, default in defaults.items() if not isinstance(default, str | int)}


def lawful(model: Model) -> tuple[str, ...]:
    """Closures of a model that tie its potential to the charge."""
    return CHAINS if model.axials else tuple(closure for closure in CLOSURES if closure not in ("as published", "layered"))


def skip_if_unlawful(model: Model, closure: str) -> None:
    if closure not in lawful(model):
        pytest.skip(f"{model.name} has other closures")


def rebuilt(model: Model, closure: str, **parts: Any) -> Model:
    """The model with another closure or other parts."""
    own = {"compartments": model.compartments, "baths": model.baths, "membranes": list(model.membranes.values())}
    own |= {"links": list(model.links.values()), "axials": list(model.axials.values())}
    own |= {"gates": model.gates, "breaks": model.breaks, "RT_F": model.RT_F, "F": model.F}
    return Model(**(own | parts), name=model.name, source=model.source, closure=closure)


def skip_if_broken(model: Model, law: str) -> None:
    if law in model.breaks:
        pytest.skip(f"{model.name} breaks the law of {law}, and says so")


def closed(model: Model, closure: str, ratio: float) -> Model:
    """The model with each bath replaced by a compartment of `ratio` times the cell's volume, neutral together with the cell."""
    open_, volume = rebuilt(model, closure), ratio * sum(c.volume for c in model.compartments.values())
    baseline = open_.baseline()
    inside = sum(charge(open_, baseline.amounts, compartment) for compartment in open_.compartments)
    finite = {}
    for name, bath in model.baths.items():
        mobile = volume * sum(VALENCE[ion] * c for ion, c in bath.concentrations.items())
        impermeant = bath.impermeant * volume
        z = -(mobile + inside) / jnp.where(impermeant > 0, impermeant, 1.0)
        finite[name] = Compartment(bath.concentrations, volume=volume, impermeant=impermeant, z=z)
    return rebuilt(model, closure, compartments={**model.compartments, **finite}, baths={})


def element(solute: str) -> str:
    """What no reaction changes: glutamate of whatever pool is glutamate."""
    return kind(solute)


def spent(structure: Structure) -> set[str]:
    """Solutes that a reaction uses up: oxygen, of which no water and carbon dioxide are kept."""
    found = set()
    for boundary in structure.boundaries:
        for _, cycle in boundary.cycles:
            for solute, _ in cycle.reaction:
                if sum(count for other, count in cycle.reaction if element(other) == element(solute)):
                    found.add(solute)
    return found


def charge(model: Model, amounts: Mapping[str, Mapping[str, Array]], name: str) -> Array:
    """Net charge of a compartment, fmol."""
    compartment = model.compartments[name]
    return sum(VALENCE[ion] * n for ion, n in amounts[name].items()) + compartment.z * compartment.impermeant


def area(model: Model, volumes: Mapping[str, Array], name: str) -> Array:
    """Area of a membrane over its baseline area."""
    return (volumes[name] / model.compartments[name].volume) ** AREA_EXPONENT[model.membranes[name].area]


def scattered(model: Model, rng: np.random.Generator, cells: int = 40) -> Array:
    """States around the baseline: amounts and volumes scatter by 20 %, potentials from -120 to 60 mV.

    Where the potential follows from the charge, the balancing ion brings it there: a few per cent of an ion are kilovolts.
    """
    start = model.pack(model.baseline())[:, None]
    states = start * np.exp(rng.normal(0, 0.2, (len(model.rows), cells)))
    potentials = [i for i, row in enumerate(model.rows) if row.endswith(".V")]
    states = states.at[jnp.asarray(potentials, int)].set(rng.uniform(-120, 60, (len(potentials), cells)))
    if model.closure not in ("difference", "layered"):
        return states
    snapshot = model.unpack(states)
    for inside, membrane in model.membranes.items():
        V = jnp.asarray(rng.uniform(-120, 60, cells))
        lacking = capacitor_charge(model, membrane, V, area_ratio(model, snapshot, membrane)) - inside_charge(model, snapshot, inside)
        row = model.rows.index(f"{inside}.n_{membrane.balance}")
        states = states.at[row].add(lacking / VALENCE[membrane.balance])
        assert (states[row] > 0).all()
    return states


@eqx.filter_jit
def _compiled(method: str, model: Model, states: Array) -> Any:
    return getattr(model, method)(states)


def evaluate(method: str, model: Model, states: Array) -> Any:
    """`rhs`, `fluxes` or `unpack`, compiled where a potential is solved for; elsewhere the plain operations are quicker."""
    return _compiled(method, model, states) if model.closure == "electroneutral" else getattr(model, method)(states)


def named(model: Model, rows: Array) -> dict[str, Array]:
    return dict(zip(model.rows, rows, strict=True))


def rows(model, values):
    """State rows of concentrations (mM), gates and potentials by path; amounts and volumes are made of them."""
    found = []
    for row in model.rows:
        name, _, rest = row.partition(".")
        if rest.startswith("n_"):
            found.append(values[f"{name}.{rest[2:]}"] * model[f"{name}.volume"])
        else:
            found.append(values.get(row, model[row]))
    return jnp.stack(jnp.broadcast_arrays(*found))


def rates(model, values):
    """Rates of change by path per ms: of concentrations, gates and potentials."""
    change = dict(zip(model.rows, 1e-3 * np.asarray(model.rhs(rows(model, values))), strict=True))
    return {
        row.replace(".n_", "."): rate / (float(model[f"{row.partition('.')[0]}.volume"]) if ".n_" in row else 1.0)
        for row, rate in change.items()
    }
