r"""Model: compartments and baths joined by membranes, links and axial connections, with $dn/dt = S\,v(x, \theta)$."""

import jax.numpy as jnp
from jaxtyping import Array

from jaxion._types import Rows
from jaxion.declaration import Declaration
from jaxion.dynamics import derivative, potential_from_charge, potential_from_zero_current
from jaxion.paths import read
from jaxion.snapshot import Snapshot, baseline, list_gates, moved, name_gates, rates, with_steady_gates


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
