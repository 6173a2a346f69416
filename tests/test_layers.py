"""Imports run one way, and no file is too long to be read at one go."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "jaxion"
LONGEST = 400

# A module may import from its own line and from the lines above, never from below.
LAYERS = [
    "units ions errors ranges _types",
    "kernel",
    "cycle",
    "thermo",
    "mechanisms",
    "compartment structure snapshot dynamics model paths precision",
    "protocols",
    "calibration",
    "models",
    "transients setpoints",
    "checks bifurcations ledgers",
    "populations",
    "sensitivities",
    "sweeps fits",
    "plots",
    "examinations",
    "cli",
]
RANK = {module: rank for rank, line in enumerate(LAYERS) for module in line.split()}
FILES = sorted(PACKAGE.rglob("*.py"))


def imported(path):
    """Names of the modules of jaxion that a file imports, in functions as well."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path} has a relative import"
            names = [f"jaxion.{alias.name}" for alias in node.names] if node.module == "jaxion" else [node.module or ""]
        else:
            continue
        yield from (name.split(".")[1] for name in names if name.startswith("jaxion."))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.relative_to(PACKAGE).as_posix())
def test_a_module_imports_only_from_its_own_layer_and_above(path):
    module = path.relative_to(PACKAGE).parts[0].removesuffix(".py")
    if module == "__init__":
        return
    for other in imported(path):
        assert RANK[other] <= RANK[module], f"jaxion/{module} imports jaxion/{other}, which lies below it"


def test_no_file_needs_scrolling():
    folders = ["jaxion", "tests", "benchmarks", "experiments"]
    lengths = {path: len(path.read_text().splitlines()) for folder in folders for path in (ROOT / folder).rglob("*.py")}
    assert len(lengths) > 60
    assert {str(path): length for path, length in lengths.items() if length >= LONGEST} == {}
