"""`jaxion doctor`: whether all is well on this machine."""

import dataclasses

import jaxion
from jaxion.cli.arguments import Json
from jaxion.cli.exits import DONE, SOME_FAILED
from jaxion.cli.output import print_json


def doctor(json: Json = False) -> int:
    """Precision, devices, stiff test set, conservation, gradients, machine code, store round trip, on this machine."""
    found = jaxion.doctor()
    if json:
        examinations = [dataclasses.asdict(examination) for examination in found.examinations]
        print_json({"ok": found.ok, "examinations": examinations, "versions": found.versions, "devices": found.devices})
    else:
        print(found)
    return DONE if found.ok else SOME_FAILED
