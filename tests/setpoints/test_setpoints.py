"""Set-points against closed forms, published numbers and independent roads."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from reference import setpoints as reference
from scipy.optimize import brentq

import jaxion
from jaxion.errors import Status

models = jaxion.models


def agrees(found, wanted, relative=reference.RELATIVE):
    np.testing.assert_allclose(float(found), wanted, rtol=relative, atol=reference.NEAR_ZERO)


def closed_form(g_Na=20.0, g_K=70.0, g_Cl=20.0, g_KCC2=20.0, P=0.1, z=-0.85):
    """Set-point of Düsterwald et al. (2018) at zero capacitance, by bisection of its one self-consistency; None if there is none."""
    Na_o, K_o, Cl_o, total, phi = 145.0, 3.5, 119.0, 297.0, 26.725e-3
    beta = 1 / (g_K * g_Cl + g_KCC2 * g_K + g_Cl * g_KCC2)

    def state(q):
        A = Na_o * np.exp(-3 * q / g_Na) + K_o * np.exp(2 * q * (g_Cl + g_KCC2) * beta)
        B = Cl_o * np.exp(-2 * q * g_KCC2 * beta)
        root = np.sqrt(z**2 * total**2 + 4 * (1 - z**2) * A * B)
        # The stable form of the quadratic's root serves z = -1 as well.
        theta = (-z * total + root) / (2 * (1 - z) * A)
        Na = Na_o * theta * np.exp(-3 * q / g_Na)
        K = K_o * theta * np.exp(2 * q * (g_Cl + g_KCC2) * beta)
        Cl = Cl_o / theta * np.exp(-2 * q * g_KCC2 * beta)
        return {"neuron.V": -1e3 * phi * np.log(theta), "neuron.Na": Na, "neuron.K": K, "neuron.Cl": Cl, "neuron.X": total - Na - K - Cl}

    def excess(log_q):
        # 1 A/dm² is 1e4 µA/cm²; over volts, that is µS/cm².
        return log_q - np.log(1e4 * P / phi * (state(np.exp(log_q))["neuron.Na"] / Na_o) ** 3)

    # The pump's sodium falls as q grows, so there is one crossing: bracket it from below.
    above = -30.0
    while excess(above) < 0:
        above += 0.25
    found = state(np.exp(brentq(excess, above - 0.25, above, xtol=1e-14, rtol=1e-14)))  # pyright: ignore
    return found if found["neuron.X"] > 0 else None


@pytest.mark.parametrize(("arguments", "row"), reference.DUESTERWALD, ids=str)
def test_duesterwald_matches_the_published_table_from_its_unchanged_start(arguments, row):
    point = jaxion.setpoint(models.duesterwald2018(**arguments))
    for path, wanted in zip(reference.DUESTERWALD_COLUMNS, row, strict=True):
        agrees(point[path], wanted)


@pytest.mark.parametrize(("arguments", "row"), [r for r in reference.DUESTERWALD if "z" in r[0]], ids=str)
def test_replacing_z_equals_the_model_argument(arguments, row):
    point = jaxion.setpoint(jaxion.replace(models.duesterwald2018(), {"neuron.z": arguments["z"]}))
    for path, wanted in zip(reference.DUESTERWALD_COLUMNS, row, strict=True):
        agrees(point[path], wanted)


@pytest.mark.parametrize(("arguments", "row"), reference.DUESTERWALD, ids=str)
def test_electroneutral_duesterwald_equals_the_closed_form(arguments, row):
    point = jaxion.setpoint(models.duesterwald2018(closure="electroneutral", **arguments))
    exact = closed_form(**arguments)
    assert exact is not None
    for path, wanted in exact.items():
        np.testing.assert_allclose(float(point[path]), wanted, rtol=1e-9)


def test_difference_closure_approaches_electroneutrality_linearly_in_capacitance():
    exact = jaxion.setpoint(models.duesterwald2018(closure="electroneutral"))["neuron.V"]
    model = models.duesterwald2018(closure="difference")
    errors = [
        float(jaxion.setpoint(jaxion.replace(model, {"neuron.C": scale * model["neuron.C"]}))["neuron.V"] - exact) for scale in (4, 2, 1)
    ]
    assert abs(errors[2]) > 1e-5
    np.testing.assert_allclose([errors[0] / errors[1], errors[1] / errors[2]], 2.0, rtol=1e-3)


@pytest.mark.parametrize(("P", "mu", "V", "V_Na", "V_K"), reference.KEENER_SNEYD)
def test_keener_sneyd_matches_its_closed_form(P, mu, V, V_Na, V_K):
    point = jaxion.setpoint(models.keener_sneyd(P=P))
    for path, wanted in (("neuron.volume", mu), ("neuron.V", V), ("neuron.E_Na", V_Na), ("neuron.E_K", V_K)):
        agrees(point[path], wanted)


@pytest.mark.slow
def test_keener_sneyd_volume_is_smallest_where_the_book_says():
    P, smallest = reference.KEENER_SNEYD_MINIMUM
    volume = lambda P: jaxion.setpoint(models.keener_sneyd(P=P))["neuron.volume"]  # noqa: E731
    agrees(volume(P), smallest)
    slope, curvature = jax.grad(volume), jax.grad(jax.grad(volume))
    # One Newton step on the slope says where the minimum lies.
    np.testing.assert_allclose(P - float(slope(P) / curvature(P)), P, rtol=1e-6)


def test_keener_sneyd_has_no_set_point_beyond_its_end():
    assert jaxion.setpoint(models.keener_sneyd(P=reference.KEENER_SNEYD_END * (1 - 1e-4))).status == Status.ok
    with pytest.raises(jaxion.SetPointError, match=r"no_setpoint.*swells") as raised:
        jaxion.setpoint(models.keener_sneyd(P=reference.KEENER_SNEYD_END * (1 + 1e-4)))
    assert raised.value.status is Status.no_setpoint


@pytest.mark.parametrize(("zX", "cation", "anion", "V"), reference.DONNAN)
def test_donnan_matches_its_closed_form(zX, cation, anion, V):
    point = jaxion.setpoint(models.donnan1911(zX=zX))
    for path, wanted in (("neuron.K", cation), ("neuron.Cl", anion), ("neuron.V", V)):
        agrees(point[path], wanted)
    assert float(point["neuron.K"] * point["neuron.Cl"]) == pytest.approx(22500.0, rel=1e-12)


def test_donnan_is_symmetric_in_the_sign_of_the_impermeant_charge():
    negative, positive = (jaxion.setpoint(models.donnan1911(zX=zX)) for zX in (-300.0, 300.0))
    assert float(negative["neuron.V"]) == pytest.approx(-float(positive["neuron.V"]), rel=1e-12)


def test_cell_without_pump_swells_to_donnan_equilibrium():
    model = models.duesterwald2018(P=0.0)
    point = jaxion.setpoint(model)
    for path, wanted in reference.DUESTERWALD_PASSIVE.items():
        agrees(point[path], wanted)
    agrees(point["neuron.volume"] / model["neuron.volume"], reference.DUESTERWALD_PASSIVE_SWELLING)
    assert "branch donnan" in str(point)


@pytest.mark.parametrize(("arguments", "row", "volume"), reference.AMINZARE_KAY, ids=str)
def test_aminzare_kay_matches_the_recomputed_table(arguments, row, volume):
    model = models.aminzare_kay2024(**arguments)
    point = jaxion.setpoint(model)
    for path, wanted in zip(reference.AMINZARE_KAY_COLUMNS, row, strict=True):
        agrees(point[path], wanted)
    agrees(point["neuron.volume"] / model["neuron.volume"], volume)


def test_ncc_swells_the_cell_fifteenfold():
    arguments, row, volume = reference.AMINZARE_KAY_NCC
    model = models.aminzare_kay2024(**arguments)
    point = jaxion.setpoint(model)
    for path, wanted in row.items():
        agrees(point[path], wanted)
    agrees(point["neuron.volume"] / model["neuron.volume"], volume)


@pytest.fixture(scope="module")
def wide():
    """Düsterwald cells whose conductances and pump scatter by factors of e^1.5, with the arguments of their closed form."""
    rng = np.random.default_rng(1)
    nominal = {"g_Na": 20.0, "g_K": 70.0, "g_Cl": 20.0, "g_KCC2": 20.0, "P": 0.1}
    draws = {name: value * np.exp(1.5 * rng.normal(size=1024)) for name, value in nominal.items()}
    cells = [models.duesterwald2018(closure="electroneutral", **{name: v[i] for name, v in draws.items()}) for i in range(1024)]
    return jax.tree.map(lambda *leaves: jnp.stack(leaves), *cells), draws


@pytest.mark.slow
def test_every_cell_is_found_that_has_a_set_point_and_no_other(wide):
    model, draws = wide
    exact = [closed_form(**{name: v[i] for name, v in draws.items()}) for i in range(1024)]
    exists = np.array([cell is not None for cell in exact])
    assert 5 < np.sum(~exists) < 200
    point = jaxion.setpoint(model)
    status = np.asarray(point.status)
    assert (status[exists] == Status.ok).all()
    assert (status[~exists] == Status.no_setpoint).all()
    for path in ("neuron.V", "neuron.Na", "neuron.Cl"):
        np.testing.assert_allclose(np.asarray(point[path])[exists], [c[path] for c in exact if c], rtol=1e-7)
        assert np.isnan(np.asarray(point[path])[~exists]).all()


def far_starts(model, count, rng):
    """First guesses a hundredfold off in concentrations and threefold in volume, of which the charge leaves potassium positive."""
    draw = lambda low, high: np.exp(rng.uniform(np.log(low), np.log(high), 4 * count))  # noqa: E731
    Na, Cl, volume = draw(0.5, 300.0), draw(0.5, 300.0), float(model["neuron.volume"]) * draw(1 / 3, 3)
    V = rng.uniform(-120.0, 60.0, 4 * count)
    charge = (Cl - Na) * volume - float(model["neuron.z"] * model["neuron.impermeant"])
    possible = np.flatnonzero(charge > 5.0 * volume)[:count]
    assert possible.size == count
    return {"neuron.Na": Na[possible], "neuron.Cl": Cl[possible], "neuron.volume": volume[possible], "neuron.V": V[possible]}


NO_SECOND_ROUND = {
    "llvm": ("jaxion.kernel.binding.equilibria._settled", lambda equilibrium, start, theta: np.ascontiguousarray(start)),
    "xla": ("jaxion.setpoints.batches.needs_rescue", lambda found: jnp.zeros_like(found.status, bool)),
}


@pytest.mark.slow
@pytest.mark.parametrize("lowering", NO_SECOND_ROUND)
def test_integration_finds_from_far_starts_what_newton_alone_misses(lowering, rng, monkeypatch):
    nominal = models.duesterwald2018()
    cells = jax.tree.map(lambda leaf: jnp.broadcast_to(leaf, (256,)), nominal)
    starts = far_starts(nominal, 256, rng)
    found = jaxion.setpoint(cells, start=starts, lowering=lowering)
    assert found.ok.all()
    np.testing.assert_allclose(found["neuron.V"], jaxion.setpoint(nominal)["neuron.V"], rtol=1e-10)
    # Without the second round, which integrates: what the first leaves is lost.
    monkeypatch.setattr(*NO_SECOND_ROUND[lowering])
    alone = jaxion.setpoint(cells, start=starts, lowering=lowering)
    assert 5 < int((~alone.ok).sum()) < 60
