"""Correlated draws: the margins stay, the correlation is the one asked for, and a cell is the same in any slice."""

import numpy as np
import pytest
from scipy import stats

import jaxion
from jaxion import Factor, LogNormal, Normal, PathError, Population, Uniform

MODEL = jaxion.models.duesterwald2018()
KCC2, LEAK, BATH = "neuron.kcc2.g", "neuron.leak_K.g", "bath.K"
VARIED = {KCC2: LogNormal(0.5), LEAK: LogNormal(0.2), BATH: Uniform(3.0, 8.0), "neuron.z": Normal(0.05)}
MATRIX = np.array([[1, 0.6, -0.3, 0], [0.6, 1, 0, 0.2], [-0.3, 0, 1, 0], [0, 0.2, 0, 1]])
CELLS = Population.sample(MODEL, VARIED, size=40_000, seed=3, correlation=MATRIX)


def normals(cells):
    """The normal numbers behind the draws."""
    t = cells.table
    return np.stack([np.log(t[KCC2]), np.log(t[LEAK]), stats.norm.ppf((t[BATH] - 3) / 5), t["neuron.z"]])


def test_draws_have_the_correlation_asked_for_and_keep_their_margins():
    # Five standard errors of a correlation.
    np.testing.assert_allclose(np.corrcoef(normals(CELLS)), MATRIX, atol=5 / np.sqrt(len(CELLS)))
    sigma = np.sqrt(np.log1p(0.5**2))
    margins = {
        KCC2: stats.lognorm(s=sigma, scale=float(MODEL[KCC2])),
        BATH: stats.uniform(3.0, 5.0),
        "neuron.z": stats.norm(float(MODEL["neuron.z"]), 0.05),
    }
    for path, frozen in margins.items():
        assert stats.kstest(CELLS.table[path], frozen.cdf).pvalue > 1e-3


def test_ranks_of_uniform_paths_follow_the_copula():
    paths = {"neuron.nka.activity": Factor(0.5, 1.5), BATH: Uniform(3.0, 8.0)}
    cells = Population.sample(MODEL, paths, size=40_000, correlation={(BATH, "neuron.nka.activity"): 0.7})
    ranks = np.corrcoef([stats.rankdata(values) for values in cells.table.values()])[0, 1]
    assert ranks == pytest.approx(6 / np.pi * np.arcsin(0.35), abs=0.02)


@pytest.mark.parametrize(("i0", "i1"), [(0, 1), (17, 2500), (39_999, 40_000)])
def test_a_correlated_cell_is_the_same_in_any_slice(i0, i1):
    for path, values in CELLS.values(i0, i1).items():
        np.testing.assert_array_equal(values, CELLS.table[path][i0:i1])


def test_pairs_are_a_matrix_and_none_is_independence():
    pairs = {(KCC2, LEAK): 0.6, (BATH, KCC2): -0.3, (LEAK, "neuron.z"): 0.2}
    same = Population.sample(MODEL, VARIED, size=40_000, seed=3, correlation=pairs)
    assert same.fingerprint == CELLS.fingerprint
    independent = Population.sample(MODEL, VARIED, size=1000, seed=3)
    assert independent.fingerprint != Population.sample(MODEL, VARIED, size=1000, seed=3, correlation=pairs).fingerprint
    assert "correlation" not in independent.design.record()
    by_unity = Population.sample(MODEL, VARIED, size=1000, seed=3, correlation=np.eye(4))
    for path, values in independent.table.items():
        np.testing.assert_allclose(by_unity.table[path], values, rtol=1e-14)
    assert "correlation of neuron.kcc2.g and neuron.leak_K.g: 0.6" in str(CELLS)
    assert "correlation" not in str(by_unity)


@pytest.mark.parametrize(
    ("correlation", "error", "message"),
    [
        ({(KCC2, "neuron.leak_Na.g"): 0.1}, PathError, r"names `neuron.leak_Na.g`, which does not vary. Did you mean `neuron.leak_K.g`"),
        ({KCC2: 0.1}, ValueError, r"must have pairs of paths as its keys, but `neuron.kcc2.g` is none"),
        ({(KCC2, LEAK): 1.0}, ValueError, r"must be of two paths and between -1 and 1, but it is 1\."),
        ({(KCC2, KCC2): 0.5}, ValueError, r"must be of two paths"),
        ({(KCC2, LEAK): 0.9, (KCC2, BATH): 0.9, (LEAK, BATH): -0.9}, ValueError, r"no numbers can have the correlations 0.9, 0.9, 0, -0.9"),
        (np.eye(3), ValueError, r"a row and a column for each of 4 paths, but its shape is \(3, 3\)"),
        (np.eye(4) + np.triu(np.full((4, 4), 0.1), 1), ValueError, r"must be symmetric with ones on its diagonal"),
    ],
)
def test_wrong_correlations_are_refused(correlation, error, message):
    with pytest.raises(error, match=message):
        Population.sample(MODEL, VARIED, size=10, correlation=correlation)
