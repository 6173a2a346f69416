"""Every wrong recording, problem or argument of a fit is refused where it is given, in one sentence."""

from typing import Any

import numpy as np
import optax
import pytest
from fit_cases import AB, X, line, straight

import jaxion
from jaxion import FitProblem, PathError, Recording, UnitError
from jaxion.errors import ConfigError
from jaxion.mechanisms import Leak

# Wrong input

TABLE = {"x": X, "y": X}
WRONG = [
    ({"free": {"a": jaxion.positive(1.0)}}, ValueError, r"argument `b`, which is neither a column .* nor free"),
    ({"free": {"aa": jaxion.positive(1.0), **AB}}, PathError, r"no argument `aa`; it has .*Did you mean `a`"),
    ({"free": {}}, ValueError, r"argument `a`"),
    ({"free": {**AB, "a": 3.0}}, ValueError, r"`a` must be given a transform such as jaxion.positive\(\), but it is given `3.0`"),
    ({"free": {**AB, "a": jaxion.positive()}}, ValueError, r"`a` has no value to begin with: give it a start"),
    ({"free": {**AB, "a": jaxion.positive(-1.0)}}, ValueError, r"`a` cannot begin at -1: positive\(\) needs a positive one"),
    ({"free": {**AB, "a": jaxion.interval(0, 1, 2.0)}}, ValueError, r"`a` cannot begin at 2: it must lie between the ends 0 and 1"),
    ({"free": {**AB, "a": jaxion.interval(1, 0, 2.0)}}, ValueError, r"ends of interval for `a` must be finite and increasing"),
    ({"free": {**AB, "a": jaxion.tied("c", 1.0)}}, PathError, r"`a` is tied to `c`, which is not free"),
    ({"noise": {"y": 0.0}}, ValueError, r"noise of `y` must be positive, but at sample 0 it is 0\."),
    ({"noise": {"z": 1.0}}, ValueError, r"Argument `noise` names `z`, which is not among what was recorded"),
    ({"noise": {"y": "x"}}, UnitError, r"noise of y"),
    ({"noise": {"y": [1.0, 2.0]}}, ValueError, r"noise of `y` has 2 numbers, but there are 13 samples"),
    ({"noise": {"y": jaxion.huber(1.0)}, "scale": ("y",)}, ValueError, r"goes with normal noise only"),
    ({"recording": {"x": X, "y": [*X[1:], np.nan]}}, ValueError, r"Column `y` must be finite, but y\[12\] is nan: leave its cell"),
    ({"recording": {"x": X, "y": X[1:]}}, ValueError, r"same length, but `x` has 13 values and `y` 12"),
    ({"recording": {"x": X}}, ValueError, r"must have a column that the function computes"),
    ({"recording": {"x": [0.0, 1.0], "y": [0.0, 1.0]}, "noise": None}, ValueError, r"cannot be estimated from fewer than 3 values"),
    ({"recording": 3}, ValueError, r"Argument `recording` must be a Recording, a mapping of columns or a CSV file"),
    ({"protocol": jaxion.Protocol(jaxion.rest(1))}, ValueError, r"go with a Model"),
    ({"model": 3}, ValueError, r"must be a Model, a mechanism or a function"),
]


@pytest.mark.parametrize(("change", "error", "message"), WRONG, ids=[message[:30] for _, _, message in WRONG])
def test_wrong_problems_are_refused_in_one_sentence(change, error, message):
    given = {"model": line, "protocol": None, "recording": TABLE, "free": AB, "noise": {"y": 1.0}, **change}
    with pytest.raises(error, match=message) as refusal:
        FitProblem(given.pop("model"), **given)
    text = str(refusal.value)
    assert text.endswith((".", "?"))
    assert "\n" not in text


def test_wrong_arguments_of_fit_are_refused():
    problem = straight(X)
    wrong: tuple[tuple[dict[str, Any], str], ...] = (
        ({"method": "lmm"}, r"must be lm or lbfgs, but it is `lmm`\. Did you mean `lm`"),
        ({"optimiser": 0.03}, r"must be one of optax, such as optax.adam\(0.03\)"),
        ({"optimiser": optax.sgd(1.0), "method": "lm"}, "exclude each other"),
        ({"starts": 0}, "must be 1 or more"),
        ({"steps": 0}, "must be 1 or more"),
        ({"spread": -1.0}, "must be positive"),
    )
    for arguments, message in wrong:
        with pytest.raises(ValueError, match=message):
            jaxion.fit(problem, **arguments)
    with pytest.raises(PathError, match=r"`c` is not free; free are a, b"):
        problem.loss({"a": 1.0, "b": 1.0, "c": 1.0})
    with pytest.raises(PathError, match=r"The value of `b` is missing"):
        problem.loss({"a": 1.0})
    with pytest.raises(ValueError, match="LogNormal or Normal"):
        jaxion.positive(prior=jaxion.Uniform(0.0, 1.0))
    with pytest.raises(ValueError, match="shared by experiments whose models begin at 0 and 1"):
        FitProblem.join(problem, straight(X, free={**AB, "a": jaxion.unbounded(1.0)}))


def test_the_parameter_of_a_mechanism_keeps_its_range():
    table = {"V": [-80.0, -60.0], "I": [1.0, 2.0]}
    sides = {"inside.K": 140.0, "outside.K": 3.5}
    for given, message in (
        (jaxion.unbounded(), r"`g` must not be negative, but unbounded\(\) leads beyond 0"),
        (jaxion.interval(-1, 1), r"`g` must not be negative, but interval\(-1, 1\) leads to -1 nS"),
    ):
        with pytest.raises(ValueError, match=message):
            FitProblem(Leak("K", 0.1), None, table, {"g": given}, {"I": 1.0}, at=sides)


FILES = [
    ("", "needs a header"),
    ("x,y\n", "needs a header"),
    ("x,y\n1,2\n3\n", r"row 3: there are 1 cells, but the header has 2"),
    ("x,y\n1,two\n", r"row 2, column `y`: `two` is no finite number"),
    ("x,y\n1,nan\n", r"row 2, column `y`: `nan` is no finite number; leave the cell empty if it is missing"),
    ("x,y [mM\n1,2\n", r"the header's cell `y \[mM` must be a name with a unit"),
    ("x,y,y\n1,2,3\n", r"two columns `y`"),
    ("x,y,sd(z)\n1,2,3\n", r"a column `sd\(z\)`, but no column `z`"),
    ("t [s],y\n1,2\n0.5,3\n", r"Times must increase, but t\[0\]=1 s is followed by 0.5 s"),
]


@pytest.mark.parametrize(("text", "message"), FILES)
def test_wrong_files_are_refused_in_one_sentence(tmp_path, text, message):
    file = tmp_path / "data.csv"
    file.write_text(text)
    with pytest.raises(ConfigError, match=message) as refusal:
        Recording.read(file)
    assert "\n" not in str(refusal.value)


def test_a_file_has_units_standard_deviations_and_gaps(tmp_path):
    file = tmp_path / "data.csv"
    file.write_text("V [mV],I [pA],sd(I) [pA]\n-80,1.5,0.1\n-60,,0.1\n-40,2.5,0.2\n")
    read = Recording.read(file)
    assert read.units == {"V": "mV", "I": "pA"}
    assert read.there["I"].tolist() == [True, False, True]
    problem = FitProblem(Leak("K", 0.1), None, read, {"g": jaxion.positive()}, at={"inside.K": 140.0, "outside.K": 3.5})
    (channel,) = problem.channels
    assert channel.size == 2
    assert channel.sd.tolist() == [0.1, 1.0, 0.2]


def test_conditions_that_a_mechanism_needs_are_asked_for():
    table = {"inside.K": [100.0, 120.0, 140.0], "I": [1.0, 2.0, 3.0]}
    free = {"g": jaxion.positive()}
    with pytest.raises(ValueError, match=r"needs the concentration of 'K'.*outside.K"):
        FitProblem(Leak("K", 0.1), None, table, free)
    with pytest.raises(ValueError, match=r"does it need the potential\? Give a column `V \[mV\]`"):
        FitProblem(Leak("K", 0.1), None, table, free, at={"outside.K": 3.5})
    with pytest.raises(ValueError, match=r"Column `inside_k` is neither a condition nor a response of `Leak`. Did you mean `inside.K`"):
        FitProblem(Leak("K", 0.1), None, {"inside_k": [1.0], "I": [1.0]}, free)
    with pytest.raises(PathError, match=r"`Leak` has no parameter `G`; it has g\. Did you mean `g`"):
        FitProblem(Leak("K", 0.1), None, table, {"G": jaxion.positive()}, at={"outside.K": 3.5, "V": -70.0})
