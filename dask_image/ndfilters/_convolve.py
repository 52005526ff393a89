"""Correlation and convolution with given weights."""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from dask_image._utils.arguments import (
    ArgumentError,
    normalize_array,
    normalize_axis,
    normalize_integer,
)
from dask_image._utils.arrays import as_dask_array
from dask_image._utils.backend import kernel_for, result_dtype
from dask_image._utils.engines.counted import average_counted, counted_output, counted_pixels
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
)
from dask_image._utils.windows import edges_of, weighted


def correlate(
    image: ArrayLike,
    weights: ArrayLike,
    mode: ModeName = "reflect",
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
    Correlate an image with weights; the lazy twin of `scipy.ndimage.correlate`.

    Parameters
    ----------
    image : array_like
        Real or complex image of any number of axes.
    weights : array_like
        One axis for each of ``axes``. In memory: weights are not chunked.
    mode, cval : optional
        As in `median_filter`.
    origin : int or sequence of int, optional
        Moves the window off its centre, per axis.
    output : dtype, optional
        Of the result; by default that of the image, or complex if image or
        weights are.
    axes : int or tuple of int, optional
        Filter along these axes only; by default along all.
    where, nan_policy, fill_value : optional
        As in `gaussian_filter`.

    Returns
    -------
    dask.array.Array
        Of the image's shape and chunks.

    Raises
    ------
    ValueError
        If ``origin`` moves the window off the pixel, ``mode`` is unknown, or
        ``weights`` have another number of axes (also a RuntimeError, as SciPy's), or
        some are negative where some pixels do not count.

    Examples
    --------
    >>> import dask.array as da
    >>> from dask_image.ndfilters import correlate
    >>> correlate(da.arange(6, chunks=3), [1, 0, 0]).compute()
    array([0, 0, 1, 2, 3, 4])
    """
    image = as_dask_array(image)
    window = weighted(_as_weights(weights), origin, axes, image.ndim)
    edges = edges_of(image, mode, cval)
    counted = counted_pixels(image, where, nan_policy, fill_value)
    return _map_weights(ndimage.correlate, image, window, edges, output, counted)


def convolve(
    image: ArrayLike,
    weights: ArrayLike,
    mode: ModeName = "reflect",
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
    Convolve an image with weights; the lazy twin of `scipy.ndimage.convolve`.

    Parameters
    ----------
    image, weights
        As in `correlate`.
    mode, cval, origin, output, axes, where, nan_policy, fill_value : optional
        As in `correlate`.

    Returns
    -------
    dask.array.Array
        Of the image's shape and chunks.

    Raises
    ------
    ValueError
        As `correlate`.

    Examples
    --------
    >>> import dask.array as da
    >>> from dask_image.ndfilters import convolve
    >>> convolve(da.arange(6, chunks=3), [1, 0, 0]).compute()
    array([1, 2, 3, 4, 5, 5])
    """
    image = as_dask_array(image)
    window = weighted(_as_weights(weights), origin, axes, image.ndim)
    edges = edges_of(image, mode, cval)
    counted = counted_pixels(image, where, nan_policy, fill_value)
    return _map_weights(ndimage.convolve, image, window, edges, output, counted)


def correlate1d(
    image: ArrayLike,
    weights: ArrayLike,
    axis: Integer = -1,
    mode: ModeName = "reflect",
    cval: Number = 0.0,
    origin: Integer = 0,
    *,
    output: DTypeLike | None = None,
) -> Array:
    """
    Correlate an image with weights along one axis, as `scipy.ndimage.correlate1d`.

    Parameters
    ----------
    image : array_like
        Real or complex image.
    weights : sequence of numbers
        At least one.
    axis : int, optional
        Along which to filter.
    mode, cval, output : optional
        As in `correlate`.
    origin : int, optional
        Moves the window off its centre.

    Returns
    -------
    dask.array.Array
        Of the image's shape and chunks.

    Raises
    ------
    ValueError
        As `correlate`.

    Examples
    --------
    >>> import dask.array as da
    >>> from dask_image.ndfilters import correlate1d
    >>> correlate1d(da.eye(4, chunks=2), [0, 0, 1], axis=0).compute()
    array([[0., 1., 0., 0.],
           [0., 0., 1., 0.],
           [0., 0., 0., 1.],
           [0., 0., 0., 1.]])
    """
    image = as_dask_array(image)
    window = _line(weights, origin, axis, image.ndim)
    return _map_weights(ndimage.correlate1d, image, window, edges_of(image, mode, cval), output)


def convolve1d(
    image: ArrayLike,
    weights: ArrayLike,
    axis: Integer = -1,
    mode: ModeName = "reflect",
    cval: Number = 0.0,
    origin: Integer = 0,
    *,
    output: DTypeLike | None = None,
) -> Array:
    """
    Convolve an image with weights along one axis, as `scipy.ndimage.convolve1d`.

    Parameters
    ----------
    image : array_like
        Real or complex image.
    weights : sequence of numbers
        At least one.
    axis, mode, cval, origin, output : optional
        As in `correlate1d`.

    Returns
    -------
    dask.array.Array
        Of the image's shape and chunks.

    Raises
    ------
    ValueError
        As `correlate`.

    Examples
    --------
    >>> import dask.array as da
    >>> from dask_image.ndfilters import convolve1d
    >>> convolve1d(da.arange(6, chunks=3), [1, 0, -1]).compute()
    array([1, 2, 2, 2, 2, 1])
    """
    image = as_dask_array(image)
    window = _line(weights, origin, axis, image.ndim)
    return _map_weights(ndimage.convolve1d, image, window, edges_of(image, mode, cval), output)


def _check_averaging(weights):
    """Raise ValueError for weights which no part of can be made to sum to one."""
    if weights.dtype.kind == "c" or not (weights >= 0).all() or not 0 < weights.sum() < np.inf:
        raise ValueError(
            "weights must be real, none of them negative, and their sum positive and finite, "
            f"where some pixels do not count; got {weights!r}"
        )


def _as_weights(weights):
    weights = normalize_array(weights, "weights")
    if weights.dtype.kind not in "biufc":
        raise TypeError(f"weights must be numbers, got dtype {weights.dtype}")
    return weights


def _line(weights, origin, axis, ndim):
    """Return the window that weights along one axis have."""
    weights = _as_weights(weights)
    axis = normalize_axis(axis, ndim)
    if weights.ndim != 1:
        raise ArgumentError(f"weights must be a sequence of numbers, got shape {weights.shape}")
    return weighted(weights, normalize_integer(origin, "origin"), axis, ndim)


def _map_weights(scipy_function, image, window, edges, output, counted=None):
    if counted is not None:
        _check_averaging(window.described["weights"])
    output = counted_output(image, counted, output)
    along_line = scipy_function in (ndimage.correlate1d, ndimage.convolve1d)
    keywords = window.line_keywords if along_line else window.keywords
    dtype = result_dtype(scipy_function, image, output=output, **edges.keywords, **keywords)
    kernel = kernel_for(image, scipy_function)
    convolves = scipy_function in (ndimage.convolve, ndimage.convolve1d)
    settings = {
        "name": scipy_function.__name__,
        "reach": window.reach_from_behind if convolves else window.reach,
        "dtype": dtype,
    } | keywords
    if counted is not None:
        return average_counted(kernel, image, counted, edges, **settings)
    return map_neighborhood(
        kernel, image, modes=edges.modes, output=dtype, **settings, **edges.keywords
    )
