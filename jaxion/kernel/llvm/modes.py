r"""Dense matrices of many cells in LLVM's intermediate language: condition numbers, and how many modes grow.

Growing modes are counted by the matrix sign function, as `matrix_sign` says.
"""

import math
from typing import Any, Final

from llvmlite import ir

from jaxion.kernel.llvm.loops import whole
from jaxion.kernel.llvm.map import CellLoop
from jaxion.kernel.llvm.vectors import INT, Vectors
from jaxion.kernel.methods import matrix_sign

Value = Any
JUDGEMENT: Final = ("condition", "unstable")
"""Results of a judge, in order."""


def emit_judge(module: ir.Module, name: str, unknowns: int, modes: int, width: int) -> None:
    """A function of arrays as in `emit_map`, of two matrices of each cell.

    Given are the entries of a matrix of the unknowns, then of one of the modes, row by row. Results are the condition number
    (∞-norm) of the first and the number of growing modes of the second, −1 where it cannot be told.
    """
    judge = _Judge(module, name, max(unknowns, modes), width)
    with judge.groups(width) as cell:
        judge.condition(cell, unknowns)
        judge.count(cell, modes, unknowns * unknowns)
    judge.end()


class _Judge(CellLoop):
    """Builds on two matrices of vectors, `x` and `y`, in the function's own memory."""

    def __init__(self, module: ir.Module, name: str, size: int, width: int):
        super().__init__(module, name)
        self.v = Vectors(self.b, width, contract=True)
        self.x, self.y = (self.counters.alloca(self.v.type, size * size) for _ in range(2))

    def condition(self, cell: Value, n: int) -> None:
        """Condition number of the first matrix."""
        v = self.v
        self._read(self.y, n, cell, 0)
        size = self._norm(self.y, n)
        self._invert(self.y, n)
        found = v.mul(size, self._norm(self.y, n))
        # A singular matrix has no finite inverse, and an infinite condition number.
        self._write(cell, 0, v.select(v.unordered(found, found), v.number(math.inf), found))

    def count(self, cell: Value, m: int, first: int) -> None:
        """Number of growing modes of the second matrix."""
        b, v = self.b, self.v
        change, left = self.counters.alloca(v.type), self.counters.alloca(INT)
        self._read(self.x, m, cell, first)
        b.store(v.number(math.inf), change)
        b.store(whole(matrix_sign.TURNS), left)
        with self.while_(lambda: b.and_(self.less(whole(0), b.load(left, typ=INT)), self._any(self._moves(change)))):
            b.store(b.sub(b.load(left, typ=INT), whole(1)), left)
            self._improve(m, change)
        trace = self._sum(m, lambda i: self._get(self.x, m, i, i))
        growing = v.mul(v.number(0.5), v.add(trace, v.number(float(m))))
        nearest = v.floor(v.add(growing, v.number(0.5)))
        good = v.both(
            v.at_most(b.load(change, typ=v.type), v.number(matrix_sign.SETTLED)),
            v.less(v.abs(v.sub(growing, nearest)), v.number(0.5 * matrix_sign.WHOLE)),
        )
        self._write(cell, 1, v.select(good, nearest, v.number(-1.0)))

    def _improve(self, m: int, change: Value) -> None:
        """One iteration, in the lanes that still move: the bits of a cell do not depend on its neighbours."""
        b, v = self.b, self.v
        before = b.load(change, typ=v.type)
        moves = self._moves(change)
        size = self._norm(self.x, m)
        with self.over(whole(0), whole(m * m)) as k:
            b.store(b.load(self._entry(self.x, k), typ=v.type), self._entry(self.y, k))
        self._invert(self.y, m)
        ratio = v.div(self._norm(self.y, m), size)
        mu = v.select(v.less(v.number(matrix_sign.FAR), before), v.intrinsic("sqrt", ratio), v.number(1.0))
        a, c = v.mul(v.number(0.5), mu), v.div(v.number(0.5), mu)
        with self.over(whole(0), whole(m * m)) as k:
            x, y = (b.load(self._entry(matrix, k), typ=v.type) for matrix in (self.x, self.y))
            new = v.select(moves, v.add(v.mul(a, x), v.mul(c, y)), x)
            b.store(v.sub(new, x), self._entry(self.y, k))
            b.store(new, self._entry(self.x, k))
        b.store(v.select(moves, v.div(self._norm(self.y, m), self._norm(self.x, m)), before), change)

    def _invert(self, matrix: Value, n: int) -> None:
        """The inverse in place of a matrix, by Gauss–Jordan elimination without pivoting."""
        # Two pivots at once: each other row is read and written half as often, which is what takes the time.
        with self.over(whole(0), whole(n - n % 2), step=2) as k:
            self._eliminate(matrix, n, [k, self.b.add(k, whole(1))])
        if n % 2:
            self._eliminate(matrix, n, [whole(n - 1)])

    def _eliminate(self, matrix: Value, n: int, pivots: list[Value]) -> None:
        """Eliminate with neighbouring pivots: their own rows by each other first, then all others by both."""
        b = self.b
        for k in pivots:
            self._reduce(matrix, n, k)
            for other in pivots:
                if other is not k:
                    self._subtract(matrix, n, other, [k], [self._row(matrix, n, k)])
        rows = [self._row(matrix, n, k) for k in pivots]
        for begin, end in ((whole(0), pivots[0]), (b.add(pivots[-1], whole(1)), whole(n))):
            with self.over(begin, end) as i:
                self._subtract(matrix, n, i, pivots, rows)

    def _reduce(self, matrix: Value, n: int, k: Value) -> None:
        """Divide a pivot's row by it."""
        v = self.v
        inverse = v.div(v.number(1.0), self._get(matrix, n, k, k))
        self._set(matrix, n, k, k, v.number(1.0))
        for j in range(n):
            self._set(matrix, n, k, whole(j), v.mul(self._get(matrix, n, k, whole(j)), inverse))

    def _subtract(self, matrix: Value, n: int, i: Value, pivots: list[Value], rows: list[list[Value]]) -> None:
        """Subtract from row i multiples of the pivots' rows, such that it has nothing left in their columns."""
        v = self.v
        factors = [self._get(matrix, n, i, k) for k in pivots]
        for k in pivots:
            self._set(matrix, n, i, k, v.number(0.0))
        for j in range(n):
            value = self._get(matrix, n, i, whole(j))
            for factor, row in zip(factors, rows, strict=True):
                value = v.sub(value, v.mul(factor, row[j]))
            self._set(matrix, n, i, whole(j), value)

    def _row(self, matrix: Value, n: int, k: Value) -> list[Value]:
        return [self._get(matrix, n, k, whole(j)) for j in range(n)]

    def _norm(self, matrix: Value, n: int) -> Value:
        """Largest sum over a row of absolute values."""
        b, v = self.b, self.v
        largest = self.counters.alloca(v.type)
        b.store(v.number(0.0), largest)
        with self.over(whole(0), whole(n)) as i:
            total = self._sum(n, lambda j: v.abs(self._get(matrix, n, i, j)))
            b.store(v.larger(b.load(largest, typ=v.type), total), largest)
        return b.load(largest, typ=v.type)

    def _sum(self, n: int, term: Any) -> Value:
        b, v = self.b, self.v
        total = self.counters.alloca(v.type)
        b.store(v.number(0.0), total)
        with self.over(whole(0), whole(n)) as k:
            b.store(v.add(b.load(total, typ=v.type), term(k)), total)
        return b.load(total, typ=v.type)

    def _moves(self, change: Value) -> Value:
        return self.v.less(self.v.number(matrix_sign.SETTLED), self.b.load(change, typ=self.v.type))

    def _any(self, truths: Value) -> Value:
        bits = ir.IntType(self.v.width)
        return self.b.icmp_unsigned("!=", self.b.bitcast(truths, bits), ir.Constant(bits, 0))

    def _read(self, matrix: Value, n: int, cell: Value, first: int) -> None:
        with self.over(whole(0), whole(n * n)) as k:
            place = self.place(self.given, self.b.add(whole(first), k), cell)
            self.b.store(self.b.load(place, typ=self.v.type, align=8), self._entry(matrix, k))

    def _write(self, cell: Value, row: int, value: Value) -> None:
        self.b.store(value, self.place(self.results, whole(row), cell), align=8)

    def _get(self, matrix: Value, n: int, i: Value, j: Value) -> Value:
        return self.b.load(self._entry(matrix, self.b.add(self.b.mul(i, whole(n)), j)), typ=self.v.type)

    def _set(self, matrix: Value, n: int, i: Value, j: Value, value: Value) -> None:
        self.b.store(value, self._entry(matrix, self.b.add(self.b.mul(i, whole(n)), j)))

    def _entry(self, matrix: Value, index: Value) -> Value:
        return self.b.gep(matrix, [index], source_etype=self.v.type)
