"""Rates and equilibria of the published forms of transport, computed independently of jaxion in float64.

Each table says whose form and whose parameters it is. Tolerance: half a unit of the last digit
printed; numbers that the papers' own round figures fix are exact.
"""

import dataclasses
import math
from decimal import Decimal
from typing import Any, Final


class Digits(str):
    """A number as printed, exact to half a unit of its last digit."""

    __slots__ = ()

    @property
    def value(self) -> float:
        return float(self)

    @property
    def half_unit(self) -> float:
        return 0.5 * 10.0 ** int(Decimal(self).as_tuple().exponent)


@dataclasses.dataclass(frozen=True)
class PumpForm:
    """Turnover over `v_max` of a Na/K-ATPase at the states of `PUMP_STATES`."""

    source: str
    mechanism: str
    """Class in `jaxion.mechanisms`."""
    parameters: dict[str, float]
    fractions: tuple[Digits, ...]


PUMP_STATES: Final = ((10.0, 3.5), (15.0, 5.0), (25.0, 10.0), (50.0, 50.0))
"""(Na inside, K outside) in mM."""


def _form(source: str, mechanism: str, parameters: dict[str, float], *fractions: str) -> PumpForm:
    return PumpForm(source, mechanism, parameters, tuple(map(Digits, fractions)))


# The published formula with the published constants, evaluated at the four states.
# fmt: off
PUMP_FORMS: Final = {
    "Cressman": _form("Cressman et al. (2009) J Comput Neurosci 26:159; as in Zandt et al. (2011) and Hübel & Dahlem (2014)",
                      "NaKATPaseSigmoid", {}, "0.000798", "0.013004", "0.494507", "0.999760"),
    "Wei": _form("Wei, Ullah & Schiff (2014) J Neurosci 34:11733; as in Sætra et al. (2021), neuron",
                 "NaKATPaseSigmoid", {"K_K": 3.5}, "0.003346", "0.028162", "0.499249", "0.999760"),
    "Kager 2007": _form("Kager, Wadman & Somjen (2007), public code, ModelDB 113446",
                        "NaKATPaseKager", {}, "0.050620", "0.110204", "0.253077", "0.535044"),
    "Kager 2000": _form("Kager, Wadman & Somjen (2000) J Neurophysiol 84:495",
                        "NaKATPaseKager", {"K_Na": 10.0, "K_K": 3.5}, "0.031250", "0.074740", "0.199962", "0.505462"),
    "Huguet": _form("Huguet et al. (2016), neuron; as in Conte et al. (2017), ModelDB 235377",
                    "NaKATPaseKager", {"K_Na": 7.7, "K_K": 2.0}, "0.073028", "0.147211", "0.310323", "0.601611"),
    "Aminzare-Kay": _form("Aminzare & Kay (2024)",
                          "NaKATPaseKager", {"K_Na": 3.56, "K_K": 0.883}, "0.255749", "0.381313", "0.566302", "0.785566"),
    "Halnes": _form("Halnes et al. (2013) PLoS Comput Biol 9:e1003386, after Østby et al. (2009)",
                    "NaKATPaseOstby", {}, "0.350000", "0.498100", "0.693996", "0.891166"),
    "Nakao-Gadsby": _form("Nakao & Gadsby (1989), Hill curves fitted in github.com/caljohnson/astrocyte_ion_concentrations",
                          "NaKATPaseHill", {}, "0.382970", "0.522322", "0.700118", "0.872958"),
}
# fmt: on

CRESSMAN_DENSITY: Final = (1.25, 7.0, Digits("28.1416"))
"""Maximal rate of the pump of Zandt et al. (2011): in terms of the inside (mM/s), radius of the cell (µm), current density (µA/cm²)."""

DUESTERWALD_PUMP: Final = (1000.0, 14.00167, 145.0, Digits("0.9004"))
"""Cubic pump of Düsterwald et al. (2018) at its set-point: P (0.1 A/dm² in µA/cm²), Na inside and outside (mM), pump current (µA/cm²)."""

# Luo–Rudy voltage factor of the pump at 152 mM Na outside, RT/F of 310 K: V (mV), f(V).
# Source: formula and constants of the public code of Kalia et al. (2021), evaluated at each potential.
KALIA_RT_F: Final = 8314.4598 * 310 / 96485.333
VOLTAGE_FACTOR_NA_O: Final = 152.0
VOLTAGE_FACTOR: Final = (
    (-100.0, Digits("0.325898")),
    (-80.0, Digits("0.485272")),
    (-65.5, Digits("0.595990")),
    (-40.0, Digits("0.743864")),
    (0.0, Digits("0.855299")),
    (40.0, Digits("0.895109")),
)

# Pump currents of Kalia et al. (2021) at their baseline: 54.5 · 1.6 pA at saturation, Na 13 mM inside, K 3 mM outside; V (mV), I (pA).
KALIA_PUMP_MAX: Final = 54.5 * 1.6
KALIA_PUMP: Final = ((-65.5, Digits("24.361078")), (-80.0, Digits("19.835495")))

# Pump of four states (Smith & Crampin) with the parameters of Himeno et al., computed independently; turnovers of one pump (1/ms).
# The metabolites were rounded when they were printed: half a unit of their last digits belongs to the tolerance.
FOUR_STATE_RT_F: Final = 8.3143 * 310 / 96.4867
"""mV; with 310.15 K the numbers below come out 1e-3 away."""
FOUR_STATE_ROUNDED: Final = {"MgATP": 5e-5, "MgADP": 5e-6, "Pi": 5e-6}
"""mM."""
FOUR_STATE_SOLUTIONS: Final = ({"Na": 10.0, "K": 140.0}, {"Na": 145.0, "K": 3.5})
"""Inside and outside, mM."""
FOUR_STATE_V: Final = (
    (-120.0, Digits("3.924528e-3")),
    (-80.0, Digits("9.277167e-3")),
    (-40.0, Digits("1.590857e-2")),
    (0.0, Digits("2.166973e-2")),
    (40.0, Digits("2.619798e-2")),
)
"""V (mV)."""
FOUR_STATE_ATP: Final = (
    (6.63, Digits("1.091980e-2")),
    (3.0, Digits("9.272065e-3")),
    (1.0, Digits("5.960522e-3")),
    (0.3, Digits("2.607522e-3")),
    (0.1, Digits("9.464744e-4")),
    (0.01, Digits("8.249960e-6")),
)
"""MgATP (mM), at -70 mV and MgADP 0.026 mM."""
FOUR_STATE_EQUILIBRIUM: Final = (Digits("9567"), Digits("-29.6"))
"""ADP·Pi·H/ATP at equilibrium (mM²), and the standard free energy of hydrolysis at pH 7 (kJ/mol)."""


@dataclasses.dataclass(frozen=True)
class Equilibrium:
    """Chloride inside (mM) at which an electroneutral cotransporter stands still."""

    mechanisms: tuple[str, ...]
    inside: dict[str, float]
    outside: dict[str, float]
    Cl: Digits


# Closed forms: Cl_i = K_o Cl_o / K_i for 1 K : 1 Cl, Cl_i = √(Na_o K_o Cl_o² / (Na_i K_i)) for 1 Na : 1 K : 2 Cl.
EQUILIBRIA: Final = {
    "K-Cl": Equilibrium(
        ("KCC2", "KCC2Log", "KCC2MassAction", "KCC2RandomBinding", "KCC2Saturating", "KCC"),
        {"Na": 12.0, "K": 140.0},
        {"Na": 145.0, "K": 3.5, "Cl": 120.0},
        Digits("3.000"),
    ),
    "Na-K-2Cl": Equilibrium(
        ("NKCC1Log", "NKCC1LogActivated", "NKCC1MassAction"),
        {"Na": 12.0, "K": 140.0},
        {"Na": 145.0, "K": 3.5, "Cl": 120.0},
        Digits("65.95"),
    ),
    # 12 · 1450 = 145 · 120, by hand.
    "Na-Cl": Equilibrium(("NCC",), {"Na": 12.0, "K": 140.0}, {"Na": 145.0, "K": 3.5, "Cl": 120.0}, Digits("1450.0")),
    # 120 · 12 / 24, by hand.
    "Cl-HCO3": Equilibrium(("AE",), {"HCO3": 12.0}, {"HCO3": 24.0, "Cl": 120.0}, Digits("60.0")),
}

KCC2_EQUILIBRIUM_POTENTIAL: Final = Digits("-98.5914")
"""E_Cl = E_K in mV at the first equilibrium, 37 °C."""


@dataclasses.dataclass(frozen=True)
class Rate:
    """A rate worked out by hand from round numbers."""

    mechanism: str
    arguments: dict[str, Any]
    inside: dict[str, float]
    outside: dict[str, float]
    V: float
    rate: float


@dataclasses.dataclass(frozen=True)
class Halt:
    """Potential (mV, 37 °C) at which an electrogenic transporter stands still; concentrations in mM."""

    mechanism: str
    options: dict[str, Any]
    inside: dict[str, float]
    outside: dict[str, float]
    V: Digits


# E = Σ n RT ln(c_o/c_i) / Σ n z F, evaluated with the exact constants of the SI.
_BICARBONATE: Final = ({"Na": 15.0, "HCO3": 12.0}, {"Na": 145.0, "HCO3": 24.0})
HALTS: Final = {
    "NBC 1:2": Halt("NBC", {"n_HCO3": 2}, *_BICARBONATE, Digits("-97.685")),
    "NBC 1:3": Halt("NBC", {"n_HCO3": 3}, *_BICARBONATE, Digits("-58.105")),
    "NCX": Halt("NCX", {}, {"Na": 15.0, "Ca": 1e-4}, {"Na": 145.0, "Ca": 1.5}, Digits("-75.095")),
}

# Slopes of the reversal potential of GAT-1, mV for a tenfold outer Na⁺, Cl⁻ and GABA, with their standard errors, near 24 °C:
# the abstract of the publication, whose authors are UNVERIFIED.
GAT_SLOPES: Final = {"Na": (84.0, 4.0), "Cl": (30.0, 1.0), "GABA": (29.0, 1.0)}

# What KCC2 of Raimondo et al. transports at 5 mM of Cl⁻ inside, over v_max: 0.117 · ln(3/5)/ln(3/56) · 5/(15 + 5), with K⁺ of 140 mM
# inside, K⁺ of 3.5 mM and Cl⁻ of 120 mM outside; formula of the public code of Düsterwald et al. (2018).
RAIMONDO_KCC2: Final = Digits("5.1052e-3")

# 2·(5·10 - 4·100) and so on; the constants carry no more digits than the result.
BY_HAND: Final = (
    Rate("KCC2MassAction", {"P": 2.0}, {"K": 100.0, "Cl": 5.0}, {"K": 4.0, "Cl": 110.0}, -70.0, 2 * (500 - 440)),
    Rate("KCC", {"P": 2.0}, {"K": 100.0, "Cl": 5.0}, {"K": 4.0, "Cl": 110.0}, -70.0, 2 * (440 - 500)),
    Rate("NCC", {"P": 2.0}, {"Na": 10.0, "Cl": 5.0}, {"Na": 150.0, "Cl": 110.0}, -70.0, 2 * (16500 - 50)),
    Rate("NKCC1MassAction", {"P": 2.0}, {"Na": 10.0, "K": 100.0, "Cl": 5.0}, {"Na": 150.0, "K": 4.0, "Cl": 10.0}, 0.0, 2 * (60000 - 25000)),
    Rate("NaKATPaseConstant", {"v_max": 2.0}, {"Na": 10.0}, {"K": 4.0}, 0.0, 2.0),
    Rate("NaKATPaseLinear", {"v_max": 2.0}, {"Na": 15.0}, {"Na": 150.0}, 0.0, 0.2),
    # 1/(1 + 1³) and 1/(1 + 3³).
    Rate("NaKATPaseHamada", {"v_max": 2.62, "K_Na": 10.0, "K_low": 30.0}, {"Na": 10.0}, {"K": 4.0}, 0.0, 1.62 / 2 + 1 / 28),
    # 54·2·(500 - 440)/54 over (1 + 500/54)(1 + 100/9)(1 + 5/6) + (1 + 440/54)(1 + 4/9)(1 + 110/6), each factor over its denominator.
    Rate(
        "KCC2RandomBinding",
        {"v_max": 54.0 * 2.0},
        {"K": 100.0, "Cl": 5.0},
        {"K": 4.0, "Cl": 110.0},
        -70.0,
        120 * 54 * 9 * 6 / (554 * 109 * 11 + 494 * 13 * 116),
    ),
    # A quarter of a driving force of ln 2.
    Rate("KCC2Saturating", {"u": 2.0, "K_Cl": 15.0}, {"K": 100.0, "Cl": 5.0}, {"K": 2.5, "Cl": 100.0}, -70.0, 0.5 * math.log(2)),
    # Half an activation of ln(150·16·10²/(10·100·5²)).
    Rate("NKCC1LogActivated", {"u": 2.0}, {"Na": 10.0, "K": 100.0, "Cl": 5.0}, {"Na": 150.0, "K": 16.0, "Cl": 10.0}, 0.0, math.log(9.6)),
    Rate("NHE", {"u": 2.0}, {"Na": 10.0, "H": 8e-5}, {"Na": 150.0, "H": 4e-5}, -70.0, 2 * math.log(30)),
    Rate("PMCA", {"v_max": 352.0}, {"Ca": 6.9e-3}, {"Ca": 1.5}, -70.0, 176.0),
    Rate("NaKATPaseCubic", {"v_max": 2.0}, {"Na": 15.0}, {"Na": 150.0}, 0.0, 2e-3),
)

# Steady disturbance of the potential along a row of cells: leak conductance over that of the junction, share that reaches the next cell.
# λ = 1/(1 + r/2 + √((1 + r/2)² - 1)).
JUNCTIONS: Final = ((0.1, Digits("0.729844")), (1.0, Digits("0.381966")), (10.0, Digits("0.083920")))
