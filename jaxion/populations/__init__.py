"""Populations: a model, and a design that says which of its paths vary from cell to cell."""

from jaxion.populations.distributions import Distribution, Factor, LogNormal, Normal, Uniform
from jaxion.populations.population import Population

__all__ = ["Distribution", "Factor", "LogNormal", "Normal", "Population", "Uniform"]
