"""Sensitivities of set-points: what moves them, and by how much."""

from jaxion.sensitivities.setpoints import Sensitivity, sensitivity

__all__ = ["Sensitivity", "sensitivity"]
