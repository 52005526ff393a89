"""Interpolation point by point: at scattered coordinates, and under an affine transform."""

import math

import numpy as np

from dask_image._kernels._numba import jit, use_numba
from dask_image._kernels.blocks.interpolation.plain import BAND, with_scipy
from dask_image._kernels.blocks.interpolation.values import (
    by_parts,
    converted,
    flat_box,
    work_dtype,
)
from dask_image._kernels.blocks.interpolation.weights import locate, weigh
from dask_image._utils.modes import CONSTANT


def at_points(coefficients, box, coordinates, spline, dtype):
    """
    Interpolate at scattered points.

    Parameters
    ----------
    coefficients : numpy.ndarray
        The box.
    box : Box
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
    flat = np.ascontiguousarray(coordinates, dtype=float).reshape(len(coordinates), -1)
    return by_parts(points_of_part, coefficients, box, (flat, shape), spline, dtype)


def points_of_part(coefficients, box, flat, shape, spline, cval, dtype):
    work = np.empty(flat.shape[1], work_dtype(dtype))
    if not use_numba():
        for begin in range(0, len(work), BAND):
            band = slice(begin, begin + BAND)
            points = flat[:, band] + spline.padding
            with_scipy(coefficients, box, points, spline, cval, work[band])
    else:
        interpolate_points(
            *flat_box(coefficients, box), flat, float(spline.padding),
            spline.order, spline.mode.code, cval, work,
        )  # fmt: skip
    return converted(work, dtype).reshape(shape)


def affine(coefficients, box, matrix, offset, start, shape, spline, dtype):
    """
    Interpolate at ``matrix @ index + offset`` for a block of output indices.

    Parameters
    ----------
    coefficients : numpy.ndarray
        The box.
    box : Box
    matrix, offset : numpy.ndarray
        Of float64, shapes (ndim, output ndim) and (ndim,).
    start, shape : tuple of int
        The first index of the block of the output, and its shape.
    spline : Spline
    dtype : numpy.dtype
        Of the result.

    Returns
    -------
    numpy.ndarray
    """
    arguments = (matrix, offset, start, shape)
    return by_parts(_affine_of_part, coefficients, box, arguments, spline, dtype)


def _affine_of_part(coefficients, box, matrix, offset, start, shape, spline, cval, dtype):
    work = np.empty(shape, work_dtype(dtype))
    if not work.size:
        return work.astype(dtype)
    rows = work.reshape(-1, shape[-1])
    if not use_numba():
        step = max(BAND // shape[-1], 1)
        for begin in range(0, len(rows), step):
            band = rows[begin : begin + step]
            points = _coordinates(matrix, offset, start, shape, begin, len(band))
            points += spline.padding
            with_scipy(coefficients, box, points, spline, cval, band.reshape(-1))
    else:
        _affine(
            *flat_box(coefficients, box), matrix, offset,
            np.array(start, np.int64), np.array(shape, np.int64), float(spline.padding),
            spline.order, spline.mode.code, cval, rows,
        )  # fmt: skip
    return converted(work, dtype)


def _coordinates(matrix, offset, start, shape, first_row, count):
    """Return the coordinates of some rows of an affine block, added up in SciPy's order."""
    rows = np.arange(first_row, first_row + count)
    index = (
        [
            part[:, np.newaxis] + begin
            for part, begin in zip(np.unravel_index(rows, shape[:-1]), start)
        ]
        if len(shape) > 1
        else []
    )
    index.append(np.arange(start[-1], start[-1] + shape[-1])[np.newaxis])
    points = np.zeros((len(matrix), count, shape[-1]))
    for axis, row in enumerate(matrix):
        points[axis] = offset[axis]
        # Index 0 times an infinite factor is NaN, which stands for no pixel.
        with np.errstate(invalid="ignore"):
            for part, factor in zip(index, row):
                points[axis] += part * factor
    return points.reshape(len(matrix), -1)


@jit
def _point(
    box, extents, origin, shape, coordinates, point, padding, order, mode, cval, places, weights
):
    """Interpolate at one point, edges included; the slow path of every kernel."""
    ndim = len(extents)
    taps = order + 1
    for axis in range(ndim):
        x = coordinates[axis, point] + padding
        if not locate(
            x, order, mode, extents[axis], origin[axis], shape[axis], places, weights, axis * taps
        ):
            return cval
    # In SciPy's order, the last axis fastest.
    total = 0.0
    count = taps**ndim
    for tap in range(count):
        inside = True
        offset = 0
        scale = count
        rest = tap
        for axis in range(ndim):
            scale //= taps
            place = places[axis * taps + rest // scale]
            inside = inside and place >= 0
            offset = offset * extents[axis] + place
            rest %= scale
        value = np.float64(box[offset]) if inside else cval
        if order > 0:
            scale = count
            rest = tap
            for axis in range(ndim):
                scale //= taps
                value *= weights[axis * taps + rest // scale]
                rest %= scale
        total += value
    return total


@jit
def _begin(x, order, shift, extent, origin, size):
    """Return the lower pixel of a coordinate, or -1 unless all its pixels are at hand as they are."""
    if not 0 <= x <= size - 1:
        return -1
    first = math.floor(x + shift) - (order >> 1)
    if first < 0 or first + order >= size:
        return -1
    place = first - origin
    if place < 0 or place + order >= extent:
        return -1
    return place


@jit
def _points_1d(box, extents, origin, shape, coordinates, padding, order, mode, cval, out):
    places, weights = np.empty(6, np.int64), np.empty(6)
    shift = 0.0 if order & 1 else 0.5
    for point in range(coordinates.shape[1]):
        x = coordinates[0, point] + padding
        place = _begin(x, order, shift, extents[0], origin[0], shape[0])
        if place < 0:
            out[point] = _point(
                box, extents, origin, shape, coordinates, point, padding, order, mode, cval,
                places, weights,
            )  # fmt: skip
        elif order == 0:
            out[point] = box[place]
        else:
            weigh(x - math.floor(x + shift), order, weights, 0)
            total = 0.0
            for a in range(order + 1):
                total += box[place + a] * weights[a]
            out[point] = total


@jit
def _points_2d(box, extents, origin, shape, coordinates, padding, order, mode, cval, out):
    places, weights = np.empty(12, np.int64), np.empty(12)
    taps = order + 1
    shift = 0.0 if order & 1 else 0.5
    step = extents[1]
    for point in range(coordinates.shape[1]):
        x, y = coordinates[0, point] + padding, coordinates[1, point] + padding
        row = _begin(x, order, shift, extents[0], origin[0], shape[0])
        column = _begin(y, order, shift, extents[1], origin[1], shape[1])
        if row < 0 or column < 0:
            if mode == CONSTANT and not (0 <= x <= shape[0] - 1 and 0 <= y <= shape[1] - 1):
                out[point] = cval
                continue
            out[point] = _point(
                box, extents, origin, shape, coordinates, point, padding, order, mode, cval,
                places, weights,
            )  # fmt: skip
            continue
        base = row * step + column
        if order == 0:
            out[point] = box[base]
            continue
        x -= math.floor(x + shift)
        y -= math.floor(y + shift)
        if order == 1:
            low, left = 1.0 - x, 1.0 - y
            high, right = 1.0 - low, 1.0 - left
            below = base + step
            total = box[base] * low * left
            total += box[base + 1] * low * right
            total += box[below] * high * left
            total += box[below + 1] * high * right
        else:
            weigh(x, order, weights, 0)
            weigh(y, order, weights, taps)
            total = 0.0
            for a in range(taps):
                for b in range(taps):
                    total += box[base + a * step + b] * weights[a] * weights[taps + b]
        out[point] = total


@jit
def _points_3d(box, extents, origin, shape, coordinates, padding, order, mode, cval, out):
    places, weights = np.empty(18, np.int64), np.empty(18)
    taps = order + 1
    shift = 0.0 if order & 1 else 0.5
    step = extents[2]
    leap = extents[1] * step
    for point in range(coordinates.shape[1]):
        x, y = coordinates[0, point] + padding, coordinates[1, point] + padding
        z = coordinates[2, point] + padding
        plane = _begin(x, order, shift, extents[0], origin[0], shape[0])
        row = _begin(y, order, shift, extents[1], origin[1], shape[1])
        column = _begin(z, order, shift, extents[2], origin[2], shape[2])
        if plane < 0 or row < 0 or column < 0:
            if mode == CONSTANT and not (
                0 <= x <= shape[0] - 1 and 0 <= y <= shape[1] - 1 and 0 <= z <= shape[2] - 1
            ):
                out[point] = cval
                continue
            out[point] = _point(
                box, extents, origin, shape, coordinates, point, padding, order, mode, cval,
                places, weights,
            )  # fmt: skip
            continue
        base = plane * leap + row * step + column
        if order == 0:
            out[point] = box[base]
            continue
        weigh(x - math.floor(x + shift), order, weights, 0)
        weigh(y - math.floor(y + shift), order, weights, taps)
        weigh(z - math.floor(z + shift), order, weights, 2 * taps)
        total = 0.0
        for a in range(taps):
            for b in range(taps):
                row = base + a * leap + b * step
                for c in range(taps):
                    value = box[row + c] * weights[a] * weights[taps + b]
                    total += value * weights[2 * taps + c]
        out[point] = total


@jit
def _points_nd(box, extents, origin, shape, coordinates, padding, order, mode, cval, out):
    size = len(extents) * (order + 1)
    places, weights = np.empty(size, np.int64), np.empty(size)
    for point in range(coordinates.shape[1]):
        out[point] = _point(
            box, extents, origin, shape, coordinates, point, padding, order, mode, cval,
            places, weights,
        )  # fmt: skip


@jit
def interpolate_points(box, extents, origin, shape, coordinates, padding, order, mode, cval, out):
    """Interpolate at ``coordinates`` (ndim, points), on a box that is passed flat."""
    if len(extents) == 1:
        _points_1d(box, extents, origin, shape, coordinates, padding, order, mode, cval, out)
    elif len(extents) == 2:
        _points_2d(box, extents, origin, shape, coordinates, padding, order, mode, cval, out)
    elif len(extents) == 3:
        _points_3d(box, extents, origin, shape, coordinates, padding, order, mode, cval, out)
    else:
        _points_nd(box, extents, origin, shape, coordinates, padding, order, mode, cval, out)


@jit
def _affine(
    box, extents, origin, shape, matrix, offset, start, block, padding, order, mode, cval, rows
):
    ndim, output_ndim = matrix.shape
    length = rows.shape[1]
    coordinates = np.empty((ndim, length))
    for row in range(rows.shape[0]):
        for axis in range(ndim):
            # From the offset on, term by term, as SciPy adds them up.
            outer = offset[axis]
            scale = rows.shape[0]
            rest = row
            for k in range(output_ndim - 1):
                scale //= block[k]
                index = rest // scale
                rest -= index * scale
                outer += (start[k] + index) * matrix[axis, k]
            step = matrix[axis, output_ndim - 1]
            for k in range(length):
                coordinates[axis, k] = outer + (start[output_ndim - 1] + k) * step
        interpolate_points(
            box, extents, origin, shape, coordinates, padding, order, mode, cval, rows[row]
        )
