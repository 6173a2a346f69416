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


@pytest.mark.parametrize("name", DISPLACED)
def test_sensitivities_match_central_differences_at_a_displaced_point(name):
    model = jaxion.replace(getattr(models, name)(), DISPLACED[name])
    point = jaxion.setpoint(model)
    of = (*point.state_paths(), "neuron.E_Cl")
    wrt = tuple(p.name for p in jaxion.paths(model) if p.kind == "parameter" and p.name not in ("neuron.K", "neuron.charge"))
    exact = np.asarray(jaxion.sensitivity(model, of, wrt, scaled=False, point=point).matrix)
    sizes = np.array([abs(float(point[path])) for path in of])
    for j, path in enumerate(wrt):
        theta = float(model[path])
        # Richardson's extrapolation of two central differences: error of order h⁴.
        differences = []
        for h in (2e-3, 1e-3):
            step = h * (abs(theta) or 1.0)
            if theta == 0.0 and path.split(".")[-1] in ("impermeant", "P", "g", "activity"):
                break
            sides = [jaxion.setpoint(jaxion.replace(model, {path: theta + s * step})) for s in (1, -1)]
            up, down = (np.array([float(side[p]) for p in of]) for side in sides)
            differences.append((up - down) / (2 * step))
        if len(differences) < 2:
            continue
        central = (4 * differences[1] - differences[0]) / 3
        scale = np.maximum(np.abs(central), sizes * 1e-2 / (abs(theta) or 1.0))
        np.testing.assert_array_less(np.abs(exact[:, j] - central) / scale, 1e-7, err_msg=f"{name}: {path}")


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
