"""The README's Python blocks run, in order, as a reader would run them: in a fresh interpreter, in an empty folder."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

README = Path(__file__).parents[1] / "README.md"


@pytest.mark.slow
def test_python_blocks_run_and_print_what_the_readme_shows(tmp_path):
    text = README.read_text(encoding="utf-8")
    blocks = re.findall(r"^```python\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    assert len(blocks) >= 5
    script = tmp_path / "readme.py"
    script.write_text("\n".join(blocks), encoding="utf-8")
    plain = {name: value for name, value in os.environ.items() if not name.startswith("JAX_")}
    done = subprocess.run(
        [sys.executable, "-W", "error", script], cwd=tmp_path, env=plain, capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "cells.zarr").is_dir()
    # What follows a block is what it printed, but for the rounding that a certificate consists of.
    shown = re.findall(r"^```python\n.*?^```\n```text\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    assert len(shown) == 5
    for line in "".join(shown).splitlines():
        assert line in done.stdout or "residual" in line or "eigenvalue" in line, line
