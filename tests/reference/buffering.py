"""Spatial buffering of K⁺ by astrocytes, computed independently of jaxion in float64.

Source: the equations of Halnes et al. (2013) PLoS Comput Biol 9:e1003386, by finite volumes with SciPy's BDF (rtol 1e-9); the limits
of 20, 40 and 80 nodes by Richardson extrapolation in the square and the fourth power of their length, which two means at the faces
(arithmetic, logarithmic) approach from different sides and share to seven digits. Concentrations in mM, potentials in mV.
"""

from typing import Final

REST: Final = {
    "ecs.K": 3.0820,
    "ecs.Na": 144.6231,
    "ecs.Cl": 133.6713,
    "astrocyte.K": 99.9953,
    "astrocyte.Na": 15.1722,
    "astrocyte.Cl": 5.1643,
    "astrocyte.V": -83.5442,
}
"""Steady state without input."""
HALF_UNIT: Final = 5e-5

ORDER: Final = ("astrocyte.Na", "astrocyte.K", "astrocyte.Cl", "ecs.Na", "ecs.K", "ecs.Cl", "astrocyte.V")

CONTINUUM_FIRST: Final = (8.526159, 112.439014, 10.911195, 111.880055, 10.648231, 108.596244, -59.002772)
"""After 300 s of input, at x = 0."""
CONTINUUM_LAST: Final = (14.4343225, 101.279598, 5.7072579, 148.850965, 3.3748447, 138.199135, -81.832799)
"""At the other end."""
CONTINUUM: Final = 1e-6
"""Relative tolerance of both."""

WITHOUT_AXIAL: Final = (6.922130, 122.888061, 19.722690, 96.372100, 22.047517, 104.554619, -42.828374)
"""In the input zone without transport along the column; relative tolerance 1e-6."""
