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
    integrate = integrator(WORKLOADS[workload].times, rtol)
    starts, cells = np.ascontiguousarray(y0.T), np.ascontiguousarray(theta.T)

    def run() -> tuple[np.ndarray, np.ndarray]:
        y, claimed = integrate(starts, cells)
        return np.moveaxis(y, 0, -1), claimed

    return run


def integrator(times: np.ndarray, rtol: float) -> Callable[[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]:
    """Function from starts `(cells, 16)` and θ `(cells, 30)` to states `(cells, times, 16)` and which cells the solver claims to have solved."""
    rate = compiled.function(lambda t, z, theta: f(t, z * SCALE, theta) / SCALE, t=None, z=16, theta=30)

    @numba.cfunc(lsoda_sig)
    def callback(t, z, out, theta):
        rate(t, z, theta, out)

    times = np.ascontiguousarray(times)  # LSODA reads them as they lie in memory

    @numba.njit
    def integrate(address, starts, cells):
        z, claimed = np.empty((len(cells), len(times), 16)), np.empty(len(cells), np.bool_)
        for i in range(len(cells)):
            z[i], claimed[i] = lsoda(address, starts[i], times, cells[i], rtol, rtol, 10_000_000)
        return z, claimed

    def of_states(starts: np.ndarray, cells: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        # Asked for here, so that what is at the address lives as long as this function.
        z, claimed = integrate(callback.address, starts / SCALE, cells)
        return z * SCALE, claimed

    return of_states
