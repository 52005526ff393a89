"""What is done with arguments where they enter: arrays, numbers, names, and warnings."""

import ast
import inspect
import random
import re
import subprocess
import sys
import warnings
from pathlib import Path

import dask
import dask.array as da
import numpy as np
import pytest
from scipy import ndimage as scipy_ndimage

import dask_image
import dask_image.ndimage as ndi
from dask_image import ndfilters, ndinterp, ndmeasure, ndmorph, segmentation
from dask_image._utils.arguments import Binder
from dask_image._utils.arrays import BLOCK_BYTES, as_dask_array
from dask_image._utils.labels import as_label_image
from dask_image._utils.warnings import warn
from tests.helpers import assert_same, nothing_computes, seeded_image
from tests.test_ndimage import ARRAY_CALLS, MEASUREMENTS

IMAGE = seeded_image((12, 10), "f8")
LAZY = da.from_array(IMAGE, chunks=5)
LABELS = scipy_ndimage.label(IMAGE > 0.3)[0]
GREY = [
    "black_tophat", "grey_closing", "grey_dilation", "grey_erosion", "grey_opening",
    "morphological_gradient", "morphological_laplace", "white_tophat",
]  # fmt: skip


# ---------------------------------------------------------------------------------------
# Sequences of lazy arrays


def test_sequences_of_lazy_arrays_are_stacked_lazily():
    rows, columns = np.mgrid[0:11:7j, 0:9:5j]
    lazy_rows, lazy_columns = da.from_array(rows, chunks=3), da.from_array(columns, chunks=3)
    with nothing_computes():
        at_points = ndi.map_coordinates(LAZY, [lazy_rows, columns], order=1)
        both_lazy = ndi.map_coordinates(LAZY, (lazy_rows, lazy_columns), order=1)
        smooth = ndi.gaussian_filter([LAZY, LAZY + 1], 1)
        nested = as_dask_array([[LAZY, LAZY], (LAZY, IMAGE)])
        means = ndi.mean(LAZY, LABELS, [da.asarray(1), 2])
    assert_same(at_points, scipy_ndimage.map_coordinates(IMAGE, [rows, columns], order=1))
    assert both_lazy.chunks == at_points.chunks
    assert_same(smooth, scipy_ndimage.gaussian_filter([IMAGE, IMAGE + 1], 1))
    assert_same(nested, np.array([[IMAGE, IMAGE], [IMAGE, IMAGE]]))
    assert_same(means, scipy_ndimage.mean(IMAGE, LABELS, [1, 2]))


def test_lazy_arrays_of_several_shapes_are_no_array():
    with (
        nothing_computes(),
        pytest.raises(ValueError, match=r"image .* one shape, got .*\(12, 10\)"),
    ):
        ndfilters.gaussian_filter([LAZY, LAZY[1:]], 1)


@pytest.mark.parametrize("scipy_label", [True, False])
def test_what_label_returns_is_not_a_label_image(scipy_label):
    found = scipy_ndimage.label(IMAGE > 0.3) if scipy_label else ndi.label(LAZY > 0.3)
    with nothing_computes():
        for call in (
            lambda: ndi.mean(LAZY, found, [1, 2]),
            lambda: ndmeasure.median(LAZY, found),
            lambda: ndmeasure.regionprops_table(found),
            lambda: ndmeasure.relabel_sequential(found),
        ):
            with pytest.raises(
                TypeError, match=r"label returns \(labels, number\): pass the first"
            ):
                call()


# ---------------------------------------------------------------------------------------
# Masked arrays


@pytest.mark.parametrize("lazy", [True, False])
@pytest.mark.parametrize(
    "name", ["gaussian_filter", "distance_transform_edt", "sum_labels", "shift"]
)
def test_the_data_of_masked_arrays_are_taken_with_one_warning(name, lazy):
    arguments = {"gaussian_filter": (1,), "shift": (0.5,)}.get(name, ())
    masked = np.ma.masked_less(IMAGE, 0)
    expected = getattr(scipy_ndimage, name)(IMAGE, *arguments)
    given = da.from_array(masked, chunks=5) if lazy else masked
    with pytest.warns(UserWarning, match=r"is a masked array: .*filled.* where=~mask") as caught:
        result = getattr(ndi, name)(given, *arguments)
    assert [each.filename for each in caught] == [__file__]
    assert type(result._meta) is not np.ma.MaskedArray
    computed = result.compute()
    assert type(computed) is not np.ma.MaskedArray
    np.testing.assert_allclose(computed, expected, rtol=1e-12, atol=1e-12)


# ---------------------------------------------------------------------------------------
# Label images of floats


def float_labels(dtype):
    labels = LABELS.astype(dtype)
    labels[LABELS == 0] = np.where(np.arange((LABELS == 0).sum()) % 2, np.nan, 0)
    return labels


@pytest.mark.parametrize("dtype", ["f2", "f4", "f8"])
def test_whole_floats_are_labels_and_nan_is_none(dtype):
    labels = da.from_array(float_labels(dtype), chunks=5)
    for name in MEASUREMENTS:
        expected = getattr(ndi, name)(LAZY, LABELS, [1, 2, 3]).compute()
        with nothing_computes():
            own = getattr(ndi, name)(LAZY, labels, [1, 2, 3])
        np.testing.assert_array_equal(own.compute(), expected)
    assert ndi.find_objects(labels).compute() == scipy_ndimage.find_objects(LABELS)
    _, present = ndmeasure.mean(LAZY, labels, "all")
    assert present.compute().tolist() == list(range(1, LABELS.max() + 1))
    table = dask.compute(ndmeasure.regionprops_table(labels, properties=("label", "area")))[0]
    assert table["area"].tolist() == np.bincount(LABELS.ravel())[1:].tolist()
    assert_same(ndmeasure.relabel_sequential(labels), LABELS.astype(np.int64))
    func = ndi.labeled_comprehension(LAZY, labels, [1, 2], np.ptp, float, 0)
    expected = scipy_ndimage.labeled_comprehension(IMAGE, LABELS, [1, 2], np.ptp, float, 0)
    assert_same(func, expected)


@pytest.mark.parametrize("value", [1.5, np.inf, -np.inf, 1e19])
def test_other_floats_are_no_labels(value):
    labels = float_labels("f8")
    labels[3, 4] = value
    lazy = ndmeasure.mean(LAZY, da.from_array(labels, chunks=5), [1])
    with pytest.raises(
        ValueError, match="label_image must hold whole .*got " + re.escape(str(value))
    ):
        lazy.compute()
    with pytest.raises(ValueError, match="markers must"):
        as_label_image(labels, "markers").compute()


# ---------------------------------------------------------------------------------------
# Arrays that have no chunks


@pytest.mark.parametrize(
    ("shape", "dtype", "blocks"),
    [
        ((1024, 512), "f8", (1, 1)), ((4096, 4096), "u1", (2, 2)), ((2048, 2048), "f8", (3, 3)),
        ((10**7,), "u1", (3,)), ((), "f8", ()), ((0, 5), "f8", (1, 1)),
    ],
)  # fmt: skip
def test_arrays_in_memory_are_cut_for_all_cores(shape, dtype, blocks):
    array = np.broadcast_to(np.zeros((), dtype), shape)
    cut = as_dask_array(array)
    assert cut.numblocks == blocks
    assert np.prod(cut.chunksize) * array.itemsize <= BLOCK_BYTES
    assert as_dask_array(array, whole=True).npartitions == 1
    with dask.config.set({"array.chunk-size": "1MiB"}):
        assert as_dask_array(array).npartitions >= cut.npartitions


def test_results_have_the_chunks_that_an_array_in_memory_was_cut_into():
    image = np.zeros((2048, 2048))
    assert ndfilters.gaussian_filter(image, 1).numblocks == (3, 3)
    assert ndmeasure.label(image)[0].numblocks == (3, 3)
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # it is one block before it is one task
        ndmorph.watershed_ift(image.astype(np.uint8), image.astype(np.int16))


# ---------------------------------------------------------------------------------------
# What SciPy must not see


@pytest.mark.parametrize("name", GREY)
@pytest.mark.parametrize("more", [{}, {"structure": np.ones((3, 3))}, {"size": 3}])
def test_footprints_without_a_pixel(name, more):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with pytest.raises(ValueError, match="footprint must have a pixel that is True"):
            getattr(ndi, name)(LAZY, footprint=np.zeros((3, 3)), **more)


WITH_CVAL = {
    **ARRAY_CALLS,
    "generic_filter1d": (lambda line, result: None, 3),
    "vectorized_filter": (),
}
WITH_CVAL = {
    name: arguments
    for name, arguments in WITH_CVAL.items()
    if "cval" in ndi.__dict__[name].__signature__.parameters
    if not name.startswith("binary") and hasattr(scipy_ndimage, name)
}  # fmt: skip


@pytest.mark.parametrize("name", WITH_CVAL)
def test_cval_is_a_real_number_for_a_real_image(name):
    arguments, more = WITH_CVAL[name], {}
    if name == "vectorized_filter":
        arguments, more = (np.mean,), {"size": 3}
    for cval in (1j, np.complex64(1), "0", None, [0.0], np.zeros(2), LAZY.mean()):
        if cval is None and name == "vectorized_filter":
            continue
        with nothing_computes(), pytest.raises(TypeError, match="cval must be a real number"):
            getattr(ndi, name)(LAZY, *arguments, mode="constant", cval=cval, **more)
    if name != "generic_filter1d":
        getattr(ndi, name)(LAZY, *arguments, mode="constant", cval=np.array(1.0), **more)


@pytest.mark.parametrize("shape", [(16,), (3, 4)])
@pytest.mark.parametrize("name", ["binary_dilation", "binary_erosion", "binary_opening"])
def test_iterations_of_a_structure_longer_than_the_image(name, shape, monkeypatch):
    image, structure = seeded_image(shape, bool), np.ones((21,) * len(shape), bool)
    structure.flat[::5] = False
    structure[(10,) * len(shape)] = True
    padded = np.pad(image, 60, constant_values=False)
    mask = np.pad(np.ones(shape, bool), 60)
    inside = (slice(60, -60),) * len(shape)
    expected = getattr(scipy_ndimage, name)(padded, structure, 2, mask=mask)[inside]
    for stand_in in (True, False):
        if not stand_in:
            monkeypatch.setattr(
                "dask_image._utils.backend.stand_in", lambda scipy_function: scipy_function
            )
        result = getattr(ndi, name)(image, structure, 2).compute()
        np.testing.assert_array_equal(result, expected)


def test_other_windows_that_scipy_gets_wrong():
    for call in (
        lambda: ndi.grey_erosion(LAZY, structure=np.zeros((0, 3))),
        lambda: ndi.correlate(LAZY, np.zeros((0, 3))),
    ):
        with pytest.raises(ValueError, match="must not be empty"):
            call()
    with pytest.raises(TypeError, match="weights must be numbers"):
        ndi.convolve1d(LAZY, ["a", "b"])
    with pytest.raises(TypeError, match="structure must hold real numbers"):
        ndi.grey_erosion(LAZY, structure=np.ones((3, 3), complex))


@pytest.mark.parametrize(
    "name", ["grey_erosion", "median_filter", "maximum_filter1d", "convolve1d"]
)
def test_cval_beyond_64_bits(name):
    size = np.ones(3) if name == "convolve1d" else 3
    expected = getattr(scipy_ndimage, name)(IMAGE, size, mode="constant", cval=10**20)
    assert_same(getattr(ndi, name)(LAZY, size, mode="constant", cval=10**20), expected)


# ---------------------------------------------------------------------------------------
# Bad arguments are found at the call, and named


def call(name, *args, **kwargs):
    return lambda: getattr(ndi, name)(*args, **kwargs)


INTEGERS = da.from_array(np.arange(20).reshape(4, 5), chunks=3)
BAD = {
    "sigma-str": (call("gaussian_filter", LAZY, "2"), TypeError, "sigma must be .* got '2'"),
    "sigma-lazy": (call("gaussian_filter", LAZY, LAZY.std()), TypeError, "call sigma.compute"),
    "sigmas-lazy": (call("gaussian_filter", LAZY, [LAZY.std(), 1]), TypeError, "sigma.compute"),
    "sigma-nan": (call("gaussian_filter", LAZY, np.nan), ValueError, "sigma must be .* got nan"),
    "sigma-inf": (call("gaussian_laplace", LAZY, np.inf), ValueError, "sigma must be .* got inf"),
    "sigma-negative": (call("gaussian_filter", LAZY, [1, -1]), ValueError, "sigma .* got -1"),
    "sigma1d": (call("gaussian_filter1d", LAZY, -0.5), ValueError, "sigma .* got -0.5"),
    "sigma-gradient": (
        call("gaussian_gradient_magnitude", LAZY, -1), ValueError, "sigma must be finite .* got -1"
    ),
    "order-float": (call("gaussian_filter", LAZY, 1, 1.5), TypeError, "order .* got 1.5"),
    "order-negative": (call("gaussian_filter", LAZY, 1, -1), RuntimeError, "order .* got -1"),
    "order-str": (call("zoom", LAZY, 2, order="cubic"), TypeError, "order .* got 'cubic'"),
    "mode-list": (call("zoom", LAZY, 2, mode=["wrap"]), RuntimeError, r"mode .* got \['wrap'\]"),
    "mode-number": (call("gaussian_filter", LAZY, 2, mode=1), ValueError, "mode .* got 1"),
    "mode-lists": (
        call("gaussian_filter", LAZY, 2, mode=[["wrap"], []]), ValueError, r"mode .* got \['wrap'\]"
    ),
    "axes-str": (call("rotate", LAZY, 30, axes="lat"), ValueError, "axes .* got 'lat'"),
    "axes-int": (call("rotate", LAZY, 30, axes=1), ValueError, "axes .* got 1"),
    "axes-filter": (call("gaussian_filter", LAZY, 1, axes="lat"), ValueError, "axes .* got 'lat'"),
    "axis-str": (call("sobel", LAZY, "lat"), TypeError, "axis .* got 'lat'"),
    "axis-spline": (call("spline_filter1d", LAZY, 3, "lat"), TypeError, "axis .* got 'lat'"),
    "axis-fourier": (call("fourier_shift", LAZY, 3, axis="lat"), TypeError, "axis .* got 'lat'"),
    "angle": (call("rotate", LAZY, "30"), TypeError, "angle .* got '30'"),
    "shift-lazy": (call("shift", LAZY, LAZY.mean()), TypeError, "shift.compute"),
    "shift-str": (call("shift", LAZY, ["a", 1]), TypeError, "shift must be .* got 'a'"),
    "size-lazy": (call("uniform_filter", LAZY, LAZY.max()), TypeError, "size.compute"),
    "size-lazies": (call("median_filter", LAZY, [LAZY.max(), 2]), TypeError, "size.compute"),
    "fourier-sigma": (call("fourier_gaussian", LAZY, "2"), TypeError, "sigma .* got '2'"),
    "fourier-n": (call("fourier_gaussian", LAZY, 2, "2"), TypeError, "n must be .* got '2'"),
    "size-nan": (call("median_filter", LAZY, np.nan), ValueError, "size must be .* got nan"),
    "size-none": (call("maximum_filter1d", LAZY, None), ValueError, "size must be .* got None"),
    "origin-list": (call("minimum_filter1d", LAZY, 3, origin=[0]), TypeError, "origin must"),
    "truncate": (call("gaussian_filter", LAZY, 1, truncate=np.inf), ValueError, "truncate .* inf"),
    "percentile-nan": (call("percentile_filter", LAZY, np.nan, 3), ValueError, "percentile .* nan"),
    "axes-dict": (call("gaussian_laplace", LAZY, 1, axes={}), ValueError, "axes must be .* got {}"),
    "rank": (call("rank_filter", LAZY, 1.5, 3), TypeError, "rank must be .* got 1.5"),
    "percentile": (call("percentile_filter", LAZY, "a", 3), TypeError, "percentile .* got 'a'"),
    "label-bool": (call("label", LAZY, output=bool), TypeError, "output must be .* got bool"),
    "extra-arguments": (
        call("generic_filter", LAZY, np.sum, 3, extra_arguments=5), RuntimeError,
        "extra_arguments must be a tuple, got 5",
    ),
    "extra-arguments-str": (
        call("generic_filter1d", LAZY, np.sum, 3, extra_arguments="ab"), ValueError,
        "extra_arguments must be a tuple, got 'ab'",
    ),
    "extra-arguments-laplace": (
        call("generic_laplace", LAZY, scipy_ndimage.prewitt, extra_arguments=5), ValueError,
        "extra_arguments must be a tuple, got 5",
    ),
    "extra-keywords": (
        call("geometric_transform", LAZY, tuple, extra_keywords=5), ValueError,
        "extra_keywords must be a dict or None, got 5",
    ),
    "ignore-array": (
        call("value_indices", INTEGERS, ignore_value=np.array([0, 1])), TypeError,
        r"ignore_value must be .* got array\(\[0, 1\]\)",
    ),
    "sigma1d-zero": (call("gaussian_filter1d", LAZY, 0), ValueError, "sigma must be above 0"),
    "ragged-image": (call("sobel", [[1], [2, 3]]), ValueError, "image must be an array"),
    "ragged-weights": (
        call("convolve", LAZY, [[1], [2, 3]]), ValueError, "weights must be an array, got"
    ),
    "method-array": (
        lambda: segmentation.reconstruction(LAZY, LAZY, np.ones(2)), ValueError, "method must be"
    ),
    "tolerance": (
        lambda: segmentation.threshold_li(LAZY, tolerance=-1), ValueError, "tolerance .* got -1"
    ),
    "output-shape": (
        call("affine_transform", LAZY, [1, 1], output_shape=5), TypeError, "output_shape .* got 5"
    ),
    "output-chunks-zero": (
        lambda: ndinterp.zoom(LAZY, 2, output_chunks=0), ValueError, "output_chunks must .* got 0"
    ),
    "output-chunks-str": (
        lambda: ndinterp.spline_filter(LAZY, output_chunks="x"), ValueError, "output_chunks .* 'x'"
    ),
    "output-chunks-negative": (
        lambda: ndinterp.zoom(LAZY, 2, output_chunks=-99), ValueError, "output_chunks .* got -99"
    ),
    "depth": (lambda: ndinterp.spline_filter(LAZY, depth=1.5), TypeError, "depth .* got 1.5"),
    "depth1d": (
        lambda: ndinterp.spline_filter1d(LAZY, depth=-2), ValueError, "depth must .* got -2"
    ),
    "angle-nan": (call("rotate", LAZY, np.nan), ValueError, "angle must be finite, got nan"),
    "reshape": (
        call("rotate", LAZY, 3, reshape=np.ones(2)), ValueError, "reshape must be True or False"
    ),
    "wrap-axes": (
        lambda: ndmeasure.label(LAZY, wrap_axes=5), ValueError, "wrap_axes is wrong: axis 5"
    ),
    "wrap-axes-str": (
        lambda: ndmorph.binary_erosion(LAZY, wrap_axes="x"), ValueError, "wrap_axes .* got 'x'"
    ),
    "separator": (
        lambda: ndmeasure.regionprops_table(INTEGERS, separator=None), TypeError, "separator must"
    ),
    "properties": (
        lambda: ndmeasure.regionprops_table(INTEGERS, properties=[1]), TypeError, "properties .* 1"
    ),
    "extra-properties": (
        lambda: ndmeasure.regionprops_table(INTEGERS, extra_properties=len), TypeError,
        "extra_properties must be a list of functions",
    ),
    "spacing": (
        lambda: ndmeasure.regionprops_table(INTEGERS, spacing="x"), TypeError, "spacing .* got 'x'"
    ),
    "as-frame": (
        lambda: ndmeasure.regionprops_table(INTEGERS, as_frame=LAZY), TypeError, "as_frame must"
    ),
    "histogram-min": (
        call("histogram", LAZY, [1, 2], 5, 3), TypeError, "min and max must be .* got"
    ),
    "block-size": (
        lambda: segmentation.threshold_local(LAZY, -1), ValueError, "block_size must .* got -1"
    ),
    "param": (
        lambda: segmentation.threshold_local(LAZY, 3, param="x"), TypeError, "param .* got 'x'"
    ),
    "hysteresis": (
        lambda: segmentation.apply_hysteresis_threshold(LAZY, "x", 1), TypeError, "low .* got 'x'"
    ),
    "bgval": (
        lambda: segmentation.clear_border(INTEGERS, bgval="x"), TypeError, "bgval .* got 'x'"
    ),
    "bgval-large": (
        lambda: segmentation.clear_border(INTEGERS.astype("u1"), bgval=-1), ValueError,
        "bgval must be a value of dtype uint8, got -1",
    ),
    "allow-borders": (
        lambda: segmentation.local_maxima(LAZY, allow_borders=np.ones(2)), ValueError,
        "allow_borders must be True or False",
    ),
    "watershed-line": (
        lambda: segmentation.watershed(LAZY, watershed_line=LAZY), TypeError, "watershed_line must"
    ),
    "num-peaks": (
        lambda: segmentation.peak_local_max(LAZY, num_peaks=np.nan), ValueError, "num_peaks must"
    ),
    "num-peaks-per-label": (
        lambda: segmentation.peak_local_max(LAZY, num_peaks_per_label="x"), TypeError,
        "num_peaks_per_label must be .* got 'x'",
    ),
    "footprint-empty": (
        lambda: segmentation.peak_local_max(LAZY, footprint=np.zeros((3, 3))), ValueError,
        "footprint must have 2 axes and a pixel that is not zero",
    ),
    "footprint-axes": (
        lambda: segmentation.peak_local_max(LAZY, footprint=np.ones(3)), ValueError,
        "footprint must have 2 axes and a pixel that is not zero",
    ),
    "in-range": (
        lambda: segmentation.rescale_intensity(LAZY, in_range=5), ValueError, "in_range .* got 5"
    ),
    "out-range": (
        lambda: segmentation.rescale_intensity(LAZY, out_range="x"), ValueError, "out_range .* 'x'"
    ),
    "return-indices": (
        call("distance_transform_cdt", LAZY, return_indices=np.ones(2)), ValueError,
        "return_indices must be True or False",
    ),
    "return-distances": (
        call("distance_transform_edt", LAZY, return_distances=LAZY), TypeError,
        "return_distances must be True or False in memory",
    ),
    "wrap-axes-holes": (
        lambda: ndmorph.binary_fill_holes(LAZY, wrap_axes="x"), ValueError, "wrap_axes .* got 'x'"
    ),
    "ignore-nan": (
        call("value_indices", INTEGERS, ignore_value=np.nan), ValueError, "ignore_value .* got nan"
    ),
    "ignore-large": (
        call("value_indices", INTEGERS, ignore_value=10**30), OverflowError, "ignore_value .* 100"
    ),
    "ignore-fraction": (
        call("value_indices", INTEGERS, ignore_value=1.5), ValueError, "ignore_value .* got 1.5"
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", BAD)
def test_bad_arguments_are_named_when_a_function_is_called(case):
    bad, error, message = BAD[case]
    with nothing_computes(), pytest.raises(error, match=message):
        bad()


def test_whatever_is_true_stands_for_true():
    indices = ndi.distance_transform_cdt(LAZY > 0, return_distances=0, return_indices=5)
    expected = scipy_ndimage.distance_transform_cdt(IMAGE > 0, "chessboard", False, True)
    np.testing.assert_array_equal(indices, expected)


@pytest.mark.skipif(not hasattr(scipy_ndimage, "vectorized_filter"), reason="SciPy before 1.16")
def test_memory_for_windows_is_checked_for_the_largest_block():
    for size, axes in ((3, None), ((2, 3), None), (3, (1,)), (4, (0,))):
        with pytest.raises(ValueError, match="batch_memory must be at least .* bytes") as caught:
            ndi.vectorized_filter(LAZY, np.mean, size=size, axes=axes, batch_memory=100)
        least = int(str(caught.value).split("at least ")[1].split()[0])
        enough = ndi.vectorized_filter(LAZY, np.mean, size=size, axes=axes, batch_memory=least)
        expected = scipy_ndimage.vectorized_filter(IMAGE, np.mean, size=size, axes=axes)
        assert_same(enough, expected)


@pytest.mark.parametrize(
    "bad",
    [
        call("zoom", LAZY, 2, order=9), call("shift", LAZY, (1, 2, 3)),
        call("map_coordinates", LAZY, [[1.0]]), call("affine_transform", LAZY, np.ones((3, 3, 3))),
        call("spline_filter", LAZY, 1), call("fourier_shift", LAZY, (1, 2, 3)),
        call("fourier_uniform", LAZY, 2, output=np.int32),
        call("percentile_filter", LAZY, 101, 3), call("rank_filter", LAZY, 10, 3),
        call("distance_transform_edt", LAZY, return_distances=False),
        call("correlate", LAZY, [1, 2]), call("gaussian_filter", LAZY, [1, 2, 3]),
    ],
)  # fmt: skip
def test_runtime_errors_are_value_errors_too(bad):
    with pytest.raises(RuntimeError) as caught:
        bad()
    assert isinstance(caught.value, ValueError)


def test_unknown_arguments_are_told_where_there_are_known():
    with pytest.raises(
        TypeError, match=r"label: .*'wrap_axes'.*dask_image.ndmeasure.label takes it"
    ):
        ndi.label(LAZY, wrap_axes=1)
    with pytest.raises(TypeError, match="mean: .*'label_image', only input, labels, index"):
        ndi.mean(LAZY, label_image=LABELS)
    with pytest.raises(TypeError, match="gaussian_filter: .*'out'.* output takes a dtype"):
        ndi.gaussian_filter(LAZY, 1, out=IMAGE)
    with pytest.raises(TypeError, match="gaussian_laplace: there is no argument 'sigmas'"):
        ndi.gaussian_laplace(LAZY, 1, sigmas=1)
    with pytest.raises(TypeError, match="gaussian_filter: missing .* 'sigma'"):
        ndi.gaussian_filter(LAZY)
    ndi.gaussian_laplace(LAZY, 1, truncate=3)


# ---------------------------------------------------------------------------------------
# Warnings


def unknown_reach(block, axis, output, mode, cval):
    return scipy_ndimage.prewitt(block, axis, output, mode, cval)


ODD = np.array([0, 0, 1], bool)
LINE = da.from_array(np.arange(9) > 6, chunks=3)
WARNING = {
    "rank": (lambda: ndfilters.median_filter(LAZY, 3, np.ones((3, 3))), UserWarning),
    "box": (lambda: ndi.maximum_filter(LAZY, 3, np.ones((3, 3))), UserWarning),
    "grey": (lambda: ndmorph.grey_erosion(LAZY, 3, np.ones((3, 3))), UserWarning),
    "grey2": (lambda: ndi.white_tophat(LAZY, 3, np.ones((3, 3))), UserWarning),
    "whole": (lambda: ndi.generic_laplace(LAZY, unknown_reach), da.PerformanceWarning),
    "pooled": (
        lambda: ndi.labeled_comprehension(LAZY, None, None, np.ptp, float, 0),
        da.PerformanceWarning,
    ),
    "median": (lambda: ndi.median(LAZY + 1j), da.PerformanceWarning),
    "sum": (lambda: ndmeasure.sum(LAZY), DeprecationWarning),
    "zoom": (
        lambda: ndinterp.zoom(LAZY, 2, order=1, mode="wrap", grid_mode=True), UserWarning
    ),
    "one-way": (
        lambda: ndi.binary_propagation(LINE, np.array([0, 1, 1], bool)), da.PerformanceWarning
    ),
    "no-middle": (lambda: ndi.binary_erosion(LINE, ODD, iterations=0), da.PerformanceWarning),
    "watershed": (
        lambda: ndi.watershed_ift(LINE.astype(np.uint8), LINE.astype(np.int8)),
        da.PerformanceWarning,
    ),
    "mask": (lambda: ndi.label(np.ma.masked_less(IMAGE, 0)), UserWarning),
    "mask-labels": (
        lambda: ndi.mean(IMAGE, np.ma.masked_less(LABELS, 1), "all"), UserWarning
    ),
    "holes": (lambda: segmentation.remove_small_holes(LABELS), UserWarning),
    "narrow": (lambda: segmentation.local_maxima(LAZY[:2], allow_borders=False), UserWarning),
    "distance": (lambda: segmentation.peak_local_max(LAZY, 0), RuntimeWarning),
    "height": (lambda: segmentation.h_maxima(LABELS, 1.5), UserWarning),
}  # fmt: skip


@pytest.mark.every_function
@pytest.mark.parametrize("case", WARNING)
def test_warnings_point_at_the_users_line(case, set_option):
    set_option("median.memory", 1)
    function, category = WARNING[case]
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        function()
    assert [(each.category, each.filename) for each in caught] == [(category, __file__)]
    code = function.__code__
    assert code.co_firstlineno <= caught[0].lineno <= code.co_firstlineno + 2


def test_every_warning_is_among_them(set_option, monkeypatch):
    def warn_from_here(*_, **__):
        caller = sys._getframe(2)  # beyond the helper that all warnings go through
        warned.add((caller.f_code.co_filename, caller.f_code.co_name))

    set_option("median.memory", 1)
    monkeypatch.setattr(warnings, "warn", warn_from_here)
    there_are, warned = set(), set()
    for function, _ in WARNING.values():
        function()
    for path in Path(dask_image.__path__[0]).rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef) and path.name != "warnings.py":
                calls = (each.func for each in ast.walk(node) if isinstance(each, ast.Call))
                if any(ast.unparse(each) in ("warn", "warnings.warn") for each in calls):
                    there_are.add((str(path), node.name))
    assert warned == there_are


def test_a_warning_without_a_caller_outside_has_somewhere_to_go():
    scope = {"__name__": "dask_image.nowhere", "warn": warn}
    with pytest.warns(UserWarning, match="here"):
        exec("warn('here')", scope)  # noqa: S102 - the only way to a frame of such a name


def test_a_deprecated_sum_is_seen_by_default():
    script = "import dask_image.ndmeasure as m, numpy as np; m.sum(np.ones(3))"
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert "<string>:1: DeprecationWarning: sum is deprecated" in run.stderr


# ---------------------------------------------------------------------------------------
# Names


def garbage(shape, dtype=float, order="C", **_):
    """Return what `numpy.empty` may return at its worst."""
    array = np.zeros(shape, dtype)
    if array.dtype.kind in "biufc" and array.nbytes:
        values = np.frombuffer(GARBAGE.randbytes(array.nbytes), np.uint8)
        if array.dtype.kind == "b":
            values = values % 2
        array = values.view(array.dtype).reshape(array.shape).copy()
    return array


def garbage_like(prototype, dtype=None, order="K", subok=True, shape=None, **_):
    return garbage(np.shape(prototype) if shape is None else shape, dtype or prototype.dtype)


GARBAGE = random.Random(0)
POINT = da.from_array(np.array(1.5), chunks=())
NAMED = {
    **{
        name: lambda name=name: getattr(ndi, name)(
            LAZY > 0 if name.startswith(("binary", "distance")) else LAZY, *ARRAY_CALLS[name]
        )
        for name in ARRAY_CALLS
    },
    **{
        f"{name}-{kind}": lambda name=name, index=index: getattr(ndi, name)(LAZY, LABELS, index)
        for name in MEASUREMENTS
        for kind, index in {"one": 1, "some": [1, 2], "pooled": None}.items()
    },
    **{
        f"{name}-all": lambda name=name: getattr(ndmeasure, name)(LAZY, LABELS, "all")
        for name in MEASUREMENTS
    },
    **{
        f"{name}-point": lambda name=name: getattr(ndi, name)(POINT)
        for name in (
            "binary_propagation", "binary_dilation", "binary_fill_holes", "label", "mean", "median",
            "extrema", "distance_transform_edt", "maximum_position",
        )
    },
    "extrema": lambda: ndi.extrema(LAZY, LABELS, 1),
    "histogram": lambda: ndi.histogram(LAZY, -1, 1, 4, LABELS, 1),
    "label": lambda: ndi.label(LAZY > 0, output=np.int64),
    "labeled_comprehension": lambda: ndi.labeled_comprehension(LAZY, LABELS, 1, np.ptp, float, 0),
    "lazy index": lambda: ndi.median(LAZY, LABELS, da.asarray(1)),
    "relabel": lambda: ndmeasure.relabel_sequential(LABELS),
    "table": lambda: tuple(ndmeasure.regionprops_table(LABELS).values()),
    "masked": lambda: ndi.shift(da.ma.masked_less(LAZY, 0), 1),
    "float labels": lambda: ndi.sum_labels(LAZY, LABELS.astype(float), 1),
}  # fmt: skip


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("case", NAMED)
def test_names_do_not_depend_on_uninitialised_memory(case, monkeypatch):
    monkeypatch.setattr(np, "empty", garbage)
    monkeypatch.setattr(np, "empty_like", garbage_like)

    def names():
        results = NAMED[case]()
        results = results if isinstance(results, tuple) else (results,)
        return [sorted(map(str, result.__dask_graph__().keys())) for result in results]

    assert names() == names()


@pytest.mark.parametrize("origin", ["x", 0.5, [0.5], np.nan, None])
@pytest.mark.parametrize(
    "name", ["minimum_filter", "uniform_filter", "rank_filter", "grey_dilation", "binary_erosion"]
)
def test_origins_are_integers_also_of_a_window_of_one_pixel(name, origin):
    window = {"binary_erosion": {"structure": [True]}, "rank_filter": {"size": 1, "rank": 0}}
    with nothing_computes(), pytest.raises(TypeError, match="origin must be an integer, got"):
        getattr(ndi, name)(da.zeros(4, chunks=2), **window.get(name, {"size": 1}), origin=origin)


def test_sampling_and_sigmas_of_spectra_are_numbers():
    for name in ("distance_transform_edt", "distance_transform_bf"):
        with pytest.raises(ValueError, match="sampling must hold numbers, got 'x'"):
            getattr(ndi, name)(LAZY, sampling="x")
    for bad in (np.nan, np.inf):
        with pytest.raises(ValueError, match="sigma must be finite"):
            ndi.fourier_gaussian(LAZY, bad)


@pytest.mark.parametrize("matrix", ["x", np.array([1j, 2]), [["a", "b"], ["c", "d"]], da.eye(2)])
def test_matrices_hold_real_numbers(matrix):
    with nothing_computes(), pytest.raises(TypeError, match="matrix must"):
        ndi.affine_transform(LAZY, matrix)


LAZY_NUMBER = da.ones((), dtype=int, chunks=())
LAZY_WINDOW = da.ones((3, 3), chunks=2)
LAZY_ARGUMENTS = {
    "axis": ("sobel", {}, LAZY_NUMBER),
    "axes": ("gaussian_filter", {"sigma": 1}, LAZY_NUMBER),
    "border_value": ("binary_erosion", {}, LAZY_NUMBER),
    "brute_force": ("binary_dilation", {}, LAZY_NUMBER),
    "iterations": ("binary_dilation", {}, LAZY_NUMBER),
    "n": ("fourier_gaussian", {"sigma": 1}, LAZY_NUMBER),
    "bins": ("histogram", {"min": 0, "max": 1}, LAZY_NUMBER),
    "max_label": ("find_objects", {}, LAZY_NUMBER),
    "order": ("shift", {"shift": 1}, LAZY_NUMBER),
    "prefilter": ("shift", {"shift": 1}, LAZY_NUMBER),
    "output_shape": ("affine_transform", {"matrix": np.eye(2)}, (LAZY_NUMBER, 3)),
    "rank": ("rank_filter", {"size": 3}, LAZY_NUMBER),
    "radius": ("gaussian_filter", {"sigma": 1}, LAZY_NUMBER),
    "origin": ("uniform_filter", {"size": 3}, LAZY_NUMBER),
    "sampling": ("distance_transform_edt", {}, (LAZY_NUMBER, 1)),
    "footprint": ("median_filter", {}, LAZY_WINDOW),
    "structure": ("label", {}, LAZY_WINDOW),
    "structure of booleans": ("binary_opening", {}, LAZY_WINDOW),
    "structure of numbers": ("grey_dilation", {}, LAZY_WINDOW),
    "structure1": ("binary_hit_or_miss", {}, LAZY_WINDOW),
    "weights": ("convolve", {}, LAZY_WINDOW),
    "weights in a list": ("correlate1d", {}, [LAZY_NUMBER, 1]),
}


@pytest.mark.parametrize("case", LAZY_ARGUMENTS)
def test_what_shapes_the_graph_is_not_computed_but_refused(case):
    name, arguments, value = LAZY_ARGUMENTS[case]
    argument = case.partition(" ")[0]
    image = (da.arange(20, chunks=3) % 7).reshape(4, 5)
    with nothing_computes(), pytest.raises(TypeError, match=f"{argument}.* in memory, got .*dask"):
        getattr(ndi, name)(image, **arguments, **{argument: value})


@pytest.mark.parametrize("name", ["generate_binary_structure", "iterate_structure"])
def test_structures_are_not_made_of_lazy_numbers(name):
    first = 2 if name.startswith("generate") else np.ones((3, 3))
    with nothing_computes(), pytest.raises(TypeError, match="in memory"):
        getattr(ndi, name)(first, LAZY_NUMBER)


@pytest.mark.parametrize("value", ["x", None, 1j, [1], 0.5])
@pytest.mark.parametrize("name", ["binary_erosion", "binary_closing", "binary_propagation"])
def test_border_values_are_numbers(name, value):
    with nothing_computes(), pytest.raises(TypeError, match="border_value must be an integer"):
        getattr(ndi, name)(da.zeros(4, chunks=2), border_value=value)


def test_a_mask_that_is_the_tuple_of_label_is_named():
    image = da.zeros((4, 4), chunks=2) > 0
    with nothing_computes(), pytest.raises(TypeError, match="label returns"):
        ndi.binary_dilation(image, mask=ndi.label(image))


def test_masked_arrays_in_a_list_lose_their_masks_with_a_warning():
    places = np.ma.masked_less(np.array([0.0, 1.0]), 0.5)
    with pytest.warns(UserWarning, match="coordinates is a masked array"):
        found = ndi.map_coordinates(LAZY, [places, places], order=1)
    expected = ndi.map_coordinates(LAZY, [places.data, places.data], order=1)
    np.testing.assert_array_equal(found.compute(), expected.compute())


@pytest.mark.parametrize("mask", ["x", LAZY_NUMBER, None.__class__])
def test_a_mask_of_one_value_is_a_number(mask):
    with nothing_computes(), pytest.raises(TypeError, match="mask must be a real number"):
        ndi.binary_dilation(da.zeros(4, chunks=2), mask=mask)


# ---------------------------------------------------------------------------------------
# Arguments and the names of parameters


def plain(image, size=3, *, axes=None):
    """Have the usual kinds of parameters."""


def with_more(image, size=3, **kwargs):
    """Take any others, too."""


def with_places(image, /, size=3, *rest):
    """Have parameters without names."""


@pytest.mark.parametrize("function", [plain, with_more, with_places])
@pytest.mark.parametrize(
    ("args", "kwargs"),
    [
        ((), {}), ((1,), {}), ((1, 2), {}), ((1, 2, 3), {}), ((1,), {"size": 2}),
        ((), {"image": 1}), ((1, 2), {"size": 2}), ((1,), {"axes": 0}), ((1,), {"kwargs": 0}),
        ((), {"other": 2}),
    ],
)  # fmt: skip
def test_arguments_get_the_names_that_python_gives_them(function, args, kwargs):
    signature = inspect.signature(function)
    try:
        expected = signature.bind(*args, **kwargs)
    except TypeError as error:
        with pytest.raises(TypeError, match=re.escape(str(error))):
            Binder(signature).bind(args, kwargs)
        return
    expected.apply_defaults()
    assert Binder(signature).bind(args, kwargs) == expected.arguments
