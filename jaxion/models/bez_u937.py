"""Yurinskaya & Vereninov: the balance of ion fluxes in U937 cells, a cell that is not excitable."""

from typing import Any

from jaxion.compartment import Bath, Compartment, Membrane
from jaxion.mechanisms import KCC, NCC, GHKLeak, NaKATPaseLinear, NKCC1MassAction, Water
from jaxion.model import Model
from jaxion.protocols import Protocol, block

_VOLUME = 1.0  # pL of cell water: chosen, since every flux is per volume
_INSIDE = {"Na": 38.0, "K": 147.0, "Cl": 45.0}  # mM
_U = -45.0  # mV
_PER_MINUTE = 1 / 60.0


def bez_u937(
    pNa: Any = 0.0017,
    pK: Any = 0.0115,
    pCl: Any = 0.011,
    inc: Any = 7e-5,
    ikc: Any = 8e-5,
    inkcc: Any = 8e-9,
    beta: Any = 0.039,
    na0: Any = 140.0,
    k0: Any = 5.8,
    cl0: Any = 116.0,
    B0: Any = 48.2,
    closure: str = "electroneutral",
) -> Model:
    r"""Lymphoid cell of U937, with channels, a pump and the cotransporters NC, KC and NKCC.

    Its fluxes are per volume of cell water, as measured: a cell that swells has so much more of
    everything. The compartment is called `cell`. It starts from measured concentrations, at osmotic
    equilibrium with the medium, which fixes the amount and charge of its impermeants (−1.75 on
    average). To move that cell to another medium, change the paths of `bath`; the paper's pump does
    not depend on medium Na⁺, so that `cell.nka.v_max` goes with `bath.Na`.

    The paper's $V/A$, in ml/mmol, is 1000/`cell.X`, and its $\gamma$ of the pump is 3/2. Water is at
    osmotic equilibrium in the paper; here it comes there within 0.1 s, a permeability that is chosen.
    The paper counts time in minutes.

    The cell is electroneutral in the paper. With the closure `"state"` or `"difference"` it has a
    capacitor of 5 pF, which shifts concentrations by less than 1e-4 and makes transients many times faster.

    The published protocol `ouabain` stops the pump for four hours.

    Args:
        pNa: Permeability of Na⁺ channels, 1/min.
        pK: Permeability of K⁺ channels, 1/min.
        pCl: Permeability of Cl⁻ channels, 1/min.
        inc: Rate constant of NC, 1/(min·mM).
        ikc: Rate constant of KC, 1/(min·mM).
        inkcc: Rate constant of NKCC, 1/(min·mM³).
        beta: Rate constant $\beta$ of the pump in terms of Na⁺, 1/min.
        na0: Medium Na⁺, mM.
        k0: Medium K⁺, mM.
        cl0: Medium Cl⁻, mM.
        B0: Other osmolytes of the medium, mM.
        closure: `"electroneutral"`, `"state"` or `"difference"`.

    Example:
        >>> round(float(bez_u937()["cell.X"]), 2)
        80.0

    Source: Yurinskaya & Vereninov (2021) Front Cell Dev Biol 9:735228, parameters as in the authors' public BEZ code.
    """
    rate = _VOLUME * _PER_MINUTE
    outside = {"Na": na0, "K": k0, "Cl": cl0}
    impermeant = sum(outside.values()) + B0 - sum(_INSIDE.values())  # mM, for osmotic equilibrium
    z = (_INSIDE["Cl"] - _INSIDE["Na"] - _INSIDE["K"]) / impermeant
    return Model(
        compartments={"cell": Compartment(_INSIDE, volume=_VOLUME, impermeant=impermeant * _VOLUME, z=z)},
        baths={"bath": Bath(outside, impermeant=B0)},
        membranes=[
            Membrane(
                "cell",
                "bath",
                {
                    "leak_Na": GHKLeak("Na", pNa * rate),
                    "leak_K": GHKLeak("K", pK * rate),
                    "leak_Cl": GHKLeak("Cl", pCl * rate),
                    "ncc": NCC(inc * rate),
                    "kcc": KCC(ikc * rate),
                    "nkcc1": NKCC1MassAction(inkcc * rate),
                    "nka": NaKATPaseLinear(beta * na0 * rate / 3),
                    # 10 pL/s per pL and osmolar ratio
                    "water": Water(0.03 * _VOLUME),
                },
                C=5.0,
                V=_U,
                area="volume",
            )
        ],
        name="bez_u937",
        source="Yurinskaya & Vereninov (2021) Front Cell Dev Biol 9:735228",
        closure=closure,
        RT_F=26.7,
        published=(("ouabain", Protocol(block("cell.nka", 1.0, 4 * 3600))),),
    )
