"""Düsterwald 2018: how KCC2 and impermeant anions set neuronal chloride."""

import math
from typing import Any

from jaxion import units
from jaxion.compartment import Bath, Compartment, Membrane
from jaxion.mechanisms import KCC2, Leak, NaKATPaseCubic, Water
from jaxion.model import Model

_RADIUS, _LENGTH = 5.0, 25.0  # µm, of the dendrite


def duesterwald2018(
    g_Na: Any = 20.0,
    g_K: Any = 70.0,
    g_Cl: Any = 20.0,
    g_KCC2: Any = 20.0,
    P: Any = 0.1,
    z: Any = -0.85,
    closure: str = "state",
) -> Model:
    """Pump–leak neuron with Na⁺, K⁺, Cl⁻, impermeant anions and volume: a cylindrical dendrite.

    Its set-point has a closed form; KCC2 sets the driving force of chloride, impermeant charge
    moves E_Cl and V together.

    Args:
        g_Na: Leak conductance of Na⁺, µS/cm².
        g_K: Leak conductance of K⁺, µS/cm².
        g_Cl: Leak conductance of Cl⁻, µS/cm².
        g_KCC2: Equivalent conductance of KCC2, µS/cm².
        P: Pump current at Na_i = Na_o, A/dm².
        z: Mean charge number of the impermeant anions.
        closure: `"state"`, `"difference"` or `"electroneutral"`.

    Example:
        >>> float(duesterwald2018()["bath.K"])
        3.5

    Source: Düsterwald, Currin, Burman, Akerman, Kay & Raimondo (2018) eLife 7:e39575, single compartment.
    """
    area = 2 * math.pi * _RADIUS * _LENGTH  # µm²
    volume = 1e-3 * math.pi * _RADIUS**2 * _LENGTH  # pL
    F = 96.485
    # Water: molar volume 0.018 dm³/mol × permeability 0.0015 dm/s; 1 dm³/s per mol/dm³ is 1e9 pL/s per mM.
    water = 0.018 * 0.0015 * (area * 1e-10) * 1e9
    return Model(
        compartments={
            "neuron": Compartment({"Na": 14.00167, "K": 122.87655, "Cl": 5.16470}, volume=volume, impermeant=154.95708 * volume, z=z)
        },
        baths={"bath": Bath({"Na": 145.0, "K": 3.5, "Cl": 119.0}, impermeant=29.5)},
        membranes=[
            Membrane(
                "neuron",
                "bath",
                {
                    "leak_Na": Leak("Na", units.conductance(uS_per_cm2=g_Na, area=area)),
                    "leak_K": Leak("K", units.conductance(uS_per_cm2=g_K, area=area)),
                    "leak_Cl": Leak("Cl", units.conductance(uS_per_cm2=g_Cl, area=area)),
                    "kcc2": KCC2(units.conductance(uS_per_cm2=g_KCC2, area=area)),
                    "nka": NaKATPaseCubic(units.current(A_per_dm2=P, area=area) / F),
                    "water": Water(water),
                },
                C=units.capacitance(F_per_dm2=2e-4, area=area),
                V=-72.58871,
                area="cylinder",
            )
        ],
        name="duesterwald2018",
        source="Düsterwald et al. (2018) eLife 7:e39575",
        closure=closure,
        RT_F=26.725,
        F=F,
    )
