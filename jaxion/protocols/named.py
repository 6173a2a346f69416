"""Protocols that have a name: those that any model can go through, and the published ones of each."""

from collections.abc import Iterator

from jaxion.errors import ConfigError, nearest
from jaxion.model import Model
from jaxion.protocols.constructors import anoxia, block, rest
from jaxion.protocols.protocol import Protocol


def of(model: Model) -> dict[str, Protocol]:
    """Protocols of a model by name.

    `rest` is ten minutes of nothing; `pump_block` a minute of rest, five in which nine tenths of
    every Na⁺/K⁺ pump are blocked, and ten of recovery; `anoxia` likewise, with what the model
    declares. Then follow the model's published ones.

    Args:
        model: The model.

    Example:
        >>> import jaxion
        >>> list(jaxion.protocols.of(jaxion.models.duesterwald2018()))
        ['rest', 'pump_block']
    """
    found = {"rest": Protocol(rest(600))}
    pumps = list(_pumps(model))
    if pumps:
        found["pump_block"] = Protocol(rest(60), block(pumps, 0.9, 300), rest(600))
    if model.anoxia:
        found["anoxia"] = Protocol(rest(60), anoxia(300), rest(600))
    return found | dict(model.published)


def find(model: Model, name: str) -> Protocol:
    """The protocol of a model that bears a name.

    Args:
        model: The model.
        name: Name, such as `"anoxia"`.

    Raises:
        ConfigError: The model has none of that name; those it has are named.
    """
    known = of(model)
    if name not in known:
        names = ", ".join(f"`{one}`" for one in known)
        raise ConfigError(f"Model `{model.name}` has no protocol `{name}`; it has {names}.{nearest(name, known)}")
    return known[name]


def _pumps(model: Model) -> Iterator[str]:
    """Mechanisms that spend ATP to move both Na⁺ and K⁺."""
    for name, membrane in model.membranes.items():
        for key, mechanism in membrane.mechanisms.items():
            if mechanism.cycle.ATP > 0 and {"Na", "K"} <= set(mechanism.cycle.species):
                yield f"{name}.{key}"
