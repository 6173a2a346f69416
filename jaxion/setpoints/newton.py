r"""Pseudo-transient Newton on the reduced problem by `jax.numpy`, all cells side by side; its control is the kernel's.

$$\left(\tfrac{1}{\tau} - J\right)\,dy = G(y)$$
"""

from collections.abc import Callable

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int

from jaxion.kernel import identity, pseudo_newton, select, solve
from jaxion.model import Model
from jaxion.setpoints.reduction import Unknowns, dependents, residual


def jacobian(model: Model, y: Unknowns, ok: Bool[Array, "*cells"] | None = None) -> tuple[Unknowns, Float[Array, "n n *cells"]]:
    """Residual and its Jacobian ∂G_i/∂y_j, 1/s."""
    return jacobian_of(lambda y: residual(model, y, ok), y)


def jacobian_of(f: Callable[[Array], Array], y: Float[Array, "n *cells"]) -> tuple[Float[Array, "n *cells"], Float[Array, "n n *cells"]]:
    """Value and Jacobian ∂f_i/∂y_j of a function of each cell's rows, exact, one tangent a row shared by all cells."""
    value, push = jax.linearize(f, y)
    columns = jax.vmap(push)(identity(y.shape[0], y.shape[1:], y.dtype))
    return value, jnp.swapaxes(columns, 0, 1)


def bounded(model: Model, y: Unknowns) -> int:
    """Number of leading unknowns that must not get lost. A strong pump drives a cell of ohmic leaks through volts and back."""
    return y.shape[0] - len(model.structure.potentials)


def newton(model: Model, start: Unknowns, active: Bool[Array, "*cells"], max_steps: int = 100) -> tuple[Unknowns, Bool[Array, "*cells"]]:
    """pseudo_newton.Iterate from `start` until every active cell has converged; returns unknowns and who converged.

    Args:
        model: Cells to solve; not differentiated here.
        start: First guess of the unknowns.
        active: Cells that take part; the others keep their start and count as converged.
        max_steps: Iterations at most.
    """
    cells = start.shape[1:]
    unit = identity(start.shape[0], cells, start.dtype)

    def body(state: tuple[pseudo_newton.Iterate, Int[Array, ""]]) -> tuple[pseudo_newton.Iterate, Int[Array, ""]]:
        at, turn = state
        G, J = jacobian(model, at.x)
        step = solve(unit / at.tau[None, None] - J, G[:, None])[:, 0]
        rest, change = jax.jvp(lambda y: dependents(model, y), (at.x,), (step,))
        new = pseudo_newton.moved(at, start, G, step, rest, change, bounded(model, start))
        return jax.tree.map(lambda new, old: select(at.stop == pseudo_newton.GOES_ON, new, old), new, at), turn + 1

    def unfinished(state: tuple[pseudo_newton.Iterate, Int[Array, ""]]) -> Bool[Array, ""]:
        at, turn = state
        return (turn < max_steps) & jnp.any(at.stop == pseudo_newton.GOES_ON)

    stop = jnp.where(active, pseudo_newton.GOES_ON, pseudo_newton.CONVERGED).astype(start.dtype)
    first = pseudo_newton.Iterate(start, start, jnp.full(cells, pseudo_newton.FIRST, start.dtype), stop)
    last, _ = jax.lax.while_loop(unfinished, body, (first, jnp.zeros((), int)))
    return last.x, last.stop == pseudo_newton.CONVERGED
