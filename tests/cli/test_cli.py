"""The command line: its JSON, its exit codes, and what it says of mistakes."""

import json
import subprocess
import sys

import numpy as np
import pytest
from reference import setpoints as reference

import jaxion
from jaxion.cli import main

CONFIG = """
[model]
name = "duesterwald2018"
[cells]
design = "grid"
[cells.vary]
"neuron.kcc2.g" = { values = [0.1, 0.2, 0.3] }
"neuron.nka.activity" = { values = [1.0, 0.5] }
[sensitivity]
of = ["neuron.V", "neuron.E_Cl"]
wrt = ["neuron.kcc2.g", "neuron.z"]
"""


@pytest.fixture
def run(capsys):
    def run(*arguments):
        code = main(arguments)
        printed = capsys.readouterr()
        return code, printed.out, printed.err

    return run


def test_setpoint_prints_what_python_computes(run):
    code, out, err = run("setpoint", "duesterwald2018", "--arg", "z=-0.5", "--set", "bath.K=8 mM", "--json")
    found = json.loads(out)
    assert (code, err) == (0, "")
    assert list(found) == ["model", "state", "units", "status", "certificate"]
    assert list(found["certificate"]) == ["residual", "totals", "condition", "eigenvalues", "stable", "branch"]
    point = jaxion.setpoint(jaxion.replace(jaxion.models.duesterwald2018(z=-0.5), {"bath.K": 8.0}))
    assert found["state"] == {path: float(point[path]) for path in point.state_paths()}
    assert found["units"]["neuron.V"] == "mV"
    assert found["status"] == "ok"
    assert found["certificate"]["stable"] is True
    assert found["certificate"]["branch"] == "physiological"
    assert [pair[0] for pair in found["certificate"]["eigenvalues"]] == np.real(point.eigenvalues).tolist()


@pytest.mark.parametrize("option", ["--arg z={z}", "--set neuron.z={z}"])
def test_published_rows_come_out_of_the_shell(run, option):
    arguments, row = next((a, r) for a, r in reference.DUESTERWALD if set(a) == {"z"})
    code, out, _ = run("setpoint", "duesterwald2018", *option.format(**arguments).split(), "--json")
    state = json.loads(out)["state"]
    assert code == 0
    for path, wanted in zip(reference.DUESTERWALD_COLUMNS, row, strict=True):
        if path in state:
            assert state[path] == pytest.approx(wanted, rel=reference.RELATIVE)


def test_setpoint_prints_a_table_and_its_certificate(run):
    code, out, _ = run("setpoint", "keener_sneyd", "--arg", "P=1.0", "--certificate")
    assert code == 0
    assert "neuron.V                -58.86012 mV" in out
    assert "Certificate: scaled residual" in out
    assert "Certificate" not in run("setpoint", "keener_sneyd")[1]


def test_start_is_a_first_guess_in_any_unit(run):
    away = run("setpoint", "duesterwald2018", "--start", "neuron.V=-0.02 V", "--start", "neuron.Cl=40", "--json")
    assert json.loads(away[1])["state"]["neuron.V"] == pytest.approx(-72.58811, abs=1e-4)


def test_a_cell_without_a_set_point_exits_with_one(run):
    code, out, err = run("setpoint", "keener_sneyd", "--arg", "P=100")
    assert code == 1
    assert out.startswith("Set-point of keener_sneyd: no_setpoint. No steady state was reached: the cell swells")
    assert err == "jaxion: 1 of 1 cells failed: no_setpoint\n"
    code, out, err = run("setpoint", "keener_sneyd", "--arg", "P=100", "--json")
    found = json.loads(out)
    assert (code, found["status"], found["state"]["neuron.V"]) == (1, "no_setpoint", None)


def test_ledger_prints_ATP_and_oxygen_by_process(run):
    code, out, err = run("ledger", "duesterwald2018", "--json")
    found = json.loads(out)
    assert (code, err) == (0, "")
    assert list(found) == ["model", "status", "unit", "ATP", "oxygen", "used", "parts", "stored", "error"]
    ledger = jaxion.ledger(jaxion.models.duesterwald2018())
    assert found["ATP"] == float(ledger.ATP)
    assert found["used"] == {"neuron.nka": {"ATP": float(ledger.ATP), "oxygen": float(ledger.oxygen)}}
    assert found["parts"]["neuron.leak_Na"]["ATP"] == pytest.approx(found["ATP"], rel=1e-12)
    assert abs(found["error"]) < 1e-10
    _, out, _ = run("ledger", "duesterwald2018", "--oxygen", "5")
    assert "used by neuron.nka                   0.073292   100.0 %      0.014658" in out
    assert "agree to" in out.splitlines()[-1]
    assert run("ledger", "donnan1911")[1] == "ATP 0: no process of this model uses any\n"


@pytest.mark.slow
def test_ledger_of_a_protocol_counts_action_potentials(run, tmp_path):
    protocol = tmp_path / "pulse.toml"
    protocol.write_text('protocol = [{ rest = 0.2 }, { inject = ["neuron", 300.0], duration = 0.001 }, { rest = 0.2 }]\n')
    command = ["ledger", "huebel_dahlem2014", "--protocol", str(protocol), "--spikes", "neuron.V=-20 mV"]
    code, out, _ = run(*command, "--json")
    found = json.loads(out)
    assert code == 0
    assert (found["unit"], found["spikes"]) == ("fmol", 1.0)
    costs = {process: part["ATP"] for process, part in found["per_spike"].items()}
    assert costs["neuron.na"] > 0.9 * sum(costs.values()) > 0
    assert found["stored"]["neuron.Na"]["ATP"] > 0
    assert "per action potential (1)" in run(*command)[1]


def test_a_cell_without_a_set_point_has_no_ledger(run):
    code, out, err = run("ledger", "keener_sneyd", "--arg", "P=100")
    assert (code, out) == (1, "")
    assert err.startswith("jaxion: 1 of 1 cells failed: no_setpoint. No steady state was reached")
    code, out, _ = run("ledger", "keener_sneyd", "--arg", "P=100", "--json")
    found = json.loads(out)
    assert (code, found["status"], found["ATP"]) == (1, "no_setpoint", None)


def test_sensitivity_has_a_row_for_each_response(run):
    of, wrt = reference.ELASTICITY_COLUMNS, tuple(reference.ELASTICITIES)
    code, out, _ = run("sensitivity", "duesterwald2018", "--of", ",".join(of), "--wrt", ",".join(wrt), "--json")
    found = json.loads(out)
    assert code == 0
    assert list(found) == ["of", "wrt", "scaled", "matrix"]
    assert (tuple(found["of"]), tuple(found["wrt"]), found["scaled"]) == (of, wrt, True)
    for row, name in zip(found["matrix"], of, strict=True):
        for entry, parameter in zip(row, wrt, strict=True):
            wanted = reference.ELASTICITIES[parameter][reference.ELASTICITY_COLUMNS.index(name)]
            assert entry == pytest.approx(wanted, rel=reference.ELASTICITY_RELATIVE, abs=reference.ELASTICITY_DIGIT)


def test_raw_sensitivity_is_the_derivative(run):
    command = ["sensitivity", "duesterwald2018", "--of", "neuron.V", "--wrt", "bath.K", "--json"]
    scaled, raw = (json.loads(run(*command, *more)[1]) for more in ((), ("--raw",)))
    assert raw["scaled"] is False
    assert raw["matrix"][0][0] * 3.5 == pytest.approx(scaled["matrix"][0][0], rel=1e-12)


def test_check_reports_laws_totals_and_baseline(run):
    code, out, _ = run("check", "donnan1911", "--json")
    found = json.loads(out)
    assert code == 0
    assert list(found) == ["ok", "laws", "totals", "baseline_residual"]
    assert found["ok"] is True
    assert set(found["laws"]["charge"]) == {"holds", "worst"}
    assert found["totals"] == {"neuron.volume": 1.0}
    assert "3 Na out, 2 K in, 1 ATP" in run("check", "duesterwald2018")[1]


@pytest.mark.parametrize("what", ["mechanisms", "models"])
def test_list_names_everything_with_its_source(run, what):
    code, out, _ = run("list", what, "--json")
    entries = json.loads(out)
    assert code == 0
    assert all(entry["name"] and entry["source"] for entry in entries)
    tools = {"AbstractGated", "AbstractMechanism", "AbstractModulator", "MembraneView", "Side", "gap_junctions", "parameter"}
    assert {entry["name"] for entry in entries} == set(getattr(jaxion, what).__all__) - tools
    assert entries[0]["source"] in run("list", what)[1]


def test_list_paths_of_a_model(run):
    code, out, _ = run("list", "paths", "duesterwald2018", "--json")
    entry = next(entry for entry in json.loads(out) if entry["name"] == "neuron.kcc2.g")
    assert code == 0
    assert entry["unit"] == "nS"
    assert entry["value"] == pytest.approx(0.15708, rel=1e-4)
    assert "eLife" in entry["source"]


def test_sweep_status_resume_and_plot_work_on_one_store(run, tmp_path):
    config, store, figure = tmp_path / "sweep.toml", tmp_path / "sweep.zarr", tmp_path / "sweep.png"
    config.write_text(CONFIG)
    code, out, err = run("sweep", str(config), "--out", str(store))
    assert (code, err) == (0, "")
    assert out.startswith("Sweep of 6 cells of duesterwald2018: 6 ok.")
    code, out, _ = run("status", str(store), "--json")
    assert json.loads(out) == {"cells": 6, "done": 6, "ok": 6, "failed": {}, "missing_chunks": 0}
    (store / "status" / "c" / "0").unlink()
    assert json.loads(run("status", str(store), "--json")[1])["missing_chunks"] == 1
    assert "jaxion resume" in run("status", str(store))[1]
    assert run("resume", str(store))[0] == 0
    assert json.loads(run("status", str(store), "--json")[1])["ok"] == 6
    assert run("plot", str(store))[:2] == (0, f"{figure}\n")
    assert figure.read_bytes().startswith(b"\x89PNG")
    code, _, err = run("sweep", str(config), "--out", str(store))
    assert code == 2
    assert "holds a sweep already" in err


def test_failed_cells_are_counted_on_stderr(run, tmp_path):
    config = tmp_path / "sweep.toml"
    config.write_text(
        '[model]\nname = "keener_sneyd"\n[cells]\ndesign = "grid"\n[cells.vary]\n"neuron.nka.v_max" = { values = [0.1, 50.0] }\n'
    )
    code, out, err = run("sweep", str(config), "--out", str(tmp_path / "sweep.zarr"))
    assert code == 1
    assert "1 ok, 1 no_setpoint" in out
    assert err == "jaxion: 1 of 2 cells failed: 1 no_setpoint\n"


@pytest.mark.slow
def test_demo_writes_store_figure_and_file_and_never_over_an_older_one(run, tmp_path):
    folder = tmp_path / "demo"
    code, out, _ = run("demo", "--out", str(folder), "--cells", "256")
    assert code == 0
    assert (folder / "demo.png").read_bytes().startswith(b"\x89PNG")
    assert jaxion.store_status(folder / "demo.zarr")["ok"] == 256
    assert "neuron.E_Cl" in out
    assert "Next" in out
    assert run("demo", "--out", str(folder), "--cells", "256")[0] == 0
    assert (tmp_path / "demo-2" / "demo.png").exists()


def test_a_model_may_come_from_a_file(run, tmp_path):
    source = tmp_path / "mine.py"
    source.write_text("import jaxion\ndef neuron(g=30.0):\n    return jaxion.models.duesterwald2018(g_KCC2=g)\n")
    code, out, _ = run("setpoint", f"{source}:neuron", "--arg", "g=20", "--json")
    assert code == 0
    assert json.loads(out)["state"]["neuron.V"] == pytest.approx(-72.58811, abs=1e-4)


MISTAKES = [
    (["setpont"], "There is no verb `setpont`.*Did you mean `setpoint`"),
    (["setpoint", "dusterwald2018"], "No model `dusterwald2018`.*Did you mean `duesterwald2018`"),
    (["setpoint", "duesterwald2018", "--arg", "g_KCC=3"], "no argument `g_KCC`.*Did you mean `g_KCC2`"),
    (["setpoint", "duesterwald2018", "--arg", "z"], "`--arg` must be given as NAME=VALUE, but it is `z`"),
    (["setpoint", "duesterwald2018", "--set", "bath.K=1", "--set", "bath.K=2"], "gives `bath.K` twice: `1` and `2`"),
    (["setpoint", "duesterwald2018", "--set", "neuron.kcc2.G=1"], "No path `neuron.kcc2.G`.*Did you mean `neuron.kcc2.g`"),
    (["setpoint", "duesterwald2018", "--set", "bath.K=8 mV"], "`bath.K` is in mM, but `8 mV` is in mV"),
    (["setpoint", "duesterwald2018", "--set", "bath.K=-8 mM"], "`bath.K` must be positive, but it is -8 mM"),
    (["setpoint", "duesterwald2018", "--set", "neuron.E_Cl=-80"], "`neuron.E_Cl` follows from the state"),
    (["setpoint", "duesterwald2018", "--start", "neuron.Q=-80"], "No path `neuron.Q`"),
    (["sensitivity", "duesterwald2018", "--of", "neuron.W", "--wrt", "bath.K"], "No path `neuron.W`"),
    (["ledger", "duesterwald2018", "--spikes", "neuron.V"], "`--spikes` counts action potentials of a protocol"),
    (["ledger", "duesterwald2018", "--protocol", "pump_blok"], "Did you mean `pump_block`"),
    (["list", "paths"], "needs a MODEL"),
    (["status", "nowhere.zarr"], "There is no store `nowhere.zarr`"),
    (["resume", "nowhere.zarr"], "There is no store `nowhere.zarr`"),
    (["plot", "nowhere.zarr"], "There is no store `nowhere.zarr`"),
    (["sweep", "nowhere.toml", "--out", "x.zarr"], "nowhere.toml"),
]


@pytest.mark.parametrize(("arguments", "message"), MISTAKES, ids=lambda x: " ".join(x) if isinstance(x, list) else "")
def test_mistakes_are_answered_with_a_sentence_and_exit_code_two(run, arguments, message):
    code, out, err = run(*arguments)
    assert (code, out) == (2, "")
    assert len(err.splitlines()) == 1
    with pytest.raises(AssertionError, match=message):
        raise AssertionError(err)


@pytest.mark.parametrize("arguments", [["setpoint"], ["setpoint", "duesterwald2018", "--jsn"], ["list", "modls"]])
def test_wrong_options_exit_with_two_and_print_nothing_on_stdout(run, arguments):
    code, out, err = run(*arguments)
    assert (code, out) == (2, "")
    assert err


@pytest.mark.slow
def test_the_installed_command_runs_in_double_precision_and_without_a_traceback():
    command = [sys.executable, "-c", "from jaxion.cli import main; raise SystemExit(main())"]
    good = subprocess.run([*command, "setpoint", "donnan1911", "--json"], capture_output=True, text=True, timeout=120, check=False)
    assert good.returncode == 0, good.stderr
    assert json.loads(good.stdout)["state"]["neuron.V"] == pytest.approx(reference.DONNAN[0][3], abs=1e-6)
    bad = subprocess.run([*command, "setpoint", "nothing"], capture_output=True, text=True, timeout=120, check=False)
    assert bad.returncode == 2
    assert "Traceback" not in bad.stderr


def test_help_lists_every_verb(run):
    code, out, _ = run("--help")
    assert code == 0
    for verb in ("demo", "list", "check", "setpoint", "sensitivity", "simulate", "ledger", "sweep", "resume", "status", "plot"):
        assert verb in out
