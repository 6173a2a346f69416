"""Versions, devices, precision, and whether "auto" takes the fast road."""

import os
import platform
from typing import Final

import jax
import jax.numpy as jnp
import numpy as np

from jaxion.examinations.outcomes import Finding, Procedure
from jaxion.kernel import VARIABLE, automatic, cores
from jaxion.sweeps import provenance

PACKAGES: Final = (*provenance.PACKAGES, "llvmlite", "diffrax", "equinox", "xarray")


def versions() -> dict[str, str]:
    """Versions of Python and of the packages that take part."""
    return {"python": platform.python_version(), **provenance.versions(PACKAGES)}


def devices() -> list[str]:
    """Kind of each device; where JAX has none, why."""
    try:
        return provenance.devices()
    except RuntimeError as error:
        return [f"none: {error}"]


def examinations() -> list[Procedure]:
    """Double precision, and the lowering."""
    return [Procedure("x64", 2.0**-52, _precision), Procedure("lowering", fastest(), _lowering)]


def fastest() -> str:
    """The lowering that "auto" is to take here: machine code on a CPU, unless the environment says otherwise."""
    chosen = os.environ.get(VARIABLE, "auto")
    return chosen if chosen != "auto" else "llvm" if devices()[0] == "cpu" else "xla"


def _precision() -> Finding:
    steps = 2.0 ** -np.arange(1.0, 80.0)
    # By the device itself: what is switched on and what it computes with are two questions.
    seen = np.asarray(jnp.asarray(steps, float) + 1.0 > 1.0)
    found = float(steps[seen].min())
    advice = "" if jax.config.read("jax_enable_x64") else "; call `jaxion.enable_x64()` first"
    return Finding(found, f"smallest number that changes 1, in {jnp.result_type(float)}{advice}")


def _lowering() -> Finding:
    taken, why = automatic()
    what = {"llvm": "machine code", "xla": "jax.numpy"}[taken]
    return Finding(taken, f'"auto" takes {what}: {why}; {vectors()}, {cores()} cores')


def vectors() -> str:
    """How many numbers the processor computes with at once, in words."""
    try:
        # Not before it is needed: LLVM is large, and may not be there.
        from jaxion.kernel import vector_width
    except ImportError:
        return "vectors not known without llvmlite"
    return f"vectors of {vector_width()} numbers"
