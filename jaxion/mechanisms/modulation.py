"""Modulation: what is bound to a transporter, what feeds it and what warms it change how it turns over, not what it moves."""

import abc
from typing import ClassVar

import equinox as eqx

from jaxion._types import PerCell
from jaxion.cycle import Cycle
from jaxion.mechanisms.base import AbstractGated, AbstractMechanism, MembraneView, gates, get_parameter, parameters, part, with_parameters


class AbstractModulator(eqx.Module):
    """A factor on one parameter of a mechanism, or on its rate.

    A subclass names the parameter in `of`, empty for the rate, declares parameters of its own as a
    mechanism does, and gives the `factor`. `senses` and `senses_outside` name the solutes of either
    side that it depends on.
    """

    of: eqx.AbstractVar[str]
    senses: ClassVar[tuple[str, ...]] = ()
    senses_outside: ClassVar[tuple[str, ...]] = ()

    @abc.abstractmethod
    def factor(self, m: MembraneView) -> PerCell:
        """What the parameter or the rate is multiplied by; not negative."""


class Modulated(AbstractGated):
    r"""A mechanism with a factor on one of its parameters or on its rate, whatever the mechanism.

    $$J = v(p\,f, \ldots) \quad\text{or}\quad J = f\,v(p, \ldots)$$

    with v the mechanism's rate, p its parameter and f the modulator's factor. What a turnover moves, its gates and its
    direction stay, so that mass, charge, the ledger and the second law are those of the mechanism. Its parameters keep
    their names, and those of the modulator follow `by.`: `neuron.nka.K_Na`, `neuron.nka.by.theta`. Several modulators
    are nested.

    Args:
        mechanism: The mechanism.
        by: What modulates it.

    Raises:
        ValueError: The mechanism has no parameter of the modulator's name, or both have one of the same name.

    Example:
        >>> from jaxion.mechanisms import FXYD, NaKATPaseKager
        >>> pump = Modulated(NaKATPaseKager(v_max=1.0, K_Na=10.0), by=FXYD(theta=0.5, s=0.4))
        >>> list(parameters(pump))
        ['v_max', 'K_Na', 'K_K', 'by.theta', 'by.s']

    Source: chosen so that regulation is composed; Despa et al. (2005) Circ Res for phospholemman, whose pump differs in K_Na alone.
    """

    mechanism: AbstractMechanism = part("")
    by: AbstractModulator = part("by.")
    cycle: Cycle = eqx.field(init=False, static=True)
    gates: tuple[str, ...] = eqx.field(init=False, static=True)
    passive: bool = eqx.field(init=False, static=True)
    affine: bool = eqx.field(init=False, static=True)
    reads: tuple[tuple[str, str], ...] = eqx.field(init=False, static=True)
    senses: tuple[str, ...] = eqx.field(init=False, static=True)
    senses_outside: tuple[str, ...] = eqx.field(init=False, static=True)
    on_demand: bool = eqx.field(init=False, static=True)

    def __post_init__(self):
        own, of, kind = parameters(self.mechanism), self.by.of, type(self.mechanism).__name__
        if of and of not in own:
            raise ValueError(f"`{type(self.by).__name__}` modulates `{of}`, but `{kind}` has only {', '.join(own)}.")
        for name in sorted(own.keys() & {f"by.{name}" for name in parameters(self.by)}):
            raise ValueError(f"`{kind}` is modulated already by something with a parameter `{name}`.")
        self.cycle, self.gates = self.mechanism.cycle, gates(self.mechanism)
        self.passive, self.affine, self.on_demand = self.mechanism.passive, self.mechanism.affine, self.mechanism.on_demand
        self.reads = self.mechanism.reads
        self.senses = tuple(sorted({*self.mechanism.senses, *self.by.senses}))
        self.senses_outside = tuple(sorted({*self.mechanism.senses_outside, *self.by.senses_outside}))

    def _shifted(self, m: MembraneView) -> AbstractMechanism:
        """The mechanism with its parameter as the modulator makes it."""
        if not self.by.of:
            return self.mechanism
        return with_parameters(self.mechanism, {self.by.of: get_parameter(self.mechanism, self.by.of) * self.by.factor(m)})

    def gating(self, m: MembraneView) -> dict[str, tuple[PerCell, PerCell]]:
        """Rates of the mechanism's gates, 1/s."""
        shifted = self._shifted(m)
        return shifted.gating(m) if isinstance(shifted, AbstractGated) else {}

    def rate(self, m: MembraneView) -> PerCell:
        """Turnovers, fmol/s."""
        rate = self._shifted(m).rate(m)
        return rate if self.by.of else self.by.factor(m) * rate
