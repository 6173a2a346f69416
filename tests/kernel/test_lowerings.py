"""What runs, machine code or `jax.numpy`, is the user's choice in Python and in the shell, and changes no result."""

import importlib.util
import json

import jax
import numpy as np
import pytest

import jaxion
from jaxion.cli import main

pytestmark = pytest.mark.usefixtures("any_lowering")

PROTOCOL = jaxion.Protocol(jaxion.rest(10), jaxion.block("neuron.nka", 0.9, 60))
OF, WRT = ("neuron.V", "neuron.Cl"), ("neuron.kcc2.g", "bath.K")


@pytest.fixture(scope="module")
def cell():
    return jaxion.models.duesterwald2018()


def solve(model, **options):
    measure = {"top": jaxion.maximum("neuron.V")}
    return jaxion.solve(model, PROTOCOL, start="setpoint", save="0:70:8", measure=measure, rtol=1e-8, **options)


@pytest.mark.slow
def test_transients_agree(cell):
    machine, portable = (solve(cell, lowering=lowering) for lowering in ("llvm", "xla"))
    np.testing.assert_allclose(machine.saved, portable.saved, rtol=1e-7)
    np.testing.assert_allclose(machine.measures["top"], portable.measures["top"], rtol=1e-9)


def test_backend_kernel_takes_a_lowering_and_auto_is_machine_code(cell):
    runs = [solve(cell), solve(cell, backend="kernel", lowering="llvm"), solve(cell, lowering="auto")]
    for other in runs[1:]:
        np.testing.assert_array_equal(other.saved, runs[0].saved)


@pytest.mark.slow
def test_jax_numpy_needs_no_machine_code_and_machine_code_says_why_there_is_none(cell, monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    assert bool(solve(cell, lowering="xla").ok)
    message = r"^Argument `lowering` is `llvm`, but there can be no machine code: llvmlite is not installed\.$"
    for call in (solve, jaxion.setpoint, lambda model, **options: jaxion.sensitivity(model, OF, WRT, **options)):
        with pytest.raises(ValueError, match=message):
            call(cell, lowering="llvm")


@pytest.mark.parametrize(("name", "near"), [("lvm", "llvm"), ("LLVM", "llvm"), ("xlaa", "xla"), ("Auto", "auto")])
def test_a_wrong_name_is_answered_with_the_nearest_even_under_a_transformation(cell, name, near):
    message = rf"^Argument `lowering` must be one of auto, llvm, xla, but it is `{name}`\. Did you mean `{near}`\?"
    calls = (solve, jaxion.setpoint, lambda model, **options: jaxion.sensitivity(model, OF, WRT, **options))
    for call in calls:
        with pytest.raises(ValueError, match=message):
            call(cell, lowering=name)
        with pytest.raises(ValueError, match=message):
            jax.eval_shape(lambda K, call=call: call(jaxion.replace(cell, {"bath.K": K}), lowering=name), 4.0)


VERBS = {
    "simulate": ("--protocol", "pump_block", "--save", "0:60:4", "--start", "setpoint"),
    "setpoint": (),
    "sensitivity": ("--of", ",".join(OF), "--wrt", ",".join(WRT)),
}


def numbers(data):
    """All numbers of a JSON object, in order."""
    if isinstance(data, dict):
        return [number for value in data.values() for number in numbers(value)]
    if isinstance(data, list):
        return [number for value in data for number in numbers(value)]
    return [data] if isinstance(data, int | float) else []


@pytest.mark.parametrize("verb", ["setpoint", "sensitivity", pytest.param("simulate", marks=pytest.mark.slow)])
def test_the_shell_takes_the_names_of_python(verb, capsys):
    found = {}
    for lowering in ("auto", "llvm", "xla"):
        assert main([verb, "duesterwald2018", *VERBS[verb], "--lowering", lowering, "--json"]) == 0
        found[lowering] = json.loads(capsys.readouterr().out)
    assert found["auto"] == found["llvm"]
    for name in {"simulate": ("save", "measures"), "setpoint": ("state",), "sensitivity": ("matrix",)}[verb]:
        a, b = (numbers(found[lowering][name]) for lowering in ("llvm", "xla"))
        assert a
        np.testing.assert_allclose(a, b, rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("verb", VERBS)
def test_the_shell_answers_a_wrong_name_in_a_sentence(verb, capsys):
    assert main([verb, "duesterwald2018", *VERBS[verb], "--lowering", "lvm"]) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err == "jaxion: Argument `lowering` must be one of auto, llvm, xla, but it is `lvm`. Did you mean `llvm`?\n"


def test_an_environment_that_names_no_lowering_is_told(monkeypatch):
    monkeypatch.setenv("JAXION_LOWERING", "lvm")
    with pytest.raises(
        ValueError,
        match=r"^Environment variable `JAXION_LOWERING` must be one of auto, llvm, xla, but it is `lvm`\. Did you mean `llvm`\?$",
    ):
        jaxion.setpoint(jaxion.models.duesterwald2018())
