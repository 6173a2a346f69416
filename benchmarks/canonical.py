r"""The canonical stiff cell of the benchmarks: a spiking neuron, an astrocyte and the space between them, with water and ATP.

16 states, 25 parameters that differ from cell to cell, and five numbers of the drive. At rest its Jacobian's eigenvalues
span seven decades (−3·10⁴ to −10⁻³ 1/s). The neuron's channels and gates are those of Hübel & Dahlem (2014) PLoS Comput
Biol 10:e1003941; the rest is assembled for the benchmark from common forms (ohmic leaks, saturating pumps, KCC2 and NKCC1
linear in their affinity, inward rectification by potential and potassium, osmotic water, exchange with a bath).

Amounts are in mM of the neuron's nominal volume, volumes in units of that, potentials in mV, currents in µA/cm², time in
s. Written in plain JAX for one cell; `compiled.py` derives from it what the rivals need.
"""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np

STATES = ("V", "m", "h", "n", "Na_i", "K_i", "Cl_i", "w_i", "Na_o", "K_o", "V_g", "Na_g", "K_g", "Cl_g", "w_g", "ATP")

SCALE = np.array([10.0, 0.1, 0.1, 0.1, 10.0, 10.0, 1.0, 1.0, 10.0, 1.0, 10.0, 10.0, 10.0, 1.0, 1.0, 1.0])
"""Typical size of each state: the absolute tolerance is the relative one times this."""

PARAMETERS = {
    "g_Na": (100.0, 0.20),  # mS/cm²
    "g_K": (40.0, 0.20),
    "leak_Na": (0.0175, 0.20),
    "leak_K": (0.05, 0.20),
    "leak_Cl": (0.02, 0.20),
    "pump": (15.0, 0.20),  # µA/cm²
    "K_Na": (12.0, 0.20),  # mM
    "K_K": (1.6, 0.20),
    "K_ATP": (0.4, 0.20),
    "kcc2": (0.030, 0.20),  # mM/s
    "nkcc1": (0.0004, 0.20),
    "A_i": (140.0, 0.15),  # mM, impermeant anions
    "water": (0.02, 0.20),  # 1/(mM s)
    "exchange": (0.06, 0.20),  # 1/s, with the bath
    "K_bath": (3.5, 0.08),  # mM
    "kir": (0.10, 0.20),  # mS/cm²
    "leak_Na_g": (0.006, 0.20),
    "leak_Cl_g": (0.006, 0.20),
    "pump_g": (6.0, 0.20),  # µA/cm²
    "nkcc1_g": (0.0015, 0.20),  # mM/s
    "A_g": (55.0, 0.15),  # mM
    "synthesis": (0.45, 0.20),  # mM/s, of ATP
    "basal": (0.05, 0.20),
    "C": (1.0, 0.10),  # µF/cm²
    "water_g": (0.02, 0.20),  # 1/(mM s)
}
"""Nominal value of each parameter and the standard deviation of its logarithm over cells, in the order of θ."""

DRIVE = ("current", "O2", "begin", "end", "Na_channels")
"""What follows the parameters in θ: injected current (µA/cm²), oxygen that is left between `begin` and `end` (s), and a factor on g_Na."""

REST = (0.0, 1.0, 0.0, 0.0, 1.0)

RT_F = 26.64  # mV, at 36 °C
MOVED = 0.04424  # mM/s that a current of 1 µA/cm² moves: membrane area / (F · nominal volume)
CHARGE = 1e-3 * MOVED  # mM of charge on 1 µF/cm² at 1 mV
NA_BATH, OSMOLYTE, ADENYLATES = 145.0, 5.0, 3.0  # mM
SPACE = 1 / 3  # nominal volume of the extracellular space, and of the astrocyte
LEAST = 1e-3  # mM; keeps a trial step out of the logarithm's forbidden side, and is never reached


@dataclasses.dataclass(frozen=True)
class Workload:
    """One task for all integrators.

    Attributes:
        drive: The numbers `DRIVE`.
        duration: Length, s.
        saves: Times saved, evenly from start to end.
        rtol: Relative tolerance asked for.
        judged: States whose error counts.
    """

    drive: tuple[float, ...]
    duration: float
    saves: int
    rtol: float
    judged: tuple[str, ...]

    @property
    def times(self) -> np.ndarray:
        """Times saved, s."""
        return np.linspace(0.0, self.duration, self.saves)


WORKLOADS = {
    # How each cell comes to rest, from which the others start.
    "rest": Workload(REST, 20_000.0, 3, 1e-9, STATES),
    # Without spikes: with all sodium channels, spreading depolarisation begins with a burst that takes most of the time.
    "anoxia": Workload((0.0, 0.02, 30.0, 330.0, 0.1), 600.0, 201, 1e-6, STATES),
    # After many spikes their exact times say little about accuracy; what they moved does.
    "spiking": Workload((1.8, 1.0, 0.0, 0.0, 1.0), 2.0, 201, 1e-5, tuple(s for s in STATES if s not in ("V", "m", "h", "n", "V_g"))),
}


def draw(cells: int, seed: int) -> np.ndarray:
    """Parameters of heterogeneous cells, shape `(25, cells)`: lognormal about the nominal values."""
    nominal, spread = np.array(list(PARAMETERS.values())).T
    return (nominal * np.exp(spread * np.random.default_rng(seed).standard_normal((cells, len(nominal))))).T


def driven(theta: np.ndarray, drive: tuple[float, ...]) -> np.ndarray:
    """θ with the drive appended, shape `(30, cells)`."""
    return np.concatenate([theta, np.repeat(np.array(drive)[:, None], theta.shape[1], axis=1)])


def start(theta: np.ndarray) -> np.ndarray:
    """A neutral state near rest, shape `(16, cells)`."""
    p = dict(zip(PARAMETERS, theta, strict=False))
    one = np.ones(theta.shape[1])
    w_i, w_g, V, V_g = p["A_i"] / 140, SPACE * p["A_g"] / 55, -68 * one, -82 * one
    Na_i, Cl_i, Na_g, Cl_g = 14 * w_i, 8 * w_i, 16 * w_g, 25 * w_g
    K_i, K_g = held_K(p["A_i"], Na_i, Cl_i, p["C"] * V), held_K(p["A_g"], Na_g, Cl_g, p["C"] * V_g)
    gates = [0.0125 * one, 0.985 * one, 0.067 * one]
    outside = [SPACE * NA_BATH * one, SPACE * p["K_bath"]]
    return np.stack([V, *gates, Na_i, K_i, Cl_i, w_i, *outside, V_g, Na_g, K_g, Cl_g, w_g, 2.6 * one])


def held_K(A, Na, Cl, CV):
    """Potassium of a compartment whose excess charge is what its membrane holds at CV = C·V."""
    return A + Cl - Na + CHARGE * CV


def gates(V: jax.Array) -> tuple[tuple[jax.Array, jax.Array], ...]:
    """Opening and closing rates of m, h and n, 1/s."""
    per_s = 3e3  # 3/ms
    return (
        (per_s * 0.1 * _ramp(V + 30, 10.0), per_s * 4 * jnp.exp(-(V + 55) / 18)),
        (per_s * 0.07 * jnp.exp(-(V + 44) / 20), per_s / (1 + jnp.exp(-(V + 14) / 10))),
        (per_s * 0.01 * _ramp(V + 34, 10.0), per_s * 0.125 * jnp.exp(-(V + 44) / 80)),
    )


def f(t: jax.Array, y: jax.Array, theta: jax.Array) -> jax.Array:
    """Rates of change of one cell: y `(16,)`, θ `(30,)`."""
    V, m, h, n, Na_i, K_i, Cl_i, w_i, Na_o, K_o, V_g, Na_g, K_g, Cl_g, w_g, ATP = y
    p = dict(zip((*PARAMETERS, *DRIVE), theta, strict=True))
    C = p["C"]

    # The whole is neutral and has a constant volume.
    Cl_o = Na_o + K_o + CHARGE * C * (V + V_g)
    w_o = p["A_i"] / 140 + SPACE * p["A_g"] / 55 + SPACE - w_i - w_g
    c_Na_i, c_K_i, c_Cl_i = Na_i / w_i, K_i / w_i, Cl_i / w_i
    c_Na_o, c_K_o, c_Cl_o = Na_o / w_o, K_o / w_o, Cl_o / w_o
    c_Na_g, c_K_g, c_Cl_g = Na_g / w_g, K_g / w_g, Cl_g / w_g
    l_Na_i, l_K_i, l_Cl_i = _log(c_Na_i), _log(c_K_i), _log(c_Cl_i)
    l_Na_o, l_K_o, l_Cl_o = _log(c_Na_o), _log(c_K_o), _log(c_Cl_o)
    l_Na_g, l_K_g, l_Cl_g = _log(c_Na_g), _log(c_K_g), _log(c_Cl_g)

    # Pumps: three sodium against two potassium.
    power = ATP / (ATP + p["K_ATP"]) * (c_K_o / (c_K_o + p["K_K"])) ** 2
    I_p = p["pump"] * power * (c_Na_i / (c_Na_i + p["K_Na"])) ** 3
    I_pg = p["pump_g"] * power * (c_Na_g / (c_Na_g + p["K_Na"])) ** 3

    # Neuron.
    I_Na = (p["Na_channels"] * p["g_Na"] * m**3 * h + p["leak_Na"]) * (V - RT_F * (l_Na_o - l_Na_i))
    I_K = (p["g_K"] * n**4 + p["leak_K"]) * (V - RT_F * (l_K_o - l_K_i))
    I_Cl = p["leak_Cl"] * (V - RT_F * (l_Cl_i - l_Cl_o))
    outward_KCl = l_K_i + l_Cl_i - l_K_o - l_Cl_o
    J_kcc2 = p["kcc2"] * outward_KCl
    J_nkcc1 = p["nkcc1"] * (outward_KCl + l_Na_i + l_Cl_i - l_Na_o - l_Cl_o)
    d_V = 1e3 / C * (p["current"] - I_Na - I_K - I_Cl - I_p)
    d_gates = [opens * (1 - x) - closes * x for x, (opens, closes) in zip((m, h, n), gates(V), strict=True)]
    d_Na_i = -MOVED * (I_Na + 3 * I_p) - J_nkcc1
    d_K_i = -MOVED * (I_K - 2 * I_p - p["current"]) - J_kcc2 - J_nkcc1  # potassium carries the injected current
    d_Cl_i = MOVED * I_Cl - J_kcc2 - 2 * J_nkcc1

    # Astrocyte.
    above_E_K = V_g - RT_F * (l_K_o - l_K_g)
    g_kir = p["kir"] * jnp.sqrt(jnp.maximum(c_K_o, LEAST) / 3.5) * 2 / (1 + jnp.exp((above_E_K - 20) / 22))
    I_Kg = g_kir * above_E_K
    I_Nag = p["leak_Na_g"] * (V_g - RT_F * (l_Na_o - l_Na_g))
    I_Clg = p["leak_Cl_g"] * (V_g - RT_F * (l_Cl_g - l_Cl_o))
    J_nkcc1_g = p["nkcc1_g"] * (l_Na_g + l_K_g + 2 * l_Cl_g - l_Na_o - l_K_o - 2 * l_Cl_o)
    d_V_g = -1e3 / C * (I_Nag + I_Kg + I_Clg + I_pg)
    d_Na_g = -MOVED * (I_Nag + 3 * I_pg) - J_nkcc1_g
    d_K_g = -MOVED * (I_Kg - 2 * I_pg) - J_nkcc1_g
    d_Cl_g = MOVED * I_Clg - 2 * J_nkcc1_g

    # Outside, water and ATP.
    d_Na_o = -d_Na_i - d_Na_g + SPACE * p["exchange"] * (NA_BATH - c_Na_o)
    d_K_o = -d_K_i - d_K_g + SPACE * p["exchange"] * (p["K_bath"] - c_K_o)
    outside = c_Na_o + c_K_o + c_Cl_o + SPACE * OSMOLYTE / w_o
    d_w_i = p["water"] * (c_Na_i + c_K_i + c_Cl_i + p["A_i"] / w_i - outside)
    d_w_g = p["water_g"] * (c_Na_g + c_K_g + c_Cl_g + p["A_g"] / w_g - outside)
    oxygen = 1 - (1 - p["O2"]) * (jnp.tanh(t - p["begin"]) - jnp.tanh(t - p["end"])) / 2
    ADP = ADENYLATES - ATP
    d_ATP = p["synthesis"] * oxygen * ADP / (ADP + 0.3) - MOVED * (I_p + I_pg) - p["basal"] * ATP / (ATP + 0.1)
    rates = [d_V, *d_gates, d_Na_i, d_K_i, d_Cl_i, d_w_i, d_Na_o, d_K_o, d_V_g, d_Na_g, d_K_g, d_Cl_g, d_w_g, d_ATP]
    return jnp.stack(rates)


def _log(c: jax.Array) -> jax.Array:
    return jnp.log(jnp.maximum(c, LEAST))


def _ramp(x: jax.Array, k: float) -> jax.Array:
    """x / (1 − exp(−x/k)), with its series where both are near zero."""
    near = jnp.abs(x / k) < 1e-4
    return jnp.where(near, k + x / 2, x / (1 - jnp.exp(-jnp.where(near, k, x) / k)))
