"""Constants and converters against numbers worked out by hand, and quantities as a user types them."""

import math

import jax
import jax.numpy as jnp
import pytest

from jaxion import units
from jaxion.errors import JaxionError, UnitError


def test_constants_are_those_of_the_SI():
    # F = e·N_A and R = k·N_A are exact since 2019.
    assert pytest.approx(1.602176634e-19 * 6.02214076e23 * 1e-3, rel=1e-10) == units.FARADAY  # 1 C/mol = 1e-3 pA·s/fmol
    assert pytest.approx(1.380649e-23 * 6.02214076e23, rel=1e-14) == units.GAS_CONSTANT
    assert units.BODY_TEMPERATURE == 37 + 273.15
    assert units.MILLI == 1000


@pytest.mark.parametrize(
    ("computed", "by_hand", "digit"),
    [
        (units.thermal_voltage(), 26.726659, 5e-7),
        (units.thermal_voltage(298.15), 25.692579, 5e-7),
        (units.thermal_energy(), 2.5787, 5e-5),
        (units.thermal_energy(298.15), 2.478957, 5e-7),
    ],
)
def test_thermal_voltage_and_energy(computed: float, by_hand: float, digit: float):
    assert computed == pytest.approx(by_hand, abs=digit)


def test_thermal_energy_is_faraday_times_thermal_voltage():
    # mV · C/mol = mJ/mol
    assert units.thermal_energy() == pytest.approx(1e-3 * units.FARADAY * units.thermal_voltage(), rel=1e-15)


@pytest.mark.parametrize(
    ("computed", "by_hand"),
    [
        # 1 cm² = 1e8 µm²: 1 mS/cm² = 1e6 nS / 1e8 µm² = 0.01 nS/µm².
        (units.conductance(area=1.0, mS_per_cm2=1.0), 0.01),
        (units.conductance(area=1000.0, mS_per_cm2=0.02), 0.2),
        # 20 µS/cm² is 0.02 mS/cm².
        (units.conductance(area=1000.0, uS_per_cm2=20.0), 0.2),
        # 1 dm² = 1e10 µm²: 2e-3 S/dm² = 2e6 nS / 1e10 µm² = 2e-4 nS/µm²; it is 20 µS/cm².
        (units.conductance(area=1000.0, S_per_dm2=2e-3), 0.2),
        (units.conductance(area=1000.0, mS_per_cm2=0.02, uS_per_cm2=20.0), 0.4),
        # 1 µF/cm² = 1e6 pF / 1e8 µm².
        (units.capacitance(area=1.0, uF_per_cm2=1.0), 0.01),
        (units.capacitance(area=922.0, uF_per_cm2=1.0), 9.22),
        # 2e-4 F/dm² = 2e8 pF / 1e10 µm²; it is 2 µF/cm².
        (units.capacitance(area=1000.0, F_per_dm2=2e-4), 20.0),
        # 1 µA/cm² = 1e6 pA / 1e8 µm².
        (units.current(area=1.0, uA_per_cm2=1.0), 0.01),
        (units.current(area=1000.0, uA_per_cm2=5.0), 50.0),
        # 0.1 A/dm² = 1e11 pA / 1e10 µm²; it is 1000 µA/cm².
        (units.current(area=1.0, A_per_dm2=0.1), 10.0),
    ],
)
def test_densities_become_whole_membrane_values(computed: float, by_hand: float):
    assert computed == pytest.approx(by_hand, rel=1e-14)


def test_converters_take_arrays_and_are_differentiable():
    area = jnp.array([100.0, 200.0])
    assert units.conductance(area=area, mS_per_cm2=0.02).tolist() == pytest.approx([0.02, 0.04])
    assert jax.grad(lambda area: units.capacitance(area=area, uF_per_cm2=2.0))(1.0) == pytest.approx(0.02)
    assert jax.grad(lambda density: units.current(area=100.0, uA_per_cm2=density))(3.0) == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("text", "unit", "value"),
    [
        ("8", "mM", 8),
        ("8 mM", "mM", 8),
        ("8mM", "mM", 8),
        ("  8   mM ", "mM", 8),
        ("8000 uM", "mM", 8),
        ("8000 µM", "mM", 8),
        ("0.008 M", "mM", 8),
        ("100 nM", "mM", 1e-4),
        ("-70 mV", "mV", -70),
        ("+0.07 V", "mV", 70),
        ("-.07V", "mV", -70),
        ("1e-3 V", "mV", 1),
        ("1.5E+2 pA", "nA", 0.15),
        ("20 nS", "nS", 20),
        ("20 pS", "nS", 0.02),
        ("100 pF", "pF", 100),
        ("0.1 nF", "pF", 100),
        ("2 pL", "pL", 2),
        ("2000 fL", "pL", 2),
        ("3 pmol", "fmol", 3000),
        ("3 fmol/s", "fmol/s", 3),
        ("0.003 pmol/s", "fmol/s", 3),
        ("2 M/s", "mM/s", 2000),
        ("10 s", "s", 10),
        ("10 ms", "s", 0.01),
        ("10 min", "s", 600),
        ("2 h", "s", 7200),
        ("1000 µm2", "µm²", 1000),
        ("1000 um²", "µm²", 1000),
        ("1e-5 cm2", "µm²", 1000),
        ("0.5", "", 0.5),
        ("50 %", "", 0.5),
        ("50%", "", 0.5),
        ("310.15", "K", 310.15),
        ("310.15 K", "K", 310.15),
    ],
)
def test_quantity(text: str, unit: str, value: float):
    assert math.isclose(units.quantity(text, unit), value, rel_tol=1e-12)


@pytest.mark.parametrize(
    ("text", "unit", "message"),
    [
        ("8 mV", "mM", "`bath.K` is in mM, but `8 mV` is in mV: the units do not match."),
        ("8 mM/s", "mM", "`bath.K` is in mM, but `8 mM/s` is in mM/s: the units do not match."),
        ("8 mol", "fmol/s", "`bath.K` is in fmol/s, but `8 mol` is in mol: the units do not match."),
        ("8 m", "mM", "`bath.K` is in mM, but `8 m` is in m: the units do not match."),
        ("8 mm", "mM", "`bath.K` is in mM, but `8 mm` is in mm: the units do not match."),
        ("8 apples", "mM", "`bath.K` is in mM, but `8 apples` is in apples: the units do not match."),
        ("8 5", "mM", "`bath.K` is in mM, but `8 5` is in 5: the units do not match."),
        ("8 mM", "", "`bath.K` is a number without unit, but `8 mM` is in mM: the units do not match."),
        ("8 °C", "K", "`bath.K` is in K, but `8 °C` is in °C: the units do not match."),
        ("8 s", "mV", "`bath.K` is in mV, but `8 s` is in s: the units do not match."),
        ("8 %", "mM", "`bath.K` is in mM, but `8 %` is in %: the units do not match."),
        ("eight mM", "mM", "Cannot read `eight mM` as a value of `bath.K`; give a number, or a number and a unit such as `8 mM`."),
        ("", "mM", "Cannot read `` as a value of `bath.K`"),
        ("mM", "mM", "Cannot read `mM` as a value of `bath.K`"),
        ("--8", "mM", "Cannot read `--8` as a value of `bath.K`"),
        ("nan", "mM", "Cannot read `nan` as a value of `bath.K`"),
        ("inf", "mM", "Cannot read `inf` as a value of `bath.K`"),
    ],
)
def test_quantity_that_does_not_fit_is_refused(text: str, unit: str, message: str):
    with pytest.raises(UnitError) as refusal:
        units.quantity(text, unit, name="bath.K")
    assert str(refusal.value).startswith(message)
    assert isinstance(refusal.value, JaxionError)
    assert isinstance(refusal.value, ValueError)
