"""Baselines that are exact set-points: parameters for which nothing changes at a stated baseline."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import jax.numpy as jnp
import numpy as np
from jax.core import Tracer
from jaxtyping import Array

from jaxion.model import Model
from jaxion.paths import check_settable, replace
from jaxion.snapshot import moved, rates

ROUNDING: Final = 1e6
"""Net flux into an amount, relative to the sum of the fluxes, that counts as none, in units of the precision; of volumes the rate of change, 1/s."""


def calibrate(model: Model, *, at: Mapping[str, Any] | None = None, solve_for: Sequence[str]) -> Model:
    r"""Choose parameters so that the baseline is an equilibrium; differentiable in all that it depends on.

    Each parameter scales the rate of one mechanism, so that the balance of the amounts,

    $$\sum_k S_{rk}\,v_k\,p_k = -\sum_{j} S_{rj}\,v_j,$$

    is linear: with the turnovers $v_k$ at $p_k = 1$, and those $v_j$ of everything else. It is solved
    in as many rows r as there are parameters; in the others, nothing must be left over.

    Args:
        model: Model with a baseline; the present values of the parameters do not matter.
        at: Baseline to calibrate at, as `replace` takes it, such as `{"neuron.V": -65.5}`; by default the model's own.
        solve_for: Paths of the parameters, such as `["neuron.leak_Na.P", "neuron.leak_K.P"]`.

    Returns:
        The model with the parameters and the baseline.

    Raises:
        PathError: A path names nothing, or what cannot be set.
        ValueError: A parameter does not scale a rate, or another one balances the same ions; a solved value is not positive;
            or something that no parameter can balance still changes.

    Example:
        >>> import jaxion
        >>> rest = jaxion.setpoint(jaxion.models.duesterwald2018())
        >>> known = [f"neuron.{what}" for what in ("Na", "Cl", "V", "volume", "impermeant")]
        >>> cell = jaxion.replace(rest.model, {path: rest[path] for path in known})
        >>> leaks = [f"neuron.leak_{ion}.g" for ion in ("Na", "K", "Cl")]
        >>> saltier = jaxion.calibrate(cell, at={"neuron.Na": 15.0}, solve_for=leaks)
        >>> round(float(jaxion.setpoint(saltier)["neuron.Na"]), 6)
        15.0
    """
    model = replace(model, at) if at else model
    s = model.structure
    columns = [_process(model, path) for path in solve_for]
    off, on, double = (_moving(replace(model, dict.fromkeys(solve_for, value))) for value in (0.0, 1.0, 2.0))
    slopes = [on[k] - off[k] for k in columns]
    for path, k, slope in zip(solve_for, columns, slopes, strict=True):
        _check_linear(path, slope, double[k] - on[k])
    chosen = _independent_rows(s.S[:, columns], solve_for)
    inverse = np.linalg.inv(s.S[np.ix_(chosen, columns)])
    lacking = [-sum((int(c) * v for c, v in zip(s.S[row], off, strict=True) if c), start=jnp.zeros(())) for row in chosen]
    turnovers = [sum((float(x) * y for x, y in zip(row, lacking, strict=True) if x), start=jnp.zeros(())) for row in inverse]
    values = {path: turnover / slope for path, turnover, slope in zip(solve_for, turnovers, slopes, strict=True)}
    _check_positive(model, values)
    model = replace(model, values)
    _check_equilibrium(model)
    return model


def _process(model: Model, path: str) -> int:
    """Column of S of the mechanism whose rate a parameter scales."""
    entry = check_settable(model, path)
    column = next((i for i, (name, key) in enumerate(model.structure.processes) if path.startswith(f"{name}.{key}.")), None)
    if column is None:
        raise ValueError(f"Argument `solve_for` must name parameters of mechanisms, but `{path}` is none.")
    if entry.range == "positive":  # what a rate is proportional to may be zero
        raise _no_factor(path)
    return column


def _moving(model: Model) -> list[Array]:
    found = moved(model, rates(model, model.baseline()))
    return [found[process] for process in model.structure.processes]


def _check_linear(path: str, slope: Array, next_slope: Array) -> None:
    if isinstance(slope, Tracer):
        return
    if not np.allclose(slope, next_slope, rtol=ROUNDING * jnp.finfo(slope.dtype).eps, atol=0.0) or not np.all(slope):
        raise _no_factor(path)


def _no_factor(path: str) -> ValueError:
    return ValueError(f"Argument `solve_for` must name parameters that a rate is proportional to, but `{path}` is none at this baseline.")


def _independent_rows(S: np.ndarray, paths: Sequence[str]) -> list[int]:
    """As many rows as columns, those with the fewest entries first: each balance then has few terms."""
    chosen: list[int] = []
    for row in np.argsort(np.count_nonzero(S, axis=1), kind="stable"):
        if np.linalg.matrix_rank(S[[*chosen, row]]) > len(chosen):
            chosen.append(int(row))
    if len(chosen) < S.shape[1]:
        raise ValueError(f"Argument `solve_for` must name parameters that balance different ions, but of {', '.join(paths)} some do not.")
    return chosen


def _check_positive(model: Model, values: Mapping[str, Array]) -> None:
    wrong = []
    for path, value in values.items():
        if not isinstance(value, Tracer) and not np.all(np.asarray(value) > 0):
            worst = np.asarray(value)[~(np.asarray(value) > 0)].flat[0]
            wrong.append(f"`{path}` would have to be {worst:.6g} {check_settable(model, path).unit}".rstrip())
    if wrong:
        raise ValueError(f"No positive parameters keep the baseline of `{model.name}` where it is: {', '.join(wrong)}.")


def _check_equilibrium(model: Model) -> None:
    s, v = model.structure, _moving(model)
    if any(isinstance(x, Tracer) for x in v):
        return
    v = np.stack(np.broadcast_arrays(*(np.asarray(x) for x in v)))
    net, gross = np.tensordot(s.S, v, 1), np.tensordot(np.abs(s.S), np.abs(v), 1)
    for i, row in enumerate((*s.amounts, *s.volumes)):
        scale = gross[i] if i < len(s.amounts) else np.asarray(model.compartments[row.removesuffix(".volume")].volume)
        if np.any(np.abs(net[i]) > ROUNDING * np.finfo(v.dtype).eps * scale):
            worst = net[i].flat[np.argmax(np.abs(net[i]))]
            raise ValueError(
                f"The baseline of `{model.name}` is no equilibrium: `{row}` changes at {worst:.3g} per second and no parameter balances it."
            )
