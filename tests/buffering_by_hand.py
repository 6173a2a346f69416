"""Right-hand side of a column of astrocytes, written from its equations with NumPy: m, s, mol/m³ (mM), V."""

import numpy as np
from scipy.integrate import solve_ivp

R, T, F = 8.315, 298.0, 96500.0
RT_F = R * T / F
LENGTH, A_I, A_O = 3e-4, 0.4, 0.2
O_M = A_I / 5e-8
Z = np.array([1.0, 1.0, -1.0])[:, None]  # Na, K, Cl
D = np.array([1.33e-9, 1.96e-9, 2.03e-9])[:, None]
INSIDE_0, OUTSIDE_0 = np.array([15.189, 99.959, 5.145]), np.array([144.662, 3.082, 133.71])
V_0, C_M = -83.6e-3, 0.01
X = V_0 * C_M * O_M / (F * A_I) - (Z[:, 0] * INSIDE_0).sum()


def potential(inside):
    """Membrane potential of the charge inside, V."""
    return F * A_I / (C_M * O_M) * ((Z * inside).sum(axis=0) + X)


def membrane(inside, outside):
    """Outward flux densities of Na, K and Cl through the membrane, mol/(m² s)."""
    (Na_i, K_i, Cl_i), (Na_o, K_o, Cl_o), V = inside, outside, potential(inside)
    E_Na, E_K, E_Cl = RT_F * np.log(Na_o / Na_i), RT_F * np.log(K_o / K_i), -RT_F * np.log(Cl_o / Cl_i)
    pump = 1.115e-6 * Na_i**1.5 / (Na_i**1.5 + 10**1.5) * K_o / (K_o + 1.5)
    dV, E_K0 = 1e3 * (V - E_K), 1e3 * RT_F * np.log(OUTSIDE_0[1] / INSIDE_0[1])
    shape = (1 + np.exp(18.5 / 42.4)) / (1 + np.exp((dV + 18.5) / 42.4))
    shape = shape * (1 + np.exp(-(118.6 + E_K0) / 44.1)) / (1 + np.exp(-(118.6 + 1e3 * V) / 44.1))
    g_kir = 16.96 * np.sqrt(K_o / OUTSIDE_0[1]) * shape
    return np.array([1.0 * (V - E_Na) / F + 3 * pump, g_kir * (V - E_K) / F - 2 * pump, -0.5 * (V - E_Cl) / F])


def arithmetic(c):
    """Concentrations at the inner faces, between those of the nodes to both sides."""
    return 0.5 * (c[:, 1:] + c[:, :-1])


def logarithmic(c):
    """The same, so that there is no flux at a Nernst potential."""
    step = np.log(c[:, 1:] / c[:, :-1])
    small = np.abs(step) < 1e-5
    return np.where(small, arithmetic(c), np.diff(c) / np.where(small, 1.0, step))


def along(mean, gradient, tortuosity, slope):
    """Flux densities at the inner faces of one domain, in the direction of x, mol/(m² s); `slope` is the gradient of its potential."""
    return -D / tortuosity**2 * (gradient + Z * mean * slope / RT_F)


def column(t, y, nodes, axial=True, stimulated=False, mean=arithmetic):
    """Rates of (Na, K, Cl inside, then outside; by node), mM/s."""
    inside, outside = y.reshape(2, 3, nodes)
    dx = LENGTH / nodes
    zone = np.clip(nodes / 10 - np.arange(nodes), 0.0, 1.0)
    f_K = (5.5e-7 * zone if stimulated else 0.0) - 2.9e-8 * (outside[1] - OUTSIDE_0[1])
    f = np.array([-f_K, f_K, 0.0 * f_K])
    j_M = membrane(inside, outside)
    d_in, d_out = -O_M / A_I * j_M, O_M / A_O * (f + j_M)
    if axial and nodes > 1:
        grad_i, grad_o, mean_i, mean_o = np.diff(inside) / dx, np.diff(outside) / dx, mean(inside), mean(outside)
        r_i, r_o = (RT_F * tortuosity**2 / (F * (D * c).sum(axis=0)) for c, tortuosity in ((mean_i, 3.2), (mean_o, 1.6)))
        i_i, i_o = (-F * (Z * D * grad).sum(axis=0) / tortuosity**2 for grad, tortuosity in ((grad_i, 3.2), (grad_o, 1.6)))
        dv = np.diff(potential(inside)) / dx
        dv_o = (-dv + r_i * i_i + r_i * A_O / A_I * i_o) * r_o / (r_o + r_i * A_O / A_I)
        dv_i = (dv + r_o * A_I / A_O * i_i + r_o * i_o) * r_i / (r_i + r_o * A_I / A_O)
        for rates, domain in ((d_in, (mean_i, grad_i, 3.2, dv_i)), (d_out, (mean_o, grad_o, 1.6, dv_o))):
            j = along(*domain)
            rates -= np.diff(np.pad(j, ((0, 0), (1, 1)))) / dx
    return np.concatenate([d_in.ravel(), d_out.ravel()])


def buffered(nodes, axial=True, mean=arithmetic, rtol=1e-9):
    """Concentrations `(domain, ion, node)` at 100 s, and after 300 s of input, at 400 s; mM."""
    y = np.concatenate([np.repeat(INSIDE_0, nodes), np.repeat(OUTSIDE_0, nodes)])
    found = []
    for end, stimulated in ((100.0, False), (300.0, True)):
        sol = solve_ivp(column, (0.0, end), y, method="BDF", rtol=rtol, atol=rtol, args=(nodes, axial, stimulated, mean))
        assert sol.success
        y = sol.y[:, -1]
        found.append(y.reshape(2, 3, nodes))
    return found
