"""The benchmarks' canonical cell, and the compiled code that rivals get of it."""

import importlib
import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jaxion
from jaxion import kernel

BENCHMARKS = str(Path(__file__).parents[1] / "benchmarks")


@pytest.fixture(scope="module")
def bench():
    """Imports a module of the benchmarks."""
    sys.path.insert(0, BENCHMARKS)
    yield importlib.import_module
    sys.path.remove(BENCHMARKS)


@pytest.fixture
def cell(bench, rng):
    """A state away from rest, and θ with a drive, of one cell."""
    canonical = bench("canonical")
    theta = canonical.driven(canonical.draw(1, seed=3), canonical.WORKLOADS["anoxia"].drive)
    y = canonical.start(theta) * (1 + 0.05 * rng.standard_normal((16, 1)))
    return y[:, 0], theta[:, 0]


def test_charge_and_sodium_of_the_canonical_cell_balance(bench, cell):
    canonical = bench("canonical")
    y, theta = cell
    rates = dict(zip(canonical.STATES, canonical.f(0.0, y, theta), strict=True))
    C, exchange = (theta[list(canonical.PARAMETERS).index(name)] for name in ("C", "exchange"))
    for side in ("i", "g"):
        inside = rates[f"Na_{side}"] + rates[f"K_{side}"] - rates[f"Cl_{side}"]
        np.testing.assert_allclose(inside, canonical.CHARGE * C * rates["V" if side == "i" else "V_g"], rtol=1e-9)
    w_o = theta[list(canonical.PARAMETERS).index("A_i")] / 140 + theta[list(canonical.PARAMETERS).index("A_g")] / 165 + 1 / 3 - y[7] - y[14]
    bath = exchange / 3 * (145.0 - y[8] / w_o)
    np.testing.assert_allclose(rates["Na_i"] + rates["Na_o"] + rates["Na_g"], bath, rtol=1e-9)


@pytest.mark.slow
def test_compiled_rates_and_jacobian_are_those_of_jax(bench, cell):
    pytest.importorskip("numba")
    canonical, compiled = bench("canonical"), bench("compiled")
    y, theta = cell
    sizes = {"t": None, "y": 16, "theta": 30}
    rates, J = np.empty(16), np.zeros((16, 16))
    compiled.function(canonical.f, **sizes)(31.0, y, theta, rates)
    compiled.derivative(canonical.f, "y", **sizes)(31.0, y, theta, J)
    wanted = np.asarray(jax.jacfwd(canonical.f, argnums=1)(31.0, y, theta))
    np.testing.assert_allclose(rates, canonical.f(31.0, y, theta), rtol=1e-10)
    np.testing.assert_allclose(J, wanted, rtol=1e-9, atol=1e-12 * np.abs(wanted).max())


def test_unknowns_of_the_reduced_cell_stand_for_states_whose_gates_and_charges_are_balanced(bench, cell):
    canonical, reduced = bench("canonical"), bench("canonical_reduced")
    theta = canonical.draw(1, seed=3)
    x = reduced.start(theta)[:, 0]
    y = np.asarray(reduced.state(x, theta[:, 0]))
    np.testing.assert_allclose(reduced.unknowns(y[:, None])[:, 0], x, rtol=1e-12)
    rates = np.asarray(canonical.f(0.0, y, canonical.driven(theta, canonical.REST)[:, 0]))
    np.testing.assert_allclose(rates[1:4], 0.0, atol=1e-10)
    np.testing.assert_allclose(y[[5, 12]], canonical.start(theta)[[5, 12], 0], rtol=1e-12)


@pytest.fixture
def population(bench, rng):
    """Parameters of a few canonical cells, states of theirs away from rest, and the model of them all."""
    canonical = bench("canonical")
    theta = canonical.draw(20, seed=3)
    y = canonical.start(theta) * np.exp(0.1 * rng.standard_normal((16, 20)))
    return theta, y, dict(zip(canonical.PARAMETERS, theta, strict=True))


@pytest.mark.slow
@pytest.mark.parametrize(("workload", "t"), [("anoxia", 0.0), ("anoxia", 30.3), ("anoxia", 200.0), ("spiking", 1.0)])
def test_canonical_cell_of_mechanisms_has_the_same_rates(bench, population, workload, t):
    canonical, made = bench("canonical"), bench("canonical_model")
    theta, y, parameters = population
    current, O2, begin, end, channels = canonical.WORKLOADS[workload].drive
    oxygen = 1 - (1 - O2) * (np.tanh(t - begin) - np.tanh(t - end)) / 2
    model = jaxion.replace(made.canonical(current, **parameters), {"ecs.synthesis.activity": oxygen, "neuron.na.activity": channels})
    assert set(made.ROWS) == set(canonical.STATES)
    assert len(model.rows) == len(canonical.STATES) + 3
    wanted = jax.vmap(canonical.f, (None, 1, 1), 1)(t, y, canonical.driven(theta, canonical.WORKLOADS[workload].drive))
    rates = model.rhs(made.to_rows(model, y))
    np.testing.assert_allclose(made.from_rows(model, rates), wanted, rtol=1e-10)
    # The three states that are left out follow from charge, volume and adenylate at all times.
    np.testing.assert_allclose(rates, made.to_rates(model, wanted), rtol=1e-9)


@pytest.mark.slow
def test_canonical_cell_of_mechanisms_keeps_the_laws_and_rests(bench):
    canonical, made = bench("canonical"), bench("canonical_model")
    model = made.canonical()
    assert jaxion.check(model).ok
    point = jaxion.setpoint(model)
    theta = np.array([nominal for nominal, _ in canonical.PARAMETERS.values()] + list(canonical.REST))
    y = np.asarray(made.from_rows(model, point.model.pack(point.snapshot)))
    np.testing.assert_allclose(np.asarray(canonical.f(0.0, y, theta)) / canonical.SCALE, 0.0, atol=1e-8)
    found = jaxion.ledger(point)
    assert set(found.used) == {"neuron.nka", "astrocyte.nka", "ecs.other"}
    assert abs(float(found.error)) < 1e-10
    assert float(found.ATP) == pytest.approx(-float(point["ecs.synthesis.ATP"]), rel=1e-10)
    with pytest.raises(ValueError, match="has no parameter pumps; it has g_Na"):
        made.canonical(pumps=1.0)


@pytest.mark.slow
def test_canonical_cell_of_mechanisms_goes_through_the_same_anoxia(bench):
    canonical, made = bench("canonical"), bench("canonical_model")
    task = canonical.WORKLOADS["anoxia"]
    _, O2, begin, end, channels = task.drive
    model = jaxion.replace(made.canonical(), {"neuron.na.activity": channels})
    theta = np.array([nominal for nominal, _ in canonical.PARAMETERS.values()] + list(task.drive))[:, None]
    y0 = np.asarray(canonical.start(theta[:25]))
    protocol = jaxion.Protocol(jaxion.smooth_block("ecs.synthesis", 1 - O2, task.duration, begin, end, 0.5))
    run = jaxion.solve(model, protocol, start=made.to_rows(model, y0[:, 0]), save=task.times[::50], rtol=1e-9)
    system = kernel.System(canonical.f, rows=16, params=30)
    other = kernel.integrate(system, y0, theta, [0.0, task.duration], saves=task.times[::50], scale=canonical.SCALE, rtol=1e-9)
    found = np.asarray(made.from_rows(model, run.saved.T)).T
    np.testing.assert_allclose(found / canonical.SCALE, np.asarray(other.saved)[..., 0] / canonical.SCALE, rtol=1e-5, atol=1e-5)
    assert found[:, -1].min() < 1.0 < found[0, -1]


def fresh(*command):
    """Output of Python in a process of its own, which sees jaxion and the benchmarks."""
    source = os.pathsep.join([str(Path(BENCHMARKS).parent), BENCHMARKS])
    done = subprocess.run([sys.executable, *command], env={**os.environ, "PYTHONPATH": source}, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.slow
def test_constants_of_compiled_functions_are_in_double_precision_whatever_was_imported_before():
    pytest.importorskip("numba")
    text = "import compiled, numpy; out = numpy.empty(1); compiled.function(lambda y: y * 0.1, y=1)(numpy.ones(1), out); print(repr(float(out[0])))"
    assert fresh("-c", text) == "0.1\n"


@pytest.mark.slow
def test_derivative_of_the_loss_by_what_was_saved_is_that_of_jax(bench, rng):
    task = bench("gradients_loss")
    y0, saved = rng.standard_normal((16, 2)), rng.standard_normal((3, 16, 2))
    wanted = jax.grad(lambda saved: task.loss(saved, y0).sum())(saved)
    np.testing.assert_allclose(task.by_saved(saved, y0), wanted, rtol=1e-12)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("module", "mode", "needs"),
    [
        ("gradients_jaxion", "gradient", "jaxion"),
        ("gradients_casadi", "forward", "casadi"),
        ("gradients_casadi", "adjoint", "casadi"),
        ("gradients_myokit", "gradient", "myokit"),
    ],
)
def test_contenders_find_the_gradients_of_the_judge(bench, judged_gradients, module, mode, needs):
    pytest.importorskip(needs)
    y0, theta, wanted = judged_gradients
    losses, claimed, gradients = bench(module).prepare(y0, theta, mode, 1e-7)()
    assert claimed.all()
    np.testing.assert_array_less(bench("gradients_truth").error(gradients, wanted[2], theta), 1e-4)
    np.testing.assert_allclose(losses, wanted[0], rtol=1e-5)
    np.testing.assert_allclose(bench(module).prepare(y0, theta, "loss", 1e-7)()[0], wanted[0], rtol=1e-5)


@pytest.fixture(scope="module")
def judged_gradients(bench):
    """Starts, θ with its drive, and the judge's losses, claims and gradients, of two cells."""
    pytest.importorskip("numba")
    pytest.importorskip("sksundae")
    canonical = bench("canonical")
    parameters = canonical.draw(2, seed=1)
    y0 = canonical.start(parameters)
    theta = canonical.driven(parameters, canonical.WORKLOADS["anoxia"].drive)
    return y0, theta, bench("gradients_sundials").prepare(y0, theta, "gradient", 1e-10)()


@pytest.mark.slow
def test_all_contenders_fit_the_same_loss(bench, rng):
    task = bench("fits_problem")
    recorded = rng.standard_normal((len(task.TIMES), len(task.ROWS)))

    def course(theta):
        return jnp.outer(jnp.asarray(task.TIMES) / 600, theta[:16])

    theta = task.starts(3, seed=1)[:, 2]
    wanted = task.residuals(np.asarray(course(jnp.asarray(theta))), recorded, np.log(theta))
    found = task.problem(course, recorded).loss(dict(zip(task.PARAMETERS, jnp.asarray(theta), strict=True)))
    assert float(found) == pytest.approx(np.sum(wanted**2) / 2, rel=1e-12)


def test_packages_that_are_missing_leave_their_contenders_out(bench):
    contenders = bench("gradients")._contenders(1e-6, 16, 1)
    for one in contenders:
        assert one.absent == (importlib.util.find_spec(one.needs) is None)
    assert {one.needs for one in contenders} == {"numpy", "casadi", "myokit"}
    assert bench("rounds").Contender("nobody", "nowhere", (), 1, needs="no_such_package").absent


def test_work_precision_figure_names_every_contender_in_every_panel(bench):
    names = ("jaxion", "a rival", "another")
    rows = [
        {"name": name, "cells_per_second": 10.0 * (k + 1) / rtol**0.1, "error_median": rtol * (1 + k)}
        for k, name in enumerate(names)
        for rtol in (1e-5, 1e-6)
    ]
    records = [{"workload": workload, "cores": 1, "contenders": rows} for workload in ("anoxia", "spiking")]
    figure = bench("figure").draw(records)
    assert [axes.get_title(loc="left") for axes in figure.axes] == ["anoxia, 1 core", "spiking, 1 core"]
    for axes in figure.axes:
        assert sorted(text.get_text() for text in axes.texts) == sorted(names)


def test_tables_of_the_readme_are_those_of_the_recorded_results(bench):
    readme = (Path(BENCHMARKS) / "README.md").read_text(encoding="utf-8")
    assert "| jaxion |" in readme
    assert bench("tables").inserted(readme) == readme


@pytest.mark.slow
def test_growth_reports_both_kernels_of_a_model(bench, tmp_path):
    del bench
    out = tmp_path / "growth.json"
    said = fresh(f"{BENCHMARKS}/growth.py", "--systems", "duesterwald2018", "--cells", "3", "--out", str(out))
    entries = json.loads(out.read_text())["entries"]
    assert [(entry["kernel"], entry["states"], entry["cells"], entry["failed"]) for entry in entries] == [
        ("transient", 5, 3, 0),
        ("gradient", 5, 3, 0),
    ]
    assert len(said.splitlines()) == len(entries)
