"""Figures of results."""

from jaxion.plots.plot import plot

__all__ = ["plot"]
