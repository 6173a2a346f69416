"""Hübel, Andrew & Ullah 2016: how the size of the extracellular space decides whether a neuron recovers from ischemia."""

from typing import Any

from jaxion.compartment import Bath, Link
from jaxion.errors import nearest
from jaxion.mechanisms import Exchange, HHSodium
from jaxion.model import Model
from jaxion.models._huebel import RT_F, F, conductance, membrane, solutions
from jaxion.protocols import Protocol, anoxia, rest

_RESERVOIRS = ("closed", "bath")
_INSIDE_0 = {"Na": 25.279156, "K": 128.56935, "Cl": 10.055541}  # mM
_OUTSIDE_0 = {"Na": 126.84917, "K": 3.9962559, "Cl": 124.71021}  # mM
_V = -67.0566  # mV, at rest


def huebel2016(
    v_e: Any = 720.0,
    reservoir: str = "bath",
    g_Na_l: Any = 0.0175,
    g_Na_g: Any = 100.0,
    g_K_l: Any = 0.05,
    g_K_g: Any = 40.0,
    g_Cl_l: Any = 0.05,
    rho: Any = 6.8,
    K_bath: Any = 3.9962559,
    lam: Any = 3e-5,
    C_m: Any = 1.0,
    gates: str = "full",
    closure: str = "state",
) -> Model:
    r"""Neuron as in `huebel_dahlem2014`, with an inactivation gate of its own, in an extracellular space of 720 or 3700 µm³.

    The exchange with the bath takes K⁺ alone, which leaves a net charge in the extracellular space, never inside.
    Ischemia stops the pump and the exchange.

    Args:
        v_e: Extracellular volume, µm³; published 720 and 3700.
        reservoir: `"bath"` for diffusion to a bath, or `"closed"`.
        g_Na_l: Leak conductance of Na⁺, mS/cm².
        g_Na_g: Gated conductance of Na⁺, mS/cm².
        g_K_l: Leak conductance of K⁺, mS/cm².
        g_K_g: Gated conductance of K⁺, mS/cm².
        g_Cl_l: Leak conductance of Cl⁻, mS/cm².
        rho: Maximal pump current $\rho$, µA/cm².
        K_bath: Bath K⁺, mM.
        lam: Rate constant $\lambda$ of diffusion to the bath, 1/ms, the same for every volume.
        C_m: Capacitance, µF/cm².
        gates: `"full"`, or `"qss"` for gates at their steady values.
        closure: `"state"`, `"difference"` or `"electroneutral"`.

    Example:
        >>> round(float(huebel2016(v_e=3700)["ecs.volume"]), 12)
        3.7

    Source: Hübel, Andrew & Ullah (2016) J Neurophysiol, parameters as in the authors' code, ModelDB 187213.
    """
    if reservoir not in _RESERVOIRS:
        raise ValueError(
            f"Argument `reservoir` must be one of {', '.join(_RESERVOIRS)}, but it is `{reservoir}`.{nearest(reservoir, _RESERVOIRS)}"
        )
    ecs = 1e-3 * v_e  # pL
    open_ = reservoir == "bath"
    stopped = ("neuron.nka.activity", "ecs.exchange.activity") if open_ else ("neuron.nka.activity",)
    leaks = {"Na": g_Na_l, "K": g_K_l, "Cl": g_Cl_l}
    return Model(
        compartments=solutions(_INSIDE_0, _OUTSIDE_0, ecs, C_m, _V),
        baths={"bath": Bath({"K": K_bath})} if open_ else {},
        membranes=[membrane(HHSodium(conductance(g_Na_g)), leaks, g_K_g, rho, C_m, _V)],
        links=[Link("ecs", "bath", {"exchange": Exchange(1e3 * lam * ecs, ions=("K",))})] if open_ else [],
        name="huebel2016",
        source="Hübel, Andrew & Ullah (2016) J Neurophysiol",
        closure=closure,
        gates=gates,
        RT_F=RT_F,
        F=F,
        anoxia=tuple(("scale", path, 0.0) for path in stopped),
        published=(("ischemia", Protocol(anoxia(200), rest(400))),),
    )
