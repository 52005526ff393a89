"""Interpolation point by point: at scattered coordinates, and under an affine transform."""

import itertools
import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from dask_image._kernels._numba import jit, use_numba
from dask_image._kernels.blocks.interpolation.inside import (
    END,
    HIGH,
    LOW,
    MOST,
    ORIGIN,
    PADDING,
    ROW,
    STRIDE,
    Around,
    Band,
    Scratch,
    Source,
    linear,
    nearest,
    splines,
)
from dask_image._kernels.blocks.interpolation.plain import with_scipy
from dask_image._kernels.blocks.interpolation.values import (
    by_parts,
    convert,
    stacked,
    where_it_lies,
)
from dask_image._kernels.blocks.interpolation.weights import find_places, weigh
from dask_image._kernels.memory import recycled
from dask_image._utils.modes import CONSTANT, MIRROR, WRAP

# Points whose coordinates are written down at a time.
BAND = 1 << 15


class Points(NamedTuple):
    """Points to interpolate at, a band of them at a time."""

    fill: Callable[[int, Any], tuple[Any, int]]
    """
    Called with the number of a point and an array: returns an array of coordinates and the number
    there of that point. That is the array given, filled from its start, unless another will do.
    """
    length: int
    """A band is of whole rows of so many points."""
    shape: tuple[int, ...]
    """Of the result."""


class AffinePoints(NamedTuple):
    """The points ``matrix @ index + offset`` of a block of output indices."""

    matrix: Any
    """Of float64, (ndim, output ndim)."""
    offset: Any
    """Of float64, (ndim,)."""
    start: Any
    """The first index of the block of the output."""
    shape: Any


def at_points(coefficients, box, coordinates, spline, dtype):
    """
    Interpolate at scattered points.

    Parameters
    ----------
    coefficients : numpy.ndarray
        The box.
    box : Crop
    coordinates : numpy.ndarray
        Shape (ndim, ...); in pixels of the whole image, before padding.
    spline : Spline
    dtype : numpy.dtype
        Of the result.

    Returns
    -------
    numpy.ndarray
        Of the shape of ``coordinates`` less its first axis.
    """
    flat = coordinates.reshape(len(coordinates), -1)
    # As they lie: they take more memory than the image does.
    as_needed = flat.dtype == np.float64 and flat.flags.c_contiguous and flat.flags.writeable
    as_needed = as_needed and use_numba()

    def fill_band(begin, band):
        if as_needed:
            return flat, begin
        band[...] = flat[:, begin : begin + band.shape[1]]
        return band, 0

    shape = coordinates.shape[1:]
    return by_parts(points_of_part, coefficients, box, Points(fill_band, 1, shape), spline, dtype)


def affine(coefficients, box, points, spline, dtype):
    """
    Interpolate at points under an affine transform.

    Parameters
    ----------
    coefficients : numpy.ndarray
        The box; axes before make a stack of boxes, each of which is transformed.
    box : Crop
    points : AffinePoints
    spline : Spline
    dtype : numpy.dtype
        Of the result.

    Returns
    -------
    numpy.ndarray
    """
    start, shape = points.start, points.shape
    length = shape[-1]
    # Index 0 times an infinite factor is NaN, which stands for no pixel.
    with np.errstate(invalid="ignore"):
        along = np.outer(points.matrix[:, -1], np.arange(start[-1], start[-1] + length))
    block = points._replace(start=np.array(start, np.int64), shape=np.array(shape, np.int64))
    index = np.empty(len(shape))
    spread = _spread if use_numba() else _spread_plainly

    def fill_band(begin, band):
        spread(begin // length, block, along, index, band)
        return band, 0

    rows = Points(fill_band, length, shape)
    return by_parts(points_of_part, coefficients, box, rows, spline, dtype)


@jit
def _spread(first_row, points, along, index, band):
    """
    Set the coordinates of whole rows: a sum of what changes from row to row, and along it.

    From the offset on, term by term, as SciPy adds them up.
    """
    matrix, offset, start, shape = points
    length = along.shape[1]
    for row in range(band.shape[1] // length):
        rest = first_row + row
        for axis in range(len(start) - 2, -1, -1):
            index[axis] = start[axis] + rest % shape[axis]
            rest //= shape[axis]
        for axis in range(len(band)):
            begin = offset[axis]
            for outer in range(len(start) - 1):
                begin += index[outer] * matrix[axis, outer]
            steps, target = along[axis], band[axis, row * length :]
            for k in range(length):
                target[k] = begin + steps[k]


def _spread_plainly(first_row, points, along, _, band):
    matrix, offset, start, shape = points
    rows = np.arange(first_row, first_row + band.shape[1] // shape[-1])
    index = np.unravel_index(rows, shape[:-1]) if len(shape) > 1 else ()
    outer = np.repeat(offset[:, np.newaxis], len(rows), axis=1)
    with np.errstate(invalid="ignore"):
        for part, first, factors in zip(index, start, matrix.T):
            outer += (part + first) * factors[:, np.newaxis]
        np.add(outer[:, :, np.newaxis], along[:, np.newaxis], out=band.reshape(*outer.shape, -1))


def points_of_part(coefficients, box, points, spline, dtype):
    """
    Interpolate a real array at `Points`.

    Axes of ``coefficients`` before those of the box make a stack of planes, each of which is read
    at these points.
    """
    shape, length = points.shape, points.length
    ndim = len(box.shape)
    result = recycled((*coefficients.shape[:-ndim], *shape), dtype)
    if not result.size:
        return result
    count = math.prod(shape)
    planes, flat = stacked(coefficients, ndim), result.reshape(-1, count)
    size = min(max(BAND // length, 1) * length, count)
    interpolate = (_Compiled if use_numba() else _Plain)(planes, box, spline, size)
    bands = np.empty((ndim, size))
    values = None if dtype.kind == "f" else np.empty(size)
    for plane, line in enumerate(flat):
        interpolate.turn_to(plane)
        for begin in range(0, count, size):
            part = line[begin : begin + size]
            # Points in one band are the same for all planes.
            if not plane or size < count:
                band = bands if part.size == size else np.empty((ndim, part.size))
                where = points.fill(begin, band)
            target = part if values is None else values[: part.size]
            interpolate(*where, target)
            if values is not None:
                convert(target, part)
    return result


class _Plain:
    """Interpolation of bands of points by SciPy."""

    def __init__(self, planes, box, spline, _):
        self.planes, self.box, self.spline = planes, box, spline

    def turn_to(self, plane):
        """Read from one plane from now on."""
        self.plane = self.planes[plane]

    def __call__(self, band, _, out):
        x = band + self.spline.padding
        with_scipy(self.plane, self.box, x, self.spline, out)


class _Compiled:
    """
    Interpolation of bands of points by compiled kernels.

    One of them serves the points whose pixels lie side by side in the box, as nearly all do.
    What is left is folded back into the image at its edges, tried again, and last looked up
    pixel by pixel.
    """

    def __init__(self, planes, box, spline, most):
        self.planes, self.box, self.spline = planes, box, spline
        self.rest = np.empty(most, np.int64)
        ndim, order, shape = len(box.shape), spline.order, planes.shape[1:]
        self.geometry = np.array([shape, shape, box.origin, box.shape], np.int64)
        self.digits = np.array(list(itertools.product(range(order + 1), repeat=ndim)), np.int64)
        # As far as pixels lie side by side.
        most = np.minimum(self.geometry[0], self.geometry[3] - self.geometry[2]) - order - 1
        constant = spline.mode.code == CONSTANT
        self.frame = np.empty((ndim, 7))
        self.frame[:, PADDING] = spline.padding
        self.frame[:, ORIGIN] = self.geometry[2] + order // 2
        self.frame[:, MOST] = most
        self.frame[:, END] = ends = self.geometry[3] - 1.0
        if order and spline.mode.code not in (CONSTANT, MIRROR, WRAP):
            self.frame[:, END] = np.nan
        elif order:
            # The pixel beyond, with a weight of 0, is the one before: those two are at hand.
            self.frame[most + self.geometry[2] + order < ends, END] = np.nan
        self.frame[:, LOW] = 0.0 if constant else -np.inf
        self.frame[:, HIGH] = ends if constant else np.inf
        self.fits = (most >= 0).all()
        self.scratch = Scratch.of(ndim, order)

    def turn_to(self, plane):
        """Read from one plane from now on."""
        self.flat, strides = where_it_lies(self.planes[plane])
        self.geometry[1] = self.frame[:, STRIDE] = strides
        order = self.spline.order
        digits = self.digits[:: order + 1, :-1]
        self.around = Around(order, digits, digits @ self.geometry[1, :-1])

    def __call__(self, band, begin, out):
        rest = self._inside(band, begin, out, self.frame)
        if not len(rest):
            return
        x = band[:, begin + rest] + self.spline.padding
        if self.spline.mode.code == CONSTANT and self.fits:
            # What lies outside has its value: these are pixels at the edges.
            out[rest] = self._at_edges(np.ascontiguousarray(x))
            return
        for axis, size in enumerate(self.box.shape):
            x[axis] = self.spline.mode.fold_coordinate(x[axis], size)
        known = ~np.isnan(x).any(axis=0)
        out[rest[~known]] = self.spline.cval
        rest, x = rest[known], np.ascontiguousarray(x[:, known])
        values = np.empty(len(rest), out.dtype)
        frame = self.frame.copy()
        frame[:, PADDING] = 0.0
        again = self._inside(x, 0, values, frame)
        if len(again):
            values[again] = self._at_edges(np.ascontiguousarray(x[:, again]))
        out[rest] = values

    def _at_edges(self, x):
        """Interpolate pixel by pixel."""
        values = np.empty(x.shape[1])
        source = Source(self.flat, self.geometry, self.spline.cval)
        around = self.spline.order, self.spline.mode.code, self.digits
        _at_edges(source, around, x, self.scratch, values)
        return values

    def _inside(self, band, begin, out, frame):
        """Interpolate at points whose pixels lie side by side; return which others are left."""
        if not self.fits:
            return np.arange(out.size)
        rest = self.rest
        order, ndim = self.spline.order, len(frame)
        given = Source(self.flat, frame, self.spline.cval), Band(band, begin)
        if order == 0:
            count = nearest(*given, self.scratch, rest, out)
        elif order == 1 and ndim == 2:
            corners = np.empty((4, ROW), self.flat.dtype)
            count = linear(*given, corners, self.scratch, rest, out)
        else:
            count = splines(*given, self.around, self.scratch, rest, out)
        return rest[:count]


# Added to an offset, it tells that there is no pixel.
NOWHERE = -(1 << 56)


@jit
def _at_edges(source, around, x, scratch, out):
    """
    Interpolate at points of the image, pixel by pixel where the boundary's rule puts them.

    In place of a frame ``source`` has for each axis the box's length, stride and origin and the
    length of the whole image; ``around`` is the order, the mode's code and, for each pixel around
    a point, its place along each axis.
    """
    pixels, geometry, cval = source
    order, mode, digits = around
    weights, rows, _, offsets = scratch
    ndim = x.shape[0]
    places = np.empty((ndim, order + 1, ROW), np.int64)
    first, values, total = rows[0], rows[1], rows[2]
    for begin in range(0, out.size, ROW):
        count = min(ROW, out.size - begin)
        for axis in range(ndim):
            weigh(x[axis, begin : begin + count], order, first, weights[axis])
            found = places[axis]
            find_places(first[:count], mode, geometry[3, axis], geometry[2, axis], found)
            for tap in range(order + 1):
                for k in range(count):
                    found[tap, k] = (
                        found[tap, k] * geometry[1, axis] if found[tap, k] >= 0 else NOWHERE
                    )
        total[:] = 0.0
        for tap in range(len(digits)):
            offsets[:count] = 0
            for axis in range(ndim):
                found = places[axis, digits[tap, axis]]
                for k in range(count):
                    offsets[k] += found[k]
            for k in range(count):
                values[k] = pixels[offsets[k]] if offsets[k] >= 0 else cval
            for axis in range(ndim):
                factors = weights[axis, digits[tap, axis]]
                for k in range(count):
                    values[k] *= factors[k]
            for k in range(count):
                total[k] += values[k]
        for k in range(count):
            out[begin + k] = total[k]
