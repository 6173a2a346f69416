"""Protocols as plain data, which TOML, JSON and Python lists hold alike."""

import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from jaxion.errors import ConfigError, JaxionError, nearest
from jaxion.protocols import constructors
from jaxion.protocols.protocol import Protocol

FORMS: Final[dict[str, tuple[str, ...]]] = {
    "rest": ("duration",),
    "block": ("path", "fraction"),
    "smooth_block": ("path", "fraction"),
    "bath": ("concentrations",),
    "anoxia": ("duration",),
    "inject": ("compartment", "current"),
    "train": ("compartment", "current"),
    "recording": ("path",),
    "phase": ("duration",),
}
"""Kinds of phases, and the arguments that the entry under that key holds: one as it is, two as a list."""

_NAMES: Final = ("path", "compartment", "ion", "replacing", "name")
_TABLES: Final = ("concentrations", "set", "scale", "ramp")


def parse(entries: Any, where: str, key: str = "protocol") -> Protocol:
    """Read a protocol from plain data: a list with one table a phase.

    The key that names a constructor holds its first arguments, the others go by their names:
    `{ rest = 60 }`, `{ block = ["neuron.nka", 0.9], duration = 300 }`,
    `{ bath = { K = "12 mM" }, duration = 120, replacing = "Na" }`, `{ anoxia = 300, left = 0.1 }`,
    `{ inject = ["neuron", 36], duration = 10 }`,
    `{ train = ["neuron", 36], width = 0.002, period = 0.1, count = 20 }`,
    `{ phase = 60, set = { "bath.K" = 8 }, scale = { "neuron.nka.v_max" = 0.5 }, ramp = { "bath.Na" = [145, 140] } }`,
    `{ smooth_block = ["neuron.nka", 1.0], duration = 2400, begin = 344, end = 556, width = 15 }`,
    `{ recording = "bath.K", times = [0, 10, 30], values = [3.5, 8, 5] }`.

    Args:
        entries: The list.
        where: Where it is from, such as a file's name, for error messages.
        key: Its key there.

    Raises:
        ConfigError: An entry is not what it has to be; the message names the key and what is allowed there.

    Example:
        >>> print(parse([{"rest": 60}, {"block": ["neuron.nka", 0.9], "duration": "5 min"}], "here"))
        Protocol of 2 phases:
              60 s  rest
             300 s  block neuron.nka 0.9
    """
    if not isinstance(entries, list) or not entries:
        raise ConfigError(f"`{where}`, key `{key}` must be a list of phases such as [{{ rest = 60 }}], but it is `{entries}`.")
    return Protocol(*(_phase(entry, where, f"{key}[{index}]") for index, entry in enumerate(entries)))


def _phase(entry: Any, where: str, key: str) -> Any:
    def refuse(text: str, name: str = "") -> ConfigError:
        return ConfigError(f"`{where}`, key `{key}{'.' if name else ''}{name}` {text}")

    if not isinstance(entry, Mapping):
        raise refuse(f"must be a table such as {{ rest = 60 }}, but it is `{entry}`.")
    verbs = [name for name in entry if name in FORMS]
    if len(verbs) != 1:
        near = next((hint for hint in (nearest(str(name), FORMS, count=1) for name in entry) if hint), "") if not verbs else ""
        raise refuse(f"must hold exactly one of {_listed(FORMS)}, but it holds {_listed(entry) or 'nothing'}.{near}")
    verb = verbs[0]
    make, first = getattr(constructors, verb), FORMS[verb]
    arguments = dict(zip(first, _first(entry[verb], first, verb, refuse), strict=True))
    takes = {name: p for name, p in inspect.signature(make).parameters.items() if name not in first and p.kind is not p.VAR_KEYWORD}
    for name, value in entry.items():
        if name == verb:
            continue
        if name not in takes:
            known = _listed(takes) if takes else "nothing else"
            raise refuse(f"is not known; `{verb}` takes {known}.{nearest(name, takes)}", name)
        arguments[name] = value
    for name, parameter in takes.items():
        if parameter.default is parameter.empty and name not in arguments:
            raise refuse(f"is missing: `{verb}` needs it.", name)
    for name, value in arguments.items():
        _check_kind(name, value, verb, refuse)
    try:
        return make(**arguments.pop("concentrations", {}), **arguments)
    except (JaxionError, ValueError) as error:
        raise ConfigError(f"`{where}`, key `{key}`: {error}") from error


def _first(value: Any, names: tuple[str, ...], verb: str, refuse: Callable[..., ConfigError]) -> Sequence[Any]:
    if len(names) == 1:
        return (value,)
    if not isinstance(value, list) or len(value) != len(names):
        raise refuse(f"must be a list [{', '.join(names)}], but it is `{value}`.", verb)
    return value


def _check_kind(name: str, value: Any, verb: str, refuse: Callable[..., ConfigError]) -> None:
    several = verb in ("block", "smooth_block") and isinstance(value, list)
    if name in _NAMES and not all(isinstance(one, str) for one in (value if several else [value])):
        raise refuse(f"must name its {name} as a text in quotes, but it is `{value}`.", "" if name in FORMS[verb] else name)
    if name in _TABLES and not isinstance(value, Mapping):
        example = "{ K = 12 }" if name == "concentrations" else '{ "bath.K" = 8 }'
        raise refuse(f"must be a table such as {example}, but it is `{value}`.", verb if name == "concentrations" else name)
    if name == "concentrations" and "duration" in value:
        raise refuse("must hold concentrations only: `duration` stands beside it.", verb)


def _listed(names: Any) -> str:
    *most, last = [f"`{name}`" for name in names] or [""]
    return f"{', '.join(most)} and {last}" if most else last
