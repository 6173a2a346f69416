"""Kalia et al. 2021: a synapse of neuron and astrocyte whose ions, glutamate and volumes run down without energy."""

import math
from typing import Any, Final

import jax.numpy as jnp

from jaxion import mechanisms as ms
from jaxion import units
from jaxion.calibration import calibrate
from jaxion.compartment import Compartment, Membrane
from jaxion.mechanisms import AbstractMechanism
from jaxion.model import Model
from jaxion.protocols import Protocol, smooth_block

_F, _RT = 96.485333, 8314.4598 * 310.0  # pA·s/fmol, mJ/mol
_RT_F = _RT / (1e3 * _F)  # mV
_PART: Final = 1e-3  # pL, of the terminal, the cleft and the astrocyte's process each
_GLUTAMATE: Final = ("Glu", "Glu_D", "Glu_N", "Glu_R", "Glu_R1", "Glu_R2", "Glu_R3")
_CA = {"neuron": 1e-4, "ecs": 1.8, "astrocyte": 1.1e-4}  # mM
_PROTONS: Final = 0.66
"""Ratio of protons outside to inside that EAAT is published with."""
_LEAKS = ("Na", "K", "Cl", "Ca", "Glu")
_PUMPS = ("neuron.nka", "astrocyte.nka")


def kalia2021(
    alpha_e: Any = 0.2,
    V_i0: Any = -65.5,
    V_g0: Any = -80.0,
    Na_i0: Any = 13.0,
    K_i0: Any = 145.0,
    Cl_i0: Any = 7.0,
    Na_g0: Any = 13.0,
    K_g0: Any = 80.0,
    Cl_g0: Any = 35.0,
    Na_e0: Any = 152.0,
    K_e0: Any = 3.0,
    Cl_e0: Any = 135.0,
    P_NaG: Any = 8e-4,
    P_KG: Any = 4e-4,
    P_ClG: Any = 1.95e-5,
    P_CaG: Any = 1.5e-5,
    P_pump: Any = 87.2,
    U_KCl: Any = 13e-7,
    P_NKCC1: Any = 7.3215e-7,
    P_NCX: Any = 5.7,
    P_EAAT_n: Any = 1e-6,
    P_EAAT_g: Any = 2e-5,
    P_Kir: Any = 0.286102,
    C: Any = 20.0,
    consistent: bool = False,
    gates: str = "full",
    closure: str = "difference",
) -> Model:
    r"""Neuron, astrocyte and their extracellular space, closed, with calcium and glutamate in a synapse of its own.

    The baseline is an equilibrium: the ten leak permeabilities follow from it (`jaxion.calibrate`), the
    impermeants from electroneutrality and equal osmolarity, and the vesicle pools from their chain at rest. Calcium and
    glutamate live in the terminal, the cleft and a process of the astrocyte, 1 µm³ each, and have no osmotic pressure.

    Reproduced as the authors' code has it: the gated Ca²⁺ current is too small by the number of the Faraday constant in C/mol; NCX
    exchanges 6 Na⁺ for 1 Ca²⁺; the Kir current has the wrong sign (0.3 % of the pump's flux); EAAT meets no potential. The last three
    run against their driving force in some states. `consistent` has Kir with its right sign, NCX with 3 Na⁺ for 1 Ca²⁺, and an EAAT that
    is driven by the potential as well, but not by protons, and takes as much up at the baseline; the leaks are calibrated to them, so that
    the baseline stays.

    Args:
        alpha_e: Extracellular share of the volume $W_e/(W_e+W_i+W_g)$ at the baseline.
        V_i0: Potential of the neuron at the baseline, mV.
        V_g0: Potential of the astrocyte at the baseline, mV.
        Na_i0: Na⁺ of the neuron at the baseline, mM.
        K_i0: K⁺ of the neuron at the baseline, mM.
        Cl_i0: Cl⁻ of the neuron at the baseline, mM.
        Na_g0: Na⁺ of the astrocyte at the baseline, mM.
        K_g0: K⁺ of the astrocyte at the baseline, mM.
        Cl_g0: Cl⁻ of the astrocyte at the baseline, mM.
        Na_e0: Extracellular Na⁺ at the baseline, mM.
        K_e0: Extracellular K⁺ at the baseline, mM.
        Cl_e0: Extracellular Cl⁻ at the baseline, mM.
        P_NaG: Gated permeability of Na⁺, pL/ms.
        P_KG: Gated permeability of K⁺, pL/ms.
        P_ClG: Gated permeability of Cl⁻, pL/ms.
        P_CaG: Gated permeability of Ca²⁺, pL/ms, before the division by the Faraday constant.
        P_pump: Pump current of either cell at saturation, pA.
        U_KCl: Strength of KCC2, fmol/(ms·mV).
        P_NKCC1: Strength of NKCC1, fmol/(ms·mV).
        P_NCX: Strength of NCX of either cell, pA.
        P_EAAT_n: Strength of EAAT of the neuron, fmol/(ms·mV).
        P_EAAT_g: Strength of EAAT of the astrocyte, fmol/(ms·mV).
        P_Kir: Conductance of Kir, nS.
        C: Capacitance of either cell, pF.
        consistent: Whether to repair what runs against its driving force.
        gates: `"full"`, or `"qss"` for gates at their steady values.
        closure: `"difference"`, `"state"` or `"electroneutral"`.

    Example:
        >>> model = kalia2021()
        >>> round(float(model["neuron.leak_K.P"]) * 1e-3, 8), model.breaks
        (1.771e-05, ())

    Source: Kalia et al. (2021) PLoS Comput Biol 17:e1009019, parameters as in the authors' public code.
    """
    W_i, W_g = 2.0, 1.7  # pL
    W_e = alpha_e / (1.0 - alpha_e) * (W_i + W_g)
    inside = {"Na": Na_i0, "K": K_i0, "Cl": Cl_i0, "Ca": _CA["neuron"], **_pools(_CA["neuron"], total=3.0)}
    glia = {"Na": Na_g0, "K": K_g0, "Cl": Cl_g0, "Ca": _CA["astrocyte"], "Glu": 2.0}
    outside = {"Na": Na_e0, "K": K_e0, "Cl": Cl_e0, "Ca": _CA["ecs"], "Glu": 1e-4}
    stored_i, stored_g = (C * V / (units.MILLI * _F) for V in (V_i0, V_g0))
    anions = _mobile_charge(inside, W_i) - stored_i
    # The neuron has impermeant anions alone; the others have what equal osmolarity and their charge ask for.
    osmolarity = Na_i0 + K_i0 + Cl_i0 + anions / W_i
    X_e, X_g = (osmolarity - Na_e0 - K_e0 - Cl_e0) * W_e, (osmolarity - Na_g0 - K_g0 - Cl_g0) * W_g
    z_e, z_g = -(_mobile_charge(outside, W_e) + stored_i + stored_g) / X_e, -(_mobile_charge(glia, W_g) - stored_g) / X_g
    synaptic: dict[str, Any] = dict.fromkeys(("Ca", "Glu"), _PART)
    terminal: dict[str, Any] = dict.fromkeys(("Ca", *_GLUTAMATE), _PART)

    def eaat(P: Any, c: dict[str, Any], V: Any) -> AbstractMechanism:
        u = 1e3 * P * _RT_F
        if not consistent:
            return ms.EAATLog(u, h=_PROTONS)
        gradients = 3.0 * jnp.log(Na_e0 / c["Na"]) + jnp.log(c["K"] / K_e0) + jnp.log(outside["Glu"] / c["Glu"])
        return ms.EAATAffinity(u * (gradients + math.log(_PROTONS)) / (gradients - V / _RT_F))

    model = Model(
        compartments={
            "neuron": Compartment(inside, volume=W_i, impermeant=anions, z=-1.0, confined=terminal),
            "astrocyte": Compartment(glia, volume=W_g, impermeant=X_g, z=z_g, confined=synaptic),
            "ecs": Compartment(outside, volume=W_e, impermeant=X_e, z=z_e, confined=synaptic),
        },
        baths={},
        membranes=[
            Membrane(
                "neuron",
                "ecs",
                {
                    **_shared(P_pump, P_NCX, consistent),
                    "eaat": eaat(P_EAAT_n, inside, V_i0),
                    "na": ms.GHKSodium(1e3 * P_NaG),
                    "kdr": ms.GHKPotassium(1e3 * P_KG),
                    "cl": ms.GHKChloride(1e3 * P_ClG),
                    "ca": ms.GHKCalcium(P_CaG / _F),  # 1e3 per s, and the division by 1e3 F in C/mol
                    "kcc2": ms.KCC2Log(1e3 * U_KCl * _RT_F),
                    "docking": ms.VesicleDocking(),
                    "priming": ms.VesiclePriming(),
                    **{f"binding_{s + 1}": ms.VesicleCalcium(bound=s) for s in range(3)},
                    "fusion": ms.VesicleFusion(),
                    "filling": ms.VesicleFilling(),
                },
                C=C,
                V=V_i0,
            ),
            Membrane(
                "astrocyte",
                "ecs",
                {
                    **_shared(P_pump, P_NCX, consistent),
                    "eaat": eaat(P_EAAT_g, glia, V_g0),
                    "kir": ms.KirSteep(P_Kir) if consistent else ms.KirKalia(P_Kir),
                    "nkcc1": ms.NKCC1Log(1e3 * P_NKCC1 * _RT_F),
                },
                C=C,
                V=V_g0,
            ),
        ],
        name="kalia2021",
        source="Kalia et al. (2021) PLoS Comput Biol 17:e1009019",
        closure=closure,
        gates=gates,
        RT_F=_RT_F,
        F=_F,
        anoxia=tuple(("scale", f"{pump}.activity", 0.0) for pump in _PUMPS),
        # Ten minutes, of which the pumps stand still for five less the ramps; half-way at 44.2 s after the start and before the end.
        published=(("energy_deprivation", Protocol(smooth_block(_PUMPS, 1.0, 2400.0, begin=344.166, end=555.834, width=15.0))),),
    )
    return calibrate(model, solve_for=[f"{cell}.leak_{ion}.P" for cell in ("neuron", "astrocyte") for ion in _LEAKS])


def _shared(P_pump: Any, P_NCX: Any, consistent: bool) -> dict[str, AbstractMechanism]:
    """What neuron and astrocyte have in common; the leaks are to be calibrated."""
    leaks: dict[str, AbstractMechanism] = {f"leak_{ion}": ms.GHKLeak(ion, 1e-3) for ion in _LEAKS}
    return leaks | {
        "nka": ms.NaKATPaseLuoRudy(P_pump / _F),
        "ncx": ms.NCX(P_NCX) if consistent else ms.NCXKalia(P_NCX),
        # 2e-14 RT, in pL/(ms·mM)
        "water": ms.Water(1e3 * 2e-14 * _RT),
    }


def _mobile_charge(c: dict[str, Any], volume: Any) -> Any:
    """Charge of the ions of a compartment, fmol."""
    return (c["Na"] + c["K"] - c["Cl"]) * volume + (2.0 * c["Ca"] - sum(c.get(pool, 0.0) for pool in _GLUTAMATE)) * _PART


def _pools(Ca: float, total: float) -> dict[str, Any]:
    """Concentrations of glutamate in the terminal at which every pool of the chain is at rest, mM; `total` is that of all."""
    dock, prime, bind, fuse, fill = ms.VesicleDocking(), ms.VesiclePriming(), ms.VesicleCalcium(), ms.VesicleFusion(), ms.VesicleFilling()
    on, off, out = bind.k * Ca, bind.k_b, fuse.k
    catalysis = 1.0 + prime.k_cat / prime.k * Ca / (Ca + prime.K_DV)
    # The same flux runs through the whole chain: from its end backwards, with one unit in the last pool.
    R3 = 1.0
    R2 = (out + 3 * off) * R3 / on
    R1 = (out * R3 + 2 * off * R2) / (2 * on)
    R = (out * R3 + off * R1) / (3 * on)
    N = (out * R3 / catalysis + prime.k_b * R) / prime.k
    D = (out * R3 + dock.k_b * N) * (Ca + dock.K_M) / (dock.k * Ca)
    free = fill.tau / _PART * out * R3 / D
    chain = {"Glu_D": D, "Glu_N": N, "Glu_R": R, "Glu_R1": R1, "Glu_R2": R2, "Glu_R3": R3}
    share = (total - free) / sum(chain.values())
    return {"Glu": free} | {pool: share * c for pool, c in chain.items()}
