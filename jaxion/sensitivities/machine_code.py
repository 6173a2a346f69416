"""Derivatives of set-points as machine code, for concrete numbers."""

import functools
from typing import Any, Final

import jax
import jax.numpy as jnp
import numpy as np

from jaxion.declaration import numbers
from jaxion.kernel import Response, respond
from jaxion.paths import observe
from jaxion.sensitivities.derivatives import Given, differentiate, displaced
from jaxion.setpoints.batches import run_in_blocks
from jaxion.setpoints.equations import at
from jaxion.setpoints.reduction import expand, rates_and_sizes, unknown_rows

GROWTH: Final = 1e5
"""Growth of pivots beyond which a cell's derivatives are computed again with pivoting: so many times rounding is all that is lost."""


def differentiate_natively(given: Given, of: tuple[str, ...], wrt: tuple[str, ...]) -> tuple[np.ndarray, np.ndarray]:
    """As `differentiate`, for concrete numbers, in arrays that are nobody else's.

    Raises:
        UnknownPrimitive: The equations or a path have an operation that has no machine code.
    """
    model, y, found = given
    one = found.ndim == 0
    x, theta, there = (np.asarray(leaf)[..., None] if one else np.asarray(leaf) for leaf in (y, numbers(model), found))
    values, matrix, growth = respond(_response(jax.tree.structure(model), of, wrt), x, theta)
    values[:, ~there], matrix[..., ~there] = np.nan, np.nan
    again = np.flatnonzero(there & ~((growth[0] < GROWTH) & np.isfinite(matrix).all(axis=(0, 1))))
    if again.size:
        rows, careful = run_in_blocks(differentiate, _with_cells(given), of, wrt, cells=again)
        values[:, again], matrix[..., again] = np.stack(rows), careful
    return (values[..., 0], matrix[..., 0]) if one else (values, matrix)


@functools.lru_cache(maxsize=256)
def _response(structure: Any, of: tuple[str, ...], wrt: tuple[str, ...]) -> Response:
    def displaced_at(theta: Any, shifts: Any) -> Any:
        return displaced(at(structure, theta), {path: shifts[k] for k, path in enumerate(wrt)})

    def rates(x: Any, theta: Any, shifts: Any) -> Any:
        model = displaced_at(theta, shifts)
        return rates_and_sizes(model, expand(model, x), x)[0]

    def observed(x: Any, theta: Any, shifts: Any) -> Any:
        model = displaced_at(theta, shifts)
        values = observe(model, expand(model, x), of)
        return jnp.stack([jnp.broadcast_to(values[path], ()) for path in of])

    template = at(structure, [jnp.ones(())] * structure.num_leaves)
    return Response(rates, observed, len(unknown_rows(template)), structure.num_leaves, len(wrt))


def _with_cells(given: Given) -> tuple[Any, ...]:
    """The same with a cells axis."""
    model, y, found = given
    return given if found.ndim else (model, y[:, None], found[None])
