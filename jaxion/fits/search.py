"""`fit`: the search for the best values of the free parameters, from one start or many at once."""

import functools
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np

from jaxion.errors import FitError, Status, nearest
from jaxion.fits.parameters.starts import starting_values
from jaxion.fits.problem import FitProblem
from jaxion.fits.searches.checkpoints import Checkpoint
from jaxion.fits.searches.descent import Descent
from jaxion.fits.searches.least_squares import LeastSquares
from jaxion.fits.searches.run import run
from jaxion.fits.uncertainty.result import Fit, leading

METHODS: Final = ("lm", "lbfgs")
"""Methods that have a name: Levenberg–Marquardt, and the limited-memory quasi-Newton method of optax."""

_STEPS: Final = 200


def fit(
    problem: FitProblem | Sequence[FitProblem],
    optimiser: Any = None,
    *,
    method: str | None = None,
    steps: int = _STEPS,
    starts: int = 1,
    seed: int = 0,
    spread: float = 1.0,
    patience: int | None = None,
    tolerance: float = 1e-10,
    throw: bool = True,
    progress: bool | None = None,
    checkpoint: Path | str | None = None,
) -> Fit:
    """Find the values of the free parameters that explain a recording best.

    All starts run side by side as one batch. One that fails has a status and spoils no other; a step of an optimiser that ends
    where the model fails is taken back and shortened.

    Args:
        problem: The problem, or several that share parameters.
        optimiser: An optax optimiser, with schedules and clipping as you like; it takes the gradient in the unknowns, which are
            ln θ for a positive parameter, so that a rate of 0.03 is 3 % a step.
        method: Instead of an optimiser: `"lm"` (default) for Levenberg–Marquardt, or `"lbfgs"`.
        steps: Steps at most.
        starts: Number of starts: the first at the model's values, the others around it.
        seed: Of the starts.
        spread: Standard deviation of the starts in ln θ; within an interval they are spread evenly.
        patience: Steps without improvement after which a start of an optimiser is done. Default: never.
        tolerance: Relative improvement of the loss that counts as none.
        throw: Raise `FitError` if no start could be computed at all.
        progress: Whether to show steps, the best loss and the starts under way on stderr. Default: if that is a terminal.
        checkpoint: Folder that keeps the state of the search about every second. The same call goes on from it, however the one before
            was ended, and ends at the same numbers to the last bit; with more `steps` it goes further.

    Returns:
        Fit, with `values`, `sd`, `identifiable`, `statement`, `model` and all `starts`.

    Raises:
        FitError: The model fails at every start, and `throw` says so.
        ValueError: An argument is not what it has to be.
        StoreError: The checkpoint is that of another fit, or cannot be read or written.

    Example:
        >>> import jaxion, numpy as np
        >>> def hill(Na, I_max, K): return I_max * Na / (Na + K)
        >>> table = {"Na": np.array([1.0, 3.0, 10.0, 30.0, 100.0]), "I": np.array([0.09, 0.23, 0.5, 0.75, 0.91])}
        >>> free = {"I_max": jaxion.positive(2.0), "K": jaxion.positive(2.0)}
        >>> found = jaxion.fit(jaxion.FitProblem(hill, None, table, free=free, noise={"I": 0.01}))
        >>> {name: round(value, 2) for name, value in found.values.items()}, found.rank
        ({'I_max': 1.0, 'K': 10.05}, 2)
    """
    if not isinstance(problem, FitProblem):
        problem = FitProblem.join(*problem)
    if steps < 1:
        raise ValueError(f"Argument `steps` must be 1 or more, but it is {steps}.")
    chosen = _method(optimiser, method, patience, tolerance)
    initial = starting_values(problem.parameters, starts, seed, spread)
    unknowns = problem.parameters.searched(initial)
    kept = None if checkpoint is None else Checkpoint(Path(checkpoint), problem, chosen, unknowns)
    state, history = run(problem, chosen, unknowns, steps, progress=progress, checkpoint=kept)
    return _result(problem, chosen, initial, state, history, throw)


def _method(optimiser: Any, method: str | None, patience: int | None, tolerance: float) -> Any:
    if optimiser is not None and method is not None:
        raise ValueError("Arguments `optimiser` and `method` exclude each other: give one of them.")
    if optimiser is None and method in (None, "lm"):
        return LeastSquares(tolerance)
    if optimiser is None and method == "lbfgs":
        # Without its line search, which would compile the model a second time, inside of its loop.
        return Descent(_lbfgs(), patience, tolerance, finishes=False, monotone=True)
    if optimiser is None:
        raise ValueError(f"Argument `method` must be {' or '.join(METHODS)}, but it is `{method}`.{nearest(str(method), METHODS)}")
    if not (hasattr(optimiser, "init") and hasattr(optimiser, "update")):
        raise ValueError(f"Argument `optimiser` must be one of optax, such as optax.adam(0.03), but it is `{optimiser}`.")
    return Descent(optimiser, patience, tolerance)


def _result(problem: FitProblem, method: Any, initial: np.ndarray, state: Any, history: np.ndarray, throw: bool) -> Fit:
    losses, done = np.asarray(state.best_loss), np.asarray(state.done)
    statuses = np.asarray(state.status).copy()
    if not method.finishes:
        statuses[(statuses == Status.ok) & ~done] = Status.max_steps
    final = np.asarray(problem.parameters.vector(state.best_u))
    # A parameter that ran away to infinity, where the loss is flat, is no result.
    statuses[~np.isfinite(final).all(axis=1) & (statuses == Status.ok)] = Status.not_finite
    losses = np.where(np.isfinite(final).all(axis=1), losses, np.nan)
    failed = ~np.isfinite(losses)
    best = leading(losses)
    status = Status(int(statuses[best]))
    if failed.all() and throw:
        count = f"None of {len(losses)} starts" if len(losses) > 1 else "The start"
        verb = "could" if len(losses) > 1 else "cannot"
        raise FitError(f"{count} {verb} be computed ({status.name}): {status.advice}", status)
    final = np.where(failed[:, None], np.nan, final)
    values = dict(zip(problem.names, final[best].tolist(), strict=True))
    return Fit(problem, values, float(losses[best]), status, initial, final, losses, statuses, history)


@functools.cache
def _lbfgs() -> Any:
    import optax

    return optax.lbfgs(linesearch=None)
