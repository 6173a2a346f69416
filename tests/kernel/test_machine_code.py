"""Machine code does what `jax.numpy` does: functions to the last places, every operation, whole trajectories, and the same bits every time."""

import importlib.util
import math
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from machine_code import LONG, Compiled, extended, last_places, spread

from jaxion.errors import Status
from jaxion.examinations.problems import PROBLEMS
from jaxion.kernel import Crossing, Extremum, Integral, Mean, Spikes, System, integrate, lowerings
from jaxion.kernel.cpu import integration, runner
from jaxion.kernel.graph.elimination import elimination_order, factorised, growth, solved
from jaxion.kernel.graph.nodes import COMPARISONS, FUNCTIONS, LOGIC, Graph, evaluate
from jaxion.kernel.llvm.functions import FUNCTIONS as OWN

pytestmark = pytest.mark.usefixtures("any_lowering")

OF_ONE = {
    "exp": (np.exp, lambda rng: [rng.uniform(-745, 709.78, 20_000), rng.uniform(-1, 1, 20_000), spread(rng, -320, 0)]),
    "expm1": (np.expm1, lambda rng: [rng.uniform(-745, 709.78, 20_000), rng.uniform(-3, 3, 20_000), spread(rng, -320, 0)]),
    "log": (np.log, lambda rng: [np.abs(spread(rng, -323, 308)), rng.uniform(0.4, 2.5, 20_000), 1 + spread(rng, -16, -1)]),
    "log1p": (
        np.log1p,
        lambda rng: [np.abs(spread(rng, -323, 308)), rng.uniform(-1, 3, 20_000), spread(rng, -320, -0.1), -1 + 10 ** rng.uniform(-16, 0, 20_000)],
    ),
    "tanh": (np.tanh, lambda rng: [rng.uniform(-30, 30, 20_000), rng.uniform(-1, 1, 20_000), spread(rng, -320, 0)]),
    "logistic": (lambda x: 1 / (1 + np.exp(-x)), lambda rng: [rng.uniform(-745, 745, 20_000), rng.uniform(-3, 3, 20_000), spread(rng, -320, 0)]),
}  # fmt: skip


@extended
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("name", OF_ONE)
def test_functions_are_exact_to_two_last_places(name, rng):
    exact, ranges = OF_ONE[name]
    compiled = Compiled(lambda graph, x: graph.call(name, x), 1)
    for x in ranges(rng):
        assert last_places(compiled(x), exact(x.astype(LONG))) < 2


@extended
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_powers_are_exact_to_two_last_places(rng):
    compiled, count = Compiled(lambda graph, a, b: graph.call("pow", a, b), 2), 20_000
    for a, b in (
        (10 ** rng.uniform(-320, 308, count), rng.uniform(-3, 3, count)),
        (rng.uniform(0.5, 2, count), rng.uniform(-900, 900, count)),
        (1 + spread(rng, -10, -0.01, count), 10 ** rng.uniform(0, 9, count)),
        (-rng.uniform(0, 20, count), rng.integers(-20, 20, count).astype(float)),
    ):
        assert last_places(compiled(a, b), a.astype(LONG) ** b.astype(LONG)) < 2


EDGES = [0.0, -0.0, 1.0, -1.0, 0.5, 2.0, -2.0, 3.0, 710.0, -746.0, 1e308, -1e308, 1e-310, -1e-310, math.inf, -math.inf, math.nan]
MEANING = {**FUNCTIONS, **COMPARISONS, "logistic": lambda x: 1 / (1 + np.exp(-x))}


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("name", OWN)
def test_functions_know_zero_infinity_and_nan(name):
    if name == "pow":
        a, b = (x.ravel() for x in np.meshgrid(EDGES, EDGES))
        np.testing.assert_allclose(Compiled(lambda graph, a, b: graph.call("pow", a, b), 2)(a, b), np.power(a, b), rtol=4e-16)
    else:
        x = np.array(EDGES)
        np.testing.assert_allclose(Compiled(lambda graph, x: graph.call(name, x), 1)(x), MEANING[name](x), rtol=4e-16)


def truth(graph, node):
    return graph.select(node, 1.0, 0.0)


OPERATIONS = {
    **{name: lambda g, a, b, name=name: getattr(g, name)(a, b) for name in ("add", "sub", "mul", "div")},
    "neg": lambda g, a, b: -(a * b),
    "shared divisor": lambda g, a, b: a / b + (a * a) / b,
    **{name: lambda g, a, b, name=name: g.call(name, a) for name in FUNCTIONS if name not in ("pow", "max", "min", "mod", "atan2")},
    "atan2": lambda g, a, b: g.call("atan2", a, b),
    **{name: lambda g, a, b, name=name: g.call(name, a, b) for name in ("pow", "max", "min", "mod")},
    **{name: lambda g, a, b, name=name: truth(g, g.call(name, a, b)) for name in ("lt", "le", "eq")},
    "finite": lambda g, a, b: truth(g, g.call("finite", a)),
    "max with a constant": lambda g, a, b: g.call("max", a, 1.5) - g.call("min", 0.5, b),
    **{name: lambda g, a, b, name=name: truth(g, g.call(name, g.call("lt", a, 0.0), g.call("lt", a, b))) for name in ("and", "or", "eq")},
    "not": lambda g, a, b: truth(g, g.call("not", g.call("lt", a, b))),
    "select": lambda g, a, b: g.select(g.call("lt", a, b), a * b, a - b),
    "select of truths": lambda g, a, b: truth(g, g.select(g.call("lt", a, b), g.constant(True), g.call("eq", a, 1.0))),
}
NUMBER = st.floats(-50, 50) | st.sampled_from([x for x in EDGES if not 0 < abs(x) < 1e-300])


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("name", OPERATIONS)
def test_every_operation_is_what_numpy_has(name):
    function = OPERATIONS[name]
    compiled, graph = Compiled(function, 2), Graph()
    node = function(graph, graph.input("x", 0), graph.input("x", 1))
    numpys = {**MEANING, **LOGIC, "select": np.where}

    @settings(max_examples=60, deadline=None, derandomize=True)
    @given(NUMBER, NUMBER)
    def agree(a, b):
        # The inverse of a subnormal number overflows.
        assume(name != "shared divisor" or not 0 < abs(b) < 1e-300)
        given_ = np.float64(a), np.float64(b)
        (wanted,) = evaluate([node], lambda _, i: given_[i], numpys)
        # A sum of products may round once less.
        np.testing.assert_allclose(compiled(a, b)[0], wanted, rtol=1e-14, atol=1e-13)

    agree()


def test_nothing_of_the_graph_is_forgotten():
    assert {*FUNCTIONS, *COMPARISONS, *LOGIC, "add", "sub", "mul", "div", "neg", "select"} <= {*OPERATIONS}


@pytest.mark.parametrize("width", [1, 2, 4, 8])
def test_other_processors_get_the_same_numbers(width, rng):
    def function(graph, a, b):
        return graph.call("exp", a) / (graph.call("log", b) + graph.call("pow", b, a))

    a, b = rng.uniform(-3, 3, 50), rng.uniform(0.1, 3, 50)
    np.testing.assert_allclose(Compiled(function, 2, width)(a, b), np.exp(a) / (np.log(b) + b**a), rtol=1e-13)


def test_elimination_solves_sparse_systems(rng):
    size = 12
    places = {(i, i) for i in range(size)} | {tuple(rng.integers(0, size, 2).tolist()) for _ in range(20)}
    graph = Graph()
    matrix = {place: graph.input("A", k) for k, place in enumerate(sorted(places))}
    values = rng.normal(size=len(matrix)) + np.array([4.0 * (i == j) for i, j in sorted(places)])
    dense = np.zeros((size, size))
    dense[tuple(zip(*sorted(places), strict=True))] = values
    right, factors = rng.normal(size=size), factorised(matrix, size)
    given_ = {"A": values, "b": right}
    x = evaluate(solved(factors, [graph.input("b", i) for i in range(size)]), lambda name, i: given_[name][i], FUNCTIONS)
    np.testing.assert_allclose(x, np.linalg.solve(dense, right), rtol=1e-12)


def test_elimination_goes_from_the_leaves_to_the_hub():
    arrow = [(0, j) for j in range(6)] + [(i, 0) for i in range(6)] + [(i, i) for i in range(6)]
    assert elimination_order(arrow, 6)[-2:] == (0, 5) or elimination_order(arrow, 6)[-1] == 0
    graph = Graph()
    assert len(factorised({place: graph.input("A", k) for k, place in enumerate(sorted(set(arrow)))}, 6).entries) == len(set(arrow))


def test_a_pivot_that_is_lost_to_rounding_is_seen():
    graph = Graph()
    matrix = {(i, j): graph.input("A", 2 * i + j) for i in range(2) for j in range(2)}
    node = growth(matrix, factorised(matrix, 2))
    numbers = [np.array([1.0, 1.0]), np.array([1.0, 1.0]), np.array([1.0, 1.0]), np.array([2.0, 1.0 + 2e-16])]
    plain, lost = evaluate([node], lambda _, i: numbers[i], FUNCTIONS)[0]
    assert plain < 3
    assert lost > 1e15


@pytest.mark.parametrize("name", PROBLEMS)
def test_stiff_problems_end_where_they_should(name):
    p = PROBLEMS[name]
    system = System(p.f, len(p.y0), len(p.theta))
    course = integrate(system, p.y0, p.theta, [0.0, p.t_end], scale=p.scale, rtol=1e-8, lowering="llvm")
    assert course.status == Status.ok
    assert np.max(np.abs(np.asarray(course.final) - p.end) / (p.scale + np.abs(p.end))) < 1e-5


# An oscillator under a drive that changes twice, at edges that differ from cell to cell; one phase has no duration.
SYSTEM = System(
    lambda t, y, theta: jnp.stack([theta[0] * (y[1] - y[0] ** 3 / 3 + y[0]), -y[0] / theta[0] + theta[1] + 0.1 * jnp.sin(t)]),
    rows=2,
    params=2,
    observe=lambda t, y, theta: jnp.stack([y[0], t * y[1]]),
)
REDUCTIONS = (Extremum(0), Extremum(1, -1.0), Mean(0), Integral(1), Crossing(0, 0.5), Crossing(0, 0.5, -1.0, True), Spikes(0, 1.0))
SAVES = np.linspace(-1.0, 25.0, 53)
CELLS = 201


def batch():
    rng = np.random.default_rng(3)
    y0 = np.stack([rng.uniform(-2, 2, CELLS), rng.uniform(-1, 1, CELLS)])
    edges = np.stack([np.zeros(CELLS), rng.uniform(1, 9, CELLS), np.full(CELLS, 9.0), np.full(CELLS, 9.0), np.full(CELLS, 20.0)])
    drive = rng.uniform(-0.3, 0.3, (4, 1, CELLS))
    return y0, 10 ** rng.uniform(0, 1.5, (1, CELLS)), edges, drive


def run(cells: Any = slice(None), **options: Any):
    y0, theta, edges, drive = (x[..., cells] for x in batch())
    options = {"saves": SAVES, "reductions": REDUCTIONS, **options}
    return integrate(SYSTEM, y0, theta, edges, drive=drive, **options)


def numbers(course):
    counts = [course.status, course.steps, course.accepted]
    return [np.asarray(x) for x in (course.saved, course.final, *counts, *(x for outputs in course.reduced for x in outputs))]


@pytest.fixture(scope="module")
def course():
    return run(lowering="llvm")


@pytest.mark.slow
def test_machine_code_agrees_with_jax_numpy(course):
    other = run(lowering="xla")
    assert np.all(np.asarray(other.status) == Status.ok)
    for a, b in zip(numbers(course), numbers(other), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-7, atol=1e-8)
    assert np.isnan(course.saved[SAVES < 0]).all()
    assert np.isnan(course.saved[SAVES > 20]).all()
    assert np.isfinite(course.saved[(SAVES >= 0) & (SAVES <= 20)]).all()


@pytest.mark.parametrize("threads", [1, 2, 5])
def test_threads_change_no_bit(course, threads, monkeypatch):
    monkeypatch.setattr("jaxion.kernel.binding.integration.cores", lambda: threads)
    for a, b in zip(numbers(run()), numbers(course), strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("cells", [[7], [3, 2, 1], range(CELLS - 1, -1, -1), range(40, 57)])
def test_order_and_number_of_cells_change_no_bit(course, cells):
    for a, b in zip(numbers(run(list(cells))), numbers(course), strict=True):
        np.testing.assert_array_equal(a, b[..., list(cells)])


def test_looking_up_now_and_then_changes_no_bit(course, monkeypatch):
    monkeypatch.setattr(runner, "TURNS", 3)
    for a, b in zip(numbers(run()), numbers(course), strict=True):
        np.testing.assert_array_equal(a, b)


FAILING = System(
    lambda t, y, theta: jnp.stack([theta[0] * y[0] ** 2 - theta[1], -jnp.log(theta[2]) * y[1]]), rows=2, params=3, positive=(0,)
)


def test_statuses_and_counts_are_those_of_jax_numpy():
    theta = np.array([[0.0, 1.0, 0.0, 0.0, 0.0], [0.0, 0.0, 1.0, 0.0, 0.0], [2.0, 2.0, 2.0, -1.0, 1e300]])
    arguments = {"saves": [0.0, 0.5, 5.0, 10.0], "max_steps": 20_000}
    found, wanted = (integrate(FAILING, np.ones((2, 5)), theta, [0.0, 10.0], lowering=x, **arguments) for x in ("llvm", "xla"))
    assert {Status(int(s)) for s in found.status} >= {Status.ok, Status.step_too_small, Status.not_positive, Status.not_finite}
    for name in ("status", "saved", "final"):
        np.testing.assert_allclose(getattr(found, name), getattr(wanted, name), rtol=1e-7, atol=1e-9, err_msg=name)
    # How often a step is tried at the border of the domain is a matter of rounding.
    inside = np.asarray(found.status) != Status.not_positive
    for name in ("steps", "accepted"):
        np.testing.assert_array_equal(getattr(found, name)[inside], getattr(wanted, name)[inside], err_msg=name)
    few = integrate(FAILING, np.ones((2, 5)), theta, [0.0, 10.0], lowering="llvm", max_steps=2)
    assert np.all(np.asarray(few.status) == Status.max_steps)
    assert np.all(np.asarray(few.steps) == 2)


def test_a_system_is_compiled_once_whatever_the_numbers():
    integration.compiled.kept.cache_clear()  # pyright: ignore[reportFunctionMemberAccess]
    run()
    run([0, 1], rtol=1e-5, max_steps=500, saves=[1.0])
    integrate(SYSTEM, np.ones((2, 3)), np.ones((2, 3)), [0.0, 1.0], reductions=REDUCTIONS)
    assert integration.compiled.kept.cache_info().misses == 1  # pyright: ignore[reportFunctionMemberAccess]


def test_a_primitive_without_machine_code_falls_back_with_one_warning(recwarn):
    # The logarithm of the Γ function at 2 is zero.
    system = System(lambda t, y, theta: jax.scipy.special.gammaln(1.0 + theta) - y * theta, rows=2, params=2)
    arguments = (system, np.ones((2, 3)), np.ones((2, 3)), [0.0, 1.0])
    lowerings.warn_once.cache_clear()
    with pytest.warns(
        UserWarning,
        match=r"`jax.numpy`, several times slower than by machine code: the equations use `lgamma` \(.*test_machine_code.py, line",
    ):
        course = integrate(*arguments)
    np.testing.assert_allclose(course.final, np.exp(-1.0), rtol=1e-5)
    integrate(*arguments)
    integrate(*arguments, lowering="xla")
    assert len(recwarn) == 0
    with pytest.raises(
        ValueError,
        match=r"`lowering` is `llvm`, but there can be no machine code: the equations use `lgamma` \(.*test_machine_code.py, line",
    ):
        integrate(*arguments, lowering="llvm")


@pytest.mark.slow
def test_without_llvmlite_there_is_one_warning(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    lowerings.warn_once.cache_clear()
    with pytest.warns(UserWarning, match="llvmlite is not installed"):
        run([0])


def test_without_float64_there_is_one_warning():
    lowerings.warn_once.cache_clear()
    decay = System(lambda t, y, theta: -theta * y, rows=1, params=1)
    with jax.enable_x64(False), pytest.warns(UserWarning, match="it computes in float64"):
        course = integrate(decay, [1.0], [1.0], [0.0, 1.0], rtol=1e-4)
    assert float(course.final[0]) == pytest.approx(np.exp(-1.0), rel=1e-3)


def test_no_other_lowering_is_known():
    with pytest.raises(ValueError, match="must be one of auto, llvm, xla, but it is `cuda`"):
        run(lowering="cuda")
