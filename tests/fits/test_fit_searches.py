"""How a search goes: what it shows, schedules, clipping, patience; a fit that is killed goes on and ends at the same bits."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from fit_cases import X, straight

import jaxion
from jaxion import FitProblem, Status, StoreError
from jaxion.fits.searches.checkpoints import FILE
from jaxion.fits.searches.fingerprints import fingerprint
from jaxion.fits.searches.least_squares import LeastSquares, Linearised, linearisation
from jaxion.fits.searches.run import _compiled

METHODS = {"lm": {"method": "lm"}, "lbfgs": {"method": "lbfgs"}, "adam": {"optimiser": optax.adam(0.1), "steps": 30}}


def bent(rng=None, scatter=0.1):
    """A growth whose fit takes several steps."""

    def growth(x, a, k):
        return a * jnp.exp(k * x)

    noise = np.random.default_rng(0 if rng is None else rng).standard_normal(len(X))
    free = {"a": jaxion.positive(1.0), "k": jaxion.unbounded(0.1)}
    return FitProblem(growth, None, {"x": X, "y": 3 * np.exp(0.8 * X) + scatter * noise}, free, {"y": 0.1})


def same(one, other):
    assert one.values == other.values
    assert one.loss == other.loss
    for name in ("initial", "final", "losses", "statuses", "history"):
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name))


def test_a_trial_that_is_not_taken_costs_no_jacobian():
    """Where the loss is not below the bound, or the trial is the last, there are no directions, and the Jacobian is zero."""
    asked = []

    @jax.custom_jvp
    def watched(a):
        return a

    @watched.defjvp
    def watched_jvp(primals, tangents):
        jax.debug.callback(lambda *pair: asked.append(tuple(map(float, pair))), *primals, *tangents)
        return primals[0], tangents[0]

    free = {"a": jaxion.unbounded(1.0), "b": jaxion.unbounded(0.0)}
    problem = FitProblem(lambda x, a, b: watched(a) * x + b, None, {"x": X, "y": 2 * X}, free, {"y": 0.1})
    evaluate, looping = linearisation(problem)
    u, sd = jnp.array([[2.0, 0.1], [3.0, 0.0], [2.5, 0.1]]), jnp.ones((3, 1))
    found = evaluate(u, sd, jnp.array([100.0, 100.0, 1e6]), jnp.array([False, False, True]))
    jax.effects_barrier()
    assert not looping
    losses = np.sum(np.asarray(found.at.residuals) ** 2, axis=1) / 2
    assert losses[0] < 100 < losses[1]
    np.testing.assert_allclose(found.jacobian[0], np.stack([X, np.ones(len(X))], axis=1) / 0.1)
    np.testing.assert_array_equal(found.jacobian[1:], 0.0)
    np.testing.assert_array_equal(found.below, [True, False, True])
    assert sorted(asked) == [(2.0, 0.0), (2.0, 1.0), (2.5, 0.0), (2.5, 0.0), (3.0, 0.0), (3.0, 0.0)]


@pytest.mark.slow
def test_a_start_where_nothing_has_influence_stays_and_is_done():
    problem = FitProblem(lambda x, idle: x + 0.0 * idle, None, {"x": X, "y": 2 * X}, {"idle": jaxion.positive(2.0)}, {"y": 0.1})
    u, method = problem.parameters.unknowns({"idle": 2.0}), LeastSquares(1e-10)
    found = Linearised(problem.at(u), jnp.asarray(True), jnp.zeros((len(X), 1)))
    proposal = method.propose(problem.layout, method.init(problem.layout, u, found, jnp.ones(1, bool)))
    np.testing.assert_array_equal(proposal.u, u)
    assert bool(proposal.last)
    fit = jaxion.fit(problem, starts=3)
    np.testing.assert_allclose(fit.final, fit.initial, rtol=1e-15)
    assert np.all(fit.statuses == Status.ok)
    assert fit.rank == 0


def test_nothing_is_compiled_twice():
    """Not for a type of numbers that only the first step has: the model takes most of the time of a short fit."""
    problem = bent()
    fit = jaxion.fit(problem, starts=3)
    assert len(fit.history) > 3
    assert fit.rank == 2
    evaluate: Any = linearisation(problem)[0]
    assert evaluate.shared._cache_size() == 1
    for name in ("init", "propose", "judge"):
        assert _compiled(name, LeastSquares(1e-10), problem.layout)._cache_size() == 1


# Progress


@pytest.mark.parametrize("method", METHODS)
def test_progress_shows_steps_loss_and_starts_on_stderr(method, capsys):
    fit = jaxion.fit(bent(), starts=3, progress=True, **METHODS[method])
    out, err = capsys.readouterr()
    assert out == ""
    assert f"{len(fit.history) - 1}/{METHODS[method].get('steps', 200)}" in err
    assert f"loss {np.nanmin(fit.losses):.6g}" in err
    assert f"{0 if method != 'adam' else 3} of 3 starts under way" in err
    assert "0 failed" in err


def test_progress_counts_starts_that_failed(capsys):
    def fragile(x, a):
        return a * x + jnp.where(a > 2, jnp.nan, 0.0)

    problem = FitProblem(fragile, None, {"x": X, "y": X}, {"a": jaxion.unbounded(1.5)}, {"y": 1.0})
    fit = jaxion.fit(problem, starts=8, progress=True)
    failed = int(np.sum(fit.statuses == Status.not_finite))
    assert 0 < failed < 8
    assert f"{failed} failed" in capsys.readouterr().err


def test_progress_is_silent_without_a_terminal_and_shown_on_one(capsys, monkeypatch):
    jaxion.fit(bent())
    assert capsys.readouterr() == ("", "")
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    jaxion.fit(bent())
    assert "steps/s" in capsys.readouterr().err


# Schedules, clipping, patience


def test_a_schedule_is_followed():
    # Plain gradient descent, one step of 0.01 and then none: by hand.
    problem = straight(2 * X - 1)
    halt = optax.sgd(optax.piecewise_constant_schedule(0.01, {1: 0.0}))
    fit = jaxion.fit(problem, halt, steps=5)
    gradient = np.array([-np.sum(X * (2 * X - 1)), -np.sum(2 * X - 1)])
    np.testing.assert_allclose(fit.final[0], -0.01 * gradient, rtol=1e-12)
    np.testing.assert_array_equal(fit.history[1:, 0], fit.history[1, 0])


def test_a_gradient_is_clipped():
    problem = straight(2 * X - 1)
    fit = jaxion.fit(problem, optax.chain(optax.clip_by_global_norm(0.1), optax.sgd(1.0)), steps=1)
    assert np.linalg.norm(fit.final[0]) == pytest.approx(0.1, rel=1e-12)


@pytest.mark.slow
def test_a_start_that_does_not_improve_is_done_before_its_steps_are():
    fit = jaxion.fit(bent(), optax.adam(0.3), steps=2000, starts=2, patience=20)
    gained = [np.flatnonzero(np.diff(fit.history[:, k]) < 0)[-1] + 1 for k in range(2)]
    assert len(fit.history) - 1 < 2000
    assert len(fit.history) - 1 >= max(gained)
    assert np.all(fit.statuses == Status.ok)
    never = jaxion.fit(bent(), optax.adam(0.3), steps=len(fit.history) + 20, starts=2)
    assert len(never.history) > len(fit.history)


# Checkpoints


@pytest.mark.parametrize("method", [pytest.param(name, marks=() if name == "lm" else pytest.mark.slow) for name in METHODS])
def test_a_search_goes_on_from_its_checkpoint_to_the_same_bits(method, tmp_path):
    options = {**METHODS[method], "starts": 3}
    whole = jaxion.fit(bent(), **options)
    first = jaxion.fit(bent(), **{**options, "steps": 4}, checkpoint=tmp_path / "kept")
    assert len(first.history) == 5
    same(jaxion.fit(bent(), **options, checkpoint=tmp_path / "kept"), whole)
    # What is finished is not done again.
    same(jaxion.fit(bent(), **options, checkpoint=tmp_path / "kept"), whole)


@pytest.mark.slow
def test_random_numbers_of_an_optimiser_are_kept(tmp_path):
    noisy = optax.chain(optax.add_noise(0.1, 0.5, 3), optax.adam(0.1))
    whole = jaxion.fit(bent(), noisy, steps=12)
    jaxion.fit(bent(), noisy, steps=5, checkpoint=tmp_path)
    same(jaxion.fit(bent(), noisy, steps=12, checkpoint=tmp_path), whole)


CHANGED = [
    (lambda: (bent(rng=1), {}), "data differs"),
    (lambda: (straight(2 * X - 1), {}), "model differs"),
    (lambda: (bent(), {"optimiser": optax.adam(0.2)}), "method differs"),
    (lambda: (bent(), {"optimiser": optax.adam(optax.cosine_decay_schedule(0.1, 99))}), "method differs"),
    (lambda: (bent(), {"seed": 1}), "starts differs"),
    (lambda: (bent(), {"steps": 3}), r"after 10 steps already, but `steps` is 3\."),
]


@pytest.mark.parametrize(("changed", "message"), CHANGED, ids=[message for _, message in CHANGED])
def test_the_checkpoint_of_another_fit_is_refused(changed, message, tmp_path):
    options = {"optimiser": optax.adam(0.1), "steps": 10, "starts": 2}
    jaxion.fit(bent(), **options, checkpoint=tmp_path)
    problem, change = changed()
    with pytest.raises(StoreError, match=message):
        jaxion.fit(problem, **{**options, **change}, checkpoint=tmp_path)


def test_a_damaged_checkpoint_is_named(tmp_path):
    (tmp_path / FILE).write_bytes(b"PK nothing")
    with pytest.raises(StoreError, match="cannot be read; delete it to begin again"):
        jaxion.fit(bent(), checkpoint=tmp_path)


@pytest.mark.slow
def test_fingerprints_are_those_of_another_process():
    code = """
import optax, jax.numpy as jnp, jaxion
from jaxion.fits.searches.fingerprints import fingerprint
from jaxion.fits.searches.least_squares import linearisation
print(fingerprint(optax.adam(optax.cosine_decay_schedule(0.1, 50)), {"b": [1, 2.0], "a": jnp.ones(2)}, jaxion.models.duesterwald2018()))
"""
    plain = {**os.environ, "JAX_ENABLE_X64": "1"}
    done = [subprocess.run([sys.executable, "-c", code], env=plain, capture_output=True, text=True, check=True).stdout for _ in range(2)]
    assert done[0] == done[1]
    assert fingerprint(lambda x: x + 1) != fingerprint(lambda x: x + 2)
    assert fingerprint(optax.adam(0.1)) != fingerprint(optax.adam(0.2))


# A process that is killed

LONG = """
[model]
function = "forms.py:growth"
[experiment]
data = { x = [-1.0, 0.0, 1.0, 2.0], y = [1.3, 3.1, 6.6, 14.9] }
noise = { y = 0.1 }
[free]
a = { positive = 1.0 }
k = { unbounded = 0.1 }
[fit]
method = "adam"
rate = 0.001
steps = STEPS
starts = 4
"""
FORMS = "import jax.numpy as jnp\ndef growth(x, a, k):\n    return a * jnp.exp(k * x)\n"


def command(*words):
    return [sys.executable, "-c", "import sys; from jaxion.cli import main; sys.exit(main(sys.argv[1:]))", *map(str, words)]


def fitting(folder, out):
    return command("fit", folder / "fit.toml", "--out", folder / out)


@pytest.mark.slow
def test_a_fit_that_is_killed_goes_on_by_the_same_command_to_the_same_bits(tmp_path):
    (tmp_path / "forms.py").write_text(FORMS)
    (tmp_path / "fit.toml").write_text(LONG.replace("STEPS", "20000"))
    running = subprocess.Popen(fitting(tmp_path, "killed"), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    kept = tmp_path / "killed" / "unfinished" / FILE
    deadline = time.monotonic() + 240
    while not kept.exists() and running.poll() is None and time.monotonic() < deadline:
        time.sleep(0.02)
    assert running.poll() is None
    running.send_signal(signal.SIGKILL)
    _, err = running.communicate()
    assert running.returncode == -signal.SIGKILL
    assert err == ""
    with np.load(kept) as stored:
        assert 1 < len(stored["history"]) < 20000
    report = subprocess.run(command("report", tmp_path / "killed"), capture_output=True, text=True, check=False)
    assert report.returncode == 2
    assert "was ended early" in report.stderr
    # Another problem in this place is refused.
    (tmp_path / "fit.toml").write_text(LONG.replace("STEPS", "20000").replace("14.9", "15.0"))
    other = subprocess.run(fitting(tmp_path, "killed"), capture_output=True, text=True, check=False)
    assert other.returncode == 2
    assert "holds the checkpoint of another fit: its data differs" in other.stderr
    (tmp_path / "fit.toml").write_text(LONG.replace("STEPS", "20000"))
    for out in ("killed", "whole"):
        done = subprocess.run(fitting(tmp_path, out), capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
    killed, whole = (json.loads((tmp_path / out / "fit.json").read_text()) for out in ("killed", "whole"))
    assert not kept.exists()
    for record in (killed, whole):
        del record["provenance"]
    assert killed == whole
    assert len(whole["starts"]["history"]) > 1000
    assert sorted(p.name for p in (tmp_path / "killed").iterdir()) == ["fit.json", "starts.zarr"]
    files = [p.relative_to(tmp_path / "whole") for p in Path(tmp_path / "whole").rglob("*") if p.is_file() and p.name != "fit.json"]
    assert len(files) > 5
    for file in files:
        assert (tmp_path / "killed" / file).read_bytes() == (tmp_path / "whole" / file).read_bytes(), file
