"""What is compiled for a fit serves all problems that differ in what was measured alone."""

from typing import Any

import jax.numpy as jnp
import numpy as np
import pytest

import jaxion
from jaxion.fits.compiled import structure


@pytest.fixture(scope="module")
def cell():
    return jaxion.models.duesterwald2018()


def at_rest(cell, V, sd=1.0, **given: Any):
    options: Any = {"free": {"neuron.kcc2.g": jaxion.positive()}} | given
    return jaxion.FitProblem(cell, None, {"neuron.V": (V, sd), "neuron.Cl": (6.0, 0.5)}, **options)


def key(problem):
    return structure((problem.experiments, problem.parameters, problem.taken))


@pytest.mark.slow
def test_problems_of_the_same_structure_share_what_is_compiled_and_are_fitted_to_their_own_data(cell):
    first, second = at_rest(cell, -73.0), at_rest(cell, -71.0, sd=0.2)
    found = [jaxion.fit(problem, starts=2) for problem in (first, second)]
    assert first._shared is second._shared
    for problem, fit in zip((first, second), found, strict=True):
        assert fit.loss == pytest.approx(float(problem.loss(fit.values)), rel=1e-9)
    assert found[0].values["neuron.kcc2.g"] > 2 * found[1].values["neuron.kcc2.g"]
    alone = jaxion.fit(at_rest(jaxion.models.duesterwald2018(), -71.0, sd=0.2), starts=2)
    assert alone.problem._shared is not second._shared
    assert found[1].values == pytest.approx(alone.values, rel=1e-12)


@pytest.mark.parametrize(
    "change",
    [
        {"free": {"neuron.kcc2.g": jaxion.positive(start=0.1)}},
        {"free": {"neuron.kcc2.g": jaxion.positive(prior=jaxion.LogNormal(cv=0.5))}},
        {"free": {"neuron.leak_K.g": jaxion.positive()}},
        {"free": {"neuron.kcc2.g": jaxion.positive(), "neuron.leak_K.g": jaxion.fixed(1.0)}},
        {"noise": {"neuron.V": jaxion.student(1.0)}},
        {"noise": {"neuron.V": jaxion.relative(0.1)}},
    ],
)
def test_problems_of_another_structure_share_nothing(cell, change):
    assert key(at_rest(cell, -73.0)) == key(at_rest(cell, -71.0, sd=2.0))
    assert key(at_rest(cell, -73.0)) != key(at_rest(cell, -73.0, **change))


def test_courses_at_other_times_or_with_missing_values_share_nothing(cell):
    block = jaxion.Protocol(jaxion.block("neuron.nka", 1.0, 60))

    def course(t, V, protocol=block):
        return key(jaxion.FitProblem(cell, protocol, {"t": t, "neuron.V": V}, {"neuron.kcc2.g": jaxion.positive()}, {"neuron.V": 1.0}))

    same = course([1.0, 2.0], [-70.0, -69.0])
    assert same == course([1.0, 2.0], [-60.0, -59.0])
    assert same != course([1.0, 3.0], [-70.0, -69.0])
    assert same != course([1.0, 2.0], [-70.0, -69.0], jaxion.Protocol(jaxion.block("neuron.nka", 1.0, 60)))


def test_functions_of_the_user_share_nothing():
    power = [1.0]

    def curve(x, a):
        return a * x ** power[0]

    table = {"x": np.array([1.0, 2.0, 3.0]), "y": np.array([2.0, 8.0, 18.0])}
    values = []
    for power[0] in (1.0, 2.0):
        problem = jaxion.FitProblem(curve, None, table, {"a": jaxion.positive(1.0)}, {"y": 1.0})
        values.append(jaxion.fit(problem).values["a"])
    assert values == pytest.approx([72 / 14, 2.0], rel=1e-6)


@pytest.mark.slow
def test_a_problem_takes_other_numbers(cell):
    problem = at_rest(cell, -73.0)
    (_, sd), rest = problem.numbers[0], problem.numbers[1:]
    assert problem.with_numbers([(jnp.asarray([-71.0]), sd), *rest]).channels[0].data[0] == -71.0
