"""Stiff problems with known ends, on which every integrator is tried.

Each `Problem` says:
    f       rates f(t, y, θ) of one cell in plain JAX, from vectors to a vector
    theta   θ of the published problem
    y0      start, at t = 0
    t_end   end
    end     y(t_end), as published
    scale   size of each row, of which the absolute tolerance is a part: the decade of its end value
    source  where equations, constants and end come from

The published ends were reproduced with two codes of different families, SciPy's Radau and CVODE (both at rtol 1e-12, in
units of |y − end| / (scale + |end|)): Robertson 1e-11 and 2e-9, van der Pol 1e-14 and 6e-11, HIRES 4e-13 and 3e-10,
Oregonator 1e-13 and 6e-9, POLLU 3e-14 and 2e-12.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax.numpy as jnp
import numpy as np

BARI = "Mazzia & Magherini (2008) Test Set for Initial Value Problem Solvers, release 2.4, University of Bari"


class Problem(NamedTuple):
    """A stiff problem with a published end; fields as above."""

    f: Callable[[Any, Any, Any], Any]
    theta: np.ndarray
    y0: np.ndarray
    t_end: float
    end: np.ndarray
    source: str

    @property
    def scale(self) -> np.ndarray:
        """Size of each row: the decade of its end value."""
        return 10.0 ** np.floor(np.log10(np.abs(self.end)))


def robertson(t, y, k):
    """Autocatalytic reaction over eleven decades of time."""
    a, b, c = k[0] * y[0], k[1] * y[1] ** 2, k[2] * y[1] * y[2]
    return jnp.stack([c - a, a - b - c, b])


def van_der_pol(t, y, epsilon):
    """Relaxation oscillator, ε y″ = (1 − y²) y′ − y."""
    return jnp.stack([y[1], ((1 - y[0] ** 2) * y[1] - y[0]) / epsilon[0]])


def hires(t, y, theta):
    """High irradiance responses of photomorphogenesis: eight reactants."""
    together = theta[0] * y[5] * y[7]
    apart = 1.81 * y[6]
    return jnp.stack(
        [
            -1.71 * y[0] + 0.43 * y[1] + 8.32 * y[2] + theta[1],
            1.71 * y[0] - 8.75 * y[1],
            -10.03 * y[2] + 0.43 * y[3] + 0.035 * y[4],
            8.32 * y[1] + 1.71 * y[2] - 1.12 * y[3],
            -1.745 * y[4] + 0.43 * y[5] + 0.43 * y[6],
            -together + 0.69 * y[3] + 1.71 * y[4] - 0.43 * y[5] + 0.69 * y[6],
            together - apart,
            apart - together,
        ]
    )


def oregonator(t, y, theta):
    """Belousov–Zhabotinskii reaction: a stiff limit cycle."""
    s, q, w = theta
    return jnp.stack([s * (y[1] + y[0] * (1 - q * y[0] - y[1])), (y[2] - (1 + y[0]) * y[1]) / s, w * (y[0] - y[2])])


# What each reaction of POLLU uses up and makes, species counted from 1 as published.
POLLU_REACTIONS = (
    ((1,), (2, 3)),
    ((2, 4), (1,)),
    ((5, 2), (6, 1)),
    ((7,), (5, 5, 8)),
    ((7,), (8,)),
    ((7, 6), (5, 8)),
    ((9,), (5, 8, 10)),
    ((9, 6), (11,)),
    ((11, 2), (1, 10, 12)),
    ((11, 1), (13,)),
    ((13,), (11, 1)),
    ((10, 2), (14, 1)),
    ((14,), (7, 5)),
    ((1, 6), (15,)),
    ((3,), (4,)),
    ((4,), (16,)),
    ((4,), (3,)),
    ((16,), (6, 6)),
    ((16,), (3,)),
    ((17, 6), (18, 5)),
    ((19,), (2,)),
    ((19,), (1, 3)),
    ((1, 4), (19,)),
    ((19, 1), (20,)),
    ((20,), (1, 19)),
)


def pollu(t, y, k):
    """Air pollution: 25 reactions of 20 species."""
    rates = [jnp.zeros(())] * 20
    for reaction, (used, made) in enumerate(POLLU_REACTIONS):
        speed = k[reaction]
        for species in used:
            speed = speed * y[species - 1]
        for species in used:
            rates[species - 1] = rates[species - 1] - speed
        for species in made:
            rates[species - 1] = rates[species - 1] + speed
    return jnp.stack(rates)


_POLLU_K = (0.35, 26.6, 1.23e4, 8.6e-4, 8.2e-4, 1.5e4, 1.3e-4, 2.4e4, 1.65e4, 9e3, 0.022, 1.2e4, 1.88)
_POLLU_K += (1.63e4, 4.8e6, 3.5e-4, 0.0175, 1e8, 4.44e11, 1240.0, 2.1, 5.78, 0.0474, 1780.0, 3.12)
_POLLU_Y0 = {2: 0.2, 4: 0.04, 7: 0.1, 8: 0.3, 9: 0.01, 17: 0.007}

PROBLEMS = {
    "robertson": Problem(
        robertson,
        np.array([0.04, 3e7, 1e4]),
        np.array([1.0, 0.0, 0.0]),
        1e11,
        np.array([0.2083340149701255e-07, 0.8333360770334713e-13, 0.9999999791665050]),
        f"{BARI}, problem Robertson",
    ),
    "van_der_pol": Problem(
        van_der_pol,
        np.array([1e-6]),
        np.array([2.0, 0.0]),
        2.0,
        np.array([1.706167732170483, -0.8928097010247975]),
        f"{BARI}, problem van der Pol",
    ),
    "hires": Problem(
        hires,
        np.array([280.0, 0.0007]),
        np.array([1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0057]),
        321.8122,
        np.array(
            [
                *(0.7371312573325668e-3, 0.1442485726316185e-3, 0.5888729740967575e-4, 0.1175651343283149e-2),
                *(0.2386356198831331e-2, 0.6238968252742796e-2, 0.2849998395185769e-2, 0.2850001604814231e-2),
            ]
        ),
        f"{BARI}, problem HIRES",
    ),
    "oregonator": Problem(
        oregonator,
        np.array([77.27, 8.375e-6, 0.161]),
        np.array([1.0, 2.0, 3.0]),
        360.0,
        np.array([1.000814870318523, 1228.178521549917, 132.0554942846706]),
        f"{BARI}, problem Oregonator",
    ),
    "pollu": Problem(
        pollu,
        np.array(_POLLU_K),
        np.array([_POLLU_Y0.get(species, 0.0) for species in range(1, 21)]),
        60.0,
        np.array(
            [
                *(0.5646255480022769e-1, 0.1342484130422339, 0.4139734331099427e-8, 0.5523140207484359e-2),
                *(0.2018977262302196e-6, 0.1464541863493966e-6, 0.7784249118997964e-1, 0.3245075353396018),
                *(0.7494013383880406e-2, 0.1622293157301561e-7, 0.1135863833257075e-7, 0.2230505975721359e-2),
                *(0.2087162882798630e-3, 0.1396921016840158e-4, 0.8964884856898295e-2, 0.4352846369330103e-17),
                *(0.6899219696263405e-2, 0.1007803037365946e-3, 0.1772146513969984e-5, 0.5682943292316392e-4),
            ]
        ),
        f"Verwer (1994) SIAM J Sci Comput 15:1243; {BARI}, problem Pollution",
    ),
}
