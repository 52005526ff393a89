"""Minima, maxima and ranks by row programs against SciPy, at every edge of what they take."""

import collections
import concurrent.futures
import itertools

import numpy as np
import pytest
from scipy import ndimage

import dask_image.ndimage as ndi
from dask_image._kernels import memory, row_programs
from dask_image._kernels.stand_ins import extrema, rank, stand_in
from tests.helpers import assert_matches_scipy, plain_kernels, seeded_image

MODES = ["reflect", "constant", "nearest", "mirror", "wrap", "grid-mirror", "grid-wrap"]
DTYPES = ["?", "u1", "i1", "u2", "i2", "u4", "i4", "u8", "i8", "f4", "f8"]
SHAPES = [(1,), (5,), (1, 7), (6, 1), (4, 5), (3, 1, 4), (5, 4, 6), (2, 3, 2, 5)]


@pytest.fixture(params=["compiled", "plain"])
def any_kernel(request, monkeypatch):
    """
    Run a test with compiled programs, and with programs that NumPy runs, on rows of any length.
    """
    monkeypatch.setattr(extrema, "LEAST_PLAIN_WIDTH", 1)
    if request.param == "compiled":
        pytest.importorskip("numba")
        yield
    else:
        with plain_kernels():
            yield


def check(function, image, *args, **kwargs):
    """Compare a kernel with SciPy, on the whole image and on regions of it."""
    expected = function(image, *args, **kwargs)
    kernel = stand_in(function)
    found = kernel(image, *args, **kwargs)
    assert found.dtype == expected.dtype
    np.testing.assert_array_equal(found, expected)
    random = np.random.default_rng(0)
    for _ in range(3):
        starts = [random.integers(0, size) for size in image.shape]
        stops = [random.integers(low, size) + 1 for low, size in zip(starts, image.shape)]
        region = tuple(map(slice, starts, stops))
        part = kernel.in_region(image, *args, region=region, **kwargs)
        np.testing.assert_array_equal(part, expected[region])
        assert part.dtype == expected.dtype
        assert not np.shares_memory(part, image)


@pytest.mark.parametrize(
    "function",
    [ndimage.minimum_filter, ndimage.grey_opening, ndimage.white_tophat, ndimage.median_filter],
)
def test_regions_that_begin_late(function):
    """Of what comes before them along an axis some is left out between two filters."""
    image = seeded_image((12, 13, 14), "f4")
    expected = function(image, 3)
    for starts in itertools.product([0, 4, 9], repeat=3):
        region = tuple(slice(start, start + 2) for start in starts)
        part = stand_in(function).in_region(image, 3, region=region)
        np.testing.assert_array_equal(part, expected[region])


def origins_of(shape, seed):
    random = np.random.default_rng(seed)
    return [int(random.integers(-(size // 2), (size + 1) // 2)) for size in shape]


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.usefixtures("any_kernel")
def test_boxes_of_all_modes(shape, mode):
    for seed, size in enumerate([1, 2, 3, 5, 8, 13]):
        image = seeded_image(shape, DTYPES[seed - 3], seed)
        sizes = [size if axis % 2 == seed % 2 else 1 + size // 2 for axis in range(len(shape))]
        origin = origins_of(sizes, seed)
        for function in (ndimage.minimum_filter, ndimage.maximum_filter):
            check(function, image, sizes, mode=mode, cval=1, origin=origin)
        axis = seed % len(shape)
        check(ndimage.minimum_filter1d, image, size, axis=axis, mode=mode, cval=1)
        check(ndimage.maximum_filter, image, size, mode=mode, axes=(axis,))


@pytest.mark.usefixtures("any_kernel")
def test_boxes_of_mixed_modes():
    image = seeded_image((5, 6, 7), "i2")
    for modes in itertools.product(["constant", "wrap", "mirror"], repeat=3):
        check(ndimage.minimum_filter, image, (4, 5, 9), mode=list(modes), cval=-7)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("mode", MODES)
@pytest.mark.usefixtures("any_kernel")
def test_footprints_with_holes(dtype, mode):
    for seed, (shape, lengths) in enumerate(
        [((9,), (7,)), ((6, 7), (3, 5)), ((11, 9), (9, 9)), ((4, 5, 6), (3, 4, 5))]
    ):
        image = seeded_image(shape, dtype, seed)
        footprint = np.random.default_rng(seed).random(lengths) < 0.5
        footprint.flat[seed] = True
        origin = origins_of(lengths, seed)
        for function in (ndimage.minimum_filter, ndimage.maximum_filter):
            check(function, image, footprint=footprint, mode=mode, cval=1, origin=origin)


def disk(radius):
    y, x = np.ogrid[-radius : radius + 1, -radius : radius + 1]
    return y * y + x * x <= radius * radius


@pytest.mark.parametrize("radius", [1, 2, 4, 11])
@pytest.mark.usefixtures("any_kernel")
def test_disks(radius):
    image = seeded_image((30, 41), "f4")
    check(ndimage.maximum_filter, image, footprint=disk(radius))
    check(ndimage.median_filter, image, footprint=disk(min(radius, 4)))


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.usefixtures("any_kernel")
def test_ranks_of_all_modes(dtype, mode):
    if np.dtype(dtype).kind in "ui" and np.dtype(dtype).itemsize == 8:
        shapes = [(7, 8), (4, 5, 6)]  # along lines SciPy takes uint64 for int64
    else:
        shapes = [(40,), (7, 8), (1, 9), (4, 5, 6)]
    for seed, shape in enumerate(shapes):
        image = seeded_image(shape, dtype, seed)
        lengths = [3, 4, 2, 5][seed : seed + 1] * len(shape)
        origin = origins_of(lengths, seed)
        check(ndimage.median_filter, image, lengths, mode=mode, cval=1, origin=origin)
        check(ndimage.percentile_filter, image, 30, lengths, mode=mode, cval=1)


@pytest.mark.parametrize("shape", [(1, 2), (2, 1), (3, 3), (4, 3), (3, 5), (5, 6), (2, 8), (7, 7)])
@pytest.mark.usefixtures("any_kernel")
def test_every_rank(shape):
    image = np.random.default_rng(0).integers(0, 30, (14, 23))
    for place in range(shape[0] * shape[1]):
        check(ndimage.rank_filter, image, place, shape)


@pytest.mark.parametrize("size", [9, 15, 20, 31])
@pytest.mark.parametrize("dtype", ["u1", "i2", "f4"])
@pytest.mark.parametrize("largest", [10_000, 0])
def test_large_windows(monkeypatch, size, dtype, largest):
    """By networks, by histograms where the dtype is narrow, and by SciPy."""
    monkeypatch.setattr(rank, "LEAST_IMAGE", 0)
    monkeypatch.setattr(rank, "LARGEST_NETWORK", largest)
    monkeypatch.setattr(rank, "LARGEST_NETWORK_BESIDE_HISTOGRAM", largest)
    image = seeded_image((24, 37), dtype)
    check(ndimage.median_filter, image, size)
    check(ndimage.percentile_filter, image, 85, size, mode="wrap")


def test_network_of_nine_sorts_zeros_and_ones():
    """A network that finds the middle of all zeros and ones finds it of all values."""
    windows = np.array(list(itertools.product([0, 1], repeat=9)), np.uint8).reshape(-1, 3, 3)
    image = np.concatenate(windows, axis=1)
    expected = np.median(windows.reshape(-1, 9), axis=1)
    np.testing.assert_array_equal(stand_in(ndimage.median_filter)(image, 3)[1, 1::3], expected)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("dtype", ["f4", "f8"])
@pytest.mark.usefixtures("any_kernel")
def test_values_that_are_not_finite(value, dtype):
    footprint = [[0, 1, 0], [1, 0, 1]]
    for place in [(0, 0), (3, 5), (11, 14)]:
        image = seeded_image((12, 15), dtype)
        image[place] = value
        check(ndimage.minimum_filter, image, 3)
        check(ndimage.maximum_filter, image, footprint=footprint)
        check(ndimage.median_filter, image, 3)
        check(ndimage.rank_filter, image, 1, footprint=footprint)


@pytest.mark.parametrize("dtype", ["u8", "i8"])
@pytest.mark.usefixtures("any_kernel")
def test_integers_at_their_limits(dtype):
    limits = np.iinfo(dtype)
    values = [limits.min, limits.min + 1, 0, 2**53, 2**53 + 1, limits.max - 1, limits.max]
    image = np.random.default_rng(0).choice(np.array(values, dtype), (12, 15))
    for output in (None, "f8"):
        check(ndimage.minimum_filter, image, 3, output=output)
        check(ndimage.maximum_filter, image, (1, 4), output=output)
        check(ndimage.maximum_filter, image, footprint=[[0, 1], [1, 0]], output=output)
        check(ndimage.median_filter, image, 3, output=output)


def test_memory_of_any_order():
    image = seeded_image((16, 18), "u2")
    read_only = image.copy()
    read_only.flags.writeable = False
    for view in (
        image.T,
        image[::-1],
        image[:, ::-1],
        image[2:9, 3:17],
        image[::2, ::3],
        read_only,
    ):
        check(ndimage.minimum_filter, view, 3)
        check(ndimage.median_filter, view, 5)
    check(ndimage.maximum_filter, np.broadcast_to(image[3], (5, 18)), 3)
    check(ndimage.minimum_filter, image.astype(">i4"), 3)


def test_scratch_is_no_result_and_no_threads_share_it():
    images = [seeded_image((40, 50, 6), "f4", seed) for seed in range(12)]
    kernels = [stand_in(ndimage.minimum_filter), stand_in(ndimage.median_filter)]
    expected = [kernel(image, 3) for image in images for kernel in kernels]
    kept = [values.copy() for values in expected]
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        waiting = [pool.submit(kernel, image, 3) for image in images for kernel in kernels]
        for future, values in zip(waiting, expected):
            np.testing.assert_array_equal(future.result(), values)
    np.testing.assert_array_equal(kept, expected)


def test_memory_of_a_result_is_used_again_once_no_view_is_left(monkeypatch):
    monkeypatch.setattr(memory, "_left_over", collections.deque(maxlen=2))
    monkeypatch.setattr(memory, "LEAST_BYTES", 8)

    def place(array):
        return array.__array_interface__["data"][0]

    result = memory.recycled((3, 4), np.int32)
    first, row = place(result), result[1]
    row[...] = 7
    del result
    other = memory.recycled((3, 4), np.int32)
    other[...] = 0
    np.testing.assert_array_equal(row, [7] * 4)
    assert place(other) != first
    del row
    small = memory.recycled((8,), np.uint8)
    again = memory.recycled((12,), np.float32)
    assert place(small) != first == place(again)


def test_little_memory_is_left_to_later_results(monkeypatch):
    monkeypatch.setattr(memory, "_left_over", collections.deque(maxlen=8))
    monkeypatch.setattr(memory, "LEAST_BYTES", 8)
    monkeypatch.setattr(memory, "MOST_BYTES_LEFT", 100)
    results = [memory.recycled((40 + number,), np.uint8) for number in range(4)]
    while results:
        results.pop(0)
    assert [left.size for left in memory._left_over] == [42, 43]


def test_given_output():
    image = seeded_image((9, 12), "i2")
    output = np.zeros((9, 12), "f8")
    assert stand_in(ndimage.minimum_filter)(image, 3, output=output) is output
    np.testing.assert_array_equal(output, ndimage.minimum_filter(image, 3))
    copy = image.copy()
    stand_in(ndimage.median_filter)(copy, 3, output=copy)
    np.testing.assert_array_equal(copy, ndimage.median_filter(image, 3))


def test_small_tiles(monkeypatch):
    """Rows that are cut into pieces, whose edges are no edges of the image."""
    monkeypatch.setattr(row_programs, "POOL_BYTES", 100)
    monkeypatch.setattr(row_programs, "SHORTEST_BYTES", 8)
    image = seeded_image((20, 333), "f4")
    for mode in MODES:
        check(ndimage.minimum_filter, image, (3, 11), mode=mode)
        check(ndimage.median_filter, image, 5, mode=mode)
        check(ndimage.maximum_filter, image, footprint=disk(4), mode=mode, cval=2)


@pytest.mark.parametrize("dtype", ["i8", "u8"])
@pytest.mark.parametrize("size", [1, (1, 1), (1, 2)])
@pytest.mark.parametrize(
    "name",
    [
        "minimum_filter", "maximum_filter", "median_filter", "grey_erosion", "grey_opening",
        "white_tophat", "morphological_gradient", "minimum_filter1d", "maximum_filter1d",
    ],
)  # fmt: skip
def test_windows_of_one_pixel_copy_long_integers(name, size, dtype, either_kernel):
    # But in a line of pixels SciPy rounds them.
    if name.endswith("1d"):
        size = np.max(size)
    image = np.array([[-(2**62) - 1, 2**53 + 1, 5, 2**62 + 3], [2**53 + 3, 2**60 + 1, 0, 7]])
    image = np.tile(image.astype(dtype), (1, 60))  # rows that are long enough for the kernels
    assert_matches_scipy(
        getattr(ndi, name), getattr(ndimage, name), image, chunks=(1, 239), size=size
    )
