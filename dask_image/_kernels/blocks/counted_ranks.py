"""
Ranks among the pixels of windows that count, by the network that finds a rank of each window's own.

Pixels that do not count get the least value or the largest, in turn down each column, so that in
most windows as many have the one as their share asks for: a rank among those that count is then
one of few among all. One program adds up what makes the rank of each window: how many pixels of it
count, and have the least value. Another finds, of the ranks that most windows need, the one that
each does. The few windows that need yet another are gathered, and searched by a method like
C. A. R. Hoare's ("Find", 1961) that moves no pixel.
"""

import functools
from typing import NamedTuple

import numpy as np
from scipy import ndimage

from dask_image._kernels._numba import jit, jit_allocating, jit_part, use_numba
from dask_image._kernels.blocks.counted_nine import are_nine, ranks_of_nine
from dask_image._kernels.memory import scratch
from dask_image._kernels.patience import patient
from dask_image._kernels.row_programs import LOWER, UPPER, Axis, Recorder, as_planes, run
from dask_image._kernels.rows import whole
from dask_image._kernels.stand_ins._calls import Call
from dask_image._kernels.stand_ins._windows import window_of
from dask_image._kernels.stand_ins.extrema import flat_filter, result_dtype
from dask_image._kernels.stand_ins.rank import choose_ranks, network_filter, suits_network

# How far ranks found together are from that of a window without gaps: of few widths, since a
# program is devised for each.
WIDTHS = (0, 1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48)

# So many pixels of windows are gathered in the time that a network of two ranks more takes for a
# byte more of the image; to find a window takes as long as to gather so many.
GATHERED_PER_BYTE, GATHERED_TO_FIND = 0.03, 30

# Pixels that are looked through at once for windows that are left.
STRETCH = 128

# Ranks of so many windows tell which are usual.
SAMPLED = 1 << 14


@patient
def counted_ranks(block, mask, region, *, rank_of, share, beyond, fill, dtype, **window):
    """
    Return the values of ranks among the counted pixels of windows.

    Parameters
    ----------
    block : numpy.ndarray
    mask : numpy.ndarray of bool
        Which of its pixels count.
    region : tuple of slice or None
        The pixels wanted.
    rank_of : callable
        ``rank_of(counts)`` gives the rank for each number of counted pixels; what lies out of
        range is none.
    share : float
        Of the pixels that do not count, so many should be below all others, lest ranks change.
    beyond : int
        1 if pixels beyond the edges count in mode "constant", else 0.
    fill : number
        Given where there is none.
    dtype : dtype
        Of the result.
    **window
        ``footprint`` for all axes, ``origin``, ``mode`` and ``cval`` as SciPy takes them.

    Returns
    -------
    numpy.ndarray or None
        None where other ways are faster, or needed.
    """
    call = Call(ndimage.rank_filter, block, 0, **window)
    total = int(np.count_nonzero(call.footprint))
    if not use_numba() or result_dtype(block, None, call.cval) is None:
        return None
    if not suits_network(block, call.footprint, total):
        return None
    placed = window_of(call, block.ndim)
    image = block.view(np.uint8) if block.dtype == bool else block
    ranks = _ranks(rank_of, total)
    if are_nine(placed.footprint) and np.can_cast(block.dtype, dtype, "safe"):
        edges = call.cval, beyond
        return ranks_of_nine(image, mask, region, ranks, placed, edges, dtype.type(fill))
    line = _line(tuple(ranks.tolist()))
    if line is None:
        return None
    stack = scratch("counted image and ranks", (2, *block.shape), image.dtype)
    sums = _sums(image, mask, (share, line), stack[0], placed, beyond, region)
    few = GATHERED_PER_BYTE * image.itemsize / (GATHERED_TO_FIND + total)
    low, high = _band(sums, line, ranks, few)
    outside = _place_ranks(sums, line, total, low, high, stack[1], region)
    if low < high:
        values = choose_ranks(stack, low, high, placed, call.cval, region)
    elif low in (0, total - 1):
        values = flat_filter(LOWER if low == 0 else UPPER, stack[0], placed, call.cval, region)
    else:
        values = network_filter(stack[0], placed, low, call.cval, region)
    if values is None:
        return None
    if outside.any():
        _repair(stack, placed, region, call.cval, (sums, line, high - low, outside), values)
    result = values.view(block.dtype).astype(dtype, copy=False)
    # Windows without a rank have a value of those that do not count.
    limits = tuple(map(image.dtype.type, _limits(image.dtype)))
    odd = np.empty(outside.size, np.int64)
    _count_either(values.reshape(-1), *limits, odd)
    if not odd.any():
        return result
    enough, fill = np.count_nonzero(ranks < 0), dtype.type(fill)
    if odd.sum() <= few * values.size:
        counted = np.ascontiguousarray(mask).view(np.uint8).reshape(-1)
        _fill_few(
            counted, _places(image, placed, region, values.shape), beyond,
            (*limits, enough, odd), values.reshape(-1), fill, result.reshape(-1),
        )  # fmt: skip
    else:
        numbers = mask.view(np.uint8).astype(_Line(1, 1, 0).kind(total), copy=False)
        numbers = _add_up(numbers, placed, beyond, region)
        _fill(numbers.reshape(-1), enough, result.reshape(-1), fill)
    return result


def _limits(dtype):
    """Return the least and the largest value of a dtype."""
    if dtype.kind == "f":
        return -np.inf, np.inf
    return np.iinfo(dtype).min, np.iinfo(dtype).max


class _Line(NamedTuple):
    """
    What makes ranks of windows of the sum of what their pixels are worth.

    A pixel that counts is worth ``one``, one that does not and has the least value ``below``, and
    others nothing. The sum divided by ``below``, without a rest, and ``base`` are the rank.
    """

    one: int
    below: int
    base: int

    def kind(self, total):
        """Return the dtype of sums over ``total`` pixels."""
        most = max(self.one, self.below) * total
        return np.dtype(np.uint8 if most < 1 << 8 else np.uint16 if most < 1 << 15 else np.uint32)


@functools.lru_cache(maxsize=64)
def _line(ranks):
    """Return the `_Line` of ranks for each number of pixels, None if they do not lie on one."""
    ranks = np.array(ranks)
    counts = np.flatnonzero(ranks >= 0)
    if not counts.size:
        return _Line(0, 1, 0)
    found, last = ranks[counts], int(ranks[counts[-1]])
    # Of as few pixels the value must be of one that does not count.
    few = np.arange(counts[0])
    # Most begin with the first pixel, others are the same for all, or counted from the last one.
    for below in range(1, ranks.size):
        for base in (0, last, last - int(counts[-1])) if below == 1 else (0,):
            one = max(int(np.max(-((base - found) * below // counts))), 0)
            of_few = one * few // below + base
            outside = ((of_few < 0) | (of_few >= few)).all()
            if one <= below and outside and np.array_equal(one * counts // below + base, found):
                return _Line(one, below, base)
    return None


def _sums(image, mask, how, filled, window, beyond, region):
    """Fill what does not count; return for each window the sum of what its pixels are worth."""
    (share, line), total = how, int(np.count_nonzero(window.footprint))
    worth = scratch("worth of pixels", image.shape, line.kind(total))
    # Columns begin at different places, spread evenly, of their turns.
    left = (np.arange(image.shape[-1]) * 159 & 255).astype(np.uint16)
    counted = np.ascontiguousarray(mask).view(np.uint8).reshape(-1)
    least, most = map(image.dtype.type, _limits(image.dtype))
    one, below = map(worth.dtype.type, (line.one, line.below))
    _fill_in(
        np.ascontiguousarray(image).reshape(-1), counted, left,
        (np.uint16(round(256 * share)), least, most), (one, below), filled.reshape(-1),
        worth.reshape(-1),
    )  # fmt: skip
    return _add_up(worth, window, beyond * line.one, region)


def _add_up(numbers, window, outside, region):
    """Return for each window the sum of its numbers, which their dtype holds."""
    axes = window.axes(numbers.shape, region)
    sums = scratch("counted sums", [axis.stop - axis.start for axis in axes], numbers.dtype)
    if numbers.ndim == 1:
        axes = [Axis(1, 0, 1), *axes]
    program = sum_program(tuple(axis.size for axis in axes), window.key)
    run(program, as_planes(numbers), axes, outside, as_planes(sums))
    return sums


@jit
def _fill_in(image, mask, left, instead, worth, filled, sums):
    """
    Write the least or the most value for pixels that do not count, and their worth to ``sums``.

    ``instead`` says how many of 256 pixels get the least value, and what both are, ``worth`` what
    pixels are that count, and those with the least value.
    """
    (step, least, most), (one, below) = instead, worth
    full, width, none = np.uint16(255), left.size, sums.dtype.type(0)
    # Two loops, and all values read before one is chosen: so both become vector instructions,
    # of which none waits for a branch that depends on the mask.
    for start in range(0, image.size, width):
        s = np.uint64(start)
        for i in range(np.uint64(width)):
            missing, before = mask[s + i] == 0, left[i]
            sofar = np.uint16(before + step)
            after, value = sofar & full, below if sofar > full else none
            left[i] = after if missing else before
            sums[s + i] = value if missing else one
        for i in range(np.uint64(width)):
            value, worthless, counts = image[s + i], sums[s + i] == none, mask[s + i] != 0
            instead_of_it = most if worthless else least
            filled[s + i] = value if counts else instead_of_it


@functools.lru_cache(maxsize=64)
def sum_program(shape, packed):
    """Return the program that adds up the pixels of a window, by spans of 1, 2, 4 ... of them."""
    footprint = np.frombuffer(packed, bool).reshape(-1, *shape[-2:])
    recorder = Recorder([(plane, 0) for plane in range(len(footprint))])
    height = shape[-2]

    def spanned(value, length, axis, step):
        total, done, span = None, 0, 1
        while length:
            if length & 1:
                part = _moved(value, axis, step * done)
                total = part if total is None else recorder.add(total, part)
                done += span
            length >>= 1
            if length:
                value = recorder.add(value, _moved(value, axis, step * span))
                span *= 2
        return total

    alike = {}
    for plane, rows in enumerate(footprint):
        alike.setdefault(rows.tobytes(), []).append((plane, 0, 0))
    parts = []
    for rows, planes in alike.items():
        # What has the same window in several planes is added up before that.
        together = functools.reduce(recorder.add, planes)
        for first, last, pattern in _alike(np.frombuffer(rows, bool).reshape(shape[-2:])):
            value = None
            for begin, end, taken in _alike(pattern):
                if taken:
                    part = spanned(_moved(together, 2, begin), end - begin, 2, 1)
                    value = part if value is None else recorder.add(value, part)
            if value is not None:
                # Of the last rows of a turn's, each stood there in an earlier turn.
                value = spanned(_moved(value, 1, last - height), last - first, 1, -1)
                parts.append(value)
    return recorder.program([(1 - height, functools.reduce(recorder.add, parts))])


def _moved(value, axis, steps):
    return (*value[:axis], value[axis] + steps, *value[axis + 1 :])


def _alike(values):
    """Yield ``(first, last, value)`` of runs of equal values along the first axis."""
    first = 0
    for last in range(1, len(values) + 1):
        if last == len(values) or np.any(values[last] != values[first]):
            yield first, last, values[first]
            first = last


def _ranks(rank_of, total):
    """Return the rank for each number of counted pixels, far below 0 where there is none."""
    counts = np.arange(total + 1)
    ranks = rank_of(counts)
    return np.where((ranks >= 0) & (ranks < counts), ranks, -2 - total).astype(np.int32)


def _band(sums, line, ranks, few):
    """Return the first and the last rank of those that, but for a few, all windows need."""
    sample = sums.reshape(-1)[:: max(1, sums.size // SAMPLED) | 1].astype(np.int64)
    middle, most = int(ranks[-1]), ranks.size - 2
    away = np.bincount(abs(sample // line.below + line.base - middle))
    wide = int(np.searchsorted(np.cumsum(away), int(away.sum() * (1 - few)), "right"))
    wide = next((each for each in WIDTHS if each >= wide), WIDTHS[-1])
    return max(middle - wide, 0), min(middle + wide, most)


def _place_ranks(sums, line, total, low, high, target, region):
    """Write how far ranks are above ``low``; return for each row how many are out of the band."""
    starts = _starts(region, target.shape)
    outside, wide = np.empty(starts.size, np.int64), np.uint32 if sums.itemsize < 4 else np.uint64
    # To divide is to multiply by the inverse, in units so small that no sum is rounded up.
    bits = 8 * wide().itemsize - 1 - total.bit_length()
    # What is below 0 wraps around.
    base = np.int64(line.base - low).astype(wide)
    how = np.empty(0, wide), wide(-(-(1 << bits) // line.below)), wide(bits), base
    _place(sums.reshape(-1), how, wide(high - low), starts, target.reshape(-1), outside)
    return outside


def _starts(region, shape):
    """Return where in a raveled array each row of a region begins."""
    bounds = whole(region, shape)
    starts = np.zeros(1, np.int64)
    for (start, stop), size in zip(bounds[:-1], shape):
        starts = (starts[:, None] * size + np.arange(start, stop)).reshape(-1)
    return starts * shape[-1] + bounds[-1][0]


@jit
def _place(sums, how, most, starts, target, outside):
    """
    Write the ranks of windows, one more than ``most`` for others; these are counted by rows.

    ``how`` begins with an array of the dtype to compute in, and ends with what is added to a sum
    times the inverse in units of as many bits.
    """
    wide, inverse, bits, base = how
    width, beyond = np.uint64(sums.size // starts.size), wide.dtype.type(most + 1)
    for row in range(starts.size):
        s, t, worst = np.uint64(row) * width, np.uint64(starts[row]), wide.dtype.type(0)
        for i in range(width):
            share = wide.dtype.type(wide.dtype.type(sums[s + i]) * inverse) >> bits
            rank = wide.dtype.type(share + base)
            rank = rank if rank <= most else beyond
            worst = max(worst, rank)
            target[t + i] = rank
        outside[row] = 0
        if worst > most:
            for i in range(width):
                outside[row] += target[t + i] == beyond


def _repair(stack, window, region, cval, found, values):
    """Find the ranks out of the band one by one, in rows that have such."""
    image, above = stack
    sums, line, most, outside = found
    wanted = sums.reshape(-1), line.below, line.base, above.dtype.type(most + 1), outside
    _find_odd(
        image.reshape(-1), above.reshape(-1), _starts(region, image.shape),
        _places(image, window, region, sums.shape), image.dtype.type(cval), wanted,
        values.reshape(-1),
    )  # fmt: skip


def _places(image, window, region, shape):
    """Return what tells where in a raveled image the pixels of windows are, for `_find_rows`."""
    tables = [axis.table() for axis in window.axes(image.shape, region)]
    begins = np.cumsum([0, *map(len, tables[:-1])])
    strides = np.cumprod([1, *image.shape[:0:-1]])[::-1].copy()
    return np.concatenate(tables), begins, strides, np.argwhere(window.footprint), np.array(shape)


@jit_allocating
def _find_odd(image, above, starts, places, cval, wanted, values):
    """Do what `_repair` says; the rows of a window's pixels begin at ``rows``, -1 for none."""
    table, begins, strides, taps, shape = places
    sums, unit, base, beyond, outside = wanted
    last, width = shape.size - 1, shape[-1]
    rows, pixels = np.empty(len(taps), np.int64), np.empty(len(taps), image.dtype)
    for row in range(outside.size):
        if outside[row] == 0:
            continue
        _find_rows(row, table, begins, strides, taps, shape, rows)
        left = outside[row]
        for begin in range(0, width, STRETCH):
            end = min(begin + STRETCH, width)
            if left == 0 or not _is_in(above, starts[row] + begin, end - begin, beyond):
                continue
            for column in range(begin, end):
                if above[starts[row] + column] != beyond:
                    continue
                rank = np.int64(sums[row * width + column]) // unit + base
                for tap in range(len(taps)):
                    pixel = table[begins[last] + column + taps[tap, last]]
                    sound = pixel >= 0 and rows[tap] >= 0
                    pixels[tap] = image[rows[tap] + pixel] if sound else cval
                values[row * width + column] = _find(pixels, rank)
                left -= 1


@jit_part
def _find_rows(row, table, begins, strides, taps, shape, rows):
    rows[:] = 0
    for axis in range(shape.size - 2, -1, -1):
        place = begins[axis] + row % shape[axis]
        row //= shape[axis]
        for tap in range(len(taps)):
            pixel = table[place + taps[tap, axis]]
            sound = pixel >= 0 and rows[tap] >= 0
            rows[tap] = rows[tap] + pixel * strides[axis] if sound else -1


@jit_part
def _is_in(values, start, count, wanted):
    found, s = False, np.uint64(start)
    for i in range(np.uint64(count)):
        found |= values[s + i] == wanted
    return found


@jit_part
def _find(values, rank):
    """Return the value of a rank: the first one of which neither more nor fewer are below."""
    low, high, above, below = values[0], values[0], False, False
    for candidate in range(values.size):
        value = values[candidate]
        if (above and value <= low) or (below and value >= high):
            continue
        fewer, upto = _count(values, value)
        if rank < fewer:
            high, below = value, True
        elif rank >= upto:
            low, above = value, True
        else:
            return value
    return values[0]


@jit_part
def _count(values, limit):
    """Return how many values are below a limit, and how many are not above it."""
    below, upto = np.uint32(0), np.uint32(0)
    for i in range(np.uint64(values.size)):
        below += values[i] < limit
        upto += values[i] <= limit
    return below, upto


@jit
def _count_either(values, least, most, odd):
    """Count, row by row, the values that are one of two."""
    width = np.uint64(values.size // max(odd.size, 1))
    for row in range(odd.size):
        s, found, count = np.uint64(row) * width, False, 0
        for i in range(width):
            found |= (values[s + i] == least) | (values[s + i] == most)
        if found:
            for i in range(width):
                count += (values[s + i] == least) | (values[s + i] == most)
        odd[row] = count


@jit_allocating
def _fill_few(counted, places, beyond, wanted, values, fill, result):
    """Write a value where a window has the value of none, and not enough pixels that count."""
    table, begins, strides, taps, shape = places
    least, most, enough, odd = wanted
    last, width = shape.size - 1, shape[-1]
    rows = np.empty(len(taps), np.int64)
    for row in range(odd.size):
        if odd[row] == 0:
            continue
        _find_rows(row, table, begins, strides, taps, shape, rows)
        for column in range(width):
            value = values[row * width + column]
            if value != least and value != most:
                continue
            number = 0
            for tap in range(len(taps)):
                pixel = table[begins[last] + column + taps[tap, last]]
                sound = pixel >= 0 and rows[tap] >= 0
                number += np.int64(counted[rows[tap] + pixel]) if sound else beyond
            if number < enough:
                result[row * width + column] = fill


@jit
def _fill(numbers, enough, result, fill):
    """Write a value where a window has not enough pixels that count."""
    for i in range(np.uint64(result.size)):
        value = result[i]
        result[i] = value if numbers[i] >= enough else fill
