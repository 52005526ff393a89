"""
Spline coefficients: recursions that run along whole rows of neighbouring lines.

A spline's coefficients are an image filtered there and back by a recursion for each pole (Unser,
Splines: A Perfect Fit for Signal and Image Processing, IEEE SPM 1999). Along a line each step waits
for the one before it; many lines side by side are a vector.
"""

import math

import numpy as np
from scipy import ndimage

from dask_image._kernels._numba import jit, jit_part, use_numba
from dask_image._kernels.memory import scratch
from dask_image._utils.modes import MODES

# Pixels (doubles) that stay in a cache while they are filtered there and back.
CACHED = 1 << 17

# Lines that have to lie side by side to be filtered as vectors, and those filtered by turns else.
LANES = EIGHT = 8

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
    result = output if given else np.empty(input.shape, dtype)
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
    run, width = _filter_columns, min(after, max(CACHED // size, LANES))
    if after < LANES:
        # Too few lines lie side by side for a vector: they are turned to be rows.
        source, target = source.swapaxes(1, 2), target.swapaxes(1, 2)
        run, width = _filter_lines, size
    count = min(before, max(CACHED // (source.shape[1] * width), 1))
    gain = math.prod((1.0 - pole) * (1.0 - 1.0 / pole) for pole in poles)
    # Other arrays are read and written by NumPy.
    reads = source.flags.c_contiguous and source.dtype in KINDS
    writes = target.flags.c_contiguous and target.dtype in WRITTEN
    for begin in range(0, before, count):
        for left in range(0, source.shape[2], width):
            where = slice(begin, begin + count), slice(None), slice(left, left + width)
            part = target[where]
            band = scratch("spline-band", part.shape)
            flat, rows = band.reshape(-1), part.shape[0] * part.shape[1]
            place = begin * source.shape[1] * source.shape[2] + left
            of_image, of_band = (place, source.shape[2]), (0, part.shape[2])
            if reads:
                _copy(source.reshape(-1), of_image, flat, of_band, rows, gain)
            else:
                np.multiply(source[where], gain, out=band)
            run(band, poles, edges)
            if writes:
                _copy(flat, of_band, target.reshape(-1), of_image, rows, 1.0)
            else:
                part[...] = band


def _filter_columns(band, poles, edges):
    """Filter along the middle one of three axes, in place."""
    _run_columns(band, poles, edges, scratch("spline-total", band.shape[2]))


def _filter_lines(band, poles, edges):
    """Filter along the last axis, in place."""
    _run_lines(band.reshape(-1, band.shape[2]), poles, edges, scratch("spline-total", EIGHT))


@jit
def _copy(source, of_source, target, of_target, rows, gain):
    """
    Write rows, multiplied, to another array.

    Of each array it is told where they begin, and how far from each other they do; they are as
    long as the smaller one of these distances.
    """
    start, pitch = of_source
    to, target_pitch = of_target
    width = np.uint64(min(pitch, target_pitch))
    for row in range(rows):
        s, t = np.uint64(start + row * pitch), np.uint64(to + row * target_pitch)
        for lane in range(width):
            target[t + lane] = source[s + lane] * gain


@jit
def _run_columns(band, poles, edges, total):
    """Filter along the middle one of three axes: neighbouring lines are a vector."""
    for plane in range(len(band)):
        lanes = band[plane]
        size = len(lanes)
        for pole in poles:
            _begin(lanes, pole, edges, total)
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
def _run_lines(lines, poles, edges, total):
    """Filter along the last axis: while one line waits for a step, others take theirs."""
    size = lines.shape[1]
    together = len(lines) - len(lines) % EIGHT
    for pole in poles:
        for first in range(0, together, EIGHT):
            some = lines[first : first + EIGHT]
            _begin(some.T, pole, edges, total)
            _run_eight_on(some, pole)
            _turn(some.T, pole, edges)
            _run_eight_back(some, pole)
        for first in range(together, len(lines)):
            some = lines[first : first + 1]
            _begin(some.T, pole, edges, total)
            line = some[0]
            for k in range(1, size):
                line[k] += pole * line[k - 1]
            _turn(some.T, pole, edges)
            for k in range(size - 2, -1, -1):
                line[k] = pole * (line[k + 1] - line[k])


@jit_part
def _run_eight_on(lines, pole):
    """Add to each pixel the one before, times the pole; values of eight lines stay in registers."""
    a, b, c, d = lines[0], lines[1], lines[2], lines[3]
    e, f, g, h = lines[4], lines[5], lines[6], lines[7]
    at_a, at_b, at_c, at_d, at_e, at_f, at_g, at_h = a[0], b[0], c[0], d[0], e[0], f[0], g[0], h[0]
    for k in range(1, a.size):
        at_a = a[k] + pole * at_a
        at_b = b[k] + pole * at_b
        at_c = c[k] + pole * at_c
        at_d = d[k] + pole * at_d
        at_e = e[k] + pole * at_e
        at_f = f[k] + pole * at_f
        at_g = g[k] + pole * at_g
        at_h = h[k] + pole * at_h
        a[k], b[k], c[k], d[k] = at_a, at_b, at_c, at_d
        e[k], f[k], g[k], h[k] = at_e, at_f, at_g, at_h


@jit_part
def _run_eight_back(lines, pole):
    """Set each pixel to the pole times its difference from the one after."""
    a, b, c, d = lines[0], lines[1], lines[2], lines[3]
    e, f, g, h = lines[4], lines[5], lines[6], lines[7]
    last = np.uint64(a.size - 1)
    at_a, at_b, at_c, at_d = a[last], b[last], c[last], d[last]
    at_e, at_f, at_g, at_h = e[last], f[last], g[last], h[last]
    for steps in range(1, a.size):
        # Unsigned, or each would be checked for whether it counts from the end.
        k = last - np.uint64(steps)
        at_a = pole * (at_a - a[k])
        at_b = pole * (at_b - b[k])
        at_c = pole * (at_c - c[k])
        at_d = pole * (at_d - d[k])
        at_e = pole * (at_e - e[k])
        at_f = pole * (at_f - f[k])
        at_g = pole * (at_g - g[k])
        at_h = pole * (at_h - h[k])
        a[k], b[k], c[k], d[k] = at_a, at_b, at_c, at_d
        e[k], f[k], g[k], h[k] = at_e, at_f, at_g, at_h


# Of what is farther away than this power of a pole nothing is left in a double, not even beside
# a pixel that is 1e8 times as small.
NEGLIGIBLE = 1e-24


@jit_part
def _begin(lanes, pole, edges, total):
    """Set the first row to what the recursion has gathered before it: SciPy's sums."""
    size = len(lanes)
    count = lanes.shape[1]
    around = math.pow(pole, size - 1.0 if edges == _MIRROR else float(size))
    power = pole
    first, last = lanes[0], lanes[size - 1]
    if edges != _WRAP:
        for lane in range(count):
            total[lane] = first[lane] + around * last[lane]
    else:
        for lane in range(count):
            total[lane] = first[lane]
    for k in range(1, size - 1 if edges == _MIRROR else size):
        near, far = lanes[size - k if edges == _WRAP else k], lanes[size - 1 - k]
        weight = 0.0 if edges == _WRAP else around
        for lane in range(count):
            total[lane] += power * (near[lane] + weight * far[lane])
        power *= pole
        if abs(power) < NEGLIGIBLE:
            break
    for lane in range(count):
        if edges == _MIRROR:
            first[lane] = total[lane] / (1.0 - around * around)
        elif edges == _REFLECT:
            first[lane] += total[lane] * (pole / (1.0 - around * around))
        else:
            first[lane] = total[lane] / (1.0 - power)


@jit_part
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
