"""All starts of a search side by side, step by step."""

import functools
import sys
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from jaxion.errors import Status
from jaxion.fits.compiled import loops
from jaxion.fits.problem import FitProblem, Layout
from jaxion.fits.searches.checkpoints import Checkpoint
from jaxion.fits.searches.least_squares import LeastSquares, linearisation


def run(
    problem: FitProblem,
    method: Any,
    unknowns: Any,
    steps: int,
    moving: Any = None,
    progress: bool | None = False,
    checkpoint: Checkpoint | None = None,
) -> tuple[Any, np.ndarray]:
    """All starts of a method side by side: their last states, and the loss of each after each step.

    Args:
        problem: The problem.
        method: `Descent` or `LeastSquares`.
        unknowns: Where the starts begin, `(starts, unknowns)`.
        steps: Steps at most.
        moving: Mask of the unknowns that may change in each start, for `LeastSquares`; default all.
        progress: Whether to show a progress bar on stderr; None if that is a terminal.
        checkpoint: Where to go on from, and what to keep for another time.
    """
    from tqdm import tqdm

    # The model is compiled in one place, `evaluate`, for all methods of a kind; the rest is small, and compiled for all problems alike.
    layout, least_squares = problem.layout, isinstance(method, LeastSquares)
    begin, judge = _compiled("init", method, layout), _compiled("judge", method, layout)
    if least_squares:
        evaluate, looping = linearisation(problem)
        propose = _compiled("propose", method, layout)
        moving = jnp.ones(unknowns.shape, bool) if moving is None else moving
        count = len(unknowns)
        # Of a definite type, as all later ones: else the model would be compiled twice.
        above = jnp.full(count, jnp.inf, float)
        found = evaluate(unknowns, jnp.ones((count, len(layout.sizes))), above, jnp.zeros(count, bool))
        state = begin(unknowns, found, moving)
    else:
        evaluate = problem.compiled(type(method), lambda problem: jax.vmap(lambda u: method.evaluate(problem, u)))
        # An optimiser may search along a line by itself.
        propose = problem.compiled(("propose", method), lambda problem: jax.vmap(lambda state: method.propose(problem, state)))
        state, looping = begin(unknowns, evaluate(unknowns)), loops(problem.experiments, evaluate, unknowns)
    history = [np.asarray(state.best_loss)]
    earlier = None if checkpoint is None else checkpoint.load(state, steps)
    if earlier is not None:
        state, history = earlier
    hidden = None if progress is None else not progress
    with tqdm(total=steps, initial=len(history) - 1, desc="fit", unit=" steps", file=sys.stderr, disable=hidden) as bar:
        while len(history) <= steps and not np.all(np.asarray(state.done)):
            proposal = propose(state)
            # Where its parameters are NaN a model fails at its first step: a start that is done costs no more time. A user's loop may not
            # end there, and goes through the best place once more.
            u = jnp.where(state.done[:, None], state.best_u if looping else jnp.nan, proposal.u)
            found = evaluate(u, proposal.sd, proposal.before, proposal.last) if least_squares else evaluate(u)
            state = judge(state, proposal, found)
            history.append(np.asarray(state.best_loss))
            bar.set_postfix_str(_counts(state), refresh=False)
            bar.update()
            if checkpoint is not None:
                checkpoint.keep(state, history)
    if checkpoint is not None:
        checkpoint.keep(state, history, last=True)
    return state, np.stack(history)


def _counts(state: Any) -> str:
    """The best loss of all starts, and how many are under way or failed."""
    losses, done, statuses = (np.asarray(x) for x in (state.best_loss, state.done, state.status))
    best = f"{np.nanmin(losses):.6g}" if np.isfinite(losses).any() else "none"
    return f"loss {best}, {np.sum(~done)} of {len(done)} starts under way, {np.sum(statuses != Status.ok)} failed"


@functools.lru_cache(maxsize=256)
def _compiled(name: str, method: Any, layout: Layout) -> Any:
    """A part of a method, for all starts."""
    part = functools.partial(getattr(method, name), layout)
    if name != "judge":
        return jax.jit(jax.vmap(part))

    def advance(state: Any, proposal: Any, found: Any) -> Any:
        # A start that is done stays as it is.
        return jax.tree.map(lambda old, new: jnp.where(state.done, old, new), state, part(state, proposal, found))

    return jax.jit(jax.vmap(advance))
