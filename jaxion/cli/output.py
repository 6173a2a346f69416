"""What verbs print: JSON for programs, counts of failures on stderr."""

import json
import sys
from typing import Any

from jaxion._json import for_json
from jaxion.cli.exits import DONE, SOME_FAILED
from jaxion.sweeps import Sweep


def print_json(data: Any) -> None:
    """Print one JSON object; numbers that are not finite become null."""
    print(json.dumps(for_json(data), indent=2, allow_nan=False, ensure_ascii=False))


def finish(sweep: Sweep) -> int:
    """Count the failed cells of a sweep on stderr; its exit code."""
    found = sweep.summary()
    if not found["failed"]:
        return DONE
    counts = ", ".join(f"{count:,} {name}" for name, count in found["failed"].items())
    print(f"jaxion: {sum(found['failed'].values()):,} of {found['cells']:,} cells failed: {counts}", file=sys.stderr)
    return SOME_FAILED
