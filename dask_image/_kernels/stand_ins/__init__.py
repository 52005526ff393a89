"""
Faster kernels: each stands in for one SciPy function, with its signature and its result.

A module is imported when one of its kernels is first asked for.
"""

import importlib

from scipy import ndimage

_MODULES = {
    "binary": (
        ndimage.binary_closing,
        ndimage.binary_dilation,
        ndimage.binary_erosion,
        ndimage.binary_hit_or_miss,
        ndimage.binary_opening,
    ),
    "correlation": (
        ndimage.convolve,
        ndimage.convolve1d,
        ndimage.correlate,
        ndimage.correlate1d,
        ndimage.gaussian_filter,
        ndimage.gaussian_filter1d,
        ndimage.gaussian_gradient_magnitude,
        ndimage.gaussian_laplace,
        ndimage.laplace,
        ndimage.prewitt,
        ndimage.sobel,
    ),
    "extrema": (
        ndimage.maximum_filter,
        ndimage.maximum_filter1d,
        ndimage.minimum_filter,
        ndimage.minimum_filter1d,
    ),
    "foresting": (ndimage.watershed_ift,),
    "grey": (
        ndimage.black_tophat,
        ndimage.grey_closing,
        ndimage.grey_dilation,
        ndimage.grey_erosion,
        ndimage.grey_opening,
        ndimage.morphological_gradient,
        ndimage.morphological_laplace,
        ndimage.white_tophat,
    ),
    "rank": (
        ndimage.median_filter,
        ndimage.percentile_filter,
        ndimage.rank_filter,
    ),
    "splines": (ndimage.spline_filter1d,),
    "uniform": (
        ndimage.uniform_filter,
        ndimage.uniform_filter1d,
    ),
}

STAND_INS = {function: module for module, functions in _MODULES.items() for function in functions}
"""Which module has a kernel, of the same name, for a SciPy function."""


def stand_in(scipy_function):
    """Return the faster kernel for a SciPy function, or the function itself."""
    if scipy_function not in STAND_INS:
        return scipy_function
    module = importlib.import_module(f"{__name__}.{STAND_INS[scipy_function]}")
    return getattr(module, scipy_function.__name__)
