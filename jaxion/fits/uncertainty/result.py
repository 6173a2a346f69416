"""Fit: what a search found, from all of its starts, and how sure it is."""

import dataclasses
import functools
from typing import TYPE_CHECKING, Any, Final

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array

from jaxion.errors import Status
from jaxion.fits.problem import Evaluation, FitProblem
from jaxion.fits.searches.least_squares import Linearised, linearisation
from jaxion.fits.uncertainty.fisher import Information, information, statement

if TYPE_CHECKING:
    import xarray

_EQUAL: Final = 1e-9
"""Difference of the loss, relative to 1 + |loss|, that is none."""

_DISPLACED: Final = 1e-3
"""Displacement of the unknowns at which derivatives are held against differences."""

_NOTHING: Final = 1e-9
"""Change of the residuals, in standard deviations, that needs no derivative."""

_AGREES: Final = 1e-2
"""Relative difference between them that is put down to the tolerance of what is computed."""


@dataclasses.dataclass(frozen=True, eq=False)
class Fit:
    """Result of `fit`.

    Attributes:
        problem: What was fitted.
        values: Value of each free parameter at the best start, in its own unit.
        loss: Loss there: the negative log-posterior but for a constant.
        status: `Status` of the best start; not `ok` if none of them came to an end.
        initial: Value of each free parameter where each start began, `(starts, parameters)`.
        final: Where it ended, `(starts, parameters)`.
        losses: Loss at the end of each start, `(starts,)`; NaN where it failed.
        statuses: `Status` of each start, `(starts,)`.
        history: Loss of each start after each step, `(steps + 1, starts)`.
    """

    problem: FitProblem
    values: dict[str, float]
    loss: float
    status: Status
    initial: np.ndarray
    final: np.ndarray
    losses: np.ndarray
    statuses: np.ndarray
    history: np.ndarray

    @property
    def ok(self) -> bool:
        """Whether the best start came to an end."""
        return self.status == Status.ok

    @property
    def best(self) -> int:
        """Number of the best start."""
        return leading(self.losses)

    @property
    def models(self) -> tuple[Any, ...]:
        """The model, mechanism or function of each experiment at the best values."""
        return tuple(experiment.with_values(values) for experiment, values in self.problem.by_experiment(self.values))

    @property
    def model(self) -> Any:
        """That of the first experiment."""
        return self.models[0]

    @functools.cached_property
    def _at(self) -> tuple[Any, Linearised]:
        """The unknowns of the best values, and what is computed there."""
        u = self.problem.parameters.unknowns(self.values)
        found = self._evaluate(u, jnp.ones(len(self.problem.channels)))
        if any(self.problem.layout.estimated):
            found = self._evaluate(u, found.at.sd)
        return u, found

    def _evaluate(self, u: Array, sd: Array) -> Linearised:
        """What is computed at a vector of unknowns; in a batch of as many as there were starts, which is compiled already."""
        evaluate, _ = linearisation(self.problem)
        count = len(self.losses)
        found = evaluate(jnp.tile(u, (count, 1)), jnp.tile(sd, (count, 1)), jnp.full(count, jnp.inf, float), jnp.zeros(count, bool))
        return jax.tree.map(lambda x: x[0], found)

    @functools.cached_property
    def audit(self) -> float:
        """Relative difference of the derivatives from central differences at displaced values, along one random direction.

        A Jacobian that is wrong without a sign of it would make every statement about uncertainty wrong; beyond 1e-2 `statement` says so.
        """
        u, found = self._at
        direction = np.random.default_rng(len(u)).standard_normal(len(u))
        step = _DISPLACED * direction / np.linalg.norm(direction)
        sd = jnp.where(np.array(self.problem.layout.estimated), found.at.sd, 1.0)
        up, down = (np.asarray(self._evaluate(u + sign * step, sd).at.residuals) for sign in (1.0, -1.0))
        exact = np.asarray(found.jacobian) @ (2 * step)
        return float(np.linalg.norm(up - down - exact) / max(np.linalg.norm(exact), _NOTHING))

    @functools.cached_property
    def information(self) -> Information:
        """Fisher information at the best values."""
        return information(self.problem, *self._at)

    @property
    def sd(self) -> dict[str, float]:
        """Standard deviation of each parameter in its own unit; infinite if the data do not determine it."""
        return self.information.sd

    @property
    def interval(self) -> dict[str, tuple[float, float]]:
        """95 % interval of each parameter, from the Fisher information; `profile` gives one without its approximation."""
        return self.information.interval

    @property
    def rank(self) -> int:
        """Number of combinations of parameters that the data determine."""
        return self.information.rank

    @property
    def directions(self) -> tuple[Any, ...]:
        """The combinations, those that the data determine best first."""
        return self.information.directions

    @property
    def identifiable(self) -> dict[str, bool]:
        """Whether the data determine each parameter by itself."""
        return self.information.identifiable

    @property
    def statement(self) -> str:
        """In plain sentences, what the data determine and what they cannot."""
        said = statement(self.information, self.problem.size, self.problem.parameters.free)
        # NaN, where the model fails beside the best values, is no agreement.
        return said if self.audit <= _AGREES else f"{said} Derivatives and differences disagree by {self.audit:.1e}: do not rely on this."

    @functools.cached_property
    def channels(self) -> tuple[dict[str, Any], ...]:
        """For each channel the data and the model's values beside them, with scatter, scale, offset and sum of squares."""
        return _channels(self.problem, self._at[1].at)

    @property
    def sse(self) -> dict[str, float]:
        """Sum of squared differences of each channel, in its own unit squared; of all experiments that have it."""
        found: dict[str, float] = {}
        for channel in self.channels:
            found[channel["name"]] = found.get(channel["name"], 0.0) + channel["sse"]
        return found

    @functools.cached_property
    def starts(self) -> "xarray.Dataset":
        """All starts: where each began and ended, its loss, status and history, with units in the attributes."""
        import xarray

        free = self.problem.parameters.free
        arrays: dict[str, Any] = {}
        for i, p in enumerate(free):
            about = {"units": p.unit or "1", "path": p.name}
            arrays[p.name] = ("start", self.final[:, i], {"role": "parameter", **about})
            arrays[f"initial.{p.name}"] = ("start", self.initial[:, i], {"role": "initial", **about})
        flags = {"flag_values": [int(code) for code in Status], "flag_meanings": " ".join(code.name for code in Status)}
        arrays["loss"] = ("start", self.losses, {"role": "loss", "units": "1", "long_name": "negative log-posterior but for a constant"})
        arrays["history"] = (("step", "start"), self.history, {"role": "history", "units": "1", "long_name": "loss after each step"})
        arrays["status"] = ("start", self.statuses.astype(np.uint8), {"role": "status", "long_name": "outcome", **flags})
        return xarray.Dataset(arrays, attrs={"title": str(self.problem), "best": self.best})

    def __str__(self) -> str:
        """Values with their uncertainty, and what the data determine."""
        counts = {Status(int(code)).name: int(np.sum(self.statuses == code)) for code in np.unique(self.statuses)}
        ends = ", ".join(f"{count} {name}" for name, count in counts.items())
        lines = [f"{self.problem}: loss {self.loss:.6g} from {len(self.losses)} {'start' if len(self.losses) == 1 else 'starts'} ({ends})."]
        if not np.isfinite(self.loss):
            return f"{lines[0]} {self.status.advice}"
        width = max(len(name) for name in self.values)
        for p in self.problem.parameters.free:
            low, high = self.interval[p.name]
            sd = self.sd[p.name]
            range_ = f"± {sd:.3g} (95 % {low:.5g} to {high:.5g})" if np.isfinite(sd) else "not determined"
            lines.append(f"  {p.name:<{width}} {self.values[p.name]:>12.6g} {p.unit:<7} {range_}")
        return "\n".join([*lines, self.statement])


def leading(losses: np.ndarray) -> int:
    """Number of the best start: of several as good as each other, the first, which began nearest to the model's values."""
    if not np.isfinite(losses).any():
        return 0
    least = np.nanmin(losses)
    return int(np.argmax(losses <= least + _EQUAL * (1 + abs(least))))


def _channels(problem: FitProblem, found: Evaluation) -> tuple[dict[str, Any], ...]:
    shown = []
    for i, (channel, raw) in enumerate(zip(problem.channels, found.raw, strict=True)):
        a, b = (float(part) for part in channel.gain(raw))
        prediction = a * np.asarray(raw) + b
        shown.append(
            {
                "name": channel.name,
                "unit": channel.unit,
                "axis": channel.axis.name,
                "axis_unit": channel.axis.unit,
                "x": channel.axis.values,
                "data": np.where(channel.there, channel.data, np.nan),
                "sd": channel.sd * (float(found.sd[i]) if channel.noise.estimated else 1.0),
                "model": prediction,
                "sse": float(np.sum((prediction - channel.data)[channel.there] ** 2)),
                "scale": a,
                "offset": b,
                "estimated": channel.noise.estimated,
            }
        )
    return tuple(shown)
