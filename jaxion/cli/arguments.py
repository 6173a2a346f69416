"""Arguments that several verbs share, and how their text is read."""

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

from tyro.conf import Positional, UseAppendAction, arg

from jaxion.errors import ConfigError
from jaxion.model import Model
from jaxion.model_loading import load_model

ModelName = Annotated[Positional[str], arg(metavar="MODEL", help="a name from `jaxion list models`, or path/to/file.py:function")]
Args = Annotated[
    UseAppendAction[tuple[str, ...]], arg(name="arg", metavar="NAME=VALUE", help="argument of the model's function, in the paper's unit")
]
Sets = Annotated[UseAppendAction[tuple[str, ...]], arg(name="set", metavar="PATH=VALUE", help='value of a path, such as `"bath.K=8 mM"`')]
Starts = Annotated[
    UseAppendAction[tuple[str, ...]], arg(name="start", metavar="PATH=VALUE", help="first guess of a baseline path, such as `neuron.V=-20`")
]
Lowering = Annotated[
    str, arg(metavar="auto|llvm|xla", help="what runs: machine code (llvm), jax.numpy (xla), or the faster one that is possible")
]
Json = Annotated[bool, arg(help="print one JSON object and nothing else")]
StorePath = Annotated[Positional[Path], arg(metavar="STORE", help="folder of a sweep's results")]


def pairs(option: str, given: Iterable[str]) -> dict[str, str]:
    """`NAME=VALUE` texts as a dictionary; `ConfigError` for another form and for a name given twice."""
    found: dict[str, str] = {}
    for text in given:
        name, equals, value = text.partition("=")
        if not equals or not name.strip():
            raise ConfigError(f"Option `--{option}` must be given as NAME=VALUE, but it is `{text}`.")
        if name.strip() in found:
            raise ConfigError(f"Option `--{option}` gives `{name.strip()}` twice: `{found[name.strip()]}` and `{value.strip()}`.")
        found[name.strip()] = value.strip()
    return found


def names(text: str) -> tuple[str, ...]:
    """Paths separated by commas."""
    return tuple(name.strip() for name in text.split(",") if name.strip())


def build(model: str, args: Iterable[str], sets: Iterable[str]) -> Model:
    """The model that a command names, with its arguments and paths."""
    return load_model(model, pairs("arg", args), pairs("set", sets))
