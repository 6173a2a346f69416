"""The one matrix that a step inverts, for all lanes side by side: cells come last, so that every operation is a vector operation."""

import jax
from jaxtyping import Array, Float

Matrix = Float[Array, "n n lanes"]


@jax.custom_jvp
def inverse(W: Matrix) -> Matrix:
    r"""Inverse of each lane's matrix by Gauss–Jordan elimination in place, without pivoting.

    Meant for $1/(h\gamma) - J$, whose diagonal is shifted; where a pivot vanishes the result is not
    finite, and the step is rejected. Differentiable at every order through $dW^{-1} = -W^{-1}\,dW\,W^{-1}$.
    """
    for k in range(W.shape[0]):
        pivot = 1.0 / W[k, k]
        row = (W[k] * pivot[None]).at[k].set(pivot)
        column = W[:, k].at[k].set(0.0)
        W = (W.at[:, k].set(0.0) - column[:, None] * row[None]).at[k].set(row)
    return W


@inverse.defjvp
def _inverse_jvp(primals, tangents):
    X = inverse(*primals)
    return X, -product(product(X, tangents[0]), X)


def product(A: Float[Array, "n k lanes"], B: Float[Array, "k m lanes"]) -> Float[Array, "n m lanes"]:
    """Matrix product of each lane."""
    # Written out: XLA's reduction over an inner axis is no vector operation.
    return sum((A[:, k, None] * B[None, k] for k in range(1, A.shape[1])), start=A[:, 0, None] * B[None, 0])


def apply(A: Float[Array, "n k lanes"], x: Float[Array, "k lanes"]) -> Float[Array, "n lanes"]:
    """Matrix times vector of each lane."""
    return sum((A[:, k] * x[k][None] for k in range(1, A.shape[1])), start=A[:, 0] * x[0][None])


def combine(weights: Float[Array, " k"], x: Float[Array, "k *rest"]) -> Float[Array, "*rest"]:
    """Σ weight × entry along the first axis."""
    return sum((weights[k] * x[k] for k in range(1, x.shape[0])), start=weights[0] * x[0])
