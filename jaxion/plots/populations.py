"""Figure of a population's set-points: one row a response, from its distribution to what causes it."""

from typing import Any, Final

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from jaxion.errors import Status
from jaxion.sensitivities import variance_shares

INK: Final = "#22303c"
FILL: Final = "#7fa6c9"
STRONG: Final = "#c8553d"
PALE: Final = "#b9c4cd"

MOST_ROWS: Final = 4
"""Responses that fit on one page."""


def population_figure(ds: Any) -> Figure:
    """One row for each response: its distribution, its sensitivities, and the cells along its leading parameter.

    Args:
        ds: Dataset of a sweep.

    Raises:
        ValueError: No cell is `ok`, or nothing varies.
    """
    ok = ds["status"].values == Status.ok
    if not ok.any():
        raise ValueError(f"There is nothing to plot: none of the {ok.size} cells has a certified set-point.")
    varied = {v.attrs["path"]: v for v in ds.data_vars.values() if v.attrs.get("role") == "parameter"}
    if not varied:
        raise ValueError("There is nothing to plot: no parameter varies between the cells.")
    responses = _responses(ds, ok)
    differentiated = "sensitivity" in ds
    figure = Figure(figsize=(12.5, 0.9 + 3.1 * len(responses)), layout="constrained")
    columns = 3 if differentiated else 2
    axes = figure.subplots(len(responses), columns, squeeze=False, width_ratios=(1, 1.15, 1.15)[:columns])
    for row, path in zip(axes, responses, strict=True):
        unit, there = ds[path].attrs["units"], _defined(ds, path, ok)
        shares = _shares(ds, path, varied, there)
        leading = max(shares, key=lambda name: shares[name])
        part = "" if there.sum() == ok.sum() else f", in {100 * there.sum() / ok.sum():.3g} % of the cells"
        _distribution(row[0], ds[path].values[there], _label(path, unit) + part)
        if differentiated:
            _sensitivities(row[1], ds["sensitivity"].sel(of=path), shares, there, unit)
        _cells(row[-1], varied[leading], ds[path], there, shares[leading])
    axes[0, 0].set_title("How the cells differ", **_TITLE)
    if differentiated:
        axes[0, 1].set_title("What would move each cell, and its share in the spread", **_TITLE)
    axes[0, -1].set_title("The leading parameter", **_TITLE)
    figure.suptitle(_heading(ds, ok), fontsize=13, color=INK, fontweight="bold", x=0.01, ha="left")
    return figure


_TITLE: Final[dict[str, Any]] = {"fontsize": 10.5, "color": INK, "loc": "left", "pad": 10}


def _heading(ds: Any, ok: np.ndarray) -> str:
    failed = f", {ok.size - ok.sum():,} without a certified set-point" if not ok.all() else ""
    return f"{ds.attrs['model']}: {'transients' if 'run' in ds.attrs else 'set-points'} of {ok.size:,} cells{failed}"


def _defined(ds: Any, path: str, ok: np.ndarray) -> np.ndarray:
    """Cells that are ok and have the number: a time that never comes is NaN."""
    return ok & np.isfinite(ds[path].values)


def _responses(ds: Any, ok: np.ndarray) -> list[str]:
    """Paths of the sensitivities, else measures that some cells have, else potentials and volumes of the set-point."""
    if "sensitivity" in ds:
        return [path for path in map(str, ds["of"].values) if path in ds and ds[path].ndim == 1][:MOST_ROWS]
    names = {role: [str(name) for name, v in ds.data_vars.items() if v.attrs.get("role") == role] for role in ("measure", "setpoint")}
    states = [name for name in names["setpoint"] if name.split(".")[-1] in ("V", "E_Cl", "volume")]
    # What the protocol made of the cells, the measures with a name of their own first.
    measured = [name for name in names["measure"] if _defined(ds, name, ok).any()]
    return (sorted(measured, key=lambda name: (name.startswith("end."), name)) or states)[:MOST_ROWS]


def _shares(ds: Any, path: str, varied: dict[str, Any], ok: np.ndarray) -> dict[str, float]:
    """Share of each varied parameter in the spread: first-order variance, or squared rank correlation without sensitivities."""
    if "sensitivity" in ds:
        names = [str(name) for name in ds["wrt"].values]
        theta = np.stack([varied[name].values if name in varied else np.ones(ok.size) for name in names])
        matrix = np.moveaxis(ds["sensitivity"].sel(of=[path]).values, 0, -1)
        shares = np.nan_to_num(variance_shares(matrix, theta, ok))[0]
        found = {name: float(share) for name, share in zip(names, shares, strict=True) if name in varied}
        if found:
            return found
    ranks = lambda values: np.argsort(np.argsort(values[ok]))  # noqa: E731
    response = ranks(ds[path].values)
    with np.errstate(invalid="ignore"):
        return {name: float(np.nan_to_num(np.corrcoef(ranks(v.values), response)[0, 1] ** 2)) for name, v in varied.items()}


def _distribution(ax: Axes, values: np.ndarray, label: str) -> None:
    low, middle, high = np.percentile(values, [5, 50, 95])
    shown = np.percentile(values, [0.2, 99.8])
    ax.hist(values, bins=80, range=(shown[0], max(shown[1], shown[0] + 1e-9)), color=FILL)
    ax.axvline(middle, color=INK, lw=1.2)
    ax.axvspan(low, high, color=INK, alpha=0.06, lw=0)
    text = f"median {middle:.4g}\n90 % {low:.4g} to {high:.4g}"
    ax.text(0.98, 0.97, text, transform=ax.transAxes, va="top", ha="right", fontsize=8.5, color=INK)
    ax.set_xlabel(label)
    ax.set_ylabel("cells")
    ax.set_ylim(top=1.25 * ax.get_ylim()[1])
    plain_axes(ax)


def _sensitivities(ax: Axes, matrix: Any, shares: dict[str, float], ok: np.ndarray, unit: str) -> None:
    names = [str(name) for name in matrix["wrt"].values]
    spread = np.percentile(matrix.values[ok], [5, 25, 50, 75, 95], axis=0)
    order = np.argsort(np.abs(spread[2]))
    leading = max(shares, key=lambda name: shares[name])
    ax.axvline(0.0, color=PALE, lw=1)
    for place, j in enumerate(order):
        colour = STRONG if names[j] == leading else FILL
        ax.plot(spread[[0, 4], j], [place, place], color=colour, lw=1.5, solid_capstyle="round")
        ax.plot(spread[[1, 3], j], [place, place], color=colour, lw=6, solid_capstyle="round")
        ax.plot(spread[2, j], place, "o", color="white", mec=INK, ms=5)
        if names[j] in shares:
            ax.text(
                1.01, place, f"{100 * shares[names[j]]:.0f} %", transform=ax.get_yaxis_transform(), va="center", fontsize=8.5, color=INK
            )
    ax.set_yticks(range(len(order)), [_short(names[j]) for j in order])
    ax.set_ylim(-0.6, len(order) - 0.4)
    potential = unit == "mV"
    ax.set_xlabel(f"sensitivity [{'mV per e-fold' if potential else 'd ln / d ln'}]: median, half, 90 % of cells")
    plain_axes(ax)


def _cells(ax: Axes, parameter: Any, response: Any, ok: np.ndarray, share: float) -> None:
    x, y = parameter.values[ok], response.values[ok]
    window = np.percentile(y, [0.2, 99.8])
    if x.size > 2000:
        x_window = np.percentile(x, [0.2, 99.8])
        inside = (x >= x_window[0]) & (x <= x_window[1]) & (y >= window[0]) & (y <= window[1])
        ax.hexbin(x[inside], y[inside], gridsize=55, cmap="Blues", mincnt=1, bins="log", linewidths=0.1)
    else:
        ax.plot(x, y, ".", color=FILL, ms=4)
    ax.set_xlabel(_label(parameter.attrs["path"], parameter.attrs["units"]))
    ax.set_ylabel(_label(str(response.name), response.attrs["units"]))
    ax.set_title(f"{100 * share:.0f} % of the spread", loc="right", fontsize=8.5, color=STRONG, pad=3)
    plain_axes(ax)


def _label(path: str, unit: str) -> str:
    return path if unit == "1" else f"{path} [{unit}]"


def _short(path: str) -> str:
    return path.partition(".")[2]


def plain_axes(ax: Axes) -> None:
    """Axes without what carries no information."""
    ax.spines[["top", "right"]].set_visible(False)
    ax.tick_params(labelsize=8.5, colors=INK)
    for label in (ax.xaxis.label, ax.yaxis.label):
        label.set_fontsize(9)
        label.set_color(INK)
