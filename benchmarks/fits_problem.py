"""What is fitted: the course of the canonical cell through anoxia, its 25 parameters free, each with the prior that cells are drawn from."""

import inspect
from collections.abc import Callable
from typing import Any

import jax.numpy as jnp
import numpy as np
from canonical import PARAMETERS, SCALE, STATES, WORKLOADS

import jaxion
from jaxion.fits.parameters.starts import starting_values

WORKLOAD = "anoxia"
CHANNELS = ("V", "V_g", "Na_i", "K_o", "Cl_i", "w_i", "Na_g", "ATP")
"""What is recorded."""
ROWS = [STATES.index(channel) for channel in CHANNELS]
EVERY = 4
"""Of the times that the workload saves, every so many is recorded: 51."""
TIMES = WORKLOADS[WORKLOAD].times[::EVERY]
SD = 0.05 * SCALE[ROWS]
"""Standard deviation of the noise of each channel: 0.5 mV and the like."""
NOMINAL, SPREAD = np.array(list(PARAMETERS.values())).T
"""Medians of the priors, and their standard deviations in ln θ."""

TOLERANCE = 1e-6
"""A fit is done where a step promises, or brings, a smaller relative decrease of the loss."""
STEPS = 50
"""Steps at most."""
MOST_STEPS = 4096
"""Steps of a course at most, for integrators that can be told so: one trial spikes for minutes, which is no course like the recorded one."""
REACHED = 0.1
"""A start has come to the optimum if its loss, as the judge computes it, is within so much of the least one: a χ² of 0.2."""


def recording(saved: np.ndarray, seed: int) -> np.ndarray:
    """What would have been recorded of states `(201, 16)` that the workload saved: `(times, channels)`, with noise."""
    return saved[::EVERY, ROWS] + SD * np.random.default_rng(seed).standard_normal((len(TIMES), len(ROWS)))


def problem(course: Callable[[Any], Any], recorded: np.ndarray) -> jaxion.FitProblem:
    """The problem for a function that takes 25 parameters to the recorded states `(times, 16)`, in plain JAX."""

    def named(t: Any, **values: Any) -> dict[str, Any]:
        saved = course(jnp.stack([values[name] for name in PARAMETERS]))
        return {channel: saved[:, row] for channel, row in zip(CHANNELS, ROWS, strict=True)}

    # A problem reads the names of a function's arguments.
    arguments = [inspect.Parameter(name, inspect.Parameter.POSITIONAL_OR_KEYWORD) for name in ("t", *PARAMETERS)]
    named.__signature__ = inspect.Signature(arguments)  # pyright: ignore[reportFunctionMemberAccess]
    free = {
        name: jaxion.positive(float(median), prior=jaxion.LogNormal(cv=float(np.sqrt(np.expm1(spread**2)))))
        for name, median, spread in zip(PARAMETERS, NOMINAL, SPREAD, strict=True)
    }
    table = {"t": TIMES, **dict(zip(CHANNELS, recorded.T, strict=True))}
    return jaxion.FitProblem(named, None, table, free=free, noise=dict(zip(CHANNELS, SD.tolist(), strict=True)))


def residuals(saved: np.ndarray, recorded: np.ndarray, x: np.ndarray) -> np.ndarray:
    """Residuals of recorded states `(times, 16)` and of priors at x = ln θ; the loss is half the sum of their squares."""
    return np.concatenate([((saved[:, ROWS] - recorded) / SD).ravel(), (x - np.log(NOMINAL)) / SPREAD])


def starts(count: int, seed: int) -> np.ndarray:
    """Where `jaxion.fit` with this seed begins, `(25, starts)`: the medians, then draws from the priors."""
    found = problem(lambda theta: theta, np.zeros((len(TIMES), len(ROWS))))
    return starting_values(found.parameters, count, seed, 1.0).T
