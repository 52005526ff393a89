"""Local thresholds."""

from __future__ import annotations

from typing import Literal

import numpy as np
from scipy import ndimage

from dask_image._utils.arguments import (
    normalize_choice,
    normalize_number,
    normalize_sigmas,
    normalize_sizes,
)
from dask_image._utils.arrays import as_dask_array
from dask_image._utils.engines.counted import counted_pixels
from dask_image._utils.engines.graph import map_blocks
from dask_image._utils.typing import (
    Array,
    ArrayLike,
    Function,
    Integer,
    ModeName,
    NanPolicy,
    PerAxis,
    Real,
)
from dask_image._utils.windows import edges_of, sized
from dask_image.ndfilters._box import average
from dask_image.ndfilters._gaussian import Gaussian, smooth
from dask_image.ndfilters._generic import filter_by_function
from dask_image.ndfilters._rank import filter_by_rank

METHODS = ("generic", "gaussian", "mean", "median")


def threshold_local(
    image: ArrayLike,
    block_size: PerAxis[Integer],
    method: Literal["gaussian", "mean", "median", "generic"] = "gaussian",
    offset: Real = 0,
    mode: ModeName = "reflect",
    param: PerAxis[Real] | Function | None = None,
    cval: Real = 0,
    *,
    where: ArrayLike | None = None,
    nan_policy: NanPolicy = "propagate",
    fill_value: Real | None = None,
) -> Array:
    """
    Threshold for each pixel from its neighbourhood: a local average less an offset.

    Parameters
    ----------
    image : array_like
        Real image of any number of axes.
    block_size : int or sequence of int
        Of the neighbourhood in pixels, per axis; odd sizes have a centre.
    method : {"gaussian", "mean", "median", "generic"}, optional
        Weighted mean with a Gaussian, plain mean, median, or a function of
        your own.
    offset : float, optional
        Subtracted from the average.
    mode : str, optional
        How the image goes on beyond its edges, as in `gaussian_filter`.
    param : float, sequence of float or callable, optional
        For "gaussian" the standard deviation, by default (block_size - 1) / 6,
        which covers 99 % of the Gaussian; for "generic" the function, called
        with the 1-D values of a neighbourhood.
    cval : optional
        As in `gaussian_filter`.
    where, nan_policy, fill_value : optional
        Which pixels count, as in `gaussian_filter` and `median_filter`; not for the
        method "generic".

    Returns
    -------
    dask.array.Array
        float64, of the image's shape and chunks. Pixels brighter than it are
        foreground: ``image > threshold_local(image, block_size)``.

    Raises
    ------
    ValueError
        If the method is unknown, or a size below 1; if some pixels do not count for
        the method "generic".
    TypeError
        If ``param`` is no callable for the method "generic".

    References
    ----------
    R. C. Gonzalez and R. E. Woods, Digital Image Processing, section
    "Variable thresholding".

    Examples
    --------
    >>> import dask.array as da
    >>> from dask_image.ndfilters import threshold_local
    >>> ramp = da.arange(6.0, chunks=3)
    >>> threshold_local(ramp, 3, method="mean", offset=1).compute().round(2)
    array([-0.67,  0.  ,  1.  ,  2.  ,  3.  ,  3.67])
    """
    image = as_dask_array(image)
    normalize_choice(method, "method", METHODS)
    counted = counted_pixels(image, where, nan_policy, fill_value)
    name = "threshold_local"
    if method == "generic":
        return _less(
            _generic(image, block_size, edges_of(image, mode, cval), param, counted), offset
        )
    axes = tuple(range(image.ndim))
    edges = edges_of(image, mode, cval, axes)
    if method == "gaussian":
        if param is None:
            sizes = normalize_sizes(block_size, image.ndim, "block_size")
            sigma = [(size - 1) / 6 for size in sizes]
        else:
            sigma = normalize_sigmas(param, image.ndim, "param")
        return _less(smooth(image, Gaussian(sigma), edges, np.float64, counted, name=name), offset)
    window = sized(normalize_sizes(block_size, image.ndim, "block_size"), 0, None, image.ndim)
    if method == "mean":
        return _less(average(image, window, edges, np.float64, counted, name=name), offset)
    if mode in ("constant", "grid-constant"):
        # A rank filter rounds cval to the dtype of the image.
        image = image.astype(np.float64)
    median = filter_by_rank(
        ndimage.median_filter, {}, image, window, edges, np.float64, counted, name=name
    )
    return _less(median, offset)


def _generic(image, block_size, edges, function, counted):
    if counted is not None:
        raise ValueError("all pixels must count for method 'generic', got where or nan_policy")
    sizes = normalize_sizes(block_size, image.ndim, "block_size")
    if not callable(function):
        raise TypeError(f"param must be a function for method 'generic', got {function!r}")
    window = sized(sizes, 0, None, image.ndim)
    return filter_by_function(image, function, window, edges, np.float64, name="threshold_local")


def _less(averages, offset):
    """Subtract an offset, block by block."""
    return map_blocks(
        np.subtract, averages, normalize_number(offset, "offset"), name="threshold_local",
        meta=averages._meta,
    )  # fmt: skip
