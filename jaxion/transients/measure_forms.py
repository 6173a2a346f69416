"""Measures as plain data, which sweep files and protocol files hold."""

import inspect
from collections.abc import Mapping
from typing import Any, Final

from jaxion.errors import ConfigError, nearest
from jaxion.transients import measures
from jaxion.transients.measures import Final as FinalMeasure
from jaxion.transients.measures import Measure

FORMS: Final = ("final", "maximum", "minimum", "mean", "integral", "crossing", "spikes")
"""Kinds of measures; the key that names one holds its path (of `final`, a list of paths)."""


def parse_measures(table: Any, where: str, key: str = "measure") -> dict[str, Measure | FinalMeasure]:
    """Read measures from plain data: a table with one entry a measure.

    `t_depol = { crossing = "neuron.V", level = -40.0 }`, `K_max = { maximum = "ecs.K" }`,
    `ATP = { integral = "neuron.nka.ATP" }`, `fired = { spikes = "neuron.V", level = 0.0 }`,
    `end = "final"`, `end = { final = ["neuron.V", "neuron.Na"] }`.

    Args:
        table: The table.
        where: Where it is from, such as a file's name, for error messages.
        key: Its key there.

    Raises:
        ConfigError: An entry is not what it has to be; the message names the key and what is allowed there.

    Example:
        >>> parse_measures({"end": "final"}, "here")
        {'end': Final(paths=None)}
    """
    if not isinstance(table, Mapping):
        raise ConfigError(f'`{where}`, key `{key}` must be a table such as {{ end = "final" }}, but it is `{table}`.')
    return {str(name): _measure(entry, where, f"{key}.{name}") for name, entry in table.items()}


def _measure(entry: Any, where: str, key: str) -> Measure | FinalMeasure:
    def refuse(text: str) -> ConfigError:
        return ConfigError(f"`{where}`, key `{key}` {text}")

    if isinstance(entry, str):
        if entry != "final":
            raise refuse(f'must be "final", or a table such as {{ maximum = "neuron.V" }}, but it is `{entry}`.{nearest(entry, FORMS)}')
        return measures.final()
    if not isinstance(entry, Mapping):
        raise refuse(f'must be a table such as {{ maximum = "neuron.V" }}, but it is `{entry}`.')
    kinds = [name for name in entry if name in FORMS]
    if len(kinds) != 1:
        near = next((hint for hint in (nearest(str(name), FORMS, count=1) for name in entry) if hint), "") if not kinds else ""
        raise refuse(f"must hold exactly one of {', '.join(f'`{f}`' for f in FORMS)}.{near}")
    make = getattr(measures, kinds[0])
    first, *rest = inspect.signature(make).parameters.values()
    given = {first.name if name == kinds[0] else name: value for name, value in entry.items()}
    allowed = [first.name, *(p.name for p in rest)]
    for name in given:
        if name not in allowed:
            raise refuse(f"does not take `{name}`; `{kinds[0]}` takes {', '.join(allowed[1:]) or 'nothing else'}.{nearest(name, allowed)}")
    for p in rest:
        if p.default is p.empty and p.name not in given:
            raise refuse(f"needs `{p.name}`.")
    text = list if first.name == "paths" else str
    if not isinstance(given[first.name], text):
        raise refuse(f"must name its path as a text in quotes, but it is `{given[first.name]}`.")
    if "level" in given and (isinstance(given["level"], bool) or not isinstance(given["level"], int | float)):
        raise refuse(f"must have a number as its `level`, but it is `{given['level']}`.")
    try:
        return make(**given)
    except ValueError as error:
        raise refuse(f"cannot be read: {error}") from error
