r"""The posterior of a fit, sampled by NUTS (extra `bayes`).

Its density in the unknowns $u$ is $e^{-\mathrm{loss}(u)}$: flat in ln θ for a positive parameter without a prior, and uniform
between its ends for one in an interval. The unknowns are scaled by the Fisher information, so that the sampler begins well.
"""

import dataclasses
from types import ModuleType
from typing import TYPE_CHECKING, Any, Final

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from jaxion.fits.parameters.parameters import Unknowns
from jaxion.fits.parameters.transforms import Interval
from jaxion.fits.problem import FitProblem
from jaxion.fits.uncertainty.result import Fit

if TYPE_CHECKING:
    import xarray

MIXED: Final = 1.01
"""Largest potential scale reduction of chains that have mixed."""


@dataclasses.dataclass(frozen=True, eq=False)
class Posterior:
    """Result of `posterior`.

    Attributes:
        names: Free parameters.
        units: Their units.
        values: Draws in the parameters' own units, `(chains, draws, parameters)`.
        divergent: Draws at which the sampler lost its way, `(chains, draws)`.
        rhat: Potential scale reduction of each parameter; 1 when the chains have mixed.
        ess: Effective number of independent draws of each parameter.
    """

    names: tuple[str, ...]
    units: tuple[str, ...]
    values: Float[np.ndarray, "chains draws parameters"]
    divergent: np.ndarray
    rhat: dict[str, float]
    ess: dict[str, float]

    @property
    def ok(self) -> bool:
        """Whether the chains have mixed, and none of them lost its way."""
        return max(self.rhat.values()) <= MIXED and not self.divergent.any()

    @property
    def mean(self) -> dict[str, float]:
        """Mean of each parameter."""
        return dict(zip(self.names, self.values.mean(axis=(0, 1)).tolist(), strict=True))

    @property
    def sd(self) -> dict[str, float]:
        """Standard deviation of each parameter."""
        return dict(zip(self.names, self.values.std(axis=(0, 1)).tolist(), strict=True))

    @property
    def interval(self) -> dict[str, tuple[float, float]]:
        """Central 95 % of each parameter."""
        low, high = np.quantile(self.values, [0.025, 0.975], axis=(0, 1))
        return {name: (float(low[i]), float(high[i])) for i, name in enumerate(self.names)}

    @property
    def ds(self) -> "xarray.Dataset":
        """Draws by chain and draw, a variable for each parameter, as ArviZ reads them."""
        import xarray

        dims = ("chain", "draw")
        arrays: dict[str, Any] = {name: (dims, self.values[..., i], {"units": self.units[i] or "1"}) for i, name in enumerate(self.names)}
        return xarray.Dataset({**arrays, "diverging": (dims, self.divergent)})

    def __str__(self) -> str:
        """Mean, interval and diagnostics of each parameter."""
        chains, draws, _ = self.values.shape
        lines = [f"Posterior from {chains} chains of {draws} draws; {int(self.divergent.sum())} divergent."]
        for name, unit in zip(self.names, self.units, strict=True):
            low, high = self.interval[name]
            lines.append(
                f"  {name:<24} {self.mean[name]:.5g} (95 % {low:.5g} to {high:.5g}) {unit}; R̂ {self.rhat[name]:.3f}, {self.ess[name]:.0f} effective"
            )
        if not self.ok:
            lines.append(
                "The chains have not mixed or some draws diverged: raise `tune` and `draws`, or give priors to what is weakly determined."
            )
        return "\n".join(lines)


def posterior(fit: Fit, draws: int = 1000, tune: int = 500, chains: int = 4, seed: int = 0) -> Posterior:
    """Sample the posterior of a fit by the No-U-Turn sampler, all chains side by side.

    Args:
        fit: A fit; the chains begin around its values.
        draws: Draws of each chain that are kept.
        tune: Draws before them, in which step and scales are found.
        chains: Number of chains.
        seed: Of all random numbers.

    Raises:
        ImportError: blackjax is not installed (`pip install jaxion[bayes]`).
        ValueError: The fit failed, or a parameter is determined neither by the data nor by a prior, so that there is no posterior.

    Source: Hoffman & Gelman (2014) J Mach Learn Res 15:1593, in the implementation of blackjax.
    """
    blackjax = _blackjax()
    problem, found = fit.problem, fit.information
    if min(draws, tune, chains) < 2:
        raise ValueError(f"Arguments `draws`, `tune` and `chains` must be 2 or more, but they are {draws}, {tune} and {chains}.")
    if not np.isfinite(fit.loss):
        raise ValueError(f"The fit has no values that could be sampled around: its status is {fit.status.name}.")
    infinite = ~np.isfinite(np.diag(found.covariance))
    for p, open_ in zip(problem.parameters.free, infinite, strict=True):
        if open_ and not isinstance(p.transform, Interval):
            raise ValueError(
                f"`{p.name}` is determined neither by the data nor by a prior: give it one, such as positive(prior=LogNormal(1.0)), or an interval."
            )
    size = np.where(infinite, 1.0, np.sqrt(np.diag(found.covariance))) * np.abs(found.unknowns)
    middle = np.asarray(problem.parameters.unknowns(fit.values))

    def density(x: Unknowns) -> Array:
        return log_density(problem, jnp.asarray(middle) + size * x)

    def chain(key: Array) -> tuple[Array, Array]:
        first, second, third = jax.random.split(key, 3)
        start = jax.random.normal(first, middle.shape)
        (state, settings), _ = blackjax.window_adaptation(blackjax.nuts, density).run(second, start, num_steps=tune)
        kernel = blackjax.nuts(density, **settings).step

        def one(state: Any, key: Array) -> tuple[Any, tuple[Array, Array]]:
            state, info = kernel(key, state)
            return state, (state.position, info.is_divergent)

        return jax.lax.scan(one, state, jax.random.split(third, draws))[1]

    # blackjax mixes numbers of several widths and shapes, which a caller may have forbidden.
    with jax.numpy_dtype_promotion("standard"), jax.numpy_rank_promotion("allow"):
        x, divergent = jax.jit(jax.vmap(chain))(jax.random.split(jax.random.key(seed), chains))
        rhat = np.atleast_1d(blackjax.diagnostics.potential_scale_reduction(x))
        ess = np.atleast_1d(blackjax.diagnostics.effective_sample_size(x))
    u = jnp.asarray(middle + size * np.asarray(x))
    values = np.asarray(problem.parameters.vector(u))
    names = problem.names
    return Posterior(
        names,
        tuple(p.unit for p in problem.parameters.free),
        values,
        np.asarray(divergent),
        dict(zip(names, rhat.tolist(), strict=True)),
        dict(zip(names, ess.tolist(), strict=True)),
    )


def log_density(problem: FitProblem, u: Unknowns) -> Array:
    """Log-density of the unknowns but for a constant; −∞ where the model fails."""
    loss = problem.at(u).loss
    finite = jnp.isfinite(loss)
    total = jnp.where(finite, -loss, -jnp.inf)
    for i, p in enumerate(problem.parameters.free):
        if isinstance(p.transform, Interval) and p.transform.prior is None:
            # Uniform between the ends: the derivative of the logistic course.
            total = total + jax.nn.log_sigmoid(u[i]) + jax.nn.log_sigmoid(-u[i])
    return total


def _blackjax() -> ModuleType:
    try:
        import blackjax  # pyright: ignore[reportMissingImports]
        import blackjax.diagnostics  # pyright: ignore[reportMissingImports]
    except ImportError:
        raise ImportError("Sampling a posterior needs blackjax: `pip install jaxion[bayes]`.") from None
    return blackjax
