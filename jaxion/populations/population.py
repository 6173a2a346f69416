"""Population: the cells of a sweep, built a slice at a time."""

import dataclasses
import functools
import hashlib
import json
from collections.abc import Mapping
from typing import Any

import jax
import numpy as np

from jaxion.mechanisms.base import AbstractMechanism
from jaxion.model import Model
from jaxion.paths import replace
from jaxion.populations import designs
from jaxion.populations.designs import Design, Table


class Population:
    """A model and a design of what varies in it: `len(cells)` cells, of which any slice can be built.

    Made by `Population.grid` or `Population.sample`. A cell is the same whatever the slice it is built in.

    Args:
        base: Model of one cell; paths that do not vary keep its values.
        design: Which values the varied paths take in which cell.

    Attributes:
        base: Model of one cell.
        design: The design.

    Example:
        >>> import jaxion
        >>> model = jaxion.models.duesterwald2018()
        >>> cells = Population.grid(model, {"bath.K": ["3 mM", "8 mM"], "neuron.nka.activity": [0.5, 1.0, 2.0]})
        >>> len(cells), cells.table["bath.K"].tolist()
        (6, [3.0, 3.0, 3.0, 8.0, 8.0, 8.0])
        >>> cells.model(2, 4)["neuron.nka.activity"].tolist()
        [2.0, 0.5]
    """

    def __init__(self, base: Model, design: Design):
        designs.check_one_cell(base)
        self.base, self.design = base, design

    @classmethod
    def grid(cls, model: Model, values: Mapping[str, Any]) -> "Population":
        """Every combination of the values given for each path, the last path fastest.

        Args:
            model: Model of one cell.
            values: Values of each path, in its own unit or as strings such as `"8 mM"`.

        Raises:
            PathError: A path names nothing, or something that cannot vary.
            ValueError: No path or no value is given, or a value is outside its path's range.
            UnitError: The unit of a string does not fit.
        """
        return cls(model, designs.grid(model, values))

    @classmethod
    def sample(cls, model: Model, distributions: Mapping[str, Any], size: int, seed: int = 0, correlation: Any = None) -> "Population":
        """Draws of each path around its value in the model.

        Args:
            model: Model of one cell.
            distributions: `LogNormal`, `Normal`, `Uniform` or `Factor` of each path.
            size: Number of cells.
            seed: Draws depend on it, on the path and on the cell's number alone.
            correlation: Correlation of pairs of paths, such as `{("neuron.kcc2.g", "neuron.leak_K.g"): 0.5}`, or the whole matrix: that of
                the logarithms of log-normal paths, of the values of normal ones, and of the normal numbers behind the others. Default: none.

        Raises:
            PathError: A path names nothing, or something that cannot vary; a pair names a path that does not vary.
            ValueError: A draw is outside its path's range (path, cell and value are named), or an argument does not fit.
            UnitError: The unit of a string does not fit.
        """
        return cls(model, designs.sample(model, distributions, size, seed, correlation))

    def __len__(self) -> int:
        return self.design.size

    @property
    def paths(self) -> tuple[str, ...]:
        """Paths that vary, in the order of the design."""
        return self.design.paths

    def values(self, i0: int = 0, i1: int | None = None) -> Table:
        """Values of the varied paths in the cells i0…i1, by path, each of shape `(i1 − i0,)`."""
        i1 = len(self) if i1 is None else i1
        if not 0 <= i0 < i1 <= len(self):
            raise IndexError(f"Cells {i0} to {i1} are not a slice of a population of {len(self)}.")
        return self.design.values(i0, i1)

    @functools.cached_property
    def table(self) -> Table:
        """Values of the varied paths in all cells, by path."""
        return self.values()

    def model(self, i0: int = 0, i1: int | None = None) -> Model:
        """Model of the cells i0…i1: what varies has the shape `(i1 − i0,)`, all else `()`."""
        return self.build(self.values(i0, i1))

    def build(self, values: Table) -> Model:
        """Model of cells with these values of the varied paths, each of shape `(cells,)`."""
        return replace(self.base, values)

    @functools.cached_property
    def axes(self) -> Model:
        """Tree for `jax.vmap(f, in_axes=(cells.axes,))`: 0 at the leaves that vary, None at the others."""
        # From a model that was built: a varied volume also makes the amount of impermeants vary.
        return jax.tree.map(lambda leaf: 0 if leaf.ndim else None, self.model(0, 1))

    @functools.cached_property
    def fingerprint(self) -> str:
        """SHA-256 of everything that the cells' numbers depend on: the model's structure and values, and the design."""
        leaves, _ = jax.tree_util.tree_flatten_with_path(self.base)
        kinds = [(boundary.inside, {key: _kind(m) for key, m in boundary.mechanisms.items()}) for boundary in self.base.boundaries]
        special = [(m.silent, m.laws) for m in self.base.membranes.values()] + [link.laws for link in self.base.links.values()]
        digest = hashlib.sha256(repr((self.base.name, self.base.closure, self.base.gates, self.base.structure, kinds, special)).encode())
        digest.update(json.dumps(self.design.record()).encode())
        for place, leaf in leaves:
            digest.update(jax.tree_util.keystr(place).encode() + np.asarray(leaf).tobytes())
        return digest.hexdigest()

    def __str__(self) -> str:
        """The number of cells, and one line a path."""
        cells = "1 cell" if len(self) == 1 else f"{len(self):,} cells"
        return f"Population of {cells} of {self.base.name}: {self.design}"


def _kind(mechanism: AbstractMechanism) -> tuple[str, dict[str, str]]:
    """Class of a mechanism, and those of its fields that are no numbers."""
    static = {f.name: getattr(mechanism, f.name) for f in dataclasses.fields(mechanism) if f.metadata.get("static")}
    # The text of a function would hold its address, which differs between processes.
    return type(mechanism).__qualname__, {name: getattr(value, "__qualname__", repr(value)) for name, value in static.items()}
