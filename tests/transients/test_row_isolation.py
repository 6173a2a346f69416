"""A cell that fails leaves every other cell, and every gradient it shares, exactly as they are without it."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jaxion
from jaxion.errors import Status

GOOD = {"neuron.kcc2.g": (0.5, 1.0, 2.0)}
"""Strength of KCC2 in the good cells, relative to the published one."""

BAD = {
    # A leaky cell that swells without end; nothing that moves chloride; a number that is none; one that cannot be.
    "no set-point": (
        {"neuron.leak_Na.g": 15.0, "neuron.leak_K.g": 0.2, "neuron.leak_Cl.g": 3.5, "neuron.nka.v_max": 6.0},
        Status.no_setpoint,
    ),
    "singular": ({"neuron.leak_Cl.g": 0.0, "neuron.kcc2.g": 0.0}, Status.singular),
    "not finite": ({"neuron.leak_K.g": np.nan}, Status.not_finite),
    "not positive": ({"bath.K": -1.0}, Status.not_positive),
}
VARIED = ("neuron.kcc2.g", "neuron.leak_Na.g", "neuron.leak_K.g", "neuron.leak_Cl.g", "neuron.nka.v_max", "bath.K")
READ = ("neuron.V", "neuron.E_Cl", "neuron.nka.I")
SHARED = jnp.array([1.1, 0.9])
"""Factors on the pump's activity and on bath Na, which all cells share."""


def cells(kind, position):
    """Factor of each varied path in four cells, the one at `position` bad (or one more good cell, for `kind` None)."""
    found = {path: np.ones(4) for path in VARIED}
    found["neuron.kcc2.g"][[i for i in range(4) if i != position]] = GOOD["neuron.kcc2.g"]
    for path, factor in (BAD[kind][0] if kind else {}).items():
        found[path][position] = factor
    return found


def build(scale, shared):
    model = jaxion.replace(NOMINAL, {"neuron.nka.activity": shared[0], "bath.Na": shared[1] * NOMINAL["bath.Na"]})
    mechanisms = lambda m: m.membranes["neuron"].mechanisms  # noqa: E731
    where = lambda m: (  # noqa: E731
        mechanisms(m)["kcc2"].g,
        mechanisms(m)["leak_Na"].g,
        mechanisms(m)["leak_K"].g,
        mechanisms(m)["leak_Cl"].g,
        mechanisms(m)["nka"].v_max,
        m.baths["bath"].concentrations["K"],
    )
    # Not by `replace`, which would rightly refuse some of these numbers.
    return eqx.tree_at(where, model, tuple(jnp.asarray(scale[path]) * NOMINAL[path] for path in VARIED))


NOMINAL = jaxion.models.duesterwald2018()


def squares(scale, shared):
    """Sum of squares of a few paths, zero in a failed cell: curved in everything."""
    point = jaxion.setpoint(build(scale, shared))
    return sum(jnp.where(point.ok, value**2, 0.0) for value in point.read(READ).values())


def batch(scale, shared, weight):
    """Loss over a batch whose leaves have the cells axis."""
    return jnp.sum(weight * squares(scale, shared))


def mapped(scale, shared, weight):
    """The same loss with the set-point of one cell under `vmap`."""
    return jnp.sum(weight * jax.vmap(squares, in_axes=(0, None))(scale, shared))


@pytest.fixture(scope="module", params=[batch, pytest.param(mapped, marks=pytest.mark.slow)], ids=["batch", "mapped"])
def derivatives(request):
    """Value, gradient, push-forward and Hessian of a loss, in two compiled functions."""
    loss = request.param

    @jax.jit
    def first(scale, shared, weight, tangent):
        value, gradient = jax.value_and_grad(loss, argnums=(0, 1))(scale, shared, weight)
        return value, gradient, jax.jvp(lambda *x: loss(*x, weight), (scale, shared), (tangent, shared))[1]

    return first, jax.jit(jax.hessian(loss, argnums=1))


@pytest.mark.slow
@pytest.mark.parametrize("position", [0, 1, 3], ids=["first", "middle", "last"])
@pytest.mark.parametrize("kind", BAD)
def test_bad_cell_changes_nothing_for_the_others(derivatives, kind, position):
    first, hessian = derivatives
    keep = np.array([i for i in range(4) if i != position])
    tangent = cells(None, position)
    # The reference replaces the bad cell by a good one of weight zero; with the bad cell all weights are one.
    weight = np.where(np.arange(4) == position, 0.0, 1.0)
    value, (per_cell, shared), push = first(tangent, SHARED, weight, tangent)
    value_with, (per_cell_with, shared_with), push_with = first(cells(kind, position), SHARED, np.ones(4), tangent)
    np.testing.assert_allclose(value_with, value, rtol=1e-13)
    np.testing.assert_allclose(shared_with, shared, rtol=1e-11)
    np.testing.assert_allclose(push_with, push, rtol=1e-11)
    for path in VARIED:
        np.testing.assert_allclose(per_cell_with[path][keep], per_cell[path][keep], rtol=1e-10, atol=1e-10)
        assert per_cell_with[path][position] == 0.0
    wanted = hessian(tangent, SHARED, weight)
    assert np.abs(wanted).min() > 1.0
    np.testing.assert_allclose(hessian(cells(kind, position), SHARED, np.ones(4)), wanted, rtol=1e-9)


@pytest.mark.parametrize("kind", BAD)
def test_bad_cell_is_nan_with_the_status_that_says_why(kind):
    point = jaxion.setpoint(build(cells(kind, 1), SHARED))
    assert int(point.status[1]) == BAD[kind][1]
    assert np.isnan(point["neuron.V"][1])
    assert np.isfinite(np.asarray(point["neuron.V"])[[0, 2, 3]]).all()


@pytest.mark.slow
def test_shared_gradient_is_the_sum_of_the_cells_alone(derivatives):
    first, _ = derivatives
    scale = cells(None, 3)
    together = first(scale, SHARED, np.ones(4), scale)[1][1]
    alone = [first(scale, SHARED, np.eye(4)[i], scale)[1][1] for i in range(4)]
    np.testing.assert_allclose(together, sum(alone), rtol=1e-12)


def test_sensitivity_of_a_failed_cell_is_nan_and_of_the_others_as_alone():
    of, wrt = ("neuron.V", "neuron.Cl"), ("bath.K", "neuron.leak_Na.g")
    together = jaxion.sensitivity(build(cells("singular", 2), SHARED), of, wrt).matrix
    alone = jaxion.sensitivity(build(cells(None, 2), SHARED), of, wrt).matrix
    assert np.isnan(together[:, :, 2]).all()
    keep = np.array([0, 1, 3])
    np.testing.assert_allclose(together[:, :, keep], alone[:, :, keep], rtol=1e-11)
