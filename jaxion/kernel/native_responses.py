"""Responses of a batch as machine code."""

import numpy as np
from llvmlite import ir

from jaxion.kernel.llvm_map import emit_map
from jaxion.kernel.machine import Machine, compiled_once, vector_width
from jaxion.kernel.native_newton import function_of_cells
from jaxion.kernel.responses import Response, UnrolledResponse
from jaxion.kernel.threads import aligned, over_cells
from jaxion.kernel.trace_arrays import UnknownPrimitive


class Responder:
    """Machine code for a response, for any numbers."""

    def __init__(self, response: Response):
        self.width = vector_width()
        unrolled = UnrolledResponse(response)
        self.asked, self.told, self._shifts = unrolled.asked, unrolled.told, response.shifts
        module = ir.Module()
        emit_map(module, "response", unrolled.program, self.asked, self.told, self.width)
        self._machine = Machine(module)
        self._call = function_of_cells(self._machine.address("response"))

    def __call__(self, x: np.ndarray, theta: np.ndarray, threads: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Values `(observables, cells)`, matrix `(observables, shifts, cells)`, and growth of the pivots `(cells,)`, if there are any."""
        number = x.shape[1]
        cells = max(number, self.width)
        given, told = aligned(self.asked.size, cells), aligned(self.told.size, cells)
        given[: len(x), :number], given[len(x) :, :number] = x, theta
        given[:, number:] = given[:, number - 1 : number]
        over_cells(lambda begin, end: self._call(given.ctypes.data, told.ctypes.data, cells, begin, end), cells, self.width, threads)
        values, matrix, growth = np.split(told[:, :number], np.cumsum(list(self.told.sizes.values()))[:-1])
        return values, matrix.reshape(len(values), self._shifts, number), growth


@compiled_once
def responder(response: Response) -> Responder | UnknownPrimitive:
    """The machine code of a response, compiled once; what stands in the way if there can be none."""
    try:
        return Responder(response)
    except UnknownPrimitive as unknown:
        return unknown
