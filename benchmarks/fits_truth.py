"""What was recorded, the loss of values as CVODE at a tight tolerance computes it, and the least loss there is."""

import fits_problem as task
import numpy as np
import rounds
from canonical import REST, WORKLOADS, draw, driven, start

TIGHT = 1e-9
"""Relative tolerance of the judge."""


def recorded(seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A cell's 25 parameters, its rest, from which every course starts, and what was recorded of it, with noise."""
    truth = draw(1, seed)
    at_rest = rounds.Contender("rest", "transients_sundials", ("rest", TIGHT), 1)
    rest = rounds.once(at_rest, (start(truth), driven(truth, REST)))[0][-1, :, 0]
    return truth, rest, task.recording(_courses(truth, rest, 1)[:, :, 0], seed)


def losses(values: np.ndarray, recorded: np.ndarray, rest: np.ndarray, processes: int) -> np.ndarray:
    """Loss at each of several values `(25, n)`; NaN where they are."""
    found, there = np.full(values.shape[1], np.nan), np.isfinite(values).all(axis=0)
    if there.any():
        saved = _courses(values[:, there], rest, min(processes, int(there.sum())))[:: task.EVERY]
        pairs = zip(np.moveaxis(saved, -1, 0), np.log(values[:, there]).T, strict=True)
        found[there] = [np.sum(task.residuals(one, recorded, x) ** 2) / 2 for one, x in pairs]
    return found


def polished(values: np.ndarray, recorded: np.ndarray, rest: np.ndarray, processes: int) -> tuple[np.ndarray, np.ndarray]:
    """Losses, and values `(25, n)`, to which SciPy's least squares with variational equations leads from each of several."""
    judge = rounds.Contender("judge", "fits_sundials", (recorded, rest, "trf", TIGHT, 1e-12), values.shape[1], processes)
    found = rounds.once(judge, (values,))
    return found[0], found[1]


def _courses(theta: np.ndarray, rest: np.ndarray, processes: int) -> np.ndarray:
    """States `(201, 16, n)` that the workload saves."""
    judge = rounds.Contender("course", "transients_sundials", (task.WORKLOAD, TIGHT), theta.shape[1], processes)
    return rounds.once(judge, (np.tile(rest[:, None], theta.shape[1]), driven(theta, WORKLOADS[task.WORKLOAD].drive)))[0]
