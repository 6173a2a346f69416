"""The variables of a sweep's result: their names, dimensions and attributes, in memory as in a store."""

import dataclasses
import re
from typing import Any, Final

from jaxion.errors import Status
from jaxion.model import Model
from jaxion.paths import check_settable, lookup, paths, state_paths
from jaxion.populations import Population
from jaxion.sweeps.runs import Run

STATUS: Final = "status"
SENSITIVITY: Final = "sensitivity"


@dataclasses.dataclass(frozen=True)
class Variable:
    """One array of the result.

    Attributes:
        name: Name in the dataset; a path, mostly.
        dims: Its dimensions, `"cell"` first.
        attrs: `role`, `units`, `long_name` and more.
        dtype: `float64`, or `uint8` for the status.
    """

    name: str
    dims: tuple[str, ...]
    attrs: dict[str, Any]
    dtype: str = "float64"


@dataclasses.dataclass(frozen=True)
class Request:
    """What is asked of every cell: its set-point, the sensitivities of the paths `of` to the paths `wrt`, and a protocol from there."""

    of: tuple[str, ...] = ()
    wrt: tuple[str, ...] = ()
    run: Run | None = None

    @property
    def setpoint(self) -> bool:
        """Whether the set-point of every cell is found."""
        return self.run is None or self.run.start == "setpoint"

    @property
    def coordinates(self) -> dict[str, tuple[Any, dict[str, Any]]]:
        """Values and attributes of the dimensions other than `cell`."""
        found: dict[str, tuple[Any, dict[str, Any]]] = {"of": (self.of, {}), "wrt": (self.wrt, {})} if self.of else {}
        if self.run is not None and self.run.paths:
            found["time"] = (self.run.times, {"units": "s", "long_name": "time since the protocol began"})
        return found


def check_request(model: Model, of: Any = None, wrt: Any = None, run: Run | None = None) -> Request:
    """The request, with its paths looked up; None or a single path stand for none or one."""
    responses, causes = (() if given is None else (given,) if isinstance(given, str) else tuple(given) for given in (of, wrt))
    request = Request(responses, causes, run)
    if bool(request.of) != bool(request.wrt):
        raise ValueError("Sensitivities need both `of` and `wrt`, but only one of them is given.")
    if request.of and not request.setpoint:
        raise ValueError("Sensitivities are those of set-points: they need `start` to be `setpoint`, but it is `baseline`.")
    for argument, given in (("of", request.of), ("wrt", request.wrt)):
        if len(set(given)) < len(given):
            raise ValueError(f"Argument `{argument}` must name each path once, but it names `{max(given, key=given.count)}` twice.")
    for path in request.of:
        lookup(model, path)
    for path in request.wrt:
        check_settable(model, path)
    return request


def setpoint_paths(model: Model) -> tuple[str, ...]:
    """Paths that are kept of a set-point: the whole state, then E_* and DF_* of every ion."""
    forces = [path.name for path in paths(model) if path.kind == "derived" and path.name.split(".")[-1].startswith(("E_", "DF_"))]
    return (*state_paths(model), *forces)


def kept_paths(model: Model, request: Request) -> tuple[str, ...]:
    """Paths that are kept of a set-point, but for those whose whole course is saved."""
    saved = () if request.run is None else request.run.paths
    return tuple(path for path in setpoint_paths(model) if path not in saved)


def parameter_names(cells: Population, request: Request) -> dict[str, str]:
    """Name of the variable of each varied path: the path, or `baseline.` and the path where something that is found bears it."""
    saved = () if request.run is None else request.run.paths
    taken = {*setpoint_paths(cells.base), *saved}
    return {path: f"baseline.{path}" if path in taken else path for path in cells.paths}


def variables(cells: Population, request: Request) -> tuple[Variable, ...]:
    """All variables of a result; the status comes last, as it is written last."""
    model, found = cells.base, []
    for path, name in parameter_names(cells, request).items():
        found.append(Variable(name, ("cell",), {"role": "parameter", **_about(model, path), "source": model.source}))
    if request.setpoint:
        found += _of_setpoint(model, request)
    if request.run is not None:
        found += _of_run(model, request.run)
    if request.of:
        attrs = {
            "role": "sensitivity",
            "units": "mV per e-fold for potentials, 1 for all else",
            "long_name": "scaled sensitivity of the set-point: change of a potential, or d ln of all else, per d ln of the parameter",
        }
        found.append(Variable(SENSITIVITY, ("cell", "of", "wrt"), attrs))
    flags = {"flag_values": [int(code) for code in Status], "flag_meanings": " ".join(code.name for code in Status)}
    found.append(Variable(STATUS, ("cell",), {"role": "status", "long_name": "outcome of each cell", **flags}, "uint8"))
    _check_names(found)
    return tuple(found)


def _check_names(found: list[Variable]) -> None:
    """Every variable has a name of its own, which can be that of a folder."""
    taken = {v.name for v in found if v.attrs["role"] != "measure"} | {"cell", "time", "of", "wrt"}
    for v in found:
        if v.attrs["role"] == "measure" and (v.name in taken or re.fullmatch(r"\w[\w.+-]*", v.name) is None):
            reason = "bears the name of something else in the result" if v.name in taken else "must be made of letters, digits, dots and _"
            raise ValueError(f"The name of measure `{v.name}` {reason}; choose another, such as `my_measure`.")


def _of_setpoint(model: Model, request: Request) -> list[Variable]:
    found = []
    for path in kept_paths(model, request):
        found.append(Variable(path, ("cell",), {"role": "setpoint", **_about(model, path), "source": f"set-point of {model.name}"}))
    residual = "largest rate of change of an unknown over its largest partial derivative"
    condition = "condition number of the reduced Jacobian with rows scaled to one"
    for name, text in (("residual", residual), ("condition", condition)):
        found.append(Variable(name, ("cell",), {"role": "certificate", "units": "1", "long_name": text}))
    return found


def _of_run(model: Model, run: Run) -> list[Variable]:
    found = []
    for name, (unit, text) in run.outputs(run.model(model)).items():
        found.append(Variable(name, ("cell",), {"role": "measure", "units": unit or "1", "long_name": text}))
    for path in run.paths:
        found.append(Variable(path, ("cell", "time"), {"role": "course", **_about(run.model(model), path)}))
    return found


def _about(model: Model, path: str) -> dict[str, str]:
    entry = lookup(model, path)
    # UDUNITS, which xarray's users expect, write a dimensionless number as 1.
    return {"units": entry.unit or "1", "long_name": entry.doc, "path": path}
