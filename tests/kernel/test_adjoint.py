"""Derivatives of trajectories by machine code: the same as in `jax.numpy`, the same bits in any batch, and through every edge case."""

import ctypes

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxion.errors import Status
from jaxion.kernel import Crossing, Extremum, Integral, Mean, Spikes, System, integrate, lowerings
from jaxion.kernel.binding import ffi
from jaxion.kernel.cpu import tapes
from jaxion.kernel.graph import procedures
from jaxion.kernel.graph.nodes import sorted_nodes
from jaxion.kernel.programs.integration import IntegrationPrograms

pytestmark = pytest.mark.usefixtures("any_lowering")

# A stiff oscillator, driven in its second of three phases, with everything that can be measured.
SYSTEM = System(
    lambda t, y, theta: jnp.stack([y[1], theta[0] * ((1.0 - y[0] ** 2) * y[1] - theta[1] * y[0] + theta[2] * jnp.sin(3.0 * t))]),
    rows=2,
    params=3,
    observe=lambda t, y, theta: jnp.stack([y[0] + theta[1] * t]),
)
REDUCTIONS = (Extremum(0), Mean(0), Integral(0), Crossing(0, 1.0), Spikes(0, 1.5))
SAVES = np.array([0.0, 0.4, 0.41, 0.42, 0.43, 1.0, 2.0, 2.9, 3.0])
CELLS = 21
EDGES = np.array([0.0, 1.0, 2.0, 3.0])


@pytest.fixture(scope="module")
def numbers():
    rng = np.random.default_rng(5)
    start = np.array([[2.0], [0.1]]) * (1 + 0.1 * rng.standard_normal((2, CELLS)))
    theta = np.array([[8.0], [1.2]]) * (1 + 0.1 * rng.standard_normal((2, CELLS)))
    drive = np.array([0.0, 3.0, -1.0])[:, None, None] * (1 + 0.1 * rng.standard_normal((3, 1, CELLS)))
    edges = EDGES[:, None] + 0.02 * np.cumsum(rng.random((4, CELLS)), axis=0) * np.array([[0.0], [1.0], [1.0], [1.0]])
    return tuple(map(jnp.asarray, (start, theta, drive, edges)))


def course(start, theta, drive, edges, **options):
    options = {"system": SYSTEM, "saves": SAVES, "reductions": REDUCTIONS, "rtol": 1e-8, **options}
    return integrate(y0=start, theta=theta, edges=edges, drive=drive, **options)


def weighted(*numbers, **options):
    """A number that depends on all that comes out, in each cell with weights of its own."""
    c = course(*numbers, **options)
    outputs = [c.saved, c.final, *(output for reduction in c.reduced for output in reduction)]
    # What never happened, or failed, counts for nothing.
    outputs = [jnp.where(jnp.isfinite(x), x, 0.0) for x in outputs]
    parts = [
        jnp.sum(x * jnp.cos(1.0 + np.arange(x.size // x.shape[-1]).reshape(*x.shape[:-1], 1)), axis=range(x.ndim - 1)) for x in outputs
    ]
    return sum(jnp.sin(part) for part in parts)


def gradient(numbers, **options):
    return jax.grad(lambda *x: jnp.sum(weighted(*x, **options)), range(4))(*numbers)


@pytest.fixture(scope="module")
def reverse(numbers):
    return gradient(numbers)


@pytest.mark.slow
def test_machine_code_agrees_with_jax_numpy(numbers, reverse):
    for found, expected in zip(reverse, gradient(numbers, lowering="xla"), strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-8 * np.max(np.abs(expected)))


@pytest.mark.slow
def test_the_tangent_is_the_transpose_of_the_adjoint(numbers, reverse, rng):
    directions = tuple(jnp.asarray(rng.standard_normal(x.shape)) for x in numbers)
    _, pushed = jax.jvp(weighted, numbers, directions)
    pulled = sum(jnp.sum(bar * direction, axis=range(bar.ndim - 1)) for bar, direction in zip(reverse, directions, strict=True))
    np.testing.assert_allclose(pushed, pulled, rtol=1e-9, atol=1e-9 * np.max(np.abs(pulled)))


@pytest.mark.slow
def test_procedures_compute_what_is_written_out_in_small_systems(numbers, reverse, monkeypatch, rng):
    assert "invoke" not in operations(SYSTEM)
    monkeypatch.setattr(procedures, "SHORT", 0)
    system = System(SYSTEM.f, SYSTEM.rows, SYSTEM.params, SYSTEM.observe)
    assert "invoke" in operations(system)
    np.testing.assert_allclose(course(*numbers, system=system).final, course(*numbers).final, rtol=1e-12)
    for found, expected in zip(gradient(numbers, system=system), reverse, strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-10, atol=1e-12 * np.max(np.abs(expected)))
    directions = tuple(jnp.asarray(rng.standard_normal(x.shape)) for x in numbers)
    pushed, expected = (jax.jvp(lambda *x, s=s: weighted(*x, system=s), numbers, directions)[1] for s in (system, SYSTEM))
    np.testing.assert_allclose(pushed, expected, rtol=1e-10, atol=1e-12 * np.max(np.abs(expected)))


def test_what_is_true_of_parameters_alone_may_choose_in_procedures(monkeypatch):
    """Procedures take numbers; a condition on parameters is no number, though it lasts as long as they do."""

    def f(t, y, theta):
        return -jnp.where(jnp.isfinite(theta[1]) & (theta[0] > 1.0), theta[0], jnp.exp(theta[1])) * y

    theta, start = jnp.asarray([[0.5, 2.0, 3.0], [0.1, 0.2, 0.3]]), jnp.ones((1, 3))
    monkeypatch.setattr(procedures, "SHORT", 0)
    system = System(f, rows=1, params=2)
    assert "invoke" in operations(system)

    def total(theta):
        return jnp.sum(integrate(system, start, theta, [0.0, 1.0], rtol=1e-9, lowering="llvm").final)

    rate = np.where(np.asarray(theta[0]) > 1.0, theta[0], np.exp(theta[1]))
    assert float(total(theta)) == pytest.approx(np.exp(-rate).sum(), rel=1e-8)
    slope = np.where(np.asarray(theta[0]) > 1.0, [[1.0], [0.0]] * np.ones(3), [[0.0], [1.0]] * np.exp(theta[1]))
    np.testing.assert_allclose(jax.grad(total)(theta), -np.exp(-rate) * slope, rtol=1e-7)


def operations(system):
    return {node.op for node in sorted_nodes(IntegrationPrograms(system, ()).turn.values())}


@pytest.mark.slow
@pytest.mark.parametrize("cells", [slice(4, 5), slice(None, None, -1), slice(3, 16)], ids=["one", "reversed", "some"])
def test_order_and_number_of_cells_change_no_bit(numbers, reverse, cells):
    for found, expected in zip(gradient([x[..., cells] for x in numbers]), reverse, strict=True):
        np.testing.assert_array_equal(found, expected[..., cells])


@pytest.mark.parametrize("threads", [1, 5])
def test_threads_change_no_bit(numbers, reverse, threads, monkeypatch):
    monkeypatch.setattr("jaxion.kernel.binding.integration.cores", lambda: threads)
    for found, expected in zip(gradient(numbers), reverse, strict=True):
        np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize(("name", "value"), [("FIRST", 16), ("LARGE", 1000), ("RANGE", 8), ("KEPT", 0)])
def test_tapes_that_grow_or_are_full_or_short_or_not_kept_change_no_bit(numbers, reverse, name, value, monkeypatch):
    monkeypatch.setattr(tapes, name, value)
    for found, expected in zip(gradient(numbers), reverse, strict=True):
        np.testing.assert_array_equal(found, expected)


def test_a_tape_is_for_its_own_run_alone(numbers, reverse):
    first, pull_first = jax.vjp(lambda *x: jnp.sum(weighted(*x)), *numbers)
    _, pull_other = jax.vjp(lambda *x: jnp.sum(weighted(*x)), *(1.01 * x for x in numbers))
    one = jnp.ones_like(first)
    assert not np.array_equal(pull_other(one)[0], reverse[0])
    for _ in range(2):
        for found, expected in zip(pull_first(one), reverse, strict=True):
            np.testing.assert_array_equal(found, expected)
    assert not tapes._kept


def test_nothing_of_the_kernel_is_computed_by_jax_numpy_in_a_compiled_gradient(numbers):
    compiled = jax.jit(lambda *x: gradient(x))
    text = compiled.lower(*numbers).as_text()
    assert text.count(ffi.TARGET) == 2
    assert "stablehlo.while" not in text
    for found, expected in zip(compiled(*numbers), gradient(numbers), strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-9)


@pytest.mark.slow
def test_a_phase_without_duration_has_the_derivative_of_a_short_one(numbers):
    def end(length, **options):
        edges = jnp.stack([jnp.zeros(CELLS), jnp.ones(CELLS), 1.0 + length, 2.0 + length])
        start, theta, drive, _ = numbers
        return course(start, theta, drive, edges, saves=(), reductions=(), rtol=1e-11, **options).final[0]

    at, unit = jnp.zeros(CELLS), jnp.ones(CELLS)
    difference = (-3 * end(at) + 4 * end(at + 1e-4) - end(at + 2e-4)) / 2e-4
    _, pushed = jax.jvp(end, (at,), (unit,))
    pulled = jax.grad(lambda length: jnp.sum(end(length)))(at)
    np.testing.assert_allclose(pushed, difference, rtol=2e-5)
    np.testing.assert_allclose(pulled, pushed, rtol=1e-9)


def test_cells_that_fail_have_derivatives_of_zero_in_both_modes(numbers):
    start = numbers[0].at[0, 3].set(jnp.nan)
    assert int(course(start, *numbers[1:]).status[3]) == Status.not_finite

    bars = gradient((start, *numbers[1:]))
    _, pushed = jax.jvp(weighted, (start, *numbers[1:]), tuple(map(jnp.ones_like, numbers)))
    assert float(pushed[3]) == 0.0
    assert np.all(np.isfinite(pushed))
    for bar, alone in zip(bars, gradient(numbers), strict=True):
        np.testing.assert_array_equal(bar[..., 3], 0.0)
        np.testing.assert_array_equal(np.delete(bar, 3, axis=-1), np.delete(alone, 3, axis=-1))


@pytest.mark.slow
def test_traced_times_to_save_at_are_left_to_jax_numpy(numbers):
    saved = jax.jit(lambda saves: course(*numbers, saves=saves).saved)(SAVES)
    np.testing.assert_allclose(saved, course(*numbers).saved, rtol=1e-6)


@pytest.mark.slow
def test_another_version_of_the_interface_is_one_warning_and_the_same_numbers(numbers, monkeypatch):
    expected = course(*numbers)
    monkeypatch.setattr(ffi, "version", lambda: (7, 1))
    ffi.obstacle.cache_clear()
    lowerings.warn_once.cache_clear()
    try:
        with pytest.warns(UserWarning, match=r"has version 7\.1 of XLA's foreign function interface, and 0\.x is needed"):
            found = course(*numbers)
    finally:
        ffi.obstacle.cache_clear()
    np.testing.assert_allclose(found.saved, expected.saved, rtol=1e-6)


def test_what_goes_wrong_inside_of_a_compiled_program_is_an_error_there(numbers, monkeypatch):
    def broken(*_):
        raise RuntimeError("no more memory for the tape")

    monkeypatch.setattr("jaxion.kernel.binding.integration.run_into", broken)
    with pytest.raises(jax.errors.JaxRuntimeError, match="RuntimeError: no more memory for the tape"):
        jax.block_until_ready(jax.jit(lambda *x: course(*x, rtol=2e-8).final)(*numbers))


def test_the_handler_reads_the_structures_of_the_installed_interface():
    major, minor = ffi.version()
    assert (major, minor) >= (0, 1)
    assert ffi.obstacle() is None
    # Offsets of the fields in the header's structures, on machines with addresses of eight bytes.
    assert ctypes.sizeof(ctypes.c_void_p) == 8
    assert [getattr(ffi._Frame, name).offset for name in ("operands", "results", "attributes")] == [40, 80, 120]
    assert [getattr(ffi._Buffer, name).offset for name in ("dtype", "data", "rank", "dims")] == [16, 24, 32, 40]
