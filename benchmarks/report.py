"""What a benchmark writes: where it ran, how far the contenders agree, and the sentences to quote."""

import datetime
import importlib.metadata
import json
import platform
import subprocess
from pathlib import Path
from typing import Any

import numpy as np

PACKAGES = ("jaxion", "jax", "jaxlib", "numpy", "scipy", "numba", "optimistix", "equinox")
SAME = 1e-6
"""Largest relative difference of any part of a state at which two set-points are the same."""


def agreement(states: np.ndarray, sensitivities: np.ndarray, exact: np.ndarray, ours: np.ndarray, theta: np.ndarray) -> dict[str, Any]:
    """How many cells have the set-point of the closed form, with sensitivities, and how far those are from jaxion's.

    Differences of sensitivities count relative to the cell's largest response of the same path to any parameter, each
    parameter changed by the same fraction: an entry that ought to be zero has no relative error of its own.
    """
    exact, ours, theta = (array[..., : states.shape[-1]] for array in (exact, ours, theta))
    exists = np.isfinite(exact).all(axis=0)
    with np.errstate(invalid="ignore"):
        off = np.max(np.abs(states / exact - 1), axis=0)
    same = exists & (off <= SAME) & np.isfinite(sensitivities).all(axis=(0, 1))
    scaled, wanted = sensitivities * theta, ours * theta
    error = np.abs(scaled - wanted) / np.max(np.abs(wanted), axis=1, keepdims=True)
    return {
        "cells_with_setpoint": int(exists.sum()),
        "same_fraction": float(same.sum() / exists.sum()),
        "state_error": float(off[same].max(initial=0.0)),
        "sensitivity_error": float(error[..., same].max(initial=0.0)),
    }


def surroundings() -> dict[str, Any]:
    """Versions, machine, revision and date."""
    return {
        "date": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "git_revision": _git("rev-parse", "HEAD"),
        "git_changed": bool(_git("status", "--porcelain", "--", "jaxion", "benchmarks/*.py")),
        "python": platform.python_version(),
        "machine": _processor(),
        "versions": {name: _version(name) for name in PACKAGES},
    }


def write(record: dict[str, Any], out: Path) -> None:
    """The record as JSON."""
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(json.dumps(record, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def line(name: str, entry: dict[str, Any]) -> str:
    """One sentence about one contender."""
    agreement = "" if name == "jaxion" else f", sensitivities to {entry['sensitivity_error']:.0e} of jaxion's"
    return (
        f"{name}: {entry['cells_per_second']:,.0f} cells/s (compile {entry['compile_seconds']:.1f} s, peak {entry['peak_MiB']:,.0f} MiB, "
        f"{entry['cells']} cells), the same set-point in {100 * entry['same_fraction']:.2f} % of cells, "
        f"states to {entry['state_error']:.0e}{agreement}."
    )


def _processor() -> str:
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    return next((line.split(":")[1].strip() for line in lines if line.startswith("model name")), platform.processor() or platform.machine())


def _version(name: str) -> str:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return "not installed"


def _git(*arguments: str) -> str:
    done = subprocess.run(["git", *arguments], cwd=Path(__file__).parents[1], capture_output=True, text=True, check=False)
    return done.stdout.strip() if done.returncode == 0 else ""
