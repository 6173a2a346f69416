"""`sensitivity`: derivatives of set-points with respect to any parameters, by the implicit function theorem."""

from collections.abc import Sequence
from typing import Any

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from jaxion.kernel import check_lowering, lowered
from jaxion.model import Model
from jaxion.paths import check_settable, lookup
from jaxion.sensitivities.derivatives import Given, differentiate
from jaxion.sensitivities.machine_code import differentiate_natively
from jaxion.setpoints import SetPoint, setpoint
from jaxion.setpoints.batches import run_compiled, run_in_blocks
from jaxion.setpoints.implicit import is_traced


class Sensitivity(eqx.Module):
    """Sensitivities of one cell (shape `()`) or of a batch (shape `(cells,)`).

    `s["neuron.V", "bath.K"]` reads one entry. A cell without a set-point is NaN.

    Attributes:
        matrix: Derivatives, row = `of`, column = `wrt`.
        of: Paths that respond.
        wrt: Paths that are varied.
        scaled: Whether potentials are in mV per e-fold and all else is d ln x / d ln θ.
        units: Unit of each row (scaled), or of each entry (raw) as text.
    """

    matrix: Float[Array, "of wrt *cells"]
    of: tuple[str, ...] = eqx.field(static=True)
    wrt: tuple[str, ...] = eqx.field(static=True)
    scaled: bool = eqx.field(static=True)
    units: tuple[tuple[str, ...], ...] = eqx.field(static=True)

    def __getitem__(self, entry: tuple[str, str]) -> Array:
        of, wrt = entry
        for path, names in ((of, self.of), (wrt, self.wrt)):
            if path not in names:
                raise KeyError(f"No sensitivity of or to `{path}`; there are {', '.join(f'`{name}`' for name in names)}.")
        return self.matrix[self.of.index(of), self.wrt.index(wrt)]

    def table(self) -> str:
        """One line an entry, the largest first within each path of `of`; medians and 90 % ranges for a batch."""
        lines = []
        values = np.asarray(self.matrix)
        middle = values if values.ndim == 2 else np.nanmedian(values.reshape(*values.shape[:2], -1), axis=-1)
        for i, of in enumerate(self.of):
            lines.append(of)
            for j in np.argsort(-np.abs(np.nan_to_num(middle[i]))):
                line = f"  {self.wrt[j]:<24} {middle[i, j]:>+12.5f} {self.units[i][j]}"
                if values.ndim > 2:
                    low, high = np.nanpercentile(values[i, j], [5, 95])
                    line += f"  (90 % within {low:+.4g} to {high:+.4g})"
                lines.append(line.rstrip())
        return "\n".join(lines)


def sensitivity(
    model: Model,
    of: Sequence[str],
    wrt: Sequence[str],
    scaled: bool = True,
    start: Any = None,
    point: SetPoint | None = None,
    lowering: str = "auto",
) -> Sensitivity:
    r"""Sensitivities of the set-point of a model, exact to rounding.

    Scaled by default: for potentials $\theta\,\partial x/\partial\theta$ in mV per e-fold, for all
    else the elasticity $\partial\ln x/\partial\ln\theta$. An elasticity of x = 0 is NaN; to θ = 0
    it is 0; negative θ are allowed.

    Args:
        model: One cell, or a batch with leaves of shape `(cells,)`.
        of: Paths that respond, such as `("neuron.V", "neuron.Cl")`.
        wrt: Parameters or baseline values that are varied, such as `("neuron.nka.v_max", "bath.K")`.
        scaled: False for raw derivatives in the paths' own units.
        start: As for `setpoint`.
        point: Set-point of `model`, if it is known already.
        lowering: As for `setpoint`.

    Raises:
        PathError: A path names nothing, or a path of `wrt` follows from the state.
        SetPointError: A single model has no stable set-point.
        ValueError: There is no such `lowering`, or it is not possible.

    Example:
        >>> import jaxion
        >>> s = jaxion.sensitivity(jaxion.models.duesterwald2018(), of=("neuron.V",), wrt=("neuron.kcc2.g",))
        >>> round(float(s["neuron.V", "neuron.kcc2.g"]), 3)
        -1.191

    Source: Heinrich & Schuster (1996) The Regulation of Cellular Systems, chapter 5, for the scaling.
    """
    of, wrt = _names("of", of), _names("wrt", wrt)
    check_lowering(lowering)
    # Looked up here, so that a mistyped path is answered before anything is compiled.
    rows, columns = [lookup(model, path) for path in of], [check_settable(model, path) for path in wrt]
    point = setpoint(model, start=start, lowering=lowering) if point is None else point
    values, raw = _derivatives((model, point.y, point.found), of, wrt, lowering)
    potentials = tuple(row.unit == "mV" for row in rows)
    if scaled:
        raw = _scaled(raw, [model[path] for path in wrt], [1.0 if is_V else v for v, is_V in zip(values, potentials, strict=True)])
    units = tuple(tuple(_unit(row, column, scaled) for column in columns) for row in rows)
    return Sensitivity(jnp.asarray(raw), of, wrt, scaled, units)


def _derivatives(
    given: Given, of: tuple[str, ...], wrt: tuple[str, ...], lowering: str
) -> tuple[Any, Float[Array | np.ndarray, "of wrt *cells"]]:
    """Values of the paths `of`, and their raw derivatives of shape `(of, wrt, *cells)`."""
    if is_traced(given):
        return run_compiled(differentiate, given, of, wrt)

    # A batch in blocks, as its working set would leave the cache otherwise.
    run = run_in_blocks if given[2].ndim else run_compiled
    return lowered(
        lowering, lambda: differentiate_natively(given, of, wrt), lambda: run(differentiate, given, of, wrt), "Sensitivities are computed"
    )


def _scaled(raw: Any, theta: Sequence[Any], x: Sequence[Any]) -> Any:
    """Derivatives times their parameter and over their path; an elasticity of zero is undefined, and 0/0 is not left to chance."""
    cells = raw.shape[2:]
    if isinstance(raw, np.ndarray):
        above, below = ([np.asarray(value) for value in values] for values in (theta, x))
        for i, k in np.ndindex(raw.shape[:2]):
            raw[i, k] *= above[k] / np.where(below[i] == 0, np.nan, below[i])
        return raw
    above, below = (jnp.stack([jnp.broadcast_to(value, cells) for value in values]) for values in (theta, x))
    return raw * above[None] / jnp.where(below == 0, jnp.nan, below)[:, None]


def _names(argument: str, names: Sequence[str]) -> tuple[str, ...]:
    if isinstance(names, str):
        return (names,)
    if not names:
        raise ValueError(f"Argument `{argument}` must name at least one path, but it is empty.")
    return tuple(names)


def _unit(row: Any, column: Any, scaled: bool) -> str:
    if scaled:
        return "mV per e-fold" if row.unit == "mV" else ""
    if not column.unit:
        return row.unit
    return f"{row.unit or '1'} per {column.unit}"
