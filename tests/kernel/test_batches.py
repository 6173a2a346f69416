"""Cells are independent: what one does, or how many there are, changes nothing in another."""

import subprocess
import sys
import textwrap
import time

import jax.numpy as jnp
import numpy as np
import pytest

from jaxion.errors import Status
from jaxion.kernel import Crossing, Extremum, Integral, Mean, Spikes, System, check_limits, integrate

pytestmark = pytest.mark.usefixtures("any_lowering")

# A relaxation oscillator whose slow cells take ten times the steps of the fast ones.
SYSTEM = System(
    lambda t, y, theta: jnp.stack([theta[0] * (y[1] - y[0] ** 3 / 3 + y[0]), -y[0] / theta[0] + theta[1]]),
    rows=2,
    params=2,
    observe=lambda t, y, theta: jnp.stack([y[0], t * y[1]]),
)
REDUCTIONS = (Extremum(0), Extremum(1, -1.0), Mean(0), Integral(1), Crossing(0, 0.5), Crossing(0, 0.5, -1.0, True), Spikes(0, 1.0))
SAVES = np.linspace(0.0, 20.0, 33)


def cells(count, seed=1):
    rng = np.random.default_rng(seed)
    return np.stack([rng.uniform(-2, 2, count), rng.uniform(-1, 1, count)]), np.stack([10 ** rng.uniform(0, 1.5, count), np.zeros(count)])


def run(y0, theta, **options):
    edges = np.array([0.0, 5.0, 20.0])
    drive = np.broadcast_to(np.array([0.0, 0.3])[:, None, None], (2, 1, y0.shape[-1])) if y0.ndim == 2 else np.array([[0.0], [0.3]])
    theta = theta[:1]
    return integrate(SYSTEM, y0, theta, edges, drive=drive, saves=SAVES, reductions=REDUCTIONS, **options)


def numbers(course):
    return [np.asarray(course.saved), np.asarray(course.final), *(np.asarray(x) for outputs in course.reduced for x in outputs)]


@pytest.fixture(scope="module")
def batch():
    return cells(1500), run(*cells(1500))


def test_a_batch_is_its_cells_one_by_one(batch):
    (y0, theta), course = batch
    for i in (0, 7, 1499):
        one = run(y0[:, i], theta[:, i])
        for whole, single in zip(numbers(course), numbers(one), strict=True):
            np.testing.assert_allclose(single, whole[..., i], rtol=1e-9, atol=1e-10)


def test_order_and_number_of_cells_change_no_bit(batch):
    (y0, theta), course = batch
    order = np.random.default_rng(0).permutation(1500)
    shuffled = run(y0[:, order], theta[:, order])
    some, few = run(y0[:, 100:180], theta[:, 100:180]), run(y0[:, 3:8], theta[:, 3:8])
    for whole, other, part, five in zip(numbers(course), numbers(shuffled), numbers(some), numbers(few), strict=True):
        np.testing.assert_array_equal(other, whole[..., order])
        np.testing.assert_array_equal(part, whole[..., 100:180])
        np.testing.assert_array_equal(five, whole[..., 3:8])


# Each of these fails in its own way; the others must not notice.
FAILING = System(
    lambda t, y, theta: jnp.stack([theta[0] * y[0] ** 2 - theta[1], -jnp.log(theta[2]) * y[1]]),
    rows=2,
    params=3,
    positive=(0,),
)
OUTCOMES = {
    Status.ok: (0.0, 0.0, 2.0),
    Status.step_too_small: (1.0, 0.0, 2.0),
    Status.not_positive: (0.0, 1.0, 2.0),
    Status.not_finite: (0.0, 0.0, -1.0),
}


@pytest.mark.parametrize("place", [0, 40, 99])
@pytest.mark.parametrize("outcome", [s for s in OUTCOMES if s != Status.ok], ids=lambda s: s.name)
def test_a_failing_cell_is_a_status_and_spoils_no_other(outcome, place):
    theta = np.tile(np.array(OUTCOMES[Status.ok])[:, None], 100)
    theta[2] = np.linspace(1.5, 3.0, 100)
    clean = integrate(FAILING, np.ones((2, 100)), theta, [0.0, 10.0], saves=[5.0, 10.0])
    theta[:, place] = OUTCOMES[outcome]
    spoiled = integrate(FAILING, np.ones((2, 100)), theta, [0.0, 10.0], saves=[5.0, 10.0])
    others = np.arange(100) != place
    assert int(spoiled.status[place]) == outcome
    assert np.all(np.isnan(spoiled.final[:, place]))
    np.testing.assert_array_equal(spoiled.saved[..., others], clean.saved[..., others])
    assert np.all(np.asarray(spoiled.status)[others] == Status.ok)


def test_the_step_limit_is_a_status():
    pendulum = System(lambda t, y, theta: jnp.stack([y[1], -(theta[0] ** 2) * y[0]]), rows=2, params=1)
    course = integrate(pendulum, np.ones((2, 3)), np.array([[1.0, 1000.0, 1.0]]), [0.0, 20.0], max_steps=500)
    assert [Status(int(s)).name for s in course.status] == ["ok", "max_steps", "ok"]
    assert int(course.steps[1]) == 500


def test_a_phase_without_duration_changes_nothing():
    y0, theta = cells(3)
    drive = np.broadcast_to(np.array([0.0, 9.0, 0.3])[:, None, None], (3, 1, 3))
    with_empty = integrate(SYSTEM, y0, theta[:1], [0.0, 5.0, 5.0, 20.0], drive=drive, saves=SAVES, reductions=REDUCTIONS)
    without = run(y0, theta)
    for a, b in zip(numbers(with_empty), numbers(without), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-12)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"rtol": 1e-3}, "Argument `rtol` must lie between 1e-12 and 1e-4"),
        ({"y0": np.ones((3, 2))}, "Argument `y0` does not fit 2 cells"),
        ({"theta": np.ones((1, 2))}, "Argument `theta` does not fit"),
        ({"scale": np.ones(5)}, "Argument `scale` does not fit"),
    ],
)
def test_what_does_not_fit_is_refused(change, message):
    arguments = {"y0": np.ones((2, 2)), "theta": np.ones((2, 2)), "edges": [0.0, 1.0], **change}
    with pytest.raises(ValueError, match=message):
        integrate(SYSTEM, **arguments)


@pytest.mark.slow
def test_an_interrupt_stops_a_long_batch_within_a_second():
    code = textwrap.dedent("""
        import signal
        import jax, jax.numpy as jnp, numpy as np
        # Who runs the tests in the background may have switched interrupts off.
        signal.signal(signal.SIGINT, signal.default_int_handler)
        jax.config.update("jax_enable_x64", True)
        from jaxion.kernel import System, integrate
        system = System(lambda t, y, k: jnp.stack([y[1], k[0] * (1 - y[0] ** 2) * y[1] - y[0]]), rows=2, params=1)
        integrate(system, np.ones((2, 2048)), np.ones((1, 2048)), [0.0, 1.0])
        print("compiled", flush=True)
        integrate(system, np.ones((2, 100_000)), 5 * np.ones((1, 100_000)), [0.0, 1e5], max_steps=10**8)
    """)
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "compiled\n"
    time.sleep(1.5)
    process.send_signal(2)
    asked = time.perf_counter()
    try:
        _, errors = process.communicate(timeout=60)
    finally:
        process.kill()
    # "About a second" on an idle machine; a busy one may need longer to unwind.
    assert time.perf_counter() - asked < 5
    assert "KeyboardInterrupt" in errors
    assert process.returncode != 0


@pytest.mark.parametrize(
    ("rtol", "max_steps", "message"),
    [
        ("1e-6", 10, r"^Argument `rtol` must be a number between 1e-12 and 1e-4, but it is `1e-6`\.$"),
        (1e-6, 1.5, r"^Argument `max_steps` must be a whole number of 1 or more, but it is `1\.5`\.$"),
        (1e-6, "many", r"but it is `many`\.$"),
    ],
)
def test_limits_that_are_no_numbers_are_refused(rtol, max_steps, message):
    with pytest.raises(ValueError, match=message):
        check_limits(rtol, max_steps)
