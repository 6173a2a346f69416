"""The energy ledger: parts that add up to what the pumps use, at set-points and over protocols."""

import jax
import numpy as np
import pytest
from model_cases import each_model, function, rebuilt

import jaxion
from jaxion import Bath, Compartment, Cycle, Membrane, Model
from jaxion.mechanisms import PMCA, Leak, NaKATPaseConstant
from jaxion.units import FARADAY

RELIEVED = {"wei2014": {"neuron.nka"}}
"""Pumps that take from another pump's work: the glia's pump is paid by the K⁺ that comes into their space, and the neuron's takes some out."""


@pytest.mark.slow
@each_model
def test_parts_add_up_to_what_the_pumps_use_at_a_set_point(name):
    model = function(name)()
    found = jaxion.ledger(model)
    assert set(found.used) == {path.name.removesuffix(".ATP") for path in jaxion.paths(model) if path.name.endswith(".ATP")}
    assert all(float(ATP) > 0 for ATP in found.used.values())
    relieved = {pump for pump in found.used if pump in found.parts}
    assert relieved == RELIEVED.get(name, set())
    assert all(float(found.parts[pump]) < 0 for pump in relieved)
    if found.used:
        assert abs(float(found.error)) < 1e-10
        assert float(sum(found.parts.values())) == pytest.approx(float(found.ATP), rel=1e-10)
    else:
        assert not found.parts


def test_resting_neuron_uses_what_its_membrane_resistance_says():
    # ATP = (V_Na − V)(V − V_K) / (F R_m (V + 2 V_Na − 3 V_K)), with R_m = 200 MΩ: published as 3.42e8 ATP/s.
    V, E_Na, E_K, RT_F, I_p = -70.0, 50.0, -100.0, 26.7, 54.545454545454545
    inside = {"Na": 145.0 * np.exp(-E_Na / RT_F), "K": 3.5 * np.exp(-E_K / RT_F)}
    processes = {"leak_Na": Leak("Na", 1.0), "leak_K": Leak("K", 1.0), "nka": NaKATPaseConstant(I_p / FARADAY)}
    rest = Model(
        compartments={"neuron": Compartment(inside, volume=1.0, impermeant=sum(inside.values()), z=-1.0)},
        baths={"bath": Bath({"Na": 145.0, "K": 3.5})},
        membranes=[Membrane("neuron", "bath", processes, C=20.0, V=V)],
        closure="electroneutral",
        RT_F=RT_F,
    )
    rest = jaxion.calibrate(rest, solve_for=["neuron.leak_Na.g", "neuron.leak_K.g"])
    assert float(rest["neuron.leak_Na.g"] + rest["neuron.leak_K.g"]) == pytest.approx(1e3 / 200.0, rel=1e-12)
    found = jaxion.ledger(rest)
    assert float(found.molecules) == pytest.approx(3.40446e8, rel=2e-6)
    assert float(found.oxygen) == pytest.approx(float(found.ATP) * 6 / 31)
    assert float(found.parts["neuron.leak_Na"]) == pytest.approx(float(found.ATP), rel=1e-10)


def test_a_pump_that_is_blocked_owes_what_has_come_in():
    cell = jaxion.models.duesterwald2018()
    protocol = jaxion.Protocol(jaxion.rest(10), jaxion.block("neuron.nka", 0.9, 300))
    found = jaxion.ledger(cell, protocol, start="setpoint", rtol=1e-9)
    assert abs(float(found.error)) < 1e-7
    owed = float(found.stored["neuron.Na"])
    assert owed > 0.1 * float(found.ATP)
    assert float(found.parts["neuron.leak_Na"]) == pytest.approx(float(found.ATP) + owed, rel=1e-7)
    assert (found.unit, float(found.oxygen)) == ("fmol", pytest.approx(float(found.ATP) * 6 / 31))
    assert "still owed for neuron.Na" in str(found)


@pytest.mark.slow
def test_an_action_potential_costs_the_sodium_of_its_channels():
    cell = jaxion.models.huebel_dahlem2014()
    pulses = [jaxion.rest(0.2), jaxion.inject("neuron", 300.0, 0.001)] * 3
    protocol = jaxion.Protocol(*pulses, jaxion.rest(0.2))
    found = jaxion.ledger(cell, protocol, start="setpoint", spikes=jaxion.spikes("neuron.V", -20.0), rtol=1e-9)
    assert found.spikes is not None
    assert float(found.spikes) == 3.0
    assert abs(float(found.error)) < 1e-6
    costs = {process: float(ATP) for process, ATP in found.per_spike.items()}
    assert costs["neuron.na"] > 0.9 * sum(costs.values()) > 0
    # No less than a third of the charge that the capacitor takes for 60 mV and the pulse does not bring.
    assert costs["neuron.na"] > (float(cell["neuron.C"]) * 60e-3 - 0.3) / (3 * FARADAY)
    assert "per action potential (3)" in str(found)


def test_gradient_of_the_energy_is_that_of_differences():
    cell = jaxion.models.duesterwald2018()

    def ATP(g):
        return jaxion.ledger(jaxion.replace(cell, {"neuron.leak_Na.g": g})).ATP

    g = float(cell["neuron.leak_Na.g"])
    slope = float(jax.jit(jax.grad(ATP))(g))
    assert slope > 0
    assert slope == pytest.approx(float(ATP(g * (1 + 1e-4)) - ATP(g * (1 - 1e-4))) / (2e-4 * g), rel=1e-6)


def test_batches_have_a_ledger_of_every_cell():
    cell = jaxion.models.duesterwald2018()
    g = float(cell["neuron.leak_Na.g"]) * np.array([0.8, 1.0, 1.3])
    cells = jaxion.replace(cell, {"neuron.leak_Na.g": g})
    found = jaxion.ledger(jaxion.setpoint(cells))
    assert found.ok.all()
    for i in range(3):
        one = jaxion.ledger(jaxion.replace(cell, {"neuron.leak_Na.g": g[i]}))
        assert float(found.ATP[i]) == pytest.approx(float(one.ATP), rel=1e-12)
    assert "median of 3 cells" in str(found)


def test_calcium_costs_what_its_own_pump_uses():
    inside, outside = {"Na": 12.0, "K": 130.0, "Cl": 10.0, "Ca": 1e-4}, {"Na": 145.0, "K": 3.5, "Cl": 148.5, "Ca": 1.5}
    leaks = {f"leak_{ion}": Leak(ion, g) for ion, g in (("Na", 0.5), ("K", 5.0), ("Cl", 1.0), ("Ca", 1e-3))}
    cell = Model(
        compartments={"neuron": Compartment(inside, volume=1.0, impermeant=132.0)},
        baths={"bath": Bath(outside)},
        membranes=[Membrane("neuron", "bath", {**leaks, "nka": NaKATPaseConstant(0.2), "pmca": PMCA(1e-2)}, C=20.0, V=-70.0)],
    )
    found = jaxion.ledger(cell)
    assert abs(float(found.error)) < 1e-10
    assert float(found.parts["neuron.leak_Ca"]) == pytest.approx(float(found.used["neuron.pmca"]), rel=1e-9)
    assert float(found.parts["neuron.leak_Na"]) == pytest.approx(float(found.used["neuron.nka"]), rel=1e-9)


def test_what_has_no_ledger_is_refused():
    cell = jaxion.models.duesterwald2018()
    with pytest.raises(ValueError, match="counts action potentials of a protocol, but none is given"):
        jaxion.ledger(cell, spikes=jaxion.spikes("neuron.V"))
    with pytest.raises(ValueError, match="needs a count of them"):
        _ = jaxion.ledger(cell).per_spike

    class Other(NaKATPaseConstant):
        cycle = Cycle(outward={"Na": 1}, inward={"K": 1}, ATP=1)

    membrane = Membrane("neuron", "bath", {**cell.membranes["neuron"].mechanisms, "other": Other(0.1)}, C=20.0, V=-70.0)
    with pytest.raises(ValueError, match=r"take Na out for different amounts of ATP, of which `neuron\.other` is one"):
        jaxion.ledger(rebuilt(cell, "state", membranes=[membrane]))
