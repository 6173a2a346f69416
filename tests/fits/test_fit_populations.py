"""Populations learnt from measured cells: what made them is found to within its standard error, and what is not known is said."""

import dataclasses
import functools

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

import jaxion
from jaxion import FitProblem, LogNormal, Normal, PathError, Population, Status, Summary, UnitError
from jaxion.fits.data.summaries import of_table, scatter, simulated, statistics, whitening
from jaxion.fits.populations.population_fit import _data, fit_population

KCC2, LEAK = "neuron.kcc2.g", "neuron.leak_K.g"
TRUE = {KCC2: 0.25, f"cv({KCC2})": 0.5, LEAK: 0.8, f"cv({LEAK})": 0.2, f"correlation({KCC2}, {LEAK})": 0.6}
MEASURED = ("neuron.V", "neuron.Na", "neuron.Cl")
VARY = {KCC2: LogNormal(0.3), LEAK: LogNormal(0.3)}
CELLS = 400


@functools.cache
def cell():
    return jaxion.models.duesterwald2018()


def truth(size, seed):
    """A population at the true hyperparameters."""
    spread = {KCC2: LogNormal(TRUE[f"cv({KCC2})"]), LEAK: LogNormal(TRUE[f"cv({LEAK})"])}
    centre = jaxion.replace(cell(), {KCC2: TRUE[KCC2], LEAK: TRUE[LEAK]})
    return Population.sample(centre, spread, size, seed, {(KCC2, LEAK): TRUE[f"correlation({KCC2}, {LEAK})"]})


def table(size=CELLS, seed=5):
    """Set-points of such a population, as they would be measured."""
    point = jaxion.setpoint(truth(size, seed).model())
    assert bool(jnp.all(point.ok))
    return {path: np.asarray(point[path]) for path in MEASURED}


@functools.cache
def found():
    return fit_population(cell(), VARY, table())


def problem(vary, summary, cells=100, model=None, noise=None):
    data = _data(model or cell(), vary, summary, cells, 0, True, noise or {})
    free = {name: transform for name, (_, _, transform) in data.hyperparameters.items()}
    names = {name: value for name, (_, value, _) in data.hyperparameters.items()}
    data = data.weighted(names)
    return data, FitProblem.of(data, free)


@pytest.mark.slow
def test_hyperparameters_are_found_within_their_standard_errors():
    fit = found()
    assert fit.ok
    for name, value in TRUE.items():
        assert abs(fit.values[name] - value) < 3 * fit.sd[name], name
    # The errors themselves are small: the test would mean nothing otherwise.
    assert fit.sd[KCC2] < 0.05 * TRUE[KCC2]
    assert fit.sd[f"cv({LEAK})"] < 0.05 * TRUE[f"cv({LEAK})"] * 2
    assert fit.correlation[0, 1] == pytest.approx(fit.values[f"correlation({KCC2}, {LEAK})"])
    assert fit.correlation_sd[0, 1] == pytest.approx(fit.sd[f"correlation({KCC2}, {LEAK})"], rel=1e-9)
    # Four statistics more than hyperparameters: χ² beyond 18.5 has a chance of 1e-3.
    assert fit.freedom == 4
    assert fit.chi2 < 18.5
    assert fit.counts == {Status.ok: 2000}
    assert fit.statement == "The data determine all 5 parameters."


@pytest.mark.slow
def test_what_was_found_is_a_population_to_go_on_with():
    fit = found()
    cells = fit.population(2000, seed=0)
    drawn, possible = fit.data.draw(fit.values)
    assert bool(jnp.all(possible))
    for path, values in cells.table.items():
        np.testing.assert_allclose(values, drawn[path], rtol=1e-12)
    point = jaxion.setpoint(cells.model())
    for statistic in fit.statistics[:3]:
        path = statistic["name"].removeprefix("mean(").removesuffix(")")
        assert statistic["model"] == pytest.approx(float(jnp.mean(point[path])), rel=1e-9)


@pytest.mark.slow
def test_print_shows_what_was_learnt_and_from_what():
    text = str(found())
    assert text.startswith("Population of duesterwald2018 from 9 statistics of 400 cells: chi-squared")
    assert "neuron.kcc2.g    median 0.25" in text
    assert "correlation of neuron.kcc2.g and neuron.leak_K.g 0.6" in text
    assert "sd(neuron.Cl)" in text
    assert text.endswith("The data determine all 5 parameters.")
    labels = [label.get_text() for label in jaxion.plot(found()).axes[0].get_yticklabels()]
    assert labels == [statistic["name"] for statistic in found().statistics]


@pytest.mark.slow
@pytest.mark.parametrize("paths", [("neuron.V", "neuron.Cl"), MEASURED])
def test_weights_make_the_scatter_of_statistics_one(paths):
    n, replicates = 100, 300
    values = {path: x for path, x in table(n * replicates, seed=11).items() if path in paths}
    sought = statistics(of_table(jaxion.Recording(values), cell()), cell())
    W = whitening(scatter(values, sought) / n)
    parts = {path: jnp.asarray(x.reshape(replicates, n)) for path, x in values.items()}
    each = jax.vmap(lambda one: simulated(one, jnp.ones(n), sought))(parts)
    variances = np.linalg.eigvalsh(np.cov(np.asarray(each) @ W.T, rowvar=False))
    # What 300 replicates know of eigenvalues that are all one (Marchenko & Pastur), and a tail for skewed cells.
    spread = np.sqrt(len(sought) / replicates)
    assert variances[-1] < 1.2 * (1 + spread) ** 2
    # V and Na⁺ say the same but for 4e-5: such a combination is trusted less than its scatter would allow.
    assert np.sum(variances < (1 - spread) ** 2 / 1.2) == (0 if len(paths) == 2 else 2)


NORMAL = {KCC2: LogNormal(0.4), "neuron.z": Normal(0.05)}


@pytest.mark.slow
def test_the_gradient_of_the_loss_is_that_of_differences():
    summary = Summary(50, {"neuron.V": -70.0, "neuron.Cl": 6.0}, {"neuron.V": 3.0}, {("neuron.V", "neuron.Cl"): 0.3})
    _, p = problem(NORMAL, summary, noise={"neuron.V": "0.5 mV"})
    loss = jax.jit(jax.value_and_grad(lambda u: p.at(u).loss))
    start = p.parameters.unknowns(dict(zip(p.names, p.parameters.start, strict=True)))
    for seed in range(3):
        u = np.asarray(start) + 0.2 * np.random.default_rng(seed).standard_normal(len(p.names))
        _, gradient = loss(jnp.asarray(u))
        for i, step in enumerate(1e-5 * np.eye(len(u))):
            up, down = (float(loss(jnp.asarray(u + sign * step))[0]) for sign in (1, -1))
            assert float(gradient[i]) == pytest.approx((up - down) / 2e-5, rel=1e-5, abs=1e-6)


def frail():
    factors = {"neuron.leak_K.g": 0.2, "neuron.leak_Cl.g": 3.5, "neuron.nka.v_max": 6.0, "neuron.leak_Na.g": 3.0}
    return jaxion.replace(cell(), {path: factor * float(cell()[path]) for path, factor in factors.items()})


@pytest.mark.slow
def test_cells_that_fail_spoil_neither_the_loss_nor_its_gradient():
    summary = Summary(50, {"neuron.V": -40.0, "neuron.Na": 30.0}, {"neuron.V": 3.0})
    data, p = problem({"neuron.leak_Na.g": LogNormal(1.5)}, summary, cells=60, model=frail())
    start = {name: jnp.asarray(p.parameters.start[i]) for i, name in enumerate(p.names)}
    _, status = data.simulate(start)
    failed = np.asarray(status != Status.ok)
    assert 5 < failed.sum() < 30
    keep = np.flatnonzero(~failed)
    fewer = dataclasses.replace(
        data, normals={path: z[keep] for path, z in data.normals.items()}, errors={path: e[keep] for path, e in data.errors.items()}
    )
    free = {name: transform for name, (_, _, transform) in data.hyperparameters.items()}
    whole, survivors = (jax.jit(jax.value_and_grad(q.loss))(start) for q in (p, FitProblem.of(fewer, free)))
    assert float(whole[0]) == pytest.approx(float(survivors[0]), rel=1e-12)
    for name, slope in survivors[1].items():
        assert np.isfinite(float(slope))
        assert abs(float(slope)) > 0
        assert float(whole[1][name]) == pytest.approx(float(slope), rel=1e-9)


@pytest.mark.slow
def test_a_normal_parameter_that_leaves_its_range_is_a_cell_that_fails():
    data, _ = problem({KCC2: Normal(0.08)}, Summary(50, {"neuron.Cl": 6.0}, {"neuron.Cl": 0.5}))
    _, status = data.simulate({KCC2: jnp.asarray(0.1), f"sd({KCC2})": jnp.asarray(0.08)})
    count = int(np.sum(np.asarray(status) == Status.not_positive))
    assert count == int(np.sum(0.1 + 0.08 * data.normals[KCC2] < 0)) > 3
    assert np.all(np.isin(np.asarray(status), [Status.ok, Status.not_positive]))


def test_partial_correlations_make_any_correlation_matrix():
    paths = (KCC2, LEAK, "neuron.leak_Na.g", "neuron.leak_Cl.g")
    summary = Summary(50, {"neuron.V": -70.0})
    data = _data(cell(), dict.fromkeys(paths, LogNormal(0.3)), summary, 10, 0, (paths[3], paths[0], paths[1]), {})
    assert f"partial({LEAK}, neuron.leak_Cl.g | {KCC2})" in data.hyperparameters
    values = {name: 0.9 * (-1) ** i for i, name in enumerate(data.hyperparameters)}
    R, L = np.asarray(data.correlation(values)), np.asarray(data.cholesky(values))
    np.testing.assert_allclose(np.diag(R), 1.0, rtol=1e-14)
    np.testing.assert_allclose(np.linalg.cholesky(R), L, atol=1e-12)
    np.testing.assert_array_equal(R[2], [0, 0, 1, 0])
    # By hand: the partial correlation of two given a third.
    a, b, c = R[1, 3], R[0, 1], R[0, 3]
    assert (a - b * c) / np.sqrt((1 - b**2) * (1 - c**2)) == pytest.approx(values[f"partial({LEAK}, neuron.leak_Cl.g | {KCC2})"])


@pytest.mark.slow
def test_a_summary_says_less_and_the_statement_says_so():
    published = Summary(40, mean={"neuron.Cl": "5 mM"}, sd={"neuron.Cl": "0.5 mM"})
    fit = fit_population(cell(), VARY, published, cells=300)
    assert fit.fit.rank == 2
    assert "The data determine 2 of 5 combinations" in fit.statement
    assert "2 values cannot determine 5 parameters" in fit.statement
    assert "not determined" in str(fit)
    assert fit.chi2 == pytest.approx(0.0, abs=1e-6)
    assert fit.statistics[1]["model"] == pytest.approx(0.5, rel=1e-4)


@pytest.mark.slow
def test_a_population_is_learnt_by_gradient_descent_with_a_known_spread():
    known = {f"cv({LEAK})": jaxion.fixed(0.2), f"correlation({KCC2}, {LEAK})": jaxion.fixed(0.6)}
    fit = fit_population(cell(), VARY, table(), optax.adam(0.05), steps=200, free=known)
    assert set(fit.values) == {KCC2, f"cv({KCC2})", LEAK}
    for name, value in fit.values.items():
        assert abs(value - TRUE[name]) < 4 * fit.sd[name], name
    assert fit.distributions[LEAK] == LogNormal(0.2)
    assert "cv 0.2 (given)" in str(fit)


@pytest.mark.slow
def test_the_error_of_a_measurement_is_no_difference_between_cells():
    values = table()
    values["neuron.V"] = values["neuron.V"] + 2.0 * np.random.default_rng(0).standard_normal(CELLS)
    free = {f"correlation({KCC2}, {LEAK})": jaxion.fixed(0.6)}
    blind, aware = (
        fit_population(cell(), VARY, {"neuron.V": values["neuron.V"]}, noise=noise, free=free) for noise in ({}, {"neuron.V": 2.0})
    )
    simulated_sd = [fit.statistics[1]["model"] for fit in (blind, aware)]
    assert simulated_sd == pytest.approx([float(np.std(values["neuron.V"], ddof=1))] * 2, rel=1e-3)
    spread = [np.std(np.asarray(jaxion.setpoint(fit.population(2000).model())["neuron.V"])) for fit in (blind, aware)]
    assert spread[0] == pytest.approx(simulated_sd[0], rel=0.01)
    assert spread[1] == pytest.approx(np.sqrt(simulated_sd[1] ** 2 - 4.0), rel=0.05)


@pytest.mark.slow
def test_a_population_goes_on_from_its_checkpoint_to_the_same_bits(tmp_path):
    published = Summary(40, mean={"neuron.Cl": 5.0}, sd={"neuron.Cl": 0.5})

    def learn(checkpoint):
        return fit_population(cell(), {KCC2: LogNormal(0.3)}, published, cells=100, checkpoint=checkpoint).fit

    whole, first = learn(None), learn(tmp_path)
    # As if it had been ended in its second step.
    (tmp_path / "second" / "state.npz").unlink()
    for other in (first, learn(tmp_path), learn(tmp_path)):
        assert other.values == whole.values
        np.testing.assert_array_equal(other.history, whole.history)


def test_too_many_failures_are_no_result():
    summary = Summary(50, {"neuron.V": -40.0})
    dead = jaxion.replace(frail(), {"neuron.leak_Na.g": 15.0 * float(cell()["neuron.leak_Na.g"])})
    with pytest.raises(ValueError, match=r"cells have no set-point at the start \(no_setpoint\): begin with less spread, or elsewhere"):
        fit_population(dead, {"neuron.leak_Na.g": LogNormal(0.3)}, summary, cells=40)


ROWS = {"neuron.V": [-70.0, -71.0, -69.0, -72.0], "neuron.Cl": [5.0, 6.0, 5.5, 5.2]}
WRONG = [
    ({"measured": {"neuron.v": [1.0] * 5}}, PathError, r"No path `neuron.v` .*Did you mean `neuron.V`"),
    ({"vary": {"neuron.kcc2.G": LogNormal(0.3)}}, PathError, r"No path `neuron.kcc2.G`.*Did you mean `neuron.kcc2.g`"),
    ({"vary": {"neuron.E_Cl": Normal(0.3)}}, PathError, r"follows from the state"),
    ({"vary": {KCC2: jaxion.Uniform(0.1, 0.3)}}, ValueError, r"must have the distribution LogNormal\(cv\) or Normal\(sd\) to be learnt"),
    ({"vary": {"neuron.z": LogNormal(0.3)}}, ValueError, r"begins at -0.85, but a log-normal median is positive: use Normal"),
    ({"vary": {KCC2: LogNormal(0.0)}}, ValueError, r"`cv\(neuron.kcc2.g\)` cannot begin at 0"),
    ({"vary": {}}, ValueError, r"`vary` must name at least one path"),
    ({"measured": {k: v[:3] for k, v in ROWS.items()}}, ValueError, r"covariance of 2 columns needs 4 cells or more, but there are 3 rows"),
    (
        {"measured": {**ROWS, "neuron.Cl": [5.0, np.nan, 5.5, 5.2]}},
        ValueError,
        r"Column `neuron.Cl` must be finite, but neuron.Cl\[1\] is nan",
    ),
    (
        {"measured": jaxion.Recording(ROWS, missing={"neuron.Cl": [False, False, True, False]})},
        ValueError,
        r"Row 2 of the measured cells has no `neuron.Cl`: leave out cells",
    ),
    ({"measured": {**ROWS, "neuron.Cl": [5.0] * 4}}, ValueError, r"`neuron.Cl` has no spread: all 4 cells have 5"),
    ({"measured": {**ROWS, "neuron.Cl": ROWS["neuron.V"]}}, ValueError, r"Columns `neuron.V` and `neuron.Cl` say the same of every cell"),
    ({"measured": Summary(2, {"neuron.V": -70.0})}, ValueError, r"needs 3 cells or more, but it has 2"),
    ({"measured": Summary(9)}, ValueError, r"at least one mean or sd"),
    ({"measured": Summary(9, sd={"neuron.V": 0.0})}, ValueError, r"The sd of `neuron.V` must be positive, but it is 0 mV"),
    ({"measured": Summary(9, {"neuron.V": "70 mM"})}, UnitError, r"`neuron.V` is in mV"),
    (
        {"measured": Summary(9, {"neuron.V": -70.0}, correlation={("neuron.V", "neuron.Cl"): 0.3})},
        ValueError,
        r"correlation of `neuron.Cl` is given, but neither its mean nor its sd",
    ),
    (
        {"measured": Summary(9, {"neuron.V": -70.0, "neuron.Cl": 5.0}, correlation={("neuron.V", "neuron.Cl"): 1.3})},
        ValueError,
        r"between -1 and 1, but it is 1.3",
    ),
    ({"noise": {"neuron.Na": 1.0}}, ValueError, r"`noise` names `neuron.Na`, which is not among what was measured"),
    ({"noise": {"neuron.V": -1.0}}, ValueError, r"noise of `neuron.V` must not be negative"),
    ({"correlated": ["neuron.leak_Na.g"]}, PathError, r"`correlated` names `neuron.leak_Na.g`, which does not vary"),
    (
        {"free": {"sd(neuron.kcc2.g)": jaxion.fixed(0.3)}},
        PathError,
        r"no hyperparameter of this population. Did you mean `cv\(neuron.kcc2.g\)`",
    ),
    (
        {"vary": VARY, "free": {f"correlation({KCC2}, {LEAK})": jaxion.interval(-2, 2)}},
        ValueError,
        r"must lie between -1 and 1, but interval\(-2, 2\) leads to -2: use interval\(-1, 1\)",
    ),
    ({"cells": 3}, ValueError, r"`cells` must be 10 or more"),
    ({"steps": 0}, ValueError, r"`steps` must be 1 or more"),
]


@pytest.mark.parametrize(("change", "error", "message"), WRONG, ids=[message[:30] for _, _, message in WRONG])
def test_wrong_input_is_refused_in_one_sentence(change, error, message):
    with pytest.raises(error, match=message) as refusal:
        fit_population(cell(), **{"vary": {KCC2: LogNormal(0.3)}, "measured": ROWS, **change})
    text = str(refusal.value)
    assert text.endswith((".", "?"))
    assert "\n" not in text
