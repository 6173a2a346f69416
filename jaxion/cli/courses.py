"""What verbs that follow a protocol share: the protocol that a text stands for, and where the cell starts."""

import json
import tomllib
from pathlib import Path
from typing import Any, Final

from tyro.conf import arg

import jaxion
from jaxion import protocols
from jaxion.cli.arguments import pairs
from jaxion.errors import ConfigError, nearest
from jaxion.model import Model
from jaxion.paths import lookup, replace, state_paths
from jaxion.transients import parse_measures

_KEYS = ("protocol", "measure")

PROTOCOL: Final = arg(metavar="FILE|NAME", help="a TOML or JSON file with `protocol = […]`, or a name from `jaxion list protocols MODEL`")
"""What `--protocol` takes."""


def start_from(default: str) -> Any:
    """What `--start` takes, and where the cell starts without it."""
    return arg(metavar="baseline|setpoint|PATH=VALUE", help=f"where the cell starts; default {default}")


def read_protocol(model: Model, text: str) -> tuple[protocols.Protocol, dict[str, Any]]:
    """The protocol that a file or a name stands for, and the measures that the file holds."""
    if not text.endswith((".toml", ".json")):
        return protocols.find(model, text), {}
    data = _read(Path(text))
    if isinstance(data, list):
        data = {"protocol": data}
    for key in data:
        if key not in _KEYS:
            raise ConfigError(f"`{text}`, key `{key}` is not known; a protocol file takes `protocol` and `measure`.{nearest(key, _KEYS)}")
    if "protocol" not in data:
        raise ConfigError(f"`{text}`, key `protocol` is missing: it is a list of phases such as [{{ rest = 60 }}].")
    return protocols.parse(data["protocol"], text), parse_measures(data.get("measure", {}), text)


def _read(file: Path) -> Any:
    try:
        text = file.read_bytes().decode()
    except OSError as error:
        raise ConfigError(f"The protocol file `{file}` cannot be read ({error.strerror}).") from None
    except UnicodeDecodeError:
        raise ConfigError(f"The protocol file `{file}` is no text in UTF-8.") from None
    try:
        return json.loads(text) if file.suffix == ".json" else tomllib.loads(text)
    except ValueError as error:  # of both readers
        raise ConfigError(f"`{file}` is no valid {file.suffix[1:].upper()}: {error}.") from None


def find_start(model: Model, given: tuple[str, ...], lowering: str, default: str) -> Any:
    """The named start, or the state that baseline values describe."""
    if all("=" not in text for text in given):
        if len(given) > 1:
            raise ConfigError(
                f"Option `--start` must be given once, or as PATH=VALUE, but it is {', '.join(f'`{text}`' for text in given)}."
            )
        name = given[0] if given else default
        return jaxion.setpoint(model, throw=False, lowering=lowering) if name == "setpoint" else name
    values: dict[str, Any] = pairs("start", given)
    for path in values:
        lookup(model, path)
        if path not in state_paths(model):
            raise ConfigError(f"Option `--start` takes values of the state, but `{path}` is a parameter; give it to `--set`.")
    # A cell that starts swollen holds no more impermeants than its model has.
    kept = {f"{path.removesuffix('.volume')}.impermeant" for path in values if path.endswith(".volume")}
    other = replace(model, {**values, **{path: model[path] for path in kept}})
    return other.pack(other.baseline())
