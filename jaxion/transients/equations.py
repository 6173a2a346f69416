r"""From a model and a drive to what the kernel integrates: $f(t, y, \theta)$ of one cell, and its numbers."""

import functools
from typing import Any, Final

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from jaxion.ions import VANISHING
from jaxion.kernel import System
from jaxion.model import Model
from jaxion.paths import observe
from jaxion.protocols import Drive, course, driven

SCALE: Final = {"potential": 10.0, "gate": 0.1}
"""Size that the absolute tolerance of potentials (mV) and of gates is taken of; that of amounts and volumes is a tenth of the baseline."""


def equations(drive: Drive, observed: tuple[str, ...]) -> System:
    """The system of a drive's model; the same object for the same structure, so that it is compiled once."""
    terms = 0 if drive.logistic is None else drive.logistic[0].shape[2]
    return _system(jax.tree.structure(drive.model), drive.paths, drive.slope is not None, terms, observed)


@functools.lru_cache(maxsize=128)
def _system(structure: Any, paths: tuple[str, ...], ramps: bool, terms: int, observed: tuple[str, ...]) -> System:
    lasting, count = structure.num_leaves, len(paths)
    template = jax.tree.unflatten(structure, [jnp.ones(())] * lasting)

    def model_at(t: Any, theta: Any) -> Model:
        model = jax.tree.unflatten(structure, list(theta[:lasting]))
        begin, value, slope, logistic = _taken_apart(theta[lasting:], count, ramps, terms)
        return driven(model, paths, course(t - begin, value, slope, logistic))

    def f(t: Any, y: Any, theta: Any) -> Any:
        return model_at(t, theta).rhs(y)

    def seen(t: Any, y: Any, theta: Any) -> Any:
        model = model_at(t, theta)
        values = observe(model, model.unpack(y), observed)
        return jnp.stack([jnp.broadcast_to(values[path], ()) for path in observed])

    params = lasting + 1 + count * (1 + ramps + 3 * terms)
    return System(f, len(template.rows), params, seen if observed else None, positive_rows(template))


def positive_rows(model: Model) -> tuple[int, ...]:
    """Numbers of the rows that must stay positive: volumes, and amounts but those that may vanish."""
    s = model.structure
    kept = {*s.amounts, *s.volumes} - {f"{name}.n_{ion}" for name, ions in s.compartments for ion in ions if ion in VANISHING}
    return tuple(i for i, row in enumerate(model.rows) if row in kept)


def phase_numbers(drive: Drive, cells: tuple[int, ...]) -> Float[Array, "phases numbers *cells"]:
    """Numbers of each phase in the order in which the equations take them apart."""
    parts = [drive.edges[:-1, None], drive.value]
    if drive.slope is not None:
        parts.append(drive.slope)
    if drive.logistic is not None:
        # (phases, paths, terms, *cells) with paths and terms in one axis
        parts += [part.reshape(part.shape[0], -1, *part.shape[3:]) for part in drive.logistic]
    return jnp.concatenate([over_cells(part, 2, cells) for part in parts], axis=1)


def _taken_apart(numbers: Any, paths: int, ramps: bool, terms: int) -> tuple[Any, Any, Any, Any]:
    """Begin, value, slope and logistic terms of one phase."""
    begin, numbers = numbers[0], numbers[1:]
    value, numbers = numbers[:paths], numbers[paths:]
    slope = numbers[:paths] if ramps else None
    numbers = numbers[paths:] if ramps else numbers
    size = paths * terms
    logistic = tuple(numbers[k * size : (k + 1) * size].reshape(paths, terms) for k in range(3)) if terms else None
    return begin, value, slope, logistic


def over_cells(array: Array, rank: int, cells: tuple[int, ...]) -> Array:
    """An array whose cells axis may be absent or of length one, with the full cells axis after its first `rank` axes."""
    array = array.reshape(array.shape + (1,) * (rank + len(cells) - array.ndim))
    return jnp.broadcast_to(array, (*array.shape[:rank], *cells))


def scales(model: Model, cells: tuple[int, ...]) -> Float[Array, "rows *cells"]:
    """Size of each row that its absolute tolerance is taken of."""
    baseline, s = model.pack(model.baseline()), model.structure
    sizes = []
    for row, value in zip(model.rows, baseline, strict=True):
        if row in s.potentials:
            size: Any = SCALE["potential"]
        elif row in (*s.amounts, *s.volumes):
            size = 0.1 * jnp.abs(value)
        else:
            size = SCALE["gate"]
        sizes.append(jnp.broadcast_to(jnp.asarray(size, value.dtype), cells))
    return jax.lax.stop_gradient(jnp.stack(sizes))
