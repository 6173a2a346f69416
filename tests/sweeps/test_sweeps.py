"""Sweeps: every cell is what it is alone, a store survives any interruption, and damage is seen and mended."""

import json
import shutil
import signal
import subprocess
import sys
import time
import warnings

import numpy as np
import pytest
import xarray
import zarr

import jaxion
from jaxion import LogNormal, Population
from jaxion.errors import Status, StoreError
from jaxion.sweeps.chunks import BLOCK, plan
from jaxion.sweeps.variables import check_request


def model(**options):
    """Without a chloride leak, nothing sets the chloride of a cell without KCC2."""
    return jaxion.replace(jaxion.models.duesterwald2018(**options), {"neuron.leak_Cl.g": 0.0})


MODEL = model()
KCC2, PUMP = "neuron.kcc2.g", "neuron.nka.activity"
# One cell in four has no KCC2, and so no set-point of its own.
AXES = {PUMP: np.linspace(0.6, 1.7, 12), "neuron.volume": [2.5], KCC2: [0.0, 0.1, 0.2, 0.4]}
CELLS = Population.grid(MODEL, AXES)
OF, WRT = ("neuron.V", "neuron.Cl"), (KCC2, "bath.K")


@pytest.fixture(scope="module")
def memory():
    return jaxion.sweep(CELLS, of=OF, wrt=WRT)


@pytest.fixture(scope="module")
def kept(tmp_path_factory):
    """A complete store in five chunks, which no test may change."""
    path = tmp_path_factory.mktemp("kept") / "store"
    jaxion.sweep(CELLS, of=OF, wrt=WRT, out=path, chunk=10)
    return path


@pytest.fixture
def store(kept, tmp_path):
    """A copy of the complete store, to be damaged."""
    return shutil.copytree(kept, tmp_path / "store")


def chunk_files(path):
    """Contents of every file of the store but its metadata."""
    return {str(file.relative_to(path)): file.read_bytes() for file in path.glob("*/c/**/*") if file.is_file()}


def assert_same_values(first, second):
    assert set(first.variables) == set(second.variables)
    for name, array in first.variables.items():
        np.testing.assert_array_equal(array.values, second[name].values, err_msg=str(name))
        assert array.dims == second[name].dims


# What a sweep computes.


def test_cells_are_as_alone_and_failed_ones_are_nan(memory):
    ds = memory.ds
    bare = CELLS.table[KCC2] == 0.0
    np.testing.assert_array_equal(memory.status, np.where(bare, Status.singular, Status.ok))
    np.testing.assert_array_equal(memory.ok, ~bare)
    for name, array in ds.data_vars.items():
        if array.attrs["role"] not in ("parameter", "status"):
            bad = np.isnan(array.values).reshape(len(CELLS), -1)
            np.testing.assert_array_equal(bad, np.broadcast_to(bare[:, None], bad.shape), err_msg=str(name))
    for i in (1, 30):
        alone = jaxion.setpoint(jaxion.replace(MODEL, {path: values[i] for path, values in CELLS.table.items()}))
        for name, array in ds.data_vars.items():
            if array.attrs["role"] == "setpoint":
                np.testing.assert_allclose(array[i], alone[str(name)], rtol=1e-9, atol=1e-9, err_msg=str(name))
        wanted = jaxion.sensitivity(alone.model, OF, WRT, point=alone)
        for of in OF:
            for wrt in WRT:
                found = ds["sensitivity"].sel(of=of, wrt=wrt)[i]
                np.testing.assert_allclose(found, wanted[of, wrt], rtol=1e-9, atol=1e-12)  # one of them is exactly zero


def test_variables_have_units_sources_and_roles(memory):
    ds = memory.ds
    assert dict(ds.sizes) == {"cell": 48, "of": 2, "wrt": 2}
    roles = {
        role: {str(name) for name, a in ds.data_vars.items() if a.attrs["role"] == role}
        for role in ("parameter", "setpoint", "certificate")
    }
    # The volume both varies and is found.
    assert roles["parameter"] == {KCC2, PUMP, "baseline.neuron.volume"}
    np.testing.assert_array_equal(ds["baseline.neuron.volume"], 2.5)
    assert {"neuron.V", "neuron.Na", "neuron.K", "neuron.Cl", "neuron.volume", "neuron.E_Cl", "neuron.DF_Cl"} <= roles["setpoint"]
    assert roles["certificate"] == {"residual", "condition"}
    assert ds["neuron.V"].attrs["units"] == "mV"
    assert ds[KCC2].attrs["units"] == "nS"
    assert ds[KCC2].attrs["source"] == MODEL.source
    assert ds["status"].dtype == np.uint8
    meanings = dict(zip(ds["status"].attrs["flag_values"], ds["status"].attrs["flag_meanings"].split(), strict=True))
    assert meanings == {code.value: code.name for code in Status}
    np.testing.assert_array_equal(ds[KCC2], CELLS.table[KCC2])


def test_cell_has_the_same_bits_whatever_the_chunks_and_their_order(memory):
    request = check_request(MODEL, OF, WRT)
    for chunk in (1, 7, 48, 1000):
        found = plan(CELLS, request, chunk)
        order = list(range(found.chunks))[::-1]
        parts = dict(zip(order, map(found.compute, order), strict=True))
        for v in found.variables:
            joined = np.concatenate([parts[i][v.name] for i in range(found.chunks)])
            np.testing.assert_array_equal(joined, memory.ds[v.name].values, err_msg=f"{v.name} in chunks of {chunk}")


@pytest.mark.slow
def test_cell_has_the_same_bits_in_chunks_across_blocks():
    # Cells whose pump is too strong swell without end, and many more are found on the longer roads only.
    model = jaxion.models.keener_sneyd(P=5.0)
    cells = Population.sample(model, {"neuron.nka.v_max": LogNormal(0.8), "neuron.leak_K.g": LogNormal(0.5)}, size=BLOCK + 500, seed=2)
    wanted = jaxion.sweep(cells)
    assert 100 < np.sum(wanted.status == Status.no_setpoint) < 2000
    for chunk in (100, BLOCK - 1):
        assert_same_values(jaxion.sweep(cells, chunk=chunk).ds, wanted.ds)


def test_print_counts_summarises_and_advises(memory):
    text = str(memory)
    assert text.startswith("Sweep of 48 cells of duesterwald2018: 36 ok, 12 singular.")
    assert "neuron.V             median" in text
    assert f"12 singular: {Status.singular.advice}" in text
    assert memory.path is None
    assert (len(memory), memory.cells) == (48, 48)


def test_progress_goes_to_stderr_and_is_silent_without_a_terminal(capsys):
    jaxion.sweep(CELLS)
    assert capsys.readouterr() == ("", "")
    jaxion.sweep(CELLS, progress=True)
    out, err = capsys.readouterr()
    assert out == ""
    assert "48/48" in err
    assert "12 failed" in err
    assert "cells/s" in err


# The store.


def test_store_holds_what_memory_does_and_xarray_reads_it(memory, kept):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.filterwarnings("ignore", "The codec `vlen-utf8`")  # of zarr before 3.1
        ds = xarray.open_zarr(kept)
    assert_same_values(memory.ds, ds)
    for name, array in memory.ds.data_vars.items():
        assert dict(array.attrs) == dict(ds[name].attrs), name
    own = set(memory.ds.attrs) - {"provenance", "chunk", "sweep_hash"}
    assert {key: memory.ds.attrs[key] for key in own} == {key: ds.attrs[key] for key in own}
    assert float(ds["sensitivity"].sel(of="neuron.V", wrt="bath.K")[1]) == float(memory.ds["sensitivity"][1, 0, 1])


def test_store_says_where_it_is_from(kept):
    attrs = jaxion.open_store(kept).ds.attrs
    assert attrs["jaxion_store"] == 1
    assert json.loads(attrs["population"])["design"] == "grid"
    assert json.loads(attrs["parameters"])["bath.K"] == 3.5
    assert set(json.loads(attrs["versions"])) >= {"jaxion", "jax", "numpy", "zarr"}
    assert attrs["device"].startswith("cpu")
    assert "created" in json.loads(attrs["provenance"])


def test_every_array_has_a_checksum_and_each_chunk_one_file(kept):
    arrays = [path.parent for path in kept.glob("*/zarr.json")]
    assert len(arrays) > 15
    for array in arrays:
        codecs = [codec["name"] for codec in json.loads((array / "zarr.json").read_text())["codecs"]]
        assert codecs[-1] == "crc32c", array.name
        files = [file for file in array.glob("c/**/*") if file.is_file()]
        assert len(files) == (1 if array.name in ("of", "wrt") else 5), array.name


def test_status_of_a_store(kept):
    assert jaxion.store_status(kept) == {"cells": 48, "done": 48, "ok": 36, "failed": {"singular": 12}, "missing_chunks": 0}
    opened = jaxion.open_store(kept)
    assert opened.path == kept
    assert str(opened).startswith("Sweep of 48 cells of duesterwald2018: 36 ok, 12 singular.")


DAMAGE = {
    "missing data": ("neuron.V", lambda file: file.unlink()),
    "flipped bit": ("neuron.V", lambda file: file.write_bytes(bytes([file.read_bytes()[0] ^ 1]) + file.read_bytes()[1:])),
    "cut data": ("sensitivity", lambda file: file.write_bytes(file.read_bytes()[:-8])),
    "empty data": (KCC2, lambda file: file.write_bytes(b"")),
    "cut status": ("status", lambda file: file.write_bytes(file.read_bytes()[:4])),
    "garbage": ("condition", lambda file: file.write_bytes(b"garbage")),
}


@pytest.mark.parametrize("kind", DAMAGE)
def test_damaged_chunk_is_reported_and_mended(store, kept, kind):
    name, damage = DAMAGE[kind]
    (file,) = [f for f in store.glob(f"{name}/c/2*") if f.is_file()] or [f for f in store.glob(f"{name}/c/2/**/*") if f.is_file()]
    damage(file)
    status = jaxion.store_status(store)
    assert (status["cells"], status["done"], status["missing_chunks"]) == (48, 38, 1)
    opened = jaxion.open_store(store)
    assert opened.damaged_chunks == (2,)
    assert (opened.status[20:30] == Status.not_run).all()
    assert "1 chunk is missing (1 of them damaged); `jaxion resume" in str(opened)
    mended = jaxion.resume(store, CELLS)
    assert not mended.missing_chunks
    assert chunk_files(store) == chunk_files(kept)


def test_status_that_was_never_written_means_not_done(store, kept):
    for index in (0, 4):
        (store / "status" / "c" / str(index)).unlink()
    # What a killed run leaves: half-written files, and data without a status.
    (store / "neuron.V" / "c" / "4").write_bytes(b"half")
    (store / "neuron.V" / "c" / "0.0123456789abcdef.partial").write_bytes(b"half")
    opened = jaxion.open_store(store)
    assert (opened.missing_chunks, opened.damaged_chunks) == ((0, 4), ())
    assert jaxion.store_status(store) == {"cells": 48, "done": 30, "ok": 23, "failed": {"singular": 7}, "missing_chunks": 2}
    jaxion.resume(store, CELLS)
    assert chunk_files(store) == chunk_files(kept)


def test_resume_of_a_complete_store_changes_nothing(kept):
    before = {file: file.stat().st_mtime_ns for file in kept.glob("**/*")}
    assert jaxion.resume(kept, CELLS).ok.sum() == 36
    assert jaxion.resume(kept).ok.sum() == 36
    assert {file: file.stat().st_mtime_ns for file in kept.glob("**/*")} == before


KILLED = """
import sys, numpy as np, jaxion
jaxion.enable_x64()
model = jaxion.replace(jaxion.models.duesterwald2018(), {"neuron.leak_Cl.g": 0.0})
axes = {"neuron.nka.activity": np.linspace(0.6, 1.7, 12), "neuron.volume": [2.5], "neuron.kcc2.g": [0.0, 0.1, 0.2, 0.4]}
jaxion.sweep(jaxion.Population.grid(model, axes), out=sys.argv[1], chunk=1)
"""


@pytest.mark.slow
def test_killed_sweep_is_resumed_to_the_same_bytes(tmp_path):
    path, whole = tmp_path / "killed", tmp_path / "whole"
    process = subprocess.Popen([sys.executable, "-c", KILLED, str(path)])
    written = path / "status" / "c" / "0"
    deadline = time.monotonic() + 120
    while not written.exists():
        assert process.poll() is None, "the sweep ended before it wrote a chunk"
        assert time.monotonic() < deadline
        time.sleep(0.001)
    process.send_signal(signal.SIGKILL)
    assert process.wait(30) == -signal.SIGKILL
    status = jaxion.store_status(path)
    assert 0 < status["missing_chunks"] < 48
    assert status["done"] == 48 - status["missing_chunks"]
    resumed = jaxion.resume(path, CELLS)
    jaxion.sweep(CELLS, out=whole, chunk=1)
    assert chunk_files(path) == chunk_files(whole)
    assert_same_values(resumed.ds, jaxion.open_store(whole).ds)


def test_only_one_process_writes(store):
    (store / "status" / "c" / "1").unlink()
    holder = "import fcntl, os, sys; fcntl.flock(os.open(sys.argv[1], os.O_RDONLY), fcntl.LOCK_EX); print(flush=True); sys.stdin.read()"
    with subprocess.Popen([sys.executable, "-c", holder, str(store)], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        assert other.stdout is not None
        other.stdout.readline()
        with pytest.raises(StoreError, match="is being written by another process"):
            jaxion.resume(store, CELLS)
        other.communicate()
    assert not jaxion.resume(store, CELLS).missing_chunks


# What is refused.


def test_store_that_exists_is_refused(kept, tmp_path):
    with pytest.raises(StoreError, match=r"holds a sweep already: `jaxion resume .*` continues it"):
        jaxion.sweep(CELLS, out=kept)
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(StoreError, match="exists and is no store"):
        jaxion.sweep(CELLS, out=tmp_path)
    with pytest.raises(StoreError, match="cannot be written"):
        jaxion.sweep(CELLS, out=tmp_path / "notes.txt" / "store")
    assert [file.name for file in tmp_path.iterdir()] == ["notes.txt"]


def foreign(tmp_path):
    zarr.create_group(tmp_path / "foreign", zarr_format=3).create_array("status", shape=(3,), dtype="uint8", dimension_names=["cell"])
    return tmp_path / "foreign"


def file(tmp_path):
    (tmp_path / "file").write_text("no folder")
    return tmp_path / "file"


def empty(tmp_path):
    (tmp_path / "empty").mkdir()
    return tmp_path / "empty"


def newer(tmp_path):
    jaxion.sweep(CELLS, out=tmp_path / "newer")
    metadata = tmp_path / "newer" / "zarr.json"
    metadata.write_text(metadata.read_text().replace('"jaxion_store": 1', '"jaxion_store": 2'))
    return tmp_path / "newer"


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (foreign, "`.*foreign` is no store of jaxion"),
        (file, "`.*file` is no store of jaxion"),
        (empty, "`.*empty` is no store of jaxion"),
        (newer, "has the store format 2, but this version of jaxion reads 1 only"),
        (lambda tmp_path: tmp_path / "nothing", "There is no store `.*nothing`"),
    ],
)
def test_what_is_no_store_is_refused(tmp_path, make, message):
    path = make(tmp_path)
    for use in (jaxion.open_store, jaxion.store_status, jaxion.resume):
        with pytest.raises(StoreError, match=message):
            use(path)


def test_unreadable_metadata_is_refused(store):
    (store / "neuron.V" / "zarr.json").unlink()
    with pytest.raises(StoreError, match=r"has lost its variable `neuron\.V`"):
        jaxion.open_store(store)
    (store / "zarr.json").write_text('{"zarr_format": 3, "node')
    with pytest.raises(StoreError, match="is no store of jaxion"):
        jaxion.open_store(store)


@pytest.mark.parametrize(
    ("cells", "message"),
    [
        (
            Population.grid(MODEL, {**AXES, KCC2: [0.0, 0.1, 0.2, 0.3]}),
            rf"`values.{KCC2}` is \[0.0, 0.1, 0.2, 0.4\] in the store and \[0.0",
        ),
        (Population.grid(MODEL, {**AXES, "bath.K": [3.5]}), r"`values.bath.K` is absent in the store and \[3.5\] now"),
        (Population.sample(MODEL, {KCC2: LogNormal(0.1)}, 48), "`design` is grid in the store and sample now"),
        (Population.grid(jaxion.replace(MODEL, {"bath.K": 4.0}), AXES), "`bath.K` is 3.5 in the store and 4.0 now"),
        (Population.grid(jaxion.models.duesterwald2018(), AXES), r"`neuron.leak_Cl.g` is 0.0 in the store and 0\.157\d* now"),
        (Population.grid(model(closure="difference"), AXES), "mechanisms or settings differ"),
        (Population.grid(jaxion.models.keener_sneyd(), {PUMP: [1.0]}), "`model` is duesterwald2018 in the store and keener_sneyd now"),
    ],
)
def test_other_population_is_refused(store, cells, message):
    (store / "status" / "c" / "1").unlink()
    before = chunk_files(store)
    with pytest.raises(StoreError, match=message):
        jaxion.resume(store, cells)
    assert chunk_files(store) == before


def test_store_made_in_python_needs_its_population(store):
    (store / "status" / "c" / "1").unlink()
    with pytest.raises(StoreError, match=r"give it as `jaxion.resume\(path, cells\)`"):
        jaxion.resume(store)


def test_other_versions_are_warned_of(store):
    (store / "status" / "c" / "1").unlink()
    metadata = store / "zarr.json"
    versions = json.loads(jaxion.open_store(store).ds.attrs["versions"])
    metadata.write_text(metadata.read_text().replace(rf"\"jax\": \"{versions['jax']}\"", r"\"jax\": \"0.7.0\""))
    with pytest.warns(UserWarning, match=r"begun with other versions \(.*0.7.0.*the last digits of its cells may differ"):
        jaxion.resume(store, CELLS)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"of": "neuron.V"}, ValueError, "need both `of` and `wrt`"),
        ({"of": ("neuron.V", "neuron.V"), "wrt": KCC2}, ValueError, "must name each path once, but it names `neuron.V` twice"),
        ({"of": "neuron.W", "wrt": KCC2}, jaxion.PathError, "No path `neuron.W`"),
        ({"of": "neuron.V", "wrt": "neuron.E_Cl"}, jaxion.PathError, "follows from the state"),
        ({"chunk": 0}, ValueError, "`chunk` must be a positive number of cells, but it is 0"),
    ],
)
def test_wrong_arguments_are_refused(arguments, error, message, tmp_path):
    with pytest.raises(error, match=message):
        jaxion.sweep(CELLS, out=tmp_path / "store", **arguments)
    assert not (tmp_path / "store").exists()
