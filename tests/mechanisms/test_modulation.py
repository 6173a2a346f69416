"""Modulation by composition: nested parameters, what stays of the mechanism, and the set-point of sodium under FXYD."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from mechanism_cases import REST, draw, rate, view
from model_cases import rebuilt
from reference import setpoints as reference

import jaxion
from jaxion import Membrane, Model, PathError, Protocol, phase, units
from jaxion.mechanisms import FXYD, FXYD1, AbstractMechanism, HHSodium, Leak, Modulated, NaKATPaseKager, Temperature
from jaxion.mechanisms.base import get_parameter, parameters, with_parameters

pytestmark = pytest.mark.slow

AREA = 2 * np.pi * 5.0 * 25.0
"""Area of the neuron of Düsterwald et al. (2018), µm²."""


def cell(pump: AbstractMechanism, closure: str = "state") -> Model:
    """The neuron of Düsterwald et al. (2018) with another pump."""
    base = jaxion.models.duesterwald2018()
    membrane = base.membranes["neuron"]
    mechanisms = {**membrane.mechanisms, "nka": pump}
    return rebuilt(base, closure, membranes=[Membrane("neuron", "bath", mechanisms, C=membrane.C, V=membrane.V, area="cylinder")])


def kager(K_Na: float) -> NaKATPaseKager:
    return NaKATPaseKager(units.current(uA_per_cm2=reference.KAGER_I_MAX, area=AREA) / 96.485, K_Na=K_Na, K_K=2.0)


# Set-points


@pytest.fixture(scope="module")
def shifted():
    """The neuron at the published K_Na, all by the shift of a subunit that acts on all pumps."""
    theta = 1.0
    s = np.array([K_Na / 10.0 - 1.0 for K_Na, *_ in reference.KAGER])
    return jaxion.setpoint(jaxion.replace(cell(Modulated(kager(10.0), by=FXYD(theta)), "electroneutral"), {"neuron.nka.by.s": s}))


def test_a_subunit_moves_sodium_potential_and_pump_current_as_the_closed_form_says(shifted):
    assert shifted.ok.all()
    _, Na, V, I_p = np.array(reference.KAGER).T
    np.testing.assert_allclose(shifted["neuron.Na"], Na, rtol=reference.RELATIVE)
    np.testing.assert_allclose(shifted["neuron.V"], V, rtol=reference.RELATIVE)
    # A current density, on a cylinder that grows with the volume.
    area = AREA * np.sqrt(shifted["neuron.volume"] / shifted.model["neuron.volume"])
    np.testing.assert_allclose(shifted["neuron.nka.I"], units.current(uA_per_cm2=I_p, area=area), rtol=reference.RELATIVE)


def test_sodium_follows_affinity_with_the_elasticity_of_the_closed_form():
    plain = jaxion.sensitivity(cell(kager(10.0), "electroneutral"), of=("neuron.Na",), wrt=("neuron.nka.K_Na",))
    assert float(plain.matrix[0, 0]) == pytest.approx(reference.KAGER_ELASTICITY, rel=reference.RELATIVE)
    # Half of the pumps bound by a subunit that shifts by s: K_Na = 10 mM (1 + s/2), so that d ln K_Na/d ln s = s θ/(1 + s θ).
    model = cell(Modulated(kager(8.0), by=FXYD(0.5, 0.5)), "electroneutral")
    found = jaxion.sensitivity(model, of=("neuron.Na",), wrt=("neuron.nka.K_Na", "neuron.nka.by.s", "neuron.nka.by.theta"))
    expected = reference.KAGER_ELASTICITY * np.array([1.0, 0.2, 0.2])
    np.testing.assert_allclose(found.matrix[0], expected, rtol=reference.RELATIVE)


@pytest.mark.parametrize(("s", "direction"), [(0.4, 1), (-0.4, -1)])
def test_the_sign_of_the_shift_is_that_of_the_effect(s, direction):
    model = cell(Modulated(kager(10.0), by=FXYD(0.0, s)))
    sodium = jaxion.setpoint(jaxion.replace(model, {"neuron.nka.by.theta": np.linspace(0.0, 1.0, 5)}))["neuron.Na"]
    assert (direction * np.diff(np.asarray(sodium)) > 0).all()


def test_phosphorylation_of_phospholemman_lowers_K_Na_and_sodium():
    pump = Modulated(kager(13.6), by=FXYD1(jnp.array([0.0, 0.25, 1.0])))
    shifted = 13.6 * pump.by.factor(view(REST))
    np.testing.assert_allclose(shifted, [18.8, 13.6 + 0.75 * (18.8 - 13.6), 13.6], rtol=1e-14)
    sodium = np.asarray(jaxion.setpoint(cell(pump))["neuron.Na"])
    assert (np.diff(sodium) < 0).all()


def test_sign_of_phosphorylation_is_a_parameter_too():
    model = cell(Modulated(kager(13.6), by=FXYD1(np.array([0.0, 1.0]), s=-0.3)))
    low, high = np.asarray(jaxion.setpoint(model)["neuron.Na"])
    assert high > low


# What is modulated stays what it is


def test_a_factor_of_one_changes_nothing(rng):
    states = draw(rng, 200)
    plain = kager(10.0)
    for by in (FXYD(0.0, 0.4), FXYD1(1.0), Temperature(300.0, 300.0)):
        np.testing.assert_array_equal(rate(Modulated(plain, by=by), states), rate(plain, states))


def test_a_parameter_or_the_rate_is_multiplied(rng):
    states = draw(rng, 200)
    np.testing.assert_allclose(rate(Modulated(kager(10.0), by=FXYD(0.5, 0.4)), states), rate(kager(12.0), states), rtol=1e-13)
    warm = Temperature(310.0, 300.0, Q10=3.0)
    np.testing.assert_allclose(rate(Modulated(Leak("K", 0.5), by=warm), states), 3.0 * rate(Leak("K", 0.5), states), rtol=1e-13)


def test_gates_follow_the_parameter_that_is_modulated(rng):
    states = draw(rng, 20)
    warm = Modulated(HHSodium(100.0), by=Temperature(310.0, 300.0, of="phi"))
    assert warm.gates == ("h",)
    for fast, slow in zip(warm.gating(view(states))["h"], HHSodium(100.0).gating(view(states))["h"], strict=True):
        np.testing.assert_allclose(fast, 3.0 * slow, rtol=1e-13)
    np.testing.assert_array_equal(rate(warm, states), rate(HHSodium(100.0), states))


def test_a_modulated_channel_has_the_gates_of_its_model():
    base = jaxion.models.huebel2016()
    membrane = base.membranes["neuron"]
    channel = Modulated(membrane.mechanisms["na"], by=Temperature(300.0, 300.0, of="phi"))
    parts = (membrane.C, membrane.V, membrane.charge, membrane.area, membrane.balance, membrane.silent)
    other = rebuilt(base, base.closure, membranes=[Membrane("neuron", "ecs", {**membrane.mechanisms, "na": channel}, *parts)])
    assert other.rows == base.rows
    state = base.pack(base.baseline())
    np.testing.assert_allclose(other.rhs(state), base.rhs(state), rtol=1e-13, atol=1e-13)


def test_laws_and_ledger_are_those_of_the_mechanism():
    model = cell(Modulated(kager(10.0), by=FXYD(0.5)))
    assert jaxion.check(model).ok
    rest = jaxion.ledger(model)
    assert set(rest.used) == {"neuron.nka"}
    assert abs(float(rest.error)) < 1e-10


# Nested parameters are paths


def test_parameters_keep_their_names_and_those_of_the_modulator_follow(rng):
    pump = Modulated(Modulated(kager(10.0), by=FXYD(0.5)), by=Temperature(310.0, 300.0))
    names = ("v_max", "K_Na", "K_K", "by.theta", "by.s", "by.T", "by.T_0", "by.Q10")
    assert tuple(parameters(pump)) == names
    values = {name: float(x) for name, x in zip(names, rng.uniform(1.0, 2.0, len(names)), strict=True)}
    changed = with_parameters(pump, values)
    assert {name: float(get_parameter(changed, name)) for name in names} == values
    assert jax.tree.structure(changed) == jax.tree.structure(pump)


def test_paths_read_replace_and_refuse():
    model = cell(Modulated(kager(10.0), by=FXYD1(0.5)))
    table = {path.name: path for path in jaxion.paths(model)}
    assert table["neuron.nka.by.phosphorylation"].kind == "parameter"
    assert (table["neuron.nka.by.s"].range, table["neuron.nka.by.phosphorylation"].range) == ("any", "fraction")
    assert table["neuron.nka.by.s"].source == model.source
    assert float(jaxion.replace(model, {"neuron.nka.by.phosphorylation": 0.25})["neuron.nka.by.phosphorylation"]) == 0.25
    for value in (1.01, -0.01):
        with pytest.raises(ValueError, match=r"`neuron\.nka\.by\.phosphorylation` must be between 0 and 1, but it is"):
            jaxion.replace(model, {"neuron.nka.by.phosphorylation": value})
    with pytest.raises(PathError, match=r"Did you mean `neuron\.nka\.by\.s`"):
        jaxion.replace(model, {"neuron.nka.by.S": 0.1})


def test_protocols_sweeps_and_gradients_take_nested_parameters():
    model = cell(Modulated(kager(13.6), by=FXYD1(0.0)))
    at = "neuron.nka.by.phosphorylation"
    isoproterenol = Protocol(phase(3000, set={at: 1.0}))
    cells = jaxion.Population.grid(model, {at: [0.0, 1.0]}).model()
    run = jaxion.solve(model, isoproterenol, start="setpoint", rtol=1e-8)
    low, high = np.asarray(jaxion.setpoint(cells)["neuron.Na"])[::-1]
    assert float(run.final["neuron.Na"]) == pytest.approx(low, rel=1e-4)
    point = jaxion.sensitivity(cells, of=("neuron.Na",), wrt=(at,), scaled=False)
    slope = jax.grad(lambda phos: jaxion.setpoint(jaxion.replace(model, {at: phos}))["neuron.Na"])
    np.testing.assert_allclose(point.matrix[0, 0], [slope(0.0), slope(1.0)], rtol=1e-9)
    assert high > low


def test_what_cannot_be_modulated_is_refused():
    with pytest.raises(ValueError, match=r"`FXYD` modulates `K_Na`, but `Leak` has only g\."):
        Modulated(Leak("K", 1.0), by=FXYD(0.5))
    with pytest.raises(ValueError, match=r"modulated already by something with a parameter `by\.s`"):
        Modulated(Modulated(kager(10.0), by=FXYD(0.5)), by=FXYD(0.5, of="K_K"))


def test_calibration_says_that_a_shift_is_no_factor():
    model = cell(Modulated(kager(10.0), by=FXYD(0.5)))
    with pytest.raises(ValueError, match=r"must name parameters that a rate is proportional to, but `neuron\.nka\.by\.s`"):
        jaxion.calibrate(model, solve_for=["neuron.nka.by.s"])
