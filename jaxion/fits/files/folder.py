"""A fit as a folder: `fit.json` with all that a report shows, and `starts.zarr` with every start."""

import json
import shutil
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from jaxion._json import for_json
from jaxion.errors import StoreError
from jaxion.fits.populations.population_fit import PopulationFit
from jaxion.fits.uncertainty.profiles import Profile
from jaxion.fits.uncertainty.result import Fit
from jaxion.sweeps.provenance import devices, git_revision, versions
from jaxion.sweeps.store import quiet

FORMAT: Final = 1
"""Version of the folder's format."""

_RECORD: Final = "fit.json"
_STARTS: Final = "starts.zarr"
_UNFINISHED: Final = "unfinished"


def record(found: Fit | PopulationFit, profile: Profile | None = None) -> dict[str, Any]:
    """Everything that a report shows, in plain numbers and texts; what is not finite becomes None.

    Args:
        found: The fit.
        profile: Profile likelihoods, if they were computed.
    """
    fit = found.fit if isinstance(found, PopulationFit) else found
    information, problem = fit.information, fit.problem
    data: dict[str, Any] = {
        "jaxion_fit": FORMAT,
        "title": str(problem),
        "models": [_name(model) for model in fit.models],
        **summary(fit),
        "statement": found.statement,
        "units": {p.name: p.unit for p in problem.parameters.free},
        "interval": fit.interval,
        "identifiable": fit.identifiable,
        "audit": fit.audit,
        "singular_values": information.singular_values,
        "correlation": information.correlation,
        "sse": fit.sse,
        "channels": fit.channels,
        "starts": {"loss": fit.losses, "status": fit.statuses, "history": fit.history},
        "versions": versions(),
        "device": devices()[0],
        "git_revision": git_revision(),
        "provenance": {"created": datetime.now(UTC).isoformat(timespec="seconds")},
    }
    if isinstance(found, PopulationFit):
        data["population"] = {
            "paths": list(found.data.vary),
            "correlation": found.correlation,
            "statistics": found.statistics,
            "chi2": found.chi2,
            "freedom": found.freedom,
            "simulated": {code.name: count for code, count in found.counts.items()},
        }
    if profile is not None:
        data["profile"] = {
            name: {"value": profile.values[i], "loss": profile.losses[i], "interval": profile.interval[name]}
            for i, name in enumerate(profile.names)
        }
    return for_json(data)


def summary(fit: Fit) -> dict[str, Any]:
    """The few numbers that `jaxion fit --json` prints."""
    directions = [
        {"singular_value": d.singular_value, "sd": d.sd, "identifiable": d.identifiable, "coefficients": d.coefficients}
        for d in fit.directions
    ]
    return for_json(
        {
            "values": fit.values,
            "sd": fit.sd,
            "loss": fit.loss,
            "rank": fit.rank,
            "directions": directions,
            "status": fit.status.name,
        }
    )


def checkpoint_of(folder: Path) -> Path:
    """Where a fit that is to be saved in a folder keeps its checkpoint meanwhile."""
    return folder / _UNFINISHED


def check_free(folder: Path) -> None:
    """Raise `StoreError` if something is in the place of a folder already, other than a fit that was ended early."""
    if folder.exists() and not (folder.is_dir() and (checkpoint_of(folder).is_dir() or not any(folder.iterdir()))):
        raise StoreError(f"`{folder}` exists already; choose another name.")


def save(found: Fit | PopulationFit, folder: Path, profile: Profile | None = None) -> Path:
    """Write a fit into a folder that must not hold another yet; its checkpoint goes last, so that a folder without one is whole."""
    check_free(folder)
    fit = found.fit if isinstance(found, PopulationFit) else found
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with quiet():
            fit.starts.to_zarr(folder / _STARTS, mode="w", zarr_format=3, consolidated=True)
        text = json.dumps(record(found, profile), indent=1, allow_nan=False, ensure_ascii=False)
        (folder / _RECORD).write_text(text + "\n", encoding="utf-8")
        if checkpoint_of(folder).is_dir():
            shutil.rmtree(checkpoint_of(folder))
    except OSError as error:
        raise StoreError(f"`{folder}` cannot be written ({error.strerror or error}); choose another place.") from None
    return folder


def is_fit(folder: str | Path) -> bool:
    """Whether a folder holds a fit, be it complete or not."""
    return (Path(folder) / _RECORD).is_file() or checkpoint_of(Path(folder)).is_dir()


def read(folder: str | Path) -> dict[str, Any]:
    """The record of a folder that `save` wrote.

    Raises:
        StoreError: There is no such folder, or none of this version.
    """
    file = Path(folder) / _RECORD
    if checkpoint_of(Path(folder)).is_dir():
        raise StoreError(f"The fit of `{folder}` was ended early: give the same `jaxion fit CONFIG.toml --out {folder}` again to go on.")
    try:
        data = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        raise StoreError(f"`{folder}` holds no fit: `jaxion fit CONFIG.toml --out {folder}` makes one.") from None
    if not isinstance(data, dict) or data.get("jaxion_fit") != FORMAT:
        raise StoreError(f"`{folder}` holds a fit of another version; this one reads {FORMAT} only.")
    return data


def _name(model: Any) -> str:
    for attribute in ("name", "func", "__name__"):
        if hasattr(model, attribute):
            found = getattr(model, attribute)
            return found if isinstance(found, str) else getattr(found, "__name__", "function")
    return type(model).__name__
