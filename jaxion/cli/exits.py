"""Exit codes of all verbs."""

from typing import Final

DONE: Final = 0
"""Everything is done."""

SOME_FAILED: Final = 1
"""Finished, but some cells failed."""

WRONG_INPUT: Final = 2
"""Wrong arguments or input."""
