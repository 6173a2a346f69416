r"""Levenberg–Marquardt for one start, with residuals whose scatter may be estimated on the way.

$$(J^\mathsf{T} J + \lambda D)\,\delta = -J^\mathsf{T} r, \qquad D = \mathrm{diag}(J^\mathsf{T} J)$$

Design notes. Fits of ion homeostasis are often rank-deficient: a set-point does not change if all conductances
and the pump grow by one factor. `optimistix.LevenbergMarquardt` lets the damping vanish there, wanders along such
a direction and does not end (of 64 starts of Düsterwald's cell with four free rates none did in 100 steps, and some
were off by factors of e¹² by then). So the damping has a floor here, and a start is done when the step, or the decrease of the loss that
it promises, is small.
"""

import dataclasses
from collections.abc import Callable
from typing import Final, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array

from jaxion.errors import Status
from jaxion.fits.compiled import loops
from jaxion.fits.parameters.parameters import Unknowns
from jaxion.fits.problem import Evaluation, FitProblem, Layout

_FIRST: Final = 1e-3
"""Damping of the first step. From ten times as much a fit of 25 parameters takes a fifth more Jacobians."""

_EASED: Final = 0.1
"""Factor on the damping after a step that did what it promised."""

_LEAST: Final = 1e-10
"""Smallest damping."""

_MOST: Final = 1e12
"""Damping at which no step is left."""

_LONGEST: Final = 3.0
"""Longest step of an unknown that is a logarithm."""


class LeastSquaresState(NamedTuple):
    """One start under way."""

    u: Unknowns
    loss: Array
    residuals: Array
    jacobian: Array
    sd: Array
    damping: Array
    growth: Array
    moving: Array
    status: Array
    done: Array

    @property
    def best_u(self) -> Array:
        """Where it is, or where all of a batch are: no step goes up."""
        return self.u

    @property
    def best_loss(self) -> Array:
        """Loss where it is."""
        return self.loss


@dataclasses.dataclass(frozen=True)
class LeastSquares:
    """Levenberg–Marquardt.

    Attributes:
        tolerance: Relative decrease of the loss that ends a start.
        step_tolerance: Step of the unknowns that does so.
        finishes: Whether a given number of steps is an end in itself.
    """

    tolerance: float
    step_tolerance: float = 1e-9
    finishes: bool = False

    def init(self, layout: Layout, u: Unknowns, found: "Linearised", moving: Array) -> LeastSquaresState:
        """State of a start where the problem was evaluated with a scatter of one; `moving` masks the unknowns that may change."""
        one = jnp.ones(len(layout.sizes))
        factor, sd = _rescaled(layout, found.at, one)
        return LeastSquaresState(
            u=u,
            loss=_loss(layout, found.at, one, sd),
            residuals=factor * found.at.residuals,
            jacobian=factor[:, None] * found.jacobian,
            sd=sd,
            damping=jnp.asarray(_FIRST, float),
            growth=jnp.asarray(2.0, float),
            moving=moving,
            status=found.at.status,
            done=found.at.status != Status.ok,
        )

    def propose(self, layout: Layout, s: LeastSquaresState) -> "Proposal":
        """A trial step."""
        # Parameters first: so LAPACK takes it, and XLA is no good at turning it round.
        J = jnp.where(s.moving[:, None], s.jacobian.T, 0.0)
        sizes = jnp.sum(J**2, axis=1)
        # Where nothing has any influence the step is zero, and not the quotient of two zeros.
        D = jnp.maximum(sizes, 1e-12 * jnp.max(sizes))
        D = jnp.where(s.moving & (jnp.finfo(float).tiny < D), D, 1.0)
        # Orthogonalised rather than squared: half the digits would be lost in JᵀJ. Of Q only what it makes of the residuals is needed.
        columns, right = jnp.column_stack([J, jnp.diag(jnp.sqrt(s.damping * D))]), jnp.append(-s.residuals, jnp.zeros(len(D)))
        R = jnp.linalg.qr(jnp.concatenate([columns, right[None]]).T, mode="r")
        delta = jax.scipy.linalg.solve_triangular(R[: len(D), : len(D)], R[: len(D), len(D)])
        # The unknown of a bounded parameter is a logarithm: a long step would end where everything has saturated, for good.
        longest = jnp.max(jnp.where(np.array(layout.bounded), jnp.abs(delta), 0.0))
        delta = delta * jnp.minimum(1.0, _LONGEST / jnp.maximum(longest, _LONGEST))
        predicted = _half_square(s.residuals) - _half_square(s.residuals + delta @ J)
        before = _half_square(s.residuals)
        last = (predicted <= self.tolerance * before) | (jnp.max(jnp.abs(delta)) <= self.step_tolerance)
        return Proposal(s.u + delta, s.sd, predicted, before, last)

    def judge(self, layout: Layout, s: LeastSquaresState, proposal: "Proposal", found: "Linearised") -> LeastSquaresState:
        """The trial is taken if the loss falls."""
        # Compared with the scatter as it was; a better place then has its own.
        gained = proposal.before - _half_square(found.at.residuals)
        better = found.below
        ratio = gained / jnp.where(proposal.predicted > 0, proposal.predicted, 1.0)
        eased = jnp.maximum(s.damping * jnp.maximum(_EASED, 1 - (2 * ratio - 1) ** 3), _LEAST)
        damping = jnp.where(better, eased, s.damping * s.growth)
        factor, sd = _rescaled(layout, found.at, s.sd)
        return LeastSquaresState(
            u=jnp.where(better, proposal.u, s.u),
            loss=jnp.where(better, _loss(layout, found.at, s.sd, sd), s.loss),
            residuals=jnp.where(better, factor * found.at.residuals, s.residuals),
            jacobian=jnp.where(better, factor[:, None] * found.jacobian, s.jacobian),
            sd=jnp.where(better, sd, s.sd),
            damping=damping,
            growth=jnp.where(better, 2.0, 2 * s.growth),
            moving=s.moving,
            status=s.status,
            done=proposal.last | (damping > _MOST),
        )


class Linearised(NamedTuple):
    """An evaluation, whether its loss is below the bound, and the Jacobian of its residuals at the scatter that it was given, if needed."""

    at: Evaluation
    below: Array
    jacobian: Array


class Proposal(NamedTuple):
    """A trial step: where to, with which scatter, by how much the loss should fall, what from, and whether the start is done with it."""

    u: Unknowns
    sd: Array
    predicted: Array
    before: Array
    last: Array


def linearisation(problem: FitProblem) -> tuple[Callable[..., Linearised], bool]:
    """Evaluation and Jacobian of a batch, compiled once for a problem, and whether the problem `loops`.

    They are for a scatter `sd` of the channels whose scatter is estimated. The Jacobian takes most of the time, and is zero where nobody
    needs it: at a trial that is not taken, as its loss is not below a `bound`, and at the `last` one. A model goes through no course
    again along directions that are all zero.
    """
    looping = loops(
        problem.experiments,
        problem.compiled("at", lambda problem: problem.at),
        jnp.zeros(len(problem.names)),
        jnp.ones(len(problem.channels)),
    )

    def make(problem: FitProblem) -> Callable[..., Linearised]:
        def linearised(u: Unknowns, sd: Array, bound: Array, last: Array) -> Linearised:
            def residuals(u: Unknowns) -> tuple[Array, Evaluation]:
                found = problem.at(u, sd)
                return found.residuals, found

            _, along, found = jax.linearize(residuals, u, has_aux=True)
            below = (found.status == Status.ok) & (_half_square(found.residuals) < bound)
            wanted = below & ~last
            jacobian = jax.vmap(along, out_axes=-1)(jnp.where(wanted, jnp.eye(len(u)), 0.0))
            return Linearised(found, below, jnp.where(wanted, jacobian, 0.0))

        return jax.vmap(linearised)

    return problem.compiled(LeastSquares, make), looping


def _rescaled(layout: Layout, found: Evaluation, old: Array) -> tuple[Array, Array]:
    """Factor on each residual for the scatter that is estimated from them, and that scatter."""
    sd = jnp.where(np.array(layout.estimated), found.sd, 1.0)
    return jnp.append(old / sd, 1.0)[layout.channel], sd


def _loss(layout: Layout, found: Evaluation, old: Array, new: Array) -> Array:
    """Loss at the scatter `new`, from that at `old`."""
    sizes = np.array(layout.sizes, float) * np.array(layout.estimated)
    factor, _ = _rescaled(layout, found, old)
    return _half_square(factor * found.residuals) + jnp.sum(sizes * jnp.log(new))


def _half_square(residuals: Array) -> Array:
    return jnp.sum(residuals**2) / 2
