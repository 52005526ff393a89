"""
Spline interpolation inside a box of a larger image.

SciPy's functions take the edges of their argument for the edges of the image. Here
an image's true size and the place of the box in it are arguments of their own, so
that a block gives what the whole image would give: coordinates are those of the
whole image and are computed, folded at its edges and weighted as SciPy does it.

Without numba the same values come from `scipy.ndimage.map_coordinates`, on a box
that is extended beforehand by what its edges stand for.
"""

import math
from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from dask_image._kernels._numba import jit, use_numba

CONSTANT, NEAREST, REFLECT, MIRROR, WRAP, GRID_WRAP, GRID_CONSTANT = range(7)

CODES = {
    "constant": CONSTANT,
    "nearest": NEAREST,
    "reflect": REFLECT,
    "grid-mirror": REFLECT,
    "mirror": MIRROR,
    "wrap": WRAP,
    "grid-wrap": GRID_WRAP,
    "grid-constant": GRID_CONSTANT,
}

# Modes that leave coordinates as they are: what lies outside is decided pixel by pixel.
UNFOLDED = frozenset({NEAREST, GRID_CONSTANT})

# Boxes of these are exact in single precision, at half the memory.
EXACT_IN_SINGLE = frozenset("?bBhHf")


@dataclass(frozen=True)
class Spline:
    """How values between pixels are found."""

    order: int
    mode: str
    cval: complex
    # How many pixels were added before each axis to give the coefficients their run-in.
    padding: int = 0

    @property
    def code(self):
        """The number the compiled kernels know the mode by."""
        return CODES[self.mode]


@dataclass(frozen=True)
class Box:
    """Where a box of coefficients lies: its first pixel on each axis, and the whole's shape."""

    origin: tuple[int, ...]
    shape: tuple[int, ...]


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
    return _by_parts(_points_of_part, coefficients, box, (flat, shape), spline, dtype)


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
    return _by_parts(_affine_of_part, coefficients, box, arguments, spline, dtype)


def on_grid(coefficients, box, lines, spline, dtype):
    """
    Interpolate on a grid of points parallel to the axes.

    Parameters
    ----------
    coefficients : numpy.ndarray
        The box.
    box : Box
    lines : sequence of numpy.ndarray
        For each axis the coordinates of the output's pixels along it.
    spline : Spline
    dtype : numpy.dtype
        Of the result.

    Returns
    -------
    numpy.ndarray
    """
    return _by_parts(_grid_of_part, coefficients, box, (lines,), spline, dtype)


def _by_parts(function, coefficients, box, arguments, spline, dtype):
    """Run ``function`` on a real array, or on the two parts of a complex one."""
    if dtype.kind != "c":
        return function(coefficients, box, *arguments, spline, spline.cval, dtype)
    real = np.empty(0, dtype).real.dtype
    cval = complex(spline.cval)
    first = function(coefficients.real, box, *arguments, spline, cval.real, real)
    result = np.empty(first.shape, dtype)
    result.real = first
    result.imag = function(coefficients.imag, box, *arguments, spline, cval.imag, real)
    return result


def _points_of_part(coefficients, box, flat, shape, spline, cval, dtype):
    work = np.empty(flat.shape[1], _work_dtype(dtype))
    if not use_numba():
        for begin in range(0, len(work), BAND):
            band = slice(begin, begin + BAND)
            points = flat[:, band] + spline.padding
            _with_scipy(coefficients, box, points, spline, cval, work[band])
    else:
        _points(
            *_flat(coefficients, box), flat, float(spline.padding),
            spline.order, spline.code, cval, work,
        )  # fmt: skip
    return _converted(work, dtype).reshape(shape)


def _affine_of_part(coefficients, box, matrix, offset, start, shape, spline, cval, dtype):
    work = np.empty(shape, _work_dtype(dtype))
    if not work.size:
        return work.astype(dtype)
    rows = work.reshape(-1, shape[-1])
    if not use_numba():
        step = max(BAND // shape[-1], 1)
        for begin in range(0, len(rows), step):
            band = rows[begin : begin + step]
            points = _coordinates(matrix, offset, start, shape, begin, len(band))
            points += spline.padding
            _with_scipy(coefficients, box, points, spline, cval, band.reshape(-1))
    else:
        _affine(
            *_flat(coefficients, box), matrix, offset,
            np.array(start, np.int64), np.array(shape, np.int64), float(spline.padding),
            spline.order, spline.code, cval, rows,
        )  # fmt: skip
    return _converted(work, dtype)


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
        for part, factor in zip(index, row):
            points[axis] += part * factor
    return points.reshape(len(matrix), -1)


def _grid_of_part(coefficients, box, lines, spline, cval, dtype):
    shape = tuple(map(len, lines))
    if not use_numba() or dtype.kind not in "f" or 0 in shape:
        # Integers are rounded: only SciPy's own order of summation gets every tie right.
        points = np.stack(np.broadcast_arrays(*np.ix_(*lines))).reshape(len(lines), -1)
        return _points_of_part(coefficients, box, points, shape, spline, cval, dtype)
    tables = [
        _table(np.asarray(line, float), float(spline.padding), spline.order, spline.code, *place)
        for line, place in zip(lines, zip(box.origin, coefficients.shape, box.shape))
    ]
    return _grid(coefficients, tables, shape, cval, dtype)


def _work_dtype(dtype):
    """Return what a kernel writes before conversion: integers are rounded from doubles."""
    return dtype if dtype.kind == "f" else np.dtype(float)


def _converted(values, dtype):
    """Convert as SciPy does: to the nearest integer, halves away from zero, without overflow."""
    if values.dtype == dtype:
        return values
    if dtype.kind == "b":
        # A truth value is the last byte of the integer part; what is no integer has none.
        values = np.where(np.abs(values) < 2.0**62, values, 0.0)
        return values.astype(np.int64) & 255 != 0
    limits = np.iinfo(dtype)
    rounded = np.trunc(values + np.copysign(0.5, values))
    missing = np.isnan(rounded)
    # The largest 64-bit integers are no doubles: what reaches them is set apart.
    above = rounded >= float(limits.max)
    below = rounded <= float(limits.min)
    rounded[above | below | missing] = 0
    result = rounded.astype(dtype)
    result[above] = limits.max
    result[below] = limits.min
    result[missing] = limits.min if dtype.itemsize > 2 else 0
    return result


def cells_of(coordinates, owners, chunks, shape, spline):
    """
    Return for each point the number of the cell that owns its first pixel.

    Parameters
    ----------
    coordinates : numpy.ndarray
        Shape (ndim, points), before padding.
    owners : sequence of numpy.ndarray
        Per axis, the cell of every pixel.
    chunks : tuple of tuple of int
        Sizes of the cells.
    shape : tuple of int
        Of the whole image.
    spline : Spline

    Returns
    -------
    numpy.ndarray
        Numbers in C order; one past the last where no pixel is needed.
    """
    count = math.prod(map(len, chunks))
    cells = np.zeros(coordinates.shape[1], np.int32)
    for x, owner, sizes, size in zip(coordinates, owners, chunks, shape):
        if use_numba():
            _add_cells(
                x, owner, len(sizes), size, float(spline.padding), spline.order, spline.code,
                count, cells,
            )  # fmt: skip
            continue
        with np.errstate(invalid="ignore", over="ignore"):
            folded = _fold_all(x + spline.padding, size, spline.code)
            lost = ~(np.abs(folded) < 1e18)
            folded[lost] = 0.0
            middle = np.floor(folded if spline.order % 2 else folded + 0.5)
        first = np.clip(middle - spline.order // 2, 0, size - 1).astype(np.int64)
        lost |= cells < 0
        cells = np.where(lost, -1, cells * len(sizes) + owner[first]).astype(np.int32)
    cells[cells < 0] = count
    return cells


def group(cells, count, coordinates):
    """
    Sort points by small numbers.

    Parameters
    ----------
    cells : numpy.ndarray
        The number of each point.
    count : int
        How many numbers there are.
    coordinates : numpy.ndarray
        Shape (ndim, points).

    Returns
    -------
    tuple of numpy.ndarray
        The order that sorts the points, where in it each number begins (and the
        last one ends), and the coordinates in that order.
    """
    if use_numba():
        return _group(cells, count, coordinates)
    bounds = np.zeros(count + 1, np.int64)
    np.cumsum(np.bincount(cells, minlength=count), out=bounds[1:])
    order = np.argsort(cells, kind="stable")
    return order, bounds, coordinates[:, order]


def outside(spline, dtype):
    """Return what ``cval`` is in the dtype of a result."""
    if dtype.kind == "c":
        return dtype.type(spline.cval)
    return _converted(np.array([spline.cval], _work_dtype(dtype)), dtype)[0]


def _flat(coefficients, box):
    """Return what a compiled kernel takes in place of an N-dimensional box."""
    dtype = np.float32 if coefficients.dtype.char in EXACT_IN_SINGLE else np.float64
    return (
        np.ascontiguousarray(coefficients, dtype=dtype).reshape(-1),
        np.array(coefficients.shape, np.int64),
        np.array(box.origin, np.int64),
        np.array(box.shape, np.int64),
    )


# -- how SciPy maps coordinates and indices beyond the edges -----------------------------------


@jit
def _fold(x, size, mode):
    """Return the coordinate in the image that ``x`` stands for; NaN where ``cval`` does."""
    if mode == GRID_CONSTANT or mode == NEAREST:
        return x
    if 0 <= x <= size - 1:
        return x
    if mode == CONSTANT or not (-1e18 < x < 1e18):
        return np.nan
    if size <= 1:
        return 0.0
    if mode == MIRROR:
        period = 2.0 * size - 2
        if x < 0:
            x += period * np.floor(-x / period)
            return x + period if x <= 1 - size else -x
        x -= period * np.floor(x / period)
        return period - x if x >= size else x
    if mode == REFLECT:
        period = 2.0 * size
        if x < 0:
            if x < -period:
                x += period * np.floor(-x / period)
            if x < -size:
                return x + period
            # A hair above -1, so that rounding down stays within reach of the image.
            return (1e-15 if x > -1e-15 else -x) - 1
        x -= period * np.floor(x / period)
        return period - x - 1 if x >= size else x
    period = size - 1.0 if mode == WRAP else float(size)
    if x >= 0:
        return x - period * np.floor(x / period)
    if mode == WRAP:
        return x + period * (np.floor(-x / period) + 1)
    return x + period * (np.trunc((-1 - x) / period) + 1)


@jit
def _place(index, size, mode):
    """Return the pixel that ``index`` stands for, -1 where ``cval`` does."""
    if 0 <= index < size:
        return index
    if mode == GRID_CONSTANT:
        return -1
    if mode == NEAREST:
        return 0 if index < 0 else size - 1
    if size <= 1:
        return 0
    if mode == REFLECT:
        index %= 2 * size
        return 2 * size - 1 - index if index >= size else index
    if mode == GRID_WRAP:
        return index % size
    # There is no spline of SciPy's for "constant" and "wrap": it mirrors them.
    index %= 2 * size - 2
    return 2 * size - 2 - index if index >= size else index


@jit
def _weigh(y, order, weights, at):
    """
    Set the weights, from position ``at`` on, of the ``order + 1`` pixels around a coordinate.

    ``y`` is its distance from the central pixel (even orders) or from the one
    below (odd ones). Each piece of the basis spline is a polynomial in Horner's
    form; the last weight is what is missing to 1, as in SciPy.
    """
    z = 1.0 - y
    if order == 1:
        weights[at] = z
    elif order == 2:
        weights[at] = 0.5 * (0.5 - y) * (0.5 - y)
        weights[at + 1] = 0.75 - y * y
    elif order == 3:
        weights[at] = z * z * z / 6.0
        weights[at + 1] = (y * y * (y - 2.0) * 3.0 + 4.0) / 6.0
        weights[at + 2] = (z * z * (z - 2.0) * 3.0 + 4.0) / 6.0
    elif order == 4:
        t = (0.5 - y) * (0.5 - y)
        weights[at] = t * t / 24.0
        t = y + 1.0
        weights[at + 1] = t * (t * (t * (5.0 - t) / 6.0 - 1.25) + 5.0 / 24.0) + 55.0 / 96.0
        t = y * y
        weights[at + 2] = t * (t * 0.25 - 0.625) + 115.0 / 192.0
        weights[at + 3] = z * (z * (z * (5.0 - z) / 6.0 - 1.25) + 5.0 / 24.0) + 55.0 / 96.0
    else:
        t = z * z
        weights[at] = z * t * t / 120.0
        weights[at + 3] = t * (t * (0.25 - z / 12.0) - 0.5) + 0.55
        t = y * y
        weights[at + 2] = t * (t * (0.25 - y / 12.0) - 0.5) + 0.55
        t = y + 1.0
        weights[at + 1] = t * (t * (t * (t * (t / 24.0 - 0.375) + 1.25) - 1.75) + 0.625) + 0.425
        t = z + 1.0
        weights[at + 4] = t * (t * (t * (t * (t / 24.0 - 0.375) + 1.25) - 1.75) + 0.625) + 0.425
    last = 1.0
    for k in range(order):
        last -= weights[at + k]
    weights[at + order] = last


@jit
def _locate(x, order, mode, extent, origin, size, places, weights, at):
    """
    Find the pixels and weights for one coordinate along one axis, edges included.

    Sets ``places`` (positions in the box, -1 for ``cval``) and ``weights`` from
    position ``at`` on. Returns 0, or what the whole point is: 1 for ``cval``, 2
    for NaN.
    """
    folded = _fold(x, size, mode)
    if not (-1e18 < folded < 1e18):
        return 1 if mode == CONSTANT else 2
    middle = np.floor(folded if order % 2 else folded + 0.5)
    first = np.int64(middle) - order // 2
    weights[at] = 1.0
    if order > 0:
        _weigh(folded - middle, order, weights, at)
    for k in range(order + 1):
        place = _place(first + k, size, mode)
        if place >= 0:
            place -= origin
            if place < 0:  # the box runs on into the next period
                place += size
        places[at + k] = place
    return 0


# -- without numba -------------------------------------------------------------------------

# Points handed to SciPy at a time: their coordinates take more room than a block.
BAND = 1 << 20


def _fold_all(x, size, mode):
    """Do for an array what `_fold` does for a number."""
    if mode in (GRID_CONSTANT, NEAREST):
        # Farther out nothing changes, and indices stay small. NaN is kept.
        return np.clip(x, -8.0, size + 8.0)
    inside = (x >= 0) & (x <= size - 1)
    if mode == CONSTANT:
        return np.where(inside, x, np.nan)
    if size <= 1:
        return np.where(np.isfinite(x), 0.0, np.nan)
    if mode in (MIRROR, REFLECT):
        shared = 1 if mode == REFLECT else 0
        period = 2.0 * size - 2 + 2 * shared
        below = np.where((x < -period) | (mode == MIRROR), x + period * np.floor(-x / period), x)
        flipped = np.where(below > -1e-15, 1e-15, -below) - 1 if shared else -below
        turns = below < -size if shared else below <= 1 - size
        below = np.where(turns, below + period, flipped)
        above = x - period * np.floor(x / period)
        above = np.where(above >= size, period - above - shared, above)
    elif mode == WRAP:
        period = size - 1.0
        below = x + period * (np.floor(-x / period) + 1)
        above = x - period * np.floor(x / period)
    else:
        below = x + size * (np.trunc((-1 - x) / size) + 1)
        above = x - size * np.floor(x / size)
    return np.where(inside, x, np.where(x < 0, below, above))


def _place_all(index, size, mode):
    """Do for an array what `_place` does for a number."""
    inside = (index >= 0) & (index < size)
    if mode == GRID_CONSTANT:
        return np.where(inside, index, -1)
    if mode == NEAREST:
        return np.clip(index, 0, size - 1)
    if size <= 1:
        return np.zeros_like(index)
    if mode == GRID_WRAP:
        return index % size
    shared = 1 if mode == REFLECT else 0
    period = 2 * size - 2 + 2 * shared
    index = index % period
    return np.where(index >= size, period - shared - index, index)


def _with_scipy(coefficients, box, coordinates, spline, cval, out):
    """Interpolate with SciPy, on a box that holds the neighbours of every point."""
    order, mode = spline.order, spline.code
    state = np.zeros(len(out), np.int64)
    local = np.zeros(coordinates.shape)
    for axis, x in enumerate(coordinates):
        with np.errstate(invalid="ignore", over="ignore"):
            folded = _fold_all(x, box.shape[axis], mode)
            lost = ~(np.abs(folded) < 1e18) | ~(np.abs(x) < 1e18) & (mode != NEAREST)
        state[lost] = np.maximum(state[lost], 1 if mode == CONSTANT else 2)
        if lost.all():
            break
        folded[lost] = folded[~lost][0]
        middle = np.floor(folded if order % 2 else folded + 0.5)
        first = middle.astype(np.int64) - order // 2
        # Only pixels that some point needs are kept: a support stays in one piece, and a
        # box from both ends of a periodic axis does not grow to the whole of it.
        begin = first.min()
        needed = np.zeros(first.max() - begin + 1 + order, bool)
        for k in range(order + 1):
            needed[first - begin + k] = True
        rank = np.cumsum(needed) - 1
        local[axis] = rank[first - begin] + order // 2
        if order:
            local[axis] += folded - middle
        place = _place_all(np.flatnonzero(needed) + begin, box.shape[axis], mode)
        coefficients = _extended(coefficients, axis, place, box.origin[axis], box.shape[axis], cval)
    if (state < 1).any():
        if coefficients.dtype.char == "e" or coefficients.dtype.kind == "b":
            coefficients = coefficients.astype(np.float32)
        ndimage.map_coordinates(
            coefficients, local, out, order=order, mode="mirror", prefilter=False
        )
    out[state == 1] = cval
    out[state == 2] = np.nan


def _extended(coefficients, axis, place, origin, size, cval):
    """Return the pixels ``place`` of the image from a box that begins at ``origin``."""
    position = np.where(place >= origin, place - origin, place - origin + size)
    missing = (place < 0) | (position >= coefficients.shape[axis])
    if coefficients.shape[axis] == 0:
        shape = (*coefficients.shape[:axis], len(place), *coefficients.shape[axis + 1 :])
        return np.full(shape, cval, np.float64)
    if not missing.any():
        return coefficients.take(position, axis)
    if coefficients.dtype.kind != "f":
        coefficients = coefficients.astype(np.float64)
    result = coefficients.take(np.where(missing, 0, position), axis)
    result[(slice(None),) * axis + (missing,)] = cval
    return result


# -- kernels -------------------------------------------------------------------------------


@jit
def _point(
    box, extents, origin, shape, coordinates, point, padding, order, mode, cval, places, weights
):
    """Interpolate at one point, edges included; the slow path of every kernel."""
    ndim = len(extents)
    taps = order + 1
    state = 0
    for axis in range(ndim):
        x = coordinates[axis, point] + padding
        one = _locate(
            x, order, mode, extents[axis], origin[axis], shape[axis], places, weights, axis * taps
        )
        state = max(state, one)
    if state > 0:
        return cval if state == 1 else np.nan
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
            _weigh(x - math.floor(x + shift), order, weights, 0)
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
            _weigh(x, order, weights, 0)
            _weigh(y, order, weights, taps)
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
        _weigh(x - math.floor(x + shift), order, weights, 0)
        _weigh(y - math.floor(y + shift), order, weights, taps)
        _weigh(z - math.floor(z + shift), order, weights, 2 * taps)
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
def _points(box, extents, origin, shape, coordinates, padding, order, mode, cval, out):
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
        _points(box, extents, origin, shape, coordinates, padding, order, mode, cval, rows[row])


@jit
def _table(line, padding, order, mode, origin, extent, size):
    """Return pixels and weights for every coordinate of a line, and whether it is ``cval``."""
    taps = order + 1
    places = np.zeros(len(line) * taps, np.int64)
    weights = np.ones(len(line) * taps, np.float64)
    states = np.zeros(len(line), np.int64)
    for k in range(len(line)):
        states[k] = _locate(
            line[k] + padding, order, mode, extent, origin, size, places, weights, k * taps
        )
    return places.reshape(-1, taps), weights.reshape(-1, taps), states


def _grid(coefficients, tables, shape, cval, dtype):
    """Interpolate axis by axis, the last two at once."""
    out = np.full(shape, cval, dtype)
    if coefficients.size:
        image = coefficients
        if image.dtype.char not in "fd":
            image = image.astype(np.float32 if image.dtype.char in EXACT_IN_SINGLE else float)
        steps = []
        for axis, (places, weights, _) in enumerate(tables):
            used = np.unique(places[places >= 0])
            if 2 * len(used) <= image.shape[axis]:
                image = image.take(used, axis)
                places = np.where(places < 0, -1, np.searchsorted(used, places))
            steps.append((places, weights))
        if image.ndim == 1:
            image = image[np.newaxis]
            steps.insert(0, (np.zeros((1, 1), np.int64), np.ones((1, 1))))
        image = np.ascontiguousarray(image)
        for axis, step in enumerate(steps[:-2]):
            before, size, after = (
                math.prod(image.shape[:axis]), image.shape[axis], math.prod(image.shape[axis + 1 :])
            )  # fmt: skip
            image = _along(image.reshape(before, size, after), *step, cval).reshape(
                *image.shape[:axis], len(step[0]), *image.shape[axis + 1 :]
            )
        planes = image.reshape(math.prod(image.shape[:-2]), *image.shape[-2:])
        _in_planes(planes, *steps[-2], *steps[-1], cval, out.reshape(len(planes), -1, shape[-1]))
    for state, value in ((1, cval), (2, np.nan)):
        for axis, (_, _, states) in enumerate(tables):
            if (states == state).any():
                out[(slice(None),) * axis + (states == state,)] = value
    return out


@jit
def _along(image, places, weights, cval):
    """Interpolate along the middle one of three axes."""
    before, _, after = image.shape
    count, taps = places.shape
    out = np.zeros((before, count, after))
    for i in range(before):
        for j in range(count):
            row = out[i, j]
            for k in range(taps):
                weight = weights[j, k]
                if places[j, k] < 0:
                    row += weight * cval
                else:
                    source = image[i, places[j, k]]
                    for m in range(after):
                        row[m] += weight * source[m]
    return out


@jit
def _in_planes(image, row_places, row_weights, places, weights, cval, out):
    """Interpolate along the last two of three axes."""
    width = image.shape[2]
    line = np.empty(width + 1)
    line[width] = cval
    count, taps = places.shape
    safe = np.where(places < 0, width, places)
    for plane in range(image.shape[0]):
        for i in range(len(row_places)):
            line[:width] = 0.0
            for k in range(row_places.shape[1]):
                weight = row_weights[i, k]
                if row_places[i, k] < 0:
                    line[:width] += weight * cval
                else:
                    source = image[plane, row_places[i, k]]
                    for m in range(width):
                        line[m] += weight * source[m]
            for j in range(count):
                total = 0.0
                for k in range(taps):
                    total += weights[j, k] * line[safe[j, k]]
                out[plane, i, j] = total


@jit
def _add_cells(line, owner, cells_along, size, padding, order, mode, count, cells):
    """Work one axis into the numbers of the cells; -1 for points that need no pixel."""
    for point in range(len(line)):
        if cells[point] < 0:
            continue
        x = _fold(line[point] + padding, size, mode)
        if not (-1e18 < x < 1e18):
            cells[point] = -1
            continue
        first = math.floor(x if order & 1 else x + 0.5) - (order >> 1)
        first = min(max(first, 0), size - 1)
        cells[point] = cells[point] * cells_along + owner[first]


@jit
def _group(cells, count, coordinates):
    """Sort by counting."""
    bounds = np.zeros(count + 1, np.int64)
    for cell in cells:
        bounds[cell + 1] += 1
    for k in range(count):
        bounds[k + 1] += bounds[k]
    following = bounds[:-1].copy()
    order = np.empty(len(cells), np.int64)
    moved = np.empty_like(coordinates)
    for point in range(len(cells)):
        place = following[cells[point]]
        following[cells[point]] += 1
        order[place] = point
        for axis in range(len(coordinates)):
            moved[axis, place] = coordinates[axis, point]
    return order, bounds, moved
