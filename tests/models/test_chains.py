"""Chains of nodes: electrodiffusion along them, potentials from the balance of currents, and the column of astrocytes of one paper."""

import buffering_by_hand as by_hand
import jax.numpy as jnp
import numpy as np
import pytest
from mechanism_cases import affinity, draw, rate, uniform
from model_cases import rebuilt
from reference import buffering

import jaxion
from jaxion import Axial, Bath, Compartment, ConservationError, Link, Membrane, Model
from jaxion.mechanisms import Electrodiffusion, ElectrodiffusionArithmetic, Exchange, Leak
from jaxion.paths import observe

pytestmark = pytest.mark.slow

IONS = ("Na", "K", "Cl")
KINDS = ("astrocyte", "ecs")


def column(nodes, axial=True):
    return jaxion.models.halnes2013(nodes=nodes, axial=axial)


def stimulated(model):
    return jaxion.replace(model, {path.name: 1.0 for path in jaxion.paths(model) if path.name.endswith(".release.activity")})


def paths(nodes):
    """Paths in the order of the port's rows."""
    return [f"node{k}.{kind}.{ion}" for kind in KINDS for ion in IONS for k in range(nodes)]


# Electrodiffusion


def test_the_two_means_agree_to_the_second_order(rng):
    states = draw(rng, 200, low=1.0, high=100.0)
    near = lambda size: states._replace(outside={ion: c * (1 + size) for ion, c in states.inside.items()})  # noqa: E731
    for ion in ("K", "Cl", "Ca"):
        one, other = Electrodiffusion(ion, 2.0), ElectrodiffusionArithmetic(ion, 2.0)
        apart = [np.max(np.abs(rate(one, near(size)) - rate(other, near(size))) / states.inside[ion]) for size in (0.02, 0.01)]
        assert apart[0] / apart[1] == pytest.approx(4.0, rel=0.03)


def test_electrodiffusion_is_zero_at_the_nernst_potential_and_ficks_law_without_a_field():
    state = uniform(draw(np.random.default_rng(0)), inside={"K": 4.0}, outside={"K": 3.0}, V=0.0)
    for cls in (Electrodiffusion, ElectrodiffusionArithmetic):
        assert float(rate(cls("K", 2.0), state)) == pytest.approx(2.0, rel=1e-14)
    at_rest = uniform(state, V=-jaxion.units.BODY_RT_F * np.log(4 / 3))
    assert abs(float(rate(Electrodiffusion("K", 2.0), at_rest))) < 1e-14
    # The arithmetic mean goes uphill a little beyond: 4 − 3 − 3.5 ln(4/3) is not zero.
    published = ElectrodiffusionArithmetic("K", 2.0)
    assert float(rate(published, at_rest)) == pytest.approx(2 * (1 - 3.5 * np.log(4 / 3)), rel=1e-12)
    beyond = uniform(state, V=at_rest.V + 0.01)
    assert float(rate(published, beyond) * affinity(published, beyond)) < 0


# Potentials along a chain


@pytest.mark.parametrize("axial", [True, False])
@pytest.mark.parametrize("input_", [True, False])
def test_the_column_moves_as_its_equations_say(axial, input_, rng):
    nodes, cells = 4, 6
    model = stimulated(column(nodes, axial)) if input_ else column(nodes, axial)
    inside = by_hand.INSIDE_0[:, None, None] * np.exp(rng.normal(0, 0.2, (3, nodes, cells)))
    # K⁺ follows from the others, but for up to 0.1 mM, which is 48 mV.
    neutral = by_hand.INSIDE_0[1] + (by_hand.INSIDE_0[0] - inside[0]) - (by_hand.INSIDE_0[2] - inside[2])
    inside[1] = neutral + rng.uniform(0, 0.1, (nodes, cells))
    outside = by_hand.OUTSIDE_0[:, None, None] * np.exp(rng.normal(0, 0.2, (3, nodes, cells)))
    y = np.concatenate([inside.reshape(-1, cells), outside.reshape(-1, cells)])
    volumes = np.array([float(model[f"{path.rpartition('.')[0]}.volume"]) for path in paths(nodes)])
    rows = {path.replace(f".{path.split('.')[-1]}", f".n_{path.split('.')[-1]}"): i for i, path in enumerate(paths(nodes))}
    state = jnp.stack([jnp.asarray(y[rows[r]] * volumes[rows[r]]) if r in rows else jnp.full(cells, model[r]) for r in model.rows])
    change = dict(zip(model.rows, model.rhs(state), strict=True))
    found = np.stack([change[row] / volumes[i] for row, i in rows.items()])
    for cell in range(cells):
        wanted = by_hand.column(0.0, y[:, cell], nodes, axial, input_, by_hand.logarithmic)
        np.testing.assert_allclose(found[:, cell], wanted, rtol=1e-9, atol=1e-9 * np.abs(wanted).max())


def test_currents_along_a_chain_cancel_between_every_pair_of_nodes(rng):
    model = column(3)
    state = model.pack(model.baseline())
    amounts = jnp.asarray([i for i, row in enumerate(model.rows) if ".n_" in row])
    snapshot = model.unpack(state.at[amounts].multiply(jnp.asarray(np.exp(rng.normal(0, 1e-2, len(amounts))))))
    for node in (0, 1):
        names = [f"node{node}.{kind}.diffusion_{ion}.I" for kind in KINDS for ion in IONS]
        currents = np.array(list(observe(model, snapshot, names).values()))
        assert abs(currents.sum()) < 1e-13 * np.abs(currents).sum()
        inner, outer = observe(model, snapshot, [f"node{node}.{kind}.dV" for kind in KINDS]).values()
        one, other = observe(model, snapshot, [f"node{k}.astrocyte.V" for k in (node, node + 1)]).values()
        assert float(inner - outer) == pytest.approx(float(one - other), rel=1e-12)


def test_a_chain_keeps_the_laws():
    found = jaxion.check(column(2))
    assert found.ok, str(found)
    assert "(along to node1.ecs)" in str(found)


def test_nothing_flows_along_a_blocked_chain():
    model = column(2)
    blocked = jaxion.replace(model, {p.name: 0.0 for p in jaxion.paths(model) if p.name.endswith("activity") and "diffusion" in p.name})
    blocked = jaxion.replace(blocked, {"node0.ecs.K": 9.0})
    apart = jaxion.replace(column(2, axial=False), {"node0.ecs.K": 9.0})
    np.testing.assert_array_equal(blocked.rhs(blocked.pack(blocked.baseline())), apart.rhs(apart.pack(apart.baseline())))


def tissue(axials, closure="layered"):
    cell, ecs = Compartment({"K": 100.0}, volume=1.0, impermeant=100.0), Compartment({"K": 4.0}, volume=1.0, impermeant=4.0)
    names = [f"node{k}" for k in range(3)]
    return Model(
        {f"{n}.neuron": cell for n in names} | {f"{n}.ecs": ecs for n in names},
        {"bath": Bath({"K": 4.0})},
        [Membrane(f"{n}.neuron", f"{n}.ecs", {"leak_K": Leak("K", 1.0)}, C=10.0) for n in names],
        axials=axials,
        closure=closure,
    )


ALONG = {"diffusion_K": Electrodiffusion("K", 1.0)}


@pytest.mark.parametrize(
    ("axials", "error", "message"),
    [
        ([Axial("node0.ecs", "bath", ALONG)], ConservationError, "must end in a compartment, but `bath` is a bath"),
        ([Axial("node0.ecs", "node1.esc", ALONG)], ConservationError, "An axial connection names `node1.esc`"),
        ([Axial("node0.ecs", "node1.neuron", ALONG)], ConservationError, "of which only one has a membrane"),
        ([Axial("node0.ecs", "node1.ecs", {"x": Exchange(1.0, ions=("K",))})], ValueError, "its rate is not affine in V"),
        ([Axial("node0.neuron", "node1.neuron", {"leak_K": ALONG["diffusion_K"]})], ConservationError, "both have a mechanism `leak_K`"),
        ([Axial(f"node{a}.ecs", f"node{b}.ecs", ALONG) for a, b in ((0, 1), (1, 2), (2, 0))], ConservationError, "is in a loop"),
        ([Axial("node0.ecs", "node1.ecs", ALONG), Axial("node1.neuron", "node0.neuron", ALONG)], ConservationError, "is in a loop"),
    ],
)
def test_chains_that_cannot_be_are_refused(axials, error, message):
    with pytest.raises(error, match=message):
        tissue(axials)


@pytest.mark.parametrize("closure", ["difference", "electroneutral", "as published"])
def test_a_chain_has_a_closure_of_its_own(closure):
    with pytest.raises(ValueError, match=f"must be `layered` or `state` for a chain of nodes, but it is `{closure}`"):
        tissue([Axial("node0.ecs", "node1.ecs", ALONG)], closure)


# Spatial buffering


def test_the_column_rests_where_published():
    point = jaxion.setpoint(column(2))
    for path, value in buffering.REST.items():
        for node in ("node0", "node1"):
            assert float(point[f"{node}.{path}"]) == pytest.approx(value, abs=buffering.HALF_UNIT), path
    assert bool(point.certificate.stable)
    # Without net current along the chain the charge of each node stays: one more total than S has.
    assert len(point.certificate.totals) == len(point.model.structure.totals) + 2 + 2


def test_the_charge_of_a_node_is_conserved_unless_a_link_takes_it_away():
    model = tissue([Axial(f"node{k}.ecs", f"node{k + 1}.ecs", ALONG) for k in (0, 1)])
    assert [total.name for total in model.structure.balances] == [f"node{k}.ecs.n_K + node{k}.neuron.n_K" for k in range(3)]
    leak = Link("node1.ecs", "bath", {"exchange": Exchange(1.0, ions=("K",))})
    opened = rebuilt(model, "layered", links=[leak])
    assert len(opened.structure.balances) == 2


def test_both_closures_of_a_chain_give_one_course():
    model = stimulated(column(2))
    other = rebuilt(model, "state")
    other = jaxion.replace(other, {"node0.ecs.release.activity": 1.0})
    ends = [jaxion.solve(m, jaxion.Protocol(jaxion.rest(20)), rtol=1e-9).final for m in (model, other)]
    for path in ("node0.astrocyte.V", "node0.ecs.K", "node1.astrocyte.K"):
        assert float(ends[0][path]) == pytest.approx(float(ends[1][path]), rel=1e-7)


def first_and_last(domains):
    """Numbers of the reference's order at both ends of the column."""
    inside, outside = domains
    return [[*inside[:, k], *outside[:, k], 1e3 * by_hand.potential(inside)[k]] for k in (0, -1)]


@pytest.mark.parametrize("axial", [True, False])
def test_the_column_buffers_as_its_equations_say(axial):
    nodes = 10
    model = column(nodes, axial)
    course = jaxion.solve(model, dict(model.published)["buffering"], save=[100.0, 400.0], rtol=1e-8)
    for time, domains in enumerate(by_hand.buffered(nodes, axial, by_hand.logarithmic)):
        for node, wanted in zip((0, nodes - 1), first_and_last(domains), strict=True):
            found = [float(course[f"node{node}.{path}"][time]) for path in buffering.ORDER]
            assert found == pytest.approx(wanted, rel=1e-6)
    if not axial:
        found = [float(course[f"node0.{path}"][1]) for path in buffering.ORDER]
        assert found == pytest.approx(buffering.WITHOUT_AXIAL, rel=buffering.CONTINUUM)


@pytest.mark.parametrize("mean", [by_hand.arithmetic, by_hand.logarithmic])
def test_the_equations_converge_to_the_continuum_whichever_the_mean(mean):
    coarse, middle, fine = (np.array(first_and_last(by_hand.buffered(n, mean=mean)[1])) for n in (20, 40, 80))
    one, other = ((4 * b - a) / 3 for a, b in ((coarse, middle), (middle, fine)))
    for found, wanted in zip((16 * other - one) / 15, (buffering.CONTINUUM_FIRST, buffering.CONTINUUM_LAST), strict=True):
        np.testing.assert_allclose(found, wanted, rtol=buffering.CONTINUUM)
