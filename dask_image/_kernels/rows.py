"""
What kernels that sweep over the rows of a block share.

A kernel reads a block (with its halo) row by row and writes rows of the result. The rows
that it needs at a time stand in a *ring*: each is read from the block once, and lengthened
there by the pixels that the boundary mode puts beyond its ends, so that a block is never
copied to be padded. Which row or column stands where is a table (`places`), made by NumPy
before the compiled sweep begins.

What an engine asks of kernels that compute a region of a block only is said in
`overlap.BlockKernel` (``in_region``) and `overlap.run_passes` (``in_passes``).
"""

import numpy as np

from dask_image._kernels._numba import jit, jit_part
from dask_image._utils.modes import MODES


def places(start, stop, length, mode):
    """
    Return which pixel of an axis stands at ``start`` to ``stop``, and -1 for ``cval``.

    Parameters
    ----------
    start, stop : int
        The positions; those outside of ``[0, length)`` follow ``mode``.
    length : int
        Of the axis, at least 1.
    mode : str
        Any of SciPy's modes for filters.

    Returns
    -------
    numpy.ndarray of int64
    """
    positions = np.arange(start, stop)
    return MODES[mode].fold(positions, length).astype(np.int64, copy=False)


def whole(region, shape):
    """Return ``(start, stop)`` for each axis of a region, which may be None for everything."""
    if region is None:
        return [(0, size) for size in shape]
    return [cut.indices(size)[:2] for cut, size in zip(region, shape, strict=True)]


def inside(table):
    """
    Return ``(first, last, pixel)`` of the longest stretch of ``table`` that counts upwards.

    From `places` there is one at most; the pixel ``pixel`` stands at ``first``, its
    neighbours follow until before ``last``. `lengthen` and `read_row` copy it as one slice.
    """
    steps = np.flatnonzero(np.diff(table) != 1)
    edges = np.concatenate(([0], steps + 1, [len(table)]))
    longest = int(np.argmax(np.diff(edges)))
    first, last = int(edges[longest]), int(edges[longest + 1])
    return (first, last, int(table[first])) if table[first] >= 0 else (0, 0, 0)


def cut(found, region):
    """Return a region of a whole result, and let go of the rest."""
    return found if region is None else found[region].copy()


@jit
def load(pixels, row):
    """Write pixels of any dtype to a row, converted to the row's dtype as C converts them."""
    for place in range(row.size):
        row[place] = pixels[place]


@jit_part
def read_row(pixels, table, first, last, cval, row):
    """
    Write to ``row`` what ``table`` says stands there: pixels of a row of the block, or ``cval``.

    ``first`` to ``last`` is a stretch of the table that counts upwards (`inside`); what of it
    lies outside of the table, which may be a part of the one asked, is no matter.
    """
    first, last = max(first, 0), min(last, row.size)
    if last > first:
        begin = table[first]
        load(pixels[begin : begin + last - first], row[first:last])
    place = 0
    while place < row.size:
        if place == first and last > first:
            place = last
            continue
        row[place] = pixels[table[place]] if table[place] >= 0 else cval
        place += 1


FLOATING, NARROW, WIDE, UNSIGNED_WIDE = range(4)


def conversion(dtype):
    """Return how `store` has to convert float64 to ``dtype`` for the bits that C gives SciPy."""
    dtype = np.dtype(dtype)
    if dtype.kind == "f":
        return FLOATING
    if dtype.itemsize < 4 or dtype == np.int32:
        return NARROW
    return UNSIGNED_WIDE if dtype == np.uint64 else WIDE


@jit
def store(row, how, pixels):
    """Write a row of float64 to pixels of another dtype; ``how`` is from `conversion`."""
    if how == FLOATING:
        for place in range(pixels.size):
            pixels[place] = row[place]
    elif how == NARROW:
        # Narrow integers wrap around from 32 bits, as the processor's conversion does.
        for place in range(pixels.size):
            pixels[place] = np.int32(row[place])
    elif how == WIDE:
        for place in range(pixels.size):
            pixels[place] = np.int64(row[place])
    else:
        for place in range(pixels.size):
            value = row[place]
            if value >= 2.0**63:
                pixels[place] = np.uint64(np.int64(value - 2.0**63)) + np.uint64(2**63)
            else:
                pixels[place] = np.int64(value)
