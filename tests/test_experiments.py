"""Each experiment still finds, at a reduced size, what its README says."""

import importlib.util
import json
from pathlib import Path

import pytest

EXPERIMENTS = Path(__file__).parents[1] / "experiments"
NAMES = sorted(path.parent.name for path in EXPERIMENTS.glob("*/run.py"))


def load(name):
    spec = importlib.util.spec_from_file_location(f"experiment_{name}", EXPERIMENTS / name / "run.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_findings_hold_at_a_reduced_size(name):
    expected = json.loads((EXPERIMENTS / name / "expected.json").read_text())
    found = load(name).run(size=4096)
    assert found["ok"] == 4096
    assert expected["ok"] == 100_000
    # The statistical error of 4096 cells: a percent of a spread of some mV, a few points of a share.
    for of, wanted in expected["median"].items():
        assert found["median"][of] == pytest.approx(wanted, abs=0.3)
    for key, tolerance in (("sensitivity", 0.3), ("share", 0.03)):
        for of, row in expected[key].items():
            assert found[key][of] == pytest.approx(row, abs=tolerance)
