"""What all ways to interpolate share: parts of complex arrays, precision, conversion of results."""

import math

import numpy as np

from dask_image._kernels._numba import use_numba
from dask_image._kernels.blocks.interpolation.rows import (
    KINDS,
    kind_of,
    round_signed,
    round_unsigned,
)


def by_parts(function, coefficients, box, arguments, spline, dtype):
    """Run ``function`` on a real array, or on the two parts of a complex one."""
    if dtype.kind != "c":
        return function(coefficients, box, *arguments, spline, spline.cval, dtype)
    real = np.empty(0, dtype).real.dtype
    cval = complex(spline.cval)
    first = function(coefficients.real, box, *arguments, spline, cval.real, real)
    result = np.empty(first.shape, dtype)
    result.real = first
    result.imag = function(coefficients.imag, box, *arguments, spline, cval.imag, real)
    return result


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
    """Return a box in one piece, of a dtype that compiled kernels know."""
    known = kind_of(box.dtype) is not None
    box = np.ascontiguousarray(box, box.dtype.newbyteorder("=") if known else np.float64)
    return box.view(KINDS[kind_of(box.dtype)])


class Pixels:
    """A box of pixels as a compiled kernel takes it: flat, among empty arrays of other kinds."""

    def __init__(self, box):
        known = kind_of(box.dtype) is not None
        box = np.ascontiguousarray(box, box.dtype.newbyteorder("=") if known else np.float64)
        self.shape = box.shape
        self.strides = tuple(math.prod(box.shape[axis + 1 :]) for axis in range(box.ndim))
        self.kind = kind_of(box.dtype)
        flat = box.reshape(-1).view(KINDS[self.kind])
        self.data = tuple(
            flat if kind == self.kind else np.empty(0, name) for kind, name in enumerate(KINDS)
        )


def convert(values, out):
    """Write doubles to the part of a result, converted as SciPy does."""
    dtype = out.dtype
    if dtype.kind == "f":
        out[...] = values
    elif dtype.kind == "u" and dtype.itemsize <= 2 and use_numba():
        round_unsigned(values, float(np.iinfo(dtype).max), out)
    elif dtype.kind == "i" and dtype.itemsize <= 4 and use_numba():
        limits = np.iinfo(dtype)
        missing = float(limits.min) if dtype.itemsize > 2 else 0.0
        round_signed(values, float(limits.min), float(limits.max), missing, out)
    else:
        out[...] = converted(values, dtype)
