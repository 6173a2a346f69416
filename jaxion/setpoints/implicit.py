r"""Derivatives of a set-point by the implicit function theorem, isolated cell by cell.

$$\frac{dy^*}{d\theta} = -\left(\frac{\partial G}{\partial y}\right)^{-1} \frac{\partial G}{\partial \theta}$$

A failed cell holds numbers that make its derivatives NaN, and zero times NaN would poison the
gradient of every parameter that it shares with good cells. So its numbers are replaced by ones
before anything is differentiated, and what it contributes is exactly zero.
"""

from typing import Any

import jax
import jax.numpy as jnp
from jax.core import Tracer
from jaxtyping import Array, Bool

from jaxion.kernel import identity, inverse, matmul, select
from jaxion.model import Model
from jaxion.setpoints.newton import jacobian
from jaxion.setpoints.reduction import Unknowns, residual


def is_traced(tree: Any) -> bool:
    """Whether a JAX transformation is at work on any number of the tree."""
    return any(isinstance(leaf, Tracer) for leaf in jax.tree.leaves(tree))


def isolate(model: Model, ok: Bool[Array, "*cells"]) -> Model:
    """Model whose failed cells have ones for all their numbers, where every rate is finite."""
    return jax.tree.map(lambda leaf: jnp.where(ok, leaf, 1.0), model)


@jax.custom_jvp
def attach(model: Model, y: Unknowns, ok: Bool[Array, "*cells"]) -> Unknowns:
    """The unknowns `y`, as a differentiable function of the model whose set-point they are.

    Args:
        model: Model whose reduced residual vanishes at `y` in every cell that is `ok`.
        y: Unknowns found by any solver; derivatives of the solver itself are not used.
        ok: Cells at a set-point; the others contribute nothing to any derivative.
    """
    return y


@attach.defjvp
def _attach_jvp(primals, tangents):
    model, y, ok = primals
    # Attached again, so that second and higher derivatives see y as a function of the model.
    y = attach(model, y, ok)
    at = select(ok, y, 0.0)
    _, push = jax.jvp(lambda m: residual(isolate(m, ok), at, ok), (model,), (tangents[0],))
    _, J = jacobian(isolate(model, ok), at, ok)
    J = select(ok, J, identity(J.shape[0], J.shape[2:], J.dtype))
    return y, select(ok, -matmul(inverse(J), push[:, None])[:, 0], 0.0)
