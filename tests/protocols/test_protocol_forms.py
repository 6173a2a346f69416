"""Protocols as plain data: each form is what its constructor makes, and every mistake is answered by its key."""

import inspect
import json
import tomllib

import jax
import numpy as np
import pytest

import jaxion
from jaxion import ConfigError, Protocol, anoxia, bath, block, inject, phase, recording, rest, smooth_block, train
from jaxion.protocols import parse, plain
from jaxion.protocols.forms import FORMS

TEXT = """
protocol = [
    { rest = 60 },
    { block = ["neuron.nka", 0.9], duration = "5 min" },
    { block = [["neuron.nka", "neuron.kcc2"], 0.5], duration = 30 },
    { smooth_block = ["neuron.nka", 1.0], duration = 2400, begin = 344, end = 556, width = 15 },
    { bath = { K = "12 mM" }, duration = 120, replacing = "Na" },
    { anoxia = 300, left = 0.1 },
    { inject = ["neuron", 36], duration = 10 },
    { train = ["neuron", "0.1 nA"], width = 0.002, period = 0.1, count = 20, ion = "Cl" },
    { phase = 60, set = { "bath.K" = "8 mM" }, scale = { "neuron.nka.v_max" = 0.5 }, ramp = { "bath.Na" = [145, 140] } },
    { recording = "bath.K", times = [0, 10, 30], values = [3.5, 8, 5] },
]
"""

WANTED = Protocol(
    rest(60),
    block("neuron.nka", 0.9, 300),
    block(["neuron.nka", "neuron.kcc2"], 0.5, 30),
    smooth_block("neuron.nka", 1.0, 2400, 344, 556, 15),
    bath(120, K=12, replacing="Na"),
    anoxia(300, left=0.1),
    inject("neuron", 36, 10),
    train("neuron", 100, 0.002, 0.1, 20, ion="Cl"),
    phase(60, set={"bath.K": "8 mM"}, scale={"neuron.nka.v_max": 0.5}, ramp={"bath.Na": (145, 140)}),
    recording("bath.K", [0, 10, 30], [3.5, 8, 5]),
)


def test_every_constructor_has_its_form():
    entries = tomllib.loads(TEXT)["protocol"]
    assert {next(name for name in entry if name in FORMS) for entry in entries} == set(FORMS)
    for found in (parse(entries, "here"), parse(json.loads(json.dumps(entries)), "here")):
        assert jax.tree.structure(found) == jax.tree.structure(WANTED)
        jax.tree.map(lambda one, other: np.testing.assert_allclose(one, other, rtol=1e-15), found, WANTED)


def test_plain_data_of_a_protocol_makes_the_same_one():
    data = json.loads(json.dumps(plain(WANTED)))
    again = parse(data, "here")
    assert jax.tree.structure(again) == jax.tree.structure(WANTED)
    assert plain(again) == data


def test_forms_name_the_arguments_of_their_constructors():
    for name, first in FORMS.items():
        assert set(first) <= set(inspect.signature(getattr(jaxion, name)).parameters)


WRONG = [
    ({"rest": 60}, r"^`x\.toml`, key `run\.protocol` must be a list of phases such as \[\{ rest = 60 \}\], but it is"),
    ([], r"key `run\.protocol` must be a list of phases"),
    ([60], r"key `run\.protocol\[0\]` must be a table such as \{ rest = 60 \}, but it is `60`\.$"),
    ([{"rest": 1}, {"rest": -5}], r"^`x\.toml`, key `run\.protocol\[1\]`: `duration` must not be negative, but it is -5 s\.$"),
    ([{"rest": True}], r"`duration` must be a number, but it is `True`\.$"),
    ([{"rest": [{}]}], r"`duration` must be a number or an array of numbers"),
    ([{"rest": "5 mM"}], r"`duration` is in s, but `5 mM` is in mM"),
    ([{"rst": 60}], r"must hold exactly one of `rest`, .* and `phase`, but it holds `rst`\. Did you mean `rest`\?$"),
    ([{}], r"must hold exactly one of .*, but it holds nothing\.$"),
    ([{"rest": 60, "anoxia": 60}], r"but it holds `rest` and `anoxia`\.$"),
    ([{"rest": 60, "duration": 60}], r"key `run\.protocol\[0\]\.duration` is not known; `rest` takes nothing else\.$"),
    ([{"block": ["neuron.nka", 0.9]}], r"key `run\.protocol\[0\]\.duration` is missing: `block` needs it\.$"),
    (
        [{"block": "neuron.nka", "duration": 3}],
        r"key `run\.protocol\[0\]\.block` must be a list \[path, fraction\], but it is `neuron\.nka`",
    ),
    ([{"block": ["neuron.nka", 2], "duration": 3}], r"`fraction` must lie between 0 and 1, but it is 2\.$"),
    ([{"block": [5, 0.5], "duration": 3}], r"must name its path as a text in quotes, but it is `5`\.$"),
    ([{"block": ["neuron.nka", 0.9], "durtion": 3}], r"key `run\.protocol\[0\]\.durtion` is not known; .* Did you mean `duration`"),
    ([{"bath": 12, "duration": 3}], r"key `run\.protocol\[0\]\.bath` must be a table such as \{ K = 12 \}, but it is `12`"),
    ([{"bath": {"K": 12, "duration": 5}, "duration": 3}], r"key `run\.protocol\[0\]\.bath` must hold concentrations only"),
    ([{"bath": {}, "duration": 3}], r"must change at least one concentration"),
    ([{"phase": 3, "set": 5}], r"key `run\.protocol\[0\]\.set` must be a table such as"),
    ([{"phase": 3, "ramp": {"bath.K": 5}}], r"The ramp of `bath\.K` must have two ends"),
    ([{"inject": ["neuron", 3], "duration": 1, "ion": 5}], r"key `run\.protocol\[0\]\.ion` must name its ion as a text in quotes"),
    ([{"recording": "bath.K", "times": [0, 1]}], r"key `run\.protocol\[0\]\.values` is missing"),
    ([{"recording": "bath.K", "times": [1, 0], "values": [1, 2]}], r"must be increasing, but times\[0\]=1 s is followed by 0 s"),
    ([{"recording": "bath.K", "times": "all", "values": [1, 2]}], r"`times` must be a list of numbers, but it is `all`\.$"),
]


@pytest.mark.parametrize(("entries", "message"), WRONG, ids=[str(entries)[:50] for entries, _ in WRONG])
def test_mistake_is_answered_by_its_key(entries, message):
    with pytest.raises(ConfigError, match=message) as caught:
        parse(entries, "x.toml", "run.protocol")
    assert str(caught.value).startswith("`x.toml`, key `run.protocol")
    assert str(caught.value).endswith((".", "?"))
    assert "\n" not in str(caught.value)
