"""Kalia et al. (2021): baseline and energy deprivation, from the authors' public right-hand side under an independent integrator.

The pumps of both cells fall along a logistic course to a share that is left, and come back, between
minutes 5 and 10. The numbers of the baseline are exact; of the episodes times are good to 1e-3 and values to 1e-4.
"""

from reference.mechanisms import Digits

# Permeability of each leak, pL/ms.
LEAKS = {
    "neuron": {"Na": "1.706262e-6", "K": "1.771479e-5", "Cl": "2.494493e-6", "Ca": "8.689706e-12", "Glu": "3.662403e-6"},
    "astrocyte": {"Na": "6.950001e-8", "K": "8.426781e-5", "Cl": "8.239170e-7", "Ca": "1.594689e-10", "Glu": "2.891316e-5"},
}
# Impermeant anions and cations, fmol.
ANIONS = {"neuron": Digits("302.010577"), "ecs": Digits("21.264166"), "astrocyte": Digits("209.111787")}
CATIONS = {"neuron": Digits("0.000000"), "ecs": Digits("2.790726"), "astrocyte": Digits("110.497204")}
PUMP = {"neuron": Digits("24.361078"), "astrocyte": Digits("19.835495")}
"""Pump current at the baseline, pA."""

# Glutamate free and in the pools of vesicles, fmol; good to 1e-9, since the source solved the chain numerically.
POOLS = {
    "Glu": 2.238323622e-3,
    "Glu_D": 4.046053802e-7,
    "Glu_N": 3.365673916e-4,
    "Glu_R": 4.148497398e-4,
    "Glu_R1": 9.778061939e-6,
    "Glu_R2": 7.655809451e-8,
    "Glu_R3": 2.08192593e-11,
}

# (gates, share left): minute at which V passes -45 mV, then path, minute, value; volumes in per cent of the start.
DEPRIVATION = {
    ("full", 0.0): (5.6541, [
        ("neuron.V", 10, "-34.143"), ("neuron.Na", 10, "48.80"), ("neuron.K", 10, "110.42"), ("neuron.Cl", 10, "34.24"),
        ("ecs.K", 10, "17.14"), ("neuron.volume", 10, "120.82"), ("astrocyte.volume", 10, "113.55"), ("ecs.volume", 10, "30.07"),
        ("neuron.V", 40, "-33.7577"), ("astrocyte.V", 40, "-41.418"), ("neuron.Na", 40, "56.397"), ("neuron.K", 40, "101.425"),
        ("neuron.Cl", 40, "23.218"), ("ecs.K", 40, "17.902"), ("neuron.volume", 40, "112.18"), ("astrocyte.volume", 40, "122.22"),
        ("ecs.Glu", 40, "1.3447e-3"),
    ]),
    ("qss", 0.0): (5.6541, [
        ("neuron.V", 10, "-34.132"), ("neuron.Na", 10, "48.880"), ("neuron.K", 10, "110.305"), ("neuron.Cl", 10, "34.291"),
        ("ecs.K", 10, "17.140"), ("neuron.volume", 10, "120.904"), ("astrocyte.volume", 10, "113.579"), ("ecs.volume", 10, "29.846"),
        ("neuron.V", 40, "-33.7577"), ("neuron.Na", 40, "56.397"), ("ecs.K", 40, "17.902"),
    ]),
    ("full", 0.5): (6.0521, [("neuron.V", 40, "-33.763"), ("neuron.volume", 40, "112.05")]),
    ("qss", 0.5): (6.0521, [("neuron.V", 40, "-33.763"), ("neuron.volume", 40, "112.05")]),
}  # fmt: skip

# alpha_e = 0.8, half of the pump left, gates at their steady values (with gates of their own the cell that starts from the baseline
# depolarises at the same time, but comes back with the pump). The stable state with empty vesicles: amounts in fmol, volumes in pL, gates.
LARGE_ECS_START = {
    "neuron.n_Na": 26.2555481, "neuron.n_K": 290.164201, "neuron.n_Cl": 14.4199062, "neuron.n_Ca": 1.04358462e-7, "neuron.n_Glu": 2.75071805e-3,
    "astrocyte.n_Na": 24.0386841, "astrocyte.n_K": 134.390376, "astrocyte.n_Cl": 59.8284913, "astrocyte.n_Ca": 1.30526963e-7,
    "astrocyte.n_Glu": 2.24922516e-3, "neuron.volume": 2.00265709, "astrocyte.volume": 1.70208082,
    "neuron.na.m": 0.0145863462, "neuron.na.h": 0.985797304, "neuron.kdr.n": 0.00323309977,
}  # fmt: skip
LARGE_ECS_V = -65.0566
"""Potential of the neuron in that state, mV."""
LARGE_ECS = {
    "empty": (
        7.258,
        {"neuron.V": "-33.388", "neuron.Na": "89.25", "ecs.K": "9.257", "neuron.volume": "122.49", "astrocyte.volume": "116.70"},
    ),
    "baseline": (
        7.802,
        {"neuron.V": "-33.3900", "neuron.Na": "89.233", "ecs.K": "9.2616", "neuron.volume": "122.620", "astrocyte.volume": "116.793"},
    ),
}
"""Start: minute at which V passes -45 mV, and values after 40 minutes; volumes in per cent of the start."""
