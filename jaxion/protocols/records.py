"""Protocols written as plain data, for the attributes of a store."""

from typing import Any

import numpy as np

from jaxion.protocols.effects import Anoxia, Bath, Block, Ramp, Scale, Set, SmoothBlock
from jaxion.protocols.numbers import Text
from jaxion.protocols.phases import AbstractPhases, Phase, Recording, Train
from jaxion.protocols.protocol import Protocol


def plain(protocol: Protocol) -> list[dict[str, Any]]:
    """A protocol as plain data, from which `parse` makes the same one.

    Args:
        protocol: A protocol of concrete numbers.

    Example:
        >>> import jaxion
        >>> plain(Protocol(jaxion.rest("1 min"), jaxion.bath(5, K="12 mM")))
        [{'rest': 60.0}, {'bath': {'K': 12.0}, 'name': 'bath', 'duration': 5.0}]
    """
    return [_entry(phase) for phase in protocol.phases]


def _entry(phase: AbstractPhases) -> dict[str, Any]:
    if isinstance(phase, Train):
        first = {"train": [phase.membrane, _number(phase.current)], "ion": phase.ion, "count": phase.pulses}
        return {**first, "width": _number(phase.width), "period": _number(phase.period)}
    if isinstance(phase, Recording):
        return {"recording": phase.path, "times": _number(phase.times), "values": _number(phase.values)}
    assert isinstance(phase, Phase)
    duration, effects = _number(phase.duration), phase.effects
    if not effects:
        return {"rest": duration}
    # A constructor makes effects of one kind only, but for `phase`.
    first = effects[0]
    if isinstance(first, Bath):
        found = {"bath": {ion: _number(value) for ion, value in first.concentrations.items()}, "name": first.name}
        return {**found, **({"replacing": first.replacing} if first.replacing else {}), "duration": duration}
    if isinstance(first, Anoxia):
        return {"anoxia": duration, "left": _number(first.left)}
    if isinstance(first, Block | SmoothBlock):
        names = [effect.process for effect in effects if isinstance(effect, Block | SmoothBlock)]
        found = {"block" if isinstance(first, Block) else "smooth_block": [names, _number(first.fraction)], "duration": duration}
        times = ("begin", "end", "width") if isinstance(first, SmoothBlock) else ()
        return {**found, **{name: _number(getattr(first, name)) for name in times}}
    return {
        "phase": duration,
        "set": {effect.path: _number(effect.value) for effect in effects if isinstance(effect, Set)},
        "scale": {effect.path: _number(effect.factor) for effect in effects if isinstance(effect, Scale)},
        "ramp": {effect.path: [_number(effect.first), _number(effect.last)] for effect in effects if isinstance(effect, Ramp)},
    }


def _number(value: Any) -> Any:
    return value.text if isinstance(value, Text) else np.asarray(value).tolist()
