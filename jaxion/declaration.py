"""What a model declares: compartments and baths joined by membranes, links and axial connections, and the structure that follows."""

import functools
import itertools
from collections.abc import Mapping
from typing import Any, Final

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax.core import Tracer

from jaxion import units
from jaxion._types import PerCell, per_cell
from jaxion.compartment import (
    Axial,
    Bath,
    Boundary,
    Compartment,
    Link,
    Membrane,
    check_axial,
    check_chain,
    check_junction,
    check_link,
    check_membrane,
)
from jaxion.errors import ConservationError, nearest
from jaxion.mechanisms.base import gates as gates_of
from jaxion.structure import Cycles, LinkShape, MembraneShape, Structure

CLOSURES: Final = ("state", "difference", "electroneutral", "as published", "layered")
"""How the voltage is closed: a row of its own, from the net charge, from zero net current (C → 0), a row that no charge is tied to,
or, in a chain of nodes, from the net charge across membranes and from zero net current between nodes."""

_CHAIN_CLOSURES: Final = ("layered", "state")
"""Closures of a chain of nodes: in the others the current along the chain would have no part in the potentials."""

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

    def __init__(
        self,
        compartments: Mapping[str, Compartment],
        baths: Mapping[str, Bath],
        membranes: tuple[Membrane, ...] | list[Membrane],
        name: str = "model",
        source: str = "",
        closure: str = "state",
        RT_F: Any = units.BODY_RT_F,
        F: Any = units.FARADAY,
        *,
        links: tuple[Link, ...] | list[Link] = (),
        axials: tuple[Axial, ...] | list[Axial] = (),
        gates: str = "full",
        anoxia: tuple[tuple[str, str, float], ...] = (),
        breaks: tuple[str, ...] = (),
        published: tuple[tuple[str, Any], ...] = (),
    ):
        for argument, given, allowed in (("closure", closure, CLOSURES), ("gates", gates, GATES)):
            if given not in allowed:
                raise ValueError(
                    f"Argument `{argument}` must be one of {', '.join(allowed)}, but it is `{given}`.{nearest(given, allowed)}"
                )
        solutions = {**compartments, **baths}
        if len(solutions) < len(compartments) + len(baths):
            raise ConservationError("A compartment and a bath bear the same name.")
        for membrane in membranes:
            check_membrane(membrane, solutions)
        for link in links:
            check_link(link, solutions)
            check_junction(link, membranes)
        for axial in axials:
            check_axial(axial, solutions)
        check_chain(axials, membranes)
        if axials and closure not in _CHAIN_CLOSURES:
            raise ValueError(
                f"Argument `closure` must be {' or '.join(f'`{one}`' for one in _CHAIN_CLOSURES)} for a chain of nodes, but it is `{closure}`."
            )
        cells = {membrane.inside for membrane in membranes}
        if closure == "electroneutral" and any({link.inside, link.outside} <= cells for link in links):
            # Each membrane's potential of zero current would depend on that of the other.
            raise ValueError("Argument `closure` must be `state` or `difference` for cells that are joined, but it is `electroneutral`.")
        for kind, boundaries in (("membranes", membranes), ("links", links), ("axial connections", axials)):
            if len({boundary.inside for boundary in boundaries}) < len(boundaries):
                raise ConservationError(f"Two {kind} have the same inside; put their mechanisms on one.")
        self.compartments = {key: compartments[key] for key in sorted(compartments)}
        self.baths = {key: baths[key] for key in sorted(baths)}
        self.membranes = {m.inside: m for m in sorted(membranes, key=lambda m: m.inside)}
        self.links = {link.inside: link for link in sorted(links, key=lambda link: link.inside)}
        self.axials = {axial.inside: axial for axial in sorted(axials, key=lambda axial: axial.inside)}
        kinds = {"membrane": self.membranes, "link": self.links, "axial connection": self.axials}
        for (one, first), (other, second) in itertools.combinations(kinds.items(), 2):
            for key in sorted(set(first) & set(second)):
                for shared in sorted(set(first[key].mechanisms) & set(second[key].mechanisms)):
                    raise ConservationError(f"The {one} and the {other} of `{key}` both have a mechanism `{shared}`; give one another key.")
        self.RT_F, self.F = per_cell(RT_F), per_cell(F)
        self.name, self.source, self.closure, self.gates = name, source, closure, gates
        self.anoxia, self.breaks, self.published = anoxia, breaks, published

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
