"""Protocol: what is done to a cell, phase after phase."""

from typing import Any

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array

from jaxion.protocols.numbers import text
from jaxion.protocols.phases import AbstractPhases, Phase


class Protocol(eqx.Module):
    """Phases, one after another, from time 0 on.

    Each phase starts from the model's own values: what one phase changes is back in the next.
    Durations and values may be numbers, arrays of one number a cell, or traced, so that a
    solution can be differentiated in them; edges between phases are exact.

    Args:
        *phases: Phases such as `jaxion.rest(60)`; a protocol among them stands for its own.

    Raises:
        ValueError: There is no phase, or something else is given.

    Example:
        >>> import jaxion
        >>> print(Protocol(jaxion.rest("1 min"), jaxion.block("neuron.nka", 0.9, 300)))
        Protocol of 2 phases:
              60 s  rest
             300 s  block neuron.nka 0.9
    """

    phases: tuple[AbstractPhases, ...]

    def __init__(self, *phases: "AbstractPhases | Protocol"):
        found: list[AbstractPhases] = []
        for phase in phases:
            if not isinstance(phase, AbstractPhases | Protocol):
                raise ValueError(f"A protocol is made of phases such as rest(60), but one of them is `{phase}`.")
            found += phase.phases if isinstance(phase, Protocol) else [phase]
        if not found:
            raise ValueError("A protocol must have at least one phase, such as rest(60), but it has none.")
        self.phases = tuple(found)

    @property
    def duration(self) -> Array:
        """Length of all phases together, s, shape `()` or `(cells,)`."""
        lengths = [jnp.sum(phase.durations, axis=0) for phase in self.phases]
        return sum(lengths[1:], start=lengths[0])

    def __str__(self) -> str:
        """One line a phase: its length, and what happens meanwhile."""
        lines = [f"{_length(phase):>10}  {phase}" for phase in self.phases]
        return "\n".join([f"Protocol of {len(lines)} {'phase' if len(lines) == 1 else 'phases'}:", *lines])


def _length(phase: AbstractPhases) -> str:
    length: Any = phase.duration if isinstance(phase, Phase) else jnp.sum(phase.durations, axis=0)
    return text(length, "s")
