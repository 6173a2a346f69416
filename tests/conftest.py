"""Settings that every test and docstring example runs under."""

import gc
import os
from pathlib import Path

import jax
import numpy as np
import pytest

os.environ["MPLBACKEND"] = "Agg"
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
