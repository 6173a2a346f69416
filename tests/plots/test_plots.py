"""Figures say what the data say: the shares, the order, and every cell that failed."""

import matplotlib.figure
import numpy as np
import pytest

import jaxion
from jaxion.sensitivities import variance_shares

LOGNORMAL = {"neuron.kcc2.g": jaxion.LogNormal(cv=0.5), "neuron.leak_Na.g": jaxion.LogNormal(cv=0.2)}


@pytest.fixture(scope="module")
def cells():
    return jaxion.Population.sample(jaxion.models.duesterwald2018(), LOGNORMAL, size=256, seed=3)


def texts(figure):
    return [
        text.get_text()
        for ax in figure.axes
        for text in (*ax.texts, *ax.get_yticklabels(), *ax.get_xticklabels(), ax.xaxis.label, ax.yaxis.label)
    ]


def test_shares_of_a_linear_response_are_those_of_its_variance(rng):
    log_theta = rng.normal(size=(3, 5000)) * np.array([[0.1], [0.4], [0.0]])
    slopes = np.array([[5.0, 2.0, 100.0], [0.0, 1.0, 1.0]])
    matrix = np.broadcast_to(slopes[:, :, None], (2, 3, 5000))
    shares = variance_shares(matrix, np.exp(log_theta), np.ones(5000, bool))
    parts = slopes**2 * log_theta.var(axis=1)
    np.testing.assert_allclose(shares, parts / parts.sum(axis=1, keepdims=True), rtol=1e-12)
    # A response is the sum of its causes, so its variance is theirs.
    np.testing.assert_allclose(np.var(slopes @ log_theta, axis=1), parts.sum(axis=1), rtol=0.05)


def test_shares_are_undefined_where_nothing_varies():
    shares = variance_shares(np.ones((1, 2, 4)), np.ones((2, 4)), np.ones(4, bool))
    assert np.isnan(shares).all()


def test_failed_cells_do_not_count():
    theta = np.array([[1.0, 2.0, np.nan], [1.0, 3.0, np.nan]])
    assert np.isfinite(variance_shares(np.array([[[1.0, 1.0, np.nan]] * 2]), theta, np.array([True, True, False]))).all()


@pytest.mark.slow
def test_figure_of_a_sweep_names_units_and_shares(cells):
    done = jaxion.sweep(cells, of=("neuron.V", "neuron.E_Cl"), wrt=tuple(LOGNORMAL))
    figure = jaxion.plot(done)
    assert isinstance(figure, matplotlib.figure.Figure)
    assert len(figure.axes) == 6
    labels = texts(figure)
    for wanted in ("neuron.V [mV]", "neuron.E_Cl [mV]", "kcc2.g", "leak_Na.g", "neuron.leak_Na.g [nS]"):
        assert wanted in labels
    shares = [int(text.removesuffix(" %")) for text in labels if text.endswith(" %") and text[0].isdigit()]
    assert len(shares) == 4
    assert sum(shares[:2]) == pytest.approx(100, abs=1)


@pytest.mark.slow
def test_figure_without_sensitivities_ranks_by_correlation(cells, tmp_path):
    figure = jaxion.plot(jaxion.sweep(cells), tmp_path / "sweep.pdf")
    assert (tmp_path / "sweep.pdf").read_bytes().startswith(b"%PDF")
    assert "neuron.leak_Na.g [nS]" in texts(figure)


@pytest.mark.slow
def test_the_number_of_failed_cells_is_in_the_heading():
    model = jaxion.models.keener_sneyd()
    grid = jaxion.Population.grid(model, {"neuron.nka.v_max": [0.05, 0.1, 50.0]})
    figure = jaxion.plot(jaxion.sweep(grid))
    assert "1 without a certified set-point" in figure.get_suptitle()


def test_nothing_to_plot_is_said():
    grid = jaxion.Population.grid(jaxion.models.keener_sneyd(), {"neuron.nka.v_max": [50.0, 60.0]})
    with pytest.raises(ValueError, match="none of the 2 cells has a certified set-point"):
        jaxion.plot(jaxion.sweep(grid))


def test_an_unknown_file_format_is_refused(cells, tmp_path):
    with pytest.raises(ValueError, match=r"`sweep\.xyz` names no format"):
        jaxion.plot(jaxion.sweep(cells), tmp_path / "sweep.xyz")
