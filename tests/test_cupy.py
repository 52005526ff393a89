"""Blocks on a GPU: filters keep them there, what has no GPU version says so."""

import dask.array as da
import numpy as np
import pytest
from scipy import ndimage

from dask_image import local_statistics, ndfilters, ndinterp, ndmeasure, ndmorph
from dask_image._utils import backend
from tests.helpers import seeded_image


class GpuArray(np.ndarray):
    """Passes for a CuPy array where only the kind of array is looked at."""

    __module__ = "cupy"


def gpu_image():
    blocks = da.ones((6, 6), chunks=3)
    return da.Array(blocks.dask, blocks.name, blocks.chunks, meta=np.empty((0, 0)).view(GpuArray))


def test_kind_of_blocks_is_told_by_the_meta():
    assert backend.is_cupy(gpu_image())
    assert not backend.is_cupy(da.ones(3))


REFUSED = {
    ndmeasure.mean: (), ndmeasure.median: (), ndmeasure.find_objects: (),
    ndmorph.distance_transform_edt: (), ndinterp.map_coordinates: ([[1.0], [2.0]],),
    ndinterp.zoom: (2,), local_statistics.local_mean: (3,),
}  # fmt: skip


@pytest.mark.parametrize("function", REFUSED)
def test_what_has_no_gpu_version_says_so(function):
    with pytest.raises(NotImplementedError, match=function.__name__):
        function(gpu_image(), *REFUSED[function])


GPU_CALLS = {
    "gaussian_filter": {"sigma": 1.5}, "uniform_filter": {"size": 3}, "median_filter": {"size": 3},
    "minimum_filter": {"size": 4}, "correlate": {"weights": np.ones((2, 3))}, "sobel": {},
    "laplace": {}, "gaussian_laplace": {"sigma": 1},
}  # fmt: skip


@pytest.mark.gpu
@pytest.mark.parametrize("mode", ["reflect", "mirror", "constant", "nearest"])
@pytest.mark.parametrize("name", GPU_CALLS)
def test_filters_on_a_gpu(name, mode):
    cupy = pytest.importorskip("cupy")
    image = seeded_image((20, 17), "f4")
    lazy = da.from_array(image, chunks=6).map_blocks(cupy.asarray)
    result = getattr(ndfilters, name)(lazy, mode=mode, **GPU_CALLS[name])
    assert isinstance(result._meta, cupy.ndarray)
    expected = getattr(ndimage, name)(image, mode=mode, **GPU_CALLS[name])
    np.testing.assert_allclose(result.compute().get(), expected, rtol=1e-5, atol=1e-5)


@pytest.mark.gpu
def test_morphology_on_a_gpu():
    cupy = pytest.importorskip("cupy")
    image = seeded_image((20, 17), "?")
    lazy = da.from_array(image, chunks=6).map_blocks(cupy.asarray)
    result = ndmorph.binary_erosion(lazy)
    np.testing.assert_array_equal(result.compute().get(), ndimage.binary_erosion(image))
