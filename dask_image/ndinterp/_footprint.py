"""Which pixels of the input an interval of coordinates reads: pure decisions, no graph."""

import functools
import math
from dataclasses import dataclass

import numpy as np

from dask_image._utils.engines.graph import normalize_chunks
from dask_image._utils.modes import CONSTANT, GRID_CONSTANT, GRID_WRAP, MODES, NEAREST, WRAP

# Farther out a double cannot tell neighbouring pixels apart well enough to say which are read.
FAR = 2.0**40


def footprint(low, high, size, spline):
    """
    Return the pixels read along an axis for coordinates from ``low`` to ``high``.

    Parameters
    ----------
    low, high : float
        In pixels of the coefficients, padding included.
    size : int
        Length of the axis.
    spline : Spline

    Returns
    -------
    tuple of int
        ``(start, stop)``, with ``start`` in the image. ``stop`` exceeds ``size``
        where a periodic axis is read across its end. Empty if all is ``cval``.
    """
    order, mode = spline.order, spline.mode
    if size == 0:
        return 0, 0
    if mode.code == CONSTANT:
        low, high = max(low, 0.0), min(high, size - 1.0)
        if low > high:
            return 0, 0
    if mode.code in (GRID_CONSTANT, NEAREST):
        low, high = map(float, mode.fold_coordinate(np.array([low, high]), size))
    if not -FAR < low <= high < FAR:  # NaN too: other coordinates may lie in between
        return 0, size
    first, last = first_pixel(low, order), first_pixel(high, order) + order
    if low < 0 or high > size - 1:
        if mode.code == WRAP:
            return _across_the_seam(low, high, size, spline)
        if mode.code not in (GRID_CONSTANT, NEAREST):
            # Folding rounds: a pixel more on each side makes up for it.
            first, last = first - 1, last + 1
    return hull(first, last, size, mode)


def first_pixel(x, order):
    """Return the first of the ``order + 1`` pixels that weigh in at ``x``."""
    return math.floor(x if order % 2 else x + 0.5) - order // 2


def hull(first, last, size, mode):
    """Return the hull of the pixels that indices ``first`` to ``last`` stand for."""
    if mode.code == GRID_CONSTANT:
        start, stop = max(first, 0), min(last + 1, size)
        return (start, stop) if start < stop else (0, 0)
    if mode.code == NEAREST:
        return min(max(first, 0), size - 1), min(max(last, 0), size - 1) + 1
    if last - first + 1 >= size:
        return 0, size
    if mode.code == GRID_WRAP:
        start = first % size
        return start, start + last - first + 1
    return _reflected(first, last, size, 0 if MODES[mode.coefficients].skips_edge else 1)


def _reflected(first, last, size, shared):
    """Do so for a mirror that lies upon an edge pixel, or beside it (``shared`` is 1)."""
    period = 2 * size - 2 + 2 * shared
    turns = first // period * period
    first, last = first - turns, last - turns
    ends = []
    # The way up the image, down again, and up once more.
    for begin, end, sign, base in (
        (0, size - 1, 1, 0),
        (size, period - 1, -1, period - shared),
        (period, period + size - 1, 1, -period),
    ):
        begin, end = max(first, begin), min(last, end)
        if begin <= end:
            ends += [base + sign * begin, base + sign * end]
    return min(ends), max(ends) + 1


def _across_the_seam(low, high, size, spline):
    """Return the pixels read in mode "wrap", whose period is one less than the image."""
    if size == 1 or high - low >= size - 1:
        return 0, size
    order = spline.order
    low, high = map(float, spline.mode.fold_coordinate(np.array([low, high]), size))
    first = first_pixel(low, order) - 1
    last = first_pixel(high, order) + order + 1
    if low <= high:
        return hull(first, last, size, spline.mode)
    # Up to the last pixel and on from the first, either mirrored at its edge.
    start, stop = min(first, size - 1 - order), max(last, order) + 1
    if start < 0 or size + stop - start >= size:
        start, stop = max(start, 0), min(stop, size)
        if start < stop:
            return 0, size
    return start, size + stop


@dataclass(frozen=True)
class Grid:
    """
    Output pixels at ``(index + shift) * zoom`` along each axis, as `zoom` and `shift` have it.
    """

    zoom: tuple[float, ...] | None
    shift: tuple[float, ...] | None
    grid_mode: bool = False

    def line(self, axis, start, stop):
        """Return the coordinates of some output pixels along an axis, as SciPy computes them."""
        x = np.arange(start, stop, dtype=float)
        if self.shift is not None:
            x += self.shift[axis]
        if self.zoom is not None and self.grid_mode:
            return (x + 0.5) * self.zoom[axis] - 0.5
        if self.zoom is not None:
            # A zoom of zero comes with an infinite shift: NaN, which is outside.
            with np.errstate(invalid="ignore"):
                x *= self.zoom[axis]
        return x

    def reader(self, shape, spline):
        """
        Return a function of where a block begins and ends: ``(start, stop)`` read of each axis.
        """

        @functools.cache
        def interval(axis, start, stop):
            return self._interval(axis, start, stop, shape[axis], spline)

        return lambda starts, stops: tuple(map(interval, range(len(shape)), starts, stops))

    def _interval(self, axis, start, stop, size, spline):
        if start == stop:
            return 0, 0
        # Each step of the formula keeps the order of its arguments, rounding included.
        ends = [self.line(axis, one, one + 1)[0] + spline.padding for one in (start, stop - 1)]
        if np.isnan(ends).all():
            return 0, 0
        return footprint(np.min(ends), np.max(ends), size, spline)

    def stretch(self):
        """Return how many input pixels an output pixel moves on by, per axis."""
        return np.diag(np.abs(self.zoom)) if self.zoom is not None else None


@dataclass(frozen=True)
class Affine:
    """Output pixels at ``matrix @ index + offset``."""

    matrix: tuple[tuple[float, ...], ...]
    offset: tuple[float, ...]

    def reader(self, shape, spline):
        """
        Return a function of where a block begins and ends: ``(start, stop)`` read of each axis.
        """
        rows = list(zip(self.matrix, self.offset, shape))
        finite = [bool(np.isfinite((*row, offset)).all()) for row, offset, _ in rows]

        def box(starts, stops):
            if any(start == stop for start, stop in zip(starts, stops)):
                return ((0, 0),) * len(shape)
            return tuple(
                _row_interval(*row, starts, stops, spline)
                if known
                else (0, 0 if np.isnan(row[1]) else row[2])
                for row, known in zip(rows, finite)
            )

        return box

    def stretch(self):
        """Return how many input pixels an output pixel moves on by, per pair of axes."""
        return np.abs(np.array(self.matrix))


def _row_interval(row, offset, size, starts, stops, spline):
    """Return what a block of output pixels reads of an axis of the input."""
    low = high = offset
    # Summed up in the order of the kernel: rounding keeps the corners extreme.
    for factor, start, stop in zip(row, starts, stops):
        ends = start * factor, (stop - 1) * factor
        low, high = low + min(ends), high + max(ends)
    return footprint(low + spline.padding, high + spline.padding, size, spline)


def default_chunks(chunks, shape, stretch):
    """
    Return chunks for an output: the input's, where shapes agree.

    Else no block has more pixels than the largest one of the input, nor reads
    from many more: a transform that shrinks the image gets smaller blocks.

    Parameters
    ----------
    chunks : tuple of tuple of int
        Of the input.
    shape : tuple of int
        Of the output.
    stretch : numpy.ndarray or None
        Input pixels per output pixel, shape (ndim, output ndim).

    Returns
    -------
    tuple of tuple of int
    """
    if shape == tuple(map(sum, chunks)):
        return chunks
    largest = [max(max(sizes), 1) for sizes in chunks]
    if len(shape) == len(chunks):
        sizes = largest
    else:
        sizes = [max(int(math.prod(largest) ** (1 / len(shape))), 1)] * len(shape)
    if stretch is not None and np.isfinite(stretch).all():
        spans = stretch @ np.array(sizes, float)
        growth = math.prod(
            max(min(span, sum(axis)) / size, 1.0)
            for span, size, axis in zip(spans, largest, chunks)
        )
        shrink = max(growth / GROWTH, 1.0) ** (1 / len(shape))
        sizes = [max(int(size / shrink), 1) for size in sizes]
    return normalize_chunks(tuple(sizes), shape)


# How many blocks of the input one block of the output may read before it is made smaller. A
# rotation by 45 degrees reads two.
GROWTH = 4.5
