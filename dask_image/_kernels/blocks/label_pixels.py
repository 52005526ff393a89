"""Compiled loops that bring the pixels of a label together, or look at them side by side."""

import numpy as np

from dask_image._kernels._numba import jit


@jit
def count_pixels(codes, low, counts):
    """Count the pixels of each code; ``codes`` is 1-D, and ``counts[code - low]`` is increased."""
    if codes.size == 0:
        return
    previous, start = codes[0], 0
    for pixel in range(codes.size):
        if codes[pixel] != previous:
            counts[np.uint64(previous - low)] += pixel - start
            previous, start = codes[pixel], pixel
    counts[np.uint64(previous - low)] += codes.size - start


@jit
def scatter(codes, low, places, source, target):
    """
    Write each pixel's ``source`` to the next place of its code: a stable counting sort.

    ``places[code - low]`` is where those of a code begin, -1 for those to leave out; it is
    moved on.
    """
    if codes.size == 0:
        return
    previous = codes[0]
    place = places[np.uint64(previous - low)]
    for pixel in range(codes.size):
        code = codes[pixel]
        if code != previous:
            places[np.uint64(previous - low)] = place
            previous, place = code, places[np.uint64(code - low)]
        if place >= 0:
            target[np.uint64(place)] = source[pixel]
            place += 1


@jit
def copy_segments(source, starts, counts, target):
    """Put segments of ``source`` one after the other."""
    at = 0
    for segment in range(starts.size):
        part = source[starts[segment] : starts[segment] + counts[segment]]
        out = target[at : at + counts[segment]]
        for j in range(out.size):
            out[j] = part[j]
        at += counts[segment]


@jit
def middle_keys(keys, counts, lower, upper, last):
    """
    Find the middle and the last ones of each segment of unsigned keys.

    The range that holds the middle is halved by counting how many are no greater: no branch
    looks at a key, and nothing moves.
    """
    start = 0
    for segment in range(counts.size):
        part = keys[start : start + counts[segment]]
        start += counts[segment]
        least, greatest = part[0], part[0]
        for j in range(part.size):
            least = min(least, part[j])
            greatest = max(greatest, part[j])
        last[segment] = greatest
        rank = (part.size - 1) // 2
        while least < greatest:
            middle = keys.dtype.type(least + (greatest - least) // np.uint64(2))
            if _count_up_to(part, middle) > rank:
                greatest = middle
            else:
                least = keys.dtype.type(middle + np.uint64(1))
        lower[segment] = upper[segment] = least
        if part.size % 2 == 0 and _count_up_to(part, least) == part.size // 2:
            upper[segment] = _least_above(part, least)


@jit
def _count_up_to(keys, bound):
    count = 0
    for j in range(keys.size):
        count += keys[j] <= bound
    return count


@jit
def _least_above(keys, bound):
    none = keys.dtype.type(~np.uint64(0))
    least = none
    for j in range(keys.size):
        key = keys[j] if keys[j] > bound else none
        least = min(least, key)
    return least
