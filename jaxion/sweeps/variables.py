"""The variables of a sweep's result: their names, dimensions and attributes, in memory as in a store."""

import dataclasses
from typing import Any, Final

from jaxion.errors import Status
from jaxion.model import Model
from jaxion.paths import check_settable, lookup, paths, state_paths
from jaxion.populations import Population

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
    """What is asked of every cell: its set-point, and the sensitivities of the paths `of` to the paths `wrt`."""

    of: tuple[str, ...] = ()
    wrt: tuple[str, ...] = ()

    @property
    def labels(self) -> dict[str, tuple[str, ...]]:
        """Labels of the dimensions that have any."""
        return {"of": self.of, "wrt": self.wrt} if self.of else {}


def check_request(model: Model, of: Any, wrt: Any) -> Request:
    """The request, with its paths looked up; None or a single path stand for none or one."""
    names = [() if given is None else (given,) if isinstance(given, str) else tuple(given) for given in (of, wrt)]
    request = Request(*names)
    if bool(request.of) != bool(request.wrt):
        raise ValueError("Sensitivities need both `of` and `wrt`, but only one of them is given.")
    for argument, given in request.labels.items():
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


def parameter_names(cells: Population) -> dict[str, str]:
    """Name of the variable of each varied path: the path, or `baseline.` and the path where the set-point bears it."""
    taken = set(setpoint_paths(cells.base))
    return {path: f"baseline.{path}" if path in taken else path for path in cells.paths}


def variables(cells: Population, request: Request) -> tuple[Variable, ...]:
    """All variables of a result; the status comes last, as it is written last."""
    model, found = cells.base, []
    for path, name in parameter_names(cells).items():
        found.append(Variable(name, ("cell",), {"role": "parameter", **_about(model, path), "source": model.source}))
    for path in setpoint_paths(model):
        found.append(Variable(path, ("cell",), {"role": "setpoint", **_about(model, path), "source": f"set-point of {model.name}"}))
    residual = "largest rate of change of an unknown over its largest partial derivative"
    condition = "condition number of the reduced Jacobian with rows scaled to one"
    for name, text in (("residual", residual), ("condition", condition)):
        found.append(Variable(name, ("cell",), {"role": "certificate", "units": "1", "long_name": text}))
    if request.of:
        attrs = {
            "role": "sensitivity",
            "units": "mV per e-fold for potentials, 1 for all else",
            "long_name": "scaled sensitivity of the set-point: change of a potential, or d ln of all else, per d ln of the parameter",
        }
        found.append(Variable(SENSITIVITY, ("cell", "of", "wrt"), attrs))
    flags = {"flag_values": [int(code) for code in Status], "flag_meanings": " ".join(code.name for code in Status)}
    found.append(Variable(STATUS, ("cell",), {"role": "status", "long_name": "outcome of each cell", **flags}, "uint8"))
    return tuple(found)


def _about(model: Model, path: str) -> dict[str, str]:
    entry = lookup(model, path)
    # UDUNITS, which xarray's users expect, write a dimensionless number as 1.
    return {"units": entry.unit or "1", "long_name": entry.doc, "path": path}
