r"""Model: compartments and baths joined by membranes, links and axial connections, with $dn/dt = S\,v(x, \theta)$."""

import itertools
from collections.abc import Mapping
from typing import Any, Final

import jax.numpy as jnp
from jaxtyping import Array

from jaxion import units
from jaxion._types import Rows, per_cell
from jaxion.compartment import (
    Axial,
    Bath,
    Compartment,
    Link,
    Membrane,
    check_axial,
    check_chain,
    check_junction,
    check_link,
    check_membrane,
)
from jaxion.declaration import CLOSURES, GATES, Declaration
from jaxion.dynamics import derivative, potential_from_charge, potential_from_zero_current
from jaxion.errors import ConservationError, nearest
from jaxion.paths import read
from jaxion.snapshot import Snapshot, baseline, list_gates, moved, name_gates, rates, with_steady_gates

_CHAIN_CLOSURES: Final = ("layered", "state")
"""Closures of a chain of nodes: in the others the current along the chain would have no part in the potentials."""


class Model(Declaration):
    r"""A cell, or a batch of cells: every number is a leaf of shape `()` or `(cells,)`.

    Args:
        compartments: Finite compartments by name.
        baths: Held solutions by name.
        membranes: Membranes; each bears the name of its inside compartment.
        links: Links without a membrane, such as that from the extracellular space to a bath; likewise.
        axials: Connections between neighbouring nodes of a chain; likewise.
        name: Name of the model.
        source: Publication that the model is from.
        closure: `"state"`, `"difference"`, `"electroneutral"`, `"as published"` or `"layered"`; see `CLOSURES`.
        gates: `"full"` or `"qss"`; see `GATES`.
        RT_F: Thermal voltage RT/F, mV.
        F: Faraday constant, pA·s/fmol.
        anoxia: What the lack of oxygen does: `("scale", path, factor)` and `("set", path, value)`.
        breaks: Laws of `jaxion.check` that the published model breaks by design.
        published: Protocols of the publication by name, as pairs.

    `model["neuron.kcc2.g"]` reads a parameter or a baseline value; `jaxion.replace` changes it.

    Raises:
        ConservationError: A mechanism moves an ion that one of its sides lacks.
    """

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

    def closed_by(self, closure: str) -> "Model":
        """The same model with another closure."""
        return Model(
            self.compartments,
            self.baths,
            list(self.membranes.values()),
            self.name,
            self.source,
            closure,
            self.RT_F,
            self.F,
            links=list(self.links.values()),
            axials=list(self.axials.values()),
            gates=self.gates,
            anoxia=self.anoxia,
            breaks=self.breaks,
            published=self.published,
        )

    def __getitem__(self, path: str) -> Array:
        """Read a parameter or baseline value by its dotted path."""
        return read(self, path)

    def baseline(self) -> Snapshot:
        """The baseline, with the capacitor law of every membrane repaired by its balancing ion and gates at their steady values."""
        return baseline(self)

    def pack(self, snapshot: Snapshot) -> Rows:
        """Stack a snapshot into state rows."""
        s = self.structure
        values = [snapshot.amounts[name][ion] for name, ions in s.compartments for ion in ions]
        values += [snapshot.volumes[name] for name, _ in s.compartments]
        if self.gates == "full":
            values += list_gates(s, snapshot.gates)
        if self.potentials_are_rows:
            values += [snapshot.potentials[m.inside] for m in s.membranes]
        return jnp.stack(jnp.broadcast_arrays(*values))

    def unpack(self, state: Rows) -> Snapshot:
        """Name the rows of a state; the closure gives the potentials, and the potentials the gates, that are no rows."""
        s = self.structure
        if len(state) != len(self.rows):
            raise ValueError(f"Argument `state` must have {len(self.rows)} rows ({', '.join(self.rows)}), but it has {len(state)}.")
        rows = iter(list(state))
        amounts = {name: {ion: next(rows) for ion in ions} for name, ions in s.compartments}
        volumes = {name: next(rows) for name, _ in s.compartments}
        gates = name_gates(s, rows) if self.gates == "full" else {}
        if self.potentials_are_rows:
            snapshot = Snapshot(amounts, volumes, {m.inside: next(rows) for m in s.membranes}, gates)
        else:
            snapshot = Snapshot(amounts, volumes, {name: membrane.V for name, membrane in self.membranes.items()}, gates)
            close = potential_from_zero_current if self.closure == "electroneutral" else potential_from_charge
            snapshot = Snapshot(amounts, volumes, {name: close(self, snapshot, m) for name, m in self.membranes.items()}, gates)
        return snapshot if self.gates == "full" else with_steady_gates(self, snapshot)

    def rhs(self, state: Rows) -> Rows:
        r"""Time derivative of the state rows, per second.

        $dn/dt = S\,v$ for amounts and volumes; $dx/dt = \alpha(1 - x) - \beta x$ for gates;
        $d(C V)/dt = -10^3\,I$ for potentials, where a capacitance that grows with the volume dilutes
        the charge that it holds.
        """
        return self.pack(derivative(self, self.unpack(state)))

    def fluxes(self, state: Rows) -> Array:
        """Turnovers of each process (columns of `structure.S`) whose ions move, fmol/s, shape `(processes, *cells)`."""
        found = moved(self, rates(self, self.unpack(state)))
        return jnp.stack(jnp.broadcast_arrays(*(found[process] for process in self.structure.processes)))
