"""`jaxion setpoint MODEL`: one cell's steady state and its certificate."""

import sys
from typing import Annotated

from tyro.conf import arg

import jaxion
from jaxion.cli.arguments import Args, Json, Lowering, ModelName, Sets, Starts, build, pairs
from jaxion.cli.exits import DONE, SOME_FAILED
from jaxion.cli.output import print_json
from jaxion.errors import Status
from jaxion.paths import lookup
from jaxion.setpoints import SetPoint
from jaxion.setpoints.point import branch_name
from jaxion.units import quantity


def setpoint(
    model: ModelName,
    /,
    args: Args = (),
    sets: Sets = (),
    starts: Starts = (),
    certificate: Annotated[bool, arg(help="print residual, totals, condition, eigenvalues and branch")] = False,
    lowering: Lowering = "auto",
    json: Json = False,
) -> int:
    """Steady state of a model: potentials, concentrations, volume."""
    built = build(model, args, sets)
    start = {path: quantity(value, lookup(built, path).unit, path) for path, value in pairs("start", starts).items()}
    point = jaxion.setpoint(built, start=start or None, throw=False, lowering=lowering)
    status = Status(int(point.status))
    if json:
        print_json(_record(point, status))
    else:
        print(point.report(certificate=certificate))
    if status is not Status.ok:
        print(f"jaxion: 1 of 1 cells failed: {status.name}", file=sys.stderr)
        return SOME_FAILED
    return DONE


def _record(point: SetPoint, status: Status) -> dict:
    state = point.read(point.state_paths())
    certificate = point.certificate
    return {
        "model": point.model.name,
        "state": state,
        "units": {path: lookup(point.model, path).unit for path in state},
        "status": status.name,
        "certificate": {
            "residual": certificate.residual,
            "totals": certificate.totals,
            "condition": certificate.condition,
            "eigenvalues": point.eigenvalues,
            "stable": certificate.stable,
            "branch": str(branch_name(certificate)) if bool(point.found) else None,
        },
    }
