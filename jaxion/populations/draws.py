"""Counter-based random numbers: the draw of a cell depends on seed, path and cell number alone.

No chunk, order, device or number of workers can change it, and another path added to a design
leaves the draws of the others as they are.
"""

import functools
import hashlib

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, UInt

Whole = UInt[Array, ""]

MOST_CELLS = 2**32
"""Cells are counted in 32 bits, as seeds are."""


def uniforms(seed: int, path: str, i0: int, i1: int) -> Float[np.ndarray, " cells"]:
    """Uniform draws in (0, 1) of the cells i0…i1 for one path; 0 and 1 are never drawn.

    Raises:
        ValueError: The seed does not have 32 bits.
    """
    check_seed(seed)
    # Whole powers of two, so that few lengths are compiled; the draws beyond i1 are left out.
    count = 1 << max(0, i1 - i0 - 1).bit_length()
    words = np.asarray(_words(*map(np.uint32, (seed, _hash(path), i0)), count=count))[: i1 - i0].astype(np.uint64)
    bits = (words[:, 0] << np.uint64(32)) | words[:, 1]
    return ((bits >> np.uint64(11)).astype(np.float64) + 0.5) * 2.0**-53


def check_seed(seed: int) -> None:
    """Raise `ValueError` if a seed does not have 32 bits."""
    if not 0 <= seed < MOST_CELLS:
        raise ValueError(f"Argument `seed` must lie between 0 and {MOST_CELLS - 1}, but it is {seed}.")


@functools.partial(jax.jit, static_argnames="count")
def _words(seed: Whole, path: Whole, i0: Whole, count: int) -> UInt[Array, "cells 2"]:
    # A folded key is one Threefry block of (seed, path) and the cell number: its 64 bits are the
    # draw. `jax.random.uniform` would depend on the precision switched on and on a global flag.
    key = jax.random.fold_in(jax.random.key(seed, impl="threefry2x32"), path)
    cells = i0 + jnp.arange(count, dtype=jnp.uint32)
    return jax.random.key_data(jax.vmap(jax.random.fold_in, in_axes=(None, 0))(key, cells))


def _hash(path: str) -> int:
    """A number of 32 bits that is the same in every process, unlike Python's own hash."""
    return int.from_bytes(hashlib.blake2b(path.encode(), digest_size=4).digest(), "little")
