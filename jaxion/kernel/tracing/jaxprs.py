"""From plain JAX to a graph: the jaxpr of a function of one cell, run on arrays of nodes.

Each primitive of JAX has a rule that says what it does to arrays of nodes. What is known at build time is computed by JAX itself.
Whole numbers are nodes as well, numbers without a fraction; so an index may depend on a parameter or on the state.
Numbers of less than double precision keep the precision of the program: a conversion to float32 rounds nothing.
"""

import functools
import itertools
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import jax
import jax.numpy as jnp
import numpy as np

from jaxion.kernel.graph.nodes import Graph, Node
from jaxion.kernel.tracing import algebra, elementwise, indexing
from jaxion.kernel.tracing.arrays import Rule, UnknownPrimitive, as_nodes, chosen

LONGEST_LOOP: Final = 5_000
"""Operations that a loop with a known number of turns may become: these compile in 5 s, twice as many in 16 s, 17,000 in 45 s."""

_NOT_OF_USERS: Final = (str(Path(__file__).parents[1]), str(Path(functools.__file__).parent))
"""Folders of this package and of Python's own library."""

Calls = tuple[Any, ...]
"""Equations of jaxprs: each calls the function that the next is part of."""


def trace(function: Callable[..., Any], graph: Graph, *args: Sequence[Node] | Node) -> list[Node]:
    """Nodes of the outputs of `function`, called with numbers (nodes) and vectors (sequences of nodes).

    Args:
        function: Plain JAX, from numbers and vectors to a vector or number.
        graph: Where new nodes are made.
        *args: Nodes for each argument.

    Raises:
        UnknownPrimitive: The function uses a primitive that has no rule; it says where.
    """
    arrays = [np.array(arg, dtype=object) for arg in args]
    shapes = [jax.ShapeDtypeStruct(array.shape, jnp.result_type(float)) for array in arrays]
    closed = jax.make_jaxpr(function)(*shapes)
    outputs = _run(graph, closed.jaxpr, closed.consts, arrays)
    return [node for out in outputs for node in as_nodes(graph, out).ravel()]


def _run(graph: Graph, jaxpr: Any, consts: Sequence[Any], args: Sequence[Any], calls: Calls = ()) -> list[Any]:
    """Outputs of a jaxpr that is called by equations of others; every value is an object array of nodes, or a NumPy array that is known."""
    values: dict[Any, Any] = {}

    def read(atom: Any) -> Any:
        return _concrete(atom.val) if hasattr(atom, "val") else values[atom]

    values |= dict(zip(jaxpr.constvars, map(_concrete, consts), strict=True))
    values |= dict(zip(jaxpr.invars, args, strict=True))
    for eqn in jaxpr.eqns:
        try:
            outputs = _apply(graph, eqn, [read(atom) for atom in eqn.invars], (*calls, eqn))
        except UnknownPrimitive as unknown:
            raise unknown if unknown.where else UnknownPrimitive(unknown.name, _where((*calls, eqn))) from None
        values |= dict(zip(eqn.outvars, outputs, strict=True))
    return [read(atom) for atom in jaxpr.outvars]


def _apply(graph: Graph, eqn: Any, inputs: list[Any], calls: Calls) -> list[Any]:
    name = eqn.primitive.name
    if name in CALLS:
        return _run_closed(graph, CALLS[name](eqn), inputs, calls)
    if not any(value.dtype == object for value in inputs):
        return _known(eqn, inputs)
    if name in CONTROL:
        return CONTROL[name](graph, eqn.params, inputs, calls)
    if name not in RULES:
        raise UnknownPrimitive(name)
    return RULES[name](graph, eqn, inputs)


def _run_closed(graph: Graph, closed: Any, inputs: Sequence[Any], calls: Calls) -> list[Any]:
    """As `_run`, of a jaxpr that may come with its constants."""
    return _run(graph, getattr(closed, "jaxpr", closed), getattr(closed, "consts", ()), inputs, calls)


def _known(eqn: Any, inputs: list[Any]) -> list[Any]:
    # A graph may be built while JAX traces something else.
    with jax.ensure_compile_time_eval():
        outputs = eqn.primitive.bind(*(jnp.asarray(value) for value in inputs), **eqn.params)
    return [_concrete(out) for out in (outputs if eqn.primitive.multiple_results else [outputs])]


def _concrete(value: Any) -> Any:
    """A known value as a NumPy array; keys of random numbers have none and stay as they are."""
    return value if jnp.issubdtype(jnp.result_type(value), jax.dtypes.extended) else np.asarray(value)


def _where(calls: Calls) -> str | None:
    """File and line in the user's code that the last of several equations comes from; in a library's where that is the user's function."""
    where = None
    for eqn in calls:
        traceback = eqn.source_info.traceback
        # Beyond this file are those who asked for the graph.
        inside = itertools.takewhile(lambda frame: frame.file_name != __file__, traceback.frames if traceback else ())
        files = [(Path(frame.file_name).as_posix(), f"{frame.file_name}, line {frame.line_num}") for frame in inside]
        of_user = [place for file, place in files if "-packages/" not in file and not file.startswith(_NOT_OF_USERS)]
        # JAX traces a function once for all its callers: where another one called it says nothing.
        if of_user and (where is None or where in of_user):
            where = of_user[0]
        elif where is None:
            where = next((place for file, place in files if "-packages/jax/" not in file), None)
    return where


def _expanded(eqn: Any) -> Any:
    """What newer versions of JAX keep as one operation until they compile, such as a search in a sorted array."""
    shapes = [jax.ShapeDtypeStruct(atom.aval.shape, atom.aval.dtype) for atom in eqn.invars]
    return jax.make_jaxpr(lambda *args: eqn.primitive.to_lojax(*args, **eqn.params))(*shapes)


def _wrapped(eqn: Any) -> Any:
    return next(eqn.params[key] for key in ("jaxpr", "call_jaxpr", "fun_jaxpr") if key in eqn.params)


CALLS: Final[Mapping[str, Callable[[Any], Any]]] = {
    **dict.fromkeys(("jit", "remat2", "custom_jvp_call", "custom_vjp_call"), _wrapped),
    "call_hi_primitive": _expanded,
}
"""Primitives that only wrap a function, which is what they mean here."""


def _scan(graph: Graph, params: Mapping[str, Any], inputs: list[np.ndarray], calls: Calls) -> list[np.ndarray]:
    turns = params["length"]
    if "ft_in" in params:
        # JAX 0.11 and later group the arguments: constants, what is carried, sequences.
        consts, carries = (len(list(group)) for group in params["ft_in"].unpack()[:2])
    else:
        consts, carries = params["num_consts"], params["num_carry"]
    fixed, carry, sequences = inputs[:consts], inputs[consts : consts + carries], inputs[consts + carries :]
    collected, begun = [], graph.size
    if turns > LONGEST_LOOP:
        raise UnknownPrimitive(f"scan of {turns} turns, which becomes more than {LONGEST_LOOP:,} operations")
    for turn in reversed(range(turns)) if params["reverse"] else range(turns):
        outputs = _run_closed(graph, params["jaxpr"], [*fixed, *carry, *(np.asarray(sequence[turn]) for sequence in sequences)], calls)
        carry = outputs[:carries]
        collected.append(outputs[carries:])
        _check_length(graph, begun, f"scan of {turns} turns")
    if params["reverse"]:
        collected.reverse()
    return [*carry, *(np.stack([as_nodes(graph, out) for out in series]) for series in zip(*collected, strict=True))]


def _while(graph: Graph, params: Mapping[str, Any], inputs: list[np.ndarray], calls: Calls) -> list[np.ndarray]:
    """A loop whose condition can be told while it is traced, turn by turn."""
    tests, bodies = params["cond_nconsts"], params["body_nconsts"]
    tested, fixed, carry = inputs[:tests], inputs[tests : tests + bodies], inputs[tests + bodies :]
    begun = graph.size
    while True:
        (more,) = _run_closed(graph, params["cond_jaxpr"], [*tested, *carry], calls)
        if more.dtype == object:
            raise UnknownPrimitive("while, with a number of turns that depends on the state or on parameters")
        if not more:
            return carry
        carry = _run_closed(graph, params["body_jaxpr"], [*fixed, *carry], calls)
        # A turn counts as an operation, too: it may add none to the graph.
        begun -= 1
        _check_length(graph, begun, "while")


def _check_length(graph: Graph, begun: int, what: str) -> None:
    if graph.size - begun > LONGEST_LOOP:
        raise UnknownPrimitive(f"{what}, which becomes more than {LONGEST_LOOP:,} operations")


def _cond(graph: Graph, params: Mapping[str, Any], inputs: list[np.ndarray], calls: Calls) -> list[np.ndarray]:
    """All branches, of which one is chosen."""
    index, *operands = inputs
    branches = params["branches"]
    if index.dtype != object:
        return _run_closed(graph, branches[int(np.clip(index, 0, len(branches) - 1))], operands, calls)
    ended = [[as_nodes(graph, out) for out in _run_closed(graph, branch, operands, calls)] for branch in branches]
    return [chosen(graph, index.item(), list(cases)) for cases in zip(*ended, strict=True)]


def _linear_solve(graph: Graph, params: Mapping[str, Any], inputs: list[np.ndarray], calls: Calls) -> list[np.ndarray]:
    """Solution of a linear system, by elimination of its own: the one that JAX would use hides its matrix from derivatives."""
    lengths = params["const_lengths"]
    first = sum(lengths)
    fixed, right = inputs[: lengths.matvec], [as_nodes(graph, value) for value in inputs[first:]]

    def product(vector: list[Node]) -> list[Node]:
        parts = np.split(np.array(vector, dtype=object), np.cumsum([b.size for b in right])[:-1])
        given = [part.reshape(b.shape) for part, b in zip(parts, right, strict=True)]
        return [
            node for out in _run_closed(graph, params["jaxprs"].matvec, [*fixed, *given], calls) for node in as_nodes(graph, out).ravel()
        ]

    solution = algebra.solved(graph, product, [node for b in right for node in b.ravel()])
    parts = np.split(np.array(solution, dtype=object), np.cumsum([b.size for b in right])[:-1])
    return [part.reshape(b.shape) for part, b in zip(parts, right, strict=True)]


CONTROL: Final[Mapping[str, Callable[..., list[np.ndarray]]]] = {
    "scan": _scan,
    "while": _while,
    "cond": _cond,
    "custom_linear_solve": _linear_solve,
}
"""Primitives that are made of functions: what they do with them."""

RULES: Final[Mapping[str, Rule]] = {**elementwise.RULES, **indexing.RULES, **algebra.RULES}
"""What every other primitive does to arrays of nodes."""
