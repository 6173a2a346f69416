"""Every wrong input of the core is refused where it is given, with a sentence that says what would be right."""

from collections.abc import Callable, Mapping
from typing import Any

import jax.numpy as jnp
import numpy as np
import pytest

import jaxion
from jaxion import Bath, Compartment, ConservationError, Cycle, Membrane, Model, PathError, UnitError
from jaxion.errors import JaxionError
from jaxion.ions import valence
from jaxion.mechanisms import KCC2, AbstractMechanism, Leak, NaKATPaseKager, Water
from jaxion.units import quantity

SALT = {"Na": 145.0, "K": 3.5, "Cl": 119.0}


@pytest.fixture(scope="module")
def model() -> Model:
    return jaxion.models.duesterwald2018()


def cell(
    inside: Mapping[str, float] = SALT,
    bath: Mapping[str, float] = SALT,
    mechanisms: Mapping[str, AbstractMechanism] | None = None,
    sides: tuple[str, str] = ("neuron", "bath"),
    more_baths: Mapping[str, Bath] | None = None,
    membranes: int = 1,
    closure: str = "state",
    **options: Any,
) -> Model:
    """A small cell, to be built with one thing wrong."""
    membrane = Membrane(*sides, mechanisms or {"kcc2": KCC2(0.1)}, C=10.0, **options)
    solutions = {"bath": Bath(bath), **(more_baths or {})}
    return Model({"neuron": Compartment(inside, volume=1.0)}, solutions, [membrane] * membranes, closure=closure)


def refused(call: Callable[[], Any], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message) as refusal:
        call()
    text = str(refusal.value)
    assert text.endswith((".", "?")), "The message is no sentence."
    assert "\n" not in text


# Paths

UNKNOWN = [
    ("neuron.nka.vmax", "`neuron.nka.v_max`"),
    ("neuron.nka.v_mx", "`neuron.nka.v_max`"),
    ("neuron.kcc2.G", "`neuron.kcc2.g`"),
    ("neuron.kcc2.gg", "`neuron.kcc2.g`"),
    ("neuron.KCC2.g", "`neuron.kcc2.g`"),
    ("neuron.nkcc2.g", "`neuron.kcc2.g`"),
    ("bath.Cl2", "`bath.Cl`"),
    ("Bath.K", "`bath.K`"),
    ("bath.k", "`bath.K`"),
    ("nueron.Na", "`neuron.Na`"),
    ("neuron.na", "`neuron.Na`"),
    ("neuron.vol", "`neuron.volume`"),
    ("neuron.leak.Na.g", "`neuron.leak_Na.g`"),
    ("neuron.impermeants", "`neuron.impermeant`"),
    ("neuron.ECl", "`neuron.E_Cl`"),
]


@pytest.mark.parametrize(("path", "near"), UNKNOWN, ids=[path for path, _ in UNKNOWN])
def test_unknown_path_is_answered_with_the_nearest(model, path, near):
    message = rf"^No path `{path}` in model `duesterwald2018`\. Did you mean .*{near}"
    for call in (lambda: model[path], lambda: jaxion.replace(model, {path: 1.0})):
        refused(call, PathError, message)


@pytest.mark.parametrize("path", ["", ".", "neuron", "xyzzy.plugh", "neuron..Na", "neuron.Na ", " neuron.Na"])
def test_what_is_no_path_is_refused(model, path):
    for call in (lambda: model[path], lambda: jaxion.replace(model, {path: 1.0})):
        refused(call, PathError, r"^No path `")
    with pytest.raises(LookupError):
        model[path]


DERIVED = [
    "neuron.E_Cl",
    "neuron.DF_Cl",
    "neuron.n_Na",
    "neuron.X",
    "neuron.osmolarity",
    "neuron.nka.rate",
    "neuron.nka.I",
    "neuron.nka.J_Na",
]


@pytest.mark.parametrize("path", [*DERIVED, "neuron.nka.ATP"])
def test_derived_paths_can_be_read_but_not_set(model, path):
    assert np.isfinite(float(model[path]))
    refused(
        lambda: jaxion.replace(model, {path: 1.0}),
        PathError,
        rf"^`{path}` follows from the state of model `duesterwald2018` and cannot be set\.$",
    )
    refused(lambda: jaxion.setpoint(model, start={path: 1.0}), PathError, "follows from the state")


def test_balancing_ion_cannot_be_set(model):
    message = r"^`neuron\.K` balances the charge of `neuron` and cannot be set: it follows from the other ions, `neuron\.V`"
    refused(lambda: jaxion.replace(model, {"neuron.K": 120.0}), PathError, message)
    other = cell(mechanisms={"leak_Cl": Leak("Cl", 1.0)}, balance="Cl")
    refused(lambda: jaxion.replace(other, {"neuron.Cl": 10.0}), PathError, r"^`neuron\.Cl` balances")
    assert float(jaxion.replace(other, {"neuron.K": 120.0})["neuron.K"]) == 120.0


# Values

CELLS = np.array([1.0, 2.0, 3.0, 4.0])


def at(index: int, value: float) -> np.ndarray:
    values = CELLS.copy()
    values[index] = value
    return values


VALUES = [
    ({"bath.K": -1.0}, ValueError, r"^`bath\.K` must be positive, but it is -1 mM\.$"),
    ({"bath.K": 0.0}, ValueError, r"^`bath\.K` must be positive, but it is 0 mM\.$"),
    ({"neuron.Na": at(2, -0.5)}, ValueError, r"^`neuron\.Na` must be positive, but it is -0\.5 mM in cell 2\.$"),
    ({"neuron.Na": jnp.asarray(at(0, 0.0))}, ValueError, r"^`neuron\.Na` must be positive, but it is 0 mM in cell 0\.$"),
    ({"neuron.volume": -1.0}, ValueError, r"^`neuron\.volume` must be positive, but it is -1 pL\.$"),
    ({"neuron.C": 0.0}, ValueError, r"^`neuron\.C` must be positive, but it is 0 pF\.$"),
    ({"neuron.impermeant": -1.0}, ValueError, r"^`neuron\.impermeant` must not be negative, but it is -1 fmol\.$"),
    ({"neuron.nka.v_max": at(3, -2.0)}, ValueError, r"^`neuron\.nka\.v_max` must not be negative, but it is -2 fmol/s in cell 3\.$"),
    ({"neuron.nka.activity": -0.1}, ValueError, r"^`neuron\.nka\.activity` must not be negative, but it is -0\.1\.$"),
    ({"bath.K": float("nan")}, ValueError, r"^`bath\.K` must be positive, but it is nan mM\.$"),
    ({"bath.K": at(1, np.nan)}, ValueError, r"^`bath\.K` must be positive, but it is nan mM in cell 1\.$"),
    ({"neuron.z": float("inf")}, ValueError, r"^`neuron\.z` must be finite, but it is inf\.$"),
    ({"neuron.V": at(1, -np.inf)}, ValueError, r"^`neuron\.V` must be finite, but it is -inf mV in cell 1\.$"),
    ({"bath.K": np.ones((2, 2))}, ValueError, r"^`bath\.K` must be one number or one for each cell, but it has the shape \(2, 2\)\.$"),
    ({"bath.K": "8 mV"}, UnitError, r"^`bath\.K` is in mM, but `8 mV` is in mV: the units do not match\.$"),
    ({"neuron.V": "-70 mM"}, UnitError, r"^`neuron\.V` is in mV, but `-70 mM` is in mM"),
    ({"neuron.kcc2.g": "2 pS/cm2"}, UnitError, r"^`neuron\.kcc2\.g` is in nS, but `2 pS/cm2` is in pS/cm2"),
    ({"neuron.z": "1 mM"}, UnitError, r"^`neuron\.z` is a number without unit, but `1 mM` is in mM"),
    (
        {"bath.K": "eight"},
        UnitError,
        r"^Cannot read `eight` as a value of `bath\.K`; give a number, or a number and a unit such as `8 mM`\.$",
    ),
    ({"bath.K": ""}, UnitError, r"^Cannot read `` as a value of `bath\.K`"),
    ({"bath.K": "nan mM"}, UnitError, r"^Cannot read `nan mM`"),
    ({"bath.K": "-8 mM"}, ValueError, r"^`bath\.K` must be positive, but it is -8 mM\.$"),
    ({"bath.K": "1e999 mM"}, UnitError, r"^`bath\.K` must be finite, but `1e999 mM` is beyond the largest number\.$"),
]


@pytest.mark.parametrize(("values", "error", "message"), VALUES, ids=[next(iter(values)) for values, _, _ in VALUES])
def test_values_that_a_parameter_cannot_take_are_refused(model, values, error, message):
    refused(lambda: jaxion.replace(model, values), error, message)
    if next(iter(values)) in ("neuron.Na", "neuron.V", "neuron.volume"):
        refused(lambda: jaxion.setpoint(model, start=values), error, message)


def test_a_start_is_a_guess_of_the_state_and_not_a_parameter(model):
    refused(lambda: jaxion.setpoint(model, start={"bath.K": 8.0}), ValueError, r"first guess of the state, but `bath\.K` is a parameter")
    # Seen before any search: the second start of two is as wrong as the first.
    refused(lambda: jaxion.setpoint(model, start=[None, {"neuron.W": 8.0}]), PathError, r"No path `neuron\.W`")


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: Compartment({"Na": -5.0}, volume=1.0), r"^`Na` must be positive, but it is -5 mM\.$"),
        (lambda: Compartment({"Na": np.array([5.0, 0.0])}, volume=1.0), r"^`Na` must be positive, but it is 0 mM in cell 1\.$"),
        (lambda: Compartment({"Na": 5.0}, volume=0.0), r"^`volume` must be positive, but it is 0 pL\.$"),
        (lambda: Compartment({"Na": 5.0}, volume=1.0, impermeant=-1.0), r"^`impermeant` must not be negative, but it is -1 fmol\.$"),
        (lambda: Bath({"K": 0.0}), r"^`K` must be positive, but it is 0 mM\.$"),
    ],
)
def test_impossible_solutions_are_refused_where_they_are_made(call, message):
    refused(call, ValueError, message)


def test_one_wrong_value_among_right_ones_is_found(model):
    refused(lambda: jaxion.replace(model, {"bath.K": 4.0, "bath.Na": -1.0, "neuron.V": -60.0}), ValueError, r"`bath\.Na`")
    assert float(model["bath.K"]) == 3.5


@pytest.mark.parametrize("text", ["1e999 mM", "1e999", "-1e400 mM", "1e308 M"])
def test_quantity_beyond_the_largest_number_is_refused(text):
    refused(lambda: quantity(text, "mM", "bath.K"), UnitError, r"^`bath\.K` must be finite, but `.*` is beyond the largest number\.$")


@pytest.mark.parametrize("text", ["1e-999 mM", "1e308 mM", "1e-320"])
def test_quantity_at_the_edge_of_the_numbers_is_read(text):
    assert np.isfinite(quantity(text, "mM"))


def test_batches_of_different_size_are_refused(model):
    mixed = jaxion.replace(model, {"bath.K": np.full(3, 4.0), "bath.Na": np.full(4, 145.0)})
    message = r"^Every batch in model `duesterwald2018` must have the same number of cells, but there are 3 and 4\.$"
    refused(lambda: mixed.cells, ValueError, message)
    refused(lambda: jaxion.setpoint(mixed), ValueError, message)


@pytest.mark.parametrize("count", [0, 4, 6])
def test_state_with_another_number_of_rows_is_refused(model, count):
    message = rf"^Argument `state` must have 5 rows \(neuron\.n_Cl, .*, neuron\.V\), but it has {count}\.$"
    for call in (model.rhs, model.fluxes, model.unpack):
        refused(lambda call=call: call(jnp.ones(count)), ValueError, message)


# Cycles and construction

CONSTRUCTIONS = {
    "species of a cycle": (
        lambda: Cycle(outward={"Kalium": 1}),
        ConservationError,
        r"^Unknown species `Kalium`; known are Na, K, Cl,",
    ),
    "case of a species": (lambda: Cycle(inward={"cl": 1}), ConservationError, r"Did you mean `Cl`\?$"),
    "negative count": (
        lambda: Cycle(outward={"K": -1}),
        ConservationError,
        r"^Counts of a cycle must be whole and not negative, but `K` has -1\.$",
    ),
    "valence": (lambda: valence("Mg"), ConservationError, r"^Unknown species `Mg`"),
    "ion of a leak": (lambda: Leak("Chloride", 1.0), ConservationError, r"^Unknown species `Chloride`"),
    "ion of a compartment": (
        lambda: Compartment({"Nah": 1.0}, volume=1.0),
        ConservationError,
        r"^Unknown species `Nah`.*Did you mean `Na`\?$",
    ),
    "ion of a bath": (lambda: Bath({"k": 1.0}), ConservationError, r"^Unknown species `k`.*Did you mean `K`\?$"),
    "ion missing inside": (
        lambda: cell(inside={"Na": 10.0, "K": 140.0}),
        ConservationError,
        r"^Mechanism `neuron\.kcc2` \(KCC2\) moves Cl, but `neuron` has only K, Na\.$",
    ),
    "ion missing outside": (
        lambda: cell(bath={"Na": 10.0, "Cl": 140.0}),
        ConservationError,
        r"^Mechanism `neuron\.kcc2` \(KCC2\) moves K, but `bath` has only Cl, Na\.$",
    ),
    "ion missing of a pump": (
        lambda: cell(inside={"K": 140.0, "Cl": 5.0}, mechanisms={"nka": NaKATPaseKager(1.0)}),
        ConservationError,
        r"^Mechanism `neuron\.nka` \(NaKATPaseKager\) moves Na, but `neuron` has only Cl, K\.$",
    ),
    "balancing ion": (
        lambda: cell(inside={"Na": 10.0, "Cl": 5.0}, mechanisms={"leak_Na": Leak("Na", 1.0)}),
        ConservationError,
        r"^The ion `K` that balances the charge of `neuron` is not in it; it has Cl, Na\.$",
    ),
    "bath as inside": (
        lambda: cell(sides=("bath", "neuron")),
        ConservationError,
        r"^The inside of a membrane must be a compartment, but `bath` is a bath\.$",
    ),
    "both sides the same": (
        lambda: cell(sides=("neuron", "neuron")),
        ConservationError,
        r"^A membrane must lie between two solutions, but both of its sides are `neuron`\.$",
    ),
    "unknown inside": (
        lambda: cell(sides=("nueron", "bath")),
        ConservationError,
        r"names `nueron`, but the model has .* Did you mean `neuron`\?$",
    ),
    "unknown outside": (
        lambda: cell(sides=("neuron", "baths")),
        ConservationError,
        r"names `baths`, but the model has .* Did you mean `bath`\?$",
    ),
    "two membranes of one cell": (lambda: cell(membranes=2), ConservationError, r"^Two membranes have the same inside"),
    "one name for two": (
        lambda: cell(more_baths={"neuron": Bath(SALT)}),
        ConservationError,
        r"^A compartment and a bath bear the same name\.$",
    ),
    "area law": (
        lambda: cell(area="cylindre"),
        ValueError,
        r"^Argument `area` must be one of fixed, cylinder, sphere, volume, but it is `cylindre`\. Did you mean `cylinder`\?$",
    ),
    "law of a mechanism": (
        lambda: cell(laws={"kcc2": "area"}),
        ValueError,
        r"^Argument `laws\[kcc2\]` must be one of fixed, cylinder, sphere, volume, but it is `area`\.",
    ),
    "law of no mechanism": (
        lambda: jaxion.Link("ecs", "bath", {"exchange": jaxion.mechanisms.Exchange(P=1.0)}, laws={"exchang": "volume"}),
        ValueError,
        r"^Argument `laws` names `exchang`, which is no mechanism of this link\. Did you mean `exchange`\?$",
    ),
    "closure": (
        lambda: cell(closure="states"),
        ValueError,
        r"^Argument `closure` must be one of state, difference, electroneutral, as published, layered, but it is `states`\. Did you mean `state`\?$",
    ),
    "closure of a published model": (
        lambda: jaxion.models.aminzare_kay2024(closure="electro-neutral"),
        ValueError,
        r"it is `electro-neutral`\. Did you mean `electroneutral`\?$",
    ),
    "no nodes": (
        lambda: jaxion.models.halnes2013(nodes=0),
        ValueError,
        r"^Argument `nodes` must be a whole number of 1 or more, but it is 0\.$",
    ),
    "coupling of GAT": (
        lambda: jaxion.mechanisms.GAT(1.0, coupling="2Na"),
        ValueError,
        r"^Argument `coupling` must be one of 2Na:1Cl, 3Na:1Cl, but it is `2Na`\. Did you mean `2Na:1Cl`\?$",
    ),
    "silent mechanism": (
        lambda: cell(silent=("kcc",)),
        ValueError,
        r"^Argument `silent` names `kcc`, which is no mechanism of this membrane\. Did you mean `kcc2`\?$",
    ),
}


@pytest.mark.parametrize("case", CONSTRUCTIONS)
def test_wrong_constructions_are_refused(case):
    refused(*CONSTRUCTIONS[case])


@pytest.mark.parametrize("counts", [{"outward": {"Na": 1.5}}, {"inward": {"Na": "1"}}, {"ATP": 0.5}], ids=str)
def test_counts_that_are_no_whole_numbers_are_refused(counts):
    # A run-time type checker, where one is installed, refuses them first, with a TypeError.
    with pytest.raises((ConservationError, TypeError)):
        Cycle(**counts)


def test_water_needs_no_ion():
    assert cell(inside={"K": 1.0}, bath={"Na": 1.0}, mechanisms={"water": Water(0.1)}).structure.processes == (("neuron", "water"),)


@pytest.mark.parametrize(
    "error", [PathError, UnitError, ConservationError, jaxion.PrecisionError, jaxion.SetPointError, jaxion.ConfigError]
)
def test_every_error_of_a_user_is_a_JaxionError(error):
    assert issubclass(error, JaxionError)


# Set-points


@pytest.mark.parametrize("precision", ["float16", "double", "", "Float64"])
def test_unknown_precision_is_refused(model, precision):
    message = rf"^Argument `precision` must be `float64` or `float32`, but it is `{precision}`\.$"
    refused(lambda: jaxion.setpoint(model, precision=precision), ValueError, message)


@pytest.mark.parametrize("starts", [[], ()])
def test_empty_list_of_starts_is_refused(model, starts):
    refused(lambda: jaxion.setpoint(model, start=starts), ValueError, r"^Argument `start` must hold at least one start, but it is empty\.$")


def test_unknown_path_in_a_start_is_refused(model):
    refused(lambda: jaxion.setpoint(model, start=[{"neuron.v": -20.0}]), PathError, r"^No path `neuron\.v`.*`neuron\.V`")
