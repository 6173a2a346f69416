"""Chunks of a sweep, cut from blocks of cells that are built, solved, certified, differentiated and run at once."""

import dataclasses
import functools
from typing import Final

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array

from jaxion.model import Model
from jaxion.populations import Population
from jaxion.sensitivities import sensitivity
from jaxion.setpoints import SetPoint, setpoint
from jaxion.sweeps.variables import SENSITIVITY, STATUS, Request, Variable, kept_paths, parameter_names, variables

BLOCK: Final = 2**14
"""Cells whose set-points are computed at once, and cells a chunk unless asked otherwise: a fraction of a second of work."""

RUN_BLOCK: Final = 2**11
"""Likewise for cells that go through a protocol, which takes each of them milliseconds."""

_SMALLEST: Final = 64
"""Fewest cells that are computed at once, so that small populations share what is compiled."""

Values = dict[str, np.ndarray]
"""Values of the variables by name, the cells axis first."""


@dataclasses.dataclass(frozen=True, eq=False)
class Plan:
    """What a sweep computes, and in which chunks.

    Chunks are how a result is stored. Cells are computed in blocks that do not depend on the
    chunks: the last bits of a cell depend on the shape that it is compiled in and on the cells
    that are searched for beside it, so that nothing else makes them the same for any chunk size.

    Attributes:
        cells: The population.
        request: What is asked of every cell.
        chunk: Cells a chunk; the last one may hold fewer.
    """

    cells: Population
    request: Request
    chunk: int
    _kept: dict[int, Values] = dataclasses.field(default_factory=dict, init=False, repr=False)

    @property
    def chunks(self) -> int:
        """Number of chunks."""
        return -(-len(self.cells) // self.chunk)

    @functools.cached_property
    def variables(self) -> tuple[Variable, ...]:
        """Variables of the result, the status last."""
        return variables(self.cells, self.request)

    def span(self, index: int) -> tuple[int, int]:
        """First cell of a chunk, and the first after it."""
        return index * self.chunk, min((index + 1) * self.chunk, len(self.cells))

    def compute(self, index: int) -> Values:
        """Values of every variable in one chunk."""
        (i0, i1), size = self.span(index), self._block
        numbers = range(i0 // size, (i1 - 1) // size + 1)
        blocks = {number: self._kept.get(number) or self._compute(number) for number in numbers}
        # The next chunk mostly begins in the block that this one ends in.
        self._kept.clear()
        self._kept[numbers[-1]] = blocks[numbers[-1]]
        parts = [(values, slice(max(i0 - number * size, 0), i1 - number * size)) for number, values in blocks.items()]
        return {v.name: np.concatenate([values[v.name][part] for values, part in parts]) for v in self.variables}

    @property
    def _block(self) -> int:
        """Cells a block: a power of two that depends on the population and on what is asked, not on the chunks."""
        return min(_largest(self.request), max(_SMALLEST, 1 << (len(self.cells) - 1).bit_length()))

    def _compute(self, number: int) -> Values:
        """Values of every variable in one block."""
        i0 = number * self._block
        i1 = min(i0 + self._block, len(self.cells))
        values = self.cells.values(i0, i1)
        # One shape for all blocks, so that everything compiles once: the last one is filled up with its own cells.
        model = self.cells.build({path: np.resize(column, self._block) for path, column in values.items()})
        computed = self._found(model)
        found = {name: np.moveaxis(np.asarray(array), -1, 0)[: i1 - i0] for name, array in computed.items()}
        found |= {name: values[path] for path, name in parameter_names(self.cells, self.request).items()}
        return {v.name: np.ascontiguousarray(found[v.name], dtype=v.dtype) for v in self.variables}

    def _found(self, model: Model) -> dict[str, Array]:
        """What is asked of the cells of a batch, the cells axis last."""
        computed: dict[str, Array] = {}
        point = setpoint(model) if self.request.setpoint else None
        if point is not None:
            computed |= _read(point, kept_paths(self.cells.base, self.request))
            computed[STATUS] = point.status
        if point is not None and self.request.of:
            computed[SENSITIVITY] = sensitivity(model, of=self.request.of, wrt=self.request.wrt, point=point).matrix
        if self.request.run is not None:
            computed |= self.request.run.compute(model, point)
        return computed


def plan(cells: Population, request: Request, chunk: int | None) -> Plan:
    """Plan of a sweep; the default chunk is a block, or the whole population if that is smaller."""
    if chunk is not None and chunk < 1:
        raise ValueError(f"Argument `chunk` must be a positive number of cells, but it is {chunk}.")
    found = Plan(cells, request, min(chunk or _largest(request), len(cells)))
    _ = found.variables  # raises, before anything is computed, if two bear one name
    return found


def _largest(request: Request) -> int:
    return BLOCK if request.run is None else RUN_BLOCK


def _read(point: SetPoint, names: tuple[str, ...]) -> dict[str, Array]:
    certificate = {name: jnp.where(point.found, getattr(point.certificate, name), jnp.nan) for name in ("residual", "condition")}
    values = {name: jnp.broadcast_to(value, point.status.shape) for name, value in point.read(names).items()}
    return values | certificate
