r"""What a set of measured cells says about their distribution: means, standard deviations, correlations, and how far each can be trusted.

Statistics are compared in forms whose scatter hardly depends on their own size: the mean as it is, $\ln s$ of a
standard deviation, and Fisher's $\mathrm{artanh}\,r$ of a correlation. For $n$ cells their covariance is $\Gamma/n$, with Γ the
covariance of the influence of a single cell on each of them, whatever the shape of the distribution.

Source: Fisher (1921) Metron 1:3 for artanh r; Hampel (1974) J Am Stat Assoc 69:383 for influence.
"""

import dataclasses
import itertools
from collections.abc import Mapping, Sequence
from typing import Any, Final, Literal

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from jaxion.errors import nearest
from jaxion.fits.data.recordings import Recording, check_paths
from jaxion.model import Model
from jaxion.paths import lookup
from jaxion.units import quantity

_FLAT: Final = 1e-12
"""Standard deviation of a column, relative to its size, that is none."""

_LEAST: Final = 1e-4
"""Least variance of a combination of statistics, relative to that of its parts: models of cells are not more exact than that."""


@dataclasses.dataclass(frozen=True)
class Summary:
    """Statistics of measured cells, where the cells themselves were not published.

    Args:
        cells: Number of measured cells.
        mean: Mean of each path, in its own unit or as a text such as `"14 mM"`.
        sd: Standard deviation between cells of each path; a standard error of the mean is smaller, by a factor of √cells.
        correlation: Correlation of pairs of paths, such as `{("neuron.V", "neuron.Na"): 0.4}`.

    Example:
        >>> Summary(24, mean={"neuron.V": -70.0, "neuron.Cl": "6 mM"}, sd={"neuron.V": 3.0, "neuron.Cl": 1.5}).cells
        24
    """

    cells: int
    mean: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    sd: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    correlation: Mapping[tuple[str, str], float] = dataclasses.field(default_factory=dict)


@dataclasses.dataclass(frozen=True)
class Statistic:
    """One statistic.

    Attributes:
        kind: What it is.
        paths: Of which path, or of which two.
        unit: Its unit.
        value: What was measured.
    """

    kind: Literal["mean", "sd", "correlation"]
    paths: tuple[str, ...]
    unit: str
    value: float

    @property
    def name(self) -> str:
        """Such as `sd(neuron.V)`."""
        return f"{self.kind}({', '.join(self.paths)})"

    @property
    def stable(self) -> float:
        """The measured value in the form that is compared."""
        return self.value if self.kind == "mean" else float(np.log(self.value) if self.kind == "sd" else np.arctanh(self.value))

    def natural(self, stable: float) -> float:
        """A value from its form that is compared."""
        return stable if self.kind == "mean" else float(np.exp(stable) if self.kind == "sd" else np.tanh(stable))

    @property
    def slope(self) -> float:
        """Change of the measured value for a small change of the form that is compared."""
        return {"mean": 1.0, "sd": self.value, "correlation": 1 - self.value**2}[self.kind]


def of_table(recording: Recording, model: Model) -> Summary:
    """Summary of a table of cells: rows are cells, columns paths.

    Raises:
        PathError: A column is no path of the model.
        UnitError: The unit of a column does not fit.
        ValueError: A value is missing, there are too few rows, or a column has no spread.
    """
    check_paths(recording, model)
    names, rows = list(recording.columns), len(recording)
    table = np.stack([recording.converted(name, lookup(model, name).unit) for name in names])
    for name in names:
        gone = np.flatnonzero(~recording.there[name])
        if gone.size:
            raise ValueError(f"Row {gone[0]} of the measured cells has no `{name}`: leave out cells that were not measured in full.")
    if rows < len(names) + 2:
        raise ValueError(f"The covariance of {len(names)} columns needs {len(names) + 2} cells or more, but there are {rows} rows.")
    mean, sd = table.mean(axis=1), table.std(axis=1, ddof=1)
    for name, size, spread in zip(names, np.max(np.abs(table), axis=1), sd, strict=True):
        if spread <= _FLAT * size:
            raise ValueError(f"Column `{name}` has no spread: all {rows} cells have {size:g}, which says nothing about how cells differ.")
    r = np.corrcoef(table) if len(names) > 1 else np.eye(1)
    for i, j in itertools.combinations(range(len(names)), 2):
        if abs(r[i, j]) > 1 - _FLAT:
            raise ValueError(f"Columns `{names[i]}` and `{names[j]}` say the same of every cell: leave one of them out.")
    correlation = {(names[i], names[j]): float(r[i, j]) for i, j in itertools.combinations(range(len(names)), 2)}
    return Summary(rows, dict(zip(names, mean.tolist(), strict=True)), dict(zip(names, sd.tolist(), strict=True)), correlation)


def statistics(summary: Summary, model: Model) -> tuple[Statistic, ...]:
    """The statistics of a summary, checked.

    Raises:
        PathError: A path is none of the model.
        UnitError: The unit of a text does not fit.
        ValueError: There are too few cells or no statistics, or one of them is impossible.
    """
    if summary.cells < 3:
        raise ValueError(f"A summary needs 3 cells or more, but it has {summary.cells}.")
    found: list[Statistic] = []
    given_by_kind: tuple[tuple[Literal["mean", "sd"], Mapping[str, Any]], ...] = (("mean", summary.mean), ("sd", summary.sd))
    for kind, given in given_by_kind:
        for path, value in given.items():
            unit = lookup(model, path).unit
            number = quantity(value, unit, path) if isinstance(value, str) else float(value)
            if not np.isfinite(number) or (kind == "sd" and number <= 0):
                raise ValueError(f"The {kind} of `{path}` must be {'positive' if kind == 'sd' else 'finite'}, but it is {number:g} {unit}.")
            found.append(Statistic(kind, (path,), unit, number))
    known = {path for statistic in found for path in statistic.paths}
    for pair, value in summary.correlation.items():
        for path in pair:
            if path not in known:
                raise ValueError(f"The correlation of `{path}` is given, but neither its mean nor its sd.{nearest(path, known)}")
        if pair[0] == pair[1] or not -1 < value < 1:
            raise ValueError(
                f"The correlation of `{pair[0]}` and `{pair[1]}` must be of two paths and between -1 and 1, but it is {value:g}."
            )
        found.append(Statistic("correlation", tuple(pair), "", float(value)))
    if not found:
        raise ValueError("A summary must have at least one mean or sd, but it has none.")
    return tuple(found)


def simulated(
    values: Mapping[str, Float[Array, " cells"]], there: Float[Array, " cells"], sought: Sequence[Statistic]
) -> Float[Array, " statistics"]:
    """Statistics of simulated cells in the forms that are compared; in plain JAX.

    Args:
        values: Values of each path.
        there: Cells that count: one, or zero.
        sought: The statistics.
    """
    count = jnp.sum(there)
    mean = {path: jnp.sum(there * x) / count for path, x in values.items()}
    off = {path: there * (x - mean[path]) for path, x in values.items()}
    sd = {path: jnp.sqrt(jnp.sum(x**2) / (count - 1)) for path, x in off.items()}
    found = []
    for statistic in sought:
        a, b = statistic.paths[0], statistic.paths[-1]
        if statistic.kind == "mean":
            found.append(mean[a])
        elif statistic.kind == "sd":
            found.append(jnp.log(sd[a]))
        else:
            found.append(jnp.arctanh(jnp.sum(off[a] * off[b]) / ((count - 1) * sd[a] * sd[b])))
    return jnp.stack(found)


def scatter(values: Mapping[str, np.ndarray], sought: Sequence[Statistic]) -> Float[np.ndarray, "statistics statistics"]:
    """Covariance Γ of the influence of a cell on each statistic, among cells of which all count."""
    z = {path: (x - np.mean(x)) / np.std(x) for path, x in values.items()}
    influences = []
    for statistic in sought:
        a, b = (z[path] for path in (statistic.paths[0], statistic.paths[-1]))
        if statistic.kind == "mean":
            influences.append(a * np.std(values[statistic.paths[0]]))
        elif statistic.kind == "sd":
            influences.append((a**2 - 1) / 2)
        else:
            r = np.mean(a * b)
            influences.append((a * b - r * (a**2 + b**2) / 2) / (1 - r**2))
    return np.atleast_2d(np.cov(np.stack(influences)))


def whitening(covariance: np.ndarray) -> np.ndarray:
    r"""Weights $W = R^{-1/2}D^{-1/2}$ with which statistics of a covariance have the covariance one, each as near to itself as possible.

    D are the variances, R the correlations; the least eigenvalues of R are raised to a ten-thousandth.

    Source: Kessy, Lewin & Strimmer (2018) Am Stat 72:309, ZCA-cor.
    """
    size = np.sqrt(np.diag(covariance))
    eigenvalues, U = np.linalg.eigh(covariance / np.outer(size, size))
    return (U / np.sqrt(np.maximum(eigenvalues, _LEAST))) @ U.T / size
