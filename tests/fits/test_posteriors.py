"""Posteriors against closed forms; they need the extra `bayes`."""

import sys

import numpy as np
import pytest
from fit_cases import X, straight

import jaxion
from jaxion import FitProblem
from jaxion.fits.uncertainty.posteriors import log_density


def test_what_has_no_posterior_is_refused():
    pytest.importorskip("blackjax", reason="the extra `bayes` is not installed")

    def product(x, a, b):
        return a * b * x

    free = {"a": jaxion.positive(1.0), "b": jaxion.positive(2.0)}
    fit = jaxion.fit(FitProblem(product, None, {"x": X, "y": 3 * X}, free, {"y": 0.1}))
    with pytest.raises(ValueError, match="`a` is determined neither by the data nor by a prior"):
        jaxion.posterior(fit)
    with pytest.raises(ValueError, match="must be 2 or more"):
        jaxion.posterior(fit, chains=1)


def test_a_missing_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "blackjax", None)
    with pytest.raises(ImportError, match=r"pip install jaxion\[bayes\]"):
        jaxion.posterior(jaxion.fit(straight(2 * X)))


def test_the_density_is_that_of_loss_and_interval():
    problem = straight(2 * X, free={"a": jaxion.interval(0.0, 4.0, 1.0), "b": jaxion.unbounded(0.0)})
    u = problem.parameters.unknowns({"a": 1.0, "b": 0.5})
    slope = (1.0 / 4) * (1 - 1.0 / 4)  # of the logistic course at a quarter of its height
    expected = -float(problem.loss({"a": 1.0, "b": 0.5})) + np.log(slope)
    assert float(log_density(problem, u)) == pytest.approx(expected)


@pytest.mark.slow
@pytest.mark.filterwarnings("default")
def test_a_normal_posterior_is_found():
    pytest.importorskip("blackjax", reason="the extra `bayes` is not installed")
    rng = np.random.default_rng(3)
    y = 2 * X - 1 + 0.3 * rng.standard_normal(len(X))
    fit = jaxion.fit(straight(y, noise=0.3))
    found = jaxion.posterior(fit, draws=2000, seed=1)
    assert found.ok
    for name in fit.values:
        error = fit.sd[name] / np.sqrt(found.ess[name])
        assert found.mean[name] == pytest.approx(fit.values[name], abs=4 * error)
        assert found.sd[name] == pytest.approx(fit.sd[name], rel=0.06)
        assert found.interval[name] == pytest.approx(fit.interval[name], abs=0.15 * fit.sd[name])
    assert found.ds["a"].dims == ("chain", "draw")
    np.testing.assert_array_equal(found.values, jaxion.posterior(fit, draws=2000, seed=1).values)
