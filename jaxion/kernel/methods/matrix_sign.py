r"""The matrix sign function, which counts growing modes without eigenvalues: the limits of its iteration.

$X \leftarrow \tfrac12(\mu X + X^{-1}/\mu)$ from X = A tends to a matrix whose trace is the number of eigenvalues of A with positive
real part less the number of the others. It needs only inverses, which are vector operations over cells on every device.

Source: Roberts (1980) Int J Control 32:677; norm scaling after Higham (2008) Functions of Matrices, chapter 5.
"""

from typing import Final

TURNS: Final = 60
"""Iterations at most; stiff cells need about 12."""

FAR: Final = 1e-2
"""Relative change beyond which X and its inverse are balanced by μ; nearer, scaling would spoil the quadratic rate."""

SETTLED: Final = 1e-4
"""Relative change at which the iteration ends and its result counts: what is left is the square of that."""

WHOLE: Final = 1e-2
"""How near the trace must be to a whole number."""
