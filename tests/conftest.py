"""Settings that every test and docstring example runs under."""

import gc
import mmap
import os
from pathlib import Path

import jax
import jaxlib
import numpy as np
import pytest

os.environ["MPLBACKEND"] = "Agg"

QUICK = ("xla_backend_optimization_level=1", "xla_llvm_disable_expensive_passes=true", "xla_cpu_use_fusion_emitters=false")
"""Less work for XLA's compiler, in which the suite would spend three quarters of its time. `XLA_FLAGS= pytest` has it work as usual."""


def known_to_xla(flags: tuple[str, ...]) -> list[str]:
    """Flags that this jaxlib has: a process with any other would be aborted."""
    (library,) = [*Path(jaxlib.__file__).parent.glob("libjax_common*"), *Path(jaxlib.__file__).parent.glob("xla_extension*")][:1]
    with library.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        return [f"--{flag}" for flag in flags if content.find(flag.partition("=")[0].encode()) >= 0]


if "XLA_FLAGS" not in os.environ:
    os.environ["XLA_FLAGS"] = " ".join(known_to_xla(QUICK))
jax.config.update("jax_enable_x64", True)
jax.config.update("jax_numpy_rank_promotion", "raise")
jax.config.update("jax_numpy_dtype_promotion", "strict")


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
