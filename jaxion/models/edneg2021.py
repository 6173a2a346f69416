"""Sætra, Einevoll & Halnes 2021: a neuron, its extracellular space and glia, each with a layer of the soma and one of the dendrites."""

from collections.abc import Mapping
from typing import Any, Final

from jaxion import mechanisms as ms
from jaxion import units
from jaxion.compartment import Axial, Compartment, Membrane
from jaxion.mechanisms import AbstractMechanism
from jaxion.model import Model
from jaxion.protocols import Protocol, inject, rest

_F: Final = 96.48  # pA·s/fmol
_RT: Final = 8.314 * 309.14  # J/mol
_LAYERS: Final = ("soma", "dendrite")
_AREA: Final = 616.0  # µm² of membrane of neuron or glia in a layer
_VOLUME: Final = {"neuron": 1.437, "ecs": 0.7185, "astrocyte": 1.437}  # pL
_V: Final = {"neuron": -66.9, "astrocyte": -83.9}  # mV
_FREE: Final = 0.01  # share of the neuron's calcium
_SOLUTES: Final = {  # mM, of the neuron's calcium that of the free part
    "neuron": {"Na": 18.7, "K": 138.1, "Cl": 7.15, "Ca": 1e-4},
    "ecs": {"Na": 142.3, "K": 3.54, "Cl": 131.9, "Ca": 1.1},
    "astrocyte": {"Na": 14.5, "K": 101.2, "Cl": 5.65},
}
_D: Final = {"Na": 1330.0, "K": 1960.0, "Cl": 2030.0, "Ca": 710.0}  # µm²/s
_CROSS_SECTION: Final = 61.6  # µm² of extracellular space


def edneg2021(
    g_Na_leak_n: Any = 0.0246,
    g_K_leak_n: Any = 0.0245,
    g_Cl_leak_n: Any = 0.1,
    g_Na: Any = 30.0,
    g_DR: Any = 15.0,
    g_Ca: Any = 11.8,
    g_AHP: Any = 0.8,
    g_C: Any = 15.0,
    g_Na_leak_g: Any = 0.1,
    g_K_IR: Any = 1.696,
    g_Cl_leak_g: Any = 0.05,
    rho_n: Any = 1.87e-4,
    rho_g: Any = 1.12e-4,
    U_kcc2: Any = 1.49e-5,
    U_nkcc1: Any = 2.33e-5,
    U_Cadec: Any = 75.0,
    G_n: Any = 2e-26,
    G_g: Any = 5e-26,
    C_m: Any = 3.0,
    alpha: Any = 2.0,
    lambda_i: Any = 3.2,
    lambda_e: Any = 1.6,
    dx: Any = 667.0,
    gates: str = "full",
    closure: str = "layered",
) -> Model:
    r"""Pyramidal neuron and glia that share a small extracellular space, closed, swelling, with electrodiffusion between two layers.

    The chain has two nodes, `soma` and `dendrite`, each with the compartments `neuron`, `ecs` and `astrocyte`:
    `soma.neuron.V`, `dendrite.ecs.K`. The potential of the soma's extracellular space against that of the dendrites is
    `soma.ecs.dV`. Spikes start in the soma (`na`, `kdr`); calcium enters through the dendrites (`ca`) and opens
    K⁺ channels there (`kahp`, `kc`). A hundredth of the neuron's calcium is free: `soma.neuron.Ca` is that of the free part.

    The baseline is the paper's initial state, in which the potentials are those of the charges and the layers are neutral;
    only the gates, there rounded to four digits, are at their steady values. It is near a rest that takes minutes to reach. Published
    protocols inject K⁺ current into the soma from 10 to 20 s: `firing` of 36 pA is sustained, that of 150 pA is so fast that
    the neuron stops by a depolarisation block (`depolarisation_block`). The number of the latter's spikes depends on the tolerance.

    Reproduced as the public code has it: water flows as if impermeants did not dilute when a side swells, Kir has two
    constants of other digits, and the drift along the chain, with the arithmetic mean of two concentrations, breaks the second law near equilibrium.

    Args:
        g_Na_leak_n: Leak conductance of Na⁺ of the neuron, mS/cm².
        g_K_leak_n: Leak conductance of K⁺ of the neuron, mS/cm².
        g_Cl_leak_n: Leak conductance of Cl⁻ of the neuron, mS/cm².
        g_Na: Gated conductance of Na⁺ of the soma, mS/cm².
        g_DR: Conductance of the delayed rectifier of the soma, mS/cm².
        g_Ca: Gated conductance of Ca²⁺ of the dendrites, mS/cm².
        g_AHP: Conductance of K⁺ of the dendrites that calcium opens slowly, mS/cm².
        g_C: Conductance of K⁺ of the dendrites that the potential and calcium open, mS/cm².
        g_Na_leak_g: Leak conductance of Na⁺ of glia, mS/cm².
        g_K_IR: Conductance of Kir at the baseline, mS/cm².
        g_Cl_leak_g: Leak conductance of Cl⁻ of glia, mS/cm².
        rho_n: Maximal turnover of the neuron's pump, nmol/cm²/ms.
        rho_g: Maximal turnover of the glial pump, nmol/cm²/ms.
        U_kcc2: KCC2 per RT, nmol/cm²/ms.
        U_nkcc1: NKCC1 per RT, nmol/cm²/ms.
        U_Cadec: Rate constant of the extrusion of calcium, 1/s.
        G_n: Water permeability of the neuron in a layer, cm³/µPa/ms.
        G_g: Water permeability of glia in a layer, cm³/µPa/ms.
        C_m: Capacitance, µF/cm².
        alpha: Cross-section of neuron or glia over their membrane area in a layer, dimensionless.
        lambda_i: Tortuosity of neuron and glia, dimensionless.
        lambda_e: Tortuosity of the extracellular space, dimensionless.
        dx: Distance of the layers, µm.
        gates: `"full"`, or `"qss"` for gates at their steady values.
        closure: `"layered"` or `"state"`.

    Example:
        >>> model = edneg2021()
        >>> len(model.rows), float(model["soma.neuron.V"]) + 66.9 < 1e-9
        (34, True)

    Source: Sætra, Einevoll & Halnes (2021) PLoS Comput Biol 17:e1008143, parameters as in the authors' public code with rescaled units.
    """
    conductance = lambda g: units.conductance(mS_per_cm2=g, area=_AREA)  # noqa: E731
    density = lambda j: 10.0 * j * _AREA  # 1 nmol/cm²/ms = 10 fmol/µm²/s  # noqa: E731
    # 1 cm³/ms = 1e12 pL/s, and 1 mM has a pressure of 1e6 RT µPa.
    permeability = lambda G: 1e18 * G * _RT  # noqa: E731
    capacitance = units.capacitance(uF_per_cm2=C_m, area=_AREA)
    stored = {cell: capacitance * V / (units.MILLI * _F) for cell, V in _V.items()}
    stored["ecs"] = -stored["neuron"] - stored["astrocyte"]
    total = {name: _of_all(name, {ion: 1.0 for ion in _D}) for name in _SOLUTES}
    charge = {name: _of_all(name, {"Na": 1.0, "K": 1.0, "Cl": -1.0, "Ca": 2.0}) for name in _SOLUTES}

    def neuron(layer: str) -> dict[str, AbstractMechanism]:
        shared: dict[str, AbstractMechanism] = {
            "leak_Na": ms.Leak("Na", conductance(g_Na_leak_n)),
            "leak_K": ms.Leak("K", conductance(g_K_leak_n)),
            "leak_Cl": ms.Leak("Cl", conductance(g_Cl_leak_n)),
            "nka": ms.NaKATPaseSigmoid(density(rho_n), K_K=3.5),
            "kcc2": ms.KCC2Log(density(U_kcc2)),
            "nkcc1": ms.NKCC1LogActivated(density(U_nkcc1)),
            "extrusion": ms.CalciumExtrusion(U_Cadec * _VOLUME["neuron"] / _FREE),
            "water": ms.WaterMobile(permeability(G_n), M=total["ecs"] - total["neuron"]),
        }
        if layer == "soma":
            return shared | {"na": ms.PRSodium(conductance(g_Na)), "kdr": ms.PRPotassium(conductance(g_DR))}
        gated = {
            "ca": ms.PRCalcium(conductance(g_Ca)),
            "kahp": ms.PRPotassiumAHP(conductance(g_AHP)),
            "kc": ms.PRPotassiumC(conductance(g_C)),
        }
        return shared | gated

    def astrocyte() -> dict[str, AbstractMechanism]:
        return {
            "leak_Na": ms.Leak("Na", conductance(g_Na_leak_g)),
            "leak_Cl": ms.Leak("Cl", conductance(g_Cl_leak_g)),
            "kir": ms.KirSaetra(conductance(g_K_IR)),
            "nka": ms.NaKATPaseOstby(density(rho_g)),
            "water": ms.WaterMobile(permeability(G_g), M=total["ecs"] - total["astrocyte"]),
        }

    def along(name: str) -> dict[str, AbstractMechanism]:
        area, tortuosity = (_CROSS_SECTION, lambda_e) if name == "ecs" else (alpha * _AREA, lambda_i)
        # 1e-3 pL/µm³
        return {
            f"diffusion_{ion}": ms.ElectrodiffusionArithmetic(ion, 1e-3 * _D[ion] * area / (tortuosity**2 * dx)) for ion in _SOLUTES[name]
        }

    compartments, membranes = {}, []
    for layer in _LAYERS:
        for name, solutes in _SOLUTES.items():
            anions = charge[name] * _VOLUME[name] - stored[name]
            free = {"Ca": _FREE} if name == "neuron" else {}
            compartments[f"{layer}.{name}"] = Compartment(solutes, volume=_VOLUME[name], impermeant=anions, free=free)
        cell = {"C": capacitance, "outside": f"{layer}.ecs"}
        membranes += [
            Membrane(f"{layer}.neuron", mechanisms=neuron(layer), V=_V["neuron"], laws={"extrusion": "volume"}, **cell),
            Membrane(f"{layer}.astrocyte", mechanisms=astrocyte(), V=_V["astrocyte"], **cell),
        ]
    return Model(
        compartments=compartments,
        baths={},
        membranes=membranes,
        axials=[Axial(f"soma.{name}", f"dendrite.{name}", along(name)) for name in _SOLUTES],
        name="edneg2021",
        source="Sætra, Einevoll & Halnes (2021) PLoS Comput Biol 17:e1008143",
        closure=closure,
        gates=gates,
        RT_F=_RT / _F,
        F=_F,
        published=(
            ("firing", Protocol(rest(10), inject("soma.neuron", 36.0, 10), rest(10))),
            ("depolarisation_block", Protocol(rest(10), inject("soma.neuron", 150.0, 10), rest(10))),
        ),
    )


def _of_all(name: str, weights: Mapping[str, float]) -> float:
    """Weighted sum over the solutes of a compartment, bound calcium included, mM."""
    whole = {ion: c / _FREE if (name, ion) == ("neuron", "Ca") else c for ion, c in _SOLUTES[name].items()}
    return sum(weights[ion] * c for ion, c in whole.items())
