"""`jaxion list`: the mechanisms and models there are, and the paths of a model."""

import inspect
from typing import Annotated, Any, Literal

from tyro.conf import Positional, arg

import jaxion
from jaxion.cli import DONE
from jaxion.cli.arguments import Args, Json, Sets, build
from jaxion.cli.output import print_json
from jaxion.errors import ConfigError
from jaxion.mechanisms.base import AbstractMechanism, parameters
from jaxion.models.load import find_models


def list_(
    what: Annotated[Positional[Literal["mechanisms", "models", "paths"]], arg(metavar="mechanisms|models|paths")],
    model: Annotated[Positional[str | None], arg(metavar="[MODEL]", help="the model whose paths are listed")] = None,
    /,
    args: Args = (),
    sets: Sets = (),
    json: Json = False,
) -> int:
    """What there is, with units and sources."""
    if (what == "paths") != (model is not None):
        raise ConfigError("`jaxion list paths` needs a MODEL, and only it takes one: such as `jaxion list paths duesterwald2018`.")
    if what == "paths":
        built = build(str(model), args, sets)
        table = jaxion.paths(built)
        entries = [
            {"name": p.name, "unit": p.unit, "value": built[p.name], "doc": p.doc, "kind": p.kind, "source": p.source} for p in table
        ]
        text = str(table)
    else:
        entries = _mechanisms() if what == "mechanisms" else _models()
        text = _table(entries)
    if json:
        print_json(entries)
    else:
        print(text)
    return DONE


def _mechanisms() -> list[dict[str, Any]]:
    found = []
    for name in sorted(jaxion.mechanisms.__all__):
        kind = getattr(jaxion.mechanisms, name)
        if inspect.isclass(kind) and issubclass(kind, AbstractMechanism) and not inspect.isabstract(kind):
            units = {key: field.metadata["unit"] for key, field in parameters(kind).items()}
            found.append({"name": name, "doc": _summary(kind), "parameters": units, "source": _source(kind)})
    return found


def _models() -> list[dict[str, Any]]:
    found = []
    for name, function in find_models().items():
        defaults = {key: p.default for key, p in inspect.signature(function).parameters.items()}
        found.append({"name": name, "doc": _summary(function), "arguments": defaults, "source": _source(function)})
    return found


def _table(entries: list[dict[str, Any]]) -> str:
    lines = []
    for entry in entries:
        given = entry.get("parameters") or {key: "" for key in entry.get("arguments", {})}
        lines.append(f"{entry['name']}: {entry['doc']}")
        lines.append(f"    {', '.join(f'{key} ({unit})' if unit else key for key, unit in given.items())}")
        lines.append(f"    {entry['source']}")
    return "\n".join(lines)


def _summary(documented: Any) -> str:
    return inspect.getdoc(documented).split("\n\n")[0].replace("\n", " ")  # pyright: ignore[reportOptionalMemberAccess]


def _source(documented: Any) -> str:
    return inspect.getdoc(documented).split("Source: ")[1].split("\n\n")[0].replace("\n", " ")  # pyright: ignore[reportOptionalMemberAccess]
