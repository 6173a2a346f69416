"""What every published model owes: documentation, conservation, the capacitor law, one set-point in every closure, exact derivatives."""

import inspect
import re

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from docstrings import entries, powers, source, words
from model_cases import (
    SPREAD,
    UNITS,
    area,
    charge,
    closed,
    each_closure,
    each_model,
    each_model_large_ones_slow,
    element,
    evaluate,
    function,
    lawful,
    named,
    numbers,
    rebuilt,
    scattered,
    skip_if_broken,
    skip_if_unlawful,
    spent,
)

import jaxion
from jaxion import Membrane, Model
from jaxion.compartment import AREA_EXPONENT
from jaxion.ions import VALENCE
from jaxion.snapshot import Snapshot

# Documentation


def test_models_are_collected_from_the_public_names():
    assert set(jaxion.models.__all__) >= {"donnan1911", "duesterwald2018", "keener_sneyd"}
    assert all(callable(function(name)) for name in jaxion.models.__all__)


@each_model
def test_docstring_gives_source_and_units(name):
    doc = function(name).__doc__
    assert doc is not None
    assert len(source(doc)) > 10
    documented = entries(doc)
    assert list(documented) == list(inspect.signature(function(name)).parameters)
    for argument in numbers(name):
        text = documented[argument]
        has_unit = any(word and set(powers(word)) <= UNITS for word in words(text))
        # The rest is a number without unit, and says so.
        assert has_unit or re.search(r"dimensionless|charge number|\$[^$]+/[^$]+\$", text), f"`{argument}` states no unit."


@each_model
def test_model_bears_the_name_of_its_function_and_a_source(name):
    model = function(name)()
    assert model.name == name
    assert model.source
    assert model.cells == ()
    assert {leaf.dtype for leaf in jax.tree.leaves(model)} == {jnp.dtype("float64")}


@each_model_large_ones_slow
def test_batch_of_cells_equals_single_cells(name, rng):
    draws = {argument: default * np.exp(rng.normal(0, 0.1 * SPREAD.get(name, 1.0), 3)) for argument, default in numbers(name).items()}
    model, batch = function(name)(), function(name)(**draws)
    assert batch.cells == (3,)
    states = scattered(model, rng)
    varied, shared = evaluate("rhs", batch, states[:, :3]), evaluate("rhs", model, states)
    assert (varied.shape, shared.shape) == ((len(model.rows), 3), states.shape)
    tiny = 1e-13 * jnp.max(jnp.abs(shared), axis=1)
    for i in range(3):
        single = function(name)(**{argument: values[i] for argument, values in draws.items()})
        assert single.cells == ()
        for whole, one in ((varied, single), (shared, model)):
            assert (jnp.abs(whole[:, i] - evaluate("rhs", one, states[:, i])) <= 1e-12 * jnp.abs(whole[:, i]) + tiny).all()


# Conservation


@each_model_large_ones_slow
@each_closure
def test_baseline_obeys_the_capacitor_law_whichever_ion_repairs_it(name, closure):
    skip_if_unlawful(function(name)(), closure)
    model = rebuilt(function(name)(), closure)
    for inside, membrane in model.membranes.items():
        held = 0.0 if closure == "electroneutral" else float(membrane.C * membrane.V / (1e3 * model.F))
        compartment = model.compartments[inside]
        declared = {ion: float(c * compartment.space(ion, compartment.volume)) for ion, c in compartment.concentrations.items()}
        for ion in declared:
            parts = (membrane.mechanisms, membrane.C, membrane.V, membrane.charge, membrane.area, ion)
            others = [m for m in model.membranes.values() if m is not membrane]
            amounts = rebuilt(model, closure, membranes=[*others, Membrane(inside, membrane.outside, *parts)]).baseline().amounts
            assert float(charge(model, amounts, inside)) == pytest.approx(held, abs=1e-14 * sum(declared.values()))
            assert {i: float(n) for i, n in amounts[inside].items() if i != ion} == {i: n for i, n in declared.items() if i != ion}
        repaired = float(model.baseline().amounts[inside][membrane.balance])
        assert repaired > 0
        if name != "donnan1911":  # whose baseline is the bath, on purpose
            assert repaired == pytest.approx(declared[membrane.balance], rel=0.01)


@each_model_large_ones_slow
@pytest.mark.parametrize("ratio", [0.5, 10.0])
def test_closed_model_conserves_every_ion_water_and_charge(name, ratio, rng):
    model = closed(function(name)(), function(name)().closure, ratio)
    states = scattered(model, rng)
    change, fluxes, s = evaluate("rhs", model, states), evaluate("fluxes", model, states), model.structure
    gross = np.abs(s.S) @ np.abs(np.asarray(fluxes))
    rows = {row: np.asarray(values) for row, values in named(model, change).items()}
    size = dict(zip(s.amounts + s.volumes, gross, strict=True))
    assert np.isfinite(np.asarray(change)).all()
    assert max(values.max() for values in size.values()) > 0

    def kept(weights: dict[str, int]) -> None:
        drift = sum(w * rows[row] for row, w in weights.items())
        assert (np.abs(drift) <= 1e-14 * sum(abs(w) * size[row] for row, w in weights.items())).all()

    ions = {ion for _, held in s.compartments for ion in held}
    # What a reaction turns into something else is kept as the element: glutamate of all pools.
    elements = {element(ion): {i for i in ions if element(i) == element(ion)} for ion in ions - spent(s)}
    for kinds in elements.values():
        kept({f"{compartment}.n_{ion}": 1 for compartment, held in s.compartments for ion in held if ion in kinds})
    kept({f"{compartment}.volume": 1 for compartment, _ in s.compartments})
    kept({f"{compartment}.n_{ion}": VALENCE[ion] for compartment, held in s.compartments for ion in held})
    # The same totals are found by the structure itself, in whole numbers.
    for total in s.totals:
        weights = [dict(total.weights).get(row, 0) for row in s.amounts + s.volumes]
        assert not (np.asarray(weights) @ s.S).any()
        kept(dict(total.weights))
    moved = {ion for boundary in s.boundaries for _, cycle in boundary.cycles for ion in cycle.species}
    found = [{row for row, _ in total.weights} for total in s.totals]
    basis = np.array([[dict(total.weights).get(row, 0) for row in s.amounts] for total in s.totals])
    for ion in (ions & moved) - spent(s):
        whole = [row.split(".n_")[-1] in elements[element(ion)] for row in s.amounts]
        assert np.linalg.matrix_rank(np.vstack([basis, whole])) == np.linalg.matrix_rank(basis)
        # One of the basis, but in a chain, where a link swaps one ion for another.
        assert s.axials or {row for row, held in zip(s.amounts, whole, strict=True) if held} in found
    # Compartments between which water moves share one total of the volume.
    groups = [{volume} for volume in s.volumes]
    for boundary in s.boundaries:
        if any("water" in cycle.species for _, cycle in boundary.cycles):
            pair = {f"{boundary.inside}.volume", f"{boundary.outside}.volume"}
            groups = [set().union(*(g for g in groups if g & pair)), *(g for g in groups if not g & pair)]
    assert all(volumes in found for volumes in groups)


@each_model
@each_closure
def test_closed_model_is_neutral_as_a_whole(name, closure):
    native = function(name)()
    skip_if_unlawful(native, closure)
    if any(membrane.outside in native.compartments for membrane in native.membranes.values()):
        pytest.skip(f"{name} has an extracellular charge of its own")
    model = closed(native, closure, 2.0)
    baseline = model.baseline()
    total = sum(float(charge(model, baseline.amounts, compartment)) for compartment in model.compartments)
    gross = sum(float(n) for amounts in baseline.amounts.values() for n in amounts.values())
    if closure == "electroneutral" or all(bath.impermeant > 0 for bath in native.baths.values()):
        assert abs(total) < 1e-13 * gross


@each_model_large_ones_slow
@each_closure
def test_rates_times_stoichiometry_is_the_right_hand_side(name, closure, rng):
    skip_if_unlawful(function(name)(), closure)
    model = rebuilt(function(name)(), closure)
    states = scattered(model, rng)
    S, change, fluxes = model.structure.S, *(np.asarray(evaluate(method, model, states)) for method in ("rhs", "fluxes"))
    assert fluxes.shape == (len(model.structure.processes), states.shape[1])
    change = change[: len(S)]
    assert (np.abs(change - S @ fluxes) <= 1e-14 * (np.abs(S) @ np.abs(fluxes))).all()


@each_model_large_ones_slow
def test_right_hand_side_keeps_the_capacitor_law(name, rng):
    # As a row of its own, V must change with the charge and with the capacitance of a membrane that grows:
    # 10³ F d(Σ z n)/dt = C d(a V)/dt, a = (w/w₀)^k.
    model = rebuilt(function(name)(), "state")
    skip_if_broken(model, "charge")
    states = scattered(model, rng)
    now, change = named(model, states), named(model, evaluate("rhs", model, states))
    for inside, membrane in model.membranes.items():
        ions = model.compartments[inside].concentrations
        charging = 1e3 * model.F * sum(VALENCE[ion] * change[f"{inside}.n_{ion}"] for ion in ions)
        gross = 1e3 * model.F * sum(abs(change[f"{inside}.n_{ion}"]) for ion in ions)
        k, w, V = AREA_EXPONENT[membrane.area], now[f"{inside}.volume"], now[f"{inside}.V"]
        a = (w / model.compartments[inside].volume) ** k
        growth = k * a * change[f"{inside}.volume"] / w
        held = membrane.C * (growth * V + a * change[f"{inside}.V"])
        assert float(jnp.max(jnp.abs(charging - held) / gross)) < 1e-12


@each_model_large_ones_slow
def test_potential_follows_from_charge_or_from_zero_current(name, rng):
    native = function(name)()
    difference = rebuilt(native, "layered" if native.axials else "difference")
    states = scattered(difference, rng)
    potentials, rows = evaluate("unpack", difference, states).potentials, named(difference, states)
    amounts = {n: {ion: rows[f"{n}.n_{ion}"] for ion in ions} for n, ions in difference.structure.compartments}
    volumes = {n: rows[f"{n}.volume"] for n in difference.compartments}
    for inside, membrane in difference.membranes.items():
        capacitance = membrane.C * area(difference, volumes, inside)
        held = 1e3 * difference.F * charge(difference, amounts, inside)
        # The charge is what is left of those of all ions, and has their rounding.
        gross = 1e3 * difference.F * sum(abs(VALENCE[ion]) * n for ion, n in amounts[inside].items())
        assert (jnp.abs(potentials[inside] * capacitance - held) <= 1e-15 * gross).all()
    if "charge" in native.breaks or "electroneutral" not in lawful(native):
        return  # ions move otherwise than the current says, or the current along a chain has its own balance
    electroneutral = rebuilt(native, "electroneutral")
    change = named(electroneutral, evaluate("rhs", electroneutral, states))
    for inside in electroneutral.membranes:
        ions = electroneutral.compartments[inside].concentrations
        drift = sum(VALENCE[ion] * change[f"{inside}.n_{ion}"] for ion in ions)
        gross = sum(abs(change[f"{inside}.n_{ion}"]) for ion in ions)
        assert float(jnp.max(jnp.abs(drift) / gross)) < 1e-12


# Set-points


@pytest.fixture(scope="module")
def set_points():
    """For each model, compiled once: arguments → (V of each membrane summed, state), and its gradient."""

    def compiled(name: str):
        def potential(arguments):
            point = jaxion.setpoint(function(name)(**arguments))
            V = sum(point.snapshot.potentials.values(), start=jnp.zeros(()))
            return V, point.model.pack(point.snapshot)

        return jax.jit(jax.value_and_grad(potential, has_aux=True))

    found = {name: compiled(name) for name in jaxion.models.__all__}
    return lambda name, **changes: found[name]({key: jnp.asarray(x, float) for key, x in (numbers(name) | changes).items()})


@pytest.mark.slow
@each_model
def test_set_point_is_differentiable_in_every_argument(name, set_points):
    gradient = set_points(name)[1]
    for argument, default in numbers(name).items():
        step = 1e-4 * abs(default) or 1e-5
        above, below = (set_points(name, **{argument: default + sign * step})[0][0] for sign in (1, -1))
        difference = float(above - below) / (2 * step)
        assert np.isfinite(gradient[argument])
        assert float(gradient[argument]) == pytest.approx(difference, rel=1e-5, abs=1e-9 / step), argument
    assert any(float(abs(slope)) > 1e-3 for slope in gradient.values())


@pytest.mark.slow
@each_model
def test_closures_share_their_set_points(name, set_points):
    # A cell that holds the charge C·V as an excess is the same cell in every closure.
    native = function(name)()
    snapshot = native.unpack(set_points(name)[0][1])
    gross_charge = sum(sum(amounts.values()) for amounts in snapshot.amounts.values())
    discharged = eqx.tree_at(lambda s: s.potentials, snapshot, {inside: jnp.zeros(()) for inside in snapshot.potentials})
    still = rebuilt(native, "state")
    typical = np.abs(still.structure.S) @ np.abs(np.asarray(still.fluxes(still.pack(discharged))))
    for closure in lawful(native):
        model = rebuilt(native, closure)
        excess = {}
        for inside, m in model.membranes.items():
            capacitor = area(model, snapshot.volumes, inside) * m.C * snapshot.potentials[inside] / (1e3 * model.F)
            excess[f"{inside}.charge"] = charge(model, snapshot.amounts, inside) - (0.0 if closure == "electroneutral" else capacitor)
            assert closure != native.closure or float(abs(excess[f"{inside}.charge"])) < 1e-13 * float(gross_charge)
        model = jaxion.replace(model, excess)
        rows = model.pack(snapshot)
        change, potentials = evaluate("rhs", model, rows), evaluate("unpack", model, rows).potentials
        for inside, V in snapshot.potentials.items():
            assert float(potentials[inside]) == pytest.approx(float(V), rel=1e-8)
        assert (np.abs(change[: len(typical)]) <= 1e-10 * typical.max()).all()
        assert (np.abs(change[len(typical) :]) <= 1e-6).all()


@pytest.mark.slow
@each_model
def test_difference_closure_approaches_electroneutrality_linearly_in_capacitance(name, set_points):
    native = function(name)()
    skip_if_broken(native, "charge")
    skip_if_unlawful(native, "electroneutral")
    (V, state), _ = set_points(name)
    snapshot = native.unpack(state)

    def potential(closure: str, scale: float) -> np.ndarray:
        model = rebuilt(native, closure, gates="qss")  # whose steady states are those of the gates
        model = jaxion.replace(model, {f"{inside}.C": scale * m.C for inside, m in model.membranes.items()})
        # The balancing ion leaves with the charge that a smaller capacitor does not hold, so that Newton starts near the end.
        amounts = {n: dict(ions) for n, ions in snapshot.amounts.items()}
        for inside, m in model.membranes.items():
            held = 0.0 if closure == "electroneutral" else area(model, snapshot.volumes, inside) * m.C * snapshot.potentials[inside]
            excess = charge(model, amounts, inside) - held / (1e3 * model.F)
            amounts[inside][m.balance] = amounts[inside][m.balance] - excess / VALENCE[m.balance]
        return newton(model, Snapshot(amounts, snapshot.volumes, snapshot.potentials))

    exact = potential("electroneutral", 1.0)
    errors = [potential("difference", scale) - exact for scale in (1.0, 0.5, 0.25)]
    assert (np.abs(errors[0]) > 1e-7).all()
    # Newton on the right-hand side and `setpoint` are two roads to one place; `state` and `difference` have the same set-point.
    found = exact if native.closure == "electroneutral" else exact + errors[0]
    assert found.sum() == pytest.approx(float(V), rel=1e-9)
    np.testing.assert_allclose(errors[0] / errors[1], 2.0, rtol=2e-3)
    np.testing.assert_allclose(errors[1] / errors[2], 2.0, rtol=2e-3)


def newton(model: Model, start: Snapshot) -> np.ndarray:
    """Potentials at the steady state by Newton on the right-hand side with differences for slopes: a road beside `jaxion.setpoint`."""
    s, rows = model.structure, model.rows
    free = np.flatnonzero(np.abs(s.S).any(axis=1))
    guess = np.asarray(model.pack(start))
    balances = {rows.index(f"{name}.n_{m.balance}"): name for name, m in model.membranes.items()}
    # A total takes the place of one of its rows, other than those that the charge may take.
    weights = [{rows.index(row): w for row, w in total.weights} for total in s.totals]
    places = [next(row for row in w if row not in balances) for w in weights]
    totals = {row: (w, sum(x * guess[i] for i, x in w.items())) for row, w in zip(places, weights, strict=True) if row in free}

    def residual(logs: np.ndarray) -> np.ndarray:
        states = np.repeat(guess[:, None], logs.shape[1], axis=1)
        states[free] = np.exp(logs)
        change = np.array(evaluate("rhs", model, jnp.asarray(states)))
        if model.closure == "electroneutral":
            # Zero current leaves one row too many: the charge, which no row changes, takes its place.
            amounts = {n: {ion: states[rows.index(f"{n}.n_{ion}")] for ion in ions} for n, ions in s.compartments}
            for row, name in balances.items():
                change[row] = charge(model, amounts, name)
        for row, (w, kept) in totals.items():
            change[row] = sum(x * states[i] for i, x in w.items()) - kept
        return change[free]

    logs, shifts = np.log(guess[free]), 1e-8 * np.eye(len(free))
    shifts = np.concatenate([np.zeros((len(free), 1)), shifts, -shifts], axis=1)
    for _ in range(12):
        values = residual(logs[:, None] + shifts)
        above, below = np.split(values[:, 1:], 2, axis=1)
        logs = logs - np.linalg.solve((above - below) / 2e-8, values[:, 0])
    state = jnp.asarray(guess).at[free].set(np.exp(logs))
    return np.array([float(V) for V in evaluate("unpack", model, state).potentials.values()])
