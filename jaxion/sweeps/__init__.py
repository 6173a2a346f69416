"""Sweeps: the set-points of a whole population, in memory or in a store that survives any interruption."""

from jaxion.sweeps.config import SweepConfig, read_config
from jaxion.sweeps.result import Sweep
from jaxion.sweeps.run import open_store, resume, run_file, store_status, sweep

__all__ = ["Sweep", "SweepConfig", "open_store", "read_config", "resume", "run_file", "store_status", "sweep"]
