"""Sweeps through a protocol: each cell is what it is alone, and a store knows what was done to its cells."""

import json
import shutil
import warnings

import numpy as np
import pytest
import xarray

import jaxion
from jaxion import ConfigError, PathError, Population, Protocol, StoreError, bath, block, inject, phase, rest
from jaxion.errors import Status
from jaxion.sweeps import read_config, run_file
from jaxion.sweeps.chunks import plan
from jaxion.sweeps.provenance import sweep_hash
from jaxion.sweeps.runs import check_run, of_record
from jaxion.sweeps.variables import check_request

PUMP, KCC2 = "neuron.nka.activity", "neuron.kcc2.g"
# Without a chloride leak, nothing sets the chloride of a cell without KCC2: one cell in four has no set-point.
MODEL = jaxion.replace(jaxion.models.duesterwald2018(), {"neuron.leak_Cl.g": 0.0})
CELLS = Population.grid(MODEL, {PUMP: np.linspace(0.6, 1.7, 4), KCC2: [0.0, 0.1, 0.2, 0.4]})
PROTOCOL = Protocol(rest(10), block("neuron.nka", 0.9, 60), rest(30))
MEASURE = {"t_up": jaxion.crossing("neuron.V", -61.0), "top": jaxion.maximum("neuron.V"), "end": jaxion.final()}
ASKED = {"protocol": PROTOCOL, "measure": MEASURE, "save": "0:100:5", "paths": ("neuron.V", "neuron.nka.rate")}

FILE = """
[model]
name = "duesterwald2018"
set = { "neuron.leak_Cl.g" = 0.0 }
[cells]
design = "grid"
[cells.vary]
"neuron.nka.activity" = { linspace = [0.6, 1.7, 4] }
"neuron.kcc2.g" = { values = [0.0, 0.1, 0.2, 0.4] }
[run]
start = "setpoint"
protocol = [ { rest = 10 }, { block = ["neuron.nka", 0.9], duration = "1 min" }, { rest = 30 } ]
save = "0:100:5"
paths = ["neuron.V", "neuron.nka.rate"]
rtol = 1e-6
chunk = 7
[measure]
t_up = { crossing = "neuron.V", level = -61.0 }
top = { maximum = "neuron.V" }
end = "final"
"""


@pytest.fixture(scope="module")
def memory():
    return jaxion.sweep(CELLS, **ASKED)


@pytest.fixture(scope="module")
def kept(tmp_path_factory):
    """A complete store in three chunks, made from a sweep file, which no test may change."""
    folder = tmp_path_factory.mktemp("kept")
    (folder / "sweep.toml").write_text(FILE)
    return run_file(folder / "sweep.toml", folder / "store").path


@pytest.fixture
def store(kept, tmp_path):
    return shutil.copytree(kept, tmp_path / "store")


def chunk_files(path):
    return {str(file.relative_to(path)): file.read_bytes() for file in path.glob("*/c/**/*") if file.is_file()}


# What a sweep computes.


@pytest.mark.slow
def test_cells_are_as_alone(memory):
    bare = CELLS.table[KCC2] == 0.0
    np.testing.assert_array_equal(memory.status, np.where(bare, Status.singular, Status.ok))
    for i in (1, 7):
        alone = jaxion.replace(MODEL, {path: values[i] for path, values in CELLS.table.items()})
        sol = jaxion.solve(alone, PROTOCOL, start="setpoint", save="0:100:5", measure=MEASURE)
        for name, value in sol.measures.items():
            np.testing.assert_allclose(memory.ds[name][i], value, rtol=1e-6, err_msg=name)
        for path in ASKED["paths"]:
            np.testing.assert_allclose(memory.ds[path][i], sol[path], rtol=1e-6, err_msg=path)


def test_cells_without_a_set_point_are_nan_and_spoil_no_other(memory):
    bare = CELLS.table[KCC2] == 0.0
    for name in ("end.neuron.V", "top", "top.time", "neuron.V", "neuron.nka.rate", "neuron.E_Cl"):
        bad = np.isnan(memory.ds[name].values).reshape(len(CELLS), -1)
        np.testing.assert_array_equal(bad, np.broadcast_to(bare[:, None], bad.shape), err_msg=name)
    # A time that never comes is NaN in a cell that is ok.
    reached = np.isfinite(memory.ds["t_up"].values)
    np.testing.assert_array_equal(reached[memory.ok], (memory.ds["top"].values > -61.0)[memory.ok])
    assert 0 < reached.sum() < memory.ok.sum()


def test_variables_have_units_and_roles(memory):
    ds = memory.ds
    roles: dict[str, set[str]] = {}
    for name, array in ds.data_vars.items():
        roles.setdefault(array.attrs["role"], set()).add(str(name))
    assert roles["course"] == {"neuron.V", "neuron.nka.rate"}
    assert roles["measure"] == {"t_up", "top", "top.time", *(f"end.neuron.{name}" for name in ("V", "Na", "K", "Cl", "volume"))}
    # The set-point that each cell starts from is kept, but for what is saved in its whole course.
    assert {"neuron.Na", "neuron.volume", "neuron.E_Cl"} <= roles["setpoint"]
    assert ds["neuron.V"].dims == ("cell", "time")
    np.testing.assert_array_equal(ds["time"], [0, 25, 50, 75, 100])
    units = {"time": "s", "neuron.V": "mV", "neuron.nka.rate": "fmol/s", "t_up": "s", "top": "mV", "top.time": "s", "end.neuron.Na": "mM"}
    assert {name: ds[name].attrs["units"] for name in units} == units
    assert ds.attrs["title"] == "Transients of 16 cells of duesterwald2018"


@pytest.mark.slow
def test_start_at_the_baseline_needs_no_set_point_and_phases_act_on_each_cell_s_own_values():
    cells = Population.grid(MODEL, {"neuron.nka.v_max": [40.0, 80.0], KCC2: [0.0]})
    given = Protocol(phase(1, scale={"neuron.nka.v_max": 0.5}))
    found = jaxion.sweep(cells, given, save=[0.0, 0.5], paths=["neuron.Na", "neuron.nka.v_max"], start="baseline")
    assert found.ok.all()
    np.testing.assert_allclose(found.ds["neuron.Na"][:, 0], float(MODEL["neuron.Na"]), rtol=1e-12)
    np.testing.assert_array_equal(found.ds["neuron.nka.v_max"], [[20.0, 20.0], [40.0, 40.0]])
    np.testing.assert_array_equal(found.ds["baseline.neuron.nka.v_max"], [40.0, 80.0])
    assert {array.attrs["role"] for array in found.ds.data_vars.values()} == {"parameter", "course", "status"}


def test_cell_has_the_same_bits_whatever_the_chunks_and_their_order(memory):
    request = check_request(MODEL, run=check_run(MODEL, **ASKED))
    found = plan(CELLS, request, 5)
    order = list(range(found.chunks))[::-1]
    parts = dict(zip(order, map(found.compute, order), strict=True))
    for v in found.variables:
        joined = np.concatenate([parts[i][v.name] for i in range(found.chunks)])
        np.testing.assert_array_equal(joined, memory.ds[v.name].values, err_msg=v.name)


def test_print_summarises_measures(memory):
    text = str(memory)
    assert "top                  median" in text
    assert "in 6 of 12 cells" in next(line for line in text.splitlines() if "t_up" in line)


@pytest.mark.slow
def test_figure_shows_what_the_protocol_made_of_the_cells(memory, tmp_path):
    figure = jaxion.plot(memory, tmp_path / "sweep.png")
    labels = [ax.get_xlabel() for ax in figure.axes]
    assert "top [mV]" in labels
    assert "t_up [s], in 50 % of the cells" in labels
    assert "transients of 16 cells" in figure.get_suptitle()


# Files and stores.


def test_file_is_what_python_says(memory, kept):
    found = jaxion.open_store(kept)
    config = read_config(kept.parent / "sweep.toml").plan()
    assert sweep_hash(config) == sweep_hash(plan(CELLS, check_request(MODEL, run=check_run(MODEL, **ASKED)), 7))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.filterwarnings("ignore", "The codec `vlen-utf8`")  # of zarr before 3.1
        ds = xarray.open_zarr(kept)
    for name, array in memory.ds.variables.items():
        np.testing.assert_array_equal(array.values, ds[name].values, err_msg=str(name))
        assert array.dims == ds[name].dims
        assert dict(array.attrs) == dict(ds[name].attrs)
    assert json.loads(found.ds.attrs["run"])["protocol"][1] == {"block": [["neuron.nka"], 0.9], "duration": 60.0}


def test_store_is_resumed_to_the_same_bytes(store, kept):
    for name in ("status/c/0", "neuron.V/c/2/0", "end.neuron.V/c/2"):
        (store / name).unlink()
    assert jaxion.open_store(store).damaged_chunks == (2,)
    # From Python, what was asked is read from the store.
    resumed = jaxion.resume(store, CELLS)
    assert not resumed.missing_chunks
    assert chunk_files(store) == chunk_files(kept)
    (store / "status/c/1").unlink()
    assert not jaxion.resume(store).missing_chunks
    assert chunk_files(store) == chunk_files(kept)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("0.9], duration", "0.8], duration", r"`protocol` is .* in the store and .* now"),
        ("level = -61.0", "level = -60.0", r"`measure\.t_up\.level` is -61\.0 in the store and -60\.0 now"),
        ("rtol = 1e-6", "rtol = 1e-7", r"`rtol` is 1e-06 in the store and 1e-07 now"),
        ('\\"0:100:5\\"', '\\"0:100:6\\"', r"`save` is \[0.0, 25.0, .*\] in the store and"),
    ],
)
def test_changed_request_is_refused(store, old, new, message):
    (store / "status/c/1").unlink()
    metadata = store / "zarr.json"
    text = metadata.read_text()
    assert old in text
    metadata.write_text(text.replace(old, new))
    with pytest.raises(StoreError, match=f"belongs to another sweep: {message}"):
        jaxion.resume(store)


def test_run_is_plain_data():
    run = check_run(MODEL, **ASKED)
    assert run is not None
    data = json.loads(json.dumps(run.record()))
    again = of_record(MODEL, data, "here")
    assert again is not None
    assert again.record() == data
    assert again.measures == run.measures
    every = {
        "a": jaxion.minimum("neuron.V"),
        "b": jaxion.mean("neuron.V"),
        "c": jaxion.integral("neuron.nka.ATP"),
        "d": jaxion.spikes("neuron.V", -20.0),
        "e": jaxion.crossing("neuron.V", -60.0, "down", "last"),
        "f": jaxion.final(["neuron.V"]),
    }
    run = check_run(MODEL, PROTOCOL, every)
    assert run is not None
    again = of_record(MODEL, json.loads(json.dumps(run.record())), "here")
    assert again is not None
    assert again.measures == every


def test_protocols_may_be_named_and_may_inject():
    run = check_run(MODEL, "rest")
    assert run is not None
    assert run.protocol == jaxion.protocols.of(MODEL)["rest"]
    run = check_run(MODEL, Protocol(inject("neuron", 1, 1)), {"I": jaxion.maximum("neuron.inject_K.I")}, [0.5], ["neuron.inject_K.I"])
    assert run is not None
    names = {v.name: v.attrs.get("units") for v in plan(CELLS, check_request(MODEL, run=run), None).variables}
    assert (names["I"], names["neuron.inject_K.I"]) == ("pA", "pA")


# Mistakes.

WRONG = [
    ({"measure": MEASURE}, ValueError, r"^Argument `measure` needs a protocol that the cells go through, but none is given\.$"),
    ({"save": "0:1:2"}, ValueError, r"^Argument `save` needs a protocol"),
    ({"start": "baseline"}, ValueError, r"^A sweep without a protocol finds set-points: argument `start` must be `setpoint`"),
    (
        {"protocol": PROTOCOL, "start": "base"},
        ValueError,
        r"^Argument `start` of a sweep must be `setpoint` or `baseline`, but it is `base`",
    ),
    ({"protocol": PROTOCOL, "paths": "neuron.V"}, ValueError, r"^Argument `paths` names what is saved, but `save` gives no times\.$"),
    (
        {"protocol": PROTOCOL, "save": "0:200:5"},
        ValueError,
        r"^Argument `save` must lie within the protocol, 0 to 100 s, but save\[3\] is 150 s",
    ),
    (
        {"protocol": PROTOCOL, "save": [0, 5, 4]},
        ValueError,
        r"^Argument `save` must be increasing, but save\[1\]=5 s is followed by 4 s\.$",
    ),
    ({"protocol": PROTOCOL, "save": [1], "paths": ["neuron.W"]}, PathError, r"^No path `neuron\.W`"),
    ({"protocol": PROTOCOL, "save": [1], "paths": ["neuron.V"] * 2}, ValueError, r"^Argument `paths` must name each path once"),
    ({"protocol": PROTOCOL, "measure": {"top": jaxion.maximum("neuron.v")}}, PathError, r"^No path `neuron\.v`.*`neuron\.V`"),
    (
        {"protocol": PROTOCOL, "measure": {"status": jaxion.maximum("neuron.V")}},
        ValueError,
        r"^The name of measure `status` bears the name of",
    ),
    (
        {"protocol": PROTOCOL, "measure": {"a/b": jaxion.maximum("neuron.V")}},
        ValueError,
        r"^The name of measure `a/b` must be made of letters",
    ),
    ({"protocol": "pump_blok"}, ConfigError, r"has no protocol `pump_blok`; .* Did you mean `pump_block`\?$"),
    ({"protocol": Protocol(block("neuron.nak", 0.9, 1))}, PathError, r"^`neuron\.nak` is no mechanism"),
    ({"protocol": Protocol(bath(1, K=np.ones(16)))}, ValueError, r"^The protocol of a sweep must be the same for all cells"),
    ({"protocol": Protocol(rest(np.ones(16)))}, ValueError, r"^The protocol of a sweep must be the same for all cells"),
    (
        {"protocol": PROTOCOL, "start": "baseline", "of": "neuron.V", "wrt": KCC2},
        ValueError,
        r"^Sensitivities are those of set-points: they need `start` to be `setpoint`",
    ),
]


@pytest.mark.parametrize(("arguments", "error", "message"), WRONG)
def test_wrong_arguments_are_refused(arguments, error, message, tmp_path):
    with pytest.raises(error, match=message):
        jaxion.sweep(CELLS, out=tmp_path / "store", **arguments)
    assert not (tmp_path / "store").exists()


WRONG_FILES = [
    ("block =", "blck =", r"key `run\.protocol\[1\]` must hold exactly one of .* Did you mean `block`\?$"),
    ('"1 min"', "-60", r"key `run\.protocol\[1\]`: `duration` must not be negative, but it is -60 s\.$"),
    ("neuron.nka", "neuron.nak", r"key `run`: `neuron\.nak` is no mechanism of model"),
    ("0:100:5", "0:101:5", r"key `run`: Argument `save` must lie within the protocol, 0 to 100 s"),
    ('"0:100:5"', "true", r'key `run\.save` must be times such as "0:960:97", or a list of numbers, but it is `True`\.$'),
    ('"0:100:5"', '"all"', r'key `run`: Argument `save` must be a text "t0:t1:n"'),
    ("rtol = 1e-6", "rtol = 'fine'", r"key `run\.rtol` must be a finite number, but it is `fine`\.$"),
    (
        'start = "setpoint"',
        'start = "rest"',
        r"key `run`: Argument `start` of a sweep must be `setpoint` or `baseline`, but it is `rest`\.$",
    ),
    ("crossing =", "crosing =", r"key `measure\.t_up` .* Did you mean `crossing`"),
    ("level = -61.0", "levl = -61.0", r"key `measure\.t_up` does not take `levl`; .* Did you mean `level`"),
    ('"final"', '"last"', r"key `measure\.end` must be"),
    ('maximum = "neuron.V"', 'maximum = "neuron.v"', r"key `run`: No path `neuron\.v`"),
    ('paths = ["neuron.V",', 'paths = ["neuron.W",', r"key `run`: No path `neuron\.W`"),
    ("protocol =", "protocl =", r"key `run\.protocl` is not known; .* Did you mean `protocol`"),
    ("protocol =", "protocol = 'pump_blok' #", r"key `run`: Model .* has no protocol `pump_blok`"),
    ("protocol =", "#", r"key `run`: Argument `measure` needs a protocol"),
]


@pytest.mark.parametrize(("old", "new", "message"), WRONG_FILES, ids=[new for _, new, _ in WRONG_FILES])
def test_mistake_in_a_file_is_answered_by_its_key(tmp_path, old, new, message):
    assert old in FILE
    file = tmp_path / "sweep.toml"
    file.write_text(FILE.replace(old, new, 1) if old != "neuron.nka" else FILE.replace('["neuron.nka",', '["neuron.nak",'))
    with pytest.raises(ConfigError, match=message) as caught:
        run_file(file, tmp_path / "store")
    assert str(caught.value).startswith(f"`{file}`, key `")
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "store").exists()
