r"""Closed forms of electrochemistry: equilibrium potentials, constant-field fluxes, free energies.

Potentials are in mV, inside minus outside; concentrations in mM; fluxes and stoichiometric counts
are positive outward. `RT_F` is the thermal voltage $RT/F$ in mV, 26.7267 mV at 37 °C
(`jaxion.units.thermal_voltage`). Every argument that is a number may be an array of shape `()` or
`(cells,)`, and every function is differentiable in it, twice and more.
"""

from collections.abc import Mapping
from typing import Final, NamedTuple

import jax.numpy as jnp
from jax.typing import ArrayLike
from jaxtyping import Array

from jaxion._types import per_cell
from jaxion.cycle import Cycle
from jaxion.ions import WATER, valence
from jaxion.units import BODY_TEMPERATURE, thermal_energy, thermal_voltage

Solution = Mapping[str, ArrayLike]
"""Concentration of each species in mM."""

# B_2k / (2k)! with the Bernoulli numbers B: the even part of u/expm1(u). The coefficients fall by
# (2π)^2 a term; twelve of them leave the third derivative at |u| = 1 exact to rounding.
_EVEN_SERIES: Final = (
    1.0,
    1 / 12,
    -1 / 720,
    1 / 30240,
    -1 / 1209600,
    1 / 47900160,
    -691 / 1307674368000,
    1 / 74724249600,
    -3617 / 10670622842880000,
    43867 / 5109094217170944000,
    -174611 / 802857662698291200000,
    77683 / 14101100039391805440000,
    -236364091 / 1693824136731743669452800000,
)


def _bernoulli_pair(u: Array) -> tuple[Array, Array]:
    """`u/expm1(u)` at u and at −u, which share their even part and differ by u."""
    small = jnp.abs(u) < 1.0
    # The branch not taken sees a harmless operand, else its NaN would reach the gradient.
    inner = jnp.where(small, u, 0.0)
    outer = jnp.abs(jnp.where(small, 1.0, u))
    square = inner * inner
    series = jnp.full_like(u, _EVEN_SERIES[-1])
    for coefficient in _EVEN_SERIES[-2::-1]:
        series = series * square + coefficient
    decay = jnp.exp(-outer)  # of −|u|: underflows to its limit 0, never overflows
    even = jnp.where(small, series, outer * decay / (1.0 - decay))
    odd = jnp.where(small, 0.5 * inner, 0.0)
    return even + jnp.where(small, -odd, jnp.maximum(-u, 0.0)), even + jnp.where(small, odd, jnp.maximum(u, 0.0))


def bernoulli(u: ArrayLike) -> Array:
    r"""Bernoulli function, smooth through its removable singularity.

    $$g(u) = \frac{u}{e^u - 1}, \qquad g(0) = 1,\; g'(0) = -\tfrac12,\; g''(0) = \tfrac16$$

    Value and derivatives are exact to rounding for every u: a Taylor series of the even part for
    |u| < 1, decaying exponentials beyond. Rates such as $x/(1 - e^{-x})$ are `bernoulli(-x)`.

    Args:
        u: Dimensionless, any shape.

    Returns:
        g(u), of the shape of `u`.

    Example:
        >>> float(bernoulli(0.0))
        1.0
    """
    return _bernoulli_pair(per_cell(u))[0]


def nernst(inside: ArrayLike, outside: ArrayLike, z: int, RT_F: ArrayLike) -> Array:
    r"""Nernst potential of an ion, in mV.

    $$E = \frac{RT}{zF} \ln\frac{c_o}{c_i}$$

    Args:
        inside: Concentration inside, mM.
        outside: Concentration outside, mM.
        z: Charge number, not zero.
        RT_F: Thermal voltage, mV.

    Raises:
        ValueError: The solute has no charge.

    Example:
        >>> round(float(nernst(15.0, 145.0, 1, 26.7267)), 2)
        60.63

    Source: Nernst (1888) Z Phys Chem 2:613.
    """
    if z == 0:
        raise ValueError("A solute with charge number 0 has no Nernst potential.")
    return per_cell(RT_F) * jnp.log(per_cell(outside) / per_cell(inside)) / z


def bicarbonate(pH: ArrayLike, pCO2: ArrayLike = 39.0) -> Array:
    r"""HCO₃⁻ that is in equilibrium with CO₂, in mM, by Henderson and Hasselbalch.

    $$HCO_3^- = 0.03\,p_{CO_2}\,10^{\,pH - 6.1}$$

    Args:
        pH: Of the solution.
        pCO2: Partial pressure of CO₂, mmHg, of which 0.03 mM are dissolved for each.

    Example:
        >>> round(float(bicarbonate(7.4, 40.0)), 2)
        23.94

    Source: Thapaliya et al. (2023) Cells 12:2675, code.
    """
    return 0.03 * per_cell(pCO2) * 10.0 ** (per_cell(pH) - 6.1)


def _concentration(solution: Solution, species: str, argument: str) -> Array:
    if species not in solution:
        raise ValueError(f"Argument `{argument}` has no `{species}`; it has {', '.join(sorted(solution)) or 'nothing'}.")
    return per_cell(solution[species])


def ghk_voltage(P: Mapping[str, ArrayLike], inside: Solution, outside: Solution, RT_F: ArrayLike) -> Array:
    r"""Goldman–Hodgkin–Katz potential of univalent ions, at which their currents cancel, in mV.

    $$V = \frac{RT}{F} \ln \frac{\sum_+ P_X c_{X,o} + \sum_- P_X c_{X,i}}{\sum_+ P_X c_{X,i} + \sum_- P_X c_{X,o}}$$

    Args:
        P: Permeability of each ion in a common unit; only their ratios matter.
        inside: Concentrations inside, mM, of the ions in `P` or more.
        outside: Concentrations outside, mM.
        RT_F: Thermal voltage, mV.

    Raises:
        ValueError: An ion is unknown, not univalent, or has no concentration.

    Example:
        >>> P = {"K": 1.0, "Na": 0.04}
        >>> round(float(ghk_voltage(P, {"Na": 15.0, "K": 140.0}, {"Na": 145.0, "K": 5.0}, 26.7267)), 2)
        -68.59

    Source: Goldman (1943) J Gen Physiol 27:37; Hodgkin & Katz (1949) J Physiol 108:37.
    """
    entering, leaving = [], []  # a cation that enters and an anion that leaves depolarise alike
    for ion in sorted(P):
        z = valence(ion)
        if abs(z) != 1:
            raise ValueError(f"The GHK voltage has a closed form for univalent ions only, but `{ion}` has charge number {z}.")
        flows = per_cell(P[ion]) * _concentration(outside, ion, "outside"), per_cell(P[ion]) * _concentration(inside, ion, "inside")
        entering.append(flows[0 if z > 0 else 1])
        leaving.append(flows[1 if z > 0 else 0])
    return per_cell(RT_F) * jnp.log(sum(entering) / sum(leaving))


def mullins_noda(P: Mapping[str, ArrayLike], inside: Solution, outside: Solution, RT_F: ArrayLike, r: ArrayLike = 1.5) -> Array:
    r"""Steady potential with an electrogenic Na/K pump, in mV.

    $$V = \frac{RT}{F} \ln \frac{r P_K K_o + P_\mathrm{Na} \mathrm{Na}_o}{r P_K K_i + P_\mathrm{Na} \mathrm{Na}_i}$$

    Na and K leak at the ratio r at which the pump returns them. Ions without net flux, such as
    passive chloride, do not count: only `"Na"` and `"K"` are read from the mappings. The pump
    hyperpolarises by at most $(RT/F) \ln r$, 10.8367 mV at 37 °C.

    Args: as in `ghk_voltage`, and `r`, the Na:K coupling of the pump (1 if it is electroneutral).

    Raises:
        ValueError: A permeability or concentration of Na or K is missing.

    Source: Mullins & Noda (1963) J Gen Physiol 47:117 (page UNVERIFIED).
    """
    weighted = {"K": per_cell(r) * _concentration(P, "K", "P"), "Na": _concentration(P, "Na", "P")}
    return ghk_voltage(weighted, inside, outside, RT_F)


def ghk_flux(P: ArrayLike, V: ArrayLike, inside: ArrayLike, outside: ArrayLike, z: int, RT_F: ArrayLike) -> Array:
    r"""Constant-field flux of one ion, outward positive.

    $$J = P\left[c_i\,g(-u) - c_o\,g(u)\right], \qquad g(u) = \frac{u}{e^u - 1}, \qquad u = \frac{zV}{RT/F}$$

    Exact to rounding through V = 0, with its derivatives; see `bernoulli`.

    Args:
        P: Permeability; of the whole membrane in pL/s, or a permeability coefficient.
        V: Membrane potential, mV.
        inside: Concentration inside, mM.
        outside: Concentration outside, mM.
        z: Charge number; 0 gives diffusion.
        RT_F: Thermal voltage, mV.

    Returns:
        Flux in the unit of `P` times mM: fmol/s if `P` is in pL/s. The current is $zFJ$.

    Example:
        >>> float(ghk_flux(1.0, 0.0, 12.0, 145.0, 1, 26.7267))
        -133.0

    Source: Goldman (1943) J Gen Physiol 27:37; Hodgkin & Katz (1949) J Physiol 108:37.
    """
    inward, outward = _bernoulli_pair(z * per_cell(V) / per_cell(RT_F))
    return per_cell(P) * (per_cell(inside) * outward - per_cell(outside) * inward)


class Donnan(NamedTuple):
    """Gibbs–Donnan equilibrium: `cation` and `anion` inside in mM, `V` in mV."""

    cation: Array
    anion: Array
    V: Array


def donnan(zX: ArrayLike, salt: ArrayLike, RT_F: ArrayLike) -> Donnan:
    r"""Gibbs–Donnan equilibrium of a rigid cell in a 1:1 salt.

    $$c_+ c_- = c_o^2, \quad c_+ - c_- + zX = 0$$
    $$\Rightarrow\quad c_\pm = c_o e^{\pm s}, \quad V = -\frac{RT}{F} s, \quad s = \operatorname{asinh}\frac{-zX}{2 c_o}$$

    The volume is fixed: osmotic pressure is not balanced.

    Args:
        zX: Charge density of the impermeant solute inside, mM; negative for anions.
        salt: Concentration of either ion of the salt outside, mM.
        RT_F: Thermal voltage, mV.

    Example:
        >>> print("{:.2f} {:.2f} mM {:.2f} mV".format(*map(float, donnan(-120.0, 150.0, 26.7267))))
        221.55 101.55 mM -10.42 mV

    Source: Donnan (1924) Chem Rev 1:73.
    """
    salt = per_cell(salt)
    # asinh instead of the root of a quadratic: no cancellation in the minor ion at high charge.
    s = jnp.arcsinh(-0.5 * per_cell(zX) / salt)
    return Donnan(salt * jnp.exp(s), salt * jnp.exp(-s), -per_cell(RT_F) * s)


def affinity(
    cycle: Cycle,
    inside: Solution,
    outside: Solution,
    V: ArrayLike,
    RT_F: ArrayLike,
    *,
    osmolarity_inside: ArrayLike | None = None,
    osmolarity_outside: ArrayLike | None = None,
) -> Array:
    r"""Free energy that one turnover of a cycle sets free by transport, in units of RT.

    $$A = \sum_X n_X\left[\ln\frac{c_{X,i}}{c_{X,o}} + \frac{z_X V}{RT/F}\right] + n_w (\pi_o - \pi_i)$$

    with outward counts n. Positive is downhill as the cycle reads; zero is equilibrium. ATP that
    the cycle hydrolyses is not included. The term of water, per pL, is in units of RT·fmol.

    Args:
        cycle: What one turnover moves.
        inside: Concentrations inside, mM, of the solutes moved or more.
        outside: Concentrations outside, mM.
        V: Membrane potential, mV; without effect on an electroneutral cycle.
        RT_F: Thermal voltage, mV.
        osmolarity_inside: All solutes inside, mM; needed, and used, only if the cycle moves water.
        osmolarity_outside: All solutes outside, mM.

    Raises:
        ValueError: A concentration or an osmolarity that the cycle needs is missing.

    Example:
        >>> KCC2 = Cycle(outward={"K": 1, "Cl": 1})
        >>> round(float(affinity(KCC2, {"K": 140.0, "Cl": 7.0}, {"K": 3.5, "Cl": 120.0}, -70.0, 26.7267)), 4)
        0.8473
    """
    terms = [n * jnp.log(_concentration(inside, s, "inside") / _concentration(outside, s, "outside")) for s, n in cycle.solutes]
    if cycle.charge:
        terms.append(cycle.charge * per_cell(V) / per_cell(RT_F))
    if cycle.count(WATER):
        if osmolarity_inside is None or osmolarity_outside is None:
            raise ValueError(f"The cycle `{cycle}` moves water: its affinity needs `osmolarity_inside` and `osmolarity_outside`.")
        terms.append(cycle.count(WATER) * (per_cell(osmolarity_outside) - per_cell(osmolarity_inside)))
    return sum(terms, start=jnp.zeros((), float))


def reversal(cycle: Cycle, inside: Solution, outside: Solution, RT_F: ArrayLike) -> Array:
    r"""Potential at which an electrogenic cycle without ATP is at equilibrium, in mV.

    $$E = -\frac{RT}{F}\,\frac{\sum_X n_X \ln(c_{X,i}/c_{X,o})}{\sum_X n_X z_X}$$

    Args: as in `affinity`.

    Raises:
        ValueError: The cycle moves no net charge, or a concentration is missing.
    """
    if not cycle.charge:
        raise ValueError(f"The cycle `{cycle}` moves no net charge, so that it has no reversal potential.")
    return -per_cell(RT_F) * affinity(cycle, inside, outside, 0.0, RT_F) / cycle.charge


def transport_energy(cycle: Cycle, inside: Solution, outside: Solution, V: ArrayLike, T: float = BODY_TEMPERATURE) -> Array:
    r"""$\Delta G = -RT\,A$ of the solutes that one turnover moves, in kJ/mol; negative is downhill.

    Args: `T` in K, others as in `affinity`.

    Example:
        >>> Na_influx = Cycle(inward={"Na": 1})
        >>> round(float(transport_energy(Na_influx, {"Na": 15.0}, {"Na": 145.0}, -70.0)), 2)
        -12.6
    """
    return -thermal_energy(T) * affinity(cycle, inside, outside, V, thermal_voltage(T))


def pump_work(cycle: Cycle, inside: Solution, outside: Solution, V: ArrayLike, T: float = BODY_TEMPERATURE) -> Array:
    """Transport work of a pump for each ATP that it hydrolyses, in kJ/mol; see `transport_energy`.

    It pumps as long as the hydrolysis of ATP yields more than this.

    Raises:
        ValueError: The cycle hydrolyses no ATP, or a concentration is missing.

    Example:
        >>> pump = Cycle(outward={"Na": 3}, inward={"K": 2}, ATP=1)
        >>> round(float(pump_work(pump, {"Na": 15.0, "K": 140.0}, {"Na": 145.0, "K": 5.0}, -70.0)), 1)
        41.5
    """
    if cycle.ATP <= 0:
        raise ValueError(f"The cycle `{cycle}` hydrolyses no ATP.")
    return transport_energy(cycle, inside, outside, V, T) / cycle.ATP


def max_accumulation(cycle: Cycle, substrate: str, inside: Solution, outside: Solution, V: ArrayLike, RT_F: ArrayLike) -> Array:
    r"""Ratio inside/outside of a substrate at which a coupled transporter is at equilibrium.

    $$\frac{S_i}{S_o} = e^{-A'/n_S}$$

    with $A'$ the affinity at $S_i = S_o$, the substrate's own charge included. It is the highest
    ratio that an importer can reach, and the lowest that an exporter can.

    Args: `substrate` moved by the cycle, needing no concentration; others as in `affinity`.

    Raises:
        ValueError: The cycle does not move the substrate, or hydrolyses ATP, whose free energy is not known here.

    Example:
        >>> SGLT = Cycle(inward={"Na": 2, "Glc": 1})
        >>> round(float(max_accumulation(SGLT, "Glc", {"Na": 15.0}, {"Na": 145.0}, -70.0, 26.7267)), -2)
        17600.0
    """
    count = dict(cycle.solutes).get(substrate, 0)
    if not count or cycle.ATP:
        raise ValueError(
            f"The cycle `{cycle}` " + ("is driven by ATP, not by gradients alone." if count else f"does not move `{substrate}`.")
        )
    equal = {substrate: 1.0}
    return jnp.exp(-affinity(cycle, {**inside, **equal}, {**outside, **equal}, V, RT_F) / count)
