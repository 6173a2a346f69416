"""Drive: a protocol as the numbers that an integrator needs."""

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array

from jaxion.model import Model

Logistic = tuple[Array, Array, Array]
"""(amplitude, centre, width) of logistic terms, each `(…, paths, terms, *cells)`; centre and width in s."""


class Drive(eqx.Module):
    r"""Course of every driven path through every phase.

    $$x(\tau) = \mathrm{value} + \mathrm{slope}\,\tau + \sum_k a_k\,\sigma\left(\frac{\tau - c_k}{w_k}\right)$$

    with $\tau$ the seconds since the phase began. Each array has a cells axis, the last one, only
    where its numbers differ between cells.

    Args:
        model: The model, with an `Injection` wherever the protocol injects; leaves of shape `()` or `(cells,)`.
        paths: Driven paths, sorted.
        edges: Times at which phases begin and the last one ends, s, shape `(phases + 1, *cells)`; the first is 0.
        value: Shape `(phases, paths, *cells)`, in the paths' own units.
        slope: Change per second, shape `(phases, paths, *cells)`; None if there are no ramps.
        logistic: Amplitude, centre and width, each of shape `(phases, paths, terms, *cells)`; None if there are no such terms.
    """

    model: Model
    paths: tuple[str, ...] = eqx.field(static=True)
    edges: Array
    value: Array
    slope: Array | None
    logistic: Logistic | None


def course(tau: Array, value: Array, slope: Array | None, logistic: Logistic | None) -> Array:
    r"""Values of the driven paths, `tau` seconds after a phase began.

    Args:
        tau: Time since the phase began, s, shape `()` or `(*cells,)`.
        value: That of a `Drive` in one phase, shape `(paths, *cells)`.
        slope: Likewise, or None.
        logistic: Likewise, each array of shape `(paths, terms, *cells)`, or None.

    Returns:
        Values of the paths, shape `(paths, *cells)`.
    """
    if slope is not None:
        value = value + slope * (tau[None] if jnp.ndim(tau) else tau)
    if logistic is not None:
        amplitude, centre, width = logistic
        since = (tau[None, None] if jnp.ndim(tau) else tau) - centre
        value = value + jnp.sum(amplitude * jax.nn.sigmoid(since / width), axis=1)
    return value
