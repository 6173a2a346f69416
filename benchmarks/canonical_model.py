r"""The canonical cell of `canonical.py` as a jaxion model: the same equations, put together from mechanisms.

    jaxion setpoint benchmarks/canonical_model.py:canonical

A neuron, an astrocyte and the space between them, with water, and a pool of ATP that both cells share: the adenylates are
solutes of the extracellular compartment, confined to a volume of their own. The cell is made up, so that it is no published model.
With a nominal volume of 1 pL, amounts in fmol and volumes in pL are those of `canonical.py`. What the library has no mechanism
for is here: sodium channels with a gate m, the inward rectifier, and exchange of salt with the bath.
"""

from typing import Any, ClassVar

import equinox as eqx
import jax
import jax.numpy as jnp
from canonical import ADENYLATES, CHARGE, MOVED, NA_BATH, OSMOLYTE, PARAMETERS, RT_F, SPACE, STATES

from jaxion import Bath, Compartment, Cycle, Link, Membrane, Model, thermo, units
from jaxion.mechanisms import (
    AbstractGated,
    AbstractMechanism,
    ATPConsumption,
    ATPSupply,
    Glycolysis,
    HHPotassium,
    Injection,
    KCC2Log,
    Leak,
    MembraneView,
    Modulated,
    NaKATPaseKager,
    NKCC1Log,
    SharedHydrolysis,
    Water,
    parameter,
)

AREA = MOVED * units.FARADAY
"""pF for each µF/cm², nS for each mS/cm² and pA for each µA/cm²: the membrane of a cell of 1 pL."""

_PER_S = 3e3  # 3/ms


class Sodium(AbstractGated):
    """Transient Na⁺ channel of Hübel & Dahlem (2014) with an activation gate of its own."""

    g: Any = parameter("nS", "conductance with all gates open")
    cycle: ClassVar[Cycle] = Cycle(outward={"Na": 1})
    gates: ClassVar[tuple[str, ...]] = ("h", "m")

    def gating(self, m: MembraneView) -> dict[str, tuple[Any, Any]]:
        """Rates of inactivation h and activation m, 1/s."""
        V = m.V
        return {
            "h": (_PER_S * 0.07 * jnp.exp(-(V + 44) / 20), _PER_S * jax.nn.sigmoid((V + 14) / 10)),
            "m": (_PER_S * thermo.bernoulli(-(V + 30) / 10), _PER_S * 4 * jnp.exp(-(V + 55) / 18)),
        }

    def rate(self, m: MembraneView) -> Any:
        """Ions that leave, fmol/s."""
        return self.g * m.own["m"] ** 3 * m.own["h"] * (m.V - m.E("Na")) / m.F


class InwardRectifier(AbstractMechanism):
    """K⁺ channel with rectification in the driving force, and conductance with the root of outer K⁺."""

    g: Any = parameter("nS", "conductance at 3.5 mM outside")
    cycle: ClassVar[Cycle] = Cycle(outward={"K": 1})

    def rate(self, m: MembraneView) -> Any:
        """K⁺ that leaves, fmol/s."""
        above_E_K = m.V - m.E("K")
        return self.g * jnp.sqrt(m.outside["K"] / 3.5) * 2 * jax.nn.sigmoid(-(above_E_K - 20) / 22) * above_E_K / m.F


class SaltExchange(AbstractMechanism):
    """A cation diffuses to the bath by its own difference, and takes chloride along."""

    ion: str = eqx.field(static=True)
    P: Any = parameter("pL/s", "permeability")
    cycle: Cycle = eqx.field(init=False, static=True)
    passive: ClassVar[bool] = False

    def __post_init__(self):
        self.cycle = Cycle(outward={self.ion: 1, "Cl": 1})

    def rate(self, m: MembraneView) -> Any:
        """Pairs that leave, fmol/s."""
        return self.P * (m.inside[self.ion] - m.outside[self.ion])


def canonical(current: Any = 0.0, **changed: Any) -> Model:
    """The cell with the nominal `PARAMETERS` of `canonical.py` or changed ones, in their units; oxygen is the activity of `ecs.synthesis`.

    Args:
        current: Injected current, µA/cm².
        **changed: Other values of parameters, by name.

    Source: chosen for the benchmarks; channels of Hübel & Dahlem (2014) PLoS Comput Biol 10:e1003941.
    """
    unknown = changed.keys() - PARAMETERS.keys()
    if unknown:
        raise ValueError(f"The canonical cell has no parameter {', '.join(sorted(unknown))}; it has {', '.join(PARAMETERS)}.")
    p = {name: changed.get(name, nominal) for name, (nominal, _) in PARAMETERS.items()}
    V, V_g = -68.0, -82.0
    w_i, w_g, C = p["A_i"] / 140, SPACE * p["A_g"] / 55, AREA * p["C"]
    Cl_o = NA_BATH + p["K_bath"] + CHARGE * p["C"] * (V + V_g) / SPACE

    def fed(v_max: Any) -> dict[str, AbstractMechanism]:
        pump = NaKATPaseKager(MOVED * v_max, K_Na=p["K_Na"], K_K=p["K_K"])
        return {"nka": Modulated(pump, by=ATPSupply(p["K_ATP"], K_i=None, side="outside")), "hydrolysis": SharedHydrolysis()}

    neuron = {
        "na": Sodium(AREA * p["g_Na"]),
        "kdr": HHPotassium(AREA * p["g_K"]),
        "leak_Na": Leak("Na", AREA * p["leak_Na"]),
        "leak_K": Leak("K", AREA * p["leak_K"]),
        "leak_Cl": Leak("Cl", AREA * p["leak_Cl"]),
        "kcc2": KCC2Log(p["kcc2"]),
        "nkcc1": NKCC1Log(p["nkcc1"]),
        "water": Water(p["water"]),
        "inject_K": Injection("K", AREA * current),
        **fed(p["pump"]),
    }
    astrocyte = {
        "kir": InwardRectifier(AREA * p["kir"]),
        "leak_Na": Leak("Na", AREA * p["leak_Na_g"]),
        "leak_Cl": Leak("Cl", AREA * p["leak_Cl_g"]),
        "nkcc1": NKCC1Log(p["nkcc1_g"]),
        "water": Water(p["water_g"]),
        **fed(p["pump_g"]),
    }
    outside = {
        "exchange_Na": SaltExchange("Na", SPACE * p["exchange"]),
        "exchange_K": SaltExchange("K", SPACE * p["exchange"]),
        "synthesis": Glycolysis(p["synthesis"], K_ADP=0.3),
        "other": ATPConsumption(p["basal"], K_ATP=0.1),
    }
    pool = {"ATP": 2.6, "ADP": ADENYLATES - 2.6}
    return Model(
        compartments={
            "neuron": Compartment({"Na": 14.0, "K": 134.0, "Cl": 8.0}, volume=w_i, impermeant=p["A_i"], z=-1.0),
            "astrocyte": Compartment({"Na": 16.0, "K": 174.0, "Cl": 25.0}, volume=w_g, impermeant=p["A_g"], z=-1.0),
            "ecs": Compartment(
                {"Na": NA_BATH, "K": p["K_bath"], "Cl": Cl_o, **pool},
                volume=SPACE,
                impermeant=SPACE * OSMOLYTE,
                z=0.0,
                confined=dict.fromkeys(pool, 1.0),
            ),
        },
        baths={"bath": Bath({"Na": NA_BATH, "K": p["K_bath"], "Cl": NA_BATH + p["K_bath"]}, impermeant=OSMOLYTE)},
        membranes=[Membrane("neuron", "ecs", neuron, C=C, V=V), Membrane("astrocyte", "ecs", astrocyte, C=C, V=V_g)],
        links=[Link("ecs", "bath", outside)],
        name="canonical",
        source="the canonical cell of jaxion's benchmarks",
        RT_F=RT_F,
        anoxia=(("scale", "ecs.synthesis.activity", 0.02),),
    )


ROWS = {
    **{"V": "neuron.V", "m": "neuron.na.m", "h": "neuron.na.h", "n": "neuron.kdr.n"},
    **{"Na_i": "neuron.n_Na", "K_i": "neuron.n_K", "Cl_i": "neuron.n_Cl", "w_i": "neuron.volume", "Na_o": "ecs.n_Na", "K_o": "ecs.n_K"},
    **{"V_g": "astrocyte.V", "Na_g": "astrocyte.n_Na", "K_g": "astrocyte.n_K", "Cl_g": "astrocyte.n_Cl", "w_g": "astrocyte.volume"},
    "ATP": "ecs.n_ATP",
}
"""Row of the model that is a state of `canonical.py`; the other three rows follow from charge, volume and adenylate."""


def to_rows(model: Model, y: Any) -> jax.Array:
    """Rows of the model in a state `(16, …)` of `canonical.py`."""
    return _rows(model, y, volume=sum(model[f"{name}.volume"] for name in model.compartments), adenylate=ADENYLATES)


def to_rates(model: Model, rates: Any) -> jax.Array:
    """Rates of change of the model's rows, of those `(16, …)` of `canonical.py`."""
    return _rows(model, rates, volume=0.0, adenylate=0.0)


def _rows(model: Model, y: Any, volume: Any, adenylate: float) -> jax.Array:
    """The rows, of which three are what the others leave of charge, volume and adenylate."""
    state = dict(zip(STATES, y, strict=True))
    rows = {row: state[name] for name, row in ROWS.items()}
    rows["ecs.n_Cl"] = state["Na_o"] + state["K_o"] + CHARGE * model["neuron.C"] / AREA * (state["V"] + state["V_g"])
    rows["ecs.volume"] = volume - state["w_i"] - state["w_g"]
    rows["ecs.n_ADP"] = adenylate - state["ATP"]
    return jnp.stack(jnp.broadcast_arrays(*(rows[row] for row in model.rows)))


def from_rows(model: Model, rows: Any) -> jax.Array:
    """The states of `canonical.py`, or their rates of change, of rows of the model."""
    return jnp.stack([rows[model.rows.index(ROWS[name])] for name in STATES])
