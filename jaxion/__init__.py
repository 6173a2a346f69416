"""Differentiable simulation of ion homeostasis in large batches of heterogeneous neurons."""

from jaxion import thermo as thermo
from jaxion import units as units
from jaxion.cycle import Cycle
from jaxion.errors import (
    ConfigError,
    ConservationError,
    JaxionError,
    PathError,
    PrecisionError,
    SetPointError,
    Status,
    StoreError,
    UnitError,
)

__all__ = [
    "ConfigError",
    "ConservationError",
    "Cycle",
    "JaxionError",
    "PathError",
    "PrecisionError",
    "SetPointError",
    "Status",
    "StoreError",
    "UnitError",
]
