"""Interpolation point by point: at scattered coordinates, and under an affine transform."""

import itertools

import numpy as np

from dask_image._kernels._numba import jit, use_numba
from dask_image._kernels.blocks.interpolation.boundaries import fold
from dask_image._kernels.blocks.interpolation.plain import with_scipy
from dask_image._kernels.blocks.interpolation.rows import add_squares, copy, pick
from dask_image._kernels.blocks.interpolation.values import Pixels, by_parts, convert, work_dtype
from dask_image._kernels.blocks.interpolation.weights import find_places, weigh

# Points that a kernel works on at a time: their rows of weights stay in the fastest cache.
ROW = 1024

# Points whose coordinates are written down at a time.
BAND = 1 << 15


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
    # As they lie: they take more memory than the image does.
    as_needed = flat.dtype == np.float64 and flat.flags.c_contiguous and flat.flags.writeable

    def fill_band(begin, band):
        if use_numba() and as_needed:
            return flat, begin
        band[...] = flat[:, begin : begin + band.shape[1]]
        return band, 0

    shape = coordinates.shape[1:]
    return by_parts(points_of_part, coefficients, box, (fill_band, 1, shape), spline, dtype)


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
    length = shape[-1]
    # Index 0 times an infinite factor is NaN, which stands for no pixel.
    with np.errstate(invalid="ignore"):
        along = np.outer(matrix[:, -1], np.arange(start[-1], start[-1] + length))

    spread = _spread if use_numba() else _spread_plainly

    def fill_band(begin, band):
        rows = np.arange(begin // length, (begin + band.shape[1]) // length)
        index = np.unravel_index(rows, shape[:-1]) if len(shape) > 1 else ()
        # From the offset on, term by term, as SciPy adds them up.
        outer = np.repeat(offset[:, np.newaxis], len(rows), axis=1)
        with np.errstate(invalid="ignore"):
            for part, first, factors in zip(index, start, matrix.T):
                outer += (part + first) * factors[:, np.newaxis]
            spread(outer, along, band)
        return band, 0

    arguments = (fill_band, length, shape)
    return by_parts(points_of_part, coefficients, box, arguments, spline, dtype)


@jit
def _spread(outer, along, band):
    """Set the coordinates of whole rows: a sum of what changes from row to row, and along it."""
    length = along.shape[1]
    for axis in range(len(band)):
        line, steps = band[axis], along[axis]
        for row in range(outer.shape[1]):
            begin, target = outer[axis, row], line[row * length : row * length + length]
            for k in range(length):
                target[k] = begin + steps[k]


def _spread_plainly(outer, along, band):
    np.add(outer[:, :, np.newaxis], along[:, np.newaxis], out=band.reshape(*outer.shape, -1))


def points_of_part(coefficients, box, fill_band, length, shape, spline, cval, dtype):
    """
    Interpolate where ``fill_band(begin, band)`` has the points from number ``begin`` on.

    It is asked for whole rows of ``length`` points, and returns an array of coordinates and the
    number of the first point there: ``band`` and 0, unless it has another array that will do.
    """
    result = np.empty(shape, dtype)
    if not result.size:
        return result
    flat = result.reshape(-1)
    size = min(max(BAND // length, 1) * length, flat.size)
    compute = _compiled if use_numba() else _plain
    interpolate = compute(coefficients, box, spline, cval)
    points, values = np.empty((len(box.shape), size)), np.empty(size, work_dtype(dtype))
    for begin in range(0, flat.size, size):
        part = flat[begin : begin + size]
        band = points if part.size == size else np.empty((len(points), part.size))
        interpolate(*fill_band(begin, band), values[: part.size])
        convert(values[: part.size], part)
    return result


def _compiled(coefficients, box, spline, cval):
    """Return the compiled function that interpolates a band of points."""
    pixels = Pixels(coefficients)
    ndim = len(box.shape)
    digits = np.array(list(itertools.product(range(spline.order + 1), repeat=ndim)), np.int64)
    geometry = np.array([pixels.shape, pixels.strides, box.origin, box.shape], np.int64)

    def interpolate(band, begin, values):
        _interpolate(
            pixels.data, pixels.kind, geometry, digits, band, begin, float(spline.padding),
            spline.order, spline.mode.code, cval, values,
        )  # fmt: skip

    return interpolate


def _plain(coefficients, box, spline, cval):
    """Return the same, by SciPy."""

    def interpolate(band, _, values):
        band += spline.padding
        with_scipy(coefficients, box, band, spline, cval, values)

    return interpolate


@jit
def _interpolate(data, kind, geometry, digits, band, offset, padding, order, mode, cval, out):
    """
    Interpolate at as many points as ``out`` holds, from number ``offset`` of a band on.

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
    offsets, safe = np.empty(ROW, np.int64), np.empty(ROW, np.int64)
    chosen, group = np.empty(ROW, np.int64), np.empty(ROW, np.int64)
    first, values, total = np.empty(ROW), np.empty(ROW), np.empty(ROW)
    for begin in range(0, out.size, ROW):
        count = min(ROW, out.size - begin)
        target = out[begin : begin + count]
        inside = _sort_out(
            band, offset + begin, count, padding, geometry, order, mode, low, high, x, group
        )  # fmt: skip
        for way in range(INSIDE, OUTSIDE):
            members = count if inside else _choose(x, group, count, way, chosen, moved)
            _weigh_all(
                x if inside else moved, members, geometry, order, way, mode, first, values,
                weights, places, offsets,
            )  # fmt: skip
            _sum_up(
                data, kind, digits, deltas, way, cval, weights, places, offsets, safe, values,
                total, members,
            )  # fmt: skip
            if inside:
                copy(total[:count], target)
                break
            for k in range(members):
                target[chosen[k]] = total[k]
        else:
            for k in range(count):
                if group[k] == OUTSIDE:
                    target[k] = cval


# Points that read pixels as they lie in the box; some beyond its edges; none at all.
INSIDE, AT_EDGES, OUTSIDE = range(3)


@jit
def _sort_out(band, begin, count, padding, geometry, order, mode, low, high, x, group):
    """Copy coordinates; tell whether all are inside as they are, or fold them and group them."""
    shift = 0.0 if order % 2 else 0.5
    inside = 0
    for axis in range(x.shape[0]):
        source, line = band[axis, begin : begin + count], x[axis]
        least, bound, last = low[axis], high[axis], geometry[3, axis] - 1.0
        for k in range(count):
            place = source[k] + padding
            line[k] = place
            shifted = place + shift
            inside += (place >= 0.0) & (place <= last) & (shifted >= least) & (shifted < bound)
    if inside == x.shape[0] * count:
        return True
    for k in range(count):
        group[k] = INSIDE
        for axis in range(x.shape[0]):
            size = geometry[3, axis]
            if not 0 <= x[axis, k] <= size - 1:
                x[axis, k] = fold(x[axis, k], size, mode)
            if np.isnan(x[axis, k]):
                group[k] = OUTSIDE
                break
            if not low[axis] <= x[axis, k] + shift < high[axis]:
                group[k] = AT_EDGES
    return False


@jit
def _choose(x, group, count, way, chosen, moved):
    """List the points of a group, and move their coordinates together."""
    members = 0
    for k in range(count):
        chosen[members] = k
        members += group[k] == way
    for axis in range(x.shape[0]):
        for k in range(members):
            moved[axis, k] = x[axis, chosen[k]]
    return members


# Added to an offset, it tells that there is no pixel.
NOWHERE = -(1 << 56)


@jit
def _weigh_all(x, count, geometry, order, at_edges, mode, first, where, weights, places, offsets):
    """
    Find weights, and where pixels lie.

    That is the first pixel of a point in the box (``offsets``), or the place of each pixel by
    the rule of the boundary (``places``).
    """
    for k in range(count):
        where[k] = 0.0
    for axis in range(x.shape[0]):
        origin, stride = geometry[2, axis], geometry[1, axis]
        weigh(x[axis, :count], order, first, weights[axis])
        if at_edges:
            found = places[axis]
            find_places(first[:count], mode, geometry[3, axis], origin, found)
            for tap in range(order + 1):
                for k in range(count):
                    found[tap, k] = found[tap, k] * stride if found[tap, k] >= 0 else NOWHERE
        else:
            # In doubles, whose products are vectors.
            begin, step = float(origin), float(stride)
            for k in range(count):
                where[k] += (first[k] - begin) * step
    if not at_edges:
        for k in range(count):
            offsets[k] = np.int64(where[k])


@jit
def _sum_up(
    data, kind, digits, deltas, at_edges, cval, weights, places, offsets, safe, values, total,
    count,
):  # fmt: skip
    """Multiply each pixel with its weights and add it to its point, in SciPy's order."""
    last = digits.shape[1] - 1
    total[:] = 0.0
    if not at_edges and digits.size == (last + 1) << (last + 1) and 1 <= last <= 2:
        _sum_up_squares(data, kind, deltas, weights, offsets, values, total, count)
        return
    for tap in range(len(digits)):
        missing = 0
        delta = deltas[tap]
        if at_edges:
            delta = 0
            for axis in range(last + 1):
                found = places[axis, digits[tap, axis]]
                for k in range(count):
                    offsets[k] = found[k] + (offsets[k] if axis else 0)
            for k in range(count):
                missing += offsets[k] < 0
                safe[k] = max(offsets[k], 0)
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
def _sum_up_squares(data, kind, deltas, weights, offsets, values, total, count):
    """Do so for order 1 in two and three dimensions, four pixels at once."""
    ndim = len(weights)
    values[:] = 1.0
    for plane in range(len(deltas) // 4):
        add_squares(
            data, kind, deltas[4 * plane], deltas[2], offsets,
            weights[0, plane] if ndim == 3 else values, weights[ndim - 2], weights[ndim - 1],
            total, count,
        )  # fmt: skip
