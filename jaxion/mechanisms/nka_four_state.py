"""Na⁺/K⁺-ATPase as a cycle of four states that ATP drives, and that reverses where ATP no longer pays for it."""

from typing import ClassVar

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array

from jaxion._types import PerCell, PerCellOrNone
from jaxion.cycle import Cycle
from jaxion.mechanisms.base import AbstractMechanism, MembraneView, parameter

_CYCLE = Cycle(outward={"Na": 3}, inward={"K": 2}, ATP=1)
_METABOLITES = {"MgATP": "ATP", "MgADP": "ADP", "Pi": "Pi", "H": "H"}
"""Solute of the inside that each metabolite is, where it is not held."""


class NaKATPaseFourState(AbstractMechanism):
    r"""Pump of four states that obeys the second law: it stands still where the free energy of ATP just pays for the transport.

    $$J = N\,\frac{\prod_i \alpha_i^+ - \prod_i \alpha_i^-}{\Sigma}$$

    with $\Sigma$ the King–Altman sum over the four states, and the transitions

    $$\alpha_1^+ = k_1^+\frac{a^3}{D_i},\quad \alpha_2^+ = k_2^+,\quad \alpha_3^+ = k_3^+\frac{d^2}{D_e},\quad \alpha_4^+ = k_4^+\frac{m}{1+m}$$
    $$\alpha_1^- = k_1^-[\mathrm{ADP}],\quad \alpha_2^- = k_2^-\frac{b^3}{D_e},\quad \alpha_3^- = k_3^-\frac{[\mathrm{Pi}][\mathrm{H}]}{1+m},\quad
    \alpha_4^- = k_4^-\frac{c^2}{D_i}$$

    where $a, b$ are Na⁺ inside and outside and $c, d$ K⁺ inside and outside, each over its dissociation constant,
    $D_i = (1+a)^3 + (1+c)^2 - 1$, $D_e = (1+b)^3 + (1+d)^2 - 1$ and $m = [\mathrm{ATP}]/K_\mathrm{ATP}$. Inner sites bind better
    and outer ones worse with depolarisation, $K = K^0 e^{\mp\delta VF/RT}$. The shares $\delta$ must make one turnover carry one
    charge, $3(\delta_{Na,i}+\delta_{Na,o}) - 2(\delta_{K,i}+\delta_{K,o}) = 1$: that of outer Na⁺ follows from the others, 0.44
    with the published ones, so that no choice of parameters breaks the second law. ATP and ADP count as complexes of
    Mg²⁺. The four metabolites are held, or, where one is `None`, it is the solute of the inside.

    Args:
        N: Amount of pumps, fmol; typical 1e-3 to 1 fmol.
        k1: Rate constant of the phosphorylation that occludes inner Na⁺, 1/s; published 720 /s.
        k1_back: Its reverse, 1/(s·mM); published 80 /(s·mM).
        k2: Rate constant of the release of Na⁺ outside, 1/s; published 80 /s.
        k2_back: Its reverse, 1/s; published 8 /s.
        k3: Rate constant of the dephosphorylation that occludes outer K⁺, 1/s; published 4000 /s.
        k3_back: Its reverse, 1/(s·mM²); published 8e6 /(s·mM²).
        k4: Rate constant of the release of K⁺ inside by ATP, 1/s; published 300 /s.
        k4_back: Its reverse, 1/s; published 200 /s.
        K_Na: Dissociation constant of inner Na⁺ at V = 0, mM; published 5 mM.
        K_Na_o: Dissociation constant of outer Na⁺ at V = 0, mM; published 26.8 mM.
        K_K: Dissociation constant of outer K⁺ at V = 0, mM; published 0.8 mM.
        K_K_i: Dissociation constant of inner K⁺ at V = 0, mM; published 18.8 mM.
        K_ATP: Dissociation constant of ATP, mM; published 0.6 mM.
        delta_Na_i: Share of the field that inner Na⁺ passes, dimensionless; published 0.14.
        delta_K_i: Share of the field that inner K⁺ passes, dimensionless; published 0.14.
        delta_K_o: Share of the field that outer K⁺ passes, dimensionless; published 0.23.
        MgATP: MgATP inside, mM; published 6.6316 mM. `None` takes the solute `ATP` of the inside.
        MgADP: MgADP inside, mM; published 0.02598 mM. `None` takes the solute `ADP` of the inside.
        Pi: Inorganic phosphate inside, mM; published 0.50872 mM. `None` takes the solute `Pi` of the inside.
        H: Protons inside, mM; published 1e-4 mM. `None` takes the solute `H` of the inside.

    Source: the cycle of Smith & Crampin (2004) with the parameters of the Kyoto model, Himeno et al. (2008), as publicly coded;
    years and pages UNVERIFIED.
    """

    N: PerCell = parameter("fmol", "amount of pumps", (1e-3, 1.0))
    k1: PerCell = parameter("1/s", "rate constant of Na occlusion", (720.0, 720.0), default=720.0)
    k1_back: PerCell = parameter("1/s/mM", "reverse rate constant of Na occlusion", (80.0, 80.0), default=80.0)
    k2: PerCell = parameter("1/s", "rate constant of Na release", (80.0, 80.0), default=80.0)
    k2_back: PerCell = parameter("1/s", "reverse rate constant of Na release", (8.0, 8.0), default=8.0)
    k3: PerCell = parameter("1/s", "rate constant of K occlusion", (4e3, 4e3), default=4e3)
    k3_back: PerCell = parameter("1/s/mM2", "reverse rate constant of K occlusion", (8e6, 8e6), default=8e6)
    k4: PerCell = parameter("1/s", "rate constant of K release", (300.0, 300.0), default=300.0)
    k4_back: PerCell = parameter("1/s", "reverse rate constant of K release", (200.0, 200.0), default=200.0)
    K_Na: PerCell = parameter("mM", "dissociation constant of inner Na", (5.0, 5.0), allowed="positive", default=5.0)
    K_Na_o: PerCell = parameter("mM", "dissociation constant of outer Na", (26.8, 26.8), allowed="positive", default=26.8)
    K_K: PerCell = parameter("mM", "dissociation constant of outer K", (0.8, 0.8), allowed="positive", default=0.8)
    K_K_i: PerCell = parameter("mM", "dissociation constant of inner K", (18.8, 18.8), allowed="positive", default=18.8)
    K_ATP: PerCell = parameter("mM", "dissociation constant of ATP", (0.6, 0.6), allowed="positive", default=0.6)
    delta_Na_i: PerCell = parameter("", "share of the field that inner Na passes", (0.14, 0.14), default=0.14)
    delta_K_i: PerCell = parameter("", "share of the field that inner K passes", (0.14, 0.14), default=0.14)
    delta_K_o: PerCell = parameter("", "share of the field that outer K passes", (0.23, 0.23), default=0.23)
    MgATP: PerCellOrNone = parameter("mM", "MgATP inside", (0.01, 10.0), optional=True, default=6.6316)
    MgADP: PerCellOrNone = parameter("mM", "MgADP inside", (0.01, 1.0), optional=True, default=0.02598)
    Pi: PerCellOrNone = parameter("mM", "inorganic phosphate inside", (0.1, 10.0), optional=True, default=0.50872)
    H: PerCellOrNone = parameter("mM", "protons inside", (1e-5, 1e-3), optional=True, default=1e-4)
    cycle: ClassVar[Cycle] = _CYCLE
    passive: ClassVar[bool] = False
    senses: tuple[str, ...] = eqx.field(init=False, static=True)

    def __post_init__(self):
        self.senses = tuple(solute for name, solute in _METABOLITES.items() if getattr(self, name) is None)

    def metabolites(self, m: MembraneView) -> list[Array]:
        """MgATP, MgADP, phosphate and protons inside, mM."""
        return [m.inside[solute] if getattr(self, name) is None else getattr(self, name) for name, solute in _METABOLITES.items()]

    def rate(self, m: MembraneView) -> PerCell:
        """Pump cycles, fmol/s; negative where the gradients drive the synthesis of ATP."""
        return self.N * cyclic_rate(*self.transitions(m))

    def transitions(self, m: MembraneView) -> tuple[list[Array], list[Array]]:
        """Rates of the four transitions as the cycle reads, and of their reverses, 1/s."""
        u = m.V / m.RT_F
        a = m.inside["Na"] / self.K_Na * jnp.exp(self.delta_Na_i * u)
        b = m.outside["Na"] / self.K_Na_o * jnp.exp(-self.delta_Na_o * u)
        c = m.inside["K"] / self.K_K_i * jnp.exp(self.delta_K_i * u)
        d = m.outside["K"] / self.K_K * jnp.exp(-self.delta_K_o * u)
        D_i, D_e = (1 + a) ** 3 + (1 + c) ** 2 - 1, (1 + b) ** 3 + (1 + d) ** 2 - 1
        ATP, ADP, Pi, H = self.metabolites(m)
        free = 1 / (1 + ATP / self.K_ATP)
        forward = [self.k1 * a**3 / D_i, self.k2, self.k3 * d**2 / D_e, self.k4 * ATP / self.K_ATP * free]
        back = [self.k1_back * ADP, self.k2_back * b**3 / D_e, self.k3_back * Pi * H * free, self.k4_back * c**2 / D_i]
        return forward, back

    @property
    def delta_Na_o(self) -> Array:
        """Share of the field that outer Na⁺ passes: what makes a turnover carry one charge."""
        return (1 + 2 * (self.delta_K_i + self.delta_K_o)) / 3 - self.delta_Na_i

    @property
    def equilibrium(self) -> Array:
        r"""Equilibrium constant of the hydrolysis of ATP, $[\mathrm{ADP}][\mathrm{Pi}][\mathrm{H}]/[\mathrm{ATP}]$ in mM²."""
        kinetic = (self.k1 / self.k1_back) * (self.k2 / self.k2_back) * (self.k3 / self.k3_back) * (self.k4 / self.k4_back)
        return kinetic * (self.K_Na_o / self.K_Na) ** 3 * (self.K_K_i / self.K_K) ** 2 / self.K_ATP

    def affinity(self, m: MembraneView) -> Array:
        """Free energy that one turnover sets free, hydrolysis included, in units of RT: the rate has its sign."""
        ATP, ADP, Pi, H = self.metabolites(m)
        return jnp.log(self.equilibrium * ATP / (ADP * Pi * H)) + m.affinity(self.cycle)


def cyclic_rate(forward: list[Array], back: list[Array]) -> Array:
    r"""Net turnovers per second of a cycle of states, each joined to the next by a transition and its reverse.

    $$v = \frac{\prod_i \alpha_i^+ - \prod_i \alpha_i^-}{\Sigma}, \qquad
    \Sigma = \sum_{s} \sum_{j=0}^{n-1} \prod_{i=1}^{j} \alpha_{s-i}^+ \prod_{i=0}^{n-2-j} \alpha_{s+i}^-$$

    The share of a state $s$ is the sum over the spanning trees that lead to it: cut the cycle anywhere, and let the
    $j$ states before $s$ go forwards to it and those after $s$ go back to it. Indices count around the cycle.

    Args:
        forward: Rate of the transition from each state to the next, 1/s.
        back: Rate of the transition back to it, 1/s.

    Source: King & Altman (1956), page UNVERIFIED.
    """
    n = len(forward)
    trees = [
        [forward[(s - i) % n] for i in range(1, j + 1)] + [back[(s + i) % n] for i in range(n - 1 - j)] for s in range(n) for j in range(n)
    ]
    return (_product(forward) - _product(back)) / sum((_product(tree) for tree in trees), start=jnp.zeros(()))


def _product(factors: list[Array]) -> Array:
    result = factors[0]
    for factor in factors[1:]:
        result = result * factor
    return result
