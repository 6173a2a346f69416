"""Work–precision figure of the transients: error against rate, a line for each contender and a panel for each workload.

    python benchmarks/figure.py --out benchmarks/results/work_precision.png

draws what transients.py has written to results/.
"""

import argparse
import json
import math
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator

RESULTS = Path(__file__).parent / "results"
OURS, RIVAL, INK = "#c8553d", "#7fa6c9", "#22303c"
LEAST_GAP = 0.055
"""Least distance between two names, in heights of a panel."""


def main() -> None:
    """Draw the figure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--results", type=Path, nargs="+", help="what transients.py wrote, one file a panel")
    parser.add_argument("--out", type=Path, default=RESULTS / "work_precision.png")
    arguments = parser.parse_args()
    files = arguments.results or [RESULTS / f"transients-{workload}-cores1.json" for workload in ("anoxia", "spiking")]
    missing = [str(file) for file in files if not file.exists()]
    if missing:
        parser.error(f"There is no {' and no '.join(missing)}: run transients.py first.")
    draw([json.loads(file.read_text(encoding="utf-8")) for file in files]).savefig(arguments.out, dpi=150)


def draw(records: list[dict[str, Any]]) -> Figure:
    """The figure, a panel for each record of transients.py."""
    with mpl.rc_context({"axes.spines.top": False, "axes.spines.right": False, "font.size": 9, "text.color": INK, "axes.labelcolor": INK}):
        figure = Figure(figsize=(5.4 * len(records), 4.4), layout="constrained")
        for axes, record in zip(figure.subplots(1, len(records), squeeze=False)[0], records, strict=True):
            _panel(axes, record)
    return figure


def _panel(axes: Axes, record: dict[str, Any]) -> None:
    lines: dict[str, list[tuple[float, float]]] = {}
    for entry in record["contenders"]:
        lines.setdefault(entry["name"], []).append((entry["cells_per_second"], entry["error_median"]))
    axes.set(xscale="log", yscale="log")
    for name, points in lines.items():
        own = name.startswith("jaxion")
        style = {"color": OURS if own else RIVAL, "linewidth": 2.0 if own else 1.2, "zorder": 3 if own else 2}
        axes.plot(*zip(*points, strict=True), marker="o", markersize=4, **style)
    rates, errors = zip(*(point for points in lines.values() for point in points), strict=True)
    axes.set_xlim(min(rates) / 1.5, max(rates) * 1.5)
    low, high = min(errors) / 2, max(errors) * 2
    axes.set_ylim(low, high)
    axes.yaxis.set_minor_locator(NullLocator())
    axes.set(xlabel="cells per second", ylabel="median error")
    axes.set_title(f"{record['workload']}, {record['cores']} core{'s' if record['cores'] > 1 else ''}", loc="left", color=INK)
    _names(axes, lines)


def _names(axes: Axes, lines: dict[str, list[tuple[float, float]]]) -> None:
    """Each line's name above its fastest point; where two would lie on each other, the upper one is moved up."""
    (low, high), (left, right) = axes.get_ylim(), axes.get_xlim()
    placed: list[tuple[float, float]] = []
    for name, points in sorted(lines.items(), key=lambda line: line[1][0][1]):
        rate, error = max(points)
        x, y = math.log(rate / left) / math.log(right / left), math.log(error / low) / math.log(high / low) + LEAST_GAP / 2
        while any(abs(x - other_x) < 0.3 and abs(y - other_y) < LEAST_GAP for other_x, other_y in placed):
            y += LEAST_GAP / 4
        placed.append((x, y))
        side = "left" if x < 0.15 else "right" if x > 0.85 else "center"
        color = OURS if name.startswith("jaxion") else INK
        axes.text(x, y, name, transform=axes.transAxes, ha=side, va="bottom", color=color, fontsize=8)


if __name__ == "__main__":
    main()
