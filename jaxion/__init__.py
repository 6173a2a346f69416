"""Differentiable simulation of ion homeostasis in large batches of heterogeneous neurons."""

from jaxion import mechanisms as mechanisms
from jaxion import models as models
from jaxion import protocols as protocols
from jaxion import thermo as thermo
from jaxion import units as units
from jaxion.calibration import calibrate
from jaxion.checks import Check, check
from jaxion.compartment import Axial, Bath, Compartment, Link, Membrane
from jaxion.cycle import Cycle
from jaxion.errors import (
    ConfigError,
    ConservationError,
    FitError,
    JaxionError,
    PathError,
    PrecisionError,
    SetPointError,
    Status,
    StoreError,
    TransientError,
    UnitError,
)
from jaxion.examinations import Diagnosis, Examination, doctor
from jaxion.fits import (
    Fit,
    FitProblem,
    PopulationFit,
    Posterior,
    Profile,
    Recording,
    Summary,
    estimated,
    fit,
    fit_population,
    fixed,
    huber,
    interval,
    positive,
    posterior,
    profile,
    relative,
    student,
    tied,
    unbounded,
)
from jaxion.ledgers import Ledger, ledger
from jaxion.model import Model
from jaxion.paths import paths, replace
from jaxion.plots import plot
from jaxion.populations import Factor, LogNormal, Normal, Population, Uniform
from jaxion.precision import enable_x64
from jaxion.protocols import Protocol, anoxia, bath, block, inject, phase, recording, rest, smooth_block, train
from jaxion.sensitivities import Sensitivity, sensitivity
from jaxion.setpoints import Certificate, SetPoint, setpoint
from jaxion.sweeps import Sweep, open_store, resume, store_status, sweep
from jaxion.transients import Solution, State, crossing, final, integral, maximum, mean, minimum, solve, spikes

__all__ = [
    "Axial",
    "Bath",
    "Certificate",
    "Check",
    "Compartment",
    "ConfigError",
    "ConservationError",
    "Cycle",
    "Diagnosis",
    "Examination",
    "Factor",
    "Fit",
    "FitError",
    "FitProblem",
    "JaxionError",
    "Ledger",
    "Link",
    "LogNormal",
    "Membrane",
    "Model",
    "Normal",
    "PathError",
    "Population",
    "PopulationFit",
    "Posterior",
    "PrecisionError",
    "Profile",
    "Protocol",
    "Recording",
    "Sensitivity",
    "SetPoint",
    "SetPointError",
    "Solution",
    "State",
    "Status",
    "StoreError",
    "Summary",
    "Sweep",
    "TransientError",
    "Uniform",
    "UnitError",
    "anoxia",
    "bath",
    "block",
    "calibrate",
    "check",
    "crossing",
    "doctor",
    "enable_x64",
    "estimated",
    "final",
    "fit",
    "fit_population",
    "fixed",
    "huber",
    "inject",
    "integral",
    "interval",
    "ledger",
    "maximum",
    "mean",
    "minimum",
    "open_store",
    "paths",
    "phase",
    "plot",
    "positive",
    "posterior",
    "profile",
    "recording",
    "relative",
    "replace",
    "rest",
    "resume",
    "sensitivity",
    "setpoint",
    "smooth_block",
    "solve",
    "spikes",
    "store_status",
    "student",
    "sweep",
    "tied",
    "train",
    "unbounded",
]
