"""`jaxion simulate`: what Python computes, as JSON, table, Zarr and figure, and a sentence for every mistake."""

import csv
import json
import warnings

import numpy as np
import pytest
import xarray

import jaxion
from jaxion import Protocol, block, rest
from jaxion.cli import main

FILE = """
protocol = [ { rest = 10 }, { block = ["neuron.nka", 0.9], duration = "1 min" }, { rest = 30 } ]
[measure]
t_up = { crossing = "neuron.V", level = -66.0 }
end = "final"
"""
PROTOCOL = Protocol(rest(10), block("neuron.nka", 0.9, 60), rest(30))
MEASURE = {"t_up": jaxion.crossing("neuron.V", -66.0), "end": jaxion.final()}
T_UP = 't_up={ crossing = "neuron.V", level = -66.0 }'
MODEL = ("simulate", "duesterwald2018")


@pytest.fixture
def run(capsys):
    def run(*arguments):
        code = main([str(argument) for argument in arguments])
        printed = capsys.readouterr()
        return code, printed.out, printed.err

    return run


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "block.toml"
    path.write_text(FILE)
    return path


@pytest.fixture(scope="module")
def wanted():
    model = jaxion.models.duesterwald2018(z=-0.8)
    return jaxion.solve(jaxion.replace(model, {"bath.K": 4.0}), PROTOCOL, start="setpoint", save="0:100:11", measure=MEASURE)


CELL = (*MODEL, "--arg", "z=-0.8", "--set", "bath.K=4 mM", "--start", "setpoint", "--save", "0:100:11")


def test_json_is_what_python_computes(run, file, wanted):
    code, out, err = run(*CELL, "--protocol", file, "--json")
    found = json.loads(out)
    assert (code, err) == (0, "")
    assert list(found) == ["status", "measures", "save"]
    assert found["status"] == "ok"
    assert found["measures"] == {name: float(value) for name, value in wanted.measures.items()}
    assert found["save"]["t"] == np.linspace(0, 100, 11).tolist()
    assert set(found["save"]) == {"t", *(f"neuron.{name}" for name in ("V", "Na", "K", "Cl", "volume", "E_Na", "E_K", "E_Cl"))}
    for path in ("neuron.V", "neuron.volume", "neuron.E_Cl"):
        np.testing.assert_allclose(found["save"][path], wanted[path], rtol=1e-12)


def test_protocol_may_be_JSON_too(run, tmp_path, wanted):
    data = [{"rest": 10}, {"block": ["neuron.nka", 0.9], "duration": 60}, {"rest": 30}]
    for name, content in (("list.json", data), ("table.json", {"protocol": data})):
        (tmp_path / name).write_text(json.dumps(content))
        code, out, _ = run(
            *CELL, "--protocol", tmp_path / name, "--paths", "neuron.V", "--measure", T_UP, "--measure", "end=final", "--json"
        )
        assert code == 0
        np.testing.assert_allclose(json.loads(out)["save"]["neuron.V"], wanted["neuron.V"], rtol=1e-9)


def test_report_names_status_measures_and_files(run, file, tmp_path):
    code, out, _ = run(*CELL, "--protocol", file, "--out", tmp_path / "deep" / "x.csv", "--plot", tmp_path / "x.png")
    assert code == 0
    assert out.startswith("Transient of one cell of duesterwald2018 over 100 s: ok.")
    assert "t_up" in out
    assert out.endswith(f"Written: {tmp_path / 'deep' / 'x.csv'}, {tmp_path / 'x.png'}\n")
    assert (tmp_path / "x.png").read_bytes().startswith(b"\x89PNG")


def test_table_has_units_in_its_header(run, file, tmp_path, wanted):
    place = tmp_path / "x.csv"
    assert run(*CELL, "--protocol", file, "--paths", "neuron.V,neuron.nka.rate,neuron.nka.activity", "--out", place)[0] == 0
    header, *rows = csv.reader(place.read_text().splitlines())
    assert header == ["t [s]", "neuron.V [mV]", "neuron.nka.rate [fmol/s]", "neuron.nka.activity"]
    values = np.array(rows, dtype=float)
    np.testing.assert_array_equal(values[:, 0], np.linspace(0, 100, 11))
    np.testing.assert_allclose(values[:, 1], wanted["neuron.V"], rtol=1e-9)
    # At an edge it is the phase that begins which counts.
    np.testing.assert_allclose(values[:, 3], [1.0] + [0.1] * 6 + [1.0] * 4, rtol=1e-12)


def test_zarr_is_read_by_xarray_with_units(run, file, tmp_path, wanted):
    place = tmp_path / "x.zarr"
    assert run(*CELL, "--protocol", file, "--out", place)[0] == 0
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        ds = xarray.open_zarr(place)
    np.testing.assert_allclose(ds["neuron.V"], wanted["neuron.V"], rtol=1e-12)
    assert float(ds["end.neuron.Na"]) == float(wanted.measures["end.neuron.Na"])
    assert (ds["neuron.V"].attrs["units"], ds["end.neuron.Na"].attrs["units"], ds["time"].attrs["units"]) == ("mV", "mM", "s")
    assert ds["neuron.V"].dims == ("time",)
    assert json.loads(ds.attrs["protocol"])[0] == {"rest": 10.0}
    assert int(ds["status"]) == 1


@pytest.mark.slow
def test_named_protocol_and_default_measures(run):
    code, out, _ = run(*MODEL, "--protocol", "pump_block", "--json")
    found = json.loads(out)
    assert code == 0
    assert (found["save"]["t"][0], found["save"]["t"][-1], len(found["save"]["t"])) == (0, 960, 501)
    assert {"end.neuron.V", "max.neuron.V", "max.neuron.V.time", "min.neuron.V", "max.neuron.volume"} <= set(found["measures"])
    assert found["measures"]["max.neuron.V"] >= max(found["save"]["neuron.V"]) - 1e-6


def test_measures_from_the_command_line(run, file):
    more = ("--measure", 't={ crossing = "neuron.V", level = -65.0, direction = "down" }', "--measure", "now=final")
    code, out, _ = run(*CELL, "--protocol", file, *more, "--json")
    assert code == 0
    assert {"t_up", "end.neuron.V", "t", "now.neuron.V"} <= set(json.loads(out)["measures"])


def test_start_may_be_a_state(run, file):
    shown = ("--save", "0:100:11", "--paths", "neuron.V,neuron.Na,neuron.volume,neuron.X", "--protocol", file, "--json")
    code, out, _ = run(*MODEL, "--start", "neuron.Na=20 mM", "--start", "neuron.volume=2.2", *shown)
    begin = {path: values[0] for path, values in json.loads(out)["save"].items()}
    assert code == 0
    model = jaxion.models.duesterwald2018()
    assert begin["neuron.Na"] == pytest.approx(20.0)
    assert begin["neuron.volume"] == pytest.approx(2.2)
    # A swollen cell holds no more impermeants than its model has.
    assert begin["neuron.X"] == pytest.approx(float(model["neuron.impermeant"]) / 2.2)
    code, out, _ = run(*MODEL, *shown)
    assert json.loads(out)["save"]["neuron.V"][0] == pytest.approx(float(model["neuron.V"]))


def test_a_cell_without_a_set_point_exits_with_one(run, file):
    # Nothing sets the chloride of this cell.
    bare = ("--set", "neuron.kcc2.g=0", "--set", "neuron.leak_Cl.g=0")
    code, out, err = run(*CELL, *bare, "--protocol", file, "--json")
    found = json.loads(out)
    assert (code, found["status"], found["save"]["neuron.V"]) == (1, "singular", [None] * 11)
    assert set(found["measures"].values()) == {None}
    assert err.startswith("jaxion: 1 of 1 cells failed: singular. The steady state is not isolated")


@pytest.mark.slow
def test_protocols_are_listed(run):
    code, out, _ = run("list", "protocols", "duesterwald2018", "--json")
    entries = json.loads(out)
    assert code == 0
    assert [entry["name"] for entry in entries] == ["rest", "pump_block"]
    assert set(entries[0]) == {"name", "models", "source", "phases"}
    assert entries[1]["phases"][1].split() == ["300", "s", "block", "neuron.nka", "0.9"]
    code, out, _ = run("list", "protocols", "--json")
    every = json.loads(out)
    assert code == 0
    assert {model for entry in every for model in entry["models"]} == set(jaxion.models.__all__)
    for name in jaxion.models.__all__:
        known = {entry["name"] for entry in every if name in entry["models"]}
        assert known == set(jaxion.protocols.of(getattr(jaxion.models, name)()))
    assert "pump_block (" in run("list", "protocols")[1]


MISTAKES = [
    (["--protocol", "pump_blok"], "Model `duesterwald2018` has no protocol `pump_blok`; it has .* Did you mean `pump_block`?"),
    (["--protocol", "nowhere.toml"], "The protocol file `nowhere.toml` cannot be read"),
    (["--protocol", "rest", "--save", "0:700:8"], r"Argument `save` must lie within the protocol, 0 to 600 s, but save\[7\] is 700 s"),
    (["--protocol", "rest", "--save", "all"], 'Argument `save` must be a text "t0:t1:n"'),
    (["--protocol", "rest", "--paths", "neuron.W"], "No path `neuron.W`"),
    (["--protocol", "rest", "--start", "neuron.W=1"], "No path `neuron.W`"),
    (["--protocol", "rest", "--start", "bath.K=8"], "Option `--start` takes values of the state, but `bath.K` is a parameter"),
    (["--protocol", "rest", "--start", "setpont"], "Argument `start` must be `baseline` or `setpoint`.*Did you mean `setpoint`"),
    (["--protocol", "rest", "--measure", "t"], "Option `--measure` must be given as NAME=VALUE, but it is `t`"),
    (["--protocol", "rest", "--measure", "t={ crosing"], "Option `--measure` must be given as NAME=MEASURE"),
    (["--protocol", "rest", "--measure", "t=last"], "`--measure`, key `measure.t` must be"),
    (["--protocol", "rest", "--measure", 't={ maximum = "neuron.v" }'], "No path `neuron.v`"),
    (["--protocol", "rest", "--out", "x.txt"], "Option `--out` must end with `.zarr` or `.csv`, but it is `x.txt`"),
    (["--protocol", "rest", "--out", __file__.replace(".py", ".csv")], None),
    (["--protocol", "rest", "--rtol", "0.1"], "`rtol`"),
]


@pytest.mark.parametrize(("arguments", "message"), MISTAKES, ids=lambda x: " ".join(x) if isinstance(x, list) else "")
def test_mistakes_are_answered_with_a_sentence_and_exit_code_two(run, tmp_path, arguments, message):
    if message is None:
        taken = tmp_path / "taken.csv"
        taken.write_text("mine")
        arguments, message = [*arguments[:-1], str(taken)], "taken.csv` exists already; choose another name"
    code, out, err = run(*MODEL, *arguments)
    assert (code, out) == (2, "")
    assert len(err.splitlines()) == 1
    with pytest.raises(AssertionError, match=message):
        raise AssertionError(err)


FILES = [
    ("protocol =", "protocl =", r"key `protocl` is not known; a protocol file takes `protocol` and `measure`\. Did you mean `protocol`"),
    ("protocol =", "#", r"key `protocol` is missing"),
    ("block =", "blok =", r"key `protocol\[1\]` must hold exactly one of .* Did you mean `block`"),
    ('"1 min"', "[60, 70]", r"A protocol for one cell must hold single numbers"),
    ('"1 min"', "-60", r"key `protocol\[1\]`: `duration` must not be negative, but it is -60 s"),
    ("neuron.nka", "neuron.nak", r"`neuron\.nak` is no mechanism of model `duesterwald2018`"),
    ("crossing", "crosing", r"key `measure\.t_up` .*Did you mean `crossing`"),
    ("10 }", "10", r"is no valid TOML"),
]


@pytest.mark.parametrize(("old", "new", "message"), FILES, ids=[new for _, new, _ in FILES])
def test_mistakes_in_a_file_are_answered_by_their_key(run, tmp_path, old, new, message):
    file = tmp_path / "x.toml"
    file.write_text(FILE.replace(old, new, 1))
    code, out, err = run(*MODEL, "--protocol", file)
    assert (code, out) == (2, "")
    assert len(err.splitlines()) == 1
    with pytest.raises(AssertionError, match=message):
        raise AssertionError(err)
