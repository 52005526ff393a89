"""
Minimum and maximum filters, and the flat grey morphology made of them.

A window is cut into runs of pixels side by side, equal runs above one another into stacks.
The extremum of 3, 9, 27, ... neighbours is that of three parts, which may overlap, along a run as
down a stack, so both take about log3(length) comparisons of rows. A box is one stack; its other
axes follow one after another.
"""

import functools
import math
import operator
from dataclasses import replace

import numpy as np
from scipy import ndimage

from dask_image._kernels._numba import runs_plainly, use_numba
from dask_image._kernels.memory import recycled, scratch
from dask_image._kernels.row_programs import (
    LOWER,
    UPPER,
    Axis,
    Recorder,
    as_planes,
    run,
)
from dask_image._kernels.stand_ins._calls import stands_in_for
from dask_image._kernels.stand_ins._lines import NUMBERS, store
from dask_image._kernels.stand_ins._windows import names_a_window, window_of

# Shorter rows take SciPy less time than calls of NumPy do.
LEAST_PLAIN_WIDTH = 200


def fits(value, dtype):
    """Tell whether ``value`` may stand in an array of ``dtype`` in place of SciPy's float64."""
    if not np.isscalar(value) or isinstance(value, (str, complex)) or not np.isfinite(value):
        return False
    if dtype.kind == "f":
        return True
    if dtype.kind == "b":
        return value in (0, 1)
    limits = np.iinfo(dtype)
    # At 64 bits the limits round up as float64, hence beyond the type.
    return value == int(value) and limits.min <= value <= limits.max and abs(value) < 2**53


def result_dtype(image, output, cval):
    """Return the dtype of the result, or None where the case is left to SciPy."""
    if image.ndim == 0 or image.size == 0 or not fits(cval, image.dtype):
        return None
    if image.dtype not in NUMBERS and image.dtype != bool:
        return None
    try:
        dtype = image.dtype if output is None else np.dtype(getattr(output, "dtype", output))
    except TypeError:
        return None
    if not np.can_cast(image.dtype, dtype, "safe") or dtype not in {image.dtype, *NUMBERS}:
        return None
    return dtype


def pays(image):
    """Tell whether rows are long enough for the kernels to be faster than SciPy."""
    # Python's lock is held by the thread that compiles: SciPy waits for it once, and NumPy at each
    # step of each row.
    return use_numba() or (image.shape[-1] >= LEAST_PLAIN_WIDTH and not runs_plainly())


def is_wide(dtype):
    """Tell whether the values may be integers that float64 rounds."""
    return dtype.kind in "iu" and dtype.itemsize == 8


def finish(found, dtype, output, window=None):
    """
    Return values of an image as SciPy leaves them in ``output`` after a trip through float64.

    Through a window of one pixel, but for lines (``window`` None), it copies them as they are.
    """
    copied = window is not None and window.footprint.size == 1
    if dtype == found.dtype and is_wide(dtype) and not copied:
        through_double(found)
    return hand_over(found, dtype, output)


def hand_over(found, dtype, output):
    """Return a result as an array of another dtype, or in a given one."""
    if isinstance(output, np.ndarray):
        output[...] = found
        return output
    return found.astype(dtype, copy=False)


def _rounds_up(image):
    """
    Tell whether float64 rounds some integers up beyond their type, and C makes small ones of them.

    That is not monotonic, so it matters that SciPy does so after each axis.
    """
    return int(image.max()) > np.iinfo(image.dtype).max - 1024


def through_double(values):
    """Round 64-bit integers in place as C converts them to float64 and back."""
    if -(2**53) < int(values.min()) and int(values.max()) < 2**53:
        return
    flat = values.reshape(-1)
    for start in range(0, flat.size, 1 << 14):
        part = flat[start : start + (1 << 14)]
        store(part.astype(np.float64), part)


def _stretched(recorder, kind, value, size, axis):
    """Return the extremum of ``size`` values, ``value`` and its followers along an axis."""

    def moved(steps):
        return (*value[:axis], value[axis] + steps, *value[axis + 1 :])

    span = 1
    while span < size:
        last = min(2 * span, size - span)
        value = recorder.compare(kind, value, moved(min(span, last)), moved(last))
        span += last
    return value


def _runs(flags):
    """Return ``(start, length)`` of the stretches of True."""
    edges = np.flatnonzero(np.diff(np.pad(flags.astype(np.int8), 1)))
    return [(int(start), int(stop - start)) for start, stop in edges.reshape(-1, 2)]


@functools.lru_cache(maxsize=64)
def _program(kind, shape, pixels):
    """Return the program that finds the extremum under a footprint of at least two axes."""
    planes = np.frombuffer(pixels, bool).reshape(-1, *shape[-2:])
    used = [plane for plane in range(len(planes)) if planes[plane].any()]
    recorder = Recorder([(plane, 0) for plane in used])
    last = shape[-2] - 1
    found = []
    for number, plane in enumerate(used):
        rows_of = {}
        for row, flags in enumerate(planes[plane]):
            for stretch in _runs(flags):
                rows_of.setdefault(stretch, np.zeros(last + 1, bool))[row] = True
        for (column, length), rows in rows_of.items():
            for row, count in _runs(rows):
                stretch = _stretched(recorder, kind, (number, row - last, column), length, 2)
                found.append(_stretched(recorder, kind, stretch, count, 1))
    return recorder.program([(-last, recorder.extremum(kind, found))])


def apply(kind, image, window, axes, cval, out, last=()):
    """
    Write the extremum under a `PlacedWindow` to ``out``; tell whether that is left to SciPy.

    ``axes`` says which part of the image is wanted; ``last`` may be ``(how, other)`` as for `run`.
    """
    if is_wide(image.dtype) and window.is_box and _rounds_up(image):
        return True
    if image.ndim == 1:
        axes = [Axis(1, 0, 1), *axes]
    image, out = as_planes(image), as_planes(out)
    if last:
        how, other = last
        last = how, as_planes(other)
    if window.is_box:
        return _box(kind, image, list(axes), cval, out, last)
    program = _program(kind, tuple(axis.size for axis in axes), window.key)
    return run(program, image, axes, cval, out, *last)


def _box(kind, image, axes, cval, out, last):
    """
    Write the extremum of boxes to ``out``; tell whether there was a NaN.

    The last two axes come first, in one sweep, then each of the others.
    """

    def filtered(source, axes, target, last=()):
        shape = tuple(axis.size for axis in axes)
        program = _program(kind, shape, b"\1" * math.prod(shape))
        return run(program, source, axes, cval, target, *last)

    steps = [place for place in range(image.ndim - 3, -1, -1) if axes[place].size > 1]
    if not steps:
        return filtered(image, axes, out, last)
    first, shape = list(axes), list(out.shape)
    for place in steps:
        # What the filter along this axis is going to read.
        low, high = axes[place].extent()
        first[place] = Axis(axes[place].length, low, high, first=axes[place].first)
        axes[place] = replace(axes[place], first=low)
        shape[place] = high - low
    current = scratch("extremum", tuple(shape), image.dtype)
    odd = filtered(image, first, current)
    for place in steps:
        source = current.reshape(math.prod(shape[:place]), shape[place], -1)
        shape[place] = out.shape[place]
        flat_shape = (source.shape[0], shape[place], source.shape[2])
        across = [Axis(length, 0, length) for length in flat_shape]
        across[1] = axes[place]
        if place == steps[-1]:
            if last:
                how, other = last
                last = how, np.ascontiguousarray(other).reshape(flat_shape)
            filtered(source, across, out.reshape(flat_shape), last)
        else:
            current = scratch(f"extremum along {place}", flat_shape, image.dtype)
            filtered(source, across, current)
    return odd


def flat_filter(kind, image, window, cval, region=None):
    """
    Return the extremum under a `PlacedWindow`, or None where it is left to SciPy.

    ``region`` is where in the image the result is wanted (None: everywhere).
    """
    axes = window.axes(image.shape, region)
    out = recycled([axis.stop - axis.start for axis in axes], image.dtype)
    return None if apply(kind, image, window, axes, cval, out) else out


def _filter(call, kind, region):
    image = call.input
    dtype = result_dtype(image, call.output, call.cval)
    window = None
    if dtype is not None and pays(image) and names_a_window(call):
        window = window_of(call, image.ndim, separable=True)
    found = None if window is None else flat_filter(kind, image, window, call.cval, region)
    return call.by_scipy(region) if found is None else finish(found, dtype, call.output, window)


@stands_in_for(ndimage.minimum_filter)
def minimum_filter(call, region):
    return _filter(call, LOWER, region)


@stands_in_for(ndimage.maximum_filter)
def maximum_filter(call, region):
    return _filter(call, UPPER, region)


def _filter1d(call, whole_filter, kind, region):
    image = call.input
    dtype = result_dtype(image, call.output, call.cval)
    window = None
    if dtype is not None and pays(image) and call.size >= 1:
        line = call.changed(
            whole_filter, size=[call.size], mode=[call.mode], origin=[call.origin],
            axes=[operator.index(call.axis)],
        )  # fmt: skip
        window = window_of(line, image.ndim, separable=True)
    found = None if window is None else flat_filter(kind, image, window, call.cval, region)
    return call.by_scipy(region) if found is None else finish(found, dtype, call.output)


@stands_in_for(ndimage.minimum_filter1d)
def minimum_filter1d(call, region):
    return _filter1d(call, ndimage.minimum_filter, LOWER, region)


@stands_in_for(ndimage.maximum_filter1d)
def maximum_filter1d(call, region):
    return _filter1d(call, ndimage.maximum_filter, UPPER, region)


def _in_passes(block, passes, region):
    """Run several 1-D filters of one kind as one filter of boxes."""
    first = passes[0]
    if len(passes) == 1:  # 64-bit integers are rounded in a line, also where its size is 1
        return first.kernel.in_region(
            block, region=region, axis=first.axis, mode=first.mode, **first.keywords
        )
    kernel = {minimum_filter1d: minimum_filter, maximum_filter1d: maximum_filter}[first.kernel]
    columns = {
        name: [step.keywords[name] for step in passes] for name in ("size", "cval", "origin")
    }
    return kernel.in_region(
        block,
        region=region,
        size=columns["size"],
        origin=columns["origin"],
        cval=columns["cval"][0],
        mode=[step.mode for step in passes],
        output=first.keywords["output"],
        axes=tuple(step.axis for step in passes),
    )


minimum_filter1d.in_passes = maximum_filter1d.in_passes = _in_passes
