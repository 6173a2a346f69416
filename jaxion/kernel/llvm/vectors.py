"""Vectors of numbers in LLVM's intermediate language: the few operations that everything else is written in."""

from typing import Any, Final, NamedTuple

import numpy as np
from llvmlite import ir

Value = Any
DOUBLE = ir.DoubleType()
INT = ir.IntType(64)
POINTER = ir.PointerType()


class Format(NamedTuple):
    """How numbers are written down.

    Attributes:
        type: LLVM's.
        bits: Of a number.
        fraction: Bits of its fraction.
        bias: Of its exponent.
        suffix: Of LLVM's functions of such numbers.
    """

    type: ir.Type
    bits: int
    fraction: int
    bias: int
    suffix: str


WIDE: Final = Format(DOUBLE, 64, 52, 1023, "f64")
NARROW: Final = Format(ir.FloatType(), 32, 23, 127, "f32")


class Vectors:
    """Builds operations on vectors of `width` numbers at the end of a block.

    Args:
        builder: Where instructions are added.
        width: Numbers in a vector.
        contract: Whether a product and a sum may become one operation that rounds once.
        format: Of the numbers.
    """

    def __init__(self, builder: ir.IRBuilder, width: int, contract: bool = False, format: Format = WIDE):
        self.builder: Any = builder
        self.width, self.format = width, format
        self.type, self._integers = ir.VectorType(format.type, width), ir.VectorType(ir.IntType(format.bits), width)
        self._flags = ("contract",) if contract else ()

    def number(self, value: float) -> Value:
        """One number in every lane, rounded to the format."""
        with np.errstate(over="ignore"):
            value = float(value) if self.format is WIDE else float(np.float32(value))
        return ir.Constant(self.type, [value] * self.width)

    def repeated(self, value: Value) -> Value:
        """One number in every lane that is not known before."""
        first = self.builder.insert_element(ir.Constant(self.type, ir.Undefined), value, ir.Constant(ir.IntType(32), 0))
        return self._shuffled(first, first, [0] * self.width)

    def transposed(self, rows: list[Value]) -> list[Value]:
        """As many vectors as there are lanes, a power of two: number k holds what was in lane k."""
        lanes = range(self.width)
        for bit in (1 << k for k in range(self.width.bit_length() - 1)):
            # Swap one bit of the number of a row with that bit of the lane.
            low = [j if not j & bit else self.width + (j ^ bit) for j in lanes]
            high = [j | bit if not j & bit else self.width + j for j in lanes]
            rows = [self._shuffled(rows[i & ~bit], rows[i | bit], high if i & bit else low) for i in lanes]
        return rows

    def _shuffled(self, a: Value, b: Value, places: list[int]) -> Value:
        """Numbers of a, and of b behind it."""
        return self.builder.shuffle_vector(a, b, ir.Constant(ir.VectorType(ir.IntType(32), len(places)), places))

    def integer(self, value: int) -> Value:
        """One integer in every lane."""
        return ir.Constant(self._integers, [value] * self.width)

    def truth(self, value: bool) -> Value:
        """One truth value in every lane."""
        return ir.Constant(ir.VectorType(ir.IntType(1), self.width), [int(value)] * self.width)

    def add(self, a: Value, b: Value) -> Value:
        """Sum a + b."""
        return self.builder.fadd(a, b, flags=self._flags)

    def sub(self, a: Value, b: Value) -> Value:
        """Difference a − b."""
        return self.builder.fsub(a, b, flags=self._flags)

    def mul(self, a: Value, b: Value) -> Value:
        """Product a · b."""
        return self.builder.fmul(a, b, flags=self._flags)

    def div(self, a: Value, b: Value) -> Value:
        """Quotient a / b."""
        return self.builder.fdiv(a, b, flags=self._flags)

    def rem(self, a: Value, b: Value) -> Value:
        """Remainder of a / b, with the sign of a."""
        return self.builder.frem(a, b, flags=self._flags)

    def neg(self, a: Value) -> Value:
        """−a."""
        return self.builder.fneg(a)

    def fma(self, a: Value, b: Value, c: Value) -> Value:
        """Sum a · b + c, rounded once."""
        return self.intrinsic("fma", a, b, c)

    def abs(self, a: Value) -> Value:
        """|a|."""
        return self.intrinsic("fabs", a)

    def floor(self, a: Value) -> Value:
        """Largest whole number that is not above a."""
        return self.intrinsic("floor", a)

    def signed_as(self, a: Value, b: Value) -> Value:
        """|a| with the sign of b."""
        return self.intrinsic("copysign", a, b)

    def intrinsic(self, name: str, *args: Value) -> Value:
        """One of LLVM's own functions of numbers."""
        types = [self.type] * len(args)
        function = self.builder.module.declare_intrinsic(
            f"llvm.{name}.v{self.width}{self.format.suffix}", (), ir.FunctionType(self.type, types)
        )
        return self.builder.call(function, args)

    def by_library(self, name: str, *args: Value) -> Value:
        """A function of C's mathematical library, lane by lane, in double precision."""
        module, b = self.builder.module, self.builder
        if name not in module.globals:
            ir.Function(module, ir.FunctionType(DOUBLE, [DOUBLE] * len(args)), name)
        result = ir.Constant(self.type, ir.Undefined)
        for lane in (ir.Constant(ir.IntType(32), k) for k in range(self.width)):
            numbers = [b.extract_element(arg, lane) for arg in args]
            numbers = numbers if self.format is WIDE else [b.fpext(number, DOUBLE) for number in numbers]
            value = b.call(module.globals[name], numbers)
            result = b.insert_element(result, value if self.format is WIDE else b.fptrunc(value, self.format.type), lane)
        return result

    def less(self, a: Value, b: Value) -> Value:
        """Whether a < b; false for NaN."""
        return self.builder.fcmp_ordered("<", a, b)

    def at_most(self, a: Value, b: Value) -> Value:
        """Whether a ≤ b; false for NaN."""
        return self.builder.fcmp_ordered("<=", a, b)

    def equal(self, a: Value, b: Value) -> Value:
        """Whether a = b, of numbers (false for NaN) or of truth values."""
        if a.type == self.type:
            return self.builder.fcmp_ordered("==", a, b)
        return self.builder.icmp_unsigned("==", a, b)

    def differ(self, a: Value, b: Value) -> Value:
        """Whether a ≠ b; true for NaN."""
        return self.builder.fcmp_unordered("!=", a, b)

    def unordered(self, a: Value, b: Value) -> Value:
        """Whether one of them is NaN."""
        return self.builder.fcmp_unordered("uno", a, b)

    def both(self, a: Value, b: Value) -> Value:
        """Whether a and b are true."""
        return self.builder.and_(a, b)

    def either(self, a: Value, b: Value) -> Value:
        """Whether a or b is true."""
        return self.builder.or_(a, b)

    def inverted(self, a: Value) -> Value:
        """Not a."""
        return self.builder.xor(a, self.truth(True))

    def select(self, condition: Value, then: Value, otherwise: Value) -> Value:
        """`then` where the condition is true."""
        return self.builder.select(condition, then, otherwise)

    def larger(self, a: Value, b: Value) -> Value:
        """The larger of a and b; NaN if one of them is."""
        return self._extreme(">", a, b)

    def smaller(self, a: Value, b: Value) -> Value:
        """The smaller of a and b; NaN if one of them is."""
        return self._extreme("<", a, b)

    def _extreme(self, comparison: str, a: Value, b: Value) -> Value:
        if isinstance(b, ir.Constant):
            a, b = b, a
        # Where the comparison fails b is taken, so that a NaN there stays.
        chosen = self.select(self.builder.fcmp_ordered(comparison, a, b), a, b)
        return chosen if isinstance(a, ir.Constant) else self.select(self.unordered(a, a), a, chosen)

    def clipped(self, x: Value, low: float, high: float) -> Value:
        """What is nearest to x between two constants; NaN stays."""
        x = self.select(self.less(x, self.number(low)), self.number(low), x)
        return self.select(self.less(self.number(high), x), self.number(high), x)

    def bits(self, a: Value) -> Value:
        """The bits of numbers as integers."""
        return self.builder.bitcast(a, self._integers)

    def from_bits(self, a: Value) -> Value:
        """Numbers of such bits."""
        return self.builder.bitcast(a, self.type)

    def from_integer(self, a: Value) -> Value:
        """Integers as numbers."""
        return self.builder.sitofp(a, self.type)

    def int_sub(self, a: Value, b: Value) -> Value:
        """Difference of integers."""
        return self.builder.sub(a, b)

    def shifted_left(self, a: Value, count: int) -> Value:
        """Integers times 2^count."""
        return self.builder.shl(a, self.integer(count))

    def shifted_right(self, a: Value, count: int) -> Value:
        """Integers over 2^count, rounded down."""
        return self.builder.ashr(a, self.integer(count))

    def power_of_two(self, k: Value) -> Value:
        """2^k of integers such that it is a normal number."""
        return self.from_bits(self.shifted_left(self.builder.add(k, self.integer(self.format.bias)), self.format.fraction))

    def converted(self, a: Value) -> Value:
        """Numbers of the other format in this one."""
        return (self.builder.fpext if self.format is WIDE else self.builder.fptrunc)(a, self.type)
