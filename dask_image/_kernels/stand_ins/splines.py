"""
Spline coefficients: recursions that run along whole rows of neighbouring lines.

A spline's coefficients are an image filtered there and back by a recursion for each pole (Unser,
Splines: A Perfect Fit for Signal and Image Processing, IEEE SPM 1999). Along a line each step waits
for the one before it; many lines side by side are a vector.
"""

import math

import numpy as np
from scipy import ndimage

from dask_image._kernels._numba import jit, jit_inline, jit_part, use_numba
from dask_image._kernels.memory import recycled, scratch
from dask_image._utils.modes import MODES

# Pixels (doubles) that stay in a cache while they are filtered there and back.
CACHED = 1 << 17

# Lines that have to lie side by side to be filtered as vectors where they are.
LANES = 8

_MIRROR, _REFLECT, _WRAP = range(3)
_EDGES = {"mirror": _MIRROR, "reflect": _REFLECT, "grid-wrap": _WRAP}


# What compiled loops read and write: each of them is one more compilation.
KINDS = [np.dtype(kind) for kind in ("f4", "f8", "u1", "u2", "i4")]
WRITTEN = KINDS[:2]

# Correctly rounded, as SciPy has them: roots taken in doubles are off in the last places.
_POLES = {
    2: (-0.171572875253809902396622551580604,),
    3: (-0.267949192431122706472553658494128,),
    4: (-0.361341225900220177092212841325675, -0.013725429297339121360331226939128),
    5: (-0.430575347099973791851434783493520, -0.043096288203264653822712376822550),
}


def spline_filter1d(input, order=3, axis=-1, output=np.float64, mode="mirror"):
    """
    Stand in for :func:`scipy.ndimage.spline_filter1d`.

    Every step is SciPy's, so that results are its to the last bit. Integer ones are left to SciPy.
    """
    given = isinstance(output, np.ndarray) and output.flags.c_contiguous
    dtype = getattr(output, "dtype", None) or np.dtype(output)
    axis %= input.ndim
    plain = order < 2 or dtype.kind not in "fc" or input.shape[axis] < 2
    if not use_numba() or plain or mode not in MODES:
        return ndimage.spline_filter1d(input, order, axis, output, mode)
    result = output if given else recycled(input.shape, dtype)
    parts = [(input, result)]
    if dtype.kind == "c":
        parts = [(input.real, result.real), (input.imag, result.imag)]
    edges = _EDGES[MODES[mode].coefficients]
    for source, target in parts:
        _filter(source, target, axis, np.array(_POLES[order]), edges)
    return result


def _filter(source, target, axis, poles, edges):
    """Filter in parts that stay in a cache, whatever the dtypes."""
    before, size = math.prod(source.shape[:axis]), source.shape[axis]
    after = math.prod(source.shape[axis + 1 :])
    source, target = source.reshape(before, size, after), target.reshape(before, size, after)
    gain = math.prod((1.0 - pole) * (1.0 - 1.0 / pole) for pole in poles)
    # Too few lines that lie side by side make no vector: they are turned to be columns.
    run = _filter_columns if after >= LANES else _filter_turned
    run(source, target, gain, poles, edges)


def _filter_columns(source, target, gain, poles, edges):
    """Filter along the middle one of three axes."""
    before, size, after = source.shape
    width = min(after, max(CACHED // size, LANES))
    count = min(before, max(CACHED // (size * width), 1))
    reads, writes = _is_read(source), _is_written(target)
    for begin in range(0, before, count):
        for left in range(0, after, width):
            where = slice(begin, begin + count), slice(None), slice(left, left + width)
            part = target[where]
            band = scratch("spline-band", part.shape)
            flat, rows = band.reshape(-1), part.shape[0] * size
            of_image, of_band = (begin * size * after + left, after), (0, part.shape[2])
            if reads:
                _copy(source.reshape(-1), of_image, flat, of_band, rows, gain)
            else:
                np.multiply(source[where], gain, out=band)
            _run(flat, part.shape, poles, edges, scratch("spline-total", part.shape[2]))
            if writes:
                _copy(flat, of_band, target.reshape(-1), of_image, rows, 1.0)
            else:
                part[...] = band


def _filter_turned(source, target, gain, poles, edges):
    """Filter along the middle one of three axes, the last of which is short."""
    before, size, after = source.shape
    # What is turned is read and written in turns, which takes a faster cache.
    count = min(before, max(CACHED // 4 // (size * after), LANES))
    reads, writes = (after == 1 and yes for yes in (_is_read(source), _is_written(target)))
    for begin in range(0, before, count):
        part = target[begin : begin + count]
        band = scratch("spline-band", (size, len(part), after))
        flat, place = band.reshape(-1), begin * size
        if reads:
            _turn_round(source.reshape(-1), place, flat, 0, len(part), size, gain)
        else:
            np.multiply(source[begin : begin + count].swapaxes(0, 1), gain, out=band)
        width = len(part) * after
        _run(flat, (1, size, width), poles, edges, scratch("spline-total", width))
        if writes:
            _turn_round(flat, 0, target.reshape(-1), place, size, len(part), 1.0)
        else:
            part[...] = band.swapaxes(0, 1)


# Other arrays are read and written by NumPy.
def _is_read(source):
    return source.flags.c_contiguous and source.dtype in KINDS


def _is_written(target):
    return target.flags.c_contiguous and target.dtype in WRITTEN


@jit
def _copy(source, of_source, target, of_target, rows, gain):
    """
    Write rows, multiplied, to another array.

    Of each array it is told where they begin, and how far from each other they do; they are as
    long as the smaller one of these distances.
    """
    start, pitch = of_source
    to, target_pitch = of_target
    width = np.uint64(pitch if pitch < target_pitch else target_pitch)
    for row in range(rows):
        s, t = np.uint64(start + row * pitch), np.uint64(to + row * target_pitch)
        for lane in range(width):
            target[t + lane] = source[s + lane] * gain


@jit
def _turn_round(source, start, target, to, rows, columns, gain):
    """Write rows, multiplied, as columns: by eight, which are written to one line of a cache."""
    pitch, wide = np.uint64(columns), np.uint64(rows)
    together = rows - rows % 8
    for row in range(0, together, 8):
        s, t = np.uint64(start + row * columns), np.uint64(to + row)
        for column in range(pitch):
            for k in range(np.uint64(8)):
                target[t + column * wide + k] = source[s + k * pitch + column] * gain
    for row in range(together, rows):
        s, t = np.uint64(start + row * columns), np.uint64(to + row)
        for column in range(pitch):
            target[t + column * wide] = source[s + column] * gain


@jit
def _run(flat, shape, poles, edges, total):
    """Filter along the middle one of three axes, in place: neighbouring lines are a vector."""
    planes, size, width = shape
    lanes = np.uint64(width)
    for plane in range(planes):
        first = plane * size * width
        last = first + (size - 1) * width
        for pole in poles:
            _begin(flat, first, size, width, pole, edges, total)
            for row in range(first + width, last + 1, width):
                _add(flat, row, flat, row - width, pole, lanes)
            _turn(flat, first, size, width, pole, edges)
            for row in range(last - width, first - 1, -width):
                here, after = np.uint64(row), np.uint64(row + width)
                for lane in range(lanes):
                    flat[here + lane] = pole * (flat[after + lane] - flat[here + lane])


@jit_part
def _add(target, to, source, start, weight, lanes):
    t, s = np.uint64(to), np.uint64(start)
    for lane in range(lanes):
        target[t + lane] += weight * source[s + lane]


@jit_part
def _scale(target, to, source, start, factor, divisor, lanes):
    t, s = np.uint64(to), np.uint64(start)
    for lane in range(lanes):
        target[t + lane] = source[s + lane] * factor / divisor


# Of what is farther away than this power of a pole nothing is left in a double, not even beside
# a pixel that is 1e8 times as small.
NEGLIGIBLE = 1e-24


@jit_part
def _begin(flat, first, size, width, pole, edges, total):
    """Set the first row to what the recursion has gathered before it: SciPy's sums."""
    lanes, last, none = np.uint64(width), first + (size - 1) * width, 0 * first
    around = math.pow(pole, size - 1.0 if edges == _MIRROR else float(size))
    power = pole
    _scale(total, none, flat, first, 1.0, 1.0, lanes)
    if edges != _WRAP:
        _add(total, none, flat, last, around, lanes)
    for k in range(1, size - 1 if edges == _MIRROR else size):
        near, far = first + k * width, last - k * width
        if edges == _WRAP:
            _add(total, none, flat, far + width, power, lanes)
        else:
            n, f = np.uint64(near), np.uint64(far)
            for lane in range(lanes):
                total[lane] += power * (flat[n + lane] + around * flat[f + lane])
        power *= pole
        if abs(power) < NEGLIGIBLE:
            break
    if edges == _REFLECT:
        _add(flat, first, total, none, pole / (1.0 - around * around), lanes)
    else:
        rest = power if edges == _WRAP else around * around
        _scale(flat, first, total, none, 1.0, 1.0 - rest, lanes)


@jit_inline
def _turn(flat, first, size, width, pole, edges):
    """Set the last row to where the recursion back begins."""
    lanes, last = np.uint64(width), first + (size - 1) * width
    factor, divisor = pole, 1.0
    if edges == _MIRROR:
        _add(flat, last, flat, last - width, pole, lanes)
        divisor = pole * pole - 1.0
    elif edges == _REFLECT:
        factor = pole / (pole - 1.0)
    else:
        power = pole
        for row in range(first, last, width):
            _add(flat, last, flat, row, power, lanes)
            power *= pole
            if abs(power) < NEGLIGIBLE:
                break
        factor = pole / (power - 1.0)
    _scale(flat, last, flat, last, factor, divisor, lanes)
