"""Host functions inside of compiled JAX programs, without a copy: a handler of XLA's foreign function interface.

XLA calls the handler with the addresses of its buffers, and the handler calls a function of NumPy arrays that lie in them.
That function may not touch JAX, which could wait for the very thread that runs it.
"""

import ctypes
import functools
import itertools
import re
import secrets
from collections.abc import Callable, Sequence
from ctypes import POINTER, Structure, c_char_p, c_int, c_int64, c_size_t, c_uint32, c_void_p
from pathlib import Path
from typing import Any, Final

import jax
import numpy as np

Host = Callable[[list[np.ndarray], list[np.ndarray]], None]
"""From operands to results, which it fills in."""

TARGET: Final = "jaxion_host"
MAJOR: Final = 0
"""Version of the interface whose structures are those below; a minor version only adds to them."""


class _Extension(Structure):
    _fields_ = (("size", c_size_t), ("kind", c_int), ("next", c_void_p))


class _Version(Structure):
    _fields_ = (("size", c_size_t), ("extension", c_void_p), ("major", c_int), ("minor", c_int))


class _Metadata(Structure):
    _fields_ = (("size", c_size_t), ("version", _Version), ("traits", c_uint32))


class _MetadataExtension(Structure):
    _fields_ = (("base", _Extension), ("metadata", POINTER(_Metadata)))


class _Api(Structure):
    _fields_ = (("size", c_size_t), ("extension", c_void_p), ("version", _Version), ("internal", c_void_p), ("create_error", c_void_p))


class _Error(Structure):
    _fields_ = (("size", c_size_t), ("extension", c_void_p), ("message", c_char_p), ("code", c_int))


class _Buffer(Structure):
    _fields_ = (
        ("size", c_size_t),
        ("extension", c_void_p),
        ("dtype", c_int),
        ("data", c_void_p),
        ("rank", c_int64),
        ("dims", POINTER(c_int64)),
    )


class _Scalar(Structure):
    _fields_ = (("dtype", c_int), ("value", POINTER(c_int64)))


class _List(Structure):
    _fields_ = (("size", c_size_t), ("extension", c_void_p), ("count", c_int64), ("kinds", c_void_p), ("items", POINTER(c_void_p)))


class _Attributes(Structure):
    _fields_ = (*_List._fields_[:4], ("names", c_void_p), ("items", POINTER(c_void_p)))


class _Frame(Structure):
    _fields_ = (
        *(("size", c_size_t), ("extension", POINTER(_MetadataExtension)), ("api", POINTER(_Api)), ("context", c_void_p), ("stage", c_int)),
        *(("operands", _List), ("results", _List), ("attributes", _Attributes)),
    )


_METADATA: Final = 1
_INTERNAL: Final = 13
_DTYPES: Final = {12: np.dtype(np.float64), 5: np.dtype(np.int64)}
_hosts: dict[int, Host] = {}
# The numbers of another process mean nothing in this one, and a program that JAX kept on disk holds such a number.
_numbers = itertools.count(secrets.randbits(40) << 20)


@functools.cache
def version() -> tuple[int, int]:
    """Major and minor version of the interface of the installed JAX."""
    header = (Path(jax.ffi.include_dir()) / "xla/ffi/api/c_api.h").read_text()
    found = [re.search(rf"#define XLA_FFI_API_{part} (\d+)", header) for part in ("MAJOR", "MINOR")]
    return tuple(int(match[1]) if match else -1 for match in found)  # type: ignore[return-value]


@functools.cache
def obstacle() -> str | None:
    """Why host functions cannot be called, or None; registers the handler the first time."""
    major, minor = version()
    if major != MAJOR:
        return f"JAX {jax.__version__} has version {major}.{minor} of XLA's foreign function interface, and {MAJOR}.x is needed"
    new = ctypes.pythonapi.PyCapsule_New
    new.restype, new.argtypes = ctypes.py_object, [c_void_p, c_char_p, c_void_p]
    jax.ffi.register_ffi_target(TARGET, new(ctypes.cast(_handler, c_void_p).value, None, None), platform="cpu")
    return None


def numbered(host: Host) -> int:
    """A number for a host function, which is kept for the rest of the process: programs that call it hold nothing else of it."""
    number = next(_numbers)
    _hosts[number] = host
    return number


def call(ctx: Any, operands: Sequence[Any], number: int) -> Any:
    """Lowering of a primitive to a call of a numbered host function."""
    return jax.ffi.ffi_lowering(TARGET)(ctx, *operands, number=np.int64(number))


@ctypes.CFUNCTYPE(c_void_p, POINTER(_Frame))
def _handler(pointer: Any) -> int | None:
    frame = pointer.contents
    if frame.extension and frame.extension.contents.base.kind == _METADATA:
        # The question which version was expected: that of the installed JAX. Who asks need not say which it is: in JAX 0.8 there is no `api`.
        answer = frame.extension.contents.metadata.contents
        (answer.version.major, answer.version.minor), answer.traits = version(), 0
        return None
    try:
        number = ctypes.cast(frame.attributes.items[0], POINTER(_Scalar)).contents.value[0]
        _hosts[number](_arrays(frame.operands), _arrays(frame.results))
    except BaseException as error:
        # No exception can pass through XLA.
        create = ctypes.CFUNCTYPE(c_void_p, POINTER(_Error))(frame.api.contents.create_error)
        return create(_Error(ctypes.sizeof(_Error), None, f"{type(error).__name__}: {error}".encode(), _INTERNAL))
    return None


def _arrays(buffers: _List) -> list[np.ndarray]:
    found = []
    for i in range(buffers.count):
        buffer = ctypes.cast(buffers.items[i], POINTER(_Buffer)).contents
        shape = tuple(buffer.dims[k] for k in range(buffer.rank))
        dtype, size = _DTYPES[buffer.dtype], int(np.prod(shape))
        # An empty buffer need not have an address.
        memory = (ctypes.c_char * (size * dtype.itemsize)).from_address(buffer.data) if size else bytearray()
        found.append(np.frombuffer(memory, dtype, size).reshape(shape))
    return found
