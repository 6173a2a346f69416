r"""What the data say about the parameters: Fisher information, its spectrum, and what cannot be known.

The information is $J^\mathsf{T}J$ for the Jacobian $J$ of all residuals in coordinates without unit: $\ln\theta$ for a
parameter that is positive, θ in units of its size otherwise. A direction is identifiable if its singular
value is above the accuracy of what is computed, relative to the largest; that is a statement about the
experiment, near the best values, and about nothing further.
"""

import dataclasses
from typing import Final

import jax
import jax.numpy as jnp
import numpy as np

from jaxion.fits.parameters.parameters import Parameter, Unknowns
from jaxion.fits.parameters.transforms import Interval, Unbounded
from jaxion.fits.problem import FitProblem
from jaxion.fits.searches.least_squares import Linearised

_TOUCHED: Final = 1e-3
"""Share of a parameter in what cannot be known above which it cannot be known itself."""

_SHOWN: Final = 0.05
"""Smallest coefficient of a direction that is shown."""

_STEEP: Final = 100.0
"""Slope of a residual, in units of the median one, beyond which it counts as so much when it is judged what is determined."""

_MATTERS: Final = 2e-3
"""Smallest coefficient, relative to the largest, without which the sentence that nothing changes would not be true."""


@dataclasses.dataclass(frozen=True)
class Direction:
    """A combination of parameters.

    Attributes:
        singular_value: Singular value of the Jacobian, 1 per e-fold of all parameters together.
        sd: Standard deviation along it, in e-folds (in sizes for parameters of either sign); infinite if nothing determines it.
        identifiable: Whether the data determine it.
        coefficients: Change of each parameter along it, in e-folds or sizes.
    """

    singular_value: float
    sd: float
    identifiable: bool
    coefficients: dict[str, float]

    def __str__(self) -> str:
        """The combination in words."""
        parts = [f"{c:+.3g} ln({name})" for name, c in self.coefficients.items() if abs(c) >= _SHOWN]
        return " ".join(parts)


@dataclasses.dataclass(frozen=True, eq=False)
class Information:
    """Fisher information at the best values.

    Attributes:
        names: Free parameters.
        singular_values: Those of the Jacobian of the data, largest first, `(parameters,)`.
        rank: Number of combinations of parameters that the data determine.
        directions: The combinations, those that are determined best first; the others in their simplest form.
        covariance: Of the coordinates, priors included, `(parameters, parameters)`; infinite where nothing determines them.
        unknowns: Change of each unknown of the search that a change of its coordinate by one is, `(parameters,)`.
        sd: Standard deviation of each parameter, in its own unit.
        interval: 95 % interval of each parameter, in its own unit.
        identifiable: Whether the data determine each parameter by itself.
    """

    names: tuple[str, ...]
    singular_values: np.ndarray
    rank: int
    directions: tuple[Direction, ...]
    covariance: np.ndarray
    unknowns: np.ndarray
    sd: dict[str, float]
    interval: dict[str, tuple[float, float]]
    identifiable: dict[str, bool]

    @property
    def correlation(self) -> np.ndarray:
        """Correlation of the parameters, `(parameters, parameters)`; NaN for those without an end to their uncertainty."""
        size = np.sqrt(np.diag(self.covariance))
        size = np.where(np.isfinite(size), size, np.nan)
        return self.covariance / np.outer(size, size)


def information(problem: FitProblem, u: Unknowns, found: Linearised) -> Information:
    """Information of a problem at a vector of unknowns.

    Args:
        problem: The problem.
        u: The unknowns.
        found: What was computed there, at the scatter that was found there.
    """
    free, rows = problem.parameters.free, problem.layout.channel
    values, slopes = map(np.asarray, jax.jvp(problem.parameters.vector, (jnp.asarray(u, float),), (jnp.ones(len(free)),)))
    sizes = np.array([_size(p, value) for p, value in zip(free, values, strict=True)])
    fine = np.isfinite(float(found.at.loss))
    rates = sizes / slopes if fine else np.ones(len(free))
    J = np.nan_to_num(np.asarray(found.jacobian)) * rates[None]
    singular_values, V, rank = _spectrum(J[rows >= 0], problem.accuracy)
    # The scatter that was found beside the parameters is less than the true one, by what they took away.
    estimated = np.array([problem.channels[i].noise.estimated if i >= 0 else False for i in rows])
    J = np.where(estimated[:, None], np.sqrt(max(1 - rank / problem.size, 0.0)), 1.0) * J
    covariance, _ = _covariance(J, problem.accuracy)
    touched = np.max(np.abs(V[:, rank:]), axis=1, initial=0.0) > _TOUCHED
    sd = np.sqrt(np.diag(covariance))
    if not fine:
        sd = np.full(len(free), np.nan)
    names = problem.names
    return Information(
        names,
        singular_values,
        rank,
        _directions(names, singular_values, V, rank),
        covariance,
        rates,
        dict(zip(names, (sd * sizes).tolist(), strict=True)),
        {p.name: _interval(p, values[i], sd[i], sizes[i]) for i, p in enumerate(free)},
        dict(zip(names, (~touched).tolist(), strict=True)),
    )


def statement(found: Information, size: int, free: tuple[Parameter, ...]) -> str:
    """Plain sentences on which combinations of parameters the data determine.

    Args:
        found: The information.
        size: Number of measured values.
        free: The free parameters.
    """
    count = len(found.names)
    few = f" {size} values cannot determine {count} parameters." if size < count else ""
    if found.rank == count:
        worst = found.directions[-1]
        weak = f" The least certain combination is {worst}, to a factor of {np.exp(min(worst.sd, 700.0)):.3g}." if worst.sd > 0.5 else ""
        return f"The data determine all {count} parameters.{weak}" if count > 1 else f"The data determine `{found.names[0]}`.{weak}"
    lines = [f"The data determine {found.rank} of {count} combinations of the parameters.{few}"]
    units = {p.name: p for p in free}
    for direction in found.directions:
        if not direction.identifiable:
            lines.append(f"Nothing measured changes if {_in_words(direction, units)}.")
    alone = [f"`{name}`" for name, fine in found.identifiable.items() if fine]
    lines.append(f"Determined by themselves: {', '.join(alone) or 'none'}.")
    return " ".join(lines)


def _in_words(direction: Direction, free: dict[str, Parameter]) -> str:
    changes = []
    for name, c in direction.coefficients.items():
        if abs(c) >= _MATTERS * max(abs(one) for one in direction.coefficients.values()):
            p = free[name]
            verb = "rises" if c > 0 else "falls"
            amount = f"{abs(c):.3g} %" if p.transform.logarithmic else f"{abs(c) * 0.01 * _size(p, p.start):.3g} {p.unit}".rstrip()
            changes.append(f"`{name}` {verb} by {amount}")
    return changes[0] if len(changes) == 1 else f"{', '.join(changes[:-1])} and {changes[-1]}"


def _size(p: Parameter, value: float) -> float:
    """Change of a parameter that its coordinate counts as one."""
    if p.transform.logarithmic:
        return value
    if isinstance(p.transform, Interval):
        return float(p.transform.high - p.transform.low)
    return p.transform.scale if isinstance(p.transform, Unbounded) else 1.0


def _interval(p: Parameter, value: float, sd: float, size: float) -> tuple[float, float]:
    """95 % interval, by the normal approximation in the parameter's coordinate."""
    if p.transform.logarithmic:
        with np.errstate(over="ignore"):
            low, high = value * np.exp(-1.96 * sd), value * np.exp(1.96 * sd)
    else:
        low, high = value - 1.96 * sd * size, value + 1.96 * sd * size
    if isinstance(p.transform, Interval):
        low, high = max(low, p.transform.low), min(high, p.transform.high)
    return float(low), float(high)


def _spectrum(J: np.ndarray, accuracy: float) -> tuple[np.ndarray, np.ndarray, int]:
    """Singular values, all right singular vectors, and the rank to the accuracy that the Jacobian has.

    What is determined is judged with residuals made alike, which changes no rank: a sample on a jump, which follows one combination
    a million times as steeply as all others do, would leave these below the accuracy.
    """
    sizes = np.linalg.norm(J, axis=1)
    steep = _STEEP * np.median(sizes[sizes > 0]) if sizes.any() else 1.0
    _, s, Vt = np.linalg.svd(J * (steep / np.maximum(sizes, steep))[:, None], full_matrices=True)
    rank = int(np.sum(s > accuracy * max(s[0], np.finfo(float).tiny)))
    _, s, W = np.linalg.svd(J @ Vt[:rank].T, full_matrices=False)
    V = np.concatenate([W @ Vt[:rank], Vt[rank:]]).T
    return np.concatenate([s[:rank], np.linalg.norm(J @ V[:, rank:], axis=0)]), V, rank


def _covariance(J: np.ndarray, accuracy: float) -> tuple[np.ndarray, int]:
    """Inverse of JᵀJ; infinite for the coordinates that take part in what is not determined."""
    s, V, rank = _spectrum(J, accuracy)
    covariance = (V[:, :rank] / s[:rank] ** 2) @ V[:, :rank].T
    touched = np.max(np.abs(V[:, rank:]), axis=1, initial=0.0) > _TOUCHED
    covariance[touched, touched] = np.inf
    return covariance, rank


def _directions(names: tuple[str, ...], s: np.ndarray, V: np.ndarray, rank: int) -> tuple[Direction, ...]:
    found = []
    for k in range(rank):
        # The sign of a singular vector means nothing: its largest entry is made positive.
        v = V[:, k] * np.sign(V[np.argmax(np.abs(V[:, k])), k])
        found.append(Direction(float(s[k]), float(1 / s[k]), True, dict(zip(names, v.tolist(), strict=True))))
    for k, v in enumerate(_echelon(V[:, rank:].T)):
        found.append(Direction(float(s[rank + k]), float("inf"), False, dict(zip(names, v.tolist(), strict=True))))
    return tuple(found)


def _echelon(basis: np.ndarray) -> np.ndarray:
    """The same space by vectors of few parameters each: reduced row echelon form, the largest pivots first."""
    rows = basis.copy()
    for k in range(len(rows)):
        remaining = np.abs(rows[k:])
        i, j = np.unravel_index(np.argmax(remaining), remaining.shape)
        rows[[k, k + i]] = rows[[k + i, k]]
        rows[k] /= rows[k, j]
        for other in range(len(rows)):
            if other != k:
                rows[other] -= rows[other, j] * rows[k]
    rows[np.abs(rows) < 1e-6] = 0.0
    return rows
