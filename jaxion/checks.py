r"""`check`: whether a model keeps the laws that its cycles promise, at random states.

The model's derivative is compared with sums over the fluxes that each mechanism reports by itself,
so that a mistake in the bookkeeping shows, and every passive mechanism with the second law.
"""

import dataclasses
from collections.abc import Iterator, Mapping
from typing import Any, Final

import jax.numpy as jnp
import numpy as np

from jaxion.compartment import AREA_EXPONENT, Axial, Boundary, Link
from jaxion.dynamics import derivative
from jaxion.ions import WATER, valence
from jaxion.model import Model
from jaxion.setpoints.reduction import reduce, residual, totals
from jaxion.snapshot import Snapshot, area_ratio, joins_cells, moved, name_gates, rates, view, with_steady_gates
from jaxion.units import MILLI

STATES: Final = 1000
"""Number of random states."""

ROUNDING: Final = 1e-9
"""Largest error, relative to the sum of what flows, that counts as rounding."""


@dataclasses.dataclass(frozen=True)
class Law:
    """Outcome of one law.

    Attributes:
        holds: Whether it holds in every state.
        worst: Largest violation in any state, relative to the sum of the flows that should cancel.
        culprit: Where the largest violation is; empty when the law holds.
    """

    holds: bool
    worst: float
    culprit: str = ""


@dataclasses.dataclass(frozen=True)
class Check:
    """What `check` found; prints as a report.

    Attributes:
        model: The model.
        laws: Outcome by the law's name.
        totals: Baseline value of each conserved total, by name (fmol or pL).
        baseline_residual: Largest rate of change of any unknown at the baseline, 1/s: 0 at a set-point.
        repaired: Declared and repaired baseline concentration of each membrane's balancing ion, mM.
    """

    model: Model
    laws: dict[str, Law]
    totals: dict[str, float]
    baseline_residual: float
    repaired: dict[str, tuple[float, float]]

    @property
    def ok(self) -> bool:
        """Whether every law holds."""
        return all(law.holds for law in self.laws.values())

    def __str__(self) -> str:
        """Stoichiometry, laws, totals and baseline, one line each."""
        s = self.model.structure
        lines = [f"{self.model.name}: {len(s.processes)} processes, closure {self.model.closure}", "What one turnover moves"]
        width = max(22, *(len(f"{name}.{key}") for name, key in s.processes))
        for boundary in self.model.boundaries:
            for key, mechanism in boundary.mechanisms.items():
                note = _note(self.model, boundary, key)
                lines.append(f"  {f'{boundary.inside}.{key}':<{width}} {mechanism.cycle!s:<28} charge {mechanism.cycle.charge:+d}{note}")
        lines.append(f"Laws, at {STATES} random states")
        for name, law in self.laws.items():
            broken = f"BROKEN by {law.culprit}{', as published' if name in self.model.breaks else ''}"
            lines.append(f"  {name.replace('_', ' '):<22} {'holds' if law.holds else broken}, worst {law.worst:.1e}")
        lines.append("Conserved totals" if self.totals else "Conserved totals: none (every ion and the water exchange with a bath)")
        lines += [f"  {name} = {value:.6g}" for name, value in self.totals.items()]
        for path, (declared, repaired) in self.repaired.items():
            lines.append(f"Baseline {path}: {declared:.6g} mM declared, {repaired:.6g} mM balances the membrane's charge")
        lines.append(f"Baseline: the fastest unknown changes at {self.baseline_residual:.2e} per second")
        return "\n".join(lines)


def _note(model: Model, boundary: Boundary, key: str) -> str:
    if isinstance(boundary, Axial):
        return f" (along to {boundary.outside})"
    if isinstance(boundary, Link):
        return f" ({'junction' if joins_cells(model, boundary) else 'link'} to {boundary.outside})"
    if key in boundary.silent:
        return " (moves ions, but no charge here)"
    if key in boundary.mobile:
        return " (moves charge, but its ions are held)"
    mechanism = boundary.mechanisms[key]
    return "" if mechanism.passive or mechanism.cycle.ATP > 0 else " (driven from outside of the model)"


def check(model: Model) -> Check:
    """Hold a model to the laws of mass, charge, water and the second law at random states.

    Args:
        model: Model of one cell.

    Raises:
        ValueError: The model holds a batch.

    Example:
        >>> import jaxion
        >>> jaxion.check(jaxion.models.duesterwald2018()).ok
        True
    """
    if model.cells:
        raise ValueError(f"A check is made of one cell, but the model `{model.name}` holds {model.cells[0]}.")
    snapshot = _random_states(model)
    found, change = rates(model, snapshot), derivative(model, snapshot)
    moving = moved(model, found)
    laws = {
        "mass": _worst(_mass(model, moving, change), ROUNDING),
        "charge": _worst(_charge(model, snapshot, moving, change), ROUNDING),
        "water": _worst(_water(model, moving, change), ROUNDING),
        "second_law": _worst(_second_law(model, snapshot, found), 1e-12),
    }
    baseline = model.baseline()
    repaired = {}
    for name, membrane in model.membranes.items() if model.has_capacitor_law else ():
        c, ion = model.compartments[name], membrane.balance
        repaired[f"{name}.{ion}"] = (float(c.concentrations[ion]), float(baseline.amounts[name][ion] / c.space(ion, c.volume)))
    return Check(
        model=model,
        laws=laws,
        totals={name: float(value) for name, value in totals(model, baseline).items()},
        baseline_residual=float(np.max(np.abs(np.asarray(residual(model, reduce(model, baseline)))))),
        repaired=repaired,
    )


def _random_states(model: Model) -> Snapshot:
    """States of log-uniform concentrations from 0.5 to 500 mM, within 1.5-fold of the volume, V from -120 to 60 mV."""
    rng = np.random.default_rng(0)
    uniform = lambda low, high: jnp.asarray(rng.uniform(low, high, STATES), dtype=float)  # noqa: E731
    concentration = lambda: jnp.exp(uniform(np.log(0.5), np.log(500.0)))  # noqa: E731
    volumes = {name: c.volume * jnp.exp(uniform(-0.4, 0.4)) for name, c in model.compartments.items()}
    amounts = {n: {ion: concentration() * c.space(ion, volumes[n]) for ion in c.concentrations} for n, c in model.compartments.items()}
    potentials = {name: uniform(-120.0, 60.0) for name in model.membranes}
    gates = name_gates(model.structure, [uniform(0.0, 1.0) for _ in model.structure.gates])
    drawn = Snapshot(amounts, volumes, potentials, gates)
    if model.closure == "electroneutral":
        return model.unpack(model.pack(drawn))
    # Amounts this far apart would charge a membrane to kilovolts, but the laws hold at any potential: keep the one that was drawn.
    return drawn if model.gates == "full" else with_steady_gates(model, drawn)


Violations = Iterator[tuple[str, Any, Any]]
"""Name of a balance, its error, and the sum of the absolute terms in it, by state."""


def _worst(violations: Violations, allowed: float) -> Law:
    worst, culprit = 0.0, ""
    for name, error, gross in violations:
        relative = float(np.max(np.abs(np.asarray(error)) / np.maximum(np.asarray(gross), np.finfo(float).tiny)))
        if not relative <= worst:  # NaN counts as a violation
            worst, culprit = relative, name
    holds = worst <= allowed
    return Law(holds, worst, "" if holds else culprit)


def _flows(model: Model, name: str, species: str, found: Mapping[tuple[str, str], Any]) -> list[Any]:
    """What each mechanism brings into a compartment, per second."""
    flows = []
    for boundary in model.boundaries:
        for key, mechanism in boundary.mechanisms.items():
            here = name in (boundary.inside, boundary.outside)
            if here and (count := mechanism.cycle.gain(species, inside=name == boundary.inside)):
                flows.append(count * found[boundary.inside, key])
    return flows


def _balance(flows: list[Any], change: Any) -> tuple[Any, Any]:
    return sum(flows, start=0.0) - change, sum((abs(flow) for flow in flows), start=0.0)


def _mass(model: Model, found: Mapping, change: Snapshot) -> Violations:
    for name, ions in change.amounts.items():
        for ion, rate in ions.items():
            yield f"{name}.n_{ion}", *_balance(_flows(model, name, ion, found), rate)


def _water(model: Model, found: Mapping, change: Snapshot) -> Violations:
    for name, rate in change.volumes.items():
        yield f"{name}.volume", *_balance(_flows(model, name, WATER, found), rate)


def _charge(model: Model, snapshot: Snapshot, found: Mapping, change: Snapshot) -> Violations:
    r"""$\frac{d}{dt}\left(F \sum_X z_X n_X - 10^{-3}\,C V\right) = 0$ on each membrane; without C V for electroneutral models."""
    for name, membrane in model.membranes.items():
        flows = [valence(ion) * flow for ion in change.amounts[name] for flow in _flows(model, name, ion, found)]
        stored = diluted = 0.0
        if model.closure != "electroneutral":
            area, V = area_ratio(model, snapshot, membrane), snapshot.potentials[name]
            stretch = AREA_EXPONENT[membrane.area] * change.volumes[name] / snapshot.volumes[name]
            stored = area * membrane.C * (change.potentials[name] + V * stretch) / (MILLI * model.F)
            # Two of the terms in `stored` cancel, and are large where water rushes in.
            diluted = abs(area * membrane.C * V * stretch / (MILLI * model.F))
        error, gross = _balance(flows, stored)
        yield name, error, gross + diluted


def _second_law(model: Model, snapshot: Snapshot, found: Mapping) -> Violations:
    for boundary in model.boundaries:
        seen = view(model, snapshot, boundary)
        for key, mechanism in boundary.mechanisms.items():
            if mechanism.passive:
                power = np.asarray(found[boundary.inside, key] * seen.affinity(mechanism.cycle))
                yield f"{boundary.inside}.{key}", np.minimum(power, 0.0), np.max(np.abs(power))
