"""Settings that every test and docstring example runs under."""

import os

import jax
import numpy as np
import pytest

os.environ["MPLBACKEND"] = "Agg"
jax.config.update("jax_enable_x64", True)
jax.config.update("jax_numpy_rank_promotion", "raise")
jax.config.update("jax_numpy_dtype_promotion", "strict")


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(20181030)
