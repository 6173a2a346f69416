"""Totals and charge of a published neuron through its pump block: what the equations keep, thousands of steps have to keep."""

import functools
from typing import Final

import jax.numpy as jnp
import numpy as np

from jaxion.examinations.outcomes import Finding, Procedure
from jaxion.ions import valence
from jaxion.models import huebel_dahlem2014
from jaxion.setpoints.reduction import totals
from jaxion.snapshot import area_ratio, capacitor_charge, inside_charge
from jaxion.transients import Solution, solve

PROTOCOL: Final = "pump_block"

BOUND: Final = 1e-12
"""Largest relative drift: some thousand times the rounding of one step."""


def examinations() -> list[Procedure]:
    """Conserved totals, and the charge that the capacitor law asks for."""
    # Of both, the run is one.
    run = functools.cache(_run)
    return [Procedure("conserved totals", BOUND, lambda: _totals(run())), Procedure("conserved charge", BOUND, lambda: _charge(run()))]


def _run() -> Solution:
    return solve(huebel_dahlem2014(), PROTOCOL, save="0:960:97")


def _totals(run: Solution) -> Finding:
    found = totals(run.model, run.model.unpack(jnp.moveaxis(run.saved, 0, -1)))
    drift = np.array([np.max(np.abs(total / total[0] - 1.0)) for total in found.values()])
    worst = int(np.argmax(drift))
    return Finding(float(drift[worst]), f"relative drift of {list(found)[worst]}, the worst of {drift.size}, in {_what(run)}")


def _charge(run: Solution) -> Finding:
    model, excess = run.model, []
    snapshot = model.unpack(jnp.moveaxis(run.saved, 0, -1))
    for name, membrane in model.membranes.items():
        wanted = capacitor_charge(model, membrane, snapshot.potentials[name], area_ratio(model, snapshot, membrane))
        gross = sum(abs(valence(ion)) * amount for ion, amount in snapshot.amounts[name].items())
        excess.append(np.abs(inside_charge(model, snapshot, name) - wanted) / gross)
    return Finding(float(np.max(excess)), f"excess over the capacitor law, relative to all ions inside, in {_what(run)}")


def _what(run: Solution) -> str:
    return f"{int(run.stats['accepted'])} steps of `{PROTOCOL}` of {run.model.name}"
