"""Noise, priors, ties, missing values, unknown scales, and experiments that share parameters."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from fit_cases import AB, X, growth, line, straight
from scipy.optimize import least_squares

import jaxion
from jaxion import FitProblem, PathError, Recording
from jaxion.fits.data.noise import Huber, Student

pytestmark = pytest.mark.slow

# Noise


def test_known_noise_gives_the_textbook_line(rng):
    y = 2 * X - 1 + 0.3 * rng.standard_normal(len(X))
    fit = jaxion.fit(straight(y, noise=0.3))
    A = np.stack([X, np.ones_like(X)], axis=1)
    best = np.linalg.lstsq(A, y, rcond=None)[0]
    sd = 0.3 * np.sqrt(np.diag(np.linalg.inv(A.T @ A)))
    np.testing.assert_allclose([fit.values["a"], fit.values["b"]], best, rtol=1e-9)
    np.testing.assert_allclose([fit.sd["a"], fit.sd["b"]], sd, rtol=1e-9)
    assert fit.interval["a"][1] == pytest.approx(best[0] + 1.96 * sd[0])


def test_relative_noise_and_the_recordings_own_agree(rng):
    y = np.exp(0.7 * X) * (1 + 0.1 * rng.standard_normal(len(X)))
    free = {"a": jaxion.positive(1.0), "k": jaxion.unbounded(0.1)}
    own = jaxion.fit(FitProblem(growth, None, {"x": X, "y": (y, np.hypot(0.1 * y, 0.05))}, free))
    other = jaxion.fit(FitProblem(growth, None, {"x": X, "y": y}, free, {"y": jaxion.relative(0.1, 0.05)}))
    assert own.values == other.values
    scipy = least_squares(lambda p: (growth(X, *p) - y) / np.hypot(0.1 * y, 0.05), [1.0, 0.1], xtol=1e-12)
    np.testing.assert_allclose(list(own.values.values()), scipy.x, rtol=1e-6)


def test_noise_that_is_estimated_in_two_channels_weighs_them_by_their_scatter(rng):
    def both(x, a):
        return {"y": a * x, "z": a * x}

    y, z = 2 * X + 0.1 * rng.standard_normal(len(X)), 2 * X + 1.0 * rng.standard_normal(len(X))
    problem = FitProblem(both, None, {"x": X, "y": y, "z": z}, {"a": jaxion.unbounded(1.0)})
    fit = jaxion.fit(problem)
    # Each iteration of the textbook: least squares with the scatter of the last.
    a = 1.0
    for _ in range(100):
        w = [1 / np.mean((a * X - d) ** 2) for d in (y, z)]
        a = sum(wi * np.sum(X * d) for wi, d in zip(w, (y, z), strict=True)) / (sum(w) * np.sum(X**2))
    assert fit.values["a"] == pytest.approx(a, rel=1e-6)
    assert fit.loss == pytest.approx(float(problem.loss(fit.values)), rel=1e-9)
    assert fit.channels[0]["sd"][0] == pytest.approx(np.sqrt(np.mean((a * X - y) ** 2)), rel=1e-6)
    assert jax.grad(problem.loss)({"a": jnp.asarray(fit.values["a"])})["a"] == pytest.approx(0.0, abs=1e-5)


@pytest.mark.parametrize("noise", [jaxion.student(0.1), jaxion.huber(0.1)], ids=["student", "huber"])
def test_robust_noise_forgives_an_outlier(rng, noise):
    y = 2 * X - 1 + 0.1 * rng.standard_normal(len(X))
    y[3] += 20.0
    normal, robust = jaxion.fit(straight(y, noise=0.1)), jaxion.fit(straight(y, noise=noise))
    assert abs(normal.values["a"] - 2) > 0.5
    assert abs(robust.values["a"] - 2) < 0.15
    # One set of normal equations away, for scipy as well.
    scipy = least_squares(lambda p: np.asarray(noise.residual(jnp.asarray((p[0] * X + p[1] - y) / 0.1))), [1.0, 0.0], xtol=1e-14)
    np.testing.assert_allclose(list(robust.values.values()), scipy.x, rtol=1e-5)


def test_robust_losses_are_those_of_their_densities():
    z = jnp.asarray([-30.0, -1.345, -1.0, -1e-9, 0.0, 1e-4, 0.5, 1.345, 7.0])
    student, huber = Student(1.0, 4.0).residual(z), Huber(1.0, 1.345).residual(z)
    np.testing.assert_allclose(student**2 / 2, 2.5 * np.log1p(np.asarray(z) ** 2 / 4), rtol=1e-12)
    expected = np.where(np.abs(z) <= 1.345, np.asarray(z) ** 2 / 2, 1.345 * (np.abs(z) - 1.345 / 2))
    np.testing.assert_allclose(huber**2 / 2, expected, rtol=1e-12)
    for noise in (Student(1.0, 4.0), Huber(1.0, 1.345)):
        assert np.all(np.isfinite(jax.vmap(jax.grad(noise.residual))(z)))


# Scale, offset, missing values, priors, ties


def test_an_unknown_scale_and_offset_cost_what_fitting_them_would(rng):
    y = 3.0 + 0.5 * np.exp(0.7 * X) + 0.01 * rng.standard_normal(len(X))

    def full(x, k, scale, offset):
        return scale * jnp.exp(k * x) + offset

    def course(x, k):
        return jnp.exp(k * x)

    table = {"x": X, "y": y}
    short = jaxion.fit(
        FitProblem(course, None, table, {"k": jaxion.positive(0.3)}, {"y": 0.01}, scale=("y",), offset=("y",)), tolerance=1e-14
    )
    free = {"k": jaxion.positive(0.3), "scale": jaxion.unbounded(1.0), "offset": jaxion.unbounded(1.0)}
    long = jaxion.fit(FitProblem(full, None, table, free, {"y": 0.01}), tolerance=1e-14)
    assert short.values["k"] == pytest.approx(long.values["k"], rel=1e-6)
    assert short.loss == pytest.approx(long.loss, rel=1e-9)
    assert short.sd["k"] == pytest.approx(long.sd["k"], rel=0.02)
    assert short.channels[0]["scale"] == pytest.approx(long.values["scale"], rel=1e-6)
    assert short.channels[0]["offset"] == pytest.approx(long.values["offset"], rel=1e-6)


def test_missing_values_count_for_nothing():
    y = 2 * X - 1
    y[4] = np.nan
    gone = np.isnan(y)
    fit = jaxion.fit(FitProblem(line, None, Recording({"x": X, "y": y}, missing={"y": gone}), AB, {"y": 1.0}))
    less = jaxion.fit(FitProblem(line, None, {"x": X[~gone], "y": y[~gone]}, AB, {"y": 1.0}))
    assert fit.values == pytest.approx({"a": 2.0, "b": -1.0}, abs=1e-7)
    assert fit.sd == pytest.approx(less.sd)
    assert fit.problem.size == 12


def test_a_prior_pulls_as_its_width_says():
    x, y = np.array([1.0]), np.array([4.0])

    def constant(x, a):
        return a * x

    free = {"a": jaxion.unbounded(2.0, prior=jaxion.Normal(0.5))}
    fit = jaxion.fit(FitProblem(constant, None, {"x": x, "y": y}, free, {"y": 1.0}))
    # Precisions 4 and 1.
    assert fit.values["a"] == pytest.approx((4 * 2.0 + 1 * 4.0) / 5)
    assert fit.sd["a"] == pytest.approx(1 / np.sqrt(5))
    free = {"a": jaxion.positive(2.0, prior=jaxion.LogNormal(1e-3))}
    assert jaxion.fit(FitProblem(constant, None, {"x": x, "y": y}, free, {"y": 1.0})).values["a"] == pytest.approx(2.0, rel=1e-4)


def test_tied_and_fixed_parameters_follow():
    def plane(x, a, b, c):
        return a * x + b + c

    free = {"a": jaxion.positive(1.0), "b": jaxion.tied("a", 0.5), "c": jaxion.fixed(1.0)}
    fit = jaxion.fit(FitProblem(plane, None, {"x": X, "y": 3 * X + 2.5}, free, {"y": 1.0}))
    assert fit.values == pytest.approx({"a": 3.0})
    assert float(fit.model(0.0)) == pytest.approx(2.5)


def test_an_interval_is_never_left():
    fit = jaxion.fit(straight(2 * X, free={"a": jaxion.interval(0.0, 1.5, start=0.1), "b": jaxion.unbounded(0.0)}), starts=4)
    assert np.all((fit.initial[:, 0] > 0) & (fit.initial[:, 0] < 1.5))
    assert 1.49 < fit.values["a"] <= 1.5


def test_an_interval_has_a_slope_and_an_unknown_at_its_very_ends():
    """A search that runs into an end is there to rounding, and still has to tell what the data say of it."""
    transform = jaxion.interval(0.5, 2.0)
    for u in (-40.0, 0.0, 40.0):
        assert float(jax.grad(transform.value)(u)) == pytest.approx(1.5 * np.exp(-abs(u)) / (1 + np.exp(-abs(u))) ** 2, rel=1e-12)
    ends = np.array([transform.unknown(jnp.asarray(end)) for end in (0.5, 2.0)])
    assert np.isfinite(ends).all()
    np.testing.assert_allclose(transform.value(ends), [0.5, 2.0], rtol=1e-15)


def test_experiments_that_share_parameters_are_fitted_at_once(rng):
    noise = 0.1 * rng.standard_normal((2, len(X)))
    parts = [straight(2 * X - 1 + n, noise=0.1) for n in noise]
    fit = jaxion.fit(parts)
    alone = jaxion.fit(straight(2 * X - 1 + noise.mean(axis=0), noise=0.1 / np.sqrt(2)))
    assert fit.values == pytest.approx(alone.values, rel=1e-6)
    assert fit.sd == pytest.approx(alone.sd, rel=1e-6)
    assert len(fit.models) == 2
    assert str(FitProblem.join(*parts)) == "Fit of 2 parameters to 26 values of 2 channels in 2 experiments"


def test_a_local_parameter_is_each_experiments_own():
    parts = [straight(2 * X + b) for b in (-1.0, 3.0)]
    joined = FitProblem.join(*parts, local=("b",))
    assert joined.names == ("a", "b#1", "b#2")
    fit = jaxion.fit(joined)
    assert fit.values == pytest.approx({"a": 2.0, "b#1": -1.0, "b#2": 3.0}, abs=1e-8)
    assert [float(model(0.0)) for model in fit.models] == pytest.approx([-1.0, 3.0], abs=1e-8)
    with pytest.raises(PathError, match=r"`c` is no parameter of these problems"):
        FitProblem.join(*parts, local=("c",))
