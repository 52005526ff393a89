"""Watersheds of pictures are scikit-image's but on plateaus and ridges, and without seams."""

import dask.array as da
import numpy as np
import pytest
from scipy import ndimage
from skimage import color, feature, filters, morphology
from skimage import segmentation as theirs

from dask_image import segmentation

data = pytest.importorskip("skimage.data")


def coins_by_edges():
    coins = data.coins()
    markers = np.zeros(coins.shape, np.int32)
    markers[coins < 30], markers[coins > 150] = 1, 2
    return filters.sobel(coins), markers, None


def by_distance(picture, least_distance):
    """Return the distances within the foreground of a picture, and their peaks as markers."""
    image = getattr(data, picture)()
    smooth = filters.gaussian(image.mean(axis=-1) if image.ndim == 3 else image, 2)[:400, :400]
    mask = ndimage.binary_fill_holes(smooth > filters.threshold_otsu(smooth))
    distance = ndimage.distance_transform_edt(mask)
    peaks = feature.peak_local_max(distance, least_distance, labels=ndimage.label(mask)[0])
    markers = np.zeros(mask.shape, np.int32)
    markers[tuple(peaks.T)] = np.arange(1, len(peaks) + 1)
    return -distance, markers, mask


def nuclei_by_distance():
    """Return the distances within stained nuclei, and what stands out of them as markers."""
    dye = color.rgb2hed(data.immunohistochemistry())[..., 0]
    smooth = filters.gaussian(dye, 2) - filters.gaussian(dye, 12)
    mask = morphology.remove_small_objects(smooth > filters.threshold_otsu(smooth), max_size=40)
    distance = ndimage.distance_transform_edt(mask)
    peaks = segmentation.h_maxima(da.from_array(distance), 0.75).compute()
    return -distance, ndimage.label(peaks, np.ones((3, 3)))[0], mask


def rough_nuclei_by_distance():
    """Return distances within a mask with many plateaus, rounded so that there are more."""
    dye = filters.gaussian(color.rgb2hed(data.immunohistochemistry())[..., 0], 1)
    mask = dye > filters.threshold_otsu(dye)
    distance = ndimage.distance_transform_edt(mask)
    peaks = feature.peak_local_max(distance, 7, labels=ndimage.label(mask)[0])
    markers = np.zeros(mask.shape, np.int32)
    markers[tuple(peaks.T)] = np.arange(1, len(peaks) + 1)
    return -distance.round(), markers, mask


CASES = {
    "nuclei by distance": nuclei_by_distance,
    "coins by edges": coins_by_edges,
    "coins by distance": lambda: by_distance("coins", 12),
    "galaxies by distance": lambda: by_distance("hubble_deep_field", 6),
    "a cell by distance": lambda: by_distance("cell", 12),
}


@pytest.mark.parametrize("case", CASES)
def test_pictures_are_parted_as_by_scikit_image(case):
    image, markers, mask = CASES[case]()
    expected = theirs.watershed(image, markers, mask=mask)
    found = []
    for chunks in (-1, 128, (37, 150)):
        lazy = [
            None if a is None else da.from_array(a, chunks=chunks) for a in (image, markers, mask)
        ]
        found.append(segmentation.watershed(*lazy[:2], mask=lazy[2]).compute())
        np.testing.assert_array_equal(found[-1], found[0])
    inside = np.ones(image.shape, bool) if mask is None else mask
    assert (found[0] == expected)[inside].mean() >= 0.99
    np.testing.assert_array_equal(np.unique(found[0]), np.unique(expected))


def levels_of_entry(image, markers, mask, basins):
    """Return the level at which each pixel is reached from a marker without leaving its basin."""
    top = image[mask].max() + 1
    pixels = np.where(mask, image, top)
    heights = np.full([2 * size - 1 for size in image.shape], top)  # of pixels and steps
    heights[::2, ::2] = pixels
    for between, before, after in [
        (np.s_[1::2, ::2], np.s_[:-1], np.s_[1:]),
        (np.s_[::2, 1::2], np.s_[:, :-1], np.s_[:, 1:]),
    ]:
        higher = np.maximum(pixels[before], pixels[after])
        heights[between] = np.where(basins[before] == basins[after], higher, top)
    sources = np.full(heights.shape, top)
    sources[::2, ::2] = np.where(markers > 0, pixels, top)
    cross = ndimage.generate_binary_structure(2, 1)
    return morphology.reconstruction(sources, heights, "erosion", footprint=cross)[::2, ::2]


@pytest.mark.parametrize("case", [*CASES, "rough nuclei"])
def test_where_basins_differ_from_scikit_image_s_both_are_as_low(case):
    image, markers, mask = CASES.get(case, rough_nuclei_by_distance)()
    mask = np.ones(image.shape, bool) if mask is None else mask
    expected = theirs.watershed(image, markers, mask=mask)
    lazy = [da.from_array(array, chunks=100) for array in (image, markers, mask)]
    basins = segmentation.watershed(*lazy[:2], mask=lazy[2]).compute()
    lowest = levels_of_entry(image, markers, mask, np.zeros(image.shape))
    for each in (basins, expected):
        levels = levels_of_entry(image, markers, mask, each)
        np.testing.assert_array_equal(levels[mask], lowest[mask])
    np.testing.assert_array_equal(np.unique(basins), np.unique(expected))


def test_ridges_beside_minima_without_markers_are_reached_at_the_same_level():
    noise = ndimage.gaussian_filter(np.random.default_rng(0).normal(size=(100, 100)), 1)
    all_minima, _ = ndimage.label(morphology.local_minima(noise, connectivity=1))
    few, _ = ndimage.label(morphology.h_minima(noise, 0.1))
    mask = np.ones(noise.shape, bool)
    for markers, least in ((all_minima, 1.0), (few, 0.99)):
        expected = theirs.watershed(noise, markers)
        lazy = [da.from_array(array, chunks=40) for array in (noise, markers)]
        basins = segmentation.watershed(*lazy).compute()
        assert least <= (basins == expected).mean() <= least + 0.01
        lowest = levels_of_entry(noise, markers, mask, np.zeros(noise.shape))
        levels = levels_of_entry(noise, markers, mask, basins)
        np.testing.assert_array_equal(levels, lowest)


def test_minima_are_the_markers_by_default():
    image = filters.gaussian(data.camera()[:200, :200], 2)
    expected = theirs.watershed(image)
    for chunks in (-1, 64):
        basins = segmentation.watershed(da.from_array(image, chunks=chunks))
        assert basins.dtype == np.int32
        np.testing.assert_array_equal(basins, expected)
    mask = np.random.default_rng(0).random((30, 30)) < 0.8
    image = np.random.default_rng(1).permutation(900).reshape(30, 30).astype("f4")
    basins = segmentation.watershed(
        da.from_array(image, chunks=7), mask=da.from_array(mask, chunks=9)
    )
    np.testing.assert_array_equal(
        np.unique(basins.compute()), np.unique(theirs.watershed(image, mask=mask))
    )


@pytest.mark.parametrize("connectivity", [1, 2])
def test_lines_part_all_basins(connectivity):
    random = np.random.default_rng(2)
    image = random.integers(0, 9, (40, 40))
    markers = np.zeros((40, 40), np.int32)
    markers[5::10, 5::10] = np.arange(1, 17).reshape(4, 4)
    whole = None
    for chunks in (-1, 7, ((1, 1, 1, 20, 1, 1, 15),) * 2):
        lazy = [da.from_array(array, chunks=chunks) for array in (image, markers)]
        lines = segmentation.watershed(*lazy, connectivity, watershed_line=True).compute()
        whole = lines if whole is None else whole
        np.testing.assert_array_equal(lines, whole)
    basins = segmentation.watershed(image, markers, connectivity).compute()
    np.testing.assert_array_equal(whole[whole != 0], basins[whole != 0])
    assert (whole[markers != 0] == markers[markers != 0]).all()
    structure = ndimage.generate_binary_structure(2, connectivity)
    _, parts = ndimage.label(whole != 0, structure)
    assert parts >= 16
    highest = ndimage.maximum_filter(whole, footprint=structure)
    lowest = ndimage.minimum_filter(np.where(whole == 0, 99, whole), footprint=structure)
    assert (highest == lowest)[whole != 0].all()
    assert 0 < (whole == 0).mean() < 0.4


def test_plateaus_are_shared_out_by_distance():
    markers = np.zeros((9, 9), int)
    markers[2, 2], markers[6, 7], markers[7, 1] = 1, 2, 3
    basins = segmentation.watershed(np.zeros((9, 9)), da.from_array(markers, chunks=4)).compute()
    distances = np.stack([ndimage.distance_transform_edt(markers != label) for label in (1, 2, 3)])
    nearest = np.sort(distances, axis=0)
    clear = nearest[0] < nearest[1] - 1
    np.testing.assert_array_equal(basins[clear], distances.argmin(axis=0)[clear] + 1)


def test_wrong_arguments_are_refused():
    image = da.zeros((6, 6), chunks=3)
    markers = da.ones((6, 6), chunks=3, dtype=int)
    with pytest.raises(NotImplementedError, match="compactness must be 0"):
        segmentation.watershed(image, markers, compactness=1)
    with pytest.raises(ValueError, match="markers must have the shape"):
        segmentation.watershed(image, markers[:3])
    with pytest.raises(ValueError, match="mask must have the shape"):
        segmentation.watershed(image, markers, mask=markers[:3])
    with pytest.raises(ValueError, match="at least 1"):
        segmentation.watershed(image, markers, 0)
    with pytest.raises(ValueError, match="one or three pixels"):
        segmentation.watershed(image, markers, np.ones((5, 5)))
    with pytest.raises(TypeError, match="real numbers"):
        segmentation.watershed(image * 1j, markers)
    with pytest.raises(ValueError, match="at least one axis"):
        segmentation.watershed(da.asarray(3), da.asarray(1))
    assert segmentation.watershed(da.zeros((0, 4)), da.zeros((0, 4), dtype=int)).shape == (0, 4)
