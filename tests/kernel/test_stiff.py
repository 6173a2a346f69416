"""The kernel on stiff problems that nobody here wrote, and the order of its method."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxion.examinations.problems import PROBLEMS
from jaxion.kernel import System, integrate
from jaxion.kernel.methods.rodas5p import interpolate
from jaxion.kernel.xla.step import step


@pytest.mark.parametrize("name", PROBLEMS)
def test_published_ends_come_out_at_the_digits_that_the_tolerance_promises(name):
    problem = PROBLEMS[name]
    system = System(problem.f, rows=problem.y0.size, params=problem.theta.size)
    for rtol in (1e-5, 1e-7, 1e-9):
        course = integrate(system, problem.y0, problem.theta, [0.0, problem.t_end], scale=problem.scale, rtol=rtol)
        error = np.abs(np.asarray(course.final) - problem.end) / (problem.scale + np.abs(problem.end))
        assert int(course.status) == 1
        assert error.max() < 30 * rtol


def oscillator(t, y, theta):
    """A nonlinear system that depends on time, without stiffness, so that orders show."""
    return jnp.stack([y[1], theta[0] * (1.0 - y[0] ** 2) * y[1] - y[0] + jnp.cos(t)])


SYSTEM = System(oscillator, rows=2, params=1)


@pytest.fixture(scope="module")
def errors():
    """Errors of whole integrations with fixed steps, at the end and in the middle of each step, by number of steps."""
    theta, end = jnp.array([[0.7]]), 2.0
    one = jax.jit(lambda t, h, y: step(SYSTEM, t, h, y, theta))

    def run(count):
        y, h, ends, middles = jnp.array([[0.5], [0.3]]), jnp.array([end / count]), [], []
        for k in range(count):
            done = one(h * k, h, y)
            middles.append(np.asarray(interpolate(0.5, y, done.y1, done.K)[:, 0]))
            y = done.y1
            ends.append(np.asarray(y[:, 0]))
        return np.array(ends), np.array(middles)

    exact, _ = run(1280)
    found = {}
    for count in (20, 40, 80):
        ends, middles = run(count)
        stride = 1280 // count
        there = exact[stride // 2 - 1 :: stride]
        found[count] = np.max(np.abs(ends[-1] - exact[-1])), np.max(np.abs(middles - there))
    return found


def order(errors, which):
    steps = np.array(sorted(errors))
    return -np.polyfit(np.log(steps), np.log([errors[s][which] for s in steps]), 1)[0]


@pytest.mark.slow
def test_the_method_has_order_five(errors):
    assert order(errors, 0) == pytest.approx(5.0, abs=0.3)


def test_dense_output_has_order_four_or_more(errors):
    assert order(errors, 1) > 3.8


@pytest.mark.parametrize("rtol", [1e-5, 1e-7, 1e-9])
def test_the_error_follows_the_tolerance(rtol):
    exact = integrate(SYSTEM, [0.5, 0.3], [0.7], [0.0, 20.0], rtol=1e-12).final
    found = integrate(SYSTEM, [0.5, 0.3], [0.7], [0.0, 20.0], rtol=rtol).final
    assert np.max(np.abs(np.asarray(found - exact))) < 30 * rtol


def test_a_time_that_only_shows_in_the_right_hand_side_is_followed():
    system = System(lambda t, y, theta: jnp.stack([-theta[0] * (y[0] - jnp.cos(t)) - jnp.sin(t)]), rows=1, params=1)
    saves = np.linspace(0.0, 10.0, 41)
    found = integrate(system, [1.0], [1e6], [0.0, 10.0], saves=saves, rtol=1e-8).saved[:, 0]
    np.testing.assert_allclose(found, np.cos(saves), atol=1e-7)
