"""Donnan 1911: a rigid cell with impermeant charge at passive equilibrium."""

from typing import Any

from jaxion import units
from jaxion.compartment import Bath, Compartment, Membrane
from jaxion.mechanisms import Leak
from jaxion.model import Model


def donnan1911(zX: Any = -120.0, bath: Any = 150.0) -> Model:
    r"""Rigid cell of 1 pL in a 1:1 salt (KCl), with impermeant charge and no pump.

    At equilibrium $K_i\,Cl_i = K_o\,Cl_o$ and $V = -\frac{RT}{F}\ln\frac{K_i}{K_o}$.
    The impermeant amount is 100 fmol; its charge density is carried by `neuron.z`.

    Args:
        zX: Charge density of the impermeants, mM of elementary charges.
        bath: Concentration of the bath's cation and of its anion, mM.

    Source: Donnan (1911) Z Elektrochem 17:572.
    """
    return Model(
        compartments={"neuron": Compartment({"K": bath, "Cl": bath}, volume=1.0, impermeant=100.0, z=zX / 100.0)},
        baths={"bath": Bath({"K": bath, "Cl": bath})},
        membranes=[Membrane("neuron", "bath", {"leak_K": Leak("K", 1.0), "leak_Cl": Leak("Cl", 1.0)}, C=10.0, V=-10.0)],
        name="donnan1911",
        source="Donnan (1911) Z Elektrochem 17:572",
        closure="electroneutral",
        RT_F=units.thermal_voltage(),
    )
