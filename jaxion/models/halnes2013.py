"""Halnes 2013: spatial buffering of K⁺ by astrocytes, in a column of tissue."""

import itertools
from typing import Any

from jaxion import units
from jaxion.compartment import Axial, Bath, Compartment, Link, Membrane
from jaxion.mechanisms import AbstractMechanism, Electrodiffusion, KirOstby, Leak, NaKATPaseOstby, NeuronalRelease, NeuronalUptake
from jaxion.model import Model
from jaxion.paths import replace
from jaxion.protocols import Protocol, phase, rest

_CROSS_SECTION = 100.0  # µm² of tissue: chosen, since everything is per area
_SURFACE = 8.0  # µm² of membrane per µm³ of tissue: 0.4 / 5e-8 m
_INSIDE = {"Na": 15.189, "K": 99.959, "Cl": 5.145}  # mM
_OUTSIDE = {"Na": 144.662, "K": 3.082, "Cl": 133.71}
_V = -83.6  # mV
_D = {"Na": 1330.0, "K": 1960.0, "Cl": 2030.0}  # µm²/s


def halnes2013(
    nodes: int = 10,
    axial: bool = True,
    g_Na: Any = 1.0,
    g_Cl: Any = 0.5,
    g_K0: Any = 16.96,
    P_max: Any = 1.115e-6,
    C_m: Any = 0.01,
    a_i: Any = 0.4,
    a_o: Any = 0.2,
    lambda_i: Any = 3.2,
    lambda_o: Any = 1.6,
    l: Any = 300.0,
    j_in: Any = 5.5e-7,
    k_dec: Any = 2.9e-8,
) -> Model:
    r"""Astrocytes and extracellular space along a column of tissue; neurons release K⁺ at one end of it.

    The column is cut into nodes of equal length, `node0` at the end of the input zone, which is a tenth
    of the column; each node gets the share of the input that falls on it. Ions move along both
    domains by electrodiffusion. Published values are those of the continuum, which the nodes
    approach with an error of the second order in their length.

    The published protocol `buffering` rests for 100 s and then releases K⁺ until 400 s.

    Args:
        nodes: Number of nodes, 1 or more.
        axial: Whether ions move along the column.
        g_Na: Na⁺ conductance, S/m².
        g_Cl: Cl⁻ conductance, S/m².
        g_K0: K⁺ conductance at the baseline, S/m².
        P_max: Maximal turnover of the pump, mol/m²/s.
        C_m: Capacitance, F/m².
        a_i: Share of the tissue's volume that is astrocytes, dimensionless.
        a_o: Share of the tissue's volume that is extracellular, dimensionless.
        lambda_i: Tortuosity of the astrocytes, dimensionless.
        lambda_o: Tortuosity of the extracellular space, dimensionless.
        l: Length of the column, µm.
        j_in: K⁺ released in the input zone, per area of astrocytic membrane, mol/m²/s.
        k_dec: Rate constant of the neurons' uptake of extracellular K⁺, per area of astrocytic membrane, m/s.

    Raises:
        ValueError: `nodes` is no whole number of 1 or more.

    Example:
        >>> model = halnes2013(nodes=2)
        >>> [link.outside for link in model.axials.values()]
        ['node1.astrocyte', 'node1.ecs']

    Source: Halnes et al. (2013) PLoS Comput Biol 9:e1003386.
    """
    if not isinstance(nodes, int) or nodes < 1:
        raise ValueError(f"Argument `nodes` must be a whole number of 1 or more, but it is {nodes}.")
    F = 96.5
    dx = l / nodes
    area, inside, outside = (part * _CROSS_SECTION * dx for part in (_SURFACE, 1e-3 * a_i, 1e-3 * a_o))  # µm², pL, pL
    conductance = lambda g: units.conductance(mS_per_cm2=0.1 * g, area=area)  # noqa: E731
    capacitance = units.capacitance(uF_per_cm2=100.0 * C_m, area=area)
    # Impermeant anions make both solutions together neutral, and the inside hold what its capacitor asks for.
    stored = capacitance * _V / (units.MILLI * F)
    anions = lambda c: c["Na"] + c["K"] - c["Cl"]  # noqa: E731

    def diffusion(share: Any, tortuosity: Any) -> dict[str, Electrodiffusion]:
        # 1e-3 pL/µm³
        permeability = lambda D: 1e-3 * D * share * _CROSS_SECTION / (tortuosity**2 * dx)  # noqa: E731
        return {f"diffusion_{ion}": Electrodiffusion(ion, permeability(D)) for ion, D in _D.items()}

    # Share of each node that lies in the input zone, the first tenth of the column.
    zone = {f"node{k}": min(max(nodes / 10 - k, 0.0), 1.0) for k in range(nodes)}
    compartments, membranes, links = {}, [], []
    for node, share in zone.items():
        compartments[f"{node}.astrocyte"] = Compartment(_INSIDE, volume=inside, impermeant=anions(_INSIDE) * inside - stored)
        compartments[f"{node}.ecs"] = Compartment(_OUTSIDE, volume=outside, impermeant=anions(_OUTSIDE) * outside + stored)
        mechanisms = {
            "leak_Na": Leak("Na", conductance(g_Na)),
            "leak_Cl": Leak("Cl", conductance(g_Cl)),
            "kir": KirOstby(conductance(g_K0)),
            "nka": NaKATPaseOstby(1e3 * P_max * area),  # 1 mol/m² = 1e3 fmol/µm²
        }
        membranes.append(Membrane(f"{node}.astrocyte", f"{node}.ecs", mechanisms, C=capacitance, V=_V))
        neurons: dict[str, AbstractMechanism] = {"uptake": NeuronalUptake(1e3 * k_dec * area)}  # 1 m·µm² = 1e3 pL
        if share > 0:
            neurons["release"] = NeuronalRelease(1e3 * j_in * area * share)
        links.append(Link(f"{node}.ecs", "bath", neurons))
    axials = [
        Axial(f"{one}.{kind}", f"{next_}.{kind}", diffusion(share, tortuosity))
        for one, next_ in itertools.pairwise(zone)
        for kind, share, tortuosity in (("astrocyte", a_i, lambda_i), ("ecs", a_o, lambda_o))
    ]
    released = [f"{node}.ecs.release.activity" for node, share in zone.items() if share > 0]
    model = Model(
        compartments=compartments,
        baths={"bath": Bath({"Na": _OUTSIDE["Na"], "K": _OUTSIDE["K"]})},
        membranes=membranes,
        links=links,
        axials=axials if axial else (),
        name="halnes2013",
        source="Halnes et al. (2013) PLoS Comput Biol 9:e1003386",
        closure="layered",
        RT_F=units.MILLI * 8.315 * 298.0 / 96500.0,
        F=F,
        published=(("buffering", Protocol(rest(100), phase(300, set=dict.fromkeys(released, 1.0)))),),
    )
    return replace(model, dict.fromkeys(released, 0.0))
