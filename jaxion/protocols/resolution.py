"""`resolve`: a protocol and a model become numbers, and every mistake that can be seen beforehand is named."""

import jax.numpy as jnp
from jaxtyping import Array

from jaxion.model import Model
from jaxion.protocols.drive import Drive, Logistic
from jaxion.protocols.effects import Course
from jaxion.protocols.protocol import Protocol
from jaxion.protocols.targets import own, with_injections

Courses = dict[str, Course]


def resolve(protocol: Protocol, model: Model) -> Drive:
    """Course of every driven path, checked against the model; differentiable in all numbers.

    Args:
        protocol: The protocol.
        model: One cell, or a batch with leaves of shape `(cells,)`.

    Raises:
        PathError: A path or mechanism is not in the model, or belongs to its state.
        ValueError: A path is driven twice in a phase, a value is outside its range, or batches differ in size.
        UnitError: The unit of a text does not fit.
        ConservationError: An injected ion is not on both sides of the membrane.
    """
    model = with_injections(model, [path for phase in protocol.phases for path in phase.named])
    driven = [_merged(index, phase.courses(model)) for index, phase in enumerate(protocol.phases)]
    paths = tuple(sorted({path for courses in driven for path in courses}))
    normal = {path: Course(own(model, path)[None]) for path in paths}
    counts = [phase.count for phase in protocol.phases]
    rows = [[courses.get(path, normal[path]) for path in paths] for courses in driven]
    lengths = _joined([[phase.durations] for phase in protocol.phases], counts)[:, 0]
    edges = jnp.concatenate([jnp.zeros_like(lengths[:1]), jnp.cumsum(lengths, axis=0)])
    value = _joined([[course.value for course in row] for row in rows], counts)
    drive = Drive(model, paths, edges, value, _slope(rows, counts, lengths), _logistic(rows, counts))
    _check_cells(drive)
    return drive


def _merged(index: int, courses: list[tuple[str, Course]]) -> Courses:
    found: Courses = {}
    for path, course in courses:
        if path in found:
            raise ValueError(f"`{path}` must be driven once in a phase, but phase {index + 1} of the protocol drives it twice.")
        found[path] = course
    return found


def _joined(rows: list[list[Array]], counts: list[int]) -> Array:
    """Arrays of shape `(1 or phases, *cells)` by group of phases and path, as one of shape `(phases, paths, *cells)`."""
    cells = _cells([array.shape[1:] for row in rows for array in row])
    if not rows[0]:
        return jnp.zeros((sum(counts), 0))
    groups = []
    for row, count in zip(rows, counts, strict=True):
        wide = [jnp.broadcast_to(_wide(array, 1 + len(cells)), (count, *cells)) for array in row]
        groups.append(jnp.stack(wide, axis=1))
    return jnp.concatenate(groups)


def _slope(rows: list[list[Course]], counts: list[int], lengths: Array) -> Array | None:
    if all(course.end is None for row in rows for course in row):
        return None
    rises = [[jnp.zeros_like(course.value) if course.end is None else _rise(course.value, course.end) for course in row] for row in rows]
    rise = _joined(rises, counts)
    rank = max(rise.ndim, lengths.ndim + 1)
    rise, lengths = _wide(rise, rank), _wide(lengths[:, None], rank)
    # A ramp of no length has no slope: the phase ends where it begins.
    return jnp.where(lengths > 0, rise / jnp.where(lengths > 0, lengths, 1.0), 0.0)


def _rise(first: Array, last: Array) -> Array:
    rank = max(first.ndim, last.ndim)
    return _wide(last, rank) - _wide(first, rank)


def _logistic(rows: list[list[Course]], counts: list[int]) -> Logistic | None:
    most = max(len(course.terms) for row in rows for course in row) if rows[0] else 0
    if not most:
        return None
    nothing = (jnp.zeros(1), jnp.zeros(1), jnp.ones(1))
    padded = [[(*course.terms, *[nothing] * (most - len(course.terms))) for course in row] for row in rows]

    def part(number: int) -> Array:
        joined = [_joined([[terms[k][number] for terms in row] for row in padded], counts) for k in range(most)]
        cells = _cells([array.shape[2:] for array in joined])
        wide = [jnp.broadcast_to(_wide(array, 2 + len(cells)), (*array.shape[:2], *cells)) for array in joined]
        return jnp.stack(wide, axis=2)

    amplitude, centre, width = _same_rank(part(0), part(1), part(2))
    return amplitude, centre, width


def _same_rank(*arrays: Array) -> list[Array]:
    rank = max(array.ndim for array in arrays)
    return [_wide(array, rank) for array in arrays]


def _wide(array: Array, rank: int) -> Array:
    """The array with axes of length one at its end, so that it has as many as `rank`."""
    return array.reshape(array.shape + (1,) * (rank - array.ndim))


def _cells(shapes: list[tuple[int, ...]]) -> tuple[int, ...]:
    sizes = sorted({size for shape in shapes for size in shape})
    if len(sizes) > 1:
        raise ValueError(f"Every batch in a protocol must have the same number of cells, but there are {sizes[0]} and {sizes[-1]}.")
    return tuple(sizes)


def _check_cells(drive: Drive) -> None:
    """Durations, values and the model agree in the number of cells."""
    own_shape = drive.model.cells
    _cells([own_shape, drive.edges.shape[1:], drive.value.shape[2:]])
