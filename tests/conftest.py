"""Settings that every test and docstring example runs under."""

import gc
import os
import subprocess
import sys
from pathlib import Path

import jax
import numpy as np
import pytest
from jaxtyping import install_import_hook

os.environ["MPLBACKEND"] = "Agg"

QUICK = ("--xla_backend_optimization_level=1", "--xla_llvm_disable_expensive_passes=true", "--xla_cpu_use_fusion_emitters=false")
"""Less work for XLA's compiler, in which the suite would spend three quarters of its time. `XLA_FLAGS= pytest` has it work as usual.

Level 0 would take a fifth less, but is not to be trusted: with JAX 0.12.0.1 four of a thousand cells got a wrong potential of zero current.
"""


def taken_by_xla(flags: tuple[str, ...]) -> list[str]:
    """Flags that XLA takes: a throw-away process is started with each, and XLA aborts one whose flag it does not know."""
    start = [sys.executable, "-c", "import jax; jax.devices()"]
    asked = {
        flag: subprocess.Popen(start, env={**os.environ, "JAX_PLATFORMS": "cpu", "XLA_FLAGS": flag}, stderr=subprocess.DEVNULL)
        for flag in flags
    }
    return [flag for flag, process in asked.items() if process.wait() == 0]


# The processes that run the tests inherit the answer.
if "XLA_FLAGS" not in os.environ:
    os.environ["XLA_FLAGS"] = " ".join(taken_by_xla(QUICK))
jax.config.update("jax_enable_x64", True)
jax.config.update("jax_numpy_rank_promotion", "raise")
jax.config.update("jax_numpy_dtype_promotion", "strict")


SCALAR = ("jaxion.kernel.graph", "jaxion.kernel.tracing", "jaxion.kernel.programs", "jaxion.kernel.llvm")
"""Folders without arrays: their few classes of scalars are called a hundred thousand times for a model, and pyright checks them."""


def pytest_configure(config):
    """Have all arguments and results of jaxion checked, with their shapes, in the quick tests; slow ones that were tried took a third longer with it."""
    if config.option.markexpr.startswith("not slow"):
        folder = Path(__file__).parents[1] / "jaxion"
        files = [path.relative_to(folder.parent).with_suffix("") for path in folder.rglob("*.py") if path.stem != "__init__"]
        names = [".".join(file.parts) for file in files]
        install_import_hook([name for name in names if not name.startswith(SCALAR)], "beartype.beartype")


MAPPINGS = 20_000
"""Memory mappings of the process, of which the kernel allows some 65,000; a compiled program takes several."""


@pytest.fixture(autouse=True, scope="module")
def few_compiled_programs():
    """Forget compiled programs before they are too many: beyond the limit of mappings the compiler crashes."""
    yield
    maps = Path("/proc/self/maps")
    if maps.exists() and len(maps.read_text().splitlines()) > MAPPINGS:
        jax.clear_caches()
        gc.collect()


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(20181030)


@pytest.fixture(scope="module")
def any_lowering():
    """For tests of lowerings themselves: whatever the environment prefers does not count."""
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("JAXION_LOWERING", raising=False)
        yield
