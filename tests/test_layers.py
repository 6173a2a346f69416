"""Imports run one way, and no file is too long to be read at one go."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "jaxion"
LONGEST = 400

# The order of everything in a folder, modules and folders alike. Each may import from the lines above its own, and from nothing else.
ORDER = {
    "jaxion": [
        "_json _types errors ranges",
        "ions units kernel",
        "cycle",
        "structure thermo",
        "mechanisms",
        "compartment",
        "declaration",
        "snapshot",
        "dynamics paths",
        "model",
        "calibration populations precision protocols",
        "models setpoints",
        "checks model_loading sensitivities transients",
        "ledgers sweeps",
        "examinations fits",
        "plots",
        "cli",
    ],
    "jaxion.kernel": [
        "graph methods widths",
        "tracing",
        "system",
        "problem",
        "programs xla",
        "llvm",
        "cpu",
        "binding",
        "lowerings steady_states",
        "integrate",
    ],
    "jaxion.kernel.graph": ["nodes", "derivatives verify", "procedures", "elimination"],
    "jaxion.kernel.tracing": ["arrays", "algebra elementwise indexing", "jaxprs"],
    "jaxion.kernel.methods": ["esdirk43 matrix_sign pseudo_newton reductions rodas5p", "step_control", "lane"],
    "jaxion.kernel.programs": ["program", "newton response step", "integration variation", "adjoint tangent"],
    "jaxion.kernel.xla": ["algebra", "step", "integration replay", "batches"],
    "jaxion.kernel.llvm": [
        "engine vectors",
        "functions loops memory",
        "lane_loop operations",
        "map procedure_calls",
        "modes program",
        "adjoint_loop integration_loop newton_loop",
        "tangent_loop",
    ],
    "jaxion.kernel.cpu": ["threads", "runner", "equilibria integration responses", "tapes", "adjoint"],
    "jaxion.kernel.binding": ["ffi", "host_primitives", "equilibria integration"],
    "jaxion.mechanisms": ["base", "*", "atp_supply fxyd gat nka_oxygen perfusion sglt temperature"],
    "jaxion.populations": ["correlations distributions draws", "designs", "population"],
    "jaxion.protocols": [
        "drive numbers targets",
        "effects",
        "phases",
        "constructors protocol",
        "forms named records resolution",
    ],
    "jaxion.models": ["*", "huebel2016 huebel_dahlem2014"],
    "jaxion.setpoints": [
        "elimination",
        "reduction",
        "newton",
        "certificate implicit integrate",
        "equations point search",
        "machine_code starts",
        "batches",
        "solve",
    ],
    "jaxion.sensitivities": ["derivatives shares", "machine_code", "setpoints"],
    "jaxion.transients": [
        "diffrax_backend equations measures times",
        "measure_forms measured solution",
        "neutral starts tangents",
        "solve",
    ],
    "jaxion.sweeps": ["runs schema", "variables", "chunks store", "config inspection provenance", "result", "run"],
    "jaxion.fits": ["data", "compiled parameters", "problem", "searches", "uncertainty", "search", "populations", "files"],
    "jaxion.fits.data": ["noise recordings", "channels summaries", "experiments", "tables"],
    "jaxion.fits.parameters": ["transforms", "parameters", "starts"],
    "jaxion.fits.searches": ["descent fingerprints least_squares", "checkpoints", "run"],
    "jaxion.fits.uncertainty": ["fisher", "result", "posteriors profiles"],
    "jaxion.fits.populations": ["hyperparameters", "population_fit"],
    "jaxion.fits.files": ["folder forms", "config"],
    "jaxion.examinations": ["outcomes problems", "agreement conservation gradients machines stiff storage", "lowering", "run"],
    "jaxion.plots": ["populations", "fits transients", "plot reports"],
    "jaxion.cli": ["arguments exits trajectories", "courses output plot", "*"],
}
REST = "*"
"""The line of everything in a folder that no other line names: mechanisms, models and verbs, which know nothing of each other."""

FACE = "jaxion.kernel"
"""The package whose modules nobody else imports: what it offers is in its `__init__`."""


def named(path: Path, root: Path) -> str:
    """Name of a module's file; that of a package is its `__init__`."""
    parts = path.relative_to(root).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imported(path: Path, modules: dict[str, Path]) -> set[str]:
    """Modules of these that a file imports, in functions and for type checkers as well."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names if alias.name in modules}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path} has a relative import"
            if node.module in modules:
                hidden = verbs(modules[node.module])
                places = {alias.name: f"{node.module}.{alias.name}" for alias in node.names}
                found |= {place if place in modules and name not in hidden else node.module for name, place in places.items()}
    return found


def verbs(path: Path) -> set[str]:
    """Functions that a package offers under the name of the module that they are in: whoever imports the name gets the function."""
    if path.name != "__init__.py":
        return set()
    lines = [node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.ImportFrom)]
    return {alias.name for node in lines for alias in node.names if f".{node.module}".endswith(f".{alias.name}")}


def cycle(graph: dict[str, set[str]]) -> list[str]:
    """Modules that import each other in a circle; empty if there are none."""
    done: set[str] = set()

    def search(module: str, trail: list[str]) -> list[str]:
        if module in trail:
            return [*trail[trail.index(module) :], module]
        if module not in done:
            for other in sorted(graph[module]):
                if found := search(other, [*trail, module]):
                    return found
            done.add(module)
        return []

    return next((found for module in sorted(graph) if (found := search(module, []))), [])


def line(folder: str, child: str) -> int:
    """Number of the line that something in a folder is on."""
    lines = [text.split() for text in ORDER[folder]]
    rest = next((i for i, names in enumerate(lines) if names == [REST]), None)
    found = next((i for i, names in enumerate(lines) if child in names), rest)
    assert found is not None, f"{folder}.{child} is on no line of ORDER"
    return found


def runs_up(module: str, other: str) -> bool:
    """Whether an import of a module by another goes up: to what lies beside or below it, where their ways part."""
    own, theirs = module.split("."), other.split(".")
    shared = next((i for i, (a, b) in enumerate(zip(own, theirs, strict=False)) if a != b), min(len(own), len(theirs)))
    if shared == len(own):
        # A package collects what is in it.
        return False
    if shared == len(theirs):
        # What is in a package knows nothing of the whole.
        return True
    folder = ".".join(own[:shared])
    return line(folder, own[shared]) <= line(folder, theirs[shared])


def reaches_past_the_face(module: str, other: str) -> bool:
    return other.startswith(f"{FACE}.") and not f"{module}.".startswith(f"{FACE}.")


FILES = {named(path, ROOT): path for path in sorted(PACKAGE.rglob("*.py"))}
GRAPH = {module: imported(path, FILES) - {module} for module, path in FILES.items()}


def test_no_modules_import_each_other_in_a_circle():
    assert cycle(GRAPH) == []


@pytest.mark.parametrize("module", sorted(GRAPH))
def test_imports_run_one_way(module):
    for other in GRAPH[module]:
        # The command line uses what users use.
        if other == "jaxion" and module.startswith("jaxion.cli."):
            continue
        assert not runs_up(module, other), f"{module} imports {other}, which does not lie above it"


@pytest.mark.parametrize("module", sorted(GRAPH))
def test_nobody_reaches_past_the_face_of_the_kernel(module):
    assert [other for other in GRAPH[module] if reaches_past_the_face(module, other)] == []


def test_every_folder_has_an_order_and_every_name_in_it_is_there():
    folders = {named(path.parent / "__init__.py", ROOT) for path in FILES.values()}
    assert set(ORDER) == folders
    for folder, lines in ORDER.items():
        names = " ".join(lines).split()
        assert len(names) == len(set(names))
        assert [name for name in names if name != REST and f"{folder}.{name}" not in GRAPH] == []


WRONG = {
    "a cycle": {"jaxion/ions.py": "def f():\n    from jaxion import cycle"},
    "a cycle that only type checkers see": {
        "jaxion/ions.py": "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import jaxion.cycle"
    },
    "an import that runs up": {"jaxion/units.py": "import jaxion.model"},
    "an import that runs up inside a folder": {"jaxion/fits/data/noise.py": "from jaxion.fits.data.tables import on_function"},
    "an import that runs up between folders": {"jaxion/fits/data/noise.py": "from jaxion.fits.searches import run"},
    "distributions that know of populations": {
        "jaxion/populations/distributions.py": "from jaxion.populations.population import Population"
    },
    "measures that know of solutions": {"jaxion/transients/measures.py": "from jaxion.transients.solution import Solution"},
    "a mechanism that knows of another": {"jaxion/mechanisms/kcc2.py": "from jaxion.mechanisms.kcc import KCC"},
    "a module that imports its own package": {"jaxion/kernel/cpu/tapes.py": "from jaxion.kernel import System"},
    "a look past the kernel's face": {"jaxion/model.py": "from jaxion.kernel.graph import nodes"},
}


@pytest.mark.parametrize("lines", WRONG.values(), ids=WRONG.keys())
def test_what_is_wrong_is_found(lines, tmp_path):
    ((path, text),) = lines.items()
    (tmp_path / "wrong.py").write_text(f"{(ROOT / path).read_text()}\n{text}\n")
    module = named(ROOT / path, ROOT)
    found = imported(tmp_path / "wrong.py", FILES) - {module}
    pairs = [(module, other) for other in found - GRAPH[module]]
    assert cycle({**GRAPH, module: found}) or any(runs_up(*pair) or reaches_past_the_face(*pair) for pair in pairs)


def test_no_file_needs_scrolling():
    folders = ["jaxion", "tests", "benchmarks", "experiments"]
    lengths = {path: len(path.read_text().splitlines()) for folder in folders for path in (ROOT / folder).rglob("*.py")}
    assert len(lengths) > 60
    assert {str(path): length for path, length in lengths.items() if length >= LONGEST} == {}
