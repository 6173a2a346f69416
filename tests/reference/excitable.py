"""Steady states of two published neurons with gated channels, computed independently of jaxion in float64.

Sources: the public code of Hübel & Dahlem (2014), ModelDB 167714, and of Zandt et al. (2011), ModelDB 139266, run by stiff
integrators and Newton's method; the codes' own stored numbers agree. Tolerance: 1e-4 relative, which also covers the charge of
the capacitor that the first paper leaves out of its sodium.
"""

from typing import Final

RELATIVE: Final = 1e-4

HUEBEL_DAHLEM_REST: Final = {
    "neuron.V": -67.19388,
    "neuron.kdr.n": 0.069407,
    "neuron.K": 129.2563,
    "neuron.Cl": 9.8966,
    "neuron.Na": 25.2291,
    "ecs.Na": 125.3127,
    "ecs.K": 4.0039,
    "ecs.Cl": 123.2826,
}
HUEBEL_DAHLEM_REST_PUMP: Final = 0.645966  # µA/cm²
HUEBEL_DAHLEM_REST_EIGENVALUES: Final = (-0.00325346, -0.214815, -91.992, -529.303)  # 1/s

HUEBEL_DAHLEM_DEPOLARISED: Final = {
    "neuron.V": -23.11150,
    "neuron.K": 115.6491,
    "neuron.Cl": 28.4279,
    "neuron.Na": 57.3677,
    "ecs.Na": 28.8970,
    "ecs.K": 44.8256,
}
HUEBEL_DAHLEM_DEPOLARISED_PUMP: Final = 6.79986  # µA/cm²
HUEBEL_DAHLEM_DEPOLARISED_EIGENVALUES: Final = (-0.00291357, -0.590358, -1038.8, -8331.3)  # 1/s

HUEBEL_DAHLEM_DONNAN: Final = -22.86836  # mV, closed and without pump

ZANDT_REST: Final = {"neuron.V": -67.79655, "ecs.K": 3.82799, "neuron.Na": 20.00007, "neuron.K": 138.79292}
ZANDT_SODIUM: Final = 91.998150  # mM, Na_i + Na_o/2
ZANDT_DONNAN: Final = {"neuron.V": -19.506276, "ecs.K": 54.54417, "neuron.Na": 74.16689, "neuron.Cl": 34.80659}

# Hübel, Andrew & Ullah (2016), ModelDB 187213, for 720 and 3700 µm³ of extracellular space. The published state is that of 720 µm³;
# those of 3700 µm³ were computed from the equations by SciPy.
HUEBEL_2016_DEPOLARISED: Final = {
    720.0: {"neuron.V": -23.73220, "neuron.K": 115.39498, "neuron.Na": 56.88268, "neuron.Cl": 28.48469, "ecs.K": 43.51938},
    3700.0: {"neuron.V": -20.28866, "neuron.K": 77.40879, "neuron.Na": 114.29562, "neuron.Cl": 47.91145, "ecs.K": 33.86296},
}
"""Depolarised although the pump is on; closed, from the paper's totals."""

# Wei, Ullah & Schiff (2014), a public implementation with G_K 25 integrated in float64: bath K⁺ of 4 mM, 32 mg/L of oxygen.
WEI_AFTER_200_S: Final = {"neuron.V": -77.4994, "ecs.K": 3.8736, "neuron.Na": 18.5297}
"""200 s after the paper's initial state: near the rest, to which the last steps take minutes."""
