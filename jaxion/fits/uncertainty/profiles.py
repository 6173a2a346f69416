r"""Profile likelihood: the least loss at each value of one parameter, with all others free.

A value is within the 95 % interval if the loss there is less than $\tfrac12\chi^2_{1,0.95} = 1.92$ above the least one.
"""

import dataclasses
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

import jax.numpy as jnp
import numpy as np

from jaxion.errors import PathError, Status, nearest
from jaxion.fits.searches.least_squares import LeastSquares
from jaxion.fits.searches.run import run
from jaxion.fits.uncertainty.result import Fit

if TYPE_CHECKING:
    import xarray

RISE: Final = 1.920729
"""Half of the 95 % quantile of χ² with one degree of freedom."""

_FLAT: Final = 2.0
"""How far a parameter that the data do not determine is followed to either side, in unknowns."""


@dataclasses.dataclass(frozen=True, eq=False)
class Profile:
    """Result of `profile`.

    Attributes:
        names: Parameters that were profiled.
        values: Values at which each was held, in its own unit, `(parameters, points)`.
        losses: Least loss there, NaN where the model failed, `(parameters, points)`.
        others: Values of all free parameters there, `(parameters, points, free)`.
        least: Least loss of the fit.
        units: Unit of each.
    """

    names: tuple[str, ...]
    values: np.ndarray
    losses: np.ndarray
    others: np.ndarray
    least: float
    units: tuple[str, ...]

    @property
    def interval(self) -> dict[str, tuple[float, float]]:
        """95 % interval of each parameter; an end is infinite, or zero below, where the loss did not rise enough within the range."""
        return {name: _interval(self.values[i], self.losses[i] - self.least) for i, name in enumerate(self.names)}

    @property
    def ds(self) -> "xarray.Dataset":
        """Values and losses by parameter and point."""
        import xarray

        dims = ("parameter", "point")
        arrays: dict[str, Any] = {"value": (dims, self.values), "loss": (dims, self.losses)}
        coords = {"parameter": list(self.names), "units": ("parameter", list(self.units))}
        return xarray.Dataset(arrays, coords=coords, attrs={"least": self.least})

    def __str__(self) -> str:
        """The interval of each parameter."""
        lines = ["Profile likelihood, 95 % intervals:"]
        for name, unit in zip(self.names, self.units, strict=True):
            low, high = self.interval[name]
            lines.append(f"  {name:<24} {low:.5g} to {high:.5g} {unit}".rstrip())
        return "\n".join(lines)


def profile(fit: Fit, of: Sequence[str] | str | None = None, points: int = 21, width: float = 4.0, steps: int = 100) -> Profile:
    """Profile likelihood of parameters: each is held at values around the best, and the others are fitted again.

    All points of all parameters run side by side as one batch, by Levenberg–Marquardt.

    Args:
        fit: A fit.
        of: Parameters to profile; default all that are free.
        points: Values of each, an odd number so that the best one is among them.
        width: How far to go to either side, in standard deviations; 2 e-folds where the data determine nothing.
        steps: Steps at most.

    Raises:
        PathError: A parameter is not free.
        ValueError: There are fewer than 3 points, or an even number; or the fit failed.

    Example:
        >>> import jaxion, numpy as np
        >>> def line(x, a, b): return a * x + b
        >>> table = {"x": np.arange(5.0), "y": np.array([0.1, 0.9, 2.1, 2.9, 4.1])}
        >>> free = {"a": jaxion.unbounded(1.0), "b": jaxion.unbounded(0.0)}
        >>> found = jaxion.fit(jaxion.FitProblem(line, None, table, free, noise={"y": 0.1}))
        >>> low, high = jaxion.profile(found, "a").interval["a"]
        >>> round(low, 3), round(high, 3)  # 1 ± 1.96 · 0.1/√10
        (0.938, 1.062)

    Source: Raue et al. (2009) Bioinformatics 25:1923.
    """
    problem, names = fit.problem, fit.problem.names
    chosen = (of,) if isinstance(of, str) else names if of is None else tuple(of)
    for name in chosen:
        if name not in names:
            raise PathError(f"`{name}` is not free; free are {', '.join(names)}.{nearest(name, names)}")
    if points < 3 or points % 2 == 0:
        raise ValueError(f"Argument `points` must be an odd number, 3 or more, but it is {points}.")
    if not np.isfinite(fit.loss):
        raise ValueError(f"The fit has no values that could be profiled: its status is {fit.status.name}.")
    best = np.asarray(problem.parameters.unknowns(fit.values))
    shifts = np.stack([_shifts(fit, name, points, width) for name in chosen])
    starts = (best + shifts).reshape(-1, len(names))
    moving = np.ones(starts.shape, bool)
    held = np.repeat([names.index(name) for name in chosen], points)
    moving[np.arange(len(starts)), held] = False
    state, _ = run(problem, LeastSquares(1e-10), jnp.asarray(starts), steps, jnp.asarray(moving))
    others = np.asarray(problem.parameters.vector(state.u))
    fine = np.asarray(state.status) == Status.ok
    shape = (len(chosen), points)
    return Profile(
        chosen,
        others[np.arange(len(starts)), held].reshape(shape),
        np.where(fine, np.asarray(state.loss), np.nan).reshape(shape),
        others.reshape(*shape, len(names)),
        fit.loss,
        tuple(problem.parameters.free[names.index(name)].unit for name in chosen),
    )


def _shifts(fit: Fit, name: str, points: int, width: float) -> np.ndarray:
    """Displacements of all unknowns along the profile of one, `(points, unknowns)`: the others follow as the normal approximation says."""
    i, found = fit.problem.names.index(name), fit.information
    # Unknowns per coordinate of the information.
    rate = found.unknowns
    variance = found.covariance[i, i]
    along = np.linspace(-1.0, 1.0, points)
    if not np.isfinite(variance):
        only = np.zeros(len(rate))
        only[i] = _FLAT
        return along[:, None] * only
    column = np.where(np.isfinite(np.diag(found.covariance)), found.covariance[:, i], 0.0)
    reach = width * np.sqrt(variance) * column / variance * rate
    # Beyond some e-folds there is nothing to see, and overflow.
    return along[:, None] * reach * min(1.0, 5.0 / max(abs(reach[i]), 1e-300))


def _interval(values: np.ndarray, rise: np.ndarray) -> tuple[float, float]:
    order = np.argsort(values)
    values, rise = values[order], np.where(np.isfinite(rise[order]), rise[order], np.inf)
    middle = int(np.argmin(rise))
    ends = []
    for step, open_end in ((-1, -np.inf if values[0] < 0 else 0.0), (1, np.inf)):
        i = middle
        while 0 <= i + step < len(values) and rise[i + step] < RISE:
            i += step
        if not 0 <= i + step < len(values):
            ends.append(open_end)
            continue
        # The root of the rise is nearly straight.
        inner, outer = np.sqrt(np.maximum([rise[i], rise[i + step]], 0.0))
        share = (np.sqrt(RISE) - inner) / (outer - inner) if np.isfinite(outer) else 0.0
        ends.append(float(values[i] + share * (values[i + step] - values[i])))
    return ends[0], ends[1]
