"""SUNDIALS' CVODES through CasADi, cell by cell: its adjoint or its forward sensitivities, of equations compiled by gcc.

It takes one absolute tolerance for all states, so it is given the states in units of their scale.
"""

import contextlib
import tempfile
from collections.abc import Callable
from typing import Any

import casadi
import numpy as np
from canonical import SCALE, STATES, WORKLOADS, f
from gradients_loss import WORKLOAD, WRT

import jaxion
from jaxion.kernel.graph.nodes import Graph, evaluate
from jaxion.kernel.tracing.jaxprs import trace

jaxion.enable_x64()

_FUNCTIONS: dict[str, Callable[..., Any]] = {
    **{name: getattr(casadi, name) for name in ("exp", "expm1", "log", "log1p", "sqrt", "tanh")},
    **{"max": casadi.fmax, "abs": casadi.fabs, "select": casadi.if_else},
    **{"lt": lambda a, b: a < b, "le": lambda a, b: a <= b, "eq": lambda a, b: a == b},
}


def prepare(y0: np.ndarray, theta: np.ndarray, mode: str, rtol: float) -> Callable[[], tuple[np.ndarray, ...]]:
    """Function that solves all cells; returns losses, which cells the solver claims to have solved, and gradients `(25, cells)`."""
    # What is compiled is loaded when the function is made: its files, some of which are written where it runs, need not live on.
    with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
        solve = _function(mode, theta.shape[0], rtol, folder)
    starts = y0 / SCALE[:, None]

    def run() -> tuple[np.ndarray, ...]:
        cells = theta.shape[1]
        losses, gradients = np.full(cells, np.nan), np.full((WRT, cells), np.nan)
        for i in range(cells):
            try:
                found = solve(starts[:, i], theta[:WRT, i], theta[WRT:, i])
            except RuntimeError:  # that the solver gave up
                continue
            if mode == "loss":
                losses[i] = float(found)
            else:
                losses[i], gradients[:, i] = float(found[0]), np.asarray(found[1]).ravel()
        claimed = np.isfinite(losses)
        return (losses, claimed) if mode == "loss" else (losses, claimed, gradients)

    return run


def _function(mode: str, params: int, rtol: float, folder: str) -> casadi.Function:
    """Loss and, unless it is wanted alone, its gradient, of a scaled start, parameters and drive."""
    times = WORKLOADS[WORKLOAD].times
    options = {
        **{"abstol": rtol, "reltol": rtol, "max_num_steps": 10_000_000, "show_eval_warnings": False},
        **{"jit": True, "jit_cleanup": False, "compiler": "shell"},
        "jit_options": {"flags": ["-O3"], "cleanup": False, "directory": folder + "/"},
    }
    integrator = casadi.integrator("canonical", "cvodes", _equations(params), float(times[0]), times[1:], options)
    start, free, fixed = casadi.MX.sym("start", len(STATES)), casadi.MX.sym("free", WRT), casadi.MX.sym("fixed", params - WRT)
    saved = integrator(x0=start, p=casadi.vertcat(free, fixed))["xf"]
    loss = casadi.sumsqr(saved - start) / (len(times) * len(STATES))
    gradient = {
        "loss": lambda: [],
        "adjoint": lambda: [casadi.gradient(loss, free)],
        "forward": lambda: [casadi.jtimes(loss, free, casadi.MX.eye(WRT))],
    }[mode]()
    return casadi.Function("solve", [start, free, fixed], [loss, *gradient])


def _equations(params: int) -> dict[str, casadi.SX]:
    graph, sizes = Graph(), {"z": len(STATES), "theta": params}
    inputs = {name: [graph.input(name, i) for i in range(n)] for name, n in sizes.items()}
    rates = trace(lambda t, z, theta: f(t, z * SCALE, theta) / SCALE, graph, graph.input("t"), inputs["z"], inputs["theta"])
    symbols = {"t": casadi.SX.sym("t"), **{name: casadi.SX.sym(name, n) for name, n in sizes.items()}}
    values = evaluate(rates, lambda name, i: symbols[name][i], _FUNCTIONS)
    return {"t": symbols["t"], "x": symbols["z"], "p": symbols["theta"], "ode": casadi.vertcat(*values)}
