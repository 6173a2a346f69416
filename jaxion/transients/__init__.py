"""Transients: a model through a protocol, with measures, and derivatives in whatever can vary."""

from jaxion.transients.measure_forms import parse_measures
from jaxion.transients.measures import Final, Measure, crossing, final, integral, maximum, mean, minimum, spikes
from jaxion.transients.solution import Solution, State
from jaxion.transients.solve import solve

__all__ = [
    "Final",
    "Measure",
    "Solution",
    "State",
    "crossing",
    "final",
    "integral",
    "maximum",
    "mean",
    "minimum",
    "parse_measures",
    "solve",
    "spikes",
]
