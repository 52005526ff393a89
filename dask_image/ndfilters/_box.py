"""Means and extrema over boxes: separable, one pass per axis."""

from __future__ import annotations

import math

import numpy as np
from scipy import ndimage

from dask_image._utils.arguments import (
    ArgumentError,
    normalize_axis,
    normalize_cval,
    normalize_integer,
    normalize_mode,
    normalize_modes,
)
from dask_image._utils.arrays import as_dask_array
from dask_image._utils.backend import kernel_for, result_dtype
from dask_image._utils.engines.counted import (
    ALL_COUNT,
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
from dask_image._utils.windows import sized, sized_or_footprint


def uniform_filter(
    image: ArrayLike,
    size: PerAxis[Integer] = 3,
    mode: PerAxis[ModeName] = "reflect",
    cval: Number = 0.0,
    origin: PerAxis[Integer] = 0,
    *,
    output: DTypeLike | None = None,
    axes: PerAxis[Integer] | None = None,
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
    mode : str or sequence of str, optional
        How the image goes on beyond its edges, per axis: "reflect" (also
        "grid-mirror"), "constant" ("grid-constant"), "nearest", "mirror",
        "wrap" ("grid-wrap").
    cval : scalar, optional
        Value beyond the edges in mode "constant".
    origin : int or sequence of int, optional
        Moves the box off its centre, per axis.
    output : dtype, optional
        Of the result; by default that of the image. As in SciPy, values are
        rounded to it after each axis.
    axes : int or tuple of int, optional
        Filter along these axes only.
    where : array_like of bool, optional
        Which pixels count, an image of the same shape; by default all do. The
        weights that fall on counted pixels are made to sum to one.
    nan_policy : {"propagate", "omit"}, optional
        "omit" leaves out NaN, beside what ``where`` leaves out.
    fill_value : scalar, optional
        Where no pixel of the window counts; by default NaN. Images of integers give
        float64 then, or with a ``fill_value`` their own dtype.

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
    return average(
        image, size, mode, cval, origin, output, axes, (where, nan_policy, fill_value),
        name="uniform_filter",
    )  # fmt: skip


def average(
    image, size, mode="reflect", cval=0.0, origin=0, output=None, axes=None, choice=ALL_COUNT,
    *, name,
):  # fmt: skip
    """Filter as `uniform_filter`, in tasks called ``name``."""
    image = as_dask_array(image)
    counted = counted_pixels(image, *choice)
    output = counted_output(image, counted, output)
    window = sized(size, origin, axes, image.ndim, least=0)
    modes = normalize_modes(mode, len(window.axes))
    keywords = {"mode": mode, "cval": normalize_cval(cval, image.dtype)}
    dtype = result_dtype(
        ndimage.uniform_filter, image, output=output, **keywords, **window.keywords
    )
    passes = _box_passes(ndimage.uniform_filter1d, image, window, modes, keywords["cval"], dtype)
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
    mode : str, optional
        How the image goes on beyond its edges, as in `uniform_filter`.
    cval : scalar, optional
        Value beyond the edges in mode "constant".
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
    return _along_axis(ndimage.uniform_filter1d, image, window, mode, cval, output)


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
    cval : scalar, optional
        Value beyond the edges in mode "constant".
    origin : int or sequence of int, optional
        Moves the window off its centre, per axis.
    output : dtype, optional
        Of the result; by default that of the image.
    axes : int or tuple of int, optional
        Filter along these axes only.
    where : array_like of bool, optional
        Which pixels count, an image of the same shape; by default all do.
    nan_policy : {"propagate", "omit"}, optional
        "omit" leaves out NaN, beside what ``where`` leaves out.
    fill_value : scalar, optional
        Where no pixel of the window counts; by default NaN. Images of integers give
        float64 then, or with a ``fill_value`` their own dtype.

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
    window = sized_or_footprint(size, footprint, origin, axes, image.ndim, least=0)
    return _extremum(
        ndimage.minimum_filter, ndimage.minimum_filter1d, image, window, mode, cval, output,
        (where, nan_policy, fill_value),
    )  # fmt: skip


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
    size, footprint, mode, cval, origin, output, axes, where, nan_policy, fill_value : optional
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
    window = sized_or_footprint(size, footprint, origin, axes, image.ndim, least=0)
    return _extremum(
        ndimage.maximum_filter, ndimage.maximum_filter1d, image, window, mode, cval, output,
        (where, nan_policy, fill_value),
    )  # fmt: skip


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
    return _along_axis(ndimage.minimum_filter1d, image, window, mode, cval, output)


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
    return _along_axis(ndimage.maximum_filter1d, image, window, mode, cval, output)


def _extremum(scipy_function, line_function, image, window, mode, cval, output, choice):
    name = scipy_function.__name__
    counted = counted_pixels(image, *choice)
    output = counted_output(image, counted, output)
    modes = normalize_modes(mode, len(window.axes))
    cval = normalize_cval(cval, image.dtype)
    keywords = {"mode": mode, "cval": cval} | window.keywords
    dtype = result_dtype(scipy_function, image, output=output, **keywords)
    neutral = extreme_of(image.dtype, scipy_function is ndimage.minimum_filter)
    if window.is_box:
        passes = _box_passes(line_function, image, window, modes, cval, dtype)
        if counted is None:
            return map_passes(image, passes, dtype, name)
        of_mask = _box_passes(ndimage.maximum_filter1d, image, window, modes, cval, dtype)
        return extremum_passes(
            image, counted, passes, of_mask, neutral=neutral, dtype=dtype, name=name
        )
    if counted is not None:
        return extremum_counted(
            kernel_for(image, scipy_function), kernel_for(image, ndimage.maximum_filter), image,
            counted, neutral=neutral, name=name, reach=window.reach,
            modes=[normalize_mode(mode)] * image.ndim, dtype=dtype, **keywords,
        )  # fmt: skip
    return map_neighborhood(
        kernel_for(image, scipy_function),
        image,
        name=name,
        reach=window.reach,
        modes=[normalize_mode(mode)] * image.ndim,
        dtype=dtype,
        output=dtype,
        **keywords,
    )


def _box_passes(line_function, image, window, modes, cval, dtype):
    """Return the passes that filter one axis after another."""
    kernel = kernel_for(image, line_function)
    return [
        Pass(
            kernel,
            axis,
            window.paired_reach[axis],
            mode,
            {"size": size, "cval": cval, "origin": origin, "output": dtype},
        )
        for axis, size, origin, mode in zip(window.axes, window.shape, window.origins, modes)
        if size > 1  # as in SciPy, a box of 0 or 1 pixels leaves its axis alone
    ]


def _line(size, origin, axis, ndim):
    """Return a box along one axis."""
    axis = normalize_axis(axis, ndim)
    if np.iterable(size):
        raise ArgumentError(f"size must be one whole number, got {size!r}")
    return sized(size, normalize_integer(origin, "origin"), axis, ndim)


def _along_axis(line_function, image, window, mode, cval, output):
    mode = normalize_mode(mode)
    keywords = window.line_keywords | {"cval": normalize_cval(cval, image.dtype)}
    dtype = result_dtype(line_function, image, mode=mode, output=output, **keywords)
    axis = keywords.pop("axis")
    kernel = kernel_for(image, line_function)
    step = Pass(kernel, axis, window.reach[axis], mode, keywords | {"output": dtype})
    return map_passes(image, [step], dtype, line_function.__name__)
