"""Published and independently recomputed set-points. Each table says where its numbers are from."""

from typing import Any, Final

RELATIVE: Final = 1e-4
"""Relative tolerance of a steady state."""

NEAR_ZERO: Final = 1e-4
"""Absolute tolerance of a potential near zero, mV."""

# Keener & Sneyd, Mathematical Physiology, 3rd edition, chapter 2, closed form with N_e = 437,
# K_e = 20, γ = 0.11, z = -1 and RT/F = 25.8 mV: (P, μ, V, V_Na, V_K).
KEENER_SNEYD: Final = [
    (0.05, 7.5351117, -3.6735128, 0.19648719, -3.9573128),
    (0.5, 1.3554132, -34.535379, 4.1646205, -37.373379),
    (1.0, 1.1137608, -58.860122, 18.539878, -64.536122),
    (2.0, 1.0756418, -68.490336, 86.309664, -79.842336),
    (5.0, 1.1513755, -52.346881, 334.65312, -80.726881),
    (10.0, 1.6528045, -23.966939, 750.03306, -80.726939),
]
KEENER_SNEYD_MINIMUM: Final = (1.7692363, 1.0744889)
"""P at which the volume is smallest, and that volume."""
KEENER_SNEYD_END: Final = 14.2225051
"""P beyond which there is no set-point."""

# Düsterwald et al. (2018) eLife 7:e39575, closed form at zero capacitance; the public code's own
# defaults are Na 14.002, K 122.873, Cl 5.163, X 154.962 mM.
DUESTERWALD_COLUMNS: Final = ("neuron.V", "neuron.Na", "neuron.K", "neuron.Cl", "neuron.X", "neuron.E_Cl", "neuron.E_K", "neuron.DF_Cl")
DUESTERWALD: Final = [
    ({}, (-72.58871, 14.00167, 122.87655, 5.16470, 154.95708, -83.84371, -95.09870, 11.25499)),
    ({"g_KCC2": 0.0}, (-69.92895, 13.91496, 123.24934, 8.69294, 151.14276, -69.92895, -95.17966, 0.0)),
    ({"g_KCC2": 5.0}, (-71.06365, 13.95207, 123.07154, 6.95782, 153.01857, -75.87914, -95.14108, 4.81548)),
    ({"g_KCC2": 40.0}, (-73.35589, 14.02650, 122.79357, 4.44753, 155.73240, -87.83906, -95.08065, 14.48317)),
    ({"g_KCC2": 500.0}, (-74.59276, 14.06636, 122.67660, 3.49657, 156.76046, -94.26816, -95.05518, 19.67540)),
    ({"z": -0.5}, (-64.77020, 13.74393, 87.61597, 7.07971, 188.56039, -75.41503, -86.05985, 10.64483)),
    ({"z": -0.7}, (-69.90276, 13.91410, 109.39574, 5.75577, 167.93439, -80.94790, -91.99304, 11.04514)),
    ({"z": -1.0}, (-74.66568, 14.06871, 134.43129, 4.74956, 143.75044, -86.08312, -97.50056, 11.41744)),
    ({"P": 0.001}, (-68.04698, 57.35519, 79.67045, 6.98287, 152.99150, -75.78312, -83.51925, 7.73614)),
    ({"P": 0.01}, (-72.42022, 28.65380, 108.25322, 5.51986, 154.57312, -82.06634, -91.71245, 9.64612)),
    ({"P": 1.0}, (-71.12614, 6.77486, 130.10286, 5.15846, 154.96383, -83.87602, -96.62590, 12.74988)),
    ({"g_Cl": 5.0}, (-71.02022, 13.95065, 122.83799, 4.05987, 156.15149, -90.27629, -95.09031, 19.25607)),
]

# The same cell: mV per e-fold for potentials, elasticities for all else, by central differences of the closed form.
ELASTICITY_COLUMNS: Final = ("neuron.V", "neuron.Na", "neuron.K", "neuron.Cl", "neuron.E_Cl", "neuron.DF_Cl", "neuron.volume")
ELASTICITIES: Final = {
    "neuron.nka.v_max": (0.37953, -0.31359, 0.03570, -0.01075, -0.28723, 0.66676, -0.00039),
    "neuron.kcc2.g": (-1.19109, 0.00276, -0.00111, -0.23230, -6.20826, 5.01718, -0.00837),
    "neuron.leak_Na.g": (18.94079, 0.26885, -0.02938, 0.36905, 9.86296, 9.07784, 0.01330),
    "neuron.leak_Cl.g": (-1.22395, 0.00283, 0.00032, 0.18751, 5.01130, -6.23525, 0.00676),
}
ELASTICITY_RELATIVE: Final = 1e-3
ELASTICITY_DIGIT: Final = 0.5e-5
"""Half a unit of the last printed digit."""

# The same cell with the pump of Kager et al. (2007), K_K 2 mM and 11.20170 µA/cm² at saturation, by the closed form:
# K_Na (mM), then Na (mM), V (mV) and the pump's current (µA/cm²).
KAGER_I_MAX: Final = 11.20170
KAGER: Final = [
    (6.0, 8.96078, -71.80530, 0.97470),
    (8.0, 11.52721, -72.30263, 0.93314),
    (10.0, 14.00000, -72.58857, 0.90042),
    (12.0, 16.39656, -72.74122, 0.87328),
    (15.0, 19.87241, -72.80579, 0.83946),
    (20.0, 25.40469, -72.63644, 0.79457),
]
KAGER_ELASTICITY: Final = 0.868715
"""d ln Na / d ln K_Na at 10 mM."""

# The same cell without its pump, by the closed form with extracellular impermeants: V, X, w/w0.
DUESTERWALD_PASSIVE: Final = {"neuron.V": 0.406902, "neuron.X": 29.918164}
DUESTERWALD_PASSIVE_SWELLING: Final = 5.17936

# Aminzare & Kay (2024), Newton and 40 h of the ODE agree: arguments, then V, Na, K, Cl, w/w0.
AMINZARE_KAY_COLUMNS: Final = ("neuron.V", "neuron.Na", "neuron.K", "neuron.Cl")
AMINZARE_KAY: Final = [
    ({"p_NKA": 0.0016}, (-99.42829, 4.98994, 144.91936, 3.39368), 0.340839),
    ({"p_NKA": 0.01}, (-99.40005, 1.76594, 148.14339, 3.39727), 0.340847),
    ({"p_NKA": 0.0016, "p_NKCC": 100.0}, (-94.78536, 6.58243, 143.38276, 90.97269), 0.846566),
    ({"p_NKA": 0.0016, "p_KCC": 1.0}, (-99.65884, 4.99430, 144.91451, 2.94713), 0.339803),
]
AMINZARE_KAY_NCC: Final[tuple[dict[str, Any], dict[str, float], float]] = (
    {"p_NKA": 0.0016, "p_NCC": 0.01},
    {"neuron.V": -94.84077, "neuron.Na": 9.28853, "neuron.Cl": 146.68487},
    15.0735,
)

# Gibbs–Donnan equilibrium of a rigid cell in 150 mM of a 1:1 salt: zX, cation, anion (mM), V (mV).
DONNAN: Final = [(-120.0, 221.554944, 101.554944, -10.424341), (-50.0, 177.069063, 127.069063, -4.434074)]

# U937 cells, Yurinskaya & Vereninov (2021) Front Cell Dev Biol 9:735228, parameters of the public BEZ code, integrated to their ends by
# an independent implementation: arguments, then Na, K, Cl (mM), U (mV), V/A (ml/mmol). The published table has 38, 147, 45, −45, 12.50.
BEZ_U937: Final = [
    ({}, (37.9998, 147.0019, 44.9940, -45.0420, 12.49932)),
    ({"inc": 0.0, "ikc": 0.0, "inkcc": 0.0}, (15.0173, 178.8167, 12.6085, -59.2532, 9.65647)),
    ({"ikc": 0.0}, (32.1121, 145.3477, 72.6473, -33.2238, 16.69648)),
    ({"inc": 0.0}, (17.0694, 176.4688, 13.6930, -58.9973, 9.73059)),
    ({"inkcc": 0.0}, (38.0366, 146.8971, 45.2429, -44.9303, 12.52767)),
    ({"inc": 14e-5}, (51.7674, 126.8053, 68.5665, -37.3541, 15.90819)),
    ({"pNa": 0.0034}, (44.7438, 138.9246, 49.8827, -36.4043, 13.08062)),
    ({"pCl": 0.055}, (38.1734, 149.4762, 35.2850, -37.8234, 11.48562)),
    ({"beta": 0.0195}, (66.5386, 118.2273, 45.8585, -41.1486, 12.59832)),
]
# Net influx at the steady state, mM/min, to half a unit of the last digit.
BEZ_U937_FLUXES: Final = {
    "cell.nka.J_Na": -1.48199,
    "cell.nka.J_K": 0.98799,
    "cell.leak_Na.J_Na": 0.46793,
    "cell.leak_K.J_K": -0.50962,
    "cell.leak_Cl.J_Cl": -0.53568,
    "cell.ncc.J_Na": 1.01712,
    "cell.kcc.J_K": -0.47531,
    "cell.nkcc1.J_Na": -0.00306,
}
# Elasticities of Na, K and Cl, and the shift of U per e-fold over 45 mV, to half a unit of the last digit.
BEZ_U937_ELASTICITIES: Final = {
    "cell.leak_Na.P": (0.20934, -0.06447, 0.12398, 0.23350),
    "cell.leak_K.P": (0.10109, -0.00915, -0.20342, -0.33804),
    "cell.leak_Cl.P": (0.00305, 0.01463, -0.18466, 0.14831),
    "cell.ncc.P": (0.44925, -0.16789, 0.62008, 0.22594),
    "cell.kcc.P": (0.09699, 0.00445, -0.35358, -0.18369),
    "cell.nkcc1.P": (-0.00073, 0.00053, -0.00414, -0.00186),
    "cell.nka.v_max": (-0.85900, 0.22190, 0.00175, -0.08415),
}
BEZ_U937_SINGULAR_VALUES: Final = (1.13299, 0.74917, 0.35100)
"""Of the matrix of these: of seven parameters a steady state determines three combinations."""
