"""Turnover of a saturable carrier that stands still exactly where thermodynamics says."""

from collections.abc import Mapping

import jax.numpy as jnp
from jaxtyping import Array

from jaxion.cycle import Cycle
from jaxion.mechanisms.base import MembraneView


def saturation(m: MembraneView, cycle: Cycle, K: Mapping[str, Array]) -> Array:
    r"""Net turnover over its maximum, of a carrier that binds all substrates of a side at once.

    $$\frac{a - b}{1 + a + b} = \frac{a}{1+a+b}\left(1 - e^{\Delta G/RT}\right), \qquad
    a = e^{-qV F/2RT}\prod_\mathrm{start}\left(\frac{c}{K}\right)^n, \quad b = e^{+qVF/2RT}\prod_\mathrm{end}\left(\frac{c}{K}\right)^n$$

    with q the charge that a turnover moves with the substrates; the field acts on loading and
    unloading alike. It lies between −1 and 1.

    Args:
        m: What the carrier sees.
        cycle: What a turnover moves.
        K: Half-saturation of each substrate, mM, the same on both sides.
    """
    field = 0.5 * cycle.charge * m.V / m.RT_F
    a, b = jnp.exp(field), jnp.exp(-field)
    for species, count in cycle.solutes:
        origin, goal = (m.inside, m.outside) if count > 0 else (m.outside, m.inside)
        a = a * (origin[species] / K[species]) ** abs(count)
        b = b * (goal[species] / K[species]) ** abs(count)
    return (a - b) / (1.0 + a + b)
