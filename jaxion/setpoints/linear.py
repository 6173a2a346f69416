"""Small dense linear algebra with the cells axis last, so that every operation is a vector operation over cells.

LAPACK's batched routines loop over cells and want them first; at ten unknowns that costs more than the model.
"""

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
        row = M[k] / M[k, k][None]
        M = (M - M[:, k][:, None] * row[None]).at[k].set(row)
        # Without the barrier XLA fuses the straight line and its compile time explodes.
        M = jax.lax.optimization_barrier(M)
    return M[:, A.shape[0] :]


def pivoted_solve(A: Matrix, B: Float[Array, "n m *cells"]) -> Float[Array, "n m *cells"]:
    """Solve A X = B of each cell by Gauss–Jordan elimination with partial pivoting; not finite where A is singular."""
    n = A.shape[0]
    rows = jnp.arange(n).reshape((n,) + (1,) * (A.ndim - 2))

    def eliminate(k, M):
        magnitude = jnp.where(rows < k, -1.0, jnp.abs(M[:, k]))
        # A one-hot mask instead of a gather: each cell has its own pivot, and a gather is not a vector operation.
        chosen = (rows == jnp.argmax(magnitude, axis=0)[None]).astype(M.dtype)
        pivot_row = jnp.sum(chosen[:, None] * M, axis=0)
        M = (M + chosen[:, None] * (M[k] - pivot_row)[None]).at[k].set(pivot_row / pivot_row[k][None])
        factor = jnp.where(rows == k, 0.0, M[:, k])
        return M - factor[:, None] * M[k][None]

    return jax.lax.fori_loop(0, n, eliminate, jnp.concatenate([A, B], axis=1))[:, n:]


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
    return jnp.sum(A[:, :, None] * B[None], axis=1)


def select(ok: Bool[Array, "*cells"], then: Array, otherwise: Array | float) -> Array:
    """`then` in the cells that are `ok`, `otherwise` in the others; leading axes are kept."""
    return jnp.where(jnp.broadcast_to(ok, jnp.shape(then)), then, otherwise)


def unstable_modes(A: Matrix, max_steps: int = 60) -> Int[Array, "*cells"]:
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
        mu = jnp.where(change > 1e-2, jnp.sqrt(norm(Y) / norm(X)), 1.0)[None, None]
        new = 0.5 * (mu * X + Y / mu)
        return new, norm(new - X) / norm(new), count + 1

    def unfinished(state):
        return (state[2] < max_steps) & jnp.any(state[1] > 1e-8)

    start = (A, jnp.full(A.shape[2:], jnp.inf, A.dtype), jnp.zeros((), int))
    X, change, _ = jax.lax.while_loop(unfinished, body, start)
    trace = sum(X[i, i] for i in range(n))
    settled = (change < 1e-4) & (jnp.abs(trace - jnp.round(trace)) < 1e-2)
    return jnp.where(settled, jnp.round((n + trace) / 2), -1.0).astype(int)
