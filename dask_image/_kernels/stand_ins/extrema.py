"""
Minimum and maximum filters, and the flat grey morphology made of them.

A box runs axis by axis. Along one axis the extremum of 2, 4, 8, ... neighbours
is that of two overlapping halves (the doubling scheme), so a window of any width
takes about log2(width) vector operations. Other footprints take one operation a
pixel of the footprint.
"""

import operator

import numpy as np
from scipy import ndimage

from dask_image._kernels.stand_ins._lines import (
    CANONICAL_MODE,
    NUMBERS,
    TILE_BYTES,
    each,
    hand_over,
    holds_nan,
    line_tiles,
    new_output,
)
from dask_image._kernels.stand_ins._windows import (
    along_axes,
    flat_offsets,
    pad,
    reach,
    segments,
    trimmed,
)


def fits(value, dtype):
    """Tell whether ``value`` may stand in an array of ``dtype`` in place of SciPy's float64."""
    if not np.isscalar(value) or isinstance(value, (str, complex)):
        return False
    if dtype.kind == "f":
        return not np.isnan(value)
    if dtype.kind == "b":
        return value in (0, 1)
    limits = np.iinfo(dtype)
    # At 64 bits the limits round up as float64, hence beyond the type.
    return value == int(value) and limits.min <= value <= limits.max and abs(value) < 2**53


def result_for(image, output, cval):
    """Return the array to write to, or None where the case is left to SciPy."""
    if image.dtype not in NUMBERS and image.dtype != bool:
        return None
    if image.ndim == 0 or image.size == 0 or not np.isfinite(cval) or not fits(cval, image.dtype):
        return None
    result = new_output(image, output)
    if result is None or not np.can_cast(image.dtype, result.dtype, "safe"):
        return None
    if result.dtype not in NUMBERS and result.dtype != image.dtype:
        return None
    return None if holds_nan(image) else result


def _slide(extremum, extended, size, stride, length):
    """Return the ``extremum`` of every ``size`` neighbours ``stride`` apart in each row."""
    current, width = extended, 1
    targets = [np.empty_like(extended), extended]  # each is free once the other is filled
    while 2 * width <= size:
        shift = width * stride
        halved = targets[0][:, : current.shape[1] - shift]
        extremum(current[:, :-shift], current[:, shift:], out=halved)
        current, width = halved, 2 * width
        targets.reverse()
    last = (size - width) * stride
    values = targets[0][:, :length]
    return extremum(current[:, :length], current[:, last : last + length], out=values)


def _filter1d(scipy_function, extremum, image, size, axis, output, mode, cval, origin):
    result = result_for(image, output, cval)
    if (
        result is None
        or mode not in CANONICAL_MODE
        or size < 1
        or not 0 <= size // 2 + origin < size
    ):
        return scipy_function(image, size, axis, output, mode, cval, origin)
    axis = operator.index(axis) % image.ndim
    before = size // 2 + origin
    tiles = line_tiles(
        image, result, axis, before, size - 1 - before, CANONICAL_MODE[mode], cval, image.dtype,
        tile_bytes=TILE_BYTES // 2,
    )  # fmt: skip
    for extended, stride, target in tiles:
        values = _slide(extremum, extended, size, stride, target.shape[1] * stride)
        hand_over(values.reshape(target.shape), target)
    return result


def minimum_filter1d(input, size, axis=-1, output=None, mode="reflect", cval=0.0, origin=0):
    """Stand in for `scipy.ndimage.minimum_filter1d`."""
    return _filter1d(
        ndimage.minimum_filter1d, np.minimum, np.asarray(input), size, axis, output, mode, cval,
        origin,
    )  # fmt: skip


def maximum_filter1d(input, size, axis=-1, output=None, mode="reflect", cval=0.0, origin=0):
    """Stand in for `scipy.ndimage.maximum_filter1d`."""
    return _filter1d(
        ndimage.maximum_filter1d, np.maximum, np.asarray(input), size, axis, output, mode, cval,
        origin,
    )  # fmt: skip


def _box_filter(filter1d, image, sizes, axes, result, modes, cval, origins):
    """Filter along each axis in turn, the results of one being the input of the next."""
    current = image
    for axis, size, mode, origin in zip(axes, sizes, modes, origins, strict=True):
        if size > 1:
            filter1d(current, int(size), axis, result, mode, cval, origin)
            current = result
    if current is image:
        result[...] = image
    return result


def _footprint_filter(extremum, image, footprint, origins, result, mode, cval):
    """Take the extremum over shifted views of the padded image, one a pixel of the footprint."""
    padded = pad(image, *reach(footprint, origins), (mode,) * image.ndim, cval)
    found = np.empty_like(padded)
    flat, values = padded.ravel(), found.ravel()
    offsets = flat_offsets(footprint, padded.shape)
    for start, stop in segments(image.shape, padded.shape, 8 * image.itemsize):
        best = values[start:stop]
        best[...] = flat[start + offsets[0] : stop + offsets[0]]
        for offset in offsets[1:]:
            extremum(best, flat[start + offset : stop + offset], out=best)
    hand_over(trimmed(found, image.shape), result)
    return result


def _filter(scipy_function, extremum, filter1d, image, size, footprint, output, mode, cval,
            origin, axes):  # fmt: skip
    def delegate():
        return scipy_function(image, size, footprint, output, mode, cval, origin, axes=axes)

    if size is not None and footprint is not None:
        return delegate()
    image = np.asarray(image)
    result = result_for(image, output, cval)
    if result is None or (size is None and footprint is None):
        return delegate()
    chosen = tuple(range(image.ndim)) if axes is None else tuple(np.atleast_1d(axes) % image.ndim)
    if footprint is not None and np.all(footprint) and np.ndim(footprint) == len(chosen):
        size, footprint = np.shape(footprint), None
    if footprint is None:
        sizes, modes, origins = (each(value, len(chosen)) for value in (size, mode, origin))
        return _box_filter(filter1d, image, sizes, chosen, result, modes, cval, origins)
    window = along_axes(footprint, origin, axes, image.ndim)
    if window is None or not window[0].any() or result is image or np.ndim(mode) > 0:
        return delegate()
    if mode not in CANONICAL_MODE:
        return delegate()
    return _footprint_filter(extremum, image, *window, result, CANONICAL_MODE[mode], cval)


def minimum_filter(
    input, size=None, footprint=None, output=None, mode="reflect", cval=0.0, origin=0,
    *, axes=None,
):  # fmt: skip
    """Stand in for `scipy.ndimage.minimum_filter`."""
    return _filter(
        ndimage.minimum_filter, np.minimum, minimum_filter1d,
        input, size, footprint, output, mode, cval, origin, axes,
    )  # fmt: skip


def maximum_filter(
    input, size=None, footprint=None, output=None, mode="reflect", cval=0.0, origin=0,
    *, axes=None,
):  # fmt: skip
    """Stand in for `scipy.ndimage.maximum_filter`."""
    return _filter(
        ndimage.maximum_filter, np.maximum, maximum_filter1d,
        input, size, footprint, output, mode, cval, origin, axes,
    )  # fmt: skip
