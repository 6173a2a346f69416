"""Functions of a graph as machine code, and how exact they are."""

import ctypes

import numpy as np
import pytest
from llvmlite import ir

from jaxion.kernel.cpu.threads import aligned
from jaxion.kernel.graph.nodes import Graph
from jaxion.kernel.llvm.engine import Machine
from jaxion.kernel.llvm.memory import Area
from jaxion.kernel.llvm.program import emit_program
from jaxion.kernel.programs.program import Layout
from jaxion.kernel.widths import vector_width

LONG = np.longdouble
extended = pytest.mark.skipif(bool(np.finfo(LONG).eps > 1e-18), reason="long double is no longer than double here")


class Compiled:
    """A function from nodes to a node or a list of nodes, as machine code on arrays."""

    def __init__(self, function, arity, width=None, single=False):
        self.width, self.arity = width or vector_width(), arity
        graph = Graph()
        node = function(graph, *(graph.input("x", i) for i in range(arity)))
        self.outputs = node if isinstance(node, list) else [node]
        self.one, program = node is not self.outputs, {("out", i): out for i, out in enumerate(self.outputs)}
        module = ir.Module()
        area = Area(Layout({"x": arity, "out": len(self.outputs)}), self.width)
        emitted = emit_program(module, "f", program, [area], self.width, single)
        emitted.linkage = "external"
        self.machine = Machine(module)
        self.call = ctypes.CFUNCTYPE(None, ctypes.c_void_p)(self.machine.address("f"))

    def __call__(self, *arguments):
        arrays = np.broadcast_arrays(*(np.atleast_1d(np.asarray(x, float)) for x in arguments))
        blocks = -(-len(arrays[0]) // self.width)
        padded = np.zeros((blocks, self.arity + len(self.outputs), self.width))
        for i, array in enumerate(arrays):
            padded[:, i] = np.resize(array, blocks * self.width).reshape(blocks, self.width)
        memory = aligned(self.arity + len(self.outputs), self.width)
        for block in padded:
            memory[:] = block
            self.call(memory.ctypes.data)
            block[:] = memory
        results = np.moveaxis(padded[:, self.arity :], 1, 0).reshape(len(self.outputs), -1)[:, : len(arrays[0])]
        return results[0] if self.one else results


def spread(rng, low, high, count=20_000):
    """Numbers of either sign, evenly in the logarithm of their size."""
    return 10.0 ** rng.uniform(low, high, count) * rng.choice([-1.0, 1.0], count)


def last_places(found, exact, kind: type = float):
    """Largest error in units of the last place; results that overflow must do so exactly."""
    rounded = exact.astype(kind)
    finite = np.isfinite(rounded)
    np.testing.assert_array_equal(found[~finite], rounded[~finite])
    return np.max(np.abs(found[finite].astype(LONG) - exact[finite]) / np.spacing(np.abs(rounded[finite])))
