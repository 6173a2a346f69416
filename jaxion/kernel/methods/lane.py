"""What a lane carries from one step of its cell to the next, in every lowering."""

from typing import Final, NamedTuple

from jaxtyping import Array, Float, Int

from jaxion.kernel.methods.reductions import ReductionState
from jaxion.kernel.methods.step_control import Control


class Progress(NamedTuple):
    """How far a lane has come with its cell.

    Attributes:
        phase: Number of the phase.
        t: Time.
        y: Rows.
        control: State of the step control.
        reduced: State of each reduction.
    """

    phase: Int[Array, " lanes"]
    t: Float[Array, " lanes"]
    y: Float[Array, "rows lanes"]
    control: Control
    reduced: tuple[ReductionState, ...]


class Counts(NamedTuple):
    """Steps that a lane has tried with its cell, and those that were accepted."""

    tries: Int[Array, " lanes"]
    accepted: Int[Array, " lanes"]


BEGIN_AT_ZERO: Final = ("phase", *Counts._fields)
"""Numbers of a lane that are zero when it begins a cell."""


def numbers(rows: int, reduced: int) -> dict[str, int]:
    """How many numbers a lane has of each name, with so many rows and states of reductions: `Progress` and `Counts`, flattened."""
    return {"phase": 1, "t": 1, "y": rows, **dict.fromkeys(Control._fields, 1), "reduced": reduced, **dict.fromkeys(Counts._fields, 1)}
