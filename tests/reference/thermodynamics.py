"""Closed-form thermodynamics at 37 °C, computed independently of jaxion in float64.

Source: the textbook forms (Nernst; Goldman, Hodgkin & Katz; Mullins & Noda; Gibbs–Donnan; ΔG of
coupled transport) with the exact constants of the SI (CODATA 2018) at T = 310.15 K.
Tolerance: half a unit of the last digit given, or 1e-4 relative where that is stricter. Numbers
are therefore kept as they are printed.
"""

import dataclasses
from decimal import Decimal

T = 310.15
"""K."""

RT_F = 1e3 * 8.31446261815324 * T / 96485.33212331
"""mV, 26.726659112543. The ten digits of the fluxes below need all these digits of F = e·N_A."""

V = -70.0
"""Membrane potential of every row below unless it says otherwise, mV."""


class Printed(str):
    """A number as printed, which knows how exactly it is known."""

    __slots__ = ()

    @property
    def value(self) -> float:
        return float(self)

    @property
    def tolerance(self) -> float:
        half_unit = 0.5 * 10.0 ** int(Decimal(self).as_tuple().exponent)
        return min(half_unit, 1e-4 * abs(self.value))


@dataclasses.dataclass(frozen=True)
class Ionic:
    """Ion concentrations on both sides of a neuron's membrane (mM), and what follows from them at −70 mV."""

    inside: dict[str, float]
    outside: dict[str, float]
    E_Na: Printed
    """mV."""
    E_K: Printed
    """mV."""
    E_Cl: Printed
    """mV."""
    Na_influx: Printed
    """ΔG, kJ/mol."""
    K_influx: Printed
    """ΔG, kJ/mol."""
    pump_work: Printed
    """3 Na out, 2 K in, kJ per mol ATP."""
    glucose_2Na: Printed
    """Highest ratio inside/outside of 2 Na : 1 glucose."""
    glucose_1Na: Printed
    """Highest ratio inside/outside of 1 Na : 1 glucose."""
    GHK: Printed
    """P_K : P_Na : P_Cl = 1 : 0.04 : 0.45, mV."""
    GHK_no_Cl: Printed
    """P_K : P_Na = 1 : 0.04, mV."""
    mullins_noda: Printed
    """P_K : P_Na = 1 : 0.04, r = 3/2, mV."""
    GABA_2Na: Printed
    """ΔG of 2 Na : 1 GABA from 0.1 µM to 1 mM, kJ/mol."""
    GABA_2Na_1Cl: Printed
    """ΔG of 2 Na : 1 Cl : 1 GABA from 0.1 µM to 1 mM, kJ/mol."""
    glutamate: Printed
    """Highest ratio inside/outside of 3 Na, 1 H, 1 Glu⁻ in and 1 K out at pH 7.4 outside, 7.2 inside."""


def _row(Na_i: float, Na_o: float, K_i: float, K_o: float, Cl_i: float, Cl_o: float, *printed: str) -> Ionic:
    inside, outside = {"Na": Na_i, "K": K_i, "Cl": Cl_i}, {"Na": Na_o, "K": K_o, "Cl": Cl_o}
    return Ionic(inside, outside, *map(Printed, printed))


# fmt: off
ROWS = (
    _row(15, 145, 140, 5, 10, 110, "60.6343", "-89.0587", "-64.0877", "-12.60430", "1.83888", "41.49066", "17598.7", "132.660",
         "-67.3431", "-68.5906", "-73.8243", "-1.45761", "-0.88716", "3.0055e6"),
    _row(12, 145, 140, 4, 7, 120, "66.5982", "-95.0226", "-75.9460", "-13.17972", "2.41431", "44.36779", "27498.0", "165.825",
         "-72.4088", "-71.1646", "-77.0073", "-2.60846", "-3.18216", "7.3376e6"),
    _row(10, 145, 140, 3.5, 7, 120, "71.4711", "-98.5914", "-75.9460", "-13.64988", "2.75865", "46.46695", "39597.2", "198.990",
         "-73.4501", "-72.5490", "-78.7522", "-3.54878", "-4.12248", "1.44908e7"),
)
# fmt: on

PROTON = {"inside": 1e3 * 10**-7.2, "outside": 1e3 * 10**-7.4}
"""mM, pH 7.2 inside and 7.4 outside."""

GABA = {"inside": 1.0, "outside": 1e-4}
"""mM."""

GABA_3NA_1CL = (Printed("-13.49"), Printed("-17.77"))
"""ΔG of 3 Na : 1 Cl : 1 GABA in the first and last row, kJ/mol. The stoichiometry's authors are UNVERIFIED; the numbers are its closed form."""

MAX_ELECTROGENIC_SHIFT = Printed("10.8367")
"""(RT/F) ln(3/2), mV."""

RT_LN_1E4 = Printed("23.751")
"""kJ/mol, of a ratio of 1 mM to 0.1 µM."""


@dataclasses.dataclass(frozen=True)
class Flux:
    """Constant-field flux at P = 1, outward positive, in mM per unit of P."""

    z: int
    inside: float
    outside: float
    V: float
    J: Printed


GHK_FLUXES = (
    Flux(1, 12, 145, -70, Printed("-407.1484726")),
    Flux(1, 12, 145, -1e-3, Printed("-133.0029372")),
    Flux(1, 12, 145, 0, Printed("-133")),  # exact, and held to that by a test of its own
    Flux(1, 12, 145, 40, Printed("-39.46000148")),
    Flux(-1, 7, 120, -70, Printed("-4.927124892")),
    Flux(-1, 7, 120, 0, Printed("-113")),
    Flux(-1, 7, 120, 40, Printed("-228.3810315")),
)


@dataclasses.dataclass(frozen=True)
class DonnanCell:
    """Rigid cell in 150 mM of a 1:1 salt; impermeant charge density `zX` in mM."""

    zX: float
    cation: Printed
    anion: Printed
    V: Printed


SALT = 150.0
"""mM; the product of the two ions is exactly 22500 mM² inside as outside."""

DONNAN_CELLS = (
    DonnanCell(-120, Printed("221.554944"), Printed("101.554944"), Printed("-10.424341")),
    DonnanCell(-50, Printed("177.069063"), Printed("127.069063"), Printed("-4.434074")),
)


@dataclasses.dataclass(frozen=True)
class Reversal:
    """Potential (mV) at which a cycle is at equilibrium; counts are outward."""

    counts: dict[str, int]
    inside: dict[str, float]
    outside: dict[str, float]
    E: Printed


REVERSALS = {
    "NBC 1:2": Reversal({"Na": 1, "HCO3": 2}, {"Na": 15, "HCO3": 12}, {"Na": 145, "HCO3": 24}, Printed("-97.685")),
    "NBC 1:3": Reversal({"Na": 1, "HCO3": 3}, {"Na": 15, "HCO3": 12}, {"Na": 145, "HCO3": 24}, Printed("-58.105")),
    "NCX 3:1": Reversal({"Na": -3, "Ca": 1}, {"Na": 15, "Ca": 1e-4}, {"Na": 145, "Ca": 1.5}, Printed("-75.095")),
}
