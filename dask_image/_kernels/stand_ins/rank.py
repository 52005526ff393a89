"""
Rank, median and percentile filters.

Windows go through a network of comparisons between rows of pixels that sorts as little as the
wanted rank needs. Sorted columns are merged to wider and wider strips by Batcher's odd-even
merge (K. E. Batcher, "Sorting networks and their applications", 1968); windows side by side
share them. So do windows above one another: what all windows of a group have in common is sorted
first, then what each half of them has in common besides, down to the single window (after
A. Adams, "Fast median filters using separable sorting networks", 2021). Whatever is too small or
too large to be the result is left out as soon as that is certain. The largest windows over 8- and
16-bit pixels keep a histogram that slides along the last axis (T. S. Huang, G. J. Yang and
G. Y. Tang, "A fast two-dimensional median filtering algorithm", 1979).
"""

import functools
import operator

import numpy as np
from scipy import ndimage

from dask_image._kernels._numba import jit_allocating, use_numba
from dask_image._kernels.memory import recycled
from dask_image._kernels.patience import USUAL
from dask_image._kernels.row_programs import (
    LOWER,
    MIDDLE,
    UPPER,
    Axis,
    Recorder,
    as_planes,
    run,
)
from dask_image._kernels.rows import cut
from dask_image._kernels.stand_ins._calls import stands_in_for
from dask_image._kernels.stand_ins._lines import CANONICAL_MODE, store
from dask_image._kernels.stand_ins._windows import (
    flat_offsets,
    names_a_window,
    pad,
    reach,
    window_of,
)
from dask_image._kernels.stand_ins.extrema import (
    finish,
    flat_filter,
    hand_over,
    is_wide,
    pays,
    result_dtype,
    through_double,
)

# Pixels in a window up to which a network is used; windows beyond it slide a histogram over 8-
# and 16-bit pixels and are left to SciPy for others. Along lines SciPy is fast: there the bytes of
# a window count.
LARGEST_NETWORK = 4096
LARGEST_NETWORK_BESIDE_HISTOGRAM = 2048
LARGEST_NETWORK_ALONG_LINES = 400

# Devising a large network takes as long as SciPy takes for an image of so many pixels.
LARGE_NETWORK, LEAST_IMAGE = 256, 60_000


class _Network:
    """
    Finds the values of one rank, or of ranks from one to another, in each of some windows.

    Windows are sets of pixels; ``others`` are rows that the program needs besides theirs.
    """

    def __init__(self, windows, rank, last=None, others=()):
        self.total, self.rank, self.last = len(windows[0]), rank, rank if last is None else last
        rows = [*sorted({pixel[:-1] for window in windows for pixel in window}), *others]
        self.numbers = {row: number for number, row in enumerate(rows)}
        self.recorder = Recorder(rows)
        self.results = []
        self.split(windows, frozenset(), None)

    def split(self, windows, known, strip):
        """Sort what the windows have in common beyond ``strip``, then what each half has."""
        common = frozenset.intersection(*windows)
        if common > known:
            fresh = self.sort(common - known, len(next(iter(common))) - 1)
            strip = fresh if strip is None else self.join(strip, fresh)
        if len(windows) == 1:
            self.results.append(strip.values)
            return
        half = len(windows) // 2
        self.split(windows[:half], common, strip)
        self.split(windows[half:], common, strip)

    def sort(self, pixels, axis):
        """Sort pixels along the axes up to ``axis``, what lies side by side on it as one."""
        if axis < 0:
            (pixel,) = pixels
            return _Strip(0, [(self.numbers[pixel[:-1]], 0, pixel[-1])], 1)
        parts = {}
        for pixel in sorted(pixels):
            parts.setdefault(pixel[axis], []).append(pixel)
        return self.join_all([self.sort(part, axis - 1) for _, part in sorted(parts.items())])

    def join_all(self, strips):
        """Join neighbours pairwise, so that windows side by side share what they can."""
        if len(strips) == 1:
            return strips[0]
        if len(strips) == 3 == sum(strip.size for strip in strips) < self.total:
            values = [strip.values[0] for strip in strips]
            found = [self.recorder.compare(kind, *values) for kind in (LOWER, MIDDLE, UPPER)]
            return _Strip(0, found, 3)
        half = 1 << ((len(strips) - 1).bit_length() - 1)
        return self.join(self.join_all(strips[:half]), self.join_all(strips[half:]))

    def join(self, one, other):
        """Merge two strips, as far as the result may depend on it."""
        size = one.size + other.size
        low, high = max(0, self.rank - (self.total - size)), min(size - 1, self.last)
        left = one.between(low - other.size, high)
        right = other.between(low - one.size, high)
        first = left.first + right.first
        if low == high:
            values = [self.select(left.values, right.values, low - first)]
        else:
            values = self.merge(left.values, right.values)[low - first : high + 1 - first]
        return _Strip(low, values, size)

    def select(self, one, other, rank):
        """Return the value of a rank among two sorted lists."""
        # It is the least that some number of the one list and the rest of the other stay below.
        limits = []
        for count in range(max(0, rank + 1 - len(other)), min(len(one), rank + 1) + 1):
            tops = one[count - 1 : count] if count else []
            tops = tops + (other[rank - count : rank - count + 1] if rank >= count else [])
            limits.append(self.recorder.compare(UPPER, *tops))
        return self.recorder.extremum(LOWER, limits)

    def merge(self, one, other):
        """Merge two sorted lists of values by Batcher's odd-even merge."""
        if not one or not other:
            return one + other
        if len(one) == len(other) == 1:
            return self.both(one[0], other[0])
        even = self.merge(one[::2], other[::2])
        odd = self.merge(one[1::2], other[1::2])
        merged = even[:1]
        for low, high in zip(odd, even[1:]):
            merged += self.both(low, high)
        shared = min(len(odd), len(even) - 1)
        return merged + odd[shared:] + even[1 + shared :]

    def both(self, one, other):
        """Return the smaller and the larger of two values."""
        return [self.recorder.compare(kind, one, other) for kind in (LOWER, UPPER)]


class _Strip:
    """The values of the ranks from ``first`` on among ``size`` pixels; no others matter."""

    def __init__(self, first, values, size):
        self.first, self.values, self.size = first, values, size

    def between(self, low, high):
        """Return the values of the ranks from ``low`` to ``high``."""
        low, high = max(low, self.first), min(high, self.first + len(self.values) - 1)
        return _Strip(low, self.values[low - self.first : high + 1 - self.first], self.size)


@functools.lru_cache(maxsize=64)
def _program(shape, packed, rank):
    """Return the program that finds the value of ``rank`` under a footprint."""
    footprint = np.frombuffer(packed, bool).reshape(-1, *shape[-2:])
    if footprint.shape == (1, 3, 3) and footprint.all() and rank == 4:
        return _median_of_nine()
    windows = _windows_above_another(footprint)
    network = _Network(windows, rank)
    found = [(row, value) for row, (value,) in enumerate(network.results)]
    return network.recorder.program(found, len(windows))


def _windows_above_another(footprint):
    """Return the pixels of windows that share what they have in common."""
    # By counting comparisons: groups of a third of the window's height share most.
    group = 1 << max((footprint.shape[-2] + 1).bit_length() - 2, 0)
    pixels = np.argwhere(footprint).tolist()
    return [
        frozenset((plane, row + moved, column) for plane, row, column in pixels)
        for moved in range(group)
    ]


@functools.lru_cache(maxsize=64)
def _choosing_program(shape, packed, low, high, centre):
    """
    Return the program that finds a rank of its own, from ``low`` to ``high``, in each window.

    Beside the image it reads another of how much above ``low`` the wanted rank is, from the pixel
    at the window's ``centre``.
    """
    footprint = np.frombuffer(packed, bool).reshape(-1, *shape[-2:])
    windows, planes = _windows_above_another(footprint), len(footprint)
    plane = planes + int(np.ravel_multi_index((0, *centre[:-2]), (1, *shape[:-2])))
    wanted = [(plane, row + centre[-2]) for row in range(len(windows))]
    network = _Network(windows, low, high, wanted)
    found = []
    for values, row in zip(network.results, wanted):
        above, value = (network.numbers[row], 0, centre[-1]), values[0]
        for limit, other in enumerate(values[1:], start=1):
            value = network.recorder.choose(limit, above, value, other)
        found.append(value)
    return network.recorder.program(list(enumerate(found)), len(windows))


def _median_of_nine():
    """Return the program for the most usual median, from the sorted columns of its window."""
    recorder = Recorder([(0, 0)])
    column = [(0, row, 0) for row in (-2, -1, 0)]
    found = []
    for kind in (LOWER, MIDDLE, UPPER):
        number, turn, _ = recorder.compare(kind, *column)
        # The largest of the smallest, the middle of the middles, the smallest of the largest.
        neighbours = [(number, turn, shift) for shift in range(3)]
        found.append(recorder.compare({LOWER: UPPER, UPPER: LOWER}.get(kind, kind), *neighbours))
    return recorder.program([(-2, recorder.compare(MIDDLE, *found))])


def network_filter(image, window, rank, cval, region):
    axes = window.axes(image.shape, region)
    out = recycled([axis.stop - axis.start for axis in axes], image.dtype)
    if image.ndim == 1:
        axes = [Axis(1, 0, 1), *axes]
    program = _program(tuple(axis.size for axis in axes), window.key, rank)
    odd = run(program, as_planes(image), axes, cval, as_planes(out))
    return None if odd else out


def choose_ranks(stack, low, high, window, cval, region):
    """
    Return the value of a rank of its own, from ``low`` to ``high``, for each window of a region.

    Parameters
    ----------
    stack : numpy.ndarray
        The image, which `suits_network`, and how much above ``low`` the wanted rank is.
    low, high : int
    window : PlacedWindow
    cval : number
    region : tuple of slice or None

    Returns
    -------
    numpy.ndarray or None
        None if the image holds NaN.
    """
    axes = window.axes(stack.shape[1:], region)
    out = recycled([axis.stop - axis.start for axis in axes], stack.dtype)
    if stack.ndim == 2:
        stack, axes = stack[:, None], [Axis(1, 0, 1), *axes]
    program = _choosing_program(
        tuple(axis.size for axis in axes), window.key, low, high,
        tuple(axis.before for axis in axes),
    )  # fmt: skip
    odd = run(program, as_planes(stack), [Axis(2, 0, 1, 2), *axes], cval, as_planes(out))
    return None if odd else out


@jit_allocating
def _slide_histogram(flat, starts, offsets, entering, leaving, rank, ranks):
    """
    Write the value of ``rank`` in each window along the lines that begin at ``starts``.

    ``flat`` holds codes of at most 16 bits; the histogram has a coarse level of
    256 bins and a fine one. ``below`` counts the codes in the window that are
    smaller than ``code``, the one found last: the next is seldom far.
    """
    fine = np.zeros(65536, np.int32)
    coarse = np.zeros(256, np.int32)
    length = ranks.shape[1]
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


def _histogram_filter(image, window, rank, cval, region):
    if not use_numba() or image.dtype.kind not in "biu" or image.itemsize > 2:
        return None
    footprint = window.footprint
    modes = [CANONICAL_MODE[mode] for mode in window.modes]
    padded = pad(image, *reach(footprint, window.origins), modes, cval)
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
    _slide_histogram(codes, starts, offsets, entering, leaving, rank, ranks)
    if image.dtype.kind == "i":
        ranks ^= codes.dtype.type(1 << (bits - 1))
    return cut(ranks.view(image.dtype).reshape(image.shape), region)


def suits_network(image, footprint, count):
    """Tell whether a network is fastest, or needed since SciPy has a case wrong."""
    # SciPy's code for lines takes uint64 for int64, and knows no holes in a window.
    if image.ndim == 1 and (image.dtype == np.uint64 or count < footprint.size):
        return True
    if not pays(image):
        return False
    if count > LARGE_NETWORK and image.size < LEAST_IMAGE:
        return False
    if image.ndim == 1:
        return count * image.itemsize <= LARGEST_NETWORK_ALONG_LINES
    beside = image.dtype.kind in "biu" and image.itemsize <= 2
    return count <= (LARGEST_NETWORK_BESIDE_HISTOGRAM if beside else LARGEST_NETWORK)


def _filter(call, rank_of, region):
    """Find the pixel of the rank that ``rank_of`` names in windows of so many pixels."""
    image, output, cval = call.input, call.output, call.cval
    dtype = result_dtype(image, output, cval)
    window = None
    if dtype is not None and names_a_window(call):
        window = window_of(call, image.ndim)
    count = 0 if window is None else np.count_nonzero(window.footprint)
    rank = rank_of(count)
    if rank is None or not 0 <= rank < count:
        found = None
    elif rank in (0, count - 1):
        found = flat_filter(LOWER if rank == 0 else UPPER, image, window, cval, region)
    elif suits_network(image, window.footprint, count):
        found = network_filter(image, window, rank, cval, region)
    else:
        found = _histogram_filter(image, window, rank, cval, region)
    if found is None:
        return cut(_by_scipy(call), region)
    if rank in (0, count - 1):
        return finish(found, dtype, output, window)
    # SciPy takes ranks through float64 and back whatever the output's dtype is; not along lines.
    if image.ndim > 1 and is_wide(image.dtype):
        through_double(found)
    return hand_over(found, dtype, output)


def _by_scipy(call):
    """
    Call SciPy's function.

    Its code for lines of 64-bit integers and of floats takes every output for one of the
    image's own dtype, and writes beyond the end of a narrower one (SciPy 1.17).
    """
    image, output = call.input, call.output
    dtype = np.dtype(image.dtype if output is None else getattr(output, "dtype", output))
    if image.ndim != 1 or image.dtype not in (np.int64, np.float64, np.float32):
        dtype = image.dtype
    if dtype == image.dtype:
        return call.by_scipy()
    found = call.changed(output=None).by_scipy()
    result = output if isinstance(output, np.ndarray) else np.empty(image.shape, dtype)
    store(found.astype(np.float64), result)
    return result


def _nanoseconds(call):
    """Return what SciPy takes for a pixel, about."""
    window = window_of(call, call.input.ndim) if names_a_window(call) else None
    return USUAL if window is None else 12 * np.count_nonzero(window.footprint)


@stands_in_for(ndimage.rank_filter, nanoseconds=_nanoseconds)
def rank_filter(call, region):
    rank = operator.index(call.rank)
    return _filter(call, lambda count: rank + count if rank < 0 else rank, region)


@stands_in_for(ndimage.median_filter, nanoseconds=_nanoseconds)
def median_filter(call, region):
    return _filter(call, lambda count: count // 2, region)


@stands_in_for(ndimage.percentile_filter, nanoseconds=_nanoseconds)
def percentile_filter(call, region):
    share = call.percentile + 100.0 if call.percentile < 0 else call.percentile

    def rank_of(count):
        if not 0 <= share <= 100:
            return None
        return count - 1 if share == 100.0 else int(count * share / 100.0)

    return _filter(call, rank_of, region)
