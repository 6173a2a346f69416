"""Where solutes are: compartments (finite), baths (held), and the membranes, links and axial connections between them."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final

import equinox as eqx
from jaxtyping import Array

from jaxion._types import PerCell, per_cell
from jaxion.errors import ConservationError, nearest
from jaxion.ions import VANISHING, WATER, valence
from jaxion.mechanisms.base import AbstractMechanism, gates
from jaxion.ranges import check_range

AREA_EXPONENT: Final[dict[str, float]] = {"fixed": 0.0, "cylinder": 1 / 2, "sphere": 2 / 3, "volume": 1.0}
"""Area laws: the membrane's area grows with this power of the inside volume; with 1 where fluxes are measured per volume of cell water."""


def _sorted_cells(values: Mapping[str, Any]) -> dict[str, Array]:
    # JAX rebuilds dicts with sorted keys: sorting here too means that order never changes.
    for ion in values:
        valence(ion)
    return {ion: per_cell(values[ion]) for ion in sorted(values)}


def _check_concentrations(concentrations: Mapping[str, Array]) -> None:
    for ion, value in concentrations.items():
        check_range(ion, value, "mM", "not negative" if ion in VANISHING else "positive")


class Compartment(eqx.Module):
    """A finite, well-mixed solution at its baseline.

    One that holds `ATP` and `ADP` feeds all that uses ATP inside of it from them, and is fed by what makes it; in others ATP is counted only.

    Args:
        concentrations: Baseline concentration of each ion, mM.
        volume: Baseline volume, pL.
        impermeant: Amount of impermeant solute, fmol.
        z: Mean charge number of the impermeant solute.
        confined: Volume of the part that a solute is confined to, pL, by solute: a nerve terminal, a synaptic cleft. It does not change,
            holds all of the solute, and is so small that the solute does not count for osmosis.
        free: Share that is free of a solute that buffers bind, dimensionless, by solute. Binding is fast and in proportion; the
            concentration is that of the free part, which the mechanisms see, while the amount, its charge and osmosis are of the whole.
    """

    concentrations: dict[str, PerCell] = eqx.field(converter=_sorted_cells)
    volume: PerCell = eqx.field(converter=per_cell)
    impermeant: PerCell = eqx.field(converter=per_cell, default=0.0)
    z: PerCell = eqx.field(converter=per_cell, default=-1.0)
    confined: dict[str, PerCell] = eqx.field(converter=_sorted_cells, default_factory=dict)
    free: dict[str, PerCell] = eqx.field(converter=_sorted_cells, default_factory=dict)

    def space(self, ion: str, volume: Array) -> Array:
        """Volume in which all of a solute would have its concentration when the compartment has a volume, pL."""
        space = self.confined.get(ion, volume)
        return space / self.free[ion] if ion in self.free else space

    def __check_init__(self):
        _check_concentrations(self.concentrations)
        for argument, verb, unit in (("confined", "confines", "pL"), ("free", "buffers", "")):
            for ion, value in getattr(self, argument).items():
                if ion not in self.concentrations:
                    raise ConservationError(f"A compartment {verb} {ion}, but has only {', '.join(self.concentrations)}.")
                check_range(f"{argument}[{ion}]", value, unit, "positive")
        check_range("volume", self.volume, "pL", "positive")
        check_range("impermeant", self.impermeant, "fmol", "not negative")
        check_range("z", self.z)


class Bath(eqx.Module):
    """A solution so large that its concentrations are held.

    Args:
        concentrations: Concentration of each ion, mM.
        impermeant: Concentration of impermeant solute, mM; it counts for osmosis only.
    """

    concentrations: dict[str, PerCell] = eqx.field(converter=_sorted_cells)
    impermeant: PerCell = eqx.field(converter=per_cell, default=0.0)

    def __check_init__(self):
        _check_concentrations(self.concentrations)
        check_range("impermeant", self.impermeant, "mM", "not negative")


class Membrane(eqx.Module):
    r"""A membrane between two solutions, its mechanisms and its capacitor law.

    $$10^3\,F\left(\sum_X z_X n_X + z\,n_\mathrm{imp} - q\right) = C\,V$$

    with $q$ the excess `charge`. A baseline that breaks the law is repaired by the ion `balance`.
    Rates, capacitance and permeabilities are values of the whole membrane at the baseline volume
    and scale with its area.

    Args:
        inside: Name of the compartment whose potential `V` is; the membrane bears the same name.
        outside: Name of the compartment or bath on the other side.
        mechanisms: Mechanisms by key, such as `{"kcc2": KCC2(g=0.2)}`.
        C: Capacitance, pF.
        V: Baseline potential, mV.
        charge: Excess charge that the capacitor law leaves out, fmol of elementary charges.
        area: Area law of the inside volume: `"fixed"`, `"cylinder"`, `"sphere"` or `"volume"`.
        laws: Laws of single mechanisms whose rates grow with the inside volume otherwise than the area does, by key.
        balance: Ion that repairs the baseline's charge.
        silent: Keys of mechanisms that move ions but do not charge the membrane, as some papers have it.
        held: Keys of mechanisms that charge the membrane while the ions that they would move are held, as some papers have it.
            `mobile` says which share of them moves after all: 0 at first, 1 for an ordinary mechanism.
    """

    inside: str = eqx.field(static=True)
    outside: str = eqx.field(static=True)
    mechanisms: dict[str, AbstractMechanism]
    activity: dict[str, PerCell]
    mobile: dict[str, PerCell]
    C: PerCell
    V: PerCell
    charge: PerCell
    area: str = eqx.field(static=True)
    laws: tuple[tuple[str, str], ...] = eqx.field(static=True)
    balance: str = eqx.field(static=True)
    silent: tuple[str, ...] = eqx.field(static=True)

    def __init__(
        self,
        inside: str,
        outside: str,
        mechanisms: Mapping[str, AbstractMechanism],
        C: Any,
        V: Any = -70.0,
        charge: Any = 0.0,
        area: str = "fixed",
        balance: str = "K",
        silent: tuple[str, ...] = (),
        held: tuple[str, ...] = (),
        laws: Mapping[str, str] = MappingProxyType({}),
    ):
        _check_law("area", area)
        for argument, keys in (("silent", silent), ("held", held)):
            _check_keys("membrane", argument, keys, mechanisms)
        self.inside, self.outside = inside, outside
        self.mechanisms = {key: mechanisms[key] for key in sorted(mechanisms)}
        # A dimensionless factor on each rate: blocks, drugs and tipping act on it.
        self.activity = {key: per_cell(1.0) for key in self.mechanisms}
        self.mobile = {key: per_cell(0.0) for key in sorted(held)}
        self.C, self.V, self.charge = per_cell(C), per_cell(V), per_cell(charge)
        self.area, self.balance, self.silent = area, balance, silent
        self.laws = _laws("membrane", laws, mechanisms)


class Link(eqx.Module):
    """Two solutions joined without a membrane, such as the extracellular space and a bath: no potential lies between them.

    A link between two cells in the same solution is a gap junction: its mechanisms see the difference
    of the two membrane potentials, and their currents charge both membranes.

    Args:
        inside: Name of the compartment that the link starts from; the link bears the same name.
        outside: Name of the compartment or bath at its other end.
        mechanisms: Mechanisms by key, such as `{"exchange": Exchange(P=0.02)}`; they see `V` = 0, but between two cells.
        laws: Laws by which the rates of single mechanisms grow with the inside volume, by key, as the area laws of a membrane.
    """

    inside: str = eqx.field(static=True)
    outside: str = eqx.field(static=True)
    mechanisms: dict[str, AbstractMechanism]
    activity: dict[str, PerCell]
    laws: tuple[tuple[str, str], ...] = eqx.field(static=True)

    def __init__(
        self,
        inside: str,
        outside: str,
        mechanisms: Mapping[str, AbstractMechanism],
        laws: Mapping[str, str] = MappingProxyType({}),
    ):
        self.inside, self.outside = inside, outside
        self.mechanisms = {key: mechanisms[key] for key in sorted(mechanisms)}
        self.activity = {key: per_cell(1.0) for key in self.mechanisms}
        self.laws = _laws("link", laws, mechanisms)


class Axial(eqx.Module):
    r"""Two compartments of the same kind in neighbouring nodes of a chain, joined along a potential difference.

    A node is an extracellular compartment with the cells around it. Between two nodes as many
    connections run side by side as there are kinds of compartment, and together they carry no
    current, which gives the difference $\Delta\phi$ between the two extracellular potentials:

    $$\sum_k I_k(\Delta V_k + \Delta\phi) = 0$$

    with $\Delta V_k$ the difference of the membrane potentials, 0 for the extracellular connection.

    Args:
        inside: Name of the compartment that the connection starts from; the connection bears the same name.
        outside: Name of the compartment at its other end.
        mechanisms: Mechanisms by key, such as `{"diffusion_K": Electrodiffusion("K", P=0.5)}`, each affine in V;
            they see the potential of the inside minus that of the outside as `V`.
    """

    inside: str = eqx.field(static=True)
    outside: str = eqx.field(static=True)
    mechanisms: dict[str, AbstractMechanism]
    activity: dict[str, PerCell]

    def __init__(self, inside: str, outside: str, mechanisms: Mapping[str, AbstractMechanism]):
        self.inside, self.outside = inside, outside
        self.mechanisms = {key: mechanisms[key] for key in sorted(mechanisms)}
        self.activity = {key: per_cell(1.0) for key in self.mechanisms}


Boundary = Membrane | Link | Axial
"""All that has mechanisms."""


def law(boundary: Boundary, key: str) -> str:
    """Law by which the rate of a mechanism grows with the volume of the inside."""
    if isinstance(boundary, Axial):
        return "fixed"
    return dict(boundary.laws).get(key, boundary.area if isinstance(boundary, Membrane) else "fixed")


def _laws(kind: str, laws: Mapping[str, str], mechanisms: Mapping[str, AbstractMechanism]) -> tuple[tuple[str, str], ...]:
    _check_keys(kind, "laws", tuple(laws), mechanisms)
    for key, name in laws.items():
        _check_law(f"laws[{key}]", name)
    return tuple(sorted(laws.items()))


def _check_law(argument: str, name: str) -> None:
    if name not in AREA_EXPONENT:
        raise ValueError(
            f"Argument `{argument}` must be one of {', '.join(AREA_EXPONENT)}, but it is `{name}`.{nearest(name, AREA_EXPONENT)}"
        )


def _check_keys(kind: str, argument: str, keys: tuple[str, ...], mechanisms: Mapping[str, AbstractMechanism]) -> None:
    for key in keys:
        if key not in mechanisms:
            raise ValueError(f"Argument `{argument}` names `{key}`, which is no mechanism of this {kind}.{nearest(key, mechanisms)}")


def check_membrane(membrane: Membrane, solutions: Mapping[str, Compartment | Bath]) -> None:
    """Raise `ConservationError` if a mechanism moves what one of its two sides lacks, `ValueError` if it reads a gate that is not there."""
    inside = _check_ends("membrane", membrane, solutions)
    if membrane.balance not in inside.concentrations:
        raise ConservationError(
            f"The ion `{membrane.balance}` that balances the charge of `{membrane.inside}` is not in it; it has {', '.join(inside.concentrations)}."
        )
    present = {(key, gate) for key, m in membrane.mechanisms.items() for gate in gates(m)}
    for key, mechanism in membrane.mechanisms.items():
        for partner, gate in mechanism.reads:
            if (partner, gate) not in present:
                raise ValueError(
                    f"Mechanism `{membrane.inside}.{key}` ({type(mechanism).__name__}) reads the gate `{gate}` of `{partner}`, "
                    f"but the gates of this membrane are {', '.join(f'`{k}.{g}`' for k, g in sorted(present)) or 'none'}."
                )


def check_link(link: Link, solutions: Mapping[str, Compartment | Bath]) -> None:
    """Raise `ConservationError` if a mechanism moves what one of its two ends lacks, `ValueError` if it has gates."""
    _check_ends("link", link, solutions)
    for key, mechanism in link.mechanisms.items():
        if gates(mechanism) or mechanism.reads:
            raise ValueError(
                f"Mechanism `{link.inside}.{key}` ({type(mechanism).__name__}) has gates: it belongs on a membrane, not on a link."
            )


def check_junction(link: Link, membranes: Sequence[Membrane]) -> None:
    """Raise `ConservationError` if a link joins two cells in different solutions, between which the potential is not known."""
    outer = {membrane.inside: membrane.outside for membrane in membranes}
    sides = [outer[end] for end in (link.inside, link.outside) if end in outer]
    if len(sides) == 2 and sides[0] != sides[1]:
        raise ConservationError(
            f"A link joins the cells `{link.inside}` in `{sides[0]}` and `{link.outside}` in `{sides[1]}`: use an axial connection."
        )


def check_axial(axial: Axial, solutions: Mapping[str, Compartment | Bath]) -> None:
    """Raise `ConservationError` if a mechanism moves what one of its two ends lacks, `ValueError` if its current is not affine in V."""
    _check_ends("axial connection", axial, solutions)
    if not isinstance(solutions[axial.outside], Compartment):
        raise ConservationError(f"An axial connection must end in a compartment, but `{axial.outside}` is a bath.")
    for key, mechanism in axial.mechanisms.items():
        if not mechanism.affine:
            raise ValueError(
                f"Mechanism `{axial.inside}.{key}` ({type(mechanism).__name__}) cannot be on an axial connection: its rate is not affine in V."
            )


def check_chain(axials: Sequence[Axial], membranes: Sequence[Membrane]) -> None:
    """Raise `ConservationError` if nodes are joined in a loop, where zero net current says nothing, or compartments of different kinds."""
    outer = {membrane.inside: membrane.outside for membrane in membranes}
    for axial in axials:
        if (axial.inside in outer) != (axial.outside in outer):
            raise ConservationError(f"An axial connection joins `{axial.inside}` and `{axial.outside}`, of which only one has a membrane.")
    joined: dict[str, str] = {}

    def root(node: str) -> str:
        return root(joined[node]) if node in joined else node

    for pair in sorted({(outer.get(a.inside, a.inside), outer.get(a.outside, a.outside)) for a in axials}):
        first, second = map(root, pair)
        if first == second:
            raise ConservationError(
                f"Axial connections must form a chain, each pair of nodes in one direction, but `{pair[0]}` is in a loop."
            )
        joined[first] = second


def _check_ends(kind: str, boundary: Boundary, solutions: Mapping[str, Compartment | Bath]) -> Compartment:
    for side in (boundary.inside, boundary.outside):
        if side not in solutions:
            raise ConservationError(f"{_a(kind)} names `{side}`, but the model has {', '.join(solutions)}.{nearest(side, solutions)}")
    if boundary.inside == boundary.outside:
        raise ConservationError(f"{_a(kind)} must lie between two solutions, but both of its sides are `{boundary.inside}`.")
    inside = solutions[boundary.inside]
    if not isinstance(inside, Compartment):
        raise ConservationError(f"The inside of a {kind} must be a compartment, but `{boundary.inside}` is a bath.")
    for key, mechanism in boundary.mechanisms.items():
        cycle = mechanism.cycle
        # What enters and is used at once need not be dissolved inside.
        inner = tuple(species for species in cycle.species if cycle.gain(species, inside=True))
        made = tuple(species for species, _ in cycle.reaction if cycle.gain(species, inside=True))
        if cycle.ATP and ("ATP" in inside.concentrations) != ("ADP" in inside.concentrations):
            raise ConservationError(
                f"Mechanism `{boundary.inside}.{key}` ({type(mechanism).__name__}) turns ATP into ADP or back: "
                f"`{boundary.inside}` must hold both or none, but it has {', '.join(inside.concentrations)}."
            )
        needs = [("moves", inner, boundary.inside), ("moves", cycle.species, boundary.outside), ("turns over", made, boundary.inside)]
        needs += [("senses", mechanism.senses, boundary.inside), ("senses", mechanism.senses_outside, boundary.outside)]
        for verb, all_species, side in needs:
            for species in all_species:
                ions = solutions[side].concentrations
                if species != WATER and species not in ions:
                    raise ConservationError(
                        f"Mechanism `{boundary.inside}.{key}` ({type(mechanism).__name__}) {verb} {species}, "
                        f"but `{side}` has only {', '.join(ions)}."
                    )
    return inside


def _a(kind: str) -> str:
    return f"An {kind}" if kind[0] in "aeiou" else f"A {kind}"
