"""Filters whose value a function of the caller's computes from each window or line."""

from __future__ import annotations

import ctypes
import math
from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
from dask.base import normalize_token
from scipy import LowLevelCallable, ndimage

from dask_image._utils.arguments import (
    normalize_array,
    normalize_axes,
    normalize_axis,
    normalize_cval,
    normalize_extras,
    normalize_integer,
    normalize_mode,
    normalize_number,
    per_axis,
)
from dask_image._utils.arrays import as_dask_array, output_dtype
from dask_image._utils.backend import kernel_for, numpy_only, result_dtype
from dask_image._utils.engines.overlap import largest_box, map_neighborhood
from dask_image._utils.typing import (
    Array,
    ArrayLike,
    DTypeLike,
    Function,
    Integer,
    ModeName,
    Number,
    PerAxis,
)
from dask_image._utils.windows import edges_of, sized, sized_or_footprint


def generic_filter(
    image: ArrayLike,
    function: Function,
    size: PerAxis[Integer] | None = None,
    footprint: ArrayLike | None = None,
    mode: ModeName = "reflect",
    cval: Number = 0.0,
    origin: PerAxis[Integer] = 0,
    extra_arguments: Sequence[Any] = (),
    extra_keywords: dict[str, Any] | None = None,
    *,
    output: DTypeLike | None = None,
    axes: PerAxis[Integer] | None = None,
) -> Array:
    """
    Call a function on the window around each pixel, as `scipy.ndimage.generic_filter`.

    Parameters
    ----------
    image : array_like
        Real image of any number of axes.
    function : callable or scipy.LowLevelCallable
        ``function(values, *extra_arguments, **extra_keywords)`` gets the values
        of a window as 1-D float64 and returns a number. A LowLevelCallable
        works in threads of one process; it cannot be sent to another.
    size, footprint, mode, cval, origin : optional
        As in `median_filter`.
    extra_arguments : sequence, optional
        Further arguments for the function.
    extra_keywords : dict, optional
        Further keywords for the function.
    output : dtype, optional
        Of the result; by default that of the image.
    axes : int or tuple of int, optional
        Filter along these axes only.

    Returns
    -------
    dask.array.Array
        Of the image's shape and chunks. The function is also called for
        pixels of the halo, whose results are dropped.

    Raises
    ------
    ValueError
        If neither ``size`` nor ``footprint`` is given, the mode is unknown, or
        an origin moves the window off the pixel.
    TypeError
        If the image is complex or ``function`` no callable.

    Examples
    --------
    >>> import dask.array as da
    >>> import numpy as np
    >>> from dask_image.ndfilters import generic_filter
    >>> generic_filter(da.arange(6.0, chunks=3), np.ptp, size=3).compute()
    array([1., 2., 2., 2., 2., 1.])
    """
    image = as_dask_array(image)
    _check_callable(function)
    window = sized_or_footprint(size, footprint, origin, axes, image.ndim)
    extras = normalize_extras(extra_arguments, extra_keywords)
    edges = edges_of(image, mode, cval)
    return filter_by_function(image, function, window, edges, output, extras, name="generic_filter")


def filter_by_function(image, function, window, edges, output, extras=((), {}), *, name):
    """Filter as `generic_filter`, in tasks called ``name``."""
    keywords = edges.keywords | window.keywords
    dtype = result_dtype(ndimage.generic_filter, image, np.sum, output=output, **keywords)
    return map_neighborhood(
        kernel_for(image, ndimage.generic_filter),
        image,
        name=name,
        reach=window.reach,
        modes=edges.modes,
        dtype=dtype,
        function=function,
        output=dtype,
        extra_arguments=extras[0],
        extra_keywords=extras[1],
        **keywords,
    )


def generic_filter1d(
    image: ArrayLike,
    function: Function,
    filter_size: Integer,
    axis: Integer = -1,
    mode: ModeName = "reflect",
    cval: Number = 0.0,
    origin: Integer = 0,
    extra_arguments: Sequence[Any] = (),
    extra_keywords: dict[str, Any] | None = None,
    *,
    output: DTypeLike | None = None,
) -> Array:
    """
    Call a function on every line along an axis, as `scipy.ndimage.generic_filter1d`.

    Parameters
    ----------
    image : array_like
        Real image.
    function : callable or scipy.LowLevelCallable
        ``function(line, result, *extra_arguments, **extra_keywords)`` gets a
        whole line, extended by ``filter_size`` - 1 pixels, and fills in the
        result, both 1-D float64.
    filter_size : int
        How many pixels of the line a result depends on.
    axis : int, optional
        Along which the lines run.
    mode, cval : optional
        As in `median_filter`.
    origin : int, optional
        Moves the window off its centre.
    extra_arguments, extra_keywords, output : optional
        As in `generic_filter`.

    Returns
    -------
    dask.array.Array
        Of the image's shape and chunks. Since the function sees whole lines,
        the image is rechunked along ``axis``, and back.

    Raises
    ------
    ValueError
        If ``filter_size`` is below 1, the mode unknown, or the origin moves
        the window off the pixel.
    TypeError
        If the image is complex or ``function`` no callable.

    Examples
    --------
    >>> import dask.array as da
    >>> from dask_image.ndfilters import generic_filter1d
    >>> def forward_difference(line, result):
    ...     result[:] = line[1:] - line[:-1]
    >>> squares = da.arange(6, chunks=3) ** 2
    >>> generic_filter1d(squares, forward_difference, 2, origin=-1).compute()
    array([1, 3, 5, 7, 9, 0])
    """
    image = as_dask_array(image)
    _check_callable(function)
    axis = normalize_axis(axis, image.ndim)
    origin = normalize_integer(origin, "origin")
    window = sized(filter_size, origin, axis, image.ndim, name="filter_size")
    cval = normalize_cval(cval, image.dtype)
    extra_arguments, extra_keywords = normalize_extras(extra_arguments, extra_keywords)
    keywords = {"axis": axis, "mode": normalize_mode(mode), "cval": cval}
    keywords |= {"filter_size": window.shape[0], "origin": window.origins[0]}
    dtype = result_dtype(ndimage.generic_filter1d, image, _fill_nothing, output=output, **keywords)
    lines = map_neighborhood(
        kernel_for(image, ndimage.generic_filter1d),
        image.rechunk({axis: -1}),
        name="generic_filter1d",
        reach=[(0, 0)] * image.ndim,
        modes=[mode] * image.ndim,
        dtype=dtype,
        function=function,
        output=dtype,
        extra_arguments=extra_arguments,
        extra_keywords=extra_keywords,
        **keywords,
    )
    return lines.rechunk(image.chunks)


@numpy_only
def vectorized_filter(
    image: ArrayLike,
    function: Function,
    *,
    size: PerAxis[Integer] | None = None,
    footprint: ArrayLike | None = None,
    output: DTypeLike | None = None,
    mode: ModeName | Literal["valid"] = "reflect",
    cval: Number | None = None,
    origin: PerAxis[Integer] | None = None,
    axes: PerAxis[Integer] | None = None,
    batch_memory: Integer = 2**30,
) -> Array:
    """
    Call a vectorised function on all windows, as `scipy.ndimage.vectorized_filter`.

    Parameters
    ----------
    image : array_like
        Image of any number of axes.
    function : callable
        ``function(windows, axis=axes)`` reduces the given axes, as `numpy.mean`
        does. It is called once on a single pixel to learn the dtype of its
        results, unless ``output`` tells it.
    size : int or sequence of int, optional
        Of a box in pixels, per axis of ``axes``.
    footprint : array_like of bool, optional
        The window itself, in place of ``size``; excludes it.
    output : dtype, optional
        Of the result; by default what ``function`` gives.
    mode : str, optional
        How the image goes on beyond its edges: "reflect", "constant"
        ("grid-constant"), "nearest", "mirror" ("grid-mirror"), "wrap"
        ("grid-wrap"); or "valid": only windows inside of the image.
    cval : scalar, optional
        Value beyond the edges; only with mode "constant".
    origin : int or sequence of int, optional
        Moves the window off its centre, per axis of ``axes``.
    axes : int or tuple of int, optional
        Filter along these axes only.
    batch_memory : int, optional
        How many bytes of windows a task may hand to ``function`` at once; at least those
        of one position along the first axis of a block.

    Returns
    -------
    dask.array.Array
        Of the image's shape and chunks; smaller by the window less one pixel
        in mode "valid".

    Raises
    ------
    ValueError
        If an argument is not as above.
    NotImplementedError
        If the installed SciPy is older than 1.16.

    Examples
    --------
    >>> import dask.array as da
    >>> import numpy as np
    >>> from dask_image.ndfilters import vectorized_filter
    >>> vectorized_filter(da.arange(6, chunks=3), np.mean, size=3, mode="valid").compute()
    array([1., 2., 3., 4.])
    """
    if not hasattr(ndimage, "vectorized_filter"):
        raise NotImplementedError("vectorized_filter needs SciPy 1.16 or newer")
    image = as_dask_array(image)
    _check_callable(function)
    which = normalize_axes(axes, image.ndim)
    given, box = _as_given(size, footprint, origin, which, image.ndim)
    # Windows inside of the image are among those of any other mode.
    inside = mode == "valid"
    if inside:
        _check_inside(box, origin, which, image.shape)
    mode = "nearest" if inside else normalize_mode(mode)
    if cval is not None:
        cval = normalize_cval(cval, image.dtype)
    keywords: dict[str, Any] = {
        **given, "mode": mode, "cval": cval, "origin": origin, "batch_memory": batch_memory,
    }  # fmt: skip
    if axes is not None:
        keywords["axes"] = which
    if image.size == 0:
        return image.astype(output_dtype(output, image.dtype))
    largest = largest_box(image.chunks, box.paired_reach, [mode] * image.ndim)
    _check_batches(batch_memory, image.dtype.itemsize, largest, which, box.shape)
    # SciPy takes arrays only for output here.
    computed = result_dtype(ndimage.vectorized_filter, image, function, **keywords)
    result = map_neighborhood(
        kernel_for(image, ndimage.vectorized_filter), image, name="vectorized_filter",
        reach=box.paired_reach, modes=[mode] * image.ndim, dtype=computed, function=function,
        **keywords,
    ).astype(output_dtype(output, computed))  # fmt: skip
    edges = zip(box.paired_reach, image.shape, strict=True)
    part = tuple(slice(before, length - after) for (before, after), length in edges)
    return result[part] if inside else result


def _as_given(size, footprint, origin, axes, ndim):
    """Return the window as SciPy takes it, and the box that it fills."""
    if (size is None) == (footprint is None):
        raise ValueError("either size or footprint must be given, and not both")
    if footprint is not None:
        footprint = normalize_array(footprint, "footprint", bool)
        if not footprint.any():
            raise ValueError("footprint must have a pixel that is True, got none")
        if footprint.ndim == 0:  # of which SciPy makes a window with an axis
            size, footprint = (), None
    shape = per_axis(size, len(axes), "size") if footprint is None else footprint.shape
    if len(shape) != len(axes):
        raise ValueError(f"footprint must have {len(axes)} axes, got shape {shape}")
    given = {"size": size} if footprint is None else {"footprint": footprint}
    return given, sized(shape, 0 if origin is None else origin, axes, ndim)


def _check_inside(box, origin, axes, shape):
    """Raise where no window that lies in the image all of it can be asked for."""
    if any(box.origins):
        raise ValueError(f"origin must be 0 with mode 'valid', got {origin!r}")
    if any(size > shape[axis] for axis, size in zip(axes, box.shape)):
        raise ValueError(
            f"the window must fit into the image with mode 'valid', got {box.shape} for {shape}"
        )


def _check_batches(batch_memory, itemsize, box, axes, sizes):
    """
    Raise if ``batch_memory`` cannot hold the windows that SciPy takes at once.

    These are all windows of a block whose place along its first axis is the same: the
    first axis that no window runs along, or else the first of ``axes``. ``box`` is the
    size of the largest block with its halo.
    """
    normalize_number(batch_memory, "batch_memory")
    order = [axis for axis in range(len(box)) if axis not in axes] + list(axes)
    needed = itemsize * math.prod(sizes) * math.prod(box[axis] for axis in order[1:])
    if axes and not needed <= batch_memory:
        raise ValueError(
            f"batch_memory must be at least {needed} bytes for blocks of {box} with their halo, "
            f"got {batch_memory!r}"
        )


def _check_callable(function):
    if not callable(function) and not isinstance(function, LowLevelCallable):
        raise TypeError(f"function must be callable or a LowLevelCallable, got {function!r}")


def _fill_nothing(line, result):
    """Stand in for a caller's function while SciPy checks the other arguments."""


@normalize_token.register(LowLevelCallable)
def _address_of(function):
    """Tell low-level functions apart by where they and their data are."""
    capsule = tuple.__getitem__(function, 0)
    api = ctypes.pythonapi
    name_of = ctypes.PYFUNCTYPE(ctypes.c_char_p, ctypes.py_object)(("PyCapsule_GetName", api))
    pointer_of = ctypes.PYFUNCTYPE(ctypes.c_void_p, ctypes.py_object, ctypes.c_char_p)(
        ("PyCapsule_GetPointer", api)
    )
    context_of = ctypes.PYFUNCTYPE(ctypes.c_void_p, ctypes.py_object)(("PyCapsule_GetContext", api))
    name = name_of(capsule)
    return "LowLevelCallable", name, pointer_of(capsule, name), context_of(capsule)
