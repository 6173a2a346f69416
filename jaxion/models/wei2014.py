"""Wei, Ullah & Schiff 2014: spikes, seizures and spreading depression of one neuron, with its oxygen and its volume."""

import math
from typing import Any

import jax.numpy as jnp

from jaxion import units
from jaxion.compartment import Bath, Compartment, Link, Membrane
from jaxion.mechanisms import (
    Exchange,
    GlialPump,
    HHPotassiumWei,
    HHSodiumWei,
    KCC2Log,
    Leak,
    NaKATPaseOxygen,
    NKCC1LogActivated,
    PerfusedExchange,
    PerfusedUptake,
    TissueRespiration,
    WaterRelaxation,
)
from jaxion.model import Model
from jaxion.protocols import Protocol, anoxia, phase

_O2 = 32.0  # g/mol
_TRACE = 1e-5  # mM, what is left where the paper has no oxygen
_VOLUME = 1.4368  # pL
_INSIDE = {"Na": 18.0, "K": 140.0, "Cl": 6.0}  # mM
_OUTSIDE = {"Na": 144.0, "K": 4.0, "Cl": 130.0}
_IMPERMEANT = (132.0, 18.0)  # mM, inside and outside
_GLIAL_SODIUM = 1 / (1 + math.exp(7 / 3))  # activation of the glial pump by 18 mM of Na⁺
_V = -74.3  # mV


def wei2014(
    K_bath: Any = 4.0,
    O_bath: Any = 32.0,
    G_Na: Any = 30.0,
    G_NaL: Any = 0.0247,
    G_K: Any = 25.0,
    G_KL: Any = 0.05,
    G_ClL: Any = 0.1,
    rho_max: Any = 0.8,
    U_kcc2: Any = 0.3,
    U_nkcc1: Any = 0.1,
    G_glia: Any = 5.0,
    epsilon_K: Any = 0.25,
    epsilon_O: Any = 0.17,
    alpha: Any = 5.3,
    beta0: Any = 7.0,
    C: Any = 1.0,
    gates: str = "full",
    closure: str = "state",
) -> Model:
    r"""Neuron of changing volume in a small extracellular space, whose pumps need oxygen: it rests, spikes, seizes or depolarises.

    K⁺ and oxygen of the bath choose the regime. Channels and the capacitance grow with the area of a
    sphere; the pump, KCC2 and NKCC1 with the volume, and all links with that of the extracellular space. Glia take up K⁺
    alone, which leaves a net charge in the extracellular space, never inside. Oxygen is dissolved in
    a constant volume of tissue, and falls with the turnover of the pumps per volume of neuron and of
    extracellular space: the paper's $\alpha$ is 32 g/mol over the ATP made from each O₂.

    Two things are not as published. The potential follows from the charge on a capacitor that grows,
    which the paper leaves out (microvolts). And respiration stops at the last oxygen, where the
    paper's falls below zero by 0.03 mg/L; no oxygen in the bath is taken as a trace of 1e-5 mM.

    The model starts from the paper's initial state, near its rest. Published protocols are `seizures`
    and `spreading_depression` by bath K⁺ of 8.5 and 20 mM, and `anoxic_depolarisation`.

    Args:
        K_bath: Bath K⁺, mM.
        O_bath: Oxygen of the bath, mg/L.
        G_Na: Gated conductance of Na⁺, mS/cm².
        G_NaL: Leak conductance of Na⁺, mS/cm².
        G_K: Gated conductance of K⁺, mS/cm².
        G_KL: Leak conductance of K⁺, mS/cm².
        G_ClL: Leak conductance of Cl⁻, mS/cm².
        rho_max: Maximal rate of the pump $\rho_{max}$ in terms of the inside, mM/s; that of the glia is a third of it.
        U_kcc2: Maximal KCC2 per RT in terms of the inside, mM/s.
        U_nkcc1: Maximal NKCC1 per RT in terms of the inside, mM/s.
        G_glia: Maximal glial uptake in terms of the extracellular space, mM/s.
        epsilon_K: Rate constant of diffusion of K⁺ to the bath, 1/s.
        epsilon_O: Rate constant of diffusion of oxygen from the bath, 1/s.
        alpha: Oxygen used for each pump cycle $\alpha$, g/mol.
        beta0: Inside over extracellular volume at the start, dimensionless.
        C: Capacitance, µF/cm².
        gates: `"full"`, or `"qss"` for gates at their steady values.
        closure: `"state"`, `"difference"` or `"electroneutral"`.

    Example:
        >>> round(float(wei2014()["bath.O2"]), 3)
        1.0

    Source: Wei, Ullah & Schiff (2014) J Neurosci 34:11733, equations and parameters as in a public implementation (G_K 25).
    """
    F = 96.48533
    radius = (3e3 * _VOLUME / (4 * math.pi)) ** (1 / 3)  # µm
    area, ecs = 4 * math.pi * radius**2, _VOLUME / beta0
    capacitance = units.capacitance(uF_per_cm2=C, area=area)
    conductance = lambda g: units.conductance(mS_per_cm2=g, area=area)  # noqa: E731
    # Impermeants make both solutions together neutral, and the inside hold what its capacitor asks for.
    stored = capacitance * _V / (units.MILLI * F)
    charge = lambda c: c["Na"] + c["K"] - c["Cl"]  # noqa: E731
    inside, outside = _IMPERMEANT[0] * _VOLUME, _IMPERMEANT[1] * ecs
    pump, respiration = rho_max * _VOLUME, {"w": _VOLUME, "y": _O2 / alpha, "K_O2": 1e-5}
    return Model(
        compartments={
            "neuron": Compartment(_INSIDE, volume=_VOLUME, impermeant=inside, z=(stored - charge(_INSIDE) * _VOLUME) / inside),
            "ecs": Compartment(
                _OUTSIDE | {"O2": 29.3 / _O2},
                volume=ecs,
                impermeant=outside,
                z=-(stored + charge(_OUTSIDE) * ecs) / outside,
                confined={"O2": _VOLUME},
            ),
        },
        baths={"bath": Bath({"K": K_bath, "O2": jnp.maximum(jnp.asarray(O_bath, float) / _O2, _TRACE)})},
        membranes=[
            Membrane(
                "neuron",
                "ecs",
                {
                    "leak_Na": Leak("Na", conductance(G_NaL)),
                    "leak_K": Leak("K", conductance(G_KL)),
                    "leak_Cl": Leak("Cl", conductance(G_ClL)),
                    "na": HHSodiumWei(conductance(G_Na)),
                    "kdr": HHPotassiumWei(conductance(G_K)),
                    "nka": NaKATPaseOxygen(pump),
                    "kcc2": KCC2Log(U_kcc2 * _VOLUME),
                    "nkcc1": NKCC1LogActivated(U_nkcc1 * _VOLUME),
                    "respiration": TissueRespiration(**respiration, side="outside"),
                    "water": WaterRelaxation(_VOLUME),
                },
                C=capacitance,
                V=_V,
                area="sphere",
                laws={"nka": "volume", "kcc2": "volume", "nkcc1": "volume", "respiration": "fixed", "water": "fixed"},
            )
        ],
        links=[
            Link(
                "ecs",
                "bath",
                {
                    "exchange": PerfusedExchange(epsilon_K * ecs, w=_VOLUME + ecs),
                    "buffer": PerfusedUptake(G_glia * ecs),
                    "pump": GlialPump(_GLIAL_SODIUM / 3 * rho_max * ecs),
                    "respiration": TissueRespiration(**respiration),
                    "oxygen": Exchange(epsilon_O * _VOLUME, ions=("O2",)),
                },
                laws={"exchange": "volume", "buffer": "volume", "pump": "volume"},
            )
        ],
        name="wei2014",
        source="Wei, Ullah & Schiff (2014) J Neurosci 34:11733",
        closure=closure,
        gates=gates,
        RT_F=26.64,
        F=F,
        anoxia=(("set", "bath.O2", _TRACE),),
        published=(
            ("seizures", Protocol(phase(200, set={"bath.K": 8.5}))),
            ("spreading_depression", Protocol(phase(200, set={"bath.K": 20.0}))),
            ("anoxic_depolarisation", Protocol(anoxia(200))),
        ),
    )
