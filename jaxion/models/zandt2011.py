"""Zandt 2011: the anoxic depolarisation of a neuron, the "wave of death"."""

import math
from typing import Any

from jaxion import units
from jaxion.compartment import Bath, Compartment, Link, Membrane
from jaxion.mechanisms import Exchange, GlialUptake, HHPotassium, HHSodium, Leak, NaKATPaseSigmoid
from jaxion.model import Model
from jaxion.protocols import Protocol
from jaxion.protocols import anoxia as anoxia_for

_V = -67.79655  # mV, at rest


def zandt2011(
    g_Na: Any = 100.0,
    g_NaL: Any = 0.0175,
    g_K: Any = 40.0,
    g_KL: Any = 0.05,
    g_ClL: Any = 0.05,
    rho: Any = 1.25,
    G_glia: Any = 66.667,
    epsilon: Any = 4 / 3,
    K_bath: Any = 4.0,
    beta: Any = 2.0,
    r: Any = 7.0,
    C: Any = 1.0,
    charge_consistent: bool = False,
    gates: str = "full",
) -> Model:
    r"""Neuron with gated channels, glial K⁺ uptake and diffusion of K⁺ to a bath, all of which anoxia stops but the channels.

    As published, the model breaks the law of charge: its pump moves ions, but does not charge the
    membrane, and Cl⁻ carries a current while its concentrations are held, until anoxia sets them
    free (`neuron.leak_Cl.mobile`). `charge_consistent` lets the pump charge the membrane and Cl⁻
    move at all times. Either way uptake and diffusion take K⁺ alone from the extracellular space,
    which leaves a net charge there, never inside.

    Args:
        g_Na: Gated conductance of Na⁺, mS/cm².
        g_NaL: Leak conductance of Na⁺, mS/cm².
        g_K: Gated conductance of K⁺, mS/cm².
        g_KL: Leak conductance of K⁺, mS/cm².
        g_ClL: Leak conductance of Cl⁻, mS/cm².
        rho: Maximal rate of the pump $\rho$ in terms of the inside, mM/s.
        G_glia: Maximal glial uptake in terms of the extracellular space, mM/s.
        epsilon: Rate constant of diffusion to the bath, 1/s.
        K_bath: Bath K⁺, mM.
        beta: Inside over extracellular volume, dimensionless.
        r: Radius of the cell, µm.
        C: Capacitance, µF/cm².
        charge_consistent: Whether to repair the law of charge; the rest is then another one.
        gates: `"full"`, or `"qss"` for gates at their steady values.

    Example:
        >>> [path for _, path, _ in zandt2011().anoxia][-1]
        'neuron.leak_Cl.mobile'

    Source: Zandt, ten Haken, van Dijk & van Putten (2011) PLoS ONE 6:e22127, parameters as in the authors' code, ModelDB 139266.
    """
    F = 96.4853399
    area, volume = 4 * math.pi * r**2, 4e-3 / 3 * math.pi * r**3  # µm², pL
    ecs = volume / beta
    inside = {"Na": 20.00007, "K": 138.79292, "Cl": 6.0}
    outside = {"Na": 2 * (91.998150 - inside["Na"]), "K": 3.82799, "Cl": 130.0}
    capacitance = units.capacitance(uF_per_cm2=C, area=area)
    # Impermeant anions make both solutions together neutral, and the inside hold what its capacitor asks for.
    stored = capacitance * _V / (units.MILLI * F)
    conductance = lambda g: units.conductance(mS_per_cm2=g, area=area)  # noqa: E731
    stopped = ("neuron.nka.activity", "ecs.buffer.activity", "ecs.exchange.activity")
    anoxia = tuple(("scale", path, 0.0) for path in stopped)
    return Model(
        compartments={
            "neuron": Compartment(inside, volume=volume, impermeant=(inside["Na"] + inside["K"] - inside["Cl"]) * volume - stored),
            "ecs": Compartment(outside, volume=ecs, impermeant=(outside["Na"] + outside["K"] - outside["Cl"]) * ecs + stored),
        },
        baths={"bath": Bath({"K": K_bath})},
        membranes=[
            Membrane(
                "neuron",
                "ecs",
                {
                    "leak_Na": Leak("Na", conductance(g_NaL)),
                    "leak_K": Leak("K", conductance(g_KL)),
                    "leak_Cl": Leak("Cl", conductance(g_ClL)),
                    "na": HHSodium(conductance(g_Na)),
                    "kdr": HHPotassium(conductance(g_K)),
                    "nka": NaKATPaseSigmoid(rho * volume),
                },
                C=capacitance,
                V=_V,
                silent=() if charge_consistent else ("nka",),
                held=() if charge_consistent else ("leak_Cl",),
            )
        ],
        links=[Link("ecs", "bath", {"buffer": GlialUptake(G_glia * ecs), "exchange": Exchange(epsilon * ecs, ions=("K",))})],
        name="zandt2011",
        source="Zandt et al. (2011) PLoS ONE 6:e22127",
        closure="state" if charge_consistent else "as published",
        gates=gates,
        RT_F=26.64,
        F=F,
        anoxia=anoxia if charge_consistent else (*anoxia, ("set", "neuron.leak_Cl.mobile", 1.0)),
        breaks=() if charge_consistent else ("charge",),
        published=(("wave_of_death", Protocol(anoxia_for(1500))),),
    )
