"""Integers at the limits of their dtypes, in every filter and all of morphology."""

import dask.array as da
import numpy as np
import pytest
from scipy import ndimage

from dask_image import ndfilters, ndmorph
from tests.helpers import assert_matches_scipy, assert_same

INTEGERS = [np.dtype(code) for code in "bBhHiIlLqQ"]
CROSS = np.array([[0, 1, 0], [1, 1, 1], [0, 1, 0]])


def at_the_limits(shape, dtype, seed=0):
    """Return integers at both limits of a dtype, around 0, and where float64 starts to round."""
    limits = np.iinfo(dtype)
    values = [limits.min, limits.min + 1, 0, 1, 2, limits.max // 2, limits.max - 1, limits.max]
    if dtype.itemsize == 8:
        values += [2**53 - 1, 2**53 + 1, 2**60 + 1, 2**60 + 2, 2**60 + 3, limits.max - 512]
    random = np.random.default_rng(seed)
    return np.array(values, dtype)[random.integers(0, len(values), shape)]


def take_first(line, result):
    result[...] = line[: result.size]


FILTERS = {
    "convolve": {"weights": [[0, 0, 0], [0, 0, 1]]},
    "convolve1d": {"weights": [0, 1, 1]},
    "correlate": {"weights": [[0.5, 0.0, 0.25], [0, 0, 0]]},
    "correlate1d": {"weights": [0, 0, 1]},
    "gaussian_filter": {"sigma": 0.3},
    "gaussian_filter1d": {"sigma": 0.7},
    "gaussian_gradient_magnitude": {"sigma": 0.5},
    "gaussian_laplace": {"sigma": 0.5},
    "laplace": {},
    "prewitt": {"axis": 0},
    "sobel": {"axis": 1},
    "vectorized_filter": {"function": np.max, "size": 2},
    "generic_filter1d": {"function": take_first, "filter_size": 2},
    "generic_filter": {"function": np.max, "size": 2},
    "maximum_filter": {"size": 2},
    "maximum_filter1d": {"size": 3},
    "median_filter": {"size": 3},
    "minimum_filter": {"size": (3, 2)},
    "minimum_filter1d": {"size": 2},
    "percentile_filter": {"percentile": 30, "size": 3},
    "rank_filter": {"rank": 2, "footprint": CROSS},
    "uniform_filter": {"size": 3},
}
if not hasattr(ndimage, "vectorized_filter"):  # new in SciPy 1.16
    del FILTERS["vectorized_filter"]

MORPHOLOGY = {
    "black_tophat": {"size": 2},
    "grey_closing": {"size": 3},
    "grey_dilation": {"footprint": CROSS},
    "grey_erosion": {"size": (2, 3)},
    "grey_opening": {"size": 2},
    "morphological_gradient": {"size": 2},
    "morphological_laplace": {"size": 2},
    "binary_fill_holes": {},
    "binary_propagation": {},
    "white_tophat": {"footprint": CROSS},
    "binary_dilation": {},
    "binary_erosion": {},
    "binary_closing": {},
    "binary_opening": {},
    "binary_hit_or_miss": {},
    "distance_transform_cdt": {},
    "distance_transform_edt": {},
}


@pytest.mark.parametrize("dtype", INTEGERS, ids=str)
@pytest.mark.parametrize("name", FILTERS)
@pytest.mark.filterwarnings("ignore:invalid value")  # SciPy's root of squares that wrapped around
@pytest.mark.usefixtures("either_kernel")
def test_filters(name, dtype):
    if name == "uniform_filter" and dtype.itemsize == 8:
        pytest.skip("what a running sum has rounded off depends on the whole line")
    image = at_the_limits((7, 11), dtype)
    assert_matches_scipy(
        getattr(ndfilters, name), getattr(ndimage, name), image, chunks=(3, 4), **FILTERS[name]
    )


@pytest.mark.parametrize("dtype", INTEGERS, ids=str)
@pytest.mark.parametrize("name", MORPHOLOGY)
@pytest.mark.usefixtures("either_kernel")
def test_morphology(name, dtype):
    image = at_the_limits((7, 11), dtype)
    assert_matches_scipy(
        getattr(ndmorph, name), getattr(ndimage, name), image, chunks=(3, 4), **MORPHOLOGY[name]
    )


@pytest.mark.parametrize("dtype", INTEGERS, ids=str)
@pytest.mark.parametrize("output", [float, np.float32, np.uint8, np.int64])
@pytest.mark.parametrize("name", ["maximum_filter1d", "minimum_filter", "correlate1d"])
@pytest.mark.usefixtures("either_kernel")
def test_another_output(name, dtype, output):
    image = at_the_limits((7, 11), dtype)
    lazy = getattr(ndfilters, name)(
        da.from_array(image, chunks=(3, 4)), output=output, **FILTERS[name]
    )
    assert_same(lazy, getattr(ndimage, name)(image, output=output, **FILTERS[name]))


@pytest.mark.usefixtures("either_kernel")
def test_largest_unsigned_as_float():
    image = np.array([2**64 - 2, 0, 1], "u8")
    for function in (ndfilters.maximum_filter1d, ndfilters.minimum_filter1d):
        lazy = function(da.from_array(image, chunks=2), 1, output=float)
        assert_same(lazy, image.astype(float))


RANKS = {
    "median_filter": {},
    "percentile_filter": {"percentile": 70},
    "rank_filter": {"rank": 1},
}


@pytest.mark.parametrize("size", [3, 4, 9])
@pytest.mark.parametrize("mode", ["reflect", "mirror", "nearest", "wrap", "constant"])
@pytest.mark.parametrize("name", RANKS)
@pytest.mark.usefixtures("either_kernel")
def test_ranks_of_lines_are_exact(name, mode, size):
    for dtype in INTEGERS:
        if dtype == np.uint64 or dtype.char == "q":  # SciPy: as signed; not at all
            continue
        image = at_the_limits(30, dtype)
        assert_matches_scipy(
            getattr(ndfilters, name), getattr(ndimage, name), image, chunks=7, size=size,
            mode=mode, **RANKS[name],
        )  # fmt: skip


@pytest.mark.parametrize("size", [3, 301])
@pytest.mark.usefixtures("either_kernel")
def test_ranks_of_unsigned_lines_where_scipy_takes_them_for_signed(size):
    image = at_the_limits(700, np.dtype("u8"))
    padded = np.pad(image, size // 2, mode="symmetric")
    windows = np.lib.stride_tricks.sliding_window_view(padded, size)
    expected = np.sort(windows, axis=1)[:, size // 2]
    assert_same(ndfilters.median_filter(da.from_array(image, chunks=200), size), expected)


@pytest.mark.parametrize("size", [(1, 0, 1, 1, 1), (1,) * 200 + (0,) + (1,) * 100])
@pytest.mark.usefixtures("either_kernel")
def test_ranks_of_lines_in_windows_with_holes(size):
    image = at_the_limits(700, np.dtype("i8"))
    footprint = np.array(size, bool)
    before, after = len(size) // 2, (len(size) - 1) // 2
    padded = np.pad(image, (before, after), mode="symmetric")
    windows = np.lib.stride_tricks.sliding_window_view(padded, len(size))[:, footprint]
    expected = np.sort(windows, axis=1)[:, footprint.sum() // 4]
    lazy = ndfilters.percentile_filter(da.from_array(image, chunks=200), 25.0, footprint=footprint)
    assert_same(lazy, expected)


@pytest.mark.parametrize("output", [np.float64, np.float32, np.int16, np.complex64])
@pytest.mark.parametrize("dtype", ["i8", "f8", "f4", "f2"])
@pytest.mark.parametrize("size", [3, 301])
@pytest.mark.usefixtures("either_kernel")
def test_ranks_of_lines_with_another_output(size, dtype, output):
    """SciPy 1.17 writes beyond the end of such an output: it is asked for the image's dtype."""
    image = np.random.default_rng(0).integers(-9, 9, 700).astype(dtype)
    lazy = ndfilters.median_filter(da.from_array(image, chunks=200), size, output=output)
    assert_same(lazy, ndimage.median_filter(image, size).astype(output))


@pytest.mark.parametrize("factor", [-4.0, -1.5, -1.0, -0.5, 1.5, 3.0])
@pytest.mark.parametrize("name", ["convolve", "convolve1d"])
@pytest.mark.usefixtures("either_kernel")
def test_sums_beyond_the_limits(name, factor):
    for dtype in INTEGERS:
        assert_matches_scipy(
            getattr(ndfilters, name), getattr(ndimage, name), at_the_limits(40, dtype), chunks=9,
            weights=[factor],
        )  # fmt: skip
