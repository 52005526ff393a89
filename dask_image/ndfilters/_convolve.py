"""Correlation and convolution with given weights."""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from dask_image._utils.arguments import (
    ArgumentError,
    normalize_axis,
    normalize_cval,
    normalize_integer,
    normalize_mode,
)
from dask_image._utils.arrays import as_dask_array
from dask_image._utils.backend import kernel_for, result_dtype
from dask_image._utils.engines.overlap import map_neighborhood
from dask_image._utils.typing import Array, ArrayLike, DTypeLike, Integer, ModeName, Number, PerAxis
from dask_image._utils.windows import weighted


def correlate(
    image: ArrayLike,
    weights: ArrayLike,
    mode: ModeName = "reflect",
    cval: Number = 0.0,
    origin: PerAxis[Integer] = 0,
    *,
    output: DTypeLike | None = None,
    axes: PerAxis[Integer] | None = None,
) -> Array:
    """
    Correlate an image with weights; the lazy twin of `scipy.ndimage.correlate`.

    Parameters
    ----------
    image : array_like
        Real or complex image of any number of axes.
    weights : array_like
        One axis for each of ``axes``. In memory: weights are not chunked.
    mode : str, optional
        How the image goes on beyond its edges: "reflect" (also "grid-mirror"),
        "constant" ("grid-constant"), "nearest", "mirror", "wrap" ("grid-wrap").
    cval : scalar, optional
        Value beyond the edges in mode "constant".
    origin : int or sequence of int, optional
        Moves the window off its centre, per axis.
    output : dtype, optional
        Of the result; by default that of the image, or complex if image or
        weights are.
    axes : int or tuple of int, optional
        Filter along these axes only; by default along all.

    Returns
    -------
    dask.array.Array
        Of the image's shape and chunks.

    Raises
    ------
    ValueError
        If ``origin`` moves the window off the pixel, ``mode`` is unknown, or
        ``weights`` have another number of axes (also a RuntimeError, as SciPy's).

    Examples
    --------
    >>> import dask.array as da
    >>> from dask_image.ndfilters import correlate
    >>> correlate(da.arange(6, chunks=3), [1, 0, 0]).compute()
    array([0, 0, 1, 2, 3, 4])
    """
    image = as_dask_array(image)
    window = weighted(_as_weights(weights), origin, axes, image.ndim)
    return _map_weights(ndimage.correlate, image, window, mode, cval, output, window.keywords)


def convolve(
    image: ArrayLike,
    weights: ArrayLike,
    mode: ModeName = "reflect",
    cval: Number = 0.0,
    origin: PerAxis[Integer] = 0,
    *,
    output: DTypeLike | None = None,
    axes: PerAxis[Integer] | None = None,
) -> Array:
    """
    Convolve an image with weights; the lazy twin of `scipy.ndimage.convolve`.

    Parameters
    ----------
    image : array_like
        Real or complex image of any number of axes.
    weights : array_like
        One axis for each of ``axes``. In memory: weights are not chunked.
    mode, cval, origin, output, axes : optional
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
    return _map_weights(ndimage.convolve, image, window, mode, cval, output, window.keywords)


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
    mode : str, optional
        How the image goes on beyond its edges, as in `correlate`.
    cval : scalar, optional
        Value beyond the edges in mode "constant".
    origin : int, optional
        Moves the window off its centre.
    output : dtype, optional
        Of the result; by default that of the image, or complex if image or
        weights are.

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
    keywords = window.line_keywords
    return _map_weights(ndimage.correlate1d, image, window, mode, cval, output, keywords)


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
    keywords = window.line_keywords
    return _map_weights(ndimage.convolve1d, image, window, mode, cval, output, keywords)


def _as_weights(weights):
    weights = np.asarray(weights)
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


def _map_weights(scipy_function, image, window, mode, cval, output, keywords):
    convolves = scipy_function in (ndimage.convolve, ndimage.convolve1d)
    mode = normalize_mode(mode)
    keywords |= {"mode": mode, "cval": normalize_cval(cval, image.dtype)}
    dtype = result_dtype(scipy_function, image, output=output, **keywords)
    return map_neighborhood(
        kernel_for(image, scipy_function),
        image,
        name=scipy_function.__name__,
        reach=window.reach_from_behind if convolves else window.reach,
        modes=[mode] * image.ndim,
        dtype=dtype,
        output=dtype,
        **keywords,
    )
