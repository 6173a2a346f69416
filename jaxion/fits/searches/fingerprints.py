"""Fingerprints: whether two fits are the same, as far as numbers, names and code say, in any process."""

import dataclasses
import functools
import hashlib
import inspect
from collections.abc import Mapping
from types import CodeType, FunctionType, MethodType
from typing import Any

import jax
import numpy as np

_PLAIN = (bool, int, float, complex, str, bytes, type(None))


def fingerprint(*things: Any) -> str:
    """SHA-256 of numbers, texts, arrays, containers, dataclasses and functions; of anything else only its type counts.

    Of a function its code counts, what it closes over, and the numbers and functions of its module that it names. No address of an object
    enters, so that a second process finds the same.

    Args:
        *things: What to look at.
    """
    digest = hashlib.sha256()
    for thing in things:
        _add(digest, thing, ())
    return digest.hexdigest()


def _add(digest: Any, thing: Any, above: tuple[int, ...]) -> None:
    kind = type(thing)
    digest.update(f"<{_name(kind)}>".encode())
    if isinstance(thing, _PLAIN):
        digest.update(repr(thing).encode())
    elif isinstance(thing, np.ndarray | np.generic | jax.Array):
        if isinstance(thing, jax.Array) and jax.numpy.issubdtype(thing.dtype, jax.dtypes.prng_key):
            thing = jax.random.key_data(thing)
        array = np.asarray(thing)
        digest.update(f"{array.dtype}{array.shape}".encode() + array.tobytes())
    elif isinstance(thing, type):
        digest.update(_name(thing).encode())
    elif id(thing) not in above:
        # What holds itself is looked at once.
        for part in _parts(thing):
            _add(digest, part, (*above, id(thing)))
        digest.update(b".")


def _name(kind: type) -> str:
    """A class's name, with its module: of those of jaxion without the folders between, so that a checkpoint outlives a move."""
    parts = kind.__module__.split(".")
    module = [*parts[:2], parts[-1]] if parts[0] == "jaxion" and len(parts) > 2 else parts
    return ".".join((*module, kind.__qualname__))


def _parts(thing: Any) -> list[Any]:
    thing = inspect.unwrap(thing) if callable(thing) else thing
    if isinstance(thing, functools.partial):
        return [thing.func, thing.args, thing.keywords]
    if isinstance(thing, MethodType):
        return [thing.__func__, thing.__self__]
    if isinstance(thing, FunctionType):
        return _of_function(thing)
    if dataclasses.is_dataclass(thing):
        return [(field.name, getattr(thing, field.name)) for field in dataclasses.fields(thing)]
    if isinstance(thing, Mapping):
        return [item for key in sorted(thing, key=str) for item in (key, thing[key])]
    if isinstance(thing, list | tuple):
        return list(thing)
    if isinstance(thing, set | frozenset):
        return sorted(thing, key=str)
    # A function that is not written in Python has no more than its name.
    return [str(getattr(thing, "__qualname__", getattr(thing, "__name__", "")))]


def _of_function(function: FunctionType) -> list[Any]:
    named = {name: function.__globals__[name] for name in _names(function.__code__) if name in function.__globals__}
    own = {
        name: value
        for name, value in named.items()
        if isinstance(value, (*_PLAIN, np.ndarray)) or (isinstance(value, FunctionType) and value.__module__ == function.__module__)
    }
    closed = [_content(cell) for cell in function.__closure__ or ()]
    return [function.__qualname__, *_of_code(function.__code__), function.__defaults__, function.__kwdefaults__, closed, own]


def _of_code(code: CodeType) -> list[Any]:
    constants = [part for c in code.co_consts for part in (_of_code(c) if isinstance(c, CodeType) else [c])]
    return [code.co_code, code.co_names, constants]


def _names(code: CodeType) -> tuple[str, ...]:
    inner = [name for c in code.co_consts if isinstance(c, CodeType) for name in _names(c)]
    return tuple(sorted({*code.co_names, *inner}))


def _content(cell: Any) -> Any:
    try:
        return cell.cell_contents
    except ValueError:
        # Not bound yet.
        return None
