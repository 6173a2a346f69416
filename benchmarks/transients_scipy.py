"""SciPy's stiff integrators, cell by cell, with rates and Jacobian compiled by Numba."""

from collections.abc import Callable
from typing import Any

import compiled
import numba
import numpy as np
from canonical import SCALE, WORKLOADS, f
from scipy.integrate import odeint, solve_ivp


def prepare(y0: np.ndarray, theta: np.ndarray, solver: str, workload: str, rtol: float) -> Callable[[], tuple[np.ndarray, np.ndarray]]:
    """Function that integrates all cells; returns states `(times, 16, cells)` and which cells the solver claims to have solved."""
    integrate = integrator(solver, WORKLOADS[workload].times, rtol)
    starts, cells = np.ascontiguousarray(y0.T), np.ascontiguousarray(theta.T)

    def run() -> tuple[np.ndarray, np.ndarray]:
        saved, claimed = integrate(starts, cells)
        return np.moveaxis(saved, 0, -1), claimed

    return run


def integrator(solver: str, times: np.ndarray, rtol: float) -> Callable[[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]:
    """Function from starts `(cells, 16)` and θ `(cells, 30)` to states `(cells, times, 16)` and which cells the solver claims to have solved."""
    rates, jacobian = _callbacks()

    def one(start: np.ndarray, cell: np.ndarray) -> tuple[np.ndarray, bool]:
        common: dict[str, Any] = {"args": (cell,), "rtol": rtol, "atol": rtol * SCALE}
        if solver == "odeint":
            y, said = odeint(rates, start, times, Dfun=jacobian, tfirst=True, mxstep=1_000_000, full_output=True, **common)
            return y, said["message"] == "Integration successful."
        found = solve_ivp(rates, (times[0], times[-1]), start, method=solver, t_eval=times, jac=jacobian, **common)
        return found.y.T, found.success

    def integrate(starts: np.ndarray, cells: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        saved, claimed = np.full((len(cells), len(times), 16), np.nan), np.empty(len(cells), bool)
        for i, (start, cell) in enumerate(zip(starts, cells, strict=True)):
            y, claimed[i] = one(start, cell)
            saved[i, : len(y)] = y
        return saved, claimed

    return integrate


def _callbacks() -> tuple[Callable[..., np.ndarray], Callable[..., np.ndarray]]:
    """Rates and Jacobian that return new arrays, as SciPy wants them."""
    rate, by_y = compiled.function(f, t=None, y=16, theta=30), compiled.derivative(f, "y", t=None, y=16, theta=30)

    @numba.njit
    def rates(t, y, theta):
        out = np.empty(16)
        rate(t, y, theta, out)
        return out

    @numba.njit
    def jacobian(t, y, theta):
        out = np.zeros((16, 16))
        by_y(t, y, theta, out)
        return out

    return rates, jacobian
