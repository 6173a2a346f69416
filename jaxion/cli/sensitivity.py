"""`jaxion sensitivity MODEL`: what moves the set-point of one cell."""

from typing import Annotated

from tyro.conf import arg

import jaxion
from jaxion.cli.arguments import Args, Json, Lowering, ModelName, Sets, build, names
from jaxion.cli.exits import DONE
from jaxion.cli.output import print_json


def sensitivity(
    model: ModelName,
    /,
    of: Annotated[str, arg(metavar="PATH,…", help="paths that respond, such as `neuron.V,neuron.Cl`")],
    wrt: Annotated[str, arg(metavar="PATH,…", help="parameters that vary, such as `neuron.kcc2.g,bath.K`")],
    args: Args = (),
    sets: Sets = (),
    raw: Annotated[bool, arg(help="plain derivatives in the paths' own units instead of elasticities")] = False,
    lowering: Lowering = "auto",
    json: Json = False,
) -> int:
    """Sensitivities of a set-point: mV per e-fold for potentials, elasticities for all else."""
    s = jaxion.sensitivity(build(model, args, sets), of=names(of), wrt=names(wrt), scaled=not raw, lowering=lowering)
    if json:
        print_json({"of": s.of, "wrt": s.wrt, "scaled": s.scaled, "matrix": s.matrix})
    else:
        print(s.table())
    return DONE
