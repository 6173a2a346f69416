"""What every benchmark writes: where it ran, and its sentences' beginning."""

import argparse
import datetime
import importlib.metadata
import json
import os
import platform
import subprocess
from pathlib import Path
from typing import Any

PACKAGES = (
    *("jaxion", "jax", "jaxlib", "llvmlite", "numpy", "scipy"),
    *("numba", "numbalsoda", "scikit-sundae", "equinox", "optimistix", "diffrax", "casadi", "myokit"),
)


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


def revision(checkout: Path) -> str:
    """Revision of a checkout of jaxion."""
    return _git("rev-parse", "HEAD", folder=checkout) or "unknown"


def write(record: dict[str, Any], out: Path) -> None:
    """The record as JSON."""
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(json.dumps(record, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def rate(entry: dict[str, Any]) -> str:
    """What is said of every contender."""
    return (
        f"{_digits(entry['cells_per_second'])} cells/s (compile {entry['compile_seconds']:.1f} s, "
        f"peak {entry['peak_MiB']:,.0f} MiB, {entry['cells']} cells)"
    )


def cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0))


def check_cores(parser: argparse.ArgumentParser, wanted: int) -> None:
    """Refuse more cores than there are."""
    if wanted > cores():
        parser.error(f"Argument `--cores` must not exceed the {cores()} cores that this process may use.")


def _digits(rate: float) -> str:
    return f"{rate:,.0f}" if rate >= 100 else f"{rate:.3g}"


def _processor() -> str:
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    return next((line.split(":")[1].strip() for line in lines if line.startswith("model name")), platform.processor() or platform.machine())


def _version(name: str) -> str:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return "not installed"


def _git(*arguments: str, folder: Path = Path(__file__).parents[1]) -> str:
    done = subprocess.run(["git", *arguments], cwd=folder, capture_output=True, text=True, check=False)
    return done.stdout.strip() if done.returncode == 0 else ""
