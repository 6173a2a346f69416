"""SUNDIALS' CVODE (BDF) through scikit-sundae, cell by cell, with compiled rates and Jacobian; also the judge, at a tight tolerance."""

from collections.abc import Callable

import compiled
import numpy as np
from canonical import SCALE, WORKLOADS, f
from sksundae.cvode import CVODE

MOST_STEPS = 10_000_000


def prepare(y0: np.ndarray, theta: np.ndarray, workload: str, rtol: float) -> Callable[[], tuple[np.ndarray, np.ndarray]]:
    """Function that integrates all cells; returns states `(times, 16, cells)` and which cells the solver claims to have solved."""
    times = WORKLOADS[workload].times
    rate, by_y = compiled.function(f, t=None, y=16, theta=30), compiled.derivative(f, "y", t=None, y=16, theta=30)
    at = np.empty(30)

    def rates(t, y, out):
        rate(t, y, at, out)

    def jacobian(t, y, _, out):
        out[:] = 0.0
        by_y(t, y, at, out)

    solver = CVODE(rates, rtol=rtol, atol=rtol * SCALE, jacfn=jacobian, max_num_steps=MOST_STEPS)
    starts, cells = np.ascontiguousarray(y0.T), np.ascontiguousarray(theta.T)

    def run() -> tuple[np.ndarray, np.ndarray]:
        saved, claimed = np.full((len(cells), len(times), 16), np.nan), np.empty(len(cells), bool)
        for i, cell in enumerate(cells):
            at[:] = cell
            found = solver.solve(times, starts[i])
            claimed[i] = found.success
            saved[i, : len(found.y)] = found.y
        return np.moveaxis(saved, 0, -1), claimed

    return run
