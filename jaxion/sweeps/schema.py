"""The tables of a sweep file, and the sentence that answers a wrong key or value.

The only module that imports pydantic; it is imported when a sweep file is read.
"""

import math
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, Any, Final

from pydantic import AfterValidator, BaseModel, ConfigDict, ValidationError

from jaxion.errors import ConfigError, nearest

DESIGNS: Final = {
    "grid": ("values", "linspace", "logspace"),
    "sample": ("lognormal", "normal", "uniform", "factor"),
}
"""Designs, and what each takes for a path that varies."""

_LATER_DESIGNS: Final = ("latin_hypercube", "sobol", "table")

_LATER_KEYS: Final = (("cells", "file"),)
"""Keys that belong to the format, but not to this version."""


def _number(value: Any) -> Any:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise ValueError("must be a finite number")
    return float(value)


def _quantity(value: Any) -> Any:
    return value if isinstance(value, str) else _said(_number, 'must be a finite number, or a text with a unit such as "8 mM"')(value)


def _whole(lowest: int) -> Callable[[Any], Any]:
    def check(value: Any) -> Any:
        if isinstance(value, bool) or not isinstance(value, int) or value < lowest:
            raise ValueError(f"must be a whole number, {lowest} or more")
        return value

    return check


def _text(value: Any) -> Any:
    if not isinstance(value, str):
        raise ValueError("must be a text in quotes")
    return value


def _names(value: Any) -> Any:
    names = [value] if isinstance(value, str) else value
    if not isinstance(names, list) or not names or not all(isinstance(name, str) for name in names):
        raise ValueError('must be a list of paths such as ["neuron.V"]')
    return tuple(names)


def _times(value: Any) -> Any:
    text = 'must be times such as "0:960:97", or a list of numbers'
    return value if isinstance(value, str) else _list(_number, text=text)(value)


def _list(*checks: Callable[[Any], Any], text: str) -> Callable[[Any], Any]:
    """A list whose entries pass the checks one by one; a single check is that of any number of entries."""

    def check(value: Any) -> Any:
        if not isinstance(value, list) or not value or (len(checks) > 1 and len(value) != len(checks)):
            raise ValueError(text)
        each = checks if len(checks) > 1 else checks * len(value)
        return [one(entry) for one, entry in zip(each, value, strict=True)]

    return _said(check, text)


def _correlation(value: Any) -> Any:
    """Two paths and their correlation."""
    return _list(_text, _text, _number, text="must be two paths and a number")(value)


def _said(check: Callable[[Any], Any], text: str) -> Callable[[Any], Any]:
    """The same check with another message."""

    def again(value: Any) -> Any:
        try:
            return check(value)
        except ValueError:
            raise ValueError(text) from None

    return again


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


_RANGE: Final = "must be a list of two numbers [low, high], or of two texts with units"
_CORRELATIONS: Final = 'must be a list such as [["neuron.kcc2.g", "neuron.leak_K.g", 0.5]]'
_SPACE: Final = "must be a list [first, last, number of values]"
Text = Annotated[Any, AfterValidator(_text)]
Names = Annotated[Any, AfterValidator(_names)]
Space = Annotated[Any, AfterValidator(_list(_quantity, _quantity, _whole(1), text=_SPACE))]


class Vary(_Table):
    """How one path varies: exactly one of these, as the design takes it."""

    lognormal: Annotated[Any, AfterValidator(_number)] = None
    normal: Annotated[Any, AfterValidator(_quantity)] = None
    uniform: Annotated[Any, AfterValidator(_list(_quantity, _quantity, text=_RANGE))] = None
    factor: Annotated[Any, AfterValidator(_list(_number, _number, text="must be a list of two numbers [low, high]"))] = None
    values: Annotated[Any, AfterValidator(_list(_quantity, text="must be a list of numbers, or of texts with units"))] = None
    linspace: Space = None
    logspace: Space = None


class ModelTable(_Table):
    """[model]: a published model by name, or a function in a file; its arguments, and paths that are set."""

    name: Text = None
    file: Text = None
    args: dict[str, Any] = {}
    set: dict[str, Annotated[Any, AfterValidator(_quantity)]] = {}


class CellsTable(_Table):
    """[cells]: the design of the population; correlations are those of `Population.sample`, as lists of two paths and a number."""

    design: Text
    size: Annotated[Any, AfterValidator(_whole(1))] = None
    seed: Annotated[Any, AfterValidator(_whole(0))] = 0
    correlation: Annotated[Any, AfterValidator(_list(_correlation, text=_CORRELATIONS))] = None
    vary: dict[str, Vary]


class RunTable(_Table):
    """[run]: from where, through which protocol, what is saved when, and in which chunks."""

    start: Text = "setpoint"
    protocol: Any = None
    save: Annotated[Any, AfterValidator(_times)] = None
    paths: Names | None = None
    rtol: Annotated[Any, AfterValidator(_number)] = 1e-6
    chunk: Annotated[Any, AfterValidator(_whole(1))] = None


class SensitivityTable(_Table):
    """[sensitivity]: which paths respond, and to what."""

    of: Names
    wrt: Names


class Tables(_Table):
    """The whole file."""

    model: ModelTable
    cells: CellsTable
    run: RunTable = RunTable()
    measure: dict[str, Any] | None = None
    sensitivity: SensitivityTable | None = None


_CLASSES: Final[Mapping[str, type[_Table]]] = {"model": ModelTable, "cells": CellsTable, "run": RunTable, "sensitivity": SensitivityTable}


def check(data: dict[str, Any], file: str) -> Tables:
    """The tables of a file; raises `ConfigError` naming the file, the key, and what is allowed there."""
    _check_version(data, file)
    try:
        tables = Tables.model_validate(data)
    except ValidationError as error:
        # A mistyped key is also a missing one: the mistyping says more.
        worst = min(error.errors(), key=lambda e: (e["type"] != "extra_forbidden", e["type"] != "missing"))
        raise ConfigError(f"`{file}`, key `{key_text(worst['loc'])}` {_sentence(worst, data)}") from None
    _check_choices(tables, file)
    return tables


def key_text(parts: Sequence[Any]) -> str:
    """A key with its table, as TOML writes it: `cells.vary."neuron.kcc2.g"`."""
    return ".".join(str(part) if re.fullmatch(r"[A-Za-z0-9_-]+", str(part)) else f'"{part}"' for part in parts)


def _sentence(error: Any, data: dict[str, Any]) -> str:
    loc, kind, given = error["loc"], error["type"], error["input"]
    if kind == "extra_forbidden":
        allowed = _allowed(loc[:-1], data)
        table = f"table `{key_text(loc[:-1])}`" if loc[1:] else "a sweep file"
        return f"is not known; {table} takes {_listed(allowed)}.{nearest(str(loc[-1]), allowed)}"
    if kind == "missing":
        return "is missing."
    if kind == "value_error":
        text = str(error["ctx"]["error"])
    elif loc[:2] == ("cells", "vary") and len(loc) == 3:
        text = "must be a table such as { lognormal = 0.3 } or { values = [1, 2] }"
    else:
        text = "must be a table"
    return f"{text}, but it is `{given}`."


def _allowed(table: tuple[Any, ...], data: dict[str, Any]) -> list[str]:
    if not table:
        return list(Tables.model_fields)
    if table[:2] == ("cells", "vary"):
        return list(DESIGNS.get(data["cells"].get("design"), Vary.model_fields))
    return list(_CLASSES[table[0]].model_fields)


def _check_version(data: dict[str, Any], file: str) -> None:
    """Refuse what later versions will take, in words that do not call it a mistake."""
    tables = {name: table for name, table in data.items() if isinstance(table, dict)}
    design = tables.get("cells", {}).get("design")
    if design in _LATER_DESIGNS:
        raise ConfigError(f"`{file}`, key `cells.design`: `{design}` is not supported yet; this version supports {_listed(DESIGNS)}.")
    for key in _LATER_KEYS:
        if key[-1] in (data if len(key) == 1 else tables.get(key[0], {})):
            raise ConfigError(f"`{file}`, key `{key_text(key)}` is not supported yet: leave it out.")


def _check_choices(tables: Tables, file: str) -> None:
    def refuse(key: tuple[str, ...], text: str) -> ConfigError:
        return ConfigError(f"`{file}`, key `{key_text(key)}` {text}")

    cells = tables.cells
    if (tables.model.name is None) == (tables.model.file is None):
        raise refuse(("model",), "must hold either `name` or `file`, one of the two.")
    if cells.design not in DESIGNS:
        near = nearest(cells.design, [*DESIGNS, *_LATER_DESIGNS])
        raise refuse(("cells", "design"), f"must be {_listed(DESIGNS, 'or')}, but it is `{cells.design}`.{near}")
    if not cells.vary:
        raise refuse(("cells", "vary"), "must name at least one path that varies.")
    if cells.design == "sample" and cells.size is None:
        raise refuse(("cells", "size"), "is missing: a sample needs its number of cells.")
    if cells.design != "sample" and cells.correlation is not None:
        raise refuse(("cells", "correlation"), f"goes with the design `sample`, not with `{cells.design}`.")
    for path, entry in cells.vary.items():
        allowed = DESIGNS[cells.design]
        given = list(entry.model_fields_set)
        wrong = [kind for kind in given if kind not in allowed]
        if wrong:
            raise refuse(
                ("cells", "vary", path, wrong[0]), f"does not go with the design `{cells.design}`, which takes {_listed(allowed)}."
            )
        if len(given) != 1:
            raise refuse(("cells", "vary", path), f"must hold exactly one of {_listed(allowed)}, but it holds {_listed(given) or 'none'}.")


def _listed(names: Any, word: str = "and") -> str:
    *most, last = [f"`{name}`" for name in names] or [""]
    return f"{', '.join(most)} {word} {last}" if most else last
