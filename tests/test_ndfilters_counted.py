"""Filters that leave out pixels, against windows of NumPy's that are looked at one by one."""

import itertools

import dask.array as da
import numpy as np
import pytest
from dask.callbacks import Callback
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

import dask_image.ndimage as ndi
from dask_image import ndfilters
from dask_image._utils import spill
from dask_image._utils.engines import counted, line_sweeps
from tests.helpers import assert_same, nothing_computes, plain_kernels, seeded_image

PADS = {
    "reflect": "symmetric", "grid-mirror": "symmetric", "mirror": "reflect", "nearest": "edge",
    "wrap": "wrap", "grid-wrap": "wrap", "constant": "constant", "grid-constant": "constant",
}  # fmt: skip
CHUNKS = [((3, 1, 12), (5, 8)), -1]
SHAPE = (16, 13)


def windows_of(image, counted, shape, origin=0, mode="reflect", cval=0.0):
    """Return the pixels of all windows as float64 or complex128, and which of them count."""
    origins = origin if isinstance(origin, tuple) else (origin,) * len(shape)
    before = [size // 2 + along for size, along in zip(shape, origins)]
    width = [(low, size - 1 - low) for low, size in zip(before, shape)]
    beyond = [{"constant_values": value} if "constant" in mode else {} for value in (cval, True)]
    kind = np.result_type(image.dtype, float)
    padded = np.pad(image.astype(kind), width, PADS[mode], **beyond[0])
    mask = np.pad(counted, width, PADS[mode], **beyond[1])
    views = (np.lib.stride_tricks.sliding_window_view(each, shape) for each in (padded, mask))
    return tuple(view.reshape(*image.shape, -1) for view in views)


def averaged(image, counted, weights, fill=np.nan, **edges):
    values, valid = windows_of(image, counted, weights.shape, **edges)
    weights = np.where(valid, weights.ravel(), 0)
    total, share = np.where(valid, values * weights, 0).sum(-1), weights.sum(-1)
    return np.where(share > 0, total / np.where(share > 0, share, 1), fill)


def ranked(image, counted, footprint, rank_of, fill=np.nan, **edges):
    values, valid = windows_of(image, counted, footprint.shape, **edges)
    valid = valid & footprint.ravel()
    result = np.full(image.shape, fill, np.result_type(image.dtype, np.asarray(fill).dtype))
    for index in np.ndindex(*image.shape):
        found = np.sort(values[index][valid[index]])
        rank = rank_of(found.size)
        if 0 <= rank < found.size:
            result[index] = found[rank]
    return result


def gaussian_weights(sigma, ndim, truncate=4.0):
    reach = int(truncate * sigma + 0.5)
    line = ndimage.gaussian_filter1d(np.eye(1, 2 * reach + 1, reach)[0], sigma, mode="constant")
    weights = np.ones(())
    for _ in range(ndim):
        weights = np.multiply.outer(weights, line)
    return weights


def picture(dtype="f8", seed=0, shape=SHAPE):
    """Return an image and a mask with single pixels left out, and a hole wider than windows."""
    image = seeded_image(shape, dtype, seed)
    counted = np.random.default_rng(seed + 1).random(shape) > 0.2
    counted[(slice(2, 11),) * len(shape)] = False
    return image, counted


def check(function, expected, image, counted, *args, rtol=None, **keywords):
    """Compare, for all chunks, a mask and NaN in its place; also which pixels are none."""
    for chunks in CHUNKS:
        lazy, where = da.from_array(image, chunks=chunks), da.from_array(counted, chunks=5)
        with nothing_computes():
            result = function(lazy, *args, where=where, **keywords)
            assert result.name == function(lazy, *args, where=where, **keywords).name
        assert result.chunks == lazy.chunks
        assert_same(result, expected, rtol=rtol)
        np.testing.assert_array_equal(np.isnan(result.compute()), np.isnan(expected))
        if image.dtype.kind in "fc":
            holes = da.from_array(np.where(counted, image, np.nan).astype(image.dtype), chunks)
            assert_same(function(holes, *args, nan_policy="omit", **keywords), expected, rtol=rtol)


@pytest.mark.parametrize("mode", PADS)
@pytest.mark.parametrize("sigma", [0.6, 2.0])
def test_gaussian(mode, sigma):
    image, counted = picture()
    weights = gaussian_weights(sigma, 2)
    expected = averaged(image, counted, weights, mode=mode, cval=3.0)
    check(ndfilters.gaussian_filter, expected, image, counted, sigma, mode=mode, cval=3.0)


@pytest.mark.parametrize("dtype", ["f4", "f8", "c16", "u1", "i4", "?"])
def test_dtypes_of_means(dtype):
    image, counted = picture(dtype)
    expected = averaged(image, counted, gaussian_weights(1, 2))
    boxed = averaged(image, counted, np.ones((5, 5)))
    if dtype == "f4":
        expected, boxed = expected.astype("f4"), boxed.astype("f4")
    check(ndfilters.gaussian_filter, expected, image, counted, 1)
    check(ndfilters.uniform_filter, boxed, image, counted, 5)


@pytest.mark.parametrize("mode", ["reflect", "mirror", "nearest", "wrap", "constant"])
@pytest.mark.parametrize(("size", "origin"), [(3, 0), (6, -2), (7, 3)])
def test_boxes(either_kernel, mode, size, origin):
    image, counted = picture()
    expected = averaged(image, counted, np.ones((size, size)), origin=origin, mode=mode, cval=2.0)
    settings = {"origin": origin, "mode": mode, "cval": 2.0}
    check(ndfilters.uniform_filter, expected, image, counted, size, **settings)


@pytest.mark.parametrize("mode", ["mirror", "wrap", "constant"])
def test_given_weights(either_kernel, mode):
    image, counted = picture()
    weights = np.random.default_rng(0).random((4, 5))
    expected = averaged(image, counted, weights, mode=mode)
    check(ndfilters.correlate, expected, image, counted, weights, mode=mode)
    # Convolution looks through the weights from behind: what is in the middle of 4 is another one.
    odd = weights[1:]
    expected = averaged(image, counted, odd[::-1, ::-1], mode=mode)
    check(ndfilters.convolve, expected, image, counted, odd, mode=mode)


def test_edges_that_do_not_count():
    image = np.random.default_rng(0).random(SHAPE)
    expected = windows_of(image, image > 0, (3, 3), mode="constant", cval=np.nan)[0]
    lazy = da.from_array(image, chunks=5)
    result = ndfilters.uniform_filter(lazy, 3, mode="constant", cval=np.nan, nan_policy="omit")
    assert_same(result, np.nanmean(expected, axis=-1))
    result = ndfilters.median_filter(lazy, 3, mode="constant", cval=np.nan, nan_policy="omit")
    assert result[0, 0].compute() == np.sort(image[:2, :2].ravel())[2]
    result = ndfilters.minimum_filter(lazy, 3, mode="constant", cval=np.nan, nan_policy="omit")
    assert_same(result, np.nanmin(expected, axis=-1))


RANKS = {
    "minimum_filter": ((), lambda n: 0),
    "maximum_filter": ((), lambda n: n - 1),
    "median_filter": ((), lambda n: n // 2),
    "percentile_filter": ((30,), lambda n: int(n * 30 / 100)),
    "rank_filter": ((2,), lambda n: 2),
}


@pytest.mark.parametrize("mode", ["reflect", "mirror", "nearest", "wrap", "constant"])
@pytest.mark.parametrize("name", RANKS)
def test_ranks(name, mode):
    image, counted = picture()
    args, rank_of = RANKS[name]
    edges = {"mode": mode, "cval": 0.3}
    function = getattr(ndfilters, name)
    expected = ranked(image, counted, np.ones((3, 3), bool), rank_of, **edges)
    check(function, expected, image, counted, *args, size=3, **edges)
    cross = ndimage.generate_binary_structure(2, 1)
    expected = ranked(image, counted, cross, rank_of, **edges)
    check(function, expected, image, counted, *args, footprint=cross, **edges)


@pytest.mark.parametrize(
    ("args", "rank_of"),
    [
        ((-2,), lambda n: n - 2),
        ((0,), lambda n: 0),
        ((-1,), lambda n: n - 1),
        ((8,), lambda n: 8),
        ((-9,), lambda n: n - 9),
        ((-8,), lambda n: n - 8),
    ],
)
def test_ranks_from_either_end(either_kernel, args, rank_of):
    image, counted = picture()
    counted[12:] = True
    expected = ranked(image, counted, np.ones((3, 3), bool), rank_of)
    check(ndfilters.rank_filter, expected, image, counted, *args, size=3)
    ring = np.ones((3, 4), bool)
    ring[1, 1:3] = ring[0, 0] = False  # another kernel finds ranks of nine in a square
    expected = ranked(image, counted, ring, rank_of)
    check(ndfilters.rank_filter, expected, image, counted, *args, footprint=ring)


@pytest.mark.parametrize("percentile", [0, 100, 95, -10, 50])
def test_percentiles(percentile):
    image, counted = picture()
    share = percentile + 100 if percentile < 0 else percentile

    def rank_of(n):
        return n - 1 if share == 100 else int(n * share / 100)

    expected = ranked(image, counted, np.ones((4, 5), bool), rank_of, origin=1)
    function = ndfilters.percentile_filter
    check(function, expected, image, counted, percentile, size=(4, 5), origin=1)


@pytest.mark.parametrize("dtype", ["u1", "i2", "u8", "f4", "?"])
@pytest.mark.parametrize("name", ["minimum_filter", "maximum_filter", "median_filter"])
def test_dtypes_of_ranks(name, dtype):
    image, counted = picture(dtype)
    rank_of = RANKS[name][1]
    function = getattr(ndfilters, name)
    expected = ranked(image, counted, np.ones((3, 3), bool), rank_of)
    kind = "f4" if dtype == "f4" else "f8"
    check(function, expected.astype(kind), image, counted, size=3)
    filled = ranked(image, counted, np.ones((3, 3), bool), rank_of, 1).astype(dtype)
    check(function, filled, image, counted, size=3, fill_value=1)


def test_what_counts_as_a_value_stands_in_no_ones_place():
    """The largest value of a dtype, and infinity, are values like others."""
    image = np.array([255, 255, 0, 255, 7, 9], np.uint8)
    counted = np.array([1, 1, 0, 0, 0, 0], bool)
    lazy = da.from_array(image, chunks=2)
    found = ndfilters.minimum_filter(lazy, 3, where=counted, fill_value=4).compute()
    np.testing.assert_array_equal(found, [255, 255, 255, 4, 4, 4])
    floats = da.from_array(np.array([np.inf, np.nan, -np.inf, np.nan]), chunks=2)
    found = ndfilters.maximum_filter(floats, 3, nan_policy="omit").compute()
    np.testing.assert_array_equal(found, [np.inf, np.inf, -np.inf, -np.inf])
    found = ndfilters.median_filter(floats, 3, nan_policy="omit").compute()
    np.testing.assert_array_equal(found, [np.inf, np.inf, -np.inf, -np.inf])


@pytest.mark.parametrize("dtype", [np.int64, np.uint64])
def test_ranks_of_long_integers(either_kernel, dtype):
    most = np.iinfo(dtype).max
    image = np.array([most, most - 1, 0, most - 2, most, 2**60 + 1, 2**60 + 3], dtype)
    counted = np.array([1, 1, 0, 1, 1, 1, 1], bool)
    for chunks in (7, 2):
        lazy = da.from_array(image, chunks=chunks)
        found = ndfilters.median_filter(lazy, 3, where=counted, fill_value=0).compute()
        expected = [most, most, most - 1, most, most - 2, 2**60 + 3, 2**60 + 3]
        np.testing.assert_array_equal(found, np.array(expected, dtype))


@pytest.mark.parametrize("name", ["gaussian_filter", "uniform_filter", "median_filter"])
def test_axes(name):
    image, counted = picture(shape=(6, 9, 8))
    lazy, where = (da.from_array(each, chunks=4) for each in (image, counted))
    function, size = getattr(ndfilters, name), 1 if name == "gaussian_filter" else 5
    planes = [function(lazy[n], size, where=where[n]).compute() for n in range(6)]
    assert_same(function(lazy, size, axes=(1, 2), where=where), np.stack(planes))


def test_footprints_on_axes_in_any_order():
    image, counted = picture(shape=(6, 9, 8))
    lazy, where = (da.from_array(each, chunks=4) for each in (image, counted))
    footprint = np.array([[1, 0, 1], [1, 1, 0]], bool)
    results = [
        ndfilters.median_filter(lazy, footprint=window, axes=axes, where=where).compute()
        for window, axes in ((footprint, (0, 2)), (footprint.T, (2, 0)))
    ]
    np.testing.assert_array_equal(*results)


def test_volumes_and_lines():
    for shape in ((30,), (9, 8, 7)):
        image = seeded_image(shape, "f8")
        counted = seeded_image(shape, "f8", 1) > -0.8
        ndim = len(shape)
        lazy = da.from_array(image, chunks=4)
        expected = averaged(image, counted, gaussian_weights(1, ndim))
        assert_same(ndfilters.gaussian_filter(lazy, 1, where=counted), expected)
        expected = ranked(image, counted, np.ones((3,) * ndim, bool), lambda n: n // 2)
        assert_same(ndfilters.median_filter(lazy, 3, where=counted), expected)


@pytest.mark.parametrize(
    ("shape", "chunks"),
    [
        ((9, 12), ((4, 5), (0, 5, 7))), ((1, 12), ((0, 1, 0), (5, 7))), ((0, 5), ((0, 0), (2, 3))),
        ((3, 4, 6), (1, 2, (4, 2))),
    ],
)  # fmt: skip
def test_masks_are_stretched_as_numpy_does(shape, chunks):
    image, counted = picture(shape=shape)
    lazy = da.from_array(image, chunks=chunks)
    for ndim in range(len(shape) + 1):
        for ones in itertools.product([False, True], repeat=ndim):
            sizes = shape[len(shape) - ndim :]
            counted = np.random.default_rng(0).random(np.where(ones, 1, sizes).astype(int)) > 0.4
            full = np.broadcast_to(counted, shape)
            for each in (counted, da.from_array(counted, chunks=2)):
                result = ndfilters.median_filter(lazy, 3, where=each)
                assert result.chunks == lazy.chunks
                assert_same(result, ndfilters.median_filter(lazy, 3, where=full).compute())


def test_all_count():
    image = seeded_image(SHAPE, "f8")
    lazy, every = da.from_array(image, chunks=5), np.ones(SHAPE, bool)
    for function, size in (
        (ndfilters.gaussian_filter, 2), (ndfilters.uniform_filter, 4),
        (ndfilters.minimum_filter, 4), (ndfilters.median_filter, 4),
    ):  # fmt: skip
        expected = function(lazy, size).compute()
        assert_same(function(lazy, size, where=every), expected)
        assert_same(function(lazy, size, where=True), expected)
        assert_same(function(lazy, size, nan_policy="omit"), expected)
    # What has no NaN is not touched: images of integers keep their dtype, and their task names.
    whole = da.from_array(np.arange(30, dtype="u1"), chunks=7)
    omitting = ndfilters.uniform_filter(whole, 3, nan_policy="omit")
    assert omitting.name == ndfilters.uniform_filter(whole, 3).name


def test_none_counts():
    lazy = da.ones((9, 8), chunks=4)
    for function in (ndfilters.gaussian_filter, ndfilters.maximum_filter, ndfilters.median_filter):
        assert np.isnan(function(lazy, 3, where=False).compute()).all()
        assert (function(lazy, 3, where=False, fill_value=7).compute() == 7).all()


def test_hardly_any_weight():
    """What falls on the only pixel that counts may be less than single precision holds."""
    image, counted = np.full((30, 30, 30), 7, "f4"), np.zeros((30, 30, 30), bool)
    counted[15, 15, 15] = True
    for chunks in (-1, 12):
        lazy = da.from_array(image, chunks=chunks)
        result = ndfilters.gaussian_filter(lazy, 1, truncate=9, where=counted)
        assert result.dtype == np.float32
        assert result.chunks == lazy.chunks
        found = result.compute()
        assert np.isfinite(found).sum() == 19**3
        np.testing.assert_allclose(found[np.isfinite(found)], 7, rtol=1e-6)


def test_thick_halos_run_apart():
    image, counted = picture()
    lazy, where = (da.from_array(each, chunks=3) for each in (image, counted))
    expected = averaged(image, counted, gaussian_weights(3, 2))
    result = ndfilters.gaussian_filter(lazy, 3, where=where)
    assert_same(result, expected)
    expected = ranked(image, counted, np.ones((15, 15), bool), lambda n: 0)
    assert_same(ndfilters.minimum_filter(lazy, 15, where=where), expected)
    for dtype in (np.int8, bool):
        few = np.abs(image).astype(dtype)
        lazy_few = da.from_array(few, chunks=3)
        expected = ranked(few, counted, np.ones((15, 15), bool), lambda n: n - 1, fill=0)
        found = ndfilters.maximum_filter(lazy_few, 15, where=where, fill_value=0)
        assert_same(found, expected.astype(dtype))
    twisted = ndfilters.gaussian_filter(lazy * (1 + 2j), 3, where=where)
    np.testing.assert_allclose(twisted, result * (1 + 2j), rtol=1e-12)
    image = da.ones((256,) * 3, chunks=64, dtype="f4")
    result = ndfilters.gaussian_filter(image, 5, where=da.ones_like(image, dtype=bool))
    assert len(result.__dask_graph__()) <= 13 * image.npartitions


def test_a_block_takes_one_task():
    lazy = da.ones((100, 100), chunks=50)
    for function, args in (
        (ndfilters.gaussian_filter, (1,)), (ndfilters.uniform_filter, (3,)),
        (ndfilters.convolve, (np.ones((3, 3)),)), (ndfilters.median_filter, (3,)),
    ):  # fmt: skip
        result = function(lazy, *args, nan_policy="omit")
        assert len(result.__dask_graph__()) == 4 + len(lazy.__dask_graph__())


@given(st.data())
@settings(max_examples=25, deadline=None)
def test_any_case(data):
    shape = tuple(data.draw(st.lists(st.integers(1, 8), min_size=1, max_size=3)))
    image = seeded_image(shape, "f8", data.draw(st.integers(0, 99)))
    counted = np.random.default_rng(data.draw(st.integers(0, 99))).random(shape) > 0.4
    size = tuple(data.draw(st.integers(1, 5)) for _ in shape)
    mode = data.draw(st.sampled_from(["reflect", "nearest", "wrap", "constant"]))
    chunks = tuple(data.draw(st.integers(1, each)) for each in shape)
    lazy = da.from_array(image, chunks=chunks)
    expected = averaged(image, counted, np.ones(size), mode=mode)
    assert_same(ndfilters.uniform_filter(lazy, size, mode=mode, where=counted), expected, 1e-11)
    footprint = np.ones(size, bool)
    expected = ranked(image, counted, footprint, lambda n: n // 2, mode=mode)
    assert_same(ndfilters.median_filter(lazy, size, mode=mode, where=counted), expected)


@pytest.mark.parametrize("method", ["gaussian", "mean", "median"])
def test_local_thresholds(method):
    image, counted = picture()
    weights = {"gaussian": gaussian_weights(2 / 3, 2), "mean": np.ones((5, 5))}
    if method == "median":
        expected = ranked(image, counted, np.ones((5, 5), bool), lambda n: n // 2)
    else:
        expected = averaged(image, counted, weights[method])
    found = ndfilters.threshold_local(
        da.from_array(image, chunks=6), 5, method, offset=1, where=counted
    )
    assert_same(found, expected - 1)


def test_scipys_names_take_it_too():
    image, counted = picture()
    lazy = da.from_array(image, chunks=6)
    expected = averaged(image, counted, gaussian_weights(1, 2))
    assert_same(ndi.gaussian_filter(lazy, 1, where=counted), expected)


def test_without_compiled_kernels():
    image, counted = picture()
    with plain_kernels():
        expected = averaged(image, counted, gaussian_weights(1.5, 2))
        check(ndfilters.gaussian_filter, expected, image, counted, 1.5)
        expected = ranked(image, counted, np.ones((5, 5), bool), lambda n: n // 2)
        check(ndfilters.median_filter, expected, image, counted, 5)


@pytest.mark.parametrize(
    ("call", "error", "text"),
    [
        (lambda x: ndfilters.gaussian_filter(x, 1, nan_policy="raise"), ValueError, "nan_policy"),
        (lambda x: ndfilters.gaussian_filter(x, 1, where=np.ones(3, bool)), ValueError, "has"),
        (lambda x: ndfilters.gaussian_filter(x, 1, where=np.ones((6, 5))), TypeError, "boolean"),
        (lambda x: ndfilters.gaussian_filter(x, 1, 1, where=True), ValueError, "order"),
        (lambda x: ndfilters.correlate(x, [[1, -1]], where=True), ValueError, "negative"),
        (lambda x: ndfilters.convolve(x, [[0, 0]], where=True), ValueError, "positive"),
        (lambda x: ndfilters.median_filter(x, 3, where=True, output="i4"), ValueError, "no NaN"),
        (
            lambda x: ndfilters.uniform_filter(x, 3, where=True, output="u1", fill_value=300),
            ValueError, "uint8",
        ),
        (lambda x: ndfilters.uniform_filter(x, where=True, fill_value="0"), TypeError, "fill"),
        (
            lambda x: ndfilters.threshold_local(x, 3, "generic", param=np.max, where=True),
            ValueError, "generic",
        ),
    ],
)  # fmt: skip
def test_errors(call, error, text):
    with pytest.raises(error, match=text):
        call(da.ones((6, 5), chunks=3))


@pytest.mark.parametrize("chunks", [((3, 1, 12), (5, 8)), -1, 1])
def test_the_nearest_pixel_stands_for_what_is_missing(chunks):
    image, counted = picture()
    place = ndimage.distance_transform_edt(~counted, return_distances=False, return_indices=True)
    expected = image[tuple(place)]
    lazy = da.from_array(image, chunks=chunks)
    with nothing_computes():
        found = ndfilters.fill_missing(lazy, counted)
    assert found.chunks == lazy.chunks
    assert_same(found, expected)
    holes = da.from_array(np.where(counted, image, np.nan), chunks=chunks)
    assert_same(ndfilters.fill_missing(holes), expected)


@pytest.mark.parametrize("dtype", ["f4", "f8", "u1"])
def test_smooth_values_for_what_is_missing(dtype):
    image, counted = picture(dtype)
    found = [
        ndfilters.fill_missing(da.from_array(image, chunks=chunks), counted, "smooth").compute()
        for chunks in (-1, 4, 1)
    ]
    assert found[0].dtype == dtype
    np.testing.assert_array_equal(found[0], found[1])
    np.testing.assert_array_equal(found[0], found[2])
    np.testing.assert_array_equal(found[0][counted], image[counted])
    assert image[counted].min() <= found[0].min() <= found[0].max() <= image[counted].max()
    even = np.where(counted, 1000.0, np.nan)
    assert (ndfilters.fill_missing(da.from_array(even, 5), method="smooth") == 1000).all().compute()


def biharmonic(image, counted):
    """Solve the biharmonic equation of all missing pixels at once, by a dense matrix."""
    laplacian = np.zeros((1, 1))
    for size in image.shape:
        steps = np.eye(size, k=1) + np.eye(size, k=-1)
        along = steps - np.diag(steps.sum(axis=0))
        laplacian = np.kron(laplacian, np.eye(size)) + np.kron(np.eye(len(laplacian)), along)
    equations, holes = laplacian @ laplacian, ~counted.ravel()
    known = image.ravel()[~holes].astype(float)
    filled = image.astype(float).ravel()
    filled[holes] = np.linalg.solve(
        equations[holes][:, holes], -equations[holes][:, ~holes] @ known
    )
    return np.clip(filled, known.min(), known.max()).reshape(image.shape)


@pytest.mark.parametrize(
    ("shape", "dtype", "chunks"),
    [
        ((17, 13), "f8", (6, 1, (0, 9, 4))), ((17, 13), "f4", (5,)), ((17, 13), "u1", (4,)),
        ((6, 7, 8), "f8", (4, 2)), ((40,), "f8", (3,)), ((9, 1), "f8", (2,)),
    ],
)  # fmt: skip
def test_holes_are_inpainted(shape, dtype, chunks):
    random = np.random.default_rng(3)
    image = (100 + 20 * random.normal(size=shape).cumsum(axis=0)).clip(0, 255).astype(dtype)
    counted = random.random(shape) > 0.15
    counted[tuple(slice(1, 2 + size // 2) for size in shape)] = (
        False  # too large for a small system
    )
    expected = biharmonic(image, counted)
    found = []
    for each in (-1, *chunks):
        each = (-1, each) if isinstance(each, tuple) else each
        lazy = da.from_array(image, chunks=each)
        with nothing_computes():
            filled = ndfilters.fill_missing(lazy, counted, "inpaint")
        assert filled.chunks == lazy.chunks
        found.append(filled.compute())
        assert found[-1].dtype == dtype
        np.testing.assert_array_equal(found[-1], found[0])
    if dtype == "u1":
        expected = np.rint(expected)
    np.testing.assert_allclose(found[0], expected, rtol=1e-6 if dtype == "f4" else 1e-9)


def test_holes_are_inpainted_as_by_scikit_image():
    restoration = pytest.importorskip("skimage.restoration")
    image, counted = picture()
    expected = restoration.inpaint_biharmonic(image, ~counted)
    found = ndfilters.fill_missing(da.from_array(image, 4), counted, "inpaint")
    np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("dtype", ["u1", "i2", "u4"])
def test_means_of_equal_integers_are_these(either_kernel, dtype):
    counted = np.random.default_rng(2).random((90, 80)) > 0.3
    weights = np.arange(1, 26.0).reshape(5, 5) / 325
    for value in (5, 7, 100):
        lazy = da.full((90, 80), value, dtype=dtype, chunks=(41, 80))
        for function, size in (
            (ndfilters.gaussian_filter, 2), (ndfilters.uniform_filter, 9),
            (ndfilters.uniform_filter, 31), (ndfilters.correlate, weights),
        ):  # fmt: skip
            found = function(lazy, size, where=counted, fill_value=0)
            assert found.dtype == dtype
            assert (found == value).all().compute()


@pytest.mark.parametrize("dtype", ["u1", "i1", "u2", "i2", "?"])
@pytest.mark.parametrize("mode", ["reflect", "constant", "wrap"])
def test_means_of_short_integers_are_exact(either_kernel, dtype, mode):
    image, counted = picture(dtype, shape=(7, 12, 13))
    where = counted & (np.indices(counted.shape)[1] < 10)
    lazy = da.from_array(image, chunks=(4, 12, 13))
    settings = {"origin": (0, -1, 1), "mode": mode, "cval": 1}
    numbers, valid = windows_of(image, where, (1, 4, 3), **settings)
    counts = valid.sum(-1)
    expected = np.where(counts, (numbers * valid).sum(-1) / np.maximum(counts, 1), np.nan)
    size = {"size": (1, 4, 3), "where": where}
    found = ndfilters.uniform_filter(lazy, **size, **settings)
    assert_same(found, expected, rtol=1e-15)
    if dtype != "?":
        found = ndfilters.uniform_filter(lazy, **size, **settings, fill_value=3)
        assert_same(found, np.where(counts, np.trunc(expected), 3).astype(dtype))


def test_no_larger_holes_are_inpainted_than_can_be(monkeypatch):
    from dask_image._kernels.blocks import holes

    monkeypatch.setitem(holes.LARGEST, 2, 30)
    image = np.ones((20, 20))
    image[3:8, 9:15] = np.nan
    for chunks in (-1, 10):
        assert (ndfilters.fill_missing(da.from_array(image, chunks), method="inpaint") == 1).all()
    image[8, 10] = np.nan
    for chunks in (-1, 10):
        with pytest.raises(ValueError, match="31 pixels.*at most 30"):
            ndfilters.fill_missing(da.from_array(image, chunks), method="inpaint").compute()


def test_many_holes_that_are_one_are_refused_by_the_first_block(monkeypatch):
    from dask_image._kernels.blocks import holes
    from dask_image.ndfilters import _inpaint

    def never(*_):
        raise AssertionError("the equations of all blocks were brought together")

    monkeypatch.setitem(holes.LARGEST, 2, 30)
    monkeypatch.setattr(_inpaint, "_solve_shared", never)
    image = np.ones((30, 20))
    image[::2, ::2] = np.nan
    with pytest.raises(ValueError, match="at most 30, and missing pixels at most two steps apart"):
        ndfilters.fill_missing(da.from_array(image, 15), method="inpaint").compute()


def test_rows_of_blocks_are_filled_one_after_the_other(monkeypatch):
    monkeypatch.setattr(line_sweeps, "BYTES_AHEAD", 1)
    monkeypatch.setattr(line_sweeps, "BLOCKS_AHEAD", 1)
    image = da.from_array(seeded_image((40, 12), "f8"), chunks=(4, (3, 9)))
    filled = ndfilters.fill_missing(image, where=image > 0)
    finished = []
    with Callback(posttask=lambda key, *_: finished.append(key)):
        filled.compute(scheduler="threads", num_workers=4)
    done = [finished.index((filled.name, row, column)) for row in range(10) for column in range(2)]
    swept = [place for place, key in enumerate(finished) if "fill_missing-sweep" in key[0]]
    assert len(swept) == 20
    for row in range(1, 10):
        assert swept[2 * row] > min(done[2 * row - 2 : 2 * row])


@pytest.mark.parametrize("dtype", ["u1", "f4", "?"])
def test_blocks_that_wait_on_disk_are_filled_as_others(dtype, set_option, monkeypatch):
    image = da.from_array(seeded_image((12, 13, 11), dtype), chunks=(5, 4, 6))
    where = da.from_array(np.random.default_rng(3).random(image.shape) < 0.05, chunks=5)
    filled = ndfilters.fill_missing(image, where)
    set_option("waiting.memory", 0)
    monkeypatch.setattr(spill, "SMALLEST", 0)
    again, kept = ndfilters.fill_missing(image, where), {}
    with Callback(posttask=lambda key, value, *_: kept.update({key[0].rpartition("-")[0]: value})):
        assert_same(again, filled.compute())
    partly, _ = kept["fill_missing-along-1"]
    assert isinstance(partly.values, spill.SpilledArray)
    assert isinstance(kept["fill_missing-sites-1"], spill.SpilledObject)


def test_nothing_to_fill_with():
    nothing = da.full((5, 4), np.nan, chunks=3)
    for method in ("nearest", "smooth", "inpaint"):
        assert np.isnan(ndfilters.fill_missing(nothing, method=method).compute()).all()
        flat = ndfilters.fill_missing(da.ones((5, 4), chunks=3), np.zeros((5, 4), bool), method)
        assert np.isnan(flat).all().compute()
        flags = ndfilters.fill_missing(da.ones(5, dtype=bool), np.arange(5) != 2, method)
        assert flags.dtype == bool and flags.all()
    with pytest.raises(ValueError, match="method"):
        ndfilters.fill_missing(nothing, method="linear")


@pytest.mark.parametrize("shape", [(), (1,), (1, 1)])
@pytest.mark.parametrize("method", ["nearest", "smooth", "inpaint"])
@pytest.mark.parametrize("dtype, nothing", [(np.float32, np.nan), (np.int16, 0)])
def test_filling_a_single_pixel(dtype, nothing, method, shape):
    pixel = da.full(shape, 3, dtype=dtype)
    for where, expected in ((True, 3), (False, nothing)):
        filled = ndfilters.fill_missing(pixel, np.full(shape, where), method).compute()
        np.testing.assert_array_equal(filled, np.full(shape, expected, dtype))


def test_masks_with_names_of_dimensions():
    xarray = pytest.importorskip("xarray")
    xndi = pytest.importorskip("dask_image.xarray")
    image, counted = picture()
    named = xarray.DataArray(image, dims=("y", "x"))
    where = xarray.DataArray(counted.T, dims=("x", "y"))
    expected = averaged(image, counted, gaussian_weights(1, 2))
    np.testing.assert_allclose(xndi.gaussian_filter(named, 1, where=where), expected, rtol=1e-12)
    place = ndimage.distance_transform_edt(~counted, return_distances=False, return_indices=True)
    found = xndi.fill_missing(named, where=where)
    assert found.dims == named.dims
    np.testing.assert_array_equal(found, image[tuple(place)])


@pytest.mark.parametrize(
    ("shape", "size", "dtype", "mode"),
    [((30, 41), (5, 4), "f4", "reflect"), ((9, 12, 11), (3, 3, 2), "u1", "wrap"),
     ((90,), (7,), "f8", "constant")],
)  # fmt: skip
def test_one_network_finds_a_rank_of_its_own_for_each_window(shape, size, dtype, mode):
    pytest.importorskip("numba")
    from dask_image._kernels.stand_ins import rank
    from dask_image._kernels.stand_ins._calls import Call
    from dask_image._kernels.stand_ins._windows import window_of

    random = np.random.default_rng(2)
    image = random.integers(0, 200, shape).astype(dtype)
    low, high = 3, 5
    ranks = random.integers(low - 1, high + 1, shape)[(slice(1, None),) * len(shape)]
    footprint, origin = np.ones(size, bool), (-1,) * len(size)
    region = tuple(slice(1, length) for length in shape)
    stack = np.zeros((2, *shape), dtype)
    stack[0] = image
    stack[1][region] = np.maximum(ranks, low) - low
    call = Call(
        ndimage.rank_filter, image, 0, footprint=footprint, mode=mode, cval=7, origin=origin
    )
    found = rank.choose_ranks(stack, low, high, window_of(call, image.ndim), 7, region)
    each = [
        ndimage.rank_filter(image, number, footprint=footprint, mode=mode, cval=7, origin=origin)
        for number in range(high + 1)
    ]
    expected = np.choose(np.maximum(ranks, low), [one[region] for one in each])
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize(
    ("shape", "dtype", "footprint", "mode"),
    [
        ((100, 90), "f4", np.ones((3, 3)), "reflect"),
        ((100, 90), "u1", np.ones((4, 5)), "constant"),
        ((80, 90), "i2", [[0, 1, 1], [1, 0, 1], [0, 0, 0], [1, 1, 0]], "wrap"),
        ((12, 30, 40), "u2", np.ones((3, 2, 3)), "mirror"),
        ((40, 50), "f4", np.ones((16, 16)), "nearest"),
        ((100, 90), "?", np.ones((3, 3)), "reflect"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("name", ["median_filter", "percentile_filter", "rank_filter"])
def test_compiled_ranks_are_those_of_the_plain_filter(name, shape, dtype, footprint, mode):
    pytest.importorskip("numba")
    random = np.random.default_rng(4)
    image = random.integers(0, 2 if dtype == "?" else 120, shape).astype(dtype)
    counted = random.random(shape) > np.linspace(0, 1, shape[-1])
    counted[tuple(slice(9, 9 + size // 4) for size in shape)] = False
    which = {"median_filter": (), "percentile_filter": (30,), "rank_filter": (-3,)}[name]
    settings = {"footprint": np.array(footprint, bool), "mode": mode, "cval": 1, "origin": -1}
    lazy, where = (da.from_array(each, chunks=-1) for each in (image, counted))
    for fill in (0, None):
        result = getattr(ndfilters, name)(lazy, *which, where=where, fill_value=fill, **settings)
        with plain_kernels():
            expected = result.compute()
        found = result.compute()
        assert found.dtype == expected.dtype == result.dtype
        np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("mode", ["reflect", "constant", "wrap"])
@pytest.mark.parametrize("dtype", ["u1", "f4", "f8"])
@pytest.mark.parametrize("name", ["correlate", "convolve", "gaussian_filter"])
def test_means_depend_on_no_chunks_nor_strips(name, dtype, mode, monkeypatch):
    """Where all pixels of a block count, its mask is not filtered: what it weighs must not tell."""
    weights = np.abs(seeded_image((3, 5), "f8"))
    keywords = {"sigma": 1.7} if name == "gaussian_filter" else {"weights": weights}
    image, where = 100 * seeded_image((61, 53), "f8"), np.ones((61, 53), bool)
    where[:9, :8] = seeded_image((9, 8), "?")
    image = np.abs(image).clip(0, 200).astype(dtype)
    results = []
    for rows in (1 << 22, 1 << 12):
        monkeypatch.setattr(counted, "STRIP_BYTES", rows)
        for chunks in (-1, (20, 17), (61, 9)):
            lazy, mask = (da.from_array(each, chunks=chunks) for each in (image, where))
            results.append(getattr(ndfilters, name)(lazy, mode=mode, where=mask, **keywords))
            results[-1] = results[-1].compute(scheduler="synchronous")
    for result in results[1:]:
        np.testing.assert_array_equal(result, results[0])


@pytest.mark.parametrize("mode", ["reflect", "constant"])
@pytest.mark.parametrize("dtype", ["u1", "f4", "f8"])
def test_means_of_large_planes(dtype, mode, monkeypatch):
    """A few planes at a time go down the first axis, the image's and those of the mask."""
    from dask_image._kernels.stand_ins import _separable, _steps

    monkeypatch.setattr(_separable, "LEAST_PLANES", 1)
    monkeypatch.setattr(_separable, "PLANES_BYTES", 1 << 13)
    monkeypatch.setattr(_separable, "RING_BYTES", 1)
    _steps._plan.cache_clear()
    image = np.abs(100 * seeded_image((13, 20, 31), "f8")).clip(0, 200).astype(dtype)
    where = da.from_array(seeded_image(image.shape, "?"), chunks=-1)
    result = ndfilters.gaussian_filter(
        da.from_array(image, chunks=-1), (1.3, 0.7, 2), mode=mode, cval=3, where=where, fill_value=7
    )
    with plain_kernels():
        expected = result.compute()
    np.testing.assert_array_equal(result.compute(), expected)
    _steps._plan.cache_clear()


@pytest.mark.parametrize("size", [(3, 3), (5, 4), (1, 5)])
@pytest.mark.parametrize("dtype", ["?", "u1", "i2", "f4"])
@pytest.mark.parametrize(
    ("name", "which"),
    [("median_filter", ()), ("percentile_filter", (35,)), ("rank_filter", (1,)),
     ("rank_filter", (-3,))],
)  # fmt: skip
def test_ranks_of_pixels_that_others_stand_for(name, which, dtype, size, monkeypatch):
    """Pixels that do not count get the limits of the dtype, which those that count may have too."""
    from dask_image._kernels.blocks import counted_ranks

    limits = (-np.inf, np.inf) if dtype == "f4" else (False, True)
    if dtype in ("u1", "i2"):
        limits = np.iinfo(dtype).min, np.iinfo(dtype).max
    random = np.random.default_rng(4)
    image = random.choice([*limits, limits[1] > 0], (70, 83)).astype(dtype)
    where = random.random(image.shape) < np.linspace(-0.2, 1.1, 83)
    result = getattr(ndfilters, name)(
        da.from_array(image, chunks=-1), *which, size, where=where, fill_value=1, mode="constant"
    )
    with plain_kernels():
        expected = result.compute()
    np.testing.assert_array_equal(result.compute(), expected)
    for few in (0, 1000):  # whether pixels of a window are counted one by one
        monkeypatch.setattr(counted_ranks, "GATHERED_PER_BYTE", few)
        np.testing.assert_array_equal(result.compute(), expected)
