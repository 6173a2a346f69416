"""Sensitivities of set-points: what moves them, and by how much."""

from jaxion.sensitivities.setpoints import Sensitivity, sensitivity
from jaxion.sensitivities.shares import variance_shares

__all__ = ["Sensitivity", "sensitivity", "variance_shares"]
