"""Set-points and their sensitivities as machine code: what `jax.numpy` finds, and the same bits whatever else is in the batch."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from model_cases import LARGEST, each_model_compiled, function

import jaxion
from jaxion import models
from jaxion.kernel import Equilibrium, vector_width
from jaxion.kernel.binding import ffi
from jaxion.kernel.cpu import equilibria, threads
from jaxion.paths import paths
from jaxion.sensitivities import machine_code

pytestmark = pytest.mark.usefixtures("any_lowering")

OF = ("neuron.V", "neuron.Cl", "neuron.E_Cl", "neuron.volume")
WRT = ("neuron.kcc2.g", "neuron.leak_Na.g", "neuron.z", "bath.K", "neuron.nka.activity")

SPREAD = {"kalia2021": 0.1}
"""Relative spread of all activities where it is not 0.3: beyond, the cleft may hold 1e-9 of all glutamate, seven digits of a difference."""


def varied(model, rng, cells=40):
    """Cells whose mechanisms differ; some may have no set-point."""
    strengths = [path.name for path in paths(model) if path.name.endswith((".activity", "bath.K"))]
    sd = SPREAD.get(model.name, 0.3)
    return jaxion.replace(model, {path: model[path] * np.exp(rng.normal(0, sd, cells)) for path in strengths})


@each_model_compiled
def test_machine_code_finds_what_jax_numpy_finds(name, rng):
    cells = varied(function(name)(), rng)
    found, expected = (jaxion.setpoint(cells, lowering=lowering) for lowering in ("llvm", "xla"))
    np.testing.assert_array_equal(found.status, expected.status)
    there = np.asarray(found.found)
    assert there.any()
    np.testing.assert_allclose(found.y[:, there], expected.y[:, there], rtol=1e-11, atol=1e-11)
    a, b = found.certificate, expected.certificate
    assert a.totals.keys() == b.totals.keys()
    for error in a.totals.values():
        assert np.abs(np.asarray(error)[there]).max() < 1e-12
    np.testing.assert_array_equal(a.branch[there], b.branch[there])
    np.testing.assert_array_equal(a.unstable[there], b.unstable[there])
    assert np.asarray(a.residual)[there].max() < 1e-12
    # Near a singular matrix the condition number itself is known to few digits.
    moderate = there & (np.asarray(b.condition) < 1e6)
    np.testing.assert_allclose(a.condition[moderate], b.condition[moderate], rtol=1e-6)


@pytest.mark.slow
@pytest.mark.parametrize("name", LARGEST)
def test_machine_code_finds_where_the_largest_models_stand_still(name, rng):
    """By the plain operations of `jax.numpy`, which need not be compiled; test_models.py compares the derivatives with differences."""
    cells = varied(function(name)(), rng)
    found = jaxion.setpoint(cells, lowering="llvm")
    there = np.asarray(found.found)
    assert there.any()
    rows, before = cells.pack(found.snapshot), cells.pack(cells.baseline())
    change, moved = np.asarray(cells.rhs(rows)), len(cells.structure.S)
    gross = np.abs(cells.structure.S) @ np.abs(np.asarray(cells.fluxes(rows)))
    # V follows from the small excess of charge, of which amounts know seven digits fewer than of themselves.
    assert (np.abs(change[:moved]) / gross.max(axis=0))[:, there].max() < 1e-9
    assert np.abs(change[moved:, there]).max() < 1e-6
    for total in cells.structure.totals:
        now, then = (sum(w * state[cells.rows.index(row)] for row, w in total.weights) for state in (rows, before))
        gross_total = sum(abs(w) * before[cells.rows.index(row)] for row, w in total.weights)
        assert np.abs(np.asarray((now - then) / gross_total))[there].max() < 1e-12


@each_model_compiled
def test_sensitivities_are_those_of_jax_numpy(name, rng):
    cells = varied(function(name)(), rng, cells=8)
    point = jaxion.setpoint(cells)
    of = [path for path in point.state_paths()][:4]
    wrt = [path.name for path in paths(cells) if path.name.endswith((".activity", "bath.K", ".impermeant"))]
    found, expected = (jaxion.sensitivity(cells, of, wrt, point=point, lowering=lowering).matrix for lowering in ("llvm", "xla"))
    well = np.asarray(point.found & (point.certificate.condition < 1e6))
    np.testing.assert_allclose(found[..., well], expected[..., well], rtol=1e-8, atol=1e-10)
    np.testing.assert_array_equal(np.isnan(found), np.isnan(expected))


@pytest.fixture(scope="module")
def batch():
    return varied(models.duesterwald2018(), np.random.default_rng(5), cells=203)


@pytest.fixture(scope="module")
def point(batch):
    return jaxion.setpoint(batch, lowering="llvm")


def numbers(point):
    return jax.tree.leaves((point.y, point.status, point.certificate))


@pytest.mark.parametrize(
    "chosen", [np.arange(203)[::-1], np.arange(3), np.array([17]), np.arange(11, 90)], ids=["reversed", "3", "1", "79"]
)
def test_order_and_number_of_cells_change_no_bit(chosen, batch, point):
    part = jax.tree.map(lambda leaf: leaf[chosen] if leaf.ndim else leaf, batch)
    for found, expected in zip(numbers(jaxion.setpoint(part, lowering="llvm")), numbers(point), strict=True):
        np.testing.assert_array_equal(found, expected[..., chosen])
    found, expected = (jaxion.sensitivity(cells, OF, WRT, lowering="llvm").matrix for cells in (part, batch))
    np.testing.assert_array_equal(found, expected[..., chosen])


@pytest.mark.parametrize("count", [1, 2, 3])
def test_threads_and_ranges_change_no_bit(count, batch, point, monkeypatch):
    monkeypatch.setattr("jaxion.kernel.binding.equilibria.cores", lambda: count)
    monkeypatch.setattr(threads, "RANGE", 48)
    monkeypatch.setattr(equilibria, "BLOCK", 2000)
    for found, expected in zip(numbers(jaxion.setpoint(batch, lowering="llvm")), numbers(point), strict=True):
        np.testing.assert_array_equal(found, expected)


def test_other_processors_find_the_same(batch, point, monkeypatch):
    monkeypatch.setattr(equilibria, "vector_width", lambda: max(1, vector_width() // 2))
    equilibria.solver.kept.cache_clear()  # pyright: ignore[reportFunctionMemberAccess]
    found = jaxion.setpoint(batch, lowering="llvm")
    equilibria.solver.kept.cache_clear()  # pyright: ignore[reportFunctionMemberAccess]
    np.testing.assert_array_equal(found.status, point.status)
    np.testing.assert_allclose(found.y, point.y, rtol=1e-13, atol=1e-13)


def test_growing_modes_and_condition_are_those_of_lapack(rng):
    """Linear equations with a known matrix each: modes that grow and decay at rates over seven decades."""
    size, cells = 6, 64
    rates = 10 ** rng.uniform(-3, 4, (cells, size)) * rng.choice([-1, 1], (cells, size))
    basis = rng.normal(size=(cells, size, size))
    matrices = basis @ (rates[:, :, None] * np.linalg.inv(basis))
    kept = np.linalg.cond(matrices) < 1e11
    machine = equilibria.Solver(_linear(size))
    theta = np.ascontiguousarray(matrices.reshape(cells, -1).T)
    told = machine.find(np.zeros((size, cells)), theta, 50, 1)
    np.testing.assert_array_equal(told.unstable[kept], (rates > 0).sum(axis=1)[kept])
    scaled = matrices / np.abs(matrices).max(axis=2, keepdims=True)
    np.testing.assert_allclose(told.condition[kept], np.linalg.cond(scaled, np.inf)[kept], rtol=1e-4)


def _linear(size):
    def rates(x, theta):
        return theta.reshape(size, size) @ x

    return Equilibrium(
        rates=rates,
        sizes=lambda x, theta: jnp.ones(size),
        kept=lambda x, theta: jnp.zeros(0),
        dynamics=rates,
        extend=lambda x, theta: x,
        evidence=lambda x, theta: jnp.zeros(0),
        rows=size,
        params=size * size,
        bounded=size,
    )


@pytest.mark.slow
def test_pivots_that_are_lost_to_rounding_are_computed_again(batch, point, monkeypatch):
    expected = jaxion.sensitivity(batch, OF, WRT, scaled=False, point=point, lowering="xla").matrix
    monkeypatch.setattr(machine_code, "GROWTH", 0.0)
    again = jaxion.sensitivity(batch, OF, WRT, scaled=False, point=point, lowering="llvm").matrix
    np.testing.assert_array_equal(again, expected)


@pytest.mark.slow
def test_under_transformations_machine_code_seeks_as_well():
    cell = models.duesterwald2018()

    def potential(K, lowering):
        return jaxion.setpoint(jaxion.replace(cell, {"bath.K": K}), lowering=lowering)["neuron.V"]

    assert jax.jit(potential, static_argnums=1).lower(4.0, "llvm").as_text().count(ffi.TARGET) == 1
    at = jnp.array([3.0, 4.0, 8.0])
    found, expected = (jax.jit(jax.vmap(jax.value_and_grad(lambda K, x=x: potential(K, x))))(at) for x in ("llvm", "xla"))
    np.testing.assert_allclose(found, expected, rtol=1e-11)
    eager = jaxion.setpoint(jaxion.replace(cell, {"bath.K": at}))["neuron.V"]
    np.testing.assert_allclose(found[0], eager, rtol=1e-14)
