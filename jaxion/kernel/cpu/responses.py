"""Responses of a batch as machine code."""

import numpy as np
from llvmlite import ir

from jaxion.kernel.cpu.runner import CellFunction, stacked
from jaxion.kernel.cpu.threads import aligned, over_cells
from jaxion.kernel.llvm.engine import Machine, compiled_once
from jaxion.kernel.llvm.map import emit_map
from jaxion.kernel.problem import Response
from jaxion.kernel.programs.response import ResponseProgram
from jaxion.kernel.widths import cores, vector_width


class Responder:
    """Machine code for a response, for any numbers."""

    def __init__(self, response: Response):
        self.width, self._shifts = vector_width(), response.shifts
        program = ResponseProgram(response)
        self.told = program.told
        module = ir.Module()
        emit_map(module, "response", program.program, program.asked, self.told, self.width)
        self._function = CellFunction(Machine(module), "response")

    def __call__(self, x: np.ndarray, theta: np.ndarray, threads: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """What `respond` returns."""
        given = stacked((x, theta), self.width)
        number, cells = x.shape[1], given.shape[1]
        told = aligned(self.told.size, cells)
        over_cells(lambda begin, end: self._function(given, told, begin, end), cells, self.width, threads)
        values, matrix, growth = np.split(told[:, :number], np.cumsum(list(self.told.sizes.values()))[:-1])
        return values, matrix.reshape(len(values), self._shifts, number), growth


@compiled_once
def responder(response: Response) -> Responder:
    """The machine code of a response, compiled once."""
    return Responder(response)


def respond(response: Response, x: np.ndarray, theta: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """What `jaxion.kernel.respond` says."""
    return responder(response)(x, theta, cores())
