"""Interpolation point by point: at scattered coordinates, and under an affine transform."""

import itertools
import math
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
    Scratch,
    Source,
    linear,
    nearest,
    splines,
)
from dask_image._kernels.blocks.interpolation.plain import with_scipy
from dask_image._kernels.blocks.interpolation.rows import kind_of
from dask_image._kernels.blocks.interpolation.values import (
    by_parts,
    convert,
    stacked,
    where_it_lies,
)
from dask_image._kernels.blocks.interpolation.weights import find_places, weigh
from dask_image._kernels.memory import recycled
from dask_image._utils.modes import CONSTANT, MIRROR, WRAP

# Points that are interpolated at a time.
BAND = 1 << 17


class Points(NamedTuple):
    """
    Points to interpolate at, in rows: ``matrix @ index + offset + along`` each.

    A row has an index along the axes of the output but the last one, and a point of it a place
    along that. Scattered points are a single row, without an index.
    """

    matrix: Any
    """Of float64, (ndim, axes of the output - 1)."""
    offset: Any
    """Of float64, (ndim,)."""
    start: Any
    """Of int64: index of the first row."""
    rows: Any
    """Of uint64: how many rows there are to a step along each of the axes before the last."""
    along: Any
    """(ndim, points of a row)."""

    @classmethod
    def scattered(cls, coordinates):
        """Return points of these coordinates, (ndim, points)."""
        ndim = len(coordinates)
        no_axes = np.zeros(0, np.int64), np.zeros(0, np.uint64)
        return cls(np.zeros((ndim, 0)), np.zeros(ndim), *no_axes, coordinates)

    def coordinates(self, numbers):
        """Return the coordinates of points of these numbers: sums, term by term as SciPy adds."""
        rest, columns = np.divmod(numbers, self.along.shape[1])
        found = np.repeat(self.offset[:, np.newaxis], len(numbers), axis=1)
        with np.errstate(invalid="ignore"):
            for first, rows, factors in zip(self.start, self.rows, self.matrix.T, strict=True):
                index, rest = np.divmod(rest, np.int64(rows))
                found += (first + index) * factors[:, np.newaxis]
            return found + self.along[:, columns]


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
    shape = coordinates.shape[1:]
    points = Points.scattered(coordinates.reshape(len(coordinates), -1))
    return by_parts(_at_points_of_part, coefficients, box, (points, shape), spline, dtype)


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
    *start, first = points.start
    *outer, length = points.shape
    # Index 0 times an infinite factor is NaN, which stands for no pixel.
    with np.errstate(invalid="ignore"):
        along = np.outer(points.matrix[:, -1], np.arange(first, first + length))
    block = Points(
        np.ascontiguousarray(points.matrix[:, :-1]),
        points.offset,
        np.array(start, np.int64),
        np.array([math.prod(outer[axis + 1 :]) for axis in range(len(outer))], np.uint64),
        along,
    )
    return by_parts(_at_points_of_part, coefficients, box, (block, points.shape), spline, dtype)


def _at_points_of_part(coefficients, box, points_and_shape, spline, dtype):
    """
    Interpolate a real array at `Points`, given with the shape of the result.

    Axes of ``coefficients`` before those of the box make a stack of planes, each of which is read
    at these points.
    """
    points, shape = points_and_shape
    result = recycled((*coefficients.shape[: -len(box.shape)], *shape), dtype)
    if not result.size:
        return result
    count = math.prod(shape)
    planes, flat = stacked(coefficients, len(box.shape)), result.reshape(-1, count)
    size = min(BAND, count)
    interpolate = (_Compiled if use_numba() else _Plain)(planes, box, points, spline, size)
    values = None if dtype.kind == "f" else np.empty(size)
    for plane, line in enumerate(flat):
        interpolate.turn_to(plane)
        for begin in range(0, count, size):
            part = line[begin : begin + size]
            target = part if values is None else values[: part.size]
            interpolate(begin, target)
            if values is not None:
                convert(target, part)
    return result


class _Plain:
    """Interpolation of bands of points by SciPy."""

    def __init__(self, planes, box, points, spline, _):
        self.planes, self.box, self.points, self.spline = planes, box, points, spline

    def turn_to(self, plane):
        """Read from one plane from now on."""
        self.plane = self.planes[plane]

    def __call__(self, begin, out):
        x = self.points.coordinates(np.arange(begin, begin + out.size))
        with_scipy(self.plane, self.box, x + self.spline.padding, self.spline, out)


class _Compiled:
    """
    Interpolation of bands of points by compiled kernels.

    One of them serves the points whose pixels lie side by side in the box, as nearly all do.
    What is left is folded back into the image at its edges, tried again, and last looked up
    pixel by pixel.
    """

    def __init__(self, planes, box, points, spline, most):
        self.planes, self.box, self.points, self.spline = planes, box, points, spline
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
        self.scratch = Scratch.of(ndim, order, kind_of(planes.dtype))

    def turn_to(self, plane):
        """Read from one plane from now on."""
        self.flat, strides = where_it_lies(self.planes[plane])
        self.geometry[1] = self.frame[:, STRIDE] = strides
        self.around = Around.of(self.spline.order, len(strides), self.geometry[1])

    def __call__(self, begin, out):
        points = self.points
        along = points.along
        if along.dtype != np.float64 or not (along.flags.c_contiguous and along.flags.writeable):
            # Scattered points, which take more memory than the image does, are no copy else.
            along = np.array(along[:, begin : begin + out.size], float)
            points, begin = Points.scattered(along), 0
        rest = self._inside(points, begin, out, self.frame)
        if not len(rest):
            return
        x = points.coordinates(begin + rest) + self.spline.padding
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
        again = self._inside(Points.scattered(x), 0, values, frame)
        if len(again):
            values[again] = self._at_edges(np.ascontiguousarray(x[:, again]))
        out[rest] = values

    def _at_edges(self, x):
        """Interpolate pixel by pixel."""
        values = np.empty(x.shape[1])
        source = Source(self.flat, self.geometry, self.spline.cval)
        around = self.spline.order, self.around.rare, self.spline.mode.code, self.digits
        places = np.empty((len(x), self.spline.order + 1, ROW), np.int64)
        _at_edges(source, around, x, self.scratch, places, values)
        return values

    def _inside(self, points, begin, out, frame):
        """Interpolate at points whose pixels lie side by side; return which others are left."""
        if not self.fits:
            return np.arange(out.size)
        rest = self.rest
        order, ndim = self.spline.order, len(frame)
        given = Source(self.flat, frame, self.spline.cval), points, begin, self.around
        if order == 0:
            kernel = nearest
        else:
            kernel = linear if order == 1 and ndim == 2 else splines
        count = kernel(*given, self.scratch, rest, out)
        return rest[:count]


# Added to an offset, it tells that there is no pixel.
NOWHERE = -(1 << 56)


@jit
def _at_edges(source, around, x, scratch, places, out):
    """
    Interpolate at points of the image, pixel by pixel where the boundary's rule puts them.

    In place of a frame ``source`` has for each axis the box's length, stride and origin and the
    length of the whole image; ``around`` is the order, whether it is a rare one, the mode's code
    and, for each pixel around a point, its place along each axis.
    """
    pixels, geometry, cval = source
    order, rare, mode, digits = around
    weights, offsets, rows = scratch.weights, scratch.offsets, scratch.rows
    ndim = x.shape[0]
    first, values, total = rows[0], rows[1], rows[2]
    for begin in range(0, out.size, ROW):
        count = min(ROW, out.size - begin)
        for axis in range(ndim):
            weigh(x[axis, begin : begin + count], order, rare, first, weights[axis])
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
