"""Rows, stoichiometry and conserved totals of tissue with a finite extracellular space, and its set-points."""

import itertools
import random
from collections.abc import Sequence
from typing import Any

import equinox as eqx
import hypothesis.strategies as st
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from scipy.integrate import solve_ivp

import jaxion
from jaxion import Bath, Compartment, Cycle, Membrane, Model
from jaxion.errors import ConservationError
from jaxion.ions import VALENCE, WATER
from jaxion.mechanisms import KCC2, NCC, GHKLeak, Leak, NaKATPaseKager, NaKATPaseOstby, NKCC1Log, VesicleDocking, VesicleFilling, Water
from jaxion.snapshot import side
from jaxion.structure import MembraneShape, Structure

ECS = {"Na": 145.0, "K": 3.5, "Cl": 119.0}


def as_given(items: dict[str, Any]) -> dict[str, Any]:
    return items


def backwards(items: dict[str, Any]) -> dict[str, Any]:
    return dict(reversed(items.items()))


def neuron(order=as_given) -> Membrane:
    mechanisms = {
        "leak_Na": Leak("Na", 0.16),
        "leak_K": Leak("K", 0.55),
        "leak_Cl": Leak("Cl", 0.16),
        "kcc2": KCC2(0.16),
        "nka": NaKATPaseKager(1.0),
        "water": Water(0.002),
    }
    return Membrane("neuron", "ecs", order(mechanisms), C=16.0)


def astrocyte(order=as_given) -> Membrane:
    mechanisms = {
        "leak_Na": Leak("Na", 0.05),
        "leak_K": GHKLeak("K", 0.02),
        "leak_Cl": Leak("Cl", 0.05),
        "nkcc1": NKCC1Log(0.001),
        "nka": NaKATPaseOstby(0.3),
        "water": Water(0.002),
    }
    return Membrane("astrocyte", "ecs", order(mechanisms), C=12.0, V=-80.0, area="sphere")


def tissue(*names: str, finite: bool = True, order=as_given) -> Model:
    """Cells in an extracellular space that is finite or held; `order` sorts every dictionary given."""
    cells = {
        "neuron": Compartment(order({"Na": 14.0, "K": 123.0, "Cl": 5.2}), volume=2.0, impermeant=300.0, z=-0.85),
        "astrocyte": Compartment(order({"Na": 15.0, "K": 100.0, "Cl": 30.0}), volume=1.5, impermeant=200.0, z=-0.6),
    }
    compartments = {name: cells[name] for name in names}
    baths = {"bath": Bath(order(ECS))}  # touches no membrane where the extracellular space is finite
    if finite:
        compartments["ecs"] = Compartment(order(ECS), volume=1.0, impermeant=29.5, z=-1.0)
    else:
        baths["ecs"] = Bath(order(ECS), impermeant=29.5)
    membranes = {"neuron": neuron(order), "astrocyte": astrocyte(order)}
    return Model(order(compartments), order(baths), list(order({name: membranes[name] for name in names}).values()))


def entries(s: Structure) -> dict[tuple[str, str], dict[str, int]]:
    """The columns of S by process, without their zeros."""
    columns = zip(s.processes, s.S.T, strict=True)
    return {process: {row: int(x) for row, x in zip(s.amounts + s.volumes, column, strict=True) if x} for process, column in columns}


def moved(inside: str, outside: str | None, **out: int) -> dict[str, int]:
    """What leaves the inside enters the outside."""
    rows = {f"{inside}.{row}": -count for row, count in out.items()}
    return rows | ({f"{outside}.{row}": count for row, count in out.items()} if outside else {})


# Stoichiometry


def test_stoichiometry_of_neuron_and_astrocyte_by_hand():
    model = tissue("neuron", "astrocyte")
    s = model.structure
    compartments = ("astrocyte", "ecs", "neuron")
    assert s.amounts == tuple(f"{name}.n_{ion}" for name in compartments for ion in ("Cl", "K", "Na"))
    assert s.volumes == tuple(f"{name}.volume" for name in compartments)
    assert s.potentials == ("astrocyte.V", "neuron.V")
    assert model.rows == s.amounts + s.volumes + s.potentials
    assert s.S.shape == (12, 12)
    assert np.issubdtype(s.S.dtype, np.integer)
    leaks = {(name, f"leak_{ion}"): moved(name, "ecs", **{f"n_{ion}": 1}) for name in ("neuron", "astrocyte") for ion in ("Na", "K", "Cl")}
    assert entries(s) == leaks | {
        ("neuron", "nka"): {"neuron.n_Na": -3, "neuron.n_K": 2, "ecs.n_Na": 3, "ecs.n_K": -2},
        ("neuron", "kcc2"): {"neuron.n_K": -1, "neuron.n_Cl": -1, "ecs.n_K": 1, "ecs.n_Cl": 1},
        ("neuron", "water"): {"neuron.volume": 1, "ecs.volume": -1},
        ("astrocyte", "nka"): {"astrocyte.n_Na": -3, "astrocyte.n_K": 2, "ecs.n_Na": 3, "ecs.n_K": -2},
        ("astrocyte", "nkcc1"): {
            "astrocyte.n_Na": 1,
            "astrocyte.n_K": 1,
            "astrocyte.n_Cl": 2,
            "ecs.n_Na": -1,
            "ecs.n_K": -1,
            "ecs.n_Cl": -2,
        },
        ("astrocyte", "water"): {"astrocyte.volume": 1, "ecs.volume": -1},
    }


def test_held_solution_has_no_rows():
    s = tissue("neuron", finite=False).structure
    assert s.amounts == ("neuron.n_Cl", "neuron.n_K", "neuron.n_Na")
    assert entries(s)["neuron", "nka"] == {"neuron.n_Na": -3, "neuron.n_K": 2}
    assert entries(s)["neuron", "water"] == {"neuron.volume": 1}
    assert s.totals == ()


def test_silent_mechanism_moves_ions_but_no_charge():
    loud = tissue("neuron")
    membrane = loud.membranes["neuron"]
    membrane = Membrane("neuron", "ecs", membrane.mechanisms, C=membrane.C, silent=("nka",))
    silent = Model(loud.compartments, loud.baths, [membrane])
    state = loud.pack(loud.baseline())
    difference = np.asarray(loud.rhs(state) - silent.rhs(state))
    pump = float(loud.fluxes(state)[loud.structure.processes.index(("neuron", "nka"))])
    assert not difference[:-1].any()
    assert difference[-1] == pytest.approx(-1e3 * float(loud.F) * pump / 16.0, rel=1e-10)


# Conserved totals


def test_totals_of_a_closed_tissue_are_named():
    s = tissue("neuron", "astrocyte").structure
    assert [total.name for total in s.totals] == [
        "astrocyte.n_Cl + ecs.n_Cl + neuron.n_Cl",
        "astrocyte.n_K + ecs.n_K + neuron.n_K",
        "astrocyte.n_Na + ecs.n_Na + neuron.n_Na",
        "astrocyte.volume + ecs.volume + neuron.volume",
    ]
    assert all(weight == 1 for total in s.totals for _, weight in total.weights)


def test_cotransport_alone_keeps_differences():
    ions = {"K": 100.0, "Cl": 5.0, "Na": 10.0}
    cells = {"neuron": Compartment(ions, 1.0, 95.0, -1.0), "ecs": Compartment(ECS, 1.0)}
    s = Model(cells, {}, [Membrane("neuron", "ecs", {"kcc2": KCC2(0.1), "ncc": NCC(1e-5)}, C=10.0)]).structure
    # Two processes and eight rows: of the amounts four combinations are kept, and each volume.
    assert len(s.totals) == 6
    for total in s.totals:
        assert total.name == " ".join(f"{'+' if w > 0 else '-'} {row}" for row, w in total.weights).removeprefix("+ ")
    weights = np.array([[dict(total.weights).get(row, 0) for row in s.amounts + s.volumes] for total in s.totals])
    K_and_Na_less_Cl = {"neuron.n_K": 1, "neuron.n_Na": 1, "neuron.n_Cl": -1}
    vector = np.array([K_and_Na_less_Cl.get(row, 0) for row in s.amounts + s.volumes])
    assert np.linalg.matrix_rank(np.vstack([weights, vector])) == len(weights)
    assert [total.name for total in s.totals][-2:] == ["ecs.volume", "neuron.volume"]


counts = st.dictionaries(st.sampled_from([*VALENCE, WATER]), st.integers(-3, 3).filter(bool), min_size=1, max_size=3)


def cycle_of(net: dict[str, int]) -> Cycle:
    return Cycle(outward={s: n for s, n in net.items() if n > 0}, inward={s: -n for s, n in net.items() if n < 0})


@settings(deadline=None, max_examples=50)
@given(cycles=st.lists(counts, min_size=1, max_size=6), closed=st.booleans())
def test_totals_span_exactly_what_no_process_changes(cycles, closed):
    shape = MembraneShape("a", "b", "fixed", "K", tuple((f"m{i}", cycle_of(c)) for i, c in enumerate(cycles)))
    ions = tuple(sorted(VALENCE))
    s = Structure((("a", ions), ("b", ions)) if closed else (("a", ions),), (shape,))
    weights = np.array([[dict(total.weights).get(row, 0) for row in s.amounts + s.volumes] for total in s.totals], dtype=int)
    if len(weights):
        assert not (weights @ s.S).any()
        assert np.linalg.matrix_rank(weights) == len(weights)
        assert all(np.gcd.reduce(row) == 1 for row in weights)
    # A cycle may drag water along with its ions; amounts and volumes are never mixed in one total, since their sum has no unit.
    blocks = s.S[: len(s.amounts)], s.S[len(s.amounts) :]
    assert len(weights) == sum(len(block) - np.linalg.matrix_rank(block) for block in blocks)
    assert len({total.name for total in s.totals}) == len(s.totals)
    assert all(len({row.endswith(".volume") for row, _ in total.weights}) == 1 for total in s.totals)


# Row order


def test_order_of_dictionaries_does_not_matter():
    one, other = tissue("neuron", "astrocyte"), tissue("astrocyte", "neuron", order=backwards)
    assert one.rows == other.rows
    assert one.structure is other.structure
    assert jax.tree.structure(one) == jax.tree.structure(other)
    state = one.pack(one.baseline())
    np.testing.assert_array_equal(state, other.pack(other.baseline()))
    np.testing.assert_array_equal(one.rhs(state), other.rhs(state))


def test_rows_survive_every_way_to_rebuild_a_model():
    model = tissue("neuron", "astrocyte")
    leaves, tree = jax.tree.flatten(model)
    state = model.pack(model.baseline())
    for same in (
        jax.tree.unflatten(tree, leaves),
        jax.tree.map(lambda leaf: leaf, model),
        eqx.tree_at(lambda m: m.membranes["neuron"].C, model, jnp.asarray(16.0)),
        # Dictionaries put in by hand, in another order than the sorted one.
        eqx.tree_at(lambda m: m.compartments, model, backwards(model.compartments)),
        eqx.tree_at(lambda m: m.membranes["neuron"].mechanisms, model, backwards(model.membranes["neuron"].mechanisms)),
        eqx.tree_at(lambda m: m.compartments["ecs"].concentrations, model, backwards(model.compartments["ecs"].concentrations)),
        eqx.combine(*eqx.partition(model, eqx.is_inexact_array)),
        jaxion.replace(model, {"neuron.nka.v_max": 1.0}),
    ):
        assert same.rows == model.rows
        assert same.structure == model.structure
        np.testing.assert_array_equal(same.pack(same.baseline()), state)
        np.testing.assert_array_equal(same.rhs(state), model.rhs(state))


def test_rows_are_the_same_under_transformations_and_compile_once():
    seen = []

    @eqx.filter_jit
    def rhs(model, state):
        seen.append(model.rows)
        return model.rhs(state)

    one, other = tissue("neuron", "astrocyte"), tissue("astrocyte", "neuron", order=backwards)
    state = one.pack(one.baseline())
    for model in (one, other, jaxion.replace(one, {"neuron.nka.v_max": 2.0})):
        np.testing.assert_allclose(rhs(model, state), model.rhs(state), rtol=1e-9, atol=1e-12)
    assert seen == [one.rows]
    batch = jax.tree.map(lambda leaf: jnp.stack([leaf, leaf]), one)
    rows = []
    jax.eval_shape(jax.vmap(lambda m, y: (rows.append(m.rows), m.rhs(y))[1], in_axes=(0, None)), batch, state)
    assert rows == [one.rows]


def test_packing_and_unpacking_are_inverse(rng):
    model = tissue("neuron", "astrocyte")
    state = model.pack(model.baseline()) * np.exp(rng.normal(size=len(model.rows)))
    snapshot = model.unpack(state)
    np.testing.assert_array_equal(model.pack(snapshot), state)
    values = dict(zip(model.rows, state, strict=True))
    assert snapshot.amounts["astrocyte"]["K"] == values["astrocyte.n_K"]
    assert snapshot.volumes["ecs"] == values["ecs.volume"]
    assert snapshot.potentials["neuron"] == values["neuron.V"]


def test_structure_depends_on_no_number():
    model = tissue("neuron")
    other = jaxion.replace(model, {"neuron.volume": 7.0, "neuron.nka.v_max": 0.0, "ecs.Na": 100.0})
    assert other.structure is model.structure
    shuffled = list(itertools.permutations(ECS))
    random.Random(1).shuffle(shuffled)
    for ions in shuffled:
        held = {**model.compartments, "ecs": Compartment({ion: ECS[ion] for ion in ions}, volume=1.0)}
        assert Model(held, {}, list(model.membranes.values())).rows == model.rows


# Set-points on the manifold of the totals


def weights(model: Model) -> dict[str, np.ndarray]:
    return {total.name: np.array([dict(total.weights).get(row, 0) for row in model.rows]) for total in model.structure.totals}


def end_of_time(model: Model, start: Sequence[float] | np.ndarray) -> np.ndarray:
    """State rows after twelve days by LSODA with the exact Jacobian."""
    rhs = jax.jit(lambda y: (model.rhs(y), jax.jacfwd(lambda y: model.rhs(y))(y)))
    solution = solve_ivp(
        lambda t, y: np.asarray(rhs(y)[0]),
        (0.0, 1e6),
        np.asarray(start),
        method="LSODA",
        jac=lambda t, y: np.asarray(rhs(y)[1]),
        rtol=1e-10,
        atol=1e-12,
    )
    assert solution.success
    for name, w in weights(model).items():
        assert w @ solution.y[:, -1] == pytest.approx(w @ np.asarray(start), rel=1e-12), name
    return solution.y[:, -1]


@pytest.mark.slow
@pytest.mark.parametrize("cells", [("neuron",), pytest.param(("neuron", "astrocyte"), marks=pytest.mark.slow)], ids="+".join)
def test_set_point_of_closed_tissue_is_where_a_long_integration_ends(cells):
    model = tissue(*cells)
    point = jaxion.setpoint(model)
    start = np.asarray(model.pack(model.baseline()))
    found = np.asarray(model.pack(point.snapshot))
    assert np.max(np.abs(found / start - 1)) > 0.05  # the baseline is no set-point
    np.testing.assert_allclose(end_of_time(model, start), found, rtol=1e-9)
    for name, w in weights(model).items():
        assert w @ found == pytest.approx(w @ start, rel=1e-12)
        assert abs(float(point.certificate.totals[name])) < 1e-12
    for inside in model.membranes:
        assert abs(float(point.certificate.totals[f"{inside}.charge"])) < 1e-12
    assert set(point.certificate.totals) == {*weights(model), *(f"{inside}.charge" for inside in model.membranes)}
    assert all(-100 < float(point[f"{inside}.V"]) < -60 for inside in cells)


def test_set_point_keeps_the_totals_of_the_model_and_not_those_of_the_start():
    model = tissue("neuron")
    here = jaxion.setpoint(model)
    there = jaxion.setpoint(model, start={"neuron.Na": 40.0, "ecs.K": 12.0, "neuron.volume": 2.3})
    np.testing.assert_allclose(model.pack(there.snapshot), model.pack(here.snapshot), rtol=1e-10)
    # Another total is another set-point: more potassium in the tissue depolarises the neuron.
    more = jaxion.setpoint(jaxion.replace(model, {"ecs.K": 12.0}))
    assert float(more["neuron.V"]) > float(here["neuron.V"]) + 1.0


@pytest.mark.slow
def test_set_point_of_closed_tissue_is_differentiable_through_its_totals():
    # Impermeant charge, amounts and volumes of the baseline fix the totals: potassium, which repairs the charge, most of all.
    model = tissue("neuron")
    paths = ("neuron.z", "neuron.impermeant", "neuron.V", "neuron.volume", "ecs.K", "ecs.volume", "neuron.nka.v_max")
    potential = jax.jit(jax.value_and_grad(lambda values: jaxion.setpoint(jaxion.replace(model, values))["neuron.V"]))
    here = {path: model[path] for path in paths}
    gradient = potential(here)[1]
    for path, value in here.items():
        step = 1e-4 * abs(float(value))
        above, below = (float(potential(here | {path: value + sign * step})[0]) for sign in (1, -1))
        assert float(gradient[path]) == pytest.approx((above - below) / (2 * step), rel=1e-5, abs=1e-8), path
        assert float(gradient[path]) != 0


def test_tissue_without_any_bath_has_a_set_point():
    model = tissue("neuron")
    closed = Model(model.compartments, {}, list(model.membranes.values()))
    np.testing.assert_allclose(closed.pack(jaxion.setpoint(closed).snapshot), model.pack(jaxion.setpoint(model).snapshot), rtol=1e-12)


# Solutes that are confined to a part, and reactions


def terminal(**changes):
    ions = {"Na": 14.0, "K": 123.0, "Cl": 5.2, "Ca": 1e-4, "Glu": 2.0, "Glu_D": 1.0}
    neuron = Compartment(ions, volume=2.0, impermeant=300.0, confined={"Ca": 1e-3, "Glu": 1e-3, "Glu_D": 1e-3} | changes)
    ecs = Compartment(ECS | {"Ca": 1.5}, volume=1.0, impermeant=29.5, confined={"Ca": 2e-3})
    return Model({"neuron": neuron, "ecs": ecs}, {}, [Membrane("neuron", "ecs", {"filling": VesicleFilling()}, C=10.0)])


def test_confined_solutes_have_their_own_volume_and_no_osmotic_pressure():
    model = terminal()
    assert float(model["neuron.n_Ca"]) == pytest.approx(1e-7, rel=1e-14)
    assert float(model["neuron.Ca"]) == pytest.approx(1e-4, rel=1e-14)
    assert float(model["neuron.osmolarity"]) == pytest.approx(14.0 + float(model["neuron.K"]) + 5.2 + 150.0, rel=1e-14)
    swollen = model.unpack(model.pack(model.baseline()).at[model.rows.index("neuron.volume")].set(3.0))
    assert float(side(model, swollen, "neuron")["Ca"]) == pytest.approx(1e-4, rel=1e-14)


def buffered(free):
    neuron = Compartment({"K": 123.0, "Cl": 5.2, "Ca": 1e-4}, volume=2.0, impermeant=300.0, free=free)
    ecs = Compartment({"K": 4.0, "Cl": 120.0, "Ca": 1.5}, volume=1.0, impermeant=29.5)
    return Model({"neuron": neuron, "ecs": ecs}, {}, [Membrane("neuron", "ecs", {"leak_Ca": Leak("Ca", 1.0)}, C=10.0)])


def test_buffers_bind_all_but_a_share_that_the_mechanisms_see():
    model, plain = buffered({"Ca": 0.01}), buffered({})
    for path in ("neuron.Ca", "neuron.E_Ca", "neuron.leak_Ca.rate"):
        assert float(model[path]) == pytest.approx(float(plain[path]), rel=1e-13), path
    # Charge and osmosis are of all of it.
    assert float(model["neuron.n_Ca"]) == pytest.approx(2e-2, rel=1e-14)
    assert float(model["neuron.n_K"] - plain["neuron.n_K"]) == pytest.approx(-2 * (2e-2 - 2e-4), rel=1e-12)
    assert float(model["neuron.osmolarity"]) == pytest.approx(float(model["neuron.K"]) + 5.2 + 1e-2 + 150.0, rel=1e-14)
    swollen = model.unpack(model.pack(model.baseline()).at[model.rows.index("neuron.volume")].set(4.0))
    assert float(side(model, swollen, "neuron")["Ca"]) == pytest.approx(5e-5, rel=1e-14)
    more = jaxion.replace(model, {"neuron.free_Ca": 0.02})
    assert (float(more["neuron.Ca"]), float(more["neuron.n_Ca"])) == pytest.approx((1e-4, 1e-2), rel=1e-14)
    assert jaxion.check(model).ok
    with pytest.raises(ConservationError, match=r"^A compartment buffers Na, but has only Ca, Cl, K\.$"):
        buffered({"Na": 0.5})


def test_a_reaction_moves_nothing_out():
    assert entries(terminal().structure)["neuron", "filling"] == {"neuron.n_Glu": -1, "neuron.n_Glu_D": 1}
    kept = {total.name for total in terminal().structure.totals}
    assert "neuron.n_Glu + neuron.n_Glu_D" in kept


def test_what_a_compartment_lacks_cannot_be_confined_sensed_or_turned_over():
    with pytest.raises(ConservationError, match=r"^A compartment confines GABA, but has only Ca, Cl, Glu, Glu_D, K, Na\.$"):
        terminal(GABA=1e-3)
    neuron = Compartment({"Na": 14.0, "K": 123.0, "Glu_D": 1.0}, volume=2.0, impermeant=300.0)
    for mechanism, verb, lacking in ((VesicleFilling(), "turns over", "Glu"), (VesicleDocking(), "turns over", "Glu_N")):
        with pytest.raises(ConservationError, match=f"{verb} {lacking}, but `neuron` has only"):
            Model({"neuron": neuron}, {"bath": Bath(ECS)}, [Membrane("neuron", "bath", {"x": mechanism}, C=1.0)])
    blind = Compartment({"K": 123.0, "Glu_D": 1.0, "Glu_N": 1.0}, volume=2.0, impermeant=300.0)
    with pytest.raises(ConservationError, match="senses Ca, but `neuron` has only"):
        Model({"neuron": blind}, {"bath": Bath(ECS)}, [Membrane("neuron", "bath", {"x": VesicleDocking()}, C=1.0)])
