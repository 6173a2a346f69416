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
OURS, RIVAL, INK, THREAD = "#c8553d", "#7fa6c9", "#22303c", "#b9c4cd"
ROW = 0.07
"""Height of a row of names, in heights of what the lines need."""


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
        figure = Figure(figsize=(5.4 * len(records), 4.8), layout="constrained")
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
    axes.set_xlim(min(rates) / 1.5, max(rates) * 5)
    axes.set_ylim(min(errors) / 2, max(errors) * 2)
    # The scale ends where the names begin.
    axes.set_yticks([10.0**k for k in range(math.ceil(math.log10(min(errors) / 2)), math.floor(math.log10(max(errors) * 2)) + 1)])
    axes.yaxis.set_minor_locator(NullLocator())
    axes.set(xlabel="cells per second", ylabel="median error")
    axes.set_title(f"{record['workload']}, {record['cores']} core{'s' if record['cores'] > 1 else ''}", loc="left", color=INK)
    _names(axes, lines)


def _names(axes: Axes, lines: dict[str, list[tuple[float, float]]]) -> None:
    """Names above the lines, the further left the higher: none crosses the thread by which another hangs on its fastest point."""
    (low, high), rows = axes.get_ylim(), sorted(lines, key=lambda name: max(lines[name]), reverse=True)
    for row, name in enumerate(rows):
        rate, error = max(lines[name])
        color, y = OURS if name.startswith("jaxion") else INK, high * (high / low) ** (ROW * row)
        axes.plot([rate, rate], [error, y], color=THREAD, linewidth=0.7, zorder=1)
        axes.annotate(name, (rate, y), xytext=(3, -1), textcoords="offset points", va="center", color=color, fontsize=8)
    axes.set_ylim(low, high * (high / low) ** (ROW * len(rows)))


if __name__ == "__main__":
    main()
