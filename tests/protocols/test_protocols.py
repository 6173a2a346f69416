"""Protocols become the numbers that they say, and every mistake in them is answered with a sentence."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jaxion
from jaxion import ConservationError, PathError, Protocol, UnitError, anoxia, bath, block, inject, phase, protocols, recording, rest, train
from jaxion.protocols import course, driven, find, of, resolve, smooth_block

PUMP = "neuron.nka.activity"


@pytest.fixture(scope="module")
def model():
    return jaxion.models.duesterwald2018()


@pytest.fixture(scope="module")
def cells(model):
    """Three cells that differ in the strength of their pump."""
    return jaxion.Population.grid(model, {PUMP: [0.5, 1.0, 2.0]}).model()


def row(drive, path):
    return drive.value[:, drive.paths.index(path)]


def values(drive, phase_number, tau):
    """Values of the driven paths, `tau` seconds after a phase began."""
    part = jax.tree.map(lambda array: array[phase_number], (drive.value, drive.slope, drive.logistic))
    return dict(zip(drive.paths, course(jnp.asarray(tau), *part), strict=True))


# What a protocol says.


def test_each_phase_starts_from_the_values_of_the_model(model):
    drive = resolve(Protocol(rest(60), block("neuron.nka", 0.9, "5 min"), bath(120, K=12), rest(600)), model)
    assert drive.paths == ("bath.K", PUMP)
    np.testing.assert_allclose(drive.edges, [0, 60, 360, 480, 1080], rtol=0)
    np.testing.assert_allclose(row(drive, "bath.K"), [3.5, 3.5, 12, 3.5], rtol=1e-15)
    np.testing.assert_allclose(row(drive, PUMP), [1, 0.1, 1, 1], rtol=1e-15)
    assert drive.slope is None
    assert drive.logistic is None


def test_a_rest_drives_nothing(model):
    drive = resolve(Protocol(rest(60), rest(0)), model)
    assert drive.paths == ()
    assert drive.value.shape == (2, 0)
    assert driven(drive.model, drive.paths, course(jnp.asarray(1.0), drive.value[0], None, None)) is drive.model


def test_general_phase_sets_scales_and_ramps(model):
    given = phase(
        60,
        set={"bath.K": "8000 µM", "neuron.leak_Na.g": 0.1},
        scale={"neuron.kcc2.g": 0.5, PUMP: "50 %"},
        ramp={"bath.Na": (145, "139 mM")},
    )
    drive = resolve(Protocol(rest(5), given), model)
    found = values(drive, 1, 20.0)
    wanted = {"bath.K": 8.0, "neuron.leak_Na.g": 0.1, "neuron.kcc2.g": 0.5 * float(model["neuron.kcc2.g"]), PUMP: 0.5, "bath.Na": 143.0}
    assert {path: float(value) for path, value in found.items()} == pytest.approx(wanted, rel=1e-14)
    assert {path: float(value) for path, value in values(drive, 0, 3.0).items()} == pytest.approx(
        {path: float(model[path]) for path in wanted}, rel=1e-14
    )


def test_bath_is_taken_as_given_or_in_exchange(model):
    assert resolve(Protocol(bath(1, K=12)), model).paths == ("bath.K",)
    drive = resolve(Protocol(bath(1, K=12, replacing="Na"), bath(1, Cl="19 mM", replacing="impermeant")), model)
    np.testing.assert_allclose(row(drive, "bath.Na"), [136.5, 145], rtol=1e-14)
    np.testing.assert_allclose(row(drive, "bath.impermeant"), [29.5, 129.5], rtol=1e-14)
    for i in range(2):
        found = driven(drive.model, drive.paths, drive.value[i]).baths["bath"]
        whole = sum(float(c) for c in found.concentrations.values()) + float(found.impermeant)
        assert whole == pytest.approx(145 + 3.5 + 119 + 29.5, rel=1e-14)


def test_anoxia_is_what_the_model_declares(model):
    published = jaxion.models.huebel_dahlem2014()
    paths = {path for _, path, _ in published.anoxia}
    full, half = (resolve(Protocol(anoxia(10, left=left)), published) for left in (0.0, 0.5))
    assert set(full.paths) == paths
    own = np.array([float(published[path]) for path in full.paths])
    np.testing.assert_allclose(half.value[0], (own + full.value[0]) / 2, rtol=1e-14)
    assert not np.allclose(full.value[0], own)


def test_injection_is_added_where_a_current_is_injected(model):
    drive = resolve(Protocol(rest(1), inject("neuron", "0.036 nA", 10)), model)
    assert drive.paths == ("neuron.inject_K.I",)
    np.testing.assert_allclose(drive.value[:, 0], [0, 36])
    assert float(drive.model["neuron.inject_K.I"]) == 0
    # Positive depolarises: it brings K in, and no current flows while it is zero.
    state = drive.model.pack(drive.model.baseline())
    quiet, loud = (driven(drive.model, drive.paths, drive.value[i]).rhs(state) for i in range(2))
    np.testing.assert_allclose(quiet, model.rhs(state), rtol=1e-12)
    change = dict(zip(model.rows, loud - quiet, strict=True))
    assert float(change["neuron.n_K"]) == pytest.approx(36 / float(model.F), rel=1e-9)
    assert float(change["neuron.V"]) == pytest.approx(1e3 * 36 / float(model["neuron.C"]), rel=1e-9)
    # Any way of driving the current adds it, and one by another ion is another one.
    for other in (phase(1, ramp={"neuron.inject_Cl.I": (0, 5)}), recording("neuron.inject_Cl.I", [0, 1], [0, 5])):
        both = resolve(Protocol(other, inject("neuron", 1, 1)), model)
        assert both.paths == ("neuron.inject_Cl.I", "neuron.inject_K.I")


def test_train_is_a_phase_for_each_pulse_and_each_pause(model):
    drive = resolve(Protocol(rest(1), train("neuron", 20, "2 ms", 0.1, 3), rest(1)), model)
    np.testing.assert_allclose(drive.edges, [0, 1, 1.002, 1.1, 1.102, 1.2, 1.202, 1.3, 2.3], rtol=1e-14)
    np.testing.assert_allclose(drive.value[:, 0], [0, 20, 0, 20, 0, 20, 0, 0])


def test_recording_runs_straight_from_sample_to_sample(model):
    times, samples = [5.0, 6.0, 8.0, 8.5], [3.5, 8.0, 5.0, 3.5]
    drive = resolve(Protocol(rest(10), recording("bath.K", times, samples)), model)
    np.testing.assert_allclose(drive.edges, [0, 10, 11, 13, 13.5], rtol=1e-14)
    for t in (5.0, 5.5, 7.0, 8.25):
        i = int(np.searchsorted(times, t, side="right"))
        assert float(values(drive, i, t - times[i - 1])["bath.K"]) == pytest.approx(np.interp(t, times, samples), rel=1e-14)


def test_smooth_block_is_the_published_energy_deprivation(model):
    # b(t) = p + (1 − p)[1/(1 + e^{4(t − t_s)}) + 1/(1 + e^{−4(t − t_e)})], t in minutes (Kalia et al. 2021).
    p, t_s, t_e = 0.3, 5.7361, 9.2639
    given = smooth_block("neuron.nka", 1 - p, "40 min", begin=60 * t_s, end="9.2639 min", width=15)
    drive = resolve(Protocol(given), model)
    for t in (0.0, 5.0, 5.7, 6.5, 9.3, 10.0, 39.0):
        wanted = p + (1 - p) * (1 / (1 + np.exp(4 * (t - t_s))) + 1 / (1 + np.exp(-4 * (t - t_e))))
        assert float(values(drive, 0, 60 * t)[PUMP]) == pytest.approx(wanted, rel=1e-12)


def test_terms_are_padded_where_paths_have_none(model):
    drive = resolve(Protocol(rest(1), smooth_block("neuron.nka", 1.0, 10, 2, 5, 0.5), bath(1, K=8)), model)
    assert drive.logistic is not None
    assert [part.shape for part in drive.logistic] == [(3, 2, 2)] * 3
    assert float(values(drive, 2, 0.5)["bath.K"]) == 8.0
    assert float(values(drive, 2, 0.5)[PUMP]) == 1.0


# Batches.


def test_values_may_differ_between_cells(model, cells):
    K = np.array([4.0, 6.0, 8.0])
    lengths = jnp.array([0.0, 20.0, 30.0])
    drive = resolve(Protocol(rest(lengths), block("neuron.nka", K / 10, 300), phase(10, ramp={"bath.K": (3.5, K)})), cells)
    assert (drive.edges.shape, drive.value.shape) == ((4, 3), (3, 2, 3))
    np.testing.assert_allclose(drive.edges[1:3], [lengths, lengths + 300])
    np.testing.assert_allclose(row(drive, PUMP)[1], np.array([0.5, 1, 2]) * (1 - K / 10), rtol=1e-14)
    np.testing.assert_allclose(values(drive, 2, 4.0)["bath.K"], 3.5 + 0.4 * (K - 3.5), rtol=1e-14)
    # One model, of which a protocol makes many cells, and edges that all of them share.
    shared = resolve(Protocol(rest(1), bath(1, K=K)), model)
    assert (shared.edges.shape, shared.value.shape) == ((3,), (2, 1, 3))


def test_smooth_courses_and_recordings_may_differ_between_cells(cells):
    smooth = smooth_block("neuron.nka", 1.0, 10, np.array([2.0, 3.0, 4.0]), 6.0, 0.5)
    drive = resolve(Protocol(smooth, recording("bath.K", [0, 1], [[3.5] * 3, [4.0, 5.0, 6.0]])), cells)
    found = values(drive, 0, np.array([2.0, 3.0, 4.0]))
    np.testing.assert_allclose(found[PUMP], [0.25, 0.5, 1.0], rtol=0.05)
    np.testing.assert_allclose(values(drive, 1, 0.5)["bath.K"], [3.75, 4.25, 4.75], rtol=1e-14)


def test_a_batch_is_as_its_cells_alone(cells):
    K = np.array([4.0, 6.0, 8.0])
    make = lambda K: Protocol(rest(1), bath(20, K=K, replacing="Na"), block("neuron.nka", 0.5, K))  # noqa: E731
    whole = resolve(make(K), cells)
    for i, k in enumerate(K):
        alone = resolve(make(k), jaxion.replace(cells, {PUMP: cells[PUMP][i]}))
        np.testing.assert_array_equal(whole.value[..., i], alone.value)
        np.testing.assert_array_equal(whole.edges[..., i], alone.edges)


# Derivatives.


@pytest.mark.slow
def test_drive_is_differentiable_in_durations_and_values(model):
    def numbers(theta):
        duration, fraction, K, begin = theta
        given = Protocol(
            rest(duration),
            block("neuron.nka", fraction, 2 * duration),
            phase(duration, ramp={"bath.K": (3.5, K)}),
            smooth_block("neuron.nka", fraction, 10, begin, 8, 0.5),
        )
        drive = resolve(given, model)
        found = [values(drive, i, 0.7)[path] for i in range(4) for path in drive.paths]
        return jnp.concatenate([drive.edges, jnp.stack(found)])

    theta, step = jnp.array([10.0, 0.4, 8.0, 1.0]), 1e-6
    forward, reverse = jax.jacfwd(numbers)(theta), jax.jit(jax.jacrev(numbers))(theta)
    central = [(numbers(theta + step * e) - numbers(theta - step * e)) / (2 * step) for e in jnp.eye(4)]
    np.testing.assert_allclose(forward, reverse, rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(forward, jnp.stack(central, axis=1), atol=1e-6)
    assert np.abs(np.asarray(forward)).sum(axis=0).min() > 0


def test_gradient_is_finite_where_a_phase_has_no_length(model):
    def slope(duration):
        drive = resolve(Protocol(phase(duration, ramp={"bath.K": (3.5, 8)})), model)
        assert drive.slope is not None
        return drive.slope[0, 0] + drive.edges[-1]

    assert float(jax.grad(slope)(0.0)) == 1.0
    assert float(jax.grad(slope)(2.0)) == pytest.approx(1 - 4.5 / 4)


def test_protocol_is_a_tree_of_its_numbers(model):
    given = Protocol(rest("1 min"), phase(2, set={"bath.K": "8 mM"}), block(["neuron.nka"], "50 %", jnp.array(3.0)))
    assert all(isinstance(leaf, float | jax.Array) for leaf in jax.tree.leaves(given))
    total = jax.jit(lambda p: p.duration)(given)
    assert float(total) == float(given.duration) == 65.0
    doubled = jax.tree.map(lambda x: 2 * x, given)
    assert float(doubled.duration) == 130.0
    assert jax.tree.structure(Protocol(rest(1))) == jax.tree.structure(Protocol(rest(2)))
    assert hash(Protocol(rest(1))) == hash(Protocol(rest(1.0)))


def test_protocols_are_made_of_phases_and_protocols(model):
    nested = Protocol(rest(1), Protocol(bath(2, K=5), rest(3)), rest(4))
    np.testing.assert_array_equal(resolve(nested, model).edges, [0, 1, 3, 6, 10])
    assert str(nested).splitlines() == [
        "Protocol of 4 phases:",
        "       1 s  rest",
        "       2 s  bath K 5 mM",
        "       3 s  rest",
        "       4 s  rest",
    ]


# Names.


def test_every_model_has_its_protocols(model):
    assert list(of(model)) == ["rest", "pump_block"]
    assert list(of(jaxion.models.donnan1911())) == ["rest"]
    for name in jaxion.models.__all__:
        found = getattr(jaxion.models, name)()
        known = of(found)
        assert ("anoxia" in known) == bool(found.anoxia)
        assert {one for one, _ in found.published} <= set(known)
        for protocol in known.values():
            resolve(protocol, found)


def test_protocols_are_found_by_name(model):
    assert find(model, "rest") == of(model)["rest"]
    with pytest.raises(
        jaxion.ConfigError,
        match=r"^Model `duesterwald2018` has no protocol `pumpblock`; it has `rest`, `pump_block`\. Did you mean `pump_block`\?$",
    ):
        find(model, "pumpblock")


# Mistakes.

WRONG_PHASES = [
    (lambda: rest(-5), ValueError, r"^`duration` must not be negative, but it is -5 s\.$"),
    (lambda: rest(float("nan")), ValueError, r"^`duration` must not be negative, but it is nan s\.$"),
    (lambda: rest(float("inf")), ValueError, r"^`duration` must not be negative, but it is inf s\.$"),
    (lambda: rest(np.array([1.0, -2.0])), ValueError, r"^`duration` must not be negative, but it is -2 s in cell 1\.$"),
    (lambda: rest("5 mM"), UnitError, r"^`duration` is in s, but `5 mM` is in mM: the units do not match\.$"),
    (lambda: rest("long"), UnitError, r"^Cannot read `long` as a value of `duration`; give .* such as `8 s`\.$"),
    (lambda: rest(True), ValueError, r"^`duration` must be a number, but it is `True`\.$"),
    (lambda: rest(np.ones((2, 2))), ValueError, r"one number or one for each cell, but it has the shape \(2, 2\)\.$"),
    (lambda: block("neuron.nka", 1.5, 300), ValueError, r"^`fraction` must lie between 0 and 1, but it is 1\.5\.$"),
    (lambda: block("neuron.nka", -0.5, 300), ValueError, r"^`fraction` must not be negative, but it is -0\.5\.$"),
    (lambda: block([], 0.5, 300), ValueError, r"^A block must name at least one mechanism"),
    (lambda: anoxia(10, left=2), ValueError, r"^`left` must lie between 0 and 1, but it is 2\.$"),
    (lambda: smooth_block("neuron.nka", 1, 10, 2, 5, 0), ValueError, r"^`width` must be positive, but it is 0 s\.$"),
    (lambda: bath(120), ValueError, r"must change at least one concentration, such as bath\(120, K=12\)\.$"),
    (lambda: bath(120, K=-1), ValueError, r"^`bath\.K` must not be negative, but it is -1 mM\.$"),
    (lambda: bath(120, K="12 mV"), UnitError, r"^`bath\.K` is in mM, but `12 mV` is in mV"),
    (lambda: bath(120, K=12, Na=140, replacing="Na"), ValueError, r"must name a concentration that is not given, but Na is both\.$"),
    (lambda: inject("neuron", "36 mV", 10), UnitError, r"^`current` is in pA, but `36 mV` is in mV"),
    (
        lambda: train("neuron", 36, 0.2, 0.1, 5),
        ValueError,
        r"^Argument `width` must not be longer than `period`, but it is 0\.2 s of 0\.1 s",
    ),
    (lambda: train("neuron", 36, 0.1, 0.2, 0), ValueError, r"^Argument `count` must be a whole number of pulses, 1 or more, but it is `0`"),
    (lambda: phase(10, ramp={"bath.K": 5}), ValueError, r"^The ramp of `bath\.K` must have two ends, such as \(3\.5, 8\), but it is `5`"),
    (lambda: phase(10, ramp={"bath.K": (5, 6, 7)}), ValueError, r"must have two ends"),
    (lambda: phase(10, scale={"bath.K": "2 mM"}), UnitError, r"^`bath\.K` is a number without unit, but `2 mM` is in mM"),
    (
        lambda: recording("bath.K", [0, 1, 5, 4], [1, 2, 3, 4]),
        ValueError,
        r"^Argument `times` must be increasing, but times\[2\]=5 s is followed by 4 s\.$",
    ),
    (lambda: recording("bath.K", [0], [1]), ValueError, r"^Argument `times` must be a list of at least two times"),
    (lambda: recording("bath.K", [0, 1], [1]), ValueError, r"a sample for each of the 2 times, but it has the shape \(1,\)\.$"),
    (lambda: Protocol(), ValueError, r"^A protocol must have at least one phase, such as rest\(60\), but it has none\.$"),
]


@pytest.mark.parametrize(("make", "error", "message"), WRONG_PHASES)
def test_wrong_phase_is_refused_where_it_is_made(make, error, message):
    with pytest.raises(error, match=message) as caught:
        make()
    assert str(caught.value).endswith((".", "?"))


def test_what_is_no_phase_is_refused():
    # A run-time type checker, where one is installed, refuses it first.
    with pytest.raises((ValueError, TypeError)):
        Protocol(rest(1), 5.0)  # pyright: ignore[reportArgumentType]


STATE = ["neuron.Na", "neuron.K", "neuron.V", "neuron.volume", "neuron.z", "neuron.impermeant", "neuron.charge", "neuron.C"]

WRONG_FOR_MODEL = [
    *((phase(10, set={path: 1.0}), PathError, rf"^`{path}` belongs to the state of model .* and cannot be driven: a") for path in STATE),
    (phase(10, scale={"neuron.E_Cl": 1.0}), PathError, r"^`neuron\.E_Cl` follows from the state of model .* and cannot be driven\.$"),
    (phase(10, set={"neuron.kcc2.G": 1.0}), PathError, r"^No path `neuron\.kcc2\.G` .* Did you mean .*`neuron\.kcc2\.g`"),
    (recording("bath.k", [0, 1], [3, 4]), PathError, r"^No path `bath\.k` .*`bath\.K`"),
    (block("neuron.nak", 0.5, 10), PathError, r"^`neuron\.nak` is no mechanism of model `duesterwald2018`\. Did you mean `neuron\.nka`"),
    (block("neuron.nka.v_max", 0.5, 10), PathError, r"^`neuron\.nka\.v_max` is no mechanism .*`neuron\.nka`"),
    (smooth_block("nka", 1, 10, 2, 5, 1), PathError, r"^`nka` is no mechanism .*`neuron\.nka`"),
    (block(["neuron.nka", "neuron.nka"], 0.5, 10), ValueError, r"^`neuron\.nka\.activity` must be driven once in a phase, but phase 2 of"),
    (
        phase(10, set={"bath.K": 5}, ramp={"bath.K": (4, 5)}),
        ValueError,
        r"^`bath\.K` must be driven once in a phase, but phase 2 of the protocol drives it twice\.$",
    ),
    (bath(10, k=5), PathError, r"^No path `bath\.k` .*Did you mean .*`bath\.K`"),
    (bath(10, K=5, name="baths"), PathError, r"^Model `duesterwald2018` has no bath `baths`\. Did you mean `bath`\?$"),
    (bath(10, K=160, replacing="Na"), ValueError, r"^`bath\.Na` must be positive, but it is -11\.5 mM\.$"),
    (bath(10, K=12, replacing="Cl"), ValueError, r"^Argument `replacing` must name an ion of the same charge as K, but Cl has another\.$"),
    (bath(10, K=0), ValueError, r"^`bath\.K` must be positive, but it is 0 mM\.$"),
    (phase(10, set={"bath.K": "5 mV"}), UnitError, r"^`bath\.K` is in mM, but `5 mV` is in mV"),
    (phase(10, scale={"neuron.kcc2.g": -1}), ValueError, r"^`neuron\.kcc2\.g` must not be negative, but it is -0\.157"),
    (phase(10, ramp={"bath.K": (3.5, -1)}), ValueError, r"^`bath\.K` must be positive, but it is -1 mM\.$"),
    (recording("bath.K", [0, 1, 2], [3, -4, 3]), ValueError, r"^`bath\.K` must be positive, but it is -4 mM\.$"),
    (recording("bath.K", [0, 1, 2], [3, np.nan, 3]), ValueError, r"^`bath\.K` must be positive, but it is nan mM\.$"),
    (anoxia(10), ValueError, r"^Model `duesterwald2018` declares no anoxia; block its pump instead"),
    (
        inject("nueron", 36, 10),
        PathError,
        r"^Nothing can be injected into `nueron`: model .* has no membrane of that name\. Did you mean `neuron`",
    ),
    (inject("neuron", 36, 10, ion="k"), ConservationError, r"^Unknown species `k`.*Did you mean `K`\?$"),
    (inject("neuron", 36, 10, ion="Ca"), ConservationError, r"moves Ca, but `neuron` has only"),
    (
        bath(np.ones(2), K=np.ones(3)),
        ValueError,
        r"^Every batch in a protocol must have the same number of cells, but there are 2 and 3\.$",
    ),
]


@pytest.mark.parametrize(("wrong", "error", "message"), WRONG_FOR_MODEL)
def test_what_does_not_fit_the_model_is_refused(model, wrong, error, message):
    with pytest.raises(error, match=message) as caught:
        resolve(Protocol(rest(1), wrong), model)
    assert str(caught.value).endswith((".", "?"))


def test_batches_of_protocol_and_model_must_agree(cells):
    with pytest.raises(ValueError, match="but there are 2 and 3"):
        resolve(Protocol(rest(np.ones(2))), cells)


def test_names_of_phases_are_public():
    names = {"rest", "block", "bath", "anoxia", "inject", "train", "phase", "smooth_block", "recording", "Protocol"}
    assert names <= set(jaxion.__all__)
    assert all(getattr(jaxion, name) is getattr(protocols, name) for name in names)
