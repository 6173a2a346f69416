"""`jaxion plot STORE|DIR`: the figure of a sweep or of a fit."""

from pathlib import Path
from typing import Annotated

from tyro.conf import arg

import jaxion
from jaxion.cli.arguments import StorePath
from jaxion.cli.exits import DONE


def plot(
    store: StorePath, /, out: Annotated[Path | None, arg(metavar="FILE.png", help="default: STORE with .png instead of .zarr")] = None
) -> int:
    """Figure of a sweep: distributions, sensitivities, and what makes the cells differ; or of a fit: data against model."""
    file = store.with_suffix(".png") if out is None else out
    jaxion.plot(store, file)
    print(file)
    return DONE
