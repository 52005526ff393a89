"""Interpolation on grids parallel to the axes: whole rows are weighted and added up."""

import itertools
import math

import numpy as np

from dask_image._kernels._numba import jit, use_numba
from dask_image._kernels.blocks.interpolation.points import points_of_part
from dask_image._kernels.blocks.interpolation.rows import store
from dask_image._kernels.blocks.interpolation.values import (
    by_parts,
    converted,
    limits_of,
    native,
    stacked,
)
from dask_image._kernels.blocks.interpolation.weights import weights_of

# Pixels computed in doubles at a time, where they are converted by NumPy.
BAND = 1 << 16

# Columns whose rows stay in a cache: fewer at a time, and memory is written in pieces.
TILE = 4096


def on_grid(coefficients, box, lines, spline, dtype):
    """
    Interpolate on a grid of points parallel to the axes.

    Parameters
    ----------
    coefficients : numpy.ndarray
        The box; axes before make a stack of boxes, each of which is read.
    box : Crop
    lines : sequence of numpy.ndarray
        For each axis the coordinates of the output's pixels along it.
    spline : Spline
    dtype : numpy.dtype
        Of the result.

    Returns
    -------
    numpy.ndarray
    """
    compute = _grid_of_part if use_numba() else _grid_by_points
    return by_parts(compute, coefficients, box, (lines,), spline, dtype)


def _grid_by_points(coefficients, box, lines, spline, cval, dtype):
    """Interpolate without numba."""
    shape = tuple(map(len, lines))

    def fill_band(begin, band):
        rows = np.arange(begin // shape[-1], (begin + band.shape[1]) // shape[-1])
        index = np.unravel_index(rows, shape[:-1]) if len(shape) > 1 else ()
        for row, line, part in zip(band, lines, index):
            row.reshape(len(rows), -1)[...] = line[part][:, np.newaxis]
        band[-1].reshape(len(rows), -1)[...] = lines[-1]
        return band, 0

    return points_of_part(coefficients, box, fill_band, shape[-1], shape, spline, cval, dtype)


def _grid_of_part(coefficients, box, lines, spline, cval, dtype):
    ndim = len(lines)
    result = np.empty((*coefficients.shape[:-ndim], *map(len, lines)), dtype)
    if not result.size:
        return result
    planes = stacked(coefficients, ndim)
    tables = [
        _table(line, origin, length, size, spline)
        for line, origin, length, size in zip(lines, box.origin, planes.shape[1:], box.shape)
    ]
    flat = result.reshape(len(planes), -1, len(lines[-1]))
    grid = _Rows(planes.shape[1:], tables, cval, dtype)
    limits = limits_of(dtype)
    rows = min(max(BAND // flat.shape[2], 1), flat.shape[1])
    values = None if dtype.kind == "f" or limits is not None else np.empty((rows, flat.shape[2]))
    for plane, target in zip(planes, flat):
        pixels = native(plane).reshape(-1)
        if values is None:
            grid.sum_up(pixels, 0, limits, target)
            continue
        for begin in range(0, len(target), rows):
            part = target[begin : begin + rows]
            grid.sum_up(pixels, begin, None, values[: len(part)])
            part[...] = converted(values[: len(part)], dtype)
    return result


def _table(line, origin, length, size, spline):
    """
    Return for the coordinates along an axis which pixels of the box they read, and how these count.

    A pixel is -1 where it is ``cval``. Any will do for a coordinate that has none.
    """
    mode = spline.mode
    x = mode.fold_coordinate(np.asarray(line, float) + spline.padding, size)
    lost = np.isnan(x)
    x[lost] = 0.0
    first, weights = weights_of(x, spline.order)
    taps = np.arange(spline.order + 1)[:, np.newaxis]
    places = np.asarray(mode.fold_coefficient(first.astype(np.int64) + taps, size))
    # The box may run on into the next period.
    found = np.where(places < origin, places + size, places) - origin
    found[places < 0] = -1
    found[:, lost] = min(length, 1) - 1
    return found, weights, ~lost


class _Rows:
    """Sums of rows of a box, as the tables of all axes have it."""

    def __init__(self, shape, tables, cval, dtype):
        self.cval = cval
        # Integers are rounded: only SciPy's own order of summation gets every tie right.
        self.exact = dtype.kind != "f"
        self.last = tables[-1]
        outer = tables[:-1]
        places = [table[0] for table in outer] or [np.zeros((1, 1), np.int64)]
        taps = len(self.last[0]) if outer else 1
        # An image of one axis is one of a single row.
        weights = [table[1] for table in outer] or [np.ones((1, 1))]
        known = [table[2] for table in outer] or [np.ones(1, bool)]
        strides = [math.prod(shape[axis + 1 :]) for axis in range(len(places))]
        self.offsets = np.concatenate(
            [np.where(p < 0, NOWHERE, p * stride) for p, stride in zip(places, strides)], axis=1
        )
        self.turns = np.concatenate(places, axis=1) % taps
        self.weights, self.known = np.concatenate(weights, 1), np.concatenate(known)
        sizes = [len(one) for one in known]
        self.sizes = np.array([sizes, np.cumsum([0, *sizes[:-1]])], np.int64)
        self.digits = np.array(list(itertools.product(range(taps), repeat=len(sizes))), np.int64)

    def sum_up(self, pixels, first_row, limits, out):
        """Set some rows of the output, a few columns at a time."""
        places, weights, known = self.last
        taps, length = places.shape
        width = min(TILE, length)
        kept = np.empty((len(self.digits), taps if self.exact else 1, width))
        scratch, total = np.empty(width), np.empty(width)
        slots, index = np.empty(len(self.digits), np.int64), np.empty(self.sizes.shape[1], np.int64)
        for left in range(0, length, TILE):
            columns = np.ascontiguousarray(places[:, left : left + TILE])
            factors = np.ascontiguousarray(weights[:, left : left + TILE])
            runs = np.array([_longest_run(line) for line in columns], np.int64)
            slots[:] = NO_ROW
            _sum_tile(
                pixels, self.sizes, self.offsets, self.turns, self.weights, self.known,
                self.digits, first_row, columns, factors, runs, known[left : left + TILE],
                self.exact, self.cval, limits, left, kept, slots, index, scratch, total, out,
            )  # fmt: skip


def _longest_run(places):
    """Return where places follow upon one another for longest, and whether any is missing."""
    breaks = np.flatnonzero(np.diff(places) != 1) + 1
    bounds = np.concatenate([[0], breaks, [len(places)]])
    longest = np.argmax(np.diff(bounds))
    return (*bounds[longest : longest + 2], (places < 0).any())


# In place of the offset of a row: there is none yet. A sum with the other one is `cval` throughout.
NO_ROW, NOWHERE = -(1 << 60), -(1 << 56)


@jit
def _sum_tile(
    pixels, sizes, offsets, turns, weights, known, digits, first_row, columns, factors, runs,
    known_columns, exact, cval, limits, left, kept, slots, index, scratch, total, out,
):  # fmt: skip
    """
    Interpolate some columns of some rows.

    Rows of the image, read at these columns, are kept as long as following rows of the output may
    need them: a row in one of as many slots as there are taps.
    """
    taps, length = columns.shape
    outer, group = len(index) - 1, len(turns)
    all_known = known_columns.all()
    pairs = len(digits) > 1 and (taps == 2 or not exact)
    before = np.int64(-1)
    for row in range(len(out)):
        has_any = _unravel(first_row + row, sizes, known, index)
        if (first_row + row) // sizes[0, outer] != before:
            # Where the order counts, weights of the axes before are worked into what is kept.
            before = (first_row + row) // sizes[0, outer]
            slots[:] = NO_ROW
        total[:length] = 0.0
        pending, held = np.int64(-1), 0.0
        for number in range(len(digits) if has_any else 0):
            # Looked up here, and not in a function: a call takes as long as a hundred pixels.
            offset, weight = np.int64(0), 1.0
            for axis in range(outer + 1):
                offset += offsets[digits[number, axis], index[axis]]
                if axis == outer or not exact:
                    weight *= weights[digits[number, axis], index[axis]]
            offset = offset if offset >= 0 else NOWHERE
            slot = number // group * group + turns[digits[number, outer], index[outer]]
            if slots[slot] != offset:
                if slot == pending:
                    _add_row(kept[slot], held, factors, length, exact, total)
                    pending = -1
                slots[slot] = offset
                _fill(
                    pixels, digits[number], offset, weights, index, columns, factors, runs, exact,
                    cval, kept[slot], scratch,
                )  # fmt: skip
            if not pairs:
                _add_row(kept[slot], weight, factors, length, exact, total)
            elif pending < 0:
                pending, held = slot, weight
            else:
                _add_rows(kept[pending], kept[slot], held, weight, factors, length, exact, total)
                pending = -1
        if pending >= 0:
            _add_row(kept[pending], held, factors, length, exact, total)
        if not (has_any and all_known):
            for k in range(length):
                if not (has_any and known_columns[k]):
                    total[k] = cval
        store(total, length, limits, out[row, left : left + length])


@jit
def _unravel(row, sizes, known, index):
    """Set where in the tables a row of the output is found; tell whether it has any pixels."""
    has_any = True
    for axis in range(index.size - 1, -1, -1):
        index[axis] = sizes[1, axis] + row % sizes[0, axis]
        row //= sizes[0, axis]
        has_any = has_any and known[index[axis]]
    return has_any


@jit
def _fill(
    pixels, digits, offset, weights, index, columns, factors, runs, exact, cval, kept, scratch
):  # fmt: skip
    """
    Read a row of the image at the columns of the output.

    That is a row for each tap, multiplied with the weights of all axes but the last two, where the
    order counts; else their sum.
    """
    taps, length = columns.shape
    if exact:
        for tap in range(taps):
            _read(pixels, offset, columns[tap], runs[tap], cval, kept[tap])
            for axis in range(len(index) - 1):
                _scale(kept[tap], weights[digits[axis], index[axis]], length)
        return
    total = kept[0]
    total[:length] = 0.0
    for tap in range(taps):
        run, weighed = runs[tap], factors[tap]
        if offset < 0 or run[2]:
            _read(pixels, offset, columns[tap], run, cval, scratch)
            _add_product(scratch, weighed, total)
        else:
            line, low, high = pixels[offset:], run[0], run[1]
            _add_product(line[columns[tap, low] :], weighed[low:high], total[low:high])
            _add_picked(line, columns[tap], weighed, np.int64(0), low, total)
            _add_picked(line, columns[tap], weighed, high, length, total)


@jit
def _read(pixels, offset, columns, run, cval, row):
    """Read pixels at some columns: those side by side in one piece, the others one by one."""
    low, high, missing = run[0], run[1], run[2]
    if offset < 0:
        row[: columns.size] = cval
        return
    line = pixels[offset:]
    if missing:
        _pick_known(line, columns, cval, row)
        return
    if low < high:
        _copy(line[columns[low] :], row[low:high])
    _pick(line, columns, np.int64(0), low, row)
    _pick(line, columns, high, columns.size, row)


@jit
def _copy(pixels, row):
    for k in range(row.size):
        row[k] = pixels[k]


@jit
def _pick(line, columns, begin, end, row):
    for k in range(begin, end):
        # Unsigned, or each would be checked for whether it counts from the end.
        row[k] = line[np.uint64(columns[k])]


@jit
def _pick_known(line, columns, cval, row):
    for k in range(columns.size):
        row[k] = line[np.uint64(columns[k])] if columns[k] >= 0 else cval


@jit
def _scale(row, factor, length):
    for k in range(length):
        row[k] *= factor


@jit
def _add_product(row, factors, total):
    for k in range(factors.size):
        total[k] += row[k] * factors[k]


@jit
def _add_picked(line, columns, factors, begin, end, total):
    for k in range(begin, end):
        total[k] += line[np.uint64(columns[k])] * factors[k]


@jit
def _add_row(row, weight, factors, length, exact, total):
    """Add a row, multiplied with its weight; or its taps, multiplied in SciPy's order."""
    for tap in range(len(row)):
        one, beside = row[tap], factors[tap]
        if exact:
            for k in range(length):
                total[k] += one[k] * weight * beside[k]
        else:
            for k in range(length):
                total[k] += one[k] * weight


@jit
def _add_rows(row, other, weight, below, factors, length, exact, total):
    """Do so for two rows, of two taps."""
    a, b, left = row[0], other[0], factors[0]
    if not exact:
        for k in range(length):
            total[k] += a[k] * weight + b[k] * below
        return
    c, d, right = row[1], other[1], factors[1]
    for k in range(length):
        value = total[k] + a[k] * weight * left[k]
        value += c[k] * weight * right[k]
        value += b[k] * below * left[k]
        total[k] = value + d[k] * below * right[k]
