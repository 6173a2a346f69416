"""Gradients of transients: of models, starts and protocols, in batches of which some cells fail, through spikes."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jaxion
from jaxion import Protocol, Status, bath, block, crossing, final, integral, maximum, rest
from jaxion.mechanisms import Leak


@pytest.fixture(scope="module")
def cell():
    return jaxion.models.duesterwald2018()


def outcomes(cell, x, **options):
    """Saved paths and measures as a function of a leak, the bath, and the strength and length of a block (scaled to one)."""
    changed = jaxion.replace(cell, {"neuron.leak_K.g": x[0] * cell["neuron.leak_K.g"], "bath.K": x[1] * cell["bath.K"]})
    protocol = Protocol(rest(60.0), block("neuron.nka", 0.9 * x[2], 300.0 * x[3]), rest(600.0))
    measures = {
        "top": maximum("neuron.V"),
        "when": crossing("neuron.V", -70.0),
        "ATP": integral("neuron.nka.ATP"),
        "end": final(["neuron.Cl"]),
    }
    options = {"rtol": 1e-10, "max_steps": 4000, "start": "setpoint", **options}
    sol = jaxion.solve(changed, protocol, save=[30.0, 200.0, 700.0], measure=measures, **options)
    saved = sol.read(["neuron.V", "neuron.nka.rate"])
    return jnp.concatenate(
        [saved["neuron.V"], saved["neuron.nka.rate"], jnp.stack([sol.measures[k] for k in ("top", "when", "ATP", "end.neuron.Cl")])]
    )


@pytest.mark.slow
def test_reverse_forward_and_central_differences_agree(cell):
    x = jnp.array([1.05, 1.1, 0.97, 1.02])
    reverse = np.asarray(jax.jit(jax.jacrev(lambda x: outcomes(cell, x)))(x))
    forward = np.asarray(jax.jit(jax.jacfwd(lambda x: outcomes(cell, x)))(x))
    np.testing.assert_allclose(reverse, forward, rtol=1e-9, atol=1e-9)
    for k in range(4):
        h = 2e-4
        far, near = ((np.asarray(outcomes(cell, x.at[k].add(s * h), rtol=1e-12, max_steps=100_000)) - np.asarray(outcomes(cell, x.at[k].add(-s * h), rtol=1e-12, max_steps=100_000))) / (2 * s * h) for s in (2, 1))  # fmt: skip
        error = np.abs((4 * near - far) / 3 - forward[:, k])
        np.testing.assert_array_less(error, 1e-6 * np.max(np.abs(forward), axis=1) + 1e-9)


def leaky():
    """A rigid cell with two leaks: the least that a model needs, so that every transformation compiles quickly."""
    compartment = jaxion.Compartment({"K": 100.0, "Cl": 20.0}, volume=1.0, impermeant=80.0)
    leaks = {"leak_K": Leak("K", 1.0), "leak_Cl": Leak("Cl", 0.5)}
    return jaxion.Model(
        {"cell": compartment}, {"bath": jaxion.Bath({"K": 5.0, "Cl": 5.0})}, [jaxion.Membrane("cell", "bath", leaks, C=10.0, V=-60.0)]
    )


def loss(x):
    """A number that depends on a parameter, on the start, and on a phase's strength and length."""
    changed = jaxion.replace(leaky(), {"cell.leak_K.g": x[0], "cell.Cl": 20.0 * x[1]})
    sol = jaxion.solve(changed, Protocol(bath(3.0 * x[3], K=20.0 * x[2]), rest(2.0)), max_steps=256)
    return sol.final["cell.K"] + 0.1 * sol.final["cell.V"]


AT = jnp.array([1.0, 1.1, 1.0, 0.9])
TRANSFORMATIONS = {
    "grad": lambda x: jax.grad(loss)(x),
    "jit of grad": lambda x: jax.jit(jax.grad(loss))(x),
    "jvp": lambda x: jnp.stack([jax.jvp(loss, (x,), (unit,))[1] for unit in jnp.eye(4)]),
    "jacrev": lambda x: jax.jacrev(loss)(x),
    "vmap of grad": lambda x: jax.vmap(jax.grad(loss))(jnp.stack([1.01 * x, x]))[1],
    "grad of vmap": lambda x: jax.grad(lambda x: jnp.sum(jax.vmap(loss)(jnp.stack([x, x]))))(x) / 2,
    "grad of checkpoint": lambda x: jax.grad(jax.checkpoint(loss))(x),
    "grad of scan": lambda x: jax.grad(lambda x: jax.lax.scan(lambda c, k: (c + k * loss(x), None), 0.0, jnp.ones(2))[0])(x) / 2,
}


@pytest.fixture(scope="module")
def pushed():
    return np.asarray(jax.jacfwd(loss)(AT))


@pytest.mark.slow
@pytest.mark.parametrize("name", TRANSFORMATIONS)
def test_transformations_of_a_loss_that_solves(name, pushed):
    np.testing.assert_allclose(TRANSFORMATIONS[name](AT), pushed, rtol=1e-9, atol=1e-9)


@pytest.mark.slow
def test_wrt_gives_forward_sensitivities_of_paths_and_measures(cell):
    protocol = Protocol(block("neuron.nka", 1.0, 60.0))
    options = {"start": "setpoint", "save": [1.0, 60.0], "measure": {"top": maximum("neuron.V")}}
    sol = jaxion.solve(cell, protocol, wrt=("neuron.leak_Na.g", "bath.K"), rtol=1e-8, **options)
    for path in sol.wrt:
        h = 1e-5 * float(cell[path])
        up, down = (jaxion.solve(jaxion.replace(cell, {path: cell[path] + s * h}), protocol, rtol=1e-11, **options) for s in (1, -1))
        for of in ("neuron.V", "neuron.E_Cl", "neuron.leak_K.I"):
            np.testing.assert_allclose(sol.derivative(of, path), (up[of] - down[of]) / (2 * h), rtol=2e-5, atol=1e-7)
        difference = (up.measures["top"] - down.measures["top"]) / (2 * h)
        assert float(sol.derivative("top", path)) == pytest.approx(float(difference), rel=2e-5)
    with pytest.raises(jaxion.PathError, match=r"No derivative in `neuron\.leak_K\.g` was asked for"):
        sol.derivative("neuron.V", "neuron.leak_K.g")


@pytest.mark.slow
def test_cells_without_a_start_spoil_no_shared_gradient(cell):
    # Nothing moves chloride where both are zero: no set-point, and so no start.
    moving = np.array([0.0, 1.0, 0.8, 0.0, 1.2])
    batch, alone = (
        jaxion.replace(cell, {path: factors * float(cell[path]) for path in ("neuron.leak_Cl.g", "neuron.kcc2.g")})
        for factors in (moving, moving[moving > 0])
    )

    def loss(model, K):
        protocol = Protocol(block("neuron.nka", 0.5, 30.0))
        sol = jaxion.solve(jaxion.replace(model, {"bath.K": K}), protocol, start="setpoint", save=[30.0], max_steps=1000)
        return jnp.sum(jnp.where(sol.ok, jnp.where(sol.ok, sol["neuron.V"][0], 0.0) ** 2, 0.0)), sol.status

    (_, status), shared = jax.value_and_grad(lambda K: loss(batch, K), has_aux=True)(4.0)
    (_, _), wanted = jax.value_and_grad(lambda K: loss(alone, K), has_aux=True)(4.0)
    assert [Status(int(s)).name for s in status] == ["singular", "ok", "ok", "singular", "ok"]
    assert float(shared) == pytest.approx(float(wanted), rel=1e-9)


@pytest.mark.slow
def test_gradients_through_spikes_are_finite_and_agree():
    model = jaxion.models.huebel_dahlem2014(reservoir="closed")
    start = jaxion.setpoint(model)

    def sodium(rho):
        """Na_i after a burst; ions integrate over spikes, so that the gradient is smooth where phases are not."""
        changed = jaxion.replace(model, {"neuron.nka.v_max": rho * model["neuron.nka.v_max"]})
        protocol = Protocol(block("neuron.nka", 1.0, 4.56), rest(0.2))
        sol = jaxion.solve(changed, protocol, start=start, rtol=1e-8, max_steps=4000, throw=False)
        return sol.final["neuron.Na"]

    value, slope = jax.jit(jax.value_and_grad(sodium))(1.0)
    assert np.isfinite(value)
    pushed = jax.jvp(sodium, (1.0,), (1.0,))[1]
    assert float(slope) == pytest.approx(float(pushed), rel=1e-8)
    h = 1e-5
    assert float(slope) == pytest.approx(float((sodium(1 + h) - sodium(1 - h)) / (2 * h)), rel=1e-3)
