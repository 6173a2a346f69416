"""The published stiff problems, to their published ends."""

import functools
from typing import Final

import numpy as np

from jaxion.errors import Status
from jaxion.examinations.outcomes import Finding, Procedure
from jaxion.examinations.problems import PROBLEMS
from jaxion.kernel import System, integrate

RTOL: Final = 1e-7
"""Relative tolerance."""

BOUND: Final = 30 * RTOL
"""Largest error at the end, of what it is relative to: errors of many steps add up."""


def examinations() -> list[Procedure]:
    """One for each problem."""
    return [Procedure(f"stiff {name}", BOUND, functools.partial(_end, name)) for name in PROBLEMS]


def _end(name: str) -> Finding:
    problem = PROBLEMS[name]
    system = System(problem.f, rows=problem.y0.size, params=problem.theta.size)
    course = integrate(system, problem.y0, problem.theta, [0.0, problem.t_end], scale=problem.scale, rtol=RTOL)
    error = np.abs(np.asarray(course.final) - problem.end) / (problem.scale + np.abs(problem.end))
    status = Status(int(course.status))
    done = f"{int(course.accepted)} steps" if status is Status.ok else status.name
    return Finding(float(error.max()), f"error at the published end, t = {problem.t_end:g}, at tolerance {RTOL:g}; {done}")
