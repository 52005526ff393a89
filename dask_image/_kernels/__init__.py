"""Faster kernels: each stands in for one SciPy function, with its signature and its result."""

from scipy import ndimage

from dask_image._kernels.binary import (
    binary_closing,
    binary_dilation,
    binary_erosion,
    binary_hit_or_miss,
    binary_opening,
)
from dask_image._kernels.correlation import (
    convolve,
    convolve1d,
    correlate,
    correlate1d,
    gaussian_filter,
    gaussian_filter1d,
    gaussian_gradient_magnitude,
    gaussian_laplace,
    laplace,
    prewitt,
    sobel,
)
from dask_image._kernels.extrema import (
    maximum_filter,
    maximum_filter1d,
    minimum_filter,
    minimum_filter1d,
)
from dask_image._kernels.grey import (
    black_tophat,
    grey_closing,
    grey_dilation,
    grey_erosion,
    grey_opening,
    morphological_gradient,
    morphological_laplace,
    white_tophat,
)
from dask_image._kernels.rank import median_filter, percentile_filter, rank_filter
from dask_image._kernels.uniform import uniform_filter, uniform_filter1d

# What stands in for which SciPy function on NumPy blocks.
FASTER = {
    ndimage.binary_closing: binary_closing,
    ndimage.binary_dilation: binary_dilation,
    ndimage.binary_erosion: binary_erosion,
    ndimage.binary_hit_or_miss: binary_hit_or_miss,
    ndimage.binary_opening: binary_opening,
    ndimage.black_tophat: black_tophat,
    ndimage.convolve: convolve,
    ndimage.convolve1d: convolve1d,
    ndimage.correlate: correlate,
    ndimage.correlate1d: correlate1d,
    ndimage.gaussian_filter: gaussian_filter,
    ndimage.gaussian_filter1d: gaussian_filter1d,
    ndimage.gaussian_gradient_magnitude: gaussian_gradient_magnitude,
    ndimage.gaussian_laplace: gaussian_laplace,
    ndimage.grey_closing: grey_closing,
    ndimage.grey_dilation: grey_dilation,
    ndimage.grey_erosion: grey_erosion,
    ndimage.grey_opening: grey_opening,
    ndimage.laplace: laplace,
    ndimage.maximum_filter: maximum_filter,
    ndimage.maximum_filter1d: maximum_filter1d,
    ndimage.median_filter: median_filter,
    ndimage.minimum_filter: minimum_filter,
    ndimage.minimum_filter1d: minimum_filter1d,
    ndimage.morphological_gradient: morphological_gradient,
    ndimage.morphological_laplace: morphological_laplace,
    ndimage.percentile_filter: percentile_filter,
    ndimage.prewitt: prewitt,
    ndimage.rank_filter: rank_filter,
    ndimage.sobel: sobel,
    ndimage.uniform_filter: uniform_filter,
    ndimage.uniform_filter1d: uniform_filter1d,
    ndimage.white_tophat: white_tophat,
}
