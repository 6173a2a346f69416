r"""Hyperparameters: medians or means, spreads and correlations of parameters between cells, as an experiment that a fit explains.

$$\theta_{ij} = m_i\,e^{\sigma_i z_{ij}} \;\text{(log-normal)}, \qquad \theta_{ij} = m_i + s_i z_{ij} \;\text{(normal)}, \qquad
  z_j = L\,\xi_j$$

The independent normal numbers ξ of cell $j$ stay the same while $m$, the spreads and the Cholesky factor $L$ change (common random
numbers), so that the statistics of the simulated set-points are smooth functions of them. $L$ has unit rows,
$L_{ji} = p_{ij}\sqrt{1 - \sum_{l<i} L_{jl}^2}$, of partial correlations $p_{ij}$ given all paths before $i$: any numbers between −1 and 1 make a
correlation matrix.

Source: McFadden (1989) Econometrica 57:995 for simulated moments with common random numbers; Lewandowski, Kurowicka & Joe (2009) J Multivar Anal
100:1989 for the partial correlations.
"""

import copy
import dataclasses
import functools
from collections.abc import Mapping
from typing import Final

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float

from jaxion.errors import PathError, Status, nearest
from jaxion.fits.data.channels import Axis, Channel
from jaxion.fits.data.experiments import LIMITS, AbstractExperiment, Limits, Values
from jaxion.fits.data.noise import Known
from jaxion.fits.data.summaries import Statistic, scatter, simulated, whitening
from jaxion.fits.parameters.transforms import Transform, interval, positive, unbounded
from jaxion.model import Model
from jaxion.paths import check_settable, replace
from jaxion.populations import LogNormal, Normal
from jaxion.populations.correlations import correlated
from jaxion.setpoints import setpoint

_ENOUGH: Final = 0.5
"""Share of the simulated cells that must have a set-point: the statistics of the others would be those of survivors."""

_CORRELATION: Final = Limits(-1.0, 1.0, "lie between -1 and 1")


@dataclasses.dataclass(frozen=True, eq=False)
class PopulationData(AbstractExperiment):
    """Statistics of measured cells, and a population that is simulated beside them.

    Attributes:
        model: One cell.
        vary: Distribution of each path that varies, with the spread that a search begins with.
        together: Paths that may be correlated with each other, in the order of `vary`.
        statistics: What was measured.
        measured: Number of measured cells.
        normals: Independent standard normal numbers of the simulated cells for each path that varies.
        errors: Errors of measurement of the simulated cells for each path that was measured.
        weights: What makes the statistics' scatter one, `(statistics, statistics)`; None until it is known.
    """

    model: Model
    vary: dict[str, LogNormal | Normal]
    together: tuple[str, ...]
    statistics: tuple[Statistic, ...]
    measured: int
    normals: dict[str, np.ndarray]
    errors: dict[str, np.ndarray]
    weights: np.ndarray | None = None
    accuracy = 1e-6

    @property
    def cells(self) -> int:
        """Number of simulated cells."""
        return len(next(iter(self.normals.values())))

    @functools.cached_property
    def hyperparameters(self) -> dict[str, tuple[str, float, Transform]]:
        """Unit, start and transform of each hyperparameter, by name."""
        found: dict[str, tuple[str, float, Transform]] = {}
        for path, distribution in self.vary.items():
            entry, nominal = check_settable(self.model, path), float(self.model[path])
            if isinstance(distribution, LogNormal):
                found[path] = (entry.unit, nominal, positive())
                found[f"cv({path})"] = ("", distribution.cv, positive())
            else:
                scale = float(distribution.sd)
                found[path] = (entry.unit, nominal, unbounded(scale=scale) if entry.range == "any" else positive())
                found[f"sd({path})"] = (entry.unit, scale, positive())
        for name in self._partials.values():
            found[name] = ("", 0.0, interval(-1.0, 1.0))
        return found

    @functools.cached_property
    def _partials(self) -> dict[tuple[int, int], str]:
        """Name of the partial correlation of each pair of places in `together`, the earlier one first."""
        names, found = self.together, {}
        for j in range(len(names)):
            for i in range(j):
                given = f" | {', '.join(names[:i])}" if i else ""
                found[i, j] = f"{'partial' if i else 'correlation'}({names[i]}, {names[j]}{given})"
        return found

    @functools.cached_property
    def channels(self) -> tuple[Channel, ...]:  # pyright: ignore[reportIncompatibleVariableOverride]
        """The statistics in units of their standard error, made independent of each other by the weights."""
        assert self.weights is not None
        nothing, there, one = Axis("", "", np.zeros(1)), np.ones(1, bool), np.ones(1)
        data = self.weights @ np.array([statistic.stable for statistic in self.statistics])
        return tuple(
            Channel(statistic.name, "", nothing, data[i : i + 1], there, Known(1.0), one) for i, statistic in enumerate(self.statistics)
        )

    def with_channels(self, channels: tuple[Channel, ...]) -> "PopulationData":
        """The same with other numbers measured."""
        same = copy.copy(self)
        object.__setattr__(same, "channels", channels)
        return same

    def nominal(self, name: str) -> float | None:
        """Where a search begins."""
        return self._entry(name)[1]

    def unit(self, name: str) -> str:
        """Unit of a hyperparameter."""
        return self._entry(name)[0]

    def limits(self, name: str) -> Limits:
        """Those of the path for a mean or median; spreads are positive, correlations between −1 and 1."""
        if name in self.vary:
            return LIMITS[check_settable(self.model, name).range]
        return _CORRELATION if name in self._partials.values() else LIMITS["positive"]

    def check(self, name: str, value: float) -> None:
        """Raise if a mean or median is impossible."""
        if name in self.vary:
            replace(self.model, {name: value})

    def with_values(self, values: Values) -> Model:
        """The cell of median or mean parameters."""
        return replace(self.model, {path: values[path] for path in self.vary})

    def cholesky(self, values: Values) -> Float[Array, "paths paths"]:
        """Lower triangular factor of the correlation of all paths, in the order of `vary`."""
        order, entries = list(self.vary), {}
        places = [order.index(path) for path in self.together]
        for j, row in enumerate(places):
            left = jnp.ones(())
            for i, column in enumerate(places[:j]):
                p = jnp.asarray(values[self._partials[i, j]])
                entries[row, column] = p * jnp.sqrt(left)
                left = left * (1 - p**2)
            entries[row, row] = jnp.sqrt(left)
        one, zero, count = jnp.ones(()), jnp.zeros(()), len(order)
        return jnp.stack([jnp.stack([entries.get((i, j), one if i == j else zero) for j in range(count)]) for i in range(count)])

    def correlation(self, values: Values) -> Float[Array, "paths paths"]:
        """Correlation of all paths, in the order of `vary`."""
        L = self.cholesky(values)
        return L @ L.T

    def distributions(self, values: Mapping[str, float]) -> dict[str, LogNormal | Normal]:
        """Distribution of each path."""
        return {
            path: LogNormal(float(values[f"cv({path})"])) if isinstance(d, LogNormal) else Normal(float(values[f"sd({path})"]))
            for path, d in self.vary.items()
        }

    def draw(self, values: Values) -> tuple[dict[str, Float[Array, " cells"]], Bool[Array, " cells"]]:
        """Parameters of the simulated cells, and which cells have possible ones; the others get those of the mean cell."""
        found, possible = {}, jnp.ones(self.cells, bool)
        for (path, d), z in zip(self.vary.items(), correlated(list(self.normals.values()), self.cholesky(values)), strict=True):
            m = jnp.asarray(values[path])
            if isinstance(d, LogNormal):
                drawn = m * jnp.exp(jnp.sqrt(jnp.log1p(values[f"cv({path})"] ** 2)) * z)
            else:
                drawn = m + values[f"sd({path})"] * z
            allowed = check_settable(self.model, path).range
            least = drawn > 0 if allowed == "positive" else drawn >= LIMITS[allowed].low
            inside = jnp.isfinite(drawn) & least & (drawn <= LIMITS[allowed].high)
            found[path], possible = jnp.where(inside, drawn, m), possible & inside
        return found, possible

    def simulate(self, values: Values) -> tuple[dict[str, Float[Array, " cells"]], Array]:
        """What would be measured in each simulated cell, and its `Status`; zero where it failed."""
        drawn, possible = self.draw(values)
        point = setpoint(replace(self.model, drawn), throw=False)
        status = jnp.where(possible, point.status, int(Status.not_positive))
        read, ok = point.read(list(self.errors)), status == Status.ok
        return {
            path: jnp.where(ok, jnp.broadcast_to(x, ok.shape), 0.0) + jnp.asarray(self.errors[path]) for path, x in read.items()
        }, status

    def predict(self, values: Values) -> tuple[dict[str, Array], Array]:
        """The weighted statistics of the cells that have a set-point, and the commonest failure if too few have one."""
        assert self.weights is not None
        cells, status = self.simulate(values)
        ok = status == Status.ok
        found = jnp.asarray(self.weights) @ simulated(cells, ok.astype(float), self.statistics)
        failures = jnp.stack([jnp.where(code == Status.ok, -1, jnp.sum(status == int(code))) for code in Status])
        outcome = jnp.where(jnp.mean(ok) >= _ENOUGH, int(Status.ok), jnp.argmax(failures))
        return {statistic.name: found[i : i + 1] for i, statistic in enumerate(self.statistics)}, outcome

    def weighted(self, values: Mapping[str, float]) -> "PopulationData":
        """The same with weights for the scatter that statistics have in the population at `values`.

        Raises:
            ValueError: Too few of its cells have a set-point.
        """
        cells, status = self.simulate({name: jnp.asarray(value) for name, value in values.items()})
        ok = np.asarray(status) == Status.ok
        if np.mean(ok) < _ENOUGH:
            codes, counts = np.unique(np.asarray(status)[~ok], return_counts=True)
            why = Status(int(codes[np.argmax(counts)]))
            raise ValueError(
                f"{np.sum(~ok)} of {self.cells} cells have no set-point at the start ({why.name}): begin with less spread, or elsewhere."
            )
        covariance = scatter({path: np.asarray(x)[ok] for path, x in cells.items()}, self.statistics)
        # The simulated population is finite as well.
        return dataclasses.replace(self, weights=whitening(covariance * (1 / self.measured + 1 / np.sum(ok))))

    def _entry(self, name: str) -> tuple[str, float, Transform]:
        if name not in self.hyperparameters:
            raise PathError(f"`{name}` is no hyperparameter of this population.{nearest(name, self.hyperparameters)}")
        return self.hyperparameters[name]
