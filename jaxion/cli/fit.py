"""`jaxion fit CONFIG.toml --out DIR` and `jaxion report DIR`."""

import sys
from pathlib import Path
from typing import Annotated

from tyro.conf import Positional, arg

from jaxion.cli.arguments import Json
from jaxion.cli.exits import DONE, SOME_FAILED
from jaxion.cli.output import print_json
from jaxion.errors import Status
from jaxion.fits.files.config import read_config
from jaxion.fits.files.folder import check_free, checkpoint_of, save, summary
from jaxion.fits.populations.population_fit import PopulationFit
from jaxion.plots.reports import write_report


def fit(
    config: Annotated[Positional[Path], arg(metavar="CONFIG.toml", help="fit file")],
    /,
    out: Annotated[Path, arg(metavar="DIR", help="folder for the result; a fit that was ended early goes on there")],
    json: Json = False,
) -> int:
    """Parameters of a model from recordings, or their distribution from measured cells, with their uncertainty and what the data cannot tell."""
    check_free(out)
    found, profile = read_config(config).run(checkpoint_of(out), progress=None)
    best = found.fit if isinstance(found, PopulationFit) else found
    save(found, out, profile)
    if json:
        print_json(summary(best))
    else:
        print(found)
        if profile is not None:
            print(profile)
        print(f"Written: {out}; `jaxion report {out}` makes a page of it")
    failed = int((best.statuses != Status.ok).sum())
    if failed:
        print(f"jaxion: {failed} of {len(best.statuses)} starts failed", file=sys.stderr)
    return DONE if best.ok else SOME_FAILED


def report(folder: Annotated[Positional[Path], arg(metavar="DIR", help="folder of a fit")], /) -> int:
    """A page with data and model, all starts, parameters with intervals, and what the data determine."""
    print(f"Written: {write_report(folder)}")
    return DONE
