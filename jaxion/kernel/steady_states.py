"""`seek` and `respond`: steady states of many cells by machine code, and how these respond to what shifts them."""

from typing import Any

import numpy as np

from jaxion.kernel.problem import Equilibrium, Judge, Response, Sought

# Machine code is imported where it is used: LLVM is large, and `import jaxion` is light.


def seek(equilibrium: Equilibrium, start: Any, theta: Any, max_steps: int, judge: Judge) -> Sought:
    """Find the steady state of each cell by Newton. A cell that does not converge, or ends unstable, is integrated and tried once more from there.

    Composes with `jit`, `vmap` and `scan`; it has no derivative, as what is found depends on the equations alone.

    Args:
        equilibrium: The equations.
        start: First guesses, `(rows, cells)`.
        theta: Parameters, `(params, cells)`.
        max_steps: Iterations of Newton at most.
        judge: Says what became of each cell. The second end counts if it is `ok`.

    Raises:
        UnknownPrimitive: The equations have an operation that has no machine code.
    """
    from jaxion.kernel.binding import equilibria

    return equilibria.seek(equilibrium, start, theta, max_steps, judge)


def respond(response: Response, x: np.ndarray, theta: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    r"""How observables of a steady state respond to what shifts it, by the implicit function theorem, for concrete numbers.

    $$\frac{dq}{d\delta} = \frac{\partial q}{\partial \delta} - \frac{\partial q}{\partial x}
      \left(\frac{\partial f}{\partial x}\right)^{-1} \frac{\partial f}{\partial \delta}, \qquad f(x, \theta, \delta) = 0$$

    Args:
        response: The equations and observables.
        x: Unknowns at the steady states, `(rows, cells)`.
        theta: Parameters, `(params, cells)`.

    Returns:
        Values `(observables, cells)`, derivatives `(observables, shifts, cells)`, and how far pivots shrank `(1, cells)` (no rows if
        there are no shifts): elimination is without pivoting, and so many times rounding are lost.

    Raises:
        UnknownPrimitive: The equations or an observable have an operation that has no machine code.
    """
    from jaxion.kernel.cpu import responses

    return responses.respond(response, x, theta)
