r"""`fit_population`: the distribution of parameters between cells from the distribution of set-points that was measured.

Design notes. Context: published populations are tables of some ten to some hundred cells, or only their means and standard deviations.
Decision: the loss is half the squared distance between measured and simulated means, standard deviations and correlations, weighted by
their own sampling covariance in the simulated population (simulated moments in two steps: the weights are those of the start, then those
of the first estimate). It serves tables and summaries alike, is asymptotically what a normal likelihood of the statistics is, is a
least-squares problem, so that search, Fisher information, statement and report are those of `fit`, and what is left of it is χ² distributed.
Rejected: the energy distance, which sees whole shapes but needs the cells themselves and has no such information; the
normal likelihood of the cells, whose standard errors are wrong for set-points that are skewed. Consequence: shapes beyond correlations are
not fitted.

Source: McFadden (1989) Econometrica 57:995; Hansen (1982) Econometrica 50:1029 for two steps and χ²; Wood (2010) Nature 466:1102 for the likelihood of
statistics; Székely & Rizzo (2013) J Stat Plan Inference 143:1249 for the energy distance.
"""

import dataclasses
import functools
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import jax
import numpy as np

from jaxion.errors import PathError, Status, nearest
from jaxion.fits.data.recordings import as_recording
from jaxion.fits.data.summaries import Summary, of_table, statistics
from jaxion.fits.populations.hyperparameters import PopulationData
from jaxion.fits.problem import FitProblem
from jaxion.fits.search import fit
from jaxion.fits.uncertainty.result import Fit
from jaxion.model import Model
from jaxion.paths import check_settable, lookup
from jaxion.populations import LogNormal, Normal, Population
from jaxion.populations.designs import check_one_cell
from jaxion.populations.distributions import in_unit, standard_normal
from jaxion.populations.draws import uniforms
from jaxion.precision import check_precision
from jaxion.units import quantity

_MANY: Final = 0.1
"""Share of cells without a set-point above which the result says that it is one about survivors."""


@dataclasses.dataclass(frozen=True, eq=False)
class PopulationFit:
    """Result of `fit_population`.

    Attributes:
        fit: The fit of the hyperparameters: medians or means by path, `cv(path)` or `sd(path)`, and correlations.
        data: The statistics that were measured, and the simulated population.
    """

    fit: Fit
    data: PopulationData

    @property
    def ok(self) -> bool:
        """Whether the search came to an end."""
        return self.fit.ok

    @property
    def model(self) -> Model:
        """The cell of median (log-normal) or mean (normal) parameters."""
        return self.fit.model

    @property
    def distributions(self) -> dict[str, LogNormal | Normal]:
        """Distribution of each path around its value in `model`."""
        return self.data.distributions(self._all)

    @property
    def values(self) -> dict[str, float]:
        """Value of each free hyperparameter."""
        return self.fit.values

    @property
    def sd(self) -> dict[str, float]:
        """Standard error of each free hyperparameter; infinite if the data do not determine it."""
        return self.fit.sd

    @functools.cached_property
    def correlation(self) -> np.ndarray:
        """Correlation of the parameters, in the order of `distributions`: of logarithms for log-normal ones."""
        return np.asarray(self.data.correlation(self._all))

    @functools.cached_property
    def correlation_sd(self) -> np.ndarray:
        """Standard error of each correlation, by propagation from those of the hyperparameters; infinite if one of them is not determined."""
        free, found = self.fit.problem.names, self.fit.information
        J = jax.jacfwd(lambda values: self.data.correlation(self.fit.problem.by_experiment(values)[0][1]))(self.fit.values)
        slopes = np.stack([np.asarray(J[name]) for name in free], axis=-1)
        sizes = np.sqrt(np.diag(found.covariance))
        unknown = ~np.isfinite(sizes)
        # From coordinates to the parameters' own units.
        scale = np.where(unknown, 0.0, [found.sd[name] for name in free]) / np.where(unknown | (sizes == 0), 1.0, sizes)
        covariance = np.where(unknown[:, None] | unknown[None], 0.0, found.covariance) * np.outer(scale, scale)
        sd = np.sqrt(np.einsum("ijk,kl,ijl->ij", slopes, covariance, slopes))
        return np.where(np.any((slopes != 0) & unknown, axis=-1), np.inf, sd)

    @functools.cached_property
    def _cells(self) -> tuple[dict[str, np.ndarray], np.ndarray]:
        cells, status = jax.jit(self.data.simulate)({name: np.asarray(value) for name, value in self._all.items()})
        return {path: np.asarray(x) for path, x in cells.items()}, np.asarray(status)

    @property
    def counts(self) -> dict[Status, int]:
        """How many of the simulated cells ended with each status; only those that are ok count in the statistics."""
        codes, counts = np.unique(self._cells[1], return_counts=True)
        return {Status(int(code)): int(count) for code, count in zip(codes, counts, strict=True)}

    @functools.cached_property
    def statistics(self) -> tuple[dict[str, Any], ...]:
        """Each statistic with its unit, as measured, the standard error of that, and as simulated."""
        assert self.data.weights is not None
        inverse = np.linalg.inv(self.data.weights)
        se = np.sqrt(np.diag(inverse @ inverse.T))
        model = inverse @ np.concatenate([channel["model"] for channel in self.fit.channels])
        return tuple(
            {"name": s.name, "unit": s.unit, "measured": s.value, "se": float(se[i]) * s.slope, "model": s.natural(float(model[i]))}
            for i, s in enumerate(self.data.statistics)
        )

    @property
    def chi2(self) -> float:
        """Squared distance that is left, with `freedom` degrees of freedom if the model is right; NaN if all starts failed."""
        return 2 * self.fit.loss

    @property
    def freedom(self) -> int:
        """Statistics beyond those that the hyperparameters take up."""
        return len(self.data.statistics) - self.fit.rank

    @property
    def statement(self) -> str:
        """In plain sentences, what the statistics determine, and how many cells had to be left out."""
        counts = self.counts
        failed = {code: count for code, count in counts.items() if code != Status.ok}
        lines = [self.fit.statement]
        if failed:
            text = ", ".join(f"{count} {code.name}" for code, count in failed.items())
            lines.append(f"Of {self.data.cells} simulated cells {sum(failed.values())} have no set-point and count for nothing ({text}).")
        if sum(failed.values()) > _MANY * self.data.cells:
            lines.append("These are so many that the distributions are those of survivors as much as of cells.")
        return " ".join(lines)

    def population(self, size: int, seed: int = 0) -> Population:
        """Cells of the distribution that was found.

        Args:
            size: Number of cells.
            seed: Of their draws; with that of the fit, its simulated cells come first.

        Raises:
            ValueError: A normal parameter leaves its range in one of the cells.
        """
        return Population.sample(self.model, self.distributions, size, seed, None if len(self.data.vary) == 1 else self.correlation)

    @functools.cached_property
    def _all(self) -> dict[str, float]:
        """All hyperparameters, those that are tied or fixed included."""
        return {name: float(value) for name, value in self.fit.problem.parameters.all_values(self.fit.values).items()}

    def __str__(self) -> str:
        """Distributions with their standard errors, correlations, statistics, and what these determine."""
        title = f"Population of {self.data.model.name} from {len(self.data.statistics)} statistics of {self.data.measured} cells"
        if not np.isfinite(self.fit.loss):
            return f"{title}: the fit failed ({self.fit.status.name}). {self.fit.status.advice}"
        lines = [f"{title}: chi-squared {self.chi2:.3g} for {self.freedom} degrees of freedom ({self.fit.status.name})."]
        width = max(len(path) for path in self.data.vary)
        for path, d in self.data.vary.items():
            place, spread = ("median", f"cv({path})") if isinstance(d, LogNormal) else ("mean", f"sd({path})")
            unit = self.data.unit(path)
            lines.append(f"  {path:<{width}}  {place} {self._said(path, unit)}, {spread[:2]} {self._said(spread, self.data.unit(spread))}")
        paths = tuple(self.data.vary)
        for i, j in zip(*np.triu_indices(len(paths), 1), strict=True):
            if paths[i] in self.data.together and paths[j] in self.data.together:
                lines.append(f"  correlation of {paths[i]} and {paths[j]} {_plus_minus(self.correlation[i, j], self.correlation_sd[i, j])}")
        width = max(len(s["name"]) for s in self.statistics)
        lines.append(f"  {'':<{width}} {'measured':>12} {'± s.e.':>9} {'model':>12}")
        for s in self.statistics:
            lines.append(f"  {s['name']:<{width}} {s['measured']:>12.6g} {s['se']:>9.2g} {s['model']:>12.6g} {s['unit']}".rstrip())
        return "\n".join([*lines, self.statement])

    def _said(self, name: str, unit: str) -> str:
        if name not in self.sd:
            return f"{self._all[name]:.5g} {unit}".rstrip() + " (given)"
        return f"{_plus_minus(self._all[name], self.sd[name])} {unit}".rstrip()


def fit_population(
    model: Model,
    vary: Mapping[str, Any],
    measured: Any,
    optimiser: Any = None,
    *,
    cells: int = 2000,
    seed: int = 0,
    correlated: bool | Sequence[str] = True,
    noise: Mapping[str, Any] | None = None,
    free: Mapping[str, Any] | None = None,
    checkpoint: Path | str | None = None,
    **search: Any,
) -> PopulationFit:
    r"""Learn how parameters differ between cells from how their set-points do: medians, spreads and correlations, by gradients.

    A population is simulated with the same random numbers throughout. Hyperparameters $h$ minimise
    $\tfrac12 \lVert W\,(s(h) - s_\mathrm{measured})\rVert^2$ over statistics $s$ of its set-points (means, standard deviations,
    correlations), where $W$ makes their sampling scatter one. Cells without a set-point are left out and counted.

    Args:
        model: One cell; the search begins at its values.
        vary: Distribution of each path that varies: `LogNormal(cv)`, whose median is learnt, or `Normal(sd)`, whose mean is; the
            spread given is where the search begins.
        measured: Measured cells: columns by path, one row a cell, as a mapping, a `Recording`, or a CSV file; or a `Summary`.
        optimiser: An optax optimiser; default Levenberg–Marquardt, as in `fit`.
        cells: Number of simulated cells; their own scatter adds (measured cells)/`cells` to the variance of the result.
        seed: Of their draws, and of further starts.
        correlated: Whether the parameters may be correlated with each other, or those of them that may be.
        noise: Standard deviation of the error of measurement by path, such as `{"neuron.V": 1.0}`, which is no difference between cells.
        free: Transforms of single hyperparameters in place of the usual ones, such as `{"cv(neuron.kcc2.g)": jaxion.fixed(0.3)}`.
        checkpoint: Folder from which the same call goes on if the one before was ended, as in `fit`.
        **search: Other arguments of `fit`, such as `starts`, `steps` or `method`.

    Returns:
        PopulationFit, with `distributions`, `correlation`, their standard errors, `statement`, and `population(size)`.

    Raises:
        PathError: A path or a hyperparameter does not exist.
        UnitError: The unit of a column or a text does not fit.
        ValueError: There are too few measured cells, too few simulated cells have a set-point at the start, or an argument is not what it
            has to be.

    Example:
        >>> import jaxion
        >>> cell = jaxion.models.duesterwald2018()
        >>> published = jaxion.Summary(40, mean={"neuron.Cl": "5.6 mM"}, sd={"neuron.Cl": "0.4 mM"})
        >>> found = jaxion.fit_population(cell, {"neuron.kcc2.g": jaxion.LogNormal(0.3)}, published, cells=500)
        >>> sorted(found.values), found.fit.rank
        (['cv(neuron.kcc2.g)', 'neuron.kcc2.g'], 2)
    """
    data = _data(model, vary, measured, cells, seed, correlated, noise or {})
    transforms = {**{name: transform for name, (_, _, transform) in data.hyperparameters.items()}, **(free or {})}
    search = {"seed": seed, **search}
    start = FitProblem.of(data, transforms).parameters
    first = data.weighted(start.all_values(dict(zip(start.names, start.start.tolist(), strict=True))))
    folders = [None if checkpoint is None else Path(checkpoint) / step for step in ("first", "second")]
    found = fit(FitProblem.of(first, transforms), optimiser, checkpoint=folders[0], **search)
    if not np.isfinite(found.loss):
        return PopulationFit(found, first)
    values = found.problem.parameters.all_values(found.values)
    second = first.weighted({name: float(value) for name, value in values.items()})
    onward = {name: dataclasses.replace(t, start=found.values[name]) if name in found.values else t for name, t in transforms.items()}
    return PopulationFit(fit(FitProblem.of(second, onward), optimiser, checkpoint=folders[1], **search), second)


def _data(
    model: Model, vary: Mapping[str, Any], measured: Any, cells: int, seed: int, correlated: bool | Sequence[str], noise: Mapping[str, Any]
) -> PopulationData:
    check_precision(model, "float64")
    check_one_cell(model)
    if not vary:
        raise ValueError("Argument `vary` must name at least one path with a distribution such as LogNormal(cv=0.3), but it names none.")
    known = {path: _distribution(model, path, given) for path, given in vary.items()}
    if cells < 10:
        raise ValueError(f"Argument `cells` must be 10 or more, but it is {cells}.")
    summary = measured if isinstance(measured, Summary) else of_table(as_recording(measured), model)
    sought = statistics(summary, model)
    paths = tuple(dict.fromkeys(path for statistic in sought for path in statistic.paths))
    errors = dict.fromkeys(paths, 0.0)
    for path, given in noise.items():
        if path not in paths:
            raise ValueError(f"Argument `noise` names `{path}`, which is not among what was measured.{nearest(path, paths)}")
        errors[path] = quantity(given, lookup(model, path).unit, path) if isinstance(given, str) else float(given)
        if not errors[path] >= 0:
            raise ValueError(f"The noise of `{path}` must not be negative, but it is {errors[path]:g}.")
    chosen = list(known) if correlated is True else [] if correlated is False else list(correlated)
    for path in chosen:
        if path not in known:
            raise PathError(f"Argument `correlated` names `{path}`, which does not vary.{nearest(path, known)}")
    together = tuple(path for path in known if path in chosen)
    normals = {path: standard_normal(uniforms(seed, path, 0, cells)) for path in known}
    scatter = {path: sd * standard_normal(uniforms(seed, f"noise({path})", 0, cells)) for path, sd in errors.items()}
    return PopulationData(model, known, together, sought, summary.cells, normals, scatter)


def _distribution(model: Model, path: str, given: Any) -> LogNormal | Normal:
    entry = check_settable(model, path)
    if not isinstance(given, LogNormal | Normal):
        raise ValueError(f"`{path}` must have the distribution LogNormal(cv) or Normal(sd) to be learnt, but it has `{given}`.")
    nominal = float(model[path])
    if isinstance(given, LogNormal) and nominal <= 0:
        raise ValueError(f"`{path}` begins at {nominal:g} {entry.unit}".rstrip() + ", but a log-normal median is positive: use Normal(sd).")
    known = in_unit(given, entry.unit, path)
    assert isinstance(known, LogNormal | Normal)
    return known


def _plus_minus(value: float, sd: float) -> str:
    return f"{value:.4g} ± {sd:.2g}" if np.isfinite(sd) else f"{value:.4g} (not determined)"
