"""What the version before wrote is read by this one, as it is installed from a wheel: files of sweeps and fits, stores, folders of fits.

`data/before` holds a sweep that was ended after one of its two chunks, with the values of both (`sweep.json`), a fit, and the same fit ended
after four steps; all were written before the modules of jaxion were put into folders.
"""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

BEFORE = Path(__file__).parent / "data" / "before"
ROOT = Path(__file__).parents[1]

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """A folder in which a wheel of the package is installed."""
    folder = tmp_path_factory.mktemp("wheel")
    pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, "wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", folder, ROOT], check=True)
    (wheel,) = folder.glob("jaxion-*.whl")
    subprocess.run([*pip, "install", "--no-deps", "--target", folder / "site", wheel], check=True)
    return folder / "site"


@pytest.fixture
def run(site, tmp_path):
    """Runs Python with the installed package beside a copy of what was written."""
    folder = shutil.copytree(BEFORE, tmp_path / "before")
    environment = {**os.environ, "PYTHONPATH": str(site), "MPLBACKEND": "Agg"}

    def python(*words):
        done = subprocess.run([sys.executable, *words], cwd=folder, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    assert Path(python("-c", "import jaxion; print(jaxion.__file__)").strip()).is_relative_to(site)
    return folder, python


def shell(python, *words):
    return python("-c", "import sys; from jaxion.cli import main; sys.exit(main(sys.argv[1:]))", *words)


def test_a_store_is_read_and_resumed(run):
    folder, python = run
    assert json.loads(shell(python, "status", "sweep.zarr", "--json"))["done"] == 6
    shell(python, "resume", "sweep.zarr")
    code = """
import json, sys, jaxion
found = jaxion.open_store("sweep.zarr").ds
print(json.dumps({name: found[name].values.tolist() for name in sys.argv[1:]}))
"""
    expected = json.loads((folder / "sweep.json").read_text())
    found = json.loads(python("-c", code, *expected))
    assert len(found["status"]) == 12
    for name, values in expected.items():
        # The chunk that was stored to the last bit; the one that is computed now as far as processors agree.
        assert first(found[name]) == first(values), name
        assert flat(found[name]) == pytest.approx(flat(values), rel=1e-9), name


def test_a_file_of_a_sweep_means_what_it_meant(run):
    folder, python = run
    code = (
        "import json, jax; jax.config.update('jax_enable_x64', True); from jaxion.sweeps import run_file; found = run_file('sweep.toml').ds"
    )
    top = json.loads(python("-c", f"{code}; print(json.dumps(found['top'].values.tolist()))"))
    assert top == pytest.approx(json.loads((folder / "sweep.json").read_text())["top"], rel=1e-9)


def test_a_fit_is_read_shown_and_drawn(run):
    folder, python = run
    shell(python, "report", "fit")
    assert "neuron.kcc2.g" in (folder / "fit" / "report.html").read_text()
    shell(python, "plot", "fit", "--out", "fit.png")
    assert (folder / "fit.png").stat().st_size > 10_000


def test_a_fit_that_was_ended_goes_on_to_the_same_end(run):
    folder, python = run
    found = json.loads(shell(python, "fit", "fit.toml", "--out", "unfinished", "--json"))
    whole, ended = (json.loads((folder / name / "fit.json").read_text()) for name in ("fit", "unfinished"))
    assert found["values"] == pytest.approx(whole["values"], rel=1e-9)
    # The steps before it was ended are those of the checkpoint, to the last bit.
    assert ended["starts"]["history"][:4] == whole["starts"]["history"][:4]


def flat(values):
    return [number for value in values for number in (flat(value) if isinstance(value, list) else [value])]


def first(values):
    """Those of the first six cells, which are the last axis."""
    return [first(row) for row in values] if isinstance(values[0], list) else values[:6]
