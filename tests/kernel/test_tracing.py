"""Ordinary JAX code becomes a graph on every version of JAX, and what cannot is named with the user's own line."""

import functools
import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from machine_code import Compiled
from ordinary_code import ORDINARY

from jaxion.kernel.graph.derivatives import jacobian, pullback
from jaxion.kernel.graph.nodes import COMPARISONS, FUNCTIONS, LOGIC, Graph, evaluate
from jaxion.kernel.graph.verify import verify
from jaxion.kernel.tracing import jaxprs as tracing
from jaxion.kernel.tracing.arrays import UnknownPrimitive
from jaxion.kernel.tracing.jaxprs import CALLS, CONTROL, RULES, trace

POINTS = np.array([[0.3, -1.2, 2.5, 0.7], [-0.45, 0.8, 0.15, -2.2], [1.4, 0.35, -0.6, 3.1]])


def flat(name):
    """The code as people run it: JAX converts dtypes and adds axes by itself, which is refused elsewhere in these tests."""

    def function(x):
        with jax.numpy_dtype_promotion("standard"), jax.numpy_rank_promotion("allow"):
            return jnp.ravel(ORDINARY[name](x)).astype(float)

    return function


def primitives(jaxpr, found):
    """Names of all primitives of a jaxpr and of those inside it."""
    for eqn in jaxpr.eqns:
        found.add(eqn.primitive.name)
        inner = [CALLS[eqn.primitive.name](eqn)] if eqn.primitive.name in CALLS else jax.tree.leaves(list(eqn.params.values()))
        for value in inner:
            if hasattr(value, "eqns") or hasattr(value, "jaxpr"):
                primitives(getattr(value, "jaxpr", value), found)
    return found


@functools.cache
def occurring(name):
    return frozenset(primitives(jax.make_jaxpr(flat(name))(POINTS[0]).jaxpr, set()))


def users():
    """For each primitive that occurs here, the code that it occurs in."""
    found = {}
    for name in ORDINARY:
        for primitive in sorted(occurring(name)):
            found.setdefault(primitive, []).append(name)
    return found


@functools.cache
def traced(name):
    graph = Graph()
    x = [graph.input("x", i) for i in range(4)]
    return graph, x, trace(flat(name), graph, x)


MEANING = {**FUNCTIONS, **COMPARISONS, **LOGIC, "select": np.where, "erf": np.vectorize(math.erf), "erfc": np.vectorize(math.erfc)}


def values(nodes, x):
    """Values of nodes at several points, by NumPy."""
    with np.errstate(all="ignore"):
        found = evaluate(nodes, lambda _, i: x[:, i], {**MEANING, "logistic": np.vectorize(FUNCTIONS["logistic"])})
    return np.array([np.broadcast_to(np.asarray(value, float), len(x)) for value in found])


@pytest.mark.slow
def test_every_primitive_of_ordinary_code_has_a_rule():
    missing = {}
    for name in ORDINARY:
        try:
            traced(name)
        except UnknownPrimitive as unknown:
            missing[name] = str(unknown)
    assert not missing, f"Primitives without a rule, by what they occur in, in JAX {jax.__version__}: {missing}"


@pytest.mark.slow
@pytest.mark.versions
@pytest.mark.parametrize("name", ORDINARY)
def test_the_graph_of_ordinary_code_is_what_jax_computes(name):
    """Values, and derivatives forward and reverse, of the graph; values by machine code as well."""
    graph, x, out = traced(name)
    weights = 0.5 + np.arange(len(out))

    @jax.jit
    def by_jax(point):
        # JAX has no forward derivative of a pullback of one's own, and no reverse one of a loop that it does not know the end of.
        slopes = (jax.jacrev if name == "custom derivatives" else jax.jacfwd)(flat(name))(point)
        if name == "while_loop":
            return flat(name)(point), slopes, weights @ slopes
        value, pull = jax.vjp(flat(name), point)
        return value, slopes, pull(jnp.asarray(weights))[0]

    expected, slopes, pulled = (np.stack(parts, axis=-1) for parts in zip(*(by_jax(point) for point in jnp.asarray(POINTS)), strict=True))
    if name == "stop_gradient":  # a solver needs the slope of what it computes
        slopes = slopes + 2.0 * np.eye(4)[..., None]
    np.testing.assert_allclose(values(out, POINTS), expected, rtol=1e-12, atol=1e-13)
    machine = Compiled(lambda graph, *x: trace(flat(name), graph, list(x)), 4)
    np.testing.assert_allclose(machine(*POINTS.T), expected, rtol=1e-12, atol=1e-13)
    found = np.zeros_like(slopes)
    for i, row in enumerate(jacobian(out, x)):
        for k, node in row.items():
            found[i, k] = values([node], POINTS)
    np.testing.assert_allclose(found, slopes, rtol=1e-10, atol=1e-11)
    bars = [graph.constant(weight) for weight in weights]
    np.testing.assert_allclose(values(pullback(out, bars, x), POINTS), pulled, rtol=1e-10, atol=1e-10)


def test_every_rule_is_needed_by_some_code():
    """A rule that nothing here uses would not be tested; `others` are those that some versions of JAX do not need."""
    others = {"unstack", "stack", "tile", "polynomial", "one_minus_square", "log2", "call_hi_primitive", "lt_to", "le_to"}
    assert {*CALLS, *CONTROL, *RULES} - set(users()) <= others


@pytest.mark.parametrize("primitive", ["exp", "unstack", "gather", "scan", "jit", "custom_jvp_call"])
def test_a_missing_rule_is_named_with_the_line_of_the_user(primitive, monkeypatch):
    code = {"unstack": "iteration"}.get(primitive) or users()[primitive][0]
    if primitive not in occurring(code):
        pytest.skip(f"JAX {jax.__version__} makes no `{primitive}` of it")
    for table in ("CALLS", "CONTROL", "RULES"):
        monkeypatch.setattr(tracing, table, {name: rule for name, rule in getattr(tracing, table).items() if name != primitive})
    graph = Graph()
    with pytest.raises(UnknownPrimitive, match=rf"^`{primitive}` \(.*ordinary_code\.py, line \d+\)$"):
        trace(flat(code), graph, [graph.input("x", i) for i in range(4)])


def first(x):
    return jax.scipy.special.gammaln(x[0])


def second(x):
    return 2.0 * jax.scipy.special.gammaln(x[0])


def test_the_line_is_that_of_the_caller_even_where_jax_has_traced_the_function_before():
    for function in (first, second):
        graph = Graph()
        line = function.__code__.co_firstlineno + 1
        with pytest.raises(UnknownPrimitive, match=rf"^`lgamma` \(.*test_tracing\.py, line {line}\)$"):
            trace(function, graph, [graph.input("x", i) for i in range(4)])


REFUSED = {
    "a loop whose end depends on x": (
        lambda x: jax.lax.while_loop(lambda c: c < 5.0, lambda c: c + 1.0, x[0]),
        "^`while, with a number of turns",
    ),
    "a loop that is too long": (
        lambda x: jax.lax.fori_loop(0, 100_000, lambda i, c: jnp.sin(c), x[0]),
        "^`scan of 100000 turns, which becomes more",
    ),
    "a long loop that does nothing": (
        lambda x: jax.lax.fori_loop(0, 10**9, lambda i, c: c, x[0]),
        "^`scan of 1000000000 turns, which becomes more",
    ),
    "complex numbers": (lambda x: jnp.abs(x[0] + 1j * x[1]), "complex"),
    "bits": (lambda x: (x[:2].astype(int) & x[2:].astype(int)).astype(float), "^`and of the bits of whole numbers`"),
    "printing": (lambda x: (jax.debug.print("{}", x[0]), x)[1], "^`debug"),
    "eigenvalues": (lambda x: jnp.linalg.eigvalsh(x.reshape(2, 2)), "^`eigh`"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_has_no_meaning_on_a_graph_is_refused(name):
    function, message = REFUSED[name]
    graph = Graph()
    with pytest.raises(UnknownPrimitive, match=message), jax.numpy_dtype_promotion("standard"):
        trace(function, graph, [graph.input("x", i) for i in range(4)])


def test_a_program_that_takes_a_number_for_a_truth_value_is_not_emitted():
    graph = Graph()
    x = graph.input("x")
    below = graph.call("lt", x, 1.0)
    verify([graph.select(below, x, 2.0), graph.call("not", below)])
    for node in (graph.call("not", x), graph.call("lt", x, below), graph.select(below, x, True), graph.call("eq", x, below)):
        with pytest.raises(TypeError, match=rf"^Operation #{node.number} = {node.op}\(.*#0 = input\('x', 0\) \(number\)"):
            verify([node])
