"""From a model to the steady state that the kernel looks for: equations of one cell, and its numbers."""

import functools
from typing import Any

import jax
import jax.numpy as jnp

from jaxion.kernel import Equilibrium
from jaxion.model import Model
from jaxion.setpoints.certificate import branch, errors
from jaxion.setpoints.reduction import (
    dependents,
    expand,
    extend,
    extended_rate_of_change,
    physical,
    rate_of_change,
    rates_and_sizes,
    unknown_rows,
)


def equilibrium(model: Model) -> Equilibrium:
    """The equations of a model's set-point; the same object for the same structure, so that they are compiled once."""
    return _equilibrium(jax.tree.structure(model))


def error_names(model: Model) -> tuple[str, ...]:
    """Names of the totals and capacitor laws whose errors lead the evidence."""
    laws = [f"{name}.charge" for name in model.membranes] if model.has_capacitor_law else []
    return (*(total.name for total in model.structure.conserved), *laws)


@functools.lru_cache(maxsize=128)
def _equilibrium(structure: Any) -> Equilibrium:
    template = at(structure, [jnp.ones(())] * structure.num_leaves)
    rows, potentials = unknown_rows(template), len(template.structure.potentials)
    gated = bool(template.structure.gates) and template.gates == "full"

    def rates(x: Any, theta: Any) -> Any:
        model = at(structure, theta)
        return rates_and_sizes(model, expand(model, x), x)[0]

    def sizes(x: Any, theta: Any) -> Any:
        model = at(structure, theta)
        return rates_and_sizes(model, expand(model, x), x)[1]

    def dynamics(z: Any, theta: Any) -> Any:
        model = at(structure, theta)
        return extended_rate_of_change(model, z) if gated else rate_of_change(model, expand(model, z), z)

    def evidence(x: Any, theta: Any) -> Any:
        model = at(structure, theta)
        snapshot = expand(model, x)
        error = errors(model, snapshot)
        found = [*(error[name] for name in error_names(model)), branch(model, snapshot), physical(model)]
        return jnp.stack([jnp.asarray(value, x.dtype) for value in found])

    return Equilibrium(
        rates=rates,
        sizes=sizes,
        kept=lambda x, theta: dependents(at(structure, theta), x),
        dynamics=dynamics,
        extend=lambda x, theta: extend(at(structure, theta), x) if gated else x,
        evidence=evidence,
        rows=len(rows),
        params=structure.num_leaves,
        bounded=len(rows) - potentials,
        silent=potentials if template.closure == "electroneutral" else 0,
    )


def at(structure: Any, theta: Any) -> Model:
    """One cell's model with the numbers θ."""
    return jax.tree.unflatten(structure, list(theta))
