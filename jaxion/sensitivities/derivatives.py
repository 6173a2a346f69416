"""Derivatives of set-points by the implicit function theorem, in `jax.numpy`."""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float

from jaxion.kernel import select
from jaxion.model import Model
from jaxion.paths import replace
from jaxion.setpoints.implicit import attach, isolate
from jaxion.setpoints.point import read_paths
from jaxion.setpoints.reduction import Unknowns

Given = tuple[Model, Unknowns, Bool[Array, "*cells"]]
"""A model, the unknowns of its set-points, and the cells that have one."""


def differentiate(given: Given, of: tuple[str, ...], wrt: tuple[str, ...]) -> tuple[list[Array], Float[Array, "of wrt *cells"]]:
    """Values of the paths `of`, and their raw derivatives of shape `(of, wrt, *cells)`."""
    model, y, found = given
    cells = found.shape
    safe = isolate(model, found)

    def read(offsets: dict[str, Array]) -> Array:
        changed = displaced(safe, offsets)
        read_ = read_paths(changed, attach(changed, y, found), found, of)
        return jnp.stack([jnp.broadcast_to(read_[path], cells) for path in of])

    values, push = jax.linearize(read, {path: jnp.zeros(cells, y.dtype) for path in wrt})
    # One tangent a path, shared by all cells: a cell's outputs depend on its own parameters only.
    unit = jnp.broadcast_to(jnp.eye(len(wrt), dtype=y.dtype).reshape((len(wrt),) * 2 + (1,) * len(cells)), (len(wrt), len(wrt), *cells))
    columns = jax.vmap(push)({path: unit[:, k] for k, path in enumerate(wrt)})
    return list(values), select(found, jnp.moveaxis(columns, 0, 1), jnp.nan)


def displaced(model: Model, offsets: dict[str, Array]) -> Model:
    """The model with each path displaced as if it were the only one.

    A volume takes the amount of impermeants along unless that is given as well: were all paths
    replaced at once, a derivative would depend on which others are asked for.
    """
    total = model
    for path, offset in offsets.items():
        at = jnp.broadcast_to(model[path], offset.shape)
        moved, still = (replace(model, {path: value}) for value in (at + offset, at))
        # The leaves that a path does not touch are the model's own.
        total = jax.tree.map(lambda t, leaf, m, s: t if m is leaf else t + (m - s), total, model, moved, still)
    return total
