"""Forward sensitivities: the derivative of a whole solution in chosen paths."""

import dataclasses
from collections.abc import Callable

import equinox as eqx
import jax
import jax.numpy as jnp

from jaxion.model import Model
from jaxion.paths import replace
from jaxion.transients.solution import Solution


def forward(run: Callable[[Model], Solution], model: Model, wrt: tuple[str, ...]) -> Solution:
    """The solution of a model with its derivatives in the paths `wrt`, each of them displaced in every cell at once."""
    at = {path: model[path] for path in wrt}
    # What a path cannot change (a status, a count) is not differentiated.
    plain = run(model)
    _, counts = eqx.partition(plain, eqx.is_inexact_array)

    def floats(values: dict) -> Solution:
        return eqx.filter(run(replace(model, values)), eqx.is_inexact_array)

    def along(k: int) -> Solution:
        direction = {path: jnp.full_like(at[path], float(path == wrt[k])) for path in wrt}
        return jax.jvp(floats, (at,), (direction,))[1]

    moved = [along(k) for k in range(len(wrt))]
    stacked = jax.tree.map(lambda *parts: jnp.stack(parts), *moved)
    tangents = eqx.combine(stacked, jax.tree.map(lambda x: jnp.stack([x] * len(wrt)), counts))
    return dataclasses.replace(plain, tangents=tangents, wrt=wrt)
