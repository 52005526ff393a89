"""
Compiled interpolation at points whose pixels lie side by side in a box.

Each kernel takes some points of a band at a time, in steps that are vectors: where their pixels
lie and how these count; then the pixels are read; then they are weighted and added up, in SciPy's
order. Points that are not inside are kept to pixels that are there, and set apart afterwards.
"""

from typing import Any, NamedTuple

import numpy as np

from dask_image._kernels._numba import jit, jit_part
from dask_image._kernels.blocks.interpolation.weights import weigh

# Points that a kernel works on at a time: their rows of weights stay in the fastest cache.
ROW = 512

# What a kernel knows of an axis, the columns of its ``frame``: what is added to a
# coordinate; the first pixel's least number in the image, its greatest one in the box; how far
# pixels of the box lie from each other; the last pixel of the image, if a point there
# is inside; between which coordinates there is anything but ``cval``.
PADDING, ORIGIN, MOST, STRIDE, END, LOW, HIGH = range(7)

# Of a double from this number on, the last bits are the integer that has been added to it:
# vectors of 256 bits have no other way from doubles to long integers.
WHOLE, ADDED = 2.0**52, (1 << 52) - 1


class Source(NamedTuple):
    """The pixels of a box one after another, its ``frame``, and what lies outside."""

    pixels: Any
    frame: Any
    cval: float


class Band(NamedTuple):
    """Points, of which those from number ``begin`` on are meant."""

    points: Any
    begin: int


class Around(NamedTuple):
    """
    What a spline reads around a point.

    ``digits`` names, for each row of pixels, its place along all axes but the last; ``deltas`` is
    how far it lies from the first row.
    """

    order: int
    digits: Any
    deltas: Any


class Scratch(NamedTuple):
    """
    Memory for what is known of `ROW` points: weights along each axis, and more.

    Where their pixels lie is added up in ``where``, from `WHOLE` on; ``offsets`` are its bits.
    """

    weights: Any
    rows: Any
    where: Any
    offsets: Any

    @classmethod
    def of(cls, ndim, order):
        """Return memory for splines of an order."""
        where = np.empty(ROW)
        weights, rows = np.empty((ndim, order + 1, ROW)), np.empty((5, ROW))
        return cls(weights, rows, where, where.view(np.int64))


@jit
def nearest(source, points, scratch, rest, out):
    """
    Read the nearest pixel of as many points of a band as ``out`` holds.

    Returns how many points are left; their numbers are in ``rest``.
    """
    pixels, frame, _ = source
    band, begin = points
    _, rows, where, offsets = scratch
    lost, left = rows[0], np.int64(0)
    for start in range(0, out.size, ROW):
        count = ROW if out.size - start > ROW else out.size - start
        _set(where, WHOLE, count)
        _set(lost, 0.0, count)
        for axis in range(len(frame)):
            _place_nearest(band[axis, begin + start :], count, frame[axis], where, lost)
        _read(pixels, offsets, count, out[start:])
        left = _set_apart(lost, source, points, start, count, rest, left, out)
    return left


@jit
def linear(source, points, corners, scratch, rest, out):
    """Do so by order 1 between the four pixels around points of a plane."""
    pixels, frame, _ = source
    band, begin = points
    weights, rows, where, offsets = scratch
    lost, left = rows[0], np.int64(0)
    for start in range(0, out.size, ROW):
        count = ROW if out.size - start > ROW else out.size - start
        _set(where, WHOLE, count)
        _set(lost, 0.0, count)
        for axis in range(2):
            _place_linear(
                band[axis, begin + start :], count, frame[axis], weights[axis, 0], where, lost
            )
        _read_corners(pixels, np.uint64(frame[0, STRIDE]), offsets, count, corners)
        _add_corners(corners, count, weights[0, 0], weights[1, 0], out[start:])
        left = _set_apart(lost, source, points, start, count, rest, left, out)
    return left


@jit
def splines(source, points, around, scratch, rest, out):
    """Do so by splines of order 1 to 5, in any number of dimensions."""
    pixels, frame, _ = source
    band, begin = points
    order, digits, deltas = around
    weights, rows, where, offsets = scratch
    ndim = len(frame)
    total, one, other, ones, lost = rows[0], rows[1], rows[2], rows[3], rows[4]
    ones[:] = 1.0
    left = np.int64(0)
    for start in range(0, out.size, ROW):
        count = ROW if out.size - start > ROW else out.size - start
        _set(where, WHOLE, count)
        _set(total, 0.0, count)
        _set(lost, 0.0, count)
        for axis in range(ndim):
            _shift(band[axis, begin + start :], count, frame[axis], other)
            weigh(other[:count], order, one, weights[axis])
            _place(one, count, frame[axis], order, where, lost)
        last = weights[ndim - 1]
        for row in range(len(deltas)):
            before = weights[ndim - 3, digits[row, ndim - 3]] if ndim > 2 else ones
            beside = weights[ndim - 2, digits[row, ndim - 2]] if ndim > 1 else ones
            for tap in range(0, order + 1, 2):
                delta = np.uint64(deltas[row] + tap)
                both = tap < order
                _read_two(pixels, delta, np.uint64(both), offsets, count, one, other)
                for axis in range(ndim - 3):
                    _multiply(one, weights[axis, digits[row, axis]], count)
                    _multiply(other, weights[axis, digits[row, axis]], count)
                if both:
                    _add_two(one, other, before, beside, last[tap], last[tap + 1], count, total)
                else:
                    _add_one(one, before, beside, last[tap], count, total)
        _copy(total, count, out[start:])
        left = _set_apart(lost, source, points, start, count, rest, left, out)
    return left


@jit_part
def _set(row, value, count):
    # An assignment to a slice takes many times longer to compile.
    for k in range(count):
        row[k] = value


@jit_part
def _limited(place, most):
    """Return the nearest number from 0 to ``most``; NaN becomes 0."""
    if not place > 0.0:
        return 0.0
    return place if place < most else most


@jit_part
def _place_nearest(source, count, axis, where, lost):
    """Add to ``where`` how far pixels lie from the first; note which points are not inside."""
    padding, origin, most, stride = axis[PADDING], axis[ORIGIN], axis[MOST], axis[STRIDE]
    for k in range(count):
        x = source[k] + padding
        place = np.floor(x + 0.5) - origin
        safe = _limited(place, most)
        # Less than half a pixel beyond the image modes differ already.
        inside = (place == safe) & (x >= 0.0) & (x <= axis[END])
        lost[k] += 0.0 if inside else 1.0
        where[k] += safe * stride


@jit_part
def _place_linear(source, count, axis, weights, where, lost):
    """Do so for the first of two pixels, and find its weight."""
    padding, origin, most, stride = axis[PADDING], axis[ORIGIN], axis[MOST], axis[STRIDE]
    end = axis[END]
    for k in range(count):
        x = source[k] + padding
        # At the end the pixel beyond would weigh nothing: the last two are taken instead.
        first = np.floor(x) - (1.0 if x == end else 0.0)
        weights[k] = 1.0 - (x - first)
        place = first - origin
        safe = _limited(place, most)
        lost[k] += 0.0 if place == safe else 1.0
        where[k] += safe * stride


@jit_part
def _shift(source, count, axis, x):
    for k in range(count):
        x[k] = source[k] + axis[PADDING]


@jit_part
def _place(first, count, axis, order, where, lost):
    """Do so for first pixels that are known."""
    origin, most, stride = axis[ORIGIN] - order // 2, axis[MOST], axis[STRIDE]
    for k in range(count):
        place = first[k] - origin
        safe = _limited(place, most)
        lost[k] += 0.0 if place == safe else 1.0
        where[k] += safe * stride


# Offsets are unsigned, or each would be checked for whether it counts from the end.


@jit
def _read(pixels, offsets, count, row):
    for k in range(count):
        row[k] = pixels[np.uint64(offsets[k] & ADDED)]


@jit_part
def _read_corners(pixels, stride, offsets, count, corners):
    """Read four pixels; not straight into a sum, which then would be no vector."""
    a, b, c, d = corners[0], corners[1], corners[2], corners[3]
    step = np.uint64(1)
    for k in range(count):
        offset = np.uint64(offsets[k] & ADDED)
        a[k] = pixels[offset]
        b[k] = pixels[offset + step]
        c[k] = pixels[offset + stride]
        d[k] = pixels[offset + stride + step]


@jit_part
def _add_corners(corners, count, top, left, out):
    a, b, c, d = corners[0], corners[1], corners[2], corners[3]
    for k in range(count):
        bottom, right = 1.0 - top[k], 1.0 - left[k]
        value = 0.0 + a[k] * top[k] * left[k]
        value += b[k] * top[k] * right
        value += c[k] * bottom * left[k]
        out[k] = value + d[k] * bottom * right


@jit_part
def _read_two(pixels, delta, step, offsets, count, one, other):
    for k in range(count):
        offset = np.uint64(offsets[k] & ADDED) + delta
        one[k] = pixels[offset]
        other[k] = pixels[offset + step]


@jit_part
def _multiply(values, factors, count):
    for k in range(count):
        values[k] *= factors[k]


@jit_part
def _add_two(one, other, before, beside, left, right, count, total):
    for k in range(count):
        value = total[k] + one[k] * before[k] * beside[k] * left[k]
        total[k] = value + other[k] * before[k] * beside[k] * right[k]


@jit_part
def _add_one(one, before, beside, left, count, total):
    for k in range(count):
        total[k] += one[k] * before[k] * beside[k] * left[k]


@jit_part
def _copy(values, count, out):
    for k in range(count):
        out[k] = values[k]


@jit_part
def _note_outside(source, count, axis, lost):
    """Make what is lost less than 0 for points beyond which there is nothing but ``cval``."""
    padding, low, high = axis[PADDING], axis[LOW], axis[HIGH]
    for k in range(count):
        x = source[k] + padding
        lost[k] = lost[k] if (lost[k] == 0.0) | ((x >= low) & (x <= high)) else -1.0


@jit_part
def _set_apart(lost, source, points, start, count, rest, left, out):
    """Give points without pixels their value, and list the others that are not inside."""
    _, frame, cval = source
    band, begin = points
    missing = 0
    for k in range(count):
        missing += lost[k] != 0.0
    if not missing:
        return left
    for axis in range(len(frame)):
        _note_outside(band[axis, begin + start :], count, frame[axis], lost)
    target = out[start:]
    for k in range(count):
        missing -= lost[k] < 0.0
        target[k] = cval if lost[k] < 0.0 else target[k]
    if missing:
        for k in range(count):
            if lost[k] > 0.0:
                rest[left] = start + k
                left += 1
    return left
