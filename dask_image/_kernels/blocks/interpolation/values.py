"""What all ways to interpolate share: parts of complex arrays, precision, conversion of results."""

import math
from dataclasses import replace

import numpy as np
from numpy.lib.stride_tricks import as_strided

from dask_image._kernels._numba import use_numba
from dask_image._kernels.blocks.interpolation.rows import kind_of, store


def by_parts(function, coefficients, box, points, spline, dtype):
    """Run ``function`` on a real array, or on the two parts of a complex one."""
    if dtype.kind != "c":
        return function(coefficients, box, points, spline, dtype)
    real = np.empty(0, dtype).real.dtype
    first, second = (
        function(part, box, points, replace(spline, cval=cval), real)
        for part, cval in (
            (coefficients.real, complex(spline.cval).real),
            (coefficients.imag, complex(spline.cval).imag),
        )
    )
    result = np.empty(first.shape, dtype)
    result.real, result.imag = first, second
    return result


def stacked(array, ndim):
    """Return an array with one axis before its last ``ndim``, for a stack of boxes of any shape."""
    before = array.ndim - ndim
    return array.reshape(math.prod(array.shape[:before]), *array.shape[before:])


def work_dtype(dtype):
    """Return what a kernel writes before conversion: integers are rounded from doubles."""
    return dtype if dtype.kind == "f" else np.dtype(float)


def converted(values, dtype):
    """Convert as SciPy does: to the nearest integer, halves away from zero, without overflow."""
    if values.dtype == dtype:
        return values
    if dtype.kind == "b":
        # A truth value is the last byte of the integer part; what is no integer has none.
        values = np.where(np.abs(values) < 2.0**62, values, 0.0)
        return values.astype(np.int64) & 255 != 0
    limits = np.iinfo(dtype)
    rounded = np.trunc(values + np.copysign(0.5, values))
    missing = np.isnan(rounded)
    # The largest 64-bit integers are no doubles: what reaches them is set apart.
    above = rounded >= float(limits.max)
    below = rounded <= float(limits.min)
    rounded[above | below | missing] = 0
    result = rounded.astype(dtype)
    result[above] = limits.max
    result[below] = limits.min
    result[missing] = limits.min if dtype.itemsize > 2 else 0
    return result


def outside(spline, dtype):
    """Return what ``cval`` is in the dtype of a result."""
    if dtype.kind == "c":
        return dtype.type(spline.cval)
    return converted(np.array([spline.cval], work_dtype(dtype)), dtype)[0]


def native(box):
    """Return a box in one piece, of a dtype that compiled kernels read."""
    kind = kind_of(box.dtype)
    if box.dtype.kind == "b":
        box = box.view(kind)
    return np.ascontiguousarray(box, kind)


def where_it_lies(box):
    """
    Return the pixels of a box one after another, as `native`, and its strides, in pixels.

    What is cut out of an image is not copied: other pixels of it lie between the rows.
    """
    size = box.dtype.itemsize
    kept = box.size and kind_of(box.dtype) == box.dtype.str[1:] and box.dtype.isnative
    if not kept or box.strides[-1] != size or any(step % size or step < 0 for step in box.strides):
        box, size = native(box), np.dtype(kind_of(box.dtype)).itemsize
    strides = [step // size for step in box.strides]
    length = sum((count - 1) * step for count, step in zip(box.shape, strides)) + 1
    return as_strided(box, (length if box.size else 0,), (size,)), strides


def limits_of(dtype):
    """Return the least and the largest integer of a dtype and what NaN becomes; None unless few."""
    if dtype.kind not in "iu" or dtype.itemsize > 4 - 2 * (dtype.kind == "u"):
        return None
    limits = np.iinfo(dtype)
    missing = limits.min if dtype.itemsize > 2 else 0
    return float(limits.min), float(limits.max), float(missing)


def convert(values, out):
    """Write doubles to the part of a result, converted as SciPy does."""
    limits = limits_of(out.dtype)
    if limits is None or not use_numba():
        out[...] = converted(values, out.dtype)
    else:
        store(values, len(values), limits, out)
