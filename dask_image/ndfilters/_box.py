"""Means and extrema over boxes: separable, one pass per axis."""

from __future__ import annotations

import math

import numpy as np
from scipy import ndimage

from dask_image._utils.arguments import (
    ArgumentError,
    normalize_axis,
    normalize_integer,
    spatial_axes,
)
from dask_image._utils.arrays import as_dask_array
from dask_image._utils.backend import kernel_for, result_dtype
from dask_image._utils.engines.counted import (
    average_passes,
    counted_output,
    counted_pixels,
    extreme_of,
    extremum_counted,
    extremum_passes,
)
from dask_image._utils.engines.overlap import Pass, map_neighborhood, map_passes
from dask_image._utils.typing import (
    Array,
    ArrayLike,
    DTypeLike,
    Integer,
    ModeName,
    NanPolicy,
    Number,
    PerAxis,
)
from dask_image._utils.windows import edges_of, sized, sized_or_footprint

LINE_FUNCTION = {
    ndimage.minimum_filter: ndimage.minimum_filter1d,
    ndimage.maximum_filter: ndimage.maximum_filter1d,
}
"""What filters one axis as a filter does all."""


def uniform_filter(
    image: ArrayLike,
    size: PerAxis[Integer] = 3,
    mode: PerAxis[ModeName] = "reflect",
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
    Mean over a box around each pixel; the lazy twin of `scipy.ndimage.uniform_filter`.

    Parameters
    ----------
    image : array_like
        Real or complex image of any number of axes.
    size : int or sequence of int, optional
        Of the box in pixels, per axis; 0 or 1 leave an axis alone.
    mode, cval, output : optional
        As in `gaussian_filter`.
    origin : int or sequence of int, optional
        Moves the box off its centre, per axis.
    axes : int or tuple of int, optional
        Filter along these axes only.
    channel_axis : int, optional
        Filter along all axes but this one: scikit-image's word for the same.
    where, nan_policy, fill_value : optional
        As in `gaussian_filter`.

    Returns
    -------
    dask.array.Array
        Of the image's shape and chunks.

    Raises
    ------
    ValueError
        If a size is below 0, a mode unknown, or an origin moves the box off
        the pixel.

    Notes
    -----
    SciPy's running sum carries a NaN on to the end of the line; here it ends
    at the latest with the block.

    Examples
    --------
    >>> import dask.array as da
    >>> from dask_image.ndfilters import uniform_filter
    >>> uniform_filter(da.arange(6.0, chunks=3) ** 2, size=3).compute().round(2)
    array([ 0.33,  1.67,  4.67,  9.67, 16.67, 22.  ])
    """
    image = as_dask_array(image)
    axes = spatial_axes(axes, channel_axis, image.ndim)
    window = sized(size, origin, axes, image.ndim, least=0)
    edges = edges_of(image, mode, cval, window.axes)
    counted = counted_pixels(image, where, nan_policy, fill_value)
    return average(image, window, edges, output, counted, name="uniform_filter")


def average(image, window, edges, output=None, counted=None, *, name):
    """Filter as `uniform_filter`, in tasks called ``name``."""
    output = counted_output(image, counted, output)
    dtype = result_dtype(
        ndimage.uniform_filter, image, output=output, **edges.keywords, **window.keywords
    )
    passes = _box_passes(ndimage.uniform_filter1d, image, window, edges, dtype)
    if counted is not None:
        # Running sums leave a little where nothing counts, but much less than one pixel's weight.
        least = 0.5 / max(math.prod(window.shape), 1)
        return average_passes(image, counted, passes, least=least, dtype=dtype, name=name)
    return map_passes(image, passes, dtype, name)


def uniform_filter1d(
    image: ArrayLike,
    size: Integer,
    axis: Integer = -1,
    mode: ModeName = "reflect",
    cval: Number = 0.0,
    origin: Integer = 0,
    *,
    output: DTypeLike | None = None,
) -> Array:
    """
    Mean along one axis, as `scipy.ndimage.uniform_filter1d`.

    Parameters
    ----------
    image : array_like
        Real or complex image.
    size : int
        Of the window in pixels.
    axis : int, optional
        Along which to filter.
    mode, cval : optional
        As in `gaussian_filter`.
    origin : int, optional
        Moves the window off its centre.
    output : dtype, optional
        Of the result; by default that of the image.

    Returns
    -------
    dask.array.Array
        Of the image's shape and chunks.

    Raises
    ------
    ValueError
        As `uniform_filter`.

    Examples
    --------
    >>> import dask.array as da
    >>> from dask_image.ndfilters import uniform_filter1d
    >>> uniform_filter1d(da.arange(6.0, chunks=3), size=5).compute()
    array([0.8, 1.2, 2. , 3. , 3.8, 4.2])
    """
    image = as_dask_array(image)
    window = _line(size, origin, axis, image.ndim)
    return _along_axis(ndimage.uniform_filter1d, image, window, edges_of(image, mode, cval), output)


def minimum_filter(
    image: ArrayLike,
    size: PerAxis[Integer] | None = None,
    footprint: ArrayLike | None = None,
    mode: PerAxis[ModeName] = "reflect",
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
    Smallest value in a window around each pixel, as `scipy.ndimage.minimum_filter`.

    Parameters
    ----------
    image : array_like
        Real image of any number of axes.
    size : int or sequence of int, optional
        Of a box in pixels, per axis; 0 or 1 leave an axis alone.
    footprint : array_like of bool, optional
        The window itself, in place of ``size``.
    mode : str or sequence of str, optional
        How the image goes on beyond its edges, as in `uniform_filter`; a
        sequence only for boxes.
    cval : optional
        As in `gaussian_filter`.
    origin, output, axes, channel_axis : optional
        As in `uniform_filter`.
    where, nan_policy, fill_value : optional
        As in `gaussian_filter`; there are no weights.

    Returns
    -------
    dask.array.Array
        Of the image's shape and chunks.

    Raises
    ------
    ValueError
        If neither ``size`` nor ``footprint`` is given, or as `uniform_filter`.
    TypeError
        If the image is complex.

    Examples
    --------
    >>> import dask.array as da
    >>> from dask_image.ndfilters import minimum_filter
    >>> minimum_filter(da.from_array([5, 4, 3, 9, 9, 9], chunks=3), size=3).compute()
    array([4, 3, 3, 3, 9, 9])
    """
    image = as_dask_array(image)
    axes = spatial_axes(axes, channel_axis, image.ndim)
    window = sized_or_footprint(size, footprint, origin, axes, image.ndim, least=0)
    edges = edges_of(image, mode, cval, window.axes if window.is_box else None)
    counted = counted_pixels(image, where, nan_policy, fill_value)
    return _extremum(ndimage.minimum_filter, image, window, edges, output, counted)


def maximum_filter(
    image: ArrayLike,
    size: PerAxis[Integer] | None = None,
    footprint: ArrayLike | None = None,
    mode: PerAxis[ModeName] = "reflect",
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
    Largest value in a window around each pixel, as `scipy.ndimage.maximum_filter`.

    Parameters
    ----------
    image : array_like
        Real image of any number of axes.
    size, footprint, mode, cval, origin, output, axes, channel_axis : optional
        As in `minimum_filter`.
    where, nan_policy, fill_value : optional
        As in `minimum_filter`.

    Returns
    -------
    dask.array.Array
        Of the image's shape and chunks.

    Raises
    ------
    ValueError, TypeError
        As `minimum_filter`.

    Examples
    --------
    >>> import dask.array as da
    >>> from dask_image.ndfilters import maximum_filter
    >>> maximum_filter(da.from_array([5, 4, 3, 9, 9, 9], chunks=3), size=3).compute()
    array([5, 5, 9, 9, 9, 9])
    """
    image = as_dask_array(image)
    axes = spatial_axes(axes, channel_axis, image.ndim)
    window = sized_or_footprint(size, footprint, origin, axes, image.ndim, least=0)
    edges = edges_of(image, mode, cval, window.axes if window.is_box else None)
    counted = counted_pixels(image, where, nan_policy, fill_value)
    return _extremum(ndimage.maximum_filter, image, window, edges, output, counted)


def minimum_filter1d(
    image: ArrayLike,
    size: Integer,
    axis: Integer = -1,
    mode: ModeName = "reflect",
    cval: Number = 0.0,
    origin: Integer = 0,
    *,
    output: DTypeLike | None = None,
) -> Array:
    """
    Smallest value in a window along one axis, as `scipy.ndimage.minimum_filter1d`.

    Parameters
    ----------
    image : array_like
        Real image.
    size : int
        Of the window in pixels.
    axis, mode, cval, origin, output : optional
        As in `uniform_filter1d`.

    Returns
    -------
    dask.array.Array
        Of the image's shape and chunks.

    Raises
    ------
    ValueError, TypeError
        As `minimum_filter`.

    Examples
    --------
    >>> import dask.array as da
    >>> from dask_image.ndfilters import minimum_filter1d
    >>> minimum_filter1d(da.from_array([5, 4, 3, 9, 9, 9], chunks=3), size=2).compute()
    array([5, 4, 3, 3, 9, 9])
    """
    image = as_dask_array(image)
    window = _line(size, origin, axis, image.ndim)
    return _along_axis(ndimage.minimum_filter1d, image, window, edges_of(image, mode, cval), output)


def maximum_filter1d(
    image: ArrayLike,
    size: Integer,
    axis: Integer = -1,
    mode: ModeName = "reflect",
    cval: Number = 0.0,
    origin: Integer = 0,
    *,
    output: DTypeLike | None = None,
) -> Array:
    """
    Largest value in a window along one axis, as `scipy.ndimage.maximum_filter1d`.

    Parameters
    ----------
    image : array_like
        Real image.
    size : int
        Of the window in pixels.
    axis, mode, cval, origin, output : optional
        As in `uniform_filter1d`.

    Returns
    -------
    dask.array.Array
        Of the image's shape and chunks.

    Raises
    ------
    ValueError, TypeError
        As `minimum_filter`.

    Examples
    --------
    >>> import dask.array as da
    >>> from dask_image.ndfilters import maximum_filter1d
    >>> maximum_filter1d(da.from_array([5, 4, 3, 9, 9, 9], chunks=3), size=2).compute()
    array([5, 5, 4, 9, 9, 9])
    """
    image = as_dask_array(image)
    window = _line(size, origin, axis, image.ndim)
    return _along_axis(ndimage.maximum_filter1d, image, window, edges_of(image, mode, cval), output)


def _extremum(scipy_function, image, window, edges, output, counted):
    name = scipy_function.__name__
    output = counted_output(image, counted, output)
    dtype = result_dtype(scipy_function, image, output=output, **edges.keywords, **window.keywords)
    neutral = extreme_of(image.dtype, scipy_function is ndimage.minimum_filter)
    if window.is_box:
        passes = _box_passes(LINE_FUNCTION[scipy_function], image, window, edges, dtype)
        if counted is None:
            return map_passes(image, passes, dtype, name)
        of_mask = _box_passes(ndimage.maximum_filter1d, image, window, edges, dtype)
        return extremum_passes(
            image, counted, passes, of_mask, neutral=neutral, dtype=dtype, name=name
        )
    kernel = kernel_for(image, scipy_function)
    settings = {"name": name, "reach": window.reach, "dtype": dtype} | window.keywords
    if counted is not None:
        of_mask = kernel_for(image, ndimage.maximum_filter)
        return extremum_counted(kernel, of_mask, image, counted, edges, neutral=neutral, **settings)
    return map_neighborhood(
        kernel, image, modes=edges.modes, output=dtype, **settings, **edges.keywords
    )


def _box_passes(line_function, image, window, edges, dtype):
    """Return the passes that filter one axis after another."""
    kernel = kernel_for(image, line_function)
    return [
        Pass(
            kernel,
            axis,
            window.paired_reach[axis],
            edges.modes[axis],
            {"size": size, "cval": edges.cval, "origin": origin, "output": dtype},
        )
        for axis, size, origin in zip(window.axes, window.shape, window.origins)
        if size > 1  # as in SciPy, a box of 0 or 1 pixels leaves its axis alone
    ]


def _line(size, origin, axis, ndim):
    """Return a box along one axis."""
    axis = normalize_axis(axis, ndim)
    if np.iterable(size):
        raise ArgumentError(f"size must be one whole number, got {size!r}")
    return sized(size, normalize_integer(origin, "origin"), axis, ndim)


def _along_axis(line_function, image, window, edges, output):
    keywords = window.line_keywords
    dtype = result_dtype(line_function, image, output=output, **keywords, **edges.keywords)
    keywords |= {"cval": edges.cval, "output": dtype}
    axis = keywords.pop("axis")
    kernel = kernel_for(image, line_function)
    step = Pass(kernel, axis, window.reach[axis], edges.modes[axis], keywords)
    return map_passes(image, [step], dtype, line_function.__name__)
