"""
Moving averages, two axes in one sweep of rows.

Down the rows the sums run: what enters is added and what leaves is taken away, as in SciPy.
Along a row they are sums of sums of twice as many pixels each time. Sums of integers are
exact, so their means are SciPy's to the last bit; those of floats may differ by its rounding.
A NaN or an infinity spoils the windows that hold it, and no others: where one comes along, the
running sums begin anew.
"""

import operator

import numpy as np
from scipy import ndimage

from dask_image._kernels._numba import jit, jit_contract_part, jit_inline, use_numba
from dask_image._kernels.memory import scratch
from dask_image._kernels.stand_ins._calls import stands_in_for
from dask_image._kernels.stand_ins._lines import CANONICAL_MODE, each
from dask_image._kernels.stand_ins._steps import (
    LineFilter,
    Sweeps,
    by_way_of,
    divide,
    fill,
    run_steps,
)
from dask_image._kernels.stand_ins.correlation import computed, converted, result_dtype

# The sums of a strip of columns stay in the first-level cache.
STRIP = 2048


@jit_inline
def _add_row(pixels, start, sign, table, stretch, total, at, begin, length):
    """
    Add ``sign`` times a row of pixels, lengthened at its ends (see `_steps.read`), to a row.

    That begins ``at`` some place of ``total``.
    """
    first = stretch[0] if stretch[0] > begin else begin
    last = stretch[1] if stretch[1] < begin + length else begin + length
    place = begin
    while place < begin + length:
        if place == first and last > first:
            s, t = np.uint64(start + first + stretch[2]), np.uint64(at + first - begin)
            for i in range(np.uint64(last - first)):
                total[t + i] += total.dtype.type(sign * total.dtype.type(pixels[s + i]))
            place = last
            continue
        if table[place] >= 0:
            pixel = total.dtype.type(pixels[start + table[place]])
            total[at + place - begin] += total.dtype.type(sign * pixel)
        place += 1


@jit_inline
def _clear(total, at, length):
    t = np.uint64(at)
    for i in range(np.uint64(length)):
        total[t + i] = 0


@jit_inline
def _add_constant(value, total, at, length):
    t = np.uint64(at)
    for i in range(np.uint64(length)):
        total[t + i] += total.dtype.type(value)


@jit_inline
def _slide(pixels, left, entered, table, stretch, total, at, begin, length):
    """Take the row of pixels that begins at ``left`` from a row, and add that at ``entered``."""
    first = stretch[0] if stretch[0] > begin else begin
    last = stretch[1] if stretch[1] < begin + length else begin + length
    place = begin
    while place < begin + length:
        if place == first and last > first:
            r, t = np.uint64(left + first + stretch[2]), np.uint64(at + first - begin)
            s = np.uint64(entered + first + stretch[2])
            for i in range(np.uint64(last - first)):
                new, old = total.dtype.type(pixels[s + i]), total.dtype.type(pixels[r + i])
                total[t + i] += new - old
            place = last
            continue
        if table[place] >= 0:
            new = total.dtype.type(pixels[entered + table[place]])
            total[at + place - begin] += new - total.dtype.type(pixels[left + table[place]])
        place += 1


@jit_contract_part
def _average(total, start, whole, single, size, via, native, out, to, count):
    """
    Write sums over ``size`` to ``out``, in so far as it matters, without dividing.

    Results are ``whole`` numbers or of ``single`` precision, where these are not None.

    They are rounded to the dtype of ``native`` by way of that of ``via``. Of whole numbers
    only that part of the quotient is wanted; half of a pixel's worth away from the next one,
    no rounding takes it there. In double precision one step of Newton's leaves the quotient
    rounded as a division does where multiplying and adding are one instruction (P. Markstein,
    IA-64 and Elementary Functions, 2000).

    Returns
    -------
    bool
        Whether all sums are finite.
    """
    inverse, s, t, spoiled = 1.0 / size, np.uint64(start), np.uint64(to), False
    if whole is not None:
        for i in range(np.uint64(count)):
            value = np.float64(total[s + i])
            mean = (value + (0.5 if value >= 0.0 else -0.5)) * inverse
            out[t + i] = native.dtype.type(via.dtype.type(mean))
    elif single is not None:
        for i in range(np.uint64(count)):
            value = total[s + i]
            spoiled |= value - value != 0.0
            out[t + i] = native.dtype.type(value * inverse)
    else:
        for i in range(np.uint64(count)):
            value = total[s + i]
            spoiled |= value - value != 0.0
            quotient = value * inverse
            rest = value - quotient * size
            # Of an infinite sum the rest is no number.
            out[t + i] = quotient + (rest * inverse if rest - rest == 0.0 else 0.0)
    return not spoiled


@jit_inline
def _sum_neighbours(row, size, sums, count, spare, other):
    """
    Write to ``sums`` those of ``size`` neighbours; ``row`` is longer by the window.

    Sums of 2, 4, 8 ... pixels are made of one another, and those that ``size`` consists of
    added up.
    """
    length, span, done, none = count + np.uint64(size - 1), np.uint64(1), np.uint64(0), True
    left = size
    while left > 1:
        if left % 2:
            if none:
                for i in range(count):
                    sums[i] = row[i]
            else:
                for i in range(count):
                    sums[i] += row[done + i]
            none = False
            done += span
        left //= 2
        if left == 1:
            far = done + span
            if none:
                for i in range(count):
                    sums[i] = row[i] + row[i + span]
            else:
                for i in range(count):
                    sums[i] += row[done + i] + row[far + i]
            return
        length -= span
        for i in range(length):
            spare[i] = row[i] + row[i + span]
        row, spare, other = spare, other, spare
        span += span


@jit
def _sweep(source, target, quotients, shape, constant, axes, buffers):
    """
    Average along the last axis but one, and then along the last (sizes of 1: leave it).

    ``source`` is the image, how many parts it and rows have, how far apart those of the image are,
    and what counts beyond the edges of the second. ``target`` is the result, how far apart its
    parts are, and how sums get there, see `_average`; ``quotients`` are as in a `_steps.Stage`,
    ``constant`` is None where ``cval`` stands nowhere. What is None is not compiled.
    """
    image, number, apart, beyond = source
    result, apart_then, via, whole, single = target
    (size, rows, cval), (across_size, table, stretch, across_cval) = axes
    total, mean, sums, spare, other, native = buffers
    planes, height, width, columns, strip = shape
    count, wide = rows.size - size + 1, across_size - 1
    # Literals would have functions compiled once more.
    zero, one = 0 * planes, 1 + 0 * planes
    for plane in range(planes):
        for begin in range(0, columns, strip):
            narrow, sound = strip if strip < columns - begin else columns - begin, False
            length = narrow + wide
            both = number * length
            for top in range(count):
                to = (plane * count + top) * columns + begin
                entering = top + size - 1
                for part in range(number):
                    # Sums of weights are always numbers.
                    runs = top > 0 and size > 1 if part else sound
                    at, base = part * length, part * apart + plane * height * width
                    left = rows[top - 1] if runs else -1
                    if left >= 0 and rows[entering] >= 0:
                        _slide(
                            image, base + left * width, base + rows[entering] * width, table,
                            stretch, total, at, begin, length,
                        )  # fmt: skip
                        continue
                    place = top - 1 if runs else top
                    if not runs:
                        _clear(total, at, length)
                    while place < top + size:
                        sign = one if place >= top else -one
                        if constant is not None and rows[place] < 0:
                            _add_constant(sign * (beyond if part else cval), total, at, length)
                        else:
                            start = base + rows[place] * width
                            _add_row(image, start, sign, table, stretch, total, at, begin, length)
                        # Of what stood in the window before, all but the first pixel stays.
                        place = entering if runs and place < top else place + 1
                last, last_size = total, size
                if across_size > 1:
                    row = total
                    if size > 1:
                        sound = _average(
                            total, zero, whole, single, size, via, native, mean, zero, both
                        )
                        row = mean
                    if constant is not None:
                        for part in range(number):
                            edge = beyond if part else across_cval
                            fill(row, part * length, length, table, begin, stretch, edge)
                    _sum_neighbours(row, across_size, sums, np.uint64(both - wide), spare, other)
                    last, last_size = sums, across_size
                # Where a sum is no number it cannot run on: what left would stay in it.
                if quotients is None:
                    for part in range(number):
                        finite = _average(
                            last, part * length, whole, single, last_size, via, native, result,
                            to + part * apart_then, narrow,
                        )  # fmt: skip
                        if across_size == 1 and part == 0:
                            sound = finite
                else:
                    finite = _average(
                        last, zero, None, single, last_size, via, native, native, zero, both - wide
                    )
                    if across_size == 1:
                        sound = finite
                    divide(native, zero, length, quotients, result, to, narrow)


class _AveragedRows:
    """One step, or two along the last axes."""

    def __init__(self, layout):
        self.layout = layout
        down, across = layout.down_axis, layout.across_axis
        size = 1 if layout.down is None else layout.down.width + 1
        rows = np.arange(layout.height) if layout.down is None else down.table
        self.down = size, rows, down.cval
        size = 1 if layout.across is None else layout.across.width + 1
        self.across = size, across.table, across.stretch, across.cval
        self.strip = min(layout.columns, STRIP)
        self.by_way_of = by_way_of(layout.dtype)
        # What is None is not compiled.
        self.whole = 1 if layout.dtype.kind in "iu" else None
        self.single = 1 if layout.dtype == np.float32 else None
        self.constant = 1 if min(rows.min(), across.table.min(initial=0)) < 0 else None
        largest = max(abs(down.cval), abs(across.cval), 2.0**16)
        self.short = max(self.down[0], size) * largest < 2.0**31

    def __call__(self, image, result, stage):
        layout = self.layout
        length = stage.parts * (self.strip + self.across[0] - 1)
        small = self.whole and self.short and image.dtype == layout.dtype
        dtype = np.int32 if small and image.dtype.itemsize <= 2 else np.float64
        buffers = [scratch(f"average {number}", length, dtype) for number in range(5)]
        size = image.size // stage.parts
        _sweep(
            (image, stage.parts, size, stage.beyond),
            (result, result.size // stage.parts, self.by_way_of, self.whole, self.single),
            stage.quotients, (*layout.planes(size), self.strip), self.constant,
            (self.down, self.across), (*buffers, scratch("average", length, layout.dtype)),
        )  # fmt: skip


def _together(first, second):
    return first.axis < second.axis and second.width * 4 <= STRIP


SWEEPS = Sweeps(_AveragedRows, None, _together)


# The sums of more pixels might need more bits than a float64 has.
MOST_PIXELS = 1 << 18


def _dtype(call):
    """Return the dtype to compute, or None where the case is left to SciPy."""
    image, cval, dtype = call.input, call.cval, result_dtype(call.input, call.output)
    if dtype is None or not use_numba() or (image.dtype.kind in "iu" and image.dtype.itemsize > 4):
        return None
    if dtype.kind == "f" or call.counted is not None:
        return dtype
    # Means are cut to whole numbers, which takes exact sums.
    exact = image.dtype.kind in "biu" and float(cval).is_integer() and abs(cval) < 2**32
    return dtype if exact else None


def _steps(sizes, axes, modes, cval, origins, ndim):
    """Return the steps of sizes beyond 1, or None for what SciPy refuses."""
    steps = []
    for size, axis, mode, origin in zip(sizes, axes, modes, origins, strict=True):
        axis, before = operator.index(axis), size // 2 + origin
        known = mode in CANONICAL_MODE and -ndim <= axis < ndim
        if not known or not 1 <= size <= MOST_PIXELS or not 0 <= before < size:
            return None
        if size > 1:
            steps.append(LineFilter(axis % ndim, int(before), int(size) - 1, mode, float(cval)))
    return steps if len({step.axis for step in steps}) == len(steps) else None


def _run(call, steps, dtype, region):
    if steps is None:
        return call.by_scipy(region)
    if not steps:
        return converted(call, dtype, region)
    return computed(
        call, dtype, region,
        lambda result: run_steps(call.input, steps, result, region, SWEEPS, call.counted),
    )  # fmt: skip


def _is_exact(call):
    """Tell whether means are whole numbers, of sums that are exact."""
    dtype = result_dtype(call.input, call.output)
    return call.counted is None and dtype is not None and dtype.kind in "iu"


@stands_in_for(ndimage.uniform_filter1d, exact=_is_exact, linear=True)
def uniform_filter1d(call, region):
    steps, dtype = None, _dtype(call)
    if dtype is not None:
        steps = _steps(
            [call.size], [call.axis], [call.mode], call.cval, [call.origin], call.input.ndim
        )
    return _run(call, steps, dtype, region)


@stands_in_for(ndimage.uniform_filter, exact=_is_exact, linear=True)
def uniform_filter(call, region):
    image, steps = call.input, None
    dtype = _dtype(call)
    if dtype is not None:
        chosen = range(image.ndim) if call.axes is None else np.atleast_1d(call.axes)
        sizes, origins, modes = (
            each(value, len(chosen)) for value in (call.size, call.origin, call.mode)
        )
        used = [number for number, length in enumerate(sizes) if length > 1]
        steps = _steps(
            *([values[number] for number in used] for values in (sizes, chosen, modes)),
            call.cval, [origins[number] for number in used], image.ndim,
        )  # fmt: skip
    return _run(call, steps, dtype, region)


def _in_passes(block, passes, region, counted=None):
    """Run several 1-D averages as few sweeps."""
    first = passes[0].keywords
    sizes, origins = ([step.keywords[name] for step in passes] for name in ("size", "origin"))
    return uniform_filter.in_region(
        block, sizes, first["output"], [step.mode for step in passes], first["cval"], origins,
        axes=[step.axis for step in passes], region=region, counted=counted,
    )  # fmt: skip


uniform_filter1d.in_passes = _in_passes
