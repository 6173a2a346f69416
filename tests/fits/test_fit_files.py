"""Fit files, the verbs `fit` and `report`, and figures: the same numbers as in Python, and sentences for mistakes."""

import json
import re

import jax.numpy as jnp
import numpy as np
import pytest
from fit_cases import SODIUM, hill_fit

import jaxion
from jaxion import FitProblem
from jaxion.cli import main
from jaxion.errors import ConfigError
from jaxion.fits.files.config import read_config
from jaxion.fits.files.folder import read, save
from jaxion.plots.reports import page, write_report

HILL = """
[model]
function = "forms.py:hill"
[experiment]
data = "{file}"
[free]
I_max = {{ positive = 1.0 }}
K = {{ positive = 5.0 }}
n = {{ positive = 1.0 }}
[fit]
starts = 16
"""
RESTING = """
[model]
name = "duesterwald2018"
set = { "neuron.leak_Cl.g" = 0.15 }
[[experiment]]
data = { "neuron.V" = -72.0, "neuron.Cl" = 5.5 }
noise = { "neuron.V" = "1 mV", "neuron.Cl" = { relative = 0.1 } }
[[experiment]]
data = { "neuron.V" = -60.0 }
set = { "bath.K" = "7 mM" }
noise = { "neuron.V" = { huber = 1.0 } }
[free]
"neuron.kcc2.g" = { positive = 2.0, prior = { lognormal = 0.5 } }
"neuron.leak_Na.g" = "positive"
"neuron.leak_K.g" = { tied = "neuron.leak_Na.g" }
"""
FORMS = "def hill(Na, I_max, K, n):\n    return I_max * Na**n / (Na**n + K**n)\n"


@pytest.fixture
def write(tmp_path):
    def put(text, name="fit.toml"):
        (tmp_path / "forms.py").write_text(FORMS)
        (tmp_path / name).write_text(text)
        return tmp_path / name

    return put


@pytest.mark.slow
def test_the_command_line_finds_what_python_does(write, tmp_path, capsys):
    config, out = write(HILL.format(file=SODIUM)), tmp_path / "out"
    assert main(["fit", str(config), "--out", str(out), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert set(found) == {"values", "sd", "loss", "rank", "directions", "status"}
    assert found["values"] == hill_fit().values
    assert found["sd"] == hill_fit().sd
    assert found["status"] == "ok"
    assert found["rank"] == 3
    assert [d["identifiable"] for d in found["directions"]] == [True] * 3
    assert main(["report", str(out)]) == 0
    text = (out / "report.html").read_text()
    assert "determine all 3 parameters" in text
    assert text.count("<svg") == 3
    # Nothing is fetched from elsewhere.
    assert not re.findall(r"<(script|link|img)", text)
    assert main(["plot", str(out), "--out", str(tmp_path / "data.png")]) == 0
    assert (tmp_path / "data.png").stat().st_size > 1000
    assert main(["fit", str(config), "--out", str(out)]) == 2
    assert "exists already" in capsys.readouterr().err


def test_a_fit_file_says_what_python_would(write):
    problem = read_config(write(RESTING)).problem()
    free = {
        "neuron.kcc2.g": jaxion.positive(2.0, prior=jaxion.LogNormal(0.5)),
        "neuron.leak_Na.g": jaxion.positive(),
        "neuron.leak_K.g": jaxion.tied("neuron.leak_Na.g"),
    }
    cell = jaxion.replace(jaxion.models.duesterwald2018(), {"neuron.leak_Cl.g": 0.15})
    first = FitProblem(cell, None, {"neuron.V": -72.0, "neuron.Cl": 5.5}, free, {"neuron.V": 1.0, "neuron.Cl": jaxion.relative(0.1)})
    second = FitProblem(jaxion.replace(cell, {"bath.K": 7.0}), None, {"neuron.V": -60.0}, free, {"neuron.V": jaxion.huber(1.0)})
    same = FitProblem.join(first, second)
    values = {"neuron.kcc2.g": jnp.asarray(1.8), "neuron.leak_Na.g": jnp.asarray(0.17)}
    np.testing.assert_allclose(problem.residuals(values), same.residuals(values), rtol=1e-12)
    assert str(problem) == "Fit of 2 parameters to 3 values of 3 channels in 2 experiments"


MISTAKES = [
    (("[fit]", "[fits]"), r"key `fits` is not known; a fit file takes model, experiment, population, free, fit\. Did you mean `fit`"),
    (("starts = 16", "start = 16"), r"key `fit` does not take `start`; it takes .*Did you mean .*`starts`"),
    (("starts = 16", "starts = 1.5"), r"key `fit.starts` must be a whole number, but it is `1.5`"),
    (("starts = 16", 'method = "adma"'), r"key `fit.method` must be one of lm, lbfgs, adam, .*Did you mean `adam"),
    (("starts = 16", "rate = 0.1"), r"key `fit.rate` does not go with the method `lm`"),
    (("positive = 5.0", "positiv = 5.0"), r'key `free."K"` must be given such as "positive"'),
    (("positive = 5.0", "positive = -5.0"), r"key `experiment`: `K` cannot begin at -5"),
    (("{ positive = 5.0 }", '"posittive"'), r'key `free."K"` must be given such as .*Did you mean `positive`'),
    (("{ positive = 5.0 }", "{ interval = [1] }"), r"must have an interval of two ends"),
    (("forms.py:hill", "forms.py:hil"), r"key `model.function`.*has no function `hil`.*Did you mean `hill`"),
    (("forms.py:hill", "forms.py"), r"must name a file and the function in it"),
    (("function =", "functions ="), r"key `model` does not take `functions`.*Did you mean `function`"),
    (("over_sodium", "over_lithium"), r"recording `.*over_lithium.csv` cannot be read"),
    (("data =", "dat ="), r"key `experiment` does not take `dat`"),
    (("[free]", "[free"), r"is no valid TOML"),
    (("[experiment]", "[experiment]\nset = { x = 1.0 }"), r"key `experiment.set`: Only a model has paths"),
    (("[experiment]", "[experiment]\nnoise = { I = { relativ = 0.1 } }"), r'key `experiment.noise."I"` must be given such as'),
]


@pytest.mark.parametrize(("change", "message"), MISTAKES, ids=[new for (_, new), _ in MISTAKES])
def test_mistakes_in_a_fit_file_are_answered_with_the_key(write, change, message):
    config = write(HILL.format(file=SODIUM).replace(*change))
    with pytest.raises(ConfigError, match=message) as refusal:
        read_config(config).run()
    assert "\n" not in str(refusal.value)
    assert str(config) in str(refusal.value) or "over_lithium" in str(refusal.value)


def test_a_mechanism_is_fitted_from_a_file(write, tmp_path):
    (tmp_path / "pump.csv").write_text(
        "inside.Na [mM],rate [fmol/s]\n" + "".join(f"{Na},{2 * (Na / (Na + 8)) ** 3}\n" for Na in (5, 10, 20, 50))
    )
    text = """
    model = { mechanism = "NaKATPaseKager", args = { v_max = 1.0, K_K = 1e-9 } }
    experiment = { data = "pump.csv", noise = { rate = 0.01 }, at = { "outside.K" = "5.4 mM" } }
    free = { v_max = "positive", K_Na = { interval = ["1 mM", "20 mM"] } }
    """
    fit, profile = read_config(write(text)).run()
    assert fit.values == pytest.approx({"v_max": 2.0, "K_Na": 8.0}, rel=1e-6)
    assert profile is None


POPULATION = """
[model]
name = "duesterwald2018"
[population]
data = { cells = 40, mean = { "neuron.Cl" = "5 mM" }, sd = { "neuron.Cl" = "0.5 mM" } }
vary = { "neuron.kcc2.g" = { lognormal = 0.3 } }
cells = 200
"""


@pytest.mark.slow
def test_a_population_is_learnt_from_a_file(write, tmp_path, capsys):
    assert main(["fit", str(write(POPULATION)), "--out", str(tmp_path / "out")]) == 0
    assert "chi-squared" in capsys.readouterr().out
    published = jaxion.Summary(40, {"neuron.Cl": 5.0}, {"neuron.Cl": 0.5})
    same = jaxion.fit_population(jaxion.models.duesterwald2018(), {"neuron.kcc2.g": jaxion.LogNormal(0.3)}, published, cells=200)
    record = read(tmp_path / "out")
    assert record["values"] == same.values
    assert record["population"]["statistics"][0]["name"] == "mean(neuron.Cl)"
    assert record["population"]["simulated"] == {"ok": 200}
    assert "cv(neuron.kcc2.g)" in page(record)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("cells = 40", "cells = 40.5"), r"key `population.data` must have a whole number of cells, but it has `40.5`"),
        (("mean =", "means ="), r"key `population.data` does not take `means`"),
        (("lognormal = 0.3", "uniform = 0.3"), r'key `population.vary."neuron.kcc2.g"` must be given such as \{ lognormal'),
        (("cells = 200", "size = 200"), r"key `population` does not take `size`"),
        (("vary =", "free ="), r"key `population` does not take `free`"),
        (("neuron.kcc2.g", "neuron.kcc2.G"), r"key `population`: No path `neuron.kcc2.G`"),
        (("[population]", "[experiment]\n[population]"), r"must have either `experiment` or `population`, but it has both"),
    ],
)
def test_mistakes_about_a_population_are_answered_with_the_key(write, change, message):
    with pytest.raises(ConfigError, match=message):
        read_config(write(POPULATION.replace(*change))).run()


def test_a_fit_that_fails_leaves_a_page_and_an_exit_code(write, tmp_path, capsys):
    (tmp_path / "forms.py").write_text("")
    config = write(HILL.format(file=SODIUM).replace("starts = 16", "starts = 2"))
    (tmp_path / "forms.py").write_text(FORMS.replace("return", "return 0.0 / (K - K) +"))
    assert main(["fit", str(config), "--out", str(tmp_path / "out"), "--json"]) == 1
    printed = capsys.readouterr()
    assert json.loads(printed.out)["status"] == "not_finite"
    assert json.loads(printed.out)["loss"] is None
    assert "2 of 2 starts failed" in printed.err
    assert "The fit failed: not_finite" in write_report(tmp_path / "out").read_text()


@pytest.mark.slow
def test_the_page_says_what_is_not_determined_and_shows_profiles(tmp_path):
    def product(x, a, b):
        return a * b * x

    x = np.linspace(0.0, 1.0, 5)
    free = {"a": jaxion.positive(1.0), "b": jaxion.positive(2.0)}
    fit = jaxion.fit(FitProblem(product, None, {"x": x, "y": 3 * x}, free, {"y": 0.1}))
    record = read(save(fit, tmp_path / "fit", jaxion.profile(fit, "a", points=5)))
    text = page(record)
    assert text.count("not determined") >= 3
    assert text.count("<svg") == 4
    assert "0 to ∞" in text
    assert jaxion.plot(fit).axes[0].get_ylabel() == "y"
