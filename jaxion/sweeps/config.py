"""The sweep file: a population, and what is asked of it, in TOML."""

import contextlib
import dataclasses
import json
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from jaxion import protocols
from jaxion.errors import ConfigError, JaxionError, StoreError
from jaxion.model import Model
from jaxion.model_loading import load_model
from jaxion.paths import check_settable, lookup, replace
from jaxion.populations import Factor, LogNormal, Normal, Population, Uniform
from jaxion.sweeps.chunks import Plan, plan
from jaxion.sweeps.runs import Run, check_run
from jaxion.sweeps.variables import check_request
from jaxion.transients import parse_measures
from jaxion.units import quantity


@dataclasses.dataclass(frozen=True, eq=False)
class SweepConfig:
    """A sweep file whose keys have been checked; its paths are checked when the model is built.

    Attributes:
        tables: Its tables (`jaxion.sweeps.schema.Tables`).
        text: Its text.
        file: Where it was read; a model's file is found relative to its folder.
    """

    tables: Any
    text: str
    file: Path

    def model(self) -> Model:
        """The model that the population is built around."""
        table = self.tables.model
        name, folder = table.name or table.file, self.file.parent
        with self._key("model"):
            model = load_model(name, table.args, folder=folder)
        for path, value in table.set.items():
            with self._key("model", "set", path):
                replace(model, {path: value})
        # All at once: a volume takes the impermeants along, unless they are given as well.
        return replace(model, table.set)

    def population(self) -> Population:
        """The population."""
        model, cells, varied = self.model(), self.tables.cells, {}
        for path, entry in cells.vary.items():
            with self._key("cells", "vary", path):
                (kind,) = entry.model_fields_set
                varied[path] = _varied(kind, getattr(entry, kind), check_settable(model, path).unit, path)
        with self._key("cells"):
            if cells.design == "sample":
                pairs = None if cells.correlation is None else {(a, b): r for a, b, r in cells.correlation}
                return Population.sample(model, varied, cells.size, cells.seed, pairs)
            found = Population.grid(model, varied)
            if cells.size not in (None, len(found)):
                raise ValueError(f"`size` is {cells.size}, but the values of the grid make {len(found)} cells: leave it out.")
            return found

    def plan(self, chunk: int | None = None) -> Plan:
        """What is computed, and in which chunks; `chunk` takes the place of the file's."""
        cells, table = self.population(), self.tables.sensitivity
        run = self.run(cells.base)
        if table is None:
            request = check_request(cells.base, run=run)
        else:
            for key, names, find in (("of", table.of, lookup), ("wrt", table.wrt, check_settable)):
                with self._key("sensitivity", key):
                    for path in names:
                        find(cells.base, path)
            with self._key("sensitivity"):
                request = check_request(cells.base, table.of, table.wrt, run)
        return plan(cells, request, self.tables.run.chunk if chunk is None else chunk)

    def run(self, model: Model) -> Run | None:
        """The protocol that every cell goes through, and what is kept of it; None for set-points only."""
        table, file = self.tables.run, str(self.file)
        protocol = table.protocol
        if protocol is not None and not isinstance(protocol, str):
            protocol = protocols.parse(protocol, file, "run.protocol")
        measures = None if self.tables.measure is None else parse_measures(self.tables.measure, file)
        with self._key("run"):
            return check_run(model, protocol, measures, table.save, table.paths, table.start, table.rtol)

    @contextlib.contextmanager
    def _key(self, *parts: str) -> Iterator[None]:
        """Name the file and the key in any mistake that is found meanwhile."""
        from jaxion.sweeps.schema import key_text

        try:
            yield
        except (JaxionError, ValueError) as error:
            raise ConfigError(f"`{self.file}`, key `{key_text(parts)}`: {error}") from error


def read_config(path: Path | str) -> SweepConfig:
    """Read a sweep file and check its keys.

    Args:
        path: A TOML file.

    Raises:
        ConfigError: The file cannot be read, or a key or value in it is wrong; the message names the key.
    """
    file = Path(path)
    try:
        text = file.read_bytes().decode()
    except OSError as error:
        raise ConfigError(f"The sweep file `{file}` cannot be read ({error.strerror}).") from None
    except UnicodeDecodeError:
        raise ConfigError(f"The sweep file `{file}` is no text in UTF-8.") from None
    return parse(text, file)


def stored_config(attrs: Mapping[str, Any]) -> SweepConfig | None:
    """The sweep file whose text is in the attributes of a store; None if there is none."""
    if "config" not in attrs:
        return None
    try:
        file = Path(json.loads(attrs["provenance"])["config_file"])
    except (KeyError, TypeError, ValueError):
        raise StoreError("The attributes of the store are damaged: they do not say where its sweep file was.") from None
    return parse(attrs["config"], file)


def parse(text: str, file: Path) -> SweepConfig:
    """Check the text of a sweep file; `file` is where it is from."""
    from jaxion.sweeps.schema import check

    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"`{file}` is no valid TOML: {error}.") from None
    return SweepConfig(check(data, str(file)), text, file)


def _varied(kind: str, given: Any, unit: str, path: str) -> Any:
    """Distribution, or values on a grid, of one path."""
    makers = {
        "lognormal": lambda cv: LogNormal(cv),
        "normal": Normal,
        "uniform": lambda ends: Uniform(*ends),
        "factor": lambda ends: Factor(*ends),
    }
    if kind in makers:
        return makers[kind](given)
    if kind == "values":
        return given
    first, last = (quantity(end, unit, path) if isinstance(end, str) else end for end in given[:2])
    if kind == "linspace":
        return np.linspace(first, last, given[2])
    if first * last <= 0:
        raise ValueError(f"`logspace` needs two ends of one sign, neither of them zero, but they are {first:g} and {last:g}.")
    return np.geomspace(first, last, given[2])
