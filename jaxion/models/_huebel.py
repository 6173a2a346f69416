"""What the neurons of Hübel and co-workers share: one cell with its pump, leaks and channels in a finite extracellular space."""

from collections.abc import Mapping
from typing import Any, Final

from jaxion import units
from jaxion.compartment import Compartment, Membrane
from jaxion.mechanisms import AbstractMechanism, HHPotassium, Leak, NaKATPaseSigmoid

AREA: Final = 922.0
"""Area of the membrane, µm²."""
INSIDE: Final = 2.16
"""Volume of the cell, pL."""
F: Final = 96.485
"""Faraday constant of the papers, pA·s/fmol."""
RT_F: Final = 26.64
"""Thermal voltage of the papers, mV."""


def conductance(g: Any) -> Any:
    """Conductance of the whole membrane in nS from mS/cm²."""
    return units.conductance(mS_per_cm2=g, area=AREA)


def solutions(inside: Mapping[str, Any], outside: Mapping[str, Any], ecs: Any, C_m: Any, V: Any) -> dict[str, Compartment]:
    """The neuron and `ecs` pL around it: impermeant anions make both together neutral, and the inside hold what its capacitor asks for."""
    stored = units.capacitance(uF_per_cm2=C_m, area=AREA) * V / (units.MILLI * F)
    charge = {name: c["Na"] + c["K"] - c["Cl"] for name, c in (("inside", inside), ("outside", outside))}
    return {
        "neuron": Compartment(inside, volume=INSIDE, impermeant=charge["inside"] * INSIDE - stored),
        "ecs": Compartment(outside, volume=ecs, impermeant=charge["outside"] * ecs + stored),
    }


def membrane(na: AbstractMechanism, leaks: Mapping[str, Any], g_K_g: Any, rho: Any, C_m: Any, V: Any) -> Membrane:
    """The neuron's membrane with its Na⁺ channel `na`; leaks and `g_K_g` in mS/cm², `rho` in µA/cm², `C_m` in µF/cm²."""
    return Membrane(
        "neuron",
        "ecs",
        {f"leak_{ion}": Leak(ion, conductance(g)) for ion, g in leaks.items()}
        | {"na": na, "kdr": HHPotassium(conductance(g_K_g)), "nka": NaKATPaseSigmoid(units.current(uA_per_cm2=rho, area=AREA) / F)},
        C=units.capacitance(uF_per_cm2=C_m, area=AREA),
        V=V,
    )
