"""Forward sensitivities: the derivative of a whole solution in chosen paths."""

import dataclasses
from collections.abc import Callable

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array

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

    def along(unit: Array) -> Solution:
        direction = {path: jnp.full_like(at[path], x) for path, x in zip(wrt, unit, strict=True)}
        return jax.jvp(floats, (at,), (direction,))[1]

    # Side by side, so that all directions share one course.
    tangents = eqx.combine(jax.vmap(along)(jnp.eye(len(wrt))), jax.tree.map(lambda x: jnp.stack([x] * len(wrt)), counts))
    return dataclasses.replace(plain, tangents=tangents, wrt=wrt)
