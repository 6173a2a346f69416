"""Channel: the measured values of one quantity, and what the model says about them."""

import dataclasses
from typing import Any

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from jaxion.errors import nearest
from jaxion.fits.data.noise import Estimated, Known, Noise
from jaxion.fits.data.recordings import Recording
from jaxion.units import quantity

_SMALLEST = 1e-9
"""Least estimated standard deviation, in units of the data's root mean square: noise-free data would have none."""


@dataclasses.dataclass(frozen=True, eq=False)
class Axis:
    """What the values of a channel are drawn over: the times of a course, a column of a table, or nothing."""

    name: str
    unit: str
    values: np.ndarray


@dataclasses.dataclass(frozen=True, eq=False)
class Channel:
    """Measured values of one quantity in one experiment.

    Attributes:
        name: Path, or column of a table.
        unit: Unit of all its numbers.
        axis: What it is drawn over.
        data: Measured values, `(samples,)`; may be traced.
        there: Where they were measured.
        noise: How they scatter.
        sd: Standard deviations, `(samples,)`; ones where they are estimated; may be traced.
        scale: Whether the data are an unknown multiple of the model's values.
        offset: Whether an unknown constant is added to them.
    """

    name: str
    unit: str
    axis: Axis
    data: Any
    there: np.ndarray
    noise: Noise
    sd: Any
    scale: bool = False
    offset: bool = False

    @property
    def size(self) -> int:
        """Number of measured values."""
        return int(self.there.sum())

    @property
    def smallest(self) -> Array:
        """Least standard deviation that an estimate may have."""
        square = jnp.mean(jnp.asarray(self.data)[np.flatnonzero(self.there)] ** 2)
        return jnp.maximum(_SMALLEST * jnp.sqrt(square), 1e-150)

    def gain(self, predicted: Float[Array, " samples"]) -> tuple[Array, Array]:
        r"""Scale $a$ and offset $b$ that fit best: they minimise $\sum (a p + b - d)^2/\sigma^2$ for predicted $p$ and measured $d$.

        They are eliminated, and no parameters: what the data say about them costs the other parameters exactly what it would
        if they were fitted as well (variable projection).

        Source: Golub & Pereyra (1973) SIAM J Numer Anal 10:413.
        """
        one, zero = jnp.ones(()), jnp.zeros(())
        weight = jnp.where(self.there, 1.0 / jnp.asarray(self.sd) ** 2, 0.0)
        weight = weight / jnp.sum(weight)
        p, d = predicted, jnp.asarray(self.data)
        if not self.scale:
            return one, jnp.sum(weight * (d - p)) if self.offset else zero
        mean_p, mean_d = (jnp.sum(weight * p), jnp.sum(weight * d)) if self.offset else (zero, zero)
        spread = jnp.sum(weight * (p - mean_p) ** 2)
        # A course that does not move has no scale.
        flat = spread <= 1e-20 * jnp.sum(weight * p**2)
        a = jnp.where(flat, 0.0, jnp.sum(weight * (p - mean_p) * (d - mean_d)) / jnp.where(flat, 1.0, spread))
        return a, mean_d - a * mean_p if self.offset else zero

    def observed(self, predicted: Float[Array, " samples"]) -> Array:
        """What the channel would have shown: the model's values, scaled and shifted as fits best."""
        if not (self.scale or self.offset):
            return predicted
        a, b = self.gain(predicted)
        return a * predicted + b

    def estimate(self, differences: Array) -> Array:
        """Standard deviation of differences, of which none is too small."""
        return jnp.sqrt(jnp.mean(differences**2) + self.smallest**2)


def channel(
    recording: Recording, name: str, unit: str, axis: Axis, noise: Any, scale: bool = False, offset: bool = False, one: bool = False
) -> Channel:
    """A channel from a column of a recording.

    Args:
        recording: The recording.
        name: The column.
        unit: Unit that the model has it in.
        axis: What it is drawn over.
        noise: What the user gave for it; None if nothing.
        scale: Whether its scale is unknown.
        offset: Whether its offset is unknown.
        one: Whether the model has a single value for all samples.

    Raises:
        ValueError: Its noise is not given, or cannot be found from so few values.
    """
    data, there = recording.converted(name, unit), recording.there[name]
    if not there.any():
        raise ValueError(f"Column `{name}` must have at least one value, but all of them are missing.")
    form = _noise(recording, name, unit, noise)
    if form.estimated and there.sum() < 3:
        raise ValueError(f"The noise of `{name}` cannot be estimated from fewer than 3 values: give it, such as noise={{'{name}': 1.0}}.")
    if (scale or offset) and form.robust:
        raise ValueError(f"An unknown scale or offset of `{name}` goes with normal noise only, such as noise={{'{name}': 1.0}}.")
    if (scale or offset) and (one or there.sum() < 2 + scale + offset):
        raise ValueError(f"An unknown scale or offset of `{name}` needs a course of more values than those it is fitted to.")
    sd = form.sd(np.where(there, data, 1.0))
    bad = np.flatnonzero(~(np.isfinite(sd) & (sd > 0)) & there)
    if bad.size:
        raise ValueError(f"The noise of `{name}` must be positive, but at sample {bad[0]} it is {sd[bad[0]]:g} {unit}".rstrip() + ".")
    return Channel(name, unit, axis, data, there, form, np.where(there, sd, 1.0), scale, offset)


def check_names(argument: str, given: Any, channels: list[str]) -> None:
    """Raise `ValueError` if an argument names what is no channel."""
    for name in given:
        if name not in channels:
            raise ValueError(f"Argument `{argument}` names `{name}`, which is not among what was recorded.{nearest(name, channels)}")


def _noise(recording: Recording, name: str, unit: str, given: Any) -> Noise:
    if given is None and name in recording.sd:
        return Known(np.where(recording.there[name], recording.sd[name], 1.0) * recording.scale(name, unit))
    if given is None:
        return Estimated()
    if isinstance(given, Noise):
        return given
    if isinstance(given, str):
        return Known(quantity(given, unit, f"noise of {name}"))
    if np.asarray(given).dtype.kind not in "fiu" or np.ndim(given) > 1:
        raise ValueError(f"The noise of `{name}` must be a standard deviation, or a form such as relative(0.1), but it is `{given}`.")
    if np.ndim(given) == 1 and np.shape(given) != recording.columns[name].shape:
        raise ValueError(f"The noise of `{name}` has {np.size(given)} numbers, but there are {len(recording)} samples.")
    return Known(given)
