"""The fit file: a model, what was measured, what is free, and how to search, in TOML.

```toml
[model]
name = "duesterwald2018"        # or file = "my.py:neuron", function = "my.py:hill", mechanism = "NaKATPaseKager"
args = { g_KCC2 = 20.0 }        # arguments of the model's function or of the mechanism
set  = { "bath.K" = "4 mM" }

[[experiment]]                  # one or several, which share the free parameters
data = "recording.csv"          # with units in its header; or a table { "neuron.V" = -70.0, "neuron.Na" = [14.1, 13.8] }
protocol = [ { block = ["neuron.nka", 1.0], duration = 60 } ]   # none for values at rest and for tables
start = "setpoint"
set = { "bath.K" = "8 mM" }     # what is different in this experiment
noise = { "neuron.V" = 1.0, "neuron.Na" = { relative = 0.1, floor = 0.2 } }     # "estimated", { student = 1, df = 4 }, { huber = 1 }
scale = ["neuron.Na"]           # unknown factor and offset of a channel
offset = ["neuron.Na"]
at = { "outside.K" = 5.4 }      # conditions of a mechanism's table

[population]                    # instead of experiments: how parameters differ between measured cells, as `fit_population` finds it
data = "cells.csv"              # a row a cell; or { cells = 24, mean = { "neuron.V" = -70.0 }, sd = { "neuron.V" = 3.0 }, correlation = [] }
vary = { "neuron.kcc2.g" = { lognormal = 0.3 }, "neuron.z" = { normal = 0.05 } }
correlated = true               # or the paths that may be: ["neuron.kcc2.g"]
noise = { "neuron.V" = 1.0 }    # error of a measurement
cells = 2000                    # simulated

[free]                          # of a population only what is not as usual, such as "cv(neuron.kcc2.g)" = { fixed = 0.3 }
"neuron.nka.v_max" = "positive"         # { positive = 60.0, prior = { lognormal = 0.5 } }, "unbounded", { interval = [0, 1], start = 0.5 }
"neuron.leak_K.g" = { tied = "neuron.nka.v_max" }                               # { fixed = 0.5 }

[fit]
method = "lm"                   # or lbfgs; or adam, adamw, sgd, rmsprop with rate and clip
steps = 200
starts = 16
seed = 0
spread = 1.0
patience = 50
profile = true                  # profile likelihoods as well
```
"""

import contextlib
import dataclasses
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from jaxion import mechanisms, protocols
from jaxion.errors import ConfigError, JaxionError, nearest
from jaxion.fits.data.recordings import Recording
from jaxion.fits.files import forms
from jaxion.fits.populations.population_fit import PopulationFit, fit_population
from jaxion.fits.problem import FitProblem
from jaxion.fits.search import fit
from jaxion.fits.uncertainty.profiles import Profile, profile
from jaxion.fits.uncertainty.result import Fit
from jaxion.model import Model
from jaxion.model_loading import load_function, load_model
from jaxion.paths import replace

_TABLES: Final = ("model", "experiment", "population", "free", "fit")
_MODEL: Final = ("name", "file", "function", "mechanism", "args", "set")
_EXPERIMENT: Final = ("data", "protocol", "start", "set", "noise", "scale", "offset", "at", "rtol", "max_steps")
_POPULATION: Final = ("data", "vary", "correlated", "noise", "cells")
_FIT: Final = ("method", "rate", "clip", "steps", "starts", "seed", "spread", "patience", "profile")
_WHOLE: Final = ("steps", "starts", "seed", "patience")


@dataclasses.dataclass(frozen=True, eq=False)
class FitConfig:
    """A fit file whose tables and keys have been checked.

    Attributes:
        tables: Its tables.
        file: Where it was read; other files are found relative to its folder.
    """

    tables: dict[str, Any]
    file: Path

    def problem(self) -> FitProblem:
        """The problem, all experiments together."""
        model, parts = self._model(), []
        experiments = self.tables["experiment"]
        for i, table in enumerate(experiments if isinstance(experiments, list) else [experiments]):
            parts.append(self._experiment(model, table, f"experiment[{i}]" if isinstance(experiments, list) else "experiment"))
        with self._key("experiment"):
            return parts[0] if len(parts) == 1 else FitProblem.join(*parts)

    def run(self, checkpoint: Path | None = None, progress: bool | None = False) -> tuple[Fit | PopulationFit, Profile | None]:
        """The fit, and the profiles if the file asks for them.

        Args:
            checkpoint: As in `fit`.
            progress: As in `fit`.
        """
        optimiser, options, wanted = self._search()
        options |= {"checkpoint": checkpoint, "progress": progress}
        if "population" in self.tables:
            found = self._population(optimiser, options)
            best = found.fit
        else:
            problem = self.problem()
            with self._key("fit"):
                found = best = fit(problem, optimiser, throw=False, **options)
        return found, profile(best) if wanted and best.loss == best.loss else None

    def _search(self) -> tuple[Any, dict[str, Any], bool]:
        """Optimiser, other arguments of `fit`, and whether profiles are wanted."""
        table = self._checked("fit", self.tables.get("fit", {}), _FIT)
        for key in _WHOLE:
            if key in table and (isinstance(table[key], bool) or not isinstance(table[key], int)):
                raise self._refuse(f"fit.{key}")(f"must be a whole number, but it is `{table[key]}`.")
        if not isinstance(table.get("profile", False), bool):
            raise self._refuse("fit.profile")(f"must be true or false, but it is `{table['profile']}`.")
        optimiser = forms.optimiser(table, lambda key, text: self._refuse(f"fit.{key}")(text))
        options = {key: table[key] for key in (*_WHOLE, "spread") if key in table}
        if optimiser is None:
            options["method"] = table.get("method", "lm")
        return optimiser, options, table.get("profile", False)

    def _population(self, optimiser: Any, options: dict[str, Any]) -> PopulationFit:
        model, table = self._model(), self._checked("population", self.tables["population"], _POPULATION)
        for key in ("data", "vary"):
            if key not in table:
                raise self._refuse(f"population.{key}")("is missing.")
        data = table["data"]
        if isinstance(data, dict) and "cells" in data:
            measured = forms.summary(data, self._refuse("population.data"))
        else:
            with self._key("population.data"):
                measured = self._recording(data)
        vary = {path: forms.distribution(form, self._refuse(f'population.vary."{path}"')) for path, form in table["vary"].items()}
        rest = {key: table[key] for key in ("correlated", "noise", "cells") if key in table}
        with self._key("population"):
            return fit_population(model, vary, measured, optimiser, free=self._free(), throw=False, **rest, **options)

    def _recording(self, data: Any) -> Recording:
        return Recording.read(self.file.parent / data) if isinstance(data, str) else Recording(data)

    def _free(self) -> dict[str, Any]:
        given = self.tables.get("free", {})
        return {path: forms.transform(form, self._refuse(f'free."{path}"')) for path, form in self._checked("free", given, given).items()}

    def _model(self) -> Any:
        table = self._checked("model", self.tables["model"], _MODEL)
        kinds = [kind for kind in ("name", "file", "function", "mechanism") if kind in table]
        if len(kinds) != 1:
            raise self._refuse("model")("must hold exactly one of `name`, `file`, `function` and `mechanism`.")
        (kind,), args, folder = kinds, table.get("args", {}), self.file.parent
        if "set" in table and kind in ("function", "mechanism"):
            raise self._refuse("model.set")(f"goes with a model, not with a {kind}: give `args`.")
        with self._key(f"model.{kind}"):
            if kind == "function":
                return load_function(table[kind], folder)
            if kind == "mechanism":
                return _mechanism(table[kind], args)
            return load_model(table[kind], args, table.get("set"), folder)

    def _experiment(self, model: Any, given: Any, where: str) -> FitProblem:
        table = self._checked(where, given, _EXPERIMENT)
        if "data" not in table:
            raise self._refuse(f"{where}.data")("is missing: it is a CSV file, or a table of values.")
        data, protocol = table["data"], table.get("protocol")
        with self._key(f"{where}.data"):
            recording = self._recording(data)
        if "set" in table:
            with self._key(f"{where}.set"):
                if not isinstance(model, Model):
                    raise ValueError("Only a model has paths that could be set; give conditions by `at`.")
                model = replace(model, table["set"])
        if protocol is not None and not isinstance(protocol, str):
            protocol = protocols.parse(protocol, str(self.file), f"{where}.protocol")
        noise = {}
        for path, form in table.get("noise", {}).items():
            noise[path] = forms.noise(form, self._refuse(f'{where}.noise."{path}"'))
        options = {key: table[key] for key in ("start", "scale", "offset", "at", "rtol", "max_steps") if key in table}
        with self._key(where):
            return FitProblem(model, protocol, recording, self._free(), noise, **options)

    def _checked(self, where: str, given: Any, allowed: Any) -> dict[str, Any]:
        return forms.check_keys(given, allowed, self._refuse(where))

    def _refuse(self, key: str) -> forms.Refuse:
        return lambda text: ConfigError(f"`{self.file}`, key `{key}` {text}")

    @contextlib.contextmanager
    def _key(self, key: str) -> Iterator[None]:
        """Name the file and the key in any mistake that is found meanwhile."""
        try:
            yield
        except ConfigError as error:
            raise ConfigError(str(error) if str(self.file) in str(error) else f"`{self.file}`, key `{key}`: {error}") from error
        except (JaxionError, ValueError) as error:
            raise ConfigError(f"`{self.file}`, key `{key}`: {error}") from error


def read_config(path: Path | str) -> FitConfig:
    """Read a fit file and check its tables.

    Args:
        path: A TOML file.

    Raises:
        ConfigError: The file cannot be read, or a table is missing or not known.
    """
    file = Path(path)
    try:
        data = tomllib.loads(file.read_bytes().decode())
    except OSError as error:
        raise ConfigError(f"The fit file `{file}` cannot be read ({error.strerror}).") from None
    except UnicodeDecodeError:
        raise ConfigError(f"The fit file `{file}` is no text in UTF-8.") from None
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"`{file}` is no valid TOML: {error}.") from None
    for name in data:
        if name not in _TABLES:
            raise ConfigError(f"`{file}`, key `{name}` is not known; a fit file takes {', '.join(_TABLES)}.{nearest(name, _TABLES)}")
    if "population" in data and "experiment" in data:
        raise ConfigError(f"`{file}` must have either `experiment` or `population`, but it has both.")
    for name in ("model", "population") if "population" in data else ("model", "experiment", "free"):
        if not data.get(name):
            raise ConfigError(f"`{file}`, key `{name}` is missing.")
    return FitConfig(data, file)


def _mechanism(name: str, args: dict[str, Any]) -> Any:
    known = {key: value for key, value in vars(mechanisms).items() if isinstance(value, type) and key in mechanisms.__all__}
    if name not in known:
        raise ConfigError(f"No mechanism `{name}`; `jaxion list mechanisms` shows those there are.{nearest(str(name), known)}")
    try:
        return known[name](**args)
    except TypeError as error:
        raise ConfigError(f"Mechanism `{name}` refuses its arguments: {error}.") from None
