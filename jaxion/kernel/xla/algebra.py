"""Small dense linear algebra with the cells axis last, so that every operation is a vector operation over cells.

LAPACK's batched routines loop over cells and want them first; at ten unknowns that costs more than the model.
"""

import functools

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int

from jaxion.kernel.methods import matrix_sign

Matrix = Float[Array, "n n *cells"]


def solve(A: Matrix, B: Float[Array, "n m *cells"]) -> Float[Array, "n m *cells"]:
    """Solve A X = B of each cell by Gauss–Jordan elimination without pivoting.

    Meant for iterations that a certificate judges afterwards: a small pivot costs digits, a zero
    one makes the cell's result not finite. It is ten times faster than `pivoted_solve`.
    """
    M = jnp.concatenate([A, B], axis=1)
    for k in range(A.shape[0]):
        # The columns done are unit vectors: they are left out, so that column k is the first.
        row = M[k, 1:] / M[k, 0][None]
        M = _eliminated(M, row, k)
    return M


def pivoted_solve(A: Matrix, B: Float[Array, "n m *cells"]) -> Float[Array, "n m *cells"]:
    """Solve A X = B of each cell by Gauss–Jordan elimination with partial pivoting; not finite where A is singular."""
    n = A.shape[0]
    rows = jnp.arange(n).reshape((n,) + (1,) * (A.ndim - 2))
    M = jnp.concatenate([A, B], axis=1)
    for k in range(n):
        # Comparisons instead of an argmax and a gather: each cell has its own pivot, and those are no vector operations.
        largest, chosen = jnp.abs(M[k, 0]), jnp.full(M.shape[2:], k)
        for i in range(k + 1, n):
            chosen = jnp.where(jnp.abs(M[i, 0]) > largest, i, chosen)
            largest = jnp.maximum(largest, jnp.abs(M[i, 0]))
        # Without the barriers XLA searches for the pivot again for every entry that it moves.
        chosen = jax.lax.optimization_barrier(chosen)
        pivot = M[k]
        for i in range(k + 1, n):
            pivot = select(chosen == i, M[i], pivot)
        row = jax.lax.optimization_barrier(pivot[1:] / pivot[0][None])
        M = _eliminated(jnp.where((rows == chosen[None])[:, None], M[k][None], M), row, k)  # row k goes where the pivot was
    return M


def _eliminated(M: Float[Array, "n m *cells"], row: Float[Array, "m-1 *cells"], k: int) -> Float[Array, "n m-1 *cells"]:
    """The matrix after the elimination of its first column, with `row` in the place of the pivot's row `k`."""
    rest = M[:, 1:] - M[:, 0][:, None] * row[None]
    # Without the barrier XLA fuses the straight line and its compile time explodes.
    return jax.lax.optimization_barrier(jnp.concatenate([rest[:k], row[None], rest[k + 1 :]]))


def identity(n: int, cells: tuple[int, ...], dtype) -> Matrix:
    """The unit matrix for every cell."""
    return jnp.broadcast_to(jnp.eye(n, dtype=dtype).reshape((n, n) + (1,) * len(cells)), (n, n, *cells))


@functools.partial(jax.custom_jvp, nondiff_argnums=(1,))
def inverse(A: Matrix, pivoted: bool = True) -> Matrix:
    r"""Inverse of each cell's matrix, differentiable at every order through $dA^{-1} = -A^{-1}\,dA\,A^{-1}$.

    Without pivoting it is several times faster, and meant for matrices such as $1/(h\gamma) - J$ whose diagonal is shifted:
    where a pivot vanishes the result is not finite.
    """
    return pivoted_solve(A, identity(A.shape[0], A.shape[2:], A.dtype)) if pivoted else _inverted_in_place(A)


@inverse.defjvp
def _inverse_jvp(pivoted, primals, tangents):
    X = inverse(primals[0], pivoted)
    return X, -matmul(matmul(X, tangents[0]), X)


def _inverted_in_place(A: Matrix) -> Matrix:
    for k in range(A.shape[0]):
        pivot = 1.0 / A[k, k]
        row = (A[k] * pivot[None]).at[k].set(pivot)
        column = A[:, k].at[k].set(0.0)
        A = (A.at[:, k].set(0.0) - column[:, None] * row[None]).at[k].set(row)
    return A


def matmul(A: Float[Array, "n k *cells"], B: Float[Array, "k m *cells"]) -> Float[Array, "n m *cells"]:
    """Matrix product of each cell; the contracted axis is short, so a sum of products beats a batched GEMM."""
    # Written out: XLA's reduction over an inner axis is no vector operation, and twenty times slower.
    return sum((A[:, k, None] * B[None, k] for k in range(1, A.shape[1])), start=A[:, 0, None] * B[None, 0])


def apply(A: Float[Array, "n k *cells"], x: Float[Array, "k *cells"]) -> Float[Array, "n *cells"]:
    """Matrix times vector of each cell."""
    return sum((A[:, k] * x[k][None] for k in range(1, A.shape[1])), start=A[:, 0] * x[0][None])


def combine(weights: Float[Array, " k"], x: Float[Array, "k *rest"]) -> Float[Array, "*rest"]:
    """Σ weight × entry along the first axis."""
    return sum((weights[k] * x[k] for k in range(1, x.shape[0])), start=weights[0] * x[0])


def select(ok: Bool[Array, "*cells"], then: Array, otherwise: Array | float) -> Array:
    """`then` in the cells that are `ok`, `otherwise` in the others; leading axes are kept."""
    return jnp.where(jnp.broadcast_to(ok, jnp.shape(then)), then, otherwise)


def unstable_modes(A: Matrix) -> Int[Array, "*cells"]:
    r"""Number of eigenvalues with positive real part of each cell's matrix; -1 where it cannot be told.

    Counted by the matrix sign function, as `matrix_sign` says.
    """
    n = A.shape[0]
    unit = identity(n, A.shape[2:], A.dtype)
    norm = lambda X: jnp.max(jnp.sum(jnp.abs(X), axis=1), axis=0)  # noqa: E731

    def body(state):
        X, change, count = state
        Y = solve(X, unit)
        # Far from convergence, balance X and its inverse; near it, scaling would spoil the quadratic rate.
        mu = jnp.where(change > matrix_sign.FAR, jnp.sqrt(norm(Y) / norm(X)), 1.0)[None, None]
        new = 0.5 * (mu * X + Y / mu)
        return new, norm(new - X) / norm(new), count + 1

    def unfinished(state):
        return (state[2] < matrix_sign.TURNS) & jnp.any(state[1] > matrix_sign.SETTLED)

    start = (A, jnp.full(A.shape[2:], jnp.inf, A.dtype), jnp.zeros((), int))
    X, change, _ = jax.lax.while_loop(unfinished, body, start)
    trace = sum(X[i, i] for i in range(n))
    settled = (change <= matrix_sign.SETTLED) & (jnp.abs(trace - jnp.round(trace)) < matrix_sign.WHOLE)
    return jnp.where(settled, jnp.round((n + trace) / 2), -1.0).astype(int)
