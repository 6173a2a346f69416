"""How a parameter varies from cell to cell, around the value that it has in the model (the *nominal* one)."""

import abc
import dataclasses
import math
from typing import ClassVar

import numpy as np
from jaxtyping import Float

from jaxion.units import quantity

Quantities = Float[np.ndarray, " cells"]


@dataclasses.dataclass(frozen=True)
class Distribution(abc.ABC):
    """A one-dimensional distribution, given by its quantiles.

    `bounded` says that it has ends, which can be checked without a draw; `multiple` that it
    multiplies the nominal value, so that nothing varies around zero.
    """

    bounded: ClassVar[bool]
    multiple: ClassVar[bool]

    @abc.abstractmethod
    def quantile(self, u: Quantities, nominal: float) -> Quantities:
        """Values below which the fractions `u` in (0, 1) of all cells lie, in the unit of `nominal`."""

    @abc.abstractmethod
    def at(self, z: Quantities, nominal: float) -> Quantities:
        """Values that rank among the cells as `z` does among standard normal numbers, in the unit of `nominal`."""


@dataclasses.dataclass(frozen=True)
class LogNormal(Distribution):
    r"""Log-normal around the nominal value, which is its median: $\sigma = \sqrt{\ln(1 + cv^2)}$.

    The sign of the nominal value is kept, so that a positive parameter stays positive.

    Args:
        cv: Coefficient of variation (standard deviation over mean), dimensionless; 0.1 to 0.5 between neurons of one kind.
    """

    cv: float
    bounded: ClassVar[bool] = False
    multiple: ClassVar[bool] = True

    def __post_init__(self):
        _check_not_negative("cv", "LogNormal", self.cv)

    def quantile(self, u: Quantities, nominal: float) -> Quantities:
        """Quantiles, in the unit of `nominal`."""
        return self.at(standard_normal(u), nominal)

    def at(self, z: Quantities, nominal: float) -> Quantities:
        r"""The nominal value times $e^{\sigma z}$."""
        return nominal * np.exp(math.sqrt(math.log1p(self.cv**2)) * z)


@dataclasses.dataclass(frozen=True)
class Normal(Distribution):
    """Normal around the nominal value, which is its mean.

    Args:
        sd: Standard deviation, in the path's own unit, or a string such as `"0.5 mM"`.
    """

    sd: float | str
    bounded: ClassVar[bool] = False
    multiple: ClassVar[bool] = False

    def __post_init__(self):
        if not isinstance(self.sd, str):
            _check_not_negative("sd", "Normal", self.sd)

    def quantile(self, u: Quantities, nominal: float) -> Quantities:
        """Quantiles, in the unit of `nominal`."""
        return self.at(standard_normal(u), nominal)

    def at(self, z: Quantities, nominal: float) -> Quantities:
        """The nominal value and $z$ standard deviations."""
        return nominal + float(self.sd) * z


@dataclasses.dataclass(frozen=True)
class Uniform(Distribution):
    """Uniform between two values; the nominal one plays no part.

    Args:
        low: Lower end, in the path's own unit, or a string such as `"2 mM"`.
        high: Upper end.
    """

    low: float | str
    high: float | str
    bounded: ClassVar[bool] = True
    multiple: ClassVar[bool] = False

    def __post_init__(self):
        if not isinstance(self.low, str) and not isinstance(self.high, str):
            _check_ends("Uniform", self.low, self.high)

    def quantile(self, u: Quantities, nominal: float) -> Quantities:
        """Quantiles, in the path's own unit."""
        low, high = float(self.low), float(self.high)
        return low + (high - low) * u

    def at(self, z: Quantities, nominal: float) -> Quantities:
        """Quantiles at the fractions of the normal distribution below `z`."""
        return self.quantile(_fraction(z), nominal)


@dataclasses.dataclass(frozen=True)
class Factor(Distribution):
    """The nominal value times a factor that is uniform between two numbers.

    Args:
        low: Lower end of the factor, dimensionless.
        high: Upper end of the factor.
    """

    low: float
    high: float
    bounded: ClassVar[bool] = True
    multiple: ClassVar[bool] = True

    def __post_init__(self):
        _check_ends("Factor", self.low, self.high)

    def quantile(self, u: Quantities, nominal: float) -> Quantities:
        """Quantiles of the factor times `nominal` (descending where that is negative)."""
        return nominal * (self.low + (self.high - self.low) * u)

    def at(self, z: Quantities, nominal: float) -> Quantities:
        """Quantiles at the fractions of the normal distribution below `z`."""
        return self.quantile(_fraction(z), nominal)


def in_unit(distribution: Distribution, unit: str, path: str) -> Distribution:
    """The same distribution with its strings, such as `"0.5 mM"`, read as numbers in the unit of `path`."""
    fields = dataclasses.asdict(distribution)
    read = {name: quantity(value, unit, path) if isinstance(value, str) else float(value) for name, value in fields.items()}
    return dataclasses.replace(distribution, **read)


def standard_normal(u: Quantities) -> Quantities:
    """Standard normal numbers below which the fractions `u` lie."""
    # SciPy's scalar loop: the same bits for a cell, whatever the length of the array that it is in.
    from scipy.special import ndtri

    return ndtri(u)


def _fraction(z: Quantities) -> Quantities:
    from scipy.special import ndtr

    return ndtr(z)


def _check_not_negative(argument: str, of: str, value: float) -> None:
    if not (math.isfinite(value) and value >= 0):
        raise ValueError(f"Argument `{argument}` of {of} must be finite and not negative, but it is {value:g}.")


def _check_ends(of: str, low: float, high: float) -> None:
    if not (math.isfinite(low) and math.isfinite(high) and low < high):
        raise ValueError(f"The ends of {of} must be finite and increasing, but they are {low:g} and {high:g}.")
