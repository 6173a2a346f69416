"""Whatever the library ships is computed by machine code: no model, mechanism or modulator falls back to `jax.numpy`."""

import jax
import jax.numpy as jnp
import pytest
from mechanism_cases import INSTANCES, MODULATORS, REST, each_instance, opening, rate
from model_cases import each_model, function

import jaxion
from jaxion.cli import main
from jaxion.examinations.lowering import SUBJECTS, taken, works
from jaxion.kernel.graph.nodes import Graph
from jaxion.kernel.graph.verify import verify
from jaxion.kernel.tracing.jaxprs import trace
from jaxion.mechanisms import Modulated
from jaxion.mechanisms.base import gates

pytestmark = pytest.mark.usefixtures("any_lowering")


@pytest.mark.slow
@pytest.mark.parametrize("subject", SUBJECTS)
@each_model
def test_every_model_is_computed_by_machine_code(name, subject):
    model = function(name)()
    wrt = next(path.name for path in jaxion.paths(model) if path.name.endswith((".g", ".v_max", ".P", ".impermeant", ".u")))
    assert taken(works(model, (model.structure.volumes[0],), (wrt,))[subject]) == ("llvm", "the faster one")


@each_instance
def test_every_mechanism_becomes_a_graph(mechanism):
    """What has a graph has machine code. Parameters are nodes, too: they may all be swept."""
    leaves, shape = jax.tree.flatten((mechanism, REST))

    def numbers(values):
        mechanism, state = jax.tree.unflatten(shape, list(values))
        openings = [opening(mechanism, gate, state) for gate in gates(mechanism)] if hasattr(mechanism, "gating") else []
        return jnp.stack([rate(mechanism, state), *openings])

    graph = Graph()
    nodes = trace(numbers, graph, [graph.input("value", i) for i in range(len(leaves))])
    verify(nodes)


def test_every_modulator_is_part_of_such_a_mechanism():
    """The test above covers modulators by the mechanisms that they modulate."""
    assert {type(mechanism.by) for mechanism in INSTANCES if isinstance(mechanism, Modulated)} == set(MODULATORS)


@pytest.mark.slow
def test_the_demo_says_what_computed_it(tmp_path, capsys):
    assert main(["demo", "--out", str(tmp_path / "demo"), "--cells", "1000"]) == 0
    line = "Set-points by machine code (the faster one); sensitivities by machine code (the faster one); vectors of "
    assert line in capsys.readouterr().out
