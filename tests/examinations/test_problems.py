"""The registry of stiff problems is right: an integrator that fails on one of them has only itself to blame."""

import jax
import numpy as np
import pytest
from scipy.integrate import solve_ivp

from jaxion.examinations.problems import PROBLEMS


@pytest.fixture(params=PROBLEMS)
def problem(request):
    return PROBLEMS[request.param]


def test_problems_are_complete_and_consistent(problem):
    rates = jax.jit(problem.f)(0.0, problem.y0, problem.theta)
    assert rates.shape == problem.y0.shape == problem.end.shape == problem.scale.shape
    assert all(array.dtype == float for array in (problem.theta, problem.y0, problem.end, problem.scale))
    assert np.isfinite(rates).all()
    assert (problem.end != 0).all()
    assert (problem.scale > 0).all()
    assert problem.t_end > 0
    assert problem.source


@pytest.mark.slow
def test_scipy_comes_to_the_published_end(problem):
    f, J = jax.jit(problem.f), jax.jit(jax.jacfwd(problem.f, argnums=1))
    found = solve_ivp(
        lambda t, y: np.asarray(f(t, y, problem.theta)),
        (0.0, problem.t_end),
        problem.y0,
        # LSODA at 1e-11 ends between 2e-9 and 2e-8 from there, as rounding in the rates has it; Radau 3e-10 at most.
        method="Radau",
        rtol=1e-10,
        atol=1e-10 * problem.scale,
        jac=lambda t, y: np.asarray(J(t, y, problem.theta)),
        t_eval=[problem.t_end],
    )
    error = np.abs(found.y[:, -1] - problem.end) / (problem.scale + np.abs(problem.end))
    assert error.max() < 1e-8


def test_reactions_of_pollu_keep_sulphur_and_carbon_monoxide_only_grows():
    f, problem = jax.jit(PROBLEMS["pollu"].f), PROBLEMS["pollu"]
    rates = np.asarray(f(0.0, np.abs(problem.end) + 1e-3, problem.theta))
    np.testing.assert_allclose(rates[16] + rates[17], 0.0, atol=1e-15)
    assert rates[7] > 0
