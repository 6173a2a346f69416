r"""How measured values scatter around the model: from differences to residuals $r$ whose loss is $\tfrac12\sum r^2$.

Every form is a least-squares problem, so that Levenberg–Marquardt and the Fisher information serve all of them.
"""

import abc
import dataclasses
import math
from typing import Any

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array


@dataclasses.dataclass(frozen=True)
class Noise(abc.ABC):
    """Scatter of one channel. `estimated` says that its size is found by the fit; `robust` that outliers count for less."""

    estimated = False
    robust = False

    @abc.abstractmethod
    def sd(self, data: np.ndarray) -> np.ndarray:
        """Standard deviation of each value, in its own unit; ones where it is estimated."""

    def residual(self, z: Array) -> Array:
        """Residuals of differences that are in units of the standard deviation."""
        return z


@dataclasses.dataclass(frozen=True)
class Known(Noise):
    """Normal scatter of a known size.

    Args:
        size: Standard deviation, in the channel's own unit: a number, or one for each value.
    """

    size: Any

    def sd(self, data: np.ndarray) -> np.ndarray:
        """The size given."""
        return np.broadcast_to(np.asarray(self.size, float), data.shape)


@dataclasses.dataclass(frozen=True)
class Estimated(Noise):
    """See `estimated`."""

    estimated = True

    def sd(self, data: np.ndarray) -> np.ndarray:
        """Ones."""
        return np.ones(data.shape)


@dataclasses.dataclass(frozen=True)
class Relative(Noise):
    """See `relative`."""

    fraction: float
    floor: float

    def sd(self, data: np.ndarray) -> np.ndarray:
        """A fraction of each value, and the floor in quadrature."""
        return np.hypot(self.fraction * np.abs(data), self.floor)


@dataclasses.dataclass(frozen=True)
class Student(Known):
    """See `student`."""

    df: float
    robust = True

    def residual(self, z: Array) -> Array:
        """Residuals whose half square is the negative log-density."""
        # z·√(log(1+x)/x) in place of ±√log: smooth at zero.
        x = z * z / self.df
        small = x < 1e-6
        ratio = jnp.where(small, 1 - x / 2, jnp.log1p(x) / jnp.where(small, 1.0, x))
        return z * jnp.sqrt((self.df + 1) / self.df * ratio)


@dataclasses.dataclass(frozen=True)
class Huber(Known):
    """See `huber`."""

    k: float
    robust = True

    def residual(self, z: Array) -> Array:
        """Residuals whose half square is Huber's function."""
        far = jnp.abs(z) > self.k
        beyond = jnp.sqrt(self.k * (2 * jnp.where(far, jnp.abs(z), self.k) - self.k))
        return jnp.where(far, jnp.sign(z) * beyond, z)


def estimated() -> Noise:
    r"""Normal scatter whose size the fit finds: $\hat\sigma^2 = \sum d^2/n$.

    It enters the loss as $n\ln\hat\sigma + n/2$; standard deviations of parameters use $\sum d^2/(n - \mathrm{rank})$.
    """
    return Estimated()


def relative(fraction: float, floor: float = 0.0) -> Noise:
    r"""Normal scatter that grows with the value $y$: $\sigma^2 = (f\,y)^2 + \sigma_0^2$.

    Args:
        fraction: Fraction $f$, dimensionless; 0.05 to 0.2 for fluorescent dyes.
        floor: Standard deviation $\sigma_0$ at zero, in the channel's own unit.

    Raises:
        ValueError: An argument is negative or not finite.
    """
    _check("fraction", "relative", fraction, fraction >= 0)
    _check("floor", "relative", floor, floor >= 0)
    return Relative(fraction, floor)


def student(sd: Any, df: float = 4.0) -> Noise:
    r"""Scatter with heavy tails, for recordings with outliers: $-\ln p = \tfrac{\nu+1}{2}\ln(1 + z^2/\nu)$ with $z = d/\sigma$.

    Args:
        sd: Scale $\sigma$, in the channel's own unit.
        df: Degrees of freedom $\nu$; 4 forgives much, 30 is nearly normal.

    Raises:
        ValueError: The degrees of freedom are not positive.
    """
    _check("df", "student", df, df > 0)
    return Student(sd, df)


def huber(sd: Any, k: float = 1.345) -> Noise:
    r"""Normal scatter up to $k\sigma$, and a loss that grows in proportion beyond it.

    Args:
        sd: Standard deviation $\sigma$, in the channel's own unit.
        k: Where outliers begin, in standard deviations; 1.345 keeps 95 % of the efficiency on normal scatter.

    Raises:
        ValueError: `k` is not positive.

    Source: Huber (1964) Ann Math Stat 35:73.
    """
    _check("k", "huber", k, k > 0)
    return Huber(sd, k)


def _check(argument: str, of: str, value: float, fine: bool) -> None:
    if not (fine and math.isfinite(value)):
        raise ValueError(f"Argument `{argument}` of {of} must be finite and in its range, but it is {value:g}.")
