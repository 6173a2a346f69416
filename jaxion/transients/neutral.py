r"""Electroneutral models for the kernel: the limit of a small capacitance, with the potentials as rows.

Where the net current has to vanish at every moment, each rate would ask for a root. A capacitance of
$\varepsilon C$ makes the same of it, to $O(\varepsilon)$, by the method's own implicit step: it is L-stable, and a
potential that follows at once costs it nothing.
"""

from typing import Final

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array

from jaxion.model import Model
from jaxion.protocols import Drive
from jaxion.transients.solution import driven_at

EPSILON: Final = 1e-4
"""Part of the capacitance that is left: amounts are then off by the charge that it holds, some 1e-10 of them."""


def charged(model: Model) -> Model:
    """The model with its potentials as rows, and hardly any capacitance."""
    return eqx.tree_at(
        lambda m: [membrane.C for membrane in m.membranes.values()], model.closed_by("state"), replace_fn=lambda C: EPSILON * C
    )


def charged_drive(drive: Drive) -> Drive:
    """The same course of the charged model."""
    return Drive(charged(drive.model), drive.paths, drive.edges, drive.value, drive.slope, drive.logistic)


def charged_rows(drive: Drive, rows: Array, cells: tuple[int, ...]) -> Array:
    """Rows of the charged model at the start, `(rows, *cells)`, at the potentials at which no net current flows in the first phase."""
    model = driven_at(drive, jnp.zeros((1, *cells)), cells, time=0)
    there = jnp.all(jnp.isfinite(rows), axis=0)
    # The search for a root does not end at numbers that are not there.
    snapshot = model.unpack(jnp.where(there[None], rows, 1.0))
    return jnp.where(there[None], charged(model).pack(snapshot), jnp.nan)


def kept_rows(model: Model) -> list[int]:
    """Numbers of the charged model's rows that are the model's."""
    rows = charged(model).rows
    return [rows.index(row) for row in model.rows]
