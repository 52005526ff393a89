"""
Ranks among the pixels of windows that count, by the network that finds a rank of each window's own.

Pixels that do not count get the least value or the largest, in turn down each column, so that in
most windows as many have the one as their share asks for: a rank among those that count is then
one of few among all. One program adds up how many pixels of each window count, and how many have
the least value; another finds, of the ranks that most windows need, the one that each does. The
few windows that need yet another are gathered, and searched by C. A. R. Hoare's method ("Find",
1961).
"""

import functools

import numpy as np
from scipy import ndimage

from dask_image._kernels._numba import jit, jit_part, use_numba
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
GATHERED_PER_BYTE, GATHERED_TO_FIND = 0.065, 30

# Pixels that are looked through at once for windows that are left.
STRETCH = 64

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
    stack = scratch("counted image and ranks", (2, *block.shape), image.dtype)
    sums = _sums(image, mask, share, stack[0], placed, beyond, region)
    ranks = _ranks(rank_of, total)
    low, high = _band(sums, ranks, GATHERED_PER_BYTE * image.itemsize / (GATHERED_TO_FIND + total))
    odd = _place_ranks(sums, ranks, low, high, stack[1], region)
    if low < high:
        values = choose_ranks(stack, low, high, placed, call.cval, region)
    elif low in (0, total - 1):
        values = flat_filter(LOWER if low == 0 else UPPER, stack[0], placed, call.cval, region)
    else:
        values = network_filter(stack[0], placed, low, call.cval, region)
    if values is None:
        return None
    outside, without = np.ascontiguousarray(odd.T)
    if outside.any():
        _repair(stack, placed, region, call.cval, (sums, ranks, high - low, outside), values)
    result = values.view(block.dtype).astype(dtype, copy=False)
    if without.any():
        above = stack[1].reshape(-1)
        _fill(
            above, above.dtype.type(high - low + 2), _starts(region, block.shape), without,
            result.reshape(-1), dtype.type(fill),
        )  # fmt: skip
    return result


def _shift(sums):
    """Return above which bits of a sum stands how many pixels have the least value."""
    return 4 * sums.itemsize


def _sums(image, mask, share, filled, window, beyond, region):
    """Fill what does not count; return for each window how much does, and is below, as one sum."""
    # Each of two numbers has half of the bits of a sum.
    bits = int(np.count_nonzero(window.footprint)).bit_length()
    kind = np.uint8 if bits <= 4 else np.uint16 if bits <= 8 else np.int32
    codes = scratch("counted codes", image.shape, kind)
    if image.dtype.kind == "f":
        least, most = -np.inf, np.inf
    else:
        least, most = np.iinfo(image.dtype).min, np.iinfo(image.dtype).max
    width = image.shape[-1]
    # Columns begin at different places, spread evenly, of their turns.
    left = (np.arange(width) * 159 & 255).astype(np.uint16)
    counted = np.ascontiguousarray(mask).view(np.uint8).reshape(-1)
    instead = np.uint16(round(256 * share)), image.dtype.type(least), image.dtype.type(most)
    _fill_in(
        np.ascontiguousarray(image).reshape(-1), counted, left, instead, _shift(codes),
        filled.reshape(-1), codes.reshape(-1),
    )  # fmt: skip
    axes = window.axes(image.shape, region)
    sums = scratch("counted sums", [axis.stop - axis.start for axis in axes], codes.dtype)
    if image.ndim == 1:
        axes = [Axis(1, 0, 1), *axes]
    program = sum_program(tuple(axis.size for axis in axes), window.key)
    run(program, as_planes(codes), axes, beyond, as_planes(sums))
    return sums


@jit
def _fill_in(image, mask, left, instead, shift, filled, codes):
    """
    Write the least or the most value for pixels that do not count; 1 for those that do to ``codes``.

    There, 1 stands ``shift`` bits higher for the least value. ``instead`` says how many of 256
    pixels get that, and what both are.
    """
    step, least, most = instead
    full, width = np.uint16(255), left.size
    none, one, below = codes.dtype.type(0), codes.dtype.type(1), codes.dtype.type(1 << shift)
    # Two loops, and all values read before one is chosen: so both become vector instructions,
    # of which none waits for a branch that depends on the mask.
    for start in range(0, image.size, width):
        s = np.uint64(start)
        for i in range(np.uint64(width)):
            missing, before = mask[s + i] == 0, left[i]
            sofar = np.uint16(before + step)
            after, code = sofar & full, below if sofar > full else none
            left[i] = after if missing else before
            codes[s + i] = code if missing else one
        for i in range(np.uint64(width)):
            value, code, counts = image[s + i], codes[s + i], mask[s + i] != 0
            instead_of_it = most if code == none else least
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

    parts = []
    for plane, rows in enumerate(footprint):
        for first, last, pattern in _alike(rows):
            value = None
            for begin, end, taken in _alike(pattern):
                if taken:
                    part = spanned((plane, 0, begin), end - begin, 2, 1)
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


def _band(sums, ranks, few):
    """Return the first and the last rank of those that, but for a few, all windows need."""
    shift = _shift(sums)
    sample = sums.reshape(-1)[:: max(1, sums.size // SAMPLED) | 1].astype(np.int64)
    wanted = ranks[sample & ((1 << shift) - 1)] + (sample >> shift)
    middle, most = int(ranks[-1]), ranks.size - 2
    away = np.sort(abs(wanted[wanted >= 0] - middle))
    wide = int(away[min(int(away.size * (1 - few)), away.size - 1)]) if away.size else 0
    wide = next((each for each in WIDTHS if each >= wide), wide)
    return max(middle - wide, 0), min(middle + wide, most)


def _place_ranks(sums, ranks, low, high, target, region):
    """Write how far ranks are above ``low``; return for each row how many are out of the band."""
    starts = _starts(region, target.shape)
    odd, most = np.empty((starts.size, 2), np.int64), high - low
    shift = _shift(sums)
    if shift <= 8:
        codes = np.arange(1 << 2 * shift)
        counts = np.minimum(codes & ((1 << shift) - 1), ranks.size - 1)
        above = ranks[counts] + (codes >> shift) - low
        above[(above < 0) | (above > most)] = most + 1
        above[ranks[counts] < 0] = most + 2
        above = above.astype(target.dtype)
        _look_up(
            sums.reshape(-1), above, above.dtype.type(most + 1), starts, target.reshape(-1), odd
        )
    else:
        _work_out(
            sums.reshape(-1), ranks, np.int32(low), np.int32(most), starts, target.reshape(-1), odd
        )
    return odd


def _starts(region, shape):
    """Return where in a raveled array each row of a region begins."""
    bounds = whole(region, shape)
    starts = np.zeros(1, np.int64)
    for (start, stop), size in zip(bounds[:-1], shape):
        starts = (starts[:, None] * size + np.arange(start, stop)).reshape(-1)
    return starts * shape[-1] + bounds[-1][0]


@jit
def _look_up(sums, above, beyond, starts, target, odd):
    """Write what a table has for each sum; count for each row what is ``beyond``, and still more."""
    width = np.uint64(sums.size // starts.size)
    for row in range(starts.size):
        s, t, some, without = np.uint64(row) * width, np.uint64(starts[row]), 0, 0
        for i in range(width):
            value = above[np.uint64(sums[s + i])]
            some += value >= beyond
            target[t + i] = value
        if some > 0:
            for i in range(width):
                without += target[t + i] > beyond
        odd[row, 0], odd[row, 1] = some - without, without


@jit
def _work_out(sums, ranks, low, most, starts, target, odd):
    """As `_look_up`, of sums that are too large for a table."""
    width, few = np.uint64(sums.size // starts.size), np.uint64(0xFFFF)
    for row in range(starts.size):
        s, t, outside, without = np.uint64(row) * width, np.uint64(starts[row]), 0, 0
        for i in range(width):
            code = np.uint64(sums[s + i])
            rank = ranks[code & few]
            value = rank + np.int32(code >> np.uint64(16)) - low
            inside, none = 0 <= value <= most, rank < 0
            outside += not (inside or none)
            without += none
            target[t + i] = most + 2 if none else (value if inside else most + 1)
        odd[row, 0], odd[row, 1] = outside, without


def _repair(stack, window, region, cval, found, values):
    """Find the ranks out of the band one by one, in rows that have such."""
    image, above = stack
    sums, ranks, most, outside = found
    axes = window.axes(image.shape, region)
    tables = [axis.table() for axis in axes]
    begins = np.cumsum([0, *map(len, tables[:-1])])
    strides = np.array(image.strides) // image.itemsize
    places = np.concatenate(tables), begins, strides, np.argwhere(window.footprint)
    wanted = sums.reshape(-1), _shift(sums), ranks, above.dtype.type(most + 1), outside
    _find_odd(
        image.reshape(-1), above.reshape(-1), _starts(region, image.shape),
        (*places, np.array(sums.shape)), image.dtype.type(cval), wanted, values.reshape(-1),
    )  # fmt: skip


@jit
def _find_odd(image, above, starts, places, cval, wanted, values):
    """Do what `_repair` says; the rows of a window's pixels begin at ``rows``, -1 for none."""
    table, begins, strides, taps, shape = places
    sums, shift, ranks, beyond, outside = wanted
    last, width = shape.size - 1, shape[-1]
    rows, pixels = np.empty(len(taps), np.int64), np.empty(len(taps), image.dtype)
    for row in range(outside.size):
        if outside[row] == 0:
            continue
        _find_rows(row, table, begins, strides, taps, shape, rows)
        for begin in range(0, width, STRETCH):
            end = min(begin + STRETCH, width)
            if not _any_are(above, starts[row] + begin, end - begin, beyond):
                continue
            for column in range(begin, end):
                if above[starts[row] + column] != beyond:
                    continue
                code = np.int64(sums[row * width + column])
                rank = ranks[code & ((1 << shift) - 1)] + (code >> shift)
                for tap in range(len(taps)):
                    pixel = table[begins[last] + column + taps[tap, last]]
                    sound = pixel >= 0 and rows[tap] >= 0
                    pixels[tap] = image[rows[tap] + pixel] if sound else cval
                values[row * width + column] = _find(pixels, rank)


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
def _any_are(values, start, count, wanted):
    found, s = False, np.uint64(start)
    for i in range(np.uint64(count)):
        found |= values[s + i] == wanted
    return found


@jit_part
def _find(values, rank):
    """Return the value of a rank, and reorder the values."""
    first, last = 0, values.size - 1
    while first < last:
        value, left, right = values[rank], first, last
        while left <= right:
            while values[left] < value:
                left += 1
            while value < values[right]:
                right -= 1
            if left <= right:
                values[left], values[right] = values[right], values[left]
                left += 1
                right -= 1
        if right < rank:
            first = left
        if rank < left:
            last = right
    return values[rank]


@jit
def _fill(above, none, starts, without, result, fill):
    """Write a value where a window has no rank, in rows that have such windows."""
    width = np.uint64(result.size // starts.size)
    for row in range(starts.size):
        if without[row] > 0:
            s, t = np.uint64(starts[row]), np.uint64(row) * width
            for i in range(width):
                value = result[t + i]
                result[t + i] = fill if above[s + i] == none else value
