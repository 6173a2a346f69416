"""Array types of the public signatures, and the one converter that makes them."""

from typing import TYPE_CHECKING, Any

import jax.numpy as jnp
from jaxtyping import Array, Float

if TYPE_CHECKING:
    # Fields of this type convert numbers; a static checker sees no converter behind a helper function.
    PerCell = PerCellOrNone = Any
else:
    PerCell = Float[Array, "*cells"]
    """A quantity of one cell, shape `()`, or of a batch, shape `(cells,)`."""

    PerCellOrNone = PerCell | None
    """The same, or `None` where it may be left out."""

Rows = Float[Array, "rows *cells"]
"""State rows of a model: the cells axis comes last and is contiguous."""


def per_cell(value: Any) -> Array:
    """Convert a number or an array to a strongly typed floating-point array.

    Weakly typed scalars would make every call with another Python number compile again.
    """
    return jnp.asarray(value, dtype=float)
