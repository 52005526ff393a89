"""Interpolation on grids parallel to the axes: whole rows are weighted and added up."""

import numpy as np

from dask_image._kernels._numba import jit, use_numba
from dask_image._kernels.blocks.interpolation.points import points_of_part
from dask_image._kernels.blocks.interpolation.rows import (
    add_product,
    add_scaled,
    copy,
    load,
)
from dask_image._kernels.blocks.interpolation.values import Pixels, by_parts, convert
from dask_image._kernels.blocks.interpolation.weights import find_places, fold_row, weigh

# Pixels computed in doubles at a time, where they are converted by NumPy.
BAND = 1 << 16


def on_grid(coefficients, box, lines, spline, dtype):
    """
    Interpolate on a grid of points parallel to the axes.

    Parameters
    ----------
    coefficients : numpy.ndarray
        The box.
    box : Box
    lines : sequence of numpy.ndarray
        For each axis the coordinates of the output's pixels along it.
    spline : Spline
    dtype : numpy.dtype
        Of the result.

    Returns
    -------
    numpy.ndarray
    """
    return by_parts(_grid_of_part, coefficients, box, (lines,), spline, dtype)


def _grid_of_part(coefficients, box, lines, spline, cval, dtype):
    shape = tuple(map(len, lines))
    result = np.empty(shape, dtype)
    if not use_numba():

        def fill_band(begin, band):
            rows = np.arange(begin // shape[-1], (begin + band.shape[1]) // shape[-1])
            index = np.unravel_index(rows, shape[:-1]) if len(shape) > 1 else ()
            for row, line, part in zip(band, lines, index):
                row.reshape(len(rows), -1)[...] = line[part][:, np.newaxis]
            band[-1].reshape(len(rows), -1)[...] = lines[-1]
            return band, 0

        return points_of_part(coefficients, box, fill_band, shape[-1], shape, spline, cval, dtype)
    if not result.size:
        return result
    pixels = Pixels(coefficients)
    sizes = np.array([shape, pixels.shape, pixels.strides, box.origin, box.shape], np.int64)
    line = np.concatenate([np.asarray(line, float) for line in lines])
    places = np.empty((spline.order + 1, line.size), np.int64)
    weights = np.empty((spline.order + 1, line.size))
    known = np.empty(line.size, np.bool_)
    _tabulate(
        line, sizes, float(spline.padding), spline.order, spline.mode.code, places, weights, known
    )
    # Integers are rounded: only SciPy's own order of summation gets every tie right.
    exact = dtype.kind != "f"
    length = shape[-1]
    flat = result.reshape(-1, length)
    rows = min(max(BAND // length, 1), len(flat))
    values = np.empty((rows, length))
    for begin in range(0, len(flat), rows):
        part = flat[begin : begin + rows]
        _sum_rows(
            pixels.data, pixels.kind, sizes, places, weights, known, exact, cval, begin,
            len(part), values,
        )  # fmt: skip
        convert(values[: len(part)].reshape(-1), part.reshape(-1))
    return result


@jit
def _tabulate(line, sizes, padding, order, mode, places, weights, known):
    """Set pixels and weights for the coordinates of all axes, and which of them have any."""
    begin = 0
    for axis in range(sizes.shape[1]):
        end = begin + sizes[0, axis]
        x = line[begin:end] + padding
        fold_row(x, sizes[4, axis], mode)
        for k in range(x.size):
            known[begin + k] = not np.isnan(x[k])
            if np.isnan(x[k]):
                x[k] = 0.0
        first = np.empty(x.size)
        found_places, found_weights = (
            np.empty((order + 1, x.size), np.int64),
            np.empty((order + 1, x.size)),
        )
        weigh(x, order, first, found_weights)
        find_places(first, mode, sizes[4, axis], sizes[3, axis], found_places)
        for tap in range(order + 1):
            for k in range(x.size):
                places[tap, begin + k] = found_places[tap, k] if known[begin + k] else -1
                weights[tap, begin + k] = found_weights[tap, k]
        begin = end


@jit
def _sum_rows(data, kind, sizes, places, weights, known, exact, cval, first_row, rows, out):
    """
    Interpolate some rows of the output, a few columns at a time.

    ``sizes`` has for each axis the lengths of output and box, the box's stride and origin and the
    length of the whole image.
    """
    length = out.shape[1]
    for left in range(0, length, TILE):
        right = min(left + TILE, length)
        _sum_tile(
            data, kind, sizes, places, weights, known, exact, cval, first_row, rows, left, right, out
        )  # fmt: skip


# Columns whose rows stay in the fastest cache.
TILE = 1024


@jit
def _sum_tile(
    data, kind, sizes, places, weights, known, exact, cval, first_row, rows, left, right, out
):
    """
    Interpolate some columns of some rows.

    Rows of the image, resampled along the last axis, are kept as long as following rows of the
    output may need them.
    """
    outer, taps = sizes.shape[1] - 1, places.shape[0]
    length = right - left
    begins = np.zeros(outer + 1, np.int64)
    for axis in range(outer):
        begins[axis + 1] = begins[axis] + sizes[0, axis]
    begin = begins[outer] + left
    columns = np.empty((taps, length), np.int64)
    column_weights = np.empty((taps, length))
    runs = np.empty((taps, 2), np.int64)
    low, high = sizes[1, outer], np.int64(0)
    for tap in range(taps):
        for k in range(length):
            place = places[tap, begin + k]
            if place >= 0:
                low, high = min(low, place), max(high, place + 1)
    low = min(low, high)
    width = high - low
    for tap in range(taps):
        for k in range(length):
            place = places[tap, begin + k]
            columns[tap, k] = width if place < 0 else place - low
            column_weights[tap, k] = weights[tap, begin + k]
        runs[tap, 0], runs[tap, 1] = _longest_run(columns[tap])
    known_columns = known[begin : begin + length]
    combinations = taps**outer
    slots = np.full(max(combinations, taps), NO_ROW)
    kept = np.empty((slots.size, taps if exact else 1, length))
    line = np.empty(width + 1)
    line[width] = cval
    values, total = np.empty(length), np.empty(length)
    chain, index = np.ones(max(outer, 1)), np.empty(outer, np.int64)
    for row in range(rows):
        target = out[row, left:right]
        if not _unravel(first_row + row, sizes, begins, known, index):
            target[:] = cval
            continue
        total[:] = 0.0
        for combination in range(combinations):
            rest, offset, place = combination, np.int64(0), np.int64(0)
            for axis in range(outer - 1, -1, -1):
                tap = rest % taps
                rest //= taps
                chain[axis] = weights[tap, index[axis]]
                picked = places[tap, index[axis]]
                if axis == outer - 1:
                    place = picked
                offset = NO_PIXELS if picked < 0 or offset < 0 else offset + picked * sizes[2, axis]
            slot = combination // taps * taps + place % taps
            if slots[slot] != offset:
                slots[slot] = offset
                if offset < 0:
                    line[:] = cval
                else:
                    load(data, kind, offset + low, line[:width])
                _resample(line, columns, column_weights, runs, kept[slot], exact)
            if exact:
                _add_exactly(kept[slot], chain, column_weights, values, total)
            else:
                weight = 1.0
                for axis in range(outer):
                    weight *= chain[axis]
                add_scaled(kept[slot, 0], weight, total)
        for k in range(length):
            target[k] = total[k] if known_columns[k] else cval


# In place of the offset of a row: there is none yet; it is `cval` throughout.
NO_ROW, NO_PIXELS = -2, -1


@jit
def _unravel(row, sizes, begins, known, index):
    """Set where in the tables a row of the output is found; tell whether it has any pixels."""
    has_any = True
    for axis in range(index.size - 1, -1, -1):
        index[axis] = begins[axis] + row % sizes[0, axis]
        row //= sizes[0, axis]
        has_any = has_any and known[index[axis]]
    return has_any


@jit
def _longest_run(places):
    """Return the longest stretch in which places follow upon one another."""
    begin = best = end = np.int64(0)
    for k in range(1, places.size + 1):
        if k == places.size or places[k] != places[k - 1] + 1:
            if k - begin > end - best:
                best, end = begin, k
            begin = k
    return best, end


@jit
def _resample(line, columns, weights, runs, out, exact):
    """Read a row of the image at the columns of the output: pixel by pixel, or weighted."""
    length = columns.shape[1]
    if not exact:
        out[:] = 0.0
    for tap in range(len(columns)):
        low, high = runs[tap, 0], runs[tap, 1]
        picked, factors = columns[tap], weights[tap]
        row = out[tap] if exact else out[0]
        run = line[picked[low] : picked[low] + high - low]
        if exact:
            copy(run, row[low:high])
        else:
            add_product(run, factors[low:high], row[low:high])
        for begin, end in ((np.int64(0), low), (high, length)):
            if exact:
                _pick(line, picked[begin:end], row[begin:end])
            else:
                _add_picked(line, picked[begin:end], factors[begin:end], row[begin:end])


@jit
def _pick(line, columns, row):
    for k in range(row.size):
        row[k] = line[np.uint64(columns[k])]


@jit
def _add_picked(line, columns, factors, row):
    for k in range(row.size):
        row[k] += line[np.uint64(columns[k])] * factors[k]


@jit
def _add_exactly(rows, chain, weights, values, total):
    """Add pixels, multiplied with one weight for each axis, in SciPy's order."""
    last = chain[chain.size - 1]
    first = chain[0] if chain.size > 1 else 1.0
    for tap in range(0, len(rows), 2):
        row = rows[tap]
        if chain.size > 2:
            _multiply(row, chain, values)
            row, first = values, 1.0
        if tap + 1 == len(rows) or chain.size > 2:
            _add_one(row, first, last, weights[tap], total)
            if tap + 1 < len(rows):
                _multiply(rows[tap + 1], chain, values)
                _add_one(values, first, last, weights[tap + 1], total)
        else:
            _add_two(row, rows[tap + 1], first, last, weights[tap], weights[tap + 1], total)


@jit
def _multiply(row, chain, values):
    for k in range(values.size):
        values[k] = row[k] * chain[0]
    for axis in range(1, chain.size - 1):
        factor = chain[axis]
        for k in range(values.size):
            values[k] *= factor


@jit
def _add_one(row, first, last, weights, total):
    for k in range(total.size):
        total[k] += row[k] * first * last * weights[k]


@jit
def _add_two(row, other, first, last, weights, other_weights, total):
    for k in range(total.size):
        value = total[k] + row[k] * first * last * weights[k]
        total[k] = value + other[k] * first * last * other_weights[k]
