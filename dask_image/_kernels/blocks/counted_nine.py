"""
Ranks among those of nine pixels, three by three, that count.

Pixels that do not count get the largest value, so that the others come first in order. Columns of
three are sorted once for all windows that share them. Of three such columns side by side each of
the nine ranks is a few comparisons away (after J. L. Smith, "Implementing median filters in
XC4000E FPGAs", 1996); which one a window gets follows from how many of its pixels count.
"""

import numpy as np

from dask_image._kernels._numba import jit, jit_part, wide_vectors
from dask_image._kernels.memory import recycled, scratch
from dask_image._kernels.stand_ins._steps import ExtendedAxis, take_apart

NINE = 9


def are_nine(footprint):
    """Tell whether the pixels of a window are three by three along the last axes."""
    return footprint.shape[-2:] == (3, 3) and np.count_nonzero(footprint) == footprint.size == NINE


def ranks_of_nine(image, mask, region, ranks, window, edges, fill):
    """
    Return the values of ranks among the counted pixels of windows that `are_nine`.

    Parameters
    ----------
    image : numpy.ndarray
        Of a dtype in `_lines.NUMBERS`.
    mask, region
        As for `counted_ranks.counted_ranks`.
    ranks : numpy.ndarray
        The rank for each number of counted pixels, below 0 where there is none. More pixels have
        no lower rank.
    window : PlacedWindow
    edges : tuple
        The value of pixels beyond them, and whether these count.
    fill : numpy.generic
        What is written where there is no rank; of the dtype of the result, which holds all values
        of the image's.

    Returns
    -------
    numpy.ndarray or None
        None if a pixel that counts is NaN.
    """
    kind, width = image.dtype.type, image.shape[-1]
    most = np.inf if image.dtype.kind == "f" else np.iinfo(image.dtype).max
    # One row more of each part is that of all those beyond the edges.
    blank, apart = image.size, image.size + width
    parts, odd = take_apart(np.ascontiguousarray(image), mask, kind(most), apart)
    if odd:
        return None
    parts[blank:apart], parts[apart + blank :] = edges
    axes = window.axes(image.shape, region)
    planes = np.zeros(1, np.int64)
    for axis in axes[:-2]:
        planes = (planes[:, None] * axis.length + axis.table()).reshape(-1)
    rows, across = axes[-2].table(), ExtendedAxis.of(axes[-1].table(), 0)
    result = recycled([axis.stop - axis.start for axis in axes], fill.dtype)
    # How many pixels make each rank, or a higher one, that of a window.
    limits = np.searchsorted(ranks, np.arange(NINE)).astype(image.dtype)
    _sweep(
        (parts, apart, blank), result.reshape(-1), (planes * axes[-2].length, rows, width),
        (across.table, across.stretch), limits, fill,
        scratch("sorted columns", 4 * across.table.size, image.dtype),
    )  # fmt: skip
    return result


@jit
def _sweep(source, result, down, across, limits, fill, columns):
    """
    Write the ranks that ``limits`` choose of all windows, from row to row.

    ``source`` are the pixels and behind them the numbers of the mask, how far apart these are, and
    where in them stands a row for those beyond the edges. ``down`` are the first rows of planes,
    the rows of each, and how long they are. ``columns`` takes, one behind the other, the least, the
    middle and the largest pixels of columns, and how many count.
    """
    parts, apart, blank = source
    planes, rows, width = down
    table, (first, last, shift) = across
    size, one = table.size, 1 + 0 * width
    for plane in range(planes.size):
        for top in range(rows.size - 2):
            upper, row, lower = rows[top], rows[top + 1], rows[top + 2]
            upper = (planes[plane] + upper) * width if upper >= 0 else blank
            row = (planes[plane] + row) * width if row >= 0 else blank
            lower = (planes[plane] + lower) * width if lower >= 0 else blank
            _sort_columns(
                parts, apart, upper + first + shift, row + first + shift, lower + first + shift,
                columns, size, first, last - first,
            )  # fmt: skip
            place = 0 * size
            while place < size:
                if place == first and last > first:
                    place = last
                    continue
                pixel = table[place]
                if pixel >= 0:
                    _sort_columns(
                        parts, apart, upper + pixel, row + pixel, lower + pixel, columns, size,
                        place, one,
                    )  # fmt: skip
                else:
                    _sort_columns(parts, apart, blank, blank, blank, columns, size, place, one)
                place += 1
            _choose(
                columns, size, limits, fill, result,
                (plane * (rows.size - 2) + top) * (size - 2), size - 2,
            )  # fmt: skip


@jit_part
def _sort_columns(parts, apart, upper, row, lower, columns, size, to, count):
    """Sort the pixels of columns, and add up how many count."""
    wide_vectors()
    a, b, c, behind = np.uint64(upper), np.uint64(row), np.uint64(lower), np.uint64(apart)
    least, step = np.uint64(to), np.uint64(size)
    middle, most, counts = least + step, least + step + step, least + step + step + step
    for i in range(np.uint64(count)):
        value, other, third = parts[a + i], parts[b + i], parts[c + i]
        low, high = min(other, value), max(other, value)
        columns[least + i] = min(third, low)
        columns[most + i] = max(third, high)
        columns[middle + i] = max(low, min(high, third))
        columns[counts + i] = parts[behind + a + i] + parts[behind + b + i] + parts[behind + c + i]


@jit_part
def _choose(columns, size, limits, fill, result, to, count):
    """Write of all windows the rank that their number of pixels chooses."""
    wide_vectors()
    step, one, two, t = np.uint64(size), np.uint64(1), np.uint64(2), np.uint64(to)
    l0, l1, l2, l3, l4 = limits[0], limits[1], limits[2], limits[3], limits[4]
    l5, l6, l7, l8 = limits[5], limits[6], limits[7], limits[8]
    middles, mosts, numbers = step, step + step, step + step + step
    for i in range(np.uint64(count)):
        # The least pixels of the columns in order, a, then the middle ones and the largest.
        a, b, c = columns[i], columns[i + one], columns[i + two]
        low, high = min(a, b), max(a, b)
        a0, a1, a2 = min(low, c), max(low, min(high, c)), max(high, c)
        a, b, c = columns[middles + i], columns[middles + i + one], columns[middles + i + two]
        low, high = min(a, b), max(a, b)
        b0, b1, b2 = min(low, c), max(low, min(high, c)), max(high, c)
        a, b, c = columns[mosts + i], columns[mosts + i + one], columns[mosts + i + two]
        low, high = min(a, b), max(a, b)
        c0, c1, c2 = min(low, c), max(low, min(high, c)), max(high, c)
        counts = (
            columns[numbers + i] + columns[numbers + i + one] + columns[numbers + i + two]
        )  # fmt: skip
        # What is neither above nor left of another one comes after it.
        low, high = min(a2, c0), max(a2, c0)
        after, before = max(a1, b0), min(c1, b2)
        value = a0
        value = min(a1, b0) if counts >= l1 else value
        value = min(after, low) if counts >= l2 else value
        value = min(b1, max(low, min(high, after))) if counts >= l3 else value
        value = max(low, min(high, b1)) if counts >= l4 else value
        value = max(b1, max(low, min(high, before))) if counts >= l5 else value
        value = max(before, high) if counts >= l6 else value
        value = max(c1, b2) if counts >= l7 else value
        value = c2 if counts >= l8 else value
        result[t + i] = result.dtype.type(value) if counts >= l0 else fill
