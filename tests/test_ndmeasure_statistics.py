"""Statistics of labels: as SciPy's on the whole array, in one pass over the blocks."""

import warnings

import dask
import dask.array as da
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from dask_image import ndmeasure
from tests.helpers import assert_same, nothing_computes, seeded_image

MOMENTS = ["sum_labels", "mean", "variance", "standard_deviation", "center_of_mass"]
EXTREMES = ["minimum", "maximum"]
POSITIONS = ["minimum_position", "maximum_position"]
ONE_RESULT = [*MOMENTS, *EXTREMES, *POSITIONS]

INDEXES = [None, 2, 77, [3, 1, 20, -1, 3, 0], [0.0, 2.0, 5.0], []]

SHAPES = {
    "1-D": ((50,), 7),
    "2-D uneven": ((23, 17), ((5, 1, 17), (16, 1))),
    "2-D single": ((23, 17), -1),
    "2-D thin": ((1, 40), (1, 9)),
    "3-D": ((7, 11, 13), 4),
    "4-D": ((3, 1, 5, 6), 2),
    "pixels": ((4, 5), 1),
}


def distinct_image(shape, dtype, seed=0):
    """Return an image no value of which occurs twice, as far as the dtype allows."""
    size = int(np.prod(shape))
    values = np.random.default_rng(seed).permutation(size)
    return (values - (0 if np.dtype(dtype).kind == "u" else size // 2)).reshape(shape).astype(dtype)


def scipys(name, image, labels, index):
    """Return SciPy's answer as one array: float64, except for values picked from the image."""
    if np.asarray(index).dtype.kind != "O" and not np.isscalar(index):
        index = np.asarray(index)
        index = index if index.size else index.astype(int)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # SciPy's, of empty groups
        expected = np.asarray(getattr(ndimage, name)(image, labels, index))
    if name in EXTREMES:
        return expected.astype(image.dtype)
    if name in POSITIONS:
        return expected.astype(np.int64).reshape(
            expected.shape[: expected.ndim - 1] + (image.ndim,)
        )
    return expected.astype(np.complex128 if image.dtype.kind == "c" else np.float64)


def check(name, image, labels, index, chunks, label_chunks=None, rtol=None):
    """Compare one function with SciPy's; building must be lazy and give one name."""
    lazy_image = da.from_array(image, chunks=chunks)
    lazy_labels = None
    if labels is not None:
        lazy_labels = da.from_array(labels, chunks=label_chunks or chunks)
    function = getattr(ndmeasure, name)
    with nothing_computes():
        lazy = function(lazy_image, lazy_labels, index)
        again = function(lazy_image, lazy_labels, index)
    assert lazy.name == again.name
    expected = scipys(name, image, labels, index)
    if name == "center_of_mass" and expected.size == 0:
        expected = expected.reshape(0, image.ndim)
    assert_same(lazy, expected, rtol=rtol)


# ---------------------------------------------------------------------------------------
# SciPy's values


@pytest.mark.parametrize(("shape", "chunks"), SHAPES.values(), ids=SHAPES)
@pytest.mark.parametrize("name", ONE_RESULT)
def test_matches_scipy(either_kernel, name, shape, chunks):
    labels = np.random.default_rng(1).integers(-1, 6, shape)
    labels.flat[:6] = range(6)  # none is missing, so that SciPy's extremes exist
    image = distinct_image(shape, np.float64)
    for index in INDEXES:
        # SciPy has no extremes of nothing, and no positions for no label.
        if not (index == 77 and name in EXTREMES + POSITIONS) and not (
            index == [] and name in POSITIONS
        ):
            check(name, image, labels, index, chunks)


@pytest.mark.parametrize(
    "dtype", ["?", "i1", "u1", "i2", "u2", "i4", "u4", "i8", "u8", "f8", ">f8"]
)
@pytest.mark.parametrize("name", ["sum_labels", "variance", "center_of_mass", *EXTREMES])
def test_image_dtypes(either_kernel, name, dtype):
    image = seeded_image((20, 31), dtype)
    labels = np.random.default_rng(1).integers(0, 5, image.shape)
    for index in (None, 1, [4, 1]):
        check(name, image.astype(image.dtype.newbyteorder("=")), labels, index, (7, 12))
    lazy = getattr(ndmeasure, name)(da.from_array(image, chunks=7), labels, [1])
    assert lazy.dtype.isnative


@pytest.mark.parametrize("dtype", ["f2", "f4", np.longdouble])
def test_other_floats_are_summed_in_double_precision(either_kernel, dtype):
    image = seeded_image((20, 31), dtype)
    labels = np.random.default_rng(1).integers(0, 5, image.shape)
    for name in MOMENTS:
        expected = scipys(name, image.astype(np.float64), labels, [2, 3])
        assert_same(getattr(ndmeasure, name)(image, labels, [2, 3]), expected)
    for name in EXTREMES:
        expected = scipys(name, image, labels, [2, 3])
        computed = getattr(ndmeasure, name)(image, labels, [2, 3]).compute()
        assert computed.dtype == image.dtype
        np.testing.assert_array_equal(computed, expected)


@pytest.mark.parametrize("dtype", ["c8", "c16"])
def test_complex_images(either_kernel, dtype):
    image = seeded_image((20, 31), dtype)
    labels = np.random.default_rng(1).integers(0, 5, image.shape)
    lazy_image = da.from_array(image, chunks=(7, 12))
    for index in (None, 3):
        for name in MOMENTS:
            expected = scipys(name, image.astype(np.complex128), labels, index)
            assert_same(getattr(ndmeasure, name)(lazy_image, labels, index), expected)
        for name in EXTREMES:
            expected = scipys(name, image, labels, index)
            assert_same(getattr(ndmeasure, name)(lazy_image, labels, index), expected)
    # SciPy sums no complex values by label; the sum of parts is what it would be.
    parts = [
        ndimage.sum_labels(part.astype("f8"), labels, [1, 2]) for part in (image.real, image.imag)
    ]
    assert_same(ndmeasure.sum_labels(lazy_image, labels, [1, 2]), parts[0] + 1j * parts[1])


@pytest.mark.parametrize("dtype", ["i1", "u1", "i2", "u2", "i4", "u4", "i8", "u8"])
def test_label_dtypes(either_kernel, dtype):
    image = distinct_image((20, 31), np.float64)
    labels = np.random.default_rng(1).integers(0, 5, image.shape).astype(dtype)
    for name in ONE_RESULT:
        check(name, image, labels, [4, 1], (7, 12))


@pytest.mark.parametrize("dtype", ["i1", "i2"])
@pytest.mark.parametrize("name", ["sum_labels", "maximum", "median", "area", "comprehension"])
def test_labels_further_apart_than_their_dtype_reaches(name, dtype):
    most = np.iinfo(dtype).max - 27
    index = np.arange(-most, most).astype(dtype)
    labels = np.random.default_rng(0).permutation(index).reshape(-1, 2)
    image = labels.astype(np.int64) * 3
    arrays = [da.from_array(array, chunks=(-1, 1)) for array in (image, labels)]
    if name == "area":
        found = ndmeasure.area(*arrays, index)
    elif name == "comprehension":
        found = ndmeasure.labeled_comprehension(*arrays, index, np.sum, np.int64, 0)
    else:
        found = getattr(ndmeasure, name)(*arrays, index)
    expected = np.ones(index.size) if name == "area" else index.astype(np.int64) * 3
    np.testing.assert_array_equal(found.compute(), expected)


def test_boolean_labels(either_kernel):
    image = distinct_image((20, 31), np.float64)
    labels = image % 3 == 0
    for name in ONE_RESULT:
        lazy = getattr(ndmeasure, name)(da.from_array(image, chunks=9), labels, [True, 0, 1])
        assert_same(lazy, scipys(name, image, labels.astype(int), [1, 0, 1]))
    assert ndmeasure.area(image, labels, "all")[1].compute().tolist() == [True]


@pytest.mark.parametrize("name", [*ONE_RESULT, "median", "labeled_comprehension"])
def test_booleans_that_are_views_of_other_numbers(name, either_kernel):
    numbers = np.random.default_rng(4).integers(0, 4, (13, 17)).astype(np.uint8) * 85
    image = seeded_image((13, 17), np.float64)
    odd = da.from_array(numbers, chunks=(5, 7)).map_blocks(np.ndarray.view, bool, dtype=bool)
    extra = (np.sum, float, 0) if name == "labeled_comprehension" else ()
    expected = getattr(ndimage, name)(image, numbers > 0, [1], *extra)
    found = getattr(ndmeasure, name)(da.from_array(image, chunks=(5, 7)), odd, [1], *extra)
    np.testing.assert_allclose(found, expected)


def test_labels_of_64_bits_are_told_apart(either_kernel):
    top = 2**64 - 1
    labels = np.array([[top, top - 1, 0], [top, 2**63, 5]], np.uint64)
    image = np.arange(6.0).reshape(2, 3)
    index = np.array([top - 1, top, 2**63, 7], np.uint64)
    lazy = ndmeasure.sum_labels(da.from_array(image, chunks=2), labels, index)
    assert lazy.compute().tolist() == [1.0, 3.0, 4.0, 0.0]
    low = np.array([-(2**63), 2**63 - 1, -(2**63)])
    assert ndmeasure.area(np.ones(3), low, low).compute().tolist() == [2, 1, 2]


TOP = 2**64 - 1


@pytest.mark.parametrize(
    ("index", "expected"),
    [
        ([TOP, 5], [3.0, 5.0]),
        ([TOP, -1, 5], [3.0, 0.0, 5.0]),
        ([2**70, TOP, -(2**80)], [0.0, 3.0, 0.0]),
        ([np.uint64(TOP), np.int64(5)], [3.0, 5.0]),
        (np.array([TOP, 5], object), [3.0, 5.0]),
        ([[TOP], [5]], [[3.0], [5.0]]),
        (TOP, 3.0),
        (2**64, 0.0),
        ([2.0**64, 5.0], [0.0, 5.0]),
    ],
    ids=str,
)
@pytest.mark.parametrize("name", ["sum_labels", "maximum", "median", "area", "comprehension"])
def test_an_index_of_integers_that_share_no_dtype(name, index, expected):
    labels = da.from_array(np.array([[TOP, TOP - 1, 0], [TOP - 2, 2**63, 5]], np.uint64), chunks=2)
    image = da.from_array(np.array([[3.0, 1.0, 2.0], [9.0, 4.0, 5.0]]), chunks=2)
    fits = all(0 <= int(label) <= TOP for label in np.ravel(np.array(index, object)))
    if name == "comprehension":
        arguments = image, labels, index, np.sum, float, 0
        if not fits:
            with pytest.raises(ValueError, match="index must hold labels that fit"):
                ndmeasure.labeled_comprehension(*arguments)
            return
        lazy = ndmeasure.labeled_comprehension(*arguments)
        assert lazy.name == ndmeasure.labeled_comprehension(*arguments).name
    else:
        lazy = getattr(ndmeasure, name)(image, labels, index)
        assert lazy.name == getattr(ndmeasure, name)(image, labels, index).name
    expected = np.array(expected)
    if name == "median":
        expected = np.where(expected == 0, np.nan, expected)
    if name == "area":
        expected = (expected != 0).astype(int)
    assert_same(lazy, expected)


def test_an_index_that_no_label_can_match():
    labels = np.array([-(2**63), 2**63 - 1])
    index = [2**64 - 1, -(2**63), 2**63 - 1]
    assert ndmeasure.area(np.ones(2), labels, index).compute().tolist() == [0, 1, 1]
    for bad in ([TOP, 1], [2.0**63]):
        with pytest.raises(ValueError, match="index must hold labels that fit"):
            ndmeasure.histogram(np.ones(2), 0, 2, 1, labels, bad)
    with pytest.raises(TypeError, match="index must hold"):
        ndmeasure.area(np.ones(2), labels, np.array([1, "a"], object))


INTEGERS = ["i1", "u1", "i2", "u2", "i4", "u4", "i8", "u8"]


PAIRS = [(dtype, other) for dtype in INTEGERS for other in {dtype, "i1", "u8"}]


@pytest.mark.parametrize(("dtype", "label_dtype"), sorted(PAIRS))
def test_labels_and_images_at_the_limits_of_their_dtypes(either_kernel, dtype, label_dtype):
    low, high = np.iinfo(dtype).min, np.iinfo(dtype).max
    first, last = np.iinfo(label_dtype).min, np.iinfo(label_dtype).max
    # Of every two values of a label, one limit or a neighbour of it; equal ones too.
    image = np.array(
        [[low, high, low + 1, high - 1, high, low], [high, high, low, low, 3, 4]], dtype
    )
    labels = np.array([[first, last, first, last, 1, 1], [2, 2, 3, 3, last, first]], label_dtype)
    index = np.array([first, last, 1, 2, 3], label_dtype)
    lazy_image, lazy_labels = da.from_array(image, chunks=(1, 4)), da.from_array(labels, chunks=5)
    groups = [[int(value) for value in image[labels == label]] for label in index]
    for exact, name in ((min, "minimum"), (max, "maximum")):
        lazy = getattr(ndmeasure, name)(lazy_image, lazy_labels, index)
        assert_same(lazy, np.array([exact(group) for group in groups], dtype))
        lazy = getattr(ndmeasure, f"{name}_position")(lazy_image, lazy_labels, index)
        for where, label, group in zip(lazy.compute(), index, groups, strict=True):
            assert labels[tuple(where)] == label and image[tuple(where)] == exact(group)
    for name in ("sum_labels", "mean", "median", "variance", "standard_deviation"):
        check(name, image, labels, index, (1, 4)) if name != "median" else None
        lazy = getattr(ndmeasure, name)(lazy_image, lazy_labels, index)
        expected = scipys(name, image.astype(np.float64), labels, index)
        assert_same(lazy, expected)
        one = getattr(ndmeasure, name)(lazy_image, lazy_labels, last)
        assert_same(one, scipys(name, image.astype(np.float64), labels, last))
    assert ndmeasure.area(lazy_image, lazy_labels, index).compute().tolist() == [
        len(group) for group in groups
    ]
    found = ndmeasure.area(lazy_image, lazy_labels, "all")[1].compute()
    assert found.tolist() == sorted(set(labels.ravel().tolist()) - {0})
    counted = ndmeasure.histogram(lazy_image, int(low), int(high), 2, lazy_labels, index)
    assert [int(counts.sum()) for counts in counted.compute()] == [len(group) for group in groups]
    summed = ndmeasure.labeled_comprehension(
        lazy_image, lazy_labels, index, lambda values: sum(map(int, values)), object, None
    )
    assert summed.compute().tolist() == [sum(group) for group in groups]


def test_extremes_of_64_bits_keep_every_digit(either_kernel):
    labels = np.ones((4, 6), int)
    for dtype in (np.int64, np.uint64):
        image = np.full((4, 6), np.iinfo(dtype).max - 5, dtype)
        image[2, 3] += 5
        image[1, 5] -= 1
        lazy = da.from_array(image, chunks=(3, 4))
        assert ndmeasure.maximum(lazy, labels, [1]).compute()[0] == np.iinfo(dtype).max
        assert ndmeasure.minimum(lazy, labels, [1]).compute()[0] == np.iinfo(dtype).max - 6
        assert ndmeasure.maximum_position(lazy, labels, 1).compute().tolist() == [2, 3]
        assert ndmeasure.minimum_position(lazy, labels, 1).compute().tolist() == [1, 5]


def test_integer_sums_are_exact(either_kernel):
    image = np.full((40, 40), 2**40 + 1, np.int64)
    total = ndmeasure.sum_labels(da.from_array(image, chunks=7)).compute()
    assert total == 1600 * (2**40 + 1)


def test_variance_survives_a_large_offset(either_kernel):
    noise = np.random.default_rng(0).standard_normal((64, 96))
    labels = np.arange(64 * 96).reshape(64, 96) // 700
    image = 1e8 + noise
    index = np.arange(9)
    exact = ndimage.variance(image - 1e8, labels, index)
    lazy = ndmeasure.variance(da.from_array(image, chunks=(13, 29)), labels, index)
    np.testing.assert_allclose(lazy.compute(), exact, rtol=1e-12)
    pooled = ndmeasure.variance(da.from_array(image, chunks=(13, 29)), labels + 1)
    np.testing.assert_allclose(pooled.compute(), np.var(image - 1e8), rtol=1e-12)
    outlier = image.copy()
    outlier[0, 0] = 0
    lazy = ndmeasure.variance(da.from_array(outlier, chunks=(13, 29)), labels, index)
    np.testing.assert_allclose(lazy.compute(), ndimage.variance(outlier, labels, index), rtol=1e-12)


# ---------------------------------------------------------------------------------------
# NaN and infinities


@pytest.mark.parametrize("index", [None, 1, 2, [1, 2, 3]])
@pytest.mark.parametrize("name", [*MOMENTS, *EXTREMES])
def test_nan_and_infinities_as_in_scipy(either_kernel, name, index):
    image = np.arange(48.0).reshape(6, 8)
    labels = 1 + image.astype(int) // 16
    image[1, 3] = np.nan
    image[2, 5], image[3, 2] = np.inf, 7
    image[5, 7] = -np.inf
    check(name, image, labels, index, (1, 3))


@pytest.mark.parametrize("name", EXTREMES)
def test_nothing_but_nan(either_kernel, name):
    image = np.full((4, 4), np.nan)
    labels = np.ones((4, 4), int)
    for index in (None, [1], [1, 2]):
        check(name, image, labels, index, 3)
    lazy = getattr(ndmeasure, f"{name}_position")(image, labels, [1])
    assert lazy.compute().tolist() == [[0, 0]]


def test_nan_counts_as_the_greatest(either_kernel):
    image = da.from_array(np.array([5.0, np.nan, 1.0, np.nan, 9.0, 1.0]), chunks=1)
    assert ndmeasure.maximum_position(image).compute().tolist() == [1]
    assert ndmeasure.minimum_position(image, np.ones(6, int), [1]).compute().tolist() == [[2]]


# ---------------------------------------------------------------------------------------
# Positions


def first_positions(image, labels, index, pick):
    """Return for each label the first pixel that holds its extremum."""
    places = []
    for label in index:
        inside = labels == label
        if not inside.any():
            places.append([0] * image.ndim)
            continue
        places.append(np.argwhere(inside & (image == pick(image[inside])))[0])
    return np.array(places, np.int64)


@pytest.mark.parametrize("chunks", [1, 2, (3, 5), (5, 3), -1])
@pytest.mark.parametrize("dtype", ["u1", "f4", "i8"])
def test_the_first_of_equal_extremes_wins_across_blocks(either_kernel, chunks, dtype):
    random = np.random.default_rng(3)
    image = random.integers(0, 3, (11, 13)).astype(dtype)
    labels = random.integers(0, 6, (11, 13))
    index = [0, 3, 5, 9]
    lazy = da.from_array(image, chunks=chunks)
    for name, pick in (("minimum_position", np.min), ("maximum_position", np.max)):
        expected = first_positions(image, labels, index, pick)
        assert_same(getattr(ndmeasure, name)(lazy, labels, index), expected)
        for single in (None, 3):
            expected = getattr(ndimage, name)(image, labels, single)
            assert_same(getattr(ndmeasure, name)(lazy, labels, single), expected)


def test_extrema_are_the_four(either_kernel):
    image = distinct_image((20, 31), np.int32)
    labels = np.random.default_rng(1).integers(0, 5, image.shape)
    for index in (None, 2, [4, 1]):
        results = ndmeasure.extrema(da.from_array(image, chunks=9), labels, index)
        for lazy, expected in zip(results, ndimage.extrema(image, labels, index), strict=True):
            dtype = image.dtype if lazy.dtype == image.dtype else np.int64
            assert_same(lazy, np.asarray(expected, dtype))


# ---------------------------------------------------------------------------------------
# Index and labels


@pytest.mark.parametrize("name", ["area", *ONE_RESULT])
def test_an_index_of_any_shape_shapes_the_result(name):
    image = distinct_image((6, 7), np.float64)
    labels = np.arange(42).reshape(6, 7) % 5
    index = np.array([[1, 4, 9], [4, 0, -2]])
    function = getattr(ndmeasure, name)
    lazy = function(image, labels, index)
    flat = function(image, labels, index.ravel()).compute()
    # One array of positions, as SciPy's list of tuples is one: raveled.
    raveled = name in [*POSITIONS, "center_of_mass"]
    assert lazy.shape == ((6, 2) if raveled else index.shape)
    np.testing.assert_array_equal(lazy.compute(), flat.reshape(lazy.shape))
    if name in POSITIONS:
        assert_same(lazy, np.array(getattr(ndimage, name)(image, labels, index)))
    nothing = function(image, labels, np.array(4))
    assert nothing.shape == flat.shape[1:]


@pytest.mark.parametrize("name", ["area", *ONE_RESULT])
def test_a_lazy_index(name):
    image = distinct_image((6, 7), np.float64)
    labels = np.arange(42).reshape(6, 7) % 5
    index = np.array([[1, 4, 9], [4, 0, -2]])
    function = getattr(ndmeasure, name)
    with nothing_computes():
        lazy = function(image, labels, da.from_array(index, chunks=2))
    np.testing.assert_array_equal(lazy.compute(), function(image, labels, index).compute())


def test_fractions_in_the_index_mean_what_they_mean_in_scipy():
    image = distinct_image((6, 7), np.float64)
    small = np.arange(42).reshape(6, 7) % 5
    index = [1.5, 2.0, -0.5, np.nan, 1e30]
    for labels in (small, small - 1, small * 100, small.astype(np.uint64)):
        with np.errstate(invalid="ignore"), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            expected = scipys("sum_labels", image, labels, index)
        assert_same(ndmeasure.sum_labels(image, labels, index), expected)
    assert_same(ndmeasure.sum_labels(image, small, 1.5), scipys("sum_labels", image, small, 1.5))


@pytest.mark.parametrize("name", ["area", *ONE_RESULT])
def test_all_labels(name):
    image = distinct_image((6, 7), np.float64)
    labels = np.random.default_rng(2).choice([-4, 0, 2, 90], (6, 7))
    function = getattr(ndmeasure, name)
    with nothing_computes():
        lazy, found = function(da.from_array(image, chunks=4), labels, "all")
    assert np.isnan(lazy.shape[0]) and np.isnan(found.shape[0])
    computed, present = dask.compute(lazy, found)
    np.testing.assert_array_equal(present, [-4, 2, 90])
    assert present.dtype == labels.dtype
    np.testing.assert_allclose(computed, function(image, labels, present).compute(), rtol=1e-12)


def test_all_labels_of_the_functions_with_several_results():
    image = distinct_image((6, 7), np.float64)
    labels = np.arange(42).reshape(6, 7) % 3
    (low, *_), found = ndmeasure.extrema(image, labels, "all")
    np.testing.assert_array_equal(low.compute(), ndimage.minimum(image, labels, [1, 2]))
    counts, found = ndmeasure.histogram(image, -30, 30, 4, labels, "all")
    assert found.compute().tolist() == [1, 2]
    assert [each.sum() for each in counts.compute()] == [14, 14]
    results, found = ndmeasure.mean(image, np.zeros((6, 7), int), "all")
    assert results.compute().shape == found.compute().shape == (0,)


@pytest.mark.parametrize("name", ONE_RESULT)
def test_without_labels_the_image_is_one_group(name):
    image = distinct_image((6, 7), np.float64)
    for index in (None, 3, [1, 2]):
        check(name, image, None, index, 4)


def test_area_counts_what_scipy_sums():
    labels = np.random.default_rng(1).integers(-2, 6, (20, 31))
    image = da.zeros(labels.shape, chunks=8)
    for index in (None, 2, 9, [3, -2, 9]):
        expected = scipys("sum_labels", np.ones(labels.shape), labels, index).astype(np.int64)
        assert_same(ndmeasure.area(image, labels, index), expected)
    assert ndmeasure.area(image).compute() == labels.size
    assert ndmeasure.area(image, np.zeros(labels.shape, int)).compute() == 0


@pytest.mark.parametrize(
    ("image_shape", "label_shape"),
    [((4, 5), (5,)), ((4, 5), (4, 1)), ((4, 5), (1, 1)), ((2, 4, 5), (4, 1)), ((4, 5), ())],
)
def test_labels_broadcast(either_kernel, image_shape, label_shape):
    image = distinct_image(image_shape, np.float64)
    labels = np.arange(int(np.prod(label_shape))).reshape(label_shape) % 3 + 1
    for name in ONE_RESULT:
        for index in (None, [2, 1]):
            lazy = getattr(ndmeasure, name)(da.from_array(image, chunks=2), labels, index)
            full = np.ascontiguousarray(np.broadcast_to(labels, image_shape))
            assert_same(lazy, scipys(name, image, full, index))


@pytest.mark.parametrize("image_shape", [(5,), (1, 5), (1, 1)])
def test_an_image_broadcasts_against_larger_labels(image_shape):
    image = 1 + np.arange(image_shape[-1], dtype=float).reshape(image_shape)
    labels = np.arange(20).reshape(4, 5) % 3 + 1
    for name in [*MOMENTS, *EXTREMES]:
        for index in (None, [2, 1]):
            lazy = getattr(ndmeasure, name)(
                da.from_array(image), da.from_array(labels, chunks=2), index
            )
            assert_same(lazy, scipys(name, image, labels, index))
    lazy = ndmeasure.maximum_position(image, labels, [2, 1])
    assert lazy.compute().tolist() == [[0] * (image.ndim - 1) + [image.shape[-1] - 1]] * 2


def test_chunks_that_differ_are_cut_not_gathered():
    image = distinct_image((24, 24), np.float64)
    labels = np.arange(576).reshape(24, 24) % 7
    lazy_image = da.from_array(image, chunks=(5, 24))
    lazy_labels = da.from_array(labels, chunks=(24, 7))
    lazy = ndmeasure.mean(lazy_image, lazy_labels, [1, 2])
    blocks = [
        block for block in dict(lazy.dask) if str(block[0]).startswith("label_statistics-measure-")
    ]
    assert max(len(block) for block in blocks) == 3
    assert len([block for block in blocks if not str(block[0]).endswith("merged")]) == 20
    np.testing.assert_allclose(lazy.compute(), ndimage.mean(image, labels, [1, 2]), rtol=1e-12)


@pytest.mark.parametrize("shape", [(0,), (0, 3), (3, 0, 2)])
def test_empty_images(either_kernel, shape):
    image, labels = np.zeros(shape), np.zeros(shape, int)
    assert ndmeasure.area(image, labels, [0, 1]).compute().tolist() == [0, 0]
    assert np.isnan(ndmeasure.mean(image, labels, [1]).compute()).all()
    assert np.isnan(ndmeasure.mean(image).compute())
    assert ndmeasure.histogram(image, 0, 1, 2).compute().tolist() == [0, 0]


@pytest.mark.parametrize("name", [*EXTREMES, *POSITIONS, "extrema"])
@pytest.mark.parametrize("shape", [(0,), (0, 3), (3, 0, 2)])
def test_empty_images_have_no_extremes(name, shape):
    image, labels = da.zeros(shape), np.zeros(shape, int)
    function = getattr(ndmeasure, name)
    for arguments in ((), (labels,), (labels, 1), (labels, [1]), (labels, [])):
        with pytest.raises(ValueError, match="zero-size"):
            getattr(ndimage, name)(image.compute(), *arguments)
        with pytest.raises(ValueError, match=rf"image must have pixels.*got shape \({shape[0]},"):
            function(image, *arguments)
    results, found = function(image, labels, "all")
    assert found.compute().size == 0
    assert len(results[0].compute() if name == "extrema" else results.compute()) == 0


@pytest.mark.parametrize("dtype", ["u1", "i8", "f4", "c16"])
def test_no_label_has_no_extremes(either_kernel, dtype):
    image = da.from_array(seeded_image((4, 5), dtype), chunks=3)
    low, high, low_at, high_at = ndmeasure.extrema(image, np.zeros((5,), int))
    value = np.dtype(dtype).type(np.nan if dtype in ("f4", "c16") else 0)
    assert_same(low, value)
    assert_same(high, value)
    assert_same(low_at, np.array([-1, -1]))
    assert_same(high_at, np.array([-1, -1]))
    stretched = ndmeasure.maximum_position(image[:1], np.zeros((4, 5), int))
    assert_same(stretched, np.array([-1, -1]))


def test_a_single_number_is_an_image(either_kernel):
    assert ndmeasure.mean(np.float64(3.0)).compute() == 3
    assert ndmeasure.area(3, 1, [1, 2]).compute().tolist() == [1, 0]
    assert ndmeasure.center_of_mass(np.float64(3.0)).compute().shape == (0,)
    assert ndmeasure.maximum_position(np.float64(3.0), 1, [1]).compute().shape == (1, 0)


def test_absent_labels_warn_of_nothing():
    image, labels = np.ones((4, 4)), np.ones((4, 4), int)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for name in ["area", *ONE_RESULT]:
            getattr(ndmeasure, name)(image, labels, [7, 1]).compute()
        assert np.isnan(ndmeasure.mean(image, labels - 1).compute())
        assert np.isnan(ndmeasure.center_of_mass(image * 0, labels, [1])).compute().all()


# ---------------------------------------------------------------------------------------
# Histograms


def assert_same_histograms(lazy, expected):
    """Compare object arrays of counts, None included."""
    computed = lazy.compute()
    assert lazy.dtype == computed.dtype == object
    assert lazy.shape == computed.shape == expected.shape
    for ours, theirs in zip(computed.flat, expected.flat, strict=True):
        if theirs is None:
            assert ours is None
        else:
            assert ours.dtype == theirs.dtype
            np.testing.assert_array_equal(ours, theirs)


@pytest.mark.parametrize("dtype", ["?", "u1", "i2", "u2", "i8", "f4", "f8"])
@pytest.mark.parametrize("limits", [(0, 10, 5), (-100.5, 100.25, 7), (3, 3, 2), (0, 1, 1)])
def test_histogram_matches_scipy(either_kernel, dtype, limits):
    image = seeded_image((20, 31), dtype)
    if dtype == "f8":
        image[3, 3:6] = np.nan, np.inf, limits[1]
    labels = np.random.default_rng(1).integers(-1, 5, image.shape)
    lazy_image = da.from_array(image, chunks=(7, 12))
    index = [3, 9, 1, 3, -1]
    with nothing_computes():
        lazy = ndmeasure.histogram(lazy_image, *limits, labels, index)
    if dtype == "?":  # which NumPy counts as numbers, and warns
        image = image.view(np.uint8)
    assert_same_histograms(lazy, ndimage.histogram(image, *limits, labels, index))
    for single in (None, 2):
        lazy = ndmeasure.histogram(lazy_image, *limits, labels, single)
        assert_same(lazy, ndimage.histogram(image, *limits, labels, single))
    assert_same(ndmeasure.histogram(lazy_image, *limits), ndimage.histogram(image, *limits))


def test_histogram_of_large_blocks_of_few_values():
    image = seeded_image((300, 300), "i1")
    labels = np.random.default_rng(1).integers(0, 3000, image.shape)
    index = np.arange(40)
    lazy = ndmeasure.histogram(da.from_array(image, chunks=(300, 299)), -9, 9, 400, labels, index)
    assert_same_histograms(lazy, ndimage.histogram(image, -9, 9, 400, labels, index))


def test_histogram_of_an_absent_label():
    image, labels = np.ones((4, 4)), np.ones((4, 4), int)
    assert ndmeasure.histogram(image, 0, 2, 3, labels, 5).compute().tolist() == [0, 0, 0]
    lazy = ndmeasure.histogram(image, 0, 2, 3, labels, [[5, 1]])
    assert lazy.shape == (1, 2)
    assert lazy.compute()[0, 0] is None


# ---------------------------------------------------------------------------------------
# One pass


class CountedBlocks:
    """An array that counts how often its pixels are read."""

    def __init__(self, values):
        self.values = values
        self.shape, self.dtype, self.ndim = values.shape, values.dtype, values.ndim
        self.pixels = 0

    def __getitem__(self, index):
        """Return and count a block."""
        block = self.values[index]
        self.pixels += block.size
        return block


def counted(values, chunks):
    """Return a Dask array of counted blocks, and the counter."""
    source = CountedBlocks(values)
    return da.from_array(source, chunks=chunks, name=False, asarray=False, meta=values[:0]), source


def test_statistics_computed_together_read_each_block_once():
    values = distinct_image((30, 40), np.float64)
    image, image_source = counted(values, (7, 11))
    labels, label_source = counted(np.arange(1200).reshape(30, 40) % 9, (7, 11))
    image_source.pixels = label_source.pixels = 0
    lazy = [getattr(ndmeasure, name)(image, labels, [3, 1]) for name in ["area", *ONE_RESULT]]
    lazy += [ndmeasure.mean(image, labels), ndmeasure.maximum(image, labels, 2)]
    assert image_source.pixels == label_source.pixels == 0
    dask.compute(*lazy, scheduler="threads")
    assert image_source.pixels == label_source.pixels == 1200


def test_area_reads_no_image():
    image, source = counted(np.zeros((30, 40)), 10)
    source.pixels = 0
    ndmeasure.area(image, np.ones((30, 40), int), [1]).compute(scheduler="threads")
    assert source.pixels == 0


@pytest.mark.parametrize(
    "names",
    [
        ("mean", "sum_labels"),
        ("variance", "standard_deviation"),
        ("minimum", "maximum", "minimum_position", "maximum_position"),
    ],
)
def test_statistics_of_a_kind_share_their_partials(names):
    image = da.zeros((40, 40), chunks=10)
    labels = da.ones((40, 40), chunks=10, dtype=int)
    alone = dict(getattr(ndmeasure, names[0])(image, labels, [1, 2]).dask)
    for name in names[1:]:
        other = getattr(ndmeasure, name)(image, labels, 1)
        assert len(set(dict(other.dask)) - set(alone)) == 1


def test_all_statistics_share_the_look_at_labels():
    image = da.zeros((40, 40), chunks=10)
    labels = da.ones((40, 40), chunks=10, dtype=int)
    looks = set()
    for name in ["area", *ONE_RESULT]:
        keys = dict(getattr(ndmeasure, name)(image, labels, 1).dask)
        looks.add(
            frozenset(key for key in keys if str(key[0]).startswith("label_statistics-index-"))
        )
    (shared,) = looks
    assert len(shared) == 16


@pytest.mark.parametrize("name", ["area", *ONE_RESULT, "histogram"])
def test_tasks_depend_on_blocks_alone(name):
    image = da.zeros((80, 80), chunks=10)
    limits = (0, 1, 4) if name == "histogram" else ()
    counts = []
    for many in (10, 100_000):
        labels = da.ones((80, 80), chunks=10, dtype=int)
        lazy = getattr(ndmeasure, name)(image, *limits, labels, np.arange(many))
        counts.append(len(dict(lazy.dask)))
    assert counts[0] == counts[1]
    # Two inputs, runs, partial; the tree, and what leads along the blocks; the result.
    assert counts[0] <= 64 * 4 + 64 // 3 + 64 // 4 + 4


def test_different_arguments_get_different_names():
    image = da.zeros((8, 8), chunks=4)
    labels = da.ones((8, 8), chunks=4, dtype=int)
    lazy = [ndmeasure.mean(image, labels, index) for index in (None, 1, [1], [1, 2], "all")[:4]]
    lazy += [ndmeasure.histogram(image, 0, high, 3, labels) for high in (1, 2)]
    lazy += [ndmeasure.sum_labels(image + 1, labels, 1), ndmeasure.sum_labels(image, labels + 1, 1)]
    assert len({each.name for each in lazy}) == len(lazy)


def test_works_on_processes():
    image = distinct_image((12, 12), np.float64)
    labels = np.arange(144).reshape(12, 12) % 5
    lazy = ndmeasure.mean(da.from_array(image, chunks=6), labels, [1, 2])
    computed = lazy.compute(scheduler="processes", num_workers=1)
    np.testing.assert_allclose(computed, ndimage.mean(image, labels, [1, 2]), rtol=1e-12)


# ---------------------------------------------------------------------------------------
# Bad arguments


def test_labels_must_be_integers():
    with pytest.raises(
        TypeError, match="label_image must hold integers or booleans, got .*complex64"
    ):
        ndmeasure.mean(np.ones((2, 2)), np.ones((2, 2), "c8"))


def test_shapes_must_broadcast():
    with pytest.raises(ValueError, match=r"\(2, 2\) and \(3,\)"):
        ndmeasure.mean(np.ones((2, 2)), np.ones(3, int))


@pytest.mark.parametrize(
    ("index", "error", "message"),
    [
        ("some", ValueError, "'some'"),
        (["a"], TypeError, "index must hold"),
        ([1j], TypeError, "complex128"),
    ],
)
def test_bad_index(index, error, message):
    with pytest.raises(error, match=message):
        ndmeasure.mean(np.ones((2, 2)), np.ones((2, 2), int), index)


def test_all_needs_labels():
    with pytest.raises(ValueError, match="needs a label_image"):
        ndmeasure.mean(np.ones((2, 2)), index="all")


def test_unknown_sizes_are_refused():
    unknown = da.arange(5)[da.arange(5) > 2]
    for arguments in ((unknown,), (np.ones(5), unknown), (np.ones(5), np.ones(5, int), unknown)):
        with pytest.raises(ValueError, match="compute_chunk_sizes"):
            ndmeasure.mean(*arguments)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ((0, 1, 0), ValueError, "bins must be at least 1, got 0"),
        ((0, 1, 2.5), TypeError, "bins must be an integer, got 2.5"),
        (("low", 1, 2), TypeError, "min and max must be numbers, got 'low' and 1"),
        ((0, 1j, 2), TypeError, "min and max must be numbers"),
        ((0, da.ones(3).max(), 2), TypeError, "min and max must be numbers, got 0 and dask.array"),
        ((1, 0, 2), ValueError, "got 1 and 0"),
        ((0, np.inf, 2), ValueError, "inf"),
    ],
)
def test_bad_bins(arguments, error, message):
    with pytest.raises(error, match=message):
        ndmeasure.histogram(np.ones(3), *arguments)


def test_bad_histograms():
    labels = np.ones(3, np.uint8)
    with pytest.raises(ValueError, match="index needs a label_image"):
        ndmeasure.histogram(np.ones(3), 0, 1, 2, index=1)
    with pytest.raises(TypeError, match="complex"):
        ndmeasure.histogram(np.ones(3, complex), 0, 1, 2)
    for index in ([300], [1.5], [-1], np.nan):
        with pytest.raises(ValueError, match="dtype uint8"):
            ndmeasure.histogram(np.ones(3), 0, 1, 2, labels, index)


def test_sum_is_deprecated():
    image, labels = np.arange(4.0), np.array([1, 1, 2, 0])
    with pytest.warns(DeprecationWarning, match="sum_labels"):
        lazy = ndmeasure.sum(image, labels, [1, 2])
    assert lazy.compute().tolist() == [1.0, 2.0]


# ---------------------------------------------------------------------------------------
# Combinations


@st.composite
def cases(draw):
    """Draw an image, labels, chunks of both and an index."""
    shape = tuple(draw(st.lists(st.integers(1, 9), min_size=1, max_size=3)))
    seed = draw(st.integers(0, 99))
    random = np.random.default_rng(seed)
    labels = random.integers(-2, 6, shape) * draw(st.sampled_from([1, 1000]))
    image = distinct_image(shape, draw(st.sampled_from(["f8", "i4", "i8"])), seed)
    chunks = [tuple(draw(st.integers(1, 9)) for _ in shape) for _ in range(2)]
    index = draw(st.lists(st.sampled_from(labels.ravel().tolist()), min_size=1, max_size=5))
    return image, labels, chunks, index


@pytest.mark.parametrize("name", ["variance", "center_of_mass", "minimum", "maximum_position"])
@settings(max_examples=25)
@given(case=cases())
def test_combinations(name, case):
    image, labels, chunks, index = case
    check(name, image, labels, index, *chunks)


@pytest.mark.parametrize("chunks", [-1, 3])
@pytest.mark.parametrize("labels", [None, np.arange(1, 7)[:, None], np.arange(-1, 5)[:, None]])
def test_one_group_with_values_that_are_no_numbers(either_kernel, labels, chunks):
    image = np.array([[3, 1, 7, 1, 7, 2]] * 6) + np.arange(6.0)[:, None]
    image[2, 1] = np.inf
    lazy = da.from_array(image, chunks=chunks)
    found = ndmeasure.extrema(lazy, labels)
    wide = None if labels is None else np.broadcast_to(labels > 0, image.shape).astype(int)
    expected = ndimage.extrema(image, wide)
    assert [part.compute().tolist() for part in found] == [
        np.asarray(part).tolist() for part in expected
    ]
    np.testing.assert_allclose(ndmeasure.mean(lazy, labels).compute(), ndimage.mean(image, wide))
    image[0] = np.nan  # counts as the greatest value, as for labels measured one by one
    lazy = da.from_array(image, chunks=chunks)
    assert ndmeasure.minimum_position(lazy, np.ones_like(image, int)).compute().tolist() == [1, 1]


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int32])
@pytest.mark.parametrize("limits", [(0, 1), (-0.3, 0.7), (1e-310, 2e-310), (2, 2), (-5, 300)])
@pytest.mark.parametrize("bins", [1, 7, 10, 1000])
def test_values_at_the_edges_of_bins(either_kernel, dtype, limits, bins):
    edges = np.linspace(*limits, bins + 1)
    near = np.concatenate([edges, np.nextafter(edges, np.inf), np.nextafter(edges, -np.inf)])
    values = near.astype(dtype)
    if dtype != np.int32:
        values = np.concatenate([values, np.array([np.nan, np.inf, -np.inf], dtype)])
    labels = np.arange(values.size) % 3
    counts = ndmeasure.histogram(da.from_array(values), *limits, bins, labels, [0, 1, 2]).compute()
    for label in range(3):
        expected, _ = np.histogram(values[labels == label], edges)
        np.testing.assert_array_equal(counts[label], expected)


@pytest.mark.parametrize("chunks", [-1, 7])
@pytest.mark.parametrize(
    "name",
    ["sum_labels", "mean", "variance", "standard_deviation", "minimum", "maximum", "median",
     "minimum_position", "maximum_position", "extrema"],
)  # fmt: skip
def test_nan_is_left_out(name, chunks):
    random = np.random.default_rng(0)
    image, labels = random.normal(size=(23, 31)), random.integers(0, 6, (23, 31))
    there = (random.random(image.shape) > 0.2) & (labels != 4)  # nothing is left of 4
    holes, good = np.where(there, image, np.nan), np.where(there, labels, 0)
    function = getattr(ndmeasure, name)
    lazy = [da.from_array(each, chunks=chunks) for each in (holes, labels, image, good, there)]

    def computed(result):
        return [part.compute() for part in (result if isinstance(result, tuple) else [result])]

    for index in (None, 3, [2, 5, 4, 9]):
        with nothing_computes():
            found = function(lazy[0], lazy[1], index, nan_policy="omit")
        expected = function(lazy[2], lazy[3], index)
        for one, other in zip(computed(found), computed(expected), strict=True):
            np.testing.assert_array_equal(one, other)
    found, expected = function(lazy[0], nan_policy="omit"), function(lazy[2], lazy[4])
    for one, other in zip(computed(found), computed(expected), strict=True):
        np.testing.assert_array_equal(one, other)
    with pytest.raises(ValueError, match="nan_policy must be one of"):
        function(lazy[0], nan_policy="raise")
