"""Keener & Sneyd: the dimensionless pump–leak model of cell volume."""

from typing import Any

from jaxion.compartment import Bath, Compartment, Membrane
from jaxion.mechanisms import Leak, NaKATPaseConstant, Water
from jaxion.model import Model


def keener_sneyd(P: Any = 1.0, N_e: Any = 437.0, K_e: Any = 20.0, gamma: Any = 0.11, z: Any = -1.0) -> Model:
    r"""Textbook cell with a pump of constant rate; electroneutral, Cl⁻ at equilibrium.

    The paper's $\mu$ is `neuron.volume` in pL, since the amount of impermeants is chosen as
    $(N_e+K_e)$ × 1 pL. Only ratios of conductances matter; $g_{Na}$ is chosen as 0.1 nS.
    The cell has a set-point for P between 0 and 14.2225 with the default arguments.

    Args:
        P: Pump rate $p\,q F/(g_{Na} RT)$, dimensionless.
        N_e: Bath Na⁺, mM.
        K_e: Bath K⁺, mM.
        gamma: $g_{Na}/g_K$.
        z: Mean charge number of the impermeants.

    Source: Keener & Sneyd, Mathematical Physiology, 3rd edition, chapter 2, pump–leak model of cell volume.
    """
    F, RT_F, g_Na = 96.485, 25.8, 0.1
    Cl_e = N_e + K_e
    return Model(
        compartments={"neuron": Compartment({"Na": 60.0, "K": 397.0, "Cl": 77.0}, volume=1.2, impermeant=1.0 * Cl_e, z=z)},
        baths={"bath": Bath({"Na": N_e, "K": K_e, "Cl": Cl_e})},
        membranes=[
            Membrane(
                "neuron",
                "bath",
                {
                    "leak_Na": Leak("Na", g_Na),
                    "leak_K": Leak("K", g_Na / gamma),
                    "leak_Cl": Leak("Cl", g_Na),
                    "nka": NaKATPaseConstant(P * RT_F * g_Na / F),
                    "water": Water(1e-3),
                },
                C=10.0,
                V=-46.0,
            )
        ],
        name="keener_sneyd",
        source="Keener & Sneyd, Mathematical Physiology, chapter 2",
        closure="electroneutral",
        RT_F=RT_F,
        F=F,
    )
