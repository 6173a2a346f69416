"""`seek`: steady states of a batch by machine code, with the cells' own dynamics for what Newton leaves."""

import functools
from collections.abc import Callable
from typing import Any, Final

import numpy as np

from jaxion.kernel.integrate import integrate
from jaxion.kernel.native_newton import Ended, solver
from jaxion.kernel.newton import Equilibrium
from jaxion.kernel.system import System
from jaxion.kernel.trace import UnknownPrimitive
from jaxion.kernel.widths import cores

HORIZON: Final = 1e10
"""Time to integrate, s: three centuries, longer than any homeostatic time constant."""

RTOL: Final = 1e-4
"""Relative tolerance on the way: it is to arrive, not to be quoted."""

STEPS: Final = 20_000
"""Steps on the way at most."""


def seek(
    equilibrium: Equilibrium,
    start: np.ndarray,
    theta: np.ndarray,
    max_steps: int,
    unhappy: Callable[[Ended, np.ndarray], Any],
    happy: Callable[[Ended, np.ndarray], Any],
) -> Ended:
    """Newton from the start of each cell; for the unhappy, Newton again from where their own dynamics lead.

    Args:
        equilibrium: The equations.
        start: First guesses, `(rows, cells)`.
        theta: Parameters, `(params, cells)`.
        max_steps: Iterations of Newton at most.
        unhappy: Of ends and parameters: cells to be sought again.
        happy: Of ends and parameters: cells whose second end is taken.

    Raises:
        UnknownPrimitive: The equations have an operation that has no machine code.
    """
    machine = solver(equilibrium)
    if isinstance(machine, UnknownPrimitive):
        raise machine
    start, theta = np.ascontiguousarray(start), np.ascontiguousarray(theta)
    ended = machine.find(start, theta, max_steps, cores())
    left = np.flatnonzero(unhappy(ended, theta))
    if left.size:
        of_left = np.ascontiguousarray(theta[:, left])
        again = machine.find(_settled(equilibrium, start[:, left], of_left), of_left, max_steps, cores())
        better = np.flatnonzero(happy(again, of_left))
        for all_, new in zip(ended, again, strict=True):
            all_[..., left[better]] = new[..., better]
    return ended


def _settled(equilibrium: Equilibrium, start: np.ndarray, theta: np.ndarray) -> np.ndarray:
    """Unknowns that the cells' own dynamics lead to."""
    edges = np.repeat(np.array([[0.0], [HORIZON]]), start.shape[1], axis=1)
    course = integrate(_dynamics(equilibrium), start, theta, edges, rtol=RTOL, max_steps=STEPS, lowering="llvm")
    return np.ascontiguousarray(course.final)


@functools.lru_cache(maxsize=128)
def _dynamics(equilibrium: Equilibrium) -> System:
    def f(t: Any, x: Any, theta: Any) -> Any:
        return equilibrium.rates(x, theta) / equilibrium.sizes(x, theta)

    return System(f, equilibrium.rows, equilibrium.params)
