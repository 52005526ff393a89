"""Interpolation point by point: at scattered coordinates, and under an affine transform."""

import itertools

import numpy as np

from dask_image._kernels._numba import jit, use_numba
from dask_image._kernels.blocks.interpolation.plain import BAND, with_scipy
from dask_image._kernels.blocks.interpolation.rows import pick
from dask_image._kernels.blocks.interpolation.values import Pixels, by_parts, convert, work_dtype
from dask_image._kernels.blocks.interpolation.weights import find_places, fold_row, weigh

# Points that a kernel works on at a time: their rows of weights stay in the fastest cache.
ROW = 512

# Points whose coordinates are written down at a time.
COMPILED_BAND = 1 << 15


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
    flat = coordinates.reshape(len(coordinates), -1)

    def fill_band(begin, band):
        band[...] = flat[:, begin : begin + band.shape[1]]

    shape = coordinates.shape[1:]
    return by_parts(points_of_part, coefficients, box, (fill_band, shape), spline, dtype)


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
    if use_numba():
        place = np.array(start, np.int64), np.array(shape, np.int64)

        def fill_band(begin, band):
            _fill_affine(matrix, offset, *place, begin, band)

    else:

        def fill_band(begin, band):
            pixels = np.arange(begin, begin + band.shape[1])
            index = np.unravel_index(pixels, shape)
            band[...] = offset[:, np.newaxis]
            # Index 0 times an infinite factor is NaN, which stands for no pixel.
            with np.errstate(invalid="ignore"):
                for row, factors in zip(band, matrix):
                    for part, first, factor in zip(index, start, factors):
                        row += (part + first) * factor

    return by_parts(points_of_part, coefficients, box, (fill_band, shape), spline, dtype)


def points_of_part(coefficients, box, fill_band, shape, spline, cval, dtype):
    """Interpolate where ``fill_band(begin, band)`` puts the points from ``begin`` on."""
    result = np.empty(shape, dtype)
    flat = result.reshape(-1)
    if not use_numba():
        _plain(coefficients, box, fill_band, spline, cval, flat)
        return result
    pixels = Pixels(coefficients)
    ndim, taps = coefficients.ndim, spline.order + 1
    digits = np.array(list(itertools.product(range(taps), repeat=ndim)), np.int64)
    geometry = np.array([pixels.shape, pixels.strides, box.origin, box.shape], np.int64)
    points, values = np.empty((ndim, COMPILED_BAND)), np.empty(COMPILED_BAND)
    for begin in range(0, flat.size, COMPILED_BAND):
        part = flat[begin : begin + COMPILED_BAND]
        band = points if part.size == COMPILED_BAND else np.empty((ndim, part.size))
        fill_band(begin, band)
        _interpolate(
            pixels.data, pixels.kind, geometry, digits, band, float(spline.padding),
            spline.order, spline.mode.code, cval, values,
        )  # fmt: skip
        convert(values[: part.size], part)
    return result


def _plain(coefficients, box, fill_band, spline, cval, flat):
    ndim = coefficients.ndim
    for begin in range(0, flat.size, BAND):
        part = flat[begin : begin + BAND]
        points = np.empty((ndim, part.size))
        fill_band(begin, points)
        points += spline.padding
        work = np.empty(part.size, work_dtype(flat.dtype))
        with_scipy(coefficients, box, points, spline, cval, work)
        convert(work, part)


@jit
def _fill_affine(matrix, offset, start, block, begin, band):
    """Set the coordinates of the pixels of a block from the one numbered ``begin`` on."""
    ndim, output_ndim = matrix.shape
    length = block[output_ndim - 1]
    done = 0
    while done < band.shape[1]:
        number = (begin + done) // length
        column = begin + done - number * length
        count = min(length - column, band.shape[1] - done)
        column += start[output_ndim - 1]
        for axis in range(ndim):
            # From the offset on, term by term, as SciPy adds them up.
            outer = offset[axis]
            rest = number
            scale = np.int64(1)
            for k in range(output_ndim - 1):
                scale *= block[k]
            for k in range(output_ndim - 1):
                scale //= block[k]
                index = rest // scale
                rest -= index * scale
                outer += (start[k] + index) * matrix[axis, k]
            _fill_line(outer, matrix[axis, output_ndim - 1], column, band[axis, done : done + count])
        done += count


@jit
def _fill_line(outer, step, column, line):
    for k in range(line.size):
        line[k] = outer + (column + k) * step


@jit
def _interpolate(data, kind, geometry, digits, band, padding, order, mode, cval, out):
    """
    Interpolate at a band of points.

    ``geometry`` has for each axis the box's length, stride and origin and the length of the
    whole image; ``digits`` names, for each pixel around a point, its place along each axis.
    """
    ndim = band.shape[0]
    low, high = np.empty(ndim), np.empty(ndim)
    deltas = np.zeros(len(digits), np.int64)
    for axis in range(ndim):
        # Between these all pixels of a point are at hand as they are.
        begin, end = geometry[2, axis], geometry[2, axis] + geometry[0, axis]
        low[axis] = max(0, begin) + order // 2
        high[axis] = min(geometry[3, axis], end) - order + order // 2
        for tap in range(len(digits)):
            deltas[tap] += digits[tap, axis] * geometry[1, axis]
    x, moved = np.empty((ndim, ROW)), np.empty((ndim, ROW))
    weights = np.empty((ndim, order + 1, ROW))
    places = np.empty((ndim, order + 1, ROW), np.int64)
    offsets, safe, chosen = np.empty((3, ROW), np.int64)
    values, total = np.empty((2, ROW))
    group = np.empty(ROW, np.int64)
    for begin in range(0, band.shape[1], ROW):
        count = min(ROW, band.shape[1] - begin)
        target = out[begin : begin + count]
        inside = _are_inside(band, begin, count, padding, geometry, order, low, high, x)
        if not inside:
            _sort_out(x, count, geometry, order, mode, low, high, group)
            target[:] = cval
        for way in range(1 if inside else 2):
            members = count if inside else _choose(x, group[:count], way, chosen, moved)
            _weigh_all(
                x if inside else moved, members, geometry, order, way, mode, weights, places,
                offsets,
            )  # fmt: skip
            _sum_up(
                data, kind, digits, deltas, way, cval, weights, places, offsets, safe, values,
                total, members,
            )  # fmt: skip
            if inside:
                target[:] = total[:count]
            else:
                for k in range(members):
                    target[chosen[k]] = total[k]


@jit
def _are_inside(band, begin, count, padding, geometry, order, low, high, x):
    """Copy coordinates; tell whether none needs folding and all their pixels are at hand."""
    shift = 0.0 if order % 2 else 0.5
    inside = 0
    for axis in range(x.shape[0]):
        source, line = band[axis, begin : begin + count], x[axis]
        least, bound, last = low[axis], high[axis], geometry[3, axis] - 1.0
        for k in range(count):
            place = source[k] + padding
            line[k] = place
            shifted = place + shift
            inside += (
                (place >= 0.0) & (place <= last) & (shifted >= least) & (shifted < bound)
            )
    return inside == x.shape[0] * count


@jit
def _sort_out(x, count, geometry, order, mode, low, high, group):
    """Fold coordinates; tell those that read pixels as they are (0), at edges (1), or none (2)."""
    shift = 0.0 if order % 2 else 0.5
    group[:count] = 0
    for axis in range(x.shape[0]):
        fold_row(x[axis, :count], geometry[3, axis], mode)
        for k in range(count):
            place = x[axis, k]
            if np.isnan(place):
                group[k] = 2
            elif not low[axis] <= place + shift < high[axis]:
                group[k] = max(group[k], 1)


@jit
def _choose(x, group, way, chosen, moved):
    """List the points of a group, and move their coordinates together."""
    count = 0
    for k in range(group.size):
        chosen[count] = k
        count += group[k] == way
    for axis in range(x.shape[0]):
        for k in range(count):
            moved[axis, k] = x[axis, chosen[k]]
    return count


# Added to an offset, it tells that there is no pixel.
NOWHERE = -(1 << 56)


@jit
def _weigh_all(x, count, geometry, order, at_edges, mode, weights, places, offsets):
    """
    Find weights, and where pixels lie.

    That is the first pixel of a point in the box (``offsets``), or the place of each pixel by
    the rule of the boundary (``places``).
    """
    first = places[0, order] if not at_edges else offsets
    for axis in range(x.shape[0]):
        origin, stride = geometry[2, axis], geometry[1, axis]
        weigh(x[axis, :count], order, first, weights[axis])
        if at_edges:
            own = places[axis]
            find_places(first[:count], mode, geometry[3, axis], origin, own)
            for tap in range(order + 1):
                for k in range(count):
                    own[tap, k] = own[tap, k] * stride if own[tap, k] >= 0 else NOWHERE
        elif axis == 0:
            for k in range(count):
                offsets[k] = (first[k] - origin) * stride
        else:
            for k in range(count):
                offsets[k] += (first[k] - origin) * stride


@jit
def _sum_up(
    data, kind, digits, deltas, at_edges, cval, weights, places, offsets, safe, values, total,
    count,
):  # fmt: skip
    """Multiply each pixel with its weights and add it to its point, in SciPy's order."""
    last = digits.shape[1] - 1
    total[:] = 0.0
    for tap in range(len(digits)):
        missing = 0
        delta = deltas[tap]
        if at_edges:
            delta = 0
            missing = _add_places(places, digits[tap], count, offsets, safe)
        factors = weights[0, digits[tap, 0]]
        if missing < count:
            pick(data, kind, delta, safe if at_edges else offsets, factors, values, count)
        if missing:
            for k in range(count):
                if offsets[k] < 0:
                    values[k] = cval * factors[k]
        for axis in range(1, last):
            factors = weights[axis, digits[tap, axis]]
            for k in range(count):
                values[k] *= factors[k]
        if last:
            factors = weights[last, digits[tap, last]]
            for k in range(count):
                total[k] += values[k] * factors[k]
        else:
            for k in range(count):
                total[k] += values[k]


@jit
def _add_places(places, digit, count, offsets, safe):
    """Set the offsets of one pixel of each point, negative where there is none; count these."""
    for k in range(count):
        offsets[k] = places[0, digit[0], k]
    for axis in range(1, digit.size):
        own = places[axis, digit[axis]]
        for k in range(count):
            offsets[k] += own[k]
    missing = 0
    for k in range(count):
        missing += offsets[k] < 0
        safe[k] = max(offsets[k], 0)
    return missing
