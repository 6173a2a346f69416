"""Sensitivities against published elasticities, closed forms and central differences at displaced points."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from reference import setpoints as reference

import jaxion

models = jaxion.models


def published_tolerance(wanted):
    return max(reference.ELASTICITY_RELATIVE * abs(wanted), reference.ELASTICITY_DIGIT)


def test_elasticities_match_the_published_table():
    s = jaxion.sensitivity(models.duesterwald2018(), of=reference.ELASTICITY_COLUMNS, wrt=tuple(reference.ELASTICITIES))
    for wrt, row in reference.ELASTICITIES.items():
        for of, wanted in zip(reference.ELASTICITY_COLUMNS, row, strict=True):
            assert float(s[of, wrt]) == pytest.approx(wanted, abs=published_tolerance(wanted), rel=0)


DISPLACED = {
    "duesterwald2018": {"neuron.kcc2.g": 0.3, "bath.K": 6.0, "neuron.z": -0.7, "neuron.leak_Na.g": 0.25},
    "aminzare_kay2024": {"neuron.nkcc1.P": 1e-7, "neuron.kcc.P": 1e-4, "bath.K": 5.0},
    "keener_sneyd": {"neuron.nka.v_max": 0.05, "bath.K": 30.0},
    "donnan1911": {"bath.K": 120.0, "bath.Cl": 180.0},
}


def central_differences(model, of, wrt):
    """Derivatives of shape (of, wrt) by Richardson's extrapolation of two central differences, the error of order h⁴."""
    theta = np.array([float(model[path]) for path in wrt])
    steps = np.where(theta == 0, 1.0, np.abs(theta)) * np.array([[2e-3], [-2e-3], [1e-3], [-1e-3]])
    # One cell for each displacement: all of them are one batch.
    displaced = np.broadcast_to(theta[:, None, None], (len(wrt), 4, len(wrt))).copy()
    for j in range(len(wrt)):
        displaced[j, :, j] += steps[:, j]
    cells = jaxion.setpoint(jaxion.replace(model, {path: d.ravel() for path, d in zip(wrt, displaced, strict=True)}))
    assert cells.ok.all()
    values = np.stack([np.asarray(cells[path]).reshape(4, len(wrt)) for path in of])
    wide, narrow = ((values[:, i] - values[:, i + 1]) / (2 * steps[i]) for i in (0, 2))
    return (4 * narrow - wide) / 3


@pytest.mark.parametrize("name", [pytest.param(name, marks=() if name == "duesterwald2018" else pytest.mark.slow) for name in DISPLACED])
def test_sensitivities_match_central_differences_at_a_displaced_point(name):
    model = jaxion.replace(getattr(models, name)(), DISPLACED[name])
    point = jaxion.setpoint(model)
    of = (*point.state_paths(), "neuron.E_Cl")
    # The balancing ion cannot be set, and a parameter that is zero and may not be negative has no two sides.
    settable = [p for p in jaxion.paths(model) if p.kind == "parameter" and p.name != "neuron.K"]
    wrt = tuple(p.name for p in settable if p.range == "any" or float(model[p.name]) > 0)
    assert len(wrt) >= 10
    exact = np.asarray(jaxion.sensitivity(model, of, wrt, scaled=False, point=point).matrix)
    # A volume takes the impermeants along: it is displaced apart from their amount.
    rest = tuple(path for path in wrt if path != "neuron.volume")
    central = np.empty_like(exact)
    central[:, [wrt.index(path) for path in rest]] = central_differences(model, of, rest)
    central[:, [wrt.index("neuron.volume")]] = central_differences(model, of, ("neuron.volume",))
    sizes = np.array([abs(float(value)) for value in point.read(of).values()])
    theta = np.array([abs(float(model[path])) or 1.0 for path in wrt])
    scale = np.maximum(np.abs(central), sizes[:, None] * 1e-2 / theta)
    np.testing.assert_array_less(np.abs(exact - central) / scale, 1e-7, err_msg=f"{name}: {of} by {wrt}")


@pytest.mark.slow
def test_second_derivative_matches_central_differences_of_the_first():
    model = models.duesterwald2018()

    def V(theta):
        return jaxion.setpoint(jaxion.replace(model, {"neuron.kcc2.g": theta[0], "bath.K": theta[1]}))["neuron.V"]

    at = jnp.array([0.25, 5.0])
    hessian = np.asarray(jax.jit(jax.hessian(V))(at))
    for other in (jax.jacfwd(jax.jacfwd(V)), jax.jacrev(jax.jacrev(V)), jax.jacrev(jax.jacfwd(V))):
        np.testing.assert_allclose(jax.jit(other)(at), hessian, rtol=1e-9)
    np.testing.assert_allclose(hessian, hessian.T, rtol=1e-9)
    gradient = jax.jit(jax.grad(V))
    for j, step in enumerate((2.5e-5, 5e-4)):
        d = step * jnp.eye(2)[j]
        np.testing.assert_allclose((gradient(at + d) - gradient(at - d)) / (2 * step), hessian[:, j], rtol=1e-6)


def test_batch_equals_singles():
    model = models.duesterwald2018()
    g = np.array([0.05, 0.15, 0.6])
    of, wrt = ("neuron.V", "neuron.E_Cl"), ("neuron.kcc2.g", "bath.K", "neuron.volume")
    batch = jaxion.sensitivity(jaxion.replace(model, {"neuron.kcc2.g": g}), of, wrt).matrix
    for i, value in enumerate(g):
        single = jaxion.sensitivity(jaxion.replace(model, {"neuron.kcc2.g": value}), of, wrt).matrix
        np.testing.assert_allclose(batch[:, :, i], single, rtol=1e-11, atol=1e-12)  # sums of terms of some mV


def test_zero_parameter_gives_zero_elasticity_and_zero_response_gives_nan():
    model = jaxion.replace(models.duesterwald2018(), {"neuron.kcc2.g": 0.0})
    s = jaxion.sensitivity(model, of=("neuron.Na", "neuron.kcc2.rate"), wrt=("neuron.kcc2.g", "bath.K"))
    assert float(s["neuron.Na", "neuron.kcc2.g"]) == 0.0
    assert np.isnan(s["neuron.kcc2.rate", "bath.K"])


def test_scaling_the_volume_scales_the_cell_and_changes_no_concentration():
    s = jaxion.sensitivity(models.duesterwald2018(closure="electroneutral"), of=("neuron.volume", "neuron.Na"), wrt=("neuron.volume",))
    assert float(s["neuron.volume", "neuron.volume"]) == pytest.approx(1.0, rel=1e-10)
    assert float(s["neuron.Na", "neuron.volume"]) == pytest.approx(0.0, abs=1e-10)


def test_table_lists_the_largest_first():
    s = jaxion.sensitivity(models.duesterwald2018(), of=("neuron.V",), wrt=("neuron.kcc2.g", "neuron.leak_Na.g"))
    first, second = s.table().splitlines()[1:]
    assert "neuron.leak_Na.g" in first
    assert "+18.94057 mV per e-fold" in first
    assert "neuron.kcc2.g" in second


def test_wrong_paths_are_answered_with_the_nearest_right_ones():
    model = models.duesterwald2018()
    with pytest.raises(jaxion.PathError, match=r"No path `neuron.kcc2.G`.*Did you mean `neuron.kcc2.g`"):
        jaxion.sensitivity(model, of=("neuron.V",), wrt=("neuron.kcc2.G",))
    with pytest.raises(jaxion.PathError, match=r"`neuron\.E_Cl` follows from the state"):
        jaxion.sensitivity(model, of=("neuron.V",), wrt=("neuron.E_Cl",))
    with pytest.raises(ValueError, match="`of` must name at least one path"):
        jaxion.sensitivity(model, of=(), wrt=("bath.K",))
