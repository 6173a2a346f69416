"""Sweep files: what they say is what is computed, and every mistake in them is answered by its key."""

import itertools
import math

import numpy as np
import pytest

import jaxion
from jaxion.errors import ConfigError, StoreError
from jaxion.model_loading import find_models, load_model
from jaxion.populations.designs import Sample
from jaxion.sweeps import read_config, run_file
from jaxion.sweeps.provenance import attributes
from jaxion.sweeps.store import create

SAMPLE = """
[model]
name = "duesterwald2018"
args = { g_KCC2 = 30.0, closure = "difference" }
set = { "bath.K" = "4 mM", "neuron.nka.activity" = 0.9 }

[cells]
design = "sample"
size = 20
seed = 5
[cells.vary]
"neuron.kcc2.g" = { lognormal = 0.3 }
"bath.Na" = { normal = "500 µM" }
"neuron.z" = { uniform = [-0.9, -0.8] }
"neuron.leak_Na.g" = { factor = [0.5, 2] }

[run]
start = "setpoint"
chunk = 6

[sensitivity]
of = ["neuron.V", "neuron.Cl"]
wrt = ["neuron.kcc2.g"]
"""

GRID = """
[model]
name = "duesterwald2018"
[cells]
design = "grid"
[cells.vary]
"bath.K" = { values = ["3 mM", 8] }
"neuron.kcc2.g" = { linspace = ["100 pS", 0.3, 3] }
"neuron.leak_Na.g" = { logspace = [0.1, 0.4, 3] }
"""

# The same shapes as in test_sweeps.py, which are then compiled once.
QUICK = """
[model]
name = "duesterwald2018"
[cells]
design = "sample"
size = 20
seed = 5
[cells.vary]
"neuron.kcc2.g" = { lognormal = 0.3 }
"neuron.nka.activity" = { factor = [0.8, 1.5] }
"neuron.volume" = { lognormal = 0.2 }
[run]
chunk = 6
[sensitivity]
of = ["neuron.V", "neuron.Cl"]
wrt = ["neuron.kcc2.g", "bath.K"]
"""

OWN = '''
"""A model of one's own."""
import neighbour
import jaxion

def neuron(strength=1.0, nodes=1, *, kind="plain"):
    assert isinstance(nodes, int)
    return jaxion.replace(jaxion.models.duesterwald2018(), {"neuron.nka.activity": strength * neighbour.FACTOR})

def broken():
    return 1 / 0

def number():
    return 3.0

def needy(strength):
    return neuron(strength)
'''


@pytest.fixture
def folder(tmp_path):
    """A sweep file of each kind, and a Python file with models beside them."""
    (tmp_path / "sample.toml").write_text(SAMPLE)
    (tmp_path / "grid.toml").write_text(GRID)
    (tmp_path / "own.py").write_text(OWN)
    (tmp_path / "neighbour.py").write_text("FACTOR = 2.0\n")
    (tmp_path / "wrong.py").write_text("import nowhere_to_be_found\n")
    (tmp_path / "own.toml").write_text(GRID.replace('name = "duesterwald2018"', 'file = "own.py:neuron"\nargs = { strength = 0.6 }'))
    return tmp_path


def edited(folder, text, old, new):
    assert old in text
    (folder / "edited.toml").write_text(text.replace(old, new))
    return folder / "edited.toml"


# What a file says.


def test_sample_file_is_the_population_that_it_says(folder):
    found = read_config(folder / "sample.toml").plan()
    base = jaxion.replace(jaxion.models.duesterwald2018(g_KCC2=30.0, closure="difference"), {"bath.K": 4.0, "neuron.nka.activity": 0.9})
    wanted = jaxion.Population.sample(
        base,
        {
            "neuron.kcc2.g": jaxion.LogNormal(0.3),
            "bath.Na": jaxion.Normal(0.5),
            "neuron.z": jaxion.Uniform(-0.9, -0.8),
            "neuron.leak_Na.g": jaxion.Factor(0.5, 2.0),
        },
        size=20,
        seed=5,
    )
    assert found.cells.fingerprint == wanted.fingerprint
    assert (found.request.of, found.request.wrt, found.chunk) == (("neuron.V", "neuron.Cl"), ("neuron.kcc2.g",), 6)


def test_a_file_says_what_is_correlated(folder):
    pair = 'seed = 5\ncorrelation = [["neuron.kcc2.g", "bath.Na", 0.5]]'
    found = read_config(edited(folder, SAMPLE, "seed = 5", pair)).population()
    without = read_config(folder / "sample.toml").population()
    assert isinstance(found.design, Sample)
    same = jaxion.Population.sample(
        found.base, found.design.distributions, size=20, seed=5, correlation={("bath.Na", "neuron.kcc2.g"): 0.5}
    )
    assert found.fingerprint == same.fingerprint
    assert found.fingerprint != without.fingerprint


def test_grid_file_is_the_population_that_it_says(folder):
    found = read_config(folder / "grid.toml").population()
    wanted = list(itertools.product([3.0, 8.0], [0.1, 0.2, 0.3], [0.1, 0.2, 0.4]))
    np.testing.assert_allclose(np.stack(list(found.table.values()), axis=1), wanted, rtol=1e-14)


def test_model_is_found_beside_the_sweep_file(folder, monkeypatch):
    monkeypatch.chdir(folder.parent)
    model = read_config(folder / "own.toml").model()
    assert float(model["neuron.nka.activity"]) == 1.2


def test_store_of_a_file_resumes_by_itself(folder):
    store, file = folder / "store", folder / "quick.toml"
    file.write_text(QUICK)
    made = run_file(file, store)
    assert made.ok.all()
    assert made.ds.attrs["config"] == QUICK
    assert made.ds.attrs["seed"] == 5
    np.testing.assert_array_equal(run_file(file, chunk=20).ds["sensitivity"], made.ds["sensitivity"])
    files = {file: file.read_bytes() for file in store.glob("*/c/**/*") if file.is_file()}
    assert sum(file.parent.parent.name == "status" for file in files) == math.ceil(20 / 6)
    for name in ("status/c/1", "neuron.V/c/1", "neuron.Cl/c/3"):
        (store / name).unlink()
    # The file itself is not needed any more.
    file.unlink()
    assert jaxion.store_status(store)["missing_chunks"] == 2
    assert jaxion.resume(store).ok.all()
    assert {file: file.read_bytes() for file in store.glob("*/c/**/*") if file.is_file()} == files
    # A text that was changed since is refused.
    (store / "status" / "c" / "1").unlink()
    metadata = store / "zarr.json"
    metadata.write_text(metadata.read_text().replace("seed = 5", "seed = 6"))
    with pytest.raises(StoreError, match="belongs to another sweep: `seed` is 5 in the store and 6 now"):
        jaxion.resume(store)


def test_changed_model_file_is_refused(folder):
    store = folder / "store"
    config = read_config(folder / "own.toml")
    plan = config.plan()
    create(store, plan.variables, {}, len(plan.cells), plan.chunk, attributes(plan, config.text, config.file))
    (folder / "own.py").write_text(OWN.replace("strength * neighbour.FACTOR", "strength"))
    with pytest.raises(StoreError, match=r"`neuron\.nka\.activity` is 1\.2 in the store and 0\.6 now"):
        jaxion.resume(store)
    (folder / "own.py").unlink()
    with pytest.raises(ConfigError, match=r"own.toml`, key `model`: There is no file `.*own.py`"):
        jaxion.resume(store)


# Mistakes.

WRONG = [
    # Keys, in every table.
    (
        SAMPLE,
        "[cells]",
        "[cels]",
        r"key `cels` is not known; a sweep file takes `model`, `cells`, `run`, `measure` and `sensitivity`\. Did you mean `cells`\?",
    ),
    (SAMPLE, "name =", "nmae =", r"key `model\.nmae` is not known; table `model` takes .* Did you mean `name`\?"),
    (
        SAMPLE,
        "size =",
        "sizes =",
        r"key `cells\.sizes` is not known; table `cells` takes `design`, `size`, `seed`, `correlation` and `vary`\. Did you mean `size`\?",
    ),
    (SAMPLE, "start =", "strat =", r"key `run\.strat` is not known; .* Did you mean `start`\?"),
    (SAMPLE, "of =", "off =", r"key `sensitivity\.off` is not known; .* Did you mean `of`\?"),
    (
        SAMPLE,
        "lognormal",
        "lognrmal",
        r'key `cells\.vary\."neuron\.kcc2\.g"\.lognrmal` is not known; .* `factor`\. Did you mean `lognormal`',
    ),
    # Paths.
    (
        SAMPLE,
        '"neuron.kcc2.g" = {',
        '"neuron.kcc2.G" = {',
        r'key `cells\.vary\."neuron\.kcc2\.G"`: No path `neuron\.kcc2\.G` .* Did you mean `neuron\.kcc2\.g`',
    ),
    (SAMPLE, '"bath.K" =', '"bath.k" =', r'key `model\.set\."bath\.k"`: No path `bath\.k` .*`bath\.K`'),
    (SAMPLE, '["neuron.V", "neuron.Cl"]', '["neuron.v"]', r"key `sensitivity\.of`: No path `neuron\.v` .*`neuron\.V`"),
    (SAMPLE, 'wrt = ["neuron.kcc2.g"]', 'wrt = ["neuron.E_Cl"]', r"key `sensitivity\.wrt`: `neuron\.E_Cl` follows from the state"),
    (SAMPLE, '["neuron.V", "neuron.Cl"]', '["neuron.V", "neuron.V"]', r"key `sensitivity`: .*names `neuron\.V` twice"),
    # Models and arguments.
    (
        SAMPLE,
        '"duesterwald2018"',
        '"dusterwald2018"',
        r"key `model`: No model `dusterwald2018`; there are .* Did you mean `duesterwald2018`",
    ),
    (
        SAMPLE,
        "g_KCC2 =",
        "gKCC2 =",
        r"key `model`: Model `duesterwald2018` has no argument `gKCC2`; it takes `g_Na`, .* Did you mean `g_KCC2`",
    ),
    (SAMPLE, '"difference"', '"diference"', r"key `model`: Model `duesterwald2018` refuses its arguments: .* Did you mean `difference`"),
    (SAMPLE, 'name = "duesterwald2018"', "", r"key `model` must hold either `name` or `file`"),
    (SAMPLE, "[model]", '[model]\nfile = "own.py:neuron"', r"key `model` must hold either `name` or `file`"),
    (
        SAMPLE,
        'name = "duesterwald2018"',
        'file = "own.py:nuron"',
        r"key `model`: `.*own\.py` has no function `nuron`; it has .* Did you mean `neuron`",
    ),
    # Values.
    (SAMPLE, '"4 mM"', '"4 mV"', r'key `model\.set\."bath\.K"`: `bath\.K` is in mM, but `4 mV` is in mV'),
    (SAMPLE, '"4 mM"', "-4", r'key `model\.set\."bath\.K"`: `bath\.K` must be positive'),
    (SAMPLE, '"4 mM"', "true", r'key `model\.set\."bath\.K"` must be a finite number, or a text with a unit .* but it is `True`'),
    (SAMPLE, "size = 20", "size = 2.5", r"key `cells\.size` must be a whole number, 1 or more, but it is `2\.5`"),
    (
        SAMPLE,
        "seed = 5",
        "correlation = [0.5]",
        r'key `cells\.correlation` must be a list such as \[\["neuron.kcc2.g", "neuron.leak_K.g", 0.5\]\]',
    ),
    (
        SAMPLE,
        "seed = 5",
        'correlation = [["bath.Na", "bath.K", 0.5]]',
        r"key `cells`: Argument `correlation` names `bath.K`, which does not vary",
    ),
    (GRID, "[cells]", "[cells]\ncorrelation = [['bath.K', 'neuron.kcc2.g', 0.5]]", r"`cells\.correlation` goes with the design `sample`"),
    (SAMPLE, "size = 20", "", r"key `cells\.size` is missing"),
    (SAMPLE, "seed = 5", "seed = -5", r"key `cells\.seed` must be a whole number, 0 or more, but it is `-5`"),
    (SAMPLE, "chunk = 6", "chunk = 0", r"key `run\.chunk` must be a whole number, 1 or more"),
    (SAMPLE, "{ lognormal = 0.3 }", "0.3", r'key `cells\.vary\."neuron\.kcc2\.g"` must be a table such as \{ lognormal = 0\.3 \}'),
    (SAMPLE, "lognormal = 0.3", 'lognormal = "wide"', r'\."neuron\.kcc2\.g"\.lognormal` must be a finite number, but it is `wide`'),
    (
        SAMPLE,
        "lognormal = 0.3",
        "lognormal = -0.3",
        r'key `cells\.vary\."neuron\.kcc2\.g"`: Argument `cv` of LogNormal must be finite and not negative',
    ),
    (SAMPLE, "uniform = [-0.9, -0.8]", "uniform = [-0.9]", r'key `cells\.vary\."neuron\.z"\.uniform` must be a list of two numbers'),
    (
        SAMPLE,
        "factor = [0.5, 2]",
        "factor = [2, 0.5]",
        r'key `cells\.vary\."neuron\.leak_Na\.g"`: The ends of Factor must be finite and increasing',
    ),
    (SAMPLE, '"500 µM"', "90", r"key `cells`: `bath\.Na` must be positive, but it is -\d.* in cell \d+"),
    (SAMPLE, "lognormal = 0.3", "lognormal = 0.3, factor = [1, 2]", r'"neuron\.kcc2\.g"` must hold exactly one of .* but it holds `'),
    (
        SAMPLE,
        "lognormal = 0.3",
        "values = [1, 2]",
        r'"neuron\.kcc2\.g"\.values` does not go with the design `sample`, which takes `lognormal`,',
    ),
    (SAMPLE, '"sample"', '"smaple"', r"key `cells\.design` must be `grid` or `sample`, but it is `smaple`\. Did you mean `sample`"),
    (SAMPLE, 'of = ["neuron.V", "neuron.Cl"]', "of = []", r'key `sensitivity\.of` must be a list of paths such as \["neuron\.V"\]'),
    (SAMPLE, 'of = ["neuron.V", "neuron.Cl"]', "", r"key `sensitivity\.of` is missing"),
    (GRID, "[cells]", "[cells]\nsize = 5", r"key `cells`: `size` is 5, but the values of the grid make 18 cells"),
    (GRID, "[0.1, 0.4, 3]", "[0, 0.4, 3]", r'key `cells\.vary\."neuron\.leak_Na\.g"`: `logspace` needs two ends of one sign'),
    (GRID, "[0.1, 0.4, 3]", "[0.1, 0.4, 0]", r"\.logspace` must be a list \[first, last, number of values\]"),
    (GRID, "[0.1, 0.4, 3]", "[0.1, 0.4]", r"\.logspace` must be a list \[first, last, number of values\]"),
    (GRID, '["3 mM", 8]', "[]", r'\."bath\.K"\.values` must be a list of numbers, or of texts with units'),
    (GRID, '["3 mM", 8]', '["3 ms", 8]', r"key `cells`: `bath\.K` is in mM, but `3 ms` is in ms"),
    # Later versions.
    (SAMPLE, '"sample"', '"sobol"', r"key `cells\.design`: `sobol` is not supported yet; this version supports `grid` and `sample`"),
    # No TOML.
    (SAMPLE, "seed = 5", "seed = = 5", r"is no valid TOML: .*line 10"),
    (SAMPLE, "seed = 5", "seed = 5\nseed = 6", r"is no valid TOML: .*line 11"),
]


@pytest.mark.parametrize(("text", "old", "new", "message"), WRONG, ids=[f"{old} → {new}"[:50] for _, old, new, _ in WRONG])
def test_mistake_is_answered_by_its_key(folder, text, old, new, message):
    file = edited(folder, text, old, new)
    with pytest.raises(ConfigError, match=message) as caught:
        run_file(file, folder / "store")
    assert str(file) in str(caught.value)
    assert "\n" not in str(caught.value)
    assert not (folder / "store").exists()


def test_file_that_cannot_be_read_is_refused(tmp_path):
    with pytest.raises(ConfigError, match=r"The sweep file `.*none.toml` cannot be read \(No such file"):
        read_config(tmp_path / "none.toml")
    (tmp_path / "latin.toml").write_bytes("name = 'Düsterwald'".encode("latin-1"))
    with pytest.raises(ConfigError, match="is no text in UTF-8"):
        read_config(tmp_path / "latin.toml")


# Loading a model, for sweep files and the command line alike.


def test_every_published_model_is_found():
    assert list(find_models()) == sorted(jaxion.models.__all__)
    for name in find_models():
        assert load_model(name).name == name


def test_arguments_are_read_from_texts(folder):
    model = load_model("duesterwald2018", {"g_KCC2": "30", "z": "-0.7", "closure": "difference"}, {"bath.K": "8000 µM", "neuron.C": "20"})
    assert model.closure == "difference"
    assert float(model["neuron.kcc2.g"]) == float(jaxion.models.duesterwald2018(g_KCC2=30.0)["neuron.kcc2.g"])
    assert [float(model[path]) for path in ("neuron.z", "bath.K", "neuron.C")] == [-0.7, 8.0, 20.0]
    own = load_model("own.py:neuron", {"strength": "0.25", "nodes": "3"}, folder=folder)
    assert float(own["neuron.nka.activity"]) == 0.5
    assert float(load_model(f"{folder}/own.py:needy", {"strength": 1})["neuron.nka.activity"]) == 2.0


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        (("nowhere",), ConfigError, "No model `nowhere`; there are `aminzare_kay2024`, .*or give `path/to/file.py:function`"),
        (("own.py",), ConfigError, "`own.py` is a file: name the function in it"),
        (("none.py:neuron",), ConfigError, "There is no file `.*none.py`"),
        (("neighbour.py:neuron",), ConfigError, "has no function `neuron`; it has none"),
        (("wrong.py:neuron",), ConfigError, r"wrong\.py` cannot be run: ModuleNotFoundError: No module named 'nowhere_to_be_found'"),
        (("own.py:broken",), ConfigError, "Function `own.py:broken` failed with ZeroDivisionError: division by zero"),
        (("own.py:number",), ConfigError, "must return a jaxion.Model, but it returned a float"),
        (("own.py:needy",), ConfigError, "needs the argument `strength`"),
        (("own.py:broken", {"x": 1}), ConfigError, "has no argument `x`; it takes none"),
        (("duesterwald2018", {"g_kcc2": 1}), ConfigError, "no argument `g_kcc2`; it takes .* Did you mean `g_KCC2`"),
        (
            ("duesterwald2018", {"g_KCC2": "much"}),
            ConfigError,
            "`g_KCC2` of model `duesterwald2018` must be a number in the paper's unit, but it is `much`",
        ),
        (("duesterwald2018", {"g_KCC2": "nan"}), ConfigError, "`g_KCC2` of model `duesterwald2018` must be finite, but it is nan"),
        (("duesterwald2018", {}, {"bath.k": 1}), jaxion.PathError, "No path `bath.k`"),
        (("duesterwald2018", {}, {"bath.K": "1 s"}), jaxion.UnitError, "the units do not match"),
        (("duesterwald2018", {}, {"bath.K": -1}), ValueError, "must be positive"),
    ],
)
def test_wrong_model_is_refused(folder, arguments, error, message):
    with pytest.raises(error, match=message):
        load_model(*arguments, folder=folder)
