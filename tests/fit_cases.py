"""Small problems that tests of fits share."""

import functools
from pathlib import Path

import jax.numpy as jnp
import numpy as np

import jaxion
from jaxion import FitProblem

EXPERIMENTS = Path(__file__).parents[1] / "experiments"
SODIUM = EXPERIMENTS / "fit_sodium_pump" / "over_sodium.csv"
X = np.linspace(-1.0, 2.0, 13)
AB = {"a": jaxion.unbounded(0.0), "b": jaxion.unbounded(0.0)}


def hill(x, I_max, K, n):
    return I_max * x**n / (x**n + K**n)


def of_sodium(Na, I_max, K, n):
    return hill(Na, I_max, K, n)


def of_potassium(K_o, I_max, K, n):
    return hill(K_o, I_max, K, n)


def cubic(Na, I_max, K):
    return I_max * (Na / (Na + K)) ** 3


def line(x, a, b):
    return a * x + b


def growth(x, a, k):
    return a * jnp.exp(k * x)


@functools.cache
def hill_fit():
    free = {"I_max": jaxion.positive(1.0), "K": jaxion.positive(5.0), "n": jaxion.positive(1.0)}
    return jaxion.fit(FitProblem(of_sodium, None, SODIUM, free), starts=16)


def straight(y, noise=1.0, free=None, **options):
    return FitProblem(line, None, {"x": X, "y": y}, AB if free is None else free, {"y": noise}, **options)
