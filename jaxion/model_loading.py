"""Finding a model by its name, or by `path/to/file.py:function`, and giving it its arguments."""

import importlib.util
import inspect
import math
import sys
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

from jaxion import models
from jaxion.errors import ConfigError, JaxionError, nearest
from jaxion.model import Model
from jaxion.paths import replace


def find_models() -> dict[str, Callable[..., Model]]:
    """Functions of the published models, by name."""
    return {name: getattr(models, name) for name in sorted(models.__all__)}


def load_model(name: str, args: Mapping[str, Any] | None = None, set: Mapping[str, Any] | None = None, folder: Path = Path(".")) -> Model:
    """Build a model from texts and numbers, as a sweep file or a command line holds them.

    Args:
        name: Name of a published model, or `path/to/file.py:function`.
        args: Arguments of the model's function, in the paper's units; a text that is a number counts as one.
        set: Values of paths, in their own units or as texts such as `"8 mM"`.
        folder: Folder that the path of a file starts from.

    Raises:
        ConfigError: There is no such model, file or function, or it does not take an argument or its value.
        PathError: A path of `set` names nothing, or something that cannot be set.
        UnitError: The unit of a value of `set` does not fit.
        ValueError: A value of `set` is outside its path's range.

    Example:
        >>> model = load_model("duesterwald2018", {"g_KCC2": "30"}, {"bath.K": "4 mM"})
        >>> float(model["bath.K"])
        4.0
    """
    function = _function(name, folder)
    arguments = _arguments(name, function, args or {})
    try:
        model = function(**arguments)
    except (JaxionError, ValueError) as error:
        raise ConfigError(f"Model `{name}` refuses its arguments: {error}") from error
    except Exception as error:
        if ":" not in name:
            raise
        raise ConfigError(f"Function `{name}` failed with {type(error).__name__}: {error}") from error
    if not isinstance(model, Model):
        raise ConfigError(f"Function `{name}` must return a jaxion.Model, but it returned a {type(model).__name__}.")
    return replace(model, set) if set else model


def load_function(name: str, folder: Path = Path(".")) -> Callable[..., Any]:
    """A function of a file, from `path/to/file.py:function`.

    Args:
        name: The file and the function in it.
        folder: Folder that the path of the file starts from.

    Raises:
        ConfigError: There is no such file, or no such function in it.
    """
    if ":" not in name:
        raise ConfigError(f"`{name}` must name a file and the function in it, such as `my.py:hill`.")
    path, function = name.rsplit(":", 1)
    return _from_file(folder / path, function)


def _function(name: str, folder: Path) -> Callable[..., Model]:
    if ":" in name:
        return load_function(name, folder)
    if name.endswith(".py"):
        raise ConfigError(f"`{name}` is a file: name the function in it that makes the model, such as `{name}:neuron`.")
    found = find_models()
    if name not in found:
        raise ConfigError(f"No model `{name}`; there are {_list(found)}, or give `path/to/file.py:function`.{nearest(name, found)}")
    return found[name]


def _from_file(path: Path, name: str) -> Callable[..., Any]:
    if not path.is_file():
        raise ConfigError(f"There is no file `{path}`.")
    module = _execute(path)
    public: dict[str, Any] = {key: value for key, value in vars(module).items() if callable(value) and not key.startswith("_")}
    own = [key for key, value in public.items() if getattr(value, "__module__", None) == module.__name__ and not inspect.isclass(value)]
    if name not in public:
        raise ConfigError(f"`{path}` has no function `{name}`; it has {_list(own) or 'none'}.{nearest(name, own)}")
    return public[name]


def _execute(path: Path) -> ModuleType:
    """Run a Python file as a module of its own, which may import its neighbours."""
    # A name of its own, so that it hides no other module; registered, since dataclasses look their module up.
    name = f"_jaxion_file_{path.stem}"
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise ConfigError(f"`{path}` is no Python file.")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    sys.path.insert(0, str(path.resolve().parent))
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        del sys.modules[name]
        raise ConfigError(f"`{path}` cannot be run: {type(error).__name__}: {error}") from error
    finally:
        sys.path.remove(str(path.resolve().parent))
    return module


def _arguments(name: str, function: Callable[..., Model], args: Mapping[str, Any]) -> dict[str, Any]:
    parameters = inspect.signature(function).parameters
    keywords = {key: p for key, p in parameters.items() if p.kind in (p.KEYWORD_ONLY, p.POSITIONAL_OR_KEYWORD)}
    anything = any(p.kind == p.VAR_KEYWORD for p in parameters.values())
    for key in args:
        if key not in keywords and not anything:
            takes = f"it takes {_list(keywords)}" if keywords else "it takes none"
            raise ConfigError(f"Model `{name}` has no argument `{key}`; {takes}.{nearest(key, keywords)}")
    for key, parameter in keywords.items():
        if parameter.default is parameter.empty and key not in args:
            raise ConfigError(f"Model `{name}` needs the argument `{key}`, which is not given.")
    defaults = {key: p.default for key, p in keywords.items()}
    return {key: _value(name, key, value, defaults.get(key)) for key, value in args.items()}


def _value(model: str, key: str, value: Any, default: Any) -> Any:
    """The value of an argument; a text is read as a number unless the argument takes texts."""
    if isinstance(default, str):
        return value
    if isinstance(default, bool):
        if str(value).lower() not in ("true", "false"):
            raise ConfigError(f"Argument `{key}` of model `{model}` must be true or false, but it is `{value}`.")
        return str(value).lower() == "true"
    if isinstance(value, str):
        try:
            value = float(value)
        except ValueError:
            if not isinstance(default, int | float):
                return value
            raise ConfigError(f"Argument `{key}` of model `{model}` must be a number in the paper's unit, but it is `{value}`.") from None
    if isinstance(value, float) and not math.isfinite(value):
        raise ConfigError(f"Argument `{key}` of model `{model}` must be finite, but it is {value}.")
    # The count of nodes, say: a whole number stays one.
    whole = isinstance(default, int) and isinstance(value, float) and value.is_integer()
    return int(value) if whole else value


def _list(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)
