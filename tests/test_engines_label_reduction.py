"""Partials of blocks, merged in a tree: the same as one pass over the whole image."""

import copy

import dask.array as da
import numpy as np
import pytest

from dask_image._kernels.blocks.label_columns import (
    COORDINATES,
    COUNT,
    MASS,
    SHIFT,
    SHIFTED,
    SQUARES,
    SUM,
    BlockLocation,
)
from dask_image._kernels.blocks.label_index import find_runs, index_labels
from dask_image._utils.engines import label_reduction
from dask_image._utils.engines.label_reduction import (
    CENTRE,
    EXTREMES,
    GEOMETRY,
    MOMENTS,
    SPREAD,
    SUMS,
    LabelStatistic,
    counting,
    gather,
    labels_present,
    reduce_labels,
)
from dask_image._utils.labels import as_labelled_image, as_selection
from tests.helpers import nothing_computes, plain_kernels, seeded_image

INTENSITIES = [SUMS, SPREAD, CENTRE, EXTREMES]

SHAPES = {"1-D": (40,), "2-D": (17, 23), "3-D": (5, 6, 7), "4-D": (3, 2, 4, 5), "thin": (9, 1)}


def labels_of(shape, seed=0):
    """Return labels with runs of some length."""
    random = np.random.default_rng(seed)
    return np.repeat(random.integers(-2, 5, int(np.prod(shape)) // 2 + 1), 2)[
        : int(np.prod(shape))
    ].reshape(shape)


def blocks_of(shape, size):
    """Return the slices of blocks of ``size`` along each axis."""
    counts = [-(-length // size) for length in shape]
    return [
        tuple(slice(number * size, min((number + 1) * size, length))
              for number, length in zip(index, shape, strict=True))
        for index in np.ndindex(*counts)
    ]  # fmt: skip


def partials_of(family, labels, image, size):
    """Return the partial of every block."""
    partials = []
    for block in blocks_of(labels.shape, size):
        location = BlockLocation(tuple(cut.start for cut in block), labels.shape)
        values = (image[block],) if family.reads_image else ()
        partials.append(family.partial(index_labels(labels[block]), *values, location))
    return partials


def brute_geometry(labels, label):
    """Measure one label the plain way."""
    pixels = np.argwhere(labels == label)
    centred = pixels - pixels.mean(axis=0)
    first, second = np.triu_indices(labels.ndim)
    return {
        "count": len(pixels),
        "lower": pixels.min(axis=0),
        "upper": pixels.max(axis=0) + 1,
        "coordinates": pixels.sum(axis=0),
        "products": (centred[:, first] * centred[:, second]).sum(axis=0),
    }


@pytest.mark.parametrize("dtype", ["?", "u1", "i2", "u4", "i8", "u8"])
@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
def test_runs_are_the_block_again(either_kernel, shape, dtype):
    labels = labels_of(shape).astype(dtype)
    runs = find_runs(index_labels(labels))
    np.testing.assert_array_equal(runs.labels, np.unique(labels))
    again = np.repeat(runs.labels[runs.slots], np.diff(runs.starts)).reshape(shape)
    np.testing.assert_array_equal(again, labels)
    assert again.dtype == labels.dtype


def test_runs_of_labels_far_apart(either_kernel):
    labels = np.array([[7, 2**62, -(2**62), 7]])
    runs = find_runs(index_labels(labels))
    assert runs.labels.tolist() == [-(2**62), 7, 2**62]
    assert runs.slots.tolist() == [1, 2, 0, 1]


def test_runs_end_with_their_row(either_kernel):
    assert find_runs(index_labels(np.ones((3, 4), int))).starts.tolist() == [0, 4, 8, 12]
    fortran = np.asfortranarray(np.ones((2, 2), int))
    assert find_runs(index_labels(fortran)).starts.tolist() == [0, 2, 4]


@pytest.mark.parametrize("size", [2, 3, 100])
@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
def test_geometry(either_kernel, shape, size):
    labels = labels_of(shape)
    merged = MOMENTS.merge(partials_of(MOMENTS, labels, None, size))
    np.testing.assert_array_equal(merged["labels"], np.unique(labels))
    for row, label in enumerate(merged["labels"]):
        for field, expected in brute_geometry(labels, label).items():
            np.testing.assert_allclose(merged[field][row], expected, rtol=1e-12, atol=1e-9)
    pooled = MOMENTS.pool(merged, merged["labels"] > 0)
    for field, expected in brute_geometry(labels > 0, True).items():
        np.testing.assert_allclose(pooled[field][0], expected, rtol=1e-12, atol=1e-9)


def test_geometry_far_from_the_origin_keeps_its_digits(either_kernel):
    labels = np.zeros((6, 6), int)
    labels[2:4, 1:5] = 1
    location = BlockLocation((10**9, 10**9), (2 * 10**9, 2 * 10**9))
    products = MOMENTS.partial(index_labels(labels), location)["products"][1]
    np.testing.assert_allclose(products, brute_geometry(labels, 1)["products"], rtol=1e-14)


@pytest.mark.parametrize("far_apart", [False, True])
@pytest.mark.parametrize("dtype", ["u1", "i4", "f4", "f8", "c16"])
@pytest.mark.parametrize("size", [2, 3, 100])
def test_intensity(either_kernel, dtype, size, far_apart):
    labels, image = labels_of((17, 23)), seeded_image((17, 23), dtype)
    if far_apart:
        labels *= 2**50
    merged, pooled = {}, {}
    for family in INTENSITIES:
        found = family.merge(partials_of(family, labels, image, size))
        merged |= found
        pooled |= family.pool(found, found["labels"] > 0)
    for row, label in enumerate(merged["labels"]):
        check_intensity(merged, row, labels == label, image)
    check_intensity(pooled, 0, labels > 0, image)


def check_intensity(merged, row, inside, image):
    """Compare one row of a partial with the pixels it stands for."""
    values, pixels = image[inside], np.argwhere(inside)
    wide = values.astype(np.result_type(values, np.float64))
    sums, spread, centre = (merged[field][row] for field in ("sums", "spread", "centre"))
    assert sums[COUNT] == spread[COUNT] == values.size
    for total in (sums[SUM], spread[SUM], centre[MASS]):
        np.testing.assert_allclose(total, wide.sum(), rtol=1e-12, atol=1e-9)
    squares = (np.abs(wide - wide.mean()) ** 2).sum()
    np.testing.assert_allclose(spread[SQUARES], squares, rtol=1e-12)
    shifted = (wide - spread[SHIFT]).sum()
    np.testing.assert_allclose(spread[SHIFTED], shifted, rtol=1e-10, atol=1e-7)
    np.testing.assert_allclose(centre[COORDINATES:], wide @ pixels, rtol=1e-12, atol=1e-7)
    for side, extreme in enumerate((values.min(), values.max())):
        assert merged["extremes"][row, side] == extreme
        first = np.flatnonzero(inside.ravel() & (image.ravel() == extreme))[0]
        assert merged["places"][row, side] == first


@pytest.mark.parametrize(
    "family", [GEOMETRY, MOMENTS, *INTENSITIES], ids=lambda family: family.name
)
def test_merging_leaves_its_inputs_alone(either_kernel, family):
    partials = partials_of(family, labels_of((9, 9)), seeded_image((9, 9), "f8"), 3)
    before = copy.deepcopy(partials)
    merged = family.merge(partials)
    family.pool(merged, merged["labels"] > 0)
    merged["labels"][:] = 0
    for ours, theirs in zip(partials, before, strict=True):
        for field in theirs:
            np.testing.assert_array_equal(ours[field], theirs[field])


@pytest.mark.parametrize(
    "family", [GEOMETRY, MOMENTS, *INTENSITIES], ids=lambda family: family.name
)
def test_both_kernels_agree(family, compiled_kernels):
    labels, image = labels_of((9, 11)), seeded_image((9, 11), "f8")
    image[3, 4:9] = np.nan
    compiled = family.merge(partials_of(family, labels, image, 4))
    with plain_kernels():
        plain = family.merge(partials_of(family, labels, image, 4))
    assert compiled.keys() == plain.keys()
    for field, values in plain.items():
        assert compiled[field].dtype == values.dtype
        np.testing.assert_allclose(compiled[field], values, rtol=1e-12, atol=1e-9)


def test_the_tree_merges_many_blocks(monkeypatch):
    monkeypatch.setattr(label_reduction, "SPLIT_EVERY", 3)
    labels = da.from_array(labels_of((20, 20)), chunks=2)
    merged = reduce_labels(GEOMETRY, labels)
    tree = [
        key for key in dict(merged.step.graph) if str(key[0]).startswith("label_statistics-merge-")
    ]
    assert len(tree) == 34 + 12 + 4 + 2 + 1
    counts = merged.apply("count", lambda partial: partial["count"]).compute()
    np.testing.assert_array_equal(counts, np.unique(labels.compute(), return_counts=True)[1])


def test_partials_are_named_after_what_they_measure():
    labels = da.from_array(labels_of((8, 8)), chunks=4)
    image = da.ones((8, 8), chunks=4)
    assert reduce_labels(SUMS, labels, image).key == reduce_labels(SUMS, labels, image).key
    keys = {
        reduce_labels(SUMS, labels, image).key,
        reduce_labels(SUMS, labels, image + 1).key,
        reduce_labels(SUMS, labels + 1, image).key,
        reduce_labels(GEOMETRY, labels).key,
    }
    assert len(keys) == 4
    runs = [
        {
            key
            for key in dict(merged.step.graph)
            if str(key[0]).startswith("label_statistics-index-")
        }
        for merged in (reduce_labels(GEOMETRY, labels), reduce_labels(SUMS, labels, image))
    ]
    assert runs[0] == runs[1]


def box_volume(fields, shape):
    """Return the pixels of the bounding box: a statistic of a test's own."""
    return (fields["upper"] - fields["lower"]).prod(axis=1)


def test_a_statistic_is_a_declaration():
    volume = LabelStatistic(GEOMETRY, box_volume, -1, counting)
    labels = np.zeros((8, 9), int)
    labels[1:4, 2:7] = 5
    labelled = as_labelled_image(np.zeros((8, 9)), da.from_array(labels, chunks=3))
    with nothing_computes():
        merged = reduce_labels(GEOMETRY, labelled.labels)
        lazy = gather(merged, volume, as_selection([5, 6], labelled), "volume")
        present = labels_present(merged)
    assert lazy.compute().tolist() == [15, -1]
    assert present.compute().tolist() == [5]
