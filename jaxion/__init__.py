"""Differentiable simulation of ion homeostasis in large batches of heterogeneous neurons."""

from jaxion import mechanisms as mechanisms
from jaxion import models as models
from jaxion import thermo as thermo
from jaxion import units as units
from jaxion.checks import Check, check
from jaxion.compartment import Bath, Compartment, Membrane
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
from jaxion.model import Model
from jaxion.paths import paths, replace
from jaxion.plots import plot
from jaxion.populations import Factor, LogNormal, Normal, Population, Uniform
from jaxion.precision import enable_x64
from jaxion.sensitivities import Sensitivity, sensitivity
from jaxion.setpoints import Certificate, SetPoint, setpoint
from jaxion.sweeps import Sweep, open_store, resume, store_status, sweep

__all__ = [
    "Bath",
    "Certificate",
    "Check",
    "Compartment",
    "ConfigError",
    "ConservationError",
    "Cycle",
    "Factor",
    "JaxionError",
    "LogNormal",
    "Membrane",
    "Model",
    "Normal",
    "PathError",
    "Population",
    "PrecisionError",
    "Sensitivity",
    "SetPoint",
    "SetPointError",
    "Status",
    "StoreError",
    "Sweep",
    "Uniform",
    "UnitError",
    "check",
    "enable_x64",
    "open_store",
    "paths",
    "plot",
    "replace",
    "resume",
    "sensitivity",
    "setpoint",
    "store_status",
    "sweep",
]
