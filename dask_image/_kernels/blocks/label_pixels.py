"""Compiled loops that bring the pixels of a label together, or look at them side by side."""

import numpy as np

from dask_image._kernels._numba import jit, jit_allocating, jit_part

UNSIGNED, SIGNED, FLOAT = range(3)
KINDS = {"b": UNSIGNED, "u": UNSIGNED, "i": SIGNED, "f": FLOAT}

COUNTED_AT_ONCE = 1 << 15


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


def middle_of_each(values, counts):
    """
    Find the middle values and the greatest one of each run of values.

    Parameters
    ----------
    values : numpy.ndarray
        1-D: booleans, integers, or floats of up to 64 bits; NaN counts as the greatest.
    counts : numpy.ndarray of int64
        The lengths of the runs, 1 at least.

    Returns
    -------
    lower, upper, last : numpy.ndarray
        Of the dtype of ``values``; the two middle ones are one where a length is odd.
    """
    dtype, kind = values.dtype, KINDS[values.dtype.kind]
    wide = dtype.newbyteorder("=")
    if dtype.itemsize < 4:  # widened, which keeps the values and saves compiling
        wide, kind = (np.dtype(np.float32), kind) if kind == FLOAT else (np.dtype("i4"), SIGNED)
    unsigned = np.dtype(f"u{wide.itemsize}")
    sign = unsigned.type(1 << (8 * wide.itemsize - 1))
    infinity = np.array(np.inf, f"f{wide.itemsize}").view(unsigned)[()]
    found = np.empty((3, counts.size), unsigned)
    values = values.astype(wide, copy=False).view(unsigned)
    _find_middles(values, counts, kind, sign, infinity, found)
    return tuple(found.view(wide).astype(dtype, copy=False))


@jit_allocating
def _find_middles(values, counts, kind, sign, infinity, found):
    if counts.size == 0:
        return
    keys = np.empty(counts.max(), values.dtype)
    start = 0
    for run in range(counts.size):
        stop = start + counts[run]
        part = keys[: counts[run]]
        _as_keys(values[start:stop], kind, sign, infinity, part)
        lower, upper, last = _middle_keys(part)
        found[0, run] = _as_value(lower, kind, sign)
        found[1, run] = _as_value(upper, kind, sign)
        found[2, run] = _as_value(last, kind, sign)
        start = stop


@jit_part
def _as_keys(values, kind, sign, infinity, keys):
    """Write unsigned integers in the order of the values, NaN greatest of all."""
    if kind == UNSIGNED:
        for j in range(keys.size):
            keys[j] = values[j]
    elif kind == SIGNED:
        for j in range(keys.size):
            keys[j] = values[j] ^ sign
    else:
        for j in range(keys.size):
            bits = values[j]
            # Of negative floats, those with the smaller bits are the greater.
            key = ~bits if bits & sign else bits | sign
            keys[j] = ~keys.dtype.type(0) if bits & ~sign > infinity else key


@jit_part
def _as_value(key, kind, sign):
    if kind == UNSIGNED:
        return key
    if kind == SIGNED or key & sign:
        return key ^ sign
    return ~key


@jit_part
def _middle_keys(keys):
    """
    Return the two middle keys, and the greatest.

    The range that holds the lower one is halved, and ends at keys again: after about as many
    turns as there are bits in the number of keys it holds one. No branch looks at a key,
    and nothing moves.
    """
    least, greatest = keys[0], keys[0]
    for j in range(keys.size):
        least = min(least, keys[j])
        greatest = max(greatest, keys[j])
    last = greatest
    rank = (keys.size - 1) // 2
    while least < greatest:
        count, below, above = _split(keys, least + (greatest - least) // keys.dtype.type(2))
        if count > rank:
            greatest = below
        else:
            least = above
    upper = least
    if keys.size % 2 == 0:
        count, _, above = _split(keys, least)
        upper = above if count == keys.size // 2 else least
    return least, upper, last


@jit_part
def _split(keys, middle):
    """Return how many keys are no greater than ``middle``, the last of them, and the next."""
    middle = keys.dtype.type(middle)
    total, below, above = 0, keys.dtype.type(0), ~keys.dtype.type(0)
    for first in range(0, keys.size, COUNTED_AT_ONCE):
        part = keys[first : first + COUNTED_AT_ONCE]
        # As wide as a key, so that lanes of vectors match.
        count = keys.dtype.type(0)
        for j in range(part.size):
            key = part[j]
            inside = key <= middle
            count = keys.dtype.type(count + inside)
            below = max(below, key if inside else keys.dtype.type(0))
            above = min(above, ~keys.dtype.type(0) if inside else key)
        total += np.int64(count)
    return total, below, above
