"""`setpoint`: the public function, for one cell or a batch, eager or under a transformation."""

from collections.abc import Mapping, Sequence
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp

from jaxion.errors import SetPointError, Status
from jaxion.kernel import check_lowering, select
from jaxion.model import Model
from jaxion.precision import check_precision
from jaxion.setpoints.batches import search_by_xla, search_lowered
from jaxion.setpoints.implicit import attach, is_traced
from jaxion.setpoints.point import SetPoint
from jaxion.setpoints.reduction import Unknowns
from jaxion.setpoints.search import Found, search
from jaxion.setpoints.starts import unknowns_of

Start = SetPoint | Mapping[str, Any] | None


def setpoint(
    model: Model,
    start: Start | Sequence[Start] = None,
    throw: bool | None = None,
    max_steps: int = 100,
    precision: str = "float64",
    lowering: str = "auto",
) -> SetPoint:
    r"""Steady state of a model, with the totals and charge that its baseline fixes.

    Solves $S\,v(x, \theta) = 0$ in log-amounts on the manifold of the conserved totals and of the
    capacitor law, by pseudo-transient Newton, with integration for the cells that Newton leaves.
    Every cell is certified. Differentiable in every number of the model, at every order, forward
    and reverse; a cell that failed contributes exactly zero to any derivative.

    Args:
        model: One cell, or a batch with leaves of shape `(cells,)`.
        start: First guess: None for the model's baseline, a `SetPoint`, or values of baseline paths such as
            `{"neuron.V": -20.0}`. Of a sequence of starts, each cell takes the first that leads to a stable set-point.
        throw: Raise `SetPointError` on failure. Default: for one cell outside of any transformation, never for a batch.
        max_steps: Newton iterations at most.
        precision: `"float64"`, or `"float32"` to accept fewer digits knowingly.
        lowering: What searches: machine code (`"llvm"`), `jax.numpy` (`"xla"`), or the faster one that is possible (`"auto"`).
            Derivatives are always those of `jax.numpy`.

    Returns:
        SetPoint, whose paths have the shape `()` or `(cells,)`.

    Raises:
        SetPointError: The cell has no stable set-point and `throw` says so.
        ValueError: An argument is not what it has to be, or `lowering` is not possible.
        PrecisionError: The model or JAX is in single precision and `precision` is not `"float32"`.

    Example:
        >>> import jaxion
        >>> rest = jaxion.setpoint(jaxion.models.duesterwald2018())
        >>> round(float(rest["neuron.V"]), 2)
        -72.59

    Source: Düsterwald et al. (2018) eLife 7:e39575 for the closed form that it is tested against.
    """
    check_precision(model, precision)
    check_lowering(lowering)
    starts: list[Any] = list(start) if isinstance(start, Sequence) and not isinstance(start, str) else [start]
    if not starts:
        raise ValueError("Argument `start` must hold at least one start, but it is empty.")
    traced = is_traced((model, starts))
    frozen = jax.lax.stop_gradient(model)

    def run(start: Unknowns) -> Found:
        return search_lowered(frozen, start, max_steps, lowering, _search_traced if traced else search_by_xla)

    first, *others = [unknowns_of(frozen, start) for start in starts]
    found = run(first)
    for other in others:
        found = _first_ok(found, run(other))
    reached = (found.status == Status.ok) | (found.status == Status.unstable)
    y = (_attach_traced if traced else attach)(model, found.y, reached)
    point = SetPoint(model, y, found.status, found.certificate)
    if throw or (throw is None and not traced and point.status.ndim == 0):
        _raise_if_failed(point)
    return point


@eqx.filter_jit
def _search_traced(model: Model, start: Unknowns, max_steps: int) -> Found:
    return search(model, start, max_steps)


# Compiled even where the caller compiles nothing: `jax.grad` alone would run it operation by operation.
_attach_traced = eqx.filter_jit(attach)


def _first_ok(first: Found, second: Found) -> Found:
    keep = first.status == Status.ok
    return jax.tree.map(lambda a, b: select(keep, a, b), first, second)


def _raise_if_failed(point: SetPoint) -> None:
    failed = jnp.flatnonzero(jnp.ravel(~point.ok))
    if failed.size == 0:
        return
    status = Status(int(jnp.ravel(point.status)[failed[0]]))
    where = "" if point.status.ndim == 0 else f" in {failed.size} of {point.status.size} cells, first in cell {int(failed[0])}"
    raise SetPointError(f"No set-point of `{point.model.name}`{where} ({status.name}): {status.advice}", status)
