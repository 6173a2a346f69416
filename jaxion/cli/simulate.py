"""`jaxion simulate MODEL --protocol FILE|NAME`: one cell through a protocol."""

import sys
import tomllib
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any

from tyro.conf import UseAppendAction, arg

import jaxion
from jaxion import protocols
from jaxion.cli.arguments import Args, Json, Lowering, ModelName, Sets, build, names, pairs
from jaxion.cli.courses import PROTOCOL, find_start, read_protocol, start_from
from jaxion.cli.exits import DONE, SOME_FAILED
from jaxion.cli.output import print_json
from jaxion.cli.trajectories import check_place, write
from jaxion.errors import ConfigError, Status
from jaxion.model import Model
from jaxion.paths import lookup, state_paths
from jaxion.transients import parse_measures


def simulate(
    model: ModelName,
    /,
    protocol: Annotated[str, PROTOCOL],
    args: Args = (),
    sets: Sets = (),
    start: Annotated[UseAppendAction[tuple[str, ...]], start_from("baseline")] = (),
    save: Annotated[str | None, arg(metavar="T0:T1:N", help="times that are saved, s; default 501 over the whole protocol")] = None,
    paths: Annotated[str | None, arg(metavar="PATH,…", help="paths that are saved; default potentials, concentrations, volumes")] = None,
    measures: Annotated[
        UseAppendAction[tuple[str, ...]],
        arg(name="measure", metavar="NAME=MEASURE", help="""such as 't_depol={ crossing = "neuron.V", level = -40 }'"""),
    ] = (),
    rtol: Annotated[float, arg(help="relative tolerance of the integration")] = 1e-6,
    lowering: Lowering = "auto",
    out: Annotated[Path | None, arg(metavar="FILE.zarr|.csv", help="file for the saved paths; it must not exist yet")] = None,
    plot: Annotated[Path | None, arg(metavar="FILE.png", help="file for a figure")] = None,
    json: Json = False,
) -> int:
    """What a protocol makes of one cell: measures, the course of every path, a figure."""
    if out is not None:
        check_place(out)
    built = build(model, args, sets)
    given, measured = read_protocol(built, protocol)
    measured |= _measures(measures)
    drive = protocols.resolve(given, built)
    if drive.edges.ndim > 1 or drive.value.ndim > 2:
        raise ConfigError("A protocol for one cell must hold single numbers, but one of its numbers is a list.")
    times = f"0:{float(drive.edges[-1])!r}:501" if save is None else save
    shown = _shown(built) if paths is None else names(paths)
    for path in shown:
        lookup(drive.model, path)
    solution = jaxion.solve(
        built,
        given,
        start=find_start(built, start, lowering, "baseline"),
        save=times,
        measure=measured or _standard(built),
        rtol=rtol,
        throw=False,
        lowering=lowering,
    )
    status = Status(int(solution.status))
    saved = solution.read(shown)
    if json:
        print_json({"status": status.name, "measures": solution.measures, "save": {"t": solution.t, **saved}})
    else:
        print(solution)
    written = []
    if out is not None:
        written.append(write(out, solution, saved, given))
    if plot is not None:
        jaxion.plot(solution, plot)
        written.append(plot)
    if written and not json:
        print(f"Written: {', '.join(map(str, written))}")
    if status is not Status.ok:
        print(f"jaxion: 1 of 1 cells failed: {status.name}. {status.advice}", file=sys.stderr)
        return SOME_FAILED
    return DONE


def _measures(given: Iterable[str]) -> dict[str, Any]:
    """Measures of the command line; their values are written as in a file, but a single word needs no quotes."""
    table = {}
    for name, text in pairs("measure", given).items():
        try:
            table[name] = text if text.isidentifier() else tomllib.loads(f"value = {text}")["value"]
        except tomllib.TOMLDecodeError:
            example = '{ crossing = "neuron.V", level = -40 }'
            raise ConfigError(
                f"Option `--measure` must be given as NAME=MEASURE, such as t_depol={example}, but it is `{name}={text}`."
            ) from None
    return parse_measures(table, "--measure")


def _standard(model: Model) -> dict[str, Any]:
    """The state at the end, and the extremes of potentials and volumes."""
    s = model.structure
    found: dict[str, Any] = {"end": jaxion.final()}
    found |= {f"max.{path}": jaxion.maximum(path) for path in (*s.potentials, *s.volumes)}
    return found | {f"min.{path}": jaxion.minimum(path) for path in s.potentials}


def _shown(model: Model) -> tuple[str, ...]:
    """The whole state, and the Nernst potentials."""
    reversals = [path.name for path in jaxion.paths(model) if path.kind == "derived" and path.name.split(".")[-1].startswith("E_")]
    return (*state_paths(model), *reversals)
