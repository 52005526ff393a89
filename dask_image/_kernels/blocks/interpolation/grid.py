"""Interpolation on grids parallel to the axes: whole rows are weighted and added up."""

import itertools
import math

import numpy as np

from dask_image._kernels._numba import jit, jit_contract_part, jit_inline, jit_part, use_numba
from dask_image._kernels.blocks.interpolation.points import at_points
from dask_image._kernels.blocks.interpolation.rows import store
from dask_image._kernels.blocks.interpolation.values import (
    by_parts,
    converted,
    limits_of,
    stacked,
    where_it_lies,
)
from dask_image._kernels.blocks.interpolation.weights import weights_of
from dask_image._kernels.memory import recycled, scratch

# Pixels computed in doubles at a time, where they are converted by NumPy.
BAND = 1 << 16

# Columns whose rows stay in a cache: fewer at a time, and memory is written in pieces.
TILE = 2048


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
    return by_parts(compute, coefficients, box, lines, spline, dtype)


def _grid_by_points(coefficients, box, lines, spline, dtype):
    """Interpolate without numba, some rows of points at a time."""
    ndim, (first, *others) = len(lines), lines
    result = np.empty((*coefficients.shape[:-ndim], *map(len, lines)), dtype)
    rows = max(BAND // math.prod(map(len, others)), 1) if result.size else 1
    for begin in range(0, len(first), rows):
        part = (slice(begin, begin + rows), *[slice(None)] * len(others))
        points = np.stack(np.meshgrid(first[part[0]], *others, indexing="ij"))
        result[(..., *part)] = at_points(coefficients, box, points, spline, dtype)
    return result


def _grid_of_part(coefficients, box, lines, spline, dtype):
    ndim = len(lines)
    result = recycled((*coefficients.shape[:-ndim], *map(len, lines)), dtype)
    if not result.size:
        return result
    planes = stacked(coefficients, ndim)
    tables = [
        _table(line, origin, length, size, spline)
        for line, origin, length, size in zip(lines, box.origin, planes.shape[1:], box.shape)
    ]
    flat = result.reshape(len(planes), -1, len(lines[-1]))
    grid, limits = None, limits_of(dtype)
    rows = min(max(BAND // flat.shape[2], 1), flat.shape[1])
    values = None if dtype.kind == "f" or limits is not None else np.empty((rows, flat.shape[2]))
    for plane, target in zip(planes, flat):
        pixels, strides = where_it_lies(plane)
        grid = grid or _Rows(strides, tables, spline.cval, dtype)
        doubt = grid.doubt(pixels)
        if values is None:
            grid.sum_up(pixels, 0, limits, doubt, target)
            continue
        for begin in range(0, len(target), rows):
            part = target[begin : begin + rows]
            grid.sum_up(pixels, begin, None, doubt, values[: len(part)])
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
    """
    Sums of rows of a box, as the tables of all axes have it.

    Rows that differ along the axes before are added up first, as they lie in the box. What
    comes of it is read at the columns of the output, and kept for following rows, which are added
    up along the last axis but one; where those would not use it again, that is added up first too.
    """

    def __init__(self, strides, tables, cval, dtype):
        self.cval, self.dtype = cval, dtype
        outer = tables[:-1]
        places = [table[0] for table in outer] or [np.zeros((1, 1), np.int64)]
        self.taps = len(tables[-1][0])
        # An image of one axis is one of a single row.
        weights = [table[1] for table in outer] or [np.ones((1, 1))]
        known = [table[2] for table in outer] or [np.ones(1, bool)]
        self.offsets = np.concatenate(
            [np.where(p < 0, NOWHERE, p * stride) for p, stride in zip(places, strides)], axis=1
        )
        self.weights, self.known = np.concatenate(weights, 1), np.concatenate(known)
        sizes = [len(one) for one in known]
        self.sizes = np.array([sizes, np.cumsum([0, *sizes[:-1]])], np.int64)
        self.rows = self.sizes, self.offsets, self.weights, self.known
        self.digits = _digits(len(places[0]), len(sizes))
        length = len(tables[-1][2])
        self.tiles = [_Tile(*tables[-1], left) for left in range(0, length, TILE)]
        self.slots = _slots(places[-1]) if self._pays_to_keep(places[-1], self.tiles[0]) else None
        self.keeps = self.slots is not None
        self.first = _digits(len(places[0]), len(sizes) - 1) if self.keeps else self.digits
        self.exact = self.taps == 1 or _few_bits(self.weights, tables[-1][1])

    def _pays_to_keep(self, places, tile):
        """Estimate whether rows read at the columns of the output are of use to following rows."""
        taps, length = tile.columns.shape
        moves = np.abs(np.diff(places[0])) if places.shape[1] > 1 else [taps]
        fresh = np.minimum(moves, len(places)).mean()
        # One by one pixels take three times as long to read.
        read = taps * (3 * length - 2 * (tile.run[1] - tile.run[0]))
        before = len(self.digits) // len(places) * tile.count
        return fresh * (before + read) + len(places) * length < len(places) * before + read

    def doubt(self, pixels):
        """
        Return how far from a half a sum need not be rounded as SciPy's is; -1 if at none.

        SciPy adds up in another order, and sums next to a half are rounded as theirs are.
        """
        if self.dtype.kind == "f":
            return -1.0
        if self.dtype.kind == "b":
            return np.inf  # what counts is whether a sum reaches a whole number
        most = max(_largest(pixels), abs(self.cval) if np.isfinite(self.cval) else 0.0)
        whole = pixels.dtype.kind != "f" and float(self.cval).is_integer()
        ndim = self.sizes.shape[1] + 1
        if self.taps == 1 or (self.exact and whole and most * 2.0 ** (BITS * ndim) < 2.0**53):
            return -1.0
        terms = len(self.digits) * self.taps + 8 * ndim
        return terms * np.finfo(float).eps * most

    def sum_up(self, pixels, first_row, limits, doubt, out):
        """Set some rows of the output, a few columns at a time."""
        for tile in self.tiles:
            length, doubts, kept = len(tile.known), None, None
            if doubt >= 0:
                doubts = doubt, self.digits, scratch("grid-places", length, np.int64)
            if self.keeps:
                count = int(self.slots.max()) + 1
                kept = scratch("grid-kept", (count, length)), np.empty(count, np.int64), self.slots
            scratches = (
                np.empty(self.sizes.shape[1], np.int64), scratch("grid-row", tile.count + 1),
                scratch("grid-total", length),
            )  # fmt: skip
            _sum_tile(
                (pixels, *self.rows, self.first), tile.as_read, (self.cval, limits), doubts, kept,
                scratches, (out, first_row),
            )  # fmt: skip


def _slots(places):
    """
    Return where rows are kept: what a pixel needs together in different slots.

    Return None where that takes too many. Pixels need rows that follow each other, but for
    those at the edges.
    """
    taps = len(places)
    used = np.zeros(places.max(initial=0) + 1, np.int64)
    used[places[places >= 0]] = 1
    ranks = used.cumsum()[places]
    same = places[:, np.newaxis] == places
    for count in range(taps, 2 * taps + 2):
        slots = np.where(places < 0, count, ranks % count)
        if ((slots[:, np.newaxis] == slots) == same).all():
            return slots
    return None


class _Tile:
    """
    Some columns of the output.

    Attributes
    ----------
    low, count : int
        Which pixels of a row are read: so many from ``low`` on.
    needed : numpy.ndarray or None
        The only ones of these that are, if they are few.
    columns : numpy.ndarray
        Which of them each column reads; the one after the last is ``cval``.
    run : tuple of int
        Where columns read pixels that lie side by side.
    """

    def __init__(self, places, weights, known, left):
        self.left = left
        places = places[:, left : left + TILE]
        self.factors = np.ascontiguousarray(weights[:, left : left + TILE])
        self.known = known[left : left + TILE]
        used = np.unique(places)
        used = used[used >= 0]
        self.needed = None
        self.low = int(used[0]) if len(used) else 0
        self.count = int(used[-1]) + 1 - self.low if len(used) else 0
        if self.count > 2 * len(used) + 16:
            self.needed, self.count = used, len(used)
            columns = np.searchsorted(used, places)
        else:
            columns = places - self.low
        self.columns = np.where(places < 0, self.count, columns)
        follow = (np.diff(self.columns, axis=1) == 1).all(axis=0) & (places[:, 1:] >= 0).all(axis=0)
        breaks = np.flatnonzero(~follow) + 1
        bounds = np.concatenate([[0], breaks, [places.shape[1]]])
        longest = np.argmax(np.diff(bounds))
        self.run = (int(bounds[longest]), int(bounds[longest + 1]))
        if self.run[1] - self.run[0] < 16 or (places[:, self.run[0]] < 0).any():
            self.run = (0, 0)
        self.as_read = (
            self.low, self.needed, self.columns, self.factors, self.run,
            1 if len(places) > 2 else None, self.known,
            bool(self.known.all()), left,
        )  # fmt: skip


# In place of the offset of a row: there is none yet. A sum with the other one is `cval` throughout.
NO_ROW, NOWHERE = -(1 << 60), -(1 << 56)

# Weights of so many binary places give exact sums with whole numbers that are small enough.
BITS = 6


def _digits(taps, axes):
    """Return which tap of each axis a row is, for all rows around a pixel, in SciPy's order."""
    digits = np.array(list(itertools.product(range(taps), repeat=axes)), np.int64)
    return digits.reshape(taps**axes, axes)


def _few_bits(*weights):
    return all((one * 2.0**BITS % 1 == 0).all() for one in weights)


def _largest(pixels):
    """
    Return the largest magnitude among the pixels, or more; those that are not finite are left.
    """
    if pixels.dtype.kind != "f":
        limits = np.iinfo(pixels.dtype)
        return float(max(limits.max, -limits.min))
    most = float(max(pixels.max(initial=0.0), -pixels.min(initial=0.0)))
    if np.isfinite(most):
        return most
    return float(np.abs(pixels[np.isfinite(pixels)]).max(initial=0.0))


@jit
def _sum_tile(rows, tile, values, doubts, kept, scratches, target):
    """
    Interpolate some columns of some rows.

    An argument that is None is not compiled: there is nothing ``kept`` where rows are of no use to
    following ones, and no ``doubts`` where the order of summation decides nothing.
    Itself without fused steps, which would go over to `_settle` when that is made a part of it.
    """
    pixels, sizes, offsets, weights, known, first = rows
    low, needed, columns, factors, run, more, known_columns, all_known, left = tile
    cval, limits = values
    out, first_row = target
    index, row, total = scratches
    length, axes, none = columns.shape[1], sizes.shape[1], np.int64(0)
    before = np.int64(-1)
    for number in range(len(out)):
        has_any = _unravel(first_row + number, sizes, known, index)
        if not has_any:
            pass
        elif kept is None:
            _add_rows_up(pixels, none, offsets, weights, index, first, needed, low, cval, row)
            _read_columns(row, columns, factors, run, more, total)
        else:
            lines, held, slots = kept
            last = index[axes - 1]
            if (first_row + number) // sizes[0, axes - 1] != before:
                before = (first_row + number) // sizes[0, axes - 1]
                for slot in range(held.size):
                    held[slot] = NO_ROW
            for tap in range(len(slots)):
                offset, slot = offsets[tap, last], slots[tap, last - sizes[1, axes - 1]]
                if held[slot] != offset:
                    held[slot] = offset
                    _add_rows_up(
                        pixels, offset, offsets, weights, index, first, needed, low, cval, row
                    )
                    _read_columns(row, columns, factors, run, more, lines[slot])
            _blend(lines, slots, last - sizes[1, axes - 1], weights, last, total)
        if doubts is not None and has_any:
            _settle(
                pixels, offsets, weights, index, doubts, needed, low, columns, factors, cval,
                row.size - 1, total,
            )  # fmt: skip
        if not has_any or not all_known:
            for k in range(length):
                if not has_any or not known_columns[k]:
                    total[k] = cval
        store(total, length, limits, out[number, left : left + length])


@jit_inline
def _unravel(row, sizes, known, index):
    """Set where in the tables a row of the output is found; tell whether it has any pixels."""
    has_any = True
    for axis in range(index.size - 1, -1, -1):
        index[axis] = sizes[1, axis] + row % sizes[0, axis]
        row //= sizes[0, axis]
        has_any = has_any and known[index[axis]]
    return has_any


@jit_contract_part
def _add_rows_up(pixels, base, offsets, weights, index, digits, needed, low, cval, row):
    """Add up, with their weights, the pixels of some rows that the columns of the output need."""
    count = np.uint64(row.size - 1)
    sum_of_weights, lost, any_lost, empty = 0.0, 0.0, False, True
    pending, held = np.int64(-1), 0.0
    for number in range(len(digits)):
        offset, weight = base, 1.0
        for axis in range(digits.shape[1]):
            offset += offsets[digits[number, axis], index[axis]]
            weight *= weights[digits[number, axis], index[axis]]
        sum_of_weights += weight
        if offset < 0:
            lost += weight * cval
            any_lost = True
        elif needed is not None:
            _add_picked(pixels, np.uint64(offset), needed, weight, empty, row, count)
            empty = False
        elif pending < 0:
            pending, held = offset + low, weight
        else:
            a, b = np.uint64(pending), np.uint64(offset + low)
            _add_two(pixels, a, pixels, b, held, weight, empty, row, count)
            pending, empty = -1, False
    if pending >= 0:
        _add_one(pixels, np.uint64(pending), held, empty, row, count)
    elif empty:
        for k in range(count):
            row[k] = 0.0
    if any_lost:
        for k in range(count):
            row[k] += lost
    row[count] = sum_of_weights * cval


# Places are unsigned, or each would be checked for whether it counts from the end.


@jit_inline
def _add_picked(pixels, start, needed, weight, empty, row, count):
    if empty:
        for k in range(count):
            row[k] = pixels[start + np.uint64(needed[k])] * weight
    else:
        for k in range(count):
            row[k] += pixels[start + np.uint64(needed[k])] * weight


@jit_inline
def _add_one(pixels, a, weight, empty, row, count):
    if empty:
        for k in range(count):
            row[k] = pixels[a + k] * weight
    else:
        for k in range(count):
            row[k] += pixels[a + k] * weight


@jit_inline
def _add_two(one, a, two, b, weight, other, empty, row, count):
    if empty:
        for k in range(count):
            row[k] = one[a + k] * weight + two[b + k] * other
    else:
        for k in range(count):
            row[k] += one[a + k] * weight + two[b + k] * other


@jit_contract_part
def _read_columns(row, columns, factors, run, more, out):
    """
    Read a row at the columns of the output, with their weights.

    ``more`` is None for up to two taps: what is None is not compiled.
    """
    taps, length = columns.shape
    low, high = run
    if taps == 1:
        a, left = columns[0], factors[0]
        for k in range(np.uint64(length)):
            out[k] = row[np.uint64(a[k])] * left[k]
        return
    a, left, b, right = columns[0], factors[0], columns[1], factors[1]
    # Differences of unsigned numbers are right even where they are below zero.
    begin = np.uint64(low)
    s, t = np.uint64(a[low]) - begin, np.uint64(b[low]) - begin
    for k in range(begin, np.uint64(high)):
        out[k] = row[s + k] * left[k] + row[t + k] * right[k]
    begin, end = np.uint64(high), np.uint64(length)
    for _ in range(2):
        for k in range(begin, end):
            out[k] = row[np.uint64(a[k])] * left[k] + row[np.uint64(b[k])] * right[k]
        begin, end = np.uint64(0), np.uint64(low)
    if more is not None:
        for tap in range(2, taps, 2):
            a, left = columns[tap], factors[tap]
            if tap + 1 == taps:
                for k in range(np.uint64(length)):
                    out[k] += row[np.uint64(a[k])] * left[k]
                return
            b, right = columns[tap + 1], factors[tap + 1]
            begin = np.uint64(low)
            s, t = np.uint64(a[low]) - begin, np.uint64(b[low]) - begin
            for k in range(begin, np.uint64(high)):
                out[k] += row[s + k] * left[k] + row[t + k] * right[k]
            begin, end = np.uint64(high), np.uint64(length)
            for _ in range(2):
                for k in range(begin, end):
                    out[k] += row[np.uint64(a[k])] * left[k] + row[np.uint64(b[k])] * right[k]
                begin, end = np.uint64(0), np.uint64(low)


@jit_contract_part
def _blend(lines, slots, place, weights, last, total):
    """Add up the rows that are kept, with their weights: columns of two tables."""
    count, none, taps = np.uint64(total.size), np.uint64(0), len(slots)
    for tap in range(0, taps, 2):
        a, weight = lines[slots[tap, place]], weights[tap, last]
        if tap + 1 == taps:
            _add_one(a, none, weight, tap == 0, total, count)
        else:
            b, other = lines[slots[tap + 1, place]], weights[tap + 1, last]
            _add_two(a, none, b, none, weight, other, tap == 0, total, count)


@jit_part
def _settle(
    pixels, offsets, weights, index, doubts, needed, low, columns, factors, cval, missing, total
):  # fmt: skip
    """
    Find the sums that are so near to a half that the order of summation decides.

    They are summed up again in SciPy's: pixel times weights, axis by axis.
    """
    doubt, digits, places = doubts
    count = np.int64(0)
    for k in range(total.size):
        count += abs(total[k] - np.floor(total[k]) - 0.5) <= doubt
    if count == 0:
        return
    taps, axes = len(columns), digits.shape[1]
    count = np.int64(0)
    for k in range(total.size):
        if abs(total[k] - np.floor(total[k]) - 0.5) <= doubt:
            places[count] = k
            count += 1
            total[k] = 0.0
    for number in range(len(digits)):
        offset = np.int64(low)
        for axis in range(axes):
            offset += offsets[digits[number, axis], index[axis]]
        for tap in range(taps):
            for n in range(count):
                k = np.uint64(places[n])
                column = columns[tap, k]
                value = cval
                if offset >= 0 and column != missing:
                    column = column if needed is None else needed[column] - low
                    value = np.float64(pixels[np.uint64(offset + column)])
                for axis in range(axes):
                    value *= weights[digits[number, axis], index[axis]]
                total[k] += value * factors[tap, k]
