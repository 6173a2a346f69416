"""Tables of the recorded results, written into README.md between its two marks.

    python benchmarks/tables.py

reads what the benchmarks have written to results/; no number of a table is copied by hand.
"""

import argparse
import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

HERE = Path(__file__).parent
BEGIN, END = "<!-- tables: written by tables.py -->\n", "<!-- end of tables -->\n"
TOLERANCE = 1e-6
"""Of the tolerances of a record the one whose rows are shown; the figure shows all."""


def main() -> None:
    """Write the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--readme", type=Path, default=HERE / "README.md")
    readme = parser.parse_args().readme
    readme.write_text(inserted(readme.read_text(encoding="utf-8")), encoding="utf-8")


def inserted(text: str) -> str:
    """The text with the tables of today between its marks."""
    before, rest = text.split(BEGIN)
    _, after = rest.split(END)
    return before + BEGIN + "\n" + tables() + "\n" + END + after


def tables() -> str:
    """All tables, each under its heading."""
    parts = [
        ("Set-points of the canonical cell, each with 400 sensitivities", setpoints("setpoints-canonical-cores1")),
        ("Set-points of the pump–leak neuron, each with 60 sensitivities", setpoints("setpoints-cores1")),
        ("Transients: anoxia", transients("transients-anoxia-cores1")),
        ("Transients: spiking", transients("transients-spiking-cores1")),
        ("Transients: one core and two", cores("transients-anoxia-cores1", "transients-anoxia-cores2")),
        ("Gradients of transients", gradients("gradients-cores1")),
        ("Fits", fits("fits-cores1")),
        ("Growth with the number of states", growth("growth-states-cores1", "system", "states")),
        ("Growth with the number of cells", growth("growth-cells-cores1", "cells")),
        ("Published models", models("models")),
        ("Versions of Python and JAX", versions("versions-cores1")),
    ]
    return "\n".join(f"### {title}\n\n{table}" for title, table in parts)


def setpoints(name: str) -> str:
    """Rates, and which cells were found, with the error of their sensitivities."""
    record = _record(name)
    ours = record["contenders"]["jaxion"]
    rows = [
        (
            *(contender, _rate(x["cells_per_second"]), f"{100 * x['same_fraction']:.3g} %", f"{x['sensitivity_error']:.0e}"),
            *(*_cost(x), _ratio(ours["cells_per_second"] / x["cells_per_second"], contender)),
        )
        for contender, x in record["contenders"].items()
    ]
    return _table(record, ("", "cells/s", "found", "error of sensitivities", *COST, FASTER), rows)


def transients(name: str) -> str:
    """Rates with errors."""
    record = _record(name)
    rows = [
        (
            *(x["name"], _rate(x["cells_per_second"]), f"{x['error_median']:.1e}", f"{x['error_worst']:.1e}", *_cost(x)),
            *(_ratio(x.get("jaxion_ratio"), x["name"]), _matched(record, x)),
        )
        for x in record["contenders"]
        if x["rtol"] == TOLERANCE
    ]
    columns = ("", "cells/s", "error, median", "worst", *COST, FASTER, MATCHED)
    return _table(record, columns, rows, f"tolerance {TOLERANCE:.0e}")


def cores(one: str, two: str) -> str:
    """Rates by one core and by two."""
    records = [_record(name) for name in (one, two)]
    rates = [{x["name"]: x["cells_per_second"] for x in record["contenders"] if x["rtol"] == TOLERANCE} for record in records]
    rows = [(name, _rate(rates[0][name]), _rate(rate), f"{rate / rates[0][name]:.2f}") for name, rate in rates[1].items()]
    return _table(
        records[1],
        ("", "cells/s, one core", "two cores", "ratio"),
        rows,
        f"tolerance {TOLERANCE:.0e}; each number of cores in a run of its own",
    )


def gradients(name: str) -> str:
    """Rates of gradients, and their times over those of losses."""
    record = _record(name)
    rows = [
        (
            *(x["name"], _rate(x["cells_per_second"]), f"{x['gradient_over_loss']:.1f}", f"{x['error_median']:.1e}", *_cost(x)),
            *(_ratio(x["jaxion_ratio"], x["name"]), _matched(record, x)),
        )
        for x in record["contenders"]
        if x["rtol"] == TOLERANCE
    ]
    return _table(
        record, ("", "gradients/s", "times a run without", "error, median", *COST, FASTER, MATCHED), rows, f"tolerance {TOLERANCE:.0e}"
    )


def fits(name: str) -> str:
    """Times of fits, and which starts reached the optimum."""
    record = _record(name)
    rows = [
        (
            x["name"],
            f"{x['reached']} of {x['starts']}",
            _rate(1e3 * x["seconds_per_start"]),
            *_cost(x),
            _ratio(x["jaxion_ratio"], x["name"]),
        )
        for x in record["contenders"]
    ]
    note = f"{record['parameters']} parameters, {record['values']} values; ratios are to jaxion's row of all starts, or of the first 16"
    return _table(record, ("", "starts at the optimum", "ms a start", *COST, FASTER), rows, note)


def growth(name: str, *labels: str) -> str:
    """Compilation, time and memory of a transient and of its gradient."""
    record = _record(name)
    pairs: dict[tuple[Any, ...], dict[str, dict[str, Any]]] = {}
    for x in record["entries"]:
        pairs.setdefault(tuple(x[label] for label in labels), {})[x["kernel"]] = x
    rows = [
        tuple(f"{part:,}" if isinstance(part, int) else part for part in key)
        + tuple(text for kernel in ("transient", "gradient") for text in (_rate(both[kernel]["cells_per_second"]), *_cost(both[kernel])))
        for key, both in pairs.items()
    ]
    columns = (*labels, *(f"{kernel}: {what}" for kernel in ("transient", "gradient") for what in ("cells/s", *COST)))
    return _table(record, columns, rows)


def models(name: str) -> str:
    """Rates of published models through their own protocols."""
    record = _record(name)
    rows = [
        (
            *(x["model"] + (f", gates {x['gates']}" if x["model"] == "kalia2021" else ""), x["states"], x["protocol"].replace("_", " ")),
            *(f"{x['protocol_seconds']:g}", f"{x['cells']:,}", _rate(x["cells_per_second"]), *_cost(x), f"{100 * x['ok_fraction']:.3g} %"),
        )
        for x in record["entries"]
    ]
    return _table(record, ("", "states", "protocol", "of s", "cells", "cells/s", *COST, "ok"), rows)


def versions(name: str) -> str:
    """The same cells with several versions in turn."""
    record = _record(name)
    rows = [
        (
            *(x["workload"], f"Python {x['python']}, JAX {x['versions']['jax']}", f"{x['cells']:,}", _rate(x["cells_per_second"])),
            *(f"{x['ratio']:.3f}", f"{x['compile_seconds']:.1f}", f"{x['difference']:.0e}"),
        )
        for x in record["entries"]
    ]
    columns = ("", "versions", "cells", "cells/s", "times the first", "compile, s", "largest difference")
    return _table(record, columns, rows, "median of pairs of turns, one right after the other")


COST = ("compile, s", "peak, MiB")
FASTER, MATCHED = "jaxion is faster by", "at equal median error"


def _cost(entry: dict[str, Any]) -> tuple[str, str]:
    return f"{entry['compile_seconds']:.1f}", f"{entry['peak_MiB']:,.0f}"


def _rate(rate: float) -> str:
    return f"{float(f'{rate:.3g}'):,.0f}" if rate >= 100 else f"{rate:.3g}"


def _ratio(ratio: float | None, name: str) -> str:
    return "" if name == "jaxion" or ratio is None else f"{ratio:.3g}"


def _matched(record: dict[str, Any], entry: dict[str, Any]) -> str:
    """By how much jaxion is faster at the contender's own median error: between jaxion's tolerances, on the line of the figure."""
    line = sorted((x["error_median"], x["cells_per_second"]) for x in record["contenders"] if x["name"] == "jaxion")
    errors, rates = np.log(line).T
    error = np.log(entry["error_median"])
    if entry["name"] == "jaxion" or error < errors[0]:
        return ""
    ratio = np.exp(np.interp(error, errors, rates)) / entry["cells_per_second"]
    return f"{'≥ ' if error > errors[-1] else ''}{ratio:.3g}"


def _record(name: str) -> dict[str, Any]:
    return json.loads((HERE / "results" / f"{name}.json").read_text(encoding="utf-8"))


def _table(record: dict[str, Any], columns: Sequence[str], rows: Iterable[tuple[Any, ...]], note: str = "") -> str:
    lines = [columns, ("---",) * len(columns), *rows]
    table = "\n".join("| " + " | ".join(str(cell) for cell in line) + " |" for line in lines)
    plural = "s" if record["cores"] > 1 else ""
    said = [
        f"{record['machine']}, {record['cores']} core{plural}, {record['date'][:10]}",
        *([f"{record['cells']:,} cells"] if "cells" in record else []),
    ]
    return f"{'; '.join([*said, *([note] if note else [])])}.\n\n{table}\n"


if __name__ == "__main__":
    main()
