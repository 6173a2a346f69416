"""`check` passes what keeps the laws, and names what breaks them."""

import equinox as eqx
import jax.numpy as jnp
import numpy as np
import pytest

import jaxion
from jaxion import mechanisms
from jaxion.checks import check

MODELS = [getattr(jaxion.models, name) for name in jaxion.models.__all__]


class Uphill(mechanisms.Leak):
    """A leak that claims to be passive and runs uphill."""

    def rate(self, m):
        return -super().rate(m)


def build(leak=mechanisms.Leak, silent=(), closure="state"):
    return jaxion.Model(
        compartments={"neuron": jaxion.Compartment({"Na": 10.0, "K": 120.0, "Cl": 5.0}, volume=1.0, impermeant=125.0)},
        baths={"bath": jaxion.Bath({"Na": 145.0, "K": 3.5, "Cl": 119.0})},
        membranes=[
            jaxion.Membrane(
                "neuron",
                "bath",
                {"leak_Na": mechanisms.Leak("Na", 0.1), "leak_K": leak("K", 1.0), "nka": mechanisms.NaKATPaseConstant(0.1)},
                C=20.0,
                silent=silent,
            )
        ],
        closure=closure,
    )


@pytest.mark.slow
@pytest.mark.parametrize("function", MODELS, ids=lambda f: f.__name__)
def test_published_models_keep_every_law_but_those_that_they_say_they_break(function):
    model = function()
    found = check(model)
    assert {law: outcome.holds for law, outcome in found.laws.items()} == {
        law: law not in model.breaks for law in ("mass", "charge", "water", "second_law")
    }, str(found)
    assert found.ok == (not model.breaks)
    assert "holds" in str(found)
    for law in model.breaks:
        assert law in function.__doc__
        assert f"BROKEN by {found.laws[law].culprit}, as published" in str(found)


@pytest.mark.parametrize("closure", ["state", "difference", "electroneutral"])
def test_charge_is_kept_in_every_closure(closure):
    assert check(build(closure=closure)).ok


def test_a_pump_that_moves_ions_but_no_charge_breaks_the_law_of_charge():
    found = check(build(silent=("nka",)))
    assert not found.ok
    assert [name for name, law in found.laws.items() if not law.holds] == ["charge"]
    assert "charge                 BROKEN by neuron" in str(found)


def test_an_uphill_leak_breaks_the_second_law_and_is_named():
    found = check(build(leak=Uphill))
    assert [name for name, law in found.laws.items() if not law.holds] == ["second_law"]
    assert found.laws["second_law"].culprit == "neuron.leak_K"


def test_a_rate_that_is_not_finite_counts_as_broken():
    class Broken(mechanisms.Leak):
        def rate(self, m):
            return super().rate(m) * jnp.nan

    assert not check(build(leak=Broken)).ok


def test_totals_of_a_closed_model_are_named_with_their_baseline():
    neuron = jaxion.Compartment({"K": 100.0, "Cl": 10.0}, volume=1.0, impermeant=90.0)
    ecs = jaxion.Compartment({"K": 4.0, "Cl": 4.0}, volume=0.5)
    leaks = {"leak_K": mechanisms.Leak("K", 1.0), "leak_Cl": mechanisms.Leak("Cl", 1.0)}
    model = jaxion.Model({"neuron": neuron, "ecs": ecs}, {}, [jaxion.Membrane("neuron", "ecs", leaks, C=10.0, V=0.0)])
    found = check(model)
    assert found.ok
    assert found.totals == pytest.approx(
        {"ecs.n_Cl + neuron.n_Cl": 12.0, "ecs.n_K + neuron.n_K": 102.0, "ecs.volume": 0.5, "neuron.volume": 1.0}
    )


def test_baseline_residual_vanishes_at_a_set_point():
    model = jaxion.models.aminzare_kay2024()
    point = jaxion.setpoint(model)
    values = {path: point[path] for path in ("neuron.volume", "neuron.Na", "neuron.Cl", "neuron.V")}
    at = jaxion.replace(model, values | {"neuron.impermeant": model["neuron.impermeant"]})
    assert check(model).baseline_residual > 1.0
    assert check(at).baseline_residual < 1e-10


def test_the_repair_of_the_baseline_is_reported():
    model = eqx.tree_at(lambda m: m.compartments["neuron"].z, jaxion.models.duesterwald2018(), jnp.asarray(-0.9))
    declared, repaired = check(model).repaired["neuron.K"]
    assert declared == pytest.approx(122.87655)
    assert repaired - declared == pytest.approx(0.05 * 154.95708, rel=2e-3)


def test_a_batch_is_refused():
    with pytest.raises(ValueError, match="made of one cell, but the model `duesterwald2018` holds 2"):
        check(jaxion.replace(jaxion.models.duesterwald2018(), {"bath.K": np.array([3.0, 4.0])}))
