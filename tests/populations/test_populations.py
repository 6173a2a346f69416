"""Populations: each cell is what its design says, whatever is built beside it, and nothing impossible is built."""

import itertools

import jax
import numpy as np
import pytest
from scipy import stats

import jaxion
from jaxion import Factor, LogNormal, Normal, Population, Uniform
from jaxion.populations.draws import uniforms

MODEL = jaxion.models.duesterwald2018()
KCC2, LEAK = "neuron.kcc2.g", "neuron.leak_Na.g"
PINNED = (0.5038123220660371, 0.9955469421305688, 1.1598355059208776)
"""First draws of SAMPLE over the nominal value."""
SAMPLE = Population.sample(MODEL, {KCC2: LogNormal(cv=0.3), "bath.K": Uniform("3 mM", "8 mM")}, size=5000, seed=7)


@pytest.mark.parametrize(("i0", "i1"), [(0, 1), (0, 4096), (1, 64), (17, 2500), (4999, 5000)])
def test_cell_is_the_same_in_any_slice(i0, i1):
    for path, values in SAMPLE.values(i0, i1).items():
        np.testing.assert_array_equal(values, SAMPLE.table[path][i0:i1])


def test_draws_depend_on_seed_path_and_cell_alone():
    same = Population.sample(MODEL, {LEAK: LogNormal(0.2), KCC2: LogNormal(cv=0.3)}, size=100, seed=7)
    np.testing.assert_array_equal(same.table[KCC2], SAMPLE.table[KCC2][:100])
    other = Population.sample(MODEL, {KCC2: LogNormal(cv=0.3)}, size=100, seed=8)
    assert not np.any(other.table[KCC2] == same.table[KCC2])
    # Two paths with one distribution are independent, not equal.
    pair = Population.sample(MODEL, {"neuron.nka.activity": Factor(0.5, 1.5), "neuron.kcc2.activity": Factor(0.5, 1.5)}, size=5000)
    assert abs(np.corrcoef(np.stack(list(pair.table.values())))[0, 1]) < 0.05


def test_draws_are_the_same_in_every_version_and_precision():
    # Pinned: a store of an earlier version can only be resumed while these stay.
    wanted = SAMPLE.values(0, 3)
    np.testing.assert_allclose(wanted[KCC2] / float(MODEL[KCC2]), PINNED, rtol=1e-14)
    double = uniforms(7, KCC2, 0, 3)
    jax.config.update("jax_enable_x64", False)
    try:
        np.testing.assert_array_equal(uniforms(7, KCC2, 0, 3), double)
    finally:
        jax.config.update("jax_enable_x64", True)


@pytest.mark.parametrize(
    ("distribution", "frozen"),
    [
        (LogNormal(cv=0.4), stats.lognorm(s=np.sqrt(np.log(1 + 0.4**2)), scale=3.5)),
        (Normal(sd=0.5), stats.norm(3.5, 0.5)),
        (Normal(sd="500 µM"), stats.norm(3.5, 0.5)),
        (Uniform(2.0, 8.0), stats.uniform(2.0, 6.0)),
        (Uniform("0.002 M", 8.0), stats.uniform(2.0, 6.0)),
        (Factor(0.5, 2.0), stats.uniform(1.75, 5.25)),
    ],
    ids=lambda given: "scipy" if hasattr(given, "rvs") else str(given),
)
def test_sample_follows_its_distribution(distribution, frozen):
    drawn = Population.sample(MODEL, {"bath.K": distribution}, size=20_000, seed=3).table["bath.K"]
    assert stats.kstest(drawn, frozen.cdf).pvalue > 1e-3


def test_lognormal_has_the_nominal_median_and_the_spread_of_its_cv():
    drawn = Population.sample(MODEL, {KCC2: LogNormal(cv=0.3)}, size=100_000, seed=1).table[KCC2]
    sigma = np.sqrt(np.log(1 + 0.3**2))
    assert np.median(drawn) == pytest.approx(float(MODEL[KCC2]), rel=5 * sigma / np.sqrt(drawn.size))
    assert np.std(np.log(drawn)) == pytest.approx(sigma, rel=5 / np.sqrt(2 * drawn.size))
    assert np.std(drawn) / np.mean(drawn) == pytest.approx(0.3, rel=0.02)


def test_lognormal_and_factor_keep_a_negative_sign():
    for distribution in (LogNormal(cv=0.5), Factor(0.5, 2.0)):
        assert (Population.sample(MODEL, {"neuron.z": distribution}, size=1000).table["neuron.z"] < 0).all()


def test_grid_counts_with_the_last_path_fastest():
    values = {"bath.K": ["3 mM", 8.0], KCC2: np.linspace(0.1, 0.3, 3), "neuron.z": -0.7}
    cells = Population.grid(MODEL, values)
    wanted = list(itertools.product([3.0, 8.0], [0.1, 0.2, 0.3], [-0.7]))
    assert len(cells) == len(wanted)
    np.testing.assert_allclose(np.stack(list(cells.table.values()), axis=1), wanted, rtol=1e-15)
    np.testing.assert_array_equal(cells.values(2, 4)["bath.K"], [3.0, 8.0])


def test_model_has_the_cells_axis_only_where_something_varies():
    built = SAMPLE.model(10, 14)
    assert built.cells == (4,)
    np.testing.assert_array_equal(built[KCC2], SAMPLE.table[KCC2][10:14])
    shapes = {leaf.shape for leaf in jax.tree.leaves(built)}
    assert shapes == {(), (4,)}
    assert sum(leaf.ndim for leaf in jax.tree.leaves(built)) == 2


def test_axes_are_those_of_vmap():
    # A varied volume takes the impermeants along, so that more leaves vary than paths.
    cells = Population.sample(MODEL, {"neuron.volume": LogNormal(0.2), KCC2: LogNormal(0.3)}, size=6)

    def read(model):
        return model["neuron.volume"] * model["neuron.kcc2.g"] + model["neuron.impermeant"] + model["bath.K"]

    alone = [float(read(cells.model(i, i + 1))[0]) for i in range(6)]
    np.testing.assert_allclose(jax.vmap(read, in_axes=(cells.axes,))(cells.model()), alone, rtol=1e-15)


def test_fingerprint_tells_populations_apart():
    def sample(model=MODEL, distribution=None, size=10, seed=0):
        return Population.sample(model, {KCC2: distribution or LogNormal(0.3)}, size, seed)

    others = [
        sample(seed=1),
        sample(size=11),
        sample(distribution=LogNormal(0.31)),
        sample(distribution=Factor(0.3, 1.0)),
        sample(jaxion.replace(MODEL, {"bath.K": 4.0})),
        sample(jaxion.models.duesterwald2018(closure="difference")),
        Population.grid(MODEL, {KCC2: [0.1, 0.2]}),
        Population.grid(MODEL, {KCC2: [0.2, 0.1]}),
    ]
    assert sample().fingerprint == sample(jaxion.models.duesterwald2018()).fingerprint
    assert len({cells.fingerprint for cells in [sample(), *others]}) == len(others) + 1


def test_print_names_what_varies():
    text = str(SAMPLE)
    assert text.splitlines()[0] == "Population of 5,000 cells of duesterwald2018: sample, seed 7"
    assert "LogNormal(cv=0.3), nominal 0.15708 nS (90 % within" in text
    grid = str(Population.grid(MODEL, {"bath.K": [3.0, 8.0], KCC2: 0.1}))
    assert "2 values from 3 to 8 mM" in grid
    assert "1 value from 0.1 to 0.1 nS" in grid


@pytest.mark.parametrize(
    ("build", "error", "message"),
    [
        (lambda: Population.grid(MODEL, {"neuron.kcc2.G": [1.0]}), jaxion.PathError, r"No path `neuron.kcc2.G`.*`neuron.kcc2.g`"),
        (lambda: Population.grid(MODEL, {"neuron.E_Cl": [1.0]}), jaxion.PathError, "follows from the state"),
        (lambda: Population.grid(MODEL, {"neuron.K": [1.0]}), jaxion.PathError, "balances the charge"),
        (lambda: Population.grid(MODEL, {"bath.K": ["8 mV"]}), jaxion.UnitError, "the units do not match"),
        (lambda: Population.grid(MODEL, {"bath.K": []}), ValueError, "at least one value"),
        (lambda: Population.grid(MODEL, {}), ValueError, "at least one path"),
        (lambda: Population.grid(MODEL, {"bath.K": [3.0, -1.0]}), ValueError, "`bath.K` must be positive, but it is -1 mM"),
        (lambda: Population.grid(MODEL, {"bath.K": [[3.0, 4.0]]}), ValueError, r"plain list .* shape \(2,\)"),
        (lambda: Population.sample(MODEL, {"bath.K": 3.0}, 10), ValueError, "must have a distribution such as LogNormal"),
        (lambda: Population.sample(MODEL, {"bath.K": LogNormal(0.1)}, 0), ValueError, "between 1 and"),
        (lambda: Population.sample(MODEL, {"bath.K": LogNormal(0.1)}, 10, seed=-1), ValueError, "`seed` must lie between"),
        (
            lambda: Population.sample(MODEL, {"bath.K": Uniform(-1.0, 2.0)}, 10),
            ValueError,
            r"Uniform.* does not fit: `bath.K` must be positive",
        ),
        (lambda: Population.sample(MODEL, {"bath.K": Uniform("2 mM", "1 mM")}, 10), ValueError, "finite and increasing"),
        (lambda: Population.sample(MODEL, {"neuron.charge": LogNormal(0.1)}, 10), ValueError, "is 0 in the model"),
        (lambda: LogNormal(cv=-0.1), ValueError, "`cv` of LogNormal must be finite and not negative, but it is -0.1"),
        (lambda: Normal(sd=float("nan")), ValueError, "`sd` of Normal"),
        (lambda: Factor(2.0, 1.0), ValueError, "ends of Factor must be finite and increasing"),
        (lambda: Population.grid(jaxion.replace(MODEL, {"bath.K": np.ones(2)}), {KCC2: [1.0]}), ValueError, "holds 2 already"),
        (lambda: SAMPLE.model(10, 5001), IndexError, "not a slice of a population of 5000"),
    ],
)
def test_wrong_input_is_refused(build, error, message):
    with pytest.raises(error, match=message):
        build()


def test_draw_that_leaves_the_range_is_named_with_its_cell():
    narrow = Population.sample(MODEL, {"bath.K": Normal(sd=0.5)}, size=1000)
    assert (narrow.table["bath.K"] > 0).all()
    with pytest.raises(ValueError, match=r"`bath.K` must be positive, but it is -\d.* mM in cell \d+: choose a smaller `sd`") as caught:
        Population.sample(MODEL, {"bath.K": Normal(sd=2.0)}, size=1000)
    cell = int(str(caught.value).split("in cell ")[1].split(":")[0])
    # The same draws around a bath that has room for them: the cell named is the lowest.
    roomy = Population.sample(jaxion.replace(MODEL, {"bath.K": 100.0}), {"bath.K": Normal(sd=2.0)}, size=1000)
    assert int(np.argmin(roomy.table["bath.K"])) == cell
