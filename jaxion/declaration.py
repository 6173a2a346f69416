"""What a model declares: compartments and baths joined by membranes, links and axial connections, and the structure that follows."""

import functools
from typing import Any, Final

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax.core import Tracer

from jaxion._types import PerCell
from jaxion.compartment import (
    Axial,
    Bath,
    Boundary,
    Compartment,
    Link,
    Membrane,
)
from jaxion.mechanisms.base import gates as gates_of
from jaxion.structure import Cycles, LinkShape, MembraneShape, Structure

CLOSURES: Final = ("state", "difference", "electroneutral", "as published", "layered")
"""How the voltage is closed: a row of its own, from the net charge, from zero net current (C → 0), a row that no charge is tied to,
or, in a chain of nodes, from the net charge across membranes and from zero net current between nodes."""

GATES: Final = ("full", "qss")
"""Gates are rows of their own, or stand at their steady values at every moment."""


class Declaration(eqx.Module):
    """The declared part of a `Model`, which says what each argument and attribute is. Whatever reads states takes this."""

    compartments: dict[str, Compartment]
    baths: dict[str, Bath]
    membranes: dict[str, Membrane]
    links: dict[str, Link]
    axials: dict[str, Axial]
    RT_F: PerCell
    F: PerCell
    name: str = eqx.field(static=True)
    source: str = eqx.field(static=True)
    closure: str = eqx.field(static=True)
    gates: str = eqx.field(static=True)
    anoxia: tuple[tuple[str, str, float], ...] = eqx.field(static=True)
    breaks: tuple[str, ...] = eqx.field(static=True)
    published: tuple[tuple[str, Any], ...] = eqx.field(static=True)

    @property
    def solutions(self) -> dict[str, Compartment | Bath]:
        """Compartments and baths by name."""
        return {**self.compartments, **self.baths}

    @property
    def boundaries(self) -> tuple[Boundary, ...]:
        """Membranes, links, then axial connections: all that has mechanisms."""
        return (*self.membranes.values(), *self.links.values(), *self.axials.values())

    @property
    def has_capacitor_law(self) -> bool:
        """Whether the charge inside a membrane and its potential are tied, so that one follows from the other."""
        return self.closure != "as published"

    @property
    def structure(self) -> Structure:
        """Rows, processes, S and conserved totals, derived from the names and cycles alone."""
        return _structure(
            tuple((name, tuple(sorted(c.concentrations))) for name, c in sorted(self.compartments.items())),
            tuple(
                MembraneShape(m.inside, m.outside, m.area, m.balance, _cycles(m), _gates(m), tuple(sorted(m.mobile)))
                for _, m in sorted(self.membranes.items())
            ),
            tuple(LinkShape(link.inside, link.outside, _cycles(link)) for _, link in sorted(self.links.items())),
            tuple(LinkShape(axial.inside, axial.outside, _cycles(axial)) for _, axial in sorted(self.axials.items())),
        )

    @property
    def rows(self) -> tuple[str, ...]:
        """State rows: amounts (fmol), volumes (pL), gates (unless they are `"qss"`), and potentials (mV) that the closure does not give."""
        s = self.structure
        return s.amounts + s.volumes + (s.gates if self.gates == "full" else ()) + (s.potentials if self.potentials_are_rows else ())

    @property
    def potentials_are_rows(self) -> bool:
        """Whether potentials are rows of the state; otherwise the closure gives them."""
        return self.closure in ("state", "as published")

    @property
    def cells(self) -> tuple[int, ...]:
        """Shape of the batch: `()` for one cell, `(cells,)` for many."""
        shapes = {jnp.shape(leaf) for leaf in jax.tree.leaves(self)}
        try:
            return jnp.broadcast_shapes(*shapes)
        except ValueError:
            counts = " and ".join(str(shape[0]) for shape in sorted(shapes) if shape)
            raise ValueError(f"Every batch in model `{self.name}` must have the same number of cells, but there are {counts}.") from None


def numbers(model: Declaration, cells: tuple[int, ...] | None = None) -> Any:
    """All numbers of a model in the order of its leaves, `(leaves, *cells)`; of as many cells as it has by default."""
    leaves, cells = jax.tree.leaves(model), model.cells if cells is None else cells
    if any(isinstance(leaf, Tracer) for leaf in leaves):
        return jnp.stack([jnp.broadcast_to(leaf, cells) for leaf in leaves])
    # By NumPy, which is quicker where nothing is compiled.
    together = np.empty((len(leaves), *cells), leaves[0].dtype)
    for row, leaf in enumerate(leaves):
        together[row] = leaf
    return together


@functools.lru_cache(maxsize=256)
def _structure(compartments, membranes, links, axials) -> Structure:
    return Structure(compartments, membranes, links, axials)


def _cycles(boundary: Boundary) -> Cycles:
    return tuple((key, boundary.mechanisms[key].cycle) for key in sorted(boundary.mechanisms))


def _gates(membrane: Membrane) -> tuple[tuple[str, tuple[str, ...]], ...]:
    return tuple((key, tuple(sorted(gates_of(m)))) for key, m in sorted(membrane.mechanisms.items()) if gates_of(m))
