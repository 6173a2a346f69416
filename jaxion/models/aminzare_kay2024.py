"""Aminzare & Kay 2024: the pump–leak cell with a full set of cation–chloride cotransporters."""

import math
from typing import Any

from jaxion import units
from jaxion.compartment import Bath, Compartment, Membrane
from jaxion.mechanisms import KCC, NCC, Leak, NaKATPaseKager, NKCC1MassAction, Water
from jaxion.model import Model

_RADIUS = 5.0  # µm


def aminzare_kay2024(
    p_NKA: Any = 0.0016,
    p_NKCC: Any = 0.0,
    p_KCC: Any = 0.0,
    p_NCC: Any = 0.0,
    g_Na: Any = 0.001,
    g_K: Any = 0.03,
    g_Cl: Any = 0.002,
    na_e: Any = 147.0,
    k_e: Any = 3.0,
    cl_e: Any = 140.0,
    y_e: Any = 10.0,
    K_Na: Any = 3.56,
    K_K: Any = 0.883,
    z: Any = -1.0,
    closure: str = "state",
) -> Model:
    """Spherical pump–leak cell of fixed area in which NKCC and KCC stabilise the volume and NCC does not.

    Args:
        p_NKA: Na⁺ current of the saturated pump, C/(dm²·s).
        p_NKCC: NKCC1, C/(dm²·s·M⁴).
        p_KCC: KCC, C/(dm²·s·M²).
        p_NCC: NCC, C/(dm²·s·M²).
        g_Na: Leak conductance of Na⁺, S/dm².
        g_K: Leak conductance of K⁺, S/dm².
        g_Cl: Leak conductance of Cl⁻, S/dm².
        na_e: Bath Na⁺, mM.
        k_e: Bath K⁺, mM.
        cl_e: Bath Cl⁻, mM.
        y_e: Bath impermeants, mM.
        K_Na: Pump's dissociation constant of Na⁺, mM.
        K_K: Pump's dissociation constant of K⁺, mM.
        z: Mean charge number of the impermeants inside.
        closure: `"state"`, `"difference"` or `"electroneutral"`.

    Source: Aminzare & Kay (2024), parameters as in the authors' public Pump-Leak notebooks.
    """
    area, volume = 4 * math.pi * _RADIUS**2, 4e-3 / 3 * math.pi * _RADIUS**3  # µm², pL
    F = 96.485
    # Turnovers from a current density; rate constants per molar become per millimolar.
    turnover = units.current(A_per_dm2=1.0, area=area) / F
    return Model(
        compartments={"neuron": Compartment({"Na": 15.0, "K": 135.0, "Cl": 100.0}, volume=volume, impermeant=50.0 * volume, z=z)},
        baths={"bath": Bath({"Na": na_e, "K": k_e, "Cl": cl_e}, impermeant=y_e)},
        membranes=[
            Membrane(
                "neuron",
                "bath",
                {
                    "leak_Na": Leak("Na", units.conductance(S_per_dm2=g_Na, area=area)),
                    "leak_K": Leak("K", units.conductance(S_per_dm2=g_K, area=area)),
                    "leak_Cl": Leak("Cl", units.conductance(S_per_dm2=g_Cl, area=area)),
                    "nka": NaKATPaseKager(p_NKA * turnover / 3, K_Na=K_Na, K_K=K_K),
                    "nkcc1": NKCC1MassAction(p_NKCC * turnover * 1e-12),
                    "kcc": KCC(p_KCC * turnover * 1e-6),
                    "ncc": NCC(p_NCC * turnover * 1e-6),
                    # 1 dm/(s·M) over 1 µm² is 0.1 pL/(s·mM)
                    "water": Water(7 * 18e-4 * area * 0.1),
                },
                C=units.capacitance(F_per_dm2=1e-3, area=area),
                V=0.0,
            )
        ],
        name="aminzare_kay2024",
        source="Aminzare & Kay (2024)",
        closure=closure,
        RT_F=26.73,
        F=F,
    )
