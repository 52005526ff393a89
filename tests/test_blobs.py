"""Blobs, against scikit-image."""

import dask.array as da
import numpy as np
import pytest

from dask_image import segmentation
from tests.helpers import nothing_computes

feature = pytest.importorskip("skimage.feature")
data = pytest.importorskip("skimage.data")


def check(name, image, *arguments, chunkings=(16, -1), **keywords):
    """Compare with scikit-image over chunks: which blobs, their order and their sizes."""
    expected = getattr(feature, name)(image.copy(), *arguments, **keywords)
    for chunks in chunkings:
        lazy = da.from_array(image, chunks=chunks)
        with nothing_computes():
            blobs = getattr(segmentation, name)(lazy, *arguments, **keywords)
        computed = blobs.compute(scheduler="synchronous")
        assert computed.dtype == blobs.dtype
        np.testing.assert_array_equal(computed, expected)
    return expected


def spots(shape, count, seed, dtype=float):
    """Draw Gaussian spots of many sizes, some of which overlap."""
    generator = np.random.default_rng(seed)
    image = 0.02 * generator.random(shape)
    grids = np.ogrid[tuple(slice(size) for size in shape)]
    for _ in range(count):
        sigma = generator.uniform(1, 4)
        center = [generator.uniform(0, size) for size in shape]
        squares = sum((grid - at) ** 2 for grid, at in zip(grids, center))
        image += generator.uniform(0.3, 1) * np.exp(-squares / (2 * sigma**2))
    image /= image.max()
    return (image * np.iinfo(dtype).max if np.dtype(dtype).kind in "iu" else image).astype(dtype)


OPTIONS = [
    {}, {"overlap": 0}, {"overlap": 0.9}, {"threshold": None},
    {"threshold": None, "threshold_rel": 0.4}, {"threshold_rel": 0.3},
    {"exclude_border": 3}, {"exclude_border": (0, 9)},
]  # fmt: skip


@pytest.mark.parametrize("options", OPTIONS, ids=str)
@pytest.mark.parametrize("dtype", ["f4", "u1"])
def test_blobs_of_pictures(options, dtype):
    image = spots((37, 50), 25, 1, dtype)
    options = {"threshold": 0.05, **options}
    assert len(check("blob_log", image, 1, 5, 5, **options))
    assert len(check("blob_dog", image, 1, 5, **options))


@pytest.mark.parametrize("dtype", ["f8", "f2", "i2", "?"])
def test_blobs_of_other_dtypes(dtype):
    image = spots((37, 50), 25, 7)
    image = image > 0.3 if dtype == "?" else spots((37, 50), 25, 7, dtype)
    assert len(check("blob_log", image, 1, 4, 4, threshold=0.05, chunkings=(7,)))


def test_blobs_of_coins():
    coins = data.coins()
    check("blob_dog", coins, 10, 40, threshold=0.05, chunkings=(100,))
    check("blob_log", coins, 8, 18, 3, threshold=0.05, log_scale=True, chunkings=(100,))


@pytest.mark.usefixtures("either_kernel")
def test_blobs_of_volumes():
    image = spots((14, 19, 23), 14, 2)
    assert len(check("blob_log", image, 1, 3, 3, threshold=0.05))
    assert len(check("blob_dog", image, 1, 3, threshold=0.05))


def test_deviations_for_each_axis():
    image = spots((37, 50), 25, 3)
    assert check("blob_log", image, (1, 2), (3, 5), 4, threshold=0.05).shape[1] == 4
    assert check("blob_dog", image, 1, (3, 5), threshold=0.05).shape[1] == 4


def test_blobs_of_signals_and_of_four_axes():
    check("blob_log", spots((60,), 9, 4), 1, 4, 4, threshold=0.05)
    check("blob_log", spots((7, 8, 6, 9), 5, 5), 1, 2, 2, threshold=0.05, chunkings=(5, -1))


def test_one_scale():
    check("blob_log", spots((37, 50), 25, 6), 2, 2, 1, threshold=0.01)


@pytest.mark.parametrize("name", ["blob_log", "blob_dog"])
def test_no_blobs(name):
    check(name, np.ones((20, 20)), 1, 3)
    check(name, np.zeros((20, 20)), 1, 3, threshold=None)
    assert getattr(segmentation, name)(da.zeros((0, 5))).compute().shape == (0, 3)


def test_what_is_refused():
    image = da.zeros((9, 9))
    with pytest.raises(ValueError, match="sigma_ratio must be above 1"):
        segmentation.blob_dog(image, sigma_ratio=1)
    with pytest.raises(ValueError, match="min_sigma and max_sigma must be above 0"):
        segmentation.blob_dog(image, min_sigma=0)
    with pytest.raises(ValueError, match="min_sigma must be at least 0"):
        segmentation.blob_log(image, min_sigma=-1)
    with pytest.raises(ValueError, match="exclude_border must be False or"):
        segmentation.blob_log(image, exclude_border=True)
    with pytest.raises(ValueError, match="a width for each of 2 axes"):
        segmentation.blob_log(image, exclude_border=(1, 2, 3))
    with pytest.raises(ValueError, match="overlap must lie between 0 and 1"):
        segmentation.blob_log(image, overlap=2)
