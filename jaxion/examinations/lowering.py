"""Which lowering "auto" takes for set-points, transients and sensitivities, and why."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from jaxion.examinations.machines import fastest
from jaxion.examinations.outcomes import Finding, Procedure
from jaxion.kernel import NoMachineCode, automatic
from jaxion.model import Model
from jaxion.models import duesterwald2018
from jaxion.protocols import Protocol, rest
from jaxion.sensitivities import sensitivity
from jaxion.setpoints import SetPoint, setpoint
from jaxion.transients import maximum, solve

SUBJECTS: Final = ("set-points", "transients", "sensitivities")
NAMES: Final = {"llvm": "machine code", "xla": "`jax.numpy`"}


def works(model: Model, of: tuple[str, ...], wrt: tuple[str, ...]) -> dict[str, Callable[[str], Any]]:
    """What is computed of a model, by name: functions of the lowering to be taken.

    Args:
        model: One cell.
        of: Paths that sensitivities are of, the first of which is watched in a transient.
        wrt: Parameters that they are with respect to.
    """
    watched = {"top": maximum(of[0])}

    def point(lowering: str) -> SetPoint:
        return setpoint(model, lowering=lowering, throw=False)

    return {
        "set-points": point,
        "transients": lambda lowering: solve(model, Protocol(rest(1e-3)), measure=watched, lowering=lowering),
        "sensitivities": lambda lowering: sensitivity(model, of, wrt, point=point(lowering), lowering=lowering),
    }


def taken(work: Callable[[str], Any]) -> tuple[str, str]:
    """What "auto" takes for some work in this process, and why, as the end of a sentence.

    Args:
        work: A function of the lowering to be taken; it is called where machine code is to be tried.
    """
    lowering, why = automatic()
    if lowering == "llvm":
        try:
            work("llvm")
        except NoMachineCode as obstacle:
            return "xla", obstacle.why
    return lowering, why


def described(found: Mapping[str, tuple[str, str]]) -> str:
    """What is computed by which lowering, and why, in a sentence."""
    parts = [f"{name} by {NAMES[lowering]} ({why})" for name, (lowering, why) in found.items()]
    return "; ".join(parts)


def examinations() -> list[Procedure]:
    """Set-points, transients and sensitivities of a published neuron."""

    def examine(name: str) -> Finding:
        model = duesterwald2018()
        lowering, why = taken(works(model, ("neuron.V",), ("bath.K",))[name])
        return Finding(lowering, described({f"{name} of {model.name}": (lowering, why)}))

    return [Procedure(f"lowering of {name}", fastest(), lambda name=name: examine(name)) for name in SUBJECTS]
