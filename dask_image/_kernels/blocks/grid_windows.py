"""
Cells that overlapping windows share, so that no pixel is sorted or counted twice.

The edges of all windows of a block cut each axis into intervals, and the block
into cells: a window is a union of whole cells. A cell is sorted once; a rank
among the values of a window is then found by bisection in the sorted cells
it is made of. A cell is counted once; histograms of windows are sums.
"""

import itertools
import math
from dataclasses import dataclass

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from dask_image._kernels._numba import jit, jit_allocating, jit_inline, jit_part, use_numba

# Smaller cells cost more to handle than to sort the samples of each window anew.
SAMPLES_PER_CELL = 8

# Of so many bins, the counts of all cells of a block stay in the cache while they are summed.
BINS_AT_A_TIME = 128


def gather(array, corners, lengths, step=None):
    """
    Copy boxes of equal size out of an array.

    Parameters
    ----------
    array : numpy.ndarray
    corners : tuple of numpy.ndarray
        Per axis, where boxes begin: arrays of one length, or an open mesh.
    lengths : tuple of int
        Size of a box.
    step : tuple of int, optional
        How far apart samples are within a box.

    Returns
    -------
    numpy.ndarray
        The samples of one box in each row, in C order.
    """
    view = sliding_window_view(array, lengths)
    if step is not None:
        view = view[(..., *(slice(None, None, by) for by in step))]
    samples = math.prod(view.shape[array.ndim :])
    return view[corners].reshape(-1, samples)


def shared_cells(box, windows, step, footprint):
    """
    Return the `Cells` of a block's windows, or None where it is better to go without.

    Parameters
    ----------
    box : numpy.ndarray
        The pixels of the windows.
    windows, step, footprint
        As for a statistic.
    """
    known = box.dtype.kind in "iu" or box.dtype in (np.float32, np.float64)
    return Cells.of(windows, step) if use_numba() and known and footprint is None else None


def largest(dtype):
    """Return the value that sorts last."""
    return np.nan if dtype.kind == "f" else np.iinfo(dtype).max


@dataclass(frozen=True)
class AxisCells:
    """Intervals of an axis, after every ``step``-th sample from ``offset`` on is kept."""

    offset: int
    step: int
    starts: np.ndarray
    lengths: np.ndarray
    members: np.ndarray

    @classmethod
    def of(cls, windows, step):
        """Return the intervals for ``windows``, or None if their samples lie on different grids."""
        offset = windows[0].start % step
        if any(window.start % step != offset for window in windows):
            return None
        starts = np.array([window.start // step for window in windows])
        stops = np.array([-((offset - window.stop) // step) for window in windows])
        edges = np.unique([starts, stops])
        first, last = np.searchsorted(edges, starts), np.searchsorted(edges, stops)
        # Rows of what intervals a window is made of, filled up with -1.
        members = first[:, np.newaxis] + np.arange((last - first).max())
        members[members >= last[:, np.newaxis]] = -1
        used = np.unique(members[members >= 0])
        numbers = np.append(np.searchsorted(used, np.arange(len(edges))), -1)
        return cls(offset, step, edges[used], np.diff(edges)[used], numbers[members])


@dataclass(frozen=True)
class Cells:
    """The cells of a block: the products of the intervals of its axes."""

    axes: tuple[AxisCells, ...]

    @classmethod
    def of(cls, windows, step):
        """Return the cells of ``windows``, or None where they are no help."""
        axes = tuple(AxisCells.of(axis, by) for axis, by in zip(windows, step))
        if None in axes:
            return None
        per_window = math.prod(axis.members.shape[1] for axis in axes)
        samples = math.prod(
            -(-max(window.stop - window.start for window in axis) // by)
            for axis, by in zip(windows, step)
        )
        return cls(axes) if samples >= SAMPLES_PER_CELL * per_window else None

    @property
    def shape(self):
        """How many intervals each axis has."""
        return tuple(len(axis.starts) for axis in self.axes)

    @property
    def count(self):
        """Number of cells."""
        return math.prod(self.shape)

    @property
    def members(self):
        """The cells of each window, in rows that are filled up with -1."""
        numbers = np.zeros((1, 1), np.intp)
        for axis in self.axes:
            inner, size = axis.members, len(axis.starts)
            combined = numbers[:, np.newaxis, :, np.newaxis] * size + inner[:, np.newaxis, :]
            absent = (numbers < 0)[:, np.newaxis, :, np.newaxis] | (inner < 0)[:, np.newaxis, :]
            combined = np.where(absent, -1, combined)
            numbers = combined.reshape(len(numbers) * len(inner), -1)
        return numbers

    def rows(self, box, mask):
        """Yield, for each size of cells, their values, which count, and the cells' numbers."""
        kept = tuple(slice(axis.offset, None, axis.step) for axis in self.axes)
        box = box[kept]
        mask = None if mask is None else mask[kept]
        numbers = np.arange(self.count).reshape(self.shape)
        for lengths in itertools.product(*(np.unique(axis.lengths) for axis in self.axes)):
            chosen = [axis.lengths == length for axis, length in zip(self.axes, lengths)]
            corners = np.ix_(*(axis.starts[these] for axis, these in zip(self.axes, chosen)))
            yield (
                gather(box, corners, lengths),
                None if mask is None else gather(mask, corners, lengths),
                numbers[np.ix_(*chosen)].ravel(),
            )

    def sorted_values(self, box, mask):
        """
        Sort the values of every cell.

        Returns
        -------
        values : numpy.ndarray
            Of all cells, one after another.
        starts, counts : numpy.ndarray of int
            Where a cell's values begin, and how many of them count; NaN do not, they are last.
        damaged : numpy.ndarray of int
            How many NaN there are besides.
        """
        starts, counts, damaged = np.zeros((3, self.count), np.intp)
        sorted_rows = []
        position = 0
        for rows, valid, numbers in self.rows(box, mask):
            counts[numbers] = rows.shape[1] if valid is None else valid.sum(axis=1)
            if rows.dtype.kind == "f":
                missing = np.isnan(rows)
                damaged[numbers] = (missing if valid is None else missing & valid).sum(axis=1)
                counts[numbers] -= damaged[numbers]
            if valid is not None:
                rows[~valid] = largest(rows.dtype)
            # Short integers are sorted by counting, which only the stable sort does.
            rows.sort(axis=1, kind="stable" if rows.dtype.itemsize <= 2 else None)
            starts[numbers] = position + rows.shape[1] * np.arange(len(rows))
            sorted_rows.append(rows.ravel())
            position += rows.size
        return np.concatenate(sorted_rows), starts, counts, damaged

    def lines(self, array):
        """
        Return the samples of an array as lines along the last axis, for the kernels.

        Returns
        -------
        lines : numpy.ndarray
            Of two axes.
        bases : numpy.ndarray of int
            Of each line, the first cell it runs through, or -1 if it is in none.
        """
        kept = array[tuple(slice(axis.offset, None, axis.step) for axis in self.axes)]
        bases = np.zeros(1, np.intp)
        for axis, size in zip(self.axes[:-1], kept.shape):
            positions = np.full(size, -1)
            for number, (start, length) in enumerate(zip(axis.starts, axis.lengths)):
                positions[start : start + length] = number
            outer = bases[:, np.newaxis]
            absent = (outer < 0) | (positions < 0)
            bases = np.where(absent, -1, outer * len(axis.starts) + positions).ravel()
        bases[bases >= 0] *= len(self.axes[-1].starts)
        return kept.reshape(-1, kept.shape[-1]), bases

    def histograms(self, box, mask, bins):
        """Return how often each value below ``bins`` occurs in each cell."""
        largest_cell = math.prod(int(axis.lengths.max()) for axis in self.axes)
        # Narrow counters, of a few cells at a time, stay in the nearest cache.
        counts = np.zeros((self.count, bins), np.uint16 if largest_cell < 2**16 else np.int64)
        lines, bases = self.lines(box)
        last = self.axes[-1]
        valid = None if mask is None else self.lines(mask)[0]
        if valid is None:
            _count(lines, bases, last.starts, last.lengths, counts)
        else:
            _count_valid(lines, valid, bases, last.starts, last.lengths, counts)
        return counts

    def moments(self, box, mask, deviation):
        """
        Return number and sum of the values in each cell.

        The third result is the sum of their squares about the mean, or without
        ``deviation`` zeros.
        """
        lines, bases = self.lines(box)
        valid = np.ones((1, 1), bool) if mask is None else self.lines(mask)[0]
        cells = bases, self.axes[-1].starts, self.axes[-1].lengths
        counts, totals, squares = _moments(
            lines, valid, mask is not None, deviation, cells, self.count
        )
        return tuple(part.reshape(self.shape) for part in (counts, totals, squares))

    @property
    def windows(self):
        """Per axis, the slices of cells that make up its windows."""
        return [
            [slice(int(row[0]), int(row.max()) + 1) for row in axis.members] for axis in self.axes
        ]

    def sums(self, values):
        """Add up what cells have for each window."""
        if values.ndim == 2:
            return _sum_members(values, self.members)
        return np.append(values, 0)[self.members].sum(axis=1)


def select_ranks(values, starts, counts, members, ranks):
    """
    Return the values of given ranks in unions of sorted cells.

    Parameters
    ----------
    values, starts, counts : numpy.ndarray
        As `Cells.sorted_values` gives them; what counts has no NaN, which is equal to nothing.
    members : numpy.ndarray of int
        The cells of each window in a row, filled up with -1.
    ranks : numpy.ndarray of int
        The ranks wanted of each window, in a row.

    Returns
    -------
    numpy.ndarray
        Of the shape of ``ranks``; 0 for a window without values.
    """
    return _select_ranks(values, starts, counts, members, ranks)


@jit
def _count(lines, bases, starts, lengths, counts):
    bins = counts.shape[1]
    for row in range(lines.shape[0]):
        if bases[row] >= 0:
            for i in range(starts.size):
                cell = counts[bases[row] + i]
                for value in lines[row, starts[i] : starts[i] + lengths[i]]:
                    if value < bins:
                        cell[value] += 1


@jit
def _count_valid(lines, valid, bases, starts, lengths, counts):
    bins = counts.shape[1]
    for row in range(lines.shape[0]):
        if bases[row] >= 0:
            for i in range(starts.size):
                cell = counts[bases[row] + i]
                for j in range(starts[i], starts[i] + lengths[i]):
                    if valid[row, j] and lines[row, j] < bins:
                        cell[lines[row, j]] += 1


@jit_allocating
def _moments(lines, valid, masked, deviation, cells, count):
    bases, starts, lengths = cells
    counts = np.zeros(count)
    totals = np.zeros(count)
    squares = np.zeros(count)
    for row in range(lines.shape[0]):
        if bases[row] >= 0:
            for i in range(starts.size):
                number, total = _total(lines, valid, masked, row, starts[i], lengths[i])
                counts[bases[row] + i] += number
                totals[bases[row] + i] += total
    if not deviation:
        return counts, totals, squares
    means = totals / np.maximum(counts, 1)
    for row in range(lines.shape[0]):
        if bases[row] >= 0:
            for i in range(starts.size):
                mean = means[bases[row] + i]
                squares[bases[row] + i] += _spread(
                    lines, valid, masked, row, starts[i], lengths[i], mean
                )
    return counts, totals, squares


@jit_inline
def _total(lines, valid, masked, row, start, length):
    """Return the number of the values in part of a line, and their sum in double precision."""
    zero = np.float64(0)  # a plain 0.0 would take the precision of the values, interpreted
    if masked:
        number = 0
        total = zero
        for j in range(start, start + length):
            if valid[row, j]:
                number += 1
                total += lines[row, j]
        return number, total
    # Four sums that do not wait for one another.
    first = second = third = fourth = zero
    whole = start + length - length % 4
    for j in range(start, whole, 4):
        first += lines[row, j]
        second += lines[row, j + 1]
        third += lines[row, j + 2]
        fourth += lines[row, j + 3]
    for j in range(whole, start + length):
        first += lines[row, j]
    return length, first + second + third + fourth


@jit_part
def _spread(lines, valid, masked, row, start, length, mean):
    """Return the sum of the squares about ``mean`` of the values in part of a line."""
    if masked:
        total = 0.0
        for j in range(start, start + length):
            if valid[row, j]:
                total += (lines[row, j] - mean) ** 2
        return total
    first = second = third = fourth = 0.0
    whole = start + length - length % 4
    for j in range(start, whole, 4):
        first += (lines[row, j] - mean) ** 2
        second += (lines[row, j + 1] - mean) ** 2
        third += (lines[row, j + 2] - mean) ** 2
        fourth += (lines[row, j + 3] - mean) ** 2
    for j in range(whole, start + length):
        first += (lines[row, j] - mean) ** 2
    return first + second + third + fourth


@jit_allocating
def _sum_members(values, members):
    bins = values.shape[1]
    sums = np.empty((members.shape[0], bins), np.int64)
    part = np.empty(BINS_AT_A_TIME, np.int64)
    for low in range(0, bins, BINS_AT_A_TIME):
        width = min(BINS_AT_A_TIME, bins - low)
        for window in range(members.shape[0]):
            part[:] = 0
            for i in range(members.shape[1]):
                if members[window, i] >= 0:
                    cell = values[members[window, i], low : low + width]
                    for j in range(width):
                        part[j] += cell[j]
            sums[window, low : low + width] = part[:width]
    return sums


@jit_allocating
def _select_ranks(values, starts, counts, members, ranks):
    selected = np.zeros(ranks.shape, values.dtype)
    low = np.empty(members.shape[1], np.int64)
    high = np.empty(members.shape[1], np.int64)
    for window in range(ranks.shape[0]):
        for i in range(ranks.shape[1]):
            total = 0
            for j in range(members.shape[1]):
                cell = members[window, j]
                low[j] = starts[cell] if cell >= 0 else 0
                high[j] = low[j] + counts[cell] if cell >= 0 else 0
                total += high[j] - low[j]
            if total > 0:
                selected[window, i] = _select(values, low, high, ranks[window, i])
    return selected


@jit_inline
def _select(values, low, high, rank):
    """
    Return the value of a rank in the union of the sorted ``values[low[j]:high[j]]``.

    The pivot is one of the values and equal to itself, so that each turn either returns it or
    leaves it out: the loop ends for any values but NaN.
    """
    while True:
        # The middle of the longest part halves it, at least.
        longest = 0
        for j in range(low.size):
            if high[j] - low[j] > high[longest] - low[longest]:
                longest = j
        pivot = values[(low[longest] + high[longest]) // 2]
        smaller = 0
        equal = 0
        for j in range(low.size):
            first = _bisect(values, low[j], high[j], pivot, False)
            smaller += first - low[j]
            equal += _bisect(values, first, high[j], pivot, True) - first
        if smaller <= rank < smaller + equal:
            return pivot
        below = rank < smaller
        for j in range(low.size):
            if below:
                high[j] = _bisect(values, low[j], high[j], pivot, False)
            else:
                low[j] = _bisect(values, low[j], high[j], pivot, True)
        if not below:
            rank -= smaller + equal


@jit_part
def _bisect(values, low, high, pivot, after):
    """Return where ``pivot`` would go into the sorted ``values[low:high]``, before or after it."""
    while low < high:
        middle = (low + high) // 2
        if values[middle] < pivot or (after and values[middle] == pivot):
            low = middle + 1
        else:
            high = middle
    return low
