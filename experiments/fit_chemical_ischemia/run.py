"""How much of the pumps do two minutes of chemical ischemia take away from neurons and astrocytes, and how strong are their pumps?"""

import dataclasses
import math
import sys
from pathlib import Path

import jax.numpy as jnp
import numpy as np

import jaxion
from jaxion import Bath, Compartment, Link, Membrane, Model, Protocol
from jaxion.mechanisms import Exchange, NaKATPaseLuoRudy

HERE = Path(__file__).parent
SODIUM, EXTRACELLULAR = (jaxion.Recording.read(HERE / f"{name}.csv") for name in ("sodium", "extracellular"))
SCATTER = {"neuron.Na": 1.0, "astrocyte.Na": 1.0, "highest K": 0.1, "lowest K": 0.1, "largest fall of Na": 1.0}
"""Standard deviation of each channel, mM: chosen, since the source gives none."""

BEFORE = {
    "neuron": {"Na": 13.4, "K": 144.6, "Cl": 7.0},
    "astrocyte": {"Na": 13.8, "K": 79.2, "Cl": 35.0},
    "ecs": {"Na": 152.09, "K": 2.91, "Cl": 135.0},
}
"""Concentrations before, mM: Na⁺ of cells and outer K⁺ as measured, the rest of Kalia et al. (2021), K⁺ or Na⁺ in place of the other."""

KEPT = {"neuron": ("kcc2", "water"), "astrocyte": ("kir", "nkcc1", "water")}
LEAKS = tuple(f"leak_{ion}" for ion in ("Na", "K", "Cl"))
WIDTH, END = 15.0, 620.0
"""Width of the courses of block and release as Kalia et al. have it, and what is simulated, s."""

FREE = {
    "begin": jaxion.positive(270.0),
    "length_neuron": jaxion.positive(120.0),
    "length_astrocyte": jaxion.positive(100.0),
    "blocked": jaxion.interval(0.0, 1.0, start=0.66),
    "pump_neuron": jaxion.positive(100.0),
    "pump_astrocyte": jaxion.positive(200.0),
    "P_K": jaxion.positive(0.15),
    "P_Na": jaxion.positive(0.15),
}


def tissue(pump_neuron, pump_astrocyte, P_K, P_Na) -> Model:
    """Neuron, astrocyte and extracellular space of Kalia et al. (2021) without gates, calcium and glutamate, in exchange with a bath."""
    base, pumps = jaxion.models.kalia2021(consistent=True), {"neuron": pump_neuron, "astrocyte": pump_astrocyte}
    stored = {cell: m.C * m.V / (1e3 * base.F) for cell, m in base.membranes.items()}
    osmolarity = sum(BEFORE["neuron"].values()) + base["neuron.impermeant"] / base["neuron.volume"]
    compartments, membranes = {}, []
    for name, c in BEFORE.items():
        volume = base[f"{name}.volume"]
        held = stored[name] if name in stored else -sum(stored.values())
        X = (osmolarity - sum(c.values())) * volume
        compartments[name] = Compartment(c, volume, X, z=(held - (c["Na"] + c["K"] - c["Cl"]) * volume) / X)
    for cell, m in base.membranes.items():
        mechanisms = {key: m.mechanisms[key] for key in (*KEPT[cell], *LEAKS)} | {"nka": NaKATPaseLuoRudy(pumps[cell] / base.F)}
        membranes.append(Membrane(cell, "ecs", mechanisms, C=m.C, V=m.V))
    link = Link("ecs", "bath", {"exchange_K": Exchange(P_K), "exchange_Na": Exchange(P_Na, ("Na", "Cl"))})
    baths = {"bath": Bath(BEFORE["ecs"])}
    model = Model(compartments, baths, membranes, "slice", base.source, "difference", base.RT_F, base.F, links=[link])
    return jaxion.calibrate(model, solve_for=[f"{cell}.{key}.P" for cell in pumps for key in LEAKS])


def simulate(begin, length_neuron, length_astrocyte, blocked, pump_neuron, pump_astrocyte, P_K, P_Na, save):
    """The course of a block that begins and ends smoothly in both cells, for each in its own time."""
    lengths = {"neuron.nka": length_neuron, "astrocyte.nka": length_astrocyte}
    one, other = (jaxion.smooth_block(pump, blocked, END, begin, begin + length, WIDTH) for pump, length in lengths.items())
    protocol = Protocol(dataclasses.replace(one, effects=(*one.effects, *other.effects)))
    measure = {"high": jaxion.maximum("ecs.K"), "low": jaxion.minimum("ecs.K"), "Na": jaxion.minimum("ecs.Na")}
    return jaxion.solve(tissue(pump_neuron, pump_astrocyte, P_K, P_Na), protocol, save=save, measure=measure, throw=False)


def responses(t, **parameters):
    """What was measured: Na⁺ of both cells in time, and three extremes of the extracellular space, once."""
    sol = simulate(**parameters, save=SODIUM.columns["t"])
    once = {
        "highest K": sol.measures["high"],
        "lowest K": sol.measures["low"],
        "largest fall of Na": BEFORE["ecs"]["Na"] - sol.measures["Na"],
    }
    return {path: sol[path] for path in ("neuron.Na", "astrocyte.Na")} | {name: jnp.full(len(t), value) for name, value in once.items()}


def measured() -> jaxion.Recording:
    """Both files as one table: the extremes are values of its first row."""
    rows = np.arange(len(SODIUM))
    columns = SODIUM.columns | {name: np.full(len(rows), value[0]) for name, value in EXTRACELLULAR.columns.items()}
    missing = {name: ~there for name, there in SODIUM.there.items()} | {name: rows > 0 for name in EXTRACELLULAR.columns}
    return jaxion.Recording(columns, missing=missing)


def apart(t, begin, length_neuron, length_astrocyte, blocked, pump_neuron, pump_astrocyte, P_K, P_Na):
    """As measured, each cell with a block of its own length."""
    return responses(**locals())


def together(t, begin, length, blocked, pump_neuron, pump_astrocyte, P_K, P_Na):
    """As measured, with one length for both cells, since they share what poisons them."""
    given = locals()
    return responses(**{key: value for key, value in given.items() if key != "length"}, length_neuron=length, length_astrocyte=length)


def run(figures: Path | None = None) -> dict:
    """Values, standard errors, 95 % intervals, loss and rank of both fits, and the model beside the data."""
    found = {}
    shared = {"length": FREE["length_neuron"]} | {key: value for key, value in FREE.items() if not key.startswith("length")}
    for name, model, free in (("apart", apart, FREE), ("together", together, shared)):
        fit = jaxion.fit(jaxion.FitProblem(model, None, measured(), free, SCATTER), starts=4, spread=0.05, steps=100)
        if figures:
            draw(fit.values, figures / f"{name}.png")
        found[name] = {
            "values": fit.values,
            "sd": fit.sd,
            "interval": {key: [end if math.isfinite(end) else None for end in ends] for key, ends in fit.interval.items()},
            "chi2": 2 * fit.loss,
            "rank": fit.rank,
            "statement": fit.statement,
            "model": {c["name"]: c["model"][np.isfinite(c["data"])].tolist() for c in fit.channels},
        }
    return found


def draw(values: dict, file: Path) -> None:
    """The course of the model with the data beside it."""
    import matplotlib.pyplot as plt

    lengths = {key: values.get(key, values.get("length")) for key in ("length_neuron", "length_astrocyte")}
    sol = simulate(**{key: value for key, value in values.items() if key != "length"} | lengths, save=np.linspace(0.0, END, 1241))
    figure, axes = plt.subplots(1, 3, figsize=(11, 3.2), layout="constrained")
    for color, path in (("C0", "neuron.Na"), ("C1", "astrocyte.Na")):
        axes[0].plot(sol.t, sol[path], color, label=f"{path}, model")
        there = SODIUM.there[path]
        axes[0].errorbar(SODIUM.columns["t"][there], SODIUM.columns[path][there], SCATTER[path], fmt="o", color=color, label="measured")
    axes[0].set_ylim(12, 43)
    axes[0].legend(fontsize=8, ncols=2, loc="upper center")
    extremes = {key: float(value[0]) for key, value in EXTRACELLULAR.columns.items()}
    for axis, path, levels in (
        (axes[1], "ecs.K", (extremes["highest K"], extremes["lowest K"])),
        (axes[2], "ecs.Na", (BEFORE["ecs"]["Na"] - extremes["largest fall of Na"],)),
    ):
        axis.plot(sol.t, sol[path], "C2")
        for level in levels:
            axis.axhline(level, color="0.4", linestyle="--", label="measured extreme")
    for axis, label in zip(axes, ("Na⁺ of cells [mM]", "extracellular K⁺ [mM]", "extracellular Na⁺ [mM]"), strict=True):
        axis.set(xlabel="time [s]", ylabel=label, xlim=(150, END))
    axes[2].legend(*(part[:1] for part in axes[2].get_legend_handles_labels()), fontsize=8)
    figure.savefig(file, dpi=120)
    plt.close(figure)


if __name__ == "__main__":
    # What the experiments share lies beside their folders.
    sys.path.append(str(HERE.parent))
    from expected import main

    main(run, HERE, __doc__)
