"""The flat namespace: every public name of the installed SciPy, with its parameters."""

import inspect

import dask.array as da
import numpy as np
import pytest
from scipy import ndimage as scipy_ndimage

import dask_image.ndimage as ndi
from tests.helpers import assert_same, nothing_computes, seeded_image

FUNCTIONS = [name for name in scipy_ndimage.__all__ if callable(getattr(scipy_ndimage, name))]
IMAGE = seeded_image((9, 8), "f8")
LABELS = scipy_ndimage.label(IMAGE > 0.3)[0]


def test_nothing_is_missing_and_nothing_is_extra():
    assert set(FUNCTIONS) <= set(ndi.__all__)
    newer = {"vectorized_filter"}  # which older SciPy does not have
    assert set(ndi.__all__) - newer <= set(FUNCTIONS)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_parameters_are_scipys(name):
    theirs = list(inspect.signature(getattr(scipy_ndimage, name)).parameters.values())
    ours = list(inspect.signature(getattr(ndi, name)).parameters.values())
    # Those that SciPy has must be here, in its order. What an older one lacks, and what is added
    # here, is keyword-only.
    known = {parameter.name for parameter in theirs}
    added = [parameter for parameter in ours if parameter.name not in known]
    assert all(p.kind == p.KEYWORD_ONLY and p.default is not p.empty for p in added)
    ours = [parameter for parameter in ours if parameter.name in known]
    assert [p.name for p in ours] == [p.name for p in theirs]
    for own, other in zip(ours, theirs):
        assert own.kind == other.kind, own.name
        assert own.default is other.default or own.default == other.default, own.name


@pytest.mark.parametrize("name", FUNCTIONS)
def test_documented(name):
    assert name in getattr(ndi, name).__doc__
    assert getattr(ndi, name).__name__ == name


# Arguments besides the image, for every function that maps an image to an array.
ARRAY_CALLS = {
    "affine_transform": ([[0.9, 0.1], [0, 1.1]],),
    "binary_closing": (), "binary_dilation": (), "binary_erosion": (), "binary_fill_holes": (),
    "binary_hit_or_miss": (), "binary_opening": (), "binary_propagation": (),
    "black_tophat": (3,), "convolve": (np.ones((2, 3)),), "convolve1d": ([1, 2, 3],),
    "correlate": (np.ones((2, 3)),), "correlate1d": ([1, 2, 3],),
    "distance_transform_bf": (), "distance_transform_cdt": (), "distance_transform_edt": (),
    "fourier_ellipsoid": (2,), "fourier_gaussian": (1,), "fourier_shift": (1,),
    "fourier_uniform": (2,), "gaussian_filter": (1,), "gaussian_filter1d": (1,),
    "gaussian_gradient_magnitude": (1,), "gaussian_laplace": (1,), "generic_filter": (np.ptp, 2),
    "generic_gradient_magnitude": (scipy_ndimage.sobel,),
    "generic_laplace": (scipy_ndimage.prewitt,),
    "geometric_transform": (lambda at: (at[0] + 0.3, at[1] - 0.2),),
    "grey_closing": (3,), "grey_dilation": (3,), "grey_erosion": (3,), "grey_opening": (3,),
    "laplace": (), "map_coordinates": (np.array([[0.4, 2.2, 7], [1.5, 3, 6.2]]),),
    "maximum_filter": (3,), "maximum_filter1d": (3,), "median_filter": (3,),
    "minimum_filter": (3,), "minimum_filter1d": (3,), "morphological_gradient": (3,),
    "morphological_laplace": (3,), "percentile_filter": (20, 3), "prewitt": (),
    "rank_filter": (2, 3), "rotate": (30,), "shift": (0.4,), "sobel": (), "spline_filter": (),
    "spline_filter1d": (), "uniform_filter": (), "uniform_filter1d": (3,), "white_tophat": (3,),
    "zoom": (1.6,),
}  # fmt: skip
MEASUREMENTS = [
    "center_of_mass", "maximum", "maximum_position", "mean", "median", "minimum",
    "minimum_position", "standard_deviation", "sum", "sum_labels", "variance",
]  # fmt: skip
APART = {
    "extrema", "find_objects", "generate_binary_structure", "generic_filter1d", "histogram",
    "iterate_structure", "label", "labeled_comprehension", "value_indices", "vectorized_filter",
    "watershed_ift",
}  # fmt: skip


def test_every_function_is_called_here():
    assert {*ARRAY_CALLS, *MEASUREMENTS, *APART} == set(ndi.__all__)


@pytest.mark.parametrize("name", ARRAY_CALLS)
def test_positional_calls_give_scipys_arrays(name):
    image = IMAGE > 0.3 if name.startswith(("binary", "distance")) else IMAGE
    expected = getattr(scipy_ndimage, name)(image, *ARRAY_CALLS[name])
    with nothing_computes():
        lazy = getattr(ndi, name)(da.from_array(image, chunks=(4, 5)), *ARRAY_CALLS[name])
    assert_same(lazy, expected, rtol=1e-10)


@pytest.mark.parametrize("name", MEASUREMENTS)
def test_measurements_by_keyword(name):
    index = np.arange(1, LABELS.max() + 1)
    expected = np.asarray(getattr(scipy_ndimage, name)(IMAGE, labels=LABELS, index=index))
    lazy = getattr(ndi, name)(da.from_array(IMAGE, chunks=4), labels=LABELS, index=index)
    np.testing.assert_allclose(lazy.compute(), expected, rtol=1e-12)


def test_the_others():
    image, labels = da.from_array(IMAGE, chunks=4), da.from_array(LABELS, chunks=4)
    for own, expected in zip(ndi.extrema(image), scipy_ndimage.extrema(IMAGE)):
        np.testing.assert_array_equal(own.compute(), expected)
    assert ndi.find_objects(labels, 3).compute() == scipy_ndimage.find_objects(LABELS, 3)
    np.testing.assert_array_equal(
        ndi.iterate_structure(ndi.generate_binary_structure(2, 1), 2),
        scipy_ndimage.iterate_structure(scipy_ndimage.generate_binary_structure(2, 1), 2),
    )
    np.testing.assert_array_equal(
        ndi.histogram(image, -1, 1, 5).compute(), scipy_ndimage.histogram(IMAGE, -1, 1, 5)
    )
    own = ndi.labeled_comprehension(image, labels, [1, 2], np.ptp, float, 0)
    expected = scipy_ndimage.labeled_comprehension(IMAGE, LABELS, [1, 2], np.ptp, float, 0)
    np.testing.assert_array_equal(own.compute(), expected)
    indices = ndi.value_indices(labels, ignore_value=0).compute()
    expected = scipy_ndimage.value_indices(LABELS, ignore_value=0)
    assert indices.keys() == expected.keys()
    markers = (LABELS * (LABELS < 3)).astype(np.int16)
    image8 = (abs(IMAGE) * 60).astype(np.uint8)
    with pytest.warns(da.PerformanceWarning):
        own = ndi.watershed_ift(da.from_array(image8, chunks=4), da.from_array(markers, chunks=4))
    np.testing.assert_array_equal(own.compute(), scipy_ndimage.watershed_ift(image8, markers))


@pytest.mark.parametrize("output", [None, np.int64, "int16"])
def test_label_into_a_dtype(output):
    own, count = ndi.label(da.from_array(IMAGE > 0, chunks=4), None, output)
    expected, expected_count = scipy_ndimage.label(IMAGE > 0, None, output)
    assert_same(own, expected)
    assert count.compute() == expected_count


def test_arrays_to_fill_in_place_are_refused():
    with pytest.raises(TypeError, match="output"):
        ndi.uniform_filter(da.ones((4, 4)), 3, np.ones((4, 4)))
    with pytest.raises(TypeError, match="distances"):
        ndi.distance_transform_edt(da.ones((4, 4)), distances=np.ones((4, 4)))
    with pytest.raises(TypeError, match="output"):
        ndi.zoom(da.ones((4, 4)), 2, np.ones((8, 8)))
