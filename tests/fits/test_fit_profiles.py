"""Profile likelihoods, and fits in folders."""

import numpy as np
import pytest
from fit_cases import SODIUM, X, hill, hill_fit, of_sodium, straight
from scipy.optimize import least_squares

import jaxion
from jaxion import FitProblem, PathError, Recording, StoreError
from jaxion.fits.files.folder import read, save

# Profiles and files


def test_profiles_of_a_linear_problem_are_parabolas():
    fit = jaxion.fit(straight(2 * X - 1, noise=0.3))
    profile = jaxion.profile(fit, points=9)
    for i, name in enumerate(profile.names):
        z = (profile.values[i] - fit.values[name]) / fit.sd[name]
        np.testing.assert_allclose(profile.losses[i], z**2 / 2, atol=1e-6)
        low, high = profile.interval[name]
        assert (low, high) == pytest.approx(fit.interval[name], rel=1e-4)
    assert profile.ds["loss"].dims == ("parameter", "point")


@pytest.mark.slow
def test_a_profile_of_the_pump_is_that_of_scipy():
    table = Recording.read(SODIUM)
    sd = 0.035
    free = {"I_max": jaxion.positive(1.0), "K": jaxion.positive(5.0), "n": jaxion.positive(1.0)}
    fit = jaxion.fit(FitProblem(of_sodium, None, table, free, {"I": sd}))
    profile = jaxion.profile(fit, "K", points=5)
    x, y = table.columns["Na"], table.columns["I"]
    for value, loss in zip(profile.values[0], profile.losses[0], strict=True):
        other = least_squares(lambda p, K=value: (hill(x, p[0], K, p[1]) - y) / sd, [1.1, 1.2], xtol=1e-12)
        assert loss == pytest.approx(other.cost, rel=1e-6)


@pytest.mark.slow
def test_a_profile_of_what_is_not_determined_is_flat_and_open():
    def product(x, a, b):
        return a * b * x

    free = {"a": jaxion.positive(1.0), "b": jaxion.positive(2.0)}
    fit = jaxion.fit(FitProblem(product, None, {"x": X, "y": 3 * X}, free, {"y": 0.1}))
    profile = jaxion.profile(fit, "a", points=5)
    np.testing.assert_allclose(profile.losses, 0.0, atol=1e-8)
    assert profile.interval["a"] == (0.0, np.inf)
    with pytest.raises(PathError, match="`c` is not free"):
        jaxion.profile(fit, "c")
    with pytest.raises(ValueError, match="must be an odd number"):
        jaxion.profile(fit, points=4)


def test_a_folder_holds_the_fit_and_every_start(tmp_path):
    xarray = pytest.importorskip("xarray")
    folder = save(hill_fit(), tmp_path / "fit")
    record = read(folder)
    assert record["values"] == hill_fit().values
    assert record["rank"] == 3
    assert record["status"] == "ok"
    assert len(record["channels"][0]["data"]) == 22
    starts = xarray.open_zarr(folder / "starts.zarr", chunks=None)
    np.testing.assert_array_equal(starts["loss"].values, hill_fit().losses)
    with pytest.raises(StoreError, match="exists already"):
        save(hill_fit(), folder)
    with pytest.raises(StoreError, match="holds no fit"):
        read(tmp_path)
