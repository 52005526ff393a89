"""Interpolation on grids parallel to the axes: whole rows are weighted and added up."""

import numpy as np

from dask_image._kernels._numba import jit, use_numba
from dask_image._kernels.blocks.interpolation.points import points_of_part
from dask_image._kernels.blocks.interpolation.rows import (
    add_product,
    add_scaled,
    add_scaled_product,
    fill,
    kind_of,
    load,
    scale,
    store,
)
from dask_image._kernels.blocks.interpolation.values import Pixels, by_parts, in_bands
from dask_image._kernels.blocks.interpolation.weights import find_places, fold_row, weigh

# Pixels computed in doubles at a time, where they are converted by NumPy.
BAND = 1 << 17


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
            pixels = np.arange(begin, begin + band.shape[1])
            for row, line, index in zip(band, lines, np.unravel_index(pixels, shape)):
                row[...] = line[index]

        return points_of_part(coefficients, box, fill_band, shape, spline, cval, dtype)
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

    def compute(begin, count, out, kind):
        _sum_rows(
            pixels.data, pixels.kind, sizes, places, weights, known, exact, cval,
            begin // shape[-1], out, kind, count // shape[-1],
        )  # fmt: skip

    whole = kind_of(dtype, result=True) is not None
    band = result.size if whole else max(BAND // shape[-1], 1) * shape[-1]
    in_bands(compute, result.reshape(-1), band)
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
        first = np.empty(x.size, np.int64)
        own_places, own_weights = np.empty((order + 1, x.size), np.int64), np.empty((order + 1, x.size))
        weigh(x, order, first, own_weights)
        find_places(first, mode, sizes[4, axis], sizes[3, axis], own_places)
        for tap in range(order + 1):
            for k in range(x.size):
                places[tap, begin + k] = own_places[tap, k] if known[begin + k] else -1
                weights[tap, begin + k] = own_weights[tap, k]
        begin = end


@jit
def _sum_rows(
    data, kind, sizes, places, weights, known, exact, cval, first_row, out, out_kind, rows
):
    """
    Interpolate some rows of the output.

    ``sizes`` has for each axis the lengths of output and box, the box's stride and origin and the
    length of the whole image. Rows of the image, resampled along the last axis, are kept as long
    as following rows of the output may need them.
    """
    outer, taps = sizes.shape[1] - 1, places.shape[0]
    length, width = sizes[0, outer], sizes[1, outer]
    begins = np.zeros(outer + 1, np.int64)
    for axis in range(outer):
        begins[axis + 1] = begins[axis] + sizes[0, axis]
    columns = np.empty((taps, length), np.int64)
    column_weights = np.empty((taps, length))
    runs = np.empty((taps, 2), np.int64)
    for tap in range(taps):
        for k in range(length):
            place = places[tap, begins[outer] + k]
            columns[tap, k] = width if place < 0 else place
            column_weights[tap, k] = weights[tap, begins[outer] + k]
        runs[tap, 0], runs[tap, 1] = _longest_run(columns[tap])
    known_columns = known[begins[outer] :]
    all_known = known_columns.all()
    combinations = taps**outer
    slots = np.full(max(combinations, taps), NO_ROW)
    kept = np.empty((slots.size, taps if exact else 1, length))
    line = np.empty(width + 1)
    line[width] = cval
    total, values = np.empty(length), np.empty(length)
    chain = np.empty(outer)
    index = np.empty(outer, np.int64)
    for row in range(rows):
        fill(total, 0.0)
        if not _unravel(first_row + row, sizes, begins, known, index):
            fill(total, cval)
            store(total, out, out_kind, row * length)
            continue
        for combination in range(combinations):
            rest, offset, place = combination, np.int64(0), np.int64(0)
            for axis in range(outer - 1, -1, -1):
                tap = rest % taps
                rest //= taps
                place_here = places[tap, index[axis]]
                chain[axis] = weights[tap, index[axis]]
                if axis == outer - 1:
                    place = place_here
                if place_here < 0:
                    offset = NO_PIXELS
                elif offset >= 0:
                    offset += place_here * sizes[2, axis]
            slot = combination // taps * taps + place % taps
            own = kept[slot]
            if slots[slot] != offset:
                slots[slot] = offset
                if offset < 0:
                    fill(line, cval)
                else:
                    load(data, kind, offset, line[:width])
                _resample(line, columns, column_weights, runs, own, exact)
            if exact:
                for tap in range(taps):
                    _add_exactly(own[tap], chain, column_weights[tap], values, total)
            else:
                weight = 1.0
                for axis in range(outer):
                    weight *= chain[axis]
                add_scaled(own[0], weight, total)
        if not all_known:
            for k in range(length):
                if not known_columns[k]:
                    total[k] = cval
        store(total, out, out_kind, row * length)


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
    if exact:
        for tap in range(len(columns)):
            low, high = runs[tap, 0], runs[tap, 1]
            for k in range(low):
                out[tap, k] = line[columns[tap, k]]
            first = columns[tap, low]
            out[tap, low:high] = line[first : first + high - low]
            for k in range(high, columns.shape[1]):
                out[tap, k] = line[columns[tap, k]]
    else:
        row = out[0]
        fill(row, 0.0)
        for tap in range(len(columns)):
            low, high = runs[tap, 0], runs[tap, 1]
            first = columns[tap, low]
            _add_picked(line, columns[tap, :low], weights[tap, :low], row[:low])
            add_product(line[first : first + high - low], weights[tap, low:high], row[low:high])
            _add_picked(line, columns[tap, high:], weights[tap, high:], row[high:])


@jit
def _add_picked(line, columns, weights, row):
    for k in range(row.size):
        row[k] += line[np.uint64(columns[k])] * weights[k]


@jit
def _add_exactly(row, chain, weights, values, total):
    """Add a row, multiplied with one weight for each axis, in SciPy's order."""
    if chain.size == 0:
        add_product(row, weights, total)
    elif chain.size == 1:
        add_scaled_product(row, chain[0], weights, total)
    else:
        scale(row, chain[0], values)
        for axis in range(1, chain.size - 1):
            scale(values, chain[axis], values)
        add_scaled_product(values, chain[chain.size - 1], weights, total)
