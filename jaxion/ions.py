"""The species that jaxion knows, and their valences."""

from typing import Final

from jaxion.errors import ConservationError, nearest

VALENCE: Final[dict[str, int]] = {
    "Na": 1,
    "K": 1,
    "Cl": -1,
    "Ca": 2,
    "H": 1,
    "HCO3": -1,
    "Glu": -1,
    "GABA": 0,
    "Glc": 0,
    "O2": 0,
    "Glu_D": -1,
    "Glu_N": -1,
    "Glu_R": -1,
    "Glu_R1": -1,
    "Glu_R2": -1,
    "Glu_R3": -1,
    "ATP": 0,
    "ADP": 0,
    "Pi": 0,
    "PCr": 0,
    "Cr": 0,
}
"""Charge number z of every solute that a cycle may move; `Glu_…` is glutamate in vesicles of a pool (`jaxion.mechanisms.vesicles`).

Nucleotides, phosphate and creatine are counted with the Mg²⁺, K⁺ and H⁺ that they hold, as uncharged."""

HYDROLYSIS: Final[dict[str, int]] = {"ATP": -1, "ADP": 1, "Pi": 1}
"""What the hydrolysis of one ATP makes in a compartment, of those that are solutes there."""

VANISHING: Final = frozenset({*(solute for solute in VALENCE if solute.startswith("Glu_")), *HYDROLYSIS, "PCr", "Cr"})
"""Solutes that may run out: no rate takes the logarithm of their concentration or divides by it."""

_KINDS: Final = {"ATP": "adenylate", "ADP": "adenylate", "PCr": "creatine", "Cr": "creatine"}

WATER: Final = "water"
"""Name under which a cycle moves volume; one turnover is 1 pL."""


def valence(species: str) -> int:
    """Charge number z of a solute; raises `ConservationError` for an unknown one."""
    if species not in VALENCE:
        raise ConservationError(f"Unknown species `{species}`; known are {', '.join(VALENCE)}.{nearest(species, VALENCE)}")
    return VALENCE[species]


def kind(solute: str) -> str:
    """What no reaction changes of a solute: glutamate of any pool is glutamate, ATP and ADP are adenylate."""
    return _KINDS.get(solute, solute.partition("_")[0])
