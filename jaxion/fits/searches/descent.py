"""Gradient descent of one start by any optax optimiser; a step that ends where the model fails is taken back and shortened."""

import dataclasses
from typing import Any, Final, NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array

from jaxion.errors import Status
from jaxion.fits.parameters.parameters import Unknowns
from jaxion.fits.problem import FitProblem, Layout

_SHORTEST: Final = 1e-8
"""Fraction of a step below which a start gives up: the model fails in every direction that the optimiser takes."""

_ARMIJO: Final = 1e-4
"""Share of the decrease promised by the slope that a step of a monotone method has to keep."""

_NOTHING: Final = 1e-6
"""Decrease of the loss, relative to 1 + |loss|, that is none."""

_FAR: Final = 1e30
"""Loss of a failed model for line searches, which compare but cannot handle NaN."""


class DescentState(NamedTuple):
    """One start under way: where it is, and the best place that it has seen."""

    u: Unknowns
    loss: Array
    grad: Unknowns
    best_u: Unknowns
    best_loss: Array
    waited: Array
    shortened: Array
    inner: Any
    status: Array
    done: Array


@dataclasses.dataclass(frozen=True)
class Descent:
    """A method that walks down the gradient.

    Attributes:
        optimiser: An optax `GradientTransformation`, with schedules and clipping as the user likes.
        patience: Steps without improvement after which a start is done; None for never.
        tolerance: Relative improvement that counts as one; also the size of the gradient, relative to 1 + |loss|, that ends a start.
        finishes: Whether a given number of steps is an end in itself.
        monotone: Whether the loss may never rise, as for quasi-Newton methods without a line search of their own.
    """

    optimiser: Any
    patience: int | None
    tolerance: float
    finishes: bool = True
    monotone: bool = False

    def evaluate(self, problem: FitProblem, u: Unknowns) -> "Slope":
        """What a step needs to know of a place."""

        def loss(u: Unknowns) -> tuple[Array, Array]:
            found = problem.at(u)
            return found.loss, found.status

        (value, status), grad = jax.value_and_grad(loss, has_aux=True)(u)
        return Slope(value, jnp.where(jnp.all(jnp.isfinite(grad)) | (status != Status.ok), status, int(Status.not_finite)), grad)

    def init(self, layout: Layout, u: Unknowns, found: "Slope") -> DescentState:
        """State of a start."""
        zero, one, bad = jnp.zeros((), int), jnp.ones(()), found.status != Status.ok
        return DescentState(u, found.loss, found.grad, u, found.loss, zero, one, self.optimiser.init(u), found.status, bad)

    def propose(self, problem: FitProblem, s: DescentState) -> "Proposal":
        """A step of the optimiser."""
        import optax

        def far(u: Unknowns) -> Array:
            loss = problem.at(u).loss
            return jnp.where(jnp.isfinite(loss), loss, _FAR)

        optimiser = optax.with_extra_args_support(self.optimiser)
        # optax mixes whole numbers of two widths, which a caller may have forbidden.
        with jax.numpy_dtype_promotion("standard"):
            updates, inner = optimiser.update(s.grad, s.inner, s.u, value=s.loss, grad=s.grad, value_fn=far)
        return Proposal(s.u + s.shortened * jnp.asarray(updates), inner)

    def judge(self, layout: Layout, s: DescentState, proposal: "Proposal", found: "Slope") -> DescentState:
        """A step that ends where the model fails, or of a monotone method one that goes up, is taken back and shortened."""
        trial, bad = proposal.u, found.status != Status.ok
        rise = jnp.sum(s.grad * (trial - s.u))
        if self.monotone:
            bad = bad | (rise >= 0) | ~(found.loss <= s.loss + _ARMIJO * rise)
        loss, grad = jnp.where(bad, s.loss, found.loss), jnp.where(bad, s.grad, found.grad)
        shortened = jnp.where(bad, s.shortened / 2, 1.0 if self.monotone else jnp.minimum(1.0, 1.5 * s.shortened))
        stuck = shortened < _SHORTEST
        # It has come to its end if the slope promises nothing more; else the model fails all around, or the slope is wrong.
        ended = self.monotone & (-rise / s.shortened <= _NOTHING * (1 + jnp.abs(s.loss)))
        why = jnp.where(found.status == Status.ok, int(Status.step_too_small), found.status)
        inner = proposal.inner
        if self.monotone:
            # A step that was not taken is not remembered; a direction that leads up, after negative curvature, begins afresh.
            fresh = jax.tree.map(lambda new, old: jnp.where(rise >= 0, new, old), self.optimiser.init(s.u), s.inner)
            inner = jax.tree.map(lambda old, new: jnp.where(bad, old, new), fresh, inner)
            shortened = jnp.where(rise >= 0, 1.0, shortened)
        better = ~bad & (loss < s.best_loss)
        gained = better & (loss < s.best_loss - self.tolerance * (1 + jnp.abs(s.best_loss)))
        waited = jnp.where(gained, 0, s.waited + 1)
        done = stuck | (jnp.max(jnp.abs(grad)) <= self.tolerance * (1 + jnp.abs(loss)))
        if self.patience is not None:
            done = done | (waited >= self.patience)
        return DescentState(
            u=jnp.where(bad, s.u, trial),
            loss=loss,
            grad=grad,
            best_u=jnp.where(better, trial, s.best_u),
            best_loss=jnp.where(better, loss, s.best_loss),
            waited=waited,
            shortened=shortened,
            inner=inner,
            status=jnp.where(stuck & ~ended, why, s.status),
            done=done,
        )


class Slope(NamedTuple):
    """Loss, status and gradient at a place."""

    loss: Array
    status: Array
    grad: Unknowns


class Proposal(NamedTuple):
    """Where a step leads, and the optimiser's state if it is taken."""

    u: Unknowns
    inner: Any
