"""One call of every public function, for tests that walk over all of them."""

import functools

import dask.array as da
import numpy as np
from scipy import ndimage

from dask_image import (
    local_statistics,
    ndfilters,
    ndfourier,
    ndinterp,
    ndmeasure,
    ndmorph,
    segmentation,
)
from dask_image._utils.backend import is_cupy

FAMILIES = (ndfilters, ndfourier, ndinterp, ndmeasure, ndmorph, local_statistics, segmentation)

# These make structures, and take no image.
WITHOUT_IMAGE = {"generate_binary_structure", "iterate_structure"}


def _first_difference(image, axis, *rest, **keywords):
    return ndfilters.correlate1d(image, [-1, 0, 1], axis)


def _double_line(line, result):
    result[...] = 2 * line[1 : 1 + result.size]


def _halved(coordinates):
    return tuple(position / 2 for position in coordinates)


def _grid_coordinates(image):
    """Return coordinates of the pixels of ``image``, half a pixel off, as a Dask array."""
    if image.ndim == 0:
        return np.zeros((0, 2))
    return da.from_array(np.indices(image.shape) + 0.5, chunks=(image.ndim, *image.chunks))


def _corners(image):
    """Return two points: the first pixel, and one beyond the last, as a Dask array."""
    return da.from_array(np.array([(0,) * image.ndim, image.shape], float), chunks=(1, -1))


def _field(image):
    """Return a displacement for each pixel of ``image``."""
    return da.stack([image.astype(float)] * image.ndim) if image.ndim else np.zeros(0)


def _size(image):
    return (3, 2, 3)[: image.ndim]


def _many_values(image):
    """Return an image that has more than one value, whatever it is given."""
    return image if is_cupy(image) else da.arange(12, chunks=5)


def _structure(image):
    return np.ones(_size(image), bool)


# Each gets the function, a real image x, and of the same shape labels y, booleans b, uint8 u.
_THRESHOLDS = {
    "threshold_isodata": lambda f, x, y, b, u: f(u),
    "threshold_li": lambda f, x, y, b, u: f(x),
    "threshold_local": lambda f, x, y, b, u: f(x, 3),
    "threshold_multiotsu": lambda f, x, y, b, u: f(_many_values(x)),
    "threshold_otsu": lambda f, x, y, b, u: f(u),
    "threshold_triangle": lambda f, x, y, b, u: f(u),
    "threshold_yen": lambda f, x, y, b, u: f(u),
}

CALLS = {
    ndfilters: {
        "convolve": lambda f, x, y, b, u: f(x, np.ones(_size(x))),
        "convolve1d": lambda f, x, y, b, u: f(x, [1, 2, 3]),
        "correlate": lambda f, x, y, b, u: f(x, np.ones(_size(x))),
        "correlate1d": lambda f, x, y, b, u: f(x, [1, 2, 3]),
        "fill_missing": lambda f, x, y, b, u: f(x, b),
        "gaussian": lambda f, x, y, b, u: f(x, 1),
        "gaussian_filter": lambda f, x, y, b, u: f(x, 1),
        "gaussian_filter1d": lambda f, x, y, b, u: f(x, 1),
        "gaussian_gradient_magnitude": lambda f, x, y, b, u: f(x, 1),
        "gaussian_laplace": lambda f, x, y, b, u: f(x, 1),
        "generic_filter": lambda f, x, y, b, u: f(x, np.sum, 3),
        "generic_filter1d": lambda f, x, y, b, u: f(x, _double_line, 3),
        "generic_gradient_magnitude": lambda f, x, y, b, u: f(x, _first_difference),
        "generic_laplace": lambda f, x, y, b, u: f(x, _first_difference),
        "laplace": lambda f, x, y, b, u: f(x),
        "maximum_filter": lambda f, x, y, b, u: f(x, 3),
        "maximum_filter1d": lambda f, x, y, b, u: f(x, 3),
        "median_filter": lambda f, x, y, b, u: f(x, 3),
        "minimum_filter": lambda f, x, y, b, u: f(x, 3),
        "minimum_filter1d": lambda f, x, y, b, u: f(x, 3),
        "percentile_filter": lambda f, x, y, b, u: f(x, 30, 3),
        "prewitt": lambda f, x, y, b, u: f(x),
        "rank_filter": lambda f, x, y, b, u: f(x, 0, 3),
        "sobel": lambda f, x, y, b, u: f(x),
        **_THRESHOLDS,
        "uniform_filter": lambda f, x, y, b, u: f(x, 3),
        "uniform_filter1d": lambda f, x, y, b, u: f(x, 3),
        "vectorized_filter": lambda f, x, y, b, u: f(x, np.mean, size=1, mode="valid"),
    },
    ndfourier: {
        "fourier_ellipsoid": lambda f, x, y, b, u: f(x, 2),
        "fourier_gaussian": lambda f, x, y, b, u: f(x, 2),
        "fourier_shift": lambda f, x, y, b, u: f(x, 2),
        "fourier_uniform": lambda f, x, y, b, u: f(x, 2),
    },
    ndinterp: {
        "affine_transform": lambda f, x, y, b, u: f(x, np.full(x.ndim, 0.7)),
        "geometric_transform": lambda f, x, y, b, u: f(x, _halved),
        "map_coordinates": lambda f, x, y, b, u: f(x, _grid_coordinates(x), order=1),
        "rotate": lambda f, x, y, b, u: f(x, 30),
        "shift": lambda f, x, y, b, u: f(x, 0.5),
        "spline_filter": lambda f, x, y, b, u: f(x),
        "spline_filter1d": lambda f, x, y, b, u: f(x),
        "transform_points": lambda f, x, y, b, u: f(_corners(x), np.eye(x.ndim), 0, _field(x)),
        "zoom": lambda f, x, y, b, u: f(x, 1.5),
    },
    ndmeasure: {
        "area": lambda f, x, y, b, u: f(x, y, [1, 2]),
        "center_of_mass": lambda f, x, y, b, u: f(x, y, [1, 2]),
        "count_points": lambda f, x, y, b, u: f(_corners(x), y, [1, 2]),
        "extrema": lambda f, x, y, b, u: f(x, y, [1, 2]),
        "find_objects": lambda f, x, y, b, u: f(y),
        "histogram": lambda f, x, y, b, u: f(x, -1, 1, 4, y),
        "label": lambda f, x, y, b, u: f(b),
        "labeled_comprehension": lambda f, x, y, b, u: f(x, y, [1, 2], np.sum, float, 0.0),
        "maximum": lambda f, x, y, b, u: f(x, y, [1, 2]),
        "maximum_position": lambda f, x, y, b, u: f(x, y, [1, 2]),
        "mean": lambda f, x, y, b, u: f(x, y, [1, 2]),
        "median": lambda f, x, y, b, u: f(x, y, [1, 2]),
        "merge_labels_across_chunk_boundaries": lambda f, x, y, b, u: f(y),
        "minimum": lambda f, x, y, b, u: f(x, y, [1, 2]),
        "minimum_position": lambda f, x, y, b, u: f(x, y, [1, 2]),
        "points_table": lambda f, x, y, b, u: f(_corners(x), y, x),
        "regionprops_table": lambda f, x, y, b, u: f(y, x, ["label", "area", "intensity_mean"]),
        "relabel_sequential": lambda f, x, y, b, u: f(y),
        "standard_deviation": lambda f, x, y, b, u: f(x, y, [1, 2]),
        "sum": lambda f, x, y, b, u: f(x, y, [1, 2]),
        "sum_labels": lambda f, x, y, b, u: f(x, y, [1, 2]),
        "value_indices": lambda f, x, y, b, u: f(y),
        "variance": lambda f, x, y, b, u: f(x, y, [1, 2]),
    },
    ndmorph: {
        "binary_closing": lambda f, x, y, b, u: f(b, mask=b),
        "binary_dilation": lambda f, x, y, b, u: f(b, mask=b),
        "binary_erosion": lambda f, x, y, b, u: f(b, mask=b),
        "binary_fill_holes": lambda f, x, y, b, u: f(b),
        "binary_hit_or_miss": lambda f, x, y, b, u: f(b),
        "binary_opening": lambda f, x, y, b, u: f(b, mask=b),
        "binary_propagation": lambda f, x, y, b, u: f(b, mask=b),
        "black_tophat": lambda f, x, y, b, u: f(x, 3),
        "distance_transform_bf": lambda f, x, y, b, u: f(b),
        "distance_transform_cdt": lambda f, x, y, b, u: f(b),
        "distance_transform_edt": lambda f, x, y, b, u: f(b, return_indices=True),
        "grey_closing": lambda f, x, y, b, u: f(x, 3),
        "grey_dilation": lambda f, x, y, b, u: f(x, 3),
        "grey_erosion": lambda f, x, y, b, u: f(x, footprint=_structure(x)),
        "grey_opening": lambda f, x, y, b, u: f(x, 3),
        "morphological_gradient": lambda f, x, y, b, u: f(x, 3),
        "morphological_laplace": lambda f, x, y, b, u: f(x, 3),
        "watershed_ift": lambda f, x, y, b, u: f(u, y),
        "white_tophat": lambda f, x, y, b, u: f(x, 3),
    },
    segmentation: {
        "apply_hysteresis_threshold": lambda f, x, y, b, u: f(x, -0.5, 0.5),
        "blob_dog": lambda f, x, y, b, u: f(x, 1, 2, threshold=0.1),
        "blob_log": lambda f, x, y, b, u: f(x, 1, 2, 3, threshold=0.1),
        "clear_border": lambda f, x, y, b, u: f(y),
        "downscale_local_mean": lambda f, x, y, b, u: f(x, 2),
        "expand_labels": lambda f, x, y, b, u: f(y, 2),
        "find_boundaries": lambda f, x, y, b, u: f(y),
        "h_maxima": lambda f, x, y, b, u: f(x, 0.5),
        "h_minima": lambda f, x, y, b, u: f(x, 0.5),
        "join_segmentations": lambda f, x, y, b, u: f(y, u, True),
        "local_maxima": lambda f, x, y, b, u: f(x),
        "local_minima": lambda f, x, y, b, u: f(x),
        "peak_local_max": lambda f, x, y, b, u: f(x, 2),
        "pyramid": lambda f, x, y, b, u: f(x, 3)[-1],
        "reconstruction": lambda f, x, y, b, u: f(u, u),
        "regionprops_table": lambda f, x, y, b, u: f(y, x, ["label", "area", "intensity_mean"]),
        "relabel_sequential": lambda f, x, y, b, u: f(y),
        "remove_small_holes": lambda f, x, y, b, u: f(b, max_size=3),
        "remove_small_objects": lambda f, x, y, b, u: f(b, max_size=3),
        "rescale_intensity": lambda f, x, y, b, u: f(u),
        **_THRESHOLDS,
        "watershed": lambda f, x, y, b, u: f(x, y, 1, b),
    },
    local_statistics: {
        "apply_local_function": lambda f, x, y, b, u: f(x, np.sum, 2, mask=b, fshape=()),
        "background": lambda f, x, y, b, u: f(x, 2),
        "correct_illumination": lambda f, x, y, b, u: f(u, x, 1),
        "estimate_illumination": lambda f, x, y, b, u: f(x, 2, axis=None),
        "local_histogram": lambda f, x, y, b, u: f(u, 3, 2),
        "local_mean": lambda f, x, y, b, u: f(x, 2, mask=b),
        "local_percentile": lambda f, x, y, b, u: f(x, [0.2, 1.0], 2),
        "local_sigma_clipped": lambda f, x, y, b, u: f(x, selem=2, mask=b),
        "local_standard_deviation": lambda f, x, y, b, u: f(x, 2),
        "subtract_background": lambda f, x, y, b, u: f(x, 2),
    },
}

FURTHER_CALLS = {
    ndfilters: {
        "fill_missing": lambda f, x, y, b, u: f(f(x, b, method="inpaint"), method="smooth"),
        "median_filter": lambda f, x, y, b, u: f(x, footprint=_structure(x)),
        "threshold_local": lambda f, x, y, b, u: f(x, 3, "generic", param=np.max),
        "vectorized_filter": lambda f, x, y, b, u: f(x, np.mean, size=1),
        "gaussian_filter": lambda f, x, y, b, u: f(x, 5, mode="wrap", where=b),
        "uniform_filter": lambda f, x, y, b, u: f(x, 3, nan_policy="omit"),
        "convolve": lambda f, x, y, b, u: f(u, np.ones(_size(u)), where=b),
        "minimum_filter": lambda f, x, y, b, u: f(u, 3, where=b, fill_value=0),
        "maximum_filter": lambda f, x, y, b, u: f(x, footprint=_structure(x), where=b),
        "rank_filter": lambda f, x, y, b, u: f(x, 1, 3, where=b),
    },
    ndmeasure: {
        "area": lambda f, x, y, b, u: f(x, y, "all"),
        "center_of_mass": lambda f, x, y, b, u: f(x),
        "extrema": lambda f, x, y, b, u: f(x, y),
        "histogram": lambda f, x, y, b, u: f(x, -1, 1, 4, y, [1, 2]),
        "labeled_comprehension": lambda f, x, y, b, u: f(x, y, 1, np.sum, float, 0.0),
        "maximum": lambda f, x, y, b, u: f(x, y, "all"),
        "maximum_position": lambda f, x, y, b, u: f(x),
        "mean": lambda f, x, y, b, u: f(x, y, "all"),
        "median": lambda f, x, y, b, u: f(x, y, "all"),
        "minimum_position": lambda f, x, y, b, u: f(x, y, "all"),
        "sum_labels": lambda f, x, y, b, u: f(x, y),
        "variance": lambda f, x, y, b, u: f(x),
        "label": lambda f, x, y, b, u: f(b, wrap_axes=tuple(range(x.ndim))),
    },
    ndmorph: {
        "binary_dilation": lambda f, x, y, b, u: f(b, iterations=0),
        "binary_erosion": lambda f, x, y, b, u: f(b, wrap_axes=tuple(range(x.ndim))),
        "distance_transform_cdt": lambda f, x, y, b, u: f(b, return_indices=True),
        "distance_transform_bf": lambda f, x, y, b, u: f(b, "taxicab", return_indices=True),
        "grey_dilation": lambda f, x, y, b, u: f(x, structure=np.zeros(_size(x))),
    },
    segmentation: {
        "peak_local_max": lambda f, x, y, b, u: f(x, 1, labels=y),
        "remove_small_objects": lambda f, x, y, b, u: f(y, max_size=3),
        "watershed": lambda f, x, y, b, u: f(x, watershed_line=True),
    },
    local_statistics: {
        "local_percentile": lambda f, x, y, b, u: f(x, 1.0, 4, 2, interpolate=None, mask=b),
        "local_mean": lambda f, x, y, b, u: f(x, 4, 2, interpolate=None, return_centers=True),
        "subtract_background": lambda f, x, y, b, u: f(u, 2, "rolling_ball"),
    },
    ndinterp: {
        "zoom": lambda f, x, y, b, u: f(x, 0.6, order=1, mode="grid-wrap", grid_mode=True),
        "map_coordinates": lambda f, x, y, b, u: f(x, _grid_coordinates(x), order=3),
    },
}


def _all_calls():
    for calls in (CALLS, FURTHER_CALLS):
        for family, functions in calls.items():
            for name, call in functions.items():
                if name == "vectorized_filter" and not hasattr(ndimage, name):
                    continue  # new in SciPy 1.16
                number = "" if calls is CALLS else "_again"
                place = f"{family.__name__.rpartition('.')[2]}.{name}{number}"
                yield place, functools.partial(call, getattr(family, name))


ALL_CALLS = dict(_all_calls())
"""By name, ``call(image, labels, booleans, counts)``."""
