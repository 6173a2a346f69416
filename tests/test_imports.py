"""`import jaxion` is light and changes nothing; its public names stay what they are."""

import subprocess
import sys

HEAVY = ["dask", "diffrax", "llvmlite", "matplotlib", "optax", "optimistix", "pydantic", "scipy.stats", "tqdm", "tyro", "xarray", "zarr"]


def run(code):
    done = subprocess.run([sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_importing_jaxion_loads_nothing_heavy():
    assert run(f"import sys, jaxion; print([name for name in {HEAVY} if name in sys.modules])") == "[]\n"


def test_importing_jaxion_starts_no_backend_and_leaves_the_precision_alone():
    code = """
import jax, jaxion
from jax._src import xla_bridge
print(xla_bridge.backends_are_initialized(), jax.config.read("jax_enable_x64"))
"""
    assert run(code) == "False False\n"


def test_public_names_survive_the_import_of_every_submodule():
    code = """
import importlib, pkgutil, types, jaxion
before = {name: getattr(jaxion, name) for name in jaxion.__all__}
found = [module.name for module in pkgutil.walk_packages(jaxion.__path__, "jaxion.") if not module.name.endswith("__main__")]
for name in found:
    importlib.import_module(name)
assert len(found) > 40, found
for name, value in before.items():
    assert getattr(jaxion, name) is value and not isinstance(value, types.ModuleType), name
for name in jaxion.models.__all__ + jaxion.mechanisms.__all__:
    assert callable(getattr(jaxion.models, name, None) or getattr(jaxion.mechanisms, name)), name
"""
    run(code)
