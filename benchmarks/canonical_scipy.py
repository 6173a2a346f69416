"""SciPy's root-finders on the canonical cell, cell by cell, everything compiled by Numba; sensitivities in one compiled loop over the cells."""

import warnings
from collections.abc import Callable

import compiled
import numba
import numpy as np
from canonical_reduced import UNKNOWNS, residual, start, state
from scipy.optimize import fsolve, root

TOLERANCE = 1e-12
"""Relative step at which a search ends: the next one is at rounding, as jaxion's is."""

N, P = len(UNKNOWNS), 25


def prepare(theta: np.ndarray, solver: str) -> Callable[[], tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Function that solves all cells; returns states `(16, cells)`, sensitivities `(16, 25, cells)` and what the solver claims."""
    balance, by_x, differentiate = _compile()
    starts, cells = np.ascontiguousarray(start(theta).T), np.ascontiguousarray(theta.T)

    def search(x: np.ndarray, p: np.ndarray) -> tuple[np.ndarray, bool]:
        if solver == "fsolve":
            x, _, flag, _ = fsolve(balance, x, (p,), by_x, full_output=True, xtol=TOLERANCE)
            return x, flag == 1
        found = root(balance, x, (p,), method="lm", jac=by_x, options={"xtol": TOLERANCE, "ftol": TOLERANCE})
        return found.x, found.success

    def run() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        x, claimed = np.empty((len(cells), N)), np.empty(len(cells), bool)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a search that gets lost says so, and is counted
            for i, (begin, p) in enumerate(zip(starts, cells, strict=True)):
                x[i], claimed[i] = search(begin, p)
        states, sensitivities = differentiate(x, cells)
        return states.T, np.moveaxis(sensitivities, 0, -1), claimed

    return run


def _compile() -> tuple[Callable[..., np.ndarray], ...]:
    sizes = {"x": N, "theta": P}
    value, full = compiled.function(residual, **sizes), compiled.function(state, **sizes)
    by_unknowns, by_parameters = (compiled.derivative(residual, wrt, **sizes) for wrt in sizes)
    full_by_unknowns, full_by_parameters = (compiled.derivative(state, wrt, **sizes) for wrt in sizes)

    @numba.njit
    def balance(x, p):
        out = np.empty(N)
        value(x, p, out)
        return out

    @numba.njit
    def by_x(x, p):
        out = np.zeros((N, N))
        by_unknowns(x, p, out)
        return out

    @numba.njit
    def differentiate(x, cells):
        y, S = np.empty((len(x), 16)), np.empty((len(x), 16, P))
        for i in range(len(x)):
            p = cells[i]
            full(x[i], p, y[i])
            J, J_p, Y, Y_p = by_x(x[i], p), np.zeros((N, P)), np.zeros((16, N)), np.zeros((16, P))
            by_parameters(x[i], p, J_p)
            full_by_unknowns(x[i], p, Y)
            full_by_parameters(x[i], p, Y_p)
            # A search that got lost has no derivatives.
            if np.isfinite(J).all() and np.linalg.det(J) != 0.0:
                S[i] = Y_p - Y @ np.linalg.solve(J, J_p)
            else:
                S[i] = np.nan
        return y, S

    return balance, by_x, differentiate
