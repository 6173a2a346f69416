"""Where a transient starts: the baseline, a set-point, a state."""

from typing import Any, Final

import jax.numpy as jnp
from jaxtyping import Array, Float, Int

from jaxion.errors import Status, nearest
from jaxion.model import Model
from jaxion.setpoints import SetPoint, setpoint
from jaxion.transients.solution import State

STARTS: Final = ("baseline", "setpoint")
"""Starts that have a name."""


def start_rows(model: Model, start: Any, lowering: str = "auto") -> tuple[Float[Array, "rows *cells"], Int[Array, "*cells"]]:
    """Rows at the start, and the status of each cell: that of its set-point where it has none.

    Args:
        model: Model that the protocol begins with.
        start: `"baseline"`, `"setpoint"`, a `SetPoint`, a `State`, or rows of shape `(rows, *cells)`.
        lowering: What a set-point is sought by, as for `setpoint`.

    Raises:
        ValueError: `start` is something else, or has other rows than the model.
    """
    cells = model.cells
    if isinstance(start, str) and start not in STARTS:
        names = " or ".join(f"`{name}`" for name in STARTS)
        raise ValueError(f"Argument `start` must be {names}, a SetPoint or a state, but it is `{start}`.{nearest(start, STARTS)}")
    if isinstance(start, str) and start == "setpoint":
        start = setpoint(model, lowering=lowering)
    if isinstance(start, SetPoint):
        rows = start.model.pack(start.snapshot)
        _check_rows(model, start.model)
        found = jnp.where(start.ok, Status.ok, start.status)
        # A cell without a set-point has nothing to start from.
        rows = jnp.where(start.ok, rows, jnp.nan)
    else:
        if isinstance(start, State):
            _check_rows(model, start.model)
        rows = (
            model.pack(model.baseline())
            if isinstance(start, str)
            else start.rows
            if isinstance(start, State)
            else jnp.asarray(start, float)
        )
        found = jnp.full(cells, Status.ok)
    if rows.ndim == 0 or rows.shape[0] != len(model.rows):
        raise ValueError(f"Argument `start` must have {len(model.rows)} rows ({', '.join(model.rows)}), but its shape is {rows.shape}.")
    cells = jnp.broadcast_shapes(cells, rows.shape[1:])
    rows = rows.reshape(rows.shape + (1,) * (1 + len(cells) - rows.ndim))
    return jnp.broadcast_to(rows, (rows.shape[0], *cells)), jnp.broadcast_to(found, cells)


def _check_rows(model: Model, other: Model) -> None:
    if model.rows != other.rows:
        raise ValueError(
            f"Argument `start` is a state of `{other.name}`, whose rows are {', '.join(other.rows)}; `{model.name}` has others."
        )
