"""The search as machine code: every cell in a lane of its own, so that a slow one holds up nobody."""

import jax
import jax.numpy as jnp
import numpy as np

from jaxion.declaration import numbers
from jaxion.kernel import Ended, seek
from jaxion.model import Model
from jaxion.setpoints.certificate import Certificate
from jaxion.setpoints.equations import equilibrium, error_names
from jaxion.setpoints.reduction import Unknowns
from jaxion.setpoints.search import Found, status


def search_natively(model: Model, start: Unknowns, max_steps: int) -> Found:
    """Newton from the start; for what it leaves, Newton from where a cell's own dynamics lead.

    Raises:
        UnknownPrimitive: The equations have an operation that has no machine code.
    """
    theta, x = numbers(model), start
    one = x.ndim == 1
    if one:
        theta, x = theta[:, None], x[:, None]
    sought = seek(equilibrium(model), x, theta, max_steps, _judge)
    *errors, branch, _ = sought.evidence
    certificate = Certificate(
        residual=sought.residual,
        totals=dict(zip(error_names(model), errors, strict=True)),
        condition=sought.condition,
        unstable=sought.unstable.astype(int),
        branch=jnp.nan_to_num(branch).astype(int),
    )
    found = Found(sought.x, sought.status, certificate)
    return jax.tree.map(lambda leaf: leaf[..., 0] if one else leaf, found)


def _judge(ended: Ended, theta: np.ndarray) -> np.ndarray:
    finite, physical = np.all(np.isfinite(theta), axis=0), ended.evidence[-1] > 0
    return status(ended.converged, ended.residual, ended.condition, ended.unstable, finite, physical, np.where)
