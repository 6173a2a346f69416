"""The numerical core: stiff trajectories of many independent cells, with derivatives. It knows no biology."""

from jaxion.kernel.integrate import check_limits, check_tangents, integrate
from jaxion.kernel.lowerings import check_lowering, lowered
from jaxion.kernel.newton import Equilibrium
from jaxion.kernel.problem import Course
from jaxion.kernel.reductions import Crossing, Extremum, Integral, Mean, Reduction, Spikes
from jaxion.kernel.system import System

__all__ = [
    "Course",
    "Crossing",
    "Equilibrium",
    "Extremum",
    "Integral",
    "Mean",
    "Reduction",
    "Spikes",
    "System",
    "check_limits",
    "check_lowering",
    "check_tangents",
    "integrate",
    "lowered",
]
