"""Which lowering runs, machine code or `jax.numpy`, and why it is not the faster one."""

import functools
import importlib.util
import os
import warnings
from collections.abc import Callable
from typing import Final, TypeVar

import jax
import jax.numpy as jnp

from jaxion.errors import nearest
from jaxion.kernel.problem import Course, Given, Plan
from jaxion.kernel.tracing.arrays import UnknownPrimitive

LOWERINGS: Final = ("auto", "llvm", "xla")
"""What can be asked for: the fastest that is possible, machine code, `jax.numpy`."""

VARIABLE: Final = "JAXION_LOWERING"
"""Environment variable that says what "auto" means in this process."""

T = TypeVar("T")


class NoMachineCode(ValueError):
    """Machine code was asked for where there can be none.

    Args:
        why: What stands in the way, as the end of a sentence.
    """

    def __init__(self, why: str):
        super().__init__(f"Argument `lowering` is `llvm`, but there can be no machine code: {why}.")
        self.why = why


def check_lowering(lowering: str, given: str = "Argument `lowering`") -> None:
    """Raise `ValueError` if there is no such lowering; `given` says what named it."""
    if lowering not in LOWERINGS:
        raise ValueError(f"{given} must be one of {', '.join(LOWERINGS)}, but it is `{lowering}`.{nearest(lowering, LOWERINGS)}")


def _preferred() -> str:
    """What the environment says that "auto" is."""
    chosen = os.environ.get(VARIABLE, "auto")
    check_lowering(chosen, f"Environment variable `{VARIABLE}`")
    return chosen


def automatic() -> tuple[str, str]:
    """What "auto" takes in this process where the equations allow it, and why, as the end of a sentence.

    Raises:
        ValueError: `VARIABLE` names no lowering.
    """
    chosen = _preferred()
    if chosen != "auto":
        return chosen, f"`{VARIABLE}` says so"
    if jax.default_backend() != "cpu":
        return "xla", "machine code is for a CPU"
    obstacle = _obstacle()
    return ("llvm", "the faster one") if obstacle is None else ("xla", obstacle)


def run_lowered(plan: Plan, given: Given, lowering: str, portably: Callable[[Plan, Given], Course]) -> Course:
    """All cells, by machine code or portably.

    Raises:
        ValueError: There is no such lowering.
        NoMachineCode: It was asked for, but is not possible here.
    """

    def natively() -> Course:
        # Not before it is needed: LLVM is large, and `import jaxion` is light.
        from jaxion.kernel.binding import integration

        return integration.run(plan, given)

    return lowered(lowering, natively, lambda: portably(plan, given), "Cells are integrated")


def lowered(lowering: str, natively: Callable[[], T], portably: Callable[[], T], done: str) -> T:
    """What machine code gives, or `jax.numpy` where that was chosen or there can be none, with one warning.

    Args:
        lowering: One of `LOWERINGS`.
        natively: Runs machine code; `UnknownPrimitive` says that there is none.
        portably: Runs `jax.numpy`.
        done: What is done, to begin the warning's sentence.

    Raises:
        ValueError: There is no such lowering.
        NoMachineCode: It was asked for, but is not possible here.
    """
    check_lowering(lowering)
    lowering = _preferred() if lowering == "auto" else lowering
    if lowering == "xla" or (lowering == "auto" and jax.default_backend() != "cpu"):
        return portably()
    obstacle = _obstacle()
    if obstacle is None:
        try:
            return natively()
        except UnknownPrimitive as unknown:
            obstacle = f"the equations use {unknown}, which has none"
    if lowering == "llvm":
        raise NoMachineCode(obstacle)
    warn_once(f"{done} by `jax.numpy`, several times slower than by machine code: {obstacle}.")
    return portably()


@functools.cache
def warn_once(message: str) -> None:
    """Warn, the first time in a process."""
    warnings.warn(message, stacklevel=5)


def _obstacle() -> str | None:
    """Why there can be no machine code, whatever the equations."""
    if importlib.util.find_spec("llvmlite") is None:
        return "llvmlite is not installed"
    if jnp.result_type(float) != jnp.float64:
        return "it computes in float64, which `jaxion.enable_x64()` turns on"
    from jaxion.kernel.binding import ffi

    return ffi.obstacle()
