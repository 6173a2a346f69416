"""The benchmarks' canonical cell, and the compiled code that rivals get of it."""

import importlib
import os
import subprocess
import sys
from pathlib import Path

import jax
import numpy as np
import pytest

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
