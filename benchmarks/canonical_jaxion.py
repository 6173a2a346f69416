"""jaxion's kernel on the canonical cell: set-points with their certificate, and all sensitivities, from arrays to arrays."""

from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np
from canonical import ADENYLATES, CHARGE, MOVED, PARAMETERS, REST, RT_F, SPACE, STATES, f, held_K
from canonical_reduced import POTENTIALS, UNKNOWNS, residual, start, state

import jaxion
from jaxion.errors import Status
from jaxion.kernel import Ended, Equilibrium, Response, respond, seek

jaxion.enable_x64()

MAX_STEPS = 100
MOVING = tuple(name for name in STATES if name not in ("K_i", "K_g"))
"""States that have dynamics of their own once the charges of both cells are given."""


def sizes(x: jax.Array, theta: jax.Array) -> jax.Array:
    """What a unit of each unknown holds: the amount itself of a logarithm, the charge of RT/F on a membrane."""
    charge = 1e-3 * theta[list(PARAMETERS).index("C")] * MOVED * RT_F
    return jnp.stack([charge if name in POTENTIALS else jnp.exp(value) for name, value in zip(UNKNOWNS, x, strict=True)])


def kept(x: jax.Array, theta: jax.Array) -> jax.Array:
    """Amounts and the volume that follow from the unknowns; ADP as well."""
    p, y = dict(zip(PARAMETERS, theta, strict=True)), dict(zip(STATES, state(x, theta), strict=True))
    Cl_o = y["Na_o"] + y["K_o"] + CHARGE * p["C"] * (y["V"] + y["V_g"])
    w_o = p["A_i"] / 140 + SPACE * p["A_g"] / 55 + SPACE - y["w_i"] - y["w_g"]
    return jnp.stack([y["K_i"], y["K_g"], Cl_o, w_o, ADENYLATES - y["ATP"]])


def dynamics(z: jax.Array, theta: jax.Array) -> jax.Array:
    """Rates of the moving states, gates included."""
    p, y = dict(zip(PARAMETERS, theta, strict=True)), dict(zip(MOVING, z, strict=True))
    y["K_i"] = held_K(p["A_i"], y["Na_i"], y["Cl_i"], p["C"] * y["V"])
    y["K_g"] = held_K(p["A_g"], y["Na_g"], y["Cl_g"], p["C"] * y["V_g"])
    rates = f(jnp.zeros(()), jnp.stack([y[name] for name in STATES]), jnp.concatenate([theta, jnp.asarray(REST)]))
    return jnp.stack([rates[STATES.index(name)] for name in MOVING])


def extend(x: jax.Array, theta: jax.Array) -> jax.Array:
    """The moving states at the unknowns."""
    y = state(x, theta)
    return jnp.stack([y[STATES.index(name)] for name in MOVING])


EQUILIBRIUM = Equilibrium(
    rates=residual,
    sizes=sizes,
    kept=kept,
    dynamics=dynamics,
    extend=extend,
    evidence=lambda x, theta: jnp.zeros(0),
    rows=len(UNKNOWNS),
    params=len(PARAMETERS),
    bounded=0,
)
RESPONSE = Response(
    rates=lambda x, theta, shifts: residual(x, theta + shifts),
    observe=lambda x, theta, shifts: state(x, theta + shifts),
    rows=len(UNKNOWNS),
    params=len(PARAMETERS),
    shifts=len(PARAMETERS),
)


def prepare(theta: np.ndarray, solver: str) -> Callable[[], tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Function that solves all cells; returns states `(16, cells)`, sensitivities `(16, 25, cells)` and which set-points are certified."""
    assert solver == "setpoint"
    begin = start(theta)

    def run() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        sought = seek(EQUILIBRIUM, begin, theta, MAX_STEPS, _judge)
        states, sensitivities, _ = respond(RESPONSE, np.asarray(sought.x), theta)
        return states, sensitivities, np.asarray(sought.status) == Status.ok

    return run


def _judge(ended: Ended, theta: np.ndarray) -> np.ndarray:
    del theta
    return np.where(ended.converged & (ended.unstable == 0) & (ended.condition < 1e13), Status.ok, Status.no_setpoint)
