"""Variational equations by SUNDIALS' CVODE through scikit-sundae, cell by cell, and the loss alone; also the judge, at a tight tolerance.

The derivatives are integrated beside the states, under the same control of error: s_k = θ_k ∂y/∂θ_k has the unit of y.
"""

from collections.abc import Callable

import compiled
import numba
import numpy as np
from canonical import DRIVE, PARAMETERS, SCALE, STATES, WORKLOADS, f
from gradients_loss import WORKLOAD, WRT, by_saved, loss
from sksundae.cvode import CVODE
from transients_sundials import MOST_STEPS
from transients_sundials import prepare as prepare_states

ROWS = len(STATES)


def prepare(y0: np.ndarray, theta: np.ndarray, mode: str, rtol: float) -> Callable[[], tuple[np.ndarray, ...]]:
    """Function that solves all cells; returns losses, which cells the solver claims to have solved, and gradients `(25, cells)`."""
    if mode == "loss":
        states = prepare_states(y0, theta, WORKLOAD, rtol)

        def run_alone() -> tuple[np.ndarray, ...]:
            saved, claimed = states()
            return loss(saved, y0), claimed

        return run_alone
    solve = variational(WORKLOADS[WORKLOAD].times, rtol)

    def run() -> tuple[np.ndarray, ...]:
        cells = theta.shape[1]
        losses, claimed, gradients = np.full(cells, np.nan), np.zeros(cells, bool), np.full((WRT, cells), np.nan)
        for i in range(cells):
            saved, moved, claimed[i] = solve(y0[:, i], theta[:, i])
            if claimed[i]:
                losses[i] = loss(saved, y0[:, i])
                gradients[:, i] = np.einsum("ti,tki->k", by_saved(saved, y0[:, i]), moved) / theta[:WRT, i]
        return losses, claimed, gradients

    return run


def variational(times: np.ndarray, rtol: float) -> Callable[[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray, bool]]:
    """Function from a start and θ of one cell to states `(times, 16)`, their derivatives by ln θ `(times, 25, 16)`, and the solver's claim."""
    at = np.empty(len(PARAMETERS) + len(DRIVE))
    rates, jacobian = _compiled_variational()
    solver = CVODE(
        lambda t, z, out: rates(t, z, at, out),
        rtol=rtol,
        atol=np.tile(rtol * SCALE, 1 + WRT),
        # Newton's matrix leaves out how the sensitivities depend on the states: it only has to converge.
        jacfn=lambda t, z, _, out: jacobian(t, z, at, out),
        linsolver="band",
        lband=ROWS - 1,
        uband=ROWS - 1,
        max_num_steps=MOST_STEPS,
    )

    def solve(y0: np.ndarray, theta: np.ndarray) -> tuple[np.ndarray, np.ndarray, bool]:
        at[:] = theta
        found = solver.solve(times, np.concatenate([y0, np.zeros(WRT * ROWS)]))
        return found.y[:, :ROWS], found.y[:, ROWS:].reshape(-1, WRT, ROWS), found.success

    return solve


def _compiled_variational() -> tuple[Callable[..., None], Callable[..., None]]:
    """Rates of the states and of θ ∂y/∂θ, and the blocks on the diagonal of their Jacobian, in which one cell's J is repeated."""
    sizes = {"t": None, "y": ROWS, "theta": 30}
    rate, by_y, by_theta = compiled.function(f, **sizes), compiled.derivative(f, "y", **sizes), compiled.derivative(f, "theta", **sizes)

    @numba.njit
    def rates(t, z, theta, out):
        J, P = np.zeros((ROWS, ROWS)), np.zeros((ROWS, 30))
        y = z[:ROWS]
        rate(t, y, theta, out[:ROWS])
        by_y(t, y, theta, J)
        by_theta(t, y, theta, P)
        for k in range(WRT):
            s, ds = z[(k + 1) * ROWS : (k + 2) * ROWS], out[(k + 1) * ROWS : (k + 2) * ROWS]
            for i in range(ROWS):
                total = P[i, k] * theta[k]
                for j in range(ROWS):
                    total += J[i, j] * s[j]
                ds[i] = total

    @numba.njit
    def jacobian(t, z, theta, out):
        J = np.zeros((ROWS, ROWS))
        by_y(t, z[:ROWS], theta, J)
        for k in range(1 + WRT):
            out[k * ROWS : (k + 1) * ROWS, k * ROWS : (k + 1) * ROWS] = J

    return rates, jacobian
