"""SUNDIALS' CVODES through myokit, cell by cell: forward sensitivities, of equations that it derives and compiles.

It takes one absolute tolerance for all states, so it is given the states in units of their scale.
"""

from collections.abc import Callable

import myokit
import numpy as np
from canonical import SCALE, STATES, WORKLOADS, f
from gradients_loss import WORKLOAD, WRT, by_saved, loss

import jaxion
from jaxion.kernel.graph.nodes import Graph, Node, sorted_nodes
from jaxion.kernel.tracing.jaxprs import trace

jaxion.enable_x64()

_FORMS = {
    **{"add": "{} + {}", "sub": "{} - {}", "mul": "{} * {}", "div": "{} / {}", "neg": "-{}"},
    **{"exp": "exp({})", "log": "log({})", "sqrt": "sqrt({})", "abs": "abs({})", "tanh": "2 / (1 + exp(-2 * {})) - 1"},
    **{"max": "if({0} > {1}, {0}, {1})", "lt": "{} < {}", "le": "{} <= {}", "eq": "{} == {}", "select": "if({}, {}, {})"},
}


def prepare(y0: np.ndarray, theta: np.ndarray, mode: str, rtol: float) -> Callable[[], tuple[np.ndarray, ...]]:
    """Function that solves all cells; returns losses, which cells the solver claims to have solved, and gradients `(25, cells)`."""
    times, states = WORKLOADS[WORKLOAD].times, [f"cell.z{i}" for i in range(len(STATES))]
    wanted = None if mode == "loss" else (states, [f"cell.theta{k}" for k in range(WRT)])
    # What is derived of a parameter is scaled by its first value, which is the first cell's.
    simulation = myokit.Simulation(myokit.parse_model(_text(y0[:, 0] / SCALE, theta[:, 0])), sensitivities=wanted)
    simulation.set_tolerance(rtol, rtol)

    def run() -> tuple[np.ndarray, ...]:
        cells = theta.shape[1]
        losses, claimed, gradients = np.full(cells, np.nan), np.zeros(cells, bool), np.full((WRT, cells), np.nan)
        for i in range(cells):
            for k, value in enumerate(theta[:, i]):
                simulation.set_constant(f"cell.theta{k}", value)
            simulation.reset()
            simulation.set_state(y0[:, i] / SCALE)
            try:
                # A run ends before its last moment.
                found = simulation.run(np.nextafter(times[-1], np.inf), log=states, log_times=times)
            except (myokit.SimulationError, ArithmeticError):
                continue
            log, moved = (found, None) if wanted is None else found
            saved = np.stack([log[name] for name in states], axis=1) * SCALE
            losses[i], claimed[i] = loss(saved, y0[:, i]), True
            if moved is not None:
                gradients[:, i] = np.einsum("ti,tik->k", by_saved(saved, y0[:, i]) * SCALE, np.asarray(moved))
        return (losses, claimed) if wanted is None else (losses, claimed, gradients)

    return run


def _text(z: np.ndarray, theta: np.ndarray) -> str:
    """The model as myokit reads it, every node of the traced equations a variable."""
    graph = Graph()
    inputs = {"z": [graph.input("z", i) for i in range(len(z))], "theta": [graph.input("theta", k) for k in range(len(theta))]}
    rates = trace(lambda t, z, theta: f(t, z * SCALE, theta) / SCALE, graph, graph.input("t"), inputs["z"], inputs["theta"])
    nodes = [node for node in sorted_nodes(rates) if node.op not in ("constant", "input")]
    names = {node.number: f"v{node.number}" for node in nodes}
    # A truth is no value of myokit's: comparisons stand where they are used.
    lines = [f"{names[node.number]} = {_expression(node, names)}" for node in nodes if node.op not in ("lt", "le", "eq")]
    return "\n".join(
        [
            "[[model]]",
            *(f"cell.z{i} = {value!r}" for i, value in enumerate(z.tolist())),
            "[cell]",
            "t = 0 bind time",
            *(f"theta{k} = {value!r}" for k, value in enumerate(theta.tolist())),
            *lines,
            *(f"dot(z{i}) = {_name(node, names)}" for i, node in enumerate(rates)),
        ]
    )


def _expression(node: Node, names: dict[int, str]) -> str:
    return _FORMS[node.op].format(*(_name(arg, names) for arg in node.args))


def _name(node: Node, names: dict[int, str]) -> str:
    if node.op == "constant":
        return f"({node.args[0]!r})"
    if node.op == "input":
        name, index = node.args
        return name if name == "t" else f"{name}{index}"
    return _expression(node, names) if node.op in ("lt", "le", "eq") else names[node.number]
