"""What a sweep does with every cell in time: its protocol, and what is measured and saved meanwhile."""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any, Final

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array

from jaxion.errors import Status
from jaxion.model import Model
from jaxion.paths import lookup, state_paths
from jaxion.protocols import Protocol, find, parse, plain, resolve
from jaxion.setpoints import SetPoint
from jaxion.transients import final, parse_measures, solve
from jaxion.transients.measured import outputs
from jaxion.transients.times import save_times

STARTS: Final = ("setpoint", "baseline")
"""From where a cell starts: its own set-point, or the baseline of its model."""


@dataclasses.dataclass(frozen=True, eq=False)
class Run:
    """A protocol that every cell goes through.

    Attributes:
        protocol: The protocol.
        measures: Measures by name.
        times: Times at which paths are saved, s; empty if none are.
        paths: Paths that are saved.
        start: `"setpoint"` or `"baseline"`.
        rtol: Relative tolerance of the integration.
    """

    protocol: Protocol
    measures: dict[str, Any]
    times: np.ndarray
    paths: tuple[str, ...]
    start: str
    rtol: float

    def record(self) -> dict[str, Any]:
        """The run as plain data, from which `of_record` makes the same one."""
        return {
            "start": self.start,
            "rtol": self.rtol,
            "protocol": plain(self.protocol),
            "measure": {name: measure.plain for name, measure in self.measures.items()},
            "save": self.times.tolist(),
            "paths": list(self.paths),
        }

    def model(self, model: Model) -> Model:
        """The model with what the protocol adds to it: mechanisms that inject a current."""
        return resolve(self.protocol, model).model

    def outputs(self, model: Model) -> dict[str, tuple[str, str]]:
        """Unit and description of everything that is measured, by name."""
        return outputs(model, self.measures)

    def compute(self, model: Model, point: SetPoint | None) -> dict[str, Array]:
        """Measures, saved paths and status of a batch, the cells axis last; NaN in the cells that are not ok."""
        times = self.times if self.paths else None
        found = solve(model, self.protocol, start=self.start if point is None else point, save=times, measure=self.measures, rtol=self.rtol)
        status = found.status if point is None else jnp.where(point.ok, found.status, point.status)
        values = {**{name: found.measures[name] for name in self.outputs(found.model)}, **{path: found[path] for path in self.paths}}
        shapes = {name: (len(self.times), *status.shape) if name in self.paths else status.shape for name in values}
        whole = {name: jnp.broadcast_to(value, shapes[name]) for name, value in values.items()}
        good = status == Status.ok
        masked = {name: jnp.where(jnp.broadcast_to(good, value.shape), value, jnp.nan) for name, value in whole.items()}
        return {**masked, "status": status}


def check_run(
    model: Model,
    protocol: Protocol | str | None,
    measure: Mapping[str, Any] | None = None,
    save: Any = None,
    paths: Sequence[str] | str | None = None,
    start: str = "setpoint",
    rtol: float = 1e-6,
) -> Run | None:
    """The run, with everything that can be checked beforehand; None if there is no protocol."""
    if start not in STARTS:
        raise ValueError(f"Argument `start` of a sweep must be `setpoint` or `baseline`, but it is `{start}`.")
    if protocol is None:
        for name, given in (("measure", measure), ("save", save), ("paths", paths)):
            if given is not None:
                raise ValueError(f"Argument `{name}` needs a protocol that the cells go through, but none is given.")
        if start != "setpoint":
            raise ValueError("A sweep without a protocol finds set-points: argument `start` must be `setpoint`, but it is `baseline`.")
        return None
    if isinstance(protocol, str):
        protocol = find(model, protocol)
    if not isinstance(protocol, Protocol):
        raise ValueError(f"Argument `protocol` must be a Protocol or the name of one, but it is `{protocol}`.")
    drive = resolve(protocol, model)
    if drive.edges.ndim > 1 or drive.value.ndim > 2:
        raise ValueError("The protocol of a sweep must be the same for all cells; let the population vary what differs between them.")
    if save is None and paths is not None:
        raise ValueError("Argument `paths` names what is saved, but `save` gives no times.")
    times = np.zeros(0) if save is None else save_times(save, float(drive.edges[-1]))
    saved = () if save is None else state_paths(model) if paths is None else (paths,) if isinstance(paths, str) else tuple(paths)
    for path in saved:
        lookup(drive.model, path)
    if len(set(saved)) < len(saved):
        raise ValueError(f"Argument `paths` must name each path once, but it names `{max(saved, key=saved.count)}` twice.")
    measures = dict(measure) if measure is not None else {} if saved else {"end": final()}
    run = Run(protocol, measures, times, saved, start, float(rtol))
    run.outputs(drive.model)  # raises if a measure does not fit the model
    return run


def of_record(model: Model, data: Mapping[str, Any], where: str) -> Run | None:
    """The run whose plain data a store holds."""
    protocol, measures = parse(data["protocol"], where), parse_measures(data["measure"], where)
    return check_run(model, protocol, measures, data["save"] or None, data["paths"] or None, data["start"], data["rtol"])
