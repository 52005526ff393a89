"""
Rank, median and percentile filters.

Windows of few pixels go through a network of minima and maxima: Batcher's
odd-even merge sort (K. E. Batcher, "Sorting networks and their applications",
1968), less all that the wanted rank does not depend on, with vectors of
neighbouring pixels on its wires. Larger windows over 8- and 16-bit pixels keep a
histogram that slides along the last axis (T. S. Huang, G. J. Yang and G. Y. Tang,
"A fast two-dimensional median filtering algorithm", 1979).
"""

import functools
import operator

import numpy as np
from scipy import ndimage

from dask_image._kernels._lines import CANONICAL_MODE, each, round_through_double
from dask_image._kernels._numba import HAVE_NUMBA, jit
from dask_image._kernels._windows import along_axes, flat_offsets, pad, reach, segments, trimmed
from dask_image._kernels.extrema import maximum_filter, minimum_filter, result_for

# Pixels in a window up to which a network is faster than what else there is, by measurement.
LARGEST_NETWORK = 121
LARGEST_NETWORK_BESIDE_HISTOGRAM = {1: 49, 2: 36}


@functools.lru_cache(maxsize=32)
def selection_network(count, rank):
    """
    Return the comparisons that bring the value of ``rank`` among ``count`` to its place.

    Each is ``(low, high, keep_low, keep_high)``: compare the values on two
    wires and keep the smaller on ``low``, the larger on ``high``, or only one.
    """
    comparisons = []
    merged = 1
    while merged < count:
        distance = merged
        while distance >= 1:
            for start in range(distance % merged, count - distance, 2 * distance):
                for low in range(start, min(start + distance, count - distance)):
                    if low // (2 * merged) == (low + distance) // (2 * merged):
                        comparisons.append((low, low + distance))
            distance //= 2
        merged *= 2
    wanted, kept = {rank}, []
    for low, high in reversed(comparisons):
        if low in wanted or high in wanted:
            kept.append((low, high, low in wanted, high in wanted))
            wanted |= {low, high}
    return tuple(reversed(kept))


def _run_network(network, rank, wires, spare):
    """
    Run a network over ``wires``, a list of vectors which are only read.

    ``spare`` is a list of vectors to write to; those not in use any more come
    back to it. Returns the vector of the wanted rank.
    """
    owned = [False] * len(wires)
    for low, high, keep_low, keep_high in network:
        one, other = wires[low], wires[high]
        if keep_low and keep_high:
            wires[low] = spare.pop()
            np.minimum(one, other, out=wires[low])
            wires[high] = other if owned[high] else spare.pop()
            np.maximum(one, other, out=wires[high])
            if owned[low]:
                spare.append(one)
            owned[low] = owned[high] = True
            continue
        kept, lost, extremum = (low, high, np.minimum) if keep_low else (high, low, np.maximum)
        target = wires[kept] if owned[kept] else spare.pop()
        extremum(one, other, out=target)
        if owned[lost]:
            spare.append(wires[lost])
        wires[kept] = target
        owned[kept], owned[lost] = True, False
    return wires[rank]


def _network_filter(image, footprint, origins, rank, mode, cval):
    padded = pad(image, *reach(footprint, origins), (mode,) * image.ndim, cval)
    found = np.empty_like(padded)
    flat, values = padded.ravel(), found.ravel()
    offsets = flat_offsets(footprint, padded.shape)
    network = selection_network(len(offsets), rank)
    spans = list(segments(image.shape, padded.shape, len(offsets) * image.itemsize))
    buffers = np.empty((len(offsets) + 1, spans[0][1]), image.dtype)
    for start, stop in spans:
        wires = [flat[start + offset : stop + offset] for offset in offsets]
        spare = list(buffers[:, : stop - start])
        values[start:stop] = _run_network(network, rank, wires, spare)
    return trimmed(found, image.shape)


@jit
def _slide_histogram(flat, starts, length, offsets, entering, leaving, rank, ranks):
    """
    Write the value of ``rank`` in each window along the lines that begin at ``starts``.

    ``flat`` holds codes of at most 16 bits; the histogram has a coarse level of
    256 bins and a fine one. ``below`` counts the codes in the window that are
    smaller than ``code``, the one found last: the next is seldom far.
    """
    fine = np.zeros(65536, np.int32)
    coarse = np.zeros(256, np.int32)
    for line in range(starts.size):
        first = starts[line]
        for index in range(offsets.size):
            value = flat[first + offsets[index]]
            fine[value] += 1
            coarse[value >> 8] += 1
        code = np.int64(0)
        below = np.int64(0)
        for pixel in range(length):
            if pixel > 0:
                place = first + pixel - 1
                for index in range(leaving.size):
                    value = np.int64(flat[place + leaving[index]])
                    fine[value] -= 1
                    coarse[value >> 8] -= 1
                    if value < code:
                        below -= 1
                    value = np.int64(flat[place + entering[index]])
                    fine[value] += 1
                    coarse[value >> 8] += 1
                    if value < code:
                        below += 1
            while below > rank:
                if code & 255 == 0 and below - coarse[(code >> 8) - 1] > rank:
                    code -= 256
                    below -= coarse[code >> 8]
                else:
                    code -= 1
                    below -= fine[code]
            while below + fine[code] <= rank:
                if code & 255 == 0 and below + coarse[code >> 8] <= rank:
                    below += coarse[code >> 8]
                    code += 256
                else:
                    below += fine[code]
                    code += 1
            ranks[line, pixel] = code
        place = first + length - 1
        for index in range(offsets.size):
            value = flat[place + offsets[index]]
            fine[value] -= 1
            coarse[value >> 8] -= 1


def _histogram_filter(image, footprint, origins, rank, mode, cval):
    padded = pad(image, *reach(footprint, origins), (mode,) * image.ndim, cval)
    bits = 8 * image.itemsize
    codes = padded.view(f"u{image.itemsize}").ravel()
    if image.dtype.kind == "i":
        codes = codes ^ codes.dtype.type(1 << (bits - 1))  # ordered as the signed numbers are
    wide = np.pad(footprint, [(0, 0)] * (image.ndim - 1) + [(1, 1)])
    offsets = flat_offsets(footprint, padded.shape)
    # Seen from the window before: what the next one has and it has not, and the reverse.
    entering = flat_offsets(wide[..., :-1] & ~wide[..., 1:], padded.shape)
    leaving = flat_offsets(wide[..., 1:] & ~wide[..., :-1], padded.shape)
    corners = np.ones(image.shape[:-1], bool)
    starts = flat_offsets(corners[..., None], padded.shape)
    ranks = np.empty((starts.size, image.shape[-1]), codes.dtype)
    _slide_histogram(codes, starts, image.shape[-1], offsets, entering, leaving, rank, ranks)
    if image.dtype.kind == "i":
        ranks ^= codes.dtype.type(1 << (bits - 1))
    return ranks.view(image.dtype).reshape(image.shape)


def _choose(image, count):
    """Return the function that filters windows of ``count`` pixels fastest, or None."""
    histogram = HAVE_NUMBA and image.dtype.kind in "biu" and image.itemsize <= 2
    largest = LARGEST_NETWORK_BESIDE_HISTOGRAM[image.itemsize] if histogram else LARGEST_NETWORK
    if count <= largest:
        return _network_filter
    return _histogram_filter if histogram else None


def _filter(image, rank_of, delegate, size, footprint, output, mode, cval, origin, axes):
    """Filter ``image`` by the rank that ``rank_of`` gives for a window's number of pixels."""
    if (size is None) == (footprint is None) or np.ndim(mode) > 0 or mode not in CANONICAL_MODE:
        return delegate()
    result = result_for(image, output, cval)
    if result is None or result is image:
        return delegate()
    if footprint is None:
        count = image.ndim if axes is None else np.size(axes)
        footprint = np.ones([int(length) for length in each(size, count)], bool)
    window = along_axes(footprint, origin, axes, image.ndim)
    count = 0 if window is None else np.count_nonzero(window[0])
    rank = rank_of(count)
    if rank is None or not 0 <= rank < count:
        return delegate()
    if rank in (0, count - 1):
        extremum = minimum_filter if rank == 0 else maximum_filter
        return extremum(image, None, window[0], result, mode, cval, window[1])
    filter_by = _choose(image, count)
    if filter_by is None:
        return delegate()
    found = filter_by(image, *window, rank, CANONICAL_MODE[mode], cval)
    if image.itemsize == 8:
        found = found.copy()
        round_through_double(found)
    result[...] = found
    return result


def rank_filter(
    input, rank, size=None, footprint=None, output=None, mode="reflect", cval=0.0, origin=0,
    *, axes=None,
):  # fmt: skip
    """Stand in for `scipy.ndimage.rank_filter`."""
    image = np.asarray(input)
    rank = operator.index(rank)

    def delegate():
        return ndimage.rank_filter(
            image, rank, size, footprint, output, mode, cval, origin, axes=axes
        )

    def rank_of(count):
        return rank + count if rank < 0 else rank

    return _filter(image, rank_of, delegate, size, footprint, output, mode, cval, origin, axes)


def median_filter(
    input, size=None, footprint=None, output=None, mode="reflect", cval=0.0, origin=0,
    *, axes=None,
):  # fmt: skip
    """Stand in for `scipy.ndimage.median_filter`."""
    image = np.asarray(input)

    def delegate():
        return ndimage.median_filter(image, size, footprint, output, mode, cval, origin, axes=axes)

    def rank_of(count):
        return count // 2

    return _filter(image, rank_of, delegate, size, footprint, output, mode, cval, origin, axes)


def percentile_filter(
    input, percentile, size=None, footprint=None, output=None, mode="reflect", cval=0.0,
    origin=0, *, axes=None,
):  # fmt: skip
    """Stand in for `scipy.ndimage.percentile_filter`."""
    image = np.asarray(input)

    def delegate():
        return ndimage.percentile_filter(
            image, percentile, size, footprint, output, mode, cval, origin, axes=axes
        )

    def rank_of(count):
        share = percentile + 100.0 if percentile < 0 else percentile
        if not 0 <= share <= 100:
            return None
        return count - 1 if share == 100.0 else int(count * share / 100.0)

    return _filter(image, rank_of, delegate, size, footprint, output, mode, cval, origin, axes)
