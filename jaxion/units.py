r"""One system of units in which no hidden factor appears, and the converters into it.

| amount | volume | concentration | time | potential | current | conductance | capacitance | rate | area |
|---|---|---|---|---|---|---|---|---|---|
| fmol | pL | mM | s | mV | pA | nS | pF | fmol/s | µm² |

fmol/pL = mM, nS·mV = pA, and $F$ = 96.485 pA·s/fmol. The one factor that remains is in
$dV/dt\,[\mathrm{mV/s}] = 10^3\, I\,[\mathrm{pA}] / C\,[\mathrm{pF}]$.
"""

import math
import re
from typing import Any, Final

from jaxion.errors import UnitError

FARADAY: Final = 96.48533212331
"""Faraday constant, pA·s/fmol (CODATA 2018, exact: 96485.33212331… C/mol)."""

GAS_CONSTANT: Final = 8.31446261815324
"""Gas constant, J/(mol·K) (CODATA 2018)."""

BODY_TEMPERATURE: Final = 310.15
"""37 °C in K."""

MILLI: Final = 1e3
"""mV/s per pA/pF."""


def thermal_voltage(T: Any = BODY_TEMPERATURE) -> Any:
    r"""$RT/F$ in mV at the temperature `T` in K; 26.7267 mV at 37 °C."""
    return GAS_CONSTANT * T / FARADAY


BODY_RT_F: Final = thermal_voltage()
"""$RT/F$ at 37 °C, mV."""


def thermal_energy(T: Any = BODY_TEMPERATURE) -> Any:
    r"""$RT$ in kJ/mol at the temperature `T` in K; 2.5787 kJ/mol at 37 °C."""
    return 1e-3 * GAS_CONSTANT * T


# Densities in papers become whole-membrane values. 1 cm² = 1e8 µm², 1 dm² = 1e10 µm².
# `Any` below stands for a float or an array: every converter is a product, differentiable.


def conductance(*, area: Any, mS_per_cm2: Any = 0.0, uS_per_cm2: Any = 0.0, S_per_dm2: Any = 0.0) -> Any:
    """Conductance in nS of a membrane of `area` µm² from a density in one of the papers' units."""
    return area * (mS_per_cm2 * 1e-2 + uS_per_cm2 * 1e-5 + S_per_dm2 * 1e-1)


def capacitance(*, area: Any, uF_per_cm2: Any = 0.0, F_per_dm2: Any = 0.0) -> Any:
    """Capacitance in pF of a membrane of `area` µm² from a density; 1 µF/cm² is 0.01 pF/µm²."""
    return area * (uF_per_cm2 * 1e-2 + F_per_dm2 * 1e2)


def current(*, area: Any, uA_per_cm2: Any = 0.0, A_per_dm2: Any = 0.0) -> Any:
    """Current in pA through a membrane of `area` µm² from a density; 1 µA/cm² is 0.01 pA/µm²."""
    return area * (uA_per_cm2 * 1e-2 + A_per_dm2 * 1e2)


_PREFIX: Final = {"": 1.0, "p": 1e-12, "n": 1e-9, "u": 1e-6, "µ": 1e-6, "m": 1e-3, "c": 1e-2, "f": 1e-15, "k": 1e3}
_BASE: Final = ("mol/s", "mol", "M/s", "M", "V", "A", "S", "F", "L", "m2", "m²")
_WHOLE: Final = {"s": ("s", 1.0), "ms": ("s", 1e-3), "min": ("s", 60.0), "h": ("s", 3600.0), "": ("", 1.0), "1": ("", 1.0), "%": ("", 1e-2)}


def _dimension(unit: str) -> tuple[str, float] | None:
    """Base unit and factor of a simple unit such as `mM` or `fmol/s`; None if it is not simple."""
    if unit in _WHOLE:
        return _WHOLE[unit]
    for base in _BASE:
        prefix = unit[: -len(base)]
        if unit.endswith(base) and prefix in _PREFIX:
            squared = base in ("m2", "m²")
            return ("m²" if squared else base), _PREFIX[prefix] ** (2 if squared else 1)
    return None


_QUANTITY: Final = re.compile(r"\s*([-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)\s*(.*?)\s*")


def quantity(text: str, unit: str, name: str = "value") -> float:
    """Read `"8 mM"` or `"8"` as a finite number in `unit`; `UnitError` names what was given and what fits.

    Args:
        text: A number, with or without a unit. Without one, it is taken to be in `unit`.
        unit: The unit wanted, as `jaxion.paths` prints it; empty for a dimensionless number.
        name: What the quantity is for, quoted in the error message.
    """
    match = _QUANTITY.fullmatch(text)
    wanted = f"in {unit}" if unit else "a number without unit"
    if match is None:
        raise UnitError(f"Cannot read `{text}` as a value of `{name}`; give a number, or a number and a unit such as `8 {unit}`.")
    number, given = float(match[1]), match[2]
    if given and given != unit:
        have, want = _dimension(given), _dimension(unit)
        if have is None or want is None or have[0] != want[0]:
            raise UnitError(f"`{name}` is {wanted}, but `{text}` is in {given}: the units do not match.")
        number *= have[1] / want[1]
    if not math.isfinite(number):
        raise UnitError(f"`{name}` must be finite, but `{text}` is beyond the largest number.")
    return number
