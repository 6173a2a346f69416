"""Right-hand sides of four published neurons, written from their equations with NumPy: ms, mM, mV, µA/cm²."""

import numpy as np

RT_F = 26.64


def _ratio(x):
    """x/(1 − e^{−x})."""
    return x / -np.expm1(-x)


def gate_rates(V):
    """α and β of n, m and h, 1/ms, without the factor φ."""
    alpha_n, beta_n = 0.1 * _ratio(0.1 * (V + 34)), 0.125 * np.exp(-(V + 44) / 80)
    alpha_m, beta_m = _ratio(0.1 * (V + 30)), 4 * np.exp(-(V + 55) / 18)
    alpha_h, beta_h = 0.07 * np.exp(-(V + 44) / 20), 1 / (1 + np.exp(-0.1 * (V + 14)))
    return (alpha_n, beta_n), (alpha_m, beta_m), (alpha_h, beta_h)


def steady(rates):
    return rates[0] / (rates[0] + rates[1])


def pump(rho, Na_i, K_o):
    return rho / (1 + np.exp((25 - Na_i) / 3)) / (1 + np.exp(5.5 - K_o))


HD_0 = {"Na_i": 25.231485, "K_i": 129.25764, "Cl_i": 9.900239, "Na_e": 125.30555, "K_e": 4.0, "Cl_e": 123.2716}


def huebel_dahlem(y, reservoir, rho=6.8, K_bath=4.0):
    """Rates of (V, n, K_i, Cl_i, Δk), 1/ms, and all concentrations."""
    V, n, K_i, Cl_i, dk = y
    Na_i = HD_0["Na_i"] + HD_0["K_i"] - K_i - HD_0["Cl_i"] + Cl_i
    K_e = HD_0["K_e"] + 3 * (HD_0["K_i"] - K_i) + dk
    Cl_e, Na_e = HD_0["Cl_e"] + 3 * (HD_0["Cl_i"] - Cl_i), HD_0["Na_e"] + 3 * (HD_0["Na_i"] - Na_i)
    (a_n, b_n), m, _ = gate_rates(V)
    h = 1 - 1 / (1 + np.exp(-6.5 * (n - 0.35)))
    I_p = pump(rho, Na_i, K_e)
    I_Na = (0.0175 + 100 * steady(m) ** 3 * h) * (V - RT_F * np.log(Na_e / Na_i)) + 3 * I_p
    I_K = (0.05 + 40 * n**4) * (V - RT_F * np.log(K_e / K_i)) - 2 * I_p
    I_Cl = 0.02 * (V + RT_F * np.log(Cl_e / Cl_i))
    k1, conv = 5e-8, 9.55589e-5 / 2.16
    k2 = k1 / (1 + np.exp((15 - K_e) / 1.09))
    change = {"closed": 0.0 * K_e, "glia": -k1 * dk - k2 * K_e * (500 + dk), "bath": 3e-5 * (K_bath - K_e)}[reservoir]
    rates = np.array([-(I_Na + I_K + I_Cl), 3 * (a_n * (1 - n) - b_n * n), -conv * I_K, conv * I_Cl, change])
    return rates, {"neuron.Na": Na_i, "neuron.K": K_i, "neuron.Cl": Cl_i, "ecs.Na": Na_e, "ecs.K": K_e, "ecs.Cl": Cl_e}


def zandt(y, anoxia):
    """Rates of (V, h, n, K_o, Na_i, K_i, Na_o, Cl_i, Cl_o), 1/ms."""
    V, h, n, K_o, Na_i, K_i, Na_o, Cl_i, Cl_o = y
    gamma, beta = 3e-2 / (7e-6 * 96485.3399), 2.0
    (a_n, b_n), m, (a_h, b_h) = gate_rates(V)
    I_p = 0.0 * V if anoxia else pump(1.25 / gamma, Na_i, K_o)
    I_Na = (0.0175 + 100 * steady(m) ** 3 * h) * (V - RT_F * np.log(Na_o / Na_i))
    I_K = (0.05 + 40 * n**4) * (V - RT_F * np.log(K_o / K_i))
    I_Cl = 0.05 * (V + RT_F * np.log(Cl_o / Cl_i))
    glia, diffusion = (0.0, 0.0) if anoxia else (66.667 / (1 + np.exp((18 - K_o) / 2.5)), 4 / 3 * (K_o - 4))
    dCl = 1e-3 * gamma * I_Cl if anoxia else 0.0 * V
    return np.array(
        [
            -I_Na - I_K - I_Cl,
            3 * (a_h * (1 - h) - b_h * h),
            3 * (a_n * (1 - n) - b_n * n),
            1e-3 * (gamma * beta * (I_K - 2 * I_p) - glia - diffusion),
            -1e-3 * gamma * (I_Na + 3 * I_p),
            -1e-3 * gamma * (I_K - 2 * I_p),
            1e-3 * beta * gamma * (I_Na + 3 * I_p),
            dCl,
            -beta * dCl,
        ]
    )


HUEBEL_2016_0 = {"Na_i": 25.279156, "K_i": 128.56935, "Cl_i": 10.055541, "Na_e": 126.84917, "K_e": 3.9962559, "Cl_e": 124.71021}


def huebel2016(y, v_e, ischemia, closed=False):
    """Rates of (V, n, h, K_i, Cl_i, Δk), 1/ms, and all concentrations."""
    V, n, h, K_i, Cl_i, dk = y
    start, ratio = HUEBEL_2016_0, 2160 / v_e
    Na_i = start["Na_i"] + start["K_i"] - K_i - start["Cl_i"] + Cl_i
    K_e = start["K_e"] + ratio * (start["K_i"] - K_i) + dk
    Cl_e, Na_e = start["Cl_e"] + ratio * (start["Cl_i"] - Cl_i), start["Na_e"] + ratio * (start["Na_i"] - Na_i)
    (a_n, b_n), m, (a_h, b_h) = gate_rates(V)
    I_p = 0.0 * V if ischemia else pump(6.8, Na_i, K_e)
    I_Na = (0.0175 + 100 * steady(m) ** 3 * h) * (V - RT_F * np.log(Na_e / Na_i)) + 3 * I_p
    I_K = (0.05 + 40 * n**4) * (V - RT_F * np.log(K_e / K_i)) - 2 * I_p
    I_Cl = 0.05 * (V + RT_F * np.log(Cl_e / Cl_i))
    conv = 9.55589e-2 / 2160
    change = 0.0 * V if ischemia or closed else 3e-5 * (start["K_e"] - K_e)
    gates = [3 * (a_n * (1 - n) - b_n * n), 3 * (a_h * (1 - h) - b_h * h)]
    rates = np.array([-(I_Na + I_K + I_Cl), *gates, -conv * I_K, conv * I_Cl, change])
    return rates, {"neuron.Na": Na_i, "neuron.K": K_i, "neuron.Cl": Cl_i, "ecs.Na": Na_e, "ecs.K": K_e, "ecs.Cl": Cl_e}


WEI_VOLUME, WEI_RATIO = 1.4368, 7.0  # pL of neuron, and its volume over the extracellular one


def wei2014_start():
    """The paper's initial state of `wei2014`."""
    w, ecs = WEI_VOLUME, WEI_VOLUME / WEI_RATIO
    return np.array([-74.3, 0.0031, 0.9994, 0.0107, 4 * ecs, 140 * w, 144 * ecs, 18 * w, 130 * ecs, 6 * w, w, 29.3])


def wei2014(y, K_b, O_b):
    """Rates of (V, m, h, n, amounts of K, Na and Cl outside and inside in turn, volume, O₂), 1/ms; fmol, pL, mg/L."""
    V, m, h, n, n_Ko, n_Ki, n_Nao, n_Nai, n_Clo, n_Cli, v, O2 = y
    v_o = (1 + 1 / WEI_RATIO) * WEI_VOLUME - v
    beta = v / v_o
    K_o, K_i, Na_o, Na_i, Cl_o, Cl_i = n_Ko / v_o, n_Ki / v, n_Nao / v_o, n_Nai / v, n_Clo / v_o, n_Cli / v
    radius = (3e3 * v / (4 * np.pi)) ** (1 / 3)  # µm
    gamma = 4 * np.pi * radius**2 / (9648.533 * v)  # mM/s for 1 µA/cm²
    a_m, b_m = 1.28 * _ratio((V + 54) / 4), 1.4 * _ratio(-(V + 27) / 5)
    a_h, b_h = 0.128 * np.exp(-(V + 50) / 18), 4 / (1 + np.exp(-(V + 27) / 5))
    a_n, b_n = 0.16 * _ratio((V + 52) / 5), 0.5 * np.exp(-(V + 57) / 40)
    I_Na = (30 * m**3 * h + 0.0247) * (V - RT_F * np.log(Na_o / Na_i))
    I_K = (25 * n**4 + 0.05) * (V - RT_F * np.log(K_o / K_i))
    I_Cl = 0.1 * (V + RT_F * np.log(Cl_o / Cl_i))
    rho = 0.8 / (1 + np.exp((20 - O2) / 3)) / gamma
    I_p = rho / (1 + np.exp((25 - Na_i) / 3)) / (1 + np.exp(3.5 - K_o))
    I_gp = rho / 3 / (1 + np.exp(7 / 3)) / (1 + np.exp(3.5 - K_o))
    supplied, open_ = 1 / (1 + np.exp((2.5 - O_b) / 0.2)), 1 / (1 + np.exp((beta - 20) / 2))
    diffusion, glia = 0.25 * supplied * open_ * (K_o - K_b), 5 * supplied / (1 + np.exp((18 - K_o) / 2.5))
    pi_i = Na_i + Cl_i + K_i + 132 * WEI_VOLUME / v
    pi_o = Na_o + Cl_o + K_o + 18 * WEI_VOLUME / WEI_RATIO / v_o
    wanted = WEI_VOLUME * (1.1029 - 0.1029 * np.exp((pi_o - pi_i) / 20))
    K_Cl = np.log(K_i * Cl_i / (K_o * Cl_o))
    kcc2, nkcc1 = 0.3 * K_Cl, 0.1 * (K_Cl + np.log(Na_i * Cl_i / (Na_o * Cl_o))) / (1 + np.exp(16 - K_o))
    return np.array(
        [
            -(I_Na + I_K + I_Cl + I_p),
            a_m * (1 - m) - b_m * m,
            a_h * (1 - h) - b_h * h,
            a_n * (1 - n) - b_n * n,
            1e-3 * v_o * (gamma * beta * (I_K - 2 * I_p) - (diffusion + glia + 2 * I_gp * gamma) + beta * (kcc2 + nkcc1)),
            -1e-3 * v * (gamma * (I_K - 2 * I_p) + kcc2 + nkcc1),
            1e-3 * v_o * beta * (gamma * (I_Na + 3 * I_p) + nkcc1),
            -1e-3 * v * (gamma * (I_Na + 3 * I_p) + nkcc1),
            -1e-3 * v_o * beta * (gamma * I_Cl - kcc2 - 2 * nkcc1),
            1e-3 * v * (gamma * I_Cl - kcc2 - 2 * nkcc1),
            (wanted - v) / 250,
            1e-3 * (-5.3 * (I_p + I_gp) * gamma + 0.17 * (O_b - O2)),
        ]
    )
