"""What a protocol can drive in a model: that which enters the rates, and no part of the state."""

import re
from collections.abc import Iterable, Sequence
from typing import Any

import equinox as eqx
from jaxtyping import Array

from jaxion._types import per_cell
from jaxion.compartment import check_membrane
from jaxion.errors import PathError, nearest
from jaxion.mechanisms import Injection
from jaxion.model import Model
from jaxion.paths import Path, lookup, paths

_ACTIVITY = ".activity"


def drivable(model: Model, path: str) -> Path:
    """The entry of a path that a protocol can drive; `PathError` says why another cannot be."""
    entry = lookup(model, path)
    if entry.kind != "parameter":
        raise PathError(f"`{path}` follows from the state of model `{model.name}` and cannot be driven.")
    owner = path.rpartition(".")[0]
    if owner and owner not in model.baths and not any(path.startswith(f"{process}.") for process in _processes(model)):
        raise PathError(
            f"`{path}` belongs to the state of model `{model.name}` or to its baseline and cannot be driven: "
            "a protocol changes parameters and activities of mechanisms, and baths."
        )
    return entry


def own(model: Model, path: str) -> Array:
    """The model's own value of a path that can be driven, shape `()` or `(cells,)`."""
    where: Any = lookup(model, path)
    return where.where(model)


def activity(model: Model, process: str) -> str:
    """Path of the activity of a mechanism such as `neuron.nka`; `PathError` if there is none of that name."""
    processes = _processes(model)
    if process not in processes:
        # `nka` alone is as good a hint as `neuron.nka`.
        meant = next((one for one in processes if one.endswith(f".{process}")), process)
        raise PathError(f"`{process}` is no mechanism of model `{model.name}`.{nearest(meant, processes)}")
    return process + _ACTIVITY


def driven(model: Model, paths: Sequence[str], values: Any) -> Model:
    """The model with other values of driven paths; nothing is checked, so that it can be traced.

    Args:
        model: The model of a `Drive`.
        paths: Its paths.
        values: Values of the paths, first axis `(paths,)`.
    """
    if not paths:
        return model
    entries: list[Any] = [lookup(model, path) for path in paths]
    return eqx.tree_at(lambda m: [entry.where(m) for entry in entries], model, list(values))


def injection_path(membrane: str, ion: str) -> str:
    """Path of a current that is injected through a membrane, carried by an ion."""
    return f"{membrane}.inject_{ion}.I"


def injection_of(path: str) -> tuple[str, str] | None:
    """Membrane and ion of an injected current's path; None for any other path."""
    match = re.fullmatch(r"(.+)\.inject_([^.]+)\.I", path)
    return None if match is None else (match[1], match[2])


def with_injections(model: Model, named: Iterable[str]) -> Model:
    """The model with an `Injection` of no current wherever one of the paths is that of an injected current."""
    for name, ion in filter(None, map(injection_of, named)):
        if name not in model.membranes:
            near = nearest(name, model.membranes)
            raise PathError(f"Nothing can be injected into `{name}`: model `{model.name}` has no membrane of that name.{near}")
        membrane, key = model.membranes[name], f"inject_{ion}"
        if key in membrane.mechanisms:
            continue
        mechanisms = {**membrane.mechanisms, key: Injection(ion, 0.0)}
        factors = {**membrane.activity, key: per_cell(1.0)}
        ordered = tuple({k: values[k] for k in sorted(values)} for values in (mechanisms, factors))
        membrane = eqx.tree_at(lambda m: (m.mechanisms, m.activity), membrane, ordered)
        check_membrane(membrane, model.solutions)
        model = eqx.tree_at(lambda m, n=name: m.membranes[n], model, membrane)
    return model


def _processes(model: Model) -> list[str]:
    return [path.name.removesuffix(_ACTIVITY) for path in paths(model) if path.name.endswith(_ACTIVITY)]
