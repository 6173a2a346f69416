"""A program over all cells in LLVM's intermediate language: neighbours side by side, read from arrays and written to arrays."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from llvmlite import ir

from jaxion.kernel.llvm.loops import Loops, whole
from jaxion.kernel.llvm.operations import emit_operations
from jaxion.kernel.llvm.vectors import DOUBLE, INT, POINTER, Vectors
from jaxion.kernel.programs.program import Layout, Program

Value = Any
SIGNATURE: Final = ir.FunctionType(ir.VoidType(), [POINTER, POINTER, INT, INT, INT])


def emit_map(module: ir.Module, name: str, program: Program, given: Layout, results: Layout, width: int) -> None:
    """A function that runs a program over a range of cells.

    It takes two arrays `(places, cells)`, what is given and the results, the number of cells (at least `width`), and the first cell
    and the end of the range.

    Raises:
        UnknownPrimitive: An operation has no vector form.
    """
    loops = CellLoop(module, name)
    with loops.groups(width) as cell:

        def at(name: str, index: int) -> Value:
            source, layout = (loops.given, given) if name in given.sizes else (loops.results, results)
            return loops.place(source, whole(layout.place(name, index)), cell)

        def read(name: str, index: int) -> Value:
            return loops.b.load(at(name, index), typ=ir.VectorType(DOUBLE, width), align=8)

        def write(name: str, index: int, value: Value) -> None:
            loops.b.store(value, at(name, index), align=8)

        emit_operations(Vectors(loops.b, width, contract=True), program, read, write)
    loops.end()


class CellLoop(Loops):
    """Builds a function of arrays, as `emit_map` says, around groups of neighbours."""

    def __init__(self, module: ir.Module, name: str):
        function = ir.Function(module, SIGNATURE, name)
        super().__init__(function)
        self.given, self.results, self.cells, self.first, self.last = function.args
        self.opened()

    @contextmanager
    def groups(self, width: int) -> Iterator[Value]:
        """A loop over the groups' first cells; the last group begins where all of it are cells, some of which were in another."""
        b, latest = self.b, self.b.sub(self.cells, whole(width))
        with self.over(self.first, self.last, width) as cell:
            yield b.select(self.less(latest, cell), latest, cell)

    def place(self, array: Value, row: Value, cell: Value) -> Value:
        """Address of a cell in a row of an array."""
        return self.b.gep(array, [self.b.add(self.b.mul(row, self.cells), cell)], source_etype=DOUBLE)

    def end(self) -> None:
        """End the function."""
        self.b.ret_void()
        self.closed()
