"""The numerical core: stiff trajectories and steady states of many independent cells, with derivatives. It knows no biology.

The rest of jaxion imports from here alone, and nothing that it does imports LLVM before machine code is needed.
"""

from jaxion.kernel.integrate import check_limits, check_tangents, integrate, is_single
from jaxion.kernel.lowerings import VARIABLE, NoMachineCode, automatic, check_lowering, lowered
from jaxion.kernel.methods import pseudo_newton
from jaxion.kernel.methods.reductions import NODES, Crossing, Extremum, Integral, Mean, Reduction, ReductionState, Spikes
from jaxion.kernel.problem import Course, Ended, Equilibrium, Response
from jaxion.kernel.steady_states import respond, seek
from jaxion.kernel.system import System
from jaxion.kernel.widths import cores, vector_width
from jaxion.kernel.xla.algebra import identity, inverse, matmul, select, solve, unstable_modes

__all__ = [
    "NODES",
    "VARIABLE",
    "Course",
    "Crossing",
    "Ended",
    "Equilibrium",
    "Extremum",
    "Integral",
    "Mean",
    "NoMachineCode",
    "Reduction",
    "ReductionState",
    "Response",
    "Spikes",
    "System",
    "automatic",
    "check_limits",
    "check_lowering",
    "check_tangents",
    "cores",
    "identity",
    "integrate",
    "inverse",
    "is_single",
    "lowered",
    "matmul",
    "pseudo_newton",
    "respond",
    "seek",
    "select",
    "solve",
    "unstable_modes",
    "vector_width",
]
