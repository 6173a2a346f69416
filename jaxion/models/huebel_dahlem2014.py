"""Hübel & Dahlem 2014: spikes, ion homeostasis and spreading depression of one neuron on time scales from seconds to hours."""

from typing import Any

from jax.nn import sigmoid

from jaxion.compartment import Bath, Compartment, Link
from jaxion.errors import nearest
from jaxion.mechanisms import Exchange, GlialBuffer, HHSodiumSlaved
from jaxion.model import Model
from jaxion.models._huebel import INSIDE, RT_F, F, conductance, membrane, solutions
from jaxion.protocols import Protocol, block, rest

_RESERVOIRS = ("closed", "glia", "bath")
_ECS = 0.72  # pL
# Concentrations that fix the paper's totals, mM, and the rest of the closed cell.
_INSIDE_0 = {"Na": 25.231485, "K": 129.25764, "Cl": 9.900239}
_OUTSIDE_0 = {"Na": 125.30555, "K": 4.0, "Cl": 123.2716}
_REST = {"Na": 25.229098, "K": 129.256346, "Cl": 9.896558}
_V = -67.193881  # mV


def huebel_dahlem2014(
    reservoir: str = "closed",
    g_Na_l: Any = 0.0175,
    g_Na_g: Any = 100.0,
    g_K_l: Any = 0.05,
    g_K_g: Any = 40.0,
    g_Cl_l: Any = 0.02,
    rho: Any = 6.8,
    K_bath: Any = 4.0,
    lam: Any = 3e-5,
    k_1: Any = 5e-8,
    B_0: Any = 500.0,
    C_m: Any = 1.0,
    gates: str = "full",
    closure: str = "state",
) -> Model:
    r"""Neuron in a small extracellular space, bistable between rest and a depolarised state that its pump cannot leave.

    Closed, it conserves all ions. The paper's reservoirs exchange K⁺ alone, which leaves a net charge
    in the extracellular space (never inside); its $\Delta k$ is the K⁺ gained from them over the
    extracellular volume. The baseline is the rest of the closed cell, from which the paper's episodes
    start. The glial buffer is in equilibrium with it, so that the cell has the same rest with it as
    without. The paper's $Na_i$ leaves out the charge of the membrane's capacitor, 1e-4 of it.

    Args:
        reservoir: `"closed"`, `"glia"` for a buffer that binds K⁺ (the paper's s = 0), or `"bath"` for diffusion to a bath (s = 1).
        g_Na_l: Leak conductance of Na⁺, mS/cm².
        g_Na_g: Gated conductance of Na⁺, mS/cm².
        g_K_l: Leak conductance of K⁺, mS/cm².
        g_K_g: Gated conductance of K⁺, mS/cm².
        g_Cl_l: Leak conductance of Cl⁻, mS/cm².
        rho: Maximal pump current $\rho$, µA/cm².
        K_bath: Bath K⁺, mM.
        lam: Rate constant $\lambda$ of diffusion to the bath, 1/ms.
        k_1: Rate constant of the release from the buffer, 1/ms.
        B_0: Concentration of the buffer's sites, mM.
        C_m: Capacitance, µF/cm².
        gates: `"full"`, or `"qss"` for gates at their steady values.
        closure: `"state"`, `"difference"` or `"electroneutral"`.

    Example:
        >>> huebel_dahlem2014().rows[-2:]
        ('neuron.kdr.n', 'neuron.V')

    Source: Hübel & Dahlem (2014) PLoS Comput Biol 10:e1003941, parameters as in the authors' code, ModelDB 167714.
    """
    if reservoir not in _RESERVOIRS:
        raise ValueError(
            f"Argument `reservoir` must be one of {', '.join(_RESERVOIRS)}, but it is `{reservoir}`.{nearest(reservoir, _RESERVOIRS)}"
        )
    outside = {ion: c + (_INSIDE_0[ion] - _REST[ion]) * INSIDE / _ECS for ion, c in _OUTSIDE_0.items()}
    compartments = solutions(_REST, outside, _ECS, C_m, _V)
    baths, links = {}, []
    if reservoir == "glia":
        buffer = GlialBuffer(1e3 * k_1 * _ECS, B_0=B_0)
        occupied = sigmoid((outside["K"] - buffer.K_K) / buffer.s_K) * outside["K"] / buffer.K_d
        bound = B_0 * occupied / (1.0 + occupied)
        compartments["glia"] = Compartment({"K": bound}, volume=_ECS, impermeant=bound * _ECS)
        links = [Link("ecs", "glia", {"buffer": buffer})]
    elif reservoir == "bath":
        baths["bath"] = Bath({"K": K_bath})
        links = [Link("ecs", "bath", {"exchange": Exchange(1e3 * lam * _ECS, ions=("K",))})]
    leaks = {"Na": g_Na_l, "K": g_K_l, "Cl": g_Cl_l}
    return Model(
        compartments=compartments,
        baths=baths,
        membranes=[membrane(HHSodiumSlaved(conductance(g_Na_g)), leaks, g_K_g, rho, C_m, _V)],
        links=links,
        name="huebel_dahlem2014",
        source="Hübel & Dahlem (2014) PLoS Comput Biol 10:e1003941",
        closure=closure,
        gates=gates,
        RT_F=RT_F,
        F=F,
        anoxia=(("scale", "neuron.nka.activity", 0.0),),
        published=(("spreading_depolarisation", Protocol(rest(20), block("neuron.nka", 1.0, 9.5), rest(200))),),
    )
