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

from dask_image._kernels._numba import jit

# Smaller cells cost more to handle than to sort the samples of each window anew.
SAMPLES_PER_CELL = 8


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
            Where a cell's values begin, and how many of them count.
        damaged : numpy.ndarray of int
            How many of those are NaN.
        """
        starts, counts, damaged = np.zeros((3, self.count), np.intp)
        sorted_rows = []
        position = 0
        for rows, valid, numbers in self.rows(box, mask):
            counts[numbers] = rows.shape[1] if valid is None else valid.sum(axis=1)
            if rows.dtype.kind == "f":
                missing = np.isnan(rows)
                damaged[numbers] = (missing if valid is None else missing & valid).sum(axis=1)
            if valid is not None:
                rows[~valid] = largest(rows.dtype)
            # Short integers are sorted by counting, which only the stable sort does.
            rows.sort(axis=1, kind="stable" if rows.dtype.itemsize <= 2 else None)
            starts[numbers] = position + rows.shape[1] * np.arange(len(rows))
            sorted_rows.append(rows.ravel())
            position += rows.size
        return np.concatenate(sorted_rows), starts, counts, damaged

    def sums(self, values):
        """Add up what cells have for each window."""
        if values.ndim == 2:
            return _sum_members(values, self.members)
        return np.append(values, 0)[self.members].sum(axis=1)


def count_bins(rows, count, bins):
    """Return how often each value below ``bins`` occurs in each of ``count`` cells."""
    counts = np.zeros((count, bins), np.int32)
    for values, valid, numbers in rows:
        if valid is None:
            _count(values, numbers, counts)
        else:
            _count_valid(values, valid, numbers, counts)
    return counts


def select_ranks(values, starts, counts, members, ranks):
    """
    Return the values of given ranks in unions of sorted cells.

    Parameters
    ----------
    values, starts, counts : numpy.ndarray
        As `Cells.sorted_values` gives them.
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
def _count(values, numbers, counts):
    bins = counts.shape[1]
    for row in range(values.shape[0]):
        cell = counts[numbers[row]]
        for i in range(values.shape[1]):
            value = values[row, i]
            if value < bins:
                cell[value] += 1


@jit
def _count_valid(values, valid, numbers, counts):
    bins = counts.shape[1]
    for row in range(values.shape[0]):
        cell = counts[numbers[row]]
        for i in range(values.shape[1]):
            value = values[row, i]
            if valid[row, i] and value < bins:
                cell[value] += 1


@jit
def _sum_members(values, members):
    sums = np.zeros((members.shape[0], values.shape[1]), np.int64)
    for window in range(members.shape[0]):
        for i in range(members.shape[1]):
            if members[window, i] >= 0:
                cell = values[members[window, i]]
                for j in range(values.shape[1]):
                    sums[window, j] += cell[j]
    return sums


@jit
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


@jit
def _select(values, low, high, rank):
    """Return the value of a rank in the union of the sorted ``values[low[j]:high[j]]``."""
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


@jit
def _bisect(values, low, high, pivot, after):
    """Return where ``pivot`` would go into the sorted ``values[low:high]``, before or after it."""
    while low < high:
        middle = (low + high) // 2
        if values[middle] < pivot or (after and values[middle] == pivot):
            low = middle + 1
        else:
            high = middle
    return low
