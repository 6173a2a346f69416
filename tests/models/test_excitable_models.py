"""The two neurons with gated channels against published steady states and right-hand sides written by hand."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from excitable_by_hand import HD_0, huebel_dahlem, zandt
from model_cases import rates, rebuilt
from reference import excitable as reference
from scipy.optimize import root

import jaxion
from jaxion import Status

pytestmark = pytest.mark.slow

RESERVOIRS = ("closed", "glia", "bath")
DEPOLARISED = {"neuron.V": -23.0, "neuron.Na": 57.0, "neuron.Cl": 28.0, "ecs.K": 44.0}


def agrees(point, wanted):
    for path, value in wanted.items():
        assert float(point[path]) == pytest.approx(value, rel=reference.RELATIVE), path


def modes(point):
    assert float(jnp.max(jnp.abs(point.eigenvalues.imag))) == 0.0
    return [float(value) for value in point.eigenvalues.real]


def without_oxygen(model):
    """The model with all that its anoxia declares."""
    return jaxion.replace(model, {path: value * (model[path] if kind == "scale" else 1.0) for kind, path, value in model.anoxia})


# Published steady states


@pytest.mark.parametrize("gates", ["full", "qss"])
@pytest.mark.parametrize("reservoir", ["closed", "glia"])
def test_huebel_dahlem_rests_where_published(reservoir, gates):
    point = jaxion.setpoint(jaxion.models.huebel_dahlem2014(reservoir=reservoir, gates=gates))
    agrees(point, reference.HUEBEL_DAHLEM_REST)
    assert float(point["neuron.nka.I"]) / 9.22 == pytest.approx(reference.HUEBEL_DAHLEM_REST_PUMP, rel=reference.RELATIVE)


def test_huebel_dahlem_returns_to_rest_at_the_published_rates():
    point = jaxion.setpoint(jaxion.models.huebel_dahlem2014())
    assert modes(point) == pytest.approx(reference.HUEBEL_DAHLEM_REST_EIGENVALUES, rel=reference.RELATIVE)
    # The buffer adds a slow mode, and gates at their steady values take the fast mode of the gate away.
    buffered = modes(jaxion.setpoint(jaxion.models.huebel_dahlem2014(reservoir="glia")))
    assert buffered[0] == pytest.approx(-5e-5, rel=0.01)
    assert buffered[1:] == pytest.approx(reference.HUEBEL_DAHLEM_REST_EIGENVALUES, rel=reference.RELATIVE)
    slow = modes(jaxion.setpoint(jaxion.models.huebel_dahlem2014(gates="qss")))
    assert slow[:2] == pytest.approx(reference.HUEBEL_DAHLEM_REST_EIGENVALUES[:2], rel=reference.RELATIVE)
    assert len(slow) == 3


def test_huebel_dahlem_is_bistable():
    model = jaxion.models.huebel_dahlem2014()
    rest, depolarised = jaxion.setpoint(model), jaxion.setpoint(model, start=DEPOLARISED)
    agrees(depolarised, reference.HUEBEL_DAHLEM_DEPOLARISED)
    assert float(depolarised["neuron.nka.I"]) / 9.22 == pytest.approx(reference.HUEBEL_DAHLEM_DEPOLARISED_PUMP, rel=reference.RELATIVE)
    assert modes(depolarised) == pytest.approx(reference.HUEBEL_DAHLEM_DEPOLARISED_EIGENVALUES, rel=reference.RELATIVE)
    assert ("branch physiological" in str(rest), "branch depolarised" in str(depolarised)) == (True, True)
    kept = model.structure.totals
    for name, value in jaxion.check(model).totals.items():
        assert name in {total.name for total in kept}
        for point in (rest, depolarised):
            assert abs(float(point.certificate.totals[name])) * value < 1e-12


def test_huebel_dahlem_without_pump_ends_at_donnan_equilibrium():
    point = jaxion.setpoint(without_oxygen(jaxion.models.huebel_dahlem2014()), start=DEPOLARISED)
    for path in ("neuron.V", "neuron.E_Na", "neuron.E_K", "neuron.E_Cl"):
        assert float(point[path]) == pytest.approx(reference.HUEBEL_DAHLEM_DONNAN, rel=reference.RELATIVE)


def test_the_reservoirs_exchange_potassium_alone_and_charge_no_cell():
    for reservoir in RESERVOIRS:
        found = jaxion.check(jaxion.models.huebel_dahlem2014(reservoir=reservoir))
        assert found.ok, str(found)
    assert jaxion.check(jaxion.models.zandt2011(charge_consistent=True)).ok


@pytest.mark.parametrize("gates", ["full", "qss"])
def test_zandt_rests_where_published_with_its_chloride_held(gates):
    model = jaxion.models.zandt2011(gates=gates)
    point = jaxion.setpoint(model)
    agrees(point, reference.ZANDT_REST)
    assert (float(point["neuron.Cl"]), float(point["ecs.Cl"])) == pytest.approx((6.0, 130.0), rel=1e-13)
    assert float(point["neuron.Na"] + point["ecs.Na"] / 2) == pytest.approx(reference.ZANDT_SODIUM, rel=1e-13)
    # Chloride carries the pump's current, and stays: it has no mode, and no flux.
    assert float(point["neuron.leak_Cl.I"]) == pytest.approx(float(point["neuron.nka.I"]), rel=1e-9)
    assert float(point["neuron.leak_Cl.J_Cl"]) == 0.0
    assert int(jnp.isnan(point.eigenvalues).sum()) == 1
    assert 1 / -float(point.eigenvalues[0].real) == pytest.approx(5e3, rel=0.05)


def test_zandt_elsewhere_holds_the_chloride_of_its_baseline():
    model = jaxion.replace(jaxion.models.zandt2011(), {"neuron.Cl": 6.5})
    point = jaxion.setpoint(model)
    assert float(point["neuron.Cl"]) == pytest.approx(6.5, rel=1e-13)
    slope = jax.grad(lambda Cl: jaxion.setpoint(jaxion.replace(model, {"neuron.Cl": Cl}))["neuron.V"])(6.5)
    above, below = (float(jaxion.setpoint(jaxion.replace(model, {"neuron.Cl": 6.5 + step}))["neuron.V"]) for step in (1e-4, -1e-4))
    assert float(slope) == pytest.approx((above - below) / 2e-4, rel=1e-6)


def test_chloride_set_free_is_singular_as_any_ion_that_nothing_sets():
    # Without pump and capacitor law nothing says which of the passive states it is.
    point = jaxion.setpoint(without_oxygen(jaxion.models.zandt2011()), throw=False)
    assert point.status == Status.singular


def test_zandt_closed_and_without_pump_ends_at_donnan_equilibrium():
    anoxic = without_oxygen(jaxion.models.zandt2011(charge_consistent=True))
    closed = rebuilt(anoxic, "state", links=[], baths={})
    agrees(jaxion.setpoint(closed, start={"neuron.V": -19.0, "ecs.K": 50.0, "neuron.Na": 70.0, "neuron.Cl": 30.0}), reference.ZANDT_DONNAN)


# Right-hand sides by hand


@pytest.mark.parametrize("reservoir", RESERVOIRS)
def test_huebel_dahlem_moves_as_its_equations_say(reservoir, rng):
    model = jaxion.models.huebel_dahlem2014(reservoir=reservoir)
    V, n, K_i, Cl_i, bound = (
        rng.uniform(low, high, 50) for low, high in ((-100, 50), (0.01, 0.9), (112.0, 128.0), (8.0, 28.0), (1e-3, 4.0))
    )
    dk = np.zeros(50) if reservoir == "closed" else -bound
    wanted, concentrations = huebel_dahlem(np.array([V, n, K_i, Cl_i, dk]), reservoir)
    found = rates(model, {"neuron.V": V, "neuron.kdr.n": n, "glia.K": -dk} | concentrations)
    for path, rate in zip(("neuron.V", "neuron.kdr.n", "neuron.K", "neuron.Cl"), wanted, strict=False):
        np.testing.assert_allclose(found[path], rate, rtol=2e-6, atol=1e-9 * np.abs(rate).max())
    # What the extracellular space gains beside the neuron's loss is Δk.
    np.testing.assert_allclose(found["ecs.K"] + 3 * found["neuron.K"], wanted[4], rtol=1e-6, atol=1e-14)
    np.testing.assert_allclose(found["ecs.Na"], -3 * found["neuron.Na"], rtol=1e-12)
    np.testing.assert_allclose(found["ecs.Cl"], -3 * found["neuron.Cl"], rtol=1e-12)


@pytest.mark.parametrize("anoxia", [False, True])
def test_zandt_moves_as_its_equations_say(anoxia, rng):
    model = jaxion.models.zandt2011()
    model = without_oxygen(model) if anoxia else model
    names = ("neuron.V", "neuron.na.h", "neuron.kdr.n", "ecs.K", "neuron.Na", "neuron.K", "ecs.Na", "neuron.Cl", "ecs.Cl")
    spans = ((-100, 50), (0.01, 0.99), (0.01, 0.99), (2, 70), (10, 80), (60, 140), (20, 145), (5, 40), (60, 130))
    y = np.array([rng.uniform(low, high, 50) for low, high in spans])
    found, wanted = rates(model, dict(zip(names, y, strict=True))), zandt(y, anoxia)
    for path, rate in zip(names, wanted, strict=True):
        np.testing.assert_allclose(found[path], rate, rtol=1e-9, atol=1e-12 * np.abs(rate).max(), err_msg=path)


@pytest.mark.parametrize(("start", "V"), [({}, -67.0), (DEPOLARISED, -23.0)], ids=["rest", "depolarised"])
def test_huebel_dahlem_set_points_are_roots_of_its_equations(start, V):
    point = jaxion.setpoint(jaxion.models.huebel_dahlem2014(), start=start or None)
    guess = [V, float(point["neuron.kdr.n"]), float(point["neuron.K"]), float(point["neuron.Cl"])]
    scale = np.array([1.0, 1.0, 1e5, 1e5])
    found = root(lambda y: scale * huebel_dahlem([*y, 0.0], "closed")[0][:4], guess, tol=1e-13)
    assert found.success
    # The paper leaves the capacitor's charge out of the sodium: nothing at rest, where the impermeants make up for it.
    rel = 1e-7 if not start else reference.RELATIVE
    for path, value in zip(("neuron.V", "neuron.kdr.n", "neuron.K", "neuron.Cl"), found.x, strict=True):
        assert float(point[path]) == pytest.approx(value, rel=rel), path


def test_zandt_set_point_is_the_root_of_its_equations():
    point = jaxion.setpoint(jaxion.models.zandt2011())
    names = ("neuron.V", "neuron.na.h", "neuron.kdr.n", "ecs.K", "neuron.Na", "neuron.K")

    def residual(y):
        full = np.array([*y, 2 * (reference.ZANDT_SODIUM - y[4]), 6.0, 130.0])
        return np.array([1, 1, 1, 1e3, 1e4, 1e4]) * zandt(full, anoxia=False)[:6]

    found = root(residual, [float(point[name]) * (1 + 1e-3) for name in names], tol=1e-13)
    assert found.success
    for name, value in zip(names, found.x, strict=True):
        assert float(point[name]) == pytest.approx(value, rel=1e-8), name


@pytest.mark.parametrize("reservoir", RESERVOIRS)
def test_huebel_dahlem_starts_at_the_rest_of_the_closed_cell_with_the_papers_totals(reservoir):
    model = jaxion.models.huebel_dahlem2014(reservoir=reservoir)
    agrees(model, reference.HUEBEL_DAHLEM_REST)
    for ion in ("Na", "K", "Cl"):
        total = float(model[f"neuron.{ion}"] + model[f"ecs.{ion}"] / 3)
        assert total == pytest.approx(HD_0[f"{ion}_i"] + HD_0[f"{ion}_e"] / 3, rel=1e-9)
    if reservoir != "bath":
        assert jaxion.check(model).baseline_residual < 1e-4
