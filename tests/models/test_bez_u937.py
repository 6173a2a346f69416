"""U937 cells of Yurinskaya & Vereninov: published steady states, fluxes, sensitivities and ouabain, and the equations written by hand."""

import jax.numpy as jnp
import numpy as np
import pytest
from reference import setpoints, transients
from scipy.optimize import brentq

import jaxion

pytestmark = pytest.mark.slow

COLUMNS = ("cell.Na", "cell.K", "cell.Cl", "cell.V")


def build(**arguments):
    return jaxion.models.bez_u937(**arguments)


def volume_over_impermeants(found):
    """The paper's V/A, ml/mmol."""
    return 1e3 / np.asarray(found["cell.X"])


@pytest.mark.parametrize(("arguments", "row"), setpoints.BEZ_U937, ids=str)
def test_steady_states_are_the_published_ones(arguments, row):
    point = jaxion.setpoint(build(**arguments))
    for path, wanted in zip(COLUMNS, row, strict=False):
        assert float(point[path]) == pytest.approx(wanted, rel=setpoints.RELATIVE), path
    assert float(volume_over_impermeants(point)) == pytest.approx(row[4], rel=setpoints.RELATIVE)


def test_fluxes_at_rest_are_the_published_ones():
    point = jaxion.setpoint(build())
    for path, wanted in setpoints.BEZ_U937_FLUXES.items():
        assert -60.0 * float(point[path] / point["cell.volume"]) == pytest.approx(wanted, abs=0.6e-5), path


def test_a_steady_state_determines_three_of_seven_parameters():
    wanted = setpoints.BEZ_U937_ELASTICITIES
    matrix = np.array(jaxion.sensitivity(build(), of=COLUMNS, wrt=tuple(wanted)).matrix)
    matrix[COLUMNS.index("cell.V")] /= 45.0
    np.testing.assert_allclose(matrix, np.transpose(list(wanted.values())), atol=1.5e-5)
    values = np.linalg.svd(matrix)[1]
    np.testing.assert_allclose(values[:3], setpoints.BEZ_U937_SINGULAR_VALUES, rtol=1e-4)
    assert values[3] < 1e-12  # the fourth, the potential, follows from the others


# The zero-current potential is found by an iteration, of which there is no machine code: one warning says so.
@pytest.mark.filterwarnings("ignore:Cells are integrated by")
@pytest.mark.parametrize("closure", ["state", "difference", pytest.param("electroneutral", marks=pytest.mark.slow)])
def test_ouabain_runs_down_the_gradients_as_published(closure):
    model = build(closure=closure)
    rows = transients.BEZ_U937_OUABAIN
    protocol = jaxion.protocols.of(model)["ouabain"]
    sol = jaxion.solve(model, protocol, start="setpoint", save=[60.0 * t for t, *_ in rows])
    for i, path in enumerate(COLUMNS):
        np.testing.assert_allclose(sol[path], [row[i + 1] for row in rows], rtol=setpoints.RELATIVE, err_msg=path)
    assert float(volume_over_impermeants(sol)[-1]) == pytest.approx(transients.BEZ_U937_OUABAIN_VOLUME, rel=setpoints.RELATIVE)


def influx(na, k, cl):
    """Net influx of Na, K and Cl in mM/min and the potential in mV, as the paper writes them."""
    na0, k0, cl0, beta, gamma = 140.0, 5.8, 116.0, 0.039, 1.5
    pump = beta * na

    def channels(u):
        e = np.exp(u)
        through = lambda p, end: p * u * end / (1 - e)  # noqa: E731
        return through(0.0017, na * e - na0), through(0.0115, k * e - k0), through(0.011, cl - cl0 * e)

    def charge(u):
        Na, K, Cl = channels(u)
        return Na + K - Cl - pump * (1 - 1 / gamma)

    u = float(brentq(charge, -8.0, -1e-9, xtol=1e-15))  # pyright: ignore
    Na, K, Cl = channels(u)
    NC, KC = 7e-5 * (na0 * cl0 - na * cl), 8e-5 * (k0 * cl0 - k * cl)
    NKCC = 8e-9 * (na0 * k0 * cl0**2 - na * k * cl**2)
    return Na + NC + NKCC - pump, K + KC + NKCC + pump / gamma, Cl + NC + KC + 2 * NKCC, 26.7 * u


def test_moves_as_its_equations_say_per_volume_of_water(rng):
    model = build()
    for _ in range(10):
        na, k, cl, w = rng.uniform(10, 60), rng.uniform(100, 180), rng.uniform(10, 60), rng.uniform(0.7, 1.5)
        state = jnp.array([cl * w, k * w, na * w, w])
        assert model.rows == ("cell.n_Cl", "cell.n_K", "cell.n_Na", "cell.volume")
        Cl, K, Na, _ = 60.0 * np.asarray(model.rhs(state)) / w
        *wanted, U = influx(na, k, cl)
        np.testing.assert_allclose([Na, K, Cl], wanted, rtol=1e-9, atol=1e-9)
        assert float(model.unpack(state).potentials["cell"]) == pytest.approx(U, rel=1e-10)


def test_starts_from_the_measured_cell():
    model = build()
    assert [float(model[path]) for path in COLUMNS] == pytest.approx([38.0, 147.0, 45.0, -45.0], rel=1e-12)
    assert float(model["cell.z"]) == pytest.approx(-1.75, rel=1e-12)
    assert float(volume_over_impermeants(model)) == pytest.approx(12.5, rel=1e-12)
    # It starts at osmotic equilibrium, whatever the medium.
    assert float(build(k0=10.0)["cell.impermeant"]) == pytest.approx(84.2, rel=1e-12)
