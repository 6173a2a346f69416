"""`plot`: the figure that fits a result."""

from pathlib import Path
from typing import TYPE_CHECKING

from jaxion.fits import Fit, PopulationFit
from jaxion.fits.files.folder import is_fit, read, record
from jaxion.sweeps import Sweep, open_store
from jaxion.transients import Solution

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def plot(result: Sweep | Solution | Fit | PopulationFit | str | Path, out: str | Path | None = None) -> "Figure":
    """Figure of a sweep: distributions, sensitivities, and what makes the cells differ; or of a transient: its course in time; or of a fit: data against model.

    Args:
        result: A `Sweep`, the folder of a store or of a fit, a `Solution` with saved times, a `Fit`, or a `PopulationFit`.
        out: File to write, such as `"sweep.png"`; its ending chooses the format.

    Returns:
        The matplotlib figure.

    Raises:
        StoreError: There is no store of jaxion at this place.
        ValueError: No cell has a set-point, no times were saved, or the file's ending names no format.
    """
    if isinstance(result, Solution):
        from jaxion.plots.transients import transient_figure

        figure = transient_figure(result)
    elif isinstance(result, Fit | PopulationFit) or (isinstance(result, str | Path) and is_fit(result)):
        from jaxion.plots.fits import data_figure

        figure = data_figure(record(result) if isinstance(result, Fit | PopulationFit) else read(result))
    else:
        from jaxion.plots.populations import population_figure

        figure = population_figure((result if isinstance(result, Sweep) else open_store(result)).ds)
    if out is not None:
        formats = figure.canvas.get_supported_filetypes()
        if Path(out).suffix.removeprefix(".") not in formats:
            raise ValueError(f"`{Path(out).name}` names no format of a figure; known are {', '.join(f'.{name}' for name in formats)}.")
        figure.savefig(out, dpi=150)
    return figure
