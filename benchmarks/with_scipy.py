"""SciPy's root-finders, cell by cell, on a residual and Jacobian compiled by Numba; sensitivities in one compiled loop over the cells."""

import math
from collections.abc import Callable

import numba
import numpy as np
from neuron import BATH_IMPERMEANT, NOMINAL, RT_F, START, F
from scipy.optimize import fsolve, root

TOLERANCE = 1e-12
"""Relative step at which a search ends: the next one is at rounding, as jaxion's is."""

_UNIT = RT_F / F


def prepare(theta: np.ndarray, solver: str) -> Callable[[], tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Function that solves all cells; returns states `(5, cells)`, sensitivities `(5, parameters, cells)` and what the solver claims."""
    search = {"fsolve": _fsolve, "lm": _lm}[solver]
    cells = np.ascontiguousarray(theta.T)

    def run() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        y, claimed = np.empty((len(cells), 4)), np.empty(len(cells), bool)
        for i, p in enumerate(cells):
            y[i], claimed[i] = search(p)
        states, sensitivities = _differentiate(y, cells)
        return states.T, np.moveaxis(sensitivities, 0, -1), claimed

    return run


def _fsolve(p: np.ndarray) -> tuple[np.ndarray, bool]:
    y, _, flag, _ = fsolve(residual, START, (p,), jacobian, full_output=True, xtol=TOLERANCE)
    return y, flag == 1


def _lm(p: np.ndarray) -> tuple[np.ndarray, bool]:
    found = root(residual, START, (p,), method="lm", jac=jacobian, options={"xtol": TOLERANCE, "ftol": TOLERANCE})
    return found.x, found.success


@numba.njit
def residual(y, p):
    """Balances of Na, K and Cl (fmol/s) and of charge (mM) at the unknowns `y`."""
    g_Na, g_K, g_Cl, g_KCC2, v_max, z, Na_o, K_o, Cl_o, w0, n_X, C = p
    Na, K, Cl, V = math.exp(y[0]), math.exp(y[1]), math.exp(y[2]), RT_F * y[3]
    E_Na, E_K, E_Cl = RT_F * (math.log(Na_o) - y[0]), RT_F * (math.log(K_o) - y[1]), RT_F * (y[2] - math.log(Cl_o))
    pump, kcc2 = v_max * (Na / Na_o) ** 3, g_KCC2 * (E_Cl - E_K) / F
    X = Na_o + K_o + Cl_o + BATH_IMPERMEANT - Na - K - Cl
    G = np.empty(4)
    G[0] = g_Na * (V - E_Na) / F + 3 * pump
    G[1] = g_K * (V - E_K) / F + kcc2 - 2 * pump
    G[2] = g_Cl * (E_Cl - V) / F + kcc2
    # C V √(w/w0) / w with w = n_X / X; without the root where a trial step has more ions than there is room for.
    G[3] = Na + K - Cl + z * X - C * V * math.sqrt(max(X, 0.0) / (n_X * w0)) / (1e3 * F)
    return G


@numba.njit
def jacobian(y, p):
    """∂G/∂y."""
    g_Na, g_K, g_Cl, g_KCC2, v_max, z, Na_o, K_o, Cl_o, w0, n_X, C = p
    Na, K, Cl, V = math.exp(y[0]), math.exp(y[1]), math.exp(y[2]), RT_F * y[3]
    X = Na_o + K_o + Cl_o + BATH_IMPERMEANT - Na - K - Cl
    pump, held = v_max * (Na / Na_o) ** 3, C * math.sqrt(max(X, 0.0) / (n_X * w0)) / (1e3 * F)
    by_X = z - (0.5 * held * V / X if X > 0.0 else 0.0)
    J = np.zeros((4, 4))
    J[0, 0], J[0, 3] = g_Na * _UNIT + 9 * pump, g_Na * _UNIT
    J[1, 0], J[1, 1], J[1, 2], J[1, 3] = -6 * pump, (g_K + g_KCC2) * _UNIT, g_KCC2 * _UNIT, g_K * _UNIT
    J[2, 1], J[2, 2], J[2, 3] = g_KCC2 * _UNIT, (g_Cl + g_KCC2) * _UNIT, -g_Cl * _UNIT
    J[3, 0], J[3, 1], J[3, 2], J[3, 3] = Na * (1 - by_X), K * (1 - by_X), -Cl * (1 + by_X), -held * RT_F
    return J


@numba.njit
def _by_parameters(y, p):
    """∂G/∂θ."""
    g_Na, g_K, g_Cl, g_KCC2, v_max, z, Na_o, K_o, Cl_o, w0, n_X, C = p
    Na, K, Cl, V = math.exp(y[0]), math.exp(y[1]), math.exp(y[2]), RT_F * y[3]
    E_Na, E_K, E_Cl = RT_F * (math.log(Na_o) - y[0]), RT_F * (math.log(K_o) - y[1]), RT_F * (y[2] - math.log(Cl_o))
    X = Na_o + K_o + Cl_o + BATH_IMPERMEANT - Na - K - Cl
    ratio, charge = (Na / Na_o) ** 3, C * V * math.sqrt(X / (n_X * w0)) / (1e3 * F)
    by_X = z - 0.5 * charge / X
    T = np.zeros((4, 12))
    T[0, 0], T[1, 1], T[2, 2] = (V - E_Na) / F, (V - E_K) / F, (E_Cl - V) / F
    T[1, 3] = T[2, 3] = (E_Cl - E_K) / F
    T[0, 4], T[1, 4] = 3 * ratio, -2 * ratio
    T[3, 5] = X
    T[0, 6], T[1, 6], T[3, 6] = (-g_Na * _UNIT - 9 * v_max * ratio) / Na_o, 6 * v_max * ratio / Na_o, by_X
    T[1, 7], T[2, 7], T[3, 7] = -(g_K + g_KCC2) * _UNIT / K_o, -g_KCC2 * _UNIT / K_o, by_X
    T[1, 8], T[2, 8], T[3, 8] = -g_KCC2 * _UNIT / Cl_o, -(g_Cl + g_KCC2) * _UNIT / Cl_o, by_X
    # A replaced volume takes the impermeants along: both the area's reference and n_X change.
    T[3, 9], T[3, 10], T[3, 11] = charge / w0, 0.5 * charge / n_X, -charge / C
    return T


@numba.njit
def _differentiate(y, cells):
    """States and their derivatives, by the implicit function theorem."""
    states, sensitivities = np.empty((len(y), 5)), np.empty((len(y), 5, 12))
    for i in range(len(y)):
        p = cells[i]
        Na, K, Cl = math.exp(y[i, 0]), math.exp(y[i, 1]), math.exp(y[i, 2])
        X = p[6] + p[7] + p[8] + BATH_IMPERMEANT - Na - K - Cl
        w = p[10] / X
        states[i] = np.array([RT_F * y[i, 3], Na, K, Cl, w])
        J = jacobian(y[i], p)
        # A search that ended outside of the physical domain has no derivatives.
        if not (X > 0.0 and np.linalg.det(J) != 0.0):
            sensitivities[i] = np.nan
            continue
        S = -np.linalg.solve(J, _by_parameters(y[i], p))
        for k in range(12):
            d_Na, d_K, d_Cl = Na * S[0, k], K * S[1, k], Cl * S[2, k]
            d_X = (1.0 if 6 <= k <= 8 else 0.0) - d_Na - d_K - d_Cl
            d_n = 1.0 if k == 10 else (p[10] / p[9] if k == 9 else 0.0)
            sensitivities[i, 0, k] = RT_F * S[3, k]
            sensitivities[i, 1, k], sensitivities[i, 2, k], sensitivities[i, 3, k] = d_Na, d_K, d_Cl
            sensitivities[i, 4, k] = d_n / X - w * d_X / X
    return states, sensitivities


assert len(NOMINAL) == 12, "the order of θ is written out above"
