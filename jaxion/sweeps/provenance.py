"""Where a result is from: versions, revision, device, and the hash that tells one sweep from another."""

import hashlib
import importlib.metadata
import json
import subprocess
import textwrap
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import jax
import numpy as np

import jaxion.populations
from jaxion.paths import observe, paths
from jaxion.sweeps.chunks import Plan


def sweep_hash(plan: Plan) -> str:
    """SHA-256 of all that the numbers of a sweep depend on, and of how they are cut into chunks."""
    # The order of keys is kept: that of a grid's paths matters.
    request = plan.request
    run = None if request.run is None else request.run.record()
    parts = [plan.cells.fingerprint, request.of, request.wrt, plan.chunk, *([] if run is None else [run])]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def attributes(plan: Plan, config: str | None = None, file: Path | None = None) -> dict[str, Any]:
    """Attributes of a result. All but `provenance` are the same in every run; nested data is JSON text, which any format can hold.

    Args:
        plan: The sweep.
        config: Text of its sweep file, if it has one.
        file: The sweep file; a model's file is found beside it.
    """
    model, record = plan.cells.base, plan.cells.design.record()
    provenance = {"created": datetime.now(UTC).isoformat(timespec="seconds")}
    attrs = {
        "title": f"{'Set-points' if plan.request.run is None else 'Transients'} of {len(plan.cells)} cells of {model.name}",
        "model": model.name,
        "source": model.source,
        "parameters": json.dumps(_parameters(plan)),
        "population": json.dumps(record),
        "cells": len(plan.cells),
        "chunk": plan.chunk,
        "sweep_hash": sweep_hash(plan),
        "versions": json.dumps(versions()),
        "device": devices()[0],
    }
    if plan.request.of:
        attrs |= {"of": list(plan.request.of), "wrt": list(plan.request.wrt)}
    if plan.request.run is not None:
        attrs["run"] = json.dumps(plan.request.run.record())
    if "seed" in record:
        attrs["seed"] = record["seed"]
    if config is not None:
        attrs["config"] = config
    if file is not None:
        provenance["config_file"] = str(file.absolute())
    revision = git_revision()
    if revision is not None:
        attrs["git_revision"] = revision
    return attrs | {"provenance": json.dumps(provenance)}


def _parameters(plan: Plan) -> dict[str, float]:
    """Values of all parameters in the model that the population is built around."""
    model = plan.cells.base
    # The ion that balances the charge follows from the others.
    balancing = {f"{name}.{membrane.balance}" for name, membrane in model.membranes.items() if model.has_capacitor_law}
    names = [path.name for path in paths(model) if path.kind == "parameter" and path.name not in balancing]
    return {name: float(np.asarray(value)) for name, value in observe(model, model.baseline(), names).items()}


def difference(old: Mapping[str, Any], new: Mapping[str, Any]) -> str:
    """What differs between the attributes of two sweeps whose hashes differ, as half a sentence."""
    before, now = _flat(old), _flat(new)
    first = ("model", "design", "size", "seed", "of", "wrt")
    # Then a key on one side only, which says more than the values that follow from it.
    others = sorted({*before, *now}, key=lambda name: name in before and name in now)
    for name in (*first, *others):
        if before.get(name) != now.get(name):
            return f"`{name}` is {_text(before.get(name))} in the store and {_text(now.get(name))} now"
    return "the model's mechanisms or settings differ"


def _flat(attrs: Mapping[str, Any]) -> dict[str, Any]:
    """What a sweep is made of, each number by its name."""
    found = {name: attrs.get(name) for name in ("model", "of", "wrt")}

    def add(prefix: str, data: dict[str, Any]) -> None:
        for key, value in data.items():
            if isinstance(value, dict):
                add(f"{prefix}{key}.", value)
            else:
                found[prefix + key] = value

    for name in ("population", "parameters", "run"):
        add("", json.loads(attrs.get(name, "{}")))
    return found


def _text(value: Any) -> str:
    if value is None:
        return "absent"
    return textwrap.shorten(value if isinstance(value, str) else json.dumps(value), 60, placeholder=" …")


PACKAGES: Final = ("jaxion", "jax", "jaxlib", "numpy", "scipy", "zarr")
"""Packages that make the numbers and the files."""


def versions(packages: Sequence[str] = PACKAGES) -> dict[str, str]:
    """Versions of packages by name."""
    found = {}
    for name in packages:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            found[name] = "not installed"
    return found


def devices() -> list[str]:
    """Kind of each device; cells are computed on the first."""
    found = [(device.platform, device.device_kind) for device in jax.devices()]
    return [platform if kind == platform else f"{platform} ({kind})" for platform, kind in found]


def git_revision() -> str | None:
    """Revision of jaxion's own checkout, with `-dirty` if files differ from it; None for an installed package."""
    root = Path(jaxion.populations.__file__).parents[2]
    # Asked of that folder alone: a virtual environment may lie inside somebody else's repository.
    if not (root / ".git").exists():
        return None
    try:
        command = ["git", "-C", str(root), "describe", "--always", "--dirty", "--abbrev=40", "--exclude=*"]
        done = subprocess.run(command, capture_output=True, text=True, timeout=10, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() or None if done.returncode == 0 else None
