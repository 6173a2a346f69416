"""Machine code in single precision: functions to the last places, courses as good as their tolerance, what cancels kept in double precision."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from machine_code import Compiled, last_places, spread
from test_machine_code import CELLS, REDUCTIONS, SAVES, SYSTEM, batch, numbers

import jaxion
from jaxion.errors import Status
from jaxion.kernel import integrate
from jaxion.kernel.binding import integration
from jaxion.kernel.llvm.functions import FUNCTIONS

pytestmark = pytest.mark.usefixtures("any_lowering")

# Function in double precision, and where its arguments come from.
OF_ONE = {
    "exp": (np.exp, lambda rng: [rng.uniform(-103, 88.7, 20_000), rng.uniform(-1, 1, 20_000), spread(rng, -44, 0)]),
    "expm1": (np.expm1, lambda rng: [rng.uniform(-103, 88.7, 20_000), rng.uniform(-3, 3, 20_000), spread(rng, -44, 0)]),
    "log": (np.log, lambda rng: [np.abs(spread(rng, -44, 38)), rng.uniform(0.4, 2.5, 20_000), 1 + spread(rng, -7, -1)]),
    "log1p": (np.log1p, lambda rng: [np.abs(spread(rng, -44, 38)), rng.uniform(-0.999, 3, 20_000), spread(rng, -44, -0.1)]),
    "tanh": (np.tanh, lambda rng: [rng.uniform(-30, 30, 20_000), rng.uniform(-1, 1, 20_000), spread(rng, -44, 0)]),
    "logistic": (lambda x: 1 / (1 + np.exp(-x)), lambda rng: [rng.uniform(-87, 100, 20_000), rng.uniform(-3, 3, 20_000)]),
}
EDGES = np.array([0.0, -0.0, 1.0, -1.0, 0.5, 2.0, -2.0, 3.0, 89.0, -104.0, 3e38, -3e38, 1e-40, -1e-40, np.inf, -np.inf, np.nan])


def single(x):
    return np.asarray(x, np.float32).astype(float)


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("name", OF_ONE)
def test_functions_are_exact_to_two_last_places(name, rng):
    exact, ranges = OF_ONE[name]
    compiled = Compiled(lambda graph, x: graph.call(name, x), 1, single=True)
    for x in map(single, ranges(rng)):
        assert last_places(compiled(x), exact(x), np.float32) < 2


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_powers_are_exact_to_two_last_places(rng):
    compiled, count = Compiled(lambda graph, a, b: graph.call("pow", a, b), 2, single=True), 20_000
    for a, b in (
        (10 ** rng.uniform(-44, 38, count), rng.uniform(-3, 3, count)),
        (rng.uniform(0.5, 2, count), rng.uniform(-80, 80, count)),
        (-rng.uniform(0, 20, count), rng.integers(-20, 20, count).astype(float)),
    ):
        a, b = single(a), single(b)
        assert last_places(compiled(a, b), a**b, np.float32) < 2


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("name", FUNCTIONS)
def test_functions_know_zero_infinity_and_nan(name):
    meaning = {"logistic": OF_ONE["logistic"][0], "pow": np.power}.get(name) or getattr(np, name)
    arguments = [single(EDGES)] if name != "pow" else [x.ravel() for x in np.meshgrid(single(EDGES), single(EDGES))]
    found = Compiled(lambda graph, *x: graph.call(name, *x), len(arguments), single=True)(*arguments)
    np.testing.assert_allclose(found, single(meaning(*arguments)), rtol=3e-7)


def test_sums_of_what_is_given_stay_in_double_precision():
    """The charge of a cell is a millionth of its ions'."""

    def excess(graph, na, k, cl):
        return 4.8 * (na + 2.0 * k - cl)

    found = Compiled(excess, 3, single=True)(100.0 + 2e-7, 50.0, 200.0)
    np.testing.assert_allclose(found, 4.8 * ((100.0 + 2e-7) - 100.0), rtol=1e-6)


def run(cells: Any = slice(None), **options: Any):
    y0, theta, edges, drive = (x[..., cells] for x in batch())
    return integrate(SYSTEM, y0, theta, edges, drive=drive, **{"saves": SAVES, "reductions": REDUCTIONS, "rtol": 1e-5, **options})


@pytest.mark.slow
def test_courses_are_as_good_as_their_tolerance():
    found, double, exact = run(precision="float32"), run(), run(rtol=1e-10)
    assert np.all(np.asarray(found.status) == Status.ok)
    assert found.final.dtype == np.float64
    # The edges of phases and the times of saves are those that were given.
    np.testing.assert_array_equal(np.isnan(found.saved), np.isnan(exact.saved))

    def error(course):
        return np.nanmax(np.abs(np.asarray(course.saved) - np.asarray(exact.saved)), axis=(0, 1))

    assert not np.array_equal(found.final, double.final)
    assert np.median(error(found)) < 1.2 * np.median(error(double))
    assert np.max(error(found)) < 2 * np.max(error(double))
    assert abs(int(found.steps.sum()) / int(double.steps.sum()) - 1) < 0.01


@pytest.mark.parametrize("cells", [[7], range(CELLS - 1, -1, -1), range(40, 57)])
def test_order_and_number_of_cells_change_no_bit(cells):
    for a, b in zip(numbers(run(list(cells), precision="float32")), numbers(run(precision="float32")), strict=True):
        np.testing.assert_array_equal(a, b[..., list(cells)])


@pytest.mark.slow
def test_gradients_are_those_of_double_precision():
    y0, theta, edges, drive = map(jnp.asarray, batch())

    def loss(y0, theta, precision, rtol):
        return jnp.sum(integrate(SYSTEM, y0, theta, edges, drive=drive, rtol=rtol, precision=precision).final ** 2)

    found = jax.grad(loss, (0, 1))(y0, theta, "float32", 1e-5)
    for a, b in zip(found, jax.grad(loss, (0, 1))(y0, theta, "float64", 1e-9), strict=True):
        np.testing.assert_allclose(a, b, rtol=0, atol=2e-3 * float(jnp.max(jnp.abs(b))))


@pytest.mark.slow
def test_a_cell_whose_potential_is_its_charge_is_solved_too(monkeypatch):
    """V is a difference of amounts here: rounded to single precision it would be noise of a tenth of a millivolt."""
    taken, run_into = [], integration.run_into
    monkeypatch.setattr(integration, "run_into", lambda kernel, *rest: (taken.append(kernel.programs.single), run_into(kernel, *rest))[1])
    model = jaxion.models.duesterwald2018(closure="difference")
    found, exact = (
        jaxion.solve(model, "pump_block", save=[100.0, 200.0, 300.0], rtol=rtol, precision=precision)
        for precision, rtol in (("float32", 1e-5), ("float64", 1e-9))
    )
    assert taken == [True, False]
    np.testing.assert_allclose(found["neuron.V"], exact["neuron.V"], atol=2e-3)
    assert int(found.stats["steps"]) < 2 * int(jaxion.solve(model, "pump_block", rtol=1e-5).stats["steps"])


def test_tolerances_that_single_precision_cannot_hold_are_refused():
    with pytest.raises(ValueError, match="must be 1e-05 or more in single precision, but it is 1e-06"):
        jaxion.solve(jaxion.models.duesterwald2018(), "pump_block", precision="float32")


def test_a_precision_that_there_is_not_is_refused_by_name():
    for call in (
        lambda: run(precision="flaot32"),
        lambda: jaxion.solve(jaxion.models.duesterwald2018(), "pump_block", precision="flaot32"),
    ):
        with pytest.raises(ValueError, match=r"^Argument `precision` must be `float64` or `float32`, but it is `flaot32`\.$"):
            call()
