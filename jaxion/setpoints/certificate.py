"""Evidence that a set-point is valid: residual, conserved totals, conditioning, stability and branch of each cell."""

from typing import Final

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Bool, Complex, Float, Int

from jaxion.ions import valence
from jaxion.kernel import identity, inverse, matmul, select, unstable_modes
from jaxion.model import Model
from jaxion.setpoints.newton import jacobian, jacobian_of
from jaxion.setpoints.reduction import HELD, Unknowns, expand, extend, extended_rate_of_change, held_amounts, totals
from jaxion.snapshot import Snapshot, area_ratio, capacitor_charge, inside_charge, side
from jaxion.thermo import nernst

BRANCHES: Final = ("physiological", "depolarised", "donnan")
"""Names of the branches, by their number in `Certificate.branch`."""

DEPOLARISED: Final = -40.0
"""Potential above which a set-point counts as depolarised, mV."""

EQUILIBRIUM: Final = 0.1
"""Largest driving force of any ion at a Donnan equilibrium, mV."""


class Certificate(eqx.Module):
    """Evidence for one set-point, or for each of a batch.

    Attributes:
        residual: Largest rate of change of any unknown over its largest partial derivative: how far, in e-folds, a row is from zero.
        totals: Relative error of each conserved total, and of each membrane's capacitor law, by name.
        condition: Condition number (∞-norm) of the reduced Jacobian with its rows scaled to one.
        unstable: Number of unstable modes on the manifold of the totals; -1 where it cannot be told.
        branch: Number of the branch in `BRANCHES`.
    """

    residual: Float[Array, "*cells"]
    totals: dict[str, Float[Array, "*cells"]]
    condition: Float[Array, "*cells"]
    unstable: Int[Array, "*cells"]
    branch: Int[Array, "*cells"]

    @property
    def stable(self) -> Bool[Array, "*cells"]:
        """Whether every perturbation decays."""
        return self.unstable == 0


def certify(model: Model, y: Unknowns) -> Certificate:
    """Examine the unknowns `y` of each cell; not finite where `y` is not."""
    G, J = jacobian(model, y)
    snapshot = expand(model, y)
    return Certificate(
        residual=_residual(G, J),
        totals=errors(model, snapshot),
        condition=_condition(J),
        unstable=unstable_modes(_dynamics(model, y, J)),
        branch=branch(model, snapshot),
    )


def eigenvalues(model: Model, y: Unknowns) -> Complex[Array, "modes *cells"]:
    """Eigenvalues of the dynamics on the manifold of the totals, gates included, 1/s, slowest decay (or fastest growth) first.

    An ion that is held has no mode: it counts as NaN, at the end.
    """
    J = _dynamics(model, y, jacobian(model, y)[1])
    finite = jnp.all(jnp.isfinite(J), axis=(0, 1))
    safe = select(finite, J, identity(J.shape[0], J.shape[2:], J.dtype))
    values = jnp.moveaxis(jnp.linalg.eigvals(jnp.moveaxis(safe, (0, 1), (-2, -1))), -1, 0)
    for held in held_amounts(model).values():
        values = jnp.where(held & (jnp.abs(values + HELD) < 1e-9 * HELD), jnp.nan, values)
    order = jnp.argsort(-values.real, axis=0)
    return select(finite, jnp.take_along_axis(values, order, axis=0), jnp.nan)


def _residual(G: Float[Array, "n *cells"], J: Float[Array, "n n *cells"]) -> Float[Array, "*cells"]:
    slopes = jnp.max(jnp.abs(J), axis=1)
    # A row that nothing moves is at rest everywhere: its condition number tells, not its residual.
    return jnp.max(jnp.abs(G) / jnp.where(slopes == 0, 1.0, slopes), axis=0)


def errors(model: Model, snapshot: Snapshot) -> dict[str, Array]:
    """Relative error of each conserved total and of each capacitor law, by name."""
    cells = jnp.shape(next(iter(snapshot.potentials.values())))
    wanted, found = totals(model, model.baseline()), totals(model, snapshot)
    errors = {name: found[name] / wanted[name] - 1.0 for name in wanted}
    for name, membrane in model.membranes.items() if model.has_capacitor_law else ():
        area, V = area_ratio(model, snapshot, membrane), snapshot.potentials[name]
        excess = inside_charge(model, snapshot, name) - capacitor_charge(model, membrane, V, area)
        gross = sum(abs(valence(ion)) * n for ion, n in snapshot.amounts[name].items())
        errors[f"{name}.charge"] = excess / gross
    return {name: jnp.broadcast_to(error, cells) for name, error in errors.items()}


def _condition(J: Float[Array, "n n *cells"]) -> Float[Array, "*cells"]:
    rows = jnp.max(jnp.abs(J), axis=1, keepdims=True)
    J = J / rows
    size = lambda A: jnp.max(jnp.sum(jnp.abs(A), axis=1), axis=0)  # noqa: E731
    # A singular matrix has no finite inverse, and an infinite condition number.
    return jnp.nan_to_num(size(J) * size(inverse(J)), nan=jnp.inf)


def _dynamics(model: Model, y: Unknowns, J: Float[Array, "n n *cells"]) -> Float[Array, "m m *cells"]:
    """Jacobian of the true dynamics: with the gates, and without potentials that follow at once from zero net current."""
    if model.structure.gates and model.gates == "full":
        _, J = jacobian_of(lambda z: extended_rate_of_change(model, z), extend(model, y))
    if model.closure != "electroneutral":
        return J
    m = J.shape[0] - len(model.structure.potentials)
    return J[:m, :m] - matmul(matmul(J[:m, m:], inverse(J[m:, m:])), J[m:, :m])


def branch(model: Model, snapshot: Snapshot) -> Int[Array, "*cells"]:
    """Number of the branch in `BRANCHES`."""
    highest, force = [], []
    for name, membrane in model.membranes.items():
        V = snapshot.potentials[name]
        inside, outside = side(model, snapshot, membrane.inside), side(model, snapshot, membrane.outside)
        moved = {s for m in membrane.mechanisms.values() for s, _ in m.cycle.solutes if valence(s)}
        highest.append(V)
        force += [jnp.abs(V - nernst(inside[ion], outside[ion], valence(ion), model.RT_F)) for ion in sorted(moved)]
    V, largest = (jnp.max(jnp.stack(jnp.broadcast_arrays(*x)), axis=0) for x in (highest, force))
    return jnp.where(largest < EQUILIBRIUM, 2, jnp.where(V > DEPOLARISED, 1, 0))
