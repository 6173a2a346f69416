"""A mechanism that a newcomer writes, as the README says: a cycle and a rate, in a file of their own; all else follows."""

import inspect
from pathlib import Path
from typing import Any, ClassVar

import jax
import numpy as np
import pytest
from model_cases import closed

import jaxion
from jaxion import Bath, Compartment, Cycle, Membrane, Model, Protocol, block
from jaxion.mechanisms import KCC2, AbstractMechanism, Leak, NaKATPaseKager, Water, parameter


class Swap(AbstractMechanism):
    """Made up: one K⁺ out for one Na⁺ in, in proportion to what this sets free."""

    u: Any = parameter("fmol/s", "turnovers per RT")
    cycle: ClassVar[Cycle] = Cycle(outward={"K": 1}, inward={"Na": 1})

    def rate(self, m):
        return self.u * m.affinity(self.cycle)


def build(u=0.05):
    mechanisms = {
        "leak_Na": Leak("Na", g=0.2),
        "leak_K": Leak("K", g=2.0),
        "leak_Cl": Leak("Cl", g=0.3),
        "kcc2": KCC2(g=0.2),
        "nka": NaKATPaseKager(v_max=1.0),
        "water": Water(P=0.01),
        "swap": Swap(u=u),
    }
    return Model(
        compartments={"neuron": Compartment({"Na": 10.0, "K": 130.0, "Cl": 7.0}, volume=2.0, impermeant=310.0, z=-0.9)},
        baths={"bath": Bath({"Na": 145.0, "K": 4.0, "Cl": 149.0})},
        membranes=[Membrane("neuron", "bath", mechanisms, C=20.0)],
        name="swapping",
    )


@pytest.fixture(scope="module")
def model():
    return build()


@pytest.fixture(scope="module")
def batch():
    return jaxion.Population.sample(
        build(), {"neuron.swap.u": jaxion.LogNormal(cv=0.5), "bath.K": jaxion.LogNormal(cv=0.1)}, size=5
    ).model()


def test_it_is_the_one_that_the_readme_shows():
    readme = Path(__file__).parents[2] / "README.md"
    assert inspect.getsource(Swap) in readme.read_text(encoding="utf-8")


def test_its_bookkeeping_follows_from_the_cycle(model):
    s = model.structure
    column = dict(zip(s.amounts + s.volumes, s.S[:, s.processes.index(("neuron", "swap"))].tolist(), strict=True))
    assert column == {"neuron.n_Na": 1, "neuron.n_K": -1, "neuron.n_Cl": 0, "neuron.volume": 0}
    rate = float(model["neuron.swap.rate"])
    assert (float(model["neuron.swap.J_Na"]), float(model["neuron.swap.J_K"])) == (-rate, rate)
    entry = {path.name: path for path in jaxion.paths(model)}
    assert (entry["neuron.swap.u"].unit, entry["neuron.swap.u"].kind) == ("fmol/s", "parameter")
    assert "neuron.swap.I" not in entry  # it moves no charge
    with pytest.raises(jaxion.PathError, match=r"Did you mean `neuron\.swap\.u`"):
        jaxion.replace(model, {"neuron.swap.U": 1.0})
    missing = {"neuron": Compartment({"K": 130.0, "Cl": 7.0}, volume=2.0)}
    membrane = Membrane("neuron", "bath", {"swap": Swap(0.1)}, C=20.0)
    with pytest.raises(jaxion.ConservationError, match=r"Mechanism `neuron\.swap` \(Swap\) moves Na, but `neuron` has only"):
        Model(compartments=missing, baths=model.baths, membranes=[membrane])


def test_it_keeps_the_laws(model):
    found = jaxion.check(model)
    assert found.ok, str(found)
    assert "neuron.swap" in str(found)


@pytest.mark.slow
def test_it_conserves_what_it_moves(model):
    whole = closed(model, "state", 10.0)
    sol = jaxion.solve(whole, Protocol(block("neuron.nka", 0.9, 60)))
    assert abs(float(sol.final["neuron.Na"]) - float(whole["neuron.Na"])) > 1.0
    before = whole.baseline()
    for ion in ("Na", "K", "Cl"):
        amounts = [float(sol.final[f"{name}.n_{ion}"]) for name in ("neuron", "bath")]
        assert sum(amounts) == pytest.approx(sum(float(before.amounts[name][ion]) for name in ("neuron", "bath")), rel=1e-13)


@pytest.mark.slow
def test_it_moves_the_set_point_as_far_as_central_differences_say(model):
    of = ("neuron.V", "neuron.Na", "neuron.Cl", "neuron.volume")
    point, without = jaxion.setpoint(model), jaxion.setpoint(build(0.0))
    assert float(point["neuron.Na"]) > 1.2 * float(without["neuron.Na"])
    found = jaxion.sensitivity(model, of=of, wrt=("neuron.swap.u",), scaled=False)
    step = 1e-4 * 0.05
    above, below = (jaxion.setpoint(build(0.05 + sign * step)) for sign in (1, -1))
    slope = jax.grad(lambda u: jaxion.setpoint(build(u))["neuron.Na"])(0.05)
    for path in of:
        difference = float(above[path] - below[path]) / (2 * step)
        assert float(found[path, "neuron.swap.u"]) == pytest.approx(difference, rel=1e-6), path
    assert float(slope) == pytest.approx(float(found["neuron.Na", "neuron.swap.u"]), rel=1e-9)


@pytest.mark.slow
def test_it_is_machine_code_that_says_what_jax_numpy_says(batch, monkeypatch):
    points = [jaxion.setpoint(batch, lowering=lowering) for lowering in ("llvm", "xla")]
    np.testing.assert_allclose(points[0].y, points[1].y, rtol=1e-11)
    matrices = [
        jaxion.sensitivity(batch, ("neuron.V", "neuron.Na"), ("neuron.swap.u", "bath.K"), point=points[0], lowering=lowering).matrix
        for lowering in ("llvm", "xla")
    ]
    np.testing.assert_allclose(matrices[0], matrices[1], rtol=1e-8)
    runs = []
    for lowering in ("llvm", "xla"):
        monkeypatch.setenv("JAXION_LOWERING", lowering)
        runs.append(jaxion.solve(batch, Protocol(block("neuron.swap", 0.5, 30.0)), start=points[0], save=[10.0, 30.0]))
    np.testing.assert_array_equal(runs[0].status, runs[1].status)
    np.testing.assert_allclose(runs[0].saved, runs[1].saved, rtol=1e-9)
