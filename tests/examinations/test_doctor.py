"""`doctor` finds all well where it is, and says of each thing that is broken which one it is, and nothing of the others."""

import dataclasses
import importlib.util
import json
from typing import Any

import jax
import numpy as np
import pytest

import jaxion
from jaxion.cli import main
from jaxion.examinations import agreement, conservation, gradients, lowering, machines, run, stiff, storage
from jaxion.examinations.outcomes import Finding, Procedure, carry_out
from jaxion.examinations.problems import PROBLEMS
from jaxion.kernel import lowerings
from jaxion.kernel.tracing import jaxprs as trace
from jaxion.sensitivities import machine_code
from jaxion.setpoints import equations
from jaxion.transients import equations as transient_equations

pytestmark = pytest.mark.usefixtures("any_lowering")

LOWERINGS = [f"lowering of {name}" for name in lowering.SUBJECTS]
STIFF = [f"stiff {name}" for name in PROBLEMS]


@pytest.fixture
def only(monkeypatch):
    """Restrict the doctor to some subjects, as most take seconds."""
    return lambda *subjects: monkeypatch.setattr(run, "SUBJECTS", subjects)


@pytest.fixture
def doctor(capsys):
    """The command, its exit code and its JSON."""

    def doctor() -> tuple[int, dict[str, Any]]:
        code = main(["doctor", "--json"])
        return code, json.loads(capsys.readouterr().out)

    return doctor


def outcomes(found):
    return {examination["name"]: examination["ok"] for examination in found["examinations"]}


@pytest.mark.slow
def test_all_is_well(doctor):
    code, found = doctor()
    assert [examination for examination in found["examinations"] if not examination["ok"]] == []
    assert (code, found["ok"]) == (0, True)
    conserved = ["conserved totals", "conserved charge"]
    compared = ["gradient of a transient", "gradient of a set-point", *(f"machine code: {name}" for name in agreement.BOUNDS)]
    assert list(outcomes(found)) == ["x64", "lowering", *LOWERINGS, *STIFF, *conserved, *compared, "store round trip"]


@pytest.mark.slow
def test_json_says_what_was_found_and_what_was_allowed(doctor, only):
    only(machines, stiff)
    code, found = doctor()
    assert code == 0
    assert list(found) == ["ok", "examinations", "versions", "devices"]
    for examination in found["examinations"]:
        assert list(examination) == ["name", "ok", "found", "bound", "detail"]
        assert examination["ok"] is True
        assert examination["detail"]
    assert {"python", "jaxion", "jax", "jaxlib", "llvmlite", "numpy"} <= set(found["versions"])
    assert found["versions"]["numpy"] == np.__version__
    assert found["devices"] == ["cpu"]
    errors = [examination["found"] for examination in found["examinations"] if examination["name"] in STIFF]
    assert all(0 < error < 30 * stiff.RTOL for error in errors)


@pytest.mark.slow
def test_the_table_has_a_line_for_each_examination(only, capsys):
    only(machines, storage)
    assert main(["doctor"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("Versions  python=")
    assert "Devices   cpu" in lines
    x64, taken, store = (next(line for line in lines if line.startswith(name)) for name in ("x64", "lowering", "store round trip"))
    assert x64.split()[1:4] == ["2.2e-16", "2.2e-16", "ok"]
    assert taken.split()[1:4] == ["llvm", "llvm", "ok"]
    assert "vectors of" in taken
    assert store.split()[3:6] == ["0", "0", "ok"]
    assert lines[-1] == "jaxion doctor: all 3 examinations ok."


@pytest.mark.slow
def test_a_wrong_end_fails_in_its_own_line(doctor, only, monkeypatch, capsys):
    only(machines, stiff)
    wrong = PROBLEMS["hires"]._replace(end=PROBLEMS["hires"].end * (1.0 + 1e-5))
    monkeypatch.setitem(PROBLEMS, "hires", wrong)
    code, found = doctor()
    assert (code, found["ok"]) == (1, False)
    assert [name for name, ok in outcomes(found).items() if not ok] == ["stiff hires"]
    assert main(["doctor"]) == 1
    printed = capsys.readouterr().out
    assert next(line for line in printed.splitlines() if line.startswith("stiff hires")).split()[4] == "failed"
    assert printed.endswith("jaxion doctor: 1 of 7 examinations failed.\n")


@pytest.mark.slow
def test_what_raises_is_a_failed_line_with_its_message_and_hides_no_other(doctor, only, monkeypatch):
    def broken(*_: Any, **__: Any) -> Any:
        raise OSError("the disk\nis full")

    only(stiff, storage, machines)
    monkeypatch.setattr(storage, "sweep", broken)
    code, found = doctor()
    assert code == 1
    assert list(outcomes(found).values()) == [*[True] * len(STIFF), False, True, True]
    store = next(examination for examination in found["examinations"] if examination["name"] == "store round trip")
    assert (store["found"], store["bound"], store["detail"]) == (None, 0.0, "OSError: the disk is full")


@pytest.mark.parametrize(("found", "bound", "ok"), [(1.0, 1.0, True), (2.0, 1.0, False), (np.nan, 1.0, False), ("xla", "llvm", False)])
def test_a_number_is_good_up_to_its_bound_and_a_word_if_it_is_the_same(found, bound, ok):
    assert carry_out(Procedure("one", bound, lambda: Finding(found, ""))).ok is ok


def test_single_precision_is_found(only):
    only(machines)
    with jax.enable_x64(False):
        found = jaxion.doctor()
    assert not found["x64"].ok
    assert found["x64"].found == pytest.approx(2.0**-23)
    assert found["x64"].detail.endswith("in float32; call `jaxion.enable_x64()` first")
    assert not found["lowering"].ok


def test_a_machine_without_machine_code_is_told_why(only, monkeypatch):
    only(machines, agreement)
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    found = jaxion.doctor(progress=False)
    assert found["x64"].ok
    assert (found["lowering"].ok, found["lowering"].found, found["lowering"].bound) == (False, "xla", "llvm")
    assert '"auto" takes jax.numpy: llvmlite is not installed' in found["lowering"].detail
    for name in agreement.BOUNDS:
        assert found[f"machine code: {name}"].detail.endswith("there can be no machine code: llvmlite is not installed.")


def test_a_lowering_that_was_chosen_is_well(only, monkeypatch):
    only(machines)
    monkeypatch.setenv(lowerings.VARIABLE, "xla")
    found = jaxion.doctor()["lowering"]
    assert (found.ok, found.found) == (True, "xla")
    assert f"`{lowerings.VARIABLE}` says so" in found.detail
    monkeypatch.setenv(lowerings.VARIABLE, "lvm")
    assert "must be one of auto, llvm, xla, but it is `lvm`" in jaxion.doctor()["lowering"].detail


@pytest.mark.slow
def test_a_leak_in_the_books_is_found(only, monkeypatch):
    only(conservation)
    assert jaxion.doctor().ok
    solve = conservation.solve

    def leaky(*arguments: Any, **options: Any) -> Any:
        solution = solve(*arguments, **options)
        row = solution.model.rows.index("neuron.n_Na")
        return dataclasses.replace(solution, saved=solution.saved.at[-1, row].multiply(1.0 + 1e-10))

    monkeypatch.setattr(conservation, "solve", leaky)
    found = jaxion.doctor()
    assert "ecs.n_Na + neuron.n_Na" in found["conserved totals"].detail
    for name in ("conserved totals", "conserved charge"):
        assert not found[name].ok
        # Of 1e-10 of the sodium inside, the part that this is of all sodium, and of all ions inside.
        assert 1e-11 < float(found[name].found) < 1e-10


@pytest.mark.slow
def test_a_wrong_derivative_is_found(only, monkeypatch):
    only(gradients)
    sensitivity = gradients.sensitivity

    def wrong(*arguments: Any, **options: Any) -> Any:
        found = sensitivity(*arguments, **options)
        return dataclasses.replace(found, matrix=found.matrix * (1.0 + 1e-5))

    monkeypatch.setattr(gradients, "sensitivity", wrong)
    found = jaxion.doctor()
    assert found["gradient of a transient"].ok
    assert not found["gradient of a set-point"].ok
    assert found["gradient of a set-point"].found == pytest.approx(1e-5, rel=0.01)


@pytest.mark.slow
def test_machine_code_that_differs_is_found(only, monkeypatch):
    only(agreement)
    solve = agreement.solve

    def wrong(cells: Any, *arguments: Any, **options: Any) -> Any:
        if options["lowering"] == "llvm":
            cells = jaxion.replace(cells, {"bath.K": cells["bath.K"] * (1.0 + 1e-5)})
        return solve(cells, *arguments, **options)

    monkeypatch.setattr(agreement, "solve", wrong)
    found = jaxion.doctor()
    assert {name: found[f"machine code: {name}"].ok for name in agreement.BOUNDS} == {
        "transient": False,
        "set-point": True,
        "sensitivity": True,
    }


def test_a_store_that_is_not_resumed_is_found(only, monkeypatch):
    only(storage)
    monkeypatch.setattr(storage, "resume", lambda *_, **__: None)
    found = jaxion.doctor()["store round trip"]
    assert not found.ok
    assert found.found == 2.0


@pytest.fixture
def nothing_compiled():
    """Graphs are made anew, before and after the test."""

    def forget():
        for cached in (equations._equilibrium, transient_equations._system, machine_code._response):
            cached.cache_clear()

    forget()
    yield
    forget()


def test_what_has_no_machine_code_is_said_for_each_kind_of_work(doctor, only, nothing_compiled, monkeypatch):
    """A primitive without a rule, as a new version of JAX may bring: the doctor names it and where it occurs, and fails."""
    only(machines, lowering)
    monkeypatch.setattr(trace, "RULES", {name: rule for name, rule in trace.RULES.items() if name != "mul"})
    code, found = doctor()
    assert code == 1
    assert outcomes(found) == {"x64": True, "lowering": True, **dict.fromkeys(LOWERINGS, False)}
    for examination in found["examinations"][2:]:
        assert examination["found"] == "xla"
        assert "by `jax.numpy` (the equations use `mul` (" in examination["detail"]
        assert "which has none" in examination["detail"]


def test_the_doctor_says_that_machine_code_is_taken(doctor, only):
    only(lowering)
    code, found = doctor()
    assert code == 0
    assert [examination["found"] for examination in found["examinations"]] == ["llvm"] * 3
    assert found["examinations"][1]["detail"] == "transients of duesterwald2018 by machine code (the faster one)"
