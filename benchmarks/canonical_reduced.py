r"""Set-points of the canonical cell as a root-finder likes them best: 11 unknowns and a Jacobian that is not singular.

On the 16 states it is: the charge of each cell is constant, whatever its start. So K_i and K_g follow from the charge on the
membranes, and the gates are at their steady state for V. Amounts, volumes and ATP are unknown by their logarithms, so that
none can become negative; potentials are in units of RT/F.
"""

import jax
import jax.numpy as jnp
import numpy as np
from canonical import MOVED, PARAMETERS, REST, RT_F, STATES, f, gates, held_K
from canonical import start as neutral

UNKNOWNS = ("V", "Na_i", "Cl_i", "w_i", "Na_o", "K_o", "V_g", "Na_g", "Cl_g", "w_g", "ATP")
POTENTIALS = ("V", "V_g")

_PLACES = [STATES.index(name) for name in UNKNOWNS]
_POTENTIAL = np.isin(UNKNOWNS, POTENTIALS)


def state(x: jax.Array, theta: jax.Array) -> jax.Array:
    """All 16 states of one cell at the unknowns x `(11,)`, θ `(25,)`."""
    p = dict(zip(PARAMETERS, theta, strict=True))
    y = {name: RT_F * value if name in POTENTIALS else jnp.exp(value) for name, value in zip(UNKNOWNS, x, strict=True)}
    y["K_i"] = held_K(p["A_i"], y["Na_i"], y["Cl_i"], p["C"] * y["V"])
    y["K_g"] = held_K(p["A_g"], y["Na_g"], y["Cl_g"], p["C"] * y["V_g"])
    y |= {name: opens / (opens + closes) for name, (opens, closes) in zip("mhn", gates(y["V"]), strict=True)}
    return jnp.stack([y[name] for name in STATES])


def residual(x: jax.Array, theta: jax.Array) -> jax.Array:
    """Rates of the unknown states at rest, of the potentials as the mM/s that their currents move."""
    C = theta[list(PARAMETERS).index("C")]
    rates = f(jnp.zeros_like(x[0]), state(x, theta), jnp.concatenate([theta, jnp.asarray(REST)]))
    return jnp.stack([rates[i] * (1e-3 * C * MOVED if potential else 1.0) for i, potential in zip(_PLACES, _POTENTIAL, strict=True)])


def start(theta: np.ndarray) -> np.ndarray:
    """Unknowns from which every search starts, shape `(11, cells)`."""
    return unknowns(neutral(theta))


def unknowns(y: np.ndarray) -> np.ndarray:
    """Unknowns at the states y `(16, cells)`."""
    x = y[_PLACES]
    return np.where(_POTENTIAL[:, None], x / RT_F, np.log(np.where(_POTENTIAL[:, None], 1.0, x)))
