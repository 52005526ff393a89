"""
Minimum and maximum filters, and the flat grey morphology made of them.

A window is cut into runs of pixels side by side, equal runs above one another into stacks.
The extremum of 3, 9, 27, ... neighbours is that of three parts, which may overlap, along a run as
down a stack, so both take about log3(length) comparisons of rows. A box is one stack; its other
axes follow one after another.
"""

import dataclasses
import functools
import math
import operator

import numpy as np
from scipy import ndimage

from dask_image._kernels._numba import jit, use_numba
from dask_image._kernels.row_programs import LOWER, UPPER, Axis, Recorder, as_planes, run
from dask_image._kernels.rows import scratch
from dask_image._kernels.stand_ins._lines import NUMBERS
from dask_image._kernels.stand_ins._windows import cut, in_region, window_of


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
    if not use_numba() or image.ndim == 0 or image.size == 0 or not fits(cval, image.dtype):
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


def finish(found, dtype, output):
    """Return values of an image as SciPy leaves them in ``output`` after a trip through float64."""
    if dtype == found.dtype and dtype.kind in "iu" and dtype.itemsize == 8:
        _through_double(found.reshape(-1), dtype.kind == "u")
    if isinstance(output, np.ndarray):
        output[...] = found
        return output
    return found.astype(dtype, copy=False)


@jit
def _through_double(values, unsigned):
    """Round 64-bit integers in place as C converts them to float64 and back."""
    for place in range(values.size):
        value = float(values[place])
        if unsigned:
            values[place] = 0 if value >= 2.0**64 else np.uint64(value)
        else:
            values[place] = -(2**63) if value >= 2.0**63 else np.int64(value)


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


def _box(kind, image, axes, cval, out):
    """
    Write the extremum of boxes to ``out``; tell whether there was a NaN.

    The last two axes come first, in one sweep, then each of the others.
    """

    def filtered(source, axes, target):
        shape = tuple(axis.size for axis in axes)
        return run(_program(kind, shape, b"\1" * math.prod(shape)), source, axes, cval, target)

    steps = [place for place in range(image.ndim - 3, -1, -1) if axes[place].size > 1]
    first, current, shape = list(axes), out, list(out.shape)
    for place in steps:
        # What the filter along this axis is going to read.
        axis, table = axes[place], axes[place].table()
        low, high = int(table[table >= 0].min()), int(table.max()) + 1
        first[place] = Axis(axis.length, low, high)
        axes[place] = dataclasses.replace(axis, first=low)
        shape[place] = high - low
    if steps:
        current = scratch("extremum", tuple(shape), image.dtype)
    odd = filtered(image, first, current)
    for place in steps:
        shape[place] = out.shape[place]
        name = f"extremum along {place}"
        target = out if place == steps[-1] else scratch(name, tuple(shape), image.dtype)
        outer, inner = math.prod(shape[:place]), math.prod(shape[place + 1 :])
        filtered(
            current.reshape(outer, -1, inner),
            [Axis(outer, 0, outer), axes[place], Axis(inner, 0, inner)],
            target.reshape(outer, -1, inner),
        )
        current = target
    return odd


def flat_filter(kind, image, window, cval, region=None):
    """
    Return the extremum under a `Window`, or None where a NaN leaves it to SciPy.

    ``region`` is where in the image the result is wanted (None: everywhere).
    """
    axes = window.axes(image.shape, region)
    out = np.empty([axis.stop - axis.start for axis in axes], image.dtype)
    pixels, found = as_planes(image), as_planes(out)
    if image.ndim == 1:
        axes = [Axis(1, 0, 1), *axes]
    if window.footprint.all():
        odd = _box(kind, pixels, axes, cval, found)
    else:
        shape = tuple(axis.size for axis in axes)
        odd = run(_program(kind, shape, window.key), pixels, axes, cval, found)
    return None if odd else out


def _filter(scipy_function, kind, input, size, footprint, output, mode, cval, origin, axes,
            *, region=None):  # fmt: skip
    image = np.asarray(input)
    dtype = result_dtype(image, output, cval)
    window = None
    if dtype is not None and (size is None) != (footprint is None):
        window = window_of(size, footprint, mode, origin, axes, image.ndim, separable=True)
    found = None if window is None else flat_filter(kind, image, window, cval, region)
    if found is not None:
        return finish(found, dtype, output)
    return cut(
        scipy_function(image, size, footprint, output, mode, cval, origin, axes=axes), region
    )


def _filter1d(scipy_function, kind, input, size, axis, output, mode, cval, origin, *, region=None):
    image = np.asarray(input)
    dtype = result_dtype(image, output, cval)
    window = None
    if dtype is not None and size >= 1:
        axis = operator.index(axis)
        window = window_of([size], None, [mode], [origin], [axis], image.ndim, separable=True)
    found = None if window is None else flat_filter(kind, image, window, cval, region)
    if found is not None:
        return finish(found, dtype, output)
    return cut(scipy_function(image, size, axis, output, mode, cval, origin), region)


def _in_passes(block, passes, region):
    """Run several 1-D filters of one kind as one filter of boxes."""
    first = passes[0]
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


def minimum_filter1d(input, size, axis=-1, output=None, mode="reflect", cval=0.0, origin=0):
    """Stand in for `scipy.ndimage.minimum_filter1d`."""
    return _minimum1d(input, size, axis, output, mode, cval, origin)


def maximum_filter1d(input, size, axis=-1, output=None, mode="reflect", cval=0.0, origin=0):
    """Stand in for `scipy.ndimage.maximum_filter1d`."""
    return _maximum1d(input, size, axis, output, mode, cval, origin)


def minimum_filter(
    input, size=None, footprint=None, output=None, mode="reflect", cval=0.0, origin=0,
    *, axes=None,
):  # fmt: skip
    """Stand in for `scipy.ndimage.minimum_filter`."""
    return _minimum(input, size, footprint, output, mode, cval, origin, axes)


def maximum_filter(
    input, size=None, footprint=None, output=None, mode="reflect", cval=0.0, origin=0,
    *, axes=None,
):  # fmt: skip
    """Stand in for `scipy.ndimage.maximum_filter`."""
    return _maximum(input, size, footprint, output, mode, cval, origin, axes)


_minimum1d = functools.partial(_filter1d, ndimage.minimum_filter1d, LOWER)
_maximum1d = functools.partial(_filter1d, ndimage.maximum_filter1d, UPPER)
_minimum = functools.partial(_filter, ndimage.minimum_filter, LOWER)
_maximum = functools.partial(_filter, ndimage.maximum_filter, UPPER)

minimum_filter1d.in_region = in_region(minimum_filter1d, _minimum1d)
maximum_filter1d.in_region = in_region(maximum_filter1d, _maximum1d)
minimum_filter.in_region = in_region(minimum_filter, _minimum)
maximum_filter.in_region = in_region(maximum_filter, _maximum)
minimum_filter1d.in_passes = maximum_filter1d.in_passes = _in_passes
