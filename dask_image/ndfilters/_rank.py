"""The value of a given rank in a window: median, percentile, any rank."""

from __future__ import annotations

from scipy import ndimage

from dask_image._utils.arguments import (
    normalize_cval,
    normalize_finite,
    normalize_integer,
    normalize_modes,
    on_axes,
)
from dask_image._utils.arrays import as_dask_array
from dask_image._utils.backend import kernel_for, result_dtype
from dask_image._utils.engines.overlap import map_neighborhood
from dask_image._utils.typing import (
    Array,
    ArrayLike,
    DTypeLike,
    Integer,
    ModeName,
    Number,
    PerAxis,
    Real,
)
from dask_image._utils.windows import sized_or_footprint


def median_filter(
    image: ArrayLike,
    size: PerAxis[Integer] | None = None,
    footprint: ArrayLike | None = None,
    mode: ModeName = "reflect",
    cval: Number = 0.0,
    origin: PerAxis[Integer] = 0,
    *,
    output: DTypeLike | None = None,
    axes: PerAxis[Integer] | None = None,
) -> Array:
    """
    Median of a window around each pixel; the lazy twin of `scipy.ndimage.median_filter`.

    Parameters
    ----------
    image : array_like
        Real image of any number of axes.
    size : int or sequence of int, optional
        Of a box in pixels, per axis.
    footprint : array_like of bool, optional
        The window itself, in place of ``size``.
    mode : str, optional
        How the image goes on beyond its edges: "reflect" (also "grid-mirror"),
        "constant" ("grid-constant"), "nearest", "mirror", "wrap" ("grid-wrap").
    cval : scalar, optional
        Value beyond the edges in mode "constant".
    origin : int or sequence of int, optional
        Moves the window off its centre, per axis.
    output : dtype, optional
        Of the result; by default that of the image.
    axes : int or tuple of int, optional
        Filter along these axes only.

    Returns
    -------
    dask.array.Array
        Of the image's shape and chunks.

    Raises
    ------
    ValueError
        If neither ``size`` nor ``footprint`` is given, the mode is unknown, or
        an origin moves the window off the pixel.
    TypeError
        If the image is complex.

    Examples
    --------
    >>> import dask.array as da
    >>> from dask_image.ndfilters import median_filter
    >>> median_filter(da.from_array([1, 1, 9, 1, 5, 5], chunks=3), size=3).compute()
    array([1, 1, 1, 5, 5, 5])
    """
    image = as_dask_array(image)
    window = sized_or_footprint(size, footprint, origin, axes, image.ndim)
    return filter_by_rank(ndimage.median_filter, {}, image, window, mode, cval, output)


def percentile_filter(
    image: ArrayLike,
    percentile: Real,
    size: PerAxis[Integer] | None = None,
    footprint: ArrayLike | None = None,
    mode: ModeName = "reflect",
    cval: Number = 0.0,
    origin: PerAxis[Integer] = 0,
    *,
    output: DTypeLike | None = None,
    axes: PerAxis[Integer] | None = None,
) -> Array:
    """
    Percentile of a window around each pixel, as `scipy.ndimage.percentile_filter`.

    Parameters
    ----------
    image : array_like
        Real image of any number of axes.
    percentile : float
        From 0 to 100; a negative one counts down from 100.
    size, footprint, mode, cval, origin, output, axes : optional
        As in `median_filter`.

    Returns
    -------
    dask.array.Array
        Of the image's shape and chunks.

    Raises
    ------
    RuntimeError
        If the percentile is out of range.
    ValueError, TypeError
        As `median_filter`.

    Examples
    --------
    >>> import dask.array as da
    >>> from dask_image.ndfilters import percentile_filter
    >>> percentile_filter(da.from_array([1, 1, 9, 1, 5, 5], chunks=3), 100, size=3).compute()
    array([1, 9, 9, 9, 5, 5])
    """
    image = as_dask_array(image)
    window = sized_or_footprint(size, footprint, origin, axes, image.ndim)
    return filter_by_rank(
        ndimage.percentile_filter,
        {"percentile": normalize_finite(percentile, "percentile")},
        image,
        window,
        mode,
        cval,
        output,
    )


def rank_filter(
    image: ArrayLike,
    rank: Integer,
    size: PerAxis[Integer] | None = None,
    footprint: ArrayLike | None = None,
    mode: ModeName = "reflect",
    cval: Number = 0.0,
    origin: PerAxis[Integer] = 0,
    *,
    output: DTypeLike | None = None,
    axes: PerAxis[Integer] | None = None,
) -> Array:
    """
    Value of a given rank in a window around each pixel, as `scipy.ndimage.rank_filter`.

    Parameters
    ----------
    image : array_like
        Real image of any number of axes.
    rank : int
        Which value, counted from the smallest (0), or from the largest (-1).
    size, footprint, mode, cval, origin, output, axes : optional
        As in `median_filter`.

    Returns
    -------
    dask.array.Array
        Of the image's shape and chunks.

    Raises
    ------
    RuntimeError
        If the window has no such rank.
    ValueError, TypeError
        As `median_filter`.

    Examples
    --------
    >>> import dask.array as da
    >>> from dask_image.ndfilters import rank_filter
    >>> rank_filter(da.from_array([1, 1, 9, 1, 5, 5], chunks=3), -2, size=3).compute()
    array([1, 1, 1, 5, 5, 5])
    """
    image = as_dask_array(image)
    window = sized_or_footprint(size, footprint, origin, axes, image.ndim)
    return filter_by_rank(
        ndimage.rank_filter,
        {"rank": normalize_integer(rank, "rank")},
        image,
        window,
        mode,
        cval,
        output,
    )


def filter_by_rank(scipy_function, which_rank, image, window, mode, cval, output, *, name=None):
    """Run a rank filter of SciPy's, in tasks called ``name``; like the filter by default."""
    modes = normalize_modes(mode, len(window.axes))
    cval = normalize_cval(cval, image.dtype)
    keywords = {"mode": mode, "cval": cval} | window.keywords | which_rank
    if image.ndim == 1 and output is not None:
        # SciPy's rank filters of lines write beyond the end of a narrower output.
        result_dtype(scipy_function, image, **keywords)
        dtype = result_dtype(ndimage.minimum_filter, image, size=1, output=output)
    else:
        dtype = result_dtype(scipy_function, image, output=output, **keywords)
    return map_neighborhood(
        kernel_for(image, scipy_function),
        image,
        name=name or scipy_function.__name__,
        reach=window.reach,
        modes=on_axes(modes, window.axes, image.ndim, default="nearest"),
        dtype=dtype,
        output=dtype,
        **keywords,
    )
