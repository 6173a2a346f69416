r"""The energy ledger: how much ATP the pumps use, and which process makes them use it."""

import dataclasses
from collections.abc import Mapping
from typing import Any, Final

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int

from jaxion.errors import Status
from jaxion.model import Model
from jaxion.paths import observe
from jaxion.protocols import Protocol, find, resolve
from jaxion.setpoints import SetPoint, setpoint
from jaxion.transients import Measure, Solution, integral, solve

ATP_PER_OXYGEN: Final = 31 / 6
"""ATP that one O₂ yields: 31 from a glucose that is burnt with six, glycolysis included (UNVERIFIED; 5 to 5.4 are in use)."""

MOLECULES: Final = 6.02214076e8
"""Molecules in one femtomole."""


class Ledger(eqx.Module):
    r"""ATP by what uses it, and by what it is used for; in fmol/s at a set-point, in fmol over a protocol.

    An ion that a pump takes out with one ATP for every $\nu$ of it costs $1/\nu$ wherever it comes in, so that

    $$\sum_k \frac{n_{k,\mathrm{in}}}{\nu} = \sum_p \mathrm{ATP}_p + \frac{\Delta n}{\nu}$$

    over all processes k that carry the ion, and the last term, what is still to be pumped out, is zero at a set-point.
    A process that takes the ion out without ATP has a negative part.

    Attributes:
        used: ATP by the process that hydrolyses it, such as `neuron.nka`.
        parts: ATP by the process that makes the pumps use it, such as `neuron.leak_Na`.
        stored: ATP still to be used for ions that have accumulated, such as `neuron.Na`; empty at a set-point.
        status: `Status` code of each cell.
        spikes: Action potentials in the protocol, if they were counted.
        resting: What the parts would have been without the protocol, if action potentials were counted.
        ATP_per_oxygen: ATP that one O₂ yields.
        unit: Unit of all parts.
    """

    used: dict[str, Float[Array, "*cells"]]
    parts: dict[str, Float[Array, "*cells"]]
    stored: dict[str, Float[Array, "*cells"]]
    status: Int[Array, "*cells"]
    spikes: Float[Array, "*cells"] | None
    resting: dict[str, Float[Array, "*cells"]]
    ATP_per_oxygen: float = eqx.field(static=True)
    unit: str = eqx.field(static=True)

    @property
    def ok(self) -> Bool[Array, "*cells"]:
        """Cells whose ledger is that of a stable set-point, or of a finished transient."""
        return self.status == Status.ok

    @property
    def ATP(self) -> Float[Array, "*cells"]:
        """All ATP used."""
        return _sum(self.used)

    @property
    def oxygen(self) -> Float[Array, "*cells"]:
        """O₂ that makes up for it."""
        return self.ATP / self.ATP_per_oxygen

    @property
    def molecules(self) -> Float[Array, "*cells"]:
        """All ATP used, in molecules (per second)."""
        return self.ATP * MOLECULES

    @property
    def error(self) -> Float[Array, "*cells"]:
        """By how much the parts miss what was used and is still owed, relative to all that came in and went out; 0 where nothing did."""
        gross = sum((jnp.abs(part) for part in self.parts.values()), start=jnp.zeros(()))
        return (_sum(self.parts) - self.ATP - _sum(self.stored)) / jnp.where(gross == 0.0, 1.0, gross)

    @property
    def per_spike(self) -> dict[str, Float[Array, "*cells"]]:
        """ATP that each process costs per action potential, beyond what it costs at rest, fmol; NaN without one."""
        if self.spikes is None:
            raise ValueError('A ledger per action potential needs a count of them: `ledger(…, spikes=jaxion.spikes("neuron.V"))`.')
        count = jnp.where(self.spikes > 0, self.spikes, jnp.nan)
        return {process: (part - self.resting[process]) / count for process, part in self.parts.items()}

    def __str__(self) -> str:
        """A table for one cell, largest part first; medians for a batch."""
        ATP, fine = self.ATP, np.asarray(self.ok)
        if not self.used:
            return "ATP 0: no process of this model uses any"
        if not fine.any():
            return f"No ledger: {fine.size} of {fine.size} cells have neither a set-point nor a finished transient."

        def middle(x: Array) -> float:
            return float(np.nanmedian(np.broadcast_to(np.asarray(x), fine.shape)[fine]))

        many = "" if jnp.ndim(self.status) == 0 else f"median of {int(np.sum(np.asarray(self.ok)))} cells, "
        lines = [f"ATP {middle(ATP):.6g} {self.unit} ({many}O₂ {middle(self.oxygen):.6g} {self.unit})"]
        lines.append(f"  {'':<32} {'ATP':>12}  {'share':>8}  {'O₂':>12}")
        rows = {**{f"used by {name}": value for name, value in self.used.items()}, **self.parts}
        rows |= {f"still owed for {name}": value for name, value in self.stored.items()}
        for name, value in sorted(rows.items(), key=lambda row: (not row[0].startswith("used"), -abs(middle(row[1])))):
            oxygen = middle(value) / self.ATP_per_oxygen
            lines.append(f"  {name:<32} {middle(value):>12.5g}  {100 * middle(value / ATP):>6.1f} %  {oxygen:>12.5g}")
        if self.spikes is not None:
            cost = f" {middle(_sum(self.per_spike)):.5g} {self.unit}" if middle(self.spikes) else ""
            lines.append(f"  per action potential ({middle(self.spikes):g}){cost}")
        lines.append(f"Entries and uses agree to {np.max(np.abs(np.asarray(self.error)[fine])):.1e} of what they add up to")
        return "\n".join(lines)


def ledger(
    of: Model | SetPoint,
    protocol: Protocol | str | None = None,
    *,
    spikes: Measure | None = None,
    ATP_per_oxygen: float = ATP_PER_OXYGEN,
    **options: Any,
) -> Ledger:
    """ATP that each pump uses, and that each process makes the pumps use; differentiable like what it is made of.

    Args:
        of: A set-point, or a model, whose set-point is sought.
        protocol: Protocol to add up over; by default the rates at the set-point.
        spikes: Count of action potentials, `jaxion.spikes("neuron.V", level)`, for `Ledger.per_spike`.
        ATP_per_oxygen: ATP that one O₂ yields.
        **options: Of `solve` with a protocol, of `setpoint` without one.

    Raises:
        ValueError: Pumps of one compartment differ in the ATP that they use for the same ion.

    Example:
        >>> import jaxion
        >>> rest = jaxion.ledger(jaxion.models.duesterwald2018())
        >>> sorted(rest.parts), abs(float(rest.error)) < 1e-10
        (['neuron.leak_Na'], True)

    Source: Attwell & Laughlin (2001) J Cereb Blood Flow Metab 21:1133 for the cost of Na⁺ entry.
    """
    if protocol is None:
        if spikes is not None:
            raise ValueError("Argument `spikes` counts action potentials of a protocol, but none is given.")
        point = of if isinstance(of, SetPoint) else setpoint(of, **options)
        accounts = _accounts(point.model)
        values = point.read(accounts.paths)
        return Ledger(accounts.used(values), accounts.parts(values), {}, point.status, None, {}, ATP_per_oxygen, "fmol/s")
    model = of.model if isinstance(of, SetPoint) else of
    given: dict[str, Any] = {"start": of, **options} if isinstance(of, SetPoint) else options
    protocol = find(model, protocol) if isinstance(protocol, str) else protocol
    accounts = _accounts(resolve(protocol, model).model)
    counted = {} if spikes is None else {"spikes": spikes}
    measure = counted | {path: integral(path) for path in accounts.paths}
    solution = solve(model, protocol, save=[0.0], measure=measure, **given)
    resting = {} if spikes is None else _resting(solution, accounts)
    return Ledger(
        used=accounts.used(solution.measures),
        parts=accounts.parts(solution.measures),
        stored=_stored(solution, accounts),
        status=solution.status,
        spikes=solution.measures.get("spikes"),
        resting=resting,
        ATP_per_oxygen=ATP_per_oxygen,
        unit="fmol",
    )


@dataclasses.dataclass(frozen=True)
class _Accounts:
    """What to read of a model.

    Attributes:
        pumps: Processes that use ATP.
        prices: ATP for one of an ion in a compartment, by (compartment, ion).
        entries: Flux paths, with the process, the price and the sign of entry.
    """

    pumps: tuple[str, ...]
    prices: dict[tuple[str, str], float]
    entries: tuple[tuple[str, str, float], ...]

    @property
    def paths(self) -> tuple[str, ...]:
        return (*(f"{pump}.ATP" for pump in self.pumps), *dict.fromkeys(path for path, _, _ in self.entries))

    def used(self, values: Mapping[str, Array]) -> dict[str, Array]:
        return {pump: values[f"{pump}.ATP"] for pump in self.pumps}

    def parts(self, values: Mapping[str, Array]) -> dict[str, Array]:
        found: dict[str, Array] = {}
        for path, process, price in self.entries:
            found[process] = found.get(process, jnp.zeros(())) + price * values[path]
        return found


def _accounts(model: Model) -> _Accounts:
    pumps, prices, own = [], {}, []
    for boundary in model.boundaries:
        for key, mechanism in boundary.mechanisms.items():
            cycle, name = mechanism.cycle, f"{boundary.inside}.{key}"
            if cycle.ATP <= 0:
                continue
            pumps.append(name)
            taken_out = [(ion, count) for ion, count in cycle.solutes if count > 0]
            if len(taken_out) != 1:  # for no ion in particular: a cost of its own
                own.append((f"{name}.ATP", name, 1.0))
                continue
            ((ion, count),) = taken_out
            price = prices.setdefault((boundary.inside, ion), cycle.ATP / count)
            if price != cycle.ATP / count:
                raise ValueError(f"The pumps of `{boundary.inside}` take {ion} out for different amounts of ATP, of which `{name}` is one.")
    paid = {(name, ion) for name, ion in prices}
    entries = []
    for boundary in model.boundaries:
        for key, mechanism in boundary.mechanisms.items():
            name = f"{boundary.inside}.{key}"
            for ion, count in mechanism.cycle.solutes:
                for compartment, sign in ((boundary.inside, -1.0), (boundary.outside, 1.0)):
                    pumped = name in pumps and compartment == boundary.inside and count > 0
                    if (compartment, ion) in paid and not pumped:
                        entries.append((f"{name}.J_{ion}", name, sign * prices[compartment, ion]))
    return _Accounts(tuple(pumps), prices, (*entries, *own))


def _stored(solution: Solution, accounts: _Accounts) -> dict[str, Array]:
    """ATP for what has accumulated from the protocol's start to its end."""
    found = {}
    for (name, ion), price in accounts.prices.items():
        path = f"{name}.n_{ion}"
        found[f"{name}.{ion}"] = price * (solution.final[path] - solution[path][0])
    return found


def _resting(solution: Solution, accounts: _Accounts) -> dict[str, Array]:
    """Parts at the start, for as long as the protocol takes."""
    model, rows = solution.model, solution.saved[0]
    there = jnp.all(jnp.isfinite(rows), axis=0)
    values = observe(model, model.unpack(jnp.where(there, rows, 1.0)), accounts.paths)
    duration = solution.drive.edges[-1]
    return {process: jnp.where(there, duration * part, jnp.nan) for process, part in accounts.parts(values).items()}


def _sum(values: Mapping[str, Array]) -> Array:
    return sum(values.values(), start=jnp.zeros(()))
