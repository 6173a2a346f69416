"""Experiments that a formula answers: a table of a function in plain JAX, or of a mechanism's rate."""

import dataclasses
import functools
import inspect
from collections.abc import Callable, Mapping
from typing import Any, Final

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array

from jaxion import units
from jaxion.errors import PathError, Status, nearest
from jaxion.fits.data.channels import Axis, Channel, channel, check_names
from jaxion.fits.data.experiments import LIMITS, AbstractExperiment, Limits, Values
from jaxion.fits.data.recordings import Recording
from jaxion.mechanisms.base import AbstractMechanism, MembraneView, Side, get_parameter, parameters, with_parameters
from jaxion.ranges import check_range

_ACCURACY: Final = 1e-9
_SIDES: Final = ("inside", "outside")


@dataclasses.dataclass(frozen=True, eq=False)
class FunctionTable(AbstractExperiment):
    """Values of a function at the rows of a table.

    Attributes:
        model: The function; its arguments are columns of the table and parameters, by name.
        inputs: Columns that it is given.
        channels: The column that it is compared with, or several if it returns a dictionary of them.
        defaults: Values of those of its arguments that have one.
    """

    model: Callable[..., Any]
    inputs: dict[str, np.ndarray]
    channels: tuple[Channel, ...]
    defaults: dict[str, Any]
    accuracy = _ACCURACY

    def nominal(self, name: str) -> float | None:
        """The default of an argument."""
        return self.defaults.get(name)

    def unit(self, name: str) -> str:
        """A function's arguments have no unit that could be known."""
        _check_argument(self.model, name, self.inputs)
        return ""

    def limits(self, name: str) -> Limits:
        """None are known."""
        return LIMITS["any"]

    def check(self, name: str, value: float) -> None:
        """Any number will do."""
        check_range(name, value)

    def with_values(self, values: Values) -> Callable[..., Any]:
        """The function with its parameters given."""
        return functools.partial(self.model, **values)

    def predict(self, values: Values) -> tuple[dict[str, Array], Array]:
        """The function's values."""
        found = self.model(**{name: jnp.asarray(column) for name, column in self.inputs.items()}, **values)
        if not isinstance(found, Mapping):
            found = {self.channels[0].name: found}
        return _judged({c.name: jnp.broadcast_to(jnp.asarray(found[c.name]), c.data.shape) for c in self.channels}, self.channels)


@dataclasses.dataclass(frozen=True, eq=False)
class MechanismTable(AbstractExperiment):
    """Rates, currents or fluxes of a mechanism at the conditions of a table.

    Attributes:
        model: The mechanism.
        inputs: Conditions by column: `inside.Na`, `outside.K` (mM), `V`, `RT_F` (mV).
        channels: `rate`, `I`, or `J_Na` and the like.
    """

    model: AbstractMechanism
    inputs: dict[str, np.ndarray]
    channels: tuple[Channel, ...]
    accuracy = _ACCURACY

    def nominal(self, name: str) -> float | None:
        """Value of a parameter in the mechanism."""
        return float(get_parameter(self.model, name))

    def unit(self, name: str) -> str:
        """Unit of a parameter."""
        known = parameters(self.model)
        if name not in known:
            kind = type(self.model).__name__
            raise PathError(f"`{kind}` has no parameter `{name}`; it has {', '.join(known)}.{nearest(name, known)}")
        return known[name].metadata["unit"]

    def limits(self, name: str) -> Limits:
        """Those of the parameter's range."""
        return LIMITS[parameters(self.model)[name].metadata["allowed"]]

    def check(self, name: str, value: float) -> None:
        """Raise if a parameter cannot take a value."""
        about = parameters(self.model)[name].metadata
        check_range(name, value, about["unit"], about["allowed"])

    def with_values(self, values: Values) -> AbstractMechanism:
        """The mechanism with other parameters."""
        return with_parameters(self.model, values)

    def predict(self, values: Values) -> tuple[dict[str, Array], Array]:
        """What the mechanism does."""
        mechanism, view = self.with_values(values), membrane_view(self.inputs)
        rate, cycle = mechanism.rate(view), self.model.cycle
        factors: dict[str, Any] = {"rate": 1.0, "I": cycle.charge * view.F}
        factors |= {f"J_{species}": float(count) for species, count in cycle.counts}
        return _judged({c.name: jnp.broadcast_to(factors[c.name] * rate, c.data.shape) for c in self.channels}, self.channels)


def membrane_view(inputs: Mapping[str, np.ndarray]) -> MembraneView:
    """What a mechanism sees at the conditions of a table; what no column says is NaN, but for RT/F at 37 °C."""

    def side(name: str) -> Side:
        own = {key.split(".")[1]: jnp.asarray(value) for key, value in inputs.items() if key.startswith(f"{name}.")}
        return Side(own, own.pop("osmolarity", jnp.asarray(jnp.nan)))

    V, RT_F = (jnp.asarray(inputs.get(name, default), float) for name, default in (("V", jnp.nan), ("RT_F", units.BODY_RT_F)))
    return MembraneView(side("inside"), side("outside"), V, RT_F, jnp.asarray(units.FARADAY, float))


def on_function(
    function: Callable[..., Any],
    recording: Recording,
    noise: Mapping[str, Any],
    free: Mapping[str, Any],
    at: Mapping[str, Any],
    scale: tuple[str, ...],
    offset: tuple[str, ...],
) -> AbstractExperiment:
    """An experiment that a function answers.

    Raises:
        ValueError: The table has no column to compare with, or the function takes an argument that is neither column nor free.
    """
    known = inspect.signature(function).parameters
    for name in (*at, *free):
        _check_argument(function, name, ())
    inputs = _inputs(recording, {name: "" for name in recording.columns if name in known}, at)
    names = [name for name in recording.columns if name not in known]
    if not names:
        raise ValueError(f"The recording must have a column that the function computes, but all of {', '.join(inputs)} are its arguments.")
    for name, parameter in known.items():
        if parameter.default is parameter.empty and name not in inputs and name not in free:
            raise ValueError(
                f"The function takes an argument `{name}`, which is neither a column of the recording ({', '.join(recording.columns)}) nor free."
            )
    channels = _channels(recording, dict.fromkeys(names, None), next(iter(inputs), ""), noise, scale, offset)
    defaults = {name: parameter.default for name, parameter in known.items() if parameter.default is not parameter.empty}
    return FunctionTable(function, inputs, channels, defaults)


def on_mechanism(
    mechanism: AbstractMechanism,
    recording: Recording,
    noise: Mapping[str, Any],
    at: Mapping[str, Any],
    scale: tuple[str, ...],
    offset: tuple[str, ...],
) -> AbstractExperiment:
    """An experiment that a mechanism's rate answers.

    Raises:
        ValueError: A column is neither a condition nor a response of the mechanism, or a condition is missing.
    """
    responses: dict[str, str | None] = {"rate": "fmol/s", **{f"J_{species}": "fmol/s" for species in mechanism.cycle.species}}
    responses |= {"I": "pA"} if mechanism.cycle.charge else {}
    conditions = {"V": "mV", "RT_F": "mV"}
    for name in (*recording.columns, *at):
        parts = name.split(".")
        if len(parts) == 2 and parts[0] in _SIDES:
            conditions[name] = "mM"
    for name in recording.columns:
        if name not in conditions and name not in responses:
            known = [*responses, *(f"{side}.{ion}" for side in _SIDES for ion in mechanism.cycle.species), *conditions]
            kind = type(mechanism).__name__
            raise ValueError(f"Column `{name}` is neither a condition nor a response of `{kind}`.{nearest(name, known)}")
    inputs = _inputs(recording, {name: unit for name, unit in conditions.items() if name in recording.columns}, at, conditions)
    names = {name: unit for name, unit in responses.items() if name in recording.columns}
    if not names:
        raise ValueError(f"The recording must have a column of what the mechanism does: {', '.join(responses)}.")
    found = MechanismTable(mechanism, inputs, _channels(recording, names, next(iter(inputs), ""), noise, scale, offset))
    try:
        status = int(found.predict({})[1])
    except KeyError as missing:
        raise ValueError(
            f"The rate of `{type(mechanism).__name__}` needs the concentration of {missing} on both sides that it is read at: "
            f"give a column such as `outside.{missing.args[0]} [mM]`, or `at`."
        ) from None
    if status != Status.ok:
        raise ValueError(
            f"The rate of `{type(mechanism).__name__}` is not finite at these conditions: "
            "does it need the potential? Give a column `V [mV]`, or at={'V': -70.0}."
        )
    return found


def _inputs(recording: Recording, names: Mapping[str, str], at: Mapping[str, Any], known: Mapping[str, str] | None = None) -> dict:
    """Conditions by name: columns of the table, and what is the same in all rows."""
    inputs: dict[str, Any] = {}
    for name, unit in names.items():
        if not recording.there[name].all():
            raise ValueError(f"Column `{name}` is what the values are measured at: none of it may be missing.")
        inputs[name] = recording.columns[name] if known is None else recording.converted(name, unit)
    for name, value in at.items():
        if name in inputs:
            raise ValueError(f"Argument `at` gives `{name}`, which is a column of the recording as well.")
        if known is not None and name not in known:
            raise ValueError(f"Argument `at` names `{name}`, which is no condition.{nearest(name, known)}")
        inputs[name] = np.asarray(
            units.quantity(value, known[name], name) if known is not None and isinstance(value, str) else value, float
        )
    return inputs


def _channels(
    recording: Recording,
    names: Mapping[str, str | None],
    over: str,
    noise: Mapping[str, Any],
    scale: tuple[str, ...],
    offset: tuple[str, ...],
) -> tuple[Channel, ...]:
    """Channels over the first condition; without a unit of their own they keep that of the table."""
    for argument, given in (("noise", noise), ("scale", scale), ("offset", offset)):
        check_names(argument, given, list(names))
    values = recording.columns.get(over, np.arange(len(recording)))
    axis = Axis(over, recording.units.get(over, ""), np.asarray(values, float))
    unit = {name: recording.units.get(name, "") if unit is None else unit for name, unit in names.items()}
    return tuple(channel(recording, name, unit[name], axis, noise.get(name), name in scale, name in offset) for name in names)


def _judged(predicted: dict[str, Array], channels: tuple[Channel, ...]) -> tuple[dict[str, Array], Array]:
    """What was computed, and whether all of it that was measured is finite."""
    fine = [jnp.all(jnp.isfinite(predicted[c.name][np.flatnonzero(c.there)])) for c in channels]
    return predicted, jnp.where(jnp.all(jnp.stack(fine)), Status.ok, Status.not_finite)


def _check_argument(function: Callable[..., Any], name: str, inputs: Any) -> None:
    known = [key for key in inspect.signature(function).parameters if key not in inputs]
    if name not in known:
        label = getattr(function, "__name__", "the function")
        raise PathError(f"`{label}` has no argument `{name}`; it has {', '.join(known)}.{nearest(name, known)}")
