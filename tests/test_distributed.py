"""The families on a cluster of worker processes: same answers, nothing that cannot be sent."""

import dask.array as da
import numpy as np
import pytest
import tifffile
from scipy import ndimage

from dask_image import imread, ndfilters, ndfourier, ndinterp, ndmeasure, ndmorph
from dask_image import local_statistics as statistics
from tests.helpers import seeded_image

distributed = pytest.importorskip("distributed")


@pytest.fixture(scope="module")
def cluster():
    with (
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, dashboard_address=":0", memory_limit="2GiB"
        ) as workers,
        distributed.Client(workers) as client,
    ):
        yield client


@pytest.fixture(scope="module")
def image():
    return ndimage.gaussian_filter(seeded_image((60, 50), "f8"), 1.5)


@pytest.fixture(scope="module")
def lazy(image):
    return da.from_array(image, chunks=(25, 20))


@pytest.fixture(scope="module")
def labels(image):
    return ndimage.label(image > 0.1)[0]


def same(client, lazy, expected):
    np.testing.assert_allclose(client.compute(lazy).result(), expected, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("sigma", [1, 4])
def test_filters(cluster, image, lazy, sigma):
    same(cluster, ndfilters.gaussian_filter(lazy, sigma), ndimage.gaussian_filter(image, sigma))
    same(cluster, ndfilters.median_filter(lazy, 3), ndimage.median_filter(image, 3))


def test_slabs_travel(cluster):
    image = seeded_image((300, 280), "f8")
    result = ndfilters.maximum_filter(da.from_array(image, chunks=150), size=5, mode="wrap")
    keys = result.dask.layers[result.name]
    assert any(str(key[0]).startswith("maximum_filter-halo-") for key in keys)
    same(cluster, result, ndimage.maximum_filter(image, size=5, mode="wrap"))


def test_labels(cluster, image, lazy, labels):
    lazy_labels, count = ndmeasure.label(lazy > 0.1)
    same(cluster, lazy_labels, labels)
    assert cluster.compute(count).result() == labels.max()


def test_measurements(cluster, image, lazy, labels):
    index = np.arange(1, labels.max() + 1)
    lazy_labels = da.from_array(labels, chunks=(25, 20))
    for name in ("mean", "maximum", "variance", "center_of_mass", "maximum_position", "median"):
        same(
            cluster,
            getattr(ndmeasure, name)(lazy, lazy_labels, index),
            getattr(ndimage, name)(image, labels, index),
        )


def test_morphology(cluster, image, lazy):
    mask = image > 0.1
    lazy_mask = lazy > 0.1
    same(cluster, ndmorph.binary_opening(lazy_mask), ndimage.binary_opening(mask))
    same(cluster, ndmorph.binary_fill_holes(lazy_mask), ndimage.binary_fill_holes(mask))
    same(cluster, ndmorph.distance_transform_edt(lazy_mask), ndimage.distance_transform_edt(mask))


def test_interpolation(cluster, image, lazy):
    same(
        cluster,
        ndinterp.zoom(lazy, 1.3, order=3, prefilter=True),
        ndimage.zoom(image, 1.3, order=3),
    )
    coordinates = np.random.default_rng(0).random((2, 100)) * 50
    same(
        cluster,
        ndinterp.map_coordinates(lazy, da.from_array(coordinates, chunks=(2, 30)), order=1),
        ndimage.map_coordinates(image, coordinates, order=1),
    )


def test_fourier(cluster, image, lazy):
    same(cluster, ndfourier.fourier_gaussian(lazy, 1), ndimage.fourier_gaussian(image, 1))


def test_local_statistics(cluster, image, lazy):
    # Of a constant image, every window's mean is that constant.
    constant = da.full_like(lazy, 3.0)
    result = statistics.local_mean(constant, selem=(10, 10))
    same(cluster, result, np.full(lazy.shape, 3.0))
    grid = statistics.local_mean(lazy, selem=(10, 10), interpolate=None)
    same(cluster, grid, image.reshape(6, 10, 5, 10).mean(axis=(1, 3)))


def test_files(cluster, image, tmp_path):
    for number in range(3):
        tifffile.imwrite(tmp_path / f"{number}.tif", image + number)
    same(cluster, imread.imread(tmp_path / "*.tif"), [image, image + 1, image + 2])
