"""Figure of a transient: potentials, concentrations and volumes over time, with what was driven in the shade."""

import itertools
from collections.abc import Sequence
from typing import Any, Final

import jax
import jax.numpy as jnp
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from jaxion.model import Model
from jaxion.paths import lookup, paths
from jaxion.plots.populations import INK, PALE, plain_axes
from jaxion.protocols import Drive, course
from jaxion.protocols.targets import own
from jaxion.transients import Solution

COLOURS: Final = {"Na": "#c8553d", "K": "#3d78b0", "Cl": "#4f9a5b", "Ca": "#8a5aa5", "HCO3": "#b58b2c", "Glu": "#c25b8f"}
"""Colour of each ion, in every panel."""

SHADE: Final = "#f1e4c8"
"""Behind the phases in which something is driven."""

_CHARACTER: Final = 0.0085
"""Width of a character above the panels, in widths of a panel."""

_LINES: Final = ("-", "--", ":", "-.")


def transient_figure(solution: Solution) -> Figure:
    """Panels that share the time: potentials, concentrations of each compartment, volumes that change; medians and 90 % of a batch.

    Args:
        solution: A solution with saved times.

    Raises:
        ValueError: No times were saved.
    """
    if len(solution.t) < 2:
        raise ValueError("There is nothing to plot: the solution has fewer than two saved times; give `save` to `solve`.")
    model, t = solution.model, np.asarray(solution.t)
    # What has a potential comes first, then what surrounds it.
    compartments = sorted(model.structure.compartments, key=lambda compartment: compartment[0] not in model.membranes)
    volumes = {name: np.asarray(solution[f"{name}.volume"]) for name, _ in compartments}
    moving = {name: 100 * volume / volume[:1] for name, volume in volumes.items() if np.nanmax(np.abs(volume / volume[:1] - 1)) > 1e-9}
    panels = 1 + len(compartments) + bool(moving)
    figure = Figure(figsize=(9.5, 1.0 + 2.1 * panels), layout="constrained")
    axes: list[Axes] = list(figure.subplots(panels, 1, sharex=True, height_ratios=(1.5, *[1.0] * (panels - 1))))
    for name, line in zip(model.membranes, itertools.cycle(_LINES), strict=False):
        _curve(axes[0], t, solution[f"{name}.V"], f"{name}.V", INK, line, 2.0)
        for ion in _ions(model, f"{name}.E_"):
            _curve(axes[0], t, solution[f"{name}.E_{ion}"], f"{name}.E_{ion}", COLOURS.get(ion, PALE), line, 1.0)
    axes[0].set_ylabel("potential [mV]")
    for ax, (name, ions) in zip(axes[1:], compartments, strict=False):
        for ion in ions:
            _curve(ax, t, solution[f"{name}.{ion}"], ion, COLOURS.get(ion, PALE), "-", 1.6)
        ax.set_ylabel(f"{name} [mM]")
        ax.set_ylim(bottom=0)
    for (name, volume), line in zip(moving.items(), itertools.cycle(_LINES), strict=False):
        _curve(axes[-1], t, volume, name, INK, line, 1.6)
        axes[-1].set_ylabel("volume [% of the start]")
    axes[-1].set_xlabel("time [s]")
    axes[-1].set_xlim(t[0], t[-1])
    _shade(axes, [span for span in _driven_spans(solution.drive) if span[0] < t[-1] and span[1] > t[0]], t)
    for ax in axes:
        ax.legend(loc="center left", bbox_to_anchor=(1.0, 0.5), frameon=False, fontsize=8.5)
        plain_axes(ax)
    figure.suptitle(_heading(solution), fontsize=13, color=INK, fontweight="bold", x=0.01, ha="left")
    return figure


def _shade(axes: Sequence[Axes], spans: list[tuple[float, float, str]], t: np.ndarray) -> None:
    """Shade what is driven in every panel, and say above the first one what it is, in as many lines as it takes."""
    taken: list[float] = []
    for begin, end, text in spans:
        for ax in axes:
            ax.axvspan(begin, end, fc=SHADE, ec="white", lw=1, zorder=0)
        place = max(begin, t[0])
        line = next((i for i, until in enumerate(taken) if until <= place), len(taken))
        taken[line : line + 1] = [place + _CHARACTER * (len(text) + 2) * (t[-1] - t[0])]
        axes[0].annotate(
            text,
            (place, 1.0),
            (1, 3 + 11 * line),
            xycoords=axes[0].get_xaxis_transform(),
            textcoords="offset points",
            fontsize=8.5,
            color=INK,
        )


def _heading(solution: Solution) -> str:
    cells = np.asarray(solution.ok)
    if cells.ndim == 0:
        return solution.model.name if bool(cells) else f"{solution.model.name}: did not finish"
    failed = f", {cells.size - cells.sum():,} of them did not finish" if not cells.all() else ""
    return f"{solution.model.name}: {cells.size:,} cells{failed} (median, 90 %)"


def _ions(model: Model, prefix: str) -> list[str]:
    return [path.name.removeprefix(prefix) for path in paths(model) if path.name.startswith(prefix)]


def _curve(ax: Axes, t: np.ndarray, values: Any, label: str, colour: str, line: str, width: float) -> None:
    values = np.asarray(values)
    if values.ndim > 1:
        good = values[:, np.isfinite(values).all(axis=0)]
        if not good.size:
            return
        low, values, high = np.percentile(good, [5, 50, 95], axis=1)
        ax.fill_between(t, low, high, color=colour, alpha=0.2, lw=0)
    ax.plot(t, values, line, color=colour, lw=width, label=label)


def _driven_spans(drive: Drive) -> list[tuple[float, float, str]]:
    """Beginning, end and description of each stretch in which the same paths differ from the model's own values."""
    edges, value, slope, logistic = _medians(drive)
    lengths = np.diff(edges)
    taus = lengths[:, None] * np.linspace(0.0, 1.0, 9)
    along = jax.vmap(jax.vmap(course, (0, None, None, None)))(jnp.asarray(taus), value, slope, logistic)
    normal = {path: float(np.median(np.asarray(own(drive.model, path)))) for path in drive.paths}
    spans: list[tuple[float, float, dict[str, list[float]]]] = []
    for begin, end, values in zip(edges[:-1], edges[1:], np.asarray(along), strict=True):
        ranges = dict(zip(drive.paths, map(_range, values.T), strict=True))
        driven = {path: ends for path, ends in ranges.items() if ends != [normal[path]] * 2}
        if not driven or end == begin:
            continue
        # The pulses of a train and the samples of a recording are one stretch.
        near = max(4 * (end - begin), 0.02 * edges[-1])
        if spans and spans[-1][2].keys() == driven.keys() and begin - spans[-1][1] <= near:
            begin, _, before = spans.pop()
            driven = {path: _range([*before[path], *ends]) for path, ends in driven.items()}
        spans.append((begin, end, driven))
    texts = [", ".join(_text(drive, path, ends, normal[path]) for path, ends in driven.items()) for _, _, driven in spans]
    return [(begin, end, text) for (begin, end, _), text in zip(spans, texts, strict=True)]


def _medians(drive: Drive) -> tuple[np.ndarray, Any, Any, Any]:
    """Edges, values, slopes and logistic terms, each the median over the cells."""

    def middle(array: Any, rank: int) -> np.ndarray:
        return np.median(array, axis=-1) if np.ndim(array) > rank else np.asarray(array)

    slope = None if drive.slope is None else middle(drive.slope, 2)
    logistic = None if drive.logistic is None else tuple(middle(part, 3) for part in drive.logistic)
    return middle(drive.edges, 1), middle(drive.value, 2), slope, logistic


def _range(values: Sequence[float] | np.ndarray) -> list[float]:
    return [float(np.min(values)), float(np.max(values))]


def _text(drive: Drive, path: str, ends: list[float], normal: float) -> str:
    """A path and the range of its values; an activity as a multiple of the model's own."""
    if path.endswith(".activity") and normal:
        low, high = (f"{end / normal:.3g}" for end in ends)
        return f"{path.removesuffix('.activity')} × {low if low == high else f'{low}…{high}'}"
    low, high = (f"{end:.4g}" for end in ends)
    return f"{path} {low if low == high else f'{low}…{high}'} {lookup(drive.model, path).unit}".rstrip()
