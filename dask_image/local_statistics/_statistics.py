"""
The statistics: each computes all windows of a block together.

A statistic is called as ``statistic(box, mask, windows, step, footprint)``: the
pixels of a block's windows, which of them count (None for all), the windows
along each axis in the coordinates of the box, how far samples are apart, and
which pixels of a window count (None for all). It returns an array of the shape
of the windows' grid, with the axes of a single result appended.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from dask_image._kernels import blocks as kernels

# How many samples of windows are copied at a time: they stay in the cache of a large machine.
SAMPLES_AT_A_TIME = 2_000_000

# Of statistics that hold several sums beside each sample.
SAMPLES_OF_SUMS_AT_A_TIME = 250_000


@dataclass(frozen=True)
class LocalFunction:
    """Any function of the values of a window."""

    function: Callable[..., Any]
    shape: tuple[int, ...]
    dtype: np.dtype[Any]

    def __call__(self, box, mask, windows, step, footprint):
        """Call the function for one window after another."""
        out = np.empty((*map(len, windows), *self.shape), self.dtype)
        for index, values in window_values(box, mask, windows, step, footprint):
            result = np.asarray(self.function(values))
            if result.shape != self.shape:
                raise ValueError(
                    f"function gave a result of shape {result.shape} where fshape says {self.shape}"
                )
            out[index] = result
        return out


def window_values(box, mask, windows, step, footprint):
    """Yield the index and the values, in C order, of one window after another."""
    for index in itertools.product(*(range(len(axis)) for axis in windows)):
        chosen = [axis[i] for axis, i in zip(windows, index)]
        where = tuple(slice(one.start, one.stop, by) for one, by in zip(chosen, step))
        counts = None if mask is None else mask[where]
        if footprint is not None:
            part = footprint[_footprint_part(chosen, step)]
            counts = part if counts is None else part & counts
        yield index, box[where].ravel() if counts is None else box[where][counts]


def _footprint_part(windows, step):
    return tuple(
        slice(one.cut, one.cut + one.stop - one.start, by) for one, by in zip(windows, step)
    )


@dataclass(frozen=True)
class Percentiles:
    """Values below which given fractions of a window's values lie, by linear interpolation."""

    fractions: tuple[float, ...]
    shape: tuple[int, ...]
    dtype: np.dtype[Any]

    def __call__(self, box, mask, windows, step, footprint):
        """Sort cells that windows share and merge them, or else the samples of windows."""
        box = box.view(np.uint8) if box.dtype == bool else box
        cells = kernels.grid_windows.shared_cells(box, windows, step, footprint)
        if cells is not None:
            result = self._from_cells(box, mask, cells)
        else:
            result = map_rows(self._of_rows, box, mask, windows, step, footprint)
        return result.reshape(*map(len, windows), *self.shape)

    def _from_cells(self, box, mask, cells):
        values, starts, counts, damaged = cells.sorted_values(box, mask)
        ranks = _Ranks(self.fractions, cells.sums(counts))
        members = cells.members
        low, high = (
            kernels.grid_windows.select_ranks(values, starts, counts, members, rank)
            for rank in (ranks.low, ranks.high)
        )
        return self._between(low, high, ranks, cells.sums(damaged) > 0)

    def _of_rows(self, rows, valid):
        if rows.shape[1] == 0:
            return np.zeros((len(rows), len(self.fractions)), self.dtype)
        damaged = np.zeros(len(rows), bool)
        if rows.dtype.kind == "f":
            missing = np.isnan(rows) if valid is None else np.isnan(rows) & valid
            damaged = missing.any(axis=1)
        if valid is None:
            ranks = _Ranks(self.fractions, np.full(len(rows), rows.shape[1]))
            wanted = np.unique([ranks.low[0], ranks.high[0]])
            rows = np.partition(rows, wanted, axis=1)
        else:
            ranks = _Ranks(self.fractions, valid.sum(axis=1))
            last = kernels.grid_windows.largest(rows.dtype)
            rows = np.sort(np.where(valid, rows, last), axis=1)
        low, high = (np.take_along_axis(rows, rank, axis=1) for rank in (ranks.low, ranks.high))
        return self._between(low, high, ranks, damaged)

    def _between(self, low, high, ranks, damaged):
        """Interpolate as `numpy.percentile` does; what holds no values gives 0."""
        first, last = low.astype(float), high.astype(float)
        with np.errstate(invalid="ignore"):  # infinities
            step = last - first
            between = np.where(
                ranks.share < 0.5, first + step * ranks.share, last - step * (1 - ranks.share)
            )
        between[ranks.empty] = 0
        between[damaged] = np.nan
        with np.errstate(invalid="ignore"):  # NaN as an integer
            result = between.astype(self.dtype)
            # A value of the image itself need not go through a double, which rounds long integers.
            equal = (low == high) & np.isfinite(first)
            exact = ((ranks.share == 0) | equal) & ~(damaged | ranks.empty)[:, np.newaxis]
            return np.where(exact, low.astype(self.dtype), result)


class _Ranks:
    """For each window and fraction, the two ranks that enclose it, and how far it is between."""

    def __init__(self, fractions, counts):
        last = np.maximum(counts - 1, 0)[:, np.newaxis]
        position = last * np.asarray(fractions, float)
        self.low = np.floor(position).astype(np.intp)
        self.high = np.minimum(self.low + 1, last)
        self.share = position - self.low
        self.empty = counts == 0


@dataclass(frozen=True)
class Histogram:
    """How often each value below ``bins`` occurs in a window."""

    bins: int
    dtype: np.dtype[Any]

    def __call__(self, box, mask, windows, step, footprint):
        """Count cells that windows share and add them up, or else the samples of windows."""
        cells = kernels.grid_windows.shared_cells(box, windows, step, footprint)
        if cells is not None:
            result = cells.sums(cells.histograms(box, mask, self.bins))
        else:
            result = map_rows(self._of_rows, box, mask, windows, step, footprint)
        return result.reshape(*map(len, windows), self.bins).astype(self.dtype, copy=False)

    def _of_rows(self, rows, valid):
        largest_bin = min(self.bins, np.iinfo(rows.dtype).max)
        bins = np.minimum(rows, rows.dtype.type(largest_bin)).astype(np.intp)
        if valid is not None:
            bins[~valid] = self.bins
        bins += (self.bins + 1) * np.arange(len(rows))[:, np.newaxis]
        counts = np.bincount(bins.ravel(), minlength=(self.bins + 1) * len(rows))
        return counts.reshape(len(rows), self.bins + 1)[:, : self.bins]


@dataclass(frozen=True)
class Moments:
    """Mean or standard deviation of a window's values; what holds no values gives 0."""

    deviation: bool
    dtype: np.dtype[Any]

    def __call__(self, box, mask, windows, step, footprint):
        """Reduce cells that windows share, or one axis after another, or the samples of windows."""
        box = box.view(np.uint8) if box.dtype == bool else box
        if footprint is not None:
            result = map_rows(self._of_rows, box, mask, windows, step, footprint)
            return result.reshape(tuple(map(len, windows)))
        cells = kernels.grid_windows.shared_cells(box, windows, step, footprint)
        if cells is not None:
            return self._along_axes(*cells.moments(box, mask, self.deviation), cells.windows)
        samples = [
            [slice(one.start, one.stop, by) for one in axis] for axis, by in zip(windows, step)
        ]
        totals = box.astype(np.result_type(box.dtype, float))
        counts = np.ones((1,) * box.ndim) if mask is None else mask.astype(float)
        if mask is not None:
            totals[~mask] = 0
        return self._along_axes(counts, totals, None, samples)

    def _along_axes(self, counts, totals, squares, samples):
        """Merge samples, or cells, into windows along one axis after another."""
        for axis, axis_samples in enumerate(samples):
            merged = [self._merge(counts, totals, squares, axis, part) for part in axis_samples]
            counts, totals, squares = (
                None if parts[0] is None else np.concatenate(parts, axis) for parts in zip(*merged)
            )
        return self._finish(counts, totals, squares)

    def _merge(self, counts, totals, squares, axis, samples):
        """
        Merge the samples along an axis into one.

        Sums of squares are about the mean of what is merged, and are moved to the
        common mean (Chan, Golub and LeVeque 1979): no large numbers cancel.
        """
        along = (slice(None),) * axis + (samples,)
        part = totals[along]
        total = part.sum(axis, keepdims=True)
        # Without a mask all counts are equal along this axis, and one stands for them.
        count = counts[along] if counts.shape[axis] == totals.shape[axis] else counts
        number = count.sum(axis, keepdims=True)
        if count.shape[axis] == 1:
            number = number * part.shape[axis]
        if not self.deviation:
            return number, total, None
        spread = count * _squared(part / np.maximum(count, 1) - total / np.maximum(number, 1))
        if squares is not None:
            spread += squares[along]
        return number, total, spread.sum(axis, keepdims=True)

    def _of_rows(self, rows, valid):
        totals = rows.astype(np.result_type(rows.dtype, float))
        counts = np.full((len(rows), 1), float(rows.shape[1]))
        if valid is not None:
            totals[~valid] = 0
            counts = valid.sum(axis=1, keepdims=True)
        total = totals.sum(axis=1, keepdims=True)
        squares = None
        if self.deviation:
            squares = _squared(totals - total / np.maximum(counts, 1))
            squares = squares.sum(axis=1, keepdims=True, where=True if valid is None else valid)
        return self._finish(counts, total, squares)[:, 0]

    def _finish(self, counts, totals, squares):
        counts = np.maximum(counts, 1)
        result = np.sqrt(squares / counts) if self.deviation else totals / counts
        with np.errstate(invalid="ignore"):  # NaN as an integer
            return result.astype(self.dtype)


CLIPPED = ("median", "mean", "std", "mode", "count")


@dataclass(frozen=True)
class Clipped:
    """
    Statistics of what is left of a window's values after outliers are clipped.

    Values farther than ``sigma`` standard deviations from the median are dropped, ``maxiters``
    times or until there are none. What is left of sorted values is a stretch of them: sums up to
    each, about the first median, give the mean and the deviation of any stretch. NaN and
    infinities are no values.
    """

    statistics: tuple[str, ...]
    shape: tuple[int, ...]
    sigma: float
    maxiters: int | None
    dtype: np.dtype[Any]

    def __call__(self, box, mask, windows, step, footprint):
        """Sort the samples of windows."""
        box = box.view(np.uint8) if box.dtype == bool else box
        result = map_rows(
            self._of_rows, box, mask, windows, step, footprint, SAMPLES_OF_SUMS_AT_A_TIME
        )
        return result.reshape(*map(len, windows), *self.shape)

    def _of_rows(self, rows, valid):
        if rows.shape[1] == 0:  # nothing is left of a footprint at the edge
            rows, valid = np.zeros((len(rows), 1)), np.zeros((len(rows), 1), bool)
        finite = np.isfinite(rows) if rows.dtype.kind == "f" else np.ones(rows.shape, bool)
        valid = finite if valid is None else finite & valid
        # NumPy sorts narrow floats faster; sums need wide ones.
        rows = np.sort(np.where(valid, rows, np.nan), axis=1).astype(float, copy=False)
        low, high = np.zeros(len(rows), np.intp), valid.sum(axis=1)
        stretches = _Stretches(rows, high)
        rounds = rows.shape[1] if self.maxiters is None else self.maxiters
        left = np.flatnonzero(high > 0)
        for _ in range(rounds):
            if left.size == 0:
                break
            middle, spread = stretches.median(left, low, high), stretches.std(left, low, high)
            first = stretches.first(left, middle - self.sigma * spread, after=False)
            last = stretches.first(left, middle + self.sigma * spread, after=True)
            first, last = np.maximum(first, low[left]), np.minimum(last, high[left])
            changed = (first > low[left]) | (last < high[left])
            low[left], high[left] = first, last
            left = left[changed]
        return self._finish(stretches, low, high)

    def _finish(self, stretches, low, high):
        every = np.arange(len(low))
        some = np.maximum(high, low + 1)
        median = stretches.median(every, low, np.minimum(some, stretches.width))
        mean, std = stretches.moments(low, some)
        # As SExtractor has it (E. Bertin and S. Arnouts, 1996), with the limits of photutils.
        with np.errstate(invalid="ignore", divide="ignore"):
            skewed = np.abs(mean - median) / std >= 0.3
        mode = np.where(std == 0, mean, np.where(skewed, median, 2.5 * median - 1.5 * mean))
        values = {"median": median, "mean": mean, "std": std, "mode": mode}
        for value in values.values():
            value[high == low] = np.nan
        values["count"] = (high - low).astype(float)
        with np.errstate(invalid="ignore"):  # NaN as an integer
            return np.stack([values[each] for each in self.statistics], 1).astype(self.dtype)


class _Stretches:
    """Sums over stretches of sorted rows, of which ``counts`` values are none of them NaN."""

    def __init__(self, rows, counts):
        self.rows, self.counts, self.width = rows, counts, rows.shape[1]
        every = np.arange(len(rows))
        self.origin = rows[every, np.maximum(counts - 1, 0) // 2]
        moved = np.nan_to_num(rows - self.origin[:, np.newaxis])
        # From the middle outwards, so that outliers are in no sum that they do not belong to.
        beyond = np.arange(self.width) >= np.maximum(counts, 1)[:, np.newaxis] // 2
        self.sums = np.zeros((2, len(rows), self.width + 1))
        for sums, powers in zip(self.sums, (moved, moved * moved)):
            np.cumsum(np.where(beyond, powers, 0), axis=1, out=sums[:, 1:])
            inner = np.where(beyond, 0, powers)[:, ::-1]
            sums[:, :-1] -= np.cumsum(inner, axis=1)[:, ::-1]

    def median(self, which, low, high):
        """Return the medians of stretches of the rows ``which``."""
        count, low = high[which] - low[which], low[which]
        one, other = (self.rows[which, low + n] for n in ((count - 1) // 2, count // 2))
        return one + (other - one) / 2

    def _moment(self, power, which, low, high):
        total = self.sums[power, which, high[which]] - self.sums[power, which, low[which]]
        return total / (high[which] - low[which])

    def moments(self, low, high):
        """Return mean and standard deviation of a stretch of each row, each from its values."""
        places = np.arange(self.width)
        inside = (places >= low[:, np.newaxis]) & (places < high[:, np.newaxis])
        count = np.maximum(inside.sum(axis=1), 1)
        moved = np.where(inside, self.rows - self.origin[:, np.newaxis], 0)
        mean = moved.sum(axis=1) / count
        moved -= np.where(inside, mean[:, np.newaxis], 0)
        return self.origin + mean, np.sqrt((moved * moved).sum(axis=1) / count)

    def std(self, which, low, high):
        """Return the standard deviations of stretches."""
        high = np.minimum(high, self.width)
        mean, square = (self._moment(power, which, low, high) for power in (0, 1))
        spread = np.sqrt(np.maximum(square - mean**2, 0))
        # Of equal values rounding leaves none.
        equal = self.rows[which, low[which]] == self.rows[which, high[which] - 1]
        return np.where(equal, 0.0, spread)

    def first(self, which, limits, after):
        """Return, by bisection, the first value that is not below a limit, or is above it."""
        low, high = np.zeros(len(which), np.intp), self.counts[which].copy()
        while (low < high).any():
            middle = (low + high) // 2
            value = self.rows[which, np.minimum(middle, self.width - 1)]
            below = ((value <= limits) if after else (value < limits)) & (low < high)
            low = np.where(below, middle + 1, low)
            high = np.where(below | (low > high), high, np.minimum(high, middle))
        return low


def _squared(values):
    return values.real**2 + values.imag**2 if values.dtype.kind == "c" else values * values


def map_rows(function, box, mask, windows, step, footprint, samples_at_a_time=SAMPLES_AT_A_TIME):
    """
    Run a function on the samples of many windows at once.

    Parameters
    ----------
    function : callable
        ``function(rows, valid)`` gets the samples of one window in each row, and
        which of them count (None for all), and returns one result a row.
    box, mask, windows, step, footprint
        As for a statistic.
    samples_at_a_time : int, optional
        How many samples ``function`` gets, about.

    Returns
    -------
    numpy.ndarray
        The shape of the windows' grid, then that of a result.
    """
    out = None
    gather = kernels.grid_windows.gather
    for kind in itertools.product(*(_same_sized(axis) for axis in windows)):
        lengths = tuple(one[0].stop - one[0].start for one, _ in kind)
        starts = [np.array([window.start for window in same]) for same, _ in kind]
        counting = footprint
        if footprint is not None:
            counting = footprint[_footprint_part([same[0] for same, _ in kind], step)].ravel()
        number = math.prod(map(len, starts))
        samples = math.prod(-(-length // by) for length, by in zip(lengths, step))
        batch = max(1, samples_at_a_time // samples)
        for first in range(0, number, batch):
            chosen = np.unravel_index(
                np.arange(first, min(first + batch, number)), tuple(map(len, starts))
            )
            corners = tuple(axis[index] for axis, index in zip(starts, chosen))
            rows = gather(box, corners, lengths, step)
            valid = None if mask is None else gather(mask, corners, lengths, step)
            if counting is not None:
                rows = rows[:, counting]
                valid = None if mask is None else valid[:, counting]
            result = function(rows, valid)
            if out is None:
                out = np.empty((*map(len, windows), *result.shape[1:]), result.dtype)
            out[tuple(where[index] for (_, where), index in zip(kind, chosen))] = result
    return out


def _same_sized(windows):
    """Group the windows along an axis by what is left of them; yield them and their positions."""
    groups = {}
    for position, window in enumerate(windows):
        groups.setdefault((window.stop - window.start, window.cut), []).append((position, window))
    for group in groups.values():
        positions, same = zip(*group)
        yield same, np.array(positions)
