"""`solve`: the public function, for one cell or a batch, eager or under a transformation."""

import functools
from collections.abc import Mapping, Sequence
from typing import Any

import jax.numpy as jnp
import numpy as np
from jax.core import Tracer
from jaxtyping import Array

from jaxion.declaration import numbers
from jaxion.errors import Status, TransientError, nearest
from jaxion.kernel import Course, check_lowering, check_tangents, integrate
from jaxion.model import Model
from jaxion.paths import check_settable
from jaxion.populations import Population
from jaxion.precision import check_precision
from jaxion.protocols import Drive, Protocol, find, resolve
from jaxion.transients.equations import equations, over_cells, phase_numbers, scales
from jaxion.transients.measured import look_up, outputs
from jaxion.transients.measures import Final, Measure
from jaxion.transients.neutral import charged, charged_drive, charged_rows, kept_rows
from jaxion.transients.solution import Solution, final_state
from jaxion.transients.starts import start_rows
from jaxion.transients.tangents import forward
from jaxion.transients.times import save_times

BACKENDS = ("auto", "kernel", "diffrax")
"""What integrates: the kernel, or any diffrax solver; "auto" is the kernel."""


def solve(
    model: Any,
    protocol: Any,
    start: Any = None,
    save: Any = None,
    measure: Mapping[str, Any] | None = None,
    wrt: Sequence[str] = (),
    rtol: float = 1e-6,
    backend: str = "auto",
    max_steps: int = 1_000_000,
    throw: bool | None = None,
    precision: str = "float64",
    lowering: str = "auto",
    tangents: str = "exact",
    **options: Any,
) -> Solution:
    r"""Integrate a model through a protocol.

    Edges between phases are exact. Differentiable in every number of the model, of the start and of
    the protocol, durations included, forward and reverse; a cell that fails adds exactly zero to any
    derivative, and changes no other cell.

    Args:
        model: One cell, a batch with leaves of shape `(cells,)`, or a `Population`.
        protocol: What is done to it; or the name of one of `jaxion.protocols.of(model)`.
        start: `"baseline"` (default), `"setpoint"` (default for a population) of the model before the protocol, a `SetPoint`, a `State` such
            as `solution.final`, or rows of shape `(rows, *cells)`.
        save: Times at which the state is saved, s from the protocol's start: None, increasing times, or `"t0:t1:n"`.
        measure: Measures by name, such as `{"t_depol": jaxion.crossing("neuron.V", -40.0), "end": jaxion.final()}`.
        wrt: Paths of which `solution.derivative` gives forward sensitivities.
        rtol: Relative tolerance of a step; looser than 1e-4 is refused.
        backend: `"kernel"`, `"diffrax"`, or `"auto"` for the kernel.
        max_steps: Steps tried in a cell at most.
        throw: Raise `TransientError` on failure. Default: for one cell outside of any transformation, never for a batch.
        precision: `"float64"`, or `"float32"` to accept fewer digits knowingly, with `rtol` of 1e-5 or more: machine code then takes twice as
            many cells at once, and keeps time, amounts and charge in double precision all the same.
        lowering: What the kernel runs, and a set-point to start from: machine code (`"llvm"`), `jax.numpy` (`"xla"`), or whichever
            is the faster one that is possible (`"auto"`).
        tangents: Forward derivatives by machine code: `"exact"`, or several times as fast `"variational"` ones for searches, which `integrate`
            of `jaxion.kernel` describes.
        **options: Of the diffrax backend: `solver`, `controller` and `adjoint`.

    Returns:
        Solution, whose paths have the shape `(times, *cells)`.

    Raises:
        PathError: The protocol, a measure or `wrt` names nothing.
        ValueError: An argument is not what it has to be, or `lowering` is not possible.
        TransientError: The cell did not finish and `throw` says so.
        PrecisionError: The model or JAX is in single precision and `precision` is not `"float32"`.

    Example:
        >>> import jaxion
        >>> cell = jaxion.models.duesterwald2018()
        >>> block = jaxion.Protocol(jaxion.block("neuron.nka", 1.0, "10 min"))
        >>> sol = jaxion.solve(cell, block, start="setpoint", save=[0, 1, 600])
        >>> [round(float(V), 1) for V in sol["neuron.V"]]
        [-72.6, -64.4, -61.3]

    Source: Düsterwald et al. (2018) eLife 7:e39575 for the example.
    """
    if not isinstance(model, Model | Population):
        raise ValueError(f"Argument `model` must be a Model or a Population, but it is `{model}`.")
    if not isinstance(protocol, Protocol | str):
        raise ValueError(f"Argument `protocol` must be a Protocol or the name of one, but it is `{protocol}`.")
    if not isinstance(model, Model):
        model, start = model.model(), "setpoint" if start is None else start
    check_precision(model, precision)
    if backend not in BACKENDS:
        raise ValueError(f"Argument `backend` must be one of {', '.join(BACKENDS)}, but it is `{backend}`.{nearest(backend, BACKENDS)}")
    check_lowering(lowering)
    check_tangents(tangents)
    if lowering != "auto" and backend == "diffrax":
        raise ValueError(f'Argument `lowering` goes with `backend="kernel"` only, but it is `{lowering}` for `backend="diffrax"`.')
    if tangents != "exact" and backend == "diffrax":
        raise ValueError(f'Argument `tangents` goes with `backend="kernel"` only, but it is `{tangents}` for `backend="diffrax"`.')
    if options and backend != "diffrax":
        raise ValueError(f'Argument `{next(iter(options))}` goes with `backend="diffrax"` only.')
    wrt = (wrt,) if isinstance(wrt, str) else tuple(wrt)
    for path in wrt:
        check_settable(model, path)
    protocol = find(model, protocol) if isinstance(protocol, str) else protocol
    drive = resolve(protocol, model)
    times = save_times(save, drive.edges[-1])
    measures = look_up(drive.model, measure or {})

    def run(model: Model, drive: Drive) -> Solution:
        return _solve(model, drive, start, times, measures, rtol, max_steps, backend, lowering, precision, tangents, options)

    solution = forward(lambda changed: run(changed, resolve(protocol, changed)), model, wrt) if wrt else run(model, drive)
    traced = isinstance(solution.status, Tracer)
    if throw or (throw is None and not traced and solution.status.ndim == 0):
        _raise_if_failed(solution)
    return solution


def _solve(
    model: Model,
    drive: Drive,
    start: Any,
    times: np.ndarray,
    measures: Mapping[str, Measure | Final],
    rtol: float,
    max_steps: int,
    backend: str,
    lowering: str,
    precision: str,
    tangents: str,
    options: Mapping[str, Any],
) -> Solution:
    rows, found = start_rows(model, "baseline" if start is None else start, lowering)
    if rows.shape[0] != len(drive.model.rows):
        raise ValueError("The protocol adds rows to the model.")
    cells = jnp.broadcast_shapes(drive.model.cells, rows.shape[1:], drive.edges.shape[1:], drive.value.shape[2:])
    reduced = {name: m for name, m in measures.items() if isinstance(m, Measure)}
    observed = tuple(sorted({m.path for m in reduced.values()}))
    limit = drive.model.closure == "electroneutral" and backend != "diffrax"
    run, began = (charged_drive(drive), charged(model)) if limit else (drive, model)
    system = equations(run, observed)
    reductions = tuple(m.reduction(observed.index(m.path)) for m in reduced.values())
    # The limit of a small capacitance is a matter of the last digits.
    integrator = functools.partial(integrate, lowering=lowering, precision="float64" if limit else precision, tangents=tangents)
    if backend == "diffrax":
        from jaxion.transients.diffrax_backend import integrate_by_diffrax

        integrator = integrate_by_diffrax
    course: Course = integrator(
        system,
        charged_rows(drive, over_cells(rows, 1, cells), cells) if limit else over_cells(rows, 1, cells),
        jnp.asarray(numbers(run.model, cells)),
        over_cells(run.edges, 1, cells),
        drive=phase_numbers(run, cells),
        saves=times,
        scale=over_cells(scales(began, model.cells), 1, cells),
        reductions=reductions,
        rtol=rtol,
        max_steps=max_steps,
        **options,
    )
    if limit:
        kept = jnp.asarray(kept_rows(model))
        course = course._replace(saved=course.saved[:, kept], final=course.final[kept])
    found = jnp.broadcast_to(found, cells)
    status = jnp.where(found == Status.ok, course.status, found)
    values = _values(drive, measures, dict(zip(reduced, course.reduced, strict=True)), course.final, cells)
    described = outputs(drive.model, measures)
    return Solution(
        t=jnp.asarray(times, float),
        saved=course.saved,
        measures=dict(zip(described, values, strict=True)),
        status=status,
        stats={"steps": course.steps, "accepted": course.accepted},
        drive=drive,
        final_rows=course.final,
        units={name: unit for name, (unit, _) in described.items()},
    )


def _values(
    drive: Drive, measures: Mapping[str, Measure | Final], reduced: Mapping[str, tuple[Array, ...]], end: Array, cells: tuple[int, ...]
) -> list[Array]:
    """Values of all measures, in the order of their `outputs`."""
    values: list[Array] = []
    state = final_state(drive, end, cells)
    for name, measure in measures.items():
        if isinstance(measure, Final):
            found = state.read(measure.paths or ())
            values += [jnp.broadcast_to(found[path], cells) for path in measure.paths or ()]
        else:
            values += reduced[name]
    return values


def _raise_if_failed(solution: Solution) -> None:
    failed = np.flatnonzero(np.ravel(np.asarray(~solution.ok)))
    if failed.size:
        status = Status(int(np.ravel(np.asarray(solution.status))[failed[0]]))
        where = "" if solution.status.ndim == 0 else f" in {failed.size} of {solution.status.size} cells, first in cell {int(failed[0])}"
        raise TransientError(f"The transient of `{solution.model.name}` did not finish{where} ({status.name}): {status.advice}", status)
