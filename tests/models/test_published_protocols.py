"""Every model through its own protocols: one cell by the kernel and by diffrax, and batches whose failures are statuses. Models are collected."""

import inspect

import numpy as np
import pytest
from model_cases import each_model, function

import jaxion
from jaxion import Model, Status


def episodes(model: Model) -> list[str]:
    """Published protocols of a model; where there are none, what all can go through."""
    *_, last = jaxion.protocols.of(model)
    return [name for name in dict(model.published) or [last] if name != "rest"]


def quasi_steady(name: str) -> Model:
    """The model with gates at their steady values, where it has any: no spikes, whose times no two integrators share for long."""
    takes_gates = "gates" in inspect.signature(function(name)).parameters
    return function(name)(gates="qss") if takes_gates else function(name)()


def test_every_model_with_a_pump_has_an_episode():
    for name in jaxion.models.__all__:
        model = function(name)()
        pumps = [m for boundary in model.boundaries for m in boundary.mechanisms.values() if m.cycle.ATP]
        assert bool(pumps) == bool(episodes(model)), name


DIFFRAX_RTOL = {"edneg2021": 1e-6, "kalia2021": 1e-6}
"""Tolerance of diffrax where it is not 1e-7: kalia2021 takes 6,516 steps, and a million do not bring it to the end with 1e-7."""


CHAOTIC = ("edneg2021", "depolarisation_block")
"""A course that no two integrators share for long; test_edneg2021.py compares the mean of many."""


@pytest.mark.slow
@each_model
def test_kernel_and_diffrax_give_one_course(name):
    model = quasi_steady(name)
    for episode in episodes(model):
        if (name, episode) == CHAOTIC:
            continue
        end = float(jaxion.protocols.resolve(jaxion.protocols.of(model)[episode], model).edges[-1])
        times = np.linspace(0.0, end, 11)
        roads = {"kernel": 1e-7, "diffrax": DIFFRAX_RTOL.get(name, 1e-7)}
        runs = [jaxion.solve(model, episode, save=times, rtol=rtol, backend=backend) for backend, rtol in roads.items()]
        kernel, other = (np.asarray(run.saved) for run in runs)
        size = np.abs(other).max(axis=0)
        np.testing.assert_allclose(kernel / size, other / size, rtol=0, atol=1e-4, err_msg=episode)


@pytest.mark.slow
@each_model
def test_a_batch_ends_in_statuses_and_never_in_silence(name):
    model = quasi_steady(name)
    strengths = [path.name for path in jaxion.paths(model) if path.name.endswith(".activity") and float(model[path.name]) > 0]
    cells = jaxion.Population.sample(model, dict.fromkeys(strengths, jaxion.LogNormal(cv=0.5)), size=64, seed=1).model()
    for episode in episodes(model):
        run = jaxion.solve(cells, episode, start="baseline", measure={"end": jaxion.final()})
        status = np.asarray(run.status)
        assert status.shape == (64,)
        assert {int(code) for code in status} <= {int(code) for code in Status} - {int(Status.not_run)}
        ends = np.stack([np.broadcast_to(value, status.shape) for value in run.measures.values()])
        fine = status == Status.ok
        assert fine.any()
        assert np.isfinite(ends[:, fine]).all()
        assert np.isnan(ends[:, ~fine]).all()
