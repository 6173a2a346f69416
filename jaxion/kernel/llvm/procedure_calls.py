"""Procedures of a program as functions beside its own."""

from collections.abc import Callable
from typing import Any

from llvmlite import ir

from jaxion.kernel.graph.nodes import Node
from jaxion.kernel.graph.procedures import Procedure
from jaxion.kernel.llvm.memory import Memory, opened
from jaxion.kernel.llvm.operations import emit_operations
from jaxion.kernel.llvm.vectors import INT, POINTER

Value = Any


class ProcedureCalls:
    """The procedures of a program: functions beside its own, and the memory through which they are called.

    An argument that is the same in all calls is written once, or is read where it lies if it is a number of the lane.
    """

    def __init__(self, function: ir.Function, builder: Any, nodes: list[Node], memory: Memory, single: bool):
        self._function, self._builder, self._memory, self._single = function, builder, memory, single
        self._sites: dict[Procedure, list[Node]] = {}
        self._outputs: dict[Procedure, list[int]] = {}
        for node in nodes:
            if node.op == "invoke":
                self._sites.setdefault(node.args[0], []).append(node)
            elif node.op == "result":
                (procedure, *_), output = node.args[0].args, node.args[1]
                self._outputs[procedure] = sorted({output, *self._outputs.get(procedure, [])})
        self._emitted = {procedure: self._emit(i, procedure) for i, procedure in enumerate(self._sites)}

    def _emit(self, number: int, procedure: Procedure) -> tuple[ir.Function, Value]:
        """A procedure's function of the caller's pointers and one to its own memory, and that."""
        module, caller = self._function.module, self._function
        function = ir.Function(module, ir.FunctionType(ir.VoidType(), [POINTER] * (1 + len(caller.args))), f"{caller.name}_{number}")
        builder = opened(function, self._memory.alignment)
        *pointers, own = function.args
        where = {node.args: i for i, node in enumerate(procedure.inputs)}

        def read(name: str, index: int) -> Value:
            given = self._common(procedure, where[name, index])
            if given is not None and given.op == "input":
                return self._memory.read(builder, pointers, *given.args)
            return self._memory.load(builder, self._slot(builder, own, where[name, index]))

        def write(_: str, index: int, value: Value) -> None:
            self._memory.store(builder, self._slot(builder, own, len(procedure.inputs) + index), value)

        program = {("output", i): procedure.outputs[output] for i, output in enumerate(self._outputs[procedure])}
        emit_operations(self._memory.vectors(builder), program, read, write, single=self._single)
        builder.ret_void()
        slots = self._builder.alloca(self._memory.type, len(procedure.inputs) + len(self._outputs[procedure]))
        slots.align = self._memory.alignment
        return function, slots

    def _common(self, procedure: Procedure, index: int) -> Node | None:
        """The argument that all calls have."""
        first, *rest = (site.args[1 + index] for site in self._sites[procedure])
        return first if all(arg is first for arg in rest) else None

    def _slot(self, builder: Any, slots: Value, index: int) -> Value:
        return builder.gep(slots, [ir.Constant(INT, index)], source_etype=self._memory.type)

    def emit(self, site: Node, value: Callable[[Node], Value]) -> dict[int, Value]:
        """A call, from nodes to their values; what it computes, by the number of the output."""
        procedure, *args = site.args
        function, slots = self._emitted[procedure]
        for i, arg in enumerate(args):
            common = self._common(procedure, i)
            if common is None or (common.op != "input" and site is self._sites[procedure][0]):
                self._memory.store(self._builder, self._slot(self._builder, slots, i), value(arg))
        self._builder.call(function, [*self._function.args, slots])
        places = {output: self._slot(self._builder, slots, len(args) + i) for i, output in enumerate(self._outputs[procedure])}
        return {output: self._memory.load(self._builder, place) for output, place in places.items()}
