"""Gates: rows of their own or steady values, what channels read of them, and what is refused."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from excitable_by_hand import gate_rates, steady
from mechanism_cases import REST, uniform, view
from model_cases import scattered

import jaxion
from jaxion import Bath, Compartment, ConfigError, ConservationError, Membrane, Model
from jaxion.mechanisms import HHPotassium, HHSodium, HHSodiumSlaved, Leak
from jaxion.model_loading import load_model
from jaxion.snapshot import gating, with_steady_gates

pytestmark = pytest.mark.slow

excitable = pytest.mark.parametrize("name", ["huebel_dahlem2014", "zandt2011"])


def build(name, **arguments):
    return getattr(jaxion.models, name)(**arguments)


# Kinetics


@pytest.mark.parametrize("V", [-95.0, -67.2, -44.0, -34.0, -30.0, -20.0, 0.0, 40.0])
def test_gates_open_and_close_as_published(V):
    if V in (-34.0, -30.0):
        # On a removable singularity the formula by hand is 0/0; beside it, it is off by what V is.
        V += 1e-6
    seen = view(uniform(REST, V=V))
    n, m, h = gate_rates(V)
    for channel, gate, rates in ((HHPotassium(1.0), "n", n), (HHSodium(1.0), "h", h)):
        np.testing.assert_allclose(channel.gating(seen)[gate], [3e3 * rate for rate in rates], rtol=1e-7)
    current = float(HHSodium(2.0).rate(seen)) * float(seen.F)
    assert current == pytest.approx(2.0 * steady(m) ** 3 * 0.3 * float(seen.V - seen.E("Na")), rel=1e-7)


def test_removable_singularities_are_right_in_value_and_derivatives():
    # c x/(1 − e^{−x/10}) = 10 c (1 + x/20 + x²/1200 + …) with c = 0.01 per ms, times φ = 3
    alpha = lambda V: HHPotassium(1.0).gating(view(uniform(REST)._replace(V=V)))["n"][0]  # noqa: E731
    derivatives = [alpha, jax.grad(alpha), jax.grad(jax.grad(alpha)), jax.grad(jax.grad(jax.grad(alpha)))]
    found = [float(jax.jit(derivative)(-34.0)) for derivative in derivatives]
    np.testing.assert_allclose(found, [300.0, 300.0 / 20, 300.0 / 600, 0.0], rtol=1e-13, atol=1e-13)
    # The activation of sodium has x/(1 − e^{−x/10}) with c = 0.1 at −30 mV: both sides and the point itself lie on one parabola.
    rate = lambda V: HHSodium(1.0).rate(view(uniform(REST)._replace(V=V)))  # noqa: E731
    near = [float(rate(jnp.asarray(-30.0 + step))) for step in (-1e-3, 0.0, 1e-3)]
    assert float(jax.grad(rate)(-30.0)) == pytest.approx((near[2] - near[0]) / 2e-3, rel=1e-6)
    assert float(jax.grad(jax.grad(rate))(-30.0)) == pytest.approx((near[2] - 2 * near[1] + near[0]) / 1e-6, rel=1e-4)


def test_a_slaved_channel_follows_its_partners_gate():
    channel, seen = HHSodiumSlaved(2.0), view(REST)
    for n in (0.0, 0.35, 1.0):
        at = view(REST._replace(gates={"n": jnp.asarray(n), "h": jnp.asarray(np.nan)}))
        full = view(REST._replace(gates={"n": jnp.asarray(np.nan), "h": jnp.asarray(1 - 1 / (1 + np.exp(-6.5 * (n - 0.35))))}))
        assert float(channel.rate(at)) == pytest.approx(float(HHSodium(2.0).rate(full)), rel=1e-14)
    assert channel.reads == (("kdr", "n"),)
    assert seen.of("nka") is seen


# Rows


@excitable
def test_rows_are_amounts_volumes_gates_and_potentials(name):
    model = build(name)
    s = model.structure
    assert s.gates == {"huebel_dahlem2014": ("neuron.kdr.n",), "zandt2011": ("neuron.kdr.n", "neuron.na.h")}[name]
    assert model.rows == s.amounts + s.volumes + s.gates + s.potentials
    assert build(name, gates="qss").rows == s.amounts + s.volumes + s.potentials
    assert build("huebel_dahlem2014", closure="difference").rows[-1] == "neuron.kdr.n"


@excitable
def test_packing_and_unpacking_are_inverse_and_gates_are_read_by_path(name, rng):
    model = build(name)
    states = scattered(model, rng)
    np.testing.assert_array_equal(model.pack(model.unpack(states)), states)
    V = float(model["neuron.V"])
    n, _, h = gate_rates(V)
    assert float(model["neuron.kdr.n"]) == pytest.approx(steady(n), rel=1e-12)
    if name == "zandt2011":
        assert float(model["neuron.na.h"]) == pytest.approx(steady(h), rel=1e-12)
    with pytest.raises(jaxion.PathError, match="follows from the state"):
        jaxion.replace(model, {"neuron.kdr.n": 0.1})


@excitable
def test_gates_relax_to_their_steady_values(name, rng):
    model = build(name)
    states = scattered(model, rng)
    snapshot = model.unpack(states)
    change = dict(zip(model.rows, model.rhs(states), strict=True))
    at_rest = dict(zip(model.rows, model.rhs(model.pack(with_steady_gates(model, snapshot))), strict=True))
    for row in model.structure.gates:
        membrane, key, gate = row.split(".")
        alpha, beta = gating(model, snapshot)[membrane][key][gate]
        x = snapshot.gates[membrane][key][gate]
        np.testing.assert_allclose(change[row], (alpha + beta) * (alpha / (alpha + beta) - x), rtol=1e-9, atol=1e-9)
        assert (jnp.abs(at_rest[row]) <= 1e-13 * (alpha + beta)).all()


@excitable
@pytest.mark.parametrize("closure", ["native", *(pytest.param(one, marks=pytest.mark.slow) for one in ("difference", "electroneutral"))])
def test_gates_at_their_steady_values_are_the_full_model_there(name, closure, rng):
    full, quick = build(name), build(name, gates="qss")
    if closure != "native":
        full, quick = (
            Model(m.compartments, m.baths, [*m.membranes.values()], closure=closure, gates=m.gates, links=[*m.links.values()])
            for m in (full, quick)
        )
    states = scattered(quick, rng, 8)
    snapshot = eqx.filter_jit(quick.unpack)(states)
    same = full.pack(snapshot)
    wanted = dict(zip(quick.rows, eqx.filter_jit(quick.rhs)(states), strict=True))
    if closure == "electroneutral":
        # The full model may settle at another of the potentials without current.
        same = full.pack(eqx.filter_jit(full.unpack)(same))
        close = jnp.abs(eqx.filter_jit(full.unpack)(same).potentials["neuron"] - snapshot.potentials["neuron"]) < 1e-6
        assert int(close.sum()) >= 4
    else:
        close = jnp.ones(8, bool)
    found = dict(zip(full.rows, eqx.filter_jit(full.rhs)(same), strict=True))
    for row, rate in wanted.items():
        np.testing.assert_allclose(
            found[row][close], rate[close], rtol=1e-7, atol=1e-9 * float(jnp.max(jnp.abs(rate))) + 1e-12, err_msg=row
        )


@excitable
def test_one_cell_and_a_batch_have_the_same_rates(name, rng):
    model = build(name)
    batch = jaxion.replace(model, {"neuron.kdr.g": float(model["neuron.kdr.g"]) * np.array([0.8, 1.0, 1.2])})
    states = scattered(model, rng, 3)
    together = batch.rhs(states)
    for i, factor in enumerate((0.8, 1.0, 1.2)):
        one = jaxion.replace(model, {"neuron.kdr.g": factor * float(model["neuron.kdr.g"])})
        np.testing.assert_allclose(together[:, i], one.rhs(states[:, i]), rtol=1e-12, atol=1e-12)


# Set-points


@excitable
def test_a_cell_without_set_point_leaves_the_gradients_of_the_others(name):
    model = build(name)
    factors = jnp.array([1.0, 1.1, 0.9])

    def loss(activity, broken):
        g = jnp.where(jnp.asarray([False, broken, False]), jnp.nan, factors) * float(model["neuron.kdr.g"])
        batch = eqx.tree_at(lambda m: m.membranes["neuron"].mechanisms["kdr"].g, model, g)
        point = jaxion.setpoint(jaxion.replace(batch, {"neuron.nka.activity": activity}))
        return jnp.sum(jnp.where(point.ok, point["neuron.V"], 0.0) * jnp.array([1.0, 0.0, 1.0]))

    whole, broken = (jax.grad(loss)(1.0, flag) for flag in (False, True))
    assert np.isfinite(float(whole))
    assert float(whole) != 0
    assert float(broken) == pytest.approx(float(whole), rel=1e-12)


# Refusals


def membrane(mechanisms, **more):
    compartments = {"neuron": Compartment({"Na": 10.0, "K": 120.0}, volume=1.0, impermeant=130.0)}
    return Model(compartments, {"bath": Bath({"Na": 140.0, "K": 4.0})}, [Membrane("neuron", "bath", mechanisms, C=10.0, **more)])


@pytest.mark.parametrize(
    ("build", "error", "message"),
    [
        (
            lambda: membrane({"na": HHSodiumSlaved(1.0)}),
            ValueError,
            r"`neuron.na` \(HHSodiumSlaved\) reads the gate `n` of `kdr`, but the gates .* are none",
        ),
        (
            lambda: membrane({"na": HHSodiumSlaved(1.0, partner="na2"), "kdr": HHPotassium(1.0)}),
            ValueError,
            r"reads the gate `n` of `na2`, .* are `kdr.n`",
        ),
        (lambda: membrane({"leak": Leak("K", 1.0)}, held=("leek",)), ValueError, r"`held` names `leek`, .* Did you mean `leak`\?"),
        (lambda: membrane({"leak": Leak("K", 1.0)}, silent=("leek",)), ValueError, r"`silent` names `leek`"),
        (lambda: membrane({"leak": Leak("Cl", 1.0)}), ConservationError, "moves Cl"),
        (lambda: build_model(gates="slow"), ValueError, "`gates` must be one of full, qss, but it is `slow`"),
        (
            lambda: build_model(reservoir="gila"),
            ValueError,
            r"`reservoir` must be one of closed, glia, bath, but it is `gila`\. Did you mean `glia`\?",
        ),
    ],
)
def test_mistakes_are_refused_where_they_are_made(build, error, message):
    with pytest.raises(error, match=message):
        build()


def build_model(**arguments):
    return jaxion.models.huebel_dahlem2014(**arguments)


@pytest.mark.parametrize(("text", "breaks"), [("true", ()), ("False", ("charge",)), (True, ())])
def test_a_choice_is_read_from_a_text(text, breaks):
    assert load_model("zandt2011", {"charge_consistent": text, "gates": "qss"}).breaks == breaks


def test_a_choice_that_is_none_is_refused():
    with pytest.raises(ConfigError, match="`charge_consistent` of model `zandt2011` must be true or false, but it is `yes`"):
        load_model("zandt2011", {"charge_consistent": "yes"})
