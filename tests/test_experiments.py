"""Each experiment still finds, at a reduced size, what its README says."""

import importlib.util
import json
from pathlib import Path

import pytest
from reference import fits as reference

EXPERIMENTS = Path(__file__).parents[1] / "experiments"
NAMES = sorted(path.parent.name for path in EXPERIMENTS.glob("*/run.py"))
FITS = [name for name in NAMES if name.startswith("fit_")]
RECOVERIES = ["coverage_of_intervals"]
SWEEPS = [name for name in NAMES if name not in (*FITS, *RECOVERIES)]


def load(name, file="run.py"):
    spec = importlib.util.spec_from_file_location(f"experiment_{name}", EXPERIMENTS / name / file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


same = load("", "expected.py").same


@pytest.mark.slow
@pytest.mark.parametrize("name", SWEEPS)
def test_findings_hold_at_a_reduced_size(name):
    expected = json.loads((EXPERIMENTS / name / "expected.json").read_text())
    found = load(name).run(size=4096)
    assert found["ok"] == 4096
    assert expected["ok"] == 100_000
    # The statistical error of 4096 cells: a percent of a spread of some mV, a few points of a share.
    for of, wanted in expected["median"].items():
        assert found["median"][of] == pytest.approx(wanted, abs=0.3)
    for key, tolerance in (("sensitivity", 0.3), ("share", 0.03)):
        for of, row in expected[key].items():
            assert found[key][of] == pytest.approx(row, abs=tolerance)


@pytest.mark.slow
@pytest.mark.parametrize("name", FITS)
def test_fits_of_published_data_find_what_they_did(name):
    expected = json.loads((EXPERIMENTS / name / "expected.json").read_text())
    assert same(json.loads(json.dumps(load(name).run())), expected)


@pytest.mark.parametrize("name", FITS)
def test_the_comparison_of_a_fit_sees_a_difference(name):
    expected = json.loads((EXPERIMENTS / name / "expected.json").read_text())
    assert same(expected, expected)
    assert not same(displaced(expected), expected)


@pytest.mark.slow
@pytest.mark.parametrize("name", RECOVERIES)
def test_first_recoveries_end_as_they_did(name):
    experiment = load(name)
    expected = json.loads((EXPERIMENTS / name / "expected.json").read_text())
    assert experiment.same(experiment.run(experiment.CHECKED), expected)


@pytest.mark.parametrize("name", RECOVERIES)
def test_the_comparison_of_recoveries_sees_another_end_and_intervals_that_are_too_short(name):
    experiment = load(name)
    expected = json.loads((EXPERIMENTS / name / "expected.json").read_text())
    assert experiment.same(expected, expected)
    of = expected["pump block"]["repetitions"]
    another = [{**of[0], "z": [0.02 + z for z in of[0]["z"]]}, *of[1:]]
    assert not experiment.same({**expected, "pump block": {"repetitions": another}}, expected)
    missed = [{**one, "inside": [*one["inside"][:-1], one["inside"][-1] and i % 4 > 0]} for i, one in enumerate(of)]
    too_short = {**expected, "pump block": experiment.summary("pump block", missed)}
    assert not experiment.same(too_short, too_short)


def displaced(found):
    """The same, but for one part in a hundred in its last number."""
    if isinstance(found, dict):
        *_, last = (key for key, value in found.items() if not isinstance(value, str))
        return {**found, last: displaced(found[last])}
    if isinstance(found, list):
        return [*found[:-1], displaced(found[-1])]
    return 0.0 if found is None else 1.01 * found


# Published least squares


def numbers(name):
    return json.loads((EXPERIMENTS / name / "expected.json").read_text())


def test_the_pump_is_fitted_as_by_least_squares_elsewhere():
    found = numbers("fit_sodium_pump")
    for key, wanted in (
        ("Hill over sodium", reference.NAKAO_HILL_NA),
        ("three sites over sodium", reference.NAKAO_CUBIC_NA),
        ("Hill over potassium", {"half" if k == "K" else k: v for k, v in reference.NAKAO_HILL_K.items()}),
    ):
        assert {**found[key]["values"], "sse": found[key]["sse"]} == pytest.approx(wanted, rel=1e-4)


def test_kir_is_fitted_as_by_least_squares_elsewhere():
    found = numbers("fit_kir")
    for key, wanted in (("chai_2017", reference.CHAI_KIR), ("seifert_2009", reference.SEIFERT_KIR)):
        assert {**found[key]["values"], "sse": found[key]["sse"]} == pytest.approx(wanted, rel=1e-3)
    assert found["exponent of outer potassium"] == pytest.approx(reference.RANSOM_EXPONENT, abs=5e-5)


def test_phospholemman_shifts_sodium_as_measured_if_its_entry_falls():
    found = numbers("fit_fxyd1")
    assert found["feedback"]["elasticity"] == pytest.approx(reference.DESPA_ELASTICITY, abs=5e-4)
    assert found["elasticity of the ohmic cell at 10 mM"] == pytest.approx(reference.OHMIC_ELASTICITY, rel=1e-5)


def test_a_steady_state_determines_three_of_seven_parameters_of_u937_cells():
    found = numbers("fit_u937")
    assert found["steady state"]["rank"] == 3
    assert found["steady state"]["spectrum"] == pytest.approx(reference.U937_SPECTRUM, rel=2e-4)
    assert found["steady state and ouabain"]["rank"] == 7


def test_chemical_ischemia_is_followed_if_the_pumps_of_astrocytes_return_before_those_of_neurons():
    found = numbers("fit_chemical_ischemia")
    apart, together = found["apart"], found["together"]
    for channel, wanted in reference.GERKAU_ISCHEMIA.items():
        assert apart["model"][channel] == pytest.approx(wanted, abs=1.5 if "Na" in channel else 0.1)
    low, high = apart["interval"]["length_neuron"]
    assert low < reference.GERKAU_LENGTH < high
    assert apart["interval"]["length_astrocyte"][1] < reference.GERKAU_LENGTH
    assert apart["chi2"] < 5 < 25 < together["chi2"]
