"""Experiments on a model: its set-point, or its course through a protocol, beside what was recorded."""

import abc
import dataclasses
import math
from collections.abc import Mapping
from typing import Any, Final, NamedTuple

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array

from jaxion.errors import Status
from jaxion.fits.data.channels import Axis, Channel, channel, check_names
from jaxion.fits.data.recordings import TIME, Recording, check_paths
from jaxion.kernel import check_limits
from jaxion.model import Model
from jaxion.paths import check_settable, lookup, replace
from jaxion.precision import check_precision
from jaxion.protocols import find, resolve
from jaxion.setpoints import setpoint
from jaxion.transients import solve

Values = Mapping[str, Any]
"""Values of parameters by path."""


class Limits(NamedTuple):
    """Which values a parameter may take: from `low` to `high`, as `rule` says."""

    low: float
    high: float
    rule: str


LIMITS: Final = {
    "any": Limits(-math.inf, math.inf, "be finite"),
    "not negative": Limits(0.0, math.inf, "not be negative"),
    "positive": Limits(0.0, math.inf, "be positive"),
    "fraction": Limits(0.0, 1.0, "be between 0 and 1"),
}
"""Limits by the range of a path."""


class AbstractExperiment(abc.ABC):
    """Something that was measured, and how to compute the same from values of parameters.

    Attributes:
        model: What is computed with.
        channels: What was measured.
        accuracy: Relative accuracy of what is computed: directions that matter less than that cannot be seen.
    """

    model: Any
    channels: tuple[Channel, ...]
    accuracy: float

    @abc.abstractmethod
    def nominal(self, name: str) -> float | None:
        """Value of a parameter in the model as it was given; None if it has none."""

    @abc.abstractmethod
    def unit(self, name: str) -> str:
        """Unit of a parameter; raises `PathError` if there is none of this name."""

    @abc.abstractmethod
    def limits(self, name: str) -> Limits:
        """Which values a parameter may take."""

    @abc.abstractmethod
    def check(self, name: str, value: float) -> None:
        """Raise if a parameter cannot take a value."""

    @abc.abstractmethod
    def with_values(self, values: Values) -> Any:
        """The model with other values of parameters."""

    def with_channels(self, channels: tuple[Channel, ...]) -> Any:
        """The same with other numbers measured."""
        return dataclasses.replace(self, channels=channels)  # pyright: ignore[reportArgumentType]

    @abc.abstractmethod
    def predict(self, values: Values) -> tuple[dict[str, Array], Array]:
        """Each channel's values at every sample, and the `Status` of what was computed; in plain JAX."""


class _OnModel(AbstractExperiment):
    """What experiments on a `Model` share."""

    model: Model

    def nominal(self, name: str) -> float | None:
        """Value of a path at the baseline."""
        return float(self.model[name])

    def unit(self, name: str) -> str:
        """Unit of a path."""
        return check_settable(self.model, name).unit

    def limits(self, name: str) -> Limits:
        """Those of the path's range."""
        return LIMITS[check_settable(self.model, name).range]

    def check(self, name: str, value: float) -> None:
        """Raise if a path cannot be set to a value."""
        replace(self.model, {name: value})

    def with_values(self, values: Values) -> Model:
        """The model with other values of paths."""
        return replace(self.model, values)


@dataclasses.dataclass(frozen=True, eq=False)
class SetPointData(_OnModel):
    """Values measured at rest.

    Attributes:
        model: One cell.
        channels: Paths that were measured, each perhaps several times.
        start: First guess of the set-point.
    """

    model: Model
    channels: tuple[Channel, ...]
    start: Any
    accuracy = 1e-6

    def predict(self, values: Values) -> tuple[dict[str, Array], Array]:
        """The set-point's values."""
        point = setpoint(self.with_values(values), start=self.start, throw=False)
        read = point.read([c.name for c in self.channels])
        predicted = {c.name: jnp.broadcast_to(jnp.atleast_1d(read[c.name]), c.data.shape) for c in self.channels}
        return predicted, point.status


@dataclasses.dataclass(frozen=True, eq=False)
class Transient(_OnModel):
    """A course in time through a protocol.

    Attributes:
        model: One cell.
        protocol: What it goes through.
        channels: Paths that were recorded.
        times: When, s from the protocol's start.
        start: Where it starts, as in `solve`.
        rtol: Relative tolerance of the integration.
        max_steps: Steps tried at most.
    """

    model: Model
    protocol: Any
    channels: tuple[Channel, ...]
    times: np.ndarray
    start: Any
    rtol: float
    max_steps: int

    @property
    def accuracy(self) -> float:  # pyright: ignore[reportIncompatibleVariableOverride]
        """A hundred tolerances of a step."""
        return 100 * self.rtol

    def predict(self, values: Values) -> tuple[dict[str, Array], Array]:
        """The solution's values at the recorded times."""
        model = self.with_values(values)
        # Searches follow tangents of less than all digits as well.
        options = {"rtol": self.rtol, "max_steps": self.max_steps, "tangents": "variational"}
        solution = solve(model, self.protocol, start=self.start, save=self.times, throw=False, **options)
        return solution.read([c.name for c in self.channels]), solution.status


def on_model(
    model: Model,
    protocol: Any,
    recording: Recording,
    noise: Mapping[str, Any],
    start: Any,
    scale: tuple[str, ...],
    offset: tuple[str, ...],
    rtol: Any,
    max_steps: Any,
) -> AbstractExperiment:
    """An experiment on a model: at its set-point if there is no protocol, else a transient.

    Raises:
        PathError: A column is no path of the model.
        UnitError: The unit of a column does not fit, or is missing.
        ValueError: There is no channel, samples lie outside the protocol, a limit makes no sense, or the model is a batch.
    """
    check_precision(model, "float64")
    if model.cells:
        raise ValueError(f"Argument `model` must be one cell, but it has {model.cells[0]} cells; its parameters are fitted, not swept.")
    names = [name for name in recording.columns if name != TIME]
    check_paths(recording, model, besides=(TIME,))
    if not names:
        raise ValueError("The recording must have a column besides the times, such as `neuron.V`.")
    for argument, given in (("noise", noise), ("scale", scale), ("offset", offset)):
        check_names(argument, given, names)
    units = {name: lookup(model, name).unit for name in names}
    if protocol is None:
        if TIME in recording.columns:
            raise ValueError("The recording has times, so that it needs a `protocol`, such as Protocol(rest(600)).")
        nothing = Axis("", "", np.zeros(len(recording)))
        channels = [channel(recording, n, units[n], nothing, noise.get(n), n in scale, n in offset, one=True) for n in names]
        return SetPointData(model, tuple(channels), start)
    if TIME not in recording.columns:
        raise ValueError(f"The recording must have a column `{TIME}` of times to go with a protocol, but it has {', '.join(names)}.")
    check_limits(rtol, max_steps)
    protocol = find(model, protocol) if isinstance(protocol, str) else protocol
    times = recording.converted(TIME, "s")
    _check_times(times, float(np.max(np.asarray(resolve(protocol, model).edges))))
    axis = Axis(TIME, "s", times)
    channels = [channel(recording, n, units[n], axis, noise.get(n), n in scale, n in offset) for n in names]
    return Transient(model, protocol, tuple(channels), times, start, rtol, max_steps)


def _check_times(times: np.ndarray, duration: float) -> None:
    outside = np.flatnonzero((times < 0) | (times > duration * (1 + 1e-12)))
    if outside.size:
        i = int(outside[0])
        raise ValueError(f"The recording must lie within the protocol, 0 to {duration:g} s, but t[{i}] is {times[i]:g} s.")


def failed(status: Array) -> Array:
    """Whether a computation did not come to a result that could be compared with anything."""
    return status != Status.ok
