"""Checkpoints: a fit that is ended early, however it is ended, goes on from its last one and ends at the same bits."""

import contextlib
import json
import os
import time
import zipfile
from pathlib import Path
from typing import Any, Final

import jax
import jax.numpy as jnp
import numpy as np

from jaxion.errors import StoreError
from jaxion.fits.problem import FitProblem
from jaxion.fits.searches.fingerprints import fingerprint

FILE: Final = "state.npz"
"""Name of the checkpoint in its folder."""

_EVERY: Final = 1.0
"""Seconds between two checkpoints at least."""


class Checkpoint:
    """The checkpoint of one fit in a folder of its own.

    Args:
        folder: The folder; it is made if it does not exist.
        problem: What is fitted.
        method: How.
        unknowns: Where the starts begin.

    Raises:
        StoreError: The folder cannot be made.
    """

    def __init__(self, folder: Path, problem: FitProblem, method: Any, unknowns: Any):
        self.file, self.kept = folder / FILE, time.monotonic()
        models = [experiment.model for experiment in problem.experiments]
        self.parts = {
            "model": fingerprint(models),
            "data": fingerprint(problem.experiments),
            "free parameters": fingerprint(problem.parameters, problem.taken),
            "method": fingerprint(method),
            "starts": fingerprint(np.asarray(unknowns)),
        }
        with _writing(folder):
            folder.mkdir(parents=True, exist_ok=True)

    def load(self, state: Any, steps: int) -> tuple[Any, list[np.ndarray]] | None:
        """State and history of the checkpoint; None if there is none.

        Args:
            state: A state of the same structure, such as the first one.
            steps: Steps at most.

        Raises:
            StoreError: It cannot be read, or is that of another fit.
        """
        if not self.file.exists():
            return None
        try:
            with np.load(self.file, allow_pickle=False) as stored:
                parts, history = json.loads(str(stored["parts"])), list(stored["history"])
                arrays = [stored[f"leaf{i}"] for i in range(len(stored.files) - 2)]
        except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
            raise StoreError(f"The checkpoint `{self.file}` cannot be read; delete it to begin again.") from None
        changed = [name for name, value in self.parts.items() if parts.get(name) != value]
        leaves, structure = jax.tree.flatten(state)
        if changed or len(arrays) != len(leaves):
            raise StoreError(
                f"`{self.file.parent}` holds the checkpoint of another fit: its {changed[0] if changed else 'method'} differs. "
                "Choose another folder, or delete it to begin again."
            )
        if len(history) > steps + 1:
            raise StoreError(f"`{self.file.parent}` holds a checkpoint after {len(history) - 1} steps already, but `steps` is {steps}.")
        return jax.tree.unflatten(structure, [_restored(leaf, array) for leaf, array in zip(leaves, arrays, strict=True)]), history

    def keep(self, state: Any, history: list[np.ndarray], last: bool = False) -> None:
        """Write a checkpoint if the one before is old enough, or if this is the last; the one before stays until this one is whole."""
        if not last and time.monotonic() - self.kept < _EVERY:
            return
        arrays: dict[str, Any] = {f"leaf{i}": _stored(leaf) for i, leaf in enumerate(jax.tree.leaves(state))}
        new = self.file.with_suffix(".new")
        with _writing(self.file.parent):
            with new.open("wb") as stream:
                np.savez(stream, parts=np.array(json.dumps(self.parts)), history=np.stack(history), **arrays)
            os.replace(new, self.file)
        self.kept = time.monotonic()


@contextlib.contextmanager
def _writing(folder: Path) -> Any:
    try:
        yield
    except OSError as error:
        raise StoreError(f"`{folder}` cannot be written ({error.strerror or error}); choose another place for the checkpoint.") from None


def _stored(leaf: Any) -> np.ndarray:
    return np.asarray(jax.random.key_data(leaf) if _is_key(leaf) else leaf)


def _restored(leaf: Any, array: np.ndarray) -> Any:
    """An array that was stored, as the kind that a leaf is."""
    return jax.random.wrap_key_data(jnp.asarray(array), impl=jax.random.key_impl(leaf)) if _is_key(leaf) else jnp.asarray(array)


def _is_key(leaf: Any) -> bool:
    return isinstance(leaf, jax.Array) and jnp.issubdtype(leaf.dtype, jax.dtypes.prng_key)
