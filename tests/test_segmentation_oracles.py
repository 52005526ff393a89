"""Segmentation is what a few plain lines of NumPy and SciPy say, for any chunks, empty ones too."""

import dask
import dask.array as da
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import ndimage

from dask_image import segmentation
from dask_image.ndmeasure import regionprops_table

SHAPES = [(19,), (7, 9), (4, 5, 3), (3, 2, 4, 2)]
SEED = 5


def integers(shape, top=6, seed=SEED):
    return np.random.default_rng(seed).integers(0, top, shape)


def sparse_labels(shape):
    return integers(shape) * (np.random.default_rng(1).random(shape) < 0.4)


def neighbours(image, connectivity=None):
    return ndimage.generate_binary_structure(image.ndim, connectivity or image.ndim)


def chunkings(shape):
    """Return chunks: all at once, single pixels, and uneven ones with some of no pixels."""
    uneven = tuple((0, size // 3, 0, size - size // 3) for size in shape)
    return [-1, 1, 2, uneven]


def check(function, expected, *images, rtol=0.0):
    for chunks in chunkings(images[0].shape):
        found = function(*(da.from_array(image, chunks=chunks) for image in images))
        np.testing.assert_allclose(
            found.compute(scheduler="synchronous"), expected, rtol=rtol, err_msg=f"{chunks}"
        )


# ---------------------------------------------------------------------------------------
# What the engine of floods gives


def reconstructed(seed, mask, structure):
    """Dilate until nothing changes."""
    while True:
        grown = np.minimum(ndimage.maximum_filter(seed, footprint=structure), mask)
        if np.array_equal(grown, seed):
            return seed
        seed = grown


def maxima(image, structure):
    """Return the plateaus that no higher pixel touches, if there is any other pixel."""
    found = np.zeros(image.shape, np.uint8)
    if (image == image.flat[0]).all():
        return found
    for value in np.unique(image):
        plateaus, count = ndimage.label(image == value, structure)
        for number in range(1, count + 1):
            plateau = plateaus == number
            around = ndimage.binary_dilation(plateau, structure) & ~plateau
            found[plateau] = (image[around] < value).all()
    return found


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_reconstruction_is_repeated_dilation(shape, either_kernel):
    mask = integers(shape, 9)
    seed = np.maximum(mask - integers(shape, 9, seed=2), 0)
    for connectivity in range(1, len(shape) + 1):
        structure = neighbours(mask, connectivity)
        check(
            lambda x, y, s=structure: segmentation.reconstruction(x, y, footprint=s),
            reconstructed(seed, mask, structure), seed, mask,
        )  # fmt: skip
        check(
            lambda x, y, s=structure: segmentation.reconstruction(x, y, "erosion", s),
            -reconstructed(-mask, -seed, structure), mask, seed,
        )  # fmt: skip


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_extrema(shape, either_kernel):
    image = integers(shape, 4)
    structure = neighbours(image)
    check(segmentation.local_maxima, maxima(image, structure), image)
    check(segmentation.local_minima, maxima(-image, structure), image)
    tall = image - reconstructed(image - 2, image, structure) >= 2
    deep = -image - reconstructed(-image - 2, -image, structure) >= 2
    check(lambda x: segmentation.h_maxima(x, 2), tall, image)
    check(lambda x: segmentation.h_minima(x, 2), deep, image)


@given(st.data())
def test_reconstructions_and_extrema_full_of_ties(data):
    shape = data.draw(hnp.array_shapes(min_dims=1, max_dims=3, max_side=5))
    mask = data.draw(hnp.arrays(np.int8, shape, elements=st.integers(0, 2)))
    fall = data.draw(hnp.arrays(np.int8, shape, elements=st.integers(0, 2)))
    chunks = tuple(data.draw(st.integers(1, size)) for size in shape)
    structure = neighbours(mask, data.draw(st.integers(1, len(shape))))
    lazy = [da.from_array(array, chunks=chunks) for array in (mask - fall, mask)]
    with dask.config.set(scheduler="synchronous"):
        np.testing.assert_array_equal(
            segmentation.reconstruction(*lazy, footprint=structure),
            reconstructed(mask - fall, mask, structure),
        )
        np.testing.assert_array_equal(
            segmentation.local_maxima(lazy[1], structure), maxima(mask, structure)
        )


# ---------------------------------------------------------------------------------------
# Objects


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_objects(shape):
    labels = sparse_labels(shape)
    structure = neighbours(labels)
    areas = np.bincount(labels.ravel(), minlength=6)
    check(
        lambda x: segmentation.remove_small_objects(x, max_size=4),
        np.where(areas[labels] > 4, labels, 0), labels,
    )  # fmt: skip
    holes, _ = ndimage.label(labels == 0, neighbours(labels, 1))
    small = (np.bincount(holes.ravel()) <= 3)[holes] & (holes > 0)
    check(
        lambda x: segmentation.remove_small_holes(x, max_size=3), (labels > 0) | small, labels > 0
    )
    inner = (slice(1, -1),) * labels.ndim
    edge = np.ones(shape, bool)
    edge[inner] = False
    cleared = labels.copy()
    for label in range(1, 6):
        pieces, _ = ndimage.label(labels == label, structure)
        cleared[np.isin(pieces, pieces[edge & (pieces > 0)])] = 0
    check(segmentation.clear_border, cleared, labels)
    bounds = ndimage.maximum_filter(labels, footprint=neighbours(labels, 1)) != (
        ndimage.minimum_filter(labels, footprint=neighbours(labels, 1))
    )
    check(segmentation.find_boundaries, bounds, labels)
    low, high = labels > 1, labels > 3
    parts, _ = ndimage.label(low, neighbours(labels, 1))
    chosen = np.unique(parts[high & low])
    check(
        lambda x: segmentation.apply_hysteresis_threshold(x, 1, 3),
        np.isin(parts, chosen[chosen > 0]), labels,
    )  # fmt: skip


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_labels_expand_to_the_nearest(shape):
    labels = np.zeros(shape, int)
    labels.flat[[2, labels.size - 3]] = 3, 5
    distance, nearest = ndimage.distance_transform_edt(labels == 0, return_indices=True)
    each = [ndimage.distance_transform_edt(labels != label) for label in (3, 5)]
    clear = each[0] != each[1]
    expected = np.where(distance <= 2, labels[tuple(nearest)], 0)
    for chunks in chunkings(shape):
        found = segmentation.expand_labels(da.from_array(labels, chunks=chunks), 2).compute()
        np.testing.assert_array_equal(found[clear], expected[clear])
        assert ((found != 0) == (distance <= 2)).all()


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_labels_are_joined_and_renumbered(shape):
    one, other = integers(shape, 3), integers(shape, 3, seed=6)
    pairs = one * 3 + other
    _, numbers = np.unique(pairs, return_inverse=True)
    numbers = numbers.reshape(shape) + (pairs != 0).all()
    check(segmentation.join_segmentations, numbers, one, other)
    labels = one * 7
    check(segmentation.relabel_sequential, one, labels)


# ---------------------------------------------------------------------------------------
# Peaks, thresholds, scales


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_peaks_of_images_without_ties(shape):
    image = np.random.default_rng(3).permutation(int(np.prod(shape))).reshape(shape)
    highest = image == ndimage.maximum_filter(image, 3, mode="constant", cval=-1)
    places = np.argwhere(highest & (image > 0))
    expected = places[np.argsort(-image[tuple(places.T)])]
    check(lambda x: segmentation.peak_local_max(x, 1, exclude_border=False), expected, image)
    check(
        lambda x: segmentation.peak_local_max(x, 1, exclude_border=False, num_peaks=2),
        expected[:2], image,
    )  # fmt: skip


def two_hills():
    """Return an image of two kinds of pixels, made without random numbers."""
    rows, columns = np.ogrid[:60, :70]
    return (60 + 25 * np.sin(rows / 5) + 25 * np.cos(columns / 7) + (rows > 40) * 90).astype("u1")


def otsu(image):
    """Return the value that parts pixels into two classes whose means differ most."""
    values = image.ravel().astype(float)
    best = max(
        range(image.min(), image.max()),
        key=lambda t: (
            (values <= t).mean() * (values > t).mean()
            * (values[values <= t].mean() - values[values > t].mean()) ** 2
        ),
    )  # fmt: skip
    return best


# What scikit-image 0.26 returns for it.
RECORDED = {
    "li": 83.95132152646217,
    "triangle": 75,
    "yen": 109,
    "isodata": 94,
    "multiotsu": [70, 123],
}


def test_otsu_parts_classes_best():
    check(segmentation.threshold_otsu, otsu(two_hills()), two_hills())


@pytest.mark.parametrize("method", ["li", "triangle", "yen", "isodata", "multiotsu"])
def test_thresholds_that_were_recorded(method):
    image = two_hills()
    function = getattr(segmentation, f"threshold_{method}")
    for chunks in (-1, 13, ((0, 20, 40), (1, 69))):
        found = function(da.from_array(image, chunks=chunks)).compute()
        np.testing.assert_allclose(found, RECORDED[method], rtol=1e-6)


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_scales(shape):
    image = np.random.default_rng(4).random(shape)
    low, high = 0.25, 0.75
    check(
        lambda x: segmentation.rescale_intensity(x, (low, high), (0, 10)),
        (np.clip(image, low, high) - low) / (high - low) * 10, image, rtol=1e-12,
    )  # fmt: skip
    padded = np.pad(image, [(0, -size % 2) for size in shape])
    cells = padded.reshape([n for size in padded.shape for n in (size // 2, 2)])
    mean = cells.mean(axis=tuple(range(1, 2 * len(shape), 2)))
    check(lambda x: segmentation.downscale_local_mean(x, 2), mean, image, rtol=1e-12)


# ---------------------------------------------------------------------------------------
# Outlines


def test_outlines_of_simple_shapes():
    labels = np.zeros((12, 30), int)
    labels[1:5, 1:5] = 1  # a square: 12 pixels around it
    labels[np.arange(6), 8 + np.arange(6)] = 2  # a diagonal: four steps of the root of 2
    labels[6:11, 1:6] = 3
    labels[7:10, 2:5] = 0  # a ring
    labels[6, 12] = labels[10, 20] = 4  # two pixels
    labels[8:11, 24:30] = 5
    labels[9, [25, 27]] = 0  # two holes
    root = 2**0.5
    for chunks in chunkings(labels.shape):
        table = regionprops_table(
            da.from_array(labels, chunks=chunks),
            properties=("label", "euler_number", "perimeter"), spacing=2,
        )  # fmt: skip
        (table,) = dask.compute(table, scheduler="synchronous")
        np.testing.assert_array_equal(table["label"], [1, 2, 3, 4, 5])
        np.testing.assert_array_equal(table["euler_number"], [1, 1, 0, 2, -1])
        np.testing.assert_allclose(table["perimeter"][:2], [24, 8 * root], rtol=1e-12)
    ball = np.zeros((7, 7, 7), int)
    ball[1:6, 1:6, 1:6] = 1
    ball[3, 3, 3] = 0  # a cavity
    torus = np.zeros((7, 7, 7), int)
    torus[3, 1:6, 1:6] = 1
    torus[3, 3, 3] = 0
    for volume, number in ((ball, 2), (torus, 0)):
        for chunks in (-1, 2, ((3, 4), (0, 7), (1, 2, 4))):
            cut = da.from_array(volume, chunks=chunks)
            table = regionprops_table(cut, properties="euler_number")
            np.testing.assert_array_equal(table["euler_number"], [number])


def test_area_opening_with_a_halo():
    """The documentation says which halo makes scikit-image's function exact on blocks."""
    morphology = pytest.importorskip("skimage.morphology")
    image = np.random.default_rng(12).integers(0, 9, (40, 33))
    expected = morphology.area_opening(image, 8)
    lazy = da.from_array(image, chunks=(11, 13))
    opened = lazy.map_overlap(
        morphology.area_opening, depth=7, boundary="none", area_threshold=8, dtype=image.dtype
    )
    np.testing.assert_array_equal(opened.compute(scheduler="synchronous"), expected)
