"""Measures of a sweep before anything is computed: their names and units, and as plain data."""

from collections.abc import Mapping
from typing import Any

from jaxion.model import Model
from jaxion.paths import lookup
from jaxion.transients import Final, Measure, measures
from jaxion.transients.solve import _measures as looked_up


def outputs(given: Mapping[str, Measure | Final], model: Model) -> dict[str, tuple[str, str]]:
    """Unit and description of each number that measures give, by the name that it has in a solution; raises for a path that is none."""
    found: dict[str, tuple[str, str]] = {}
    for name, measure in looked_up(model, given).items():
        if isinstance(measure, Final):
            entries = [lookup(model, path) for path in measure.paths or ()]
            found |= {f"{name}.{entry.name}": (entry.unit, f"{entry.doc} at the end of the protocol") for entry in entries}
            continue
        entry, kind = lookup(model, measure.path), _kind(measure)
        for output in measure.reduction(0).outputs:
            key = f"{name}.{output}" if output else name
            found[key] = measure.unit(entry.unit, output), f"{kind} of {entry.name}" + (f": {output}" if output else "")
    return found


def plain_measures(given: Mapping[str, Measure | Final]) -> dict[str, Any]:
    """Measures as plain data, from which `parse_measures` makes the same ones."""
    return {name: _plain(measure) for name, measure in given.items()}


def _plain(measure: Measure | Final) -> Any:
    if isinstance(measure, Final):
        return "final" if measure.paths is None else {"final": list(measure.paths)}
    data: dict[str, Any] = {_kind(measure): measure.path}
    if isinstance(measure, measures._Crossing):
        directions = {"direction": "up" if measure.sign > 0 else "down", "which": "last" if measure.last else "first"}
        return {**data, "level": measure.level, **directions}
    return {**data, "level": measure.level} if isinstance(measure, measures._Spikes) else data


def _kind(measure: Measure) -> str:
    if isinstance(measure, measures._Extremum):
        return "maximum" if measure.sign > 0 else "minimum"
    return type(measure).__name__.strip("_").lower()
