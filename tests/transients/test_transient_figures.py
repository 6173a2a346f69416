"""Figures of transients show every compartment, and say what was driven when."""

import equinox as eqx
import matplotlib.figure
import numpy as np
import pytest

import jaxion
from jaxion import Protocol, bath, block, inject, phase, rest, smooth_block, train
from jaxion.plots.transients import _driven_spans
from jaxion.protocols import resolve

MODEL = jaxion.models.duesterwald2018


def texts(figure):
    return [text.get_text() for ax in figure.axes for text in (*ax.texts, ax.xaxis.label, ax.yaxis.label, *ax.get_legend().get_texts())]


@pytest.fixture(scope="module")
def batch():
    cells = jaxion.Population.grid(MODEL(), {"neuron.nka.activity": [0.8, 1.0, 1.5]}).model()
    return jaxion.solve(cells, Protocol(rest(10), block("neuron.nka", 0.9, 60), rest(30)), start="setpoint", save="0:100:21")


@pytest.mark.slow
def test_figure_names_what_it_shows_and_what_was_driven(batch, tmp_path):
    figure = jaxion.plot(batch, tmp_path / "x.svg")
    assert isinstance(figure, matplotlib.figure.Figure)
    assert (tmp_path / "x.svg").read_text().startswith("<?xml")
    assert len(figure.axes) == 3
    shown = texts(figure)
    wanted = {"potential [mV]", "neuron [mM]", "volume [% of the start]", "time [s]", "neuron.V", "neuron.E_Cl", "Na", "neuron.nka × 0.1"}
    assert wanted <= set(shown)
    assert figure.get_suptitle() == "duesterwald2018: 3 cells (median, 90 %)"
    (line,) = [line for line in figure.axes[0].lines if line.get_label() == "neuron.V"]
    np.testing.assert_allclose(np.asarray(line.get_ydata(), dtype=float), np.median(batch["neuron.V"], axis=1), rtol=1e-12)


def test_solution_without_saved_times_is_refused(batch):
    bare = eqx.tree_at(lambda sol: (sol.t, sol.saved), batch, (batch.t[:1], batch.saved[:1]))
    with pytest.raises(ValueError, match="There is nothing to plot: the solution has fewer than two saved times; give `save` to `solve`"):
        jaxion.plot(bare)


@pytest.mark.parametrize(
    ("protocol", "wanted"),
    [
        (Protocol(rest(5)), []),
        (Protocol(rest(5), bath(5, K=12, replacing="Na"), rest(1)), [(5, 10, "bath.K 12 mM, bath.Na 136.5 mM")]),
        (Protocol(inject("neuron", 36, 2), rest(0), rest(3)), [(0, 2, "neuron.inject_K.I 36 pA")]),
        (Protocol(rest(1), phase(4, ramp={"bath.K": (3.5, 8)})), [(1, 5, "bath.K 3.5…8 mM")]),
        (Protocol(rest(1), train("neuron", 20, 0.01, 0.1, 200), rest(10)), [(1, 20.91, "neuron.inject_K.I 20 pA")]),
        (Protocol(smooth_block("neuron.nka", 1.0, 100, 40, 60, 0.1)), [(0, 100, "neuron.nka × 0…1")]),
        (Protocol(block("neuron.nka", 1, 1), block("neuron.kcc2", 0.5, 1)), [(0, 1, "neuron.nka × 0"), (1, 2, "neuron.kcc2 × 0.5")]),
        (Protocol(rest(np.array([1.0, 2.0, 3.0])), bath(1, K=np.array([5.0, 6.0, 9.0]))), [(2, 3, "bath.K 6 mM")]),
    ],
)
def test_driven_stretches_are_found(protocol, wanted):
    found = _driven_spans(resolve(protocol, MODEL()))
    assert [text for _, _, text in found] == [text for _, _, text in wanted]
    np.testing.assert_allclose([span[:2] for span in found], [span[:2] for span in wanted])
