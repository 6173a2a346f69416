"""What is to be integrated: the fixed part, known when a kernel is compiled, and the numbers."""

import dataclasses
from collections.abc import Callable
from typing import Any, Final, NamedTuple

from jaxtyping import Array, Float, Int

from jaxion.kernel.reductions import Reduction, State
from jaxion.kernel.system import System

TANGENTS: Final = ("exact", "variational")
"""Tangents of the steps that are taken, and those that the variational equations have along the course, of order four."""


@dataclasses.dataclass(frozen=True)
class Plan:
    """The fixed part.

    Args:
        system: The equations.
        reductions: Measures to reduce.
        rtol: Relative tolerance.
        max_steps: Steps tried per cell at most.
        single: Whether machine code computes in single precision as far as that is enough.
        tangents: Which ones machine code gives, one of `TANGENTS`.
    """

    system: System
    reductions: tuple[Reduction, ...]
    rtol: float
    max_steps: int
    single: bool = False
    tangents: str = "exact"


class Given(NamedTuple):
    """The numbers, cells last. In phase p of a cell, θ is `theta` followed by `drive[p]`.

    Attributes:
        y: Start of each row.
        theta: Parameters that last.
        drive: Parameters that each phase sets.
        edges: Begin of each phase, and the end of the last.
        scale: Size of each row that the absolute tolerance is taken of.
        saves: Times at which the rows are saved, increasing, the same for all cells.
    """

    y: Float[Array, "rows cells"]
    theta: Float[Array, "lasting cells"]
    drive: Float[Array, "phases driven cells"]
    edges: Float[Array, "phases+1 cells"]
    scale: Float[Array, "rows cells"]
    saves: Float[Array, " times"]

    def of_cells(self, function: Callable[[Any], Any]) -> "Given":
        """The function applied to everything that has a cells axis."""
        return Given(*(function(leaf) for leaf in self[:-1]), saves=self.saves)


class Course(NamedTuple):
    """What came out; NaN in whatever a cell did not finish.

    Attributes:
        saved: Rows at the saved times.
        reduced: Outputs of each reduction.
        final: Rows at the end of the last phase.
        status: `Status` code of each cell.
        steps: Steps tried.
        accepted: Steps accepted.
    """

    saved: Float[Array, "times rows cells"]
    reduced: tuple[State, ...]
    final: Float[Array, "rows cells"]
    status: Int[Array, " cells"]
    steps: Int[Array, " cells"]
    accepted: Int[Array, " cells"]
