"""Exceptions for mistakes that can be seen beforehand, `Status` for numerical outcomes of cells."""

import difflib
import enum
from collections.abc import Iterable


class JaxionError(Exception):
    """Base of every error that jaxion raises for a user's mistake; the message is one sentence."""


class PathError(JaxionError, LookupError):
    """A dotted path names nothing in the model."""


class UnitError(JaxionError, ValueError):
    """A quantity's unit does not fit the parameter that it is given to."""


class ConservationError(JaxionError, ValueError):
    """A model would not conserve mass or charge: a mechanism moves what a compartment lacks."""


class PrecisionError(JaxionError, RuntimeError):
    """Stiff work was asked of float32, or of a model that was built before x64 was enabled."""


class SetPointError(JaxionError, RuntimeError):
    """A single model has no acceptable set-point; `status` says why."""

    def __init__(self, message: str, status: "Status"):
        super().__init__(message)
        self.status = status


class TransientError(JaxionError, RuntimeError):
    """A single cell did not come to the end of its protocol; `status` says why."""

    def __init__(self, message: str, status: "Status"):
        super().__init__(message)
        self.status = status


class FitError(JaxionError, RuntimeError):
    """A model cannot be computed at any start of a fit; `status` says why."""

    def __init__(self, message: str, status: "Status"):
        super().__init__(message)
        self.status = status


class ConfigError(JaxionError, ValueError):
    """A sweep file, a fit file or a command-line value is not what the contract says."""


class StoreError(JaxionError, OSError):
    """A result store cannot be read, exists already, or belongs to another configuration."""


class Status(enum.IntEnum):
    """Outcome of one cell; `advice` says what it means and what to try."""

    not_run = 0
    ok = 1
    unstable = 2
    other_branch = 3
    no_setpoint = 4
    singular = 5
    max_steps = 6
    step_too_small = 7
    not_finite = 8
    not_positive = 9
    no_tipping = 10

    @property
    def advice(self) -> str:
        """What the outcome means, and what to try next."""
        return _ADVICE[self]


_ADVICE = {
    Status.not_run: "The cell has not been computed yet; `jaxion resume` continues the store.",
    Status.ok: "The result is certified.",
    Status.unstable: "A steady state was found, but it is unstable: the cell would leave it. Try another `start`.",
    Status.other_branch: "The result lies on another branch than the start. Try a `start` nearer to the branch wanted.",
    Status.no_setpoint: "No steady state was reached: the cell swells, shrinks or drifts without end at these parameters.",
    Status.singular: "The steady state is not isolated (a singular Jacobian): some row has no process that sets it.",
    Status.max_steps: "The step limit was reached. Raise `max_steps`.",
    Status.step_too_small: "The step size fell below rounding. Check for a discontinuity or loosen `rtol`.",
    Status.not_finite: "A parameter or a rate is not finite. Check the cell's parameters.",
    Status.not_positive: "A concentration or volume is not positive. Check the cell's parameters and the start.",
    Status.no_tipping: "No tipping point lies along this path within its range.",
}


def nearest(given: str, allowed: Iterable[str], count: int = 3) -> str:
    """Sentence with the allowed names that are nearest to a mistyped one; empty when none is near.

    A name is near as a whole or in its last part, so that `neuron.nka.vmax` finds `neuron.nka.v_max`.
    """
    names = list(allowed)
    folded = {name.lower(): name for name in names}
    found = difflib.get_close_matches(given.lower(), list(folded), n=count, cutoff=0.6)
    matches = [f"`{folded[name]}`" for name in found]
    if not matches:
        return ""
    if len(matches) == 1:
        return f" Did you mean {matches[0]}?"
    return f" Did you mean {', '.join(matches[:-1])} or {matches[-1]}?"
