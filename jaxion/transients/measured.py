"""Which numbers the measures of a model give, under which names and in which units."""

from collections.abc import Mapping
from typing import Any

from jaxion.model import Model
from jaxion.paths import Path, lookup, state_paths
from jaxion.transients.measures import Final, Measure


def look_up(model: Model, given: Mapping[str, Any]) -> dict[str, Measure | Final]:
    """The measures with every path found in the model, and `final` with all of its paths.

    Raises:
        PathError: A measure is of a path that the model has not.
        ValueError: Something else than a measure is given.
    """
    found: dict[str, Measure | Final] = {}
    for name, measure in given.items():
        if isinstance(measure, Final):
            measure = Final((*state_paths(model), *_gates(model)) if measure.paths is None else measure.paths)
        elif not isinstance(measure, Measure):
            raise ValueError(f'Measure `{name}` must be one such as jaxion.maximum("neuron.V"), but it is `{measure}`.')
        _entries(model, measure)
        found[name] = measure
    return found


def outputs(model: Model, given: Mapping[str, Measure | Final]) -> dict[str, tuple[str, str]]:
    """Unit and description of every number that measures give, by the name that it has in a solution, in order."""
    found: dict[str, tuple[str, str]] = {}
    for name, measure in look_up(model, given).items():
        entries = _entries(model, measure)
        if isinstance(measure, Final):
            found |= {f"{name}.{entry.name}": (entry.unit, f"{entry.doc} at the end of the protocol") for entry in entries}
            continue
        (entry,), kind = entries, next(iter(measure.plain))
        for output in measure.reduction(0).outputs:
            key = f"{name}.{output}" if output else name
            found[key] = measure.unit(entry.unit, output), f"{kind} of {entry.name}" + (f": {output}" if output else "")
    return found


def _entries(model: Model, measure: Measure | Final) -> list[Path]:
    return [lookup(model, path) for path in ((measure.paths or ()) if isinstance(measure, Final) else (measure.path,))]


def _gates(model: Model) -> tuple[str, ...]:
    s = model.structure
    return tuple(row for row in model.rows if row not in (*s.amounts, *s.volumes, *s.potentials))
