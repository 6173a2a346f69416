"""What the experiments with fits share: to write what was found, or to compare it with what was found before."""

import argparse
import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jaxion


def same(found: Any, expected: Any) -> bool:
    """Whether all numbers agree to 1e-3; texts are not compared."""
    if isinstance(expected, dict):
        return found.keys() == expected.keys() and all(same(found[key], expected[key]) for key in expected)
    if isinstance(expected, list):
        return len(found) == len(expected) and all(map(same, found, expected))
    if isinstance(expected, str):
        return isinstance(found, str)
    if found is None or expected is None:
        return found is expected
    # A least χ² may be rounding.
    return math.isclose(found, expected, rel_tol=1e-3, abs_tol=1e-9)


def main(run: Callable[[Path | None], dict], folder: Path, about: str | None) -> None:
    """Command line of an experiment: draws its figures and writes `expected.json`, or with `--check` compares with it.

    Args:
        run: The experiment; given a folder, it draws its figures there.
        folder: The experiment's own.
        about: Its question.
    """
    parser = argparse.ArgumentParser(description=about)
    parser.add_argument("--check", action="store_true", help="compare with expected.json instead of writing it")
    check, file = parser.parse_args().check, folder / "expected.json"
    jaxion.enable_x64()
    text = json.dumps(run(None if check else folder), indent=2)
    print(text)
    if check:
        raise SystemExit(not same(json.loads(text), json.loads(file.read_text())))
    file.write_text(text + "\n")
