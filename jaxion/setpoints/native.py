"""The search as machine code, for concrete numbers: every cell in a lane of its own, so that a slow one holds up nobody."""

import functools

import jax
import jax.numpy as jnp
import numpy as np

from jaxion.errors import Status
from jaxion.kernel.native_newton import Ended
from jaxion.kernel.steady import seek
from jaxion.model import Model
from jaxion.setpoints.certificate import Certificate
from jaxion.setpoints.equations import equilibrium, error_names, numbers
from jaxion.setpoints.reduction import Unknowns
from jaxion.setpoints.search import Found, needs_rescue, status


def search_natively(model: Model, start: Unknowns, max_steps: int) -> Found:
    """Newton from the start; for what it leaves, Newton from where a cell's own dynamics lead.

    Raises:
        UnknownPrimitive: The equations have an operation that has no machine code.
    """
    theta, x = numbers(model), np.asarray(start)
    one = x.ndim == 1
    if one:
        theta, x = theta[:, None], x[:, None]
    found = functools.partial(_found, error_names(model))
    ended = seek(
        equilibrium(model),
        x,
        theta,
        max_steps,
        unhappy=lambda ended, theta: needs_rescue(found(ended, theta)),
        happy=lambda ended, theta: found(ended, theta).status == Status.ok,
    )
    return jax.tree.map(lambda leaf: leaf[..., 0] if one else leaf, found(ended, theta))


def _found(names: tuple[str, ...], ended: Ended, theta: np.ndarray) -> Found:
    *errors, branch, physical = ended.evidence
    certificate = Certificate(
        residual=jnp.asarray(ended.residual),
        totals={name: jnp.asarray(error) for name, error in zip(names, errors, strict=True)},
        condition=jnp.asarray(ended.condition),
        unstable=jnp.asarray(ended.unstable.astype(int)),
        branch=jnp.asarray(np.nan_to_num(branch).astype(int)),
    )
    return Found(jnp.asarray(ended.x), _status(ended.converged, certificate, np.all(np.isfinite(theta), axis=0), physical > 0), certificate)


_status = jax.jit(status)
