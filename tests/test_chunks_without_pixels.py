"""Chunks and axes of length 0: what is announced is what every block has, and the right value."""

import dask
import dask.array as da
import numpy as np
import pytest
from dask.core import flatten
from scipy import ndimage

import dask_image.ndimage as ndi
from dask_image import ndfilters, ndmeasure
from tests.calls import ALL_CALLS, CALLS, FAMILIES, WITHOUT_IMAGE
from tests.helpers import assert_same, collections_in, nothing_computes

CHUNKS = [
    ((0, 3, 0, 2), (4, 0)),
    ((2, 0, 2), (0, 3), (1, 0, 2)),
    ((0, 1), (3, 0, 3)),
    ((0, 0), (2, 2)),
    ((2, 1), (0, 0)),
    ((0, 3, 0),),
    ((1, 0),),
    ((0, 0),),
    (),
]


def images(chunks, whole):
    """Return an image, labels, booleans and small counts, in ``chunks`` or as one block."""
    random = np.random.default_rng(1)
    shape = tuple(map(sum, chunks))
    image = random.standard_normal(shape)
    labels = random.integers(0, 3, shape).astype(np.int32)
    counts = (4 * abs(image)).clip(0, 200).astype(np.uint8)
    return [
        da.from_array(array, chunks=-1 if whole and shape else chunks)
        for array in (image, labels, image > 0, counts)
    ]


def arrays_of(result):
    """Return the Dask arrays in what a function returned."""
    return [each for each in collections_in(result) if isinstance(each, da.Array)]


def outcome(call, arguments):
    """Return what a call returns, or the exception it raises."""
    try:
        with nothing_computes():
            return call(*arguments)
    except (ValueError, TypeError, RuntimeError) as error:
        return error


def check_blocks(lazy):
    """Every block must have the shape and the dtype that were announced."""
    keys = list(flatten(lazy.__dask_keys__()))
    for key, block in zip(keys, dask.get(lazy.__dask_graph__(), keys)):
        announced = tuple(sizes[place] for sizes, place in zip(lazy.chunks, key[1:]))
        known = [size for size in announced if not np.isnan(size)]
        assert len(np.shape(block)) == len(announced), key
        if len(known) == len(announced):
            assert np.shape(block) == announced, key
        assert np.asarray(block).dtype == lazy.dtype, key


def check_values(found, expected):
    """Compare arrays; histograms are objects."""
    if expected.dtype == object:
        assert str(found) == str(expected)
    else:
        np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-9)


def test_every_public_function_is_called():
    for family in FAMILIES:
        assert set(CALLS[family]) == set(family.__all__) - WITHOUT_IMAGE


@pytest.mark.parametrize("chunks", CHUNKS, ids=str)
@pytest.mark.parametrize("name", ALL_CALLS)
@pytest.mark.filterwarnings("ignore::dask.array.PerformanceWarning", "ignore::RuntimeWarning")
@pytest.mark.filterwarnings("ignore:.*sum_labels:DeprecationWarning")
def test_blocks_are_as_announced(name, chunks):
    call = ALL_CALLS[name]
    whole = outcome(call, images(chunks, whole=True))
    cut = outcome(call, images(chunks, whole=False))
    if isinstance(whole, Exception):
        assert (type(whole), str(whole)) == (type(cut), str(cut))
        return
    assert not isinstance(cut, Exception), cut
    for one, other in zip(arrays_of(whole), arrays_of(cut), strict=True):
        check_blocks(other)
        like_image = name.startswith(("ndfilters", "ndfourier", "ndmorph"))
        if like_image and len(other.chunks) == len(chunks) and "multiotsu" not in name:
            assert other.chunks == chunks
        if "merge_labels" not in name:  # whose labels are those of blocks
            check_values(other.compute(), one.compute())
    for part in (cut,) if hasattr(cut, "compute") else ():
        part.compute(scheduler="synchronous")


STATISTICS = (
    "area", "center_of_mass", "extrema", "maximum", "maximum_position", "mean", "median",
    "minimum", "minimum_position", "standard_deviation", "sum_labels", "variance",
)  # fmt: skip


@pytest.mark.parametrize("name", STATISTICS)
@pytest.mark.parametrize("index", [None, 1, [1, 2], "all"], ids=str)
@pytest.mark.parametrize("chunks", [((0,),), ((0, 0), (2, 2)), ((2, 1), (0, 0))], ids=str)
def test_labels_of_images_without_pixels(name, index, chunks):
    image, labels, *_ = images(chunks, whole=False)
    measure = getattr(ndmeasure, name)
    if name.startswith(("extrema", "maximum", "minimum")) and index != "all":
        with pytest.raises(ValueError, match="must have pixels to have extrema"):
            measure(image, labels, index)
        return
    for each in arrays_of(measure(image, labels, index)):
        each.compute()
    if index == "all":
        *_, present = arrays_of(measure(image, labels, index))
        assert present.compute().shape == (0,)
    elif index is None:
        for each in arrays_of(measure(image)):
            each.compute()


@pytest.mark.parametrize(
    ("chunks", "label_chunks"),
    [
        (((0, 3, 1), (2, 4)), ((0, 1), (6, 0))),
        (((4,), (0, 6, 0)), ((4, 0), (1, 0))),
        (((1, 0), (6,)), ((3, 0, 2), (0, 6))),
        (((2, 2), (6,)), ((0, 1, 0),)),
    ],
    ids=str,
)
def test_labels_are_broadcast_whatever_their_chunks(chunks, label_chunks):
    random = np.random.default_rng(0)
    image = random.standard_normal(tuple(map(sum, chunks)))
    labels = random.integers(1, 3, tuple(map(sum, label_chunks)))
    shape = np.broadcast_shapes(image.shape, labels.shape)
    lazy_image = da.from_array(image, chunks=chunks)
    lazy_labels = da.from_array(labels, chunks=label_chunks)
    expected = ndimage.sum_labels(
        np.broadcast_to(image, shape), np.broadcast_to(labels, shape), [1, 2]
    )
    assert_same(ndmeasure.sum_labels(lazy_image, lazy_labels, [1, 2]), np.asarray(expected))


@pytest.mark.skipif(not hasattr(ndimage, "vectorized_filter"), reason="needs SciPy 1.16")
def test_vectorized_filter_of_a_single_number():
    image = da.from_array(np.array(5.0))
    for window in ({"footprint": np.ones(())}, {"footprint": True}, {"size": ()}, {"size": 3}):
        for mode in ("valid", "reflect"):
            result = ndfilters.vectorized_filter(image, np.mean, mode=mode, **window)
            assert_same(result, np.array(5.0))
    with pytest.raises(ValueError, match="footprint"):
        ndfilters.vectorized_filter(image, np.mean, footprint=False)


@pytest.mark.parametrize("label_chunks", [(0, 0), (0, 0, 0)])
def test_no_pixels_in_chunks_that_differ(label_chunks):
    image = da.from_array(np.zeros(0), chunks=((0,),))
    labels = da.from_array(np.zeros(0, np.uint64), chunks=(label_chunks,))
    for measure in (ndi.variance, ndi.median, ndi.sum_labels):
        assert measure(image, labels).compute() == 0 or np.isnan(measure(image, labels).compute())
        assert measure(image, labels, [1, 2]).compute().shape == (2,)


@pytest.mark.parametrize("lazy", [False, True])
@pytest.mark.parametrize("shapes", [((6, 4), (2, 1, 0)), ((0, 4), (2, 3, 2))])
def test_coordinates_of_nothing_have_the_dtype_of_the_image(shapes, lazy):
    image, coordinates = np.zeros(shapes[0], np.float32), np.zeros(shapes[1])
    expected = np.zeros(shapes[1][1:], np.float32)
    points = da.from_array(coordinates, chunks=-1) if lazy else coordinates
    assert_same(ndi.map_coordinates(da.from_array(image, chunks=3), points), expected)
