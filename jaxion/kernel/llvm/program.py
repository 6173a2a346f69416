"""Programs as functions in LLVM's intermediate language, which read and write the lanes' numbers in memory."""

import functools
from collections.abc import Sequence

from llvmlite import ir

from jaxion.kernel.graph.nodes import sorted_nodes
from jaxion.kernel.llvm.memory import Area, Memory, opened
from jaxion.kernel.llvm.operations import emit_operations
from jaxion.kernel.llvm.procedure_calls import ProcedureCalls
from jaxion.kernel.llvm.vectors import POINTER, WIDE, Format
from jaxion.kernel.programs.program import Program


def emit_program(
    module: ir.Module, name: str, program: Program, areas: Sequence[Area], width: int, single: bool = False, format: Format = WIDE
) -> ir.Function:
    """A function of pointers to `width` neighbours, one for each area, each of which has other names than the rest.

    It computes in some format, or in `single` precision as far as that is enough.

    Raises:
        UnknownPrimitive: An operation has no vector form.
    """
    function = ir.Function(module, ir.FunctionType(ir.VoidType(), [POINTER] * len(areas)), name)
    memory = Memory(areas, width, format)
    builder = opened(function, memory.alignment)
    nodes = sorted_nodes(program.values())
    calls = ProcedureCalls(function, builder, nodes, memory, single)
    read, write = (functools.partial(access, builder, function.args) for access in (memory.read, memory.write))
    emit_operations(memory.vectors(builder), program, read, write, calls.emit, single)
    builder.ret_void()
    return function
