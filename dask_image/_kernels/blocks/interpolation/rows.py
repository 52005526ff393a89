"""
Rows of pixels, read from an image and rounded to a result of any dtype.

Kernels work on rows of doubles. Images come as one view for each ``kind`` of pixels, of
which one is true: so a kernel is compiled once for all dtypes. Those that have no kind are converted by NumPy.
"""

import numpy as np

from dask_image._kernels._numba import jit

DOUBLE, SINGLE, BYTE, WORD, INTEGER = range(5)

KINDS = ("f8", "f4", "u1", "u2", "i4")


def kind_of(dtype):
    """Return what kernels know a dtype by, None if they don't; truth values are bytes."""
    name = f"{dtype.kind}{dtype.itemsize}"
    return BYTE if name == "b1" else KINDS.index(name) if name in KINDS else None


@jit
def _pick(pixels, offsets, factors, row, count):
    # Unsigned, or each offset would be checked for whether it counts from the end.
    for k in range(count):
        row[k] = pixels[np.uint64(offsets[k])] * factors[k]


@jit
def pick(data, kind, delta, offsets, factors, row, count):
    """Read the pixels at ``offsets + delta``, and multiply them."""
    if kind == DOUBLE:
        _pick(data[0][delta:], offsets, factors, row, count)
    elif kind == SINGLE:
        _pick(data[1][delta:], offsets, factors, row, count)
    elif kind == BYTE:
        _pick(data[2][delta:], offsets, factors, row, count)
    elif kind == WORD:
        _pick(data[3][delta:], offsets, factors, row, count)
    else:
        _pick(data[4][delta:], offsets, factors, row, count)


@jit
def _add_squares(pixels, stride, offsets, factors, top, bottom, left, right, total, count):
    beside, below, across = pixels[1:], pixels[stride:], pixels[stride + 1 :]
    for k in range(count):
        offset, factor = np.uint64(offsets[k]), factors[k]
        value = total[k] + pixels[offset] * factor * top[k] * left[k]
        value += beside[offset] * factor * top[k] * right[k]
        value += below[offset] * factor * bottom[k] * left[k]
        total[k] = value + across[offset] * factor * bottom[k] * right[k]


@jit
def add_squares(data, kind, delta, stride, offsets, factors, rows, columns, total, count):
    """
    Add, in SciPy's order, four neighbouring pixels at ``offsets + delta``.

    Each is multiplied with one of ``factors``, then with its weights by row and by column.
    """
    top, bottom, left, right = rows[0], rows[1], columns[0], columns[1]
    if kind == DOUBLE:
        _add_squares(
            data[0][delta:], stride, offsets, factors, top, bottom, left, right, total, count
        )
    elif kind == SINGLE:
        _add_squares(
            data[1][delta:], stride, offsets, factors, top, bottom, left, right, total, count
        )
    elif kind == BYTE:
        _add_squares(
            data[2][delta:], stride, offsets, factors, top, bottom, left, right, total, count
        )
    elif kind == WORD:
        _add_squares(
            data[3][delta:], stride, offsets, factors, top, bottom, left, right, total, count
        )
    else:
        _add_squares(
            data[4][delta:], stride, offsets, factors, top, bottom, left, right, total, count
        )


@jit
def copy(pixels, row):
    """Set a row to pixels."""
    for k in range(row.size):
        row[k] = pixels[k]


@jit
def load(data, kind, begin, row):
    """Read the pixels from ``begin`` on."""
    end = begin + row.size
    if kind == DOUBLE:
        copy(data[0][begin:end], row)
    elif kind == SINGLE:
        copy(data[1][begin:end], row)
    elif kind == BYTE:
        copy(data[2][begin:end], row)
    elif kind == WORD:
        copy(data[3][begin:end], row)
    else:
        copy(data[4][begin:end], row)


@jit
def round_unsigned(row, limit, out):
    """Round to the nearest integer up to ``limit``, halves up; NaN and what is below 0 to 0."""
    for k in range(row.size):
        value = row[k] + 0.5 if row[k] > 0 else 0.0
        out[k] = np.int32(min(limit, value))


@jit
def round_signed(row, low, high, missing, out):
    """Round to the nearest integer, halves away from zero; NaN to ``missing``."""
    for k in range(row.size):
        value = row[k] + 0.5 if row[k] > 0 else row[k] - 0.5
        value = max(min(value, high), low) if value == value else missing
        out[k] = np.int32(value)


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
