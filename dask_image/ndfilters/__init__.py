"""Filters: every output pixel from a window of input pixels, exactly as `scipy.ndimage` does."""

from dask_image.ndfilters._box import (
    maximum_filter,
    maximum_filter1d,
    minimum_filter,
    minimum_filter1d,
    uniform_filter,
    uniform_filter1d,
)
from dask_image.ndfilters._convolve import convolve, convolve1d, correlate, correlate1d
from dask_image.ndfilters._derivative import (
    generic_gradient_magnitude,
    generic_laplace,
    laplace,
    prewitt,
    sobel,
)
from dask_image.ndfilters._gaussian import (
    gaussian,
    gaussian_filter,
    gaussian_filter1d,
    gaussian_gradient_magnitude,
    gaussian_laplace,
)
from dask_image.ndfilters._generic import generic_filter, generic_filter1d, vectorized_filter
from dask_image.ndfilters._missing import fill_missing
from dask_image.ndfilters._rank import median_filter, percentile_filter, rank_filter
from dask_image.ndfilters._threshold_global import (
    threshold_isodata,
    threshold_li,
    threshold_multiotsu,
    threshold_otsu,
    threshold_triangle,
    threshold_yen,
)
from dask_image.ndfilters._threshold_local import threshold_local

__all__ = [
    "convolve",
    "convolve1d",
    "correlate",
    "correlate1d",
    "fill_missing",
    "gaussian",
    "gaussian_filter",
    "gaussian_filter1d",
    "gaussian_gradient_magnitude",
    "gaussian_laplace",
    "generic_filter",
    "generic_filter1d",
    "generic_gradient_magnitude",
    "generic_laplace",
    "laplace",
    "maximum_filter",
    "maximum_filter1d",
    "median_filter",
    "minimum_filter",
    "minimum_filter1d",
    "percentile_filter",
    "prewitt",
    "rank_filter",
    "sobel",
    "threshold_isodata",
    "threshold_li",
    "threshold_local",
    "threshold_multiotsu",
    "threshold_otsu",
    "threshold_triangle",
    "threshold_yen",
    "uniform_filter",
    "uniform_filter1d",
    "vectorized_filter",
]
