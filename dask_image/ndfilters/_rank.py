"""The value of a given rank in a window: median, percentile, any rank."""

from __future__ import annotations

from scipy import ndimage

from dask_image._utils.arguments import (
    normalize_finite,
    normalize_integer,
    on_axes,
    spatial_axes,
)
from dask_image._utils.arrays import as_dask_array
from dask_image._utils.backend import is_cupy, kernel_for, result_dtype
from dask_image._utils.engines.counted import counted_output, counted_pixels, fill_for
from dask_image._utils.engines.counted_ranks import (
    FixedRank,
    MedianRank,
    PercentileRank,
    RankKernel,
)
from dask_image._utils.engines.overlap import map_neighborhood
from dask_image._utils.typing import (
    Array,
    ArrayLike,
    DTypeLike,
    Integer,
    ModeName,
    NanPolicy,
    Number,
    PerAxis,
    Real,
)
from dask_image._utils.windows import edges_of, sized_or_footprint


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
    channel_axis: Integer | None = None,
    where: ArrayLike | None = None,
    nan_policy: NanPolicy = "propagate",
    fill_value: Number | None = None,
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
    channel_axis : int, optional
        Filter along all axes but this one: scikit-image's word for the same.
    where : array_like of bool, optional
        Which pixels count, an image of the same shape; by default all do. The
        rank is taken among the counted pixels of each window.
    nan_policy, fill_value : optional
        As in `gaussian_filter`.

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
    axes = spatial_axes(axes, channel_axis, image.ndim)
    window = sized_or_footprint(size, footprint, origin, axes, image.ndim)
    edges = edges_of(image, mode, cval, window.axes)
    counted = counted_pixels(image, where, nan_policy, fill_value)
    return filter_by_rank(ndimage.median_filter, {}, image, window, edges, output, counted)


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
    channel_axis: Integer | None = None,
    where: ArrayLike | None = None,
    nan_policy: NanPolicy = "propagate",
    fill_value: Number | None = None,
) -> Array:
    """
    Percentile of a window around each pixel, as `scipy.ndimage.percentile_filter`.

    Parameters
    ----------
    image : array_like
        Real image of any number of axes.
    percentile : float
        From 0 to 100; a negative one counts down from 100.
    size, footprint, mode, cval, origin, output, axes, channel_axis : optional
        As in `median_filter`.
    where, nan_policy, fill_value : optional
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
    axes = spatial_axes(axes, channel_axis, image.ndim)
    window = sized_or_footprint(size, footprint, origin, axes, image.ndim)
    edges = edges_of(image, mode, cval, window.axes)
    counted = counted_pixels(image, where, nan_policy, fill_value)
    which = {"percentile": normalize_finite(percentile, "percentile")}
    return filter_by_rank(ndimage.percentile_filter, which, image, window, edges, output, counted)


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
    channel_axis: Integer | None = None,
    where: ArrayLike | None = None,
    nan_policy: NanPolicy = "propagate",
    fill_value: Number | None = None,
) -> Array:
    """
    Value of a given rank in a window around each pixel, as `scipy.ndimage.rank_filter`.

    Parameters
    ----------
    image : array_like
        Real image of any number of axes.
    rank : int
        Which value, counted from the smallest (0), or from the largest (-1).
    size, footprint, mode, cval, origin, output, axes, channel_axis : optional
        As in `median_filter`.
    where, nan_policy, fill_value : optional
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
    axes = spatial_axes(axes, channel_axis, image.ndim)
    window = sized_or_footprint(size, footprint, origin, axes, image.ndim)
    edges = edges_of(image, mode, cval, window.axes)
    counted = counted_pixels(image, where, nan_policy, fill_value)
    which = {"rank": normalize_integer(rank, "rank")}
    return filter_by_rank(ndimage.rank_filter, which, image, window, edges, output, counted)


def filter_by_rank(
    scipy_function, which_rank, image, window, edges, output, counted=None, *, name=None
):
    """Run a rank filter of SciPy's, in tasks called ``name``; like the filter by default."""
    output = counted_output(image, counted, output)
    keywords = edges.keywords | window.keywords | which_rank
    if image.ndim == 1 and output is not None:
        # SciPy's rank filters of lines write beyond the end of a narrower output.
        result_dtype(scipy_function, image, **keywords)
        dtype = result_dtype(ndimage.minimum_filter, image, size=1, output=output)
    else:
        dtype = result_dtype(scipy_function, image, output=output, **keywords)
    settings = {
        "name": name or scipy_function.__name__,
        "reach": window.reach,
        "modes": edges.modes,
        "dtype": dtype,
    }
    if counted is not None:
        kernel = _kernel_of_counted(image, which_rank, window, edges, counted, dtype)
        return map_neighborhood(kernel, image, *counted.masks, **settings)
    kernel = kernel_for(image, scipy_function)
    return map_neighborhood(kernel, image, output=dtype, **settings, **keywords)


def _kernel_of_counted(image, which_rank, window, edges, counted, dtype):
    """Return the kernel that ranks the counted pixels of windows."""
    if is_cupy(image):
        raise NotImplementedError(
            "where and nan_policy of rank filters have no GPU version: move the image to NumPy "
            "with map_blocks(cupy.asnumpy) first"
        )
    if "rank" in which_rank:
        rank_of = FixedRank(which_rank["rank"])
    elif "percentile" in which_rank:
        rank_of = PercentileRank(which_rank["percentile"])
    else:
        rank_of = MedianRank()
    footprint = window.spread_footprint
    mean_filter = ndimage.uniform_filter if footprint.all() else ndimage.correlate
    return RankKernel(
        kernel_for(image, ndimage.rank_filter), kernel_for(image, mean_filter), footprint,
        tuple(on_axes(window.origins, window.axes, image.ndim, default=0)), edges.mode, edges.cval,
        rank_of,
        counted.for_blocks, fill_for(counted, dtype), dtype,
    )  # fmt: skip
