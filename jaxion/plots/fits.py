"""Figures of a fit, drawn from the record that its folder holds."""

from collections.abc import Callable, Mapping
from typing import Any, Final

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from jaxion.errors import Status
from jaxion.fits.uncertainty.profiles import RISE
from jaxion.plots.populations import FILL, INK, PALE, STRONG, plain_axes

_COLUMNS: Final = 3
"""Channels beside each other."""

_WIDEST: Final = 12.0
"""Widest interval that is drawn, in e-folds to either side."""


_WIDE: Final = 10.0
"""Ratio of the ends of an axis from which on it is logarithmic."""


def data_figure(record: Mapping[str, Any]) -> Figure:
    """Data with their scatter against the model, one panel a channel; values at rest share one.

    Args:
        record: The record of a fit.
    """
    courses = [c for c in record["channels"] if c["axis"]]
    resting = [c for c in record["channels"] if not c["axis"]]
    panels: list[Callable[[Axes], None]] = [lambda ax, c=c: _course(ax, c) for c in courses]
    panels += [lambda ax: _resting(ax, resting)] if resting else []
    columns = min(_COLUMNS, len(panels))
    rows = -(-len(panels) // columns)
    figure = Figure(figsize=(4.4 * columns, 3.1 * rows + 0.3), layout="constrained")
    axes = figure.subplots(rows, columns, squeeze=False).ravel()
    for ax, draw in zip(axes, panels, strict=False):
        draw(ax)
    for ax in axes[len(panels) :]:
        ax.set_axis_off()
    return figure


def search_figure(record: Mapping[str, Any]) -> Figure:
    """All starts: their losses in order, and how they came there."""
    figure = Figure(figsize=(9.6, 3.2), layout="constrained")
    left, right = figure.subplots(1, 2)
    _waterfall(left, record)
    _history(right, record)
    return figure


def parameter_figure(record: Mapping[str, Any]) -> Figure:
    """Parameters with their 95 % intervals, their correlation, and the spectrum of the information."""
    count = len(record["values"])
    figure = Figure(figsize=(13.0, 1.6 + 0.45 * max(count, 4)), layout="constrained")
    intervals, correlation, spectrum = figure.subplots(1, 3, width_ratios=(1.2, 1.0, 0.8))
    _intervals(intervals, record)
    _correlation(figure, correlation, record)
    _spectrum(spectrum, record)
    return figure


def profile_figure(record: Mapping[str, Any]) -> Figure:
    """Profile likelihood of each parameter that has one, with the height of its 95 % interval."""
    profiles = record["profile"]
    columns = min(_COLUMNS, len(profiles))
    rows = -(-len(profiles) // columns)
    figure = Figure(figsize=(4.4 * columns, 2.7 * rows + 0.3), layout="constrained")
    axes = figure.subplots(rows, columns, squeeze=False).ravel()
    for ax, (name, found) in zip(axes, profiles.items(), strict=False):
        value, rise = _numbers(found["value"]), _numbers(found["loss"]) - record["loss"]
        order = np.argsort(value)
        ax.plot(value[order], rise[order], color=INK, marker="o", markersize=3)
        ax.axhline(RISE, color=STRONG, linewidth=1, linestyle="--")
        ax.axvline(record["values"][name], color=PALE, linewidth=1)
        ax.set_ylim(-0.2, 3 * RISE)
        if value.min() > 0 and value.max() > _WIDE * value.min():
            ax.set_xscale("log")
        ax.set_xlabel(_label(name, record["units"][name]))
        ax.set_ylabel("rise of the loss")
        plain_axes(ax)
    for ax in axes[len(profiles) :]:
        ax.set_axis_off()
    return figure


def _course(ax: Axes, channel: Mapping[str, Any]) -> None:
    x, data, sd, model = (_numbers(channel[key]) for key in ("x", "data", "sd", "model"))
    ax.errorbar(x, data, yerr=sd, fmt="o", color=STRONG, markersize=3.5, elinewidth=0.8, label="data", zorder=1)
    order = np.argsort(x, kind="stable")
    ax.plot(x[order], model[order], color=INK, linewidth=1.6, label="model", zorder=2)
    ax.set_xlabel(_label(channel["axis"], channel["axis_unit"]))
    ax.set_ylabel(_label(channel["name"], channel["unit"]))
    ax.legend(frameon=False, fontsize=8)
    plain_axes(ax)


def _resting(ax: Axes, channels: list[Any]) -> None:
    """Differences in standard deviations: the channels have different units."""
    for i, channel in enumerate(channels):
        data, sd, model = (_numbers(channel[key]) for key in ("data", "sd", "model"))
        z = (data - model) / sd
        ax.plot(z, np.full(len(z), i), "o", color=STRONG, markersize=5)
    ax.axvline(0, color=INK, linewidth=1)
    ax.axvspan(-2, 2, color=PALE, alpha=0.35, linewidth=0)
    ax.set_yticks(range(len(channels)), [channel["name"] for channel in channels])
    ax.set_ylim(len(channels) - 0.5, -0.5)
    ax.set_xlabel("data minus model [standard deviations]")
    plain_axes(ax)


def _waterfall(ax: Axes, record: Mapping[str, Any]) -> None:
    losses = np.sort(_numbers(record["starts"]["loss"]))
    good = losses[np.isfinite(losses)]
    ax.plot(np.arange(1, len(good) + 1), good - good[:1], "o-", color=INK, markersize=4, linewidth=1)
    ax.set_yscale("symlog", linthresh=1e-3)
    # What differs by less is rounding.
    ax.set_ylim(-1e-3, max(ax.get_ylim()[1], 1e-2))
    ax.set_xlabel(f"start, in order ({len(losses) - len(good)} of {len(losses)} failed)")
    ax.set_ylabel("loss above the least one")
    plain_axes(ax)


def _history(ax: Axes, record: Mapping[str, Any]) -> None:
    history = np.array([_numbers(row) for row in record["starts"]["history"]])
    finite = history[np.isfinite(history)]
    least = finite.min() if finite.size else 0.0
    best = int(np.nanargmin(history[-1])) if np.isfinite(history[-1]).any() else 0
    for k in range(history.shape[1]):
        ax.plot(history[:, k] - least, color=STRONG if k == best else PALE, linewidth=1.8 if k == best else 0.8, zorder=2 + (k == best))
    ax.set_yscale("symlog", linthresh=1e-3)
    ax.set_xlabel("step")
    ax.set_ylabel("loss above the least one")
    plain_axes(ax)


def _intervals(ax: Axes, record: Mapping[str, Any]) -> None:
    names = list(record["values"])
    for i, name in enumerate(names):
        value, (low, high) = record["values"][name], record["interval"][name]
        unknown = not record["identifiable"][name] or low is None or high is None
        size = abs(value) or 1.0
        ends = (-_WIDEST, _WIDEST) if unknown else ((low - value) / size, (high - value) / size)
        ax.plot(np.clip(ends, -1.0, _WIDEST), [i, i], color=PALE if unknown else FILL, linewidth=6, solid_capstyle="butt")
        ax.plot([0.0], [i], "o", color=INK, markersize=5)
        note = "not determined" if unknown else ""
        ax.annotate(note, (0.0, i), xytext=(8, 6), textcoords="offset points", fontsize=8, color=STRONG)
    ax.set_yticks(range(len(names)), [f"{name} = {record['values'][name]:.4g} {record['units'][name]}".rstrip() for name in names])
    ax.set_ylim(len(names) - 0.5, -0.5)
    ax.set_xlabel("95 % interval, relative to the value")
    if all(record["identifiable"].values()):
        ax.margins(x=0.1)
    else:
        ax.set_xlim(-1.1, 2.0)
    plain_axes(ax)


def _correlation(figure: Figure, ax: Axes, record: Mapping[str, Any]) -> None:
    matrix = np.array([_numbers(row) for row in record["correlation"]])
    image = ax.imshow(matrix, vmin=-1, vmax=1, cmap="RdBu_r")
    names = [name.split(".", 1)[-1] for name in record["values"]]
    ax.set_xticks(range(len(names)), names, rotation=45, ha="right")
    ax.set_yticks(range(len(names)), names)
    ax.set_title("correlation", fontsize=10, color=INK)
    figure.colorbar(image, ax=ax, shrink=0.8)


def _spectrum(ax: Axes, record: Mapping[str, Any]) -> None:
    values = _numbers(record["singular_values"])
    floor = max(values.max(initial=0.0) * 1e-17, 1e-30)
    colours = [FILL if i < record["rank"] else STRONG for i in range(len(values))]
    places = range(1, len(values) + 1)
    ax.bar(places, np.maximum(values, floor), color=colours)
    ax.set_xticks(places)
    ax.set_yscale("log")
    ax.set_xlabel(f"direction ({record['rank']} determined)")
    ax.set_ylabel("singular value")
    plain_axes(ax)


def fit_status(record: Mapping[str, Any]) -> str:
    """Outcome of the best start, with its advice."""
    status = Status[record["status"]]
    return f"{status.name}. {status.advice}"


def _label(name: str, unit: str) -> str:
    return f"{name} [{unit}]" if unit else name


def _numbers(given: Any) -> np.ndarray:
    """Numbers of a record, in which what is not finite is None."""
    return np.array([np.nan if value is None else value for value in given], float)
