"""Derivatives of trajectories: forward, reverse and central differences agree, under every transformation."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxion.errors import Status
from jaxion.kernel import Crossing, Extremum, Integral, Mean, System, integrate

pytestmark = pytest.mark.slow

# A stiff pair driven through three phases; everything that is measured happens between steps.
SYSTEM = System(
    lambda t, y, theta: jnp.stack([theta[0] * (theta[1] * y[1] - y[0] ** 2), jnp.sin(theta[2] * t) + theta[3] - y[0] * y[1]]),
    rows=2,
    params=4,
    observe=lambda t, y, theta: jnp.stack([y[0] * y[1], y[0]]),
)
REDUCTIONS = (Extremum(0), Extremum(1, -1.0), Mean(1), Integral(0), Crossing(1, 1.0), Crossing(1, 0.7, -1.0, True))
SAVES = np.array([0.5, 1.0, 2.5, 4.0])
X = jnp.array([0.9, 0.7, 200.0, 0.8, 1.3, 0.2, 1.5, 0.4, 1.1, 2.3])


def course(x, **options):
    """Everything there is, as a function of start (2), parameters (3), drive (3) and the lengths of two phases."""
    edges = jnp.stack([jnp.zeros(()), x[8], x[8] + x[9], x[8] + x[9] + 1.0])
    options = {"rtol": 1e-9, "max_steps": 3000, **options}
    return integrate(SYSTEM, x[:2], x[2:5], edges, drive=x[5:8, None], saves=SAVES, reductions=REDUCTIONS, **options)


def everything(x, **options):
    c = course(x, **options)
    return jnp.concatenate([c.saved.ravel(), c.final, *(jnp.stack(outputs) for outputs in c.reduced)])


each_lowering = pytest.mark.parametrize("lowering", ["llvm", pytest.param("xla", marks=pytest.mark.slow)])


@pytest.fixture(scope="module")
def forward():
    return np.asarray(jax.jacfwd(everything)(X))


def test_nothing_that_is_differentiated_is_missing():
    assert np.all(np.isfinite(everything(X)))
    assert int(course(X).status) == Status.ok


def test_forward_agrees_with_central_differences_at_displaced_points(forward):
    del forward
    x = X * (1 + 0.03 * np.random.default_rng(3).standard_normal(X.size))
    exact = np.asarray(jax.jacfwd(everything)(x))
    differences = []
    for k in range(x.size):
        h = 1e-4 * float(x[k])
        far, near = (
            (np.asarray(everything(x.at[k].add(s * h), rtol=1e-12)) - np.asarray(everything(x.at[k].add(-s * h), rtol=1e-12))) / (2 * s * h)
            for s in (2, 1)
        )
        differences.append((4 * near - far) / 3)
    scale = np.max(np.abs(exact), axis=1, keepdims=True) / np.abs(x)
    error = np.abs(np.stack(differences, axis=1) - exact) / scale
    # The time of an extremum depends on the bend of the dense output, which is two orders less exact than its value.
    when = 4 * 2 + 2 + np.array([1, 3])
    np.testing.assert_array_less(error[when], 2e-5)
    np.testing.assert_array_less(np.delete(error, when, axis=0), 1e-6)


@each_lowering
def test_reverse_agrees_with_forward(forward, lowering):
    """Of the same course: how long its steps are is a matter of rounding, and so differs between programs that are compiled apart."""

    def course(x):
        return everything(x, lowering=lowering)

    reverse = jax.jit(jax.jacrev(course))(X)
    forward = forward if lowering == "llvm" else jax.jit(jax.jacfwd(course))(X)
    np.testing.assert_allclose(reverse, forward, rtol=1e-10, atol=1e-10 * np.max(np.abs(forward)))


def test_second_derivatives_are_those_of_the_gradient():
    def of_end(k):
        return jnp.sum(
            integrate(SYSTEM, X[:2], jnp.array([k[0], k[1], 1.3]), [0.0, 2.0], drive=k[None, 2:], rtol=1e-9, max_steps=2000).final ** 2
        )

    k = jnp.array([150.0, 0.9, 0.3])
    hessian = np.asarray(jax.hessian(of_end)(k))
    np.testing.assert_allclose(hessian, hessian.T, rtol=1e-7, atol=1e-12)
    gradient = jax.jit(jax.grad(of_end))
    for i in range(3):
        h = 1e-4 * float(k[i])
        difference = (np.asarray(gradient(k.at[i].add(h))) - np.asarray(gradient(k.at[i].add(-h)))) / (2 * h)
        np.testing.assert_allclose(hessian[i], difference, rtol=2e-5, atol=1e-9)


FAILING = System(
    lambda t, y, theta: jnp.stack([theta[0] * y[0] ** 2 - theta[1], -jnp.log(theta[2]) * y[1] * y[0]]), rows=2, params=3, positive=(0,)
)
BAD = {"blow-up": (1.0, 0.0, 2.0), "negative": (0.0, 1.0, 2.0), "not finite": (0.0, 0.0, -1.0), "NaN": (np.nan, 0.0, 2.0)}


@each_lowering
@pytest.mark.parametrize("place", [0, 3, 6])
def test_failing_cells_spoil_no_gradient_of_own_or_shared_parameters(place, lowering):
    good = np.array([[0.01, 0.02, 2.0]] * 3).T * np.array([1.0, 1.3, 0.8])
    theta = np.insert(good, [place // 2] * 4, np.array(list(BAD.values())).T, axis=1)
    ok = np.ones(7, bool)
    ok[place // 2 : place // 2 + 4] = False

    def masked(theta, shared, keep):
        start = jnp.stack([jnp.ones(theta.shape[1]) * shared, jnp.ones(theta.shape[1])])
        c = integrate(FAILING, start, theta, [0.0, 10.0], max_steps=1500, lowering=lowering)
        return jnp.sum(jnp.where(jnp.asarray(keep), jnp.where(c.status == Status.ok, c.final, 0.0).sum(axis=0), 0.0))

    own, shared = jax.grad(masked, (0, 1))(jnp.asarray(theta), 1.0, ok)
    alone, shared_alone = jax.grad(masked, (0, 1))(jnp.asarray(good), 1.0, np.ones(3, bool))
    np.testing.assert_allclose(own[:, ok], alone, rtol=1e-12)
    np.testing.assert_array_equal(own[:, ~ok], 0.0)
    np.testing.assert_allclose(shared, shared_alone, rtol=1e-12)
    pushed = jax.jvp(lambda s: masked(jnp.asarray(theta), s, ok), (1.0,), (1.0,))[1]
    np.testing.assert_allclose(pushed, shared_alone, rtol=1e-12)


def test_directions_share_a_course_and_change_no_bit_of_each_other(forward):
    """As many as fill several vectors; one alone takes the place of one of many."""
    for k in (0, 4, 9):
        along = jax.jvp(everything, (X,), (jnp.eye(X.size)[k],))[1]
        np.testing.assert_array_equal(along[:10], forward[:10, k])
        np.testing.assert_allclose(along, forward[:, k], rtol=1e-14)
    others = jnp.linspace(0.5, 1.5, 23)[:, None] * jnp.eye(X.size)[jnp.arange(23) % X.size]
    many = jax.jit(jax.vmap(lambda direction: jax.jvp(everything, (X,), (direction,))[1]))(others)
    np.testing.assert_allclose(many, (others @ forward.T), rtol=1e-10, atol=1e-12 * np.max(np.abs(forward)))


def test_cells_and_their_directions_may_be_batched_in_any_order(forward):
    batch = jnp.stack([X, 1.02 * X])
    inside = jax.vmap(jax.jacfwd(everything))(batch)
    outside = jax.vmap(lambda direction: jax.vmap(lambda x: jax.jvp(everything, (x,), (direction,))[1])(batch))(jnp.eye(X.size))
    np.testing.assert_allclose(inside, jnp.moveaxis(outside, 0, -1), rtol=1e-13)
    np.testing.assert_allclose(inside[0], forward, rtol=1e-10, atol=1e-12 * np.max(np.abs(forward)))


def test_a_linearised_course_can_be_transposed_for_many_directions(forward):
    _, linear = jax.linearize(everything, X)
    back = jax.linear_transpose(jax.vmap(linear), jnp.eye(X.size))
    bars = jnp.eye(forward.shape[0])[: X.size]
    np.testing.assert_allclose(back(bars)[0], forward[: X.size], rtol=1e-10, atol=1e-10 * np.max(np.abs(forward)))
