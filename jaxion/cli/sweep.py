"""`jaxion sweep CONFIG.toml --out STORE`: a batched sweep from a file."""

from pathlib import Path
from typing import Annotated

from tyro.conf import Positional, arg

from jaxion.cli.output import finish
from jaxion.sweeps import run_file


def sweep(
    config: Annotated[Positional[Path], arg(metavar="CONFIG.toml", help="sweep file")],
    /,
    out: Annotated[Path, arg(metavar="STORE", help="folder for the results; it must not exist yet")],
) -> int:
    """Set-points and sensitivities of every cell of a population, into a store."""
    done = run_file(config, out)
    print(done)
    return finish(done)
