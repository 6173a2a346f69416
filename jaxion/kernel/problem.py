"""What the kernel solves, and what it answers: trajectories, steady states, and how these respond."""

import dataclasses
from collections.abc import Callable
from typing import Any, Final, NamedTuple

import numpy as np
from jaxtyping import Array, Float, Int

from jaxion.kernel.methods.reductions import Reduction, ReductionState
from jaxion.kernel.system import System

TANGENTS: Final = ("exact", "variational")
"""Tangents of the steps that are taken, and those that the variational equations have along the course, of order four."""


@dataclasses.dataclass(frozen=True)
class Plan:
    """The fixed part of an integration, known when it is compiled.

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
    """The numbers of an integration, cells last. In phase p of a cell, θ is `theta` followed by `drive[p]`.

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
    """What came out of an integration; NaN in whatever a cell did not finish.

    Attributes:
        saved: Rows at the saved times.
        reduced: Outputs of each reduction.
        final: Rows at the end of the last phase.
        status: `Status` code of each cell.
        steps: Steps tried.
        accepted: Steps accepted.
    """

    saved: Float[Array, "times rows cells"]
    reduced: tuple[ReductionState, ...]
    final: Float[Array, "rows cells"]
    status: Int[Array, " cells"]
    steps: Int[Array, " cells"]
    accepted: Int[Array, " cells"]


@dataclasses.dataclass(frozen=True, eq=False)
class Equilibrium:
    r"""Equations of a steady state in plain JAX, each a function of x `(rows,)` and θ `(params,)` of one cell to a vector.

    Compiled once each: keep the object, and use it for every batch. An unknown's unit is an e-fold, or a thermal voltage.

    Args:
        rates: Rates f, zero at a steady state, `(rows,)`.
        sizes: What an unknown's unit holds, s in $s\,dx/dt = f$, `(rows,)`.
        kept: Numbers that must stay positive, of rows that follow from the others.
        dynamics: Rates of all rows that move, of z and θ, whose Jacobian says whether a steady state is stable; default f/s.
        extend: z at the unknowns.
        evidence: Further numbers by which a steady state is judged.
        rows: Number of unknowns.
        params: Number of parameters.
        bounded: So many leading unknowns must not get lost.
        silent: So many last rows of z have no dynamics: they follow at once from their rates being zero.
    """

    rates: Callable[[Any, Any], Any]
    sizes: Callable[[Any, Any], Any]
    kept: Callable[[Any, Any], Any]
    dynamics: Callable[[Any, Any], Any]
    extend: Callable[[Any, Any], Any]
    evidence: Callable[[Any, Any], Any]
    rows: int
    params: int
    bounded: int
    silent: int = 0


class Ended(NamedTuple):
    """Where each cell's iteration ended, and what is to be said of it.

    Attributes:
        x: Unknowns, `(rows, cells)`.
        converged: Whether they are a steady state's.
        residual: Largest rate of an unknown over its largest partial derivative.
        condition: Condition number (∞-norm) of the Jacobian with its rows scaled to one.
        unstable: Number of growing modes; −1 where it cannot be told.
        evidence: The equilibrium's own, `(evidence, cells)`.
    """

    x: np.ndarray
    converged: np.ndarray
    residual: np.ndarray
    condition: np.ndarray
    unstable: np.ndarray
    evidence: np.ndarray


Judge = Callable[[Ended, np.ndarray], np.ndarray]
"""From ends and parameters to `Status` codes, in NumPy alone; one object for all batches."""


class Sought(NamedTuple):
    """Where each cell ended, and what is to be said of it, as in `Ended`."""

    x: Float[Array, "rows cells"]
    residual: Float[Array, " cells"]
    condition: Float[Array, " cells"]
    unstable: Float[Array, " cells"]
    evidence: Float[Array, "evidence cells"]
    status: Int[Array, " cells"]


@dataclasses.dataclass(frozen=True, eq=False)
class Response:
    """Equations and observables of one cell in plain JAX, functions of x `(rows,)`, θ `(params,)` and shifts δ `(shifts,)`.

    Compiled once each: keep the object, and use it for every batch.

    Args:
        rates: Rates f that vanish at a steady state, `(rows,)`.
        observe: The observables q.
        rows: Number of unknowns.
        params: Number of parameters.
        shifts: Number of shifts; derivatives are taken where they are zero.
    """

    rates: Callable[[Any, Any, Any], Any]
    observe: Callable[[Any, Any, Any], Any]
    rows: int
    params: int
    shifts: int
