"""Which parameter makes cells differ: sensitivity times spread."""

import numpy as np
from jaxtyping import Bool, Float


def variance_shares(
    matrix: Float[np.ndarray, "of wrt cells"], theta: Float[np.ndarray, "wrt cells"], ok: Bool[np.ndarray, " cells"]
) -> Float[np.ndarray, "of wrt"]:
    r"""Share of each parameter in the spread of each response between cells, to first order.

    $$\mathrm{share}_{ij} = \frac{\bar s_{ij}^2\,\mathrm{var}(\ln|\theta_j|)}{\sum_k \bar s_{ik}^2\,\mathrm{var}(\ln|\theta_k|)}$$

    with $\bar s$ the mean scaled sensitivity of the cells that are `ok`. A parameter may be
    influential and yet explain nothing, if it is the same in every cell. Right for parameters that
    vary independently; NaN where nothing that varies moves the response.

    Args:
        matrix: Scaled sensitivities.
        theta: Values of the parameters.
        ok: Cells that count.
    """
    spread = np.var(np.log(np.abs(theta[:, ok])), axis=-1)
    parts = np.mean(matrix[:, :, ok], axis=-1) ** 2 * spread
    total = np.sum(parts, axis=1, keepdims=True)
    return np.divide(parts, total, out=np.full_like(parts, np.nan), where=total > 0)
