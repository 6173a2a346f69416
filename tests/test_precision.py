"""Double and single precision, switched on or forgotten. Each question needs a process of its own: x64 is a switch of the whole process."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import jaxion

SINGLE = """
import json, warnings
import jax, jaxion

def outcome(call):
    try:
        return {"V": float(call()["neuron.V"])}
    except Exception as error:
        return {"error": type(error).__name__, "message": str(error)}

found = {"imported": bool(jax.config.read("jax_enable_x64"))}
found["default"] = outcome(lambda: jaxion.setpoint(jaxion.models.duesterwald2018()))
early = jaxion.models.duesterwald2018()
found["float32"] = outcome(lambda: jaxion.setpoint(early, precision="float32"))
jaxion.enable_x64()
found["early"] = outcome(lambda: jaxion.setpoint(early))
found["rebuilt"] = jaxion.models.duesterwald2018()["neuron.V"].dtype.name
print(json.dumps(found))
"""


@pytest.fixture(scope="module")
def single():
    """What a process without x64 finds."""
    root = Path(jaxion.__file__).parents[1]
    environment = {key: value for key, value in os.environ.items() if not key.startswith("JAX_")}
    environment["PYTHONPATH"] = os.pathsep.join([str(root), *filter(None, [os.environ.get("PYTHONPATH")])])
    run = subprocess.run([sys.executable, "-c", SINGLE], capture_output=True, text=True, timeout=240, env=environment, cwd=root)
    assert run.returncode == 0, run.stderr
    return json.loads(run.stdout)


def test_importing_jaxion_leaves_the_precision_alone(single):
    assert single["imported"] is False


def test_single_precision_without_saying_so_is_refused(single):
    assert single["default"]["error"] == "PrecisionError"
    assert "call `jaxion.enable_x64()` before building the model" in single["default"]["message"]
    assert 'precision="float32"' in single["default"]["message"]


def test_model_built_before_enable_x64_is_refused(single):
    assert single["early"]["error"] == "PrecisionError"
    assert single["early"]["message"].startswith("Model `duesterwald2018` was built before `jaxion.enable_x64()`")
    assert single["rebuilt"] == "float64"


def test_single_precision_gives_three_digits_to_who_asks(single):
    assert single["float32"].get("V") == pytest.approx(-72.588, rel=1e-3), single["float32"]
