"""
Blocks on a GPU: each function does with them what the table of capabilities says.

Without CuPy, arrays that pass for CuPy's show what is refused. With CuPy and a GPU, every
function that takes CuPy arrays is compared with itself on NumPy arrays.
"""

import importlib.util
import sys
import types

import dask
import dask.array as da
import numpy as np
import pytest
from scipy import ndimage

from dask_image import ndfilters, ndinterp, ndmeasure, ndmorph, segmentation
from dask_image import ndimage as ported
from dask_image._utils import backend
from dask_image._utils.capabilities import CAPABILITIES
from dask_image._utils.engines.counted import counted_pixels
from tests.calls import ALL_CALLS, FAMILIES
from tests.helpers import arrays_for_calls, seeded_image

HAS_CUPY = importlib.util.find_spec("cupy") is not None
needs_gpu = pytest.mark.skipif(not HAS_CUPY, reason="needs CuPy and a GPU")


class GpuArray(np.ndarray):
    """Passes for a CuPy array where only the kind of array is looked at."""

    __module__ = "cupy"

    def __array_function__(self, *call):
        found = super().__array_function__(*call)
        return found.view(GpuArray) if isinstance(found, np.ndarray) else found


def gpu_image(dtype="f8"):
    blocks = da.ones((6, 6), chunks=3, dtype=dtype)
    meta = np.empty((0, 0), dtype).view(GpuArray)
    return da.Array(blocks.dask, blocks.name, blocks.chunks, meta=meta)


def function_of(call):
    """Return the name of the function that one of `ALL_CALLS` calls."""
    return call.partition(".")[2].removesuffix("_again")


def test_kind_of_blocks_is_told_by_the_meta():
    assert backend.is_cupy(gpu_image())
    assert not backend.is_cupy(da.ones(3))


def test_the_table_has_every_public_function():
    families = (*FAMILIES, segmentation)
    assert {name for family in families for name in family.__all__} <= set(CAPABILITIES)


WITHOUT_GPU = [name for name in ALL_CALLS if CAPABILITIES[function_of(name)].cupy is None]
RANKS_OF_COUNTED = "ndfilters.rank_filter_again"
WITH_GPU = [name for name in ALL_CALLS if name not in (*WITHOUT_GPU, RANKS_OF_COUNTED)]


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", WITHOUT_GPU)
def test_what_has_no_gpu_version_says_so(name):
    arrays = [gpu_image("f8"), gpu_image("i8"), gpu_image("?"), gpu_image("u1")]
    with pytest.raises(NotImplementedError, match=f"{function_of(name)} has no GPU version"):
        ALL_CALLS[name](*arrays)


IMAGE = da.ones((6, 6), chunks=3)


def test_ranks_of_counted_pixels_are_refused():
    for call in (
        lambda: ndfilters.median_filter(gpu_image(), 3, where=gpu_image("?")),
        lambda: ndfilters.percentile_filter(gpu_image(), 30, 3, nan_policy="omit"),
    ):
        with pytest.raises(NotImplementedError, match="rank filters have no GPU version"):
            call()


def test_masks_go_where_the_image_is(monkeypatch):
    fake = types.SimpleNamespace(asarray=lambda array: array.view(GpuArray), ndarray=GpuArray)
    monkeypatch.setitem(sys.modules, "cupy", fake)
    mask = np.eye(6) == 0
    counted = counted_pixels(gpu_image(), mask, "propagate", None)
    assert backend.is_cupy(counted.where)
    with pytest.raises(TypeError, match="where must hold NumPy arrays"):
        ndfilters.gaussian_filter(IMAGE, 1, where=gpu_image("?"))


ONE_OF_SEVERAL = {
    "labels": lambda: ndmeasure.mean(IMAGE, gpu_image("i8"), [1]),
    "labels by keyword": lambda: ndmeasure.mean(IMAGE, label_image=gpu_image("i8")),
    "index": lambda: ndmeasure.mean(IMAGE, IMAGE > 0, gpu_image("i8")),
    "image by keyword": lambda: ndmorph.distance_transform_edt(image=gpu_image()),
    "markers": lambda: ndmorph.watershed_ift(IMAGE.astype("u1"), markers=gpu_image("i8")),
    "among coordinates": lambda: ndinterp.map_coordinates(IMAGE, [IMAGE, gpu_image()]),
    "under SciPy's names": lambda: ported.find_objects(input=gpu_image("i8")),
}


@pytest.mark.parametrize("case", ONE_OF_SEVERAL)
def test_any_array_on_a_gpu_is_refused(case):
    with pytest.raises(NotImplementedError, match="has no GPU version"):
        ONE_OF_SEVERAL[case]()


def sum_on_gpu():
    import cupy

    return cupy.ReductionKernel("T x", "T y", "x", "a + b", "y = a", "0", "window_sum")


def double_line_on_gpu():
    import cupy

    source = """
    extern "C" __global__
    void twice(const double* line, ptrdiff_t size, double* result, ptrdiff_t count) {
        for (ptrdiff_t i = 0; i < count; ++i) result[i] = 2 * line[i + 1];
    }
    """
    return cupy.RawKernel(source, "twice")


# CuPy's generic filters take functions of CuPy's: each case gives a call, and what it must match.
KERNELS_OF_CUPY = {
    "ndfilters.generic_filter": (
        lambda x: ndfilters.generic_filter(x, sum_on_gpu(), 3),
        lambda x: ndfilters.generic_filter(x, np.sum, 3),
    ),
    "ndfilters.generic_filter1d": (
        lambda x: ndfilters.generic_filter1d(x, double_line_on_gpu(), 3),
        lambda x: 2 * x,
    ),
    "ndfilters.threshold_local_again": (
        lambda x: ndfilters.threshold_local(x, 3, "generic", param=sum_on_gpu()),
        lambda x: ndfilters.threshold_local(x, 3, "generic", param=np.sum),
    ),
}


def compute_on_gpu(result):
    """Return the arrays of a result, as NumPy arrays; each must lie where its meta says."""
    import cupy

    arrays = []
    for each in result if isinstance(result, tuple) else (result,):
        computed = each.compute(scheduler="synchronous")
        if each.ndim:
            assert isinstance(each._meta, cupy.ndarray)
            assert isinstance(computed, cupy.ndarray)
        assert computed.dtype == each.dtype
        arrays.append(cupy.asnumpy(computed))
    return arrays


def test_arguments_are_made_those_of_cupy(monkeypatch):
    class Arrays:
        asarray = staticmethod(lambda values: ("on GPU", values))

    monkeypatch.setitem(sys.modules, "cupy", Arrays)
    kernel = backend.CupyKernel(lambda block, **keywords: keywords)
    assert kernel(0, weights=[1, 2]) == {"weights": ("on GPU", [1, 2])}
    assert kernel(0, extra_arguments=(), extra_keywords={}, size=3) == {"size": 3}
    with pytest.raises(NotImplementedError, match="extra_keywords must be empty"):
        kernel(0, extra_keywords={"a": 1})
    assert kernel(0, structure=None, iterations=2) == {"structure": None, "iterations": 2}
    assert kernel(0, structure=[1], iterations=2) == {"structure": [1], "iterations": 2}
    grey = backend.CupyKernel(lambda block, structure=None, footprint=None: footprint)
    for keywords in ({}, {"footprint": None}):
        footprint = grey(0, structure=np.zeros((2, 3)), **keywords)
        assert footprint.all()
        assert footprint.shape == (2, 3)
    double = backend.CupyKernel(lambda block, output: block.dtype)
    assert double(np.zeros(3, "u1"), output=np.float64) == np.float64
    assert double(np.zeros(3, "u1"), output=np.uint8) == np.uint8


@needs_gpu
@pytest.mark.gpu
@pytest.mark.filterwarnings("ignore::dask.array.PerformanceWarning")
@pytest.mark.parametrize("shape", [(20, 17), (9, 8, 7)])
@pytest.mark.parametrize("name", WITH_GPU)
def test_every_function_that_takes_them_on_a_gpu(name, shape):
    import cupy

    on_host = arrays_for_calls(shape, 6)
    on_gpu = [array.map_blocks(cupy.asarray) for array in on_host]
    if name in KERNELS_OF_CUPY:
        call, reference = KERNELS_OF_CUPY[name]
        results, expected = call(on_gpu[0]), reference(on_host[0])
    else:
        results, expected = ALL_CALLS[name](*on_gpu), ALL_CALLS[name](*on_host)
    expected = expected if isinstance(expected, tuple) else (expected,)
    for result, right in zip(compute_on_gpu(results), dask.compute(*expected), strict=True):
        assert result.dtype == np.asarray(right).dtype
        np.testing.assert_allclose(result, right, rtol=1e-10, atol=1e-10)


MODES_CALLS = {
    "gaussian_filter": {"sigma": 1.5}, "uniform_filter": {"size": 3}, "median_filter": {"size": 3},
    "minimum_filter": {"size": 4}, "correlate": {"weights": np.ones((2, 3))}, "sobel": {},
    "laplace": {}, "gaussian_laplace": {"sigma": 1},
}  # fmt: skip


@needs_gpu
@pytest.mark.gpu
@pytest.mark.parametrize("mode", ["reflect", "mirror", "constant", "nearest"])
@pytest.mark.parametrize("name", MODES_CALLS)
def test_filters_on_a_gpu(name, mode):
    import cupy

    image = seeded_image((20, 17), "f4")
    lazy = da.from_array(image, chunks=6).map_blocks(cupy.asarray)
    result = getattr(ndfilters, name)(lazy, mode=mode, **MODES_CALLS[name])
    assert isinstance(result._meta, cupy.ndarray)
    expected = getattr(ndimage, name)(image, mode=mode, **MODES_CALLS[name])
    np.testing.assert_allclose(result.compute().get(), expected, rtol=1e-5, atol=1e-5)


@needs_gpu
@pytest.mark.gpu
@pytest.mark.parametrize("dtype", ["u1", "i2", "i4", "f8"])
@pytest.mark.parametrize("name", ["gaussian_filter", "uniform_filter", "correlate"])
def test_doubles_of_integers_on_a_gpu(name, dtype):
    import cupy

    image, where = seeded_image((20, 17), dtype), seeded_image((20, 17), "?")
    keywords = MODES_CALLS[name] | {"output": np.float64}
    on_host, counted = (da.from_array(each, chunks=6) for each in (image, where))
    on_gpu = on_host.map_blocks(cupy.asarray)
    for more in ({}, {"where": counted}):
        result = getattr(ndfilters, name)(on_gpu, **keywords, **more)
        expected = getattr(ndfilters, name)(on_host, **keywords, **more)
        np.testing.assert_allclose(result.compute().get(), expected, rtol=1e-11, atol=1e-11)


@needs_gpu
@pytest.mark.gpu
def test_morphology_on_a_gpu():
    import cupy

    image = seeded_image((20, 17), "?")
    lazy = da.from_array(image, chunks=6).map_blocks(cupy.asarray)
    result = ndmorph.binary_erosion(lazy)
    np.testing.assert_array_equal(result.compute().get(), ndimage.binary_erosion(image))
