"""Double precision: switched on explicitly, checked where stiff work needs it."""

import jax
import jax.numpy as jnp

from jaxion.errors import PrecisionError
from jaxion.kernel import is_single
from jaxion.model import Model


def enable_x64() -> None:
    """Let JAX use double precision from now on; importing jaxion never does this by itself.

    Call it before any model is built: numbers made earlier stay in single precision.
    """
    jax.config.update("jax_enable_x64", True)


def check_precision(model: Model, precision: str) -> None:
    """Raise `PrecisionError` unless the model is in double precision, or single was asked for knowingly."""
    if is_single(precision):
        return
    if not jax.config.read("jax_enable_x64"):
        raise PrecisionError(
            "Set-points and transients need double precision: call `jaxion.enable_x64()` before building the model, "
            'or pass `precision="float32"` to accept about three digits.'
        )
    if any(jnp.result_type(leaf) != jnp.float64 for leaf in jax.tree.leaves(model)):
        raise PrecisionError(
            f"Model `{model.name}` was built before `jaxion.enable_x64()` and holds single-precision numbers: build it again after the call."
        )
