"""The pump of four states against published turnovers, its master equation, and the second law."""

import dataclasses
import itertools
import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jaxtyping import Array
from mechanism_cases import REST, State, draw, rate, uniform, view
from reference import mechanisms as reference

from jaxion.mechanisms import NaKATPaseFourState
from jaxion.mechanisms.nka_four_state import cyclic_rate
from jaxion.thermo import pump_work
from jaxion.units import BODY_TEMPERATURE, thermal_energy

pytestmark = pytest.mark.slow

MS = 1e-3  # s


def state(V: float) -> State:
    inside, outside = reference.FOUR_STATE_SOLUTIONS
    return uniform(REST, inside=REST.inside | inside, outside=REST.outside | outside, V=V)


def at_equilibrium(pump: NaKATPaseFourState, states: State, affinity: Array | float = 0.0) -> NaKATPaseFourState:
    """The pump with phosphate such that a turnover sets `affinity` free."""
    return NaKATPaseFourState(pump.N, Pi=pump.Pi * jnp.exp(pump.affinity(view(states)) - affinity))


def agrees(printed: reference.Digits, V: float, rounded: tuple[str, ...], **metabolites: float) -> bool:
    """Whether the turnover is the one printed, to its last digit and to what the rounding of the metabolites makes of it."""
    seen = dataclasses.replace(view(state(V)), RT_F=jnp.asarray(reference.FOUR_STATE_RT_F))
    found, slopes = jax.value_and_grad(lambda pump: pump.rate(seen))(NaKATPaseFourState(MS, **metabolites))
    allowed = printed.half_unit + sum(abs(getattr(slopes, name)) * reference.FOUR_STATE_ROUNDED[name] for name in rounded)
    assert allowed < 2e-4 * printed.value  # most where the pump almost stands still
    return bool(abs(found - printed.value) <= allowed)


@pytest.mark.parametrize(("V", "printed"), reference.FOUR_STATE_V, ids=str)
def test_turnover_rises_with_the_potential_as_published(V: float, printed: reference.Digits):
    assert agrees(printed, V, ("MgATP", "MgADP", "Pi"))


@pytest.mark.parametrize(("ATP", "printed"), reference.FOUR_STATE_ATP, ids=str)
def test_turnover_falls_with_ATP_as_published(ATP: float, printed: reference.Digits):
    assert agrees(printed, -70.0, ("Pi",), MgATP=ATP, MgADP=0.026)


def test_equilibrium_of_ATP_follows_from_the_rate_constants():
    constant, energy = reference.FOUR_STATE_EQUILIBRIUM
    pump = NaKATPaseFourState(1.0)
    assert float(pump.equilibrium) == pytest.approx(constant.value, abs=constant.half_unit)
    # Molar and at pH 7: 1e-6 M²/mM², over 1e-7 M.
    standard = -thermal_energy(BODY_TEMPERATURE) * math.log(float(pump.equilibrium) * 1e-6 / 1e-7)
    assert standard == pytest.approx(energy.value, abs=energy.half_unit)
    shares = 3 * (pump.delta_Na_o + pump.delta_Na_i) - 2 * (pump.delta_K_o + pump.delta_K_i)
    assert float(shares) == pytest.approx(pump.cycle.charge, rel=1e-15)
    assert float(pump.delta_Na_o) == pytest.approx(0.44, rel=1e-14)


def test_sum_over_trees_is_the_steady_state_of_the_master_equation(rng):
    for n in (3, 4, 5):
        forward, back = np.exp(rng.uniform(-3, 3, (2, n)))
        generator = np.zeros((n, n))
        for i, (up, down) in enumerate(zip(forward, back, strict=True)):
            j = (i + 1) % n
            generator[[j, i], [i, i]] += up, -up
            generator[[i, j], [j, j]] += down, -down
        shares = np.linalg.lstsq(np.vstack([generator, np.ones(n)]), np.append(np.zeros(n), 1.0), rcond=None)[0]
        fluxes = [forward[i] * shares[i] - back[i] * shares[(i + 1) % n] for i in range(n)]
        np.testing.assert_allclose(cyclic_rate(list(map(jnp.asarray, forward)), list(map(jnp.asarray, back))), fluxes, rtol=1e-11)


def test_sum_has_each_of_the_sixteen_trees_once():
    # Trees that lead to a state, found by trying every choice of three of the four edges and both directions of each.
    names = [[f"{sign}{i}" for i in range(4)] for sign in "+-"]
    numbers = dict(zip(itertools.chain(*names), [2.0, 3.0, 5.0, 7.0, 11.0, 13.0, 17.0, 19.0], strict=True))
    trees = set()
    for cut in range(4):
        edges = [i for i in range(4) if i != cut]
        for directions in itertools.product("+-", repeat=3):
            origins = [(i if sign == "+" else (i + 1) % 4) for i, sign in zip(edges, directions, strict=True)]
            if len(set(origins)) == 3:  # each state but the root is left once
                trees.add(tuple(sorted(f"{sign}{i}" for i, sign in zip(edges, directions, strict=True))))
    assert len(trees) == 16
    forward, back = ([jnp.asarray(numbers[name]) for name in side] for side in names)
    total = sum(math.prod(numbers[name] for name in tree) for tree in trees)
    net = 2.0 * 3.0 * 5.0 * 7.0 - 11.0 * 13.0 * 17.0 * 19.0
    assert float(cyclic_rate(forward, back)) == pytest.approx(net / total, rel=1e-14)


def test_pump_stands_still_where_ATP_just_pays_for_the_transport(rng):
    states = draw(rng, 4000)
    pump = at_equilibrium(NaKATPaseFourState(1.0), states)
    # The balance of energies, by the closed form of the work and not by the pump's own affinity.
    hydrolysis = -thermal_energy() * jnp.log(pump.equilibrium * pump.MgATP / (pump.MgADP * pump.Pi * pump.H))
    work = pump_work(pump.cycle, states.inside, states.outside, states.V)
    np.testing.assert_allclose(hydrolysis + work, 0.0, atol=1e-10)
    # One e-fold to either side says how large the opposing flows are.
    gross = sum(abs(rate(at_equilibrium(pump, states, a), states)) for a in (-1.0, 1.0))
    assert bool(jnp.all(gross > 0))
    assert float(jnp.max(jnp.abs(rate(pump, states)) / gross)) < 1e-12


def test_pump_runs_the_way_its_free_energy_points_and_makes_ATP_beyond(rng):
    states, wanted = draw(rng, 4000), jnp.asarray(rng.choice([-1, 1], 4000) * 10 ** rng.uniform(-9, 1.5, 4000))
    pump = at_equilibrium(NaKATPaseFourState(1.0), states, wanted)
    found = rate(pump, states)
    assert bool(jnp.all(found * wanted > 0))
    assert bool(jnp.any(found * pump.cycle.ATP < 0))
    assert float(rate(NaKATPaseFourState(1.0), REST)) > 0


def test_second_law_holds_whatever_the_rate_constants(rng):
    states = draw(rng, 1000)
    free = {
        name: jnp.asarray(np.exp(rng.uniform(-2, 2, 1000))) for name in ("N", "k1", "k2_back", "k3", "K_Na", "K_K_i", "delta_K_o", "K_ATP")
    }
    pump = NaKATPaseFourState(**free)
    power = rate(pump, states) * pump.affinity(view(states))
    assert bool(jnp.all(power >= 0))
