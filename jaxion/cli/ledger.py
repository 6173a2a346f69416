"""`jaxion ledger MODEL`: what uses the energy of one cell, and what for."""

import sys
from typing import Annotated, Any

from tyro.conf import UseAppendAction, arg

import jaxion
from jaxion.cli.arguments import Args, Json, Lowering, ModelName, Sets, build
from jaxion.cli.courses import PROTOCOL, find_start, read_protocol, start_from
from jaxion.cli.exits import DONE, SOME_FAILED
from jaxion.cli.output import print_json
from jaxion.errors import ConfigError, Status
from jaxion.ledgers import ATP_PER_OXYGEN, Ledger
from jaxion.model import Model
from jaxion.transients import Measure
from jaxion.units import quantity


def ledger(
    model: ModelName,
    /,
    protocol: Annotated[str | None, PROTOCOL] = None,
    args: Args = (),
    sets: Sets = (),
    start: Annotated[UseAppendAction[tuple[str, ...]], start_from("setpoint")] = (),
    spikes: Annotated[
        str | None, arg(metavar="PATH[=LEVEL]", help="count action potentials of a protocol, such as `neuron.V=-20`; default level 0 mV")
    ] = None,
    oxygen: Annotated[float, arg(metavar="ATP", help="ATP that one O₂ yields")] = ATP_PER_OXYGEN,
    rtol: Annotated[float, arg(help="relative tolerance of the integration")] = 1e-8,
    lowering: Lowering = "auto",
    json: Json = False,
) -> int:
    """ATP and O₂ by what uses them and what for: at the set-point, or over a protocol."""
    built = build(model, args, sets)
    if protocol is None:
        if spikes is not None:
            raise ConfigError("Option `--spikes` counts action potentials of a protocol; give one with `--protocol`.")
        found = jaxion.ledger(jaxion.setpoint(built, throw=False, lowering=lowering), ATP_per_oxygen=oxygen)
    else:
        given, _ = read_protocol(built, protocol)
        options: dict[str, Any] = {
            "start": find_start(built, start, lowering, "setpoint"),
            "rtol": rtol,
            "lowering": lowering,
            "throw": False,
        }
        found = jaxion.ledger(built, given, spikes=_spikes(spikes), ATP_per_oxygen=oxygen, **options)
    status = Status(int(found.status))
    if json:
        print_json(_record(built, found, status))
    elif status is Status.ok:
        print(found)
    if status is not Status.ok:
        print(f"jaxion: 1 of 1 cells failed: {status.name}. {status.advice}", file=sys.stderr)
        return SOME_FAILED
    return DONE


def _spikes(text: str | None) -> Measure | None:
    if text is None:
        return None
    path, _, level = text.partition("=")
    return jaxion.spikes(path.strip(), quantity(level.strip() or "0", "mV", path.strip()))


def _record(model: Model, found: Ledger, status: Status) -> dict[str, Any]:
    def both(values: dict[str, Any]) -> dict[str, Any]:
        return {name: {"ATP": ATP, "oxygen": ATP / found.ATP_per_oxygen} for name, ATP in values.items()}

    record = {"model": model.name, "status": status.name, "unit": found.unit, "ATP": found.ATP, "oxygen": found.oxygen}
    record |= {"used": both(found.used), "parts": both(found.parts), "stored": both(found.stored), "error": found.error}
    if found.spikes is not None:
        record |= {"spikes": found.spikes, "per_spike": both(found.per_spike)}
    return record
