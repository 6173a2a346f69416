r"""The neuron of the benchmark, written from its paper in NumPy and without jaxion: parameters, population, and the answer.

Pump–leak neuron of Düsterwald et al. (2018) eLife 7:e39575: ohmic leaks, KCC2 linear in its driving force, a cubic pump,
water, and the area law of a cylinder. The rivals solve it for $y = (\ln Na, \ln K, \ln Cl, V F/RT)$; osmotic balance and
the amount of impermeants give the volume. Four unknowns in logarithms are the kindest form that a root-finder can get:
no concentration can become negative, and no row is redundant. On all five state rows the Jacobian is singular.
"""

import math

import numpy as np

F, RT_F = 96.485, 26.725  # pA·s/fmol, mV
BATH_IMPERMEANT = 29.5  # mM

_AREA = 2 * math.pi * 5.0 * 25.0  # µm², of a cylinder of radius 5 µm and length 25 µm
_VOLUME = 1e-3 * math.pi * 5.0**2 * 25.0  # pL

NOMINAL = {
    "neuron.leak_Na.g": 20e-5 * _AREA,  # nS; 20 µS/cm²
    "neuron.leak_K.g": 70e-5 * _AREA,
    "neuron.leak_Cl.g": 20e-5 * _AREA,
    "neuron.kcc2.g": 20e-5 * _AREA,
    "neuron.nka.v_max": 0.1 * 1e2 * _AREA / F,  # fmol/s; 0.1 A/dm²
    "neuron.z": -0.85,
    "bath.Na": 145.0,  # mM
    "bath.K": 3.5,
    "bath.Cl": 119.0,
    "neuron.volume": _VOLUME,  # pL, at the nominal area
    "neuron.impermeant": 154.95708 * _VOLUME,  # fmol
    "neuron.C": 2e-4 * 1e2 * _AREA,  # pF; 2e-4 F/dm²
}
"""Parameters by path, in the order of every θ."""

OF = ("neuron.V", "neuron.Na", "neuron.K", "neuron.Cl", "neuron.volume")
"""What is solved for and differentiated: mV, mM, mM, mM, pL."""

LOGNORMAL = tuple(NOMINAL)[:5]
"""What is drawn lognormally; the charge `neuron.z` is drawn normally."""

START = np.array([math.log(14.00167), math.log(122.87655), math.log(5.16470), -72.58871 / RT_F])
"""Unknowns from which every search starts: the neuron's published rest."""


def draw(cells: int, cv: float, seed: int) -> np.ndarray:
    """Parameters of a heterogeneous population, shape `(parameters, cells)`; means are the nominal values."""
    rng = np.random.default_rng(seed)
    sigma = math.sqrt(math.log1p(cv**2))
    theta = np.repeat(np.array(list(NOMINAL.values()))[:, None], cells, axis=1)
    for row, path in enumerate(NOMINAL):
        if path in LOGNORMAL:
            theta[row] *= np.exp(sigma * rng.normal(size=cells) - sigma**2 / 2)
        elif path == "neuron.z":
            theta[row] = rng.normal(NOMINAL[path], 0.1, cells)
    return theta


def closed_form(theta: np.ndarray) -> np.ndarray:
    """State `OF` of each cell, shape `(5, cells)`, by bisection on the pump's current; NaN where there is no set-point.

    At a given pump current every Nernst potential is linear in V, which leaves one quadratic for exp(-V F/RT). Published
    at zero capacitance; here the membrane's charge, one part in 10⁴ of the ions', is put into the quadratic until it settles.
    """
    v_max, Na_o = theta[4], theta[6]
    low, high = np.full(v_max.shape, -30.0), np.full(v_max.shape, 10.0)
    with np.errstate(invalid="ignore", over="ignore", divide="ignore"):
        for _ in range(70):
            middle = (low + high) / 2
            state = _at_pump_current(np.exp(middle), theta)
            # The pump's sodium falls as its current grows; beyond the last state (NaN) the current is too large.
            too_small = np.exp(middle) < F * v_max * (state[1] / Na_o) ** 3
            low, high = np.where(too_small, middle, low), np.where(too_small, high, middle)
        state = _at_pump_current(np.exp(low), theta)
        error = np.exp(low) / (F * v_max * (state[1] / Na_o) ** 3) - 1
    return np.where((np.abs(error) < 1e-9) & (state[4] > 0), state, np.nan)


def _at_pump_current(I: np.ndarray, theta: np.ndarray) -> np.ndarray:
    """State in which every balance but the pump's own rate holds at the pump current `I`, pA."""
    g_Na, g_K, g_Cl, g_KCC2, _, z, Na_o, K_o, Cl_o, w0, n_X, C = theta
    # V − E_Na, then E_Cl and E_K relative to V, from the balances of Na, K and Cl.
    below_Na = -3 * I / g_Na
    spread = 2 * I / (g_K + g_Cl * g_KCC2 / (g_Cl + g_KCC2))  # V − E_K
    below_Cl = spread * g_KCC2 / (g_Cl + g_KCC2)  # V − E_Cl
    a = Na_o * np.exp(below_Na / RT_F) + K_o * np.exp(spread / RT_F)
    b = Cl_o * np.exp(-below_Cl / RT_F)
    total = Na_o + K_o + Cl_o + BATH_IMPERMEANT

    def settle(held: np.ndarray | float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """exp(-V F/RT), V and the impermeants' concentration for a charge on the membrane per volume, mM."""
        middle = held - z * total
        root = np.sqrt(middle**2 + 4 * (1 - z**2) * a * b)
        # Both forms of the quadratic's root: each loses its digits where the other keeps them.
        x = np.where(middle > 0, (middle + root) / (2 * (1 - z) * a), 2 * (1 + z) * b / (root - middle))
        return x, -RT_F * np.log(x), total - a * x - b / x

    x, V, X = settle(0.0)
    for _ in range(8):
        x, V, X = settle(C * V * np.sqrt(X / (n_X * w0)) / (1e3 * F))
    Na = Na_o * np.exp(below_Na / RT_F) * x
    return np.stack([V, Na, a * x - Na, b / x, n_X / X])
