"""
Rows of pixels, read from an image and written to a result of any dtype.

Kernels work on rows of doubles. Images and results come as bytes, with the ``kind`` of their
pixels beside them: so a kernel is compiled once for all dtypes. Those that have no kind are
converted by NumPy.
"""

import numpy as np

from dask_image._kernels._numba import jit

DOUBLE, SINGLE, BYTE, WORD, INTEGER = range(5)

_KINDS = {"f8": DOUBLE, "f4": SINGLE, "u1": BYTE, "u2": WORD, "i4": INTEGER}


def kind_of(dtype, result=False):
    """Return what kernels know a dtype by, None if they don't; truth values are read as bytes."""
    if dtype.kind == "b" and not result:
        return BYTE
    return _KINDS.get(f"{dtype.kind}{dtype.itemsize}")


@jit
def _pick(pixels, offsets, factors, row, count):
    for k in range(count):
        # Unsigned, or each would be checked for whether it counts from the end.
        row[k] = pixels[np.uint64(offsets[k])] * factors[k]


@jit
def pick(data, kind, delta, offsets, factors, row, count):
    """Read the pixels at ``offsets + delta``, and multiply them."""
    if kind == DOUBLE:
        _pick(data.view(np.float64)[delta:], offsets, factors, row, count)
    elif kind == SINGLE:
        _pick(data.view(np.float32)[delta:], offsets, factors, row, count)
    elif kind == BYTE:
        _pick(data[delta:], offsets, factors, row, count)
    elif kind == WORD:
        _pick(data.view(np.uint16)[delta:], offsets, factors, row, count)
    else:
        _pick(data.view(np.int32)[delta:], offsets, factors, row, count)


@jit
def _copy(pixels, row):
    for k in range(row.size):
        row[k] = pixels[k]


@jit
def load(data, kind, begin, row):
    """Read the pixels from ``begin`` on."""
    end = begin + row.size
    if kind == DOUBLE:
        _copy(data.view(np.float64)[begin:end], row)
    elif kind == SINGLE:
        _copy(data.view(np.float32)[begin:end], row)
    elif kind == BYTE:
        _copy(data[begin:end], row)
    elif kind == WORD:
        _copy(data.view(np.uint16)[begin:end], row)
    else:
        _copy(data.view(np.int32)[begin:end], row)


@jit
def round_unsigned(row, limit, out):
    """Round to the nearest integer up to ``limit``, halves up; NaN and what is below 0 to 0."""
    for k in range(row.size):
        value = row[k] + 0.5 if row[k] > 0 else 0.0
        out[k] = np.int32(value if value < limit else limit)


@jit
def round_signed(row, low, high, out):
    """Round to the nearest integer, halves away from zero; NaN to 0."""
    for k in range(row.size):
        value = row[k] + 0.5 if row[k] > 0 else row[k] - 0.5
        value = value if value > low else low
        out[k] = np.int32(value if value < high else high)


@jit
def fill(row, value):
    """Set all of a row."""
    for k in range(row.size):
        row[k] = value


@jit
def multiply(row, factors):
    """Multiply a row with another one."""
    for k in range(row.size):
        row[k] *= factors[k]


@jit
def add_product(row, factors, total):
    """Add the product of two rows to a third one."""
    for k in range(row.size):
        total[k] += row[k] * factors[k]


@jit
def add_scaled(row, factor, total):
    """Add a multiple of a row to another one."""
    for k in range(row.size):
        total[k] += row[k] * factor


@jit
def scale(row, factor, out):
    """Set a row to a multiple of another one."""
    for k in range(row.size):
        out[k] = row[k] * factor


@jit
def add_scaled_product(row, factor, factors, total):
    """Add to a row, in this order, ``row * factor * factors``."""
    for k in range(row.size):
        total[k] += row[k] * factor * factors[k]
