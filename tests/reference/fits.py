"""Least-squares fits of published measurements, which lie as tables beside the experiments that fit them.

By scipy.optimize.least_squares at tolerances of 1e-15: parameters, sums of squares, and standard errors with n − p degrees of
freedom. Tolerance: 1e-3, and half a unit of the last digit printed for the errors.
"""

NAKAO_HILL_NA = {"I_max": 1.16715, "K": 10.66007, "n": 1.26711, "sse": 0.022891}
NAKAO_HILL_NA_SD = {"K": 0.59, "n": 0.09}
NAKAO_CUBIC_NA = {"I_max": 1.20049, "K": 2.82376, "sse": 0.021566}
NAKAO_HILL_K = {"I_max": 1.29648, "K": 1.48574, "n": 0.96644, "sse": 0.005688}
NAKAO_HILL_K_SD = {"K": 0.11, "n": 0.04}
# I = g (V − E_K − s) / (1 + exp((V − E_K − s)/w)) in nA, with 5 mM of K outside and 130 mM inside at 310 K.
CHAI_KIR = {"g": 0.04825, "shift": -0.064, "width": 269.78, "sse": 0.004578}
SEIFERT_KIR = {"g": 0.03662, "shift": -3.036, "width": 93.51, "sse": 0.029068}
# Slope of ln g over ln K.
RANSOM_EXPONENT = 0.6145

# Despa et al. (2005) Circ Res: K_Na of the pump 18.8 → 13.6 mM and resting Na 12.5 → 10.5 mM, an elasticity of ln(10.5/12.5)/ln(13.6/18.8).
DESPA_ELASTICITY = 0.538
# Elasticity of the cell of Düsterwald et al. (2018) with a pump of three sites and K_Na of 10 mM.
OHMIC_ELASTICITY = 0.868715

# Singular values of the elasticities of Na, K, Cl and U/45 mV of U937 cells at rest, in seven transport parameters: central differences.
U937_SPECTRUM = (1.13299, 0.74917, 0.35100)

# Gerkau et al. (2017), two minutes of chemical ischemia; concentrations in mM, in the order of time, s.
GERKAU_ISCHEMIA = {
    "neuron.Na": [13.56, 32.30, 32.94, 21.77, 14.16],
    "astrocyte.Na": [14.08, 28.29, 25.72, 17.79, 13.80],
    "highest K": [4.666],
    "lowest K": [2.385],
    "largest fall of Na": [5.50],
}
GERKAU_LENGTH = 120.0
