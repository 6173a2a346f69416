"""What every mechanism owes: documentation, broadcasting, the second law, exact derivatives. Classes are collected, never listed."""

import dataclasses
import functools
import importlib
import inspect
import math
import pkgutil
import re

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from docstrings import entries, powers, source, words
from jaxtyping import Array
from mechanism_cases import (
    CLASSES,
    GATES,
    INSTANCES,
    IONS,
    MODULATORS,
    REST,
    State,
    affinity,
    draw,
    each_class,
    each_documented,
    each_instance,
    each_passive,
    identity,
    numbers,
    opening,
    rate,
    uniform,
    variants,
)

from jaxion import mechanisms
from jaxion.errors import ConservationError
from jaxion.ions import WATER
from jaxion.mechanisms import AbstractGated, AbstractMechanism, AbstractModulator
from jaxion.mechanisms.base import gates, parameters
from jaxion.units import BODY_RT_F, quantity

# The collection itself


def test_every_mechanism_of_every_file_is_collected():
    defined = set()
    for module in pkgutil.iter_modules(mechanisms.__path__):
        members = inspect.getmembers(importlib.import_module(f"{mechanisms.__name__}.{module.name}"), inspect.isclass)
        defined |= {cls for _, cls in members if issubclass(cls, AbstractMechanism | AbstractModulator) and not inspect.isabstract(cls)}
    assert defined == {*CLASSES, *MODULATORS}
    assert {cls.__name__ for cls in defined} <= set(mechanisms.__all__)
    assert len(CLASSES) >= 13


# Documentation


def test_units_are_compared_by_their_exponents():
    assert powers("fmol/s/mM2") == powers("fmol/(s·mM²)") == {"fmol": 1, "s": -1, "mM": -2}
    assert powers("pL/s/mM") == powers("pL/(s·mM)") != powers("pL/s")


@each_documented
def test_docstring_has_equation_and_source(cls):
    assert cls.__doc__.count("$$") >= 2
    assert re.search(r"\b(1[89]|20)\d\d\b", source(cls.__doc__)), "The source has no year."


@each_documented
def test_docstring_names_each_parameter_with_unit_and_published_values(cls):
    documented = entries(cls.__doc__)
    assert set(parameters(cls)) <= set(documented)
    for name, field in parameters(cls).items():
        unit = field.metadata["unit"]
        assert not unit or powers(unit) in map(powers, words(documented[name])), f"`{name}` does not state its unit {unit}."
        statement = re.search(r"\b(typical|published|chosen)\b(.*?)(\.(\s|$)|;|$)", documented[name])
        assert statement, f"`{name}` states neither a typical range nor published values."
        numbers = [float(n) for n in re.findall(r"(?<![\w.])\d+\.?\d*(?:e[-+]?\d+)?", statement[2])]
        low, high = field.metadata["typical"]
        assert numbers
        assert low <= min(numbers) <= max(numbers) <= high, f"The docstring of `{name}` and its metadata disagree."
        if statement[1] == "typical":
            assert numbers == [low, high]


@each_documented
def test_every_parameter_has_unit_description_and_range(cls):
    for name, field in parameters(cls).items():
        assert isinstance(field.metadata["unit"], str)
        assert field.metadata["doc"], name
        low, high = field.metadata["typical"]
        assert 0 <= low <= high < math.inf
        if field.default is not dataclasses.MISSING:
            assert low <= field.default <= high
        assert quantity(f"2 {field.metadata['unit']}", field.metadata["unit"]) == 2.0


@each_documented
def test_symbols_mean_the_same_in_every_mechanism(cls):
    units = {"g": "nS", "u": "fmol/s", "v_max": "fmol/s", "K_Na": "mM", "K_K": "mM"}
    for name, field in parameters(cls).items():
        assert field.metadata["unit"] == units.get(name, field.metadata["unit"])


@each_documented
def test_every_number_is_a_documented_parameter_and_every_name_is_static(cls):
    mechanism = variants(cls)[0]
    assert len(jax.tree.leaves(mechanism)) == len(parameters(mechanism))
    for leaf in jax.tree.leaves(mechanism):
        assert leaf.dtype == jnp.float64
        assert not leaf.weak_type
    hash(jax.tree.structure(mechanism))


@each_class
def test_a_cycle_moves_something_and_says_what_pays_for_an_uphill_turnover(cls):
    reasons = ("Powered from outside of the", "Breaks the second law", "equilibrium constant, which says what pays")
    for mechanism in variants(cls):
        assert mechanism.cycle.changed
        assert mechanism.passive or mechanism.cycle.ATP > 0 or any(reason in cls.__doc__ for reason in reasons)


@pytest.mark.parametrize("cls", [c for c in CLASSES if "ion" in {f.name for f in dataclasses.fields(c)}], ids=lambda c: c.__name__)
def test_unknown_ion_is_refused_with_the_nearest(cls):
    with pytest.raises(ConservationError, match=r"Unknown species `na`.*Did you mean `Na`\?"):
        cls(ion="na", **numbers(cls))


# Broadcasting


@each_instance
def test_rate_broadcasts_over_cells_and_equals_single_cells(mechanism, rng):
    cells, n = 5, len(jax.tree.leaves(mechanism))
    factors = [jnp.asarray(np.exp(rng.uniform(-1, 1, cells))) for _ in range(n)]
    leaves, tree = jax.tree.flatten(mechanism)
    many = jax.tree.unflatten(tree, [leaf * factor for leaf, factor in zip(leaves, factors, strict=True)])
    # As in a population: the first parameter varies and the others are shared.
    some = jax.tree.unflatten(tree, [leaves[0] * factors[0], *leaves[1:]])
    states = draw(rng, cells)
    cell = lambda batch, i: jax.tree.map(lambda leaf: leaf[i] if leaf.ndim else leaf, batch)  # noqa: E731
    one = cell(states, 0)
    for parameters_, state in ((mechanism, states), (many, one), (many, states), (some, one), (some, states)):
        computed = rate(parameters_, state)
        singles = [rate(cell(parameters_, i), cell(state, i)) for i in range(cells)]
        assert computed.shape in ((), (cells,))
        assert computed.dtype == jnp.float64
        assert all(single.shape == () for single in singles)
        np.testing.assert_allclose(np.broadcast_to(computed, cells), singles, rtol=1e-12)
    assert rate(many, states).shape == (cells,)


# The second law


def with_affinity(mechanism: AbstractMechanism, state: State, wanted: Array | float) -> State:
    """The state with one quantity inside changed so that the cycle's affinity is `wanted`."""
    lacking = wanted - affinity(mechanism, state)
    if mechanism.cycle.solutes:
        ion, count = mechanism.cycle.solutes[0]
        return state._replace(inside=state.inside | {ion: state.inside[ion] * jnp.exp(lacking / count)})
    return state._replace(osmolarity_inside=state.osmolarity_inside - lacking / mechanism.cycle.count(WATER))


@each_passive
def test_passive_mechanisms_only_go_downhill(mechanism, rng):
    states = draw(rng, 4000)
    near = with_affinity(mechanism, states, jnp.asarray(rng.choice([-1, 1], 4000) * 10 ** rng.uniform(-9, 0, 4000)))
    for state in (states, near):
        power = np.asarray(rate(mechanism, state) * affinity(mechanism, state))
        assert np.isfinite(power).all()
        assert (power >= 0).all()
        assert (power > 0).any(), "The mechanism never runs."


@each_passive
def test_passive_mechanisms_stand_still_at_equilibrium(mechanism, rng):
    states = draw(rng, 1000)
    equilibrium = with_affinity(mechanism, states, 0.0)
    np.testing.assert_allclose(affinity(mechanism, equilibrium), 0.0, atol=1e-11)
    # One e-fold to either side says how large the two opposing flows are.
    gross = sum(abs(rate(mechanism, with_affinity(mechanism, states, a))) for a in (-1.0, 1.0))
    assert (np.asarray(gross) > 0).all()
    assert np.max(np.abs(rate(mechanism, equilibrium)) / gross) < 1e-11


@each_passive
def test_nothing_passive_moves_between_equal_solutions_without_a_field(mechanism):
    same = REST._replace(outside=REST.inside, V=jnp.asarray(0.0), osmolarity_outside=REST.osmolarity_inside)
    assert float(rate(mechanism, same)) == 0.0


# Derivatives


def edges(ions: tuple[str, ...]) -> State:
    """States at which formulas break: no field, equal solutions, almost nothing on a side, far too much, gates shut and open."""
    rest = REST._replace(inside={ion: REST.inside[ion] for ion in ions}, outside={ion: REST.outside[ion] for ion in ions})
    found = []
    for V in (0.0, -70.0, 1e-12, -1e-9, 1e-3, 150.0, -1000.0, 1000.0):
        found.append(uniform(rest, V=V))
        found.append(uniform(rest, V=V, outside=rest.inside, osmolarity_outside=rest.osmolarity_inside))
        for tiny, gate in ((1e-12, 0.0), (1e4, 1.0)):
            few, at = {ion: tiny for ion in ions}, uniform(rest, V=V, gates=dict.fromkeys(GATES, gate))
            found += [uniform(at, inside=few), uniform(at, outside=few), uniform(at, inside=few, outside=few)]
    return jax.tree.map(lambda *leaves: jnp.stack(leaves), *found)


@dataclasses.dataclass(frozen=True)
class Derivatives:
    """A rate, or that of a gate, as a function of flat rows (parameters, then state), compiled once for 64 rows, with its derivatives."""

    mechanism: AbstractMechanism
    gate: str = ""

    def of(self, row: Array) -> Array:
        mechanism, state = self.name(row)
        if self.gate:
            assert isinstance(mechanism, AbstractGated)
            return opening(mechanism, self.gate, state)
        return rate(mechanism, state)

    def __str__(self) -> str:
        return "-".join(filter(None, [identity(self.mechanism), self.gate]))

    @property
    def ions(self) -> tuple[str, ...]:
        """Solutes that are varied: the common ones, and all that a turnover moves, makes or looks at."""
        cycle = self.mechanism.cycle
        return tuple(sorted({*IONS, *dict(cycle.solutes), *dict(cycle.reaction), *self.mechanism.senses, *self.mechanism.senses_outside}))

    def rows(self, states: State) -> Array:
        """States of 64 cells beside the mechanism's parameters."""
        many = jax.tree.map(lambda leaf: jnp.broadcast_to(leaf, 64), (self.mechanism, states))
        return jnp.stack(jax.tree.leaves(many), axis=1)

    def name(self, row: Array) -> tuple[AbstractMechanism, State]:
        some, gates = dict.fromkeys(self.ions, 0.0), dict.fromkeys(GATES, 0.0)
        return jax.tree.unflatten(jax.tree.structure((self.mechanism, State(some, some, gates, *[0.0] * 6))), list(row))

    @functools.cached_property
    def value(self):
        return jax.jit(jax.vmap(self.of))

    @functools.cached_property
    def all(self):
        """Reverse, forward and second derivatives."""

        def gradient(row: Array) -> tuple[Array, Array]:
            found = jax.grad(self.of)(row)
            return found, found

        def every(row: Array) -> tuple[Array, Array, Array]:
            second, reverse = jax.jacfwd(gradient, has_aux=True)(row)
            return reverse, jax.jacfwd(self.of)(row), second

        return jax.jit(jax.vmap(every))


DERIVATIVES = [[Derivatives(m, gate) for gate in ("", *gates(m))] for m in INSTANCES]
"""Of each mechanism its rate, and those of its gates."""
each_derivative = pytest.mark.parametrize("d", [d for outputs in DERIVATIVES for d in outputs], ids=str)


@pytest.mark.slow
@each_derivative
def test_first_and_second_derivatives_are_finite_everywhere(d: Derivatives, rng):
    for states in (draw(rng, 64, ions=d.ions), edges(d.ions)):
        rows = d.rows(states)
        for found in d.all(rows):
            bad = np.flatnonzero(~np.isfinite(found).reshape(64, -1).all(axis=1))
            assert bad.size == 0, d.name(rows[bad[0]])


@pytest.mark.slow
@each_derivative
def test_derivatives_equal_central_differences(d: Derivatives, rng):
    rows = d.rows(draw(rng, 64, low=1e-2, high=3e2, ions=d.ions))
    # Positive quantities are varied by factors, the potential (third from the end) by shares of a thermal voltage.
    scale, step, n = jnp.abs(rows).at[:, -3].set(BODY_RT_F), 5e-5, rows.shape[1]
    shifts = [step * scale * row for row in jnp.eye(n)[:, None, :]]
    differences = jnp.stack([(d.value(rows + shift) - d.value(rows - shift)) / (2 * step) for shift in shifts], axis=1)
    reverse, forward, second = d.all(rows)
    reverse, forward = reverse * scale, forward * scale
    gross = jnp.max(jnp.abs(reverse), axis=1, keepdims=True) + jnp.abs(d.value(rows))[:, None]
    assert bool((gross > 0).all())
    assert float(jnp.max(jnp.abs(reverse - differences) / gross)) < 1e-6
    np.testing.assert_allclose(reverse / gross, forward / gross, atol=1e-12)
    size = jnp.maximum(jnp.max(jnp.abs(second), axis=(1, 2), keepdims=True), 1.0)
    np.testing.assert_allclose(second / size, jnp.swapaxes(second, 1, 2) / size, rtol=1e-9, atol=1e-12)


@pytest.mark.slow
@pytest.mark.parametrize("outputs", DERIVATIVES, ids=lambda outputs: str(outputs[0]))
def test_every_parameter_has_an_effect(outputs, rng):
    slopes = jnp.stack([d.all(d.rows(draw(rng, 64, low=1.0, high=3e2, ions=d.ions)))[0] for d in outputs])
    for i, parameter in enumerate(parameters(outputs[0].mechanism)):
        assert bool((slopes[:, :, i] != 0).any()), f"`{parameter}` has no effect."
