"""Where the starts of a search begin: the first at the start that was given, the others around it."""

import numpy as np

from jaxion.fits.parameters.parameters import Parameter, Parameters
from jaxion.populations import LogNormal
from jaxion.populations.draws import check_seed, uniforms


def starting_values(parameters: Parameters, starts: int, seed: int, spread: float) -> np.ndarray:
    """Values of the free parameters, `(starts, parameters)`; a start is the same however many there are.

    Args:
        parameters: The parameters.
        starts: How many starts; the first is where each parameter begins.
        seed: The others depend on it, on the parameter's name and on the number of the start alone.
        spread: Standard deviation of the others: of ln θ, or in units of the size of an unbounded parameter.

    Raises:
        ValueError: There is no start, the spread is not positive, or the seed does not have 32 bits.
    """
    check_seed(seed)
    if starts < 1:
        raise ValueError(f"Argument `starts` must be 1 or more, but it is {starts}.")
    if not spread > 0:
        raise ValueError(f"Argument `spread` must be positive, but it is {spread:g}.")
    columns = [np.append(p.start, _displaced(p, uniforms(seed, p.name, 1, starts), spread)) for p in parameters.free if starts > 1]
    return np.stack(columns, axis=1) if columns else parameters.start[None]


def _displaced(parameter: Parameter, u: np.ndarray, spread: float) -> np.ndarray:
    # What is known beforehand is where to look.
    own = parameter.prior_sd if isinstance(parameter.transform.prior, LogNormal) else spread
    return parameter.transform.displaced(parameter.start, u, own)
