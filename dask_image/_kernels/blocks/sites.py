"""
What blocks must know of each other where lines of pixels are cut into them, for distances.

A *site* is a pixel of a line together with what it has found so far: seen from position x of the
line, that costs ``cost + (x - position)²``. Of the sites of a block only those matter beyond its
end that cost least somewhere there: those on the lower envelope of parabolas (Felzenszwalb &
Huttenlocher, "Distance transforms of sampled functions", 2012). They are few: none lies behind
a pixel that costs nothing. Where two sites cost as much, the one of the lower position is taken.

The sites of several lines lie one after the other; an array says where those of each line end.
"""

import numpy as np

from dask_image._kernels._numba import jit, jit_part, use_numba
from dask_image._kernels.patience import LONG, patient
from dask_image._utils.metrics import unreachable


@patient(nanoseconds=LONG)
def seen_from(costs, axis, start, after, span):
    """
    Return the sites of a block that matter beyond one of its ends.

    Parameters
    ----------
    costs : numpy.ndarray of int
        What each pixel of the block has found costs; 0 where nothing need be found.
    axis : int
        Along which lines lie.
    start : int
        Position of the block along it.
    after : bool
        Whether to look from after the block; else from before it.
    span : tuple of int
        The first position to look from, and the last.

    Returns
    -------
    ends : numpy.ndarray of int
    found : numpy.ndarray of int32
        Which pixel of its line each site is.
    """
    shape, limit = costs.shape, unreachable(costs.dtype)
    before = int(np.prod(shape[:axis], dtype=np.int64))
    lines = np.ascontiguousarray(costs).reshape(before, shape[axis], -1)
    if use_numba():
        ends = np.empty(lines.shape[0] * lines.shape[2], np.int64)
        found = np.empty(costs.size, np.int32)
        stack = _stack(shape[axis])
        _seen_from(lines, limit, (start, *span), after, stack, ends, found)
        return ends, found[: ends[-1] if ends.size else 0].copy()
    # All that cost less than what is nearer to the end: more than matter.
    lines = lines.swapaxes(1, 2).reshape(-1, shape[axis])
    lines = lines[:, ::-1] if after else lines
    nearer = np.full_like(lines, limit)
    np.minimum.accumulate(lines[:, :-1], axis=1, out=nearer[:, 1:])
    less = (lines < nearer)[:, ::-1] if after else lines < nearer
    return np.cumsum(np.count_nonzero(less, axis=1)), np.nonzero(less)[1].astype(np.int32)


@patient(nanoseconds=LONG)
def joined(positions, costs, ends, later, after, span):
    """
    Return which sites matter of those of two parts of lines.

    Parameters
    ----------
    positions, costs, ends : numpy.ndarray of int
    later : tuple of numpy.ndarray
        The same of the part that comes later along the lines.
    after, span
        As for `seen_from`.

    Returns
    -------
    ends : numpy.ndarray of int
    chosen : numpy.ndarray of int
        As positions among the sites of the first part, and then those of the later one.
    """
    first, size = positions.size, positions.size + later[0].size
    if use_numba():
        all_ends, chosen = np.empty(ends.size, np.int64), np.empty(size, np.int64)
        numbers = np.empty(size, np.int64)
        first_part = positions, costs, ends
        _joined(first_part, later, span, _stack(size), numbers, all_ends, chosen)
        return all_ends, chosen[: all_ends[-1] if ends.size else 0].copy()
    lines = [np.repeat(np.arange(each.size), np.diff(each, prepend=0)) for each in (ends, later[2])]
    near, far = (1, 0) if after else (0, 1)
    least = np.full(ends.size, unreachable(costs.dtype))
    all_costs = costs, later[1]
    np.minimum.at(least, lines[near], all_costs[near])
    kept = np.ones(first, bool), np.ones(size - first, bool)
    kept[far][...] = all_costs[far] < least[lines[far]]
    line = np.concatenate(lines)
    chosen = np.flatnonzero(np.concatenate(kept))
    chosen = chosen[np.argsort(line[chosen], kind="stable")]
    return np.cumsum(np.bincount(line[chosen], minlength=ends.size)), chosen


@patient(nanoseconds=LONG)
def lower(costs, axis, start, sites, after, want_sites=False):
    """
    Lower the costs of a block, in place, where a site that lies beyond one of its ends costs less.

    Parameters
    ----------
    costs : numpy.ndarray of int
        The least that a block's own sites cost; contiguous.
    axis, start
        As for `seen_from`.
    sites : tuple of numpy.ndarray of int
        Positions, costs and ends.
    after : bool
        Whether they lie after the block; else before it, and are taken if they cost as much.
    want_sites : bool, optional
        Whether to return which pixels were lowered.

    Returns
    -------
    pixels : numpy.ndarray of int32
        Which were, in raster order or not.
    chosen : numpy.ndarray of int32
        By which site.
    """
    shape = costs.shape
    lines = costs.reshape(int(np.prod(shape[:axis], dtype=np.int64)), shape[axis], -1)
    if use_numba():
        most = costs.size if want_sites else 0
        pixels, chosen = np.empty(most, np.int32), np.empty(most, np.int32)
        most_of_a_line = np.diff(sites[2], prepend=0).max(initial=0)
        stack, numbers = _stack(most_of_a_line), np.empty(most_of_a_line, np.int64)
        scratch = stack, numbers
        count = _lower(
            costs.reshape(-1), lines.shape, start, sites, after, scratch, (pixels, chosen)
        )  # fmt: skip
        return pixels[:count].copy(), chosen[:count].copy()
    return _lower_plain(lines, start, *sites, after)


def _stack(size):
    """Return room for so many sites: their positions, costs and where each begins to matter."""
    return tuple(np.empty((3, size), np.int64))


@jit_part
def _push(position, cost, low, high, top, stack):
    """Put a site, which lies after all others, on top of those that matter; return the top."""
    positions, costs, begins = stack
    while top >= 0:
        begin = begins[top]
        old, new = begin - positions[top], begin - position
        if costs[top] + old * old <= cost + new * new:
            break
        top -= 1
    begin = low
    if top >= 0:
        old = positions[top]
        # The last position from which the one below costs no more.
        last = (cost - costs[top] + (position - old) * (position + old)) // (2 * (position - old))
        begin = max(last, begins[top]) + 1
    if begin <= high:
        top += 1
        positions[top], costs[top], begins[top] = position, cost, begin
    return top


@jit
def _seen_from(lines, limit, positions, after, stack, ends, found):
    length, (start, low, high) = lines.shape[1], positions
    count = 0
    for i in range(lines.shape[0]):
        for k in range(lines.shape[2]):
            first, top = 0, np.int64(-1)
            if after:
                first = length - 1
                while first > 0 and lines[i, first, k] != 0:
                    first -= 1
            for x in range(first, length):
                cost = np.int64(lines[i, x, k])
                if cost != limit:
                    top = _push(np.int64(start + x), cost, low, high, top, stack)
                if cost == 0 and not after:
                    break
            for number in range(top + 1):
                found[count] = stack[0][number] - start
                count += 1
            ends[i * lines.shape[2] + k] = count


@jit
def _joined(part, later, span, stack, numbers, ends, chosen):
    low, high = span
    count, first, first_later = 0, 0, 0
    for line in range(ends.size):
        top = np.int64(-1)
        for number in range(first, part[2][line]):
            top = _push(
                np.int64(part[0][number]), np.int64(part[1][number]), low, high, top, stack
            )  # fmt: skip
            if top >= 0 and stack[0][top] == part[0][number]:
                numbers[top] = number
        for number in range(first_later, later[2][line]):
            top = _push(
                np.int64(later[0][number]), np.int64(later[1][number]), low, high, top, stack
            )  # fmt: skip
            if top >= 0 and stack[0][top] == later[0][number]:
                numbers[top] = part[0].size + number
        first, first_later = part[2][line], later[2][line]
        for number in range(top + 1):
            chosen[count] = numbers[number]
            count += 1
        ends[line] = count


@jit
def _lower(lowered, lines, start, sites, after, scratch, found):
    """Lower the pixels of ``lowered``, in raster order, where ``lines`` tells the shape."""
    outer, length, inner = lines
    (positions, costs, ends), (stack, numbers), (pixels, chosen) = sites, scratch, found
    count, first_number = 0, 0
    for line in range(outer * inner):
        # The end of the line that the sites lie beyond; after a pixel that costs nothing they
        # matter no more.
        near, step = line // inner * length * inner + line % inner, inner
        if after:
            near, step = near + (length - 1) * inner, -inner
        seen, pixel = 0, near
        while seen < length and lowered[pixel] != 0:
            seen, pixel = seen + 1, pixel + step
        low, high = start, start + seen - 1
        if after:
            low, high = start + length - seen, start + length - 1
        top = np.int64(-1)
        for number in range(first_number, ends[line] if seen > 0 else first_number):
            position = np.int64(positions[number])
            top = _push(position, np.int64(costs[number]), low, high, top, stack)
            if top >= 0 and stack[0][top] == position:
                numbers[top] = number
        first_number = ends[line]
        x = high
        pixel = near if after else pixel - step
        while top >= 0 and x >= low:
            distance = x - stack[0][top]
            cost = stack[1][top] + distance * distance
            if cost < lowered[pixel] or (cost == lowered[pixel] and not after):
                lowered[pixel] = cost
                if pixels.size > 0:
                    pixels[count], chosen[count] = pixel, numbers[top]
                    count += 1
            if x == stack[2][top]:
                top -= 1
            x -= 1
            pixel -= inner
    return count


def _lower_plain(lines, start, positions, costs, ends, after):
    """Do what ``_lower`` does, for one site of all lines at a time, the nearest first."""
    counts, length = np.diff(ends, prepend=0), lines.shape[1]
    taken = np.full((ends.size, length), -1, np.int32)
    here = np.arange(start, start + length)
    cheapest = lines.swapaxes(1, 2).reshape(-1, length)
    for turn in range(counts.max(initial=0)):
        line = np.flatnonzero(counts > turn)
        site = ends[line] - counts[line] + turn if after else ends[line] - 1 - turn
        there = costs[site].astype(np.int64)[:, np.newaxis]
        there = there + np.square(here - positions[site][:, np.newaxis])
        own = cheapest[line]
        less = there < own if after else there <= own
        cheapest[line] = np.where(less, there, own)
        taken[line] = np.where(less, site[:, np.newaxis], taken[line])
    inner = lines.shape[2]
    lines[...] = cheapest.reshape(-1, inner, length).swapaxes(1, 2)
    line, x = np.nonzero(taken >= 0)
    pixels = (line // inner * length + x) * inner + line % inner
    return pixels.astype(np.int32), taken[line, x]
