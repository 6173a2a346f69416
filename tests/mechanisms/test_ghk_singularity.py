"""The removable singularity of the GHK flux: value and derivatives against 800-digit arithmetic."""

import decimal
import functools
import math
from decimal import Decimal
from fractions import Fraction

import hypothesis.strategies as st
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from reference import thermodynamics as reference

from jaxion import thermo

pytestmark = pytest.mark.slow

RT_F = reference.RT_F


def exact_derivatives(u: float) -> list[float]:
    """g, g', g'', g''' of g(u) = u/expm1(u), by division of power series around u in 800 digits."""
    if u == 0:
        return [1.0, -1 / 2, 1 / 6, 0.0]
    with decimal.localcontext(prec=800, Emin=-10000, Emax=10000):
        x = Decimal(u)
        e = x.exp()
        numerator, denominator = [x, Decimal(1), Decimal(0), Decimal(0)], [e - 1, e, e / 2, e / 6]
        quotient: list[Decimal] = []
        for n in range(4):
            quotient.append((numerator[n] - sum(denominator[n - k] * quotient[k] for k in range(n))) / denominator[0])
        return [float(c) * math.factorial(n) for n, c in enumerate(quotient)]


SIZES = [1e-100, 1e-12, 1e-9, 1e-6, 1e-4, 1e-3, 0.01, 0.1, 0.5, 0.9999999, 1.0, 1.0000001, 2.0, 5.0, 20.0, 100.0, 700.0, 800.0, 1e4]
POINTS = [0.0] + [sign * size for size in SIZES for sign in (1, -1)]


@functools.cache
def derivatives(f):
    """Compiled function of an array u that appends an axis with f and its first three derivatives."""
    chain = [f]
    for _ in range(3):
        chain.append(jax.grad(chain[-1]))
    return jax.jit(lambda u: jnp.stack([jax.vmap(g)(u) for g in chain], axis=-1))


def test_series_is_that_of_the_bernoulli_numbers():
    B = [Fraction(1)]
    for n in range(1, 2 * len(thermo._EVEN_SERIES)):
        B.append(-sum((math.comb(n + 1, k) * B[k] for k in range(n)), start=Fraction(0)) / (n + 1))
    assert [float(B[2 * k] / math.factorial(2 * k)) for k in range(len(thermo._EVEN_SERIES))] == list(thermo._EVEN_SERIES)


def test_bernoulli_and_three_derivatives_are_exact_to_rounding():
    computed = np.asarray(derivatives(thermo.bernoulli)(jnp.array(POINTS)))
    exact = np.array([exact_derivatives(u) for u in POINTS])
    # Just beyond |u| = 1 each derivative of the quotient loses a few units; atol is for underflow.
    for order, rtol in enumerate([1e-15, 1e-15, 5e-15, 5e-14]):
        np.testing.assert_allclose(computed[:, order], exact[:, order], rtol=rtol, atol=1e-300, err_msg=f"derivative {order}")


SLOPE = jax.jit(jax.grad(thermo.bernoulli))


@settings(deadline=None)
@given(st.floats(-1e5, 1e5))
def test_bernoulli_identities(u: float):
    g, mirrored = float(thermo.bernoulli(u)), float(thermo.bernoulli(-u))
    assert g >= 0
    assert mirrored - g == pytest.approx(u, rel=1e-15, abs=1e-15)
    slope = float(SLOPE(u))
    assert -1 <= slope <= 0


def flux_of(V):
    return thermo.ghk_flux(1.0, V, 12.0, 145.0, 1, RT_F)


def test_flux_derivatives_at_zero_potential_are_those_of_the_series():
    # J = c_i g(-u) - c_o g(u), g = 1 - u/2 + u²/12 - u⁴/720
    c_i, c_o = 12.0, 145.0
    expected = [c_i - c_o, (c_i + c_o) / 2 / RT_F, (c_i - c_o) / 6 / RT_F**2, 0.0]
    np.testing.assert_allclose(derivatives(flux_of)(jnp.zeros(8))[0], expected, rtol=1e-15)
    _, tangent = jax.jit(lambda V: jax.jvp(flux_of, (V,), (1.0,)))(0.0)
    assert tangent == pytest.approx(expected[1], rel=1e-15)
    for second in (jax.hessian(flux_of), jax.jacrev(jax.jacfwd(flux_of))):
        assert jax.jit(second)(0.0) == pytest.approx(expected[2], rel=1e-15)


def test_flux_derivatives_are_central_differences():
    V, h = jnp.array([-100.0, -40.0, -26.7, -5.0, 3.0, 26.8, 60.0, 150.0]), 0.02
    below, here, above = (derivatives(flux_of)(V + step) for step in (-h, 0.0, h))
    # Each derivative against the difference of the one before it.
    np.testing.assert_allclose(here[:, 1:], (above - below)[:, :-1] / (2 * h), rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("z", [1, -2])
def test_flux_and_gradients_stay_finite_at_extreme_potentials(z: int):
    V = RT_F * jnp.array([-800.0, -745.2, -0.0, 0.0, 5e-324, 745.2, 800.0])

    def total(V, inside, outside, RT_F):
        return jnp.sum(thermo.ghk_flux(2.0, V, inside, outside, z, RT_F))

    arguments = (V, jnp.full(7, 12.0), jnp.full(7, 145.0), jnp.array(RT_F))
    everywhere = (0, 1, 2, 3)
    results = jax.jit(lambda *x: (total(*x), jax.grad(total, everywhere)(*x), jax.hessian(total, (0, 3))(*x)))(*arguments)
    assert all(jnp.all(jnp.isfinite(leaf)) for leaf in jax.tree.leaves(results))
    # Far from equilibrium only the ion on the driven side counts: J = P u c.
    assert thermo.ghk_flux(2.0, V[-1], 12.0, 145.0, 1, RT_F) == pytest.approx(2 * 800 * 12, rel=1e-14)
    assert thermo.ghk_flux(2.0, V[0], 12.0, 145.0, 1, RT_F) == pytest.approx(-2 * 800 * 145, rel=1e-14)


def test_flux_of_an_uncharged_solute_is_diffusion():
    assert thermo.ghk_flux(3.0, -70.0, 1.0, 5.0, 0, RT_F) == -12


def test_unequal_concentrations_do_not_cancel_the_small_flux():
    # Ca at rest: what leaves is e^{-5} × 1e-4 of what enters, and still known.
    leaving = thermo.ghk_flux(1.0, -70.0, 1e-4, 0.0, 2, RT_F)
    u = 140.0 / RT_F
    assert leaving == pytest.approx(1e-4 * u / math.expm1(u), rel=1e-14)
