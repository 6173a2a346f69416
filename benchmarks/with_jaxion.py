"""jaxion through its public functions, from the arrays of parameters to the arrays of set-points and sensitivities, certificates included."""

from collections.abc import Callable

import numpy as np
from neuron import LOGNORMAL, NOMINAL, OF

import jaxion

jaxion.enable_x64()


def prepare(theta: np.ndarray, solver: str) -> Callable[[], tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Function that solves all cells; returns states `(5, cells)`, sensitivities `(5, parameters, cells)` and what the solver claims."""
    assert solver == "setpoint"
    model = jaxion.models.duesterwald2018()
    # The rivals' parameters are written out by hand: they must be those of the model.
    np.testing.assert_allclose([float(model[path]) for path in NOMINAL], list(NOMINAL.values()), rtol=1e-12)
    drawn = {path: row for path, row in zip(NOMINAL, theta, strict=True) if path in (*LOGNORMAL, "neuron.z")}

    def run() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        cells = jaxion.replace(model, drawn)
        point = jaxion.setpoint(cells)
        states = point.read(OF)
        sensitivities = jaxion.sensitivity(cells, of=OF, wrt=tuple(NOMINAL), scaled=False, point=point)
        return np.stack([np.asarray(states[path]) for path in OF]), np.asarray(sensitivities.matrix), np.asarray(point.ok)

    return run
