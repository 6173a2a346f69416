r"""How a free parameter is searched for: a transform between its value and an unknown $u$ that may be any real number."""

import abc
import dataclasses
import math
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array

from jaxion.populations import Distribution, LogNormal, Normal
from jaxion.populations.distributions import in_unit
from jaxion.units import quantity


@dataclasses.dataclass(frozen=True)
class Transform(abc.ABC):
    """A one-to-one map from the real numbers to the values that a parameter may take.

    Args:
        start: Where the search begins, in the path's own unit or as a text such as `"8 mM"`. Default: the model's value.
        prior: What was known before: `LogNormal` or `Normal` around the model's value.
    """

    start: Any = None
    prior: Distribution | None = dataclasses.field(default=None, kw_only=True)

    def __post_init__(self):
        if self.prior is not None and not isinstance(self.prior, LogNormal | Normal):
            kind = type(self.prior).__name__
            raise ValueError(
                f"Argument `prior` must be LogNormal or Normal, but it is `{kind}`; for ends that are hard use interval(a, b)."
            )

    @property
    @abc.abstractmethod
    def logarithmic(self) -> bool:
        """Whether all values are positive, so that uncertainties are those of the logarithm."""

    @property
    @abc.abstractmethod
    def ends(self) -> tuple[float, float]:
        """Ends of the values that it can lead to, which it never reaches."""

    @abc.abstractmethod
    def value(self, u: Any) -> Array:
        """Value at an unknown."""

    @abc.abstractmethod
    def unknown(self, value: Any) -> Array:
        """Unknown of a value."""

    @abc.abstractmethod
    def refuses(self, value: float) -> str:
        """Why a value is impossible, as the end of a sentence; empty if it is possible."""

    @abc.abstractmethod
    def displaced(self, start: float, u: np.ndarray, spread: float) -> np.ndarray:
        """Values around `start` at the quantiles `u`, from which further starts of a search begin; `spread` is a standard deviation."""

    def in_unit(self, unit: str, path: str) -> "Transform":
        """The same with every text, such as `"8 mM"`, read as a number in `unit`."""
        numbers = [field.name for field in dataclasses.fields(self) if field.name != "prior"]
        read = {name: quantity(value, unit, path) for name in numbers if isinstance(value := getattr(self, name), str)}
        prior = None if self.prior is None else in_unit(self.prior, unit, path)
        return dataclasses.replace(self, **read, prior=prior)


@dataclasses.dataclass(frozen=True)
class Positive(Transform):
    """See `positive`."""

    @property
    def logarithmic(self) -> bool:
        """They are."""
        return True

    @property
    def ends(self) -> tuple[float, float]:
        """From zero on."""
        return 0.0, math.inf

    def value(self, u: Any) -> Array:
        """The exponential."""
        return jnp.exp(u)

    def unknown(self, value: Any) -> Array:
        """The logarithm."""
        return jnp.log(value)

    def refuses(self, value: float) -> str:
        """Zero and negative values are refused."""
        return "" if value > 0 else "positive() needs a positive one; use unbounded() or interval(a, b)"

    def displaced(self, start: float, u: np.ndarray, spread: float) -> np.ndarray:
        """Log-normal around `start`."""
        return start * np.exp(spread * _normal(u))


@dataclasses.dataclass(frozen=True)
class Unbounded(Transform):
    """See `unbounded`."""

    scale: float = dataclasses.field(default=1.0, kw_only=True)

    @property
    def logarithmic(self) -> bool:
        """They may be negative."""
        return False

    @property
    def ends(self) -> tuple[float, float]:
        """None."""
        return -math.inf, math.inf

    def __post_init__(self):
        super().__post_init__()
        if not (math.isfinite(self.scale) and self.scale > 0):
            raise ValueError(f"Argument `scale` of unbounded must be positive, but it is {self.scale:g}.")

    def value(self, u: Any) -> Array:
        """A multiple of the scale."""
        return u * self.scale

    def unknown(self, value: Any) -> Array:
        """The value in units of the scale."""
        return jnp.asarray(value, float) / self.scale

    def refuses(self, value: float) -> str:
        """Every number is possible."""
        return ""

    def displaced(self, start: float, u: np.ndarray, spread: float) -> np.ndarray:
        """Normal around `start`; the spread is in units of its size, or of the scale if that is larger."""
        return start + spread * max(abs(start), self.scale) * _normal(u)


@dataclasses.dataclass(frozen=True)
class Interval(Transform):
    """See `interval`."""

    low: Any = dataclasses.field(default=0.0, kw_only=True)
    high: Any = dataclasses.field(default=1.0, kw_only=True)

    @property
    def logarithmic(self) -> bool:
        """Whether the lower end is not negative."""
        return self.low >= 0

    @property
    def ends(self) -> tuple[float, float]:
        """Those that were given."""
        return float(self.low), float(self.high)

    def value(self, u: Any) -> Array:
        """A logistic course between the ends, each half from its own end: its slope there is small, and not lost to rounding."""
        width = self.high - self.low
        return jnp.where(u > 0, self.high - width * jax.nn.sigmoid(-u), self.low + width * jax.nn.sigmoid(u))

    def unknown(self, value: Any) -> Array:
        """The log-odds of the place between the ends; finite even where a search ended at one, to rounding."""
        share = jnp.clip((value - self.low) / (self.high - self.low), jnp.finfo(float).tiny, 1 - jnp.finfo(float).epsneg)
        return jnp.log(share) - jnp.log1p(-share)

    def refuses(self, value: float) -> str:
        """The ends and what is beyond are refused."""
        return "" if self.low < value < self.high else f"it must lie between the ends {self.low:g} and {self.high:g}"

    def displaced(self, start: float, u: np.ndarray, spread: float) -> np.ndarray:
        """Uniform between the ends, whatever the spread."""
        return self.low + (self.high - self.low) * u

    def in_unit(self, unit: str, path: str) -> "Transform":
        """The same in numbers, with ends that were looked at."""
        read: Any = super().in_unit(unit, path)
        if not (math.isfinite(read.low) and math.isfinite(read.high) and read.low < read.high):
            raise ValueError(
                f"The ends of interval for `{path}` must be finite and increasing, but they are {read.low:g} and {read.high:g}."
            )
        return read


@dataclasses.dataclass(frozen=True)
class Tied:
    """See `tied`."""

    path: str
    factor: float | None = None


@dataclasses.dataclass(frozen=True)
class Fixed:
    """See `fixed`."""

    value: Any


def positive(start: Any = None, *, prior: Distribution | None = None) -> Transform:
    r"""A parameter that is positive, searched for by its logarithm: $\theta = e^u$.

    Args:
        start: Where the search begins, in the path's own unit or as a text such as `"8 mM"`. Default: the model's value.
        prior: `LogNormal` or `Normal` around the model's value, if something was known before.

    Example:
        >>> import jaxion
        >>> float(jaxion.positive().value(0.0))
        1.0
    """
    return Positive(start, prior=prior)


def unbounded(start: Any = None, *, scale: float = 1.0, prior: Distribution | None = None) -> Transform:
    r"""A parameter of either sign: $\theta = s\,u$.

    Args:
        start: Where the search begins. Default: the model's value.
        scale: Change $s$ that counts as large, in the path's own unit; a step of an optimiser is a fraction of it.
        prior: `LogNormal` or `Normal` around the model's value.

    Raises:
        ValueError: The scale is not positive.
    """
    return Unbounded(start, scale=scale, prior=prior)


def interval(low: Any, high: Any, start: Any = None, *, prior: Distribution | None = None) -> Transform:
    r"""A parameter between two ends, which it never reaches: $\theta = a + (b - a)/(1 + e^{-u})$.

    Args:
        low: Lower end $a$, in the path's own unit or as a text such as `"2 mM"`.
        high: Upper end $b$.
        start: Where the search begins. Default: the model's value.
        prior: `LogNormal` or `Normal` around the model's value.
    """
    return Interval(start, low=low, high=high, prior=prior)


def tied(path: str, factor: float | None = None) -> Tied:
    """A parameter that follows another free one.

    Args:
        path: The parameter that it follows.
        factor: Its ratio to that one. Default: their ratio in the model.
    """
    return Tied(path, factor)


def fixed(value: Any) -> Fixed:
    """A parameter that keeps a value other than the model's.

    Args:
        value: The value, in the path's own unit or as a text such as `"8 mM"`.
    """
    return Fixed(value)


def _normal(u: np.ndarray) -> np.ndarray:
    from scipy.special import ndtri

    return ndtri(u)
