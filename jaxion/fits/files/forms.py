"""Transforms, noise and optimisers as tables of a fit file write them."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from jaxion.errors import ConfigError, nearest
from jaxion.fits.data import noise as noises
from jaxion.fits.data.summaries import Summary
from jaxion.fits.parameters import transforms
from jaxion.populations import Distribution, LogNormal, Normal

Refuse = Callable[[str], ConfigError]
"""Makes the error for a sentence about one key."""

_EXAMPLE: Final = "such as \"positive\", { positive = 2.0 }, { interval = [0, 1] } or { tied = 'path' }"
_OPTIMISERS: Final = ("adam", "sgd", "adamw", "rmsprop")


def check_keys(given: Any, allowed: Iterable[str], refuse: Refuse) -> dict[str, Any]:
    """The table itself, if it is one and all of its keys are known."""
    if not isinstance(given, dict):
        raise refuse(f"must be a table, but it is `{given}`.")
    allowed = tuple(allowed)
    for key in given:
        if key not in allowed:
            raise refuse(f"does not take `{key}`; it takes {', '.join(f'`{name}`' for name in allowed)}.{nearest(key, allowed)}")
    return given


def check_number(given: Any, refuse: Refuse) -> float:
    """A finite number."""
    if isinstance(given, bool) or not isinstance(given, int | float) or not abs(given) < float("inf"):
        raise refuse(f"must be a finite number, but it is `{given}`.")
    return float(given)


def transform(given: Any, refuse: Refuse) -> Any:
    """What is free: `"positive"`, `{ positive = start }`, `{ interval = [a, b], start = … }`, `{ tied = path }`, `{ fixed = value }`."""
    if given in ("positive", "unbounded"):
        return getattr(transforms, given)()
    kinds = {
        "positive": ("prior",),
        "unbounded": ("scale", "prior"),
        "interval": ("start", "prior"),
        "tied": ("factor",),
        "fixed": (),
    }
    kind, value, rest = _one_of(given, kinds, _EXAMPLE, refuse)
    if "prior" in rest:
        rest["prior"] = distribution(rest["prior"], refuse)
    if kind == "interval":
        if not isinstance(value, list) or len(value) != 2:
            raise refuse(f"must have an interval of two ends, such as [0, 1], but it is `{value}`.")
        return transforms.interval(_quantity(value[0], refuse), _quantity(value[1], refuse), **rest)
    if kind == "tied":
        return transforms.tied(_text(value, refuse), **rest)
    return getattr(transforms, kind)(_quantity(value, refuse), **rest)


def distribution(given: Any, refuse: Refuse) -> Distribution:
    """A prior, or how a parameter varies: `{ lognormal = cv }` or `{ normal = sd }`."""
    kind, value, _ = _one_of(given, {"lognormal": (), "normal": ()}, "such as { lognormal = 0.5 } or { normal = 1.0 }", refuse)
    return LogNormal(check_number(value, refuse)) if kind == "lognormal" else Normal(_quantity(value, refuse))


def summary(given: Any, refuse: Refuse) -> Summary:
    """Statistics of cells: `{ cells = 24, mean = { path = … }, sd = { path = … }, correlation = [[path, path, r], …] }`."""
    table = check_keys(given, ("cells", "mean", "sd", "correlation"), refuse)
    cells = table["cells"]
    if isinstance(cells, bool) or not isinstance(cells, int):
        raise refuse(f"must have a whole number of cells, but it has `{cells}`.")
    quantities = {kind: {path: _quantity(value, refuse) for path, value in table.get(kind, {}).items()} for kind in ("mean", "sd")}
    correlation = {}
    for row in table.get("correlation", []):
        if not isinstance(row, list) or len(row) != 3:
            raise refuse(f'must have correlations such as ["neuron.V", "neuron.Cl", 0.4], but one is `{row}`.')
        correlation[_text(row[0], refuse), _text(row[1], refuse)] = check_number(row[2], refuse)
    return Summary(cells, **quantities, correlation=correlation)


def noise(given: Any, refuse: Refuse) -> Any:
    """Scatter: a number, `"0.5 mM"`, `"estimated"`, `{ relative = 0.1, floor = … }`, `{ student = sd, df = … }`, `{ huber = sd, k = … }`."""
    if given == "estimated":
        return noises.estimated()
    if isinstance(given, str):
        return given
    if not isinstance(given, dict):
        return check_number(given, refuse)
    kinds = {"relative": ("floor",), "student": ("df",), "huber": ("k",)}
    kind, value, rest = _one_of(given, kinds, 'such as 0.5, "estimated", { relative = 0.1 } or { huber = 0.5 }', refuse)
    numbers = {name: check_number(number, refuse) for name, number in rest.items()}
    return getattr(noises, kind)(check_number(value, refuse), **numbers)


def optimiser(table: Mapping[str, Any], refuse: Callable[[str, str], ConfigError]) -> Any:
    """An optax optimiser from `method`, `rate` and `clip`; None for a method that is none of optax.

    Args:
        table: The table `[fit]`.
        refuse: Makes the error from a key and a sentence.
    """
    import optax

    method = table.get("method", "lm")
    if method in ("lm", "lbfgs"):
        for key in ("rate", "clip"):
            if key in table:
                raise refuse(key, f"does not go with the method `{method}`, but with {', '.join(_OPTIMISERS)}.")
        return None
    if method not in _OPTIMISERS:
        known = ("lm", "lbfgs", *_OPTIMISERS)
        raise refuse("method", f"must be one of {', '.join(known)}, but it is `{method}`.{nearest(str(method), known)}")
    rate = check_number(table.get("rate", 0.03), lambda text: refuse("rate", text))
    found = getattr(optax, method)(rate)
    if "clip" not in table:
        return found
    return optax.chain(optax.clip_by_global_norm(check_number(table["clip"], lambda text: refuse("clip", text))), found)


def _one_of(given: Any, kinds: Mapping[str, tuple[str, ...]], example: str, refuse: Refuse) -> tuple[str, Any, dict[str, Any]]:
    """Kind, its value, and what goes with it, of a table with exactly one of the kinds."""
    found = [kind for kind in kinds if isinstance(given, dict) and kind in given]
    if len(found) != 1:
        near = nearest(given, kinds) if isinstance(given, str) else ""
        raise refuse(f"must be given {example}, but it is `{given}`.{near}")
    table = check_keys(given, (found[0], *kinds[found[0]]), refuse)
    return found[0], table[found[0]], {key: value for key, value in table.items() if key != found[0]}


def _quantity(given: Any, refuse: Refuse) -> Any:
    return given if isinstance(given, str) else check_number(given, refuse)


def _text(given: Any, refuse: Refuse) -> str:
    if not isinstance(given, str):
        raise refuse(f"must be a text, but it is `{given}`.")
    return given
