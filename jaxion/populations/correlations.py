r"""Correlations between paths: a Gaussian copula, whose matrix is that of the normal numbers behind the draws.

For log-normal paths it is the correlation of the logarithms, for normal ones that of the values; for `Uniform` and `Factor`
the ranks have the correlation $(6/\pi)\arcsin(\rho/2)$.

Source: Kruskal (1958) J Am Stat Assoc 53:814.
"""

import itertools
from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
from jaxtyping import Float

from jaxion.errors import PathError, nearest

Matrix = Float[np.ndarray, "paths paths"]

_SYMMETRIC: Final = 1e-12
"""Difference of two entries that is rounding."""


def correlation_matrix(given: Any, paths: Sequence[str]) -> Matrix:
    """A correlation matrix in the order of some paths.

    Args:
        given: The matrix itself, or the correlation of each pair of paths, such as `{("neuron.kcc2.g", "neuron.leak_K.g"): 0.5}`; those
            of other pairs are zero.
        paths: The paths.

    Raises:
        PathError: A pair names a path that does not vary.
        ValueError: It is no correlation matrix: not symmetric, not one on the diagonal, or not positive definite.
    """
    matrix = _of_pairs(given, paths) if isinstance(given, Mapping) else _of_array(given, paths)
    if not np.all(np.isfinite(matrix)) or np.linalg.eigvalsh(matrix)[0] <= 0:
        raise ValueError(
            f"Argument `correlation` must be a positive definite matrix, but no numbers can have the correlations {_in_words(matrix, paths)}."
        )
    return matrix


def pairs(matrix: Matrix, paths: Sequence[str]) -> dict[tuple[str, str], float]:
    """Correlation of each pair of paths."""
    return {(paths[i], paths[j]): float(matrix[i, j]) for i, j in itertools.combinations(range(len(paths)), 2)}


def correlated(normal: Sequence[Any], cholesky: Any) -> list[Any]:
    """Standard normal numbers with a correlation, from independent ones; of NumPy or JAX.

    Args:
        normal: Independent numbers of each path.
        cholesky: Lower triangular factor of the correlation matrix.
    """
    # Term by term: a product of matrices would round a cell differently in a slice of another length.
    return [sum((cholesky[i, j] * normal[j] for j in range(1, i + 1)), start=cholesky[i, 0] * normal[0]) for i in range(len(normal))]


def _of_pairs(given: Mapping[Any, Any], paths: Sequence[str]) -> Matrix:
    matrix = np.eye(len(paths))
    for pair, value in given.items():
        if not isinstance(pair, tuple) or len(pair) != 2:
            raise ValueError(f"Argument `correlation` must have pairs of paths as its keys, but `{pair}` is none.")
        for path in pair:
            if path not in paths:
                raise PathError(f"Argument `correlation` names `{path}`, which does not vary.{nearest(str(path), paths)}")
        i, j = (paths.index(path) for path in pair)
        if i == j or not -1 < value < 1:
            raise ValueError(
                f"The correlation of `{pair[0]}` and `{pair[1]}` must be of two paths and between -1 and 1, but it is {value:g}."
            )
        matrix[i, j] = matrix[j, i] = value
    return matrix


def _of_array(given: Any, paths: Sequence[str]) -> Matrix:
    matrix = np.asarray(given, float)
    if matrix.shape != (len(paths), len(paths)):
        raise ValueError(
            f"Argument `correlation` must have a row and a column for each of {len(paths)} paths, but its shape is {matrix.shape}."
        )
    if np.max(np.abs(matrix - matrix.T)) > _SYMMETRIC or np.max(np.abs(np.diag(matrix) - 1)) > _SYMMETRIC:
        raise ValueError("Argument `correlation` must be symmetric with ones on its diagonal, but it is not.")
    return matrix


def _in_words(matrix: Matrix, paths: Sequence[str]) -> str:
    return ", ".join(f"{value:g}" for value in pairs(matrix, paths).values())
