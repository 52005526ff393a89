"""
Rank, median and percentile filters.

Windows of few pixels go through a network of minima and maxima: Batcher's
odd-even merge sort (K. E. Batcher, "Sorting networks and their applications",
1968), less all that the wanted rank does not depend on, with vectors of
neighbouring pixels in place of numbers; what windows have in common is sorted
once. Larger windows over 8- and 16-bit pixels keep a
histogram that slides along the last axis (T. S. Huang, G. J. Yang and G. Y. Tang,
"A fast two-dimensional median filtering algorithm", 1979).
"""

import functools
import operator
from dataclasses import dataclass

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from scipy import ndimage

from dask_image._kernels._numba import jit, use_numba
from dask_image._kernels.stand_ins._lines import CANONICAL_MODE, each, hand_over, store
from dask_image._kernels.stand_ins._windows import (
    along_axes,
    flat_offsets,
    pad,
    reach,
    segments,
    trimmed,
)
from dask_image._kernels.stand_ins.extrema import maximum_filter, minimum_filter, result_for

# Pixels in a window up to which a network is faster than what else there is, by measurement.
LARGEST_NETWORK = 225
LARGEST_NETWORK_BESIDE_HISTOGRAM = {1: 64, 2: 121}

# How many values are sorted at a time.
SAMPLES_AT_A_TIME = 1_000_000


@dataclass(frozen=True)
class Network:
    """
    Minima and maxima that bring the value of one rank in each window to its place.

    Values are numbered: the rows of the window first, then what the operations
    compute, in their order. A value stands for a vector; an operation reads its
    two operands from some shift on. ``operations`` has a row each: 1 for the
    maximum or 0 for the minimum; where the first operand is and its shift; the
    same of the second; how much longer than a run of pixels the result is; and
    where it goes. Where a value is: below 0 the rows, from 0 the buffers.
    """

    operations: np.ndarray
    row_lengths: tuple[int, ...]
    buffers: int
    result: int
    result_shift: int

    @property
    def widest(self):
        """How much longer than a run of pixels the longest buffer is."""
        return int(self.operations[:, 5].max())


class _Recorder:
    """Records comparisons of shifted vectors, each one only once however often it is asked for."""

    def __init__(self, rows):
        self.rows = rows
        self.known = {}

    def _value(self, kind, one, other):
        one, other = sorted((one, other))
        base = min(one[1], other[1])
        key = (kind, one[0], one[1] - base, other[0], other[1] - base)
        return self.known.setdefault(key, self.rows + len(self.known)), base

    def merge(self, one, other):
        """Merge two sorted lists of values by Batcher's odd-even merge."""
        if not one or not other:
            return one + other
        if len(one) == len(other) == 1:
            return [self._value(0, *one, *other), self._value(1, *one, *other)]
        even = self.merge(one[::2], other[::2])
        odd = self.merge(one[1::2], other[1::2])
        merged = even[:1]
        for low, high in zip(odd, even[1:]):
            merged += [self._value(0, low, high), self._value(1, low, high)]
        shared = min(len(odd), len(even) - 1)
        return merged + odd[shared:] + even[1 + shared :]

    def merge_all(self, lists):
        """Merge sorted lists pairwise, so that neighbours by the same shift share their merges."""
        if len(lists) == 1:
            return lists[0]
        half = 1 << ((len(lists) - 1).bit_length() - 1)
        return self.merge(self.merge_all(lists[:half]), self.merge_all(lists[half:]))


@functools.lru_cache(maxsize=32)
def selection_network(window, rank):
    """
    Return the network that finds the value of ``rank`` in windows of a shape.

    ``window`` has one tuple of booleans a row. Columns are sorted, then merged;
    a window next to another one shares the columns it has in common with it,
    and pairs, fours and so on of them.
    """
    recorder = _Recorder(len(window))
    columns = [
        [[(row, shift)] for row, pixels in enumerate(window) if pixels[shift]]
        for shift in range(len(window[0]))
    ]
    merged = recorder.merge_all([recorder.merge_all(column) for column in columns if column])
    result, result_shift = merged[rank]
    # Backwards: which values the result depends on, how long they must be, who reads them last.
    lengths = {result: result_shift}
    last_use, needed = {result: None}, []
    for key, value in reversed(recorder.known.items()):
        if value not in lengths:
            continue
        needed.append((key, value))
        for operand, shift in (key[1:3], key[3:5]):
            lengths[operand] = max(lengths.get(operand, 0), lengths[value] + shift)
            last_use.setdefault(operand, value)
    rows = tuple(lengths.get(row, 0) for row in range(len(window)))
    places = {row: row - len(window) for row in range(len(window))}
    operations, free, buffers = [], [], 0
    for (kind, one, one_shift, other, other_shift), value in reversed(needed):
        if free:
            places[value] = free.pop()
        else:
            places[value], buffers = buffers, buffers + 1
        operations.append(
            (kind, places[one], one_shift, places[other], other_shift, lengths[value],
             places[value])
        )  # fmt: skip
        free += [
            places[operand]
            for operand in {one, other}
            if last_use[operand] == value and places[operand] >= 0
        ]
    return Network(np.array(operations), rows, buffers, places[result], result_shift)


@jit
def _compiled_network(flat, rows, operations, buffers, start, count):
    """Run the operations of a network over ``count`` windows from ``start`` on."""
    for step in range(operations.shape[0]):
        kind, one, one_shift, other, other_shift, longer, target = operations[step]
        length = count + longer
        result = buffers[target, :length]
        if one < 0:
            begin = start + rows[one + rows.size] + one_shift
            left = flat[begin : begin + length]
        else:
            left = buffers[one, one_shift : one_shift + length]
        if other < 0:
            begin = start + rows[other + rows.size] + other_shift
            right = flat[begin : begin + length]
        else:
            right = buffers[other, other_shift : other_shift + length]
        if kind == 1:
            for pixel in range(result.size):
                first, second = left[pixel], right[pixel]
                result[pixel] = max(second, first)
        else:
            for pixel in range(result.size):
                first, second = left[pixel], right[pixel]
                result[pixel] = min(second, first)


def _plain_network(flat, rows, operations, buffers, start, count):
    """Do what ``_compiled_network`` does in plain NumPy."""

    def operand(place, shift, length):
        if place >= 0:
            return buffers[place, shift : shift + length]
        begin = start + rows[place + len(rows)] + shift
        return flat[begin : begin + length]

    for kind, one, one_shift, other, other_shift, longer, target in operations.tolist():
        length = count + longer
        (np.maximum if kind else np.minimum)(
            operand(one, one_shift, length),
            operand(other, other_shift, length),
            out=buffers[target, :length],
        )


def _network_filter(image, footprint, origins, rank, mode, cval):
    padded = pad(image, *reach(footprint, origins), (mode,) * image.ndim, cval)
    if image.dtype.kind == "b":
        padded = padded.view(np.uint8)
    found = np.empty_like(padded)
    flat, values = padded.ravel(), found.ravel()
    lines = footprint.reshape(-1, footprint.shape[-1])
    used = lines.any(axis=1)
    rows = flat_offsets(np.ones((*footprint.shape[:-1], 1), bool), padded.shape)[used]
    network = selection_network(tuple(map(tuple, lines[used].tolist())), rank)
    # Calls of NumPy take long vectors to pay off; what is compiled likes the first-level cache.
    bytes_each = network.buffers * image.itemsize * (16 if use_numba() else 1)
    run = _compiled_network if use_numba() else _plain_network
    spans = list(segments(image.shape, padded.shape, bytes_each))
    buffers = np.empty((network.buffers, spans[0][1] + network.widest), padded.dtype)
    result = buffers[network.result, network.result_shift :]
    for start, stop in spans:
        run(flat, rows, network.operations, buffers, start, stop - start)
        values[start:stop] = result[: stop - start]
    return trimmed(found, image.shape).view(image.dtype)


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


def _partition_filter(image, footprint, origins, rank, mode, cval):
    """Do for a line what SciPy does not do right: windows with holes, and uint64 in their order."""
    padded = pad(image, *reach(footprint, origins), (mode,), cval)
    windows = sliding_window_view(padded, footprint.shape)
    found = np.empty_like(image)
    batch = max(SAMPLES_AT_A_TIME // footprint.size, 1)
    for start in range(0, len(image), batch):
        values = windows[start : start + batch, footprint]
        found[start : start + batch] = np.partition(values, rank, axis=1)[:, rank]
    return found


def _choose(image, footprint):
    """Return the function that is fastest for the windows, or None where that is SciPy's."""
    count = np.count_nonzero(footprint)
    histogram = use_numba() and image.dtype.kind in "biu" and image.itemsize <= 2
    largest = LARGEST_NETWORK_BESIDE_HISTOGRAM[image.itemsize] if histogram else LARGEST_NETWORK
    if count <= largest:
        return _network_filter
    if histogram:
        return _histogram_filter
    mistaken = image.ndim == 1 and (image.dtype == np.uint64 or count < footprint.size)
    return _partition_filter if mistaken else None


def _by_scipy(scipy_function, image, *rank, size, footprint, output, mode, cval, origin, axes):
    """
    Call SciPy's function.

    Its code for lines of 64-bit integers and of floats takes every output for one of the
    image's own dtype, and writes beyond the end of a narrower one (SciPy 1.17).
    """
    own = np.dtype(image.dtype if output is None else getattr(output, "dtype", output))
    if image.ndim != 1 or image.dtype not in (np.int64, np.float64, np.float32):
        own = image.dtype
    found = scipy_function(
        image, *rank, size, footprint, output if own == image.dtype else None, mode, cval, origin,
        axes=axes,
    )  # fmt: skip
    if own == image.dtype:
        return found
    result = output if isinstance(output, np.ndarray) else np.empty(image.shape, own)
    store(found.astype(np.float64), result)
    return result


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
    filter_by = _choose(image, window[0])
    if filter_by is None:
        return delegate()
    found = filter_by(image, *window, rank, CANONICAL_MODE[mode], cval)
    if image.ndim == 1:  # here SciPy's code for lines does not round
        result[...] = found
    else:
        hand_over(found, result)
    return result


def rank_filter(
    input, rank, size=None, footprint=None, output=None, mode="reflect", cval=0.0, origin=0,
    *, axes=None,
):  # fmt: skip
    """Stand in for `scipy.ndimage.rank_filter`."""
    image = np.asarray(input)
    rank = operator.index(rank)

    def delegate():
        return _by_scipy(
            ndimage.rank_filter, image, rank, size=size, footprint=footprint, output=output,
            mode=mode, cval=cval, origin=origin, axes=axes,
        )  # fmt: skip

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
        return _by_scipy(
            ndimage.median_filter, image, size=size, footprint=footprint, output=output,
            mode=mode, cval=cval, origin=origin, axes=axes,
        )  # fmt: skip

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
        return _by_scipy(
            ndimage.percentile_filter, image, percentile, size=size, footprint=footprint,
            output=output, mode=mode, cval=cval, origin=origin, axes=axes,
        )  # fmt: skip

    def rank_of(count):
        share = percentile + 100.0 if percentile < 0 else percentile
        if not 0 <= share <= 100:
            return None
        return count - 1 if share == 100.0 else int(count * share / 100.0)

    return _filter(image, rank_of, delegate, size, footprint, output, mode, cval, origin, axes)
