"""Parameters of a fit: what is free, what is tied to it, and the vector of unknowns that they make."""

import dataclasses
import itertools
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from jaxion.errors import PathError, nearest
from jaxion.fits.data.experiments import AbstractExperiment
from jaxion.fits.parameters.transforms import Fixed, Interval, Tied, Transform
from jaxion.populations import LogNormal
from jaxion.units import quantity

Unknowns = Float[Array, " unknowns"]
"""One number for each free parameter, anything from −∞ to ∞."""


@dataclasses.dataclass(frozen=True)
class Parameter:
    """A free parameter.

    Attributes:
        name: Path, or argument of a function.
        unit: Its unit.
        transform: How it is searched for.
        start: Where the search begins.
        nominal: What its prior is centred on.
    """

    name: str
    unit: str
    transform: Transform
    start: float
    nominal: float

    @property
    def prior_sd(self) -> float:
        """Standard deviation of the prior, if there is one; of ln θ if that is log-normal."""
        prior: Any = self.transform.prior
        return float(np.sqrt(np.log1p(prior.cv**2))) if isinstance(prior, LogNormal) else float(prior.sd)


@dataclasses.dataclass(frozen=True)
class Parameters:
    """All parameters of a problem, in the order that they were given.

    Attributes:
        free: The free ones.
        tied: Those that follow a free one, with its name and their ratio to it.
        fixed: Those that keep a value other than the model's.
    """

    free: tuple[Parameter, ...]
    tied: dict[str, tuple[str, float]]
    fixed: dict[str, float]

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the free ones."""
        return tuple(p.name for p in self.free)

    @property
    def start(self) -> np.ndarray:
        """Where the search begins, in the parameters' own units."""
        return np.array([p.start for p in self.free])

    def values(self, u: Unknowns) -> dict[str, Array]:
        """Values of the free parameters at a vector of unknowns."""
        return dict(zip(self.names, self.vector(u), strict=True))

    def unknowns(self, values: Mapping[str, Any]) -> Unknowns:
        """Vector of unknowns at values of the free parameters."""
        return self.searched(jnp.stack([jnp.asarray(values[name], float) for name in self.names]))

    def vector(self, u: Any) -> Array:
        """Values of the free parameters from their unknowns, both along the last axis."""
        return self._mapped(lambda transform, u: transform.value(u), u)

    def searched(self, values: Any) -> Array:
        """Unknowns of the free parameters from their values, both along the last axis."""
        return self._mapped(lambda transform, values: transform.unknown(values), values)

    def _mapped(self, function: Callable[[Transform, Array], Array], x: Any) -> Array:
        """A function of a transform, for neighbours that have the same one at once: each operation by itself would cost more than it does."""
        x, parts, first = jnp.asarray(x, float), [], 0
        for transform, run in itertools.groupby(dataclasses.replace(p.transform, start=None, prior=None) for p in self.free):
            end = first + len(list(run))
            parts.append(function(transform, x[..., first:end]))
            first = end
        return jnp.concatenate(parts, axis=-1)

    def all_values(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """Values of all parameters, those that are tied or fixed included, from those of the free ones."""
        for name in values:
            if name not in self.names:
                raise PathError(f"`{name}` is not free; free are {', '.join(self.names)}.{nearest(name, self.names)}")
        for name in self.names:
            if name not in values:
                raise PathError(f"The value of `{name}` is missing: give one to each of {', '.join(self.names)}.")
        tied = {name: factor * values[other] for name, (other, factor) in self.tied.items()}
        return {**values, **tied, **self.fixed}

    def prior_residuals(self, values: Mapping[str, Any]) -> Float[Array, " priors"]:
        """Residual of each parameter that has a prior."""
        parts = [jnp.zeros(0)]
        for logarithmic, run in itertools.groupby(
            (p for p in self.free if p.transform.prior is not None), lambda p: isinstance(p.transform.prior, LogNormal)
        ):
            names, nominal, sd = zip(*((p.name, p.nominal, p.prior_sd) for p in run), strict=True)
            x = jnp.stack([jnp.asarray(values[name], float) for name in names])
            parts.append((jnp.log(x / np.array(nominal)) if logarithmic else x - np.array(nominal)) / np.array(sd))
        return jnp.concatenate(parts)


def parameters(experiment: AbstractExperiment, free: Mapping[str, Any]) -> Parameters:
    """Parameters of an experiment, from what the user gave for each path.

    Raises:
        PathError: A path names nothing, or what another is tied to is not free.
        ValueError: There is no free parameter, a start is impossible, or something else than a transform is given.
        UnitError: The unit of a text does not fit.
    """
    found, tied, fixed = [], {}, {}
    for name, given in free.items():
        unit = experiment.unit(name)
        if isinstance(given, Fixed):
            fixed[name] = quantity(given.value, unit, name) if isinstance(given.value, str) else float(given.value)
            experiment.check(name, fixed[name])
        elif isinstance(given, Transform):
            found.append(_free(experiment, name, unit, given.in_unit(unit, name)))
        elif not isinstance(given, Tied):
            raise ValueError(f"`{name}` must be given a transform such as jaxion.positive(), but it is given `{given}`.")
    if not found:
        raise ValueError("Argument `free` must hold at least one parameter with a transform such as jaxion.positive(), but it holds none.")
    names = [p.name for p in found]
    for name, given in free.items():
        if isinstance(given, Tied):
            if given.path not in names:
                raise PathError(f"`{name}` is tied to `{given.path}`, which is not free.{nearest(given.path, names)}")
            ratio = _ratio(experiment, name, given)
            low, high = sorted(ratio * end for end in found[names.index(given.path)].transform.ends)
            _check_ends(experiment, name, experiment.unit(name), (low, high), f"tied('{given.path}', {ratio:g})")
            tied[name] = (given.path, ratio)
    return Parameters(tuple(found), tied, fixed)


def renamed(parameters: Parameters, names: Mapping[str, str]) -> Parameters:
    """The same parameters under other names."""

    def new(name: str) -> str:
        return names.get(name, name)

    return Parameters(
        tuple(dataclasses.replace(p, name=new(p.name)) for p in parameters.free),
        {new(name): (new(other), factor) for name, (other, factor) in parameters.tied.items()},
        {new(name): value for name, value in parameters.fixed.items()},
    )


def join(parts: Sequence[Parameters]) -> Parameters:
    """Parameters of several experiments: those of one name are one parameter.

    Raises:
        ValueError: A parameter is searched for, tied or fixed differently in two experiments.
    """
    free: dict[str, Parameter] = {}
    for part in parts:
        for p in part.free:
            if _kind(free.setdefault(p.name, p)) != _kind(p):
                raise ValueError(f"`{p.name}` is shared by experiments that give it different transforms: give it the same one.")
    first = {}
    for name, p in free.items():
        same = {q.start for part in parts for q in part.free if q.name == name}
        if len(same) > 1:
            raise ValueError(
                f"`{name}` is shared by experiments whose models begin at {' and '.join(f'{v:g}' for v in sorted(same))}: "
                f"give it one start, such as {type(p.transform).__name__.lower()}(start={min(same):g})."
            )
        first[name] = p
    merged: list[dict[str, Any]] = []
    for kind in ("tied", "fixed"):
        together: dict[str, Any] = {}
        for part in parts:
            for name, value in getattr(part, kind).items():
                if together.setdefault(name, value) != value:
                    raise ValueError(f"`{name}` is {kind} differently in two experiments; set it in their models instead.")
        merged.append(together)
    for name in (*merged[0], *merged[1]):
        if name in first or (name in merged[0] and name in merged[1]):
            raise ValueError(f"`{name}` is free in one experiment and tied or fixed in another; set it in the models instead.")
    return Parameters(tuple(first.values()), *merged)


def _kind(p: Parameter) -> Transform:
    """The transform without its start."""
    return dataclasses.replace(p.transform, start=None)


def _free(experiment: AbstractExperiment, name: str, unit: str, transform: Transform) -> Parameter:
    kind = type(transform).__name__.lower()
    shown = f"{kind}({transform.low:g}, {transform.high:g})" if isinstance(transform, Interval) else f"{kind}()"
    _check_ends(experiment, name, unit, transform.ends, shown)
    nominal = experiment.nominal(name)
    start = nominal if transform.start is None else float(transform.start)
    if start is None:
        raise ValueError(f"`{name}` has no value to begin with: give it a start, such as {kind}(start=1.0).")
    why = transform.refuses(start)
    if why:
        raise ValueError(f"`{name}` cannot begin at {start:g} {unit}".rstrip() + f": {why}.")
    experiment.check(name, start)
    return Parameter(name, unit, transform, start, start if nominal is None else nominal)


def _check_ends(experiment: AbstractExperiment, name: str, unit: str, ends: tuple[float, float], shown: str) -> None:
    """Refuse what can lead to values that a parameter may not take, before a search comes there."""
    limits = experiment.limits(name)
    for end, limit, beyond in ((ends[0], limits.low, ends[0] < limits.low), (ends[1], limits.high, ends[1] > limits.high)):
        if beyond:
            to = f"to {end:g} {unit}".rstrip() if math.isfinite(end) else f"beyond {limit:g}"
            hint = "positive(), or interval(a, b) from 0 on" if limits.high == math.inf else f"interval({limits.low:g}, {limits.high:g})"
            raise ValueError(f"`{name}` must {limits.rule}, but {shown} leads {to}: use {hint}.")


def _ratio(experiment: AbstractExperiment, name: str, given: Tied) -> float:
    if given.factor is not None:
        return float(given.factor)
    own, other = experiment.nominal(name), experiment.nominal(given.path)
    if own is None or not other:
        raise ValueError(f"`{name}` has no ratio to `{given.path}` in the model: give one, such as tied('{given.path}', 1.0).")
    return own / other
