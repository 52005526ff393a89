"""
Compiled interpolation at points whose pixels lie side by side in a box.

Each kernel takes some points at a time, in steps that are vectors: where their pixels
lie and how these count; then the pixels are read; then they are weighted and added up, in SciPy's
order. Points that are not inside are kept to pixels that are there, and set apart afterwards.

Before pixels are read memory is asked for them, or an oblique line through an image would wait for
one after another.
"""

import itertools
from typing import Any, NamedTuple

import numpy as np

from dask_image._kernels._numba import copy_two, jit, jit_inline, jit_part, prefetch
from dask_image._kernels.blocks.interpolation.weights import weigh

# Points that a kernel works on at a time: their rows of weights stay in the fastest cache.
ROW = 512
# Pixels of every so many of them are asked for, since neighbours share what memory sends.
ASKED = 4

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


class Around(NamedTuple):
    """
    What a spline reads around a point.

    ``digits`` names, for each row of pixels, its place along all axes but the last; ``deltas`` is
    how far it lies from the first row. What is seldom needed is not compiled where it is None:
    ``rare`` for orders 1 and 3, ``far`` for up to three axes.
    """

    order: int
    digits: Any
    deltas: Any
    rare: Any
    far: Any

    @classmethod
    def of(cls, order, ndim, strides):
        """Return what splines of an order read in a box whose pixels lie that far apart."""
        digits = list(itertools.product(range(order + 1), repeat=ndim - 1))
        digits = np.array(digits, np.int64).reshape(len(digits), ndim - 1)
        rare, far = None if order in (1, 3) else True, None if ndim < 4 else True
        return cls(order, digits, digits @ strides[:-1], rare, far)


class Scratch(NamedTuple):
    """
    Memory for what is known of `ROW` points.

    There are weights along each axis, and what is ``lost``, that is not inside. Where their pixels
    lie is added up in ``where``, from `WHOLE` on; ``offsets`` are its bits. ``factors`` are the
    weights one row after another, and a row of ones, for loops to find by number: to pass a row of
    an array on would count references. ``pairs`` are two rows of pixels that lie side by side.
    """

    weights: Any
    factors: Any
    lost: Any
    where: Any
    offsets: Any
    rows: Any
    pairs: Any

    @classmethod
    def of(cls, ndim, order, dtype):
        """Return memory for splines of an order in pixels of a dtype."""
        factors = np.ones((ndim * (order + 1) + 1) * ROW)
        weights = factors[:-ROW].reshape(ndim, order + 1, ROW)
        where, lost = np.empty(ROW), np.empty(ROW, np.int64)
        rows, pairs = np.empty((3, ROW)), np.empty((2, 2 * ROW), dtype)
        return cls(weights, factors, lost, where, where.view(np.int64), rows, pairs)


@jit
def nearest(source, points, first, around, scratch, rest, out):
    """
    Read the nearest pixel of as many `Points` as ``out`` holds, from number ``first`` on.

    Returns how many points are left; their numbers are in ``rest``.
    """
    pixels, frame, _ = source
    _, _, lost, where, offsets, rows, _ = scratch
    x, left = rows[0], np.int64(0)
    for start in range(0, out.size, ROW):
        count = _begin(out.size, start, where, lost)
        for axis in range(len(frame)):
            _coordinates(points, axis, frame[axis], first + start, count, x)
            _place_nearest(x, count, frame[axis], where, lost)
        _ask_for(pixels, around.deltas, offsets, count)
        _read(pixels, offsets, count, out[start:])
        left = _set_apart(lost, source, (points, first, x), start, count, rest, left, out)
    return left


@jit
def linear(source, points, first, around, scratch, rest, out):
    """Do so by order 1 between the four pixels around points of a plane."""
    pixels, frame, _ = source
    weights, factors, lost, where, offsets, rows, pairs = scratch
    x, left = rows[0], np.int64(0)
    above, below, deltas = pairs[0], pairs[1], around.deltas
    for start in range(0, out.size, ROW):
        count = _begin(out.size, start, where, lost)
        for axis in range(2):
            _coordinates(points, axis, frame[axis], first + start, count, x)
            _place_linear(x, count, frame[axis], weights[axis, 0], where, lost)
        _ask_for(pixels, deltas, offsets, count)
        _read_two(pixels, np.uint64(0), offsets, count, above)
        _read_two(pixels, np.uint64(deltas[1]), offsets, count, below)
        _add_corners(above, below, factors, count, out[start:])
        left = _set_apart(lost, source, (points, first, x), start, count, rest, left, out)
    return left


@jit
def splines(source, points, first, around, scratch, rest, out):
    """Do so by splines of order 1 to 5, in any number of dimensions."""
    pixels, frame, _ = source
    order, _, deltas, rare, _ = around
    weights, factors, lost, where, offsets, rows, pairs = scratch
    x, total, one, line = rows[0], rows[1], rows[2], pairs[0]
    left = np.int64(0)
    for start in range(0, out.size, ROW):
        count = _begin(out.size, start, where, lost)
        for axis in range(len(frame)):
            _coordinates(points, axis, frame[axis], first + start, count, x)
            weigh(x[:count], order, rare, one, weights[axis])
            _place(one, count, frame[axis], order, where, lost)
        _ask_for(pixels, deltas, offsets, count)
        _set(total, 0.0, count)
        _add_rows(pixels, offsets, around, factors, line, count, one, total)
        _copy(total, count, out[start:])
        left = _set_apart(lost, source, (points, first, x), start, count, rest, left, out)
    return left


@jit_part
def _add_rows(pixels, offsets, around, factors, pairs, count, one, total):
    """Add all pixels around points, with their weights, to the total."""
    order, digits, deltas, rare, far = around
    leading = digits.shape[1]
    ones = np.uint64(factors.size - ROW)
    for row in range(len(deltas)):
        before = beside = ones
        if leading > 0:
            beside = _factor(leading - 1, order, digits[row, leading - 1])
        if leading > 1:
            before = _factor(leading - 2, order, digits[row, leading - 2])
        for tap in range(0, order + 1, 2):
            delta = np.uint64(deltas[row] + tap)
            last = _factor(leading, order, tap)
            both = rare is None or tap < order
            if rare is None or both:
                _read_two(pixels, delta, offsets, count, pairs)
            else:
                _read_one(pixels, delta, offsets, count, pairs)
            if far is not None:
                for which in range(1 + both):
                    _take(pairs, which, count, one)
                    for axis in range(leading):
                        factor = _factor(axis, order, digits[row, axis])
                        _multiply(one, factors, factor, count)
                    factor = _factor(leading, order, tap + which)
                    _multiply(one, factors, factor, count)
                    _add(one, count, total)
            elif rare is None or both:
                _add_two(pairs, factors, before, beside, last, count, total)
            else:
                _add_one(pairs, factors, before, beside, last, count, total)


@jit_part
def _factor(axis, order, tap):
    """Return where the weights of a tap along an axis begin."""
    return np.uint64((axis * (order + 1) + tap) * ROW)


@jit_part
def _coordinates(points, axis, frame, first, count, x):
    """
    Set the coordinates, in the padded image, of some of the `Points` from number ``first`` on.

    From the offset on, term by term, as SciPy adds them up.
    """
    matrix, offset, start, rows, along = points
    length = np.uint64(along.shape[1])  # unsigned numbers are divided in half the time
    padding, done = frame[PADDING], 0
    while done < count:
        number = np.uint64(first + done)
        rest = number // length
        column = np.int64(number - rest * length)
        begin = offset[axis]
        for outer in range(start.size):
            index = rest // rows[outer]
            rest -= index * rows[outer]
            begin += (start[outer] + np.int64(index)) * matrix[axis, outer]
        steps, target = along[axis, column:], x[done:]
        here = count - done
        here = here if here < along.shape[1] - column else along.shape[1] - column
        for k in range(here):
            target[k] = begin + steps[k] + padding
        done += here


@jit_part
def _begin(size, start, where, lost):
    """Return how many points there are from ``start`` on, up to `ROW`; nothing is known of them."""
    count = size - start if size - start < ROW else ROW
    for k in range(count):
        where[k] = WHOLE
        lost[k] = 0
    return count


@jit_part
def _ask_for(pixels, deltas, offsets, count):
    """Have pixels sent from memory, those of a row at each of ``deltas`` from the first."""
    for row in range(deltas.size):
        delta = np.uint64(deltas[row])
        for k in range(0, count, ASKED):
            prefetch(pixels, np.uint64(offsets[k] & ADDED) + delta)


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
def _place_nearest(x, count, axis, where, lost):
    """Add to ``where`` how far pixels lie from the first; note which points are not inside."""
    origin, most, stride = axis[ORIGIN], axis[MOST], axis[STRIDE]
    for k in range(count):
        place = np.floor(x[k] + 0.5) - origin
        safe = _limited(place, most)
        # Less than half a pixel beyond the image modes differ already.
        inside = (place == safe) & (x[k] >= 0.0) & (x[k] <= axis[END])
        lost[k] |= not inside
        where[k] += safe * stride


@jit_part
def _place_linear(x, count, axis, weights, where, lost):
    """Do so for the first of two pixels, and find its weight."""
    origin, most, stride = axis[ORIGIN], axis[MOST], axis[STRIDE]
    end = axis[END]
    for k in range(count):
        # At the end the pixel beyond would weigh nothing: the last two are taken instead.
        first = np.floor(x[k]) - (1.0 if x[k] == end else 0.0)
        weights[k] = 1.0 - (x[k] - first)
        place = first - origin
        safe = _limited(place, most)
        lost[k] |= place != safe
        where[k] += safe * stride


@jit_part
def _place(first, count, axis, order, where, lost):
    """Do so for first pixels that are known."""
    origin, most, stride = axis[ORIGIN] - order // 2, axis[MOST], axis[STRIDE]
    for k in range(count):
        place = first[k] - origin
        safe = _limited(place, most)
        lost[k] |= place != safe
        where[k] += safe * stride


# Offsets are unsigned, or each would be checked for whether it counts from the end.


@jit
def _read(pixels, offsets, count, row):
    for k in range(count):
        row[k] = pixels[np.uint64(offsets[k] & ADDED)]


@jit_part
def _read_two(pixels, delta, offsets, count, pairs):
    """
    Read two pixels side by side for each point; not into a sum, which then would be no vector.
    """
    for k in range(count):
        copy_two(pixels, np.uint64(offsets[k] & ADDED) + delta, pairs, np.uint64(2 * k))


@jit_part
def _read_one(pixels, delta, offsets, count, pairs):
    """Read the first of such two."""
    for k in range(count):
        pairs[np.uint64(2 * k)] = pixels[np.uint64(offsets[k] & ADDED) + delta]


@jit_part
def _add_corners(above, below, factors, count, out):
    for k in range(count):
        place = np.uint64(k)
        here = place + place
        beside = here + np.uint64(1)
        upper, near = factors[place], factors[np.uint64(2 * ROW) + place]
        lower, far = 1.0 - upper, 1.0 - near
        value = 0.0 + above[here] * upper * near
        value += above[beside] * upper * far
        value += below[here] * lower * near
        out[k] = value + below[beside] * lower * far


@jit_part
def _add_two(pairs, factors, before, beside, last, count, total):
    following = last + np.uint64(ROW)
    for k in range(count):
        place = np.uint64(k)
        here = place + place
        one, other = pairs[here], pairs[here + np.uint64(1)]
        first, second = factors[before + place], factors[beside + place]
        value = total[k] + one * first * second * factors[last + place]
        total[k] = value + other * first * second * factors[following + place]


@jit_part
def _add_one(pairs, factors, before, beside, last, count, total):
    for k in range(count):
        place = np.uint64(k)
        value = pairs[place + place] * factors[before + place] * factors[beside + place]
        total[k] += value * factors[last + place]


@jit_part
def _take(pairs, which, count, values):
    for k in range(count):
        values[k] = pairs[np.uint64(2 * k + which)]


@jit_part
def _multiply(values, factors, begin, count):
    for k in range(count):
        values[k] *= factors[begin + np.uint64(k)]


@jit_part
def _add(values, count, total):
    for k in range(count):
        total[k] += values[k]


@jit_part
def _copy(values, count, out):
    for k in range(count):
        out[k] = values[k]


@jit_inline
def _note_outside(x, count, axis, lost):
    """Make what is lost less than 0 for points beyond which there is nothing but ``cval``."""
    low, high = axis[LOW], axis[HIGH]
    for k in range(count):
        lost[k] = lost[k] if (lost[k] == 0) | ((x[k] >= low) & (x[k] <= high)) else -1


@jit_part
def _set_apart(lost, source, where, start, count, rest, left, out):
    """Give points without pixels their value, and list the others that are not inside."""
    _, frame, cval = source
    points, first, x = where
    missing = np.int64(0)
    for k in range(count):
        missing |= lost[k]
    if not missing:
        return left
    for axis in range(len(frame)):
        _coordinates(points, axis, frame[axis], first + start, count, x)
        _note_outside(x, count, frame[axis], lost)
    target, others = out[start:], False
    for k in range(count):
        target[k] = cval if lost[k] < 0 else target[k]
        others |= lost[k] > 0
    if others:
        for k in range(count):
            if lost[k] > 0:
                rest[left] = start + k
                left += 1
    return left
