"""Loops over integers in LLVM's intermediate language."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from llvmlite import ir

from jaxion.kernel.llvm.vectors import DOUBLE, INT

Value = Any


class Loops:
    """Builds loops in a function whose counters live in a block of their own.

    Attributes:
        b: Where instructions are added.
    """

    def __init__(self, function: ir.Function):
        self.b: Any = ir.IRBuilder(function.append_basic_block("entry"))
        self.counters: Any = ir.IRBuilder(function.append_basic_block("counters"))

    def opened(self) -> None:
        """Go on after the counters, once the entry is written."""
        begin = self.b.function.append_basic_block("begin")
        self.b.branch(self.counters.block)
        self.b.position_at_end(begin)
        self._begin = begin

    def closed(self) -> None:
        """End the counters, once everything is written."""
        self.counters.branch(self._begin)

    @contextmanager
    def over(self, first: Value, end: Value, step: int = 1) -> Iterator[Value]:
        """A loop over the integers from `first` to before `end`."""
        b, counter = self.b, self.counters.alloca(INT)
        b.store(first, counter)
        with self.while_(lambda: self.less(b.load(counter, typ=INT), end)):
            index = b.load(counter, typ=INT)
            yield index
            b.store(b.add(index, whole(step)), counter)

    @contextmanager
    def while_(self, condition: Any) -> Iterator[None]:
        """A loop as long as the condition, built at its head, is true."""
        b = self.b
        head, body, end = (b.append_basic_block(name) for name in ("head", "body", "end"))
        b.branch(head)
        b.position_at_end(head)
        b.cbranch(condition(), body, end)
        b.position_at_end(body)
        yield
        b.branch(head)
        b.position_at_end(end)

    def less(self, a: Value, b: Value) -> Value:
        """Whether a < b, of integers."""
        return self.b.icmp_signed("<", a, b)


def whole(value: int) -> Value:
    """An integer that is known."""
    return ir.Constant(INT, value)


def number(value: float) -> Value:
    """A number that is known."""
    return ir.Constant(DOUBLE, value)
