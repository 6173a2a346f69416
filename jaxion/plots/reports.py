"""The report of a fit: one HTML page that needs nothing else, made from the folder that a fit was saved in."""

import html
import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

from jaxion.errors import StoreError
from jaxion.fits.files.folder import read
from jaxion.plots.fits import data_figure, fit_status, parameter_figure, profile_figure, search_figure

_STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; color: #22303c; max-width: 1080px; margin: 2em auto; padding: 0 1em; }
h1 { font-size: 1.5em; } h2 { font-size: 1.15em; margin-top: 2em; }
table { border-collapse: collapse; } td, th { padding: .25em .9em; text-align: right; border-bottom: 1px solid #dde3e8; }
td:first-child, th:first-child { text-align: left; } .statement { background: #f4f1e8; padding: .8em 1em; border-radius: 6px; }
svg { max-width: 100%; height: auto; } footer { color: #7b8894; font-size: .85em; margin-top: 3em; }
"""


def write_report(folder: str | Path) -> Path:
    """Write `report.html` into the folder of a fit; returns the file.

    Raises:
        StoreError: The folder holds no fit, or cannot be written.
    """
    record, file = read(folder), Path(folder) / "report.html"
    try:
        file.write_text(page(record), encoding="utf-8")
    except OSError as error:
        raise StoreError(f"`{file}` cannot be written ({error.strerror or error}).") from None
    return file


def page(record: Mapping[str, Any]) -> str:
    """The page of a record."""
    if record["loss"] is None:
        return _document(record, [f"<p class='statement'>The fit failed: {html.escape(fit_status(record))}</p>"])
    parts = [
        f"<p>Model: {html.escape(', '.join(dict.fromkeys(record['models'])))}. Loss {record['loss']:.6g}. Status: {html.escape(fit_status(record))}</p>",
        "<h2>What the data determine</h2>",
        f"<p class='statement'>{html.escape(record['statement'])}</p>",
        "<h2>Parameters</h2>",
        _parameters(record),
        _svg(parameter_figure(record)),
        "<h2>Data against model</h2>",
        _svg(data_figure(record)),
        _channels(record),
        "<h2>Starts</h2>",
        _svg(search_figure(record)),
        "<h2>Directions</h2>",
        _directions(record),
        f"<p>Derivatives agree with central differences at displaced values to {_text(record['audit'])}.</p>",
    ]
    if "profile" in record:
        parts += ["<h2>Profile likelihood</h2>", _svg(profile_figure(record))]
    return _document(record, parts)


def _document(record: Mapping[str, Any], parts: list[str]) -> str:
    versions = ", ".join(f"{name} {version}" for name, version in record["versions"].items())
    return "\n".join(
        [
            "<!doctype html>",
            f"<html lang='en'><head><meta charset='utf-8'><title>{html.escape(record['title'])}</title><style>{_STYLE}</style></head><body>",
            f"<h1>{html.escape(record['title'])}</h1>",
            *parts,
            f"<footer>{html.escape(versions)}; {html.escape(record['device'])}; {html.escape(record['provenance']['created'])}</footer>",
            "</body></html>",
        ]
    )


def _parameters(record: Mapping[str, Any]) -> str:
    rows = [["parameter", "value", "unit", "sd", "95 % interval", "by profile"]]
    for name, value in record["values"].items():
        low, high = record["interval"][name]
        profiled = record.get("profile", {}).get(name)
        ends = "" if profiled is None else f"{_text(profiled['interval'][0])} to {_text(profiled['interval'][1])}"
        known = record["identifiable"][name]
        interval = f"{_text(low)} to {_text(high)}" if known else "not determined"
        rows.append([name, _text(value), record["units"][name], _text(record["sd"][name]), interval, ends])
    return _table(rows)


def _channels(record: Mapping[str, Any]) -> str:
    rows = [["channel", "values", "sum of squares", "scatter", "scale", "offset"]]
    for c in record["channels"]:
        size = sum(value is not None for value in c["data"])
        scatter = f"{c['sd'][0]:.4g} (estimated)" if c["estimated"] else "given"
        rows.append(
            [
                c["name"],
                str(size),
                f"{_text(c['sse'])} {c['unit']}²" if c["unit"] else _text(c["sse"]),
                scatter,
                _text(c["scale"]),
                _text(c["offset"]),
            ]
        )
    return _table(rows)


def _directions(record: Mapping[str, Any]) -> str:
    rows = [["combination (e-folds)", "singular value", "sd"]]
    for d in record["directions"]:
        largest = max(abs(c) for c in d["coefficients"].values())
        terms = [f"{c:+.2f} {name}" for name, c in d["coefficients"].items() if abs(c) >= 0.05 * largest]
        rows.append([" ".join(terms), _text(d["singular_value"]), _text(d["sd"]) if d["identifiable"] else "not determined"])
    return _table(rows)


def _table(rows: list[list[str]]) -> str:
    lines = []
    for i, row in enumerate(rows):
        tag = "td" if i else "th"
        lines.append("<tr>" + "".join(f"<{tag}>{html.escape(cell)}</{tag}>" for cell in row) + "</tr>")
    return "<table>" + "".join(lines) + "</table>"


def _text(value: float | None) -> str:
    return "∞" if value is None else f"{value:.5g}"


def _svg(figure: Figure) -> str:
    """The figure as part of the page."""
    buffer = io.StringIO()
    # Without a date the same fit gives the same page.
    figure.savefig(buffer, format="svg", metadata={"Date": None})
    text = buffer.getvalue()
    return text[text.index("<svg") :]
