r"""Exponentials, logarithms and their kin for vectors of numbers, as LLVM code: to 2 units in the last place over their whole range.

Arguments are reduced as in fdlibm: $e^x = 2^k e^r$ with $|r| \le \tfrac12\ln 2$, and
$\ln x = k\ln 2 + 2\,\mathrm{artanh}\,s$ with $s = (m-1)/(m+1)$ and $m = 2^{-k}x$ between $1/\sqrt2$ and $\sqrt2$.

Source: Sun Microsystems' fdlibm (reductions, coefficients of the logarithm); Moshier (1989) Methods and Programs for
Mathematical Functions, Cephes library (coefficients of tanh).
"""

import math
from collections.abc import Callable
from fractions import Fraction
from typing import Any, Final, NamedTuple

import numpy as np

from jaxion.kernel.llvm.vectors import NARROW, WIDE, Format, Vectors

Value = Any


class Constants(NamedTuple):
    """Numbers that the functions need in one format.

    Attributes:
        ln2: Its natural logarithm of 2 in two parts, the first with zeros enough that a multiple of it is exact.
        sqrt_half: Bits of the square root of a half.
        underflow: Below it an exponential is zero.
        overflow: Above it an exponential is infinite.
        smallest: Smallest normal number.
        raised: Power of two that makes any other number a normal one.
        exp: Coefficients of the exponential.
        log: Coefficients of the logarithm.
        artanh: Terms of the long logarithm.
    """

    ln2: tuple[float, float]
    sqrt_half: int
    underflow: float
    overflow: float
    smallest: float
    raised: int
    exp: tuple[float, ...]
    log: tuple[float, ...]
    artanh: int


_EXP: Final = tuple(1.0 / math.factorial(n) for n in range(14))
_LOG: Final = (
    *(6.666666666666735130e-01, 3.999999999940941908e-01, 2.857142874366239149e-01, 2.222219843214978396e-01),
    *(1.818357216161805012e-01, 1.531383769920937332e-01, 1.479819860511658591e-01),
)
CONSTANTS: Final = {
    WIDE: Constants(
        ln2=(float.fromhex("0x1.62e42feep-1"), float.fromhex("0x1.a39ef35793c76p-33")),
        sqrt_half=0x3FE6A09E667F3BCD,
        underflow=-746.0,
        overflow=710.0,
        smallest=2.0**-1022,
        raised=54,
        exp=_EXP,
        log=_LOG,
        artanh=12,
    ),
    NARROW: Constants(
        ln2=(float.fromhex("0x1.62e3p-1"), float.fromhex("0x1.2fefa39ef3579p-17")),
        sqrt_half=0x3F3504F3,
        underflow=-104.0,
        overflow=89.0,
        smallest=2.0**-126,
        raised=25,
        exp=_EXP[:8],
        log=_LOG[:4],
        artanh=6,
    ),
}
ARTANH: Final = tuple(2.0 / (2 * n + 1) for n in range(12))
TANH: Final = (-1.61468768441708447952e3, -9.92877231001918586564e1, -9.64399179425052238628e-1)
TANH_BELOW: Final = (4.84406305325125486048e3, 2.23548839060100448583e3, 1.12811678491632931402e2, 1.0)


def exp(v: Vectors, x: Value) -> Value:
    """Exponential."""
    c = CONSTANTS[v.format]
    x = v.clipped(x, c.underflow, c.overflow)
    whole, r = _reduced(v, x)
    return _scaled(v, _series(v, r, c.exp), whole)


def expm1(v: Vectors, x: Value) -> Value:
    """e^x − 1, exact in relative terms where x is small."""
    c, fraction = CONSTANTS[v.format], v.format.fraction
    whole, r = _reduced(v, v.clipped(x, -fraction - 8.0, c.overflow))
    # Half of the power, which is finite wherever the result is.
    s = v.power_of_two(v.int_sub(whole, v.integer(1)))
    rest = v.mul(v.mul(r, r), _series(v, r, c.exp[2:]))
    result = v.mul(v.number(2.0), v.fma(s, rest, v.fma(s, r, v.sub(s, v.number(0.5)))))
    return v.select(v.less(v.abs(x), v.number(2.0 ** (-fraction - 2))), x, result)


def log(v: Vectors, x: Value) -> Value:
    """Natural logarithm."""
    c = CONSTANTS[v.format]
    k, m = _exponent(v, x)
    f = v.sub(m, v.number(1.0))
    s = v.div(f, v.add(f, v.number(2.0)))
    z = v.mul(s, s)
    square = v.mul(v.number(0.5), v.mul(f, f))
    low = v.fma(k, v.number(c.ln2[1]), v.mul(s, v.add(square, v.mul(z, _series(v, z, c.log)))))
    result = v.fma(k, v.number(c.ln2[0]), v.sub(f, v.sub(square, low)))
    return _log_edges(v, x, result)


def log1p(v: Vectors, x: Value) -> Value:
    """Natural logarithm of 1 + x, exact in relative terms where x is small."""
    one = v.number(1.0)
    u = v.add(one, x)
    logarithm = log(v, u)
    # What the sum 1 + x lost.
    lost = v.div(v.sub(x, v.sub(u, one)), u)
    ordinary = v.both(v.less(v.number(0.0), u), v.less(u, v.number(math.inf)))
    return v.select(ordinary, v.add(logarithm, lost), logarithm)


def tanh(v: Vectors, x: Value) -> Value:
    """Hyperbolic tangent: a rational function near zero, elsewhere by the exponential."""
    size = v.abs(x)
    z = v.mul(x, x)
    ratio = v.div(_series(v, z, TANH), _series(v, z, TANH_BELOW))
    near = v.fma(v.mul(x, z), ratio, x)
    far = v.sub(v.number(1.0), v.div(v.number(2.0), v.add(exp(v, v.add(size, size)), v.number(1.0))))
    return v.select(v.less(size, v.number(0.625)), near, v.signed_as(far, x))


def logistic(v: Vectors, x: Value) -> Value:
    """1 / (1 + e^−x)."""
    e = exp(v, v.neg(v.abs(x)))
    one = v.number(1.0)
    below, above = v.add(one, e), v.select(v.less(x, v.number(0.0)), e, one)
    inverse = v.div(one, below)
    result = v.mul(above, inverse)
    # What the sum and the division lost.
    lost = v.fma(v.neg(result), v.sub(e, v.sub(below, one)), v.fma(v.neg(result), below, above))
    return v.fma(lost, inverse, result)


def power(v: Vectors, a: Value, b: Value) -> Value:
    """a^b, with the logarithm in twice the precision, as its error is magnified by b."""
    zero, one = v.number(0.0), v.number(1.0)
    high, low = _long_log(v, v.abs(a))
    product = v.mul(b, high)
    rest = v.fma(b, low, v.fma(b, high, v.neg(product)))
    c = CONSTANTS[v.format]
    clipped = v.clipped(product, c.underflow, c.overflow)
    whole, r = _reduced(v, clipped)
    # Far out, or where the product overflowed, the rest means nothing.
    r = v.select(v.equal(clipped, product), v.add(r, rest), r)
    result = _scaled(v, _series(v, r, c.exp), whole)
    # A zero or infinite base has no logarithm to multiply.
    size = v.abs(a)
    grows = v.equal(v.less(one, size), v.less(zero, b))
    limit = v.select(grows, v.number(math.inf), zero)
    result = v.select(v.either(v.equal(size, zero), v.equal(size, v.number(math.inf))), limit, result)
    result = v.select(v.both(v.equal(v.abs(b), v.number(math.inf)), v.equal(size, size)), v.select(v.equal(size, one), one, limit), result)
    negative = v.less(v.signed_as(one, a), zero)
    integer = v.equal(v.floor(b), b)
    half_b = v.mul(v.number(0.5), b)
    odd = v.both(integer, v.differ(v.floor(half_b), half_b))
    result = v.select(v.both(negative, odd), v.neg(result), result)
    finite = v.less(v.abs(b), v.number(math.inf))
    no_number = v.both(v.both(v.less(a, zero), v.less(v.number(-math.inf), a)), v.both(finite, v.differ(v.floor(b), b)))
    result = v.select(no_number, v.number(math.nan), result)
    return v.select(v.either(v.equal(b, zero), v.equal(a, one)), one, v.select(v.unordered(a, b), v.add(a, b), result))


FUNCTIONS: Final[dict[str, Callable[..., Value]]] = {
    "exp": exp,
    "expm1": expm1,
    "log": log,
    "log1p": log1p,
    "tanh": tanh,
    "logistic": logistic,
    "pow": power,
}
"""Functions by their names in a graph."""


def _series(v: Vectors, x: Value, coefficients: tuple[float, ...]) -> Value:
    result = v.number(coefficients[-1])
    for coefficient in reversed(coefficients[:-1]):
        result = v.fma(result, x, v.number(coefficient))
    return result


def _reduced(v: Vectors, x: Value) -> tuple[Value, Value]:
    """The integer k, and r."""
    # Added to a smaller number, it leaves the nearest whole number in the last bits.
    to_integer = v.number(1.5 * 2.0**v.format.fraction)
    high, low = CONSTANTS[v.format].ln2
    shifted = v.fma(x, v.number(1.0 / math.log(2.0)), to_integer)
    k = v.sub(shifted, to_integer)
    whole = v.int_sub(v.bits(shifted), v.bits(to_integer))
    return whole, v.fma(k, v.number(-low), v.fma(k, v.number(-high), x))


def _scaled(v: Vectors, x: Value, k: Value) -> Value:
    """Product x · 2^k, in two factors, as 2^k itself may be no normal number."""
    half = v.shifted_right(k, 1)
    return v.mul(v.mul(x, v.power_of_two(half)), v.power_of_two(v.int_sub(k, half)))


def _exponent(v: Vectors, x: Value) -> tuple[Value, Value]:
    """The number k, and m."""
    c, fraction = CONSTANTS[v.format], v.format.fraction
    tiny = v.less(x, v.number(c.smallest))
    bits = v.bits(v.select(tiny, v.mul(x, v.number(2.0**c.raised)), x))
    k = v.shifted_right(v.int_sub(bits, v.integer(c.sqrt_half)), fraction)
    m = v.from_bits(v.int_sub(bits, v.shifted_left(k, fraction)))
    k = v.from_integer(k)
    return v.select(tiny, v.sub(k, v.number(float(c.raised))), k), m


def _log_edges(v: Vectors, x: Value, result: Value) -> Value:
    zero, infinity = v.number(0.0), v.number(math.inf)
    result = v.select(v.less(x, infinity), result, x)  # infinity and NaN are their own logarithms
    result = v.select(v.equal(x, zero), v.number(-math.inf), result)
    return v.select(v.less(x, zero), v.number(math.nan), result)


def _long_log(v: Vectors, x: Value) -> tuple[Value, Value]:
    """Natural logarithm of a positive number as a sum of two, to about 2⁻⁶⁵."""
    c = CONSTANTS[v.format]
    k, m = _exponent(v, x)
    one = v.number(1.0)
    f = v.sub(m, one)
    below = v.add(m, one)
    below_low = v.sub(m, v.sub(below, one))
    s = v.div(f, below)
    # f − s·(below + below_low), exactly enough.
    s_low = v.div(v.fma(v.neg(s), below_low, v.fma(v.neg(s), below, f)), below)
    z = v.mul(s, s)
    z_low = v.fma(v.add(s, s), s_low, v.fma(s, s, v.neg(z)))
    # The series 2/3 z + 2/5 z² + …, of which the first term is kept in two parts as well.
    third, third_low = v.number(ARTANH[1]), v.number(_low(v.format, 2, 3))
    tail = v.mul(v.mul(z, z), _series(v, z, ARTANH[2 : c.artanh]))
    p = v.mul(third, z)
    p_low = v.add(v.fma(third, z_low, v.fma(third_low, z, v.fma(third, z, v.neg(p)))), tail)
    p, p_low = _two_sum(v, p, p_low)
    # s·p
    q = v.mul(s, p)
    q_low = v.fma(s, p_low, v.fma(s_low, p, v.fma(s, p, v.neg(q))))
    # 2s + s·p, then k ln 2
    high, low = _two_sum(v, v.add(s, s), q)
    low = v.add(low, v.add(v.add(s_low, s_low), q_low))
    big = v.mul(k, v.number(c.ln2[0]))  # exact: ln 2's high part has zeros enough
    total, rest = _two_sum(v, big, high)
    rest = v.add(rest, v.fma(k, v.number(c.ln2[1]), low))
    return _two_sum(v, total, rest)


def _two_sum(v: Vectors, a: Value, b: Value) -> tuple[Value, Value]:
    """Sum a + b and what its rounding lost, where a is zero or not smaller than b."""
    total = v.add(a, b)
    return total, v.sub(b, v.sub(total, a))


def _low(format: Format, numerator: int, denominator: int) -> float:
    """What a fraction has beyond its nearest number."""
    nearest = numerator / denominator if format is WIDE else float(np.float32(numerator / denominator))
    return float(Fraction(numerator, denominator) - Fraction(nearest))
