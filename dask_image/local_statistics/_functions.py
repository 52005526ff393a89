"""The public functions: normalise, lay the grid, choose the statistic, map."""

from __future__ import annotations

import numbers
import operator
from dataclasses import dataclass
from typing import Any, Literal, overload

import dask.array as da
import numpy as np

from dask_image._utils.arguments import refuse_lazy
from dask_image._utils.arrays import as_dask_array, block_meta
from dask_image._utils.backend import numpy_only
from dask_image._utils.engines.overlap import map_boxes
from dask_image._utils.typing import (
    Array,
    ArrayLike,
    Chunks,
    DTypeLike,
    Function,
    Integer,
    PerAxis,
    Real,
    Shape,
)
from dask_image.local_statistics._gaps import Fill, Gaps
from dask_image.local_statistics._grid import BlockWindows, WindowGrid, window_grid
from dask_image.local_statistics._statistics import Histogram, LocalFunction, Moments, Percentiles
from dask_image.ndinterp._affine import zoom_image

# Windows of an unknown number of axes cannot have a default that always fits: two axes it is.
DEFAULT_WINDOW = (50, 50)


@overload
def apply_local_function(
    source: ArrayLike, function: Function, selem: PerAxis[Integer] | ArrayLike = ...,
    spacing: PerAxis[Integer] | None = ..., step: PerAxis[Integer] | None = ...,
    interpolate: Integer | None = ..., mask: ArrayLike | None = ...,
    fshape: PerAxis[Integer] | None = ..., dtype: DTypeLike | None = ...,
    return_centers: Literal[False] = ..., *, fill: Fill = ..., min_fraction: Real = ...,
) -> Array: ...  # fmt: skip
@overload
def apply_local_function(
    source: ArrayLike, function: Function, selem: PerAxis[Integer] | ArrayLike = ...,
    spacing: PerAxis[Integer] | None = ..., step: PerAxis[Integer] | None = ...,
    interpolate: Integer | None = ..., mask: ArrayLike | None = ...,
    fshape: PerAxis[Integer] | None = ..., dtype: DTypeLike | None = ..., *,
    return_centers: Literal[True], fill: Fill = ..., min_fraction: Real = ...,
) -> tuple[Array, Array]: ...  # fmt: skip
@numpy_only
def apply_local_function(
    source: ArrayLike,
    function: Function,
    selem: PerAxis[Integer] | ArrayLike = DEFAULT_WINDOW,
    spacing: PerAxis[Integer] | None = None,
    step: PerAxis[Integer] | None = None,
    interpolate: Integer | None = 2,
    mask: ArrayLike | None = None,
    fshape: PerAxis[Integer] | None = None,
    dtype: DTypeLike | None = None,
    return_centers: bool = False,
    *,
    fill: Fill = "nearest",
    min_fraction: Real = 0.0,
) -> Array | tuple[Array, Array]:
    """
    Apply a function to the values in windows on a sub-grid of an image.

    Along an axis of length s, with spacing h, there are ``s // h`` windows; the
    first centre c is at ``(s - (s // h - 1) * h) // 2``, and the next ones follow
    every h pixels. A window of width w holds the pixels from ``c - w // 2`` up
    to but not including ``c - w // 2 + w``, clipped to the image.

    Parameters
    ----------
    source : array_like
        Image of any number of axes.
    function : callable
        ``function(values)`` gets the values of a window as a 1-D array in C
        order, and returns a number, or an array of shape ``fshape``. Windows
        without any value, where a mask leaves none, are passed too.
    selem : tuple of int, int or array_like of bool, optional
        Size of the windows, along each axis or along all; or which pixels of a
        window count, an array of the size of a window.
    spacing : tuple of int or int, optional
        Distance of the centres. Default: the size of the windows, which then
        tile the image.
    step : tuple of int or int, optional
        Only every ``step``-th pixel of a (clipped) window is taken.
    interpolate : int or None, optional
        Order, from 0 to 5, of the spline that brings the result to the size of
        ``source``; None gives the result on the grid.
    mask : array_like of bool, optional
        Shape of ``source``; only pixels that are True count.
    fshape : tuple of int or int, optional
        Shape of what ``function`` returns, if not a number. These axes follow
        those of the image.
    dtype : dtype, optional
        Of the result; default: that of ``source``. Results are cast as by
        `numpy.ndarray.astype`: as an integer, 2.9 is 2.
    return_centers : bool, optional
        Whether to return the positions of the windows' centres as well.
    fill : {"nearest", "median"}, number or None, optional
        What stands, before results are interpolated, for windows in which nothing counts or
        whose result is NaN: the result of the nearest window that has one, the median of
        all that have one, or a number. Without a ``mask`` and for orders 0 and 1, the nearest
        window may be 4 steps of the grid away at most. None leaves them as they are: empty windows
        give what the function says of no values, and one NaN makes NaN of all that its spline
        reaches.
    min_fraction : float, optional
        A window in which a smaller part of its pixels counts is taken for empty. Without
        ``interpolate`` it gives NaN, or 0 as an integer.

    Returns
    -------
    result : dask.array.Array
        With ``interpolate``, the shape and the chunks of ``source``; else one
        value for each window, in chunks of those windows whose centres lie in
        the same block of ``source``.
    centers : dask.array.Array of int
        Shape of the grid and one axis more, for the coordinates. Only if
        ``return_centers`` is True.

    Raises
    ------
    ValueError
        If the dimensions of ``selem``, ``spacing``, ``step`` or ``mask`` do not
        match those of ``source``, if ``spacing`` is larger than ``source``, or an
        argument is out of range. While computing, if the result of ``function``
        does not have the shape ``fshape``.
    NotImplementedError
        For CuPy arrays.

    Notes
    -----
    Nothing is computed at the call. There is one task for each block that holds
    centres; it reads the pixels of its windows, from as many blocks as they
    reach into. Interpolation equals `scipy.ndimage.zoom` of the whole grid to the
    size of ``source``, for each component of a result apart; a block of the
    image reads only the part of the grid that its spline needs; with a ``mask``, and from
    order 2 on where results may be NaN, the whole grid goes through one task, that fills it,
    so that all of the image is read before the first block is there. ``fill=None`` does without.

    See Also
    --------
    local_percentile, local_mean, local_standard_deviation, local_histogram

    Examples
    --------
    The range of values in each quarter of an image:

    >>> import dask.array as da
    >>> from dask_image.local_statistics import apply_local_function
    >>> image = da.arange(64, chunks=64).reshape(8, 8).rechunk(3)
    >>> apply_local_function(image, np.ptp, selem=4, interpolate=None).compute()
    array([[27, 27],
           [27, 27]])
    """
    if not callable(function):
        raise TypeError(f"function must be callable, got {function!r}")
    source = as_dask_array(source, "source")
    shape = _result_shape(fshape)
    statistic = LocalFunction(function, shape, np.dtype(source.dtype if dtype is None else dtype))
    gaps = Gaps(fill, min_fraction)
    grid = window_grid(source.shape, selem, spacing, step)
    sampling = sampling_of(source, grid, interpolate, mask, return_centers, gaps)
    return map_windows(statistic, shape, source, sampling, "apply_local_function")


@overload
def local_percentile(
    source: ArrayLike, percentile: PerAxis[Real], selem: PerAxis[Integer] | ArrayLike = ...,
    spacing: PerAxis[Integer] | None = ..., step: PerAxis[Integer] | None = ...,
    interpolate: Integer | None = ..., mask: ArrayLike | None = ..., dtype: DTypeLike | None = ...,
    return_centers: Literal[False] = ..., *, fill: Fill = ..., min_fraction: Real = ...,
) -> Array: ...  # fmt: skip
@overload
def local_percentile(
    source: ArrayLike, percentile: PerAxis[Real], selem: PerAxis[Integer] | ArrayLike = ...,
    spacing: PerAxis[Integer] | None = ..., step: PerAxis[Integer] | None = ...,
    interpolate: Integer | None = ..., mask: ArrayLike | None = ..., dtype: DTypeLike | None = ...,
    *, return_centers: Literal[True], fill: Fill = ..., min_fraction: Real = ...,
) -> tuple[Array, Array]: ...  # fmt: skip
@numpy_only
def local_percentile(
    source: ArrayLike,
    percentile: PerAxis[Real],
    selem: PerAxis[Integer] | ArrayLike = DEFAULT_WINDOW,
    spacing: PerAxis[Integer] | None = None,
    step: PerAxis[Integer] | None = None,
    interpolate: Integer | None = 1,
    mask: ArrayLike | None = None,
    dtype: DTypeLike | None = None,
    return_centers: bool = False,
    *,
    fill: Fill = "nearest",
    min_fraction: Real = 0.0,
) -> Array | tuple[Array, Array]:
    """
    Compute percentiles of the values in windows on a sub-grid of an image.

    Low percentiles estimate a background that bright objects lie on, the median
    one with objects of either kind.

    Parameters
    ----------
    source : array_like
        Image of real numbers or booleans.
    percentile : float or sequence of float
        Fractions in [0, 1]: 0.5 is the median. A sequence adds an axis of its
        length at the end of the result.
    selem, spacing, step, mask, return_centers, fill, min_fraction : optional
        As in `apply_local_function`.
    interpolate : int or None, optional
        As in `apply_local_function`.
    dtype : dtype, optional
        Of the result; default: that of ``source``. Values are cast as by
        `numpy.ndarray.astype`: as an integer, 2.9 is 2.

    Returns
    -------
    dask.array.Array, or two of them
        As in `apply_local_function`. Between two values a percentile is
        interpolated linearly, as by `numpy.percentile`; NaN in a window gives NaN,
        a window without values 0.

    Raises
    ------
    ValueError
        If ``percentile`` is outside of [0, 1]; else as `apply_local_function`.
    TypeError
        For complex images.

    Notes
    -----
    With the ``fast`` extra, a block is cut along the edges of its windows into
    cells which are sorted once, and from which all windows that share them pick
    their ranks. Without it, or for windows of some other shape than a box, the
    samples of many windows are partitioned together.

    Examples
    --------
    >>> import dask.array as da
    >>> from dask_image.local_statistics import local_percentile
    >>> image = da.arange(64, chunks=64).reshape(8, 8).rechunk(3)
    >>> local_percentile(image, 0.5, selem=4, interpolate=None, dtype=float).compute()
    array([[13.5, 17.5],
           [45.5, 49.5]])
    """
    source = as_dask_array(source, "source")
    if source.dtype.kind == "c":
        raise TypeError(f"source must hold real numbers for percentiles, got {source.dtype}")
    if np.iterable(percentile):
        percentile = tuple(percentile)
    fractions = _fractions(percentile)
    shape = np.shape(np.asarray(percentile))
    statistic = Percentiles(fractions, shape, np.dtype(source.dtype if dtype is None else dtype))
    gaps = Gaps(fill, min_fraction)
    grid = window_grid(source.shape, selem, spacing, step)
    sampling = sampling_of(source, grid, interpolate, mask, return_centers, gaps)
    return map_windows(statistic, shape, source, sampling, "local_percentile")


@overload
def local_histogram(
    source: ArrayLike, max_bin: Integer = ..., selem: PerAxis[Integer] | ArrayLike = ...,
    spacing: PerAxis[Integer] | None = ..., step: PerAxis[Integer] | None = ...,
    interpolate: Integer | None = ..., mask: ArrayLike | None = ..., dtype: DTypeLike | None = ...,
    return_centers: Literal[False] = ..., *, fill: Fill = ..., min_fraction: Real = ...,
) -> Array: ...  # fmt: skip
@overload
def local_histogram(
    source: ArrayLike, max_bin: Integer = ..., selem: PerAxis[Integer] | ArrayLike = ...,
    spacing: PerAxis[Integer] | None = ..., step: PerAxis[Integer] | None = ...,
    interpolate: Integer | None = ..., mask: ArrayLike | None = ..., dtype: DTypeLike | None = ...,
    *, return_centers: Literal[True], fill: Fill = ..., min_fraction: Real = ...,
) -> tuple[Array, Array]: ...  # fmt: skip
@numpy_only
def local_histogram(
    source: ArrayLike,
    max_bin: Integer = 4096,
    selem: PerAxis[Integer] | ArrayLike = DEFAULT_WINDOW,
    spacing: PerAxis[Integer] | None = None,
    step: PerAxis[Integer] | None = None,
    interpolate: Integer | None = None,
    mask: ArrayLike | None = None,
    dtype: DTypeLike | None = None,
    return_centers: bool = False,
    *,
    fill: Fill = "nearest",
    min_fraction: Real = 0.0,
) -> Array | tuple[Array, Array]:
    """
    Count how often each value occurs in windows on a sub-grid of an image.

    Parameters
    ----------
    source : array_like of unsigned int
        Image.
    max_bin : int, optional
        Number of bins, for the values 0, 1, … Larger values are not counted.
    selem, spacing, step, mask, return_centers, fill, min_fraction : optional
        As in `apply_local_function`.
    interpolate : int or None, optional
        As in `apply_local_function`. A result at the size of ``source`` is
        ``max_bin`` times as large as that, in chunks of one bin.
    dtype : dtype, optional
        Of the result; default: int64.

    Returns
    -------
    dask.array.Array, or two of them
        As in `apply_local_function`, with an axis of ``max_bin`` bins at the end.

    Raises
    ------
    ValueError
        If ``source`` does not hold unsigned integers, or ``max_bin`` is not a
        positive integer; else as `apply_local_function`.

    Notes
    -----
    With the ``fast`` extra, pixels that several windows share are counted once.

    Examples
    --------
    >>> import dask.array as da
    >>> from dask_image.local_statistics import local_histogram
    >>> image = da.arange(8, chunks=3, dtype="uint8") // 2
    >>> local_histogram(image, max_bin=4, selem=4).compute()
    array([[2, 2, 0, 0],
           [0, 0, 2, 2]])
    """
    source = as_dask_array(source, "source")
    if source.dtype.kind != "u":
        raise ValueError(f"source must hold unsigned integers for histograms, got {source.dtype}")
    bins = _integer(max_bin, "max_bin", 1)
    statistic = Histogram(bins, np.dtype(np.int64 if dtype is None else dtype))
    gaps = Gaps(fill, min_fraction)
    grid = window_grid(source.shape, selem, spacing, step)
    sampling = sampling_of(source, grid, interpolate, mask, return_centers, gaps)
    return map_windows(statistic, (bins,), source, sampling, "local_histogram")


@overload
def local_mean(
    source: ArrayLike, selem: PerAxis[Integer] | ArrayLike = ...,
    spacing: PerAxis[Integer] | None = ..., step: PerAxis[Integer] | None = ...,
    interpolate: Integer | None = ..., mask: ArrayLike | None = ..., dtype: DTypeLike | None = ...,
    return_centers: Literal[False] = ..., *, fill: Fill = ..., min_fraction: Real = ...,
) -> Array: ...  # fmt: skip
@overload
def local_mean(
    source: ArrayLike, selem: PerAxis[Integer] | ArrayLike = ...,
    spacing: PerAxis[Integer] | None = ..., step: PerAxis[Integer] | None = ...,
    interpolate: Integer | None = ..., mask: ArrayLike | None = ..., dtype: DTypeLike | None = ...,
    *, return_centers: Literal[True], fill: Fill = ..., min_fraction: Real = ...,
) -> tuple[Array, Array]: ...  # fmt: skip
@numpy_only
def local_mean(
    source: ArrayLike,
    selem: PerAxis[Integer] | ArrayLike = DEFAULT_WINDOW,
    spacing: PerAxis[Integer] | None = None,
    step: PerAxis[Integer] | None = None,
    interpolate: Integer | None = 1,
    mask: ArrayLike | None = None,
    dtype: DTypeLike | None = None,
    return_centers: bool = False,
    *,
    fill: Fill = "nearest",
    min_fraction: Real = 0.0,
) -> Array | tuple[Array, Array]:
    """
    Compute the mean of the values in windows on a sub-grid of an image.

    Parameters
    ----------
    source : array_like
        Image.
    selem, spacing, step, mask, return_centers, fill, min_fraction : optional
        As in `apply_local_function`.
    interpolate : int or None, optional
        As in `apply_local_function`.
    dtype : dtype, optional
        Of the result; default: float64, or complex128 for a complex image.

    Returns
    -------
    dask.array.Array, or two of them
        As in `apply_local_function`; a window without values gives 0.

    Raises
    ------
    ValueError
        As `apply_local_function`.

    Examples
    --------
    >>> import dask.array as da
    >>> from dask_image.local_statistics import local_mean
    >>> local_mean(da.arange(8, chunks=3), selem=4, interpolate=None).compute()
    array([1.5, 5.5])
    """
    source = as_dask_array(source, "source")
    default = np.result_type(source.dtype, float)
    statistic = Moments(False, np.dtype(default if dtype is None else dtype))
    gaps = Gaps(fill, min_fraction)
    grid = window_grid(source.shape, selem, spacing, step)
    sampling = sampling_of(source, grid, interpolate, mask, return_centers, gaps)
    return map_windows(statistic, (), source, sampling, "local_mean")


@overload
def local_standard_deviation(
    source: ArrayLike, selem: PerAxis[Integer] | ArrayLike = ...,
    spacing: PerAxis[Integer] | None = ..., step: PerAxis[Integer] | None = ...,
    interpolate: Integer | None = ..., mask: ArrayLike | None = ..., dtype: DTypeLike | None = ...,
    return_centers: Literal[False] = ..., *, fill: Fill = ..., min_fraction: Real = ...,
) -> Array: ...  # fmt: skip
@overload
def local_standard_deviation(
    source: ArrayLike, selem: PerAxis[Integer] | ArrayLike = ...,
    spacing: PerAxis[Integer] | None = ..., step: PerAxis[Integer] | None = ...,
    interpolate: Integer | None = ..., mask: ArrayLike | None = ..., dtype: DTypeLike | None = ...,
    *, return_centers: Literal[True], fill: Fill = ..., min_fraction: Real = ...,
) -> tuple[Array, Array]: ...  # fmt: skip
@numpy_only
def local_standard_deviation(
    source: ArrayLike,
    selem: PerAxis[Integer] | ArrayLike = DEFAULT_WINDOW,
    spacing: PerAxis[Integer] | None = None,
    step: PerAxis[Integer] | None = None,
    interpolate: Integer | None = 1,
    mask: ArrayLike | None = None,
    dtype: DTypeLike | None = None,
    return_centers: bool = False,
    *,
    fill: Fill = "nearest",
    min_fraction: Real = 0.0,
) -> Array | tuple[Array, Array]:
    """
    Compute the standard deviation of the values in windows on a sub-grid of an image.

    A measure of local contrast.

    Parameters
    ----------
    source : array_like
        Image.
    selem, spacing, step, mask, return_centers, fill, min_fraction : optional
        As in `apply_local_function`.
    interpolate : int or None, optional
        As in `apply_local_function`.
    dtype : dtype, optional
        Of the result; default: float64.

    Returns
    -------
    dask.array.Array, or two of them
        As in `apply_local_function`: the square root of the mean squared
        distance from the window's mean, as by `numpy.std`. A window without
        values gives 0.

    Raises
    ------
    ValueError
        As `apply_local_function`.

    Examples
    --------
    >>> import dask.array as da
    >>> from dask_image.local_statistics import local_standard_deviation
    >>> image = da.from_array([0, 2, 0, 2, 5, 5, 5, 5], chunks=3)
    >>> local_standard_deviation(image, selem=4, interpolate=None).compute()
    array([1., 0.])
    """
    source = as_dask_array(source, "source")
    statistic = Moments(True, np.dtype(np.float64 if dtype is None else dtype))
    gaps = Gaps(fill, min_fraction)
    grid = window_grid(source.shape, selem, spacing, step)
    sampling = sampling_of(source, grid, interpolate, mask, return_centers, gaps)
    return map_windows(statistic, (), source, sampling, "local_standard_deviation")


@dataclass(frozen=True)
class Sampling:
    """
    Which windows of an image are measured, and what becomes of the results.

    Parameters
    ----------
    grid : WindowGrid
    mask : dask.array.Array of bool or None
        Which pixels count; None for all.
    order : int or None
        Of the spline that brings results to the size of the image; None leaves them.
    with_centers : bool
        Whether the centres of windows are returned too.
    gaps : Gaps
        What stands for windows without a result.
    """

    grid: WindowGrid
    mask: Array | None
    order: int | None
    with_centers: bool
    gaps: Gaps


def sampling_of(source, grid, interpolate, mask, return_centers, gaps):
    """Normalise the arguments that all functions share."""
    order = None if interpolate is None else _integer(interpolate, "interpolate", 0, 5)
    mask = None if mask is None else mask_of(mask, source)
    return Sampling(grid, mask, order, bool(return_centers), gaps)


def map_windows(statistic, shape, source, sampling, name):
    """Run a statistic with results of ``shape`` on the windows of all blocks."""
    grid, mask, gaps = sampling.grid, sampling.mask, sampling.gaps
    gaps.check(statistic.dtype)
    windows = GridWindows.of(grid, source.chunks)
    result = windows.map(statistic, shape, [source] if mask is None else [source, mask], name)
    share = None
    if mask is not None and gaps.needed(sampling.order):
        share = windows.map(Moments(False, np.dtype(np.float64)), (), [mask], f"{name}-count")
    may_be_nan = _may_be_nan(statistic, source, grid)
    result = gaps.fill_in(result, share, grid, sampling.order, may_be_nan, name)
    if sampling.order is not None:
        result = _interpolated(result, source, sampling.order, f"{name}-zoom")
    if not sampling.with_centers:
        return result
    return result, _centers(grid, windows.chunks, f"{name}-centers")


def _may_be_nan(statistic, source, grid):
    """Tell whether a result may be NaN where there is no mask."""
    if statistic.dtype.kind not in "fc":
        return False
    # At the edge nothing may be left of a footprint.
    from_any = isinstance(statistic, LocalFunction) or grid.footprint is not None
    return source.dtype.kind in "fc" or from_any


@dataclass(frozen=True)
class GridWindows:
    """The windows of a grid over an image of some chunks, block by block."""

    grid: WindowGrid
    chunks: Chunks
    blocks: list[list[BlockWindows]]

    @classmethod
    def of(cls, grid: WindowGrid, image_chunks: Chunks) -> GridWindows:
        """Return the windows of all blocks."""
        chunks = grid.chunks(image_chunks)
        return cls(grid, chunks, grid.block_windows(chunks))

    def map(self, statistic: Any, shape: Shape, images: list[Array], name: str) -> Array:
        """Run a statistic with results of ``shape`` on each window."""
        return map_boxes(
            _in_box, *images, name=name, boxes=self._boxes,
            chunks=self.chunks + tuple((size,) for size in shape), dtype=statistic.dtype,
            block_arguments=self._windows, statistic=statistic, step=self.grid.step,
            footprint=self.grid.footprint,
        )  # fmt: skip

    def _boxes(self, index):
        return [axis[block].interval for axis, block in zip(self.blocks, index)]

    def _windows(self, index):
        return (tuple(axis[block].windows for axis, block in zip(self.blocks, index)),)


def _in_box(box, *mask_and_windows, statistic, step, footprint):
    """Run a statistic on the windows of one block."""
    *mask, windows = mask_and_windows
    return statistic(box, mask[0] if mask else None, windows, step, footprint)


def _interpolated(grid, source, order, name):
    """Bring each component of a grid to the size of ``source``, in its chunks."""
    shape = grid.shape[source.ndim :]
    factors = [size / points for size, points in zip(source.shape, grid.shape)]
    if not shape:
        return zoom_image(grid, factors, order, source.chunks, name=name)
    components = [
        _interpolated(grid[(slice(None),) * source.ndim + (place,)], source, order, name)
        for place in range(shape[0])
    ]
    return da.stack(components, axis=source.ndim)


def _centers(grid, chunks, name):
    """Return the positions of all centres."""
    ndim = len(chunks)
    pairs = []
    for axis, sizes in enumerate(chunks):
        pairs += [da.from_array(grid.centers(axis), chunks=(sizes,)), (axis,)]
    return da.blockwise(
        _mesh, tuple(range(ndim + 1)), *pairs, new_axes={ndim: ndim}, token=name,
        dtype=pairs[0].dtype, meta=block_meta(ndim + 1, pairs[0].dtype), align_arrays=False,
    )  # fmt: skip


def _mesh(*lines):
    return np.stack(np.meshgrid(*lines, indexing="ij"), axis=-1)


def mask_of(mask, source):
    """Return a mask of the shape of ``source``, as booleans."""
    mask = as_dask_array(mask, "mask")
    if mask.shape != source.shape:
        raise ValueError(f"mask has shape {mask.shape}, source has {source.shape}")
    return mask.astype(bool)


def _integer(value, name, lowest, highest=None):
    allowed = f"an integer from {lowest}" + (f" to {highest}" if highest is not None else "")
    refuse_lazy(value, name, "an integer")
    try:
        number = operator.index(value)
    except TypeError:
        number = lowest - 1
    too_high = highest is not None and number > highest
    if isinstance(value, (bool, np.bool_)) or number < lowest or too_high:
        raise ValueError(f"{name} must be {allowed}, got {value!r}")
    return number


def _result_shape(fshape):
    if fshape is None:
        return ()
    sizes = tuple(fshape) if np.iterable(fshape) else (fshape,)
    return tuple(_integer(size, "fshape", 0) for size in sizes)


def _fractions(percentile):
    fractions = tuple(percentile) if np.iterable(percentile) else (percentile,)
    for each in fractions:
        # Not NaN either.
        if not isinstance(each, numbers.Real) or not 0 <= each <= 1:
            raise ValueError(f"percentile must lie in [0, 1], got {percentile!r}")
    if not fractions or np.ndim(percentile) > 1:
        raise ValueError(f"percentile must be a number or a sequence of them, got {percentile!r}")
    return tuple(map(float, fractions))
