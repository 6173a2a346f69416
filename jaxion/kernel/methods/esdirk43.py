r"""ESDIRK4(3)6L[2]SA: a six-stage diagonally implicit Runge–Kutta method of order four, L-stable, stiffly accurate, with an explicit first stage.

For a linear equation $\dot z = A(t)\,z + g(t)$ each stage solves one linear system with the same shift,

$$\Big(\frac{1}{h\gamma} - A_j\Big)\, \gamma m_j = A_j \hat z_j + g_j, \qquad \hat z_j = z + \sum_{i<j} a_{ji} m_i, \qquad z_j = \hat z_j + \gamma m_j,$$

with $A_j, g_j$ at $t + c_j h$ and $m_j = h\,\dot z_j$, which is solved for by itself, as the difference of $z_j$ and $\hat z_j$ would have few digits;
and $z_6$ is the end of the step. Between begin and end it is the cubic through $z, z_2, z_6$ with the slope $m_6$: the slope at the begin
is not used, as it is large and means nothing where something stiff has not settled yet.

Source: Kennedy & Carpenter (2003) Appl Numer Math 44:139, the implicit half of ARK4(3)6L[2]SA.
"""

from typing import Final

import numpy as np

GAMMA: Final = 0.25
C: Final = (0.0, 0.5, 0.332, 0.62, 0.85, 1.0)
A: Final = (
    np.array([]),
    np.array([0.25]),
    np.array([0.137776, -0.055776]),
    np.array([0.14463686602698217, -0.22393190761334475, 0.4492950415863626]),
    np.array([0.09825878328356477, -0.5915442428196704, 0.8101210538282996, 0.283164405707806]),
    np.array([0.15791629516167136, 0.0, 0.18675894052400077, 0.6805652953093346, -0.27524053099500667]),
)
"""Coefficients of earlier stages; the stage's own is γ, of the first one zero."""
