"""Small dense linear algebra with the cells axis last, so that every operation is a vector operation over cells.

LAPACK's batched routines loop over cells and want them first; at ten unknowns that costs more than the model.
"""

from typing import Final

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int

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


@jax.custom_jvp
def inverse(A: Matrix) -> Matrix:
    r"""Inverse of each cell's matrix, differentiable at every order through $dA^{-1} = -A^{-1}\,dA\,A^{-1}$."""
    return pivoted_solve(A, identity(A.shape[0], A.shape[2:], A.dtype))


@inverse.defjvp
def _inverse_jvp(primals, tangents):
    (A,), (dA,) = primals, tangents
    X = inverse(A)
    return X, -matmul(matmul(X, dA), X)


def matmul(A: Float[Array, "n k *cells"], B: Float[Array, "k m *cells"]) -> Float[Array, "n m *cells"]:
    """Matrix product of each cell; the contracted axis is short, so a sum of products beats a batched GEMM."""
    # Written out: XLA's reduction over an inner axis is no vector operation, and twenty times slower.
    return sum((A[:, k, None] * B[None, k] for k in range(1, A.shape[1])), start=A[:, 0, None] * B[None, 0])


def select(ok: Bool[Array, "*cells"], then: Array, otherwise: Array | float) -> Array:
    """`then` in the cells that are `ok`, `otherwise` in the others; leading axes are kept."""
    return jnp.where(jnp.broadcast_to(ok, jnp.shape(then)), then, otherwise)


TURNS: Final = 60
"""Iterations of the sign function at most; stiff cells need about 12."""
FAR: Final = 1e-2
"""Relative change beyond which X and its inverse are balanced; nearer, scaling would spoil the quadratic rate."""
SETTLED: Final = 1e-4
"""Relative change at which the iteration ends and its result counts: what is left is the square of that."""
WHOLE: Final = 1e-2
"""How near the trace must be to a whole number."""


def unstable_modes(A: Matrix) -> Int[Array, "*cells"]:
    r"""Number of eigenvalues with positive real part of each cell's matrix; -1 where it cannot be told.

    The matrix sign function: $X \leftarrow \tfrac12(\mu X + X^{-1}/\mu)$ tends to a matrix whose
    trace counts stable and unstable modes. Unlike eigenvalues it needs only inverses, which are
    vector operations over cells on every device.

    Source: Roberts (1980) Int J Control 32:677; norm scaling after Higham (2008) Functions of Matrices, chapter 5.
    """
    n = A.shape[0]
    unit = identity(n, A.shape[2:], A.dtype)
    norm = lambda X: jnp.max(jnp.sum(jnp.abs(X), axis=1), axis=0)  # noqa: E731

    def body(state):
        X, change, count = state
        Y = solve(X, unit)
        # Far from convergence, balance X and its inverse; near it, scaling would spoil the quadratic rate.
        mu = jnp.where(change > FAR, jnp.sqrt(norm(Y) / norm(X)), 1.0)[None, None]
        new = 0.5 * (mu * X + Y / mu)
        return new, norm(new - X) / norm(new), count + 1

    def unfinished(state):
        return (state[2] < TURNS) & jnp.any(state[1] > SETTLED)

    start = (A, jnp.full(A.shape[2:], jnp.inf, A.dtype), jnp.zeros((), int))
    X, change, _ = jax.lax.while_loop(unfinished, body, start)
    trace = sum(X[i, i] for i in range(n))
    settled = (change <= SETTLED) & (jnp.abs(trace - jnp.round(trace)) < WHOLE)
    return jnp.where(settled, jnp.round((n + trace) / 2), -1.0).astype(int)
