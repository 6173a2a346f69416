"""`jaxion list`: the mechanisms, models and protocols there are, and the paths of a model."""

import inspect
from typing import Annotated, Any, Literal

from tyro.conf import Positional, arg

import jaxion
from jaxion import protocols
from jaxion.cli.arguments import Args, Json, Sets, build
from jaxion.cli.exits import DONE
from jaxion.cli.output import print_json
from jaxion.errors import ConfigError
from jaxion.mechanisms import AbstractMechanism, AbstractModulator
from jaxion.mechanisms.base import parameters
from jaxion.model import Model
from jaxion.model_loading import find_models


def list_(
    what: Annotated[Positional[Literal["mechanisms", "models", "protocols", "paths"]], arg(metavar="mechanisms|models|protocols|paths")],
    model: Annotated[Positional[str | None], arg(metavar="[MODEL]", help="the model whose paths or protocols are listed")] = None,
    /,
    args: Args = (),
    sets: Sets = (),
    json: Json = False,
) -> int:
    """What there is, with units and sources."""
    if what == "paths" and model is None:
        raise ConfigError("`jaxion list paths` needs a MODEL, such as `jaxion list paths duesterwald2018`.")
    if what in ("mechanisms", "models") and model is not None:
        raise ConfigError(f"`jaxion list {what}` takes no MODEL, but it is given `{model}`.")
    if what == "paths":
        built = build(str(model), args, sets)
        table = jaxion.paths(built)
        entries = [
            {"name": p.name, "unit": p.unit, "value": built[p.name], "doc": p.doc, "kind": p.kind, "source": p.source} for p in table
        ]
        text = str(table)
    elif what == "protocols":
        entries = _protocols({name: make() for name, make in find_models().items()} if model is None else {model: build(model, args, sets)})
        text = "\n".join(f"{entry['name']} ({', '.join(entry['models'])})\n" + "\n".join(entry["phases"]) for entry in entries)
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
        if inspect.isclass(kind) and issubclass(kind, AbstractMechanism | AbstractModulator) and not inspect.isabstract(kind):
            units = {key: field.metadata["unit"] for key, field in parameters(kind).items()}
            found.append({"name": name, "doc": _summary(kind), "parameters": units, "source": _source(kind)})
    return found


def _models() -> list[dict[str, Any]]:
    found = []
    for name, function in find_models().items():
        defaults = {key: p.default for key, p in inspect.signature(function).parameters.items()}
        found.append({"name": name, "doc": _summary(function), "arguments": defaults, "source": _source(function)})
    return found


def _protocols(models: dict[str, Model]) -> list[dict[str, Any]]:
    """Protocols of some models; what several models go through alike is named once."""
    found: dict[tuple[str, str], dict[str, Any]] = {}
    for model in models.values():
        for name, protocol in protocols.of(model).items():
            source = model.source if name in dict(model.published) else ""
            entry = {"name": name, "models": [], "source": source, "phases": str(protocol).splitlines()[1:]}
            found.setdefault((name, str(protocol)), entry)["models"].append(model.name)
    return list(found.values())


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
