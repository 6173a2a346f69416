"""A small sweep, written, read, broken off and resumed in a temporary folder."""

import shutil
import tempfile
from pathlib import Path

import numpy as np

from jaxion.examinations.outcomes import Finding, Procedure
from jaxion.models import duesterwald2018
from jaxion.populations import Population
from jaxion.sweeps import open_store, resume, sweep

CELLS, CHUNK = 12, 5


def examinations() -> list[Procedure]:
    """The round trip of a store."""
    return [Procedure("store round trip", 0.0, _round_trip)]


def _round_trip() -> Finding:
    cells = Population.grid(duesterwald2018(), {"neuron.kcc2.g": np.linspace(0.05, 0.4, CELLS)})
    asked = {"of": ("neuron.V", "neuron.Cl"), "wrt": ("neuron.kcc2.g", "bath.K"), "progress": False}
    with tempfile.TemporaryDirectory() as folder:
        whole, broken = Path(folder) / "whole", Path(folder) / "broken"
        memory = sweep(cells, **asked).ds
        sweep(cells, **asked, out=whole, chunk=CHUNK)
        read = open_store(whole).ds
        values = [name for name in memory.data_vars if not np.array_equal(memory[name].values, read[name].values, equal_nan=True)]
        shutil.copytree(whole, broken)
        # As after a kill in the second chunk: a part of its files is there, and its status, which comes last, is not.
        (broken / "status/c/1").unlink()
        (broken / "neuron.V/c/1").unlink()
        missing = len(open_store(broken).missing_chunks)
        resume(broken, cells, progress=False)
        files = _files(whole).items() ^ _files(broken).items()
    wrong = len(values) + len({name for name, _ in files}) + abs(missing - 1)
    done = f"{CELLS} cells in {-(-CELLS // CHUNK)} chunks written, read, broken off, resumed"
    return Finding(float(wrong), f"variables and files that differ; {done}")


def _files(store: Path) -> dict[str, bytes]:
    """Contents of each chunk of each variable."""
    return {str(file.relative_to(store)): file.read_bytes() for file in store.glob("*/c/**/*") if file.is_file()}
