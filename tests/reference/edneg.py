"""Rest, firing and depolarisation block of the neuron with glia of Sætra et al., computed independently of jaxion in float64.

Source: the authors' public code of Sætra, Einevoll & Halnes (2021) PLoS Comput Biol 17:e1008143, with rescaled units, integrated
by SciPy's BDF; rtol 1e-9 where no other is named. Concentrations in mM, potentials in mV, times in s.
"""

from typing import Final

GATES: Final = {
    "soma.neuron.kdr.n": 0.0003,
    "soma.neuron.na.h": 0.9993,
    "dendrite.neuron.ca.s": 0.0077,
    "dendrite.neuron.kc.c": 0.0057,
    "dendrite.neuron.kahp.q": 0.0117,
    "dendrite.neuron.ca.z": 1.0,
}
"""Gates n, h, s, c, q and z of the paper's initial state."""

STEADY: Final = 1e-4
"""Relative tolerance of concentrations and potentials."""
EVENT: Final = 1e-3
"""Relative tolerance of times."""

REST: Final = {
    "soma.neuron.V": -66.9148,
    "dendrite.neuron.V": -66.9052,
    "soma.astrocyte.V": -83.8925,
    "dendrite.astrocyte.V": -83.8785,
    "soma.neuron.Na": 18.7356,
    "soma.neuron.K": 138.0834,
    "soma.neuron.Cl": 7.1527,
    "soma.ecs.Na": 142.3038,
    "soma.ecs.K": 3.5443,
    "soma.ecs.Cl": 131.9135,
    "soma.astrocyte.Na": 14.4802,
    "soma.astrocyte.K": 101.2340,
    "soma.astrocyte.Cl": 5.6575,
    "dendrite.ecs.K": 3.5548,
}
"""Fixed point without a stimulus, as reached after 6e4 s."""
REST_OUTER: Final = 0.0045
"""Potential of the soma's extracellular space against that of the dendrites; to half a unit of the last digit."""
REST_SWELLING: Final = {"neuron": -0.0108, "ecs": 0.0338, "astrocyte": -0.0061}
"""Change of the volumes of the soma's layer, per cent; likewise."""

# 36 pA of K⁺ into the soma from 10 to 20 s. A spike begins where V of the soma rises through −20 mV.
THRESHOLD: Final = -20.0
FIRING_SPIKES: Final = 22
FIRING_TIMES: Final = (10.017580, 10.102325, 19.700090)
"""First, second and last spike."""
FIRING_AT_20: Final = {"soma.ecs.K": 3.6037, "dendrite.ecs.K": 4.1835, "soma.neuron.Na": 19.3592}
FIRING_MAXIMUM: Final = 3.7096
"""Highest K⁺ of the soma's extracellular space."""

# 150 pA likewise. The count and the last spike depend on the tolerance: 385 and 15.09280 with rtol 1e-8, 382 and 15.10328 with
# 1e-9, 387 and 15.08144 with 1e-10. The equations of edneg_by_hand.py: by BDF with 1e-8 386 and 15.08772, and the soma's
# extracellular space at 30 s at −9.893 %; by LSODA with 1e-8 385, 15.10470 and −9.886 %, with 1e-9 379, 15.08659 and −9.898 %.
BLOCK_SPIKES: Final = (380, 388)
BLOCK_FIRST: Final = 10.00426
BLOCK_LAST: Final = (15.07, 15.11)
BLOCK: Final = {
    20.0: {"soma.neuron.V": -29.33, "soma.ecs.K": 17.440, "soma.neuron.Na": 32.99},
    30.0: {"soma.neuron.V": -30.43, "soma.ecs.K": 18.916, "soma.neuron.Na": 41.85},
}
BLOCK_SWELLING: Final = {20.0: -1.81, 30.0: -9.89}
"""Change of the extracellular volume of the soma's layer, per cent."""
BLOCKED: Final = 1e-3
"""Relative tolerance of the states of the block, which follow the chaotic count of spikes: from starts that differ by 1e-9, Na⁺ at
20 s scatters by 3e-4 and the volume at 30 s by 0.01 per cent (standard deviations)."""
