"""What a user writes: one function for each kind of phase."""

from collections.abc import Mapping, Sequence
from typing import Any

import jax
import numpy as np
from jax.core import Tracer

from jaxion.protocols import numbers
from jaxion.protocols.effects import AbstractEffect, Anoxia, Bath, Block, Ramp, Scale, Set, SmoothBlock
from jaxion.protocols.numbers import given, number
from jaxion.protocols.phases import Phase, Recording, Train
from jaxion.protocols.targets import injection_path


def rest(duration: Any) -> Phase:
    """Nothing but time.

    Args:
        duration: Length, in s or as a text such as `"5 min"`.

    Raises:
        ValueError: The duration is negative or not finite.
    """
    return Phase(_duration(duration))


def phase(
    duration: Any,
    set: Mapping[str, Any] | None = None,
    scale: Mapping[str, Any] | None = None,
    ramp: Mapping[str, Any] | None = None,
) -> Phase:
    """A phase in which paths are set, scaled, or run along a line.

    Args:
        duration: Length, in s or as a text such as `"5 min"`.
        set: Value of each path, in its own unit or as a text such as `"8 mM"`.
        scale: Factor on the model's own value of each path.
        ramp: First and last value of each path.

    Raises:
        ValueError: The duration is negative, a number is not finite, or a ramp has not two ends.

    Example:
        >>> import jaxion
        >>> print(jaxion.phase(60, set={"bath.K": "8 mM"}, scale={"neuron.nka.v_max": 0.5}))
        bath.K = 8 mM; neuron.nka.v_max × 0.5
    """
    effects: list[AbstractEffect] = [Set(path, given(value)) for path, value in (set or {}).items()]
    effects += [Scale(path, number(path, factor, "")) for path, factor in (scale or {}).items()]
    for path, ends in (ramp or {}).items():
        if isinstance(ends, str) or not hasattr(ends, "__len__") or len(ends) != 2:
            raise ValueError(f"The ramp of `{path}` must have two ends, such as (3.5, 8), but it is `{ends}`.")
        effects.append(Ramp(path, given(ends[0]), given(ends[1])))
    return Phase(_duration(duration), tuple(effects))


def block(path: str | Sequence[str], fraction: Any, duration: Any) -> Phase:
    """A fraction of a mechanism is blocked: its activity is scaled by 1 − fraction.

    Args:
        path: The mechanism, such as `"neuron.nka"`, or several.
        fraction: Fraction that is blocked, between 0 and 1.
        duration: Length, in s or as a text such as `"5 min"`.

    Raises:
        ValueError: The fraction is not between 0 and 1, or the duration is negative.
    """
    blocked = numbers.fraction("fraction", fraction)
    return Phase(_duration(duration), tuple(Block(one, blocked) for one in _paths(path)))


def smooth_block(path: str | Sequence[str], fraction: Any, duration: Any, begin: Any, end: Any, width: Any) -> Phase:
    r"""A fraction of a mechanism is blocked and released again, both along logistic courses.

    Its activity is scaled by $1 - f\,\sigma((\tau - b)/w) + f\,\sigma((\tau - e)/w)$, with
    $\sigma(x) = 1/(1 + e^{-x})$ and $\tau$ the time since the phase began.

    Args:
        path: The mechanism, such as `"neuron.nka"`, or several.
        fraction: Fraction $f$ that is blocked in between, from 0 to 1.
        duration: Length of the whole phase, s.
        begin: Time $b$ at which half of it is blocked, s after the phase began.
        end: Time $e$ at which half of it is released, s after the phase began.
        width: Width $w$ of both courses, s; 8.8 widths lie between 1.2 % and 98.8 %.

    Raises:
        ValueError: The fraction is not between 0 and 1, the width is not positive, or a time is negative.

    Source: Kalia et al. (2021) PLoS Comput Biol 17:e1009019, energy deprivation, with a width of 15 s.
    """
    blocked, slow = numbers.fraction("fraction", fraction), number("width", width, "s", "positive")
    first, last = number("begin", begin, "s", "not negative"), number("end", end, "s", "not negative")
    return Phase(_duration(duration), tuple(SmoothBlock(one, blocked, first, last, slow) for one in _paths(path)))


def bath(duration: Any, *, replacing: str | None = None, name: str = "bath", **concentrations: Any) -> Phase:
    """A bath of other concentrations, taken as given: `bath(120, K=12)`.

    Args:
        duration: Length, in s or as a text such as `"5 min"`.
        replacing: Ion of the same charge, or `"impermeant"`, that makes up for the changes, so that the sum stays the same.
        name: Name of the bath.
        **concentrations: New concentration of each ion or of `impermeant`, in mM or as a text such as `"12 mM"`.

    Raises:
        ValueError: No concentration is given, one is negative, or the one that is replaced is given as well.
    """
    if not concentrations:
        raise ValueError("A phase with another bath must change at least one concentration, such as bath(120, K=12).")
    if replacing in concentrations:
        raise ValueError(f"Argument `replacing` must name a concentration that is not given, but {replacing} is both.")
    values = {ion: number(f"{name}.{ion}", value, "mM", "not negative") for ion, value in concentrations.items()}
    return Phase(_duration(duration), (Bath(name, values, replacing),))


def anoxia(duration: Any, left: Any = 0.0) -> Phase:
    """What the model declares to happen without oxygen.

    Args:
        duration: Length, in s or as a text such as `"5 min"`.
        left: Fraction that is left of what anoxia takes away, between 0 and 1; what it sets is set whatever is left.

    Raises:
        ValueError: `left` is not between 0 and 1, or the duration is negative.
    """
    return Phase(_duration(duration), (Anoxia(numbers.fraction("left", left)),))


def inject(compartment: str, current: Any, duration: Any, ion: str = "K") -> Phase:
    """A current is injected; positive depolarises.

    Args:
        compartment: Compartment that it is injected into, such as `"neuron"`.
        current: Current, in pA or as a text such as `"0.1 nA"`.
        duration: Length, in s or as a text such as `"500 ms"`.
        ion: Ion that carries it.

    Raises:
        ValueError: The current is not finite, or the duration is negative.
    """
    return Phase(_duration(duration), (Set(injection_path(compartment, ion), number("current", current, "pA")),))


def train(compartment: str, current: Any, width: Any, period: Any, count: int, ion: str = "K") -> Train:
    """A train of current pulses, from the beginning of the first to the end of the pause after the last.

    Args:
        compartment: Compartment that they are injected into.
        current: Current of a pulse, in pA or as a text such as `"0.1 nA"`; positive depolarises.
        width: Length of a pulse, in s or as a text such as `"2 ms"`.
        period: Time from one pulse to the next, s.
        count: Number of pulses.
        ion: Ion that carries the current.

    Raises:
        ValueError: A pulse is longer than the period, a time is not positive, or there is no pulse.
    """
    pulse, distance = number("width", width, "s", "positive"), number("period", period, "s", "positive")
    if not isinstance(pulse, Tracer) and not isinstance(distance, Tracer) and np.any(np.asarray(pulse) > np.asarray(distance)):
        raise ValueError(f"Argument `width` must not be longer than `period`, but it is {np.max(pulse):g} s of {np.min(distance):g} s.")
    if isinstance(count, bool) or not isinstance(count, int) or count < 1:
        raise ValueError(f"Argument `count` must be a whole number of pulses, 1 or more, but it is `{count}`.")
    return Train(compartment, ion, number("current", current, "pA"), pulse, distance, count)


def recording(path: str, times: Any, values: Any) -> Recording:
    """A path that follows samples along straight lines; as long as they are.

    Args:
        path: The path, such as `"bath.K"`.
        times: Increasing times of the samples, s, shape `(samples,)`; the first is the beginning of the phase.
        values: Samples in the path's own unit, shape `(samples,)`, or `(samples, cells)`.

    Raises:
        ValueError: The times are not increasing, there are fewer than two, or not as many values.
    """
    times, values = _samples("times", times), _samples("values", values)
    if times.ndim != 1 or len(times) < 2:
        raise ValueError(f"Argument `times` must be a list of at least two times, but it has the shape {times.shape}.")
    if values.ndim not in (1, 2) or len(values) != len(times):
        raise ValueError(f"Argument `values` must hold a sample for each of the {len(times)} times, but it has the shape {values.shape}.")
    if not isinstance(times, Tracer):
        steps = np.diff(times)
        wrong = np.flatnonzero(~(np.isfinite(steps) & (steps > 0)))
        if wrong.size:
            i = int(wrong[0])
            raise ValueError(f"Argument `times` must be increasing, but times[{i}]={times[i]:g} s is followed by {times[i + 1]:g} s.")
    return Recording(path, times, values)


def _samples(name: str, given: Any) -> Any:
    if isinstance(given, jax.Array):
        return given
    try:
        return np.asarray(given, dtype=float)
    except (TypeError, ValueError):
        raise ValueError(f"Argument `{name}` must be a list of numbers, but it is `{given}`.") from None


def _duration(value: Any) -> Any:
    return number("duration", value, "s", "not negative")


def _paths(path: str | Sequence[str]) -> tuple[str, ...]:
    named = (path,) if isinstance(path, str) else tuple(path)
    if not named:
        raise ValueError("A block must name at least one mechanism, such as `neuron.nka`, but it names none.")
    return named
