"""Right-hand side of Sætra, Einevoll & Halnes 2021, written from its equations with NumPy: nmol, cm³, ms, µA, mV, µM."""

import numpy as np
from scipy.integrate import solve_ivp

R, T, F = 8314.0, 309.14, 96480.0
RT_F = R * T / F
DOMAINS = ("neuron", "ecs", "astrocyte")
IONS = ("Na", "K", "Cl", "Ca")
Z = np.array([1.0, 1.0, -1.0, 2.0])
D = np.array([1.33e-8, 1.96e-8, 2.03e-8, 0.71e-8])
AREA, DX, C = 6.16e-6, 0.0667, 3.0
CROSS = {"neuron": 2 * AREA, "ecs": 6.16e-7, "astrocyte": 2 * AREA}
TORTUOSITY = {"neuron": 3.2, "ecs": 1.6, "astrocyte": 3.2}
VOLUME = {"neuron": 1.437e-9, "ecs": 7.185e-10, "astrocyte": 1.437e-9}
START = {  # µM; there is no calcium in glia
    "neuron": np.array([18.7e3, 138.1e3, 7.15e3, 10.0]),
    "ecs": np.array([142.3e3, 3.54e3, 131.9e3, 1100.0]),
    "astrocyte": np.array([14.5e3, 101.2e3, 5.65e3, 0.0]),
}
HELD = {"neuron": -66.9 * C * AREA / F, "astrocyte": -83.9 * C * AREA / F}  # nmol of charges on the capacitors
HELD["ecs"] = -HELD["neuron"] - HELD["astrocyte"]
X = {k: Z @ START[k] * VOLUME[k] - HELD[k] for k in DOMAINS}
M = {k: START[k].sum() for k in DOMAINS}
GATES: tuple[str, ...] = ("n", "h", "s", "c", "q", "z")
FREE = 0.01
AMOUNTS = [(k, ion) for k in DOMAINS for ion in IONS if (k, ion) != ("astrocyte", "Ca")]
"""Order of the amounts; each is of the soma's layer, then of the dendrites', and after all follow six gates and the volumes."""


def start():
    """The paper's initial state, 34 rows."""
    amounts = [np.repeat(START[k][IONS.index(ion)] * VOLUME[k], 2) for k, ion in AMOUNTS]
    return np.concatenate([*amounts, [0.0003, 0.9993, 0.0077, 0.0057, 0.0117, 1.0], *([VOLUME[k]] * 2 for k in DOMAINS)])


def unpack(y):
    """Amounts by domain (ion, layer, *cells), gates by name, volumes by domain (layer, *cells)."""
    pairs = y[:22].reshape(11, 2, *y.shape[1:])
    none = np.zeros_like(pairs[:1])
    amounts = {"neuron": pairs[:4], "ecs": pairs[4:8], "astrocyte": np.concatenate([pairs[8:], none])}
    volumes = y[28:].reshape(3, 2, *y.shape[1:])
    return amounts, dict(zip(GATES, y[22:28], strict=True)), dict(zip(DOMAINS, volumes, strict=True))


def potentials(amounts):
    """Membrane potentials (layer, *cells) of neuron and astrocyte."""
    return {k: F * (np.tensordot(Z, amounts[k], 1) - X[k]) / (C * AREA) for k in ("neuron", "astrocyte")}


def _ratio(x):
    """x/(1 − e^{−x})."""
    return x / -np.expm1(-x)


def gate_rates(V_s, V_d, Ca):
    """α and β of the gates, 1/ms; `Ca` is the free calcium of the dendrites, µM."""
    slow = 2 * np.exp(-(V_d + 53.5) / 27)
    fast = 0.0527 * np.exp((V_d + 50) / 11 - (V_d + 53.5) / 27)
    low = V_d <= -10
    z = 1 / (1 + np.exp(V_d + 30))
    return {
        "n": (0.08 * _ratio((V_s + 24.9) / 5), 0.25 * np.exp(-(V_s + 40) / 40)),
        "h": (0.128 * np.exp(-(V_s + 43) / 18), 4 / (1 + np.exp(-(V_s + 20) / 5))),
        "s": (1.6 / (1 + np.exp(-0.072 * (V_d - 5))), 0.1 * _ratio(-(V_d + 8.9) / 5)),
        "c": (np.where(low, fast, slow), np.where(low, slow - fast, 0.0)),
        "q": (np.minimum(0.02 * (Ca - 99.8e-3), 0.01), 1e-3 + 0.0 * Ca),
        "z": (1e-3 * z, 1e-3 * (1 - z)),
    }


def along(c, V):
    """Fluxes from soma to dendrites (ion, *cells) of each domain, nmol/ms, and the potential of the soma's ECS, mV."""
    current = conductance = 0.0
    for k in DOMAINS:
        scale = CROSS[k] * D / (TORTUOSITY[k] ** 2 * DX)
        diffusive = F * np.tensordot(Z * scale, c[k][:, 0] - c[k][:, 1], 1)
        drift = F * np.tensordot(Z**2 * scale, c[k].mean(axis=1), 1) / RT_F
        between = V[k][0] - V[k][1] if k in V else 0.0
        current, conductance = current + diffusive + drift * between, conductance + drift
    outer = -current / conductance
    fluxes = {}
    for k in DOMAINS:
        scale = (CROSS[k] * D / (TORTUOSITY[k] ** 2 * DX)).reshape(4, *[1] * (c[k].ndim - 2))
        field = outer + (V[k][0] - V[k][1] if k in V else 0.0)
        z = Z.reshape(scale.shape)
        fluxes[k] = scale * (c[k][:, 0] - c[k][:, 1] + z * c[k].mean(axis=1) * field / RT_F)
    return fluxes, outer


def membranes(c, gates, V, volumes):
    """Outward fluxes (ion, layer, *cells) through the membranes of neuron and glia, nmol/ms."""
    (Na, K, Cl, Ca), (Na_e, K_e, Cl_e, Ca_e), (Na_g, K_g, Cl_g, _) = (1e-3 * c[k] for k in DOMAINS)  # mM
    E = lambda inside, outside, z: RT_F / z * np.log(outside / inside)  # noqa: E731
    v, g = V["neuron"], V["astrocyte"]
    rho = 1.87e-4 / (1 + np.exp((25 - Na) / 3)) / (1 + np.exp(3.5 - K_e))
    kcc2 = 1.49e-5 * np.log(K * Cl / (K_e * Cl_e))
    nkcc1 = 2.33e-5 / (1 + np.exp(16 - K_e)) * np.log(Na * K * Cl**2 / (Na_e * K_e * Cl_e**2))
    decay = 0.075 * (1e3 * Ca / FREE - 10) * volumes["neuron"] / AREA
    m = 1.28 * _ratio((v + 46.9) / 4), 1.4 * _ratio(-(v + 19.9) / 5)
    soma, dendrite = (np.array(x).reshape(2, *[1] * (v.ndim - 1)) for x in ((1.0, 0.0), (0.0, 1.0)))
    g_Na = 0.0246 + soma * 30 * (m[0] / (m[0] + m[1])) ** 2 * gates["h"]
    chi = np.minimum((1e3 * Ca - 99.8e-3) / 0.25, 1.0)
    g_K = 0.0245 + soma * 15 * gates["n"] + dendrite * (0.8 * gates["q"] + 15 * gates["c"] * chi)
    g_Ca = dendrite * 11.8 * gates["s"] ** 2 * gates["z"]
    neuron = [
        g_Na * (v - E(Na, Na_e, 1)) / F + 3 * rho + nkcc1 - 2 * decay,
        g_K * (v - E(K, K_e, 1)) / F - 2 * rho + kcc2 + nkcc1,
        -0.1 * (v - E(Cl, Cl_e, -1)) / F + kcc2 + 2 * nkcc1,
        g_Ca * (v - E(Ca, Ca_e, 2)) / (2 * F) + decay,
    ]
    rho_g = 1.12e-4 * Na_g**1.5 / (Na_g**1.5 + 10**1.5) * K_e / (K_e + 1.5)
    E_K, E_K0 = E(K_g, K_e, 1), RT_F * np.log(3.082 / 99.959)
    kir = np.sqrt(K_e / 3.082) * (1 + np.exp(18.4 / 42.4)) / (1 + np.exp((g - E_K + 18.5) / 42.5))
    kir = kir * (1 + np.exp(-(118.6 + E_K0) / 44.1)) / (1 + np.exp(-(118.6 + g) / 44.1))
    glia = [
        0.1 * (g - E(Na_g, Na_e, 1)) / F + 3 * rho_g,
        1.696 * kir * (g - E_K) / F - 2 * rho_g,
        -0.05 * (g - E(Cl_g, Cl_e, -1)) / F,
        0.0 * g,
    ]
    return AREA * np.array(neuron), AREA * np.array(glia)


def rates(t, y, I=0.0):
    """Rates of the 34 rows, 1/ms; `I` µA of K⁺ go from the soma's ECS into the neuron."""
    amounts, gates, volumes = unpack(y)
    V = potentials(amounts)
    c = {k: amounts[k] / volumes[k] for k in DOMAINS}
    osmolarity = {k: c[k].sum(axis=0) - M[k] for k in DOMAINS}
    c["neuron"] = np.concatenate([c["neuron"][:3], FREE * c["neuron"][3:]])
    fluxes, _ = along(c, V)
    neuron, glia = membranes(c, gates, V, volumes)
    d = {k: np.stack([-j, j], axis=1) for k, j in fluxes.items()}
    d["neuron"] = d["neuron"] - neuron
    d["astrocyte"] = d["astrocyte"] - glia
    d["ecs"] = d["ecs"] + neuron + glia
    d["neuron"][1, 0] += I / F
    d["ecs"][1, 0] -= I / F
    opening = gate_rates(V["neuron"][0], V["neuron"][1], c["neuron"][3, 1])
    dV = {k: G * R * T * (osmolarity[k] - osmolarity["ecs"]) for k, G in (("neuron", 2e-26), ("astrocyte", 5e-26))}
    dV["ecs"] = -dV["neuron"] - dV["astrocyte"]
    return np.concatenate(
        [
            d["neuron"].reshape(8, *y.shape[1:]),
            d["ecs"].reshape(8, *y.shape[1:]),
            d["astrocyte"][:3].reshape(6, *y.shape[1:]),
            np.array([a * (1 - gates[x]) - b * gates[x] for x, (a, b) in opening.items()]),
            np.concatenate([dV[k] for k in DOMAINS]),
        ]
    )


def course(phases, y=None, rtol=1e-9, method="BDF"):
    """Times (ms) and states after phases of (duration in ms, µA), from the initial state."""
    y = start() if y is None else y
    scale, t, ts, ys = np.abs(start()), 0.0, [], []
    for duration, I in phases:
        f = lambda t, u, I=I: rates(t, u * scale, I) / scale  # noqa: E731
        sol = solve_ivp(f, (t, t + duration), y / scale, method=method, rtol=rtol, atol=rtol)
        assert sol.success
        y, t = sol.y[:, -1] * scale, t + duration
        ts.append(sol.t)
        ys.append(sol.y * scale[:, None])
    return np.concatenate(ts), np.concatenate(ys, axis=1)
