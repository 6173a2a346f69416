"""A graph means what the JAX function that it was traced from means: values, forward and reverse derivatives."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jaxion import thermo
from jaxion.kernel.graph.derivatives import jacobian, pullback
from jaxion.kernel.graph.nodes import Graph, evaluate, sorted_nodes
from jaxion.kernel.llvm.operations import promptly
from jaxion.kernel.system import LANES
from jaxion.kernel.tracing.jaxprs import trace

ANY = st.floats(-50, 50)
POSITIVE = st.floats(1e-6, 50)
UNIT = st.floats(-1, 1)
EDGES = st.sampled_from([0.0, -0.0, 1.0, -1.0, 1e-9, -1e-9, 1e-300, 700.0, -700.0, 1e5, -1e5])

# Function of two numbers, and where they come from.
OPERATIONS = {
    "add": (lambda a, b: a + b, ANY, ANY),
    "sub": (lambda a, b: a - b, ANY, ANY),
    "mul": (lambda a, b: a * b, ANY | EDGES, ANY | EDGES),
    "div": (lambda a, b: a / b, ANY, POSITIVE),
    "neg": (lambda a, b: -a, ANY | EDGES, ANY),
    "exp": (lambda a, b: jnp.exp(a), ANY | EDGES, ANY),
    "exp2": (lambda a, b: jnp.exp2(a), ANY, ANY),
    "expm1": (lambda a, b: jnp.expm1(a), ANY | EDGES, ANY),
    "log": (lambda a, b: jnp.log(a), POSITIVE, ANY),
    "log1p": (lambda a, b: jnp.log1p(a), POSITIVE | UNIT.map(lambda x: 0.9 * x), ANY),
    "sqrt": (lambda a, b: jnp.sqrt(a), POSITIVE, ANY),
    "rsqrt": (lambda a, b: jax.lax.rsqrt(a), POSITIVE, ANY),
    "cbrt": (lambda a, b: jnp.cbrt(a), POSITIVE, ANY),
    "tanh": (lambda a, b: jnp.tanh(a), ANY | EDGES, ANY),
    "sinh": (lambda a, b: jnp.sinh(a), ANY, ANY),
    "cosh": (lambda a, b: jnp.cosh(a), ANY, ANY),
    "sin": (lambda a, b: jnp.sin(a), ANY, ANY),
    "cos": (lambda a, b: jnp.cos(a), ANY, ANY),
    "tan": (lambda a, b: jnp.tan(a), UNIT, ANY),
    "asin": (lambda a, b: jnp.arcsin(0.99 * a), UNIT, ANY),
    "acos": (lambda a, b: jnp.arccos(0.99 * a), UNIT, ANY),
    "atan": (lambda a, b: jnp.arctan(a), ANY | EDGES, ANY),
    "atan2": (lambda a, b: jnp.arctan2(a, b), ANY, POSITIVE),
    "asinh": (lambda a, b: jnp.arcsinh(a), ANY | EDGES, ANY),
    "acosh": (lambda a, b: jnp.arccosh(1.5 + a), POSITIVE, ANY),
    "atanh": (lambda a, b: jnp.arctanh(0.99 * a), UNIT, ANY),
    "erf": (lambda a, b: jax.lax.erf(a), ANY, ANY),
    "erfc": (lambda a, b: jax.lax.erfc(a), st.floats(-20, 20), ANY),
    "logistic": (lambda a, b: jax.nn.sigmoid(a), ANY | EDGES, ANY),
    "abs": (lambda a, b: jnp.abs(a), ANY, ANY),
    "sign": (lambda a, b: jnp.sign(a), ANY, ANY),
    "floor": (lambda a, b: jnp.floor(a), ANY, ANY),
    "pow": (lambda a, b: a**b, POSITIVE, st.floats(-4, 4)),
    "square": (lambda a, b: jnp.square(a), ANY, ANY),
    "integer_pow": (lambda a, b: a**5 + a**-3 + b**0, POSITIVE, ANY),
    "max": (lambda a, b: jnp.maximum(a, b), ANY, ANY),
    "max of equals": (lambda a, b: jnp.maximum(a, a * 1.0), ANY, ANY),
    "min": (lambda a, b: jnp.minimum(a, b), ANY, ANY),
    "clip": (lambda a, b: jnp.clip(a, -1.0, 2.0), ANY, ANY),
    "rem": (lambda a, b: jax.lax.rem(a, b), POSITIVE, POSITIVE),
    "where": (lambda a, b: jnp.where(a < b, a * b, a - b), ANY, ANY),
    "comparisons": (lambda a, b: jnp.where((a <= b) | ~(a > 1.0) & (b >= 0.0) & (a != b), a, b), ANY, ANY),
    "finite": (lambda a, b: jnp.where(jnp.isfinite(a), a, b), ANY, ANY),
    "bool to float": (lambda a, b: (a < b).astype(float) * a, ANY, ANY),
    "GHK through zero": (lambda a, b: thermo.ghk_flux(0.3, a, 12.0, 145.0, 1, 26.7), ANY | EDGES.filter(lambda x: abs(x) < 1e4), ANY),
    "gate at its removable singularity": (lambda a, b: thermo.bernoulli(-0.1 * (a + 34.0)), ANY | st.just(-34.0), ANY),
}


def graph_of(function, count):
    graph = Graph()
    x = [graph.input("x", i) for i in range(count)]
    return graph, x, trace(function, graph, x)


def run(nodes, values):
    return np.array([np.asarray(v, float) for v in evaluate(nodes, lambda name, i: jnp.asarray(values[i]), LANES)])


def close(a, b, atol=1e-300):
    np.testing.assert_allclose(a, b, rtol=1e-12, atol=atol)


@pytest.mark.parametrize("name", OPERATIONS)
def test_every_operation_agrees_with_jax_in_value_and_derivatives(name):
    operation, first, second = OPERATIONS[name]

    def function(x):
        return jnp.stack([operation(x[0], x[1])])

    graph, x, out = graph_of(function, 2)
    forward = jacobian(out, x)[0]
    cotangent = graph.input("x", 2)
    reverse = pullback(out, [cotangent], x)
    value, slope = jax.jit(function), jax.jit(jax.jacfwd(function))

    @settings(max_examples=60, deadline=None, derandomize=True)
    @given(first, second)
    def agree(a, b):
        given_ = np.array([a, b, 1.7])
        x = jnp.asarray(given_[:2])
        close(run(out, given_), value(x))
        wanted = np.asarray(slope(x))[0]
        # JAX multiplies an infinite slope with a tangent of zero where the graph has no entry at all.
        wanted = np.where([k in forward for k in range(2)], wanted, 0.0)
        close([float(run([forward[k]], given_)[0]) if k in forward else 0.0 for k in range(2)], wanted, atol=1e-15)
        close(run(reverse, given_), 1.7 * wanted, atol=1e-15)

    agree()


STRUCTURES = {
    "slices and stacks": lambda x: jnp.stack([x[2], x[0] * x[1], *x[1:3], x[-1]]),
    "concatenate, reverse, reshape": lambda x: jnp.concatenate([x[::-1], 2.0 * x]).reshape(2, 4).T.ravel(),
    "gather with known places": lambda x: x[jnp.array([3, 0, 0])] * x[:3],
    "scatter into zeros": lambda x: jnp.zeros(6).at[jnp.array([1, 4])].set(x[:2]),
    "sums and products": lambda x: jnp.stack([jnp.sum(x), jnp.prod(x), jnp.max(x), jnp.min(x)]),
    "matrix products": lambda x: jnp.arange(12.0).reshape(3, 4) @ x + x.reshape(2, 2)[0] @ jnp.ones((2, 3)),
    "broadcast": lambda x: (x[:2, None] * x[None, 2:]).ravel() + 1.0,
    "padding": lambda x: jnp.pad(x, (1, 2), constant_values=3.0),
    "a nested jit": lambda x: jax.jit(lambda y: y * y + 1.0)(x),
    "a custom derivative": lambda x: jax.nn.relu(x) + jax.nn.softplus(x),
    "a scan": lambda x: jax.lax.scan(lambda c, y: (c + y * c, c * y), x[0], x)[1],
    "a loop of known length": lambda x: jax.lax.fori_loop(0, 3, lambda i, c: c * x[i], x[3])[None],
    "splitting": lambda x: jnp.split(x, 2)[1] * 2.0,
    "constants that are known": lambda x: x * jnp.exp(jnp.linspace(0.0, 1.0, 4)),
}


@pytest.mark.parametrize("name", STRUCTURES)
def test_structure_is_followed(name):
    function = STRUCTURES[name]
    x = jnp.array([0.3, -1.2, 2.5, 0.7])
    _, nodes, out = graph_of(function, 4)
    close(run(out, x), function(x), atol=1e-15)
    J = np.zeros((len(out), 4))
    for i, row in enumerate(jacobian(out, nodes)):
        for k, node in row.items():
            J[i, k] = run([node], x)[0]
    np.testing.assert_allclose(J, jax.jacfwd(function)(x), rtol=1e-12, atol=1e-14)


def test_equal_expressions_are_one_node_and_constants_are_folded():
    *_, out = graph_of(lambda x: jnp.stack([x[0] * x[1] + x[1] * x[0], (x[0] * 1.0 + 0.0) - x[0] * (2.0 - 1.0)]), 2)
    assert len([n for n in sorted_nodes(out[:1]) if n.op == "mul"]) == 1
    assert run(out, [2.0, 3.0]).tolist() == [12.0, 0.0]


def test_structural_zeros_of_a_jacobian_do_not_exist():
    _, x, out = graph_of(lambda x: jnp.stack([x[0] * x[1], jnp.exp(x[2])]), 3)
    assert [sorted(row) for row in jacobian(out, x)] == [[0, 1], [2]]


def test_an_order_of_operations_may_be_thousands_deep():
    """What no kept output needs comes right after what it needs, however long the chain."""
    graph = Graph()
    x = graph.input("x")
    needed, aside = x * 2.0, x
    for i in range(5000):
        aside = aside + float(i + 1)
    needed = needed + 1.0
    order = promptly(sorted_nodes([needed, aside]), [needed])
    place = {node.number: k for k, node in enumerate(order)}
    assert len(place) == len(sorted_nodes([needed, aside]))
    for node in order:
        assert all(place[arg.number] < place[node.number] for arg in node.args if hasattr(arg, "number"))
