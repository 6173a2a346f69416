"""JAX as people write it in the rate of a mechanism or in equations of their own: functions of four numbers, some of them whole."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax.ad_checkpoint import checkpoint_name

TABLE_X, TABLE_Y = jnp.array([-1.0, 0.0, 0.4, 1.0, 3.0]), jnp.array([0.0, 2.0, 1.0, 5.0, -1.0])
NETWORK = eqx.nn.MLP(4, 2, 8, 2, jax.nn.softplus, key=jax.random.key(0))


def square(x):
    """A well-conditioned matrix of four numbers."""
    return jnp.array([[3.0, 0.0], [0.0, 2.0]]) + 0.3 * x.reshape(2, 2)


def cube(x):
    """The same, three by three."""
    return jnp.outer(x[:3], x[1:]) + jnp.diag(jnp.array([4.0, -5.0, 6.0]))


def whole(x):
    """A whole number from zero to three that depends on x."""
    return jnp.floor(jnp.clip(jnp.abs(x), 0.0, 3.0)).astype(int)


def power_series(x):
    def term(n, carried):
        total, last = carried
        last = last * x[0] / (n + 1.0)
        return total + last, last

    return jax.lax.fori_loop(0, 30, term, (1.0, 1.0))[0]


def relaxed(x):
    """A loop whose end is known only when it runs, but not from x."""
    return jax.lax.while_loop(lambda c: c[0] < 5, lambda c: (c[0] + 1, 0.5 * (c[1] + x[0] ** 2 / c[1])), (0, 1.0 + x[1] ** 2))[1]


@jax.custom_jvp
def with_own_slope(x):
    return jnp.sin(x)


@with_own_slope.defjvp
def _(primals, tangents):
    return jnp.sin(primals[0]), jnp.cos(primals[0]) * tangents[0]


@jax.custom_vjp
def with_own_pullback(x):
    return jnp.cos(x)


with_own_pullback.defvjp(lambda x: (jnp.cos(x), x), lambda x, bar: (-jnp.sin(x) * bar,))

ELEMENTWISE = {
    "arithmetic": lambda x: x[0] + x[1] * x[2] - x[3] / (1.0 + x[0] ** 2),
    "powers": lambda x: jnp.stack([x[0] ** 3, jnp.abs(x[1]) ** 0.7, 2.0 ** x[2], jnp.square(x), jnp.abs(x) ** jnp.abs(x[3])][0:3]),
    "squares": lambda x: jnp.square(x) + jnp.float_power(jnp.abs(x) + 1.0, x),
    "roots": lambda x: jnp.sqrt(jnp.abs(x)) + jnp.cbrt(x) + jax.lax.rsqrt(1.0 + jnp.abs(x)),
    "exponentials": lambda x: jnp.exp(x) + jnp.exp2(x) + jnp.expm1(x),
    "logarithms": lambda x: jnp.log(jnp.abs(x)) + jnp.log1p(x**2) + jnp.log10(jnp.abs(x)) + jnp.log2(jnp.abs(x) + 1.0),
    "logaddexp": lambda x: jnp.logaddexp(x[:2], x[2:]) + jnp.logaddexp2(x[0], x[1]),
    "logsumexp": lambda x: jax.scipy.special.logsumexp(x),
    "trigonometry": lambda x: jnp.sin(x) * jnp.cos(x) + jnp.tan(0.3 * x),
    "inverse trigonometry": lambda x: jnp.arcsin(jnp.tanh(x)) + jnp.arccos(jnp.tanh(x)) + jnp.arctan(x) + jnp.arctan2(x, x[::-1]),
    "hyperbolic": lambda x: jnp.sinh(x) + jnp.cosh(x) + jnp.tanh(x),
    "inverse hyperbolic": lambda x: jnp.arcsinh(x) + jnp.arccosh(1.5 + x**2) + jnp.arctanh(0.9 * jnp.tanh(x)),
    "error function": lambda x: jax.scipy.special.erf(x) + jax.scipy.special.erfc(x) + jax.scipy.stats.norm.cdf(x),
    "activations": lambda x: jax.nn.sigmoid(x) + jax.nn.relu(x) + jax.nn.softplus(x) + jax.nn.silu(x) + jax.nn.gelu(x) + jax.nn.elu(x),
    "softmax": lambda x: jax.nn.softmax(x) + jax.nn.log_softmax(x),
    "signs": lambda x: jnp.sign(x) * jnp.abs(x) + jnp.heaviside(x, 0.5),
    "rounding": lambda x: jnp.floor(x) + jnp.ceil(x) + jnp.round(x) + jnp.trunc(x) + jnp.rint(2.0 * x) + jax.lax.round(x),
    "remainders": lambda x: jnp.mod(x, 0.7) + x % 1.3 + jnp.fmod(x, 0.4) + x // 0.6 + jnp.remainder(x, -0.7),
    "extremes": lambda x: jnp.maximum(x[0], x[1:]) + jnp.minimum(x[1], x[1:]) + jnp.clip(x[:3], -0.2, 0.3),
    "lax.clamp": lambda x: jax.lax.clamp(-0.5, x, 0.5),
    "where": lambda x: jnp.where(x > 0.3, x**2, -x),
    "a safe division": lambda x: jnp.where(x == 0, 1.0, jnp.expm1(x) / jnp.where(x == 0, 1.0, x)),
    "select": lambda x: jnp.select([x < -1, x < 0, x < 1], [x, 2 * x, 3 * x], 4 * x),
    "piecewise": lambda x: jnp.piecewise(x[0], [x[0] < -1, x[0] > 1], [lambda y: -y, lambda y: y * y, lambda y: 3.0 * y]),
    "comparisons": lambda x: jnp.where((x >= 0.1) & (x <= 2.0) | (x < -1.0) & ~(x > -2.0) ^ (x != 0.0), x, 0.5 * x),
    "a choice between truths": lambda x: jnp.where(jnp.where(x[0] > x[1], x < 1.0, x < 2.0), x, -x),
    "truths as numbers": lambda x: (
        (x > 0.2) * x + jnp.where(x > 0.1, True, x < -1.0).astype(float) + (x > 0).astype(int) + ((x > 0) < (x > 1))
    ),
    "numbers as truths": lambda x: jnp.where(jnp.floor(x).astype(bool), x, 2.0),
    "any, all": lambda x: jnp.where(jnp.any(x > 0.7) & jnp.all(x < 9.0), x, -x) + jnp.count_nonzero(x > 0.0),
    "not finite": lambda x: (
        jnp.nan_to_num(x / jnp.floor(jnp.abs(x)), nan=1.0, posinf=2.0, neginf=3.0) + jnp.isfinite(x) + jnp.isnan(x) + jnp.isinf(x)
    ),
    "hypot, sinc": lambda x: jnp.hypot(x[0], x[1:]) + jnp.sinc(x[:3]),
    "dtypes": lambda x: x.astype(jnp.float64) + jnp.int32(3) * x + jnp.asarray(2) + jnp.float64(1) + x[0].astype(int) // 2 + whole(x) % 2,
    "single precision": lambda x: x * (0.5 + (4.0 * x).astype(int).astype(jnp.float32)).astype(jnp.float64),
    "whole numbers": lambda x: (
        (
            whole(x) // 2
            + whole(x) % 3
            + (whole(x) << 2)
            + (whole(x) >> 1)
            + jax.lax.shift_right_logical(whole(x), jnp.full(4, 1))
            - whole(x) ** 2
        ).astype(float)
        * x
    ),
    "stop_gradient": lambda x: jax.lax.stop_gradient(x) * 2.0,
    "copies": lambda x: jnp.array(x) + jnp.copy(x) + jax.device_put(x),
    "reduce_precision": lambda x: jax.lax.reduce_precision(jnp.floor(8.0 * x), 11, 52),
    "a barrier": lambda x: jax.lax.optimization_barrier(x * x),
    "random numbers that stay the same": lambda x: x * jax.random.normal(jax.random.key(7), (4,)),
    "custom derivatives": lambda x: with_own_slope(x) + with_own_pullback(x),
}
"""What acts on entries one by one."""

STRUCTURE = {
    "indexing": lambda x: jnp.stack([x[0], x[-1], x[1:3][0], x[::2][1], x[::-1][0]]),
    "iteration": lambda x: jnp.array([2.0 * y for y in x]) + sum(y * y for y in x),
    "iteration over rows": lambda x: jnp.concatenate([row * 2.0 for row in x.reshape(2, 2)]),
    "unpacking": lambda x: (lambda a, b, c, d: jnp.array([a * b, c + d]))(*x),
    "stacks": lambda x: jnp.stack([x, x * x], axis=1).ravel() + jnp.hstack([x, x]) + jnp.concatenate([x, x[:2], x[2:]]),
    "columns": lambda x: jnp.vstack([x, 2.0 * x]).T.ravel() + jnp.column_stack([x, x]).ravel() + jnp.dstack([x, x]).ravel(),
    "shapes": lambda x: jnp.squeeze(x.reshape(2, 1, 2).transpose(2, 1, 0)).ravel() + jnp.moveaxis(x.reshape(2, 2), 0, 1).ravel(),
    "new axes": lambda x: (x[:, None] * x[None, :]).ravel() + jax.lax.expand_dims(x, (0,)).repeat(4, 0).ravel() + jnp.tile(x, 4),
    "rolls and flips": lambda x: jnp.roll(x, 1) + jnp.flip(x) + jnp.fliplr(x.reshape(2, 2)).ravel(),
    "padding": lambda x: (
        jnp.pad(x, (1, 2), constant_values=3.0) + jnp.append(jnp.insert(x, 1, 5.0), jnp.zeros(2)) + jnp.pad(x, (1, 2), mode="edge")
    ),
    "splits": lambda x: jnp.split(x, 2)[0] + jnp.array_split(x, 2)[1],
    "updates": lambda x: x.at[1].set(3.0).at[2].add(x[0]).at[0].multiply(x[1]).at[3].max(0.2).at[3].min(0.9).at[1].subtract(x[2]),
    "updates of slices": lambda x: jnp.zeros(6).at[1:5].set(x).at[jnp.array([0, 0, 5])].add(x[:3]).at[::2].multiply(2.0),
    "an update of a row": lambda x: jnp.zeros((3, 4)).at[1].set(x).at[:, 2].add(x[:3]).ravel(),
    "a known gather": lambda x: (
        x[jnp.array([3, 0, 0])] * x[np.array([True, False, True, True])] + jnp.take(x, jnp.array([0, 2, 9]), mode="fill")
    ),
    "a gather in two axes": lambda x: x.reshape(2, 2)[jnp.array([0, 1, 1]), jnp.array([1, 1, 0])],
    "an index that depends on x": lambda x: (
        x[whole(x[0])] + TABLE_Y[whole(x)] + jnp.take(TABLE_Y, whole(x[1])) + TABLE_Y[whole(x)[:3] - 2].sum()
    ),
    "beyond the end": lambda x: jnp.take(TABLE_Y, 2 * whole(x), mode="clip") + jnp.nan_to_num(jnp.take(TABLE_Y, 2 * whole(x), mode="fill")),
    "a window that depends on x": lambda x: (
        jax.lax.dynamic_slice(TABLE_Y, (whole(x[0]),), (2,)) + jax.lax.dynamic_index_in_dim(x, whole(x[1]), 0, False)
    ),
    "an update at x": lambda x: jnp.ones(5).at[whole(x[0])].set(x[1]).at[whole(x[2])].add(x[3]).at[3 * whole(x[1])].add(7.0),
    "a window updated at x": lambda x: jax.lax.dynamic_update_slice(TABLE_Y, x[:2], (whole(x[3]),)),
    "argmax": lambda x: x[jnp.argmax(x)] - x[jnp.argmin(jnp.abs(x))] + jnp.argmax(x.reshape(2, 2), axis=0).astype(float),
    "sorting": lambda x: jnp.sort(x) + x[jnp.argsort(-x)] + jnp.median(x) + jnp.percentile(x, 30.0),
    "interpolation": lambda x: jnp.interp(x, TABLE_X, TABLE_Y) + jnp.interp(x[0], jnp.array([0.0, 1.0]), x[:2]),
    "a table that is looked up": lambda x: TABLE_Y[jnp.searchsorted(TABLE_X, 0.5 * x)] + jnp.digitize(x, TABLE_X),
    "sums": lambda x: jnp.stack(
        [jnp.sum(x), jnp.prod(x), jnp.max(x), jnp.min(x), jnp.mean(x), jnp.var(x), jnp.std(x), jnp.ptp(x), x[:0].sum()]
    ),
    "running sums": lambda x: jnp.cumsum(x) + jnp.cumprod(x) + jax.lax.cummax(x) + jax.lax.cummin(x, reverse=True),
    "differences": lambda x: jnp.diff(x) + jnp.trapezoid(x, jnp.arange(4.0)) + jnp.gradient(x)[:3],
    "polynomials": lambda x: jnp.polyval(jnp.array([1.0, -2.0, 0.5]), x) + jnp.polyval(x, 0.3) + jnp.vander(x[:2], 2).ravel(),
    "products": lambda x: square(x) @ x[:2] + jnp.dot(x[:2], x[2:]) + jnp.vdot(x, x) + jnp.inner(x, x) + jnp.tensordot(x, x, 1),
    "a batch of products": lambda x: (
        jnp.matmul(jnp.stack([square(x)] * 2), x.reshape(2, 2, 1)).ravel() + jnp.einsum("ij,ik->ijk", square(x), square(x))[0].ravel()
    ),
    "einsum": lambda x: jnp.einsum("ij,jk,k->i", square(x), square(x), x[:2]) + jnp.einsum("ii", square(x)),
    "cross, kron, trace": lambda x: jnp.cross(x[:3], x[1:]) + jnp.trace(square(x)) + jnp.kron(x[:2], x[:2])[:3],
    "upper triangle": lambda x: jnp.triu(square(x)).ravel() + jnp.tril(square(x)).ravel() + jnp.diag(x[:2]).ravel(),
    "convolution by hand": lambda x: sum(x[i] * jnp.roll(x, i) for i in range(3)),
}
"""What moves, gathers and combines entries."""

ALGEBRA = {
    "solve": lambda x: jnp.linalg.solve(cube(x), x[:3]),
    "solve, many sides": lambda x: jnp.linalg.solve(square(x), jnp.stack([x[:2], x[2:], x[1:3]], 1)).ravel(),
    "inverse": lambda x: jnp.linalg.inv(cube(x)).ravel(),
    "determinants": lambda x: (
        jnp.linalg.det(square(x)) + jnp.linalg.det(cube(x)) + jnp.linalg.det(jnp.outer(x, x) + jnp.diag(jnp.arange(1.0, 5.0)))
    ),
    "slogdet": lambda x: jnp.stack(jnp.linalg.slogdet(cube(x))),
    "cholesky": lambda x: jnp.linalg.cholesky(square(x) @ square(x).T).ravel(),
    "a factorised system": lambda x: jax.scipy.linalg.cho_solve(jax.scipy.linalg.cho_factor(square(x) @ square(x).T), x[:2]),
    "a triangular system": lambda x: jax.scipy.linalg.solve_triangular(square(x), x[:2], lower=True, trans=1),
    "norms": lambda x: jnp.linalg.norm(x) + jnp.linalg.norm(x, 1) + jnp.linalg.norm(x, jnp.inf),
    "matrix_power": lambda x: jnp.linalg.matrix_power(square(x), 5).ravel(),
    "a batch of systems": lambda x: jax.vmap(jnp.linalg.solve, (None, 0))(cube(x), jnp.outer(x[:2], x[:3])).ravel(),
    "a batch of matrices": lambda x: jax.vmap(lambda y: jnp.linalg.inv(square(x) + y * jnp.eye(2)))(x[:2]).ravel(),
}
"""Linear algebra of small fixed size."""

CONTROL = {
    "jit": lambda x: jax.jit(lambda y: y * y + 1.0)(x),
    "checkpoint": lambda x: jax.checkpoint(lambda y: checkpoint_name(jnp.sin(y), "sine") * y)(x),
    "vmap": lambda x: jax.vmap(lambda y, z: jnp.where(y > 0, y * z, jnp.exp(z)), (0, None))(x, x[0]),
    "vmap over an index": lambda x: jax.vmap(lambda i: TABLE_Y[i] * x[i])(whole(x)),
    "vmap over updates": lambda x: jax.vmap(lambda i, y: jnp.zeros(4).at[i].add(y))(whole(x), x).ravel(),
    "vectorize": lambda x: jnp.vectorize(lambda a, b: a @ b, signature="(n),(n)->()")(x.reshape(2, 2), x[:2]),
    "jacfwd": lambda x: jax.jacfwd(lambda y: jnp.sin(y) * y[::-1])(x).ravel(),
    "jacrev": lambda x: jax.jacrev(lambda y: jnp.cumsum(y**2)[jnp.array([0, 2])])(x).ravel(),
    "grad": lambda x: jax.grad(lambda y: jnp.sum(jnp.stack([z**3 for z in y])) + y[whole(y[0])] ** 2)(x),
    "hessian": lambda x: jax.hessian(lambda y: jnp.exp(y[0]) * y[1] * y[2] + y[3] ** 3)(x).ravel(),
    "jvp": lambda x: jax.jvp(jnp.tanh, (x,), (x[::-1],))[1],
    "a slope of a solution": lambda x: jax.jacfwd(lambda y: jnp.linalg.solve(square(y), y[:2]))(x).ravel(),
    "scan": lambda x: jax.lax.scan(lambda c, y: (c + y * c, (c * y, {"a": c})), x[0], x)[1][1]["a"],
    "scan backwards": lambda x: jax.lax.scan(lambda c, y: (c * 0.5 + y, c), x[0], x, reverse=True)[1],
    "scan over two": lambda x: jax.lax.scan(lambda c, y: ((c[1], c[0] + y[0] * y[1]), None), (x[0], x[1]), (x, x[::-1]))[0][0],
    "map": lambda x: jax.lax.map(lambda y: y * jnp.exp(-y), x),
    "associative_scan": lambda x: jax.lax.associative_scan(jnp.add, x),
    "fori_loop": power_series,
    "fori_loop over entries": lambda x: jax.lax.fori_loop(0, 4, lambda i, c: c * 0.5 + x[i], 0.0),
    "fori_loop that updates": lambda x: jax.lax.fori_loop(1, 4, lambda i, y: y.at[i].add(0.5 * y[i - 1]), x),
    "while_loop": relaxed,
    "cond": lambda x: jax.lax.cond(x[0] > 0.2, lambda y: y * y, lambda y: -y, x),
    "a nested cond": lambda x: jax.lax.cond(x[0] > 0, lambda: jax.lax.cond(x[1] > 0, lambda: x[2], lambda: x[3]), lambda: 7.0),
    "switch": lambda x: jax.lax.switch(whole(x[0]), [lambda y: y, lambda y: 2.0 * y, lambda y: y**2, lambda y: -y], x),
    "vmapped cond": lambda x: jax.vmap(lambda y: jax.lax.cond(y > 0, jnp.sin, jnp.cos, y))(x),
    "a network": NETWORK,
}
"""Functions of functions."""

ORDINARY = {**ELEMENTWISE, **STRUCTURE, **ALGEBRA, **CONTROL}
