r"""FitProblem: a model, what was done to it, what was recorded, and which parameters are free.

The loss is the negative log-posterior but for a constant: $\tfrac12\sum r^2$ over the residuals of all
values and priors, with $n\ln\hat\sigma + n/2$ for a channel of $n$ values whose scatter is estimated.
"""

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int

from jaxion.errors import PathError, Status, nearest
from jaxion.fits.compiled import Compiled, Function, compiled_for
from jaxion.fits.data.channels import Channel
from jaxion.fits.data.experiments import AbstractExperiment, failed, on_model
from jaxion.fits.data.recordings import as_recording
from jaxion.fits.data.tables import on_function, on_mechanism
from jaxion.fits.parameters import parameters as own
from jaxion.fits.parameters.parameters import Parameters, Unknowns
from jaxion.fits.parameters.transforms import Unbounded
from jaxion.mechanisms.base import AbstractMechanism
from jaxion.model import Model

Residuals = Float[Array, " residuals"]


class Evaluation(NamedTuple):
    """What a problem says about values of its parameters.

    Attributes:
        loss: Negative log-posterior; NaN if an experiment failed.
        residuals: Residuals of all measured values, then those of the priors; NaN if an experiment failed.
        sd: Standard deviation of each channel that is estimated; ones for the others.
        status: `Status` of the first experiment that failed, or ok.
        raw: The model's values of each channel, before any unknown scale or offset.
    """

    loss: Float[Array, ""]
    residuals: Residuals
    sd: Float[Array, " channels"]
    status: Int[Array, ""]
    raw: tuple[Array, ...]


@dataclasses.dataclass(frozen=True)
class Layout:
    """What a search has to know of a problem besides how to evaluate it; problems that share it share what is compiled.

    Attributes:
        sizes: Number of residuals of each channel.
        estimated: Whether the scatter of each channel is estimated.
        priors: Number of priors, whose residuals come last.
        bounded: Whether each unknown is a logarithm.
    """

    sizes: tuple[int, ...]
    estimated: tuple[bool, ...]
    priors: int
    bounded: tuple[bool, ...]

    @property
    def channel(self) -> np.ndarray:
        """Number of the channel that each residual belongs to; −1 for priors."""
        return np.repeat([*range(len(self.sizes)), -1], [*self.sizes, self.priors])


class FitProblem:
    """What `fit` solves.

    Args:
        model: One cell; or a function in plain JAX, or a mechanism, for a table of values that a formula answers. A function is
            given columns of the table and free parameters as its arguments, by name.
        protocol: What was done to the model; None for values at rest, and for tables.
        recording: A `Recording`, a mapping of columns, or a CSV file.
        free: Transform of each free parameter: `positive()`, `interval(a, b)`, `unbounded()`; or `tied(path)`, `fixed(value)`.
        noise: Scatter of each channel: a standard deviation in its own unit, `relative(0.1)`, `estimated()`, `student(1.0)`,
            `huber(1.0)`. Default: the recording's own standard deviations, or else estimated.
        start: Where a transient starts, as in `solve`; for values at rest the first guess, as in `setpoint`.
        at: For a mechanism or a function, conditions that are the same in all rows, such as `{"outside.K": 5.4}`.
        scale: Channels that are an unknown multiple of the model's values, such as ΔF of a dye.
        offset: Channels to which an unknown constant is added.
        rtol: Relative tolerance of a transient.
        max_steps: Steps of a transient at most: one that needs more, as it spikes for minutes, say, has failed, and holds up no others.

    Raises:
        PathError: A path names nothing, or something that cannot be set.
        UnitError: The unit of a column or a value is missing or does not fit.
        ValueError: An argument is not what it has to be.

    Attributes:
        experiments: What was measured, and how the same is computed.
        parameters: What is free, tied, or fixed.
        taken: For each experiment the parameter that each of its paths takes.

    Example:
        >>> import jaxion
        >>> cell = jaxion.models.duesterwald2018()
        >>> rest = {"neuron.V": (-70.0, 1.0), "neuron.Cl": (6.0, 0.5)}
        >>> problem = FitProblem(cell, None, rest, free={"neuron.kcc2.g": jaxion.positive()})
        >>> print(problem)
        Fit of 1 parameter to 2 values of 2 channels in 1 experiment
    """

    experiments: tuple[AbstractExperiment, ...]
    parameters: Parameters
    taken: tuple[dict[str, str], ...]

    def __init__(
        self,
        model: Any,
        protocol: Any = None,
        recording: Any = None,
        free: Mapping[str, Any] | None = None,
        noise: Mapping[str, Any] | None = None,
        *,
        start: Any = None,
        at: Mapping[str, Any] | None = None,
        scale: Sequence[str] = (),
        offset: Sequence[str] = (),
        rtol: float = 1e-6,
        max_steps: int = 1_000_000,
    ):
        given, noise, free = as_recording(recording), noise or {}, free or {}
        linear = (_names(scale), _names(offset))
        if isinstance(model, Model):
            if at:
                raise ValueError("Argument `at` goes with mechanisms and functions; set the paths of a model by `replace`.")
            experiment = on_model(model, protocol, given, noise, start, *linear, rtol, max_steps)
        elif protocol is not None or start is not None:
            raise ValueError("Arguments `protocol` and `start` go with a Model; a mechanism or a function has none.")
        elif isinstance(model, AbstractMechanism):
            experiment = on_mechanism(model, given, noise, at or {}, *linear)
        elif callable(model):
            experiment = on_function(model, given, noise, free, at or {}, *linear)
        else:
            raise ValueError(f"Argument `model` must be a Model, a mechanism or a function, but it is `{model}`.")
        self._set((experiment,), own.parameters(experiment, free), ({name: name for name in free},))

    @classmethod
    def of(cls, experiment: AbstractExperiment, free: Mapping[str, Any]) -> "FitProblem":
        """The problem of an experiment of one's own.

        Args:
            experiment: What was measured, and how the same is computed.
            free: Transform of each free parameter.
        """
        problem = cls.__new__(cls)
        problem._set((experiment,), own.parameters(experiment, free), ({name: name for name in free},))
        return problem

    def _set(self, experiments: tuple[AbstractExperiment, ...], parameters: Parameters, taken: tuple[dict[str, str], ...]) -> None:
        self.experiments, self.parameters, self.taken = experiments, parameters, taken
        self._shared: Compiled | None = None

    @classmethod
    def join(cls, *problems: "FitProblem", local: Sequence[str] = ()) -> "FitProblem":
        """Several experiments at once: parameters of the same name are shared, and have to be given the same transform and start.

        Args:
            *problems: The problems.
            local: Parameters that are not shared: each problem has its own, named `bath.K#1`, `bath.K#2`, ….

        Raises:
            ValueError: There is no problem, or two of them differ in what they say about a parameter.
            PathError: A local parameter is none of any problem.
        """
        if not problems:
            raise ValueError("There must be at least one problem to join, but there is none.")
        known = {name for problem in problems for taken in problem.taken for name in taken.values()}
        for name in local:
            if name not in known:
                raise PathError(f"`{name}` is no parameter of these problems.{nearest(name, known)}")
        joined, parts, taken = cls.__new__(cls), [], []
        for i, problem in enumerate(problems):
            names = {name: f"{name}#{i + 1}" for name in local}
            parts.append(own.renamed(problem.parameters, names))
            taken += [{path: names.get(name, name) for path, name in one.items()} for one in problem.taken]
        experiments = tuple(experiment for problem in problems for experiment in problem.experiments)
        joined._set(experiments, own.join(parts), tuple(taken))
        return joined

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the free parameters."""
        return self.parameters.names

    @property
    def channels(self) -> tuple[Channel, ...]:
        """What was measured in all experiments."""
        return tuple(channel for experiment in self.experiments for channel in experiment.channels)

    @property
    def size(self) -> int:
        """Number of measured values."""
        return sum(channel.size for channel in self.channels)

    @property
    def layout(self) -> Layout:
        """Sizes and kinds of channels and unknowns."""
        channels, free = self.channels, self.parameters.free
        return Layout(
            tuple(channel.size for channel in channels),
            tuple(channel.noise.estimated for channel in channels),
            sum(p.transform.prior is not None for p in free),
            tuple(not isinstance(p.transform, Unbounded) for p in free),
        )

    @property
    def accuracy(self) -> float:
        """Relative accuracy of what is computed, that of the worst experiment."""
        return max(experiment.accuracy for experiment in self.experiments)

    def __str__(self) -> str:
        """How many parameters, values, channels, experiments."""
        counts = (
            (len(self.names), "parameter"),
            (self.size, "value"),
            (len(self.channels), "channel"),
            (len(self.experiments), "experiment"),
        )
        p, n, c, e = (f"{count} {word}{'' if count == 1 else 's'}" for count, word in counts)
        return f"Fit of {p} to {n} of {c} in {e}"

    def by_experiment(self, values: Mapping[str, Any]) -> list[tuple[AbstractExperiment, dict[str, Any]]]:
        """Each experiment with the values of the paths that it takes, those that are tied or fixed included."""
        everything = self.parameters.all_values(values)
        pairs = zip(self.experiments, self.taken, strict=True)
        return [(experiment, {path: everything[name] for path, name in taken.items()}) for experiment, taken in pairs]

    def predict(self, values: Mapping[str, Any]) -> tuple[list[Array], Array]:
        """The model's values of each channel at all samples, in the order of `channels`, and a `Status`; in plain JAX.

        Args:
            values: Value of each free parameter.
        """
        raw, status = [], jnp.asarray(int(Status.ok))
        for experiment, own_values in self.by_experiment(values):
            predicted, outcome = experiment.predict(own_values)
            raw += [predicted[channel.name] for channel in experiment.channels]
            status = jnp.where(failed(status), status, outcome.astype(status.dtype))
        return raw, status

    def evaluate(self, values: Mapping[str, Any], sd: Float[Array, " channels"] | None = None) -> Evaluation:
        """Loss, residuals and status; in plain JAX, under any transformation.

        Args:
            values: Value of each free parameter.
            sd: Standard deviations that take the place of those that are estimated, one a channel.
        """
        raw, status = self.predict(values)
        parts, sds, loss = [], [], jnp.zeros(())
        for i, (channel, prediction) in enumerate(zip(self.channels, raw, strict=True)):
            # Where nothing is missing nothing need be gathered, which is slow.
            places = slice(None) if channel.there.all() else np.flatnonzero(channel.there)
            difference = channel.observed(prediction)[places] - channel.data[places]
            own_sd = channel.estimate(difference) if channel.noise.estimated else jnp.ones(())
            used = own_sd if sd is None else sd[i]
            scale = channel.sd[places] * (used if channel.noise.estimated else 1.0)
            residual = channel.noise.residual(difference / scale)
            parts.append(residual)
            sds.append(own_sd)
            loss = loss + jnp.sum(residual**2) / 2 + (channel.size * jnp.log(used) if channel.noise.estimated else 0.0)
        priors = self.parameters.prior_residuals(values)
        residuals = jnp.concatenate([*parts, priors])
        loss = loss + jnp.sum(priors**2) / 2
        # What is not finite has failed, whatever its status says; a failed experiment must not read as a perfect one.
        finite = jnp.isfinite(loss)
        status = jnp.where(failed(status) | finite, status, int(Status.not_finite))
        ok = ~failed(status)
        return Evaluation(jnp.where(ok, loss, jnp.nan), jnp.where(ok, residuals, jnp.nan), jnp.stack(sds), status, tuple(raw))

    def loss(self, values: Mapping[str, Any]) -> Array:
        """Negative log-posterior but for a constant; NaN, and zero in every derivative, where an experiment failed.

        In plain JAX: `jax.grad(problem.loss)`, `jax.vmap(problem.loss)` and `jax.jit(problem.loss)` work.

        Args:
            values: Value of each free parameter.
        """
        return self.evaluate(values).loss

    def residuals(self, values: Mapping[str, Any]) -> Residuals:
        """Residuals of all measured values in units of their standard deviation, then those of the priors; in plain JAX.

        Forward derivatives of transients are those of the variational equations, as a search needs them; reverse ones are exact.
        """
        return self.evaluate(values).residuals

    def at(self, u: Unknowns, sd: Float[Array, " channels"] | None = None) -> Evaluation:
        """`evaluate` at a vector of unknowns."""
        return self.evaluate(self.parameters.values(u), sd)

    @property
    def numbers(self) -> list[tuple[Any, Any]]:
        """What was measured, and its scatter, of each channel."""
        return [(channel.data, channel.sd) for channel in self.channels]

    def with_numbers(self, numbers: Sequence[tuple[Any, Any]]) -> "FitProblem":
        """The same problem with other numbers measured."""
        left, same, experiments = list(numbers), type(self).__new__(type(self)), []
        for experiment in self.experiments:
            channels = [dataclasses.replace(c, data=data, sd=sd) for c, (data, sd) in zip(experiment.channels, left, strict=False)]
            left = left[len(channels) :]
            experiments.append(experiment.with_channels(tuple(channels)))
        same._set(tuple(experiments), self.parameters, self.taken)
        return same

    def compiled(self, key: Any, make: Callable[["FitProblem"], Callable[..., Any]]) -> Function:
        """A function of a problem, compiled once for all that differ from this one in what was measured alone.

        Args:
            key: What tells it from other functions.
            make: Makes it of a problem, whose numbers may be tracers.
        """
        if self._shared is None:
            self._shared = compiled_for(self.experiments, self.parameters, self.taken, with_numbers=self.with_numbers)
        return Function(self._shared.function(key, make), self.numbers)


def _names(given: Sequence[str] | str) -> tuple[str, ...]:
    return (given,) if isinstance(given, str) else tuple(given)
