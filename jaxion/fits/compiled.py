"""What is compiled for a fit, shared by all problems that differ in what was measured alone: cell after cell through one protocol.

Design notes. The data are arguments of what is compiled, not constants in it. Models and protocols are the same if they are the same
objects, which what is compiled keeps alive. Problems with a function of the user share nothing: what it reads besides its arguments may change.
"""

import collections
import dataclasses
from collections.abc import Callable, Hashable, Sequence
from typing import Any, Final

import jax
import numpy as np

from jaxion.fits.data.channels import Channel
from jaxion.fits.data.experiments import AbstractExperiment
from jaxion.fits.data.noise import Known
from jaxion.model import Model

KEPT: Final = 8
"""Structures whose compiled functions are kept, the last ones used."""

_kept: collections.OrderedDict[Hashable, "Compiled"] = collections.OrderedDict()


@dataclasses.dataclass(frozen=True)
class Function:
    """A compiled function of one problem."""

    shared: Any
    numbers: Any

    def __call__(self, *given: Any) -> Any:
        """What it makes of what is given."""
        return self.shared(self.numbers, *given)


def loops(experiments: Sequence[AbstractExperiment], function: Function, *given: Any) -> bool:
    """Whether a function of these experiments might not end where parameters are NaN: a model does, a loop of the user might not."""
    return not _of_models(experiments) and _loops(function.shared.trace(function.numbers, *given).jaxpr)


def _of_models(experiments: Sequence[AbstractExperiment]) -> bool:
    return all(isinstance(experiment.model, Model) for experiment in experiments)


def _loops(jaxpr: Any) -> bool:
    """Whether a program has a loop whose end depends on numbers."""
    for equation in jaxpr.eqns:
        parts = jax.tree.leaves(list(equation.params.values()), is_leaf=lambda part: hasattr(part, "eqns"))
        if equation.primitive.name == "while" or any(_loops(part) for part in parts if hasattr(part, "eqns")):
            return True
    return False


class Compiled:
    """Functions compiled for a problem and all that have its structure.

    Args:
        with_numbers: Makes of what was measured the problem that has these numbers.
    """

    def __init__(self, with_numbers: Callable[[Any], Any]):
        self._with_numbers = with_numbers
        self._functions: dict[Any, Any] = {}

    def function(self, key: Any, make: Callable[[Any], Callable[..., Any]]) -> Any:
        """A function of the numbers of a problem and of whatever the one is given that `make` makes of a problem."""
        if key not in self._functions:

            def of_numbers(numbers: Any, *given: Any) -> Any:
                return make(self._with_numbers(numbers))(*given)

            self._functions[key] = jax.jit(of_numbers)
        return self._functions[key]


def compiled_for(experiments: Sequence[AbstractExperiment], *rest: Any, with_numbers: Callable[[Any], Any]) -> Compiled:
    """What is compiled for problems of the structure that these experiments and the `rest` of a problem have."""
    if not _of_models(experiments):
        return Compiled(with_numbers)
    key = structure((experiments, *rest))
    found = _kept.pop(key) if key in _kept else Compiled(with_numbers)
    _kept[key] = found
    while len(_kept) > KEPT:
        _kept.popitem(last=False)
    return found


def structure(part: Any) -> Hashable:
    """All of a part of a problem but what was measured and how much it scatters, so that equal structures are computed alike."""
    if isinstance(part, np.ndarray):
        return part.shape, str(part.dtype), part.tobytes()
    if isinstance(part, tuple | list):
        return tuple(structure(one) for one in part)
    if isinstance(part, dict):
        return tuple((name, structure(one)) for name, one in part.items())
    if part is None or isinstance(part, str | bool | int | float):
        return type(part), part
    if dataclasses.is_dataclass(part) and type(part).__module__.startswith("jaxion.fits"):
        left_out = ("data", "sd") if isinstance(part, Channel) else ("size",) if isinstance(part, Known) else ()
        fields = [field.name for field in dataclasses.fields(part) if field.name not in left_out]
        return type(part), tuple(structure(getattr(part, name)) for name in fields)
    return "the same", id(part)
