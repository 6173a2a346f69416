r"""Rodas5P: an eight-stage Rosenbrock method of order five, L-stable, stiffly accurate, with dense output of order four.

With $W = \tfrac{1}{h\gamma} - J$ each stage solves one linear system, all with the same matrix:

$$W\,k_i = f\Big(t + \alpha_i h,\; y + \sum_{j<i} a_{ij} k_j\Big) + \sum_{j<i} \frac{c_{ij}}{h} k_j + h\,d_i\,\frac{\partial f}{\partial t}$$
$$y_1 = y + \sum_j b_j k_j, \qquad \mathrm{error} = k_8$$
$$y(t + \theta h) = (1-\theta)\,y + \theta\big(y_1 + (1-\theta)(K_1 + \theta(K_2 + \theta K_3))\big), \qquad K_m = \sum_j H_{mj} k_j$$

Source: Steinebach (2023) BIT Numer Math 63:27, in the form without matrix products of Hairer & Wanner (1996), Solving Ordinary
Differential Equations II, section IV.7.
"""

from typing import Any, Final

import numpy as np

STAGES: Final = 8
ORDER: Final = 5
GAMMA: Final = 0.21193756319429014
INSTANT: Final = 1e-60
"""Length of a step of which nothing is kept: so short that nothing in it overflows, which would spoil derivatives."""

_LAST = [-7.502846399306121, 2.561846144803919, -11.627539656261098, -0.18268767659942256, 0.030198172008377946]
_A = [
    [],
    [3.0],
    [2.849394379747939, 0.45842242204463923],
    [-6.954028509809101, 2.489845061869568, -10.358996098473584],
    [2.8029986275628964, 0.5072464736228206, -0.3988312541770524, -0.04721187230404641],
    _LAST,
    [*_LAST, 1.0],
    [*_LAST, 1.0, 1.0],
]
_C = [
    [],
    [-14.155112264123755],
    [-17.97296035885952, -2.859693295451294],
    [147.12150275711716, -1.41221402718213, 71.68940251302358],
    [165.43517024871676, -0.4592823456491126, 42.90938336958603, -5.961986721573306],
    [24.854864614690072, -3.0009227002832186, 47.4931110020768, 5.5814197821558125, -0.6610691825249471],
    [30.91273214028599, -3.1208243349937974, 77.79954646070892, 34.28646028294783, -19.097331116725623, -28.087943162872662],
    [
        37.80277123390563,
        -3.2571969029072276,
        112.26918849496327,
        66.9347231244047,
        -40.06618937091002,
        -54.66780262877968,
        -9.48861652309627,
    ],
]


def _square(rows: list[list[float]]) -> np.ndarray:
    return np.array([[*row, *[0.0] * (STAGES - len(row))] for row in rows])


A: Final = _square(_A)
C: Final = _square(_C)
ALPHA: Final = np.array([0.0, 0.6358126895828704, 0.4095798393397535, 0.9769306725060716, 0.4288403609558664, 1.0, 1.0, 1.0])
D: Final = np.array([GAMMA, -0.42387512638858027, -0.3384627126235924, 1.8046452872882734, 2.325825639765069, 0.0, 0.0, 0.0])
B: Final = np.array([*_LAST, 1.0, 1.0, 1.0])
H: Final = np.array(
    [
        [25.948786856663858, -2.5579724845846235, 10.433815404888879, -2.3679251022685204, 0.524948541321073, 1.1241088310450404, 0.4272876194431874, -0.17202221070155493],
        [-9.91568850695171, -0.9689944594115154, 3.0438037242978453, -24.495224566215796, 20.176138334709044, 15.98066361424651, -6.789040303419874, -6.710236069923372],
        [11.419903575922262, 2.8879645146136994, 72.92137995996029, 80.12511834622643, -52.072871366152654, -59.78993625266729, -0.15582684282751913, 4.883087185713722],
    ]
)  # fmt: skip


def interpolated_rate(y: Any, y1: Any, K: Any, h: Any) -> Any:
    """Derivative in time of the dense output in the middle of a step."""
    # `slope` at θ = 1/2, where the factor 1 − 2θ of the bracket vanishes.
    return (y1 - y + 0.25 * (K[1] + K[2])) / h


def slope(theta: Any, y: Any, y1: Any, K: Any) -> Any:
    """Derivative of the dense output in `theta`."""
    rest = 1.0 - theta
    return (y1 - y) + (rest - theta) * (K[0] + theta * (K[1] + theta * K[2])) + (theta * rest) * (K[1] + (2.0 * theta) * K[2])


def interpolate(theta: Any, y: Any, y1: Any, K: Any) -> Any:
    """Dense output at the fraction `theta` of a step from `y` to `y1`, for numbers, arrays or nodes."""
    rest = 1.0 - theta
    return rest * y + theta * (y1 + rest * (K[0] + theta * (K[1] + theta * K[2])))
