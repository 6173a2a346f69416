"""The same numbers by machine code and by `jax.numpy`."""

import functools
from collections.abc import Callable, Sequence
from typing import Any, Final

import numpy as np

from jaxion.examinations.outcomes import Finding, Procedure
from jaxion.model import Model
from jaxion.models import duesterwald2018
from jaxion.paths import replace
from jaxion.protocols import Protocol, block, rest
from jaxion.sensitivities import sensitivity
from jaxion.setpoints import setpoint
from jaxion.transients import solve

CELLS: Final = 16

BOUNDS: Final = {"transient": 1e-7, "set-point": 1e-9, "sensitivity": 1e-7}
"""Largest difference, relative to the largest value of a row in any cell; of a transient ten times its tolerance."""


def examinations() -> list[Procedure]:
    """Transients, set-points and sensitivities."""
    computed = {"transient": _transient, "set-point": _setpoint, "sensitivity": _sensitivity}
    return [
        Procedure(f"machine code: {name}", BOUNDS[name], functools.partial(_compare, function, name)) for name, function in computed.items()
    ]


def _compare(function: Callable[[Model, str], Sequence[Any]], name: str) -> Finding:
    model = duesterwald2018()
    cells = replace(model, {"neuron.nka.activity": np.linspace(0.7, 1.3, CELLS), "bath.K": np.linspace(8.0, 3.0, CELLS)})
    pairs = zip(function(cells, "llvm"), function(cells, "xla"), strict=True)
    worst = [np.max(np.abs(np.asarray(a) - b)) / np.max(np.abs(b)) for a, b in pairs]
    return Finding(float(np.max(worst)), f"{name} of {CELLS} cells of {model.name}, against jax.numpy")


def _transient(cells: Model, lowering: str) -> Sequence[Any]:
    protocol = Protocol(rest(10.0), block("neuron.nka", 0.9, 60.0))
    return list(solve(cells, protocol, rtol=1e-8, lowering=lowering, throw=True).final.rows)


def _setpoint(cells: Model, lowering: str) -> Sequence[Any]:
    point = setpoint(cells, lowering=lowering, throw=True)
    return list(point.read(point.state_paths()).values())


def _sensitivity(cells: Model, lowering: str) -> Sequence[Any]:
    matrix = sensitivity(cells, of=("neuron.V", "neuron.Cl"), wrt=("neuron.kcc2.g", "bath.K"), lowering=lowering).matrix
    return list(matrix.reshape(-1, CELLS))
