"""Tangents by the variational equations: the method against its order and another library's table, the tangents against exact ones."""

import diffrax
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxion.errors import Status
from jaxion.kernel import Extremum, Integral, System, integrate, vector_width
from jaxion.kernel.cpu import integration
from jaxion.kernel.methods import esdirk43

CELLS, SAVES = 21, np.array([0.0, 0.4, 1.0, 2.5, 3.0])


def test_the_method_has_order_four_and_is_stiffly_accurate_and_l_stable():
    A, c = np.zeros((6, 6)), np.array(esdirk43.C)
    for j, row in enumerate(esdirk43.A):
        A[j, :j] = row
        A[j, j] = esdirk43.GAMMA if j else 0.0
    b = A[-1]
    np.testing.assert_allclose(A.sum(axis=1), c, atol=1e-14)
    # Of second order in each stage as well, so that it keeps its order where something stiff follows a slow drive.
    np.testing.assert_allclose(A @ c, c**2 / 2, atol=1e-14)
    for power in range(4):
        assert b @ c**power == pytest.approx(1 / (power + 1), rel=1e-13)
    assert b @ (c * (A @ c)) == pytest.approx(1 / 8, rel=1e-13)
    assert b @ A @ c**2 == pytest.approx(1 / 12, rel=1e-13)
    assert b @ A @ A @ c == pytest.approx(1 / 24, rel=1e-13)
    for z in (-1e8, 1e8j):
        assert abs(1 + z * b @ np.linalg.solve(np.eye(6) - z * A, np.ones(6))) < 1e-6


def test_the_method_is_the_implicit_half_of_kencarp4():
    table = diffrax.KenCarp4.tableau.tableaus[1]
    np.testing.assert_allclose(esdirk43.C[1:], table.c, rtol=1e-15)
    np.testing.assert_array_equal(table.a_diagonal, [0.0] + 5 * [esdirk43.GAMMA])
    for own, other in zip(esdirk43.A[1:], table.a_lower, strict=True):
        np.testing.assert_allclose(own, other, rtol=1e-14, atol=1e-16)


# A stiff oscillator, driven in its second of three phases, of which the third has no duration.
SYSTEM = System(
    lambda t, y, theta: jnp.stack([y[1], theta[0] * ((1.0 - y[0] ** 2) * y[1] - theta[1] * y[0] + theta[2] * jnp.sin(3.0 * t))]),
    rows=2,
    params=3,
    observe=lambda t, y, theta: jnp.stack([y[0] + theta[1] * t]),
)

TIME = 2 * SAVES.size + 1
"""Of the results, the time of the extremum."""


@pytest.fixture(scope="module")
def numbers():
    rng = np.random.default_rng(5)
    start = np.array([[2.0], [0.1]]) * (1 + 0.1 * rng.standard_normal((2, CELLS)))
    theta = np.array([[8.0], [1.2]]) * (1 + 0.1 * rng.standard_normal((2, CELLS)))
    drive = np.array([0.0, 3.0, 1.0, -1.0])[:, None, None] * (1 + 0.1 * rng.standard_normal((4, 1, CELLS)))
    edges = np.broadcast_to(np.array([0.0, 1.0, 2.0, 2.0, 3.0])[:, None], (5, CELLS))
    return tuple(map(jnp.asarray, (start, theta, drive, edges)))


def results(start, theta, drive, edges, **options):
    options = {"rtol": 1e-8, "tangents": "variational", **options}
    found = integrate(SYSTEM, start, theta, edges, drive, SAVES, reductions=(Extremum(0), Integral(0)), **options)
    return jnp.concatenate([found.saved.reshape(-1, start.shape[-1]), *(x[None] for states in found.reduced for x in states)])


def tangents(numbers, **options):
    """Along the start, each parameter, the drive and the edges, `(directions, results, cells)`."""
    count = sum(x[..., 0].size for x in numbers)

    def along(unit):
        parts = jnp.split(unit, np.cumsum([x[..., 0].size for x in numbers])[:-1])
        directions = tuple(jnp.broadcast_to(part.reshape(*x.shape[:-1], 1), x.shape) for part, x in zip(parts, numbers, strict=True))
        return jax.jvp(lambda *x: results(*x, **options), numbers, directions)[1]

    return np.asarray(jax.vmap(along)(jnp.eye(count)))


@pytest.fixture(scope="module")
def found(numbers):
    return tangents(numbers)


@pytest.fixture(scope="module")
def exact(numbers):
    return tangents(numbers, tangents="exact", rtol=1e-11)


@pytest.mark.slow
@pytest.mark.parametrize(("rtol", "error"), [(1e-4, 2e-2), (1e-6, 1e-3), (1e-8, 2e-5)])
def test_they_tend_to_the_exact_tangents(numbers, exact, rtol, error):
    largest = np.abs(exact).max(axis=0)
    off = np.abs(tangents(numbers, rtol=rtol) - exact).max(axis=0) / (largest + 1e-12)
    # The time of an extremum is where a slope of the dense output vanishes: that has fewer digits.
    assert np.delete(off, TIME, axis=0).max() < error
    assert off[TIME].max() < 100 * error


@pytest.mark.slow
def test_number_and_order_of_cells_and_directions_change_no_bit(numbers, found):
    some = slice(18, 3, -1)
    np.testing.assert_array_equal(tangents(tuple(x[..., some] for x in numbers)), found[..., some])
    one = jax.jvp(results, numbers, (*(jnp.zeros_like(x) for x in numbers[:3]), jnp.zeros_like(numbers[3]).at[1].set(1.0)))[1]
    np.testing.assert_array_equal(one, found[-4])


@pytest.mark.slow
@pytest.mark.parametrize("still", [[0, 3, 4, 20], range(CELLS)])
def test_cells_that_no_direction_moves_are_left_out(numbers, found, still):
    moved = jnp.ones(CELLS).at[jnp.array(still)].set(0.0)
    directions = (*(jnp.zeros_like(x) for x in numbers[:3]), jnp.zeros_like(numbers[3]).at[1].set(moved))
    one = np.asarray(jax.jit(lambda *x: jax.jvp(results, x, directions)[1])(*numbers))
    np.testing.assert_array_equal(one[:, still], 0.0)
    np.testing.assert_array_equal(np.delete(one, still, axis=1), np.delete(found[-4], still, axis=1))


@pytest.mark.slow
@pytest.mark.parametrize("tangents_of", ["exact", "variational"])
@pytest.mark.parametrize("width", [1, 2, 4])
def test_other_processors_get_the_same_tangents(numbers, width, tangents_of, monkeypatch):
    if width >= vector_width():
        pytest.skip("wider than here")
    expected = tangents(numbers, tangents=tangents_of)
    monkeypatch.setattr(integration, "vector_width", lambda: width)
    system = System(SYSTEM.f, SYSTEM.rows, SYSTEM.params, SYSTEM.observe)
    monkeypatch.setitem(globals(), "SYSTEM", system)
    tolerance = 1e-9 if tangents_of == "exact" else 1e-5
    np.testing.assert_allclose(tangents(numbers, tangents=tangents_of), expected, rtol=tolerance, atol=tolerance * np.abs(expected).max())


def test_what_rests_and_sets_out_for_another_rest_settles_at_once():
    r"""$\dot y = \lambda (\theta - y)$ from y = θ: the course has one long step, and the tangent $1 - e^{-\lambda t}$ a layer in it."""
    stiff = System(lambda t, y, theta: 1e6 * (theta - y), rows=1, params=1)

    def end(theta):
        return integrate(stiff, [1.0], jnp.stack([theta]), [0.0, 100.0], saves=[50.0], tangents="variational").saved[0, 0]

    assert float(jax.jvp(end, (1.0,), (1.0,))[1]) == pytest.approx(1.0, abs=1e-2)


@pytest.mark.slow
def test_a_cell_that_fails_is_still_and_spoils_no_other(numbers, found):
    start = numbers[0].at[:, 2].set(jnp.nan)
    moved = tangents((start, *numbers[1:]))
    _, theta, drive, edges = numbers
    assert integrate(SYSTEM, start, theta, edges, drive).status[2] != Status.ok
    np.testing.assert_array_equal(moved[:, : SAVES.size * 2, 2], 0.0)
    np.testing.assert_array_equal(np.delete(moved, 2, axis=-1), np.delete(found, 2, axis=-1))


@pytest.mark.slow
def test_reverse_derivatives_stay_exact(numbers):
    def total(*x, tangents):
        return jnp.sum(results(*x, tangents=tangents)[: SAVES.size * 2])

    first, second = (jax.grad(lambda *x, k=k: total(*x, tangents=k), range(4))(*numbers) for k in ("exact", "variational"))
    jax.tree.map(np.testing.assert_array_equal, first, second)


def test_there_are_no_other_tangents():
    with pytest.raises(ValueError, match=r"^Argument `tangents` must be one of exact, variational, but it is `variationl`\. Did you mean"):
        integrate(SYSTEM, [1.0, 1.0], [1.0, 1.0, 1.0], [0.0, 1.0], tangents="variationl")
