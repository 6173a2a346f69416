"""The recipes of CONTRIBUTING.md work as they stand: one new file and one line, and everything knows the new mechanism or model."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
RECIPE = re.compile(
    r"One new file, `(?P<file>[^`]+)`:\n\n```python\n(?P<code>.*?)```\n\nand one line in `(?P<index>[^`]+)`:\n\n```python\n(?P<line>[^\n]+)\n```",
    re.DOTALL,
)
RECIPES = {Path(match["file"]).stem: match.groupdict() for match in RECIPE.finditer((ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8"))}

USES = {
    "swap": """
import jaxion
from jaxion.mechanisms import Leak, NaKATPaseKager, Swap
assert "Swap" in jaxion.mechanisms.__all__
cell = jaxion.models.duesterwald2018()
old = cell.membranes["neuron"]
mechanisms = {**old.mechanisms, "swap": Swap(u=0.05)}
membrane = jaxion.Membrane("neuron", "bath", mechanisms, C=old.C, V=old.V, charge=old.charge)
mine = jaxion.Model(cell.compartments, cell.baths, [membrane])
assert jaxion.check(mine).ok
print(float(jaxion.setpoint(mine)["neuron.V"]), float(mine["neuron.swap.J_Na"]))
""",
    "doe2026": """
import jaxion
model = jaxion.models.doe2026()
assert jaxion.check(model).ok
print(float(jaxion.setpoint(model)["neuron.V"]))
""",
}
GENERIC = {"swap": ("tests/mechanisms/test_mechanisms.py", "Swap", 10), "doe2026": ("tests/models/test_models.py", "doe2026", 10)}
SHELL = {"swap": [["list", "mechanisms"]], "doe2026": [["list", "models"], ["check", "doe2026"], ["setpoint", "doe2026"]]}

pytestmark = pytest.mark.slow


def test_there_are_two():
    assert set(RECIPES) == set(USES) == set(GENERIC) == set(SHELL)


@pytest.fixture(scope="module", params=USES)
def followed(request, tmp_path_factory):
    """A recipe's name, and what runs Python in a copy of the project in which it was followed."""
    folder, recipe = tmp_path_factory.mktemp(request.param), RECIPES[request.param]
    for part in ("jaxion", "tests"):
        shutil.copytree(ROOT / part, folder / part, ignore=shutil.ignore_patterns("__pycache__"))
    for part in ("pyproject.toml", "README.md"):
        shutil.copy(ROOT / part, folder / part)
    assert not (folder / recipe["file"]).exists()
    (folder / recipe["file"]).write_text(recipe["code"], encoding="utf-8")
    index = folder / recipe["index"]
    head, last = index.read_text(encoding="utf-8").split("\n\n#", 1)
    index.write_text(f"{head}\n{recipe['line']}\n\n#{last}", encoding="utf-8")
    environment = {**os.environ, "PYTHONPATH": str(folder), "JAX_ENABLE_X64": "1"}

    def python(*words):
        done = subprocess.run([sys.executable, *words], cwd=folder, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    assert Path(python("-c", "import jaxion; print(jaxion.__file__)").strip()).is_relative_to(folder)
    return request.param, python


def test_what_is_new_can_be_used(followed):
    name, python = followed
    numbers = [float(number) for number in python("-c", USES[name]).split()]
    assert -100 < numbers[0] < -40
    assert all(numbers)


def test_the_command_line_knows_it(followed):
    name, python = followed
    for words in SHELL[name]:
        said = python("-c", "import sys; from jaxion.cli import main; sys.exit(main(sys.argv[1:]))", *words)
        assert GENERIC[name][1] in said or words[0] != "list"


def test_the_generic_tests_run_on_it(followed):
    name, python = followed
    file, word, fewest = GENERIC[name]
    said = python("-m", "pytest", "-n", "0", "-q", "-p", "no:cacheprovider", file, "-k", word, "-m", "not slow")
    passed = re.search(r"(\d+) passed", said)
    assert passed
    assert int(passed[1]) >= fewest
    python("-m", "pytest", "-n", "0", "-q", "-p", "no:cacheprovider", "tests/test_layers.py", "-k", name)
