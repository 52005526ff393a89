"""
Spline coefficients: recursions that run along whole rows of neighbouring lines.

A spline's coefficients are an image filtered there and back by a recursion for each pole (Unser,
Splines: A Perfect Fit for Signal and Image Processing, IEEE SPM 1999). Along a line each step waits
for the one before it; many lines side by side are a vector.
"""

import math

import numpy as np
from scipy import ndimage

from dask_image._kernels._numba import jit, use_numba

# Pixels (doubles) that stay in a cache while they are filtered there and back.
CACHED = 1 << 17

# Lines that are turned into lanes of vectors where they lie along the last axis.
LANES = 16

_MIRROR, _REFLECT, _WRAP = range(3)
_EDGES = {"nearest": _REFLECT, "reflect": _REFLECT, "grid-mirror": _REFLECT, "grid-wrap": _WRAP}


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
    if not use_numba() or order < 2 or dtype.kind not in "fc" or input.shape[axis] < 2:
        return ndimage.spline_filter1d(input, order, axis, output, mode)
    result = output if given else np.empty(input.shape, dtype)
    parts = [(input, result)]
    if dtype.kind == "c":
        parts = [(input.real, result.real), (input.imag, result.imag)]
    for source, target in parts:
        _filter(source, target, axis, np.array(_POLES[order]), _EDGES.get(mode, _MIRROR))
    return result


def _filter(source, target, axis, poles, edges):
    """Filter in parts that stay in a cache, whatever the dtypes."""
    before, size = math.prod(source.shape[:axis]), source.shape[axis]
    after = math.prod(source.shape[axis + 1 :])
    source, target = source.reshape(before, size, after), target.reshape(before, size, after)
    width = min(after, max(CACHED // size, LANES))
    count = min(before, max(CACHED // (size * width), LANES if width < LANES else 1))
    band = np.empty((count, size, width))
    for begin in range(0, before, count):
        for left in range(0, after, width):
            where = slice(begin, begin + count), slice(None), slice(left, left + width)
            part = source[where]
            if part.shape != band.shape:
                band = np.empty(part.shape)
            band[...] = part
            _filter_band(band, poles, edges)
            target[where] = band


@jit
def _filter_band(band, poles, edges):
    """Filter along the middle one of three axes, in place."""
    count, size, width = band.shape
    if width >= LANES:
        for plane in range(count):
            _filter_lanes(band[plane], poles, edges)
        return
    lanes = np.zeros((size, LANES))
    for begin in range(0, count * width, LANES):
        used = min(LANES, count * width - begin)
        if width == 1 and used == LANES:
            lines = band[begin : begin + LANES, :, 0]
            for k in range(size):
                for lane in range(LANES):
                    lanes[k, lane] = lines[lane, k]
        else:
            for lane in range(used):
                plane, column = divmod(begin + lane, width)
                for k in range(size):
                    lanes[k, lane] = band[plane, k, column]
        _filter_lanes(lanes, poles, edges)
        # As many pixels of a line at a time as are in a line of the cache.
        for first in range(0, size, 8):
            for lane in range(used):
                plane, column = divmod(begin + lane, width)
                for k in range(first, min(first + 8, size)):
                    band[plane, k, column] = lanes[k, lane]


# Of what is farther away than this power of a pole nothing is left in a double, not even beside
# a pixel that is 1e8 times as small.
NEGLIGIBLE = 1e-24


@jit
def _filter_lanes(lanes, poles, edges):
    """Filter along the first of two axes, in place."""
    size = len(lanes)
    gain = 1.0
    for pole in poles:
        gain *= (1.0 - pole) * (1.0 - 1.0 / pole)
    for k in range(size):
        row = lanes[k]
        for lane in range(row.size):
            row[lane] *= gain
    for pole in poles:
        _begin(lanes, pole, edges)
        for k in range(1, size):
            before, row = lanes[k - 1], lanes[k]
            for lane in range(row.size):
                row[lane] += pole * before[lane]
        _turn(lanes, pole, edges)
        for k in range(size - 2, -1, -1):
            after, row = lanes[k + 1], lanes[k]
            for lane in range(row.size):
                row[lane] = pole * (after[lane] - row[lane])


@jit
def _begin(lanes, pole, edges):
    """Set the first row to what the recursion has gathered before it: SciPy's sums."""
    size = len(lanes)
    total = np.zeros(lanes.shape[1])
    around = math.pow(pole, size - 1.0 if edges == _MIRROR else float(size))
    power = pole
    first, last = lanes[0], lanes[size - 1]
    if edges != _WRAP:
        for lane in range(total.size):
            total[lane] = first[lane] + around * last[lane]
    else:
        for lane in range(total.size):
            total[lane] = first[lane]
    for k in range(1, size - 1 if edges == _MIRROR else size):
        near, far = lanes[size - k if edges == _WRAP else k], lanes[size - 1 - k]
        weight = 0.0 if edges == _WRAP else around
        for lane in range(total.size):
            total[lane] += power * (near[lane] + weight * far[lane])
        power *= pole
        if abs(power) < NEGLIGIBLE:
            break
    for lane in range(total.size):
        if edges == _MIRROR:
            first[lane] = total[lane] / (1.0 - around * around)
        elif edges == _REFLECT:
            first[lane] += total[lane] * (pole / (1.0 - around * around))
        else:
            first[lane] = total[lane] / (1.0 - power)


@jit
def _turn(lanes, pole, edges):
    """Set the last row to where the recursion back begins."""
    size = len(lanes)
    last = lanes[size - 1]
    if edges == _MIRROR:
        before = lanes[size - 2]
        for lane in range(last.size):
            last[lane] = (pole * before[lane] + last[lane]) * pole / (pole * pole - 1.0)
    elif edges == _REFLECT:
        for lane in range(last.size):
            last[lane] *= pole / (pole - 1.0)
    else:
        power = pole
        for k in range(size - 1):
            row = lanes[k]
            for lane in range(last.size):
                last[lane] += power * row[lane]
            power *= pole
            if abs(power) < NEGLIGIBLE:
                break
        factor = pole / (power - 1.0)
        for lane in range(last.size):
            last[lane] *= factor
