"""The search for set-points: Newton first, and integration for what it leaves; a status for every cell."""

from collections.abc import Callable
from typing import Any, Final

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Int

from jaxion.errors import Status
from jaxion.kernel import select
from jaxion.model import Model
from jaxion.setpoints.certificate import Certificate, certify
from jaxion.setpoints.integrate import integrate
from jaxion.setpoints.newton import newton
from jaxion.setpoints.reduction import Unknowns, physical

RESIDUAL: Final = 1.0
"""Largest scaled residual of a set-point, in roots of the machine epsilon: 1.5e-8 in double precision."""

SINGULAR: Final = 2e-3
"""Condition number beyond which a Jacobian is singular to rounding, over the machine epsilon: 1e13 in double precision."""


class Found(eqx.Module):
    """Result of a search: unknowns, status and certificate of each cell."""

    y: Unknowns
    status: Int[Array, "*cells"]
    certificate: Certificate


def attempt(model: Model, start: Unknowns, active: Bool[Array, "*cells"], max_steps: int) -> Found:
    """Newton from `start`, certified."""
    y, converged = newton(model, start, active, max_steps)
    certificate = certify(model, y)
    cells = start.shape[1:]
    evidence = certificate.residual, certificate.condition, certificate.unstable
    found = status(converged & active, *evidence, _finite(model, cells), jnp.broadcast_to(physical(model), cells))
    return Found(y, found, certificate)


def needs_rescue(found: Found) -> Bool[Array, "*cells"]:
    """Cells whose outcome integration may still change."""
    return (found.status == Status.no_setpoint) | (found.status == Status.unstable)


def search(model: Model, start: Unknowns, max_steps: int) -> Found:
    """Search all cells side by side, under any JAX transformation: Newton from the start, then from where integration arrives.

    The second round takes the cells without a stable set-point and keeps what it finds only if that is one.
    """
    everyone = jnp.ones(start.shape[1:], bool)
    shapes = jax.eval_shape(lambda: attempt(model, start, everyone, max_steps))
    nothing = jax.tree.map(lambda leaf: jnp.zeros(leaf.shape, leaf.dtype), shapes)
    nothing = eqx.tree_at(lambda found: found.status, nothing, jnp.full_like(nothing.status, Status.no_setpoint))

    # A loop and not two calls: both rounds are compiled once.
    def body(state: tuple[Array, Found]) -> tuple[Array, Found]:
        turn, found = state
        active = needs_rescue(found)
        new = attempt(model, integrate(model, start, active & (turn > 0)), active, max_steps)
        keep = active & ((turn == 0) | (new.status == Status.ok))
        return turn + 1, jax.tree.map(lambda new, old: select(keep, new, old), new, found)

    def unfinished(state: tuple[Array, Found]) -> Array:
        return (state[0] == 0) | ((state[0] == 1) & jnp.any(needs_rescue(state[1])))

    return jax.lax.while_loop(unfinished, body, (jnp.zeros((), int), nothing))[1]


def status(
    converged: Any, residual: Any, condition: Any, unstable: Any, finite: Any, physical: Any, where: Callable[..., Any] = jnp.where
) -> Any:
    """Status of cells of whom it is known how they ended, and whether their numbers are finite and physical.

    Args:
        converged: Whether Newton has converged.
        residual: Of their certificate, as the next two.
        condition: Condition number of the reduced Jacobian.
        unstable: Number of unstable modes.
        finite: Whether all numbers of the cell are.
        physical: Whether they are possible.
        where: `jnp.where`, or `np.where` for arrays of NumPy.
    """
    epsilon = jnp.finfo(residual.dtype).eps
    good = converged & (residual < RESIDUAL * epsilon**0.5)
    failed = where(~finite, Status.not_finite, where(~physical, Status.not_positive, Status.no_setpoint))
    judged = where(unstable == 0, Status.ok, Status.unstable)
    judged = where(condition > SINGULAR / epsilon, Status.singular, judged)
    return where(good, judged, failed)


def _finite(model: Model, cells: tuple[int, ...]) -> Bool[Array, "*cells"]:
    leaves = [jnp.broadcast_to(jnp.isfinite(leaf), cells) for leaf in jax.tree.leaves(model)]
    return jnp.all(jnp.stack(leaves), axis=0)
