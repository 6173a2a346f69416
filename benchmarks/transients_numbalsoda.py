"""LSODA in C++ (numbalsoda), called for one cell after the other from a loop that Numba compiles: no Python between the steps.

It takes one absolute tolerance for all states, so it is given the states in units of their scale.
"""

from collections.abc import Callable

import compiled
import numba
import numpy as np
from canonical import SCALE, WORKLOADS, f
from numbalsoda import lsoda, lsoda_sig


def prepare(y0: np.ndarray, theta: np.ndarray, workload: str, rtol: float) -> Callable[[], tuple[np.ndarray, np.ndarray]]:
    """Function that integrates all cells; returns states `(times, 16, cells)` and which cells the solver claims to have solved."""
    times = WORKLOADS[workload].times
    rate = compiled.function(lambda t, z, theta: f(t, z * SCALE, theta) / SCALE, t=None, z=16, theta=30)

    @numba.cfunc(lsoda_sig)
    def callback(t, z, out, theta):
        rate(t, z, theta, out)

    address = callback.address

    @numba.njit
    def integrate(starts, cells):
        z, claimed = np.empty((len(cells), len(times), 16)), np.empty(len(cells), np.bool_)
        for i in range(len(cells)):
            z[i], claimed[i] = lsoda(address, starts[i], times, cells[i], rtol, rtol, 10_000_000)
        return z, claimed

    starts, cells = np.ascontiguousarray(y0.T / SCALE), np.ascontiguousarray(theta.T)

    def run() -> tuple[np.ndarray, np.ndarray]:
        z, claimed = integrate(starts, cells)
        return np.moveaxis(z * SCALE, 0, -1), claimed

    return run
