"""Boundary modes against what SciPy does with them."""

import pickle

import numpy as np
import pytest
from dask.base import tokenize
from scipy import ndimage

from dask_image._kernels._numba import jit
from dask_image._kernels.blocks.interpolation import boundaries
from dask_image._utils.modes import FAR, MODES

INDICES = np.arange(-40, 41)


@pytest.mark.parametrize("size", [1, 2, 3, 7])
@pytest.mark.parametrize("mode", MODES.values(), ids=lambda mode: mode.name)
def test_filters_find_the_pixel_that_fold_names(mode, size):
    """A filter of one tap, moved far away, reads exactly one pixel."""
    image = np.arange(1.0, size + 1)
    for index in INDICES:
        reach = max(abs(index), 1)
        weights = np.zeros(2 * reach + 1)
        weights[reach + index] = 1
        found = ndimage.correlate1d(image, weights, mode=mode.name, cval=-5.0)
        pixel = mode.fold(np.arange(size) + index, size)
        np.testing.assert_array_equal(found, np.where(pixel < 0, -5.0, image[pixel]))


@pytest.mark.parametrize("size", [1, 2, 3, 7])
@pytest.mark.parametrize("mode", MODES.values(), ids=lambda mode: mode.name)
def test_interpolation_reads_the_coordinate_that_fold_names(mode, size):
    image = np.arange(1.0, size + 1)
    x = np.linspace(-37.3, 41.9, 400)
    folded = mode.fold_coordinate(x, size)
    expected = ndimage.map_coordinates(image, [x], order=1, mode=mode.name, cval=-5.0)
    lower = np.floor(np.nan_to_num(folded)).astype(int)
    taps = [mode.fold_coefficient(lower + k, size) for k in (0, 1)]
    below, above = (np.where(tap < 0, -5.0, image[tap]) for tap in taps)
    share = folded - lower
    values = np.where(np.isnan(folded), -5.0, below * (1 - share) + above * share)
    np.testing.assert_allclose(values, expected, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("mode", MODES.values(), ids=lambda mode: mode.name)
def test_far_coordinates(mode):
    far = mode.fold_coordinate(np.array([np.nan, np.inf, -np.inf, 2 * FAR, -2 * FAR]), 5)
    if mode.name in ("nearest", "grid-constant"):
        np.testing.assert_array_equal(far, [np.nan, 13.0, -8.0, 13.0, -8.0])
    else:
        assert np.isnan(far).all()


def test_modes_are_values():
    for name, mode in MODES.items():
        assert mode.name == name
        assert pickle.loads(pickle.dumps(mode)) is mode
        assert MODES[mode.as_filter].as_filter == mode.as_filter
        assert MODES[mode.coefficients].coefficients == mode.coefficients
    assert len({tokenize(mode) for mode in MODES.values()}) == len(MODES)
    assert len({MODES[mode.as_filter].code for mode in MODES.values()}) == 5


@jit
def fold_all(x, size, code, repeats, found):
    for i in range(x.size):
        found[i] = boundaries.fold(x[i], size, code, repeats)
    return found


@jit
def places_of_all(indices, size, code, found):
    for i in range(indices.size):
        found[i] = boundaries.place_of(indices[i], size, code)
    return found


@pytest.mark.parametrize("size", [1, 2, 3, 7])
@pytest.mark.parametrize("mode", MODES.values(), ids=lambda mode: mode.name)
def test_compiled_rules_are_these(mode, size):
    x = np.concatenate([np.linspace(-37.3, 41.9, 400), INDICES, [np.nan, np.inf, -2 * FAR, 1e17]])
    repeats = None if mode.name in ("constant", "grid-constant", "nearest") else 1
    folded = fold_all(x, size, mode.code, repeats, np.empty(x.shape))
    np.testing.assert_array_equal(folded, mode.fold_coordinate(x, size))
    places = places_of_all(INDICES, size, mode.code, np.empty(INDICES.shape, np.int64))
    np.testing.assert_array_equal(places, mode.fold_coefficient(INDICES, size))
