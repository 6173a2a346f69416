"""What verbs print: JSON for programs, counts of failures on stderr."""

import json
import sys
from typing import Any

import numpy as np

from jaxion.cli import DONE, SOME_FAILED
from jaxion.sweeps import Sweep


def print_json(data: Any) -> None:
    """Print one JSON object; numbers that are not finite become null."""
    print(json.dumps(plain(data), indent=2, allow_nan=False, ensure_ascii=False))


def plain(data: Any) -> Any:
    """Arrays, NumPy numbers and complex numbers (as [real, imaginary]) as what JSON knows."""
    if isinstance(data, dict):
        return {str(key): plain(value) for key, value in data.items()}
    if isinstance(data, (list, tuple)):
        return [plain(value) for value in data]
    if hasattr(data, "tolist"):
        return plain(np.asarray(data).tolist())
    if isinstance(data, complex):
        return [plain(data.real), plain(data.imag)]
    if isinstance(data, float) and not np.isfinite(data):
        return None
    return data


def finish(sweep: Sweep) -> int:
    """Count the failed cells of a sweep on stderr; its exit code."""
    found = sweep.summary()
    if not found["failed"]:
        return DONE
    counts = ", ".join(f"{count:,} {name}" for name, count in found["failed"].items())
    print(f"jaxion: {sum(found['failed'].values()):,} of {found['cells']:,} cells failed: {counts}", file=sys.stderr)
    return SOME_FAILED
