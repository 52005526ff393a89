"""median, labeled_comprehension and value_indices: what needs all pixels of a label together."""

import os
import pickle
import time
import warnings

import dask
import dask.array as da
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from packaging.version import Version
from scipy import ndimage

from dask_image._kernels.blocks import label_groups
from dask_image._utils import spill
from dask_image._utils.engines import label_shuffle, order_statistics
from dask_image.ndmeasure import labeled_comprehension, median, value_indices
from tests.helpers import assert_same, labels_like, nothing_computes, seeded_image

CHUNKS = [-1, 1, 3, ((1, 4, 2), (2, 2, 5))]


def reference_median(image, labels, index):
    """SciPy's median, label by label, as it has no answer for absent labels in a list."""
    dtype = np.result_type(image.dtype, np.float64)
    present = np.isin(index, labels)
    expected = np.full(np.shape(index), np.nan, dtype)
    expected[present] = ndimage.median(image, labels, np.asarray(index)[present])
    return expected


def same_objects(lazy, expected):
    """Compare an array of objects that are arrays themselves."""
    computed = lazy.compute()
    assert computed.shape == expected.shape
    for ours, theirs in zip(computed.ravel(), expected.ravel(), strict=True):
        np.testing.assert_array_equal(ours, theirs)


@pytest.fixture(params=["held", "counted"])
def small_partitions(request, monkeypatch, set_option):
    """Make many partitions of few pixels; of all pixels, or of labels in several blocks."""
    if request.param == "counted":
        set_option("median.memory", 0)
        monkeypatch.setattr(spill, "SMALLEST", 0)
    monkeypatch.setattr(label_shuffle, "SMALLEST_PARTITION", 1)


# ---------------------------------------------------------------------------------------
# median


@pytest.mark.parametrize("chunks", CHUNKS)
@pytest.mark.parametrize("dtype", ["?", "u1", "i1", "i2", "u8", "i8", "f4", "f8", "c16"])
def test_median_equals_scipy(dtype, chunks, small_partitions):
    image, labels = seeded_image((7, 9), dtype), labels_like((7, 9))
    index = [5, 0, 3, 17, 3, -2]
    with nothing_computes():
        lazy = median(da.from_array(image, chunks=chunks), da.from_array(labels, chunks=3), index)
        again = median(da.from_array(image, chunks=chunks), da.from_array(labels, chunks=3), index)
    assert lazy.name == again.name
    assert_same(lazy, reference_median(image, labels, index))


@pytest.mark.parametrize("index", [2, np.int64(9), 2.0, [[1, 2], [3, 8]], [], np.array(3)])
def test_median_has_the_shape_of_the_index(index):
    image, labels = seeded_image((7, 9), "f8"), labels_like((7, 9))
    lazy = median(da.from_array(image, chunks=4), da.from_array(labels, chunks=4), index)
    assert_same(lazy, reference_median(image, labels, index))


@pytest.fixture(params=[True, False], ids=["gathered", "counted"])
def gathered(request, monkeypatch, set_option):
    """Gather a pooled image in one task, or count its values in several passes."""
    set_option("median.memory", 2**30 if request.param else 0)
    monkeypatch.setattr(order_statistics, "DIGIT_BITS", 8)  # more passes, less to count in each
    monkeypatch.setattr(order_statistics, "PIECE", 5)  # several of a block
    return request.param


@pytest.mark.parametrize("dtype", ["?", "u1", "i1", "u2", "i2", "u4", "i8", "u8", "f2", "f4", "f8"])
@pytest.mark.parametrize("shape", [(), (1, 6), (7, 9), (2, 2, 4, 2)])
def test_median_of_pooled_pixels_equals_scipy(shape, dtype, gathered):
    image, labels = seeded_image(shape, dtype), labels_like(shape, low=-2, high=3)
    lazy_image, lazy_labels = da.from_array(image, chunks=4), da.from_array(labels, chunks=3)
    with nothing_computes():
        pooled, whole = median(lazy_image, lazy_labels), median(lazy_image)
    assert pooled.name == median(lazy_image, lazy_labels).name != whole.name
    assert_same(whole, np.float64(ndimage.median(image)))
    if (labels > 0).any():
        assert_same(pooled, np.float64(ndimage.median(image, labels)))


@pytest.mark.parametrize("dtype", ["f2", "f4", "f8"])
def test_pooled_median_of_special_floats(dtype, gathered):
    values = np.array([np.inf, -np.inf, -0.0, 1, -1, np.inf, 3, -np.finfo(dtype).tiny], dtype)
    labels = np.arange(values.size) + 1
    for image in (values, values[:3], np.append(values, np.nan), -np.append(np.nan, values)):
        lazy = median(da.from_array(image, chunks=3))
        assert_same(lazy, np.float64(np.median(image)))
    lazy = median(da.from_array(values, chunks=3), labels - 5)
    assert_same(lazy, np.float64(np.median(values[5:])))


def test_pooled_median_of_complex_values():
    image, labels = seeded_image((7, 9), "c16"), labels_like((7, 9))
    assert_same(median(da.from_array(image, chunks=4), labels), ndimage.median(image, labels))


needs_single_reading = pytest.mark.skipif(
    Version(dask.__version__) < Version("2025.9"), reason="this Dask reads blocks twice in a pass"
)


@needs_single_reading
def test_large_images_are_read_again_for_each_pass(set_option):
    set_option("median.memory", 0)
    passes = []

    def read(block, block_info=None):
        passes.append(block_info[0]["chunk-location"])
        return block

    values = seeded_image((8, 8), "f8")
    image = da.from_array(values, chunks=4).rechunk((2, 8))
    image = image.map_blocks(read, dtype="f8", meta=np.empty((0, 0)))
    assert_same(median(image), np.median(values))
    locations = [set(passes[start : start + 4]) for start in range(0, 16, 4)]
    assert len(passes) == 16  # four passes over four blocks, one after the other
    assert all(len(location) == 4 for location in locations)


@needs_single_reading
@pytest.mark.parametrize("chunks", [4, -1])
def test_a_pass_waits_for_the_one_before_it(set_option, chunks):
    set_option("median.memory", 0)
    running, passes = [], []

    def read(block, block_info=None):
        # Blocks take different times: only an order that is asked for is kept.
        time.sleep(0.002 * (7 * len(running) % 5))
        running.append(None)
        passes.append(block_info[0]["chunk-location"])
        return block

    values = seeded_image((8, 8), "f8")
    # NumPy's pixels lie in the graph, and are no task that could wait.
    image = da.from_array(values, chunks=chunks).rechunk((2, 8))
    image = image.map_blocks(read, dtype="f8", meta=np.empty((0, 0)))
    for _ in range(5):
        passes.clear()
        assert median(image).compute(scheduler="threads", num_workers=8) == np.median(values)
        locations = [set(passes[start : start + 4]) for start in range(0, 16, 4)]
        assert [len(location) for location in locations] == [4] * 4


@pytest.mark.parametrize("dtype", ["?", "i1", "u1", "i2", "i4", "u8", "i8"])
def test_median_takes_labels_of_any_integer_dtype(dtype, small_partitions):
    image = seeded_image((6, 8), "f4")
    labels = labels_like((6, 8), high=2 if dtype == "?" else 5).astype(dtype)
    if dtype != "?":
        limits = np.iinfo(dtype)
        labels[labels == 3] = limits.max
        labels[labels == 4] = limits.min
    index = np.unique(labels)
    lazy = median(da.from_array(image, chunks=3), da.from_array(labels, chunks=3), index)
    expected = [np.median(image[labels == label]) for label in index]
    assert_same(lazy, np.array(expected, np.float64))


def test_median_orders_nan_as_scipy_does():
    image, labels = seeded_image((6, 8), "f8"), labels_like((6, 8))
    image[labels == 2] = np.nan
    image[0, :5] = np.nan
    lazy_image, lazy_labels = da.from_array(image, chunks=4), da.from_array(labels, chunks=4)
    for index in ([0, 1, 2, 3], 0, 2):
        assert_same(
            median(lazy_image, lazy_labels, index),
            np.asarray(ndimage.median(image, labels, index)),
        )


def test_median_of_extreme_integers_does_not_overflow():
    for dtype in ("i1", "u1", "i8", "u8"):
        limits = np.iinfo(dtype)
        image = np.array([limits.min, limits.max, limits.max, limits.max], dtype)
        lazy = median(da.from_array(image, chunks=1), np.array([1, 1, 2, 2]), [1, 2])
        assert_same(lazy, ndimage.median(image, np.array([1, 1, 2, 2]), [1, 2]))


@pytest.mark.parametrize("lowest", [0, -1])
def test_median_reads_fractions_in_the_index_as_scipy_does(lowest):
    image, labels = seeded_image((6, 8), "f8"), labels_like((6, 8))
    labels[0, 0] = lowest
    lazy = median(da.from_array(image, chunks=4), da.from_array(labels, chunks=4), [1.5, 3.0])
    expected = ndimage.median(image, labels, [1.5, 3.0])
    assert_same(lazy, expected if lowest == 0 else np.array([np.nan, expected[1]]))


@pytest.mark.parametrize("values", [[3, 1, 3, 8, -1], [3.0, 1.0, 2.5, np.nan, 1e300], [[1], [2]]])
def test_index_may_be_a_dask_array(values, small_partitions):
    image, labels = seeded_image((7, 9), "f8"), labels_like((7, 9), low=-1)
    with nothing_computes():
        lazy = median(
            da.from_array(image, chunks=4),
            da.from_array(labels, chunks=4),
            da.from_array(np.array(values), chunks=2),
        )
    assert_same(lazy, reference_median(image, labels, np.array(values)))


@pytest.mark.parametrize("dtype", ["?", "i4", "u8"])
def test_all_labels_at_once(dtype, small_partitions):
    image, labels = seeded_image((7, 9), "f8"), labels_like((7, 9)).astype(dtype)
    with nothing_computes():
        lazy, present = median(
            da.from_array(image, chunks=4), da.from_array(labels, chunks=4), "all"
        )
    medians, present = dask.compute(lazy, present)
    expected = np.unique(labels)[1:]
    np.testing.assert_array_equal(present, expected)
    assert present.dtype == labels.dtype
    np.testing.assert_array_equal(medians, [np.median(image[labels == k]) for k in expected])


def test_labels_broadcast_as_in_scipy():
    image, labels = seeded_image((4, 5, 6), "f8"), labels_like((5, 1), high=3)
    lazy = median(da.from_array(image, chunks=3), da.from_array(labels, chunks=2), [0, 1, 2])
    assert_same(lazy, ndimage.median(image, labels, [0, 1, 2]))


def test_empty_images_have_no_median():
    image, labels = da.zeros((0, 3)), da.zeros((0, 3), dtype=int)
    assert_same(median(image, labels, [1, 2]), np.full(2, np.nan))
    assert_same(median(image, labels), np.array(np.nan))
    assert_same(median(image.astype("u1")), np.array(np.nan))
    found, present = dask.compute(*median(image, labels, "all"))
    assert found.shape == present.shape == (0,)


def test_pooling_from_many_blocks_warns(set_option):
    set_option("median.memory", 0)
    with pytest.warns(da.PerformanceWarning, match="pooled"):
        median(da.zeros((4, 4), chunks=2, dtype=complex))
    with pytest.warns(da.PerformanceWarning, match="pooled"):
        labeled_comprehension(
            da.zeros((4, 4), chunks=2),
            da.zeros((4, 4), dtype=int, chunks=2),
            None,
            np.sum,
            float,
            0,
        )


@settings(max_examples=50, deadline=None)
@given(data=st.data())
def test_median_property(data):
    shape = tuple(data.draw(st.lists(st.integers(1, 6), min_size=1, max_size=3)))
    chunks = tuple(data.draw(st.integers(1, size)) for size in shape)
    dtype = data.draw(st.sampled_from(["u1", "i2", "i8", "f4", "f8"]))
    image, labels = seeded_image(shape, dtype), labels_like(shape, low=-2, high=3)
    index = data.draw(st.lists(st.integers(-4, 5), min_size=1, max_size=6))
    lazy = median(da.from_array(image, chunks=chunks), da.from_array(labels, chunks=2), index)
    assert_same(lazy, reference_median(image, labels, index))


# ---------------------------------------------------------------------------------------
# labeled_comprehension


@pytest.mark.parametrize("chunks", CHUNKS)
@pytest.mark.parametrize("dtype", ["?", "u1", "i4", "f8", "c16"])
def test_comprehension_equals_scipy(dtype, chunks, small_partitions):
    image, labels = seeded_image((7, 9), dtype), labels_like((7, 9), "i2")
    index = [5, 0, 3, 17, 3, -2]
    with nothing_computes():
        lazy, again = (
            labeled_comprehension(
                da.from_array(image, chunks=chunks), labels, index, np.sum, complex, -1
            )
            for _ in range(2)
        )
    assert lazy.name == again.name
    expected = ndimage.labeled_comprehension(image, labels, index, np.sum, complex, -1)
    assert_same(lazy, expected)


@pytest.mark.parametrize("shape", [(13,), (1, 6), (7, 9), (3, 1, 5), (2, 3, 4, 2)])
@pytest.mark.parametrize("chunks", [-1, 1, 2])
def test_pixels_come_in_raster_order(shape, chunks, small_partitions):
    image, labels = seeded_image(shape, "f8"), labels_like(shape)
    lazy_image, lazy_labels = da.from_array(image, chunks=chunks), da.from_array(labels, chunks=3)
    index = np.unique(labels)
    values = labeled_comprehension(lazy_image, lazy_labels, index, lambda v: v, object, None)
    places = labeled_comprehension(
        lazy_image, lazy_labels, index, lambda v, p: np.stack([v, p]), object, None, True
    )
    expected = np.empty((2, index.size), object)
    for number, label in enumerate(index):
        (where,) = np.nonzero(labels.ravel() == label)
        expected[:, number] = image.ravel()[where], np.stack([image.ravel()[where], where])
    same_objects(values, expected[0])
    same_objects(places, expected[1])


@pytest.mark.parametrize("pass_positions", [False, True])
@pytest.mark.parametrize("with_labels", [False, True])
def test_pooled_comprehension_equals_scipy(with_labels, pass_positions):
    def weigh(values, positions=0):
        return float(np.sum(values * np.arange(values.size) + positions))

    image = seeded_image((7, 9), "f8")
    labels = labels_like((7, 9), low=-2) if with_labels else None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", da.PerformanceWarning)
        lazy = labeled_comprehension(
            da.from_array(image, chunks=4), labels, None, weigh, float, 0, pass_positions
        )
    expected = ndimage.labeled_comprehension(image, labels, None, weigh, float, 0, pass_positions)
    assert_same(lazy, expected)


def test_pooled_comprehension_calls_the_function_without_pixels_too():
    labels = da.zeros((4, 4), dtype=int)
    lazy = labeled_comprehension(da.ones((4, 4)), labels, None, np.size, int, -1)
    assert_same(lazy, np.array(0))


@pytest.mark.parametrize(
    ("value", "out_dtype"),
    [
        (np.float64(2.04), int),
        (np.nan, "i4"),
        (np.int64(300), "u1"),
        (np.int64(-1), "u8"),
        (np.uint64(2**64 - 1), "i8"),
        (np.float64(1e300), "f4"),
        (1 + 2j, float),
        (np.complex64(2j), int),
        (7, bool),
    ],
)
def test_a_pooled_value_is_not_cast_with_a_loss(value, out_dtype):
    lazy = labeled_comprehension(
        np.ones((2, 2)), np.ones((2, 2), int), None, lambda values: value, out_dtype, 0
    )
    with pytest.raises(ValueError, match="out_dtype must hold what func returns") as raised:
        lazy.compute()
    assert repr(value) in str(raised.value)
    assert str(np.dtype(out_dtype)) in str(raised.value)


@pytest.mark.parametrize(
    ("value", "out_dtype"),
    [
        (np.float64(2.0), int),
        (np.float64(0.1), "f4"),
        (np.nan, "f4"),
        (np.inf, float),
        (2**53 + 1, float),
        (np.uint64(2**64 - 1), "u8"),
        (1 + 0j, float),
        (complex(np.nan, 1), complex),
        (np.True_, "i2"),
        ("text", object),
        (5, "U3"),
    ],
)
def test_a_pooled_value_is_what_the_function_returns(value, out_dtype):
    lazy = labeled_comprehension(np.ones((2, 2)), None, None, lambda values: value, out_dtype, 0)
    expected = np.array(value.real if isinstance(value, complex) and out_dtype is float else value)
    computed = lazy.compute()
    assert computed.dtype == np.dtype(out_dtype)
    np.testing.assert_array_equal(computed, expected.astype(out_dtype))


@pytest.mark.parametrize("index", [1, 9, 2.0, [[1, 9], [3, 1]], True])
def test_comprehension_has_the_shape_of_the_index(index):
    image, labels = seeded_image((7, 9), "i4"), labels_like((7, 9))
    lazy = labeled_comprehension(da.from_array(image, chunks=4), labels, index, np.max, "i8", -7)
    expected = [
        ndimage.labeled_comprehension(image, labels, [label], np.max, "i8", -7)[0]
        for label in np.ravel(index)
    ]
    assert_same(lazy, np.reshape(expected, np.shape(index)))


@pytest.mark.parametrize("out_dtype", [int, "f4", complex, bool, "U3", object, None])
def test_comprehension_takes_any_dtype(out_dtype):
    image, labels = seeded_image((7, 9), "i4"), labels_like((7, 9))
    index = [1, 3, 8]
    lazy = labeled_comprehension(
        da.from_array(image, chunks=4), labels, index, np.max, out_dtype, 1
    )
    expected = ndimage.labeled_comprehension(image, labels, index, np.max, out_dtype, 1)
    assert lazy.dtype == expected.dtype
    np.testing.assert_array_equal(lazy.compute(), expected)


def test_all_labels_in_a_comprehension(small_partitions):
    image, labels = seeded_image((7, 9), "i4"), labels_like((7, 9), low=-2)
    lazy = labeled_comprehension(
        da.from_array(image, chunks=4), da.from_array(labels, chunks=3), "all", np.ptp, int, 0
    )
    ranges, present = dask.compute(*lazy)
    np.testing.assert_array_equal(present, np.setdiff1d(labels, [0]))
    np.testing.assert_array_equal(ranges, [np.ptp(image[labels == label]) for label in present])


@pytest.mark.parametrize("numblocks", [(4, 4), (8, 8)])
@pytest.mark.parametrize("count", [10, 1000])
def test_tasks_do_not_grow_with_the_labels(count, numblocks):
    chunks = tuple(64 // blocks for blocks in numblocks)
    image = da.zeros((64, 64), chunks=chunks)
    labels = da.zeros((64, 64), chunks=chunks, dtype=int)
    index = np.arange(count)
    for lazy in (
        median(image, labels, index),
        labeled_comprehension(image, labels, index, np.sum, float, 0),
    ):
        assert len(lazy.dask) <= 6 * image.npartitions + 10


@pytest.mark.parametrize("sides", [8, 20])
def test_tasks_do_not_grow_with_the_blocks(sides):
    image = da.zeros((sides * 128,) * 3, chunks=128, dtype="f4")
    labels = da.zeros_like(image, dtype="i4")
    index = np.arange(1000)
    for lazy in (
        median(image, labels, index),
        labeled_comprehension(image, labels, index, np.sum, float, 0, pass_positions=True),
    ):
        # Three of them are the image's and, read twice, the labels'.
        assert len(lazy.dask) <= 12 * image.npartitions + 300


def test_labels_in_one_block_do_not_travel(set_option, monkeypatch):
    set_option("median.memory", 0)
    sent = []
    cut = label_shuffle._cut
    monkeypatch.setattr(
        label_shuffle, "_cut", lambda pixels, *rest: sent.append(pixels) or cut(pixels, *rest)
    )
    labels = np.arange(64).reshape(8, 8) // 4 + 1
    labels[3:5, 3:5] = 99  # in four blocks
    image = seeded_image((8, 8), "f8")
    blocks = da.from_array(image, chunks=4), da.from_array(labels, chunks=4)
    lazy = median(*blocks, "all")[0]
    expected = ndimage.median(image, labels, np.unique(labels))
    np.testing.assert_array_equal(lazy.compute(), expected)
    assert {label for pixels in sent for label in pixels.labels.tolist()} == {99}


def test_spilled_arrays_come_back(monkeypatch):
    monkeypatch.setattr(spill, "SMALLEST", 0)
    array = np.arange(10, dtype="i2")
    slab = spill.spill(array)
    assert isinstance(slab, spill.SpilledArray)
    np.testing.assert_array_equal(spill.load(slab[2:5]), array[2:5])
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(slab[3:])), array[3:])
    both = np.arange(12.0).reshape(2, 6)[:, ::2]
    np.testing.assert_array_equal(spill.load(spill.spill(both)), both)
    np.testing.assert_array_equal(spill.load(spill.spill(both)[1:]), both[1:])
    assert spill.spill(None) is None and spill.load(None) is None
    assert spill.spill(np.array([None])).dtype == object


def test_spilled_objects_come_back(monkeypatch):
    monkeypatch.setattr(spill, "SMALLEST", 0)
    value = {"some": [np.arange(10), None], "more": "words"}
    away = spill.spill_object(value)
    assert isinstance(away, spill.SpilledObject)
    for found in (spill.load(away), pickle.loads(pickle.dumps(away))):
        np.testing.assert_array_equal(found["some"][0], np.arange(10))
        assert found["more"] == "words"


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork processes")
def test_forked_processes_keep_files_of_their_own(monkeypatch):
    monkeypatch.setattr(spill, "SMALLEST", 0)
    before = spill.spill(np.arange(100_000))

    def all_come_back(sign):
        for number in range(200):
            own = spill.spill(np.full(60_000, sign * number))
            if not (own.load() == sign * number).all() or before.load()[-1] != 99_999:
                return False
        return True

    with warnings.catch_warnings():  # pytest has threads; this process does nothing with them
        warnings.simplefilter("ignore", DeprecationWarning)
        child = os.fork()
    if not child:
        os._exit(0 if all_come_back(-1) else 1)
    assert all_come_back(1)
    assert os.waitpid(child, 0)[1] == 0


def test_a_missing_temporary_folder_is_named(monkeypatch, tmp_path):
    monkeypatch.setattr(spill, "_current", None)
    nowhere = {"temporary-directory": str(tmp_path / "nowhere")}
    named = pytest.raises(FileNotFoundError, match="nowhere, chosen by Dask's configuration")
    with dask.config.set(nowhere), named:
        spill.spill(np.arange(100_000))


def test_files_of_spilled_arrays_do_not_grow_for_ever(monkeypatch):
    monkeypatch.setattr(spill, "SMALLEST", 0)
    monkeypatch.setattr(spill, "LARGEST", 10_000)
    first = spill.spill(np.arange(1000))
    files = {id(first.file): first.file}
    for number in range(30):
        slab = spill.spill(np.full(1000, number))
        files[id(slab.file)] = slab.file
        np.testing.assert_array_equal(spill.load(slab), np.full(1000, number))
    assert 8 <= len(files) <= 31
    assert max(file.size for file in files.values()) <= 32_000
    np.testing.assert_array_equal(spill.load(first), np.arange(1000))


def test_partitions_follow_the_size_of_the_data():
    image = da.zeros((4096, 4096), chunks=1024, dtype="f8")
    labels = da.zeros((4096, 4096), chunks=1024, dtype="i4")
    assert label_shuffle.count_partitions(image, labels, 10**5, False) == 16
    assert label_shuffle.count_partitions(image, labels, 3, False) == 3
    assert label_shuffle.count_partitions(image, labels, np.nan, False) == 16
    huge = da.zeros((2**20, 2**20), chunks=2**14, dtype="f8")
    assert label_shuffle.count_partitions(huge, huge, 10**6, True) == label_shuffle.MOST_PARTITIONS


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ((None, 1, np.sum, float, 0), ValueError, "index needs a label_image"),
        ((np.ones((4, 4), "c8"), 1, np.sum, float, 0), TypeError, "label_image must hold integers"),
        ((np.ones((4, 3), int), 1, np.sum, float, 0), ValueError, "shapes that broadcast"),
        ((np.ones((4, 4), "i1"), [1, 300], np.sum, float, 0), ValueError, "got 300"),
        ((np.ones((4, 4), int), [1.5], np.sum, float, 0), ValueError, "got 1.5"),
        ((np.ones((4, 4), "?"), [2], np.sum, float, 0), ValueError, "got 2"),
        ((np.ones((4, 4), int), "some", np.sum, float, 0), ValueError, "index must be"),
        ((np.ones((4, 4), int), 1, "sum", float, 0), TypeError, "func must be callable"),
        ((np.ones((4, 4), int), 1, np.sum, int, "x"), ValueError, "invalid literal"),
        ((np.ones((4, 4), int), 1, np.sum, int, "x"), ValueError, "default must be .*got 'x'"),
        ((np.ones((4, 4), int), 1, np.sum, "no", 0), TypeError, "out_dtype must be .*got 'no'"),
        ((np.ones((4, 4), int), 1, np.sum, int, None), TypeError, "int"),
    ],
)
def test_comprehension_refuses(arguments, error, message):
    with nothing_computes(), pytest.raises(error, match=message):
        labeled_comprehension(da.zeros((4, 4)), *arguments)


def test_exceptions_of_the_function_come_through():
    lazy = labeled_comprehension(
        da.zeros((4, 4)), da.ones((4, 4), dtype=int), [1], lambda values: 1 // 0, float, 0
    )
    with pytest.raises(ZeroDivisionError):
        lazy.compute()


def test_different_functions_get_different_names():
    arguments = da.zeros((4, 4)), da.ones((4, 4), dtype=int), [1]
    names = {
        labeled_comprehension(*arguments, np.sum, float, 0).name,
        labeled_comprehension(*arguments, np.max, float, 0).name,
        labeled_comprehension(*arguments, np.sum, int, 0).name,
        labeled_comprehension(*arguments, np.sum, float, 1).name,
        labeled_comprehension(*arguments[:2], [2], np.sum, float, 0).name,
        median(*arguments).name,
    }
    assert len(names) == 6


# ---------------------------------------------------------------------------------------
# value_indices


@pytest.mark.parametrize("shape", [(13,), (1, 6), (7, 9), (3, 1, 5), (2, 3, 4, 2), (), (0, 3)])
@pytest.mark.parametrize("dtype", ["i1", "u2", "i8"])
@pytest.mark.parametrize("ignore_value", [None, 0, 77])
def test_value_indices_equals_scipy(shape, dtype, ignore_value, set_option):
    set_option("median.memory", 0 if dtype == "u2" else "1 MiB")
    image = labels_like(shape, dtype)
    expected = ndimage.value_indices(image, ignore_value=ignore_value)
    with nothing_computes():
        lazy = value_indices(da.from_array(image, chunks=2), ignore_value=ignore_value)
    found = lazy.compute()
    assert list(found) == list(expected)
    for ours, theirs in zip(found, expected, strict=True):
        assert type(ours) is type(theirs)
        assert len(found[ours]) == len(expected[theirs])
        for along, along_theirs in zip(found[ours], expected[theirs], strict=True):
            np.testing.assert_array_equal(along, along_theirs)
            assert along.dtype == along_theirs.dtype


def test_value_indices_of_the_largest_values():
    image = np.array([2**64 - 1, 0, 5, 2**64 - 1], np.uint64)
    found = value_indices(da.from_array(image, chunks=2)).compute()
    assert {int(value): where[0].tolist() for value, where in found.items()} == {
        0: [1],
        5: [2],
        2**64 - 1: [0, 3],
    }


def test_value_indices_of_nothing_in_several_partitions(set_option):
    set_option("partition.memory", 1)
    zeros = da.zeros((6, 6), int, chunks=2)
    for memory in (0, "1 MiB"):
        set_option("median.memory", memory)
        assert value_indices(zeros, ignore_value=0).compute() == {}


def test_value_indices_of_whole_floats():
    image = np.array([[2.0, 0, np.nan], [-1, 2, 0]])
    found = value_indices(da.from_array(image, chunks=(1, 2))).compute()
    wanted = ndimage.value_indices(np.nan_to_num(image).astype(int))
    assert found.keys() == wanted.keys()
    for value, where in wanted.items():
        np.testing.assert_array_equal(found[value], where)
    with pytest.raises(ValueError, match="image must hold whole numbers .* got 0.5"):
        value_indices(da.full((4, 4), 0.5)).compute()


@pytest.mark.parametrize("dtype", ["?", "c8"])
def test_value_indices_refuses_what_is_no_integer(dtype):
    with pytest.raises(ValueError, match="image must hold integers"):
        value_indices(da.zeros((4, 4), dtype=dtype))


def test_value_indices_refuses_values_that_do_not_fit():
    with pytest.raises(OverflowError):
        value_indices(da.zeros((4, 4), dtype="u1"), ignore_value=300)


# ---------------------------------------------------------------------------------------
# The parts


@settings(max_examples=50, deadline=None)
@given(
    st.sampled_from(["i1", "u1", "i4", "i8", "u8"]).flatmap(
        lambda dtype: st.lists(
            st.integers(int(np.iinfo(dtype).min), int(np.iinfo(dtype).max))
            | st.integers(0, 3).map(int),
            max_size=30,
        ).map(lambda values: np.array(values, dtype))
    )
)
def test_stable_order_is_a_stable_sort(labels):
    order = label_groups.stable_order(labels)
    np.testing.assert_array_equal(order, np.argsort(labels, kind="stable"))


def test_ranks_and_positions_that_fit_no_integer_are_sorted_too():
    ranks, positions = np.array([0, 0, 1, 1]), np.array([2**62, 5, 7, 1])
    order = label_groups._order_by_rank_and_position(ranks, positions)
    np.testing.assert_array_equal(order, [1, 0, 3, 2])


def test_positions_in_the_image():
    shape = (3, 4, 5)
    raster = np.arange(60).reshape(shape)
    box = (slice(1, 3), slice(0, 2), slice(2, 5))
    places = np.array([0, 3, 11, 5], np.int16)
    found = label_groups.positions_in_image(places, box, shape)
    np.testing.assert_array_equal(found, raster[box].ravel()[places])
    assert found.dtype == np.int64
