"""`jaxion check MODEL`: whether it keeps the laws."""

import jaxion
from jaxion.cli.arguments import Args, Json, ModelName, Sets, build
from jaxion.cli.exits import DONE, SOME_FAILED
from jaxion.cli.output import print_json


def check(model: ModelName, /, args: Args = (), sets: Sets = (), json: Json = False) -> int:
    """Stoichiometry, charges, conserved totals, the second law at random states, the baseline's residual."""
    found = jaxion.check(build(model, args, sets))
    if json:
        laws = {name: {"holds": law.holds, "worst": law.worst} for name, law in found.laws.items()}
        print_json({"ok": found.ok, "laws": laws, "totals": found.totals, "baseline_residual": found.baseline_residual})
    else:
        print(found)
    return DONE if found.ok else SOME_FAILED
